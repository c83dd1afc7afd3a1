package graph

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph/shape"
	"github.com/stemma-dev/stemma/storage"
)

// Dump writes the whole graph in its canonical form: a JSON array on each
// line, first the table, then the row, in order of keys; nodes are named by
// their refs. A line with the name alone stands before each table, also before
// an empty one. Two graphs of the same entries have equal dumps, whatever the
// engine and however often Apply was interrupted. Everything that an answer is
// made of is in it.
//
//	["meta", name, value]
//	["cursor", name, entries applied]
//	["door", id, name, flow]
//	["node", ref, id, kind, first, last, grade, stated]
//	["fact", ref, position, occurred]
//	["edge", from, door, flow, to, grade, basis, method, position]
//	["same", ref, ref by which it is known]
//	["change", ref, column…]  ["change.credit", ref, number, column…]
//	["skip", position, reason]
//
// A graph that was changed behind our back is dumped all the same. A link that
// leads nowhere is "#" and its id, a row of no node or door is
// ["stray", table, column…], and a value of another type than its column is an
// object with the type and the value: {"bytes": "c3a9"}.
func (g *Graph) Dump(ctx context.Context, w io.Writer) error {
	out := bufio.NewWriter(w)
	err := g.db.Read(ctx, func(tx *storage.Tx) error {
		d := dumper{ctx: ctx, tx: tx, out: json.NewEncoder(out)}
		d.out.SetEscapeHTML(false)
		return d.graph(g.shape)
	})
	if err == nil {
		err = out.Flush()
	}
	return wrap("dumping", err)
}

// A dumper writes the rows of queries.
type dumper struct {
	ctx context.Context
	tx  *storage.Tx
	out *json.Encoder
}

func (d dumper) graph(s *shape.Shape) error {
	if err := d.generic(); err != nil {
		return err
	}
	for _, t := range s.Tables {
		if err := d.cells(string(t.Spec.Kind), t.Cells, "n.ref"); err != nil {
			return err
		}
		for _, l := range t.Lists {
			if err := d.cells(string(t.Spec.Kind)+"."+l.Spec.Name, l.Cells, "n.ref, t.seq"); err != nil {
				return err
			}
		}
	}
	if err := d.table("skip", `SELECT pos, reason FROM graph_skip ORDER BY pos, reason`); err != nil {
		return err
	}
	return d.strays(s)
}

// generic writes the tables that every graph has.
func (d dumper) generic() error {
	for _, t := range []struct{ name, query string }{
		{"meta", `SELECT name, value FROM graph_meta ORDER BY name`},
		{"cursor", `SELECT name, pos FROM cursor WHERE name = '` + cursorName + `'`},
		{"door", `SELECT id, name, flow FROM door ORDER BY id`},
		{"node", `SELECT ref, id, kind, first_pos, last_pos, grade, stated FROM node ORDER BY ref`},
		{"fact", `SELECT n.ref, f.pos, f.occurred FROM node_fact f JOIN node n ON n.id = f.node ORDER BY n.ref, f.pos`},
		{"edge", `SELECT s.ref, d.name, d.flow, t.ref, e.grade, e.basis, e.method, e.pos
			FROM edge e JOIN node s ON s.id = e.src JOIN node t ON t.id = e.dst JOIN door d ON d.id = e.door
			ORDER BY s.ref, d.name, d.flow, t.ref`},
		{"same", `SELECT n.ref, x.ref FROM same s JOIN node n ON n.id = s.id JOIN node x ON x.id = s.self ORDER BY n.ref`},
	} {
		if err := d.table(t.name, t.query); err != nil {
			return err
		}
	}
	return nil
}

// cells writes one typed table; first are the columns of its key.
func (d dumper) cells(name string, c shape.Cells, first string) error {
	var b, joins strings.Builder
	b.WriteString("SELECT " + first)
	for i, col := range c.Columns {
		column := "t." + quoted(col.Name)
		if col.Type == stemma.Link {
			fmt.Fprintf(&joins, " LEFT JOIN node n%d ON n%d.id = %s", i, i, column)
			column = fmt.Sprintf("COALESCE(n%d.ref, '#' || CAST(%s AS TEXT))", i, column)
		}
		b.WriteString(", " + column)
	}
	return d.table(name, fmt.Sprintf("%s FROM %s t JOIN node n ON n.id = t.id%s ORDER BY %s", b.String(), quoted(c.Name), joins.String(), first))
}

// strays writes the rows that the joins of the other tables leave out. A graph
// that nobody changed has none.
func (d dumper) strays(s *shape.Shape) error {
	lost := func(column, table string) string {
		return `NOT EXISTS (SELECT 1 FROM ` + table + ` x WHERE x.id = t.` + column + `)`
	}
	for _, t := range []struct{ name, where string }{
		{"node_fact", lost("node", "node")},
		{"same", lost("id", "node") + ` OR ` + lost("self", "node")},
		{"edge", lost("src", "node") + ` OR ` + lost("dst", "node") + ` OR ` + lost("door", "door")},
	} {
		if err := d.stray(t.name, t.where); err != nil {
			return err
		}
	}
	for _, t := range s.Tables {
		if err := d.stray(t.Name, lost("id", "node")); err != nil {
			return err
		}
		for _, l := range t.Lists {
			if err := d.stray(l.Name, lost("id", "node")); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d dumper) stray(table, where string) error {
	return d.table("stray", fmt.Sprintf(`SELECT '%s', t.* FROM %s t WHERE %s`, table, quoted(table), where))
}

// table writes the name and then the rows of one query.
func (d dumper) table(name, query string) error {
	if err := d.out.Encode([]any{name}); err != nil {
		return err
	}
	var values, dest, row []any
	return each(d.ctx, d.tx, query, nil, func(r *storage.Rows) error {
		if values == nil {
			columns, err := r.Columns()
			if err != nil {
				return err
			}
			values, dest, row = make([]any, len(columns)), make([]any, len(columns)), make([]any, len(columns)+1)
			row[0] = name
			for i := range values {
				dest[i] = &values[i]
			}
		}
		if err := r.Scan(dest...); err != nil {
			return err
		}
		for i, v := range values {
			row[i+1] = dumped(v)
		}
		return d.out.Encode(row)
	})
}

// dumped is a stored value in JSON. Columns are declared as text and integers,
// but SQLite keeps whatever it is given, and JSON would not tell all of it apart.
func dumped(v any) any {
	switch v := v.(type) {
	case []byte:
		return map[string]string{"bytes": hex.EncodeToString(v)}
	case float64:
		return map[string]string{"real": strconv.FormatFloat(v, 'g', -1, 64)}
	case string:
		if !utf8.ValidString(v) {
			return dumped([]byte(v))
		}
	}
	return v
}
