package dashboard_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/git/quote"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

const maxPages = 6000 // that a crawl may find before something is wrong

// TestEveryLinkOnEveryPageAnswers walks the whole site from the overview, on
// both engines, and looks at every page it meets.
func TestEveryLinkOnEveryPageAnswers(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		s := full(t, open())
		kinds := map[string]int{}
		s.crawl(func(at string, _ *httptest.ResponseRecorder) { kinds[strings.SplitN(at+"/", "/", 3)[1]]++ })
		for _, want := range []string{
			"changes", "commits", "sessions", "models", "people", "files", "tickets", "things", "facts", "sources", "log", "help", "gaps",
			"requirements", "reviews", "runs", "environments", "deployments", "running", "incidents", "governance",
		} {
			found := 0
			for at, n := range kinds {
				if at == want || strings.HasPrefix(at, want+"?") {
					found += n
				}
			}
			if found == 0 {
				t.Errorf("no page of /%s was met: %v", want, kinds)
			}
		}
	})
}

// crawl walks the whole site from the overview, looks at every page it meets and
// hands it on.
func (s *site) crawl(visit func(at string, w *httptest.ResponseRecorder)) {
	s.t.Helper()
	seen, twins := map[string]bool{"/": true}, map[string]int{} // pages of a shape whose tables were asked for as data
	for queue := []string{"/"}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		w := s.get(at)
		if w.Code == http.StatusSeeOther {
			queue = follow(queue, seen, at, w.Header().Get("Location"))
			continue
		}
		if w.Code != http.StatusOK {
			s.t.Errorf("%s answers %d: %.300s", at, w.Code, text(w))
			continue
		}
		visit(at, w)
		shape := strings.SplitN(at+"/", "/", 3)[1]
		for _, link := range inspect(s.t, at, w) {
			if strings.Contains(link, "format=") && twins[shape] >= alike {
				continue // each of them makes the whole page once more
			}
			queue = follow(queue, seen, at, link)
		}
		if !strings.Contains(at, "format=") {
			twins[shape]++
		}
		if len(seen) > maxPages {
			s.t.Fatalf("more than %d addresses", maxPages)
		}
	}
}

func text(w *httptest.ResponseRecorder) string { return w.Body.String() }

// follow adds an internal address that was not met yet. Nothing is followed from other
// orders of a list: they lead where its plain form does, and their number multiplies.
func follow(queue []string, seen map[string]bool, at, link string) []string {
	base, err := url.Parse("http://here" + at)
	if err != nil {
		return append(queue, at) // asked again, it fails again and is told
	}
	u, err := base.Parse(link)
	if err != nil {
		return append(queue, link)
	}
	u.Fragment = ""
	next := u.RequestURI()
	if u.Host != "here" || seen[next] || strings.Contains(at, "sort%3A") {
		return queue
	}
	seen[next] = true
	return append(queue, next)
}

// inspect checks what must hold of every answer and returns its links.
func inspect(t testing.TB, at string, w *httptest.ResponseRecorder) []string {
	t.Helper()
	h := w.Header()
	if csp := h.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; script-src 'self'; style-src 'self';") || strings.Contains(csp, "unsafe") {
		t.Errorf("%s: policy %q", at, csp)
	}
	if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" {
		t.Errorf("%s: a security header is missing: %v", at, h)
	}
	media := h.Get("Content-Type")
	switch {
	case strings.HasPrefix(media, "text/html"):
	case strings.HasPrefix(media, "application/json"):
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s is no JSON: %.200s", at, text(w))
		}
		return nil
	case strings.HasPrefix(media, "text/csv"):
		rows, err := csv.NewReader(w.Body).ReadAll()
		if err != nil || len(rows) == 0 {
			t.Errorf("%s is no CSV with a head: %v", at, err)
		}
		return nil
	default:
		if !strings.HasPrefix(at, "/static/") {
			t.Errorf("%s has the media type %q", at, media)
		}
		return nil
	}
	if i := strings.IndexFunc(text(w), harmful); i >= 0 {
		t.Errorf("%s has a raw control character: …%q", at, text(w)[max(0, i-40):min(w.Body.Len(), i+20)])
	}
	root, err := html.Parse(strings.NewReader(text(w)))
	must(t, err)
	v := &visitor{t: t, at: at, ids: map[string]bool{}, labels: map[string]bool{}}
	v.visit(root)
	v.finish()
	return v.links
}

func harmful(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// A visitor looks at the elements of one page.
type visitor struct {
	t           testing.TB
	at          string
	ids, labels map[string]bool
	inputs      []string
	links       []string
	h1, main    int
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func (v *visitor) fault(format string, args ...any) {
	v.t.Helper()
	v.t.Errorf("%s: %s", v.at, fmt.Sprintf(format, args...))
}

func (v *visitor) visit(n *html.Node) {
	if n.Type == html.ElementNode {
		v.attributes(n)
		v.element(n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		v.visit(c)
	}
}

func (v *visitor) attributes(n *html.Node) {
	for _, a := range n.Attr {
		switch {
		case a.Key == "style" || strings.HasPrefix(a.Key, "on"):
			v.fault("<%s> has the attribute %s, which the policy forbids", n.Data, a.Key)
		case a.Key == "id":
			if v.ids[a.Val] {
				v.fault("the id %q is there twice", a.Val)
			}
			v.ids[a.Val] = true
		case a.Key == "tabindex" && a.Val != "0" && a.Val != "-1":
			v.fault("<%s> has tabindex %s", n.Data, a.Val)
		case a.Key == "href" && n.Data == "a", a.Key == "href" && n.Data == "link", a.Key == "src":
			v.links = append(v.links, a.Val)
			if u, err := url.Parse(a.Val); err != nil || u.Scheme != "" && u.Scheme != "https" && u.Scheme != "http" {
				v.fault("a link to %q", a.Val)
			}
		}
	}
}

func (v *visitor) element(n *html.Node) {
	switch n.Data {
	case "html":
		if attr(n, "lang") != "en" {
			v.fault("no language")
		}
	case "h1":
		v.h1++
	case "main":
		v.main++
	case "script":
		if attr(n, "src") == "" || n.FirstChild != nil {
			v.fault("a script in the page")
		}
	case "style", "iframe", "object", "embed", "base", "img":
		v.fault("there is <%s>", n.Data)
	case "label":
		v.labels[attr(n, "for")] = true
	case "input":
		if attr(n, "type") != "hidden" { // nobody sees it
			v.inputs = append(v.inputs, attr(n, "id"))
		}
	case "th":
		if attr(n, "scope") == "" {
			v.fault("<th> without scope")
		}
	case "table":
		if child(n, "caption") == nil {
			v.fault("a table without caption")
		}
	case "svg":
		if attr(n, "aria-hidden") != "true" && child(n, "title") == nil {
			v.fault("a picture without title")
		}
	}
}

func child(n *html.Node, name string) *html.Node {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Data == name {
			return c
		}
	}
	return nil
}

func (v *visitor) finish() {
	if v.h1 != 1 || v.main != 1 {
		v.fault("%d h1 and %d main", v.h1, v.main)
	}
	for _, id := range v.inputs {
		if !v.labels[id] {
			v.fault("no label for the input %q", id)
		}
	}
	for _, l := range v.links {
		if name, ok := strings.CutPrefix(l, "#"); ok && !v.ids[name] {
			v.fault("a link to #%s, which is not there", name)
		}
	}
}

// TestHostileTextIsShownHarmlessly looks at the pages that show hostile names.
func TestHostileTextIsShownHarmlessly(t *testing.T) {
	s := full(t, storagetest.SQLite(t))
	file := "/files/github.com/acme/pay/-/" + strings.ReplaceAll(url.PathEscape(quote.Path(hostilePath)), "%2F", "/")
	for _, c := range []struct{ at, shows string }{
		{"/changes", "&lt;script&gt;alert(1)&lt;/script&gt;"},
		{"/commits", "\u27e8U+202E\u27e9"},
		{"/sessions/codex/019e-77", "\u241b[31mred"},
		{"/people", "\u2039script\u203a"},
		{"/gaps", "not a note: &lt;b&gt;"},
		{"/incidents", "Refunds are a cent short &lt;/title&gt;"},
		{"/incidents/pagerduty/P7", "Refunds are a cent short &lt;/title&gt;"},
		{"/deployments/prod/web-9", "w9 &lt;/title&gt;"},
		{"/environments/prod", "pay/&lt;i&gt;debug&lt;/i&gt;"},
		{"/runs/" + strings.TrimPrefix(string(s.attempt(1)), "run:"), "TestRefund &lt;b&gt;"},
		{"/tickets/jira/PAY-17", "javascript:alert(4)"},
		{"/requirements/spec/R-4", "&lt;script&gt;"},
		{"/governance/exceptions", "the site was down &lt;/title&gt;"},
		{"/governance/policies", "Gone &lt;/title&gt;"},
		{"/governance/advisories", "leaves secrets &lt;/title&gt;"},
		{"/governance/controls/REV-01", "approved it &lt;/title&gt;"},
		{"/changes/github.com/acme/pay%237", "approved it &lt;/title&gt;"},
		{file, "&lt;script&gt;alert(2)&lt;/script&gt;"},
		{"/search?q=" + url.QueryEscape(hostile), "Nothing has the name"},
		{"/changes?q=" + url.QueryEscape(hostile), ""},
		{"/nowhere/" + url.PathEscape(hostile), "There is no such page"},
	} {
		w := s.get(c.at)
		inspect(t, c.at, w)
		if w.Code >= 500 || !strings.Contains(text(w), c.shows) {
			t.Errorf("%s: %d without %q", c.at, w.Code, c.shows)
		}
		if strings.Contains(text(w), "<script>") {
			t.Errorf("%s lets a script through", c.at)
		}
	}
}

func TestSessionTellsItsCostAndWhatItWorkedUnder(t *testing.T) {
	s := empty(t, storagetest.SQLite(t))
	s.record(session.Session{
		Tool: "codex", ExternalID: "priced", Started: stemma.At(now), InputTokens: 10, Cost: 24_101_561, PriceTable: "2026-02-10",
		Models:  []session.ModelUse{{Name: "gpt-5", InputTokens: 10, Cost: 4200}},
		Configs: []session.Config{{Kind: session.ConfigServer, Name: "tracker"}},
	})
	s.record(session.Session{Tool: "codex", ExternalID: "unpriced", Started: stemma.At(now), InputTokens: 10})
	s.record(session.Session{Tool: "codex", ExternalID: "uncounted", Started: stemma.At(now)})
	for path, want := range map[string][]string{
		"/sessions/codex/priced":   {"$24.10", "24,101,561 micro-dollars", "$0.0042", "2026-02-10", "tracker", "mcp-server"},
		"/sessions/codex/unpriced": {"not known: not all of its tokens have a price"},
	} {
		shown := text(s.get(path))
		for _, w := range want {
			if !strings.Contains(shown, w) {
				t.Errorf("%s does not show %q", path, w)
			}
		}
	}
	if shown := text(s.get("/sessions/codex/uncounted")); strings.Contains(shown, "Cost") && strings.Contains(shown, "not known: not all") {
		t.Error("a session whose tokens nobody counted is said to have no price")
	}
	if shown := text(s.get("/sessions?q=uncounted")); strings.Contains(shown, `>0</a></td></tr>`) {
		t.Error("tokens that nobody counted are shown as none")
	}
}

// TestLineageNamesEveryStage looks at the picture and the table of a change
// whose whole way is known, and of one of which little is.
func TestLineageNamesEveryStage(t *testing.T) {
	s := full(t, storagetest.SQLite(t))
	whole := text(s.get("/changes/github.com/acme/pay%237"))
	before, risk, _ := strings.Cut(whole, `id="risk"`) // of which something is not known
	_, after, _ := strings.Cut(risk, "</table>")
	if stages := before + after; strings.Contains(stages, "lane-gap") || strings.Contains(stages, `class="gap"`) {
		t.Error("a stage of a change that has them all is shown as a gap")
	}
	for _, want := range []string{"R-4", "PAY-17", "codex 019e-77", "approved", "ci", "ghcr.io/acme/pay", "production", "Charges fail", "10 of 10 stages"} {
		if !strings.Contains(whole, want) {
			t.Errorf("the change does not show %q", want)
		}
	}
	part := text(s.get("/commits/" + strings.TrimPrefix(s.first(), "commit:sha1/")))
	if n := strings.Count(part, "lane-gap"); n == 0 || n%2 != 0 {
		t.Errorf("%d gaps in the two pictures of a commit without deployment", n)
	}
}

// first is the commit of the first line of the first file.
func (s *site) first() string {
	return s.query(`SELECT n.ref FROM k_commit k JOIN node n ON n.id = k.id ORDER BY k.committed LIMIT 1`)
}

// query is the one value that a statement finds.
func (s *site) query(statement string) (value string) {
	s.t.Helper()
	must(s.t, s.space.DB.Read(s.t.Context(), func(tx *storage.Tx) error {
		return tx.QueryRow(s.t.Context(), statement).Scan(&value)
	}))
	return value
}

// TestDiffMarksEveryAddedLine counts the marks of a change of known lines.
func TestDiffMarksEveryAddedLine(t *testing.T) {
	s := full(t, storagetest.SQLite(t))
	page := text(s.get("/commits/" + strings.TrimPrefix(s.first(), "commit:sha1/")))
	for mark, want := range map[string]int{"added from-ai": 10, "added from-human": 5, "added from-unknown": 16} {
		if got := strings.Count(page, mark); got != want {
			t.Errorf("%d lines are %q, want %d", got, mark, want)
		}
	}
	blame := text(s.get("/files/github.com/acme/pay/-/src/pay/charge.go"))
	for mark, want := range map[string]int{">A<": 11, ">H<": 5, ">?<": 15} {
		if got := strings.Count(blame, `aria-hidden="true"`+mark); got != want {
			t.Errorf("%d lines of the file have the mark %s, want %d", got, mark, want)
		}
	}
}

// TestGutterJoinsRecordsByTheRuleOfTheScan states a second record of a commit,
// which agrees, disagrees and adds, and looks at the marks of its lines.
func TestGutterJoinsRecordsByTheRuleOfTheScan(t *testing.T) {
	s := full(t, storagetest.SQLite(t))
	span := func(from, to int, origin, session string) attribution.Span {
		return attribution.Span{Path: "src/pay/charge.go", Start: from, End: to, Origin: origin, Agent: "codex", Session: stemma.Ref(session), Reason: map[string]string{"unknown": "no"}[origin]}
	}
	s.record(attribution.Attribution{Commit: stemma.Ref(s.first()), Format: "whogitit", Spans: []attribution.Span{
		span(1, 2, "ai", "session:codex/another"), span(3, 3, "human", ""), span(4, 4, "unknown", ""), span(16, 17, "ai", "session:codex/another"),
	}})
	page := text(s.get("/commits/" + strings.TrimPrefix(s.first(), "commit:sha1/")))
	for line, want := range map[int]string{
		1: "AI, codex: claimed by several sessions", 3: "unknown: records disagree on the origin", 4: "AI, codex, gpt-5.6-sol, session codex 019e-77",
		11: "human", 17: "AI, codex, session codex another", 18: "unknown: the record of this commit does not speak of this line",
	} {
		if !strings.Contains(page, fmt.Sprintf(`<td class="no">%d</td><td class="mark"><span title="%s">`, line, want)) {
			t.Errorf("line %d is not marked %q", line, want)
		}
	}
	bare := s.query(`SELECT n.ref FROM k_commit k JOIN node n ON n.id = k.id WHERE k.title LIKE 'docs: a path of another%'`)
	s.record(attribution.Attribution{Commit: stemma.Ref(bare), Format: note.FormatDeclared})
	if page := text(s.get("/commits/" + strings.TrimPrefix(bare, "commit:sha1/"))); !strings.Contains(page, "unknown: "+note.Assisted) {
		t.Error("a commit that only names an agent does not say so beside its lines")
	}
}

// TestFactVerifiesAndTamperingShows checks a fact page before and after a byte
// of the fact is changed behind the ledger's back.
func TestFactVerifiesAndTamperingShows(t *testing.T) {
	s := full(t, storagetest.SQLite(t))
	if page := text(s.get("/facts/3?verify=1")); !strings.Contains(page, ">Verified<") || strings.Contains(page, "fails") {
		t.Errorf("a good fact does not verify: %.2000s", page)
	}
	must(t, s.space.DB.Write(t.Context(), func(tx *storage.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE fact SET salt = $1 WHERE pos = 3`, make([]byte, 32))
		return err
	}))
	w := s.get("/facts/3?verify=1")
	if w.Code == http.StatusOK && !strings.Contains(text(w), "does not verify") {
		t.Error("a fact with another salt verifies")
	}
}

// TestEmptyStoreSaysWhatToDo looks at every list of a store without anything.
func TestEmptyStoreSaysWhatToDo(t *testing.T) {
	s := empty(t, storagetest.SQLite(t))
	for _, at := range []string{
		"/", "/changes", "/commits", "/sessions", "/models", "/people", "/files", "/lines", "/tickets", "/releases", "/requirements", "/reviews", "/runs",
		"/environments", "/deployments", "/running", "/incidents", "/sources", "/gaps", "/log", "/help", "/search",
		"/governance", "/governance/exceptions", "/governance/policies", "/governance/rounds", "/governance/advisories",
	} {
		w := s.get(at)
		inspect(t, at, w)
		if w.Code != http.StatusOK {
			t.Errorf("%s answers %d", at, w.Code)
		}
	}
	for at, want := range map[string]string{
		"/requirements": "connect a tracker", "/reviews": "by webhook", "/runs": "stemma record run", "/environments": "stemma record deployment", "/deployments": "stemma record deployment",
		"/running": "stemma record snapshot", "/incidents": "stemma record incident",
	} {
		if shown := text(s.get(at)); !strings.Contains(shown, want) {
			t.Errorf("the empty %s does not say what to do", at)
		}
	}
	if !strings.Contains(text(s.get("/")), "stemma scan") {
		t.Error("the empty overview does not say how to fill the store")
	}
}

// TestWrongQuestionsAreExplained checks status and hint, as page and as JSON.
func TestWrongQuestionsAreExplained(t *testing.T) {
	s := full(t, storagetest.SQLite(t))
	w := s.get("/changes?q=moddel:x")
	if w.Code != http.StatusBadRequest || !strings.Contains(text(w), "did you mean model?") || !strings.Contains(text(w), "^^^^^^") {
		t.Errorf("%d without hint and caret", w.Code)
	}
	w = s.get("/changes?q=moddel:x&format=json")
	if w.Code != http.StatusBadRequest || !json.Valid(w.Body.Bytes()) {
		t.Errorf("as JSON: %d %s", w.Code, text(w))
	}
	for at, want := range map[string]int{
		"/changes/no/such": 404, "/commits/zz": 404, "/facts/x": 404, "/facts/999999": 404, "/files/no/such": 404, "/files/github.com/acme/pay/-/no": 404,
		"/things/x": 404, "/static/no.css": 404, "/static/VENDORED.md": 404, "/log?format=xml": 400, "/changes?table=no&format=csv": 404,
	} {
		if w := s.get(at); w.Code != want {
			t.Errorf("%s answers %d, want %d", at, w.Code, want)
		}
	}
	for at, want := range map[string]string{
		"/changes?page=-1":                "There is no parameter page here: there are format, table, q, from.",
		"/changes?sort=foo":               "no parameter sort here",
		"/changes?format=csv&columns=foo": "no parameter columns here",
		"/gaps?cursor=zzz":                "no parameter cursor here: there are format, table, source, reason, from.",
		"/?utm_source=x":                  "no parameter utm_source here: there are format, table.",
		"/sources?%1b=x":                  "no parameter \u241b here",
		"/changes?from=-1":                "from is a number of rows or lines",
		"/things?kind=bot&from=x":         "from is a number of rows or lines",
		"/changes?from=50&format=csv":     "As data everything is whole",
		"/changes?q=is:ai&q=is:human":     "q is given twice",
		"/changes?q=%zz":                  "not written as addresses are",
		"/facts/3?verify=yes":             "verify can be 1",
		"/things?kind=bot&named=all":      "named can be only",
		"/log?format=xml":                 "format can be csv or json",
		"/?table=latest":                  "table goes with format",
	} {
		w := s.get(at)
		if w.Code != http.StatusBadRequest || !strings.Contains(text(w), want) {
			t.Errorf("%s answers %d without %q", at, w.Code, want)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		w := httptest.NewRecorder()
		s.pages.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, "/", nil))
		if w.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s / answers %d", method, w.Code)
		}
	}
}

// TestSearchGoesToTheOneThingMeant follows the redirects of exact names.
func TestSearchGoesToTheOneThingMeant(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		s := full(t, open())
		s.record(session.Session{Tool: "claude-code", ExternalID: "kept", OriginRecord: "entire 94de498254e2"})
		ann := page.Href(s.space.Person("ann@x.test"))
		for q, want := range map[string]string{
			"#7": "/changes/github.com/acme/pay%237", "PAY-17": "/tickets/jira/PAY-17", "019e-77": "/sessions/codex/019e-77",
			"src/pay/charge.go": "/files/github.com/acme/pay/-/src/pay/charge.go", "charge.go": "/files/github.com/acme/pay/-/src/pay/charge.go",
			"94de498254e2": "/sessions/claude-code/kept", "ann@x.test": ann, "ANN@x.test": ann, "Ann Lee": ann, "lee": ann,
		} {
			w := s.get("/search?q=" + url.QueryEscape(q))
			if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != want {
				t.Errorf("searching %s: %d to %q, want %q", q, w.Code, got, want)
			}
		}
		for _, q := range []string{"arge.go", "an", "L%", "94de498254e"} {
			if w := s.get("/search?q=" + url.QueryEscape(q)); !strings.Contains(text(w), "Nothing has the name") {
				t.Errorf("searching %s: %d to %s", q, w.Code, w.Header().Get("Location"))
			}
		}
		if w := s.get("/search?q=PAY-17&format=csv"); strings.Count(text(w), "\n") != 2 {
			t.Errorf("a search as data has no row: %s", text(w))
		}
	})
}

// TestPathThatIsGoneLeadsToItsCommits asks for a path that no tip has.
func TestPathThatIsGoneLeadsToItsCommits(t *testing.T) {
	s := full(t, storagetest.SQLite(t))
	w := s.get("/files/github.com/acme/pay/-/aside/only.md")
	if w.Code != http.StatusOK || !strings.Contains(text(w), "a path of another branch") {
		t.Errorf("%d without the commit that touched it", w.Code)
	}
}

// TestPagesOfAListMeet reads a long list page by page.
func TestPagesOfAListMeet(t *testing.T) {
	s := full(t, storagetest.SQLite(t))
	page := text(s.get("/files/github.com/acme/pay/-/src/long.txt"))
	if !strings.Contains(page, "long line 1000") || strings.Contains(page, "long line 1001<") || !strings.Contains(page, "?from=1001") {
		t.Error("the first page of a long file does not end at 1000")
	}
	if page := text(s.get("/files/github.com/acme/pay/-/src/long.txt?from=2001")); !strings.Contains(page, "long line 2300") || strings.Contains(page, "long line 2000<") {
		t.Error("the last page of a long file is not the last")
	}
}
