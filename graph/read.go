package graph

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph/shape"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/storage"
)

// A Node is one thing that the ledger names.
type Node struct {
	ID     int64 // row number; the same in every graph of the same ledger
	Ref    stemma.Ref
	Kind   stemma.Kind
	First  int64        // position of the fact that named it first
	Last   int64        // position of the last fact about it, -1 if there is none
	Grade  stemma.Grade // the best of the facts about it, empty if there is none
	Stated bool         // whether any fact is about it; otherwise it is only named
	Attrs  Attrs        // nil unless asked for
}

// Attrs are attributes by column: string, int64, bool, time.Time or
// stemma.Ref. What no fact stated is not in it.
type Attrs map[string]any

// Text returns a text attribute, or nothing.
func (a Attrs) Text(name string) string { s, _ := a[name].(string); return s }

// Int returns an integer attribute and whether it is known.
func (a Attrs) Int(name string) (int64, bool) { n, ok := a[name].(int64); return n, ok }

// Bool returns whether an attribute is known to be true.
func (a Attrs) Bool(name string) bool { b, _ := a[name].(bool); return b }

// Time returns a time attribute, or the zero time.
func (a Attrs) Time(name string) time.Time { t, _ := a[name].(time.Time); return t }

// Ref returns a link, or nothing.
func (a Attrs) Ref(name string) stemma.Ref { r, _ := a[name].(stemma.Ref); return r }

// MarshalJSON writes attributes as facts write them.
func (a Attrs) MarshalJSON() ([]byte, error) {
	out := make(map[string]any, len(a))
	for name, v := range a {
		if t, ok := v.(time.Time); ok {
			v = stemma.At(t)
		}
		out[name] = v
	}
	return json.Marshal(out)
}

// An Edge leads from effect to cause; one that leads aside, or binds both
// ways, from the subject of its fact to its target.
type Edge struct {
	From, To     stemma.Ref
	FromID, ToID int64
	Door         string
	Flow         stemma.Flow // Down says that To was the subject of the fact
	Grade        stemma.Grade
	Basis        stemma.Basis
	Method       string
	Pos          int64 // of the fact that states it
}

// through notes the door of an edge by its id.
func (e *Edge) through(s *shape.Shape, door int64) error {
	d := s.ByID[door]
	if d == nil {
		return fmt.Errorf("an edge of entry %d through door %d, which there is not: %w", e.Pos, door, stemma.ErrTampered)
	}
	e.Door, e.Flow = d.Name, d.Flow
	return nil
}

// Node returns what is known of ref, with its attributes, or ErrNotFound.
func (g *Graph) Node(ctx context.Context, ref stemma.Ref) (Node, error) {
	found, err := g.Nodes(ctx, ref)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("graph: %.200q: %w", string(ref), stemma.ErrNotFound)
	}
	if err != nil {
		return Node{}, err
	}
	return found[0], g.Fill(ctx, found)
}

// Nodes returns those of refs that are known, in the order of refs, without
// their attributes.
func (g *Graph) Nodes(ctx context.Context, refs ...stemma.Ref) ([]Node, error) {
	var args []any
	for _, r := range refs {
		if r.Valid() {
			args = append(args, string(r))
		}
	}
	byRef := map[stemma.Ref]Node{}
	err := g.db.Read(ctx, func(tx *storage.Tx) error {
		for part := range inParts(args) {
			q := `SELECT ` + headColumns + ` FROM node n WHERE n.ref IN ` + placeholders(len(part))
			err := each(ctx, tx, q, part, func(rows *storage.Rows) error {
				var n Node
				err := rows.Scan(n.head()...)
				byRef[n.Ref] = n
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, wrap("reading nodes", err)
	}
	var nodes []Node
	for _, r := range refs {
		if n, ok := byRef[r]; ok {
			nodes = append(nodes, n)
		}
	}
	return nodes, nil
}

const headColumns = `n.id, n.ref, n.kind, n.first_pos, n.last_pos, n.grade, n.stated`

// head are the places of headColumns.
func (n *Node) head() []any {
	return []any{&n.ID, &n.Ref, &n.Kind, &n.First, &n.Last, &n.Grade, &n.Stated}
}

// Fill reads the attributes of nodes, a query for each kind among them.
func (g *Graph) Fill(ctx context.Context, nodes []Node) error {
	at := map[int64][]int{}
	ids := map[*shape.Table][]any{}
	for i := range nodes {
		if t := g.shape.Kinds[nodes[i].Kind]; t != nil && nodes[i].Stated {
			if at[nodes[i].ID] == nil {
				ids[t] = append(ids[t], nodes[i].ID)
			}
			at[nodes[i].ID] = append(at[nodes[i].ID], i)
		}
	}
	return wrap("reading attributes", g.db.Read(ctx, func(tx *storage.Tx) error {
		links := linkSet{}
		for _, t := range g.shape.Tables {
			if len(t.Columns) == 0 {
				continue
			}
			q := `SELECT ` + selected(t.Cells) + ` FROM ` + quoted(t.Name) + ` WHERE id IN `
			for part := range inParts(ids[t]) {
				err := each(ctx, tx, q+placeholders(len(part)), part, func(rows *storage.Rows) error {
					id, attrs, err := scan(t.Cells, rows)
					for _, i := range at[id] {
						nodes[i].Attrs = attrs
					}
					links.add(attrs)
					return err
				})
				if err != nil {
					return err
				}
			}
		}
		return links.resolve(ctx, tx)
	}))
}

// List returns one list of a node, in its order.
func (g *Graph) List(ctx context.Context, n Node, name string) ([]Attrs, error) {
	var l *shape.List
	if t := g.shape.Kinds[n.Kind]; t != nil {
		l = t.List(name)
	}
	if l == nil {
		return nil, fmt.Errorf("graph: kind %.60q has no list %.60q: %w", string(n.Kind), name, stemma.ErrNotFound)
	}
	var out []Attrs
	err := g.db.Read(ctx, func(tx *storage.Tx) error {
		links := linkSet{}
		q := `SELECT ` + selected(l.Cells) + ` FROM ` + quoted(l.Name) + ` WHERE id = $1 ORDER BY seq`
		err := each(ctx, tx, q, []any{n.ID}, func(rows *storage.Rows) error {
			_, attrs, err := scan(l.Cells, rows)
			links.add(attrs)
			out = append(out, attrs)
			return err
		})
		if err != nil {
			return err
		}
		return links.resolve(ctx, tx)
	})
	return out, wrap("reading a list", err)
}

// selected are the id and the quoted columns, as scan reads them.
func selected(c shape.Cells) string {
	names := []string{"id"}
	for _, col := range c.Columns {
		names = append(names, quoted(col.Name))
	}
	return strings.Join(names, ", ")
}

// nodeID is a link as read, before it is resolved.
type nodeID int64

// scan reads the id and the columns of one row.
func scan(c shape.Cells, rows *storage.Rows) (int64, Attrs, error) {
	var id int64
	texts := make([]sql.NullString, len(c.Columns))
	ints := make([]sql.NullInt64, len(c.Columns))
	dest := []any{&id}
	for i, col := range c.Columns {
		if col.Type == stemma.Text {
			dest = append(dest, &texts[i])
		} else {
			dest = append(dest, &ints[i])
		}
	}
	if err := rows.Scan(dest...); err != nil {
		return 0, nil, err
	}
	attrs := Attrs{}
	for i, col := range c.Columns {
		switch n := ints[i]; {
		case texts[i].Valid:
			attrs[col.Name] = texts[i].String
		case !n.Valid:
		case col.Type == stemma.Int:
			attrs[col.Name] = n.Int64
		case col.Type == stemma.Bool:
			attrs[col.Name] = n.Int64 != 0
		case col.Type == stemma.Time:
			attrs[col.Name] = time.UnixMicro(n.Int64).UTC()
		case col.Type == stemma.Link:
			attrs[col.Name] = nodeID(n.Int64)
		}
	}
	return id, attrs, nil
}

// A linkSet gathers attributes whose links have to become refs.
type linkSet map[int64][]Attrs

func (s linkSet) add(attrs Attrs) {
	for _, v := range attrs {
		if id, ok := v.(nodeID); ok {
			s[int64(id)] = append(s[int64(id)], attrs)
		}
	}
}

func (s linkSet) resolve(ctx context.Context, tx *storage.Tx) error {
	ids := make([]any, 0, len(s))
	for id := range s {
		ids = append(ids, id)
	}
	for part := range inParts(ids) {
		err := each(ctx, tx, `SELECT id, ref FROM node WHERE id IN `+placeholders(len(part)), part, func(rows *storage.Rows) error {
			var id int64
			var ref stemma.Ref
			if err := rows.Scan(&id, &ref); err != nil {
				return err
			}
			for _, attrs := range s[id] {
				for name, v := range attrs {
					if v == nodeID(id) {
						attrs[name] = ref
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Facts returns the positions of the facts about a node, in order, and at most
// limit of them.
func (g *Graph) Facts(ctx context.Context, n Node, limit int) ([]int64, error) {
	var out []int64
	err := g.db.Read(ctx, func(tx *storage.Tx) error {
		return each(ctx, tx, `SELECT pos FROM node_fact WHERE node = $1 ORDER BY pos LIMIT $2`, []any{n.ID, limit}, func(rows *storage.Rows) error {
			var pos int64
			err := rows.Scan(&pos)
			out = append(out, pos)
			return err
		})
	})
	return out, wrap("reading facts", err)
}

// Lookup finds the things of a kind that have a value in a column: text, an
// integer or, for links, a node's id; in order of first mention and at most
// limit of them. It is fast on an indexed column.
func (g *Graph) Lookup(ctx context.Context, kind stemma.Kind, column string, value any, limit int) ([]Node, error) {
	return g.lookUp(ctx, kind, column, value, whole, limit)
}

// LookupPrefix finds the things of a kind whose text begins with prefix, in
// order of the text.
func (g *Graph) LookupPrefix(ctx context.Context, kind stemma.Kind, column, prefix string, limit int) ([]Node, error) {
	return g.lookUp(ctx, kind, column, prefix, beginning, limit)
}

// LookupSuffix finds the things of a kind whose text ends with suffix, in order
// of the text. No index serves that: every thing of the kind is read.
func (g *Graph) LookupSuffix(ctx context.Context, kind stemma.Kind, column, suffix string, limit int) ([]Node, error) {
	return g.lookUp(ctx, kind, column, suffix, ending, limit)
}

// A part of a text is what of it is looked up.
type part int

const (
	whole part = iota
	beginning
	ending
)

func (g *Graph) lookUp(ctx context.Context, kind stemma.Kind, column string, value any, of part, limit int) ([]Node, error) {
	t := g.shape.Kinds[kind]
	if t == nil {
		return nil, fmt.Errorf("graph: looking up %.60q: no such kind", string(kind))
	}
	text, isText := value.(string)
	if col, ok := t.Column(column); !ok || (col.Type == stemma.Text) != isText {
		return nil, fmt.Errorf("graph: looking up %s by %.60q: no column of that type", kind, column)
	}
	c := "t." + quoted(column)
	q := `SELECT ` + headColumns + ` FROM ` + quoted(t.Name) + ` t JOIN node n ON n.id = t.id WHERE `
	where, args := c+` = $1`, []any{value}
	switch of {
	case whole:
	case beginning:
		where, args = between(c, text)
	case ending:
		where = `substr(` + c + `, length(` + c + `) - length(CAST($1 AS TEXT)) + 1) = CAST($1 AS TEXT)`
	}
	args = append(args, limit)
	return g.heads(ctx, fmt.Sprintf(`%s%s ORDER BY %s, t.id LIMIT $%d`, q, where, c, len(args)), args)
}

// LookupRef finds the nodes whose ref begins with prefix, stated or not, in
// order of their refs, and at most limit of them.
func (g *Graph) LookupRef(ctx context.Context, prefix string, limit int) ([]Node, error) {
	where, args := between("n.ref", prefix)
	args = append(args, limit)
	return g.heads(ctx, fmt.Sprintf(`SELECT %s FROM node n WHERE %s ORDER BY n.ref LIMIT $%d`, headColumns, where, len(args)), args)
}

// between is the condition that a column begins with prefix, as a range that
// an index serves. No text begins with the largest character.
func between(column, prefix string) (string, []any) {
	return column + ` >= $1 AND ` + column + ` < $2`, []any{prefix, prefix + "\U0010FFFF"}
}

func (g *Graph) heads(ctx context.Context, q string, args []any) ([]Node, error) {
	var out []Node
	for _, a := range args {
		if s, ok := a.(string); ok && s != shape.Storable(strings.ToValidUTF8(s, "\uFFFD")) {
			return nil, nil // no text in the store holds this
		}
	}
	err := g.db.Read(ctx, func(tx *storage.Tx) error {
		return each(ctx, tx, q, args, func(rows *storage.Rows) error {
			var n Node
			err := rows.Scan(n.head()...)
			out = append(out, n)
			return err
		})
	})
	return out, wrap("looking up", err)
}

// Skips returns what had no place, from the latest fact back, and at most
// limit of it.
func (g *Graph) Skips(ctx context.Context, limit int) ([]shape.Skip, error) {
	var out []shape.Skip
	err := g.db.Read(ctx, func(tx *storage.Tx) error {
		return each(ctx, tx, `SELECT pos, reason FROM graph_skip ORDER BY pos DESC, reason LIMIT $1`, []any{limit}, func(rows *storage.Rows) error {
			var s shape.Skip
			err := rows.Scan(&s.Pos, &s.Reason)
			out = append(out, s)
			return err
		})
	})
	return out, wrap("reading skips", err)
}

// Applied returns how many entries of the ledger the graph rests on.
func (g *Graph) Applied(ctx context.Context) (int64, error) {
	var n int64
	err := g.db.Read(ctx, func(tx *storage.Tx) (err error) {
		n, err = ledger.Cursor(ctx, tx, cursorName)
		return err
	})
	return n, wrap("reading the cursor", err)
}

// Specs returns the specs of the graph in order of their kinds.
func (g *Graph) Specs() []stemma.KindSpec {
	specs := make([]stemma.KindSpec, len(g.shape.Tables))
	for i, t := range g.shape.Tables {
		specs[i] = t.Spec
	}
	return slices.Clip(specs)
}

// Edges returns the edges at a node, also those that lead aside: the ones in
// which it is From and the ones in which it is To. Either are in order of
// door, then of the other end's first mention, and at most limit of them.
func (g *Graph) Edges(ctx context.Context, ref stemma.Ref, limit int) (out, in []Edge, err error) {
	return g.edgesFrom(ctx, ref, 0, limit)
}

// Relations are the Edges at a node that lead aside.
func (g *Graph) Relations(ctx context.Context, ref stemma.Ref, limit int) (out, in []Edge, err error) {
	return g.edgesFrom(ctx, ref, shape.FirstAside, limit)
}

func (g *Graph) edgesFrom(ctx context.Context, ref stemma.Ref, lowest int64, limit int) (out, in []Edge, err error) {
	err = g.db.Read(ctx, func(tx *storage.Tx) error {
		n, err := View{g.shape, tx}.Node(ctx, ref)
		if err != nil {
			return err
		}
		if out, err = g.edges(ctx, tx, n, Causes, lowest, limit); err != nil {
			return err
		}
		in, err = g.edges(ctx, tx, n, Effects, lowest, limit)
		return err
	})
	return out, in, wrap("reading edges", err)
}

func (g *Graph) edges(ctx context.Context, tx *storage.Tx, n Node, s Side, lowest int64, limit int) ([]Edge, error) {
	var out []Edge
	q := fmt.Sprintf(`SELECT e.door, e.grade, e.basis, e.method, e.pos, f.id, f.ref FROM edge e JOIN node f ON f.id = e.%s
		WHERE e.%s = $1 AND e.door >= $2 ORDER BY e.door, e.%s LIMIT $3`, s, s.near(), s)
	err := each(ctx, tx, q, []any{n.ID, lowest, limit}, func(rows *storage.Rows) error {
		var door int64
		e := Edge{From: n.Ref, FromID: n.ID}
		far, farID := &e.To, &e.ToID
		if s == Effects {
			e = Edge{To: n.Ref, ToID: n.ID}
			far, farID = &e.From, &e.FromID
		}
		if err := rows.Scan(&door, &e.Grade, &e.Basis, &e.Method, &e.Pos, farID, far); err != nil {
			return err
		}
		if err := e.through(g.shape, door); err != nil {
			return err
		}
		out = append(out, e)
		return nil
	})
	return out, err
}
