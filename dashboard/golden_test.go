package dashboard_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/net/html"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/dashboard"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/assess"
	"github.com/stemma-dev/stemma/policy/catalogue"
	"github.com/stemma-dev/stemma/storage/storagetest"
	"github.com/stemma-dev/stemma/story"
)

// afterStory is when the story of docs/story.md is over.
var afterStory = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

// TestEveryFigureOfTheOverviewIsItsList tells the story of docs/story.md, has it judged by all
// controls, and compares each figure of the overview with the list that it leads to.
func TestEveryFigureOfTheOverviewIsItsList(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "stemma")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "github.com/stemma-dev/stemma/cmd/stemma").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	engines := map[string]func(testing.TB) string{"sqlite": storagetest.SQLiteDSN, "postgres": storagetest.PostgresDSN}
	if testing.Short() {
		delete(engines, "postgres")
	}
	for name, dsn := range engines {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("HOME", filepath.Join(dir, "home"))
			setting := story.Setting{Stemma: binary, Dir: filepath.Join(dir, "work")}
			for name, value := range map[string]string{
				"STEMMA_DATA": filepath.Join(dir, "space"), "STEMMA_DB": dsn(t), "STEMMA_URL": "", "STEMMA_BODIES": "", "STEMMA_LOG_ORIGIN": "story.example/stemma",
			} {
				t.Setenv(name, value)
				setting.Env = append(setting.Env, name+"="+value)
			}
			_, err := story.Tell(t.Context(), setting)
			must(t, err)
			a := &program.App{Out: io.Discard, Err: io.Discard, Now: func() time.Time { return afterStory }, Log: slog.New(slog.DiscardHandler)}
			code := a.Run(t.Context(), []string{"trace-figures"}, strings.NewReader(""), &cobra.Command{Use: "trace-figures", RunE: func(c *cobra.Command, _ []string) error {
				s, err := a.OpenStore(c.Context())
				must(t, err)
				defer s.Close()
				g := golden(t, s.Space)
				g.trace()
				g.tracePopulation("?from=2026-01-01&to=2026-12-31")
				return nil
			}})
			if code != 0 {
				t.Errorf("it ends with %d", code)
			}
		})
	}
}

// golden judges the story, with one repository let pass for a while.
func golden(t *testing.T, space *ingest.Space) *site {
	t.Helper()
	s := &site{t: t, space: space}
	clock := func() time.Time { return afterStory }
	w := ingest.NewWriter(t.Context(), space, clock)
	must(t, w.Record(t.Context(), governance.Exception{
		ID: governance.ExceptionRef("CAP-03", "1"), Control: "CAP-03", Repository: stemma.Ref("repository:" + story.Repository), Reason: "the hooks come next week", Owner: w.Person("Eve", "eve@acme.example", ""),
		Approver: w.Person("Fay", "fay@acme.example", ""), Opened: stemma.At(afterStory.Add(-time.Hour)), Approved: stemma.At(afterStory.Add(-time.Hour)), Until: stemma.At(afterStory.AddDate(0, 0, 7)),
	}, "test", stemma.GradeA))
	must(t, w.Close(t.Context()))
	controls, err := catalogue.Controls()
	must(t, err)
	p, err := policy.ParsePolicy("policy.yaml", []byte("mode: enforce\nteams:\n  - name: payments\n    match: [acme/*]\n"))
	must(t, err)
	set := &policy.Set{Controls: controls, Policy: p}
	j, err := assess.Open(t.Context(), assess.Judge{Space: space, Set: set, Now: clock, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	r, err := j.All(t.Context(), assess.OnDemand)
	must(t, err)
	if r.Judged == 0 || r.Stated == 0 {
		t.Fatalf("%d changes of the story were judged, %d verdicts stated", r.Judged, r.Stated)
	}
	s.sum()
	s.pages, err = dashboard.New(dashboard.Config{Space: space, Now: clock, Set: set})
	must(t, err)
	t.Cleanup(func() { must(t, s.pages.Close()) })
	return s
}

// A counted list is how many of its rows are in which state; of lists of other things, of
// all.
type countedList map[string]int

func (c countedList) all() (n int) {
	for _, x := range c {
		n += x
	}
	return n
}

// trace compares the figures of the overview with their lists.
func (s *site) trace() {
	s.t.Helper()
	lists, kinds := map[string]countedList{}, map[string]int{}
	root := s.parse("/governance")
	for a := range root.Descendants() {
		if a.Type != html.ElementNode || a.Data != "a" || !strings.HasPrefix(attr(a, "href"), "/governance") || inside(a, "header") || inside(a, "nav") || inside(a, "footer") {
			continue
		}
		says := figureOf(a)
		if !strings.ContainsAny(says[:min(1, len(says))], "0123456789<W") {
			continue
		}
		href := strings.SplitN(attr(a, "href"), "#", 2)[0]
		if lists[href] == nil {
			lists[href] = s.countAll(href)
		}
		kind := s.compare(says, column(a), href, lists[href])
		kinds[kind]++
	}
	for kind, least := range map[string]int{"number": 60, "share": 30, "heat": 20, "week": 1} {
		if kinds[kind] < least {
			s.t.Errorf("%d figures are a %s, want at least %d: %v", kinds[kind], kind, least, kinds)
		}
	}
	for _, at := range []string{"/governance/blocked", "/governance/findings?state=waived", "/governance/findings?state=unknown"} {
		if lists[at].all() == 0 {
			s.t.Errorf("nothing of the story is on %s", at)
		}
	}
	s.t.Logf("%v figures were compared with %d lists", kinds, len(lists))
}

var (
	aNumber = regexp.MustCompile(`^[0-9,]+$`)
	aShare  = regexp.MustCompile(`^(<?[0-9.]+\x{a0}%)$`)
	aHeat   = regexp.MustCompile(`^(<?[0-9.]+\x{a0}%) of ([0-9,]+)(?:, ([0-9,]+) \?)?$`)
	aWeek   = regexp.MustCompile(`^Week from \S+: ([0-9,]+) pass, ([0-9,]+) fail, ([0-9,]+) unknown`)
)

// compare compares a figure with its list, and says what kind of figure it is.
func (s *site) compare(says, column, href string, l countedList) string {
	s.t.Helper()
	wrong := func(want any) { s.t.Errorf("%s leads to %s, where it is %v: %v", says, href, want, l) }
	num := func(text string) int {
		n, err := strconv.Atoi(strings.ReplaceAll(text, ",", ""))
		if err != nil && text != "" {
			s.t.Errorf("%s: %v", says, err)
		}
		return n
	}
	share := func(part, whole int) string {
		if mille := part * 1000 / max(1, whole); mille > 0 || part == 0 {
			return fmt.Sprintf("%d.%d\u00a0%%", mille/10, mille%10)
		}
		return "<0.1\u00a0%"
	}
	if aNumber.MatchString(says) {
		if num(says) != l.all() {
			wrong(l.all())
		}
		return "number"
	}
	if aShare.MatchString(says) {
		part := l["pass"]
		if column == "Coverage" {
			part += l["fail"]
		}
		if want := share(part, l.all()); want != says {
			wrong(want)
		}
		return "share"
	}
	if m := aHeat.FindStringSubmatch(says); m != nil {
		if m[1] != share(l["pass"], l.all()) || num(m[2]) != l.all() || num(m[3]) != l["unknown"] {
			wrong(share(l["pass"], l.all()))
		}
		return "heat"
	}
	if m := aWeek.FindStringSubmatch(says); m != nil {
		if num(m[1]) != l["pass"] || num(m[2]) != l["fail"] || num(m[3]) != l["unknown"] {
			wrong("otherwise")
		}
		return "week"
	}
	return "no figure"
}

// countAll reads a list to its end, page by page.
func (s *site) countAll(at string) countedList {
	s.t.Helper()
	out := countedList{}
	for range 1000 {
		root, next := s.parse(at), ""
		for n := range root.Descendants() {
			switch {
			case n.Data == "a" && inside(n, "nav") && words(n) == "next →":
				next = strings.SplitN(attr(n, "href"), "#", 2)[0]
			case n.Data == "tr" && inside(n, "tbody") && listed(n):
				out[stateOf(n)]++
			}
		}
		if next == "" {
			return out
		}
		at = next
	}
	s.t.Fatalf("%s has no end", at)
	return nil
}

func (s *site) parse(at string) *html.Node {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.pages.ServeHTTP(w, httptest.NewRequestWithContext(context.WithoutCancel(s.t.Context()), http.MethodGet, at, nil))
	if w.Code != http.StatusOK {
		s.t.Fatalf("%s answers %d: %.300s", at, w.Code, text(w))
	}
	root, err := html.Parse(w.Body)
	must(s.t, err)
	return root
}

// listed reports whether a row is one of a list of findings, or of changes, or of turns.
func listed(row *html.Node) bool {
	for n := row.Parent; n != nil; n = n.Parent {
		if n.Data == "table" {
			id := attr(n, "id")
			return id == "t-findings" || id == "t-blocked" || id == "t-turns"
		}
	}
	return false
}

func stateOf(row *html.Node) string {
	for n := range row.Descendants() {
		if class, ok := strings.CutPrefix(attr(n, "class"), "state state-"); ok {
			return class
		}
	}
	return "all"
}

func inside(n *html.Node, name string) bool {
	for n = n.Parent; n != nil; n = n.Parent {
		if n.Data == name {
			return true
		}
	}
	return false
}

// figureOf is what a link says: of a tile its value, of a bar its title.
func figureOf(a *html.Node) string {
	for n := range a.Descendants() {
		if attr(n, "class") == "tile-value" || n.Data == "title" {
			return words(n)
		}
	}
	return words(a)
}

// column is the head of the column in which a link stands.
func column(a *html.Node) string {
	cell := a
	for cell != nil && cell.Data != "td" {
		cell = cell.Parent
	}
	if cell == nil {
		return ""
	}
	at := 0
	for n := cell.PrevSibling; n != nil; n = n.PrevSibling {
		if n.Type == html.ElementNode {
			at++
		}
	}
	table := cell
	for table.Data != "table" {
		table = table.Parent
	}
	for n := range table.Descendants() {
		if n.Data == "th" {
			if at == 0 {
				return words(n)
			}
			at--
		}
	}
	return ""
}
