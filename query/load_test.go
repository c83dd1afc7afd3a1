package query_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/query/querytest"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// A loader writes what a world tells straight into the tables of an empty
// graph: ten million facts would take the ledger and Apply the better part of
// an hour. TestLoadedGraphIsTheAppliedOne holds it to what they would write.
type loader struct {
	db      *storage.DB
	doors   map[string]dictionaryDoor
	buffers map[string]*rowBuffer
}

type dictionaryDoor struct {
	id   int64
	flow stemma.Flow
}

// A rowBuffer is what waits to be inserted into one table.
type rowBuffer struct {
	columns []string
	rows    [][]any
}

// load fills an empty graph with a world of about so many nodes. Indexes are
// made when all rows are there, which sorts them once.
func load(tb testing.TB, db *storage.DB, nodes int) (*graph.Graph, *world) {
	tb.Helper()
	g, w := querytest.Tell(tb, db), newWorld()
	l := loader{db: db, doors: map[string]dictionaryDoor{}, buffers: map[string]*rowBuffer{}}
	if err := l.fill(context.Background(), w, nodes); err != nil {
		tb.Fatal(err)
	}
	return g, w
}

func (l *loader) fill(ctx context.Context, w *world, nodes int) error {
	var indexes []index
	err := l.db.Write(ctx, func(tx *storage.Tx) (err error) {
		err = each(ctx, tx, `SELECT name, id, flow FROM door`, func(scan func(...any) error) error {
			var name string
			var d dictionaryDoor
			err := scan(&name, &d.id, &d.flow)
			l.doors[name] = d
			return err
		})
		if err != nil {
			return err
		}
		if indexes, err = indexesOf(ctx, tx); err != nil {
			return err
		}
		for _, i := range indexes {
			if _, err := tx.Exec(ctx, `DROP INDEX "`+i.name+`"`); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.tell = l.take
	if err := w.grow(nodes, func() error { return l.flush(ctx) }); err != nil {
		return err
	}
	for _, i := range indexes {
		if err := l.exec(ctx, i.definition); err != nil {
			return err
		}
	}
	if err := l.exec(ctx, `ANALYZE`); err != nil {
		return err
	}
	for i, p := range w.people {
		name := fmt.Sprintf("Person %d", i)
		l.row("profile", []string{"ref", "name", "email", "login"}, string(p.ref), name, name+"@acme.example", name)
	}
	if err := l.flush(ctx); err != nil {
		return err
	}
	return l.db.Write(ctx, func(tx *storage.Tx) error { return ledger.SetCursor(ctx, tx, "graph", w.nodes) })
}

func (l *loader) exec(ctx context.Context, query string) error {
	return l.db.Write(ctx, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, query)
		return err
	})
}

func (l *loader) row(table string, columns []string, values ...any) {
	b := l.buffers[table]
	if b == nil {
		b = &rowBuffer{columns: columns}
		l.buffers[table] = b
	}
	b.rows = append(b.rows, values)
}

// take keeps the rows of one statement. Its fact is the only one about it.
func (l *loader) take(s statement) {
	id, pos, kind := s.about.id, s.about.id-1, s.about.ref.Kind()
	l.row("node", []string{"id", "ref", "kind", "first_pos", "last_pos", "grade", "stated"},
		id, string(s.about.ref), string(kind), pos, pos, "A", int64(1))
	l.row("node_fact", []string{"node", "pos", "occurred"}, id, pos, int64(stemma.At(querytest.Noon())))
	columns, values := s.attrs.cells([]string{"id"}, []any{id})
	l.row("k_"+string(kind), columns, values...)
	for seq, item := range s.items {
		columns, values := item.cells([]string{"id", "seq"}, []any{id, int64(seq)})
		l.row("k_"+string(kind)+"_"+s.list, columns, values...)
	}
	for _, a := range s.doors {
		known, src, dst := l.doors[a.door], id, a.to.id
		if known.flow == stemma.Down {
			src, dst = dst, src
		}
		l.row("edge", []string{"src", "door", "dst", "grade", "basis", "method", "pos"}, src, known.id, dst, "A", "", "", pos)
	}
}

// cells adds columns and values as the tables have them.
func (a attrs) cells(columns []string, values []any) ([]string, []any) {
	for i := 0; i < len(a); i += 2 {
		v := a[i+1]
		switch x := v.(type) {
		case time.Time:
			v = x.UnixMicro()
		case thing:
			if v = x.id; !x.known() {
				v = nil
			}
		}
		columns, values = append(columns, a[i].(string)), append(values, v)
	}
	return columns, values
}

func (l *loader) flush(ctx context.Context) error {
	return l.db.Write(ctx, func(tx *storage.Tx) error {
		for table, b := range l.buffers {
			if err := b.insert(ctx, tx, table); err != nil {
				return err
			}
			b.rows = b.rows[:0]
		}
		return nil
	})
}

// insert quotes the columns, some of which are words of SQL; PostgreSQL copies
// and wants them bare.
func (b *rowBuffer) insert(ctx context.Context, tx *storage.Tx, table string) error {
	if tx.Engine() == storage.Postgres && len(b.rows) > 100 {
		_, err := tx.Insert(ctx, table, b.columns, slices.Values(b.rows))
		return err
	}
	var quoted []string
	for _, c := range b.columns {
		quoted = append(quoted, `"`+c+`"`)
	}
	_, err := tx.Upsert(ctx, table, quoted, "", slices.Values(b.rows))
	return err
}

// An index is one that no primary key needs.
type index struct{ name, definition string }

// indexesOf are those of the graph's tables.
func indexesOf(ctx context.Context, tx *storage.Tx) ([]index, error) {
	query := `SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND
		(tbl_name IN ('node', 'edge') OR tbl_name LIKE 'k\_%' ESCAPE '\') ORDER BY name`
	if tx.Engine() == storage.Postgres {
		query = `SELECT c.relname, replace(pg_get_indexdef(c.oid), current_schema() || '.', '') FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
			WHERE t.relnamespace = current_schema()::regnamespace AND NOT i.indisprimary AND
			(t.relname IN ('node', 'edge') OR t.relname LIKE 'k\_%') ORDER BY c.relname`
	}
	var out []index
	return out, each(ctx, tx, query, func(scan func(...any) error) error {
		var i index
		err := scan(&i.name, &i.definition)
		out = append(out, i)
		return err
	})
}

// each calls f with the scanner of every row of a query.
func each(ctx context.Context, tx *storage.Tx, query string, f func(scan func(...any) error) error) error {
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err tells of a failure
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// fact is what a reader of sources would make of s.
func (s statement) fact(tb testing.TB) stemma.Fact {
	tb.Helper()
	object := s.attrs.object()
	if s.list != "" {
		items := []map[string]any{}
		for _, item := range s.items {
			items = append(items, item.object())
		}
		object[s.list] = items
	}
	raw, err := json.Marshal(object)
	if err != nil {
		tb.Fatal(err)
	}
	edges := make([]stemma.Edge, len(s.doors))
	for i, a := range s.doors {
		edges[i] = stemma.Edge{Door: a.door, To: a.to.ref}
	}
	f, err := stemma.NewFact(s.about.ref, json.RawMessage(raw), stemma.Provenance{Source: "test", Grade: stemma.GradeA, Occurred: querytest.Noon(), Edges: edges})
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// object is a as facts have it.
func (a attrs) object() map[string]any {
	object := map[string]any{}
	for i := 0; i < len(a); i += 2 {
		switch x := a[i+1].(type) {
		case time.Time:
			object[a[i].(string)] = stemma.At(x)
		case thing:
			if x.known() {
				object[a[i].(string)] = x.ref
			}
		default:
			object[a[i].(string)] = x
		}
	}
	return object
}

func TestLoadedGraphIsTheAppliedOne(t *testing.T) {
	const nodes = 3000
	w := newWorld()
	var facts []stemma.Fact
	w.tell = func(s statement) { facts = append(facts, s.fact(t)) }
	if err := w.grow(nodes, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	look := func(t *testing.T, db *storage.DB, g *graph.Graph) ([]string, []index) {
		t.Helper()
		var b bytes.Buffer
		if err := g.Dump(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		var indexes []index
		err := db.Read(t.Context(), func(tx *storage.Tx) (err error) {
			indexes, err = indexesOf(t.Context(), tx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(b.String(), "\n"), indexes
	}
	for engine, open := range map[string]func(testing.TB) *storage.DB{"sqlite": storagetest.SQLite, "postgres": storagetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			one, other := open(t), open(t)
			applied, indexed := look(t, one, querytest.Tell(t, one, facts...))
			g, _ := load(t, other, nodes)
			loaded, reindexed := look(t, other, g)
			if len(applied) < 5*nodes || len(loaded) != len(applied) {
				t.Errorf("%d lines were loaded and %d applied", len(loaded), len(applied))
			}
			for i := range min(len(loaded), len(applied)) {
				if loaded[i] != applied[i] {
					t.Fatalf("loaded  %s\napplied %s", loaded[i], applied[i])
				}
			}
			if len(indexed) < 20 || !slices.Equal(reindexed, indexed) {
				t.Errorf("indexes %v, want %v", reindexed, indexed)
			}
		})
	}
}
