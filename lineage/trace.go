package lineage

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/graph/walk"
)

// A Direction says which way a trace goes.
type Direction string

// The directions.
const (
	Up   Direction = "up"   // what it rests on: towards requirements
	Down Direction = "down" // what rests on it: towards incidents
	Both Direction = "both" // the two side by side
)

// A Lineage is what a trace finds about one thing. Its JSON form is stable: fields may be
// added, none change their meaning. Lists are never null.
type Lineage struct {
	Start     stemma.Ref `json:"start"`
	Direction Direction  `json:"direction"`
	// Nodes begin with the start; then what is above it, then what is below,
	// either by depth, stage and ref.
	Nodes []Node `json:"nodes"`
	// Edges are those between the nodes, by the places of their ends in Nodes.
	Edges []Edge `json:"edges"`
	// Relations are the edges of the start that lead aside, such as its author.
	// They are not followed.
	Relations []Relation `json:"relations"`
	// Stages are those on the way asked for, in causal order, and how many nodes
	// stand at each. Missing are those of them with none.
	Stages  []StageCount   `json:"stages"`
	Missing []stemma.Stage `json:"missing"`
	// Grade is the weakest evidence that any of this rests on; empty if there
	// is nothing but the start.
	Grade stemma.Grade `json:"grade,omitempty"`
	Depth int          `json:"depth"` // of the farthest node
	// Truncated says which limit left something out: "nodes", "edges" or "depth".
	Truncated string `json:"truncated,omitempty"`
	// RelationsTruncated says that there are more relations than listed.
	RelationsTruncated bool `json:"relations_truncated,omitempty"`
}

// A Node is one thing in a trace.
type Node struct {
	Ref   stemma.Ref   `json:"ref"`
	Kind  stemma.Kind  `json:"kind"`
	Stage stemma.Stage `json:"stage,omitempty"` // empty if it stands aside of the way
	Title string       `json:"title"`
	Side  string       `json:"side"`  // "start", "up", "down", or "both" where two faces of one thing meet
	Depth int          `json:"depth"` // steps from the start
	// Stated is false for what is only named by others; it then has no grade and
	// no attributes.
	Stated bool         `json:"stated"`
	Grade  stemma.Grade `json:"grade,omitempty"` // of the best fact about it
	// Reach is the grade of the best chain of edges from the start to it: that
	// of the chain's weakest link. The start has none.
	Reach stemma.Grade `json:"reach,omitempty"`
	First int64        `json:"first"` // position in the ledger of the fact that named it first
	Last  int64        `json:"last"`  // position of the last fact about it, -1 if there is none
	// Attrs are its attributes but for texts of more than 1000 bytes.
	Attrs graph.Attrs `json:"attrs,omitempty"`
}

// An Edge is one step, from effect to cause; in a relation, from the subject
// of the fact to what it names.
type Edge struct {
	From   stemma.Ref   `json:"from"`
	To     stemma.Ref   `json:"to"`
	Door   string       `json:"door"`
	Flow   string       `json:"flow"` // "up", "down", "both" or "aside", as its room declares it
	Grade  stemma.Grade `json:"grade"`
	Basis  stemma.Basis `json:"basis,omitempty"`
	Method string       `json:"method,omitempty"`
	Pos    int64        `json:"position"` // in the ledger, of the fact that states it
}

// A Relation is an edge that leads aside, with the title of its other end.
type Relation struct {
	Edge
	Title string `json:"title"`
}

// A StageCount says how many nodes of a trace stand at a stage.
type StageCount struct {
	Stage stemma.Stage `json:"stage"`
	Nodes int          `json:"nodes"`
}

// maxRelations is how many relations of the start a trace lists, each way.
const maxRelations = 100

// Trace returns the lineage of ref in one direction or both. Limits bound each
// direction; that they left something out is said. An unknown ref is ErrNotFound.
func Trace(ctx context.Context, g *graph.Graph, ref stemma.Ref, dir Direction, limits walk.Limits) (Lineage, error) {
	if dir != Up && dir != Down && dir != Both {
		return Lineage{}, fmt.Errorf("lineage: tracing %s: %q is no direction", ref, dir)
	}
	t := tracer{g: g, at: map[stemma.Ref]int{}, trace: Lineage{
		Start: ref, Direction: dir, Edges: []Edge{}, Relations: []Relation{}, Stages: []StageCount{}, Missing: []stemma.Stage{},
	}}
	if dir != Down {
		if err := t.walk(ctx, walk.Up, "up", limits); err != nil {
			return Lineage{}, err
		}
	}
	if dir != Up {
		if err := t.walk(ctx, walk.Down, "down", limits); err != nil {
			return Lineage{}, err
		}
	}
	if err := t.g.Fill(ctx, t.found); err != nil {
		return Lineage{}, err
	}
	t.describe()
	t.stages()
	t.sort()
	return t.trace, t.relations(ctx)
}

// A tracer puts a trace together.
type tracer struct {
	g     *graph.Graph
	trace Lineage
	found []graph.Node       // in step with trace.Nodes
	at    map[stemma.Ref]int // in both
}

func (t *tracer) walk(ctx context.Context, dir walk.Direction, side string, limits walk.Limits) error {
	w, err := walk.From(ctx, t.g, t.trace.Start, dir, limits)
	if err != nil {
		return err
	}
	if t.trace.Truncated == "" {
		t.trace.Truncated = w.Cut
	}
	reach := reaches(w)
	for i, s := range w.Nodes {
		at, known := t.at[s.Ref]
		if !known {
			t.at[s.Ref] = len(t.found)
			t.found = append(t.found, s.Node)
			n := nodeOf(s.Node, side, s.Depth, reach[i])
			if i == 0 {
				n.Side = "start"
			}
			t.trace.Nodes = append(t.trace.Nodes, n)
		} else if i > 0 {
			n := &t.trace.Nodes[at]
			n.Side, n.Depth, n.Reach = "both", min(n.Depth, s.Depth), min(n.Reach, reach[i])
		}
		t.trace.Depth = max(t.trace.Depth, s.Depth)
	}
	for _, e := range w.Edges {
		t.trace.Edges = append(t.trace.Edges, edgeOf(e))
		t.trace.Grade = t.trace.Grade.Least(e.Grade)
	}
	return nil
}

// reaches returns, for each node of w, the grade of the best chain from the
// start: it lets in ever weaker edges until everything is reached.
func reaches(w walk.Reach) []stemma.Grade {
	at := map[int64]int{}
	for i, s := range w.Nodes {
		at[s.ID] = i
	}
	// A chain may use an edge only in the direction of the walk, or both ways.
	next := make([][]link, len(w.Nodes))
	for _, e := range w.Edges {
		a, b := at[e.FromID], at[e.ToID]
		if w.Dir == walk.Up || e.Flow == stemma.Both {
			next[a] = append(next[a], link{b, e.Grade})
		}
		if w.Dir == walk.Down || e.Flow == stemma.Both {
			next[b] = append(next[b], link{a, e.Grade})
		}
	}
	reach := make([]stemma.Grade, len(w.Nodes))
	done := make([]bool, len(w.Nodes))
	done[0] = true
	reached := []int{0}
	for _, grade := range []stemma.Grade{stemma.GradeA, stemma.GradeB, stemma.GradeC, stemma.GradeD} {
		for i := 0; i < len(reached); i++ {
			for _, l := range next[reached[i]] {
				if l.grade <= grade && !done[l.to] {
					done[l.to], reach[l.to] = true, grade
					reached = append(reached, l.to)
				}
			}
		}
	}
	return reach
}

type link struct {
	to    int
	grade stemma.Grade
}

func edgeOf(e graph.Edge) Edge {
	return Edge{
		From: e.From, To: e.To, Door: e.Door, Flow: flowNames[e.Flow],
		Grade: e.Grade, Basis: e.Basis, Method: e.Method, Pos: e.Pos,
	}
}

var flowNames = map[stemma.Flow]string{stemma.Aside: "aside", stemma.Up: "up", stemma.Down: "down", stemma.Both: "both"}

// describe gives every node its stage, its attributes and its title.
func (t *tracer) describe() {
	stages := stageOfKinds(t.g.Specs())
	for i := range t.trace.Nodes {
		n := &t.trace.Nodes[i]
		attrs := t.found[i].Attrs
		n.Stage, n.Title = stages[n.Kind], Title(n.Ref, attrs)
		maps.DeleteFunc(attrs, func(_ string, v any) bool {
			text, ok := v.(string)
			return ok && len(text) > maxAttr
		})
		n.Attrs = attrs
	}
}

// maxAttr is the longest text in bytes that a trace carries along.
const maxAttr = 1000

func stageOfKinds(specs []stemma.KindSpec) map[stemma.Kind]stemma.Stage {
	stages := map[stemma.Kind]stemma.Stage{}
	for _, s := range specs {
		stages[s.Kind] = s.Stage
	}
	return stages
}

// stages counts the nodes at every stage that the doors could have led to.
func (t *tracer) stages() {
	expected := map[stemma.Stage]bool{}
	start := t.trace.Start.Kind()
	if t.trace.Direction != Down {
		expect(expected, t.g.Specs(), start, walk.Up)
	}
	if t.trace.Direction != Up {
		expect(expected, t.g.Specs(), start, walk.Down)
	}
	count := map[stemma.Stage]int{}
	for _, n := range t.trace.Nodes {
		count[n.Stage]++
	}
	for _, stage := range stemma.Stages {
		if n := count[stage]; expected[stage] || n > 0 {
			t.trace.Stages = append(t.trace.Stages, StageCount{stage, n})
			if n == 0 {
				t.trace.Missing = append(t.trace.Missing, stage)
			}
		}
	}
}

// expect marks the stages of the kinds that causal doors can lead to from a
// kind in a direction, however many steps away.
func expect(marked map[stemma.Stage]bool, specs []stemma.KindSpec, from stemma.Kind, dir walk.Direction) {
	next := map[stemma.Kind][]stemma.Kind{}
	for _, s := range specs {
		for _, d := range s.Doors {
			for _, to := range d.To {
				leadsUp := d.Flow == stemma.Up || d.Flow == stemma.Both
				leadsDown := d.Flow == stemma.Down || d.Flow == stemma.Both
				if leadsUp && dir == walk.Up || leadsDown && dir == walk.Down {
					next[s.Kind] = append(next[s.Kind], to)
				}
				if leadsUp && dir == walk.Down || leadsDown && dir == walk.Up {
					next[to] = append(next[to], s.Kind)
				}
			}
		}
	}
	stages := stageOfKinds(specs)
	seen := map[stemma.Kind]bool{from: true}
	for queue := []stemma.Kind{from}; len(queue) > 0; queue = queue[1:] {
		for _, k := range next[queue[0]] {
			if !seen[k] {
				seen[k] = true
				queue = append(queue, k)
				if stages[k] != "" {
					marked[stages[k]] = true
				}
			}
		}
	}
}

// sort puts nodes and edges into the order that Lineage promises, and drops
// edges that both directions met.
func (t *tracer) sort() {
	sides := map[string]int{"start": 0, "both": 1, "up": 2, "down": 3}
	slices.SortFunc(t.trace.Nodes, func(a, b Node) int {
		return cmp.Or(cmp.Compare(sides[a.Side], sides[b.Side]), cmp.Compare(a.Depth, b.Depth),
			cmp.Compare(slices.Index(stemma.Stages, a.Stage), slices.Index(stemma.Stages, b.Stage)), cmp.Compare(a.Ref, b.Ref))
	})
	for i, n := range t.trace.Nodes {
		t.at[n.Ref] = i
	}
	slices.SortFunc(t.trace.Edges, func(a, b Edge) int {
		return cmp.Or(cmp.Compare(t.at[a.From], t.at[b.From]), cmp.Compare(t.at[a.To], t.at[b.To]), cmp.Compare(a.Door, b.Door))
	})
	t.trace.Edges = slices.Compact(t.trace.Edges)
}

// relations lists what stands beside the start.
func (t *tracer) relations(ctx context.Context) error {
	out, in, err := t.g.Relations(ctx, t.trace.Start, maxRelations+1)
	if err != nil {
		return err
	}
	t.trace.RelationsTruncated = len(out) > maxRelations || len(in) > maxRelations
	edges := slices.Concat(out[:min(len(out), maxRelations)], in[:min(len(in), maxRelations)])
	var refs []stemma.Ref
	for _, e := range edges {
		refs = append(refs, other(e, t.trace.Start))
	}
	nodes, err := t.g.Nodes(ctx, refs...)
	if err != nil {
		return err
	}
	if err := t.g.Fill(ctx, nodes); err != nil {
		return err
	}
	attrs := map[stemma.Ref]graph.Attrs{}
	for _, n := range nodes {
		attrs[n.Ref] = n.Attrs
	}
	for i, e := range edges {
		t.trace.Relations = append(t.trace.Relations, Relation{edgeOf(e), Title(refs[i], attrs[refs[i]])})
	}
	return nil
}

// other is the end of e that is not ref.
func other(e graph.Edge, ref stemma.Ref) stemma.Ref {
	if e.From == ref {
		return e.To
	}
	return e.From
}
