package policy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/stemma-dev/stemma/policy/rule"
)

// ParseControls reads a file of controls, one document each, and checks them. All faults
// are told, each with its line; the controls that have none are given all the same.
func ParseControls(place string, body []byte) ([]*Control, error) {
	var list []*Control
	err := Documents(place, body, func(dec *yaml.Decoder, at Lines) error {
		c := &Control{Place: place, lines: at}
		if err := dec.Decode(c); err != nil {
			return err
		}
		if len(at) <= 1 { // nothing between two separators
			return nil
		}
		if err := errors.Join(c.check(), c.Compile()); err != nil {
			return err
		}
		list = append(list, c)
		return nil
	})
	return list, err
}

var controlID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$`) })

// check looks at all of a control but its rules.
func (c *Control) check() error {
	var faults []error
	wrong := func(path, format string, args ...any) {
		faults = append(faults, c.fault(path, format, args...))
	}
	if !controlID().MatchString(c.ID) || len(c.ID) > 60 {
		wrong("id", "the id %.60q is not one: write it like PAY-01", c.ID)
	}
	if c.Version < 1 {
		wrong("version", "the version has to be 1 or more")
	}
	for _, text := range []struct{ name, text string }{{"title", c.Title}, {"why", c.Why}, {"remedy", c.Remedy}} {
		if strings.TrimSpace(text.text) == "" {
			wrong(text.name, "%s is missing", text.name)
		}
	}
	if !slices.Contains(Severities, c.Severity) {
		wrong("severity", "the severity %.40q is none of %v", c.Severity, Severities)
	}
	if c.Stage == "" {
		c.Stage = AtMerge
	}
	if !slices.Contains(stages, c.Stage) {
		wrong("stage", "the stage %.40q is none of %v", c.Stage, stages)
	}
	members := rule.Members()
	for i, in := range c.Inputs {
		if !slices.Contains(members, in) {
			wrong(fmt.Sprintf("inputs.%d", i), "the input %.60q is no member of a subject", in)
		}
	}
	if (c.Rule.Text == "") == (c.Check == "") {
		wrong("rule", "it needs a rule, or a check, and not both")
	}
	if c.Check != "" && functions[c.Check] == nil {
		wrong("check", "there is no check %.60q", c.Check)
	}
	for i, cl := range c.Applies {
		if cl.When.Text == "" || cl.Else == "" {
			wrong(fmt.Sprintf("applies.%d", i), "a clause needs when and else")
		}
	}
	for i, cl := range c.Knows {
		if cl.When.Text == "" || cl.Else == "" {
			wrong(fmt.Sprintf("knows.%d", i), "a clause needs when and else")
		}
	}
	return errors.Join(append(faults, c.checkCases())...)
}

func (c *Control) checkCases() error {
	var faults []error
	names := map[string]bool{}
	for i, k := range c.Cases {
		at := fmt.Sprintf("cases.%d", i)
		switch {
		case k.Name == "":
			faults = append(faults, c.fault(at, "a case needs a name"))
		case names[k.Name]:
			faults = append(faults, c.fault(at, "the case %.60q is there twice", k.Name))
		case k.Base != "" && !names[k.Base]:
			faults = append(faults, c.fault(at, "there is no earlier case %.60q to begin with", k.Base))
		case !slices.Contains(States, k.State):
			faults = append(faults, c.fault(at, "the state %.40q is none of %v", k.State, States))
		}
		names[k.Name] = true
	}
	return errors.Join(faults...)
}

// fault is one at a part of the control, or where the control begins if it has no such part.
func (c *Control) fault(path, format string, args ...any) *Fault {
	line := c.lines[path]
	if line == 0 {
		line = c.lines[""]
	}
	return &Fault{Place: c.Place, Control: c.ID, Line: line, Why: fmt.Sprintf(format, args...)}
}
