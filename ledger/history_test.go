package ledger_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/ledger/seal"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// A history drives ledgers over one space with random steps and knows what
// must be in it.
type history struct {
	*testing.T
	rng     *rand.Rand
	open    func() *storage.DB
	key     *seal.Key
	handles []*ledger.Ledger // several processes, as it were
	next    int              // the next sample that was never appended
	facts   []stemma.Fact    // by position
	at      map[stemma.Digest]int64
	tree    naiveTree
}

func newHistory(t *testing.T, open func() *storage.DB, seed uint64) *history {
	h := &history{
		T: t, rng: rand.New(rand.NewPCG(seed, 6962)), open: open, key: newKey(t),
		at: map[stemma.Digest]int64{},
	}
	h.reopen()
	return h
}

func (h *history) reopen() { h.handles = append(h.handles, openLedger(h, h.open(), h.key)) }

// ledger is any of the open handles.
func (h *history) ledger() *ledger.Ledger { return h.handles[h.rng.IntN(len(h.handles))] }

// some draws facts, new ones and some that may be there already.
func (h *history) some(n int) []stemma.Fact {
	facts := make([]stemma.Fact, n)
	for i := range facts {
		if h.next > 0 && h.rng.IntN(4) == 0 {
			facts[i] = sample(h.rng.IntN(h.next))
			continue
		}
		facts[i] = sample(h.next)
		h.next++
	}
	return facts
}

// expect learns positions that an Append returned: those of known facts must
// be the old ones, those of the others the next ones in order.
func (h *history) expect(facts []stemma.Fact, positions []int64) {
	h.Helper()
	if len(positions) != len(facts) {
		h.Fatalf("%d positions for %d facts", len(positions), len(facts))
	}
	for i, f := range facts {
		id := factID(f)
		want, known := h.at[id]
		if !known {
			want = int64(len(h.facts))
			h.at[id] = want
			h.facts = append(h.facts, f)
		}
		if positions[i] != want {
			h.Fatalf("fact %s went to %d, want %d", f.Subject, positions[i], want)
		}
	}
}

func factID(f stemma.Fact) stemma.Digest {
	b, err := f.Canonical()
	if err != nil {
		panic(err)
	}
	return stemma.ID(b)
}

func (h *history) append(facts []stemma.Fact) {
	h.Helper()
	positions, err := h.ledger().Append(h.Context(), facts...)
	if err != nil {
		h.Fatal(err)
	}
	h.expect(facts, positions)
}

// concurrently lets several callers append at once, one of them nonsense.
func (h *history) concurrently() {
	h.Helper()
	type result struct {
		facts     []stemma.Fact
		positions []int64
	}
	results := make([]result, 2+h.rng.IntN(4))
	var wg sync.WaitGroup
	for i := range results {
		facts, l := h.some(1+h.rng.IntN(3)), h.ledger()
		wg.Go(func() {
			positions, err := l.Append(h.Context(), facts...)
			if err != nil {
				h.Error(err)
			}
			results[i] = result{facts, positions}
		})
	}
	l := h.ledger()
	wg.Go(func() {
		var invalid *stemma.InvalidError
		if _, err := l.Append(h.Context(), sample(h.next+1000), stemma.Fact{Subject: "nonsense"}); !errors.As(err, &invalid) {
			h.Errorf("a bad fact: %v", err)
		}
	})
	wg.Wait()
	if h.Failed() {
		h.FailNow()
	}
	// Calls may be in any order, but each is in its own.
	slices.SortStableFunc(results, func(a, b result) int {
		return int(slices.Max(a.positions) - slices.Max(b.positions))
	})
	fresh := map[int64]stemma.Fact{}
	for _, r := range results {
		last := int64(-1)
		for i, f := range r.facts {
			pos := r.positions[i]
			if want, known := h.at[factID(f)]; known && want != pos {
				h.Fatalf("fact %s is at %d and again at %d", f.Subject, want, pos)
			} else if !known {
				if other, twice := fresh[pos]; twice && factID(other) != factID(f) {
					h.Fatalf("position %d was given to two facts", pos)
				}
				if _, dup := fresh[pos]; !dup && pos < last {
					h.Fatalf("positions %v are not in call order", r.positions)
				}
				fresh[pos] = f
				last = max(last, pos)
			}
		}
	}
	for range len(fresh) {
		f, ok := fresh[int64(len(h.facts))]
		if !ok {
			h.Fatalf("nobody was given position %d", len(h.facts))
		}
		h.at[factID(f)] = int64(len(h.facts))
		h.facts = append(h.facts, f)
	}
}

func (h *history) step() string {
	h.Helper()
	switch what := h.rng.IntN(10); {
	case what < 3:
		h.append(h.some(1))
		return "one"
	case what < 6:
		h.append(h.some(2 + h.rng.IntN(5)))
		return "batch"
	case what < 7:
		facts := h.some(2)
		h.append(append(facts, facts...))
		return "twice"
	case what < 9:
		h.concurrently()
		return "concurrent"
	default:
		if len(h.handles) > 4 {
			h.handles = h.handles[1:]
		}
		h.reopen()
		return "reopen"
	}
}

// check compares everything that the ledger says with the facts that are known
// to be in it and with the naive tree over them.
func (h *history) check(every int) {
	h.Helper()
	ctx, l, n := h.Context(), h.ledger(), len(h.facts)
	if size, err := l.Size(ctx); err != nil || size != int64(n) {
		h.Fatalf("Size() = %d, %v; want %d", size, err, n)
	}
	if err := l.Verify(ctx, func(p ledger.Problem) { h.Error(p) }); err != nil {
		h.Fatal(err)
	}
	h.readLeaves(l)
	if n == 0 {
		return
	}
	root := h.tree.hash(0, n)
	c, err := l.Checkpoint(ctx)
	if err != nil {
		h.Fatal(err)
	}
	verifier, err := note.NewVerifier(h.key.VerifierKey())
	if err != nil {
		h.Fatal(err)
	}
	signed, err := seal.Open(c.Note, "log.example.com/acme", verifier)
	if err != nil || signed.Size != int64(n) || signed.Root != root {
		h.Fatalf("checkpoint %q (%v), want size %d and root %s", c.Note, err, n, root)
	}
	for m := h.rng.IntN(every); m < n; m += every {
		h.checkProofs(l, m, n)
	}
}

// readLeaves reads the entries that are new to the naive tree.
func (h *history) readLeaves(l *ledger.Ledger) {
	h.Helper()
	for e, err := range l.Entries(h.Context(), int64(len(h.tree.leaves))) {
		if err != nil {
			h.Fatal(err)
		}
		if e.Pos != int64(len(h.tree.leaves)) || e.Pos >= int64(len(h.facts)) || e.ID != factID(h.facts[e.Pos]) || factID(e.Fact) != e.ID {
			h.Fatalf("entry %d is %s with id %s; it should be entry %d", e.Pos, e.Fact.Subject, e.ID, len(h.tree.leaves))
		}
		if !e.Recorded.Equal(at()) || len(e.Salt) != 32 {
			h.Fatalf("entry %d was recorded at %s with a salt of %d bytes", e.Pos, e.Recorded, len(e.Salt))
		}
		b, err := e.Fact.Canonical()
		if err != nil {
			h.Fatal(err)
		}
		h.tree.leaves = append(h.tree.leaves, stemma.Sum(slices.Concat([]byte("stemma/leaf/v1"), e.Salt, b)))
	}
	if len(h.tree.leaves) != len(h.facts) {
		h.Fatalf("%d entries, want %d", len(h.tree.leaves), len(h.facts))
	}
}

// checkProofs compares the proofs of entry m and of the tree of m+1 entries.
func (h *history) checkProofs(l *ledger.Ledger, m, n int) {
	h.Helper()
	root := h.tree.hash(0, n)
	inclusion, err := l.Inclusion(h.Context(), int64(m), int64(n))
	if err != nil || !slices.Equal(inclusion, h.tree.path(m, 0, n)) {
		h.Fatalf("Inclusion(%d, %d) = %v, %v; want %v", m, n, inclusion, err, h.tree.path(m, 0, n))
	}
	if err := tlog.CheckRecord(inclusion, int64(n), root, int64(m), h.tree.hash(m, m+1)); err != nil {
		h.Fatalf("Inclusion(%d, %d): %v", m, n, err)
	}
	consistency, err := l.Consistency(h.Context(), int64(m+1), int64(n))
	if err != nil || !slices.Equal(consistency, h.tree.proof(m+1, n)) {
		h.Fatalf("Consistency(%d, %d) = %v, %v; want %v", m+1, n, consistency, err, h.tree.proof(m+1, n))
	}
	if err := tlog.CheckTree(consistency, int64(n), root, int64(m+1), h.tree.hash(0, m+1)); err != nil {
		h.Fatalf("Consistency(%d, %d): %v", m+1, n, err)
	}
}

func TestTreeAndProofsAgreeAfterEveryStepOfARandomHistory(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		h := newHistory(t, open, 1)
		h.check(1)
		var done []string
		for range 60 {
			done = append(done, h.step())
			h.check(1)
		}
		for _, what := range []string{"one", "batch", "twice", "concurrent", "reopen"} {
			if !slices.Contains(done, what) {
				t.Errorf("the history had no step %q", what)
			}
		}
	})
}

func TestTreeAndProofsAgreeAfterLargeBatches(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		h := newHistory(t, open, 2)
		for _, n := range []int{700, 1, 1000, 2500, 3, 64, 255} {
			h.append(h.some(n))
			h.reopen()
			h.check(97)
		}
	})
}
