package catalogue_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/catalogue"
	"github.com/stemma-dev/stemma/policy/subject"
)

func controls(t testing.TB) []*policy.Control {
	t.Helper()
	list, err := catalogue.Controls()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestEveryControlHoldsItsCases(t *testing.T) {
	for _, c := range controls(t) {
		t.Run(c.ID, func(t *testing.T) {
			if err := c.Test(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEveryControlHasACaseForEachState(t *testing.T) {
	for _, c := range controls(t) {
		for _, state := range []policy.State{policy.Pass, policy.Fail, policy.Unknown, policy.NotApplicable} {
			if !slices.ContainsFunc(c.Cases, func(k policy.Case) bool { return k.State == state }) {
				t.Errorf("%s has no case in which it is %s", c.ID, state)
			}
		}
		// The fifth is the same for all.
		if got := excepted(t, c, func(*subject.Exception, time.Time) {}); c.ID == "EXC-01" && got != policy.Fail || c.ID != "EXC-01" && got != policy.Waived {
			t.Errorf("%s is %s where an exception holds", c.ID, got)
		}
	}
}

// excepted is the state of a control in its first case that fails, with an exception that would hold but for a fault.
func excepted(t *testing.T, c *policy.Control, fault func(e *subject.Exception, now time.Time)) policy.State {
	t.Helper()
	i := slices.IndexFunc(c.Cases, func(k policy.Case) bool { return k.State == policy.Fail })
	if i < 0 {
		t.Fatalf("%s has no case in which it fails", c.ID)
	}
	x, err := c.Example(c.Cases[i].Name)
	if err != nil {
		t.Fatal(err)
	}
	if x.Now.IsZero() {
		x.Now = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	}
	e := subject.Exception{
		Thing: subject.Thing{Ref: "exception:x/1", Grade: "A"}, Control: c.ID, Reason: "the site was down", Opened: x.Now.Add(-time.Hour), Until: x.Now.Add(time.Hour),
		Owner: subject.Person{Ref: "person:owner", Human: true}, Approver: subject.Person{Ref: "person:approver", Human: true},
	}
	fault(&e, x.Now)
	x.Exceptions = append(x.Exceptions, e)
	x.Derive()
	return (&policy.Set{Controls: []*policy.Control{c}}).Judge(x)[0].State
}

func TestAnExceptionThatDoesNotHoldWaivesNoControl(t *testing.T) {
	for fault, with := range map[string]func(e *subject.Exception, now time.Time){
		"was granted by who asked for it": func(e *subject.Exception, _ time.Time) { e.Approver = e.Owner },
		"was granted by nobody":           func(e *subject.Exception, _ time.Time) { e.Approver = subject.Person{} },
		"was granted by a program":        func(e *subject.Exception, _ time.Time) { e.Approver.Human, e.Approver.Bot = false, true },
		"ended":                           func(e *subject.Exception, now time.Time) { e.Until = now },
		"has no end":                      func(e *subject.Exception, _ time.Time) { e.Until = time.Time{} },
		"has not begun":                   func(e *subject.Exception, now time.Time) { e.Opened = now.Add(time.Minute) },
		"was taken back":                  func(e *subject.Exception, now time.Time) { e.Withdrawn = now },
		"says no reason":                  func(e *subject.Exception, _ time.Time) { e.Reason = "" },
		"is for another control":          func(e *subject.Exception, _ time.Time) { e.Control = "XXX-01" },
		"was an emergency and then granted by no one": func(e *subject.Exception, now time.Time) {
			e.Approver, e.Emergency, e.Opened = subject.Person{}, true, now.Add(-subject.FollowUp)
		},
	} {
		for _, c := range controls(t) {
			if got := excepted(t, c, with); got != policy.Fail {
				t.Errorf("%s is %s with an exception that %s", c.ID, got, fault)
			}
		}
	}
}

// the controls by their severity and stage, as they were decided on.
var decided = map[string]string{
	"CAP-01": "critical head", "CAP-02": "critical head", "CAP-03": "high head", "CAP-04": "high head",
	"CAP-05": "high head", "CAP-06": "high head", "CAP-07": "medium head", "CAP-08": "medium merge",
	"TRC-01": "high head", "TRC-02": "medium head", "TRC-03": "low merge",
	"REV-01": "critical head", "REV-02": "critical head", "REV-03": "high head", "REV-04": "high head", "REV-05": "high head", "REV-06": "medium head",
	"CI-01": "critical head", "CI-02": "high head", "CI-03": "critical head", "CI-04": "high head", "SUP-01": "high merge",
	"BLD-01": "critical deployment", "BLD-02": "critical deployment", "BLD-03": "medium deployment",
	"DEP-01": "high deployment", "DEP-02": "high deployment", "DEP-03": "medium deployment", "POP-01": "critical deployment",
	"MOD-01": "high head", "MOD-02": "high head", "MOD-03": "high head", "MOD-04": "medium head", "MOD-05": "medium head",
	"INT-01": "critical merge", "INT-02": "medium merge", "INT-03": "high merge", "INT-04": "high head",
	"EXC-01": "high merge", "INC-01": "medium incident", "INC-02": "medium merge",
}

func TestAllControlsThatWereDecidedOnAreThere(t *testing.T) {
	got := map[string]string{}
	for _, c := range controls(t) {
		if got[c.ID] != "" {
			t.Errorf("%s is there twice", c.ID)
		}
		got[c.ID] = fmt.Sprintf("%s %s", c.Severity, c.Stage)
	}
	for id, want := range decided {
		if got[id] != want {
			t.Errorf("%s is %q, want %q", id, got[id], want)
		}
	}
	if len(got) != 41 || len(decided) != 41 {
		t.Errorf("there are %d controls and %d decided on, want 41", len(got), len(decided))
	}
}

// all is every control, and nothing decided.
func all(t testing.TB) *policy.Set { return &policy.Set{Controls: controls(t)} }

func TestNothingPassesByWhatIsMissing(t *testing.T) {
	for name, x := range map[string]*subject.Subject{
		"nothing":         {},
		"a change":        {Change: subject.Change{Thing: subject.Thing{Ref: "change:github.com/acme/pay#1"}, State: "merged", Head: "commit:sha1/1", Added: 10}},
		"lines of AI":     {Change: subject.Change{Thing: subject.Thing{Ref: "change:github.com/acme/pay#1"}, Added: 10, AILines: 10}},
		"a named session": {Sessions: []subject.Session{{Thing: subject.Thing{Ref: "session:a/1"}}}},
		"a deployment":    {Deployments: []subject.Deployment{{Thing: subject.Thing{Ref: "deployment:prod/1"}, Tier: "production", Status: "success", Orphans: -1}}},
		"an incident":     {Incidents: []subject.Incident{{Thing: subject.Thing{Ref: "incident:x/1"}}}},
	} {
		x.Settings = subject.Usual()
		x.Derive()
		for _, f := range all(t).Judge(x) {
			// The lines of AI are all lines, so their coverage is what passes.
			if f.State == policy.Pass && !(name == "lines of AI" && f.Control == "CAP-03") {
				t.Errorf("of %s alone %s passes", name, f.Control)
			}
		}
	}
}

// onChange are the controls that what is said of the change itself is enough for.
var onChange = []string{"CAP-03", "TRC-03", "INC-02", "INT-02"}

func TestAPassDoesNotOutliveItsEvidence(t *testing.T) {
	for _, c := range controls(t) {
		for _, k := range c.Cases {
			if k.State != policy.Pass || slices.Contains(onChange, c.ID) {
				continue
			}
			x, err := c.Example(k.Name)
			if err != nil {
				t.Fatal(err)
			}
			bare := &subject.Subject{Change: x.Change, Settings: x.Settings, Now: x.Now}
			bare.Derive()
			set := &policy.Set{Controls: []*policy.Control{c}}
			if f := set.Judge(bare)[0]; f.State == policy.Pass {
				t.Errorf("%s passes in the case %q without any of its evidence", c.ID, k.Name)
			}
		}
	}
}

func TestAPassNamesWhatItRestsOn(t *testing.T) {
	for _, c := range controls(t) {
		set := &policy.Set{Controls: []*policy.Control{c}}
		for _, k := range c.Cases {
			x, err := c.Example(k.Name)
			if err != nil {
				t.Fatal(err)
			}
			f := set.Judge(x)[0]
			things := map[string]bool{}
			for thing := range x.Things() {
				things[thing.Ref] = true
			}
			for _, ref := range f.Rests {
				if !things[ref] {
					t.Errorf("%s rests on %s in the case %q, of which nothing is known there", c.ID, ref, k.Name)
				}
			}
			if f.State == policy.Pass && (len(f.Rests) == 0 || f.Grade == "") {
				t.Errorf("%s passes in the case %q and rests on %v, of grade %q", c.ID, k.Name, f.Rests, f.Grade)
			}
		}
	}
}

func TestARuleIsCheapOverALargeChange(t *testing.T) {
	for _, f := range all(t).Judge(large(10_000)) {
		if strings.HasPrefix(f.Reason, "the rule could not be evaluated") {
			t.Errorf("%s: %s", f.Control, f.Reason)
		}
		if len(f.Reason) > 1100 {
			t.Errorf("%s gives %d bytes of reason", f.Control, len(f.Reason))
		}
	}
}

// large is a change with many files, commits, spans and sessions.
func large(files int) *subject.Subject {
	x := &subject.Subject{
		Change:     subject.Change{Thing: subject.Thing{Ref: "change:github.com/acme/pay#1", Grade: "A"}, State: "merged", Head: "commit:sha1/1", AILines: files, Added: files},
		Repository: subject.Repository{Thing: subject.Thing{Ref: "repository:github.com/acme/pay"}, Name: "acme/pay", Forge: true, Scanned: true, Captured: true},
		Settings:   subject.Usual(),
	}
	s := &x.Settings
	s.Protected, s.Forbidden, s.Models, s.Tools = []string{"auth/"}, []string{"keys/"}, []string{"claude-*"}, []string{"Edit"}
	s.Tags, s.Owners = map[string][]string{"auth": {"auth/**"}}, map[string][]string{"owner": {"pay/**"}, "security": {"auth/**", "keys/**"}}
	s.AIShare, s.CostMicroUSD, s.RetentionNeeded, s.Packages = 60, 1, 365, []string{"pkg:npm/react"}
	for i := range files {
		path, ref := fmt.Sprintf("pay/%d/charge_test.go", i), fmt.Sprintf("session:a/%d", i%200)
		x.Files = append(x.Files, subject.File{Path: path, Status: "M", AILines: 1, ByAI: true})
		x.Spans = append(x.Spans, subject.Span{Path: path, Lines: 1, Origin: "ai", Session: ref, Stated: true})
	}
	for i := range 1000 {
		x.Commits = append(x.Commits, subject.Commit{Thing: subject.Thing{Ref: fmt.Sprintf("commit:sha1/%d", i), Grade: "A"}, UsesCapture: true, Sessions: []string{fmt.Sprintf("session:a/%d", i%200)}})
	}
	for i := range 200 {
		x.Sessions = append(x.Sessions, subject.Session{
			Thing: subject.Thing{Ref: fmt.Sprintf("session:a/%d", i), Grade: "C"}, Stated: true, Turns: 9, Kept: 9, Priced: true,
			Operators: []subject.Person{{Ref: "person:a", Human: true}},
			Models:    []subject.Model{{Name: "claude-opus-4-6", Version: "4-6", Named: true}},
			Tools:     []subject.Tool{{Name: "Edit"}, {Name: "WebFetch"}, {Name: "Bash"}},
		})
	}
	for i := range 3000 {
		name := fmt.Sprintf("pkg:npm/p%d", i)
		x.Packages = append(x.Packages, subject.Package{Name: name, Versions: []string{"1.0.0"}})
		x.Vulnerabilities = append(x.Vulnerabilities, subject.Vulnerability{Package: name, Version: "1.0.0", Severity: "low"})
	}
	x.Artifacts = []subject.Artifact{{Thing: subject.Thing{Ref: "artifact:sha256/1"}, Boms: []subject.Bom{{Thing: subject.Thing{Ref: "bom:1"}, Components: 3000}}}}
	x.Files = append(x.Files, subject.File{Path: "web/package.json", ByAI: true, AILines: 1})
	x.Derive()
	return x
}

func BenchmarkJudge(b *testing.B) {
	set := all(b)
	usual := large(20)
	usual.Commits, usual.Sessions = usual.Commits[:4], usual.Sessions[:3]
	usual.Packages, usual.Vulnerabilities = usual.Packages[:200], usual.Vulnerabilities[:5]
	for name, x := range map[string]*subject.Subject{"usual": usual, "large": large(10_000)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				set.Judge(x)
			}
		})
	}
}

// TestPartsThatWereThereBeforeChangeNoFinding gives every case parts that were there before, of
// which the worst is told: since nothing comes of them, they need not be read.
func TestPartsThatWereThereBeforeChangeNoFinding(t *testing.T) {
	list := controls(t)
	if (&policy.Set{Controls: list}).LooksBack() {
		t.Error("a control looks at parts that were there before")
	}
	for _, c := range list {
		for _, k := range c.Cases {
			x, err := c.Example(k.Name)
			if err != nil {
				t.Fatal(err)
			}
			set := &policy.Set{Controls: []*policy.Control{c}}
			want := set.Judge(x)[0]
			x.Packages = append(x.Packages, subject.Package{Name: "pkg:npm/old", Kept: true, Told: true, Missing: true})
			x.Vulnerabilities = append(x.Vulnerabilities, subject.Vulnerability{
				Thing: subject.Thing{Ref: "advisory:osv/OLD"}, Package: "pkg:npm/old", Severity: "critical", Malicious: true, Published: x.Now, Kept: true,
			})
			x.Derive()
			if d := cmp.Diff(want, set.Judge(x)[0]); d != "" {
				t.Errorf("%s, %s: %s", c.ID, k.Name, d)
			}
		}
	}
}
