package graph

import (
	"context"
	"maps"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph/shape"
	"github.com/stemma-dev/stemma/storage"
)

// A joiner keeps the table of what is one while a batch is written. Only what hangs
// together with the things that the batch speaks of is worked out again.
type joiner struct {
	tx    *storage.Tx
	table *shape.Table
	rows  []any // ids of the bonds that the batch speaks of
	ends  map[int64]bool
}

// joiner is there if the batch has bonds, with the ends that those had before.
func (t *transfer) joiner(ctx context.Context, table *shape.Table) (*joiner, error) {
	if table == nil || t.b.Rows[table] == nil {
		return nil, nil
	}
	j := &joiner{tx: t.tx, table: table, ends: map[int64]bool{}}
	for _, n := range t.b.Rows[table].Nodes {
		j.rows = append(j.rows, t.ids[n])
	}
	return j, j.reach(ctx, "id", j.rows)
}

// reach adds the ends of the bonds whose column has one of the values, as far as
// something follows from them.
func (j *joiner) reach(ctx context.Context, column string, values []any) error {
	one, other := quoted(j.table.Spec.Joins.One), quoted(j.table.Spec.Joins.Other)
	for part := range inParts(values) {
		q := `SELECT ` + one + `, ` + other + ` FROM ` + quoted(j.table.Name) + ` WHERE ` + one + ` IS NOT NULL AND ` + other + ` IS NOT NULL AND ` +
			`COALESCE(` + quoted(j.table.Spec.Joins.Open) + `, 0) = 0 AND ` + quoted(column) + ` IN ` + placeholders(len(part))
		err := each(ctx, j.tx, q, part, func(rows *storage.Rows) error {
			var a, b int64
			err := rows.Scan(&a, &b)
			j.ends[a], j.ends[b] = true, true
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// join works out anew what is one among all that hangs together with the ends of the
// bonds, before the batch and after it.
func (j *joiner) join(ctx context.Context) error {
	if j == nil {
		return nil
	}
	if err := j.reach(ctx, "id", j.rows); err != nil {
		return err
	}
	seen := map[int64]bool{}
	for {
		var fresh []any
		for _, id := range slices.Sorted(maps.Keys(j.ends)) {
			if !seen[id] {
				seen[id] = true
				fresh = append(fresh, id)
			}
		}
		if len(fresh) == 0 {
			break
		}
		for _, column := range []string{j.table.Spec.Joins.One, j.table.Spec.Joins.Other} {
			if err := j.reach(ctx, column, fresh); err != nil {
				return err
			}
		}
	}
	bonds, ids, err := j.bonds(ctx)
	if err != nil {
		return err
	}
	return j.write(ctx, shape.Join(bonds), ids)
}

// bonds are those between the ends, and the ids of what they name.
func (j *joiner) bonds(ctx context.Context) (bonds []shape.Bond, ids map[stemma.Ref]int64, err error) {
	ids = map[stemma.Ref]int64{}
	s := j.table.Spec.Joins
	q := `SELECT a.id, a.ref, b.id, b.ref, COALESCE(t.` + quoted(s.Apart) + `, 0), CASE WHEN t.` + quoted(s.By) + ` IS NULL THEN 0 ELSE 1 END, n.grade
		FROM ` + quoted(j.table.Name) + ` t JOIN node n ON n.id = t.id JOIN node a ON a.id = t.` + quoted(s.One) + ` JOIN node b ON b.id = t.` + quoted(s.Other) + `
		WHERE COALESCE(t.` + quoted(s.Open) + `, 0) = 0 AND t.` + quoted(s.One) + ` IN `
	for part := range inParts(j.sorted()) {
		err := each(ctx, j.tx, q+placeholders(len(part)), part, func(rows *storage.Rows) error {
			var b shape.Bond
			var one, other int64
			err := rows.Scan(&one, &b.One, &other, &b.Other, &b.Apart, &b.Firm, &b.Grade)
			ids[b.One], ids[b.Other] = one, other
			bonds = append(bonds, b)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
	}
	return bonds, ids, nil
}

func (j *joiner) sorted() []any {
	var out []any
	for _, id := range slices.Sorted(maps.Keys(j.ends)) {
		out = append(out, id)
	}
	return out
}

var sameColumns = []string{"id", "self"}

func (j *joiner) write(ctx context.Context, one map[stemma.Ref]stemma.Ref, ids map[stemma.Ref]int64) error {
	for part := range inParts(j.sorted()) {
		if _, err := j.tx.Exec(ctx, `DELETE FROM same WHERE id IN `+placeholders(len(part)), part...); err != nil {
			return err
		}
	}
	return insert(ctx, j.tx, "same", sameColumns, slices.Sorted(maps.Keys(one)), func(ref stemma.Ref, row []any) {
		row[0], row[1] = ids[ref], ids[one[ref]]
	})
}
