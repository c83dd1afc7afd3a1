package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/stemma-dev/stemma/policy/subject"
)

// A Fault is a mistake in a file of controls, packs or a policy, with its place.
type Fault struct {
	Place   string
	Line    int
	Control string
	Why     string
}

func (f *Fault) Error() string {
	var b strings.Builder
	if f.Place != "" {
		b.WriteString(f.Place + ":")
	}
	if f.Line > 0 {
		fmt.Fprintf(&b, "%d:", f.Line)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if f.Control != "" {
		b.WriteString(f.Control + ": ")
	}
	b.WriteString(f.Why)
	return b.String()
}

// An Expr is a rule in CEL, with the line on which it begins.
type Expr struct {
	Text string
	Line int
}

// UnmarshalYAML reads a rule.
func (e *Expr) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode {
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: a rule is a text", n.Line)}}
	}
	e.Text, e.Line = strings.TrimSpace(n.Value), n.Line
	if n.Style == yaml.LiteralStyle || n.Style == yaml.FoldedStyle {
		e.Line++
	}
	return nil
}

// MarshalYAML writes a rule.
func (e Expr) MarshalYAML() (any, error) { return e.Text, nil }

// IsZero reports whether there is no rule.
func (e Expr) IsZero() bool { return e.Text == "" }

// A Document is a part of a file that is read by the names that JSON has for it.
type Document struct {
	values map[string]any
	line   int
}

// UnmarshalYAML reads the document.
func (d *Document) UnmarshalYAML(n *yaml.Node) error {
	d.line = n.Line
	return n.Decode(&d.values)
}

// IsZero reports whether there is no document.
func (d Document) IsZero() bool { return d.values == nil }

// into reads a document into a Go value; a name that it does not have is a fault.
func (d Document) into(to any) error {
	body, err := json.Marshal(d.values)
	if err != nil {
		return &Fault{Line: d.line, Why: err.Error()}
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(to); err != nil {
		return &Fault{Line: d.line, Why: strings.TrimPrefix(err.Error(), "json: ")}
	}
	return nil
}

// maxFile bounds a file of controls.
const maxFile = 1 << 20

// ParseControls reads a file of controls, one document each, and checks them. All faults
// are told, each with its line.
func ParseControls(place string, body []byte) ([]*Control, error) {
	if len(body) > maxFile {
		return nil, &Fault{Place: place, Why: fmt.Sprintf("the file is larger than %d bytes", maxFile)}
	}
	dec := yaml.NewDecoder(bytes.NewReader(body))
	dec.KnownFields(true)
	var list []*Control
	var faults []error
	for {
		c := &Control{Place: place}
		err := dec.Decode(c)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errors.Join(append(faults, &Fault{Place: place, Why: strings.TrimPrefix(err.Error(), "yaml: ")})...)
		}
		if c.ID == "" && c.Title == "" && c.Rule.Text == "" { // nothing between two separators
			continue
		}
		if err := errors.Join(c.check(), c.Compile()); err != nil {
			faults = append(faults, err)
			continue
		}
		list = append(list, c)
	}
	return list, errors.Join(faults...)
}

var controlID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$`) })

// check looks at all of a control but its rules.
func (c *Control) check() error {
	var faults []error
	wrong := func(format string, args ...any) {
		faults = append(faults, &Fault{Place: c.Place, Control: c.ID, Line: c.Rule.Line, Why: fmt.Sprintf(format, args...)})
	}
	if !controlID().MatchString(c.ID) {
		wrong("the id %.60q is not one: write it like PAY-01", c.ID)
	}
	if c.Version < 1 {
		wrong("the version has to be 1 or more")
	}
	for name, text := range map[string]string{"title": c.Title, "why": c.Why, "remedy": c.Remedy} {
		if strings.TrimSpace(text) == "" {
			wrong("%s is missing", name)
		}
	}
	if !slices.Contains(Severities, c.Severity) {
		wrong("the severity %.40q is none of %v", c.Severity, Severities)
	}
	if c.Stage == "" {
		c.Stage = AtMerge
	}
	if !slices.Contains(stages, c.Stage) {
		wrong("the stage %.40q is none of %v", c.Stage, stages)
	}
	members := map[string]bool{}
	for f := range fields() {
		members[f.name] = true
	}
	for _, in := range c.Inputs {
		if !members[in] {
			wrong("the input %.60q is no member of a subject", in)
		}
	}
	if (c.Rule.Text == "") == (c.Check == "") {
		wrong("it needs a rule, or a check, and not both")
	}
	if c.Check != "" && functions[c.Check] == nil {
		wrong("there is no check %.60q", c.Check)
	}
	for _, cl := range slices.Concat(c.Applies, c.Knows) {
		if cl.When.Text == "" || cl.Else == "" {
			wrong("a clause needs when and else")
		}
	}
	return errors.Join(faults...)
}

// Example is the subject of a case, derived. One that has a base differs from that: lists
// and values are replaced, the members of an object one by one.
func (c *Control) Example(name string) (*subject.Subject, error) {
	values, line, err := c.values(name, 0)
	if err != nil {
		return nil, c.at(err)
	}
	x := &subject.Subject{Settings: subject.Usual()}
	if err := (Document{values, line}).into(x); err != nil {
		return nil, c.at(err)
	}
	x.Derive()
	return x, nil
}

func (c *Control) values(name string, depth int) (map[string]any, int, error) {
	i := slices.IndexFunc(c.Cases, func(k Case) bool { return k.Name == name })
	if i < 0 || depth > len(c.Cases) {
		return nil, 0, &Fault{Control: c.ID, Why: fmt.Sprintf("there is no case %.60q to begin with", name)}
	}
	values := map[string]any{}
	if base := c.Cases[i].Base; base != "" {
		of, _, err := c.values(base, depth+1)
		if err != nil {
			return nil, 0, err
		}
		maps.Copy(values, of)
	}
	for name, v := range c.Cases[i].Subject.values {
		of, isObject := values[name].(map[string]any)
		with, alsoObject := v.(map[string]any)
		if isObject && alsoObject {
			both := maps.Clone(of)
			maps.Copy(both, with)
			v = both
		}
		values[name] = v
	}
	return values, c.Cases[i].Subject.line, nil
}

// Test judges the cases of a control, and says which come out otherwise than they should.
func (c *Control) Test() error {
	var faults []error
	for _, k := range c.Cases {
		x, err := c.Example(k.Name)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		set := &Set{Controls: []*Control{c}}
		f := set.Judge(x)[0]
		switch {
		case f.State != k.State:
			faults = append(faults, &Fault{Place: c.Place, Control: c.ID, Line: k.Subject.line, Why: fmt.Sprintf("case %q is %s (%s), and has to be %s", k.Name, f.State, f.Reason, k.State)})
		case !strings.Contains(f.Reason, k.Says):
			faults = append(faults, &Fault{Place: c.Place, Control: c.ID, Line: k.Subject.line, Why: fmt.Sprintf("case %q says %q, and has to say %q", k.Name, f.Reason, k.Says)})
		}
	}
	return errors.Join(faults...)
}
