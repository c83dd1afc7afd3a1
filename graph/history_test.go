package graph_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	mrand "math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/ledger/seal"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

func at() time.Time { return time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC) }

func openLedger(t testing.TB, db *storage.DB) *ledger.Ledger {
	t.Helper()
	key, err := seal.NewKey(rand.Reader, "log.example.com/acme")
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(context.Background(), db, ledger.Config{Signer: key, Now: at, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func openGraph(t testing.TB, db *storage.DB, specs []stemma.KindSpec) *graph.Graph {
	t.Helper()
	g, err := graph.Open(context.Background(), db, specs)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func add(t testing.TB, l *ledger.Ledger, facts ...stemma.Fact) {
	t.Helper()
	if _, err := l.Append(context.Background(), facts...); err != nil {
		t.Fatal(err)
	}
}

func apply(t testing.TB, g *graph.Graph, l *ledger.Ledger) int64 {
	t.Helper()
	n, err := g.Apply(context.Background(), l)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func dump(t testing.TB, g *graph.Graph) string {
	t.Helper()
	var b bytes.Buffer
	if err := g.Dump(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// house is a small house of a few kinds with every type of column, every flow
// of door, and names that are words of SQL.
var house = []stemma.KindSpec{
	{
		Kind: "task",
		Columns: []stemma.Column{
			{Name: "key", Type: stemma.Text, Index: true},
			{Name: "end", Type: stemma.Time},
			{Name: "order", Type: stemma.Int},
			{Name: "select", Type: stemma.Bool},
			{Name: "from", Type: stemma.Link, Index: true},
		},
		Doors: []stemma.Door{{Name: "refines", To: []stemma.Kind{"task"}, Flow: stemma.Up}},
	},
	{
		Kind:    "piece",
		Columns: []stemma.Column{{Name: "title", Type: stemma.Text}, {Name: "merged", Type: stemma.Time, Index: true}},
		Lists: []stemma.List{
			{Name: "group", Columns: []stemma.Column{{Name: "end", Type: stemma.Int}, {Name: "model", Type: stemma.Link, Index: true}, {Name: "path", Type: stemma.Text}}},
			{Name: "empty"},
		},
		Doors: []stemma.Door{
			{Name: "for", To: []stemma.Kind{"task"}, Flow: stemma.Up},
			{Name: "carries", To: []stemma.Kind{"piece", "two-words"}, Flow: stemma.Both},
			{Name: "by", To: []stemma.Kind{"hand"}},
		},
	},
	{Kind: "hand"},
	{
		Kind: "bond",
		Columns: []stemma.Column{
			{Name: "one", Type: stemma.Link, Index: true},
			{Name: "other", Type: stemma.Link, Index: true},
			{Name: "apart", Type: stemma.Bool},
			{Name: "by", Type: stemma.Link},
			{Name: "open", Type: stemma.Bool},
		},
		Joins: &stemma.Joins{One: "one", Other: "other", Apart: "apart", By: "by", Open: "open"},
	},
	{
		Kind:    "two-words",
		Columns: []stemma.Column{{Name: "note", Type: stemma.Text}},
		Doors: []stemma.Door{
			{Name: "opens", To: []stemma.Kind{"piece"}, Flow: stemma.Down},
			{Name: "for", To: []stemma.Kind{"task"}},
		},
	},
}

// A story makes a long random history of the house, some of it nonsense.
type story struct{ *mrand.Rand }

func newStory(seed uint64) story { return story{mrand.New(mrand.NewPCG(seed, 7))} }

func (s story) ref(kinds ...stemma.Kind) stemma.Ref {
	return stemma.NewRef(kinds[s.IntN(len(kinds))], "x", fmt.Sprint(s.IntN(12)))
}

func (s story) text() string {
	return []string{"", "plain", "naïve", "a\x00b", "\"\\\n\t", "🦀", "'; DROP TABLE node; --", "\u2028"}[s.IntN(8)]
}

// value is mostly of the type of the column.
func (s story) value(typ stemma.ColumnType) any {
	if s.IntN(12) == 0 {
		return []any{nil, "crooked", -1, true, []any{1}, map[string]any{"a": "]}"}}[s.IntN(6)]
	}
	switch typ {
	case stemma.Int:
		return s.IntN(1000) - 500
	case stemma.Bool:
		return s.IntN(2) == 0
	case stemma.Time:
		return stemma.Moment(s.Int64N(2e15) - 1e15)
	case stemma.Link:
		return s.ref("task", "piece", "hand", "stranger")
	}
	return s.text()
}

func (s story) object(columns []stemma.Column) map[string]any {
	o := map[string]any{}
	for _, c := range columns {
		if s.IntN(3) > 0 {
			o[c.Name] = s.value(c.Type)
		}
	}
	if s.IntN(10) == 0 {
		o["unheard of"] = 1
	}
	return o
}

func (s story) fact() stemma.Fact {
	subject := s.ref("task", "piece", "piece", "two-words", "hand", "bond", "bond")
	if s.IntN(15) == 0 {
		subject = s.ref("stranger")
	}
	i := slices.IndexFunc(house, func(k stemma.KindSpec) bool { return k.Kind == subject.Kind() })
	var spec stemma.KindSpec
	if i >= 0 {
		spec = house[i]
	}
	o := s.object(spec.Columns)
	for _, l := range spec.Lists {
		if s.IntN(2) == 0 {
			items := []any{}
			for range s.IntN(4) {
				items = append(items, s.object(l.Columns))
			}
			o[l.Name] = items
		}
	}
	p := stemma.Provenance{Source: "story", Grade: s.grade(), Occurred: at(), Whole: s.IntN(4) == 0}
	for range s.IntN(5) {
		e := stemma.Edge{Door: "by", To: s.ref("task", "piece", "hand", "two-words", "stranger")}
		if len(spec.Doors) > 0 {
			e.Door = spec.Doors[s.IntN(len(spec.Doors))].Name
		}
		if s.IntN(2) == 0 {
			e.Grade, e.Basis, e.Method = s.grade(), stemma.BasisDeclared, s.text()
		}
		p.Edges = append(p.Edges, e)
	}
	f, err := stemma.NewFact(subject, o, p)
	if err != nil {
		panic(err)
	}
	return f
}

func (s story) grade() stemma.Grade {
	return []stemma.Grade{stemma.GradeA, stemma.GradeB, stemma.GradeC, stemma.GradeD}[s.IntN(4)]
}

func (s story) facts(n int) []stemma.Fact {
	var out []stemma.Fact
	seen := map[string]bool{}
	for len(out) < n {
		f := s.fact()
		b, err := f.Canonical()
		if err != nil || seen[string(b)] {
			continue
		}
		seen[string(b)] = true
		out = append(out, f)
	}
	return out
}

func TestRebuildGivesTheSameBytesOnEveryEngine(t *testing.T) {
	for seed := range uint64(6) {
		facts := newStory(seed).facts(400)
		dumps := map[string]string{}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
				db := open()
				l := openLedger(t, db)
				g := openGraph(t, db, house)
				cut := newStory(seed + 100)
				for rest := facts; len(rest) > 0; {
					n := min(len(rest), 1+cut.IntN(60))
					add(t, l, rest[:n]...)
					rest = rest[n:]
					g.SetBatch(int64(1 + cut.IntN(40)))
					if got := apply(t, g, l); got != int64(n) {
						t.Fatalf("Apply took %d entries, want %d", got, n)
					}
				}
				steps := dump(t, g)
				if n := apply(t, g, l); n != 0 {
					t.Errorf("a second Apply took %d entries", n)
				}
				if again := dump(t, g); again != steps {
					t.Errorf("a second Apply changed the graph:\n%s", firstDifference(steps, again))
				}
				g.SetBatch(4000)
				if err := g.Rebuild(context.Background(), l); err != nil {
					t.Fatal(err)
				}
				if whole := dump(t, g); whole != steps {
					t.Errorf("rebuilt at once it differs:\n%s", firstDifference(steps, whole))
				}
				dumps[string(db.Engine())] = steps
			})
			if len(dumps) == 2 && dumps["sqlite"] != dumps["postgres"] {
				t.Errorf("the engines differ:\n%s", firstDifference(dumps["sqlite"], dumps["postgres"]))
			}
		})
	}
}

func firstDifference(a, b string) string {
	x, y := bytes.Split([]byte(a), []byte("\n")), bytes.Split([]byte(b), []byte("\n"))
	for i := range x {
		if i >= len(y) || !bytes.Equal(x[i], y[i]) {
			return fmt.Sprintf("line %d: %s\nand:     %s", i+1, x[i], append(y, nil, nil)[min(i, len(y))])
		}
	}
	return fmt.Sprintf("%d lines and %d", len(x), len(y))
}

func TestLaterFactStandsAttributeByAttribute(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		l, g := openLedger(t, db), openGraph(t, db, house)
		ref := stemma.Ref("piece:x/1")
		for _, attrs := range []string{
			`{"title":"one","merged":"2026-01-02T03:04:05.000006Z","group":[{"end":1,"path":"a"},{"end":2,"model":"hand:x/1"}]}`,
			`{"title":"two"}`,
			`{"merged":null,"empty":[{},{}]}`,
		} {
			add(t, l, fact(t, ref, attrs))
			apply(t, g, l)
		}
		n, err := g.Node(context.Background(), ref)
		if err != nil {
			t.Fatal(err)
		}
		if got := n.Attrs.Text("title"); got != "two" {
			t.Errorf("title = %q, want the later one", got)
		}
		if got := n.Attrs.Time("merged"); !got.Equal(time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)) {
			t.Errorf("merged = %v, want what the first fact said", got)
		}
		rows, err := g.List(context.Background(), n, "group")
		if err != nil || len(rows) != 2 || rows[1].Ref("model") != "hand:x/1" {
			t.Errorf("group = %v, %v", rows, err)
		}
		add(t, l, fact(t, ref, `{"group":[]}`))
		apply(t, g, l)
		if rows, err := g.List(context.Background(), n, "group"); err != nil || len(rows) != 0 {
			t.Errorf("group = %v, %v; want it replaced by nothing", rows, err)
		}
		if pos, err := g.Facts(context.Background(), n, 10); err != nil || !slices.Equal(pos, []int64{0, 1, 2, 3}) {
			t.Errorf("Facts = %v, %v", pos, err)
		}
	})
}

func TestWholeFactWithdrawsTheEdgesItDoesNotRepeat(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		l, g := openLedger(t, db), openGraph(t, db, house)
		piece, words := stemma.Ref("piece:x/1"), stemma.Ref("two-words:x/2")
		to := func(door string, ref stemma.Ref, grade stemma.Grade) stemma.Edge {
			return stemma.Edge{Door: door, To: ref, Grade: grade}
		}
		whole := func(f stemma.Fact) stemma.Fact {
			f.Whole = true
			return f
		}
		for _, step := range []struct {
			fact stemma.Fact
			want []string
		}{
			{
				fact(t, piece, `{"title":"1"}`, to("carries", "piece:x/2", ""), to("carries", "piece:x/3", ""), to("by", "hand:x/1", "B")),
				[]string{"by hand:x/1", "carries piece:x/2", "carries piece:x/3"},
			},
			{
				fact(t, piece, `{"title":"2"}`, to("carries", "piece:x/4", "")),
				[]string{"by hand:x/1", "carries piece:x/2", "carries piece:x/3", "carries piece:x/4"},
			},
			// What is of better evidence stays.
			{whole(fact(t, piece, `{"title":"3"}`, to("carries", "piece:x/3", ""))), []string{"by hand:x/1", "carries piece:x/3"}},
			// A door that leads down is kept turned round; that of another thing stays.
			{fact(t, words, `{"note":"1"}`, to("opens", piece, "")), []string{"by hand:x/1", "carries piece:x/3", "opens two-words:x/2"}},
			{whole(fact(t, piece, `{"title":"4"}`)), []string{"by hand:x/1", "opens two-words:x/2"}},
			{whole(fact(t, words, `{"note":"2"}`)), []string{"by hand:x/1"}},
			{fact(t, piece, `{"title":"5"}`, to("carries", "piece:x/3", "")), []string{"by hand:x/1", "carries piece:x/3"}},
		} {
			add(t, l, step.fact)
			apply(t, g, l)
			out, in, err := g.Edges(context.Background(), piece, 10)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range out {
				got = append(got, e.Door+" "+string(e.To))
			}
			if len(in) > 0 {
				t.Errorf("%v leads to the piece", in)
			}
			slices.Sort(got)
			if !slices.Equal(got, step.want) {
				t.Errorf("after %s: %q, want %q", step.fact.Attrs, got, step.want)
			}
		}
		before := dump(t, g)
		if err := g.Rebuild(context.Background(), l); err != nil {
			t.Fatal(err)
		}
		if after := dump(t, g); after != before {
			t.Errorf("rebuilt at once it differs:\n%s", firstDifference(before, after))
		}
	})
}

func fact(t testing.TB, subject stemma.Ref, attrs string, edges ...stemma.Edge) stemma.Fact {
	t.Helper()
	f, err := stemma.NewFact(subject, json.RawMessage(attrs), stemma.Provenance{Source: "test", Grade: stemma.GradeC, Occurred: at(), Edges: edges})
	if err != nil {
		t.Fatal(err)
	}
	return f
}
