package graph_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/graph/shape"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func exec(t testing.TB, db *storage.DB, query string, args ...any) {
	t.Helper()
	err := db.Write(context.Background(), func(tx *storage.Tx) error {
		_, err := tx.Exec(context.Background(), query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestInterruptedApplyResumes(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		l, g := openLedger(t, db), openGraph(t, db, house)
		facts := newStory(3).facts(300)
		add(t, l, facts...)
		stop := slices.IndexFunc(facts[150:], func(f stemma.Fact) bool { return f.Kind == "piece" }) + 150
		// A row in the way makes a batch fail in its middle.
		g.SetBatch(7)
		var id int64
		err := db.Read(context.Background(), func(tx *storage.Tx) error {
			return tx.QueryRow(context.Background(), `SELECT count(*) FROM node`).Scan(&id)
		})
		if err != nil || id != 0 {
			t.Fatalf("%d nodes before Apply, %v", id, err)
		}
		exec(t, db, `INSERT INTO graph_skip (pos, reason) SELECT $1, 'kind "stranger": not declared'`, strangerFrom(t, facts, stop))
		n, err := g.Apply(context.Background(), l)
		if err == nil {
			t.Fatal("Apply went through a row in its way")
		}
		if n%7 != 0 || n == 0 {
			t.Errorf("%d entries were applied before the failure, want whole batches of 7", n)
		}
		if at, err := g.Applied(context.Background()); err != nil || at != n {
			t.Errorf("the cursor stands at %d, %v; Apply said %d", at, err, n)
		}
		exec(t, db, `DELETE FROM graph_skip WHERE pos >= $1`, n)
		if more := apply(t, g, l); n+more != 300 {
			t.Errorf("%d and %d entries were applied, want 300 in all", n, more)
		}
		steps := dump(t, g)
		if err := g.Rebuild(context.Background(), l); err != nil {
			t.Fatal(err)
		}
		if whole := dump(t, g); whole != steps {
			t.Errorf("after an interruption it differs:\n%s", firstDifference(steps, whole))
		}
	})
}

// strangerFrom is the position of the first fact of an unknown kind from a
// position on.
func strangerFrom(t *testing.T, facts []stemma.Fact, from int) int {
	t.Helper()
	for i := from; i < len(facts); i++ {
		if facts[i].Kind == "stranger" {
			return i
		}
	}
	t.Fatal("the story has no stranger")
	return 0
}

func TestAppliersAtOnceApplyEveryEntryOnce(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		l := openLedger(t, db)
		openGraph(t, db, house)
		add(t, l, newStory(4).facts(300)...)
		counts := make([]int64, 4)
		var wg sync.WaitGroup
		for i := range counts {
			g := openGraph(t, open(), house)
			g.SetBatch(5)
			wg.Go(func() {
				n, err := g.Apply(context.Background(), l)
				if err != nil {
					t.Error(err)
				}
				counts[i] = n
			})
		}
		wg.Wait()
		var sum int64
		for _, n := range counts {
			sum += n
		}
		if sum != 300 {
			t.Errorf("four at once applied %v, in all %d, want 300", counts, sum)
		}
		g := openGraph(t, db, house)
		together := dump(t, g)
		if err := g.Rebuild(context.Background(), l); err != nil {
			t.Fatal(err)
		}
		if alone := dump(t, g); alone != together {
			t.Errorf("four at once made another graph than one:\n%s", firstDifference(alone, together))
		}
	})
}

func TestEntriesAtHandMakeTheSameGraph(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db, ctx := open(), context.Background()
		l := openLedger(t, db)
		g := openGraph(t, db, house)
		g.SetBatch(7)
		facts := newStory(8).facts(300)
		for i := 0; i < len(facts); i += 20 {
			if i%60 == 0 { // others append too
				add(t, l, facts[i:i+5]...)
			}
			entries, err := l.AppendEntries(ctx, append(slices.Clone(facts[i:i+20]), facts[:i]...)...)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := g.ApplyAppended(ctx, l, entries); err != nil || n != 20 {
				t.Fatalf("ApplyAppended took %d entries, %v, want 20", n, err)
			}
		}
		atHand := dump(t, g)
		if err := g.Rebuild(ctx, l); err != nil {
			t.Fatal(err)
		}
		if read := dump(t, g); read != atHand {
			t.Errorf("read back they make another graph:\n%s", firstDifference(atHand, read))
		}
	})
}

func TestOtherShapeFillsAgain(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		l := openLedger(t, db)
		old := openGraph(t, db, house[:3])
		add(t, l, newStory(5).facts(100)...)
		apply(t, old, l)

		g := openGraph(t, db, house)
		if n := apply(t, g, l); n != 100 {
			t.Errorf("after a change of shape Apply took %d entries, want all 100", n)
		}
		if _, err := old.Apply(context.Background(), l); err == nil {
			t.Error("a graph of the old shape still applies")
		}
		again := openGraph(t, db, slices.Concat(house[2:], house[:2]))
		if n := apply(t, again, l); n != 0 {
			t.Errorf("the same specs in another order made Apply take %d entries", n)
		}
		exec(t, db, `DROP TABLE graph_meta`)
		if n := apply(t, openGraph(t, db, house), l); n != 100 {
			t.Errorf("when nothing told of its shape any more Apply took %d entries, want all 100", n)
		}
	})
}

func TestNothingIsLostSilently(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		l, g := openLedger(t, db), openGraph(t, db, house)
		long := strings.Repeat("k", 2100)
		add(t, l,
			fact(t, "stranger:x/1", `{}`),
			fact(t, "task:x/1", `{"order":"x","end":"yesterday","select":1,"from":"a b","nope":1,"key":"`+long+`"}`),
			fact(t, "piece:x/1", `{"group":[{"end":"x"},3],"empty":{}}`,
				stemma.Edge{Door: "by", To: "task:x/1"}, stemma.Edge{Door: "nowhere", To: "task:x/1"}),
		)
		if n := apply(t, g, l); n != 3 {
			t.Fatalf("Apply took %d entries, want 3", n)
		}
		skips, err := g.Skips(context.Background(), 100)
		if err != nil {
			t.Fatal(err)
		}
		want := []shape.Skip{
			{Pos: 2, Reason: `door "by": may not lead to kind "task"`},
			{Pos: 2, Reason: `door "nowhere": not declared`},
			{Pos: 2, Reason: `list "empty": not an array`},
			{Pos: 2, Reason: `list "group": an item is not an object`},
			{Pos: 2, Reason: `list "group": attribute "end": not an integer`},
			{Pos: 1, Reason: `attribute "end": not a time`},
			{Pos: 1, Reason: `attribute "from": not a ref`},
			{Pos: 1, Reason: `attribute "key": longer than the 2048 bytes an index takes`},
			{Pos: 1, Reason: `attribute "nope": not declared`},
			{Pos: 1, Reason: `attribute "order": not an integer`},
			{Pos: 1, Reason: `attribute "select": not true or false`},
			{Pos: 0, Reason: `kind "stranger": not declared`},
		}
		if diff := cmp.Diff(want, skips); diff != "" {
			t.Errorf("Skips (-want +got):\n%s", diff)
		}
	})
}

func TestWhatIsOnlyNamedIsNotStated(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		l, g := openLedger(t, db), openGraph(t, db, house)
		ctx := context.Background()
		add(t, l, fact(t, "hand:x/0", `{}`), fact(t, "piece:x/1", `{}`, stemma.Edge{Door: "for", To: "task:x/1", Grade: stemma.GradeD, Method: "branch"}))
		apply(t, g, l)
		want := graph.Node{ID: 3, Ref: "task:x/1", Kind: "task", First: 1, Last: -1}
		if got, err := g.Node(ctx, "task:x/1"); err != nil || !cmp.Equal(got, want) {
			t.Errorf("Node = %+v, %v; want %+v", got, err, want)
		}
		add(t, l, fact(t, "task:x/1", `{"key":"A-1"}`))
		apply(t, g, l)
		want = graph.Node{ID: 3, Ref: "task:x/1", Kind: "task", First: 1, Last: 2, Grade: "C", Stated: true, Attrs: graph.Attrs{"key": "A-1"}}
		if got, err := g.Node(ctx, "task:x/1"); err != nil || !cmp.Equal(got, want) {
			t.Errorf("Node = %+v, %v; want %+v", got, err, want)
		}
		for _, ref := range []stemma.Ref{"task:x/2", "", "task:\x00", "task:\xff", "' OR 1=1 --"} {
			if _, err := g.Node(ctx, ref); !errors.Is(err, stemma.ErrNotFound) {
				t.Errorf("Node(%q): err = %v, want ErrNotFound", ref, err)
			}
		}
	})
}

func TestBestEvidenceOfAnEdgeStays(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		l, g := openLedger(t, db), openGraph(t, db, house)
		for i, e := range []stemma.Edge{
			{Grade: "D", Method: "first"},
			{Grade: "B", Method: "better"},
			{Grade: "B", Method: "as good"},
			{Grade: "C", Method: "worse"},
		} {
			e.Door, e.To = "opens", "piece:x/1"
			add(t, l, fact(t, "two-words:x/1", `{"note":"`+strings.Repeat("n", i)+`"}`, e))
		}
		for _, batch := range []int64{1, 100} {
			g.SetBatch(batch)
			if err := g.Rebuild(context.Background(), l); err != nil {
				t.Fatal(err)
			}
			out, in, err := g.Edges(context.Background(), "piece:x/1", 10)
			want := []graph.Edge{{
				From: "piece:x/1", To: "two-words:x/1", FromID: 2, ToID: 1,
				Door: "opens", Flow: stemma.Down, Grade: "B", Method: "better", Pos: 1,
			}}
			if err != nil || !cmp.Equal(out, want) || len(in) != 0 {
				t.Errorf("Edges = %+v, %+v, %v; want %+v going out", out, in, err, want)
			}
		}
	})
}
