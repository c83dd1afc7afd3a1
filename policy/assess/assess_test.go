package assess_test

import (
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/assess"
	"github.com/stemma-dev/stemma/policy/catalogue"
	"github.com/stemma-dev/stemma/review"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

const (
	repository = stemma.Ref("repository:github.com/acme/pay")
	head       = stemma.Ref("commit:sha1/00112233445566778899aabbccddeeff00112233")
	ada        = stemma.Ref("person:0f1e2d3c4b5a69788796a5b4c3d2e1f0")
	bo         = stemma.Ref("person:1f1e2d3c4b5a69788796a5b4c3d2e1f0")
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// A house is a space with a judge, whose clock is set by hand.
type house struct {
	t     *testing.T
	space *ingest.Space
	mu    sync.Mutex
	clock time.Time
}

func newHouse(t *testing.T, db *storage.DB) *house {
	h := &house{t: t, clock: noon}
	h.space = ingesttest.Must(t, db, h.now)
	return h
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock = h.clock.Add(time.Microsecond)
	return h.clock
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// judge judges by the controls that come with the program, and a policy.
func (h *house) judge(text string) *assess.Judge {
	h.t.Helper()
	controls, err := catalogue.Controls()
	h.must(err)
	p, err := policy.ParsePolicy("policy.yaml", []byte(text))
	h.must(err)
	j, err := assess.Open(h.t.Context(), assess.Judge{Space: h.space, Set: &policy.Set{Controls: controls, Policy: p}, Now: h.now, Log: slog.New(slog.DiscardHandler)})
	h.must(err)
	return j
}

// at sets the clock.
func (h *house) at(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock = t
}

func (h *house) put(records ...ingest.Record) {
	h.t.Helper()
	for _, r := range records {
		f, err := r.Fact("test", stemma.GradeB)
		h.must(err)
		_, err = h.space.Ledger.Append(h.t.Context(), f)
		h.must(err)
	}
	_, err := h.space.Graph.Apply(h.t.Context(), h.space.Ledger)
	h.must(err)
}

func merged(number int) change.Change {
	return change.Change{
		Repository: repository, Number: number, Method: "merge", State: "merged", Target: "main", Author: ada, Head: head, Opened: stemma.At(noon.Add(-2 * time.Hour)),
		Merged: stemma.At(noon.Add(-time.Hour)), Commits: []stemma.Ref{head},
	}
}

func approval(number int) review.Review {
	return review.Review{
		ID: review.Ref("github.com", fmt.Sprint(number)), Change: merged(number).Ref(), Reviewer: bo, Verdict: "approved", Head: head,
		Submitted: stemma.At(noon.Add(-90 * time.Minute)),
	}
}

// stands is the state of a control for a change, and what it was before.
func (h *house) stands(number int, control string) string {
	h.t.Helper()
	n, err := h.space.Graph.Node(h.t.Context(), governance.AssessmentRef(merged(number).Ref()))
	h.must(err)
	rows, err := h.space.Graph.List(h.t.Context(), n, "finding")
	h.must(err)
	for _, a := range rows {
		if a.Text("control") == control {
			if was := a.Text("before"); was != "" {
				return was + " > " + a.Text("state")
			}
			return a.Text("state")
		}
	}
	return "not judged"
}

// told is how often something was said about a thing.
func (h *house) told(of stemma.Ref) (n int) {
	h.t.Helper()
	for _, err := range h.space.Ledger.About(h.t.Context(), of) {
		h.must(err)
		n++
	}
	return n
}

// follow judges what is news, and what that concerns.
func (h *house) follow(j *assess.Judge) {
	h.t.Helper()
	_, err := j.Follow(h.t.Context())
	h.must(err)
	h.must(j.Everything(h.t.Context()))
	h.must(j.Feeds(h.t.Context()))
	h.must(j.Repositories(h.t.Context()))
}

func TestLateEvidenceTurnsAVerdictAndTheOldOneStays(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		h := newHouse(t, open())
		j := h.judge("")
		h.put(merged(1), merged(2))
		h.follow(j)
		of := governance.AssessmentRef(merged(1).Ref())
		if got := h.stands(1, "REV-01"); got != "fail" {
			t.Errorf("without a review it is %s", got)
		}
		h.follow(j)
		if n := h.told(of); n != 1 {
			t.Errorf("the same verdict was stated %d times", n)
		}
		h.put(approval(1))
		h.follow(j)
		if got := h.stands(1, "REV-01"); got != "fail > pass" {
			t.Errorf("with a review it is %s", got)
		}
		if n, other := h.told(of), h.told(governance.AssessmentRef(merged(2).Ref())); n != 2 || other != 1 {
			t.Errorf("there are %d verdicts on what was approved and %d on the other", n, other)
		}
		n, err := h.space.Graph.Node(t.Context(), of)
		h.must(err)
		nodes := []graph.Node{n}
		h.must(h.space.Graph.Fill(t.Context(), nodes))
		if a := nodes[0].Attrs; a.Text("trigger") != "evidence" || a.Ref("change") != merged(1).Ref() {
			t.Errorf("%v", a)
		}
		before := ingesttest.Told(t, h.space)
		h.must(h.space.Graph.Rebuild(t.Context(), h.space.Ledger))
		if ingesttest.Told(t, h.space) != before {
			t.Error("derived anew, the graph is another")
		}
	})
}

// A branch that asks for a status waits for that of every head.
func TestEveryHeadGetsAVerdict(t *testing.T) {
	h := newHouse(t, storagetest.SQLite(t))
	j := h.judge("")
	c := merged(1)
	c.State, c.Merged, c.Commits = "open", 0, nil
	h.put(c)
	h.follow(j)
	c.Head = stemma.Ref("commit:sha1/10112233445566778899aabbccddeeff00112233")
	h.put(c)
	h.follow(j)
	if n := h.told(governance.AssessmentRef(c.Ref())); n != 2 {
		t.Errorf("there are %d verdicts on two heads", n)
	}
}

func TestSeveralJudgesStateAVerdictOnce(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		h := newHouse(t, open())
		var records []ingest.Record
		for n := range 50 {
			records = append(records, merged(n+1))
		}
		h.put(records...)
		var all sync.WaitGroup
		for range 4 {
			j := h.judge("")
			all.Go(func() {
				if _, err := j.All(t.Context(), assess.OnDemand); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for n := range 50 {
			if told := h.told(governance.AssessmentRef(merged(n + 1).Ref())); told != 1 {
				t.Errorf("the verdict on #%d was stated %d times", n+1, told)
			}
		}
	})
}

func TestAnAdvisoryJudgesAgainWhatItsModelsMade(t *testing.T) {
	h := newHouse(t, storagetest.SQLite(t))
	j := h.judge("")
	with, without := merged(1), merged(2)
	model := identity.ParseModel("claude-opus-4-6")
	run := session.Session{Tool: "codex", ExternalID: "s1", Started: stemma.At(noon.Add(-3 * time.Hour)), Models: []session.ModelUse{{Model: model.Ref(), Name: "claude-opus-4-6"}}}
	with.Sessions = []stemma.Edge{{To: run.Ref(), Method: "note"}}
	with.Size, with.Lines = &change.Size{Added: 3}, &change.Lines{AI: 3}
	h.put(model, run, with, without)
	h.follow(j)
	if got := h.stands(1, "MOD-02"); got != "pass" {
		t.Errorf("before it is %s", got)
	}
	h.put(governance.Advisory{ID: governance.AdvisoryRef("acme", "A-1"), Model: "claude-opus-4*", Title: "leaves secrets", Severity: "high", Published: stemma.At(noon)})
	h.follow(j)
	if got := h.stands(1, "MOD-02"); got != "pass > fail" {
		t.Errorf("then it is %s", got)
	}
	if n := h.told(governance.AssessmentRef(without.Ref())); n != 1 {
		t.Errorf("what no model made was judged %d times", n)
	}
	rounds, err := h.space.Graph.Lookup(t.Context(), stemma.KindRound, "trigger", "advisory", 10)
	h.must(err)
	if len(rounds) != 1 {
		t.Errorf("there are %d rounds", len(rounds))
	}
}

// shipped is what was built of the changes of the house, of a version of a package.
func shipped(version string) []ingest.Record {
	digest := "sha256:" + stemma.Sum([]byte(version)).String()
	return []ingest.Record{
		artifact.Artifact{Digest: digest, Name: "pay", From: []stemma.Edge{{To: head}}},
		artifact.Bom{
			ID: artifact.BomRef(stemma.Sum([]byte(version))), Format: "spdx", Count: 1, Of: []stemma.Edge{{To: artifact.Ref(digest)}},
			Components: []artifact.Component{{Name: "cart", PURL: "pkg:npm/cart@" + version, Package: "pkg:npm/cart"}},
		},
	}
}

// manifest is a change in which AI touched what names dependencies.
func manifest(number int) []ingest.Record {
	c := merged(number)
	c.Size, c.Lines = &change.Size{Added: 3}, &change.Lines{AI: 3}
	_, sha := head.Split()
	return []ingest.Record{c, change.Commit{
		SHA: sha, Repository: repository, Lines: &change.Lines{AI: 3}, Files: []change.File{{Path: "package.json", Status: "M", Added: 3}},
	}}
}

func TestAVulnerabilityJudgesAgainWhatConsistsOfThePackage(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		h := newHouse(t, open())
		j := h.judge("settings: {packages: [\"pkg:npm/cart\"]}")
		other := merged(2)
		other.Commits, other.Head = []stemma.Ref{"commit:sha1/10112233445566778899aabbccddeeff00112233"}, ""
		h.put(append(append(manifest(1), shipped("1.0.0")...), other)...)
		h.follow(j)
		if got := h.stands(1, "SUP-01"); got != "pass" {
			t.Errorf("before it is %s", got)
		}
		a := governance.Advisory{
			ID: governance.AdvisoryRef("osv", "MAL-1"), Malicious: true, Title: "steals keys", Published: stemma.At(noon), Modified: stemma.At(noon), Standing: "open",
			Affects: []governance.Affected{{Package: "pkg:npm/cart", Ecosystem: "npm", Event: "version", Version: "1.0.0"}, {Package: "pkg:npm/unused", Ecosystem: "npm", Event: "unknown"}},
		}
		h.put(a)
		h.follow(j)
		if got := h.stands(1, "SUP-01"); got != "pass > fail" {
			t.Errorf("then it is %s", got)
		}
		if n := h.told(governance.AssessmentRef(other.Ref())); n != 1 {
			t.Errorf("what does not consist of the package was judged %d times", n)
		}
		a.Modified, a.Affects = stemma.At(noon.Add(time.Hour)), []governance.Affected{{Package: "pkg:npm/unused", Ecosystem: "npm", Event: "unknown"}}
		h.put(a)
		h.follow(j)
		if got := h.stands(1, "SUP-01"); got != "fail > pass" {
			t.Errorf("when it names the package no longer it is %s", got)
		}
		a.Modified, a.Affects = stemma.At(noon.Add(2*time.Hour)), []governance.Affected{{Package: "pkg:npm/cart", Ecosystem: "npm", Range: 1, Event: "introduced", Version: "0"}}
		h.put(a)
		h.follow(j)
		a.Modified, a.Standing = stemma.At(noon.Add(3*time.Hour)), "withdrawn"
		h.put(a)
		h.follow(j)
		if got := h.stands(1, "SUP-01"); got != "fail > pass" {
			t.Errorf("when it is taken back it is %s", got)
		}
		rounds, err := h.space.Graph.Lookup(t.Context(), stemma.KindRound, "trigger", "vulnerability", 10)
		h.must(err)
		if len(rounds) != 4 {
			t.Errorf("there are %d rounds", len(rounds))
		}
	})
}

func TestWhatARegistryTellsJudgesAgainWhatConsistsOfThePackage(t *testing.T) {
	h := newHouse(t, storagetest.SQLite(t))
	j := h.judge("settings: {package_age_days: 90}")
	h.put(append(manifest(1), shipped("1.0.0")...)...)
	h.follow(j)
	if got := h.stands(1, "SUP-01"); got != "unknown" {
		t.Errorf("before it is %s", got)
	}
	p := artifact.Package{ID: artifact.PackageRef("npm", "cart"), PURL: "pkg:npm/cart", First: stemma.At(noon.AddDate(-2, 0, 0)), Asked: stemma.At(noon)}
	h.put(p)
	h.follow(j)
	if got := h.stands(1, "SUP-01"); got != "unknown > pass" {
		t.Errorf("of an old package it is %s", got)
	}
	p.First, p.Asked = stemma.At(noon.AddDate(0, 0, -10)), stemma.At(noon.Add(time.Hour))
	h.put(p)
	h.follow(j)
	if got := h.stands(1, "SUP-01"); got != "pass > fail" {
		t.Errorf("of a young one it is %s", got)
	}
}

func TestAnExceptionHoldsUntilItsTimeIsOver(t *testing.T) {
	h := newHouse(t, storagetest.SQLite(t))
	j := h.judge("")
	h.put(merged(1))
	h.follow(j)
	h.put(governance.Exception{
		ID: governance.ExceptionRef("REV-01", "1"), Control: "REV-01", Change: merged(1).Ref(), Reason: "the site was down", Owner: ada, Approver: bo,
		Opened: stemma.At(noon), Until: stemma.At(noon.Add(24 * time.Hour)),
	})
	h.follow(j)
	if got := h.stands(1, "REV-01"); got != "fail > waived" {
		t.Errorf("with an exception it is %s", got)
	}
	h.at(noon.Add(25 * time.Hour))
	h.must(j.Due(t.Context()))
	if got := h.stands(1, "REV-01"); got != "waived > fail" {
		t.Errorf("when it is over it is %s", got)
	}
	rounds, err := h.space.Graph.Lookup(t.Context(), stemma.KindRound, "trigger", "time", 10)
	h.must(err)
	if len(rounds) != 1 {
		t.Errorf("there are %d rounds", len(rounds))
	}
}

// A forge may tell of a review before it tells of what was reviewed.
func TestAChangeThatIsOnlyNamedIsJudgedWhenItIsTold(t *testing.T) {
	h := newHouse(t, storagetest.SQLite(t))
	j := h.judge("")
	h.put(merged(2), approval(1))
	h.follow(j)
	if got := h.stands(2, "REV-01"); got != "fail" {
		t.Errorf("the other is %s", got)
	}
	h.put(approval(3))
	h.follow(j)
	h.put(merged(1))
	h.follow(j)
	if got := h.stands(1, "REV-01"); got != "pass" {
		t.Errorf("then it is %s", got)
	}
}
