package graph

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph/shape"
	"github.com/stemma-dev/stemma/storage"
)

// A known node is one that has an id.
type known struct {
	id     int64
	stated bool
	grade  stemma.Grade
}

// A writer writes batches and remembers nodes between them.
type writer struct {
	shape *shape.Shape
	known map[stemma.Ref]known
}

// remember notes what a committed batch made of its nodes.
func (w *writer) remember(b *shape.Batch, now []known) {
	if len(w.known) > maxKnown {
		clear(w.known)
	}
	for i, m := range b.Nodes {
		w.known[m.Ref] = now[i]
	}
}

// merged is the grade of a node after a batch.
func merged(old known, m shape.Mention) stemma.Grade {
	switch {
	case !old.stated:
		return m.Grade
	case !m.Stated:
		return old.grade
	}
	return min(old.grade, m.Grade)
}

// write writes b and returns what its nodes are afterwards.
func (w *writer) write(ctx context.Context, tx *storage.Tx, b *shape.Batch) ([]known, error) {
	old, err := w.lookUp(ctx, tx, b)
	if err != nil {
		return nil, err
	}
	var last int64
	if err := tx.QueryRow(ctx, `SELECT coalesce(max(id), 0) FROM node`).Scan(&last); err != nil {
		return nil, err
	}
	t := transfer{tx: tx, b: b, old: old, ids: make([]int64, len(b.Nodes))}
	now := make([]known, len(b.Nodes))
	for i, m := range b.Nodes {
		if t.ids[i] = old[i].id; t.ids[i] == 0 {
			last++
			t.ids[i] = last
		}
		now[i] = known{t.ids[i], old[i].stated || m.Stated, merged(old[i], m)}
	}
	for _, step := range []func(context.Context) error{t.nodes, t.facts, t.withdraw, t.edges, t.skips} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	joins, err := t.joiner(ctx, w.shape.Joins)
	if err != nil {
		return nil, err
	}
	for _, table := range w.shape.Tables {
		if set := b.Rows[table]; set != nil {
			if err := t.rows(ctx, table.Cells, set); err != nil {
				return nil, err
			}
		}
		for _, l := range table.Lists {
			if set := b.Lists[l]; set != nil {
				if err := t.list(ctx, l.Cells, set); err != nil {
					return nil, err
				}
			}
		}
	}
	return now, joins.join(ctx)
}

// lookUp finds which nodes of b exist; a new one is zero.
func (w *writer) lookUp(ctx context.Context, tx *storage.Tx, b *shape.Batch) ([]known, error) {
	old := make([]known, len(b.Nodes))
	var missing []any
	for i, m := range b.Nodes {
		k, ok := w.known[m.Ref]
		if !ok {
			missing = append(missing, string(m.Ref))
		}
		old[i] = k
	}
	for part := range inParts(missing) {
		err := each(ctx, tx, `SELECT id, ref, stated, grade FROM node WHERE ref IN `+placeholders(len(part)), part, func(rows *storage.Rows) error {
			var k known
			var ref string
			if err := rows.Scan(&k.id, &ref, &k.stated, &k.grade); err != nil {
				return err
			}
			old[b.Number(stemma.Ref(ref))] = k
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return old, nil
}

// each calls f for every row of a query.
func each(ctx context.Context, tx *storage.Tx, query string, args []any, f func(*storage.Rows) error) (err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// A transfer is one batch on its way into one transaction.
type transfer struct {
	tx  *storage.Tx
	b   *shape.Batch
	old []known // by local number
	ids []int64 // by local number
}

var nodeColumns = []string{"id", "ref", "kind", "first_pos", "last_pos", "grade", "stated"}

func (t *transfer) nodes(ctx context.Context) error {
	var fresh, again []int
	for i, m := range t.b.Nodes {
		switch {
		case t.old[i].id == 0:
			fresh = append(fresh, i)
		case m.Stated:
			again = append(again, i)
		}
	}
	row := func(i int, row []any) {
		m := t.b.Nodes[i]
		row[0], row[1], row[2], row[3], row[4] = t.ids[i], string(m.Ref), string(m.Ref.Kind()), m.First, m.Last
		row[5], row[6] = string(merged(t.old[i], m)), m.Stated
	}
	if err := insert(ctx, t.tx, "node", nodeColumns, fresh, row); err != nil {
		return err
	}
	return upsert(ctx, t.tx, "node", nodeColumns, again, row,
		`ON CONFLICT (id) DO UPDATE SET last_pos = excluded.last_pos, grade = excluded.grade, stated = excluded.stated`)
}

func (t *transfer) facts(ctx context.Context) error {
	return insert(ctx, t.tx, "node_fact", []string{"node", "pos", "occurred"}, upTo(len(t.b.Facts)), func(i int, row []any) {
		f := t.b.Facts[i]
		if row[0], row[1], row[2] = t.ids[f.Node], f.Pos, nil; f.Occurred != 0 {
			row[2] = int64(f.Occurred)
		}
	})
}

var edgeColumns = []string{"src", "door", "dst", "grade", "basis", "method", "pos"}

// edges inserts those with a new end, which cannot be there yet, and lets the
// others contend with what is there.
func (t *transfer) edges(ctx context.Context) error {
	var fresh, again []int
	for i, e := range t.b.Edges {
		if e.Door == 0 {
			continue
		}
		if t.old[e.Src].id == 0 || t.old[e.Dst].id == 0 {
			fresh = append(fresh, i)
		} else {
			again = append(again, i)
		}
	}
	row := func(i int, row []any) {
		e := t.b.Edges[i]
		row[0], row[1], row[2] = t.ids[e.Src], e.Door, t.ids[e.Dst]
		row[3], row[4], row[5], row[6] = string(e.Grade), e.Basis, e.Method, e.Pos
	}
	if err := insert(ctx, t.tx, "edge", edgeColumns, fresh, row); err != nil {
		return err
	}
	return upsert(ctx, t.tx, "edge", edgeColumns, again, row, `ON CONFLICT (src, door, dst) DO UPDATE SET
		grade = excluded.grade, basis = excluded.basis, method = excluded.method, pos = excluded.pos
		WHERE excluded.grade < edge.Grade`)
}

func (t *transfer) skips(ctx context.Context) error {
	return insert(ctx, t.tx, "graph_skip", []string{"pos", "reason"}, upTo(len(t.b.Skips)), func(i int, row []any) {
		row[0], row[1] = t.b.Skips[i].Pos, t.b.Skips[i].Reason
	})
}

// rows writes the attributes of one kind: a first row is inserted, a later one
// laid over it.
func (t *transfer) rows(ctx context.Context, c shape.Cells, set *shape.Set[[]any]) error {
	var fresh, again []int
	for i, n := range set.Nodes {
		if t.old[n].stated {
			again = append(again, i)
		} else {
			fresh = append(fresh, i)
		}
	}
	row := func(i int, row []any) {
		row[0] = t.ids[set.Nodes[i]]
		t.fill(row[1:], set.Values[i])
	}
	columns := names(c, "id")
	if err := insert(ctx, t.tx, c.Name, columns, fresh, row); err != nil {
		return err
	}
	if len(c.Columns) == 0 {
		return nil
	}
	var sets []string
	for _, col := range c.Columns {
		q := quoted(col.Name)
		sets = append(sets, fmt.Sprintf("%s = coalesce(excluded.%s, %s.%s)", q, q, quoted(c.Name), q))
	}
	return upsert(ctx, t.tx, c.Name, columns, again, row, "ON CONFLICT (id) DO UPDATE SET "+strings.Join(sets, ", "))
}

// names are the columns, after the given ones.
func names(c shape.Cells, first ...string) []string {
	for _, col := range c.Columns {
		first = append(first, col.Name)
	}
	return first
}

// fill puts values into row, with ids for local numbers.
func (t *transfer) fill(row, values []any) {
	for i, v := range values {
		if n, ok := v.(shape.Local); ok {
			v = t.ids[n]
		}
		row[i] = v
	}
}

// list replaces one list of those nodes for which the batch gives it.
func (t *transfer) list(ctx context.Context, c shape.Cells, set *shape.Set[[][]any]) error {
	var old []any
	for _, n := range set.Nodes {
		if t.old[n].stated {
			old = append(old, t.ids[n])
		}
	}
	for part := range inParts(old) {
		if _, err := t.tx.Exec(ctx, `DELETE FROM `+quoted(c.Name)+` WHERE id IN `+placeholders(len(part)), part...); err != nil {
			return err
		}
	}
	type place struct{ item, seq int }
	var places []place
	for i := range set.Nodes {
		for seq := range set.Values[i] {
			places = append(places, place{i, seq})
		}
	}
	return insert(ctx, t.tx, c.Name, names(c, "id", "seq"), places, func(p place, row []any) {
		row[0], row[1] = t.ids[set.Nodes[p.item]], int64(p.seq)
		t.fill(row[2:], set.Values[p.item][p.seq])
	})
}

// worthCopying is from how many rows on PostgreSQL copies. It then wants the
// names of columns bare; a statement wants them quoted, as some are its words.
const worthCopying = 64

// insert adds a row for each of items.
func insert[T any](ctx context.Context, tx *storage.Tx, table string, columns []string, items []T, row func(T, []any)) error {
	if len(items) == 0 {
		return nil
	}
	if tx.Engine() == storage.Postgres && len(items) >= worthCopying {
		_, err := tx.Insert(ctx, table, columns, rowsOf(len(columns), items, row))
		return err
	}
	return upsert(ctx, tx, table, columns, items, row, "")
}

// upsert adds a row for each of items, or does what the clause says.
func upsert[T any](ctx context.Context, tx *storage.Tx, table string, columns []string, items []T, row func(T, []any), onConflict string) error {
	if len(items) == 0 {
		return nil
	}
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = quoted(c)
	}
	_, err := tx.Upsert(ctx, quoted(table), names, onConflict, rowsOf(len(columns), items, row))
	return err
}

func rowsOf[T any](width int, items []T, row func(T, []any)) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		cells := make([]any, width)
		for _, item := range items {
			row(item, cells)
			if !yield(cells) {
				return
			}
		}
	}
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// placeholders is "($1, …)" for n arguments.
func placeholders(n int) string {
	var b strings.Builder
	b.WriteString("($1")
	for i := 2; i <= n; i++ {
		b.WriteString(", $")
		b.WriteString(strconv.Itoa(i))
	}
	b.WriteByte(')')
	return b.String()
}

// inParts cuts args into parts of a few fixed lengths, repeating the last
// argument where a part is not full: right for IN, and prepared only once.
func inParts(args []any) iter.Seq[[]any] {
	const most = 512
	return func(yield func([]any) bool) {
		for len(args) > 0 {
			n := min(len(args), most)
			part := args[:n:n]
			args = args[n:]
			size := 1
			for size < n {
				size *= 2
			}
			for len(part) < size {
				part = append(part, part[n-1])
			}
			if !yield(part) {
				return
			}
		}
	}
}
