package dashboard_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/policy/tally"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// What governs the changes of the test site.
var (
	payHome     = stemma.Ref("repository:github.com/acme/pay")
	webHome     = stemma.Ref("repository:github.com/acme/" + strings.Repeat("website-of-a-very-long-name-", 4))
	oldPolicy   = governance.PolicyRef("sha256:" + strings.Repeat("0a", 32))
	newPolicy   = governance.PolicyRef("sha256:" + strings.Repeat("0b", 32))
	waiver      = governance.ExceptionRef("REV-02", "7")
	longWord    = strings.Repeat("Donaudampfschifffahrtsgesellschaft", 9)
	hebrew      = "\u05d4\u05e9\u05d9\u05e0\u05d5\u05d9 \u05dc\u05d0 \u05d0\u05d5\u05e9\u05e8"
	governStart = now.AddDate(0, 0, -30)
)

// govern tells how changes were judged: one with all that can be said of it, and some beside.
func (s *site) govern() {
	s.t.Helper()
	w := ingest.NewWriter(s.t.Context(), s.space, func() time.Time { return now })
	ann, bob := w.Person("Ann Lee", "ann@x.test", "ann"), w.Person("Bob Ray", "bob@x.test", "bob")
	records := []ingest.Record{
		governance.Policy{ID: oldPolicy, Since: stemma.At(governStart), Count: 2, Packs: "default", Decided: "sha256:01", Controls: []governance.PolicyControl{
			{Control: "REV-01", Version: 1, Severity: "high", Title: "Human approval"}, {Control: "OLD-01", Version: 3, Severity: "low", Title: "Gone " + hostile},
		}},
		governance.Policy{ID: newPolicy, Since: stemma.At(now.AddDate(0, 0, -2)), Count: 2, Packs: "default l3", Decided: "sha256:02", Controls: []governance.PolicyControl{
			{Control: "REV-01", Version: 2, Severity: "critical", Title: "Human approval"}, {Control: "ACME-01", Version: 1, Severity: "low", Title: "Ours " + hostile},
		}},
		governance.Exception{ID: waiver, Control: "REV-02", Change: changeSeven, Reason: "the site was down " + hostile, Owner: ann, Approver: bob, Opened: hour(20), Approved: hour(19), Until: hour(-200)},
		governance.Exception{ID: governance.ExceptionRef("*", "8"), Control: "*", Repository: webHome, Reason: longWord, Emergency: true, Owner: ann, Opened: hour(70), Until: hour(-3)},
		governance.Exception{ID: governance.ExceptionRef("CI-02", "9"), Control: "CI-02", Repository: payHome, Reason: "no scanner", Owner: bob, Approver: ann, Opened: hour(900), Until: hour(100), FollowedUp: hour(890), FollowUp: "bought one"},
		governance.Advisory{ID: governance.AdvisoryRef("acme", "A-1"), Model: "gpt-5*", Title: "leaves secrets " + hostile, Severity: "high", URL: "javascript:alert(5)", Published: hour(48)},
		governance.Round{ID: governance.RoundRef("policy", "1 <b>"), Trigger: "policy", Started: hour(47), Policy: newPolicy, Judged: 9, Turned: 2, Turns: []governance.Turn{
			{Change: changeSeven, Control: "REV-01", Was: "unknown", State: "fail"}, {Change: changeSeven, Control: "ACME-01", State: "pass"},
		}},
		s.firstVerdict(), s.verdict(),
	}
	for n := range 12 {
		records = append(records, other(n))
	}
	for _, x := range records {
		must(s.t, w.Record(s.t.Context(), x, "test", stemma.GradeA))
	}
	must(s.t, w.Close(s.t.Context()))
	if n := s.query(`SELECT CAST(COUNT(*) AS TEXT) FROM graph_skip`); n != "0" {
		s.t.Fatalf("%s facts had no place: %s", n, s.query(`SELECT reason FROM graph_skip`))
	}
	s.sum()
}

// sum brings the sums up to the verdicts.
func (s *site) sum() {
	s.t.Helper()
	sums, err := tally.Open(s.t.Context(), s.space.DB, s.space.Ledger)
	must(s.t, err)
	_, err = sums.Apply(s.t.Context())
	must(s.t, err)
}

func (s *site) firstVerdict() governance.Assessment {
	return governance.Assessment{
		ID: governance.AssessmentRef(changeSeven), Change: changeSeven, Repository: payHome, Policy: oldPolicy, Evaluated: hour(60), Merged: hour(61), Trigger: "merge", Unknown: 1, Score: 10,
		Findings: []governance.Finding{{Control: "REV-01", Version: 1, Severity: "high", Mode: "observe", State: "unknown", Reason: "nobody tells of reviews"}},
	}
}

var half = 50

func (s *site) verdict() governance.Assessment {
	return governance.Assessment{
		ID: governance.AssessmentRef(changeSeven), Change: changeSeven, Repository: payHome, Policy: newPolicy, Evaluated: hour(47), Merged: hour(61), Trigger: "policy", Passed: 2, Failed: 2,
		Unknown: 1, Waived: 1, Score: 73, Turned: 2, Blocks: true, Due: int(now.Add(time.Hour).Unix()), WaivedBy: []stemma.Ref{waiver},
		Findings: []governance.Finding{
			{Control: "REV-01", Version: 2, Severity: "critical", Mode: "enforce", State: "fail", Before: "unknown", Reason: "only who made it approved it " + hostile, Rests: "review:github.com/1 " + string(changeSeven), Grade: "B", Blocks: true},
			{Control: "REV-02", Version: 1, Severity: "critical", Mode: "enforce", State: "waived", Reason: "the driver approved", Exception: waiver, Grade: "A"},
			{Control: "CI-02", Version: 1, Severity: "high", Mode: "warn", State: "unknown", Reason: longWord},
			{Control: "ACME-01", Version: 1, Severity: "low", Mode: "observe", State: "pass", Grade: "D"},
			{Control: "TRC-01", Version: 1, Severity: "high", Mode: "observe", State: "fail", Reason: hebrew, Grade: "C"},
			{Control: "POP-01", Version: 1, Severity: "critical", Mode: "observe", State: "pass", Grade: "A"},
			{Control: "CAP-04", Version: 1, Severity: "high", Mode: "observe", State: "not-applicable"},
		},
		Factors: []governance.Factor{{Name: "size <i>", Weight: 20, Signal: &half, Text: "400 lines " + hostile}, {Name: "tests", Weight: 10, Text: "nobody knows"}},
	}
}

// other is a verdict on one of some more changes, two of which are open.
func other(n int) governance.Assessment {
	c := change.Change{Repository: payHome, Number: 100 + n}
	if n%3 == 0 {
		c.Repository = webHome
	}
	a := governance.Assessment{
		ID: governance.AssessmentRef(c.Ref()), Change: c.Ref(), Repository: c.Repository, Policy: newPolicy, Evaluated: hour(40 - n), Trigger: "evidence", Turned: 1,
		Findings: []governance.Finding{
			{Control: "REV-01", Version: 2, Severity: "critical", Mode: "observe", State: []string{"pass", "pass", "fail"}[n%3], Before: "unknown"},
			{Control: "CI-02", Version: 1, Severity: "high", Mode: "observe", State: []string{"pass", "unknown"}[n%2]},
		},
	}
	if n > 1 {
		a.Merged = hour(41 + 24*n)
	}
	for _, f := range a.Findings {
		switch f.State {
		case "pass":
			a.Passed++
		case "fail":
			a.Failed++
		case "unknown":
			a.Unknown++
		}
	}
	return a
}

// governed is a site with verdicts and nothing else.
func governed(t testing.TB, db *storage.DB) *site {
	s := empty(t, db)
	s.record(change.Change{Repository: payHome, Number: 7, Title: "fix: " + hostile, State: "merged", Merged: hour(61)})
	s.govern()
	return s
}

// shows fails for what a page does not say, or says although it should not.
func (s *site) shows(path string, want []string, never ...string) {
	s.t.Helper()
	w := s.get(path)
	inspect(s.t, path, w)
	if w.Code != http.StatusOK {
		s.t.Errorf("%s answers %d: %.300s", path, w.Code, text(w))
	}
	for _, x := range want {
		if !strings.Contains(text(w), x) {
			s.t.Errorf("%s does not show %q", path, x)
		}
	}
	for _, x := range never {
		if strings.Contains(text(w), x) {
			s.t.Errorf("%s shows %q", path, x)
		}
	}
}

func TestAShareStandsBesideWhatItIsOf(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		s := governed(t, open())
		// REV-01: of 13, 8 pass and 5 fail; CI-02: of 13, 6 pass; TRC-01 fails, POP-01 and ACME-01 pass.
		s.shows("/governance", []string{"55.1\u00a0%", "n 29, coverage 75.8\u00a0%, 1 waived; unknown counts as not passing", "72.7\u00a0%", "n 22 known, 7 unknown left out"}, "compliant")
		s.shows("/governance/controls/REV-01", []string{"61.5\u00a0%", "n 13, coverage 100.0\u00a0%, 0 waived", "Somebody else has to have seen what was merged", "reviews.exists", "Changes are approved", "Let somebody who did not write it"})
		s.shows("/governance/controls/REV-02", []string{"nothing to count", "nothing was judged, 1 waived"})
		s.shows("/governance/frameworks/soc2-change-management", []string{"evidence for", "Changes are approved", "standard", "CC8.1"}, "compliant")
	})
}

func TestNothingIsCountedBeforeAChangeWasJudged(t *testing.T) {
	s := empty(t, storagetest.SQLite(t))
	for at, want := range map[string]string{
		"/governance": "stemma serve --policy", "/governance/exceptions": "stemma exception", "/governance/policies": "stemma serve", "/governance/rounds": "No change was judged again",
		"/governance/advisories": "stemma advisory add", "/governance/findings": "Nothing was found", "/governance/blocked": "No change is held up", "/governance/turned": "Everything stands as before",
		"/governance/controls/REV-01": "nothing to count", "/governance/frameworks/l3": "nothing to count", "/governance/frameworks/l3/report": "It is not known by what changes were judged",
		"/governance/repositories": "No repository was judged", "/governance/population": "stemma record deploy",
	} {
		s.shows(at, []string{want})
	}
}

func TestAChangeSaysHowItStandsAndSinceWhen(t *testing.T) {
	s := governed(t, storagetest.SQLite(t))
	s.shows("/changes/github.com/acme/pay%237", []string{
		"2 pass, 2 fail, 1 unknown, 1 waived", "only who made it approved it", "Let somebody who did not write it", "holds it up", "was unknown", "grade",
		`href="/things/review:github.com/1"`, "1 do not apply", "Risk score: 73 of 100, by what", "10.0\u00a0%", "not known", "REV-01: unknown → fail", "It is judged again by",
	}, "<script>alert")
	s.record(change.Change{Repository: payHome, Number: 8, Title: "new"})
	s.shows("/changes/github.com/acme/pay%238", []string{"This change was not judged yet"})
}

func TestWhatIsOtherThanAtTheLastVisitIsListed(t *testing.T) {
	s := governed(t, storagetest.SQLite(t))
	visit := func(cookie string) (*httptest.ResponseRecorder, *http.Cookie) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/governance", nil)
		if cookie != "" {
			r.AddCookie(&http.Cookie{Name: "stemma_visit", Value: cookie})
		}
		w := httptest.NewRecorder()
		s.pages.ServeHTTP(w, r)
		return w, w.Result().Cookies()[0]
	}
	at := func(hours int) int64 { return now.Add(-time.Duration(hours) * time.Hour).Unix() }
	w, c := visit("")
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/governance" || c.Value != fmt.Sprintf("0-%d", now.Unix()) {
		t.Errorf("the cookie is %v", c)
	}
	if !strings.Contains(text(w), "remembers no earlier visit") {
		t.Error("a first visit is taken for another")
	}
	// Verdicts came 30 and 29 hours before now, and earlier.
	w, c = visit(fmt.Sprintf("0-%d", at(30)))
	if n := strings.Count(section(text(w), "news"), "<tr>") - 1; n != 2 {
		t.Errorf("since the last visit %d turned, want 2", n)
	}
	if c.Value != fmt.Sprintf("%d-%d", at(30), now.Unix()) {
		t.Errorf("the cookie becomes %s", c.Value)
	}
	if w, _ = visit(c.Value); strings.Count(section(text(w), "news"), "<tr>")-1 != 2 { // seen twice in one visit
		t.Error("looking again makes it forget the last visit")
	}
	for _, odd := range []string{"x", "-", "9999999999999-1", "1-2-3", strings.Repeat("9", 400), "<script>"} {
		if w, _ := visit(odd); w.Code != http.StatusOK || strings.Contains(text(w), "<script>") {
			t.Errorf("with the cookie %.20q it answers %d", odd, w.Code)
		}
	}
	s.shows(fmt.Sprintf("/governance/turned?since=%d", at(30)), []string{"What turned", "state-unknown"})
}

// section is the markup of one of a page.
func section(page, id string) string {
	_, after, _ := strings.Cut(page, `<section id="`+id+`"`)
	inside, _, _ := strings.Cut(after, "</section>")
	return inside
}

func TestWhatIsOverdueStandsFirst(t *testing.T) {
	s := governed(t, storagetest.SQLite(t))
	shown := text(s.get("/governance/exceptions"))
	open := section(shown, "exceptions")
	late, fine := strings.Index(open, "overdue by 22 h"), strings.Index(open, "within 1 d")
	if fine < 0 {
		fine = strings.Index(open, "within 28 h")
	}
	if late < 0 || fine < 0 || late > fine {
		t.Errorf("the clocks stand at %d and %d: %s", late, fine, open)
	}
	for _, want := range []string{"overdue: not followed up", "waives nothing until it is granted", "3 h 0 min"} {
		if !strings.Contains(open, want) {
			t.Errorf("open exceptions do not say %q", want)
		}
	}
	if ended := section(shown, "ended"); !strings.Contains(ended, "expired") || !strings.Contains(ended, "bought one") {
		t.Errorf("what ended is not said: %s", ended)
	}
}

func TestVersionsOfThePolicyAreCompared(t *testing.T) {
	s := governed(t, storagetest.SQLite(t))
	d := section(text(s.get("/governance/policies")), "version-1")
	for _, want := range []string{"added", "ACME-01", "removed", "OLD-01", "severity", "critical", "version", "default l3", "modes, scopes or settings"} {
		if !strings.Contains(d, want) {
			t.Errorf("the difference does not say %q: %s", want, d)
		}
	}
	if strings.Contains(d, "<script>") {
		t.Error("a title runs")
	}
}

func TestRoundsSayWhatTheyTurned(t *testing.T) {
	s := governed(t, storagetest.SQLite(t))
	s.shows("/governance/rounds", []string{"policy", "/governance/rounds/round:policy/1%2520%3Cb%3E"})
	s.shows("/governance/rounds/round:policy/1%2520%3Cb%3E", []string{"not judged", "state-fail", "1 of 2 changes"})
	s.shows("/governance/advisories", []string{"gpt-5*", "leaves secrets"}, "javascript:alert(5)")
}

func TestAReportIsOfItsPeriodAlone(t *testing.T) {
	s := governed(t, storagetest.SQLite(t))
	day := func(hours int) string { return hour(hours).Time().UTC().Format(time.DateOnly) }
	at := "/governance/frameworks/soc2-change-management/report?from=" + day(61) + "&to=" + day(61)
	// Only change 7 came in then: TRC-01 and REV-01 fail, CI-02 is unknown, POP-01 passes.
	s.shows(at, []string{"25.0\u00a0%", "n 4, coverage 75.0\u00a0%, 1 waived", "in force in the period", "stood in the period", "What is not covered", "No deployment is known"}, "compliant")
	s.shows("/governance/frameworks/soc2-change-management/report", []string{"Period"})
	for _, bad := range []string{"?from=x", "?to=1969-01-01", "?from=2026-02-01&to=2026-01-01", "?from=2026-02-30", "?since=1"} {
		if w := s.get("/governance/frameworks/l3/report" + bad); w.Code != http.StatusBadRequest {
			t.Errorf("%s answers %d", bad, w.Code)
		}
	}
}

func TestWhatCannotBeAskedOfGovernanceIsRefused(t *testing.T) {
	s := governed(t, storagetest.SQLite(t))
	for at, want := range map[string]int{
		"/governance/controls/NO-99": 404, "/governance/frameworks/none": 404, "/governance/rounds/round:x/none": 404, "/governance/rounds/x": 404, "/governance/rounds/" + url.PathEscape(string(changeSeven)): 404,
		"/governance/findings?state=fine": 400, "/governance/findings?after=1": 400, "/governance/findings?after=a-b-c": 400, "/governance/findings?repository=x": 400, "/governance/findings?requirement=r": 400,
		"/governance/findings?framework=l3&requirement=r": 404, "/governance/findings?framework=none": 404, "/governance/turned?since=-1": 400, "/governance/turned?since=99999999999999999": 400,
		"/governance?x=1": 400, "/badges/governance/x": 404, "/badges/governance/github.com/acme/none.svg": 404, "/badges/change/github.com/acme/pay%23999.svg": 404, "/badges/governance.svg?x=1": 400,
	} {
		if w := s.get(at); w.Code != want {
			t.Errorf("%s answers %d, want %d", at, w.Code, want)
		}
	}
}

func TestBadgesAreNeverGreenWhileSomethingIsUnknown(t *testing.T) {
	s := governed(t, storagetest.SQLite(t))
	const green = "#2a7a4b"
	tell := func(number int, findings ...governance.Finding) {
		a := governance.Assessment{Repository: "repository:github.com/acme/new", Evaluated: hour(1), Merged: hour(1), Trigger: "merge"}
		a.Change = change.Change{Repository: a.Repository, Number: number}.Ref()
		a.ID, a.Findings = governance.AssessmentRef(a.Change), findings
		for _, f := range findings {
			switch f.State {
			case "pass":
				a.Passed++
			case "unknown":
				a.Unknown++
			}
		}
		s.record(a)
		s.sum()
	}
	tell(1, governance.Finding{Control: "REV-01", State: "pass"})
	picture := func(at, says string) string {
		w := s.get(at)
		if h := w.Header(); w.Code != http.StatusOK || h.Get("Content-Type") != "image/svg+xml" || !strings.Contains(h.Get("Cache-Control"), "max-age=60") || h.Get("ETag") == "" {
			t.Errorf("%s answers %d, %v", at, w.Code, h)
		}
		if !strings.Contains(text(w), says) || strings.Contains(text(w), "<script") {
			t.Errorf("%s does not say %q: %s", at, says, text(w))
		}
		return text(w)
	}
	if p := picture("/badges/governance/github.com/acme/new.svg", "100.0\u00a0% of 1 pass"); !strings.Contains(p, green) {
		t.Error("what all passes is not green")
	}
	picture("/badges/change/github.com/acme/new%231.svg", "1 of 1 pass")
	for n := range 40 {
		tell(2+n, governance.Finding{Control: "REV-01", State: "pass"})
	}
	tell(99, governance.Finding{Control: "REV-01", State: "unknown"})
	for at, says := range map[string]string{
		"/badges/governance/github.com/acme/new.svg": "97.6\u00a0% of 42 pass, 1 unknown", "/badges/change/github.com/acme/new%2399.svg": "0 of 1 pass, 1 unknown", "/badges/governance.svg": "unknown",
		"/badges/change/github.com/acme/pay%237.svg": "2 of 5 pass, 2 fail, 1 unknown, 1 waived",
	} {
		if p := picture(at, says); strings.Contains(p, green) {
			t.Errorf("%s is green: %s", at, p)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/badges/governance.svg", nil)
	r.Header.Set("If-None-Match", s.get("/badges/governance.svg").Header().Get("ETag"))
	w := httptest.NewRecorder()
	if s.pages.ServeHTTP(w, r); w.Code != http.StatusNotModified {
		t.Errorf("a badge that is known answers %d", w.Code)
	}
}

// governancePages are one of each.
var governancePages = []string{
	"/governance", "/governance/controls/REV-01", "/governance/controls/ACME-01?state=pass", "/governance/frameworks/soc2-change-management",
	"/governance/frameworks/dora-rts-art-17/report", "/governance/exceptions", "/governance/policies", "/governance/rounds", "/governance/rounds/round:policy/1%2520%3Cb%3E",
	"/governance/advisories", "/governance/findings?state=unknown", "/governance/blocked", "/governance/repositories", "/changes/github.com/acme/pay%237",
}

// everywhere looks at a page on narrow and wide screens, by day and by night.
func (b *tab) everywhere(path string) {
	b.t.Helper()
	widths := []int64{380, 500, 1280}
	if testing.Short() { // the race detector looks at the code, not at pages
		widths = widths[1:2]
	}
	for _, width := range widths {
		for _, scheme := range []string{"light", "dark"} {
			b.look(width, scheme)
			b.open(path)
			b.readable(path, width, scheme)
		}
	}
	if n := says[int](b, `document.querySelectorAll("img, script:not([src])").length`); n != 0 {
		b.t.Errorf("%s has %d elements that nobody wrote", path, n)
	}
}

func TestGovernanceIsInTheViewAndReadable(t *testing.T) {
	s := governed(t, storagetest.SQLite(t))
	b := browse(t, s)
	for _, path := range governancePages {
		b.everywhere(path)
	}
	b.look(500, "light")
	b.open("/governance")
	if got := says[float64](b, `(() => { const s = document.querySelector("#heat .scroll"); s.scrollLeft = 500; return document.querySelector("#heat td").getBoundingClientRect().left - s.getBoundingClientRect().left; })()`); got > 2 {
		t.Errorf("the names of repositories stand %v beside their rows once these are scrolled", got)
	}
	b.quiet()
}

// TestAReportFitsOnAPage looks at a report as it is printed, between the margins of a sheet.
func TestAReportFitsOnAPage(t *testing.T) {
	printed(t, governed(t, storagetest.SQLite(t)), "/governance/frameworks/eu-ai-act-art-12/report")
}

// printed looks at a page that can be printed.
func printed(t *testing.T, s *site, path string) {
	t.Helper()
	b := browse(t, s)
	b.look(1030, "light") // 273 mm at 96 dots an inch
	b.open(path)
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
		return err
	}))
	b.await(`getComputedStyle(document.querySelector(".top")).display === "none"`)
	for _, fault := range says[[]string](b, `[...document.querySelectorAll("main table")].filter(t => t.getBoundingClientRect().right > document.documentElement.clientWidth).map(t => t.id + " is wider than the sheet")`) {
		t.Error(fault)
	}
	for _, n := range says[[]string](b, `[...document.querySelectorAll("main td.num a")].filter(a => a.getClientRects().length > 1).map(a => a.textContent)`) {
		t.Errorf("the number %s is printed on two lines", n)
	}
	if says[bool](b, `[...document.querySelectorAll("main form")].some(f => f.getClientRects().length > 0)`) {
		t.Error("a form is printed")
	}
	b.quiet()
}

func TestFromTheOverviewToTheEvidenceByKeyboardAlone(t *testing.T) {
	b := browse(t, governed(t, storagetest.SQLite(t)))
	b.look(1280, "light")
	b.open("/")
	b.do(chromedp.KeyEvent("g"), chromedp.KeyEvent("v"))
	b.await(`location.pathname === "/governance" && document.readyState === "complete"`)
	b.await(`document.querySelector('#controls a[href="/governance/controls/REV-01?state=fail#findings"]').focus() || document.activeElement.tagName === "A"`)
	b.do(chromedp.KeyEvent("\r"))
	b.await(`location.pathname === "/governance/controls/REV-01" && location.hash === "#findings" && document.readyState === "complete"`)
	b.await(`document.querySelector('#findings a[href="/changes/github.com/acme/pay%237#controls"]').focus() || document.activeElement.tagName === "A"`)
	b.do(chromedp.KeyEvent("\r"))
	b.await(`location.pathname === "/changes/github.com/acme/pay%237" && document.readyState === "complete"`)
	b.await(`document.querySelector(".folded summary").focus() || document.activeElement.tagName === "SUMMARY"`)
	b.do(chromedp.KeyEvent("\r"))
	b.await(`document.querySelector(".folded").open`)
	if n := says[int](b, `document.querySelectorAll("#t-all-findings tbody tr").length`); n != 7 {
		t.Errorf("%d of 7 findings are listed", n)
	}
	b.quiet()
}
