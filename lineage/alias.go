package lineage

import (
	"context"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph"
)

// doorAlias leads from a repository to other names of it.
const doorAlias = "alias"

// Bearer is the thing that bears a name: n itself, or, if no fact is about n, the
// repository that has gone by that name.
func Bearer(ctx context.Context, g *graph.Graph, n graph.Node) (graph.Node, error) {
	if n.Kind != stemma.KindRepository || n.Stated {
		return n, nil
	}
	_, in, err := g.Relations(ctx, n.Ref, maxFindEach)
	if err != nil {
		return n, err
	}
	for _, e := range in {
		if e.Door == doorAlias {
			return g.Node(ctx, e.From)
		}
	}
	return n, nil
}
