package policy

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
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

// Faults are all of them in an error, in the order in which they were found. One that is
// no fault is none of them.
func Faults(err error) []*Fault {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var list []*Fault
		for _, e := range many.Unwrap() {
			list = append(list, Faults(e)...)
		}
		return list
	}
	var f *Fault
	if errors.As(err, &f) {
		return []*Fault{f}
	}
	return nil
}

// Bounds of a file: what people write by hand is far below them.
const (
	maxFile  = 1 << 20
	maxNodes = 100_000
	maxDepth = 32
)

// Lines tell on which line a part of a document stands, by its path: rules.2.mode.
type Lines map[string]int

// Documents reads every document of a file by a function, which decodes it. All of a file is
// looked at before: one that is too large, too deep, or that repeats itself by aliases is
// not read.
func Documents(place string, body []byte, each func(dec *yaml.Decoder, at Lines) error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = &Fault{Place: place, Why: fmt.Sprintf("it could not be read: %v", fault)}
		}
	}()
	if len(body) > maxFile {
		return &Fault{Place: place, Why: fmt.Sprintf("the file is larger than %d bytes", maxFile)}
	}
	var all []Lines
	nodes := yaml.NewDecoder(bytes.NewReader(body))
	for {
		var n yaml.Node
		if err := nodes.Decode(&n); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return placed(misread(place, err), body)
		}
		at := Lines{}
		if err := at.walk(&n, "", 0); err != nil {
			err.Place = place
			return err
		}
		all = append(all, at)
	}
	dec := yaml.NewDecoder(bytes.NewReader(body))
	dec.KnownFields(true)
	var faults []error
	for _, at := range all {
		if err := each(dec, at); err != nil {
			var f *Fault
			if !errors.As(err, &f) {
				err = misread(place, err)
			}
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// placed gives a fault that has no line that of the first letter which no YAML may have: the decoder does
// not say where it found one.
func placed(err error, body []byte) error {
	faults := Faults(err)
	if line := strange(body); line > 0 && len(faults) == 1 && faults[0].Line == 0 {
		faults[0].Line = line
	}
	return err
}

// strange is the line of the first letter that no YAML may have, 0 if there is none.
func strange(body []byte) int {
	line := 1
	for len(body) > 0 {
		r, size := utf8.DecodeRune(body)
		switch {
		case r == utf8.RuneError && size == 1, unicode.IsControl(r) && !strings.ContainsRune("\t\n\r\u0085", r):
			return line
		case r == '\n':
			line++
		}
		body = body[size:]
	}
	return 0
}

func (at Lines) walk(n *yaml.Node, path string, depth int) *Fault {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return &Fault{Line: n.Line, Why: "anchors and aliases are not read here: write it out"}
	case depth > maxDepth:
		return &Fault{Line: n.Line, Why: fmt.Sprintf("it is nested deeper than %d", maxDepth)}
	case len(at) > maxNodes:
		return &Fault{Line: n.Line, Why: fmt.Sprintf("the document has more than %d parts", maxNodes)}
	}
	at[path] = n.Line
	for i, part := range n.Content {
		below := path
		switch {
		case n.Kind == yaml.SequenceNode:
			below = join(path, strconv.Itoa(i))
		case n.Kind == yaml.MappingNode && i%2 == 1:
			below = join(path, n.Content[i-1].Value)
		case n.Kind == yaml.MappingNode:
			below = join(path, "@"+part.Value) // the name itself
		}
		if err := at.walk(part, below, depth+1); err != nil {
			return err
		}
		if n.Kind == yaml.MappingNode && i%2 == 1 && part.Kind != yaml.ScalarNode {
			at[below] = n.Content[i-1].Line
		}
	}
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

var (
	lineOf  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^line (\d+): `) })
	noField = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^field (.*) not found in type .*$`) })
	inGo    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(` into (?:\w+\.)?(\S+)$`) })
)

// misread says what a decoder says, in our words and with the lines apart.
func misread(place string, err error) error {
	texts := []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	var several *yaml.TypeError
	if errors.As(err, &several) {
		texts = several.Errors
	}
	var faults []error
	for _, text := range texts {
		f := &Fault{Place: place, Why: text}
		if m := lineOf().FindStringSubmatch(text); m != nil {
			f.Line, _ = strconv.Atoi(m[1])
			f.Why = text[len(m[0]):]
		}
		f.Why = noField().ReplaceAllString(f.Why, `there is no member "$1"`)
		f.Why = inGo().ReplaceAllString(f.Why, `, where $1 is needed`)
		faults = append(faults, f)
	}
	return errors.Join(faults...)
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
	itself map[string]any // of a case, what it says beside its base
	line   int
	names  map[string]int // lines of the names in it, by the first place of each
}

// UnmarshalYAML reads the document.
func (d *Document) UnmarshalYAML(n *yaml.Node) error {
	d.line, d.names = n.Line, map[string]int{}
	d.name(n)
	return n.Decode(&d.values)
}

func (d *Document) name(n *yaml.Node) {
	for i, part := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && d.names[part.Value] == 0 {
			d.names[part.Value] = part.Line
		}
		d.name(part)
	}
}

// IsZero reports whether there is no document.
func (d Document) IsZero() bool { return d.values == nil }

// has reports whether a document says something of a member.
func (d Document) has(name string) bool {
	_, ok := d.values[name]
	return ok
}

// fault is one at the first place of a name in a document, or where that begins.
func (d Document) fault(name, format string, args ...any) *Fault {
	f := &Fault{Line: d.line, Why: fmt.Sprintf(format, args...)}
	if line := d.names[name]; line > 0 {
		f.Line = line
	}
	return f
}

// into reads a document into a Go value; a name that it does not have is a fault.
func (d Document) into(to any) error {
	body, err := json.Marshal(d.values)
	if err != nil {
		return &Fault{Line: d.line, Why: strings.TrimPrefix(err.Error(), "json: ")}
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	err = dec.Decode(to)
	if err == nil {
		return nil
	}
	f := &Fault{Line: d.line, Why: strings.TrimPrefix(err.Error(), "json: ")}
	var kind *json.UnmarshalTypeError
	var when *time.ParseError
	name, unknown := strings.CutPrefix(f.Why, "unknown field ")
	switch {
	case unknown:
		name = strings.Trim(name, `"`)
		f.Why = fmt.Sprintf("there is no member %q", name)
	case errors.As(err, &kind):
		name = kind.Field[strings.LastIndexByte(kind.Field, '.')+1:]
		f.Why = fmt.Sprintf("%s is of the kind %s, and %s is needed", kind.Field, kind.Value, kindOf(kind.Type))
	case errors.As(err, &when):
		text := strings.Trim(when.Value, `"`)
		name = labelOf(d.values, text)
		f.Why = fmt.Sprintf("%s is %.60q, and a day or a time is needed: write it like 2026-11-27, without quotes", cmp.Or(name, "a time"), text)
	}
	if line := d.names[name]; line > 0 {
		f.Line = line
	}
	return f
}

// labelOf is the name that a part of a document has a text by, "" if there is none.
func labelOf(part any, text string) string {
	switch part := part.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(part)) {
			if part[name] == any(text) {
				return name
			}
			if of := labelOf(part[name], text); of != "" {
				return of
			}
		}
	case []any:
		for _, p := range part {
			if of := labelOf(p, text); of != "" {
				return of
			}
		}
	}
	return ""
}

// kindOf says in words what a Go type holds.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}
