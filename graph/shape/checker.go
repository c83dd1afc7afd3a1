package shape

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
)

// A Checker tells beforehand what has no place in a graph. It may be used
// concurrently.
type Checker struct{ shape *Shape }

// NewChecker returns the Checker of a graph of those specs.
func NewChecker(specs []stemma.KindSpec) (*Checker, error) {
	s, err := New(specs)
	if err != nil {
		return nil, err
	}
	return &Checker{s}, nil
}

// Check returns an *InvalidError if the graph has no place for some part of f:
// an undeclared kind, attribute, list or door, a door to a kind it may not lead
// to, a value that its column cannot hold. The graph would leave that part out and
// say so in the same words in graph_skip.
func (c *Checker) Check(f stemma.Fact) error {
	if len(f.Attrs) > 0 && !json.Valid(f.Attrs) {
		return &stemma.InvalidError{Ref: f.Subject, Field: "attributes", Why: "not valid JSON"}
	}
	if c.shape.holds(f) {
		return nil
	}
	b := NewBatch(c.shape) // in whose words it is told what has no place
	b.Add(0, f)
	if len(b.Skips) == 0 {
		return nil
	}
	field, why, _ := strings.Cut(b.Skips[0].Reason, ": ")
	return &stemma.InvalidError{Ref: f.Subject, Field: field, Why: why}
}

// holds reports whether there is a place for all of f, without making the rows that
// go there: of many facts hardly one has none.
func (s *Shape) holds(f stemma.Fact) bool {
	t := s.Kinds[f.Kind]
	if t == nil {
		return false
	}
	for _, e := range f.Edges {
		if !t.leads(e) {
			return false
		}
	}
	return len(f.Attrs) == 0 || holds(f.Attrs, func(name, raw []byte) bool {
		if i, ok := t.at[string(name)]; ok || string(raw) == "null" {
			return !ok || fits(t.Columns[i], raw)
		}
		l := t.List(string(name))
		return l != nil && l.holds(raw)
	})
}

// leads reports whether a door is declared, and to what it is to lead.
func (t *Table) leads(e stemma.Edge) bool { return slices.Contains(t.to[e.Door], e.To.Kind()) }

func (l *List) holds(raw []byte) bool {
	if firstByte(raw) != '[' {
		return false
	}
	ok := true
	eachElement(raw, func(item []byte) {
		ok = ok && holds(item, func(name, raw []byte) bool {
			i, known := l.at[string(name)]
			return known && fits(l.Columns[i], raw)
		})
	})
	return ok
}

// holds reports whether raw is an object with a place for each of its members.
func holds(raw []byte, place func(name, raw []byte) bool) bool {
	if firstByte(raw) != '{' {
		return false
	}
	ok := true
	eachMember(raw, func(name, value []byte) {
		ok = ok && place(name, value)
	})
	return ok
}

// fits reports whether a column takes a value: text that is surely short enough need
// not be read for that.
func fits(c stemma.Column, raw []byte) bool {
	switch {
	case string(raw) == "null":
		return true
	case c.Type == stemma.Text && raw[0] == '"' && (!c.Index || 3*len(raw) <= maxIndexed): // a byte that is no UTF-8 becomes three
		return true
	}
	_, err := fitValue(c, raw)
	return err == nil
}
