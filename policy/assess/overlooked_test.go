package assess_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/policy/assess"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

const (
	cy  = stemma.Ref("person:2f1e2d3c4b5a69788796a5b4c3d2e1f0")
	dan = stemma.Ref("person:3f1e2d3c4b5a69788796a5b4c3d2e1f0")
)

// inProd is a deployment of a change by somebody.
func inProd(number int, id string, by stemma.Ref, ago time.Duration) deployment.Deployment {
	return deployment.Deployment{
		ID: deployment.Ref("prod", id), Environment: deployment.EnvironmentRef("prod"), Status: "success", At: stemma.At(noon.Add(-ago)), By: by,
		Brings: []stemma.Edge{{To: merged(number).Ref()}},
	}
}

// What nothing explains was brought by no change, and so nothing leads from it to one.
func TestWhatRunsAndNothingExplainsJudgesAgainWhatWasDeployedThere(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		h := newHouse(t, open())
		j := h.judge("")
		seen := func(id string, unexplained int) deployment.Snapshot {
			return deployment.Snapshot{ID: deployment.SnapshotRef("prod", id), Environment: deployment.EnvironmentRef("prod"), Taken: stemma.At(h.now()), Things: 1, Unexplained: unexplained}
		}
		h.put(deployment.Environment{Name: "prod"}, merged(1), merged(2), inProd(2, "old", bo, time.Hour), inProd(1, "new", bo, 30*time.Minute))
		h.follow(j)
		h.put(seen("1", 0))
		h.follow(j)
		if got := h.stands(1, "DEP-02"); got != "unknown > pass" {
			t.Errorf("looked at, it is %s", got)
		}
		h.put(seen("2", 1))
		h.follow(j)
		if got := h.stands(1, "DEP-02"); got != "pass > fail" {
			t.Errorf("with something that nobody deployed, it is %s", got)
		}
		if n := h.told(governance.AssessmentRef(merged(2).Ref())); n != 1 {
			t.Errorf("what was replaced before was judged %d times", n)
		}
	})
}

func TestWhoDeployedAndTurnsOutToHaveWrittenItIsJudgedAgain(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		h := newHouse(t, open())
		j := h.judge("")
		_, sha := head.Split()
		h.put(change.Commit{SHA: strings.TrimPrefix(sha, "sha1/"), Repository: repository, Author: dan}, deployment.Environment{Name: "prod"}, merged(1), inProd(1, "1", bo, time.Minute))
		h.follow(j)
		if got := h.stands(1, "DEP-01"); got != "pass" {
			t.Errorf("deployed by somebody else it is %s", got)
		}
		h.put(identity.NewTie(identity.TieAccountMail, cy, dan))
		h.put(identity.NewTie(identity.TieAccountMail, bo, cy))
		h.follow(j)
		if got := h.stands(1, "DEP-01"); got != "pass > fail" {
			t.Errorf("deployed by who wrote it, it is %s", got)
		}
	})
}

func TestWhoGrantedAndTurnsOutToHaveAskedIsJudgedAgain(t *testing.T) {
	h := newHouse(t, storagetest.SQLite(t))
	j := h.judge("")
	h.put(merged(1), governance.Exception{
		ID: governance.ExceptionRef("REV-01", "1"), Control: "REV-01", Change: merged(1).Ref(), Reason: "the site is down", Owner: cy, Approver: dan,
		Opened: stemma.At(noon.Add(-time.Minute)), Approved: stemma.At(noon), Until: stemma.At(noon.Add(time.Hour)),
	})
	h.follow(j)
	if got := h.stands(1, "REV-01"); got != "waived" {
		t.Errorf("granted by somebody else it is %s", got)
	}
	h.put(identity.NewTie(identity.TieAccountMail, cy, dan))
	h.follow(j)
	if got := h.stands(1, "REV-01"); got != "waived > fail" {
		t.Errorf("granted by who asked, it is %s", got)
	}
}

func TestAnEnvironmentThatTurnsOutToBeProductionJudgesAgain(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		h := newHouse(t, open())
		j := h.judge("")
		d := inProd(1, "1", ada, time.Minute)
		d.Environment = deployment.EnvironmentRef("live")
		h.put(deployment.Environment{Name: "live"}, merged(1), d)
		h.follow(j)
		if got := h.stands(1, "DEP-01"); got != "not-applicable" {
			t.Errorf("in some environment it is %s", got)
		}
		h.put(deployment.Environment{Name: "live", Tier: "production"})
		h.follow(j)
		if got := h.stands(1, "DEP-01"); got != "not-applicable > fail" {
			t.Errorf("in production it is %s", got)
		}
		h.put(deployment.Environment{Name: "live", Tier: "production"}, deployment.Environment{Name: "live"})
		h.follow(j)
		if n := h.told(governance.AssessmentRef(merged(1).Ref())); n != 2 {
			t.Errorf("there are %d verdicts", n)
		}
	})
}

func TestAnIncidentThatIsToldLateConcernsWhatMendsItsCause(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		h := newHouse(t, open())
		cause, mends, other := merged(1).Ref(), merged(2).Ref(), merged(3).Ref()
		confirmed, suspected := stemma.NewRef(stemma.KindIncident, "x", "1"), stemma.NewRef(stemma.KindIncident, "x", "2")
		h.link(confirmed, "caused-by", cause)
		h.link(suspected, "suspects", cause)
		h.link(mends, "fixes", cause)
		h.link(other, "fixes", mends)
		h.put()
		for of, want := range map[stemma.Ref][]stemma.Ref{confirmed: {cause, mends}, suspected: {cause}} {
			got, err := assess.Concerned(t.Context(), h.space.DB, []stemma.Ref{of})
			if h.must(err); !slices.Equal(got, want) {
				t.Errorf("%s concerns %v, want %v", of, got, want)
			}
		}
	})
}

// A gateway puts its own name before that of a model.
func TestAnAdvisoryIsAboutAModelHoweverItIsSpelled(t *testing.T) {
	for _, name := range []string{"anthropic/claude-opus-4-6", "openrouter/anthropic/claude-opus-4.6", "claude-opus-4.6"} {
		h := newHouse(t, storagetest.SQLite(t))
		j := h.judge("")
		model := identity.ParseModel(name)
		c := merged(1)
		made := session.Session{Tool: "codex", ExternalID: "1", Operator: []stemma.Edge{{To: ada}}, Started: stemma.At(noon.Add(-3 * time.Hour)), Models: []session.ModelUse{{Model: model.Ref(), Name: name}}}
		c.Sessions, c.Size, c.Lines = []stemma.Edge{{To: made.Ref()}}, &change.Size{Added: 3}, &change.Lines{AI: 3}
		h.put(model, made, c)
		h.follow(j)
		h.put(about("claude-opus-4-6*"))
		h.follow(j)
		if got := h.stands(1, "MOD-02"); got != "pass > fail" {
			t.Errorf("%s with an advisory is %s", name, got)
		}
	}
}

func TestAnAdvisoryAboutTheModelOfAPlannerJudgesWhatItsWorkersMade(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		h := newHouse(t, open())
		j := h.judge("")
		made := func(name, model string) session.Session {
			m := identity.ParseModel(model)
			h.put(m)
			return session.Session{Tool: "codex", ExternalID: name, Operator: []stemma.Edge{{To: ada}}, Started: stemma.At(noon.Add(-3 * time.Hour)), Models: []session.ModelUse{{Model: m.Ref(), Name: model}}}
		}
		planner, worker := made("planner", "claude-opus-4-6"), made("worker", "claude-haiku-4-5")
		worker.Parent = planner.Ref()
		c := merged(1)
		c.Sessions, c.Size, c.Lines = []stemma.Edge{{To: worker.Ref()}}, &change.Size{Added: 3}, &change.Lines{AI: 3}
		h.put(planner, worker, c)
		h.follow(j)
		h.put(about("claude-opus-4-6*"))
		h.follow(j)
		if got := h.stands(1, "MOD-02"); got != "pass > fail" {
			t.Errorf("with an advisory it is %s", got)
		}
	})
}

// Whoever can judge a change again closes the gap, also a process that did not open it. It is
// spoiled in SQLite, whose columns take what is no time.
func TestAGapOfAChangeThatCouldNotBeJudgedEndsWhoeverMendsIt(t *testing.T) {
	h := newHouse(t, storagetest.SQLite(t))
	h.put(merged(1))
	h.follow(h.judge(""))
	spoil := func(set string) {
		h.must(h.space.DB.Write(t.Context(), func(tx *storage.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE k_change SET `+set)
			return err
		}))
	}
	spoil(`opened = 'never'`)
	h.judged(h.judge(""), 1)
	spoil(`opened = 0`)
	j := h.judge("")
	h.must(j.CheckLog(t.Context()))
	h.judged(j, 1)
	h.follow(j)
	if got := h.stands(1, "INT-03"); got != "fail > pass" {
		t.Errorf("when it could be judged again, that nothing is missing is %s", got)
	}
	gaps, err := h.space.Graph.Lookup(t.Context(), stemma.KindGap, "source", "policy", 10)
	h.must(err)
	h.must(h.space.Graph.Fill(t.Context(), gaps))
	if len(gaps) != 1 || !gaps[0].Attrs.Bool("closed") {
		t.Errorf("%+v", gaps)
	}
}
