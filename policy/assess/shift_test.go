package assess_test

import (
	"context"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/policy/assess"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// madeBy are changes that one model made.
func madeBy(name string, changes int) []ingest.Record {
	model := identity.ParseModel(name)
	run := session.Session{Tool: "codex", ExternalID: "s1", Started: stemma.At(noon.Add(-3 * time.Hour)), Models: []session.ModelUse{{Model: model.Ref(), Name: name}}}
	records := []ingest.Record{model, run}
	for n := range changes {
		c := merged(n + 1)
		c.Sessions, c.Size, c.Lines = []stemma.Edge{{To: run.Ref(), Method: "note"}}, &change.Size{Added: 3}, &change.Lines{AI: 3}
		records = append(records, c)
	}
	return records
}

func about(model string) governance.Advisory {
	return governance.Advisory{ID: governance.AdvisoryRef("acme", "A-1"), Model: model, Title: "leaves secrets", Severity: "high", Published: stemma.At(noon)}
}

// oneRound checks that changes turned once, and that one round tells of all of them.
func (h *house) oneRound(trigger, control string, changes int) {
	h.t.Helper()
	for n := range changes {
		if got, told := h.stands(n+1, control), h.told(governance.AssessmentRef(merged(n+1).Ref())); got != "pass > fail" || told != 2 {
			h.t.Errorf("#%d is %s, by %d verdicts", n+1, got, told)
		}
	}
	rounds, err := h.space.Graph.Lookup(h.t.Context(), stemma.KindRound, "trigger", trigger, 10)
	h.must(err)
	if len(rounds) != 1 {
		h.t.Fatalf("there are %d rounds", len(rounds))
	}
	turns, err := h.space.Graph.List(h.t.Context(), rounds[0], "turn")
	h.must(err)
	nodes := []graph.Node{rounds[0]}
	h.must(h.space.Graph.Fill(h.t.Context(), nodes))
	listed := map[stemma.Ref]bool{}
	for _, t := range turns {
		listed[t.Ref("change")] = true
	}
	judged, _ := nodes[0].Attrs.Int("judged")
	turned, _ := nodes[0].Attrs.Int("turned")
	if judged != int64(changes) || turned != int64(changes) || len(listed) != changes {
		h.t.Errorf("the round tells of %d judged, %d turned, and lists %d", judged, turned, len(listed))
	}
}

// TestARoundThatIsKilledGoesOn: wherever a process ends without a word, another does what is left,
// states nothing twice, and the round lists everything.
func TestARoundThatIsKilledGoesOn(t *testing.T) {
	for calls := 1; ; calls++ {
		h := newHouse(t, storagetest.SQLite(t))
		j := h.judge("")
		h.put(madeBy("claude-opus-4-6", 3)...)
		h.follow(j)
		h.put(about("claude-opus-4*"))
		left := calls
		j.Now = func() time.Time {
			if left--; left == 0 {
				runtime.Goexit()
			}
			return h.now()
		}
		var life sync.WaitGroup
		life.Go(func() { h.follow(j) })
		life.Wait()
		if left > 0 {
			if calls < 8 {
				t.Errorf("it was killed at %d places only", calls)
			}
			return
		}
		h.at(noon.Add(2 * time.Minute))
		other := h.judge("")
		for range 3 {
			h.follow(other)
		}
		h.oneRound(assess.OnAdvisory, "MOD-02", 3)
		if t.Failed() {
			t.Fatalf("killed at place %d", calls)
		}
	}
}

func TestSeveralJudgesDoOneRound(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		h := newHouse(t, open())
		h.put(madeBy("claude-opus-4-6", 20)...)
		h.follow(h.judge(""))
		h.put(about("claude-opus-4*"))
		var all sync.WaitGroup
		for range 4 {
			j := h.judge("")
			all.Go(func() {
				if err := j.Feeds(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		h.oneRound(assess.OnAdvisory, "MOD-02", 20)
	})
}

// TestAChangeThatCannotBeJudgedHoldsUpNoOther: what is wrong with it is a gap until it is mended, and it is not
// tried again all the time.
func TestAChangeThatCannotBeJudgedHoldsUpNoOther(t *testing.T) {
	h := newHouse(t, storagetest.SQLite(t))
	h.put(merged(1), merged(2), merged(3))
	h.follow(h.judge(""))
	spoil := func(set string) {
		h.must(h.space.DB.Write(t.Context(), func(tx *storage.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE k_change SET `+set+` WHERE number = 2`)
			return err
		}))
	}
	spoil(`opened = 'never'`)
	j := h.judge("mode: enforce")
	var said strings.Builder
	j.Log = slog.New(slog.NewTextHandler(&said, nil))
	for range 4 {
		h.must(j.Policy(t.Context()))
	}
	for number, want := range map[int]int{1: 2, 2: 1, 3: 2} {
		if n := h.told(governance.AssessmentRef(merged(number).Ref())); n != want {
			t.Errorf("on #%d there are %d verdicts, want %d", number, n, want)
		}
	}
	if n := strings.Count(said.String(), "cannot be judged"); n != 2 { // with the others, and alone
		t.Errorf("it was tried %d times", n)
	}
	gaps, err := h.space.Graph.Lookup(t.Context(), stemma.KindGap, "source", assess.Source, 10)
	if h.must(err); len(gaps) != 1 {
		t.Errorf("there are %d gaps", len(gaps))
	}
	spoil(`opened = 0`)
	h.at(noon.Add(2 * time.Minute))
	h.must(j.Policy(t.Context()))
	if n := h.told(governance.AssessmentRef(merged(2).Ref())); n != 2 {
		t.Errorf("mended, there are %d verdicts on it", n)
	}
}

// TestARoundHoldsUpNoHead: while a round about many changes stands still in its midst, a new head gets its verdict.
func TestARoundHoldsUpNoHead(t *testing.T) {
	h := newHouse(t, storagetest.SQLite(t))
	j := h.judge("")
	h.put(madeBy("claude-opus-4-6", 3)...)
	h.follow(j)
	goOn := j.Hold()
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { j.Run(ctx) })
	h.put(about("claude-opus-4*"))
	h.begun("policy-feeds")
	c := merged(9)
	c.State, c.Merged, c.Commits = "open", 0, nil
	h.put(c)
	h.until("the head is judged", func() bool { return h.told(governance.AssessmentRef(c.Ref())) == 1 })
	if got := h.stands(1, "MOD-02"); got != "pass" {
		t.Errorf("the round went on meanwhile: %s", got)
	}
	goOn()
	h.until("the round ends", func() bool { return h.stands(3, "MOD-02") == "pass > fail" })
	stop()
	running.Wait()
}

// TestARoundThatIsStoppedGoesOnAtOnce: a server that is stopped in good order leaves its round to the others.
func TestARoundThatIsStoppedGoesOnAtOnce(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		h := newHouse(t, open())
		j := h.judge("")
		h.put(madeBy("claude-opus-4-6", 3)...)
		h.follow(j)
		h.put(about("claude-opus-4*"))
		goOn := j.Hold()
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { j.Run(ctx) })
		h.begun("policy-feeds")
		stop()
		goOn()
		running.Wait()
		h.must(h.judge("").Feeds(t.Context()))
		h.oneRound(assess.OnAdvisory, "MOD-02", 3)
	})
}

func (h *house) begun(source string) {
	h.t.Helper()
	h.until("the round begins", func() bool {
		b, err := h.space.Bookmark(h.t.Context(), source)
		h.must(err)
		return strings.Contains(b.State, `"begun"`)
	})
}

// until waits for what comes by itself.
func (h *house) until(what string, done func() bool) {
	h.t.Helper()
	for range 3000 {
		if done() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	h.t.Fatalf("it was waited for in vain until %s", what)
}
