package graph

import (
	"context"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
)

// Same gives everything that is one with ref, itself included, in order: all are known
// by the first.
func (g *Graph) Same(ctx context.Context, ref stemma.Ref) ([]stemma.Ref, error) {
	var list []stemma.Ref
	err := g.db.Read(ctx, func(tx *storage.Tx) error {
		return each(ctx, tx, `SELECT x.ref FROM node n JOIN same s ON s.id = n.id JOIN same o ON o.self = s.self JOIN node x ON x.id = o.id
			WHERE n.ref = $1 ORDER BY x.ref`, []any{string(ref)}, func(rows *storage.Rows) error {
			var r stemma.Ref
			err := rows.Scan(&r)
			list = append(list, r)
			return err
		})
	})
	if len(list) == 0 {
		list = []stemma.Ref{ref}
	}
	return list, wrap("reading what is one", err)
}
