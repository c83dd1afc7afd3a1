package graph

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph/shape"
	"github.com/stemma-dev/stemma/storage"
)

// tableNames are all tables of s but graph_meta.
func tableNames(s *shape.Shape) []string {
	names := []string{"node", "node_fact", "edge", "door", "same", "graph_skip"}
	for _, t := range s.Tables {
		names = append(names, t.Name)
		for _, l := range t.Lists {
			names = append(names, l.Name)
		}
	}
	return names
}

// columns are those of all tables of s but graph_meta, in their order.
func columns(s *shape.Shape) map[string][]string {
	out := map[string][]string{
		"node":       {"id", "ref", "kind", "first_pos", "last_pos", "grade", "stated"},
		"node_fact":  {"node", "pos", "occurred"},
		"edge":       {"src", "door", "dst", "grade", "basis", "method", "pos"},
		"door":       {"id", "name", "flow"},
		"same":       sameColumns,
		"graph_skip": {"pos", "reason"},
	}
	cells := func(c shape.Cells, key ...string) {
		for _, col := range c.Columns {
			key = append(key, col.Name)
		}
		out[c.Name] = key
	}
	for _, t := range s.Tables {
		cells(t.Cells, "id")
		for _, l := range t.Lists {
			cells(l.Cells, "id", "seq")
		}
	}
	return out
}

// Faults tells which tables are not as they were made, in words: one that is
// gone, or has other columns.
func (g *Graph) Faults(ctx context.Context) (faults []string, err error) {
	err = g.db.Read(ctx, func(tx *storage.Tx) (err error) {
		faults, err = g.faults(ctx, tx)
		return err
	})
	return faults, wrap("looking at the tables", err)
}

func (g *Graph) faults(ctx context.Context, tx *storage.Tx) ([]string, error) {
	var faults []string
	want := columns(g.shape)
	for _, name := range tableNames(g.shape) {
		got, err := tx.Columns(ctx, name)
		switch {
		case err != nil:
			return nil, err
		case len(got) == 0:
			faults = append(faults, "table "+name+" is gone")
		case !slices.Equal(got, want[name]):
			faults = append(faults, "table "+name+" has other columns than it was made with")
		}
	}
	return faults, nil
}

// ddl are the statements that make the tables, but for graph_meta.
func ddl(s *shape.Shape, engine storage.Engine) []string {
	d := dialect{id: "INTEGER", clustered: " WITHOUT ROWID"}
	if engine == storage.Postgres {
		d = dialect{id: "BIGINT"}
	}
	out := []string{
		`CREATE TABLE node (id ` + d.id + ` PRIMARY KEY, ref TEXT NOT NULL, kind TEXT NOT NULL,
			first_pos BIGINT NOT NULL, last_pos BIGINT NOT NULL, grade TEXT NOT NULL, stated INTEGER NOT NULL)`,
		`CREATE UNIQUE INDEX node_ref ON node (ref)`,
		`CREATE TABLE node_fact (node BIGINT NOT NULL, pos BIGINT NOT NULL, occurred BIGINT, PRIMARY KEY (node, pos))` + d.clustered,
		`CREATE TABLE edge (src BIGINT NOT NULL, door INTEGER NOT NULL, dst BIGINT NOT NULL, grade TEXT NOT NULL,
			basis TEXT NOT NULL, method TEXT NOT NULL, pos BIGINT NOT NULL, PRIMARY KEY (src, door, dst))` + d.clustered,
		`CREATE INDEX edge_dst ON edge (dst, door, src)`,
		`CREATE TABLE door (id INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, flow INTEGER NOT NULL)`,
		`CREATE TABLE same (id ` + d.id + ` PRIMARY KEY, self BIGINT NOT NULL)`,
		`CREATE INDEX same_self ON same (self, id)`,
		`CREATE TABLE graph_skip (pos BIGINT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (pos, reason))` + d.clustered,
	}
	for _, t := range s.Tables {
		out = append(out, d.create(t.Cells, "id "+d.id+" PRIMARY KEY", false)...)
		for _, l := range t.Lists {
			out = append(out, d.create(l.Cells, "id BIGINT NOT NULL, seq INTEGER NOT NULL", true)...)
		}
	}
	return out
}

// A dialect is where the engines differ in what makes a table.
type dialect struct{ id, clustered string }

// create makes the table of a kind, or of a list of one.
func (d dialect) create(c shape.Cells, first string, list bool) []string {
	var b strings.Builder
	var indexes []string
	fmt.Fprintf(&b, "CREATE TABLE %s (%s", quoted(c.Name), first)
	for _, col := range c.Columns {
		typ := "BIGINT"
		switch col.Type {
		case stemma.Text:
			typ = "TEXT"
		case stemma.Bool:
			typ = "INTEGER"
		}
		fmt.Fprintf(&b, ", %s %s", quoted(col.Name), typ)
		if col.Index {
			// With the id, one index serves "which have this" and "has it this".
			index := fmt.Sprintf("CREATE INDEX %s ON %s (%s, id)",
				quoted(shape.IndexName(c.Name, col.Name)), quoted(c.Name), quoted(col.Name))
			if list { // by which nothing is sorted, and nobody looks up the rows without a model
				index += fmt.Sprintf(" WHERE %s IS NOT NULL", quoted(col.Name))
			}
			indexes = append(indexes, index)
		}
	}
	if list {
		b.WriteString(", PRIMARY KEY (id, seq))" + d.clustered)
	} else {
		b.WriteString(")")
	}
	return append([]string{b.String()}, indexes...)
}

// quoted is name as SQL takes it even if the name is one of its own words.
func quoted(name string) string { return `"` + name + `"` }
