package policy

import (
	"errors"
	"slices"

	"github.com/stemma-dev/stemma/policy/rule"
)

// rules are the compiled ones of a control; one that it does not have is nil.
type rules struct {
	applies, knows []*rule.Rule[bool]
	rule           *rule.Rule[bool]
	says           *rule.Rule[string]
	rests          *rule.Rule[[]string]
	back           bool // one of them looks at parts that were there before the change
}

// A compiler makes the rules of a control, and notes what they look at and what is wrong.
type compiler struct {
	control *Control
	looks   map[string]bool
	back    bool
	faults  []error
}

// theRule is what a mistake in the rule itself is said of.
const theRule = "the rule"

// compile makes one rule, which people call by a name.
func compile[T rule.Value](c *compiler, name string, e Expr) *rule.Rule[T] {
	if e.Text == "" {
		return nil
	}
	r, err := rule.Compile[T](e.Text)
	if err != nil {
		f := &Fault{Place: c.control.Place, Control: c.control.ID, Line: e.Line, Why: err.Error()}
		if wrong := (*rule.Error)(nil); errors.As(err, &wrong) {
			f.Line += wrong.Line
			switch {
			case wrong.Type:
				f.Why = name + " " + f.Why
			case name != theRule:
				f.Why = name + ": " + f.Why
			}
		}
		c.faults = append(c.faults, f)
		return nil
	}
	for _, name := range r.Looks() {
		c.looks[name] = true
	}
	c.back = c.back || len(r.LooksBack()) > 0
	return r
}

// Compile checks all rules of a control and makes them ready. Until then it judges nothing.
func (c *Control) Compile() error {
	r, by := &rules{}, &compiler{control: c, looks: map[string]bool{}}
	for _, cl := range c.Applies {
		r.applies = append(r.applies, compile[bool](by, "when of applies", cl.When))
	}
	for _, cl := range c.Knows {
		r.knows = append(r.knows, compile[bool](by, "when of knows", cl.When))
	}
	r.rule, r.says, r.rests = compile[bool](by, theRule, c.Rule), compile[string](by, "says", c.Says), compile[[]string](by, "rests", c.Rests)
	if c.Check == "" && len(by.faults) == 0 {
		by.faults = append(by.faults, c.looks(by.looks))
	}
	err := errors.Join(by.faults...)
	if r.back = by.back; err == nil {
		c.rules = r
	}
	return err
}

// looks says what a control looks at where it does not say so itself, and finds what it
// looks at without saying so.
func (c *Control) looks(at map[string]bool) error {
	silent := len(c.Inputs) == 0
	var faults []error
	for _, name := range rule.Members() {
		switch {
		case !at[name] || slices.Contains(c.Inputs, name):
		case silent:
			c.Inputs = append(c.Inputs, name)
		default:
			faults = append(faults, c.fault("inputs", "it looks at %s, and inputs does not name that", name))
		}
	}
	return errors.Join(faults...)
}

// at names the file of faults.
func (c *Control) at(err error) error {
	for _, f := range Faults(err) {
		f.Place = c.Place
		if f.Control == "" {
			f.Control = c.ID
		}
	}
	return err
}
