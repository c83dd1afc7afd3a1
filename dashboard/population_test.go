package dashboard_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/chromedp/chromedp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/dashboard"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/query/population"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// oddPlace is an environment with a name that wants to be something else.
const oddPlace = "eu/<script>alert(1)</script>?a=1&b=2 %41"

func commitOf(n int) stemma.Ref { return change.CommitRef("sha1", fmt.Sprintf("%040x", n)) }

// deploys tells of sixty commits in a row and of deployments that brought them: every fourth
// commit is of no change, every eighth was pushed directly.
func (s *site) deploys() {
	s.t.Helper()
	w := ingest.NewWriter(s.t.Context(), s.space, func() time.Time { return now })
	tell := func(x ingest.Record) { must(s.t, w.Record(s.t.Context(), x, "test", stemma.GradeB)) }
	for n := 1; n <= 60; n++ {
		c := change.Commit{SHA: fmt.Sprintf("%040x", n), Title: fmt.Sprint("commit ", n, " ", hostile), Committed: hour(2000 - n), Lines: &change.Lines{AI: n % 3, Human: 1}}
		if n > 1 {
			c.Parents = []stemma.Ref{commitOf(n - 1)}
		}
		tell(c)
		switch {
		case n%8 == 0:
			tell(change.Change{Repository: payHome, MergeCommit: commitOf(n), Method: "direct", Commits: []stemma.Ref{commitOf(n)}, Merged: hour(2000 - n)})
		case n%4 != 0:
			tell(change.Change{Repository: payHome, Number: 1000 + n, Title: "change", Method: "merge", Commits: []stemma.Ref{commitOf(n)}, Merged: hour(2000 - n)})
		}
	}
	for i, d := range []struct {
		environment, service string
		hours                int
		ships                stemma.Ref
	}{
		{"live", "pay", 1900, commitOf(2)},
		{"live", "pay", 1800, commitOf(40)},
		{"live", "web", 1700, commitOf(20)},
		{"live", "pay", 1600, commitOf(60)},
		{"live", "pay", 1750, artifact.Ref("sha256:" + strings.Repeat("c", 64))},
		{"live", "pay", 1400, commitOf(58)},
		{oddPlace, "", 1300, commitOf(4)},
	} {
		x := deployment.Deployment{
			ID: deployment.Ref(d.environment, strconv.Itoa(i)), Environment: deployment.EnvironmentRef(d.environment), Service: d.service, Version: fmt.Sprint("v", i), Status: "success", At: hour(d.hours),
			Ships: []stemma.Edge{{To: d.ships}},
		}
		tell(deployment.Environment{Name: d.environment})
		tell(x)
	}
	must(s.t, w.Close(s.t.Context()))
}

// reachedSite is one with deployments, whose policy names teams.
func reachedSite(t testing.TB, db *storage.DB) *site {
	s := governed(t, db)
	s.deploys()
	s.teams("teams:\n  - name: Payments & cards\n    match: [acme/pay*]\n  - name: Nobody yet\n    match: [acme/none]\n")
	return s
}

// teams opens the pages anew, by a policy.
func (s *site) teams(body string) {
	s.t.Helper()
	p, err := policy.ParsePolicy("policy.yaml", []byte(body))
	must(s.t, err)
	pages, err := dashboard.New(dashboard.Config{Space: s.space, Inbox: s.box, Now: func() time.Time { return now }, Set: &policy.Set{Policy: p}})
	must(s.t, err)
	s.t.Cleanup(func() { must(s.t, pages.Close()) })
	s.pages = pages
}

// days is a period of the deployments: the first of them is before it.
var days = "from=" + now.Add(-1850*time.Hour).Format(time.DateOnly) + "&to=" + now.Format(time.DateOnly)

// rows counts the rows of a table on a page, and on those that follow it.
func (s *site) rows(at, table string) (n, gaps int) {
	s.t.Helper()
	for range 1000 {
		root, next := s.parse(at), ""
		for c := range root.Descendants() {
			switch {
			case c.Data == "a" && inside(c, "nav") && words(c) == "next →":
				next = strings.SplitN(attr(c, "href"), "#", 2)[0]
			case c.Data == "tr" && inside(c, "tbody") && tableOf(c) == table:
				n++
				if slices.ContainsFunc(all(c, "td"), func(td *html.Node) bool { return has(td, "gap") && strings.HasPrefix(words(td), "unknown") }) {
					gaps++
				}
			}
		}
		if next == "" || table != "t-members" {
			return n, gaps
		}
		at = next
	}
	s.t.Fatalf("%s has no end", at)
	return n, gaps
}

func tableOf(n *html.Node) string {
	for n.Data != "table" {
		n = n.Parent
	}
	return attr(n, "id")
}

// tracePopulation compares every figure of the pages about populations with its list.
func (s *site) tracePopulation(query string) {
	s.t.Helper()
	lists, compared := map[string][2]int{}, 0
	for queue, seen := []string{"/governance/population" + query}, map[string]bool{}; len(queue) > 0; queue = queue[1:] {
		root := s.parse(queue[0])
		for c := range root.Descendants() {
			if c.Data != "td" || tableOf(c) != "t-environments" && tableOf(c) != "t-services" && tableOf(c) != "t-population" {
				continue
			}
			for _, a := range all(c, "a") {
				href := attr(a, "href")
				at, fragment, _ := strings.Cut(href, "#")
				if fragment == "" && !seen[at] {
					seen[at] = true
					queue = append(queue, at)
				}
				n, err := strconv.Atoi(strings.ReplaceAll(words(a), ",", ""))
				if err != nil {
					continue
				}
				if _, known := lists[href]; !known {
					total, gaps := s.rows(at, "t-"+fragment)
					lists[href] = [2]int{total, gaps}
				}
				want := lists[href][0]
				if column(a) == "Range unknown" {
					want = lists[href][1]
				}
				if compared++; n != want {
					s.t.Errorf("%s: %q is %d, and its list %s has %d", queue[0], column(a), n, href, want)
				}
			}
		}
	}
	if compared < 15 {
		s.t.Errorf("only %d figures were compared", compared)
	}
	s.t.Logf("%d figures of populations were compared with %d lists", compared, len(lists))
}

func TestEveryFigureOfAPopulationIsItsList(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		s := reachedSite(t, open())
		s.tracePopulation("?" + days)
		// 58 commits, one of which web had brought before: of 3 to 60 every fourth is of no change or pushed.
		s.shows("/governance/population?env=live&"+days, []string{"n 58 commits of 5 deployments, 1 of unknown range", "86.2\u00a0%", "Draw a sample", "There before"})
		s.shows("/governance/population?env=live&of=no-change&"+days, []string{"commit 12 ", "commit 60 "}, "commit 8 ", "commit 13 ", "<script>alert")
		s.shows("/governance/population?env=live&of=direct&"+days, []string{"commit 8 "}, "commit 12 ")
		s.shows("/governance/population?env=live&of=gone&"+days, []string{"commit 59 ", "gone"}, "commit 57 ")
		s.shows("/governance/population?env=live&from=2020-01-01&to=2020-01-02", []string{"Nothing was put here within the period", "nothing to count"})
		s.shows("/environments/live", []string{"/governance/population?env=live"})
	})
}

func TestASampleOnAPageIsTheOneThatTheCommandDraws(t *testing.T) {
	s := reachedSite(t, storagetest.SQLite(t))
	var names []string
	for n := 3; n <= 60; n++ {
		names = append(names, string(commitOf(n)))
	}
	seed := "2026 <b>&"
	root := s.parse("/governance/population?env=live&n=7&seed=" + url.QueryEscape(seed) + "&" + days)
	var got []string
	for c := range root.Descendants() {
		if c.Data == "tr" && inside(c, "tbody") && tableOf(c) == "t-sample" {
			got = append(got, attr(all(c, "a")[0], "href"))
		}
	}
	var want []string
	for _, d := range population.Draw(seed, 7, names) {
		want = append(want, "/commits/"+strings.TrimPrefix(d.Name, "commit:sha1/"))
	}
	if !slices.Equal(got, want) {
		t.Errorf("drawn are %v, want %v", got, want)
	}
}

func TestWhatCannotBeAskedOfAPopulationIsRefused(t *testing.T) {
	s := reachedSite(t, storagetest.SQLite(t))
	for at, want := range map[string]int{
		"?env=none": 404, "?env=live&service=none": 404, "?env=live&of=x": 400, "?env=live&seed=a&n=0": 400, "?env=live&seed=a&n=1001": 400, "?env=live&seed=a&n=x": 400, "?env=live&after=x": 400,
		"?env=live&seed=" + strings.Repeat("a", 201): 400, "?env=live&seed=" + url.QueryEscape(hostile): 400, "?service=pay": 400, "?of=direct": 400, "?from=2026-02-01&to=2026-01-01": 400, "?env=live&x=1": 400, "?env=live&from=x": 400,
	} {
		if w := s.get("/governance/population" + at); w.Code != want {
			t.Errorf("%s answers %d, want %d", at, w.Code, want)
		}
	}
	s.shows("/governance/population?env="+url.QueryEscape(oddPlace)+"&seed="+url.QueryEscape("</title><script>alert(1)</script>")+"&"+days, []string{"4 commits", "eu/&lt;script&gt;"}, "<script>alert")
}

func TestATeamIsTheSumOfItsRepositories(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		s := reachedSite(t, open())
		s.shows("/governance", []string{"By team", "Payments &amp; cards", "Nobody yet", "no team"}, "names no team")
		sum := func(at, table, first string) string {
			for c := range s.parse(at).Descendants() {
				if c.Data == "tr" && inside(c, "tbody") && tableOf(c) == table && words(all(c, "td")[0]) == first {
					var cells []string
					for _, td := range all(c, "td") {
						if has(td, "num") || has(td, "gap") {
							cells = append(cells, words(td))
						}
					}
					return strings.Join(cells, " ")
				}
			}
			return ""
		}
		// pay is the only repository of its team, and that of the long name is of none.
		_, long := webHome.Split()
		for team, repository := range map[string]string{"Payments & cards": "acme/pay", "no team": long} {
			if got, want := sum("/governance", "t-teams", team), sum("/governance", "t-repositories", repository); got != want || got == "" {
				t.Errorf("%s stands at %q, its repository at %q", team, got, want)
			}
		}
		for _, at := range []string{"/governance", "/governance/frameworks/soc2-change-management"} {
			for c := range s.parse(at).Descendants() {
				if c.Data != "td" || tableOf(c) != "t-teams" || !has(c, "num") || strings.Contains(words(c), "%") {
					continue
				}
				href := strings.SplitN(attr(all(c, "a")[0], "href"), "#", 2)[0]
				if got := s.countAll(href).all(); strconv.Itoa(got) != words(c) {
					t.Errorf("%s: %s leads to %s, which has %d", at, words(c), href, got)
				}
			}
		}
		s.shows("/governance/frameworks/soc2-change-management?team=-", []string{"no team", "all repositories"})
		s.shows("/governance/controls/REV-01?state=pass&team=-", []string{"Of repositories of no team alone"}, "acme/pay#10")
		s.shows("/governance/repositories?team=Payments+%26+cards", []string{"acme/pay"}, "website-of-a-very-long-name")
		for _, at := range []string{"/governance/findings?team=none", "/governance/frameworks/l3?team=none", "/governance/repositories?team=none", "/governance/controls/REV-01?team=none"} {
			if w := s.get(at); w.Code != http.StatusNotFound {
				t.Errorf("%s answers %d", at, w.Code)
			}
		}
	})
}

func TestWithoutTeamsThePageSaysHowToNameThem(t *testing.T) {
	s := governed(t, storagetest.SQLite(t))
	s.shows("/governance", []string{"The policy names no team"}, "By team")
	if w := s.get("/governance/findings?team=-"); w.Code != http.StatusNotFound {
		t.Errorf("the findings of no team are asked for, and it answers %d", w.Code)
	}
}

func TestAReportSaysHowCompleteItsPeriodIs(t *testing.T) {
	s := reachedSite(t, storagetest.SQLite(t))
	at := "/governance/frameworks/dora-rts-art-17/report?" + days
	root := s.parse(at)
	for c := range root.Descendants() {
		if c.Data == "tr" && inside(c, "tbody") && tableOf(c) == "t-environments" && words(all(c, "td")[0]) == "live" {
			if got := words(all(c, "td")[3]); got != "58" {
				t.Errorf("%s commits reached live", got)
			}
		}
	}
	for _, a := range all(root, "a") {
		if href := attr(a, "href"); strings.HasSuffix(href, "format=csv") && !strings.Contains(href, "from=") {
			t.Errorf("as data, %s is of another period", href)
		}
	}
}

// populationPages are one of each, and those on which teams stand.
var populationPages = []string{
	"/governance/population?" + days, "/governance/population?env=live&of=no-change&seed=20261123&n=7&" + days, "/governance/population?env=live&service=pay&" + days,
	"/governance/population?env=" + url.QueryEscape(oddPlace) + "&" + days, "/governance", "/governance/frameworks/soc2-change-management?team=-",
}

func TestPopulationsAreInTheViewAndReadable(t *testing.T) {
	b := browse(t, reachedSite(t, storagetest.SQLite(t)))
	for _, path := range populationPages {
		b.everywhere(path)
	}
	b.quiet()
}

func TestAPopulationFitsOnAPage(t *testing.T) {
	printed(t, reachedSite(t, storagetest.SQLite(t)), "/governance/population?env=live&seed=20261123&"+days)
}

func TestFromTheOverviewToAnOrphanByKeyboardAlone(t *testing.T) {
	b := browse(t, reachedSite(t, storagetest.SQLite(t)))
	b.look(1280, "light")
	b.open("/governance")
	press := func(link string) {
		b.await(`document.querySelector('main a[href^="` + link + `"]').focus() || document.activeElement.tagName === "A"`)
		b.do(chromedp.KeyEvent("\r"))
	}
	press("/governance/population")
	b.await(`location.pathname === "/governance/population" && document.readyState === "complete"`)
	b.do(chromedp.Navigate(b.base + "/governance/population?" + days)) // the usual period has none of it
	press("/governance/population?env=live&from=")
	b.await(`location.search.startsWith("?env=live") && document.readyState === "complete"`)
	b.await(`document.querySelector('#t-population a[href*="of=no-change"]').focus() || document.activeElement.tagName === "A"`)
	b.do(chromedp.KeyEvent("\r"))
	b.await(`location.search.includes("of=no-change") && location.hash === "#members" && document.readyState === "complete"`)
	if n := says[int](b, `document.querySelectorAll("#t-members tbody tr").length`); n != 8 {
		t.Errorf("%d of 8 orphans are listed", n)
	}
	b.await(`document.querySelector("#seed").focus() || document.activeElement.id === "seed"`)
	b.do(chromedp.KeyEvent("2026"), chromedp.KeyEvent("\r"))
	b.await(`location.hash === "#sample" && document.querySelectorAll("#t-sample tbody tr").length === 25`)
	b.quiet()
}

func TestEveryTableOfAPopulationHasItsCommand(t *testing.T) {
	dsn := storagetest.SQLiteDSN(t)
	db, err := storage.Open(t.Context(), dsn)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	s := reachedSite(t, db)
	public, err := storage.OpenReadOnly(t.Context(), dsn)
	must(t, err)
	t.Cleanup(func() { must(t, public.Close()) })
	for _, part := range append([]string{""}, population.Parts...) {
		at := "/governance/population?env=live&of=" + part + "&seed=20261123&n=7&" + days
		s.commands(public, at, s.parse(at))
	}
	for _, at := range append(populationPages, "/governance/findings?team=-", "/governance/repositories?team=-") {
		s.commands(public, at, s.parse(at))
	}
	live := "/governance/population?env=live&from=" + now.Add(-1410*time.Hour).Format(time.DateOnly) + "&to=" + now.Format(time.DateOnly)
	s.shows(live, []string{"Taken away"}, "commit 59 ")
	s.commands(public, live, s.parse(live))
}
