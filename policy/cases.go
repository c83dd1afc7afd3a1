package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/policy/subject"
)

// Example is the subject of a case, derived. One that has a base differs from that: lists
// and values are replaced, the members of an object one by one.
func (c *Control) Example(name string) (*subject.Subject, error) {
	d, err := c.document(name, 0)
	if err != nil {
		return nil, c.at(err)
	}
	x, err := d.example()
	if err != nil {
		return nil, c.at(err)
	}
	return x, nil
}

// maxBases bounds how many cases one is made of.
const maxBases = 20

func (c *Control) document(name string, depth int) (Document, error) {
	i := slices.IndexFunc(c.Cases, func(k Case) bool { return k.Name == name })
	if i < 0 {
		return Document{}, c.fault("cases", "there is no case %.60q", name)
	}
	if depth > maxBases {
		return Document{}, c.fault(fmt.Sprintf("cases.%d", i), "the case %.60q begins with more than %d others", name, maxBases)
	}
	own := c.Cases[i].Subject
	d := Document{values: map[string]any{}, itself: own.values, line: own.line, names: own.names}
	if base := c.Cases[i].Base; base != "" {
		of, err := c.document(base, depth+1)
		if err != nil {
			return Document{}, err
		}
		maps.Copy(d.values, of.values)
	}
	for name, v := range own.values {
		of, isObject := d.values[name].(map[string]any)
		with, alsoObject := v.(map[string]any)
		if isObject && alsoObject {
			both := maps.Clone(of)
			maps.Copy(both, with)
			v = both
		}
		d.values[name] = v
	}
	return d, nil
}

// Untried is a fault if a control has no case.
func (c *Control) Untried() error {
	if len(c.Cases) > 0 {
		return nil
	}
	return c.fault("id", "it has no cases, so nothing shows that it does what it says")
}

// Test judges the cases of a control, and says which come out otherwise than they should.
func (c *Control) Test() error {
	var faults []error
	set := &Set{Controls: []*Control{c}}
	for i, k := range c.Cases {
		at := fmt.Sprintf("cases.%d", i)
		x, err := c.Example(k.Name)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		switch f := set.Judge(x)[0]; {
		case f.State != k.State:
			faults = append(faults, c.fault(at, "case %q is %s (%s), and has to be %s", k.Name, f.State, f.Reason, k.State))
		case !strings.Contains(f.Reason, k.Says):
			faults = append(faults, c.fault(at, "case %q says %q, and has to say %q", k.Name, f.Reason, k.Says))
		}
	}
	return errors.Join(faults...)
}
