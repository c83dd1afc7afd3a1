package dashboard_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/dashboard"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/graph/walk"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// section is the text of a section of a page, in one line.
func (s *site) section(at, id string) string {
	s.t.Helper()
	w := s.get(at)
	root, err := html.Parse(strings.NewReader(text(w)))
	must(s.t, err)
	for _, n := range all(root, "section") {
		if attr(n, "id") == id {
			var parts []string
			for c := range n.Descendants() {
				if c.Type == html.TextNode && c.Parent.Data != "title" {
					parts = append(parts, strings.Fields(c.Data)...)
				}
			}
			return strings.Join(parts, " ")
		}
	}
	s.t.Fatalf("%s answers %d without the section %s", at, w.Code, id)
	return ""
}

// TestPagesTellTheStory looks at what the pages from requirement to incident say of the
// story, on both engines.
func TestPagesTellTheStory(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		s := full(t, open())
		run := strings.TrimPrefix(string(s.attempt(2)), "run:")
		for _, c := range []struct {
			at, id string
			shows  []string
			never  []string
		}{
			{"/environments/prod", "now", []string{"pay v1.0 success 2023-11-21 02:13 Bob Ray", "web", "3 2,334 0.5"}, []string{"v1.2", "v1.1"}},
			{"/environments/prod", "seen", []string{"pay/api", "103 in prod", "pay/<i>debug</i>", "no deployment ships it here"}, nil},
			{"/environments/prod", "deployments", []string{"v1.2 pay failure", "v1.0 pay inactive"}, nil},
			{"/environments/prod", "incidents", []string{"Refunds are a cent short", "Charges are slow"}, nil},
			{"/deployments/prod/102", "changes", []string{"#7 fix: round half up"}, []string{"feat: charge cards"}},
			{"/deployments/prod/102", "way", []string{"semgrep", "approved", "build"}, nil},
			{"/deployments/prod/103", "changes", []string{"It brought no change that was not there before"}, nil},
			{"/deployments/prod/web-9", "incidents", []string{"Charges are slow"}, nil},
			{"/runs/" + run, "tests", []string{"unit unit passed 213 0 4"}, []string{"TestRefund"}},
			{"/runs/" + run, "scans", []string{"semgrep 1.99 src 3 0 1 0 2"}, nil},
			{"/runs/" + run, "built", []string{"ghcr.io/acme/pay sha256:cdcd", "image 1"}, nil},
			{"/runs/" + run, "attempts", []string{"1 failure", "2 success"}, nil},
			{"/runs/" + run, "jobs", []string{"unit"}, nil},
			{"/tickets/jira/PAY-17", "deployments", []string{"v1.1 prod pay"}, nil},
			{"/tickets/jira/PAY-17", "sessions", []string{"codex 019e-77"}, nil},
			{"/tickets/jira/PAY-18", "changes", []string{"No change is known that names it"}, nil},
			{"/requirements/jira/PAY-1", "tickets", []string{"PAY-17 Round half up Done", "PAY-18 Refund in instalments To do"}, nil},
			{"/requirements/jira/PAY-1", "changes", []string{"#7", "feat: charge cards"}, nil},
			{"/changes/github.com/acme/pay%237", "reviews", []string{"approved Bob Ray maintainer", "stale", "dismissed", "counts"}, nil},
			{"/changes/github.com/acme/pay%237", "runs", []string{"1 failure 211 2", "2 success 213 0 3"}, nil},
			{"/incidents/pagerduty/P7", "chronicle", []string{"deployed pay v1.1", "noticed Refunds are a cent short", "deployed pay v1.0", "over", "deployed pay v1.2 failure"}, nil},
			{"/incidents/pagerduty/P7", "causes", []string{"50 #7 fix: round half up brought by v1.1 in prod", "+20 it touches src/pay/charge.go, and pay broke"}, nil},
		} {
			shown := s.section(c.at, c.id)
			for _, want := range c.shows {
				if !strings.Contains(shown, want) {
					t.Errorf("%s#%s does not show %q: %s", c.at, c.id, want, shown)
				}
			}
			for _, not := range c.never {
				if strings.Contains(shown, not) {
					t.Errorf("%s#%s shows %q: %s", c.at, c.id, not, shown)
				}
			}
		}
	})
}

func TestARollbackIsCalledOne(t *testing.T) {
	s := full(t, storagetest.SQLite(t))
	for at, want := range map[string]bool{"/deployments/prod/101": false, "/deployments/prod/102": false, "/deployments/prod/103": true} {
		if got := strings.Contains(text(s.get(at)), "it went back to"); got != want {
			t.Errorf("%s is called a rollback: %v, want %v", at, got, want)
		}
	}
	if shown := text(s.get("/deployments/prod/102")); !strings.Contains(shown, "Took the place of") || !strings.Contains(shown, "Replaced by") {
		t.Error("a deployment does not say what it replaced, and what replaced it")
	}
}

// TestAMissingStepSaysWhy compares a change of which nothing else is known, where nothing
// else is known at all, with one beside which all is known of another.
func TestAMissingStepSaysWhy(t *testing.T) {
	const at = "/changes/github.com/acme/other%231"
	lonely := change.Change{Repository: change.RepositoryRef("github.com", "acme/other"), Number: 1, Merged: stemma.At(now)}
	s := empty(t, storagetest.SQLite(t))
	s.record(lonely)
	alone := s.section(at, "way")
	for _, want := range []string{"Requirement none is known here at all", "Session no agent tells of its sessions", "Review no forge reports reviews", "Scan no scanner reports here", "Incident nobody reports incidents"} {
		if !strings.Contains(alone, want) {
			t.Errorf("where nothing reports, %q is not said: %s", want, alone)
		}
	}
	s = full(t, storagetest.SQLite(t))
	s.record(lonely)
	beside := s.section(at, "way")
	for _, want := range []string{"Ticket no branch, message or forge names one", "Review nobody is known to have judged it", "Run no pipeline is known", "Deployment it is not known to run anywhere"} {
		if !strings.Contains(beside, want) {
			t.Errorf("beside others, %q is not said: %s", want, beside)
		}
	}
	if whole := s.section("/changes/github.com/acme/pay%237", "way"); !strings.Contains(whole, "Every step from requirement to incident is known") {
		t.Errorf("a whole way is not called one: %s", whole)
	}
}

func TestAChangeSaysWhetherItIsWhatWasShown(t *testing.T) {
	s := empty(t, storagetest.SQLite(t))
	head := change.ShaRef(strings.Repeat("a", 40))
	for number, c := range []struct {
		with *change.Compared
		want string
	}{
		{nil, ""},
		{&change.Compared{With: head}, "<bdi>what the head and the branch make together"},
		{&change.Compared{With: head, Altered: 1}, "differs in one file from what the head"},
		{&change.Compared{With: head, Altered: 1200}, "differs in 1,200 files from what the head"},
	} {
		one := change.Change{Repository: change.RepositoryRef("github.com", "acme/other"), Number: number + 1, Merged: stemma.At(now), Head: head, Compared: c.with}
		s.record(one)
		whole := text(s.get(page.Href(one.Ref())))
		if shown := strings.Contains(whole, "What landed</dt>"); shown != (c.want != "") || !strings.Contains(whole, c.want) {
			t.Errorf("%+v: %q is not said: %s", c.with, c.want, whole)
		}
	}
}

// TestWhatStandsBesideAWayIsNotMissing looks at steps that a walk from a ticket or a
// deployment does not meet.
func TestWhatStandsBesideAWayIsNotMissing(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		s := full(t, open())
		for _, at := range []string{"/tickets/jira/PAY-17", "/requirements/jira/PAY-1", "/deployments/prod/102"} {
			shown := s.section(at, "way")
			for _, not := range []string{"nobody is known to have judged it", "no scanner is known", "no pipeline is known", "no agent is known"} {
				if strings.Contains(shown, not) {
					t.Errorf("%s says %q: %s", at, not, shown)
				}
			}
		}
	})
}

// TestSessionsAreDrawnAsTheTreeTheyAre reads the nesting of the list, on the page of a
// session in the middle and on that of the change that came from it.
func TestSessionsAreDrawnAsTheTreeTheyAre(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		s := full(t, open())
		want := "plan-4711[work-1[work-1a[]]work-2[]019e-77[child/../x[]]]"
		for at, here := range map[string]string{"/sessions/claude-code/work-1": "work-1", "/changes/github.com/acme/pay%237": "plan-4711 019e-77"} {
			root, err := html.Parse(strings.NewReader(text(s.get(at))))
			must(t, err)
			var marked []string
			for _, list := range all(root, "ul") {
				if !has(list, "tree") {
					continue
				}
				if got := drawn(list, &marked); got != want {
					t.Errorf("%s draws %s, want %s", at, got, want)
				}
			}
			if got := strings.Join(marked, " "); got != here {
				t.Errorf("%s marks %q, want %q", at, got, here)
			}
			if rows := strings.Count(text(s.get(at+"?table=tree&format=csv")), "\n"); rows != 7 {
				t.Errorf("%s has %d lines of the tree as data, want 7", at, rows)
			}
		}
	})
}

// drawn writes a nested list in brackets, and notes what is marked in it.
func drawn(list *html.Node, marked *[]string) (out string) {
	for item := list.FirstChild; item != nil; item = item.NextSibling {
		if item.Data != "li" {
			continue
		}
		ref, err := url.PathUnescape(attr(all(item, "a")[0], "href"))
		if err != nil {
			return err.Error()
		}
		name := strings.SplitN(ref, "/", 4)[3]
		if has(child(item, "span"), "here") {
			*marked = append(*marked, name)
		}
		out += name + "["
		if below := child(item, "ul"); below != nil {
			out += drawn(below, marked)
		}
		out += "]"
	}
	return out
}

// TestARingOfSessionsIsNoTree states sessions that claim to have started each other.
func TestARingOfSessionsIsNoTree(t *testing.T) {
	s := empty(t, storagetest.SQLite(t))
	s.record(session.Session{Tool: "codex", ExternalID: "a", Parent: "session:codex/b", Depth: 1})
	s.record(session.Session{Tool: "codex", ExternalID: "b", Parent: "session:codex/a", Depth: 1})
	if w := s.get("/sessions/codex/a"); w.Code != http.StatusOK || strings.Contains(text(w), `class="tree"`) {
		t.Errorf("%d with a tree of a ring", w.Code)
	}
}

func TestPeopleAreFoundByNameAndNotRanked(t *testing.T) {
	s := full(t, storagetest.SQLite(t))
	var list struct{ Rows []map[string]any }
	root, err := html.Parse(strings.NewReader(text(s.get("/people"))))
	must(t, err)
	for _, cell := range all(root, "td") {
		if has(cell, "num") {
			t.Errorf("the list of people counts %s", words(cell))
		}
	}
	must(t, json.Unmarshal(s.get("/people?format=json").Body.Bytes(), &list))
	at := s.get("/search?q=bob@x.test").Header().Get("Location")
	for id, want := range map[string]string{"roles": "/src/pay/**", "reviews": "approved", "deployments": "v1.2"} {
		if shown := s.section(at, id); !strings.Contains(shown, want) {
			t.Errorf("%s does not show %q: %s", id, want, shown)
		}
	}
	at = s.get("/search?q=ann@x.test").Header().Get("Location")
	for id, want := range map[string]string{"merged": "#7", "sessions": "Plan the rounding of refunds"} {
		if shown := s.section(at, id); !strings.Contains(shown, want) {
			t.Errorf("%s does not show %q: %s", id, want, shown)
		}
	}
}

// send posts a decision, as a browser does from a page at origin.
func (s *site) send(at, origin string, form url.Values) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), http.MethodPost, at, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if origin != "" {
		r.Header.Set("Sec-Fetch-Site", origin)
	}
	w := httptest.NewRecorder()
	s.pages.ServeHTTP(w, r)
	return w
}

const outagePage = "/incidents/pagerduty/P7"

func decision(changed ...string) url.Values {
	form := url.Values{"confirm": {string(changeSeven)}, "name": {"Ann Lee"}, "mail": {"ann@x.test"}, "reason": {"<b>half</b> of a cent"}}
	for i := 0; i < len(changed); i += 2 {
		form.Set(changed[i], changed[i+1])
	}
	return form
}

// TestADecisionIsRecordedWithWhoMadeIt confirms a cause, takes that back, and looks at
// page and lineage after each.
func TestADecisionIsRecordedWithWhoMadeIt(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		s := full(t, open())
		causedBy := func() bool {
			l, err := lineage.Trace(t.Context(), s.space.Graph, outage, lineage.Up, walk.Limits{})
			must(t, err)
			return strings.Contains(fmt.Sprint(l.Nodes), string(changeSeven))
		}
		for _, step := range []struct {
			verdict string
			caused  bool
		}{{"confirm", true}, {"reject", false}} {
			form := decision("confirm", "", step.verdict, string(changeSeven))
			if w := s.send(outagePage, "same-origin", form); w.Code != http.StatusSeeOther || w.Header().Get("Location") != outagePage+"#chronicle" {
				t.Fatalf("%s: %d to %q: %s", step.verdict, w.Code, w.Header().Get("Location"), text(w))
			}
			if shown := s.section(outagePage, "chronicle"); !strings.Contains(shown, step.verdict+"ed #7 fix: round half up as a cause, by Ann Lee <b>half</b> of a cent") {
				t.Errorf("the page does not say who decided: %s", shown)
			}
			if got := causedBy(); got != step.caused {
				t.Errorf("after %s, the change is in the lineage: %v", step.verdict, got)
			}
		}
		if shown := s.section(outagePage, "chronicle"); !strings.Contains(shown, "confirmed") {
			t.Error("an earlier decision is gone")
		}
		inspect(t, outagePage, s.get(outagePage))
		facts := text(s.get("/facts/" + s.query(`SELECT CAST(MAX(pos) AS TEXT) FROM fact`) + "?format=json"))
		if !strings.Contains(facts, "judgement") || strings.Contains(facts, "Ann Lee") || strings.Contains(facts, "ann@x.test") {
			t.Errorf("the fact names a person, or is none of a judgement: %s", facts)
		}
	})
}

func TestADecisionThatCannotStandIsRefused(t *testing.T) {
	s := full(t, storagetest.SQLite(t))
	facts := s.query(`SELECT CAST(COUNT(*) AS TEXT) FROM fact`)
	for name, c := range map[string]struct {
		at, origin string
		form       url.Values
		status     int
	}{
		"of another site":    {outagePage, "cross-site", decision(), http.StatusForbidden},
		"of a sister site":   {outagePage, "same-site", decision(), http.StatusForbidden},
		"of no browser":      {outagePage, "", decision(), http.StatusForbidden},
		"without a name":     {outagePage, "same-origin", decision("name", "  "), http.StatusBadRequest},
		"without an address": {outagePage, "same-origin", decision("mail", "ann"), http.StatusBadRequest},
		"with a long name":   {outagePage, "same-origin", decision("name", strings.Repeat("a", 201)), http.StatusBadRequest},
		"with a long reason": {outagePage, "same-origin", decision("reason", strings.Repeat("a", 1001)), http.StatusBadRequest},
		"that is huge":       {outagePage, "same-origin", decision("reason", strings.Repeat("a", 1<<20)), http.StatusBadRequest},
		"without a verdict":  {outagePage, "same-origin", decision("confirm", ""), http.StatusBadRequest},
		"with two verdicts":  {outagePage, "same-origin", decision("reject", string(changeSeven)), http.StatusBadRequest},
		"about nothing":      {outagePage, "same-origin", decision("confirm", "nothing"), http.StatusBadRequest},
		"about a person":     {outagePage, "same-origin", decision("confirm", "person:0f1e"), http.StatusBadRequest},
		"about a stranger":   {outagePage, "same-origin", decision("confirm", "change:github.com/acme/pay#999"), http.StatusNotFound},
		"of no incident":     {"/incidents/pagerduty/none", "same-origin", decision(), http.StatusNotFound},
		"of a change":        {"/changes/github.com/acme/pay%237", "same-origin", decision(), http.StatusMethodNotAllowed},
		"not text":           {outagePage, "same-origin", decision("reason", "\xff"), http.StatusBadRequest},
	} {
		if w := s.send(c.at, c.origin, c.form); w.Code != c.status {
			t.Errorf("a decision %s: %d, want %d: %.300s", name, w.Code, c.status, text(w))
		}
	}
	if now := s.query(`SELECT CAST(COUNT(*) AS TEXT) FROM fact`); now != facts {
		t.Errorf("%s facts before, %s after", facts, now)
	}
}

// TestWhoeverMayNotDecideSeesNoForm serves the same space to others.
func TestWhoeverMayNotDecideSeesNoForm(t *testing.T) {
	s := full(t, storagetest.SQLite(t))
	pages, err := dashboard.New(dashboard.Config{Space: s.space, Now: func() time.Time { return now }})
	must(t, err)
	defer func() { must(t, pages.Close()) }()
	s.pages = pages
	shown := text(s.get(outagePage))
	if strings.Contains(shown, "<button type=\"submit\" name=\"confirm\"") || !strings.Contains(shown, "stemma incident confirm") {
		t.Error("a form is shown, or no other way is named")
	}
	if w := s.send(outagePage, "same-origin", decision()); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("a decision is answered with %d", w.Code)
	}
}

// TestADeadLetterIsReadAgain asks for it with the button of the sources page.
func TestADeadLetterIsReadAgain(t *testing.T) {
	s := full(t, storagetest.SQLite(t))
	letters := func() int {
		list, err := s.box.Letters(t.Context(), 10)
		must(t, err)
		return len(list)
	}
	if shown := s.section("/sources", "letters"); !strings.Contains(shown, "Read again") || letters() != 1 {
		t.Fatalf("there is no dead letter with a button: %s", shown)
	}
	for _, c := range []struct {
		origin, id    string
		status, after int
	}{
		{"cross-site", "1", http.StatusForbidden, 1},
		{"same-origin", "x", http.StatusBadRequest, 1},
		{"same-origin", "0", http.StatusBadRequest, 1},
		{"same-origin", "99", http.StatusNotFound, 1},
		{"same-origin", "1", http.StatusSeeOther, 0},
	} {
		if w := s.send("/sources/replay", c.origin, url.Values{"id": {c.id}}); w.Code != c.status || letters() != c.after {
			t.Errorf("letter %s from %s: %d with %d letters left, want %d with %d", c.id, c.origin, w.Code, letters(), c.status, c.after)
		}
	}
}
