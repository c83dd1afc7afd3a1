package lineage

import (
	"context"
	"fmt"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/graph/walk"
)

// A Way leads from one thing to another. Its JSON form is as stable as that of
// [Lineage].
type Way struct {
	From stemma.Ref `json:"from"`
	To   stemma.Ref `json:"to"`
	// Direction is up if every step leads to a cause, down if every step leads
	// to an effect, both if the way turns: the two then share a cause or an effect.
	Direction Direction `json:"direction"`
	Nodes     []Node    `json:"nodes"` // from the first to the last; Depth counts the steps
	Edges     []Edge    `json:"edges"` // step by step, one fewer
	// Grade is that of the weakest step.
	Grade stemma.Grade `json:"grade,omitempty"`
	// Truncated says that limits ended the search, so there may be a shorter way.
	Truncated bool `json:"truncated,omitempty"`
}

// Path returns a shortest way between two things, with the evidence for each
// step: one that leads straight up or straight down if there is any, else one
// that turns. If there is none within the limits, or a ref is unknown, the
// error is ErrNotFound.
func Path(ctx context.Context, g *graph.Graph, from, to stemma.Ref, limits walk.Limits) (Way, error) {
	truncated := false
	for _, try := range []struct {
		dir  walk.Direction
		name Direction
	}{{walk.Up, Up}, {walk.Down, Down}, {walk.Either, Both}} {
		p, err := walk.Between(ctx, g, from, to, try.dir, limits)
		if err != nil {
			return Way{}, err
		}
		truncated = truncated || p.Cut
		if len(p.Nodes) > 0 {
			w, err := wayOf(ctx, g, p, try.name)
			w.Truncated = truncated
			return w, err
		}
	}
	err := fmt.Errorf("lineage: a way from %s to %s: %w", from, to, stemma.ErrNotFound)
	if truncated {
		err = stemma.WithHint(err, "the search ended at its limits; there may be one beyond them")
	}
	return Way{}, err
}

func wayOf(ctx context.Context, g *graph.Graph, p walk.Path, dir Direction) (Way, error) {
	w := Way{From: p.Nodes[0].Ref, To: p.Nodes[len(p.Nodes)-1].Ref, Direction: dir, Nodes: []Node{}, Edges: []Edge{}}
	t := tracer{g: g, found: p.Nodes}
	for i, n := range p.Nodes {
		if i > 0 {
			w.Edges = append(w.Edges, edgeOf(p.Edges[i-1]))
			w.Grade = w.Grade.Least(p.Edges[i-1].Grade)
		}
		node := nodeOf(n, string(dir), i, w.Grade)
		if i == 0 {
			node.Side = "start"
		}
		t.trace.Nodes = append(t.trace.Nodes, node)
	}
	if err := g.Fill(ctx, t.found); err != nil {
		return Way{}, err
	}
	t.describe()
	w.Nodes = t.trace.Nodes
	return w, nil
}

func nodeOf(n graph.Node, side string, depth int, reach stemma.Grade) Node {
	return Node{
		Ref: n.Ref, Kind: n.Kind, Side: side, Depth: depth, Reach: reach,
		Stated: n.Stated, Grade: n.Grade, First: n.First, Last: n.Last,
	}
}
