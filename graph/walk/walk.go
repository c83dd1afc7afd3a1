// Package walk goes through the graph: from a thing to all that it rests on or
// that rests on it ([From]), and by a shortest way to another ([Between]).
//
// It follows causal doors, and those that bind both ways, never those that lead
// aside. It ends on cycles and at its [Limits], and its order is the same on every
// engine. It sees the graph through a [graph.View] and cannot change it.
package walk

import (
	"context"
	"fmt"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph"
)

// A Direction says which way a walk goes.
type Direction int

// The directions.
const (
	Up     Direction = iota + 1 // to what a thing rests on
	Down                        // to what rests on it
	Either                      // both ways at every step
)

// Limits bound a walk. Zero means the default.
type Limits struct {
	Nodes int // found, the start included; 2000 unless set
	Depth int // steps from the start; 64 unless set
}

func (l Limits) or() Limits {
	if l.Nodes <= 0 {
		l.Nodes = 2000
	}
	if l.Depth <= 0 {
		l.Depth = 64
	}
	return l
}

// edges is how many edges a walk keeps at most.
func (l Limits) edges() int { return 8*l.Nodes + 64 }

// A Reach is what can be reached from its first node.
type Reach struct {
	Dir   Direction
	Nodes []Step       // by depth; no node appears twice
	Edges []graph.Edge // those followed, also where they lead back or together
	Cut   string       // which limit ended it early: "nodes", "edges" or "depth"
}

// A Step is a node and its distance from the start.
type Step struct {
	graph.Node
	Depth int
}

// From walks from ref in one direction, nearest nodes first. If ref is not known
// the error is ErrNotFound.
func From(ctx context.Context, g *graph.Graph, ref stemma.Ref, dir Direction, limits Limits) (Reach, error) {
	var w walker
	err := g.View(ctx, func(v graph.View) error {
		start, err := v.Node(ctx, ref)
		if err != nil {
			return err
		}
		w = newWalker(v, start, limits.or())
		for len(w.frontier) > 0 && w.cut == "" {
			if err := w.step(ctx, dir); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Reach{}, fmt.Errorf("graph: walking: %w", err)
	}
	return Reach{Dir: dir, Nodes: w.nodes, Edges: w.edges, Cut: w.cut}, nil
}

// A walker goes layer by layer: one query for each layer and, where things
// bound both ways are met, one more. That is as fast as one recursive query,
// gives the depth of every node, and stops at a limit.
type walker struct {
	view     graph.View
	limits   Limits
	nodes    []Step
	via      []int         // by node: the edge by which it was found first
	at       map[int64]int // in nodes
	edges    []graph.Edge
	seen     map[edgeKey]bool
	frontier []int // in nodes, ordered by id
	cut      string
}

// An edgeKey tells edges apart.
type edgeKey struct {
	from, to int64
	door     string
	flow     stemma.Flow
}

func newWalker(v graph.View, start graph.Node, limits Limits) walker {
	return walker{
		view: v, limits: limits, nodes: []Step{{Node: start}}, at: map[int64]int{start.ID: 0},
		via: []int{0}, seen: map[edgeKey]bool{}, frontier: []int{0},
	}
}

// step replaces the frontier by the next layer.
func (w *walker) step(ctx context.Context, dir Direction) error {
	ids, subjects, targets := w.sides()
	before := len(w.nodes)
	var err error
	if dir != Down {
		err = w.follow(ctx, graph.Causes, ids, false)
		if err == nil && dir == Up {
			err = w.follow(ctx, graph.Effects, targets, true)
		}
	}
	if err == nil && dir != Up {
		err = w.follow(ctx, graph.Effects, ids, false)
		if err == nil && dir == Down {
			err = w.follow(ctx, graph.Causes, subjects, true)
		}
	}
	w.frontier = w.frontier[:0]
	for i := before; i < len(w.nodes); i++ {
		w.frontier = append(w.frontier, i)
	}
	slices.SortFunc(w.frontier, func(a, b int) int { return int(w.nodes[a].ID - w.nodes[b].ID) })
	return err
}

// sides returns the ids of the frontier, and which of them may have doors that
// bind both ways as their subject or as their target.
func (w *walker) sides() (ids, subjects, targets []int64) {
	for _, i := range w.frontier {
		n := w.nodes[i]
		ids = append(ids, n.ID)
		subject, target := w.view.Binds(n.Kind)
		if subject {
			subjects = append(subjects, n.ID)
		}
		if target {
			targets = append(targets, n.ID)
		}
	}
	return ids, subjects, targets
}

// follow adds what lies beyond the edges of ids, in the order in which the view
// tells it.
func (w *walker) follow(ctx context.Context, s graph.Side, ids []int64, both bool) error {
	if w.cut == "edges" {
		return nil
	}
	more, err := w.view.Beyond(ctx, s, ids, both, w.limits.edges(), func(near int64, e graph.Edge, far graph.Node) bool {
		w.add(s, near, e, far)
		return w.cut != "edges"
	})
	if more {
		w.cut = "edges"
	}
	return err
}

// add keeps one edge and the node behind it, if there is room.
func (w *walker) add(s graph.Side, near int64, e graph.Edge, far graph.Node) {
	from, to := w.nodes[w.at[near]].Node, far
	if s == graph.Effects {
		from, to = to, from
	}
	key := edgeKey{from.ID, to.ID, e.Door, e.Flow}
	if w.seen[key] {
		return
	}
	if len(w.edges) >= w.limits.edges() {
		w.cut = "edges"
		return
	}
	if _, known := w.at[far.ID]; !known {
		depth := w.nodes[w.at[near]].Depth + 1
		switch {
		case depth > w.limits.Depth:
			w.cut = "depth"
			return
		case len(w.nodes) >= w.limits.Nodes:
			w.cut = "nodes"
			return
		}
		w.at[far.ID] = len(w.nodes)
		w.nodes = append(w.nodes, Step{far, depth})
		w.via = append(w.via, len(w.edges))
	}
	w.seen[key] = true
	e.From, e.To, e.FromID, e.ToID = from.Ref, to.Ref, from.ID, to.ID
	w.edges = append(w.edges, e)
}
