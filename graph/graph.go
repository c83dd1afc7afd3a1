// Package graph is the lineage as tables that SQL can ask: derived from the
// ledger, and from nothing else.
//
// It keeps, in the space's own database:
//
//   - node(id, ref, kind, first_pos, last_pos, grade, stated): everything that
//     a fact names. first_pos is the fact that named it first, last_pos the
//     last fact about it; grade is the best of those. What is only named has
//     stated 0, last_pos -1 and no grade;
//   - node_fact(node, pos, occurred): the facts about a node, and when they say that it was so;
//   - edge(src, door, dst, grade, basis, method, pos): always from effect to
//     cause, so a door that leads down is kept turned round. Of an edge stated
//     more than once the best evidence stays, the earliest if equally good. A
//     whole fact withdraws those it does not repeat, unless they are better;
//   - door(id, name, flow): the dictionary of doors. Ids tell the flow: below
//     65536 lie the causal doors, below 131072 those that bind both ways,
//     above that the ones that lead aside;
//   - k_<kind>(id, columns) and k_<kind>_<list>(id, seq, columns): the
//     attributes, typed. Times are microseconds since 1970, truth is 0 or 1,
//     links are ids of nodes. Where facts disagree the later one stands, column
//     by column; a list is replaced whole;
//   - same(id, self): which nodes are one, by the kinds that join; self is the
//     one of them by whose ref all are known. What is alone is not in it;
//   - graph_skip(pos, reason): what of which fact had no place, and why;
//   - graph_meta(name, value): for which shape the tables were made.
//
// Every table is made from the specs of the rooms. A graph of another shape is
// dropped and fills again from the first fact. Nodes are numbered in the order
// in which the ledger names them, so two graphs of one ledger are equal on any
// engine, however they came about; [Graph.Dump] shows it.
//
// Package graph/shape works out what the tables are and what facts do to them;
// this package alone writes them ([Graph.Apply]). It knows no room, never appends
// to the ledger, reads no clock.
package graph

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph/shape"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/storage"
)

// A Graph is the derived tables of one space. Its methods may be called
// concurrently, also by several processes.
type Graph struct {
	db    *storage.DB
	shape *shape.Shape
	batch int64 // entries to a transaction of Apply
}

// cursorName is the graph's place in the ledger.
const cursorName = "graph"

// Open makes the tables that specs describe, unless they are there. The ledger
// of the space must have been opened before. Tables of another shape are dropped
// with all they hold: the next Apply fills the new ones from the first fact on.
func Open(ctx context.Context, db *storage.DB, specs []stemma.KindSpec) (*Graph, error) {
	s, err := shape.New(specs)
	if err != nil {
		return nil, err
	}
	g := &Graph{db: db, shape: s, batch: batchEntries}
	fits := false
	err = db.Read(ctx, func(tx *storage.Tx) error {
		if columns, err := tx.Columns(ctx, "graph_meta"); err != nil || len(columns) == 0 {
			return err // the store is new, or somebody has dropped it
		}
		fits, err = g.fits(ctx, tx)
		return err
	})
	if err != nil || fits {
		return g, wrap("opening", err)
	}
	return g, wrap("making the tables", db.Write(ctx, func(tx *storage.Tx) error {
		if _, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS graph_meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)`); err != nil {
			return err
		}
		if fits, err := g.fits(ctx, tx); err != nil || fits {
			return err // another process was faster
		}
		return g.make(ctx, tx)
	}))
}

func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("graph: %s: %w", doing, err)
}

// Rebuild empties the graph and fills it from the ledger. Meanwhile readers
// see a part of it. Where a table is gone or has other columns, all are made
// anew; views that stood on them may be gone then.
func (g *Graph) Rebuild(ctx context.Context, l *ledger.Ledger) error {
	if err := g.db.Write(ctx, func(tx *storage.Tx) error { return g.empty(ctx, tx) }); err != nil {
		return wrap("rebuilding", err)
	}
	_, err := g.Apply(ctx, l)
	return err
}

// empty removes every row but keeps the tables, on which views may stand, if they
// are as they were made.
func (g *Graph) empty(ctx context.Context, tx *storage.Tx) error {
	if err := g.sameShape(ctx, tx); err != nil {
		return err
	}
	if faults, err := g.faults(ctx, tx); err != nil {
		return err
	} else if len(faults) > 0 {
		return g.make(ctx, tx)
	}
	how := "DELETE FROM "
	if g.db.Engine() == storage.Postgres {
		how = "TRUNCATE "
	}
	for _, name := range append(tableNames(g.shape), "graph_meta") {
		if _, err := tx.Exec(ctx, how+quoted(name)); err != nil {
			return err
		}
	}
	return g.begin(ctx, tx)
}

// errReshaped says that another program uses the space with other specs.
var errReshaped = errors.New("another version of the program has given the graph another shape")

func (g *Graph) sameShape(ctx context.Context, tx *storage.Tx) error {
	fits, err := g.fits(ctx, tx)
	if err == nil && !fits {
		err = stemma.WithHint(errReshaped, "stop the other version, or start this one again")
	}
	return err
}

func (g *Graph) fits(ctx context.Context, tx *storage.Tx) (bool, error) {
	stored, err := g.meta(ctx, tx, "shape")
	return stored == g.shape.Digest.String(), err
}

func (g *Graph) meta(ctx context.Context, tx *storage.Tx, name string) (string, error) {
	var value string
	err := tx.QueryRow(ctx, `SELECT value FROM graph_meta WHERE name = $1`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, err
}

// make drops what is there and creates empty tables.
func (g *Graph) make(ctx context.Context, tx *storage.Tx) error {
	if err := g.drop(ctx, tx); err != nil {
		return err
	}
	for _, q := range ddl(g.shape, g.db.Engine()) {
		if _, err := tx.Exec(ctx, q); err != nil {
			return err
		}
	}
	return g.begin(ctx, tx)
}

// begin fills empty tables with what stands there before the first entry.
func (g *Graph) begin(ctx context.Context, tx *storage.Tx) error {
	for _, d := range g.shape.Doors {
		if _, err := tx.Exec(ctx, `INSERT INTO door (id, name, flow) VALUES ($1, $2, $3)`, d.ID, d.Name, int64(d.Flow)); err != nil {
			return err
		}
	}
	names, err := json.Marshal(tableNames(g.shape))
	if err != nil {
		return err
	}
	for name, value := range map[string]string{"shape": g.shape.Digest.String(), "tables": string(names)} {
		_, err := tx.Exec(ctx, `INSERT INTO graph_meta (name, value) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
		if err != nil {
			return err
		}
	}
	return ledger.SetCursor(ctx, tx, cursorName, 0)
}

// drop removes the tables of this shape and of the one that made the graph.
func (g *Graph) drop(ctx context.Context, tx *storage.Tx) error {
	names := tableNames(g.shape)
	stored, err := g.meta(ctx, tx, "tables")
	if err != nil {
		return err
	}
	if stored != "" {
		var old []string
		if err := json.Unmarshal([]byte(stored), &old); err != nil {
			return fmt.Errorf("reading the names of the tables: %w", err)
		}
		names = append(names, old...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		columns, err := tx.Columns(ctx, name)
		if err != nil {
			return err
		}
		q := `DROP TABLE IF EXISTS `
		if len(columns) == 0 { // what has its name can only be a view
			q = `DROP VIEW IF EXISTS `
		}
		q += quoted(strings.ReplaceAll(name, `"`, ``))
		if g.db.Engine() == storage.Postgres {
			q += ` CASCADE` // views of other packages; SQLite finds their tables again by name
		}
		if _, err := tx.Exec(ctx, q); err != nil {
			return err
		}
	}
	return nil
}
