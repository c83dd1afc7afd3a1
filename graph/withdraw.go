package graph

import (
	"context"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph/shape"
	"github.com/stemma-dev/stemma/storage"
)

// withdraw deletes from the store what the cuts of the batch take.
func (t *transfer) withdraw(ctx context.Context) error {
	cuts := map[int][]shape.Cut{} // by node, in order
	var subjects, below []any
	for _, c := range t.b.Cuts {
		if !t.old[c.Node].stated {
			continue // nothing of it is in the store
		}
		if cuts[c.Node] == nil {
			subjects = append(subjects, t.ids[c.Node])
			if c.LeadsDown() {
				below = append(below, t.ids[c.Node])
			}
		}
		cuts[c.Node] = append(cuts[c.Node], c)
	}
	if len(subjects) == 0 {
		return nil
	}
	gone, err := t.taken(ctx, "src", subjects, cuts)
	if err != nil {
		return err
	}
	more, err := t.taken(ctx, "dst", below, cuts)
	if err != nil {
		return err
	}
	for _, e := range append(gone, more...) {
		if _, err := t.tx.Exec(ctx, `DELETE FROM edge WHERE src = $1 AND door = $2 AND dst = $3`, e[0], e[1], e[2]); err != nil {
			return err
		}
	}
	return nil
}

// taken lists the stored edges whose near end is one of subjects and which a
// cut of that subject takes.
func (t *transfer) taken(ctx context.Context, near string, subjects []any, cuts map[int][]shape.Cut) (gone [][3]int64, err error) {
	local := make(map[int64]int, len(t.ids))
	for i, id := range t.ids {
		local[id] = i
	}
	number := func(id int64) int {
		if n, ok := local[id]; ok {
			return n
		}
		return -1 // no fact of the batch names it
	}
	for part := range inParts(subjects) {
		q := `SELECT src, door, dst, grade FROM edge WHERE ` + near + ` IN ` + placeholders(len(part))
		err := each(ctx, t.tx, q, part, func(rows *storage.Rows) error {
			var e [3]int64
			var grade stemma.Grade
			if err := rows.Scan(&e[0], &e[1], &e[2], &grade); err != nil {
				return err
			}
			key := shape.EdgeKey{Src: number(e[0]), Door: e[1], Dst: number(e[2])}
			node := key.Src
			if near == "dst" {
				node = key.Dst
			}
			if slices.ContainsFunc(cuts[node], func(c shape.Cut) bool { return c.Takes(key, grade) }) {
				gone = append(gone, e)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return gone, nil
}
