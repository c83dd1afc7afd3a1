package between_test

import (
	random "crypto/rand"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/graph/between"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/ledger/seal"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

const kind = stemma.Kind("commit")

var specs = []stemma.KindSpec{{
	Kind: kind, Columns: []stemma.Column{{Name: "committed", Type: stemma.Time, Index: true}},
	Doors: []stemma.Door{{Name: "parent", To: []stemma.Kind{kind}}},
}}

// A history is made with its answers beside it.
type history struct {
	t       testing.TB
	db      *storage.DB
	parents [][]int // of each, by number from 0
	at      []int64
}

func (h *history) add(at int64, parents ...int) int {
	h.parents, h.at = append(h.parents, parents), append(h.at, at)
	return len(h.parents) - 1
}

// store writes the history; things without a time are known by name alone.
func (h *history) store() {
	h.t.Helper()
	key, err := seal.NewKey(random.Reader, "log.example.com/acme")
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := ledger.Open(h.t.Context(), h.db, ledger.Config{Signer: key, Now: time.Now, Rand: random.Reader}); err != nil {
		h.t.Fatal(err)
	}
	if _, err := graph.Open(h.t.Context(), h.db, specs); err != nil {
		h.t.Fatal(err)
	}
	err = h.db.Write(h.t.Context(), func(tx *storage.Tx) error {
		exec := func(query string, args ...any) error { _, err := tx.Exec(h.t.Context(), query, args...); return err }
		if err := exec("INSERT INTO door (id, name, flow) SELECT 7, 'parent', 0 WHERE NOT EXISTS (SELECT 1 FROM door WHERE name = 'parent')"); err != nil {
			return err
		}
		for i := range h.parents {
			if err := exec("INSERT INTO node (id, ref, kind, first_pos, last_pos, grade, stated) VALUES ($1, $2, 'commit', 0, 0, 'a', 1)", i+1, fmt.Sprintf("commit:sha1/%040x", i+1)); err != nil {
				return err
			}
			if h.at[i] > 0 {
				if err := exec("INSERT INTO k_commit (id, committed) VALUES ($1, $2)", i+1, h.at[i]); err != nil {
					return err
				}
			}
			for _, p := range h.parents[i] {
				if err := exec("INSERT INTO edge (src, door, dst, grade, basis, method, pos) SELECT $1, id, $2, 'a', '', '', 0 FROM door WHERE name = 'parent'", i+1, p+1); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// reach is what some reach, in the simplest way.
func (h *history) reach(from []int) map[int]bool {
	seen := map[int]bool{}
	for next := slices.Clone(from); len(next) > 0; {
		i := next[0]
		next = next[1:]
		if !seen[i] {
			seen[i] = true
			next = append(next, h.parents[i]...)
		}
	}
	return seen
}

func (h *history) want(tips, not []int) (ids []int64) {
	without := h.reach(not)
	for i := range h.reach(tips) {
		if !without[i] {
			ids = append(ids, int64(i+1))
		}
	}
	slices.Sort(ids)
	return ids
}

func (h *history) got(tips, not []int) (d between.Difference) {
	h.t.Helper()
	numbers := func(list []int) (ids []int64) {
		for _, i := range list {
			ids = append(ids, int64(i+1))
		}
		return ids
	}
	err := h.db.Read(h.t.Context(), func(tx *storage.Tx) error {
		w, err := between.Of(h.t.Context(), tx, kind, "parent", "committed")
		if err != nil {
			return err
		}
		d, err = w.Difference(h.t.Context(), numbers(tips), numbers(not))
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return d
}

const hour = int64(time.Hour / time.Microsecond)

func TestDifferenceOfRandomHistories(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		rng := rand.New(rand.NewPCG(1, 2))
		h := &history{t: t, db: open()}
		h.add(1000 * hour)
		for i := 1; i < 5000; i++ {
			parents := []int{max(0, i-1-rng.IntN(3))}
			if rng.IntN(4) == 0 {
				if p := max(0, i-1-rng.IntN(60)); p != parents[0] {
					parents = append(parents, p)
				}
			}
			h.add((1000+int64(i))*hour+rng.Int64N(48*hour), parents...) // clocks differ
		}
		h.store()
		for range 40 {
			some := func(n int) (list []int) {
				for range n {
					list = append(list, rng.IntN(len(h.parents)))
				}
				return list
			}
			tips, not := some(1+rng.IntN(3)), some(rng.IntN(3))
			ids := h.got(tips, not).IDs
			if !slices.IsSortedFunc(ids, func(a, b int64) int { return int(h.at[b-1] - h.at[a-1]) }) {
				t.Error("not the newest first")
			}
			slices.Sort(ids)
			if diff := cmp.Diff(h.want(tips, not), ids); diff != "" {
				t.Fatalf("%v without %v (-want +got):\n%s", tips, not, diff)
			}
		}
	})
}

func TestAHistoryThatIsNotAllHereIsSaidToBeCut(t *testing.T) {
	h := &history{t: t, db: storagetest.SQLite(t)}
	lost := h.add(0)
	one := h.add(10*hour, lost)
	two := h.add(11*hour, one)
	h.store()
	if d := h.got([]int{two}, nil); len(d.IDs) != 3 || !slices.Equal(d.Cut, []int64{int64(lost + 1)}) {
		t.Errorf("%+v", d)
	}
	if d := h.got([]int{two}, []int{one}); !slices.Equal(d.IDs, []int64{int64(two + 1)}) || d.Cut != nil {
		t.Errorf("%+v", d)
	}
	if d := h.got([]int{two}, []int{two}); d.IDs != nil {
		t.Errorf("%+v", d)
	}
}
