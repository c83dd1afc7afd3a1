package walk_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	mrand "math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/graph/walk"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/ledger/seal"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

func at() time.Time { return time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC) }

func fact(t testing.TB, subject stemma.Ref, edges ...stemma.Edge) stemma.Fact {
	t.Helper()
	f, err := stemma.NewFact(subject, json.RawMessage("{}"), stemma.Provenance{Source: "test", Grade: stemma.GradeC, Occurred: at(), Edges: edges})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// graphOf is the graph of those facts.
func graphOf(t testing.TB, db *storage.DB, facts []stemma.Fact) *graph.Graph {
	t.Helper()
	ctx := context.Background()
	key, err := seal.NewKey(rand.Reader, "log.example.com/acme")
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(ctx, db, ledger.Config{Signer: key, Now: at, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	g, err := graph.Open(ctx, db, web)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(ctx, facts...); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Apply(ctx, l); err != nil {
		t.Fatal(err)
	}
	return g
}

// web is a kind with every flow of door to itself.
var web = []stemma.KindSpec{{Kind: "dot", Doors: []stemma.Door{
	{Name: "aside", To: []stemma.Kind{"dot"}},
	{Name: "both", To: []stemma.Kind{"dot"}, Flow: stemma.Both},
	{Name: "down", To: []stemma.Kind{"dot"}, Flow: stemma.Down},
	{Name: "up", To: []stemma.Kind{"dot"}, Flow: stemma.Up},
}}}

func dot(n int) stemma.Ref { return stemma.NewRef("dot", "x", fmt.Sprint(n)) }

// A plain is a graph in plain maps: for each thing, what a step up leads to.
type plain map[stemma.Ref]map[stemma.Ref]bool

func (p plain) arrow(effect, cause stemma.Ref) {
	if p[effect] == nil {
		p[effect] = map[stemma.Ref]bool{}
	}
	p[effect][cause] = true
}

// distances are those of everything that can be reached from ref.
func (p plain) distances(ref stemma.Ref) map[stemma.Ref]int {
	found := map[stemma.Ref]int{ref: 0}
	for front := []stemma.Ref{ref}; len(front) > 0; {
		var next []stemma.Ref
		for _, r := range front {
			for to := range p[r] {
				if _, seen := found[to]; !seen {
					found[to] = found[r] + 1
					next = append(next, to)
				}
			}
		}
		front = next
	}
	return found
}

// randomWeb appends facts about n dots, without doors that bind both ways
// unless asked for, and returns the plain graphs up and down.
func randomWeb(t *testing.T, r *mrand.Rand, n int, both bool) (facts []stemma.Fact, ups, downs plain) {
	ups, downs = plain{}, plain{}
	doors := []string{"aside", "down", "up"}
	if both {
		doors = append(doors, "both")
	}
	arrow := func(effect, cause stemma.Ref) { ups.arrow(effect, cause); downs.arrow(cause, effect) }
	for i := range n {
		var edges []stemma.Edge
		for range r.IntN(3) {
			e := stemma.Edge{Door: doors[r.IntN(len(doors))], To: dot(r.IntN(n))}
			edges = append(edges, e)
			switch e.Door {
			case "up":
				arrow(dot(i), e.To)
			case "down":
				arrow(e.To, dot(i))
			case "both":
				arrow(dot(i), e.To)
				arrow(e.To, dot(i))
			}
		}
		facts = append(facts, fact(t, dot(i), edges...))
	}
	return facts, ups, downs
}

// eachWeb runs f on random webs, every second one with doors that bind both ways.
func eachWeb(t *testing.T, n int, f func(t *testing.T, g *graph.Graph, ups, downs plain)) {
	for seed := range uint64(4) {
		both := seed%2 == 1
		t.Run(fmt.Sprintf("%d both=%v", seed, both), func(t *testing.T) {
			storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
				db := open()
				facts, ups, downs := randomWeb(t, mrand.New(mrand.NewPCG(seed, 7)), n, both)
				f(t, graphOf(t, db, facts), ups, downs)
			})
		})
	}
}

func TestWalkFindsWhatAPlainSearchFinds(t *testing.T) {
	const n = 40
	eachWeb(t, n, func(t *testing.T, g *graph.Graph, ups, downs plain) {
		up, down := map[stemma.Ref]map[stemma.Ref]int{}, map[stemma.Ref]map[stemma.Ref]int{}
		for i := range n {
			up[dot(i)] = walked(t, g, dot(i), walk.Up, walk.Limits{})
			down[dot(i)] = walked(t, g, dot(i), walk.Down, walk.Limits{})
			if diff := cmp.Diff(ups.distances(dot(i)), up[dot(i)]); diff != "" {
				t.Fatalf("up from %s (-want +got):\n%s", dot(i), diff)
			}
			if diff := cmp.Diff(downs.distances(dot(i)), down[dot(i)]); diff != "" {
				t.Fatalf("down from %s (-want +got):\n%s", dot(i), diff)
			}
		}
		for a := range up {
			for b := range up {
				_, above := up[b][a]
				if _, below := down[a][b]; above != below {
					t.Errorf("%s is above %s: %v, but %s is below %s: %v", a, b, above, b, a, below)
				}
			}
		}
	})
}

// walked returns the distances that a walk finds, and checks its form.
func walked(t *testing.T, g *graph.Graph, from stemma.Ref, dir walk.Direction, limits walk.Limits) map[stemma.Ref]int {
	t.Helper()
	w, err := walk.From(context.Background(), g, from, dir, limits)
	if err != nil {
		t.Fatal(err)
	}
	found := map[stemma.Ref]int{}
	for i, s := range w.Nodes {
		if i > 0 && w.Nodes[i-1].Depth > s.Depth {
			t.Errorf("%s at depth %d comes after depth %d", s.Ref, s.Depth, w.Nodes[i-1].Depth)
		}
		if _, twice := found[s.Ref]; twice {
			t.Errorf("%s appears twice", s.Ref)
		}
		found[s.Ref] = s.Depth
	}
	for _, e := range w.Edges {
		if _, ok := found[e.From]; !ok {
			t.Errorf("an edge leads from %s, which is not in the walk", e.From)
		}
		if _, ok := found[e.To]; !ok {
			t.Errorf("an edge leads to %s, which is not in the walk", e.To)
		}
		if e.Door == "aside" {
			t.Errorf("the walk went aside from %s to %s", e.From, e.To)
		}
	}
	return found
}

func TestWhatIsNotKnownCannotBeWalkedFrom(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		g := graphOf(t, open(), []stemma.Fact{fact(t, dot(1))})
		for _, ref := range []stemma.Ref{"dot:x/2", "", "dot:\x00", "dot:\xff", "' OR 1=1 --"} {
			if _, err := walk.From(context.Background(), g, ref, walk.Up, walk.Limits{}); !errors.Is(err, stemma.ErrNotFound) {
				t.Errorf("From(%q): err = %v, want ErrNotFound", ref, err)
			}
			if _, err := walk.Between(context.Background(), g, dot(1), ref, walk.Up, walk.Limits{}); !errors.Is(err, stemma.ErrNotFound) {
				t.Errorf("Between(%q): err = %v, want ErrNotFound", ref, err)
			}
		}
	})
}

func TestWalkSaysThatItWasCut(t *testing.T) {
	eachWeb(t, 40, func(t *testing.T, g *graph.Graph, ups, _ plain) {
		for i := range 40 {
			all := ups.distances(dot(i))
			deepest := slices.Max(slices.Collect(maps.Values(all)))
			for _, c := range []struct {
				limits walk.Limits
				want   string
			}{
				{walk.Limits{Nodes: len(all)}, ""},
				{walk.Limits{Nodes: len(all) - 1}, "nodes"},
				{walk.Limits{Depth: deepest}, ""},
				{walk.Limits{Depth: deepest - 1}, "depth"},
			} {
				if len(all) == 1 || c.limits == (walk.Limits{}) {
					continue
				}
				w, err := walk.From(context.Background(), g, dot(i), walk.Up, c.limits)
				if err != nil {
					t.Fatal(err)
				}
				if w.Cut != c.want {
					t.Errorf("up from %s with %+v: cut by %q, want %q", dot(i), c.limits, w.Cut, c.want)
				}
				if c.limits.Nodes > 0 && len(w.Nodes) != c.limits.Nodes {
					t.Errorf("up from %s with %+v: %d nodes", dot(i), c.limits, len(w.Nodes))
				}
				for _, s := range w.Nodes {
					if want, ok := all[s.Ref]; !ok || want != s.Depth {
						t.Errorf("up from %s: %s at depth %d, want %d", dot(i), s.Ref, s.Depth, want)
					}
				}
			}
		}
	})
}

func TestPathIsShortestAndLeadsTheWayAsked(t *testing.T) {
	const n = 24
	eachWeb(t, n, func(t *testing.T, g *graph.Graph, ups, downs plain) {
		either := plain{}
		for _, p := range []plain{ups, downs} {
			for a, to := range p {
				for b := range to {
					either.arrow(a, b)
				}
			}
		}
		for i := range n {
			for dir, plain := range map[walk.Direction]plain{walk.Up: ups, walk.Down: downs, walk.Either: either} {
				all := plain.distances(dot(i))
				for j := range n {
					checkPath(t, g, dot(i), dot(j), dir, plain, all)
				}
			}
		}
	})
}

func checkPath(t *testing.T, g *graph.Graph, from, to stemma.Ref, dir walk.Direction, p plain, all map[stemma.Ref]int) {
	t.Helper()
	got, err := walk.Between(context.Background(), g, from, to, dir, walk.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	length, ok := all[to]
	if !ok {
		if len(got.Nodes) != 0 {
			t.Errorf("there is no path from %s to %s, yet one of %d nodes was found", from, to, len(got.Nodes))
		}
		return
	}
	if len(got.Nodes) != length+1 || len(got.Edges) != length || got.Nodes[0].Ref != from || got.Nodes[length].Ref != to {
		t.Fatalf("the path from %s to %s has %d nodes, want %d", from, to, len(got.Nodes), length+1)
	}
	for i, e := range got.Edges {
		a, b := got.Nodes[i].Ref, got.Nodes[i+1].Ref
		if !p[a][b] || (e.From != a || e.To != b) && (e.From != b || e.To != a) {
			t.Errorf("step %d from %s to %s goes by the edge from %s to %s", i, a, b, e.From, e.To)
		}
	}
}
