package walk

import (
	"context"
	"fmt"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph"
)

// A Path is a way from one node to another.
type Path struct {
	Nodes []graph.Node // from the first to the last; empty if no path was found
	Edges []graph.Edge // one fewer than nodes
	Cut   bool         // the search ended at its limits, so there may be a (shorter) path
}

// Between finds a shortest path from one node to another. Up means that
// every step leads to a cause, Down that every step leads to an effect. Among
// paths of equal length the choice is the same on every engine. Limits bound
// the nodes looked at and the length. An unknown ref is ErrNotFound.
func Between(ctx context.Context, g *graph.Graph, from, to stemma.Ref, dir Direction, limits Limits) (Path, error) {
	var p Path
	err := g.View(ctx, func(v graph.View) error {
		a, err := v.Node(ctx, from)
		if err != nil {
			return err
		}
		b, err := v.Node(ctx, to)
		if err != nil {
			return err
		}
		s := pathSearch{near: newWalker(v, a, limits.or()), far: newWalker(v, b, limits.or())}
		p, err = s.run(ctx, dir)
		return err
	})
	if err != nil {
		return Path{}, fmt.Errorf("graph: finding a path: %w", err)
	}
	return p, nil
}

// A pathSearch walks from both ends and lets the smaller front go on, which
// looks at far fewer nodes than a walk from one end.
type pathSearch struct {
	near, far walker
}

func (s *pathSearch) run(ctx context.Context, dir Direction) (Path, error) {
	back := map[Direction]Direction{Up: Down, Down: Up, Either: Either}[dir]
	for {
		if p, ok := s.join(); ok {
			p.Cut = s.near.cut != "" || s.far.cut != ""
			return p, nil
		}
		depth := s.near.depth() + s.far.depth()
		cut := s.near.cut != "" || s.far.cut != "" || depth >= s.near.limits.Depth
		if cut || len(s.near.frontier) == 0 || len(s.far.frontier) == 0 {
			return Path{Cut: cut}, nil
		}
		w, d := &s.near, dir
		if len(s.far.frontier) < len(s.near.frontier) {
			w, d = &s.far, back
		}
		if err := w.step(ctx, d); err != nil {
			return Path{}, err
		}
	}
}

func (w *walker) depth() int { return w.nodes[len(w.nodes)-1].Depth }

// join looks for a node that both ends have reached: the one on the shortest
// path, of those the one with the lowest id.
func (s *pathSearch) join() (Path, bool) {
	best, length := int64(-1), 0
	for id, i := range s.near.at {
		j, ok := s.far.at[id]
		if !ok {
			continue
		}
		n := s.near.nodes[i].Depth + s.far.nodes[j].Depth
		if best < 0 || n < length || n == length && id < best {
			best, length = id, n
		}
	}
	if best < 0 {
		return Path{}, false
	}
	p := Path{Nodes: []graph.Node{s.near.nodes[s.near.at[best]].Node}}
	s.near.trail(best, func(n graph.Node, e graph.Edge) {
		p.Nodes, p.Edges = append(p.Nodes, n), append(p.Edges, e)
	})
	slices.Reverse(p.Nodes)
	slices.Reverse(p.Edges)
	s.far.trail(best, func(n graph.Node, e graph.Edge) {
		p.Nodes, p.Edges = append(p.Nodes, n), append(p.Edges, e)
	})
	return p, true
}

// trail calls f for the steps from a node back to the start.
func (w *walker) trail(id int64, f func(graph.Node, graph.Edge)) {
	for i := w.at[id]; i != 0; {
		via := w.edges[w.via[i]]
		next := w.at[via.FromID]
		if next == i {
			next = w.at[via.ToID]
		}
		f(w.nodes[next].Node, via)
		i = next
	}
}
