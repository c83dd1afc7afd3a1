package graph

import (
	"context"
	"errors"
	"fmt"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph/shape"
	"github.com/stemma-dev/stemma/storage"
)

// A View is the graph at one moment, for those who go from node to node. It can
// look and nothing else.
type View struct {
	shape *shape.Shape
	tx    *storage.Tx
}

// View lets f look at the graph; all it sees is of one moment. It may be called
// again, so f begins anew.
func (g *Graph) View(ctx context.Context, f func(View) error) error {
	return g.db.Read(ctx, func(tx *storage.Tx) error { return f(View{g.shape, tx}) })
}

// Node reads one node without its attributes. What is no ref is not in the
// store and not asked for: like an unknown one it is ErrNotFound.
func (v View) Node(ctx context.Context, ref stemma.Ref) (Node, error) {
	var n Node
	err := stemma.ErrNotFound
	if ref.Valid() {
		err = v.tx.QueryRow(ctx, `SELECT `+headColumns+` FROM node n WHERE n.ref = $1`, string(ref)).Scan(n.head()...)
	}
	if errors.Is(err, stemma.ErrNotFound) {
		err = fmt.Errorf("%.200q: %w", string(ref), stemma.ErrNotFound)
	}
	return n, err
}

// Binds reports whether things of a kind may have doors that bind both ways, as
// their subject or as their target.
func (v View) Binds(kind stemma.Kind) (subject, target bool) {
	return v.shape.BothFrom[kind], v.shape.BothTo[kind]
}

// A Side is the end of an edge that is looked for: its column.
type Side string

// The ends of an edge.
const (
	Causes  Side = "dst"
	Effects Side = "src"
)

// near is the other end.
func (s Side) near() Side {
	if s == Causes {
		return Effects
	}
	return Causes
}

// Beyond calls f for the edges at nodes that do not lead aside, and what is at
// their far end; if both is set, only for those that bind both ways. Nodes are
// taken in their order, some at a time, and their edges in order of node, door
// and far end; it stops before the next ones when f returns false or the last
// had more than most edges, which is told.
func (v View) Beyond(ctx context.Context, s Side, nodes []int64, both bool, most int, f func(near int64, e Edge, far Node) bool) (more bool, err error) {
	lowest, going := 0, true
	if both {
		lowest = shape.FirstBoth
	}
	ids := make([]any, len(nodes))
	for i, id := range nodes {
		ids[i] = id
	}
	for part := range inParts(ids) {
		n := len(part)
		q := fmt.Sprintf(`SELECT e.%s, e.door, e.grade, e.basis, e.method, e.pos, %s FROM edge e JOIN node n ON n.id = e.%s
			WHERE e.%s IN %s AND e.door >= $%d AND e.door < $%d ORDER BY e.%s, e.door, e.%s LIMIT $%d`,
			s.near(), headColumns, s, s.near(), placeholders(n), n+1, n+2, s.near(), s, n+3)
		rows := 0
		err := each(ctx, v.tx, q, append(part, lowest, shape.FirstAside, most+1), func(r *storage.Rows) error {
			rows++
			var near, door int64
			var e Edge
			var far Node
			dest := append([]any{&near, &door, &e.Grade, &e.Basis, &e.Method, &e.Pos}, far.head()...)
			if err := r.Scan(dest...); err != nil {
				return err
			}
			if err := e.through(v.shape, door); err != nil {
				return err
			}
			going = f(near, e, far) && going
			return nil
		})
		if err != nil || rows > most || !going {
			return rows > most, err
		}
	}
	return false, nil
}
