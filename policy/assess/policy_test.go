package assess_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/policy/assess"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestAnotherPolicyJudgesAgainAndTellsTheDifference(t *testing.T) {
	h := newHouse(t, storagetest.SQLite(t))
	h.put(merged(1))
	h.follow(h.judge(""))
	j := h.judge("mode: enforce")
	h.must(j.Policy(t.Context()))
	n, err := h.space.Graph.Node(t.Context(), governance.AssessmentRef(merged(1).Ref()))
	h.must(err)
	nodes := []graph.Node{n}
	h.must(h.space.Graph.Fill(t.Context(), nodes))
	if a := nodes[0].Attrs; !a.Bool("blocks") || a.Text("trigger") != "policy" {
		t.Errorf("%v", a)
	}
	if got := h.told(n.Ref); got != 2 {
		t.Errorf("there are %d verdicts", got)
	}
	h.must(j.Policy(t.Context()))
	if got := h.told(n.Ref); got != 2 {
		t.Errorf("judged again by the same policy there are %d verdicts", got)
	}
}

// While servers are replaced, the one of before does not judge against the new one.
func TestOnlyTheNewestPolicyJudges(t *testing.T) {
	h := newHouse(t, storagetest.SQLite(t))
	h.put(merged(1))
	old, renewed := h.judge(""), h.judge("mode: enforce")
	ctx, stop := context.WithCancel(t.Context())
	var both sync.WaitGroup
	for _, j := range []*assess.Judge{old, renewed} {
		both.Go(func() { j.Run(ctx) })
	}
	for range 200 {
		if h.told(governance.AssessmentRef(merged(1).Ref())) > 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	time.Sleep(1200 * time.Millisecond) // each looks twice
	stop()
	both.Wait()
	by := map[stemma.Ref]int{}
	for e, err := range h.space.Ledger.About(t.Context(), governance.AssessmentRef(merged(1).Ref())) {
		h.must(err)
		a, err := governance.AssessmentFromFact(e.Fact)
		h.must(err)
		by[a.Policy]++
	}
	for policy, n := range by {
		if len(by) != 1 || n > 2 { // the second knows that the log was verified
			t.Errorf("%s made %d verdicts", policy, n)
		}
	}
}

// inForce checks which of some judges may judge.
func (h *house) inForce(which int, judges ...*assess.Judge) {
	h.t.Helper()
	for i, j := range judges {
		ours, err := j.Current(h.t.Context())
		h.must(err)
		if ours != (i == which) {
			h.t.Errorf("judge %d judges: %v", i, ours)
		}
	}
}

func TestAClockThatWasAheadHoldsUpNoPolicy(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		h := newHouse(t, open())
		h.at(noon.AddDate(10, 0, 0))
		ahead := h.judge("")
		h.at(noon)
		renewed := h.judge("mode: enforce")
		h.inForce(1, ahead, renewed)
		h.at(noon.AddDate(-10, 0, 0))
		h.inForce(2, ahead, renewed, h.judge("settings: {packages: [a]}"))
		h.must(h.space.Graph.Rebuild(t.Context(), h.space.Ledger))
		h.inForce(-1, ahead, renewed)
	})
}

// Of two servers with different policies the one that was started last judges, until the other
// is started again; none of them states its policy over and over.
func TestOfTwoPoliciesTheOneThatWasStartedLastJudges(t *testing.T) {
	h := newHouse(t, storagetest.SQLite(t))
	var said strings.Builder
	one := h.judge("")
	one.Log = slog.New(slog.NewTextHandler(&said, nil))
	h.inForce(0, one)
	two := h.judge("mode: enforce")
	for range 3 {
		h.inForce(1, one, two)
	}
	if n := strings.Count(said.String(), "another policy is in force"); n != 1 {
		t.Errorf("that another policy is in force was said %d times:\n%s", n, &said)
	}
	for _, again := range []struct {
		text string
		by   int
	}{{"mode: enforce", 1}, {"", 0}, {"", 0}, {"mode: enforce", 1}} {
		before, err := h.space.Ledger.Size(t.Context())
		h.must(err)
		was, err := one.Current(t.Context())
		h.must(err)
		h.judge(again.text)
		h.inForce(again.by, one, two)
		after, err := h.space.Ledger.Size(t.Context())
		h.must(err)
		if stated := after > before; stated != (was != (again.by == 0)) {
			t.Errorf("started again with %q its policy was stated: %v", again.text, stated)
		}
	}
	if n := strings.Count(said.String(), "in force again"); n != 1 {
		t.Errorf("that it judges again was said %d times:\n%s", n, &said)
	}
}
