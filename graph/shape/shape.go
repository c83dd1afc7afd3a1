// Package shape works out, without a store, what a graph is made of: from the
// specs of the rooms its tables and the dictionary of doors ([New]), and from
// facts what they do to those tables ([Batch.Add]). What has no place is told in
// words ([Skip]), beforehand by a [Checker].
//
// The package knows no SQL and does no I/O; package graph writes what it works
// out, and alone does.
package shape

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/stemma-dev/stemma"
)

// A Shape is what the specs make of the store. It is computed from data alone
// and does not change.
type Shape struct {
	Tables []*Table // in order of kind
	Kinds  map[stemma.Kind]*Table
	Doors  []*Door // in order of id
	ByID   map[int64]*Door
	Digest stemma.Digest
	Joins  *Table // of the kind that says what is one; nil if none does

	// The kinds at either end of doors that bind both ways.
	BothFrom, BothTo map[stemma.Kind]bool
}

// A Table keeps the scalar attributes of one kind, a row for each thing.
type Table struct {
	Cells
	Spec  stemma.KindSpec
	Lists []*List // in order of name
	doors map[string]*Door
	to    map[string][]stemma.Kind // what each door may lead to
}

// A List keeps one attribute that is an array of objects, a row for each.
type List struct {
	Cells
	Spec stemma.List
}

// Cells are the columns of a table of either sort.
type Cells struct {
	Name    string // of the table in SQL
	Columns []stemma.Column
	at      map[string]int // column by name
}

// A Door has an id that tells its flow: causal doors come first, then those
// that bind both ways, then the rest. A walk is thus one range of an index and
// never reads the many edges that lead aside.
type Door struct {
	ID   int64
	Name string
	Flow stemma.Flow
}

// Where the ids of the doors begin that bind both ways, and of those that lead
// aside.
const (
	FirstBoth  = 1 << 16
	FirstAside = 2 << 16
)

// maxIndexed is the longest text in bytes that goes into an index. PostgreSQL
// refuses index rows of more than a third of a page; both engines keep to the
// same bound, so that they hold the same graph. No ref is longer.
const maxIndexed = stemma.MaxRef

// schemaVersion changes when the tables are laid out differently.
const schemaVersion = 3

var identifier = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z][a-z0-9_]{0,29}$`) })

// New returns the shape of a graph of those specs.
func New(specs []stemma.KindSpec) (*Shape, error) {
	s := &Shape{
		Kinds: map[stemma.Kind]*Table{}, ByID: map[int64]*Door{},
		BothFrom: map[stemma.Kind]bool{}, BothTo: map[stemma.Kind]bool{},
	}
	dictionary := map[string]*Door{}
	for _, spec := range specs {
		if s.Kinds[spec.Kind] != nil {
			return nil, fmt.Errorf("graph: kind %q is declared twice", spec.Kind)
		}
		t, err := newTable(spec)
		if err != nil {
			return nil, err
		}
		for _, d := range spec.Doors {
			if d.Name == "" || t.doors[d.Name] != nil {
				return nil, fmt.Errorf("graph: kind %q: door %q is empty or declared twice", spec.Kind, d.Name)
			}
			key := fmt.Sprintf("%d %s", d.Flow, d.Name)
			if dictionary[key] == nil {
				dictionary[key] = &Door{Name: d.Name, Flow: d.Flow}
				s.Doors = append(s.Doors, dictionary[key])
			}
			t.doors[d.Name], t.to[d.Name] = dictionary[key], d.To
			if d.Flow == stemma.Both {
				s.BothFrom[spec.Kind] = true
				for _, to := range d.To {
					s.BothTo[to] = true
				}
			}
		}
		if spec.Joins != nil && s.Joins != nil {
			return nil, fmt.Errorf("graph: kinds %q and %q both say what is one", s.Joins.Spec.Kind, spec.Kind)
		}
		if spec.Joins != nil {
			s.Joins = t
		}
		s.Kinds[spec.Kind] = t
		s.Tables = append(s.Tables, t)
	}
	slices.SortFunc(s.Tables, func(a, b *Table) int { return strings.Compare(string(a.Spec.Kind), string(b.Spec.Kind)) })
	s.numberDoors()
	return s, s.sum()
}

// numberDoors gives every door its id: by flow, then by name, so that equal
// specs in any order make the same dictionary.
func (s *Shape) numberDoors() {
	base := func(f stemma.Flow) int64 {
		switch f {
		case stemma.Both:
			return FirstBoth
		case stemma.Up, stemma.Down:
			return 1
		default:
			return FirstAside
		}
	}
	slices.SortFunc(s.Doors, func(a, b *Door) int {
		if c := int(base(a.Flow) - base(b.Flow)); c != 0 {
			return c
		}
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return int(a.Flow - b.Flow)
	})
	next := map[int64]int64{}
	for _, d := range s.Doors {
		b := base(d.Flow)
		d.ID = b + next[b]
		s.ByID[d.ID] = d
		next[b]++
	}
}

// sum computes the digest that says whether a stored graph has this shape.
// Documentation is no part of it.
func (s *Shape) sum() error {
	bare := func(columns []stemma.Column) []stemma.Column {
		out := slices.Clone(columns)
		for i := range out {
			out[i].Doc = ""
		}
		return out
	}
	specs := make([]stemma.KindSpec, 0, len(s.Tables))
	for _, t := range s.Tables {
		k := t.Spec
		k.Doc, k.Stage, k.Columns = "", "", bare(k.Columns)
		k.Lists = nil
		for _, l := range t.Lists {
			k.Lists = append(k.Lists, stemma.List{Name: l.Spec.Name, Columns: bare(l.Spec.Columns)})
		}
		k.Doors = slices.Clone(k.Doors)
		for i := range k.Doors {
			k.Doors[i].Doc = ""
		}
		slices.SortFunc(k.Doors, func(a, b stemma.Door) int { return strings.Compare(a.Name, b.Name) })
		specs = append(specs, k)
	}
	b, err := json.Marshal(specs)
	if err != nil {
		return fmt.Errorf("graph: digest of the specs: %w", err)
	}
	s.Digest = stemma.Sum(fmt.Appendf(nil, "stemma/graph/%d\n%s", schemaVersion, b))
	return nil
}

func newTable(spec stemma.KindSpec) (*Table, error) {
	base := strings.ReplaceAll(string(spec.Kind), "-", "_")
	if !identifier().MatchString(base) {
		return nil, fmt.Errorf("graph: kind %q cannot name a table", spec.Kind)
	}
	t := &Table{Spec: spec, doors: map[string]*Door{}, to: map[string][]stemma.Kind{}}
	var err error
	if t.Cells, err = newCells("k_"+base, spec.Columns); err != nil {
		return nil, err
	}
	for _, l := range spec.Lists {
		if _, taken := t.at[l.Name]; taken || !identifier().MatchString(l.Name) || t.List(l.Name) != nil {
			return nil, fmt.Errorf("graph: kind %q: list %q is no name or taken", spec.Kind, l.Name)
		}
		c, err := newCells(t.Name+"_"+l.Name, l.Columns)
		if err != nil {
			return nil, err
		}
		t.Lists = append(t.Lists, &List{Spec: l, Cells: c})
	}
	slices.SortFunc(t.Lists, func(a, b *List) int { return strings.Compare(a.Spec.Name, b.Spec.Name) })
	return t, checkJoins(t)
}

// List finds a list by its name; nil if there is none.
func (t *Table) List(name string) *List {
	for _, l := range t.Lists {
		if l.Spec.Name == name {
			return l
		}
	}
	return nil
}

func newCells(name string, columns []stemma.Column) (Cells, error) {
	c := Cells{Name: name, Columns: columns, at: map[string]int{}}
	for i, col := range columns {
		if _, twice := c.at[col.Name]; twice || !identifier().MatchString(col.Name) || col.Name == "id" || col.Name == "seq" {
			return Cells{}, fmt.Errorf("graph: table %s: column %q is no name or taken", name, col.Name)
		}
		switch col.Type {
		case stemma.Text, stemma.Int, stemma.Bool, stemma.Time, stemma.Link:
		default:
			return Cells{}, fmt.Errorf("graph: table %s: column %q has the unknown type %q", name, col.Name, col.Type)
		}
		c.at[col.Name] = i
		if n := len(IndexName(name, col.Name)); n > 63 {
			return Cells{}, fmt.Errorf("graph: table %s: column %q makes an index name of %d bytes, more than 63", name, col.Name, n)
		}
	}
	return c, nil
}

// IndexName is the name of the index on a column.
func IndexName(table, column string) string { return table + "_" + column + "_i" }

// Column finds a column by its name.
func (c Cells) Column(name string) (stemma.Column, bool) {
	i, ok := c.at[name]
	if !ok {
		return stemma.Column{}, false
	}
	return c.Columns[i], true
}
