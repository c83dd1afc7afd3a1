package shape

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/stemma-dev/stemma"
)

// A Bond says of two things that they are one, or that they are not.
type Bond struct {
	One, Other stemma.Ref
	Apart      bool
	Firm       bool // a person says so
	Grade      stemma.Grade
}

// Join gives everything that is one with something else the ref by which all of them
// are known: the least. What a person says goes before what nobody says, and then the
// better evidence before the worse. A bond that would make one of two things which
// another bond keeps apart is left out, so the result does not depend on the order in
// which bonds came.
func Join(bonds []Bond) map[stemma.Ref]stemma.Ref {
	bonds = slices.Clone(bonds)
	slices.SortFunc(bonds, func(a, b Bond) int {
		return cmp.Or(-truth(a.Firm)+truth(b.Firm), cmp.Compare(a.Grade, b.Grade), cmp.Compare(a.One, b.One), cmp.Compare(a.Other, b.Other))
	})
	c := classes{least: map[stemma.Ref]stemma.Ref{}}
	for _, b := range bonds {
		if b.Apart {
			c.apart = append(c.apart, b)
		}
	}
	for _, b := range bonds {
		if !b.Apart {
			c.join(b.One, b.Other)
		}
	}
	one := map[stemma.Ref]stemma.Ref{}
	for ref := range c.least {
		least := c.find(ref)
		one[ref], one[least] = least, least
	}
	return one
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// classes are what is one so far: each thing leads to a lesser one of its class.
type classes struct {
	least map[stemma.Ref]stemma.Ref
	apart []Bond
}

func (c classes) find(ref stemma.Ref) stemma.Ref {
	for {
		next, ok := c.least[ref]
		if !ok {
			return ref
		}
		if over, ok := c.least[next]; ok {
			c.least[ref] = over
		}
		ref = next
	}
}

func (c classes) join(a, b stemma.Ref) {
	a, b = c.find(a), c.find(b)
	if a == b {
		return
	}
	for _, p := range c.apart {
		if x, y := c.find(p.One), c.find(p.Other); x == a && y == b || x == b && y == a {
			return
		}
	}
	c.least[max(a, b)] = min(a, b)
}

// checkJoins says what is wrong with the columns that a spec joins by.
func checkJoins(t *Table) error {
	j := t.Spec.Joins
	if j == nil {
		return nil
	}
	for _, want := range []stemma.Column{{Name: j.One, Type: stemma.Link}, {Name: j.Other, Type: stemma.Link}, {Name: j.Apart, Type: stemma.Bool}, {Name: j.By, Type: stemma.Link}, {Name: j.Open, Type: stemma.Bool}} {
		if c, ok := t.Column(want.Name); !ok || c.Type != want.Type {
			return fmt.Errorf("graph: kind %q joins by the column %q, which is not one of type %s", t.Spec.Kind, want.Name, want.Type)
		}
	}
	return nil
}
