package shape

import (
	"fmt"
	"slices"

	"github.com/stemma-dev/stemma"
)

// A Batch is what a run of ledger entries does to the graph, gathered by
// table. It holds refs where the tables hold ids: refs are numbered in the
// order in which the entries mention them, which is the order in which new
// nodes get their ids.
type Batch struct {
	Entries int64
	Nodes   []Mention // by local number
	Facts   []Statement
	Edges   []Edge // those withdrawn again have no door
	Cuts    []Cut
	Rows    map[*Table]*Set[[]any]  // merged by node
	Lists   map[*List]*Set[[][]any] // to replace: the last one given for each node
	Skips   []Skip

	shape  *Shape
	number map[stemma.Ref]int
	edgeAt map[EdgeKey]int
}

// A Mention is a node as the batch knows it.
type Mention struct {
	Ref    stemma.Ref
	First  int64        // position of the first fact that names it
	Last   int64        // position of the last fact about it, -1 if there is none
	Grade  stemma.Grade // the best of the facts about it
	Stated bool         // whether any fact of the batch is about it
}

// A Statement says that the fact at Pos is about Node.
type Statement struct {
	Node     int
	Pos      int64
	Occurred stemma.Moment // 0 if the fact tells no time
}

// An EdgeKey tells edges apart: from effect to cause, between local numbers.
type EdgeKey struct {
	Src  int
	Door int64
	Dst  int
}

// An Edge is what a fact says of an edge.
type Edge struct {
	EdgeKey
	Grade  stemma.Grade
	Basis  string
	Method string
	Pos    int64
}

// A Set holds a value for each of some nodes.
type Set[T any] struct {
	Nodes  []int
	Values []T
	at     map[int]int
}

// A Local is the number of a node inside its batch, where a column links to it;
// it becomes an id when the batch is written.
type Local int

// A Skip says what of a fact had no place, and why.
type Skip struct {
	Pos    int64
	Reason string
}

// NewBatch returns an empty batch for a graph of that shape.
func NewBatch(s *Shape) *Batch {
	return &Batch{
		Rows: map[*Table]*Set[[]any]{}, Lists: map[*List]*Set[[][]any]{},
		shape: s, number: map[stemma.Ref]int{}, edgeAt: map[EdgeKey]int{},
	}
}

// Number is the local number of a ref that the batch mentions.
func (b *Batch) Number(ref stemma.Ref) int { return b.number[ref] }

// node returns the local number of ref, mentioned by the fact at pos.
func (b *Batch) node(ref stemma.Ref, pos int64) int {
	n, ok := b.number[ref]
	if !ok {
		n = len(b.Nodes)
		b.number[ref] = n
		b.Nodes = append(b.Nodes, Mention{Ref: ref, First: pos, Last: -1})
	}
	return n
}

// Add puts the fact at pos into the batch, whose attributes are valid JSON, as those of
// a ledger are. What the shape has no place for becomes a Skip.
func (b *Batch) Add(pos int64, f stemma.Fact) {
	b.Entries++
	var reasons []string
	defer func() {
		slices.Sort(reasons)
		for _, r := range slices.Compact(reasons) {
			b.Skips = append(b.Skips, Skip{pos, r})
		}
	}()
	t := b.shape.Kinds[f.Kind]
	if t == nil {
		reasons = append(reasons, fmt.Sprintf("kind %.60q: not declared", string(f.Kind)))
		return
	}
	n := b.node(f.Subject, pos)
	m := &b.Nodes[n]
	if !m.Stated || f.Grade < m.Grade {
		m.Grade = f.Grade
	}
	again := m.Stated
	m.Stated, m.Last = true, pos
	b.Facts = append(b.Facts, Statement{n, pos, stemma.At(f.Occurred)})

	var keep []EdgeKey
	for _, e := range f.Edges {
		key, why := b.addEdge(t, n, e, f.Grade, pos)
		if why == "" {
			keep = append(keep, key)
		} else if len(reasons) < maxFaults {
			reasons = append(reasons, why)
		}
	}
	if f.Whole {
		b.cut(Cut{n, t, f.Grade, keep}, again)
	}
	a := t.fit(f.Attrs)
	reasons = append(reasons, a.faults...)
	b.overlay(t, n, a.values, pos)
	for i, l := range t.Lists {
		if rows, given := a.lists[i]; given {
			b.replace(l, n, rows, pos)
		}
	}
}

// addEdge keeps the edge from effect to cause, whichever way its door was
// declared. Of an edge that is stated more than once the best evidence stays,
// the earliest if equally good.
func (b *Batch) addEdge(t *Table, subject int, e stemma.Edge, grade stemma.Grade, pos int64) (key EdgeKey, why string) {
	d := t.doors[e.Door]
	switch {
	case d == nil:
		return key, fmt.Sprintf("door %.60q: not declared", e.Door)
	case !t.leads(e):
		return key, fmt.Sprintf("door %.60q: may not lead to kind %.60q", e.Door, string(e.To.Kind()))
	}
	if e.Grade != "" {
		grade = e.Grade
	}
	key = EdgeKey{Src: subject, Door: d.ID, Dst: b.node(e.To, pos)}
	if d.Flow == stemma.Down {
		key.Src, key.Dst = key.Dst, key.Src
	}
	row := Edge{key, grade, Storable(string(e.Basis)), Storable(e.Method), pos}
	if i, ok := b.edgeAt[key]; ok {
		if grade < b.Edges[i].Grade {
			b.Edges[i] = row
		}
		return key, ""
	}
	b.edgeAt[key] = len(b.Edges)
	b.Edges = append(b.Edges, row)
	return key, ""
}

// overlay lets the values that are given stand before earlier ones.
func (b *Batch) overlay(t *Table, n int, values []any, pos int64) {
	b.intern(t.Cells, values, pos)
	put(b.Rows, t, n, values, func(old []any) []any {
		for i, v := range values {
			if v != nil {
				old[i] = v
			}
		}
		return old
	})
}

// replace lets a list stand instead of an earlier one.
func (b *Batch) replace(l *List, n int, rows [][]any, pos int64) {
	for _, row := range rows {
		b.intern(l.Cells, row, pos)
	}
	put(b.Lists, l, n, rows, func([][]any) [][]any { return rows })
}

// put gathers a value for node n at key; if there is one, again makes the new
// one of it.
func put[K comparable, T any](sets map[K]*Set[T], key K, n int, value T, again func(T) T) {
	set := sets[key]
	if set == nil {
		set = &Set[T]{at: map[int]int{}}
		sets[key] = set
	}
	if i, ok := set.at[n]; ok {
		set.Values[i] = again(set.Values[i])
		return
	}
	set.at[n] = len(set.Nodes)
	set.Nodes = append(set.Nodes, n)
	set.Values = append(set.Values, value)
}

// intern numbers the nodes that links name.
func (b *Batch) intern(c Cells, values []any, pos int64) {
	for i := range c.Columns {
		if l, ok := values[i].(link); ok {
			values[i] = Local(b.node(stemma.Ref(l), pos))
		}
	}
}
