// Package jsonc changes JSON documents of other programs, with comments and
// commas after the last part or without, by putting pieces of text in. Every
// other byte stays as it was: order, indentation, line ends, comments. What was
// put in can be cut out again, so that the document is what it was before.
//
// It does no I/O. A text that is no document is not changed.
package jsonc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// An Insertion is a piece of text that was put into a document. Each of a list
// is about what the ones before it left.
type Insertion struct {
	At   int    `json:"at"`
	Text string `json:"text"`
}

// A Text is a document that is being changed.
type Text struct {
	src  []byte
	root *value
	done []Insertion
	made [][]string
}

// Open reads a document. The error is a [*SyntaxError]. An empty text becomes
// an object when something is put into it.
func Open(src []byte) (*Text, error) {
	root, err := parse(src)
	if err != nil {
		return nil, err
	}
	return &Text{src: slices.Clone(src), root: root}, nil
}

// Bytes is the document as it is now.
func (t *Text) Bytes() []byte { return t.src }

// Insertions are what was put in.
func (t *Text) Insertions() []Insertion { return t.done }

// Made are the paths of the members that were put in.
func (t *Text) Made() [][]string { return t.made }

// Undo cuts insertions out again; false if they are not where they were put.
func Undo(src []byte, done []Insertion) ([]byte, bool) {
	src = slices.Clone(src)
	for _, in := range slices.Backward(done) {
		end := in.At + len(in.Text)
		if in.At < 0 || end > len(src) || end < in.At || string(src[in.At:end]) != in.Text {
			return nil, false
		}
		src = slices.Delete(src, in.At, end)
	}
	return src, true
}

// Has reports whether the array at a path has an element that says the same.
func (t *Text) Has(path []string, element any) bool {
	v := t.find(path)
	if v == nil || v.kind != '[' {
		return false
	}
	return t.index(v, element) >= 0
}

// Value reads what stands at a path into to; false if nothing does, or
// something else.
func (t *Text) Value(path []string, to any) bool {
	v := t.find(path)
	return v != nil && json.Unmarshal(t.plain(v), to) == nil
}

// Append adds an element to the array at a path, unless one that says the same
// is there. Members that are missing on the way are made.
func (t *Text) Append(path []string, element any) error {
	if t.Has(path, element) {
		return nil
	}
	at, rest, err := t.reach(path)
	if err != nil {
		return err
	}
	if len(rest) == 0 {
		if at.kind != '[' {
			return fmt.Errorf("%s is no list", strings.Join(path, "."))
		}
		return t.add(at, "", element)
	}
	return t.make(at, path, rest, []any{element})
}

// Set gives the object at the beginning of a path a member, unless it is there.
func (t *Text) Set(path []string, to any) error {
	at, rest, err := t.reach(path)
	if err != nil || len(rest) == 0 {
		return err
	}
	return t.make(at, path, rest, to)
}

// find returns what stands at a path, or nil.
func (t *Text) find(path []string) *value {
	v := t.root
	for _, name := range path {
		if v == nil || v.kind != '{' {
			return nil
		}
		v, _ = v.member(name)
	}
	return v
}

// reach goes along a path as far as there is something.
func (t *Text) reach(path []string) (at *value, rest []string, err error) {
	if t.root == nil {
		start, end := 0, ""
		if bytes.HasPrefix(t.src, bom) {
			start = len(bom)
		}
		if !bytes.Contains(t.src, []byte("\n")) {
			end = "\n"
		}
		if err := t.put(Insertion{len(t.src), end}, Insertion{start, "{}"}); err != nil {
			return nil, nil, err
		}
	}
	at = t.root
	for i, name := range path {
		if at.kind != '{' {
			if i == 0 {
				return nil, nil, errors.New("it is no object")
			}
			return nil, nil, fmt.Errorf("%s is no object", strings.Join(path[:i], "."))
		}
		next, twice := at.member(name)
		if twice {
			return nil, nil, fmt.Errorf("%s is there twice", strings.Join(path[:i+1], "."))
		}
		if next == nil {
			return at, path[i:], nil
		}
		at = next
	}
	return at, nil, nil
}

// make adds the members of rest, one in the other, with what the last one is.
func (t *Text) make(at *value, path, rest []string, to any) error {
	for i := len(path); i > len(path)-len(rest); i-- {
		t.made = append(t.made, slices.Clone(path[:i]))
	}
	for _, name := range slices.Backward(rest[1:]) {
		to = map[string]any{name: to}
	}
	return t.add(at, rest[0], to)
}

// add puts a part into an object or an array, behind those that are there.
func (t *Text) add(in *value, key string, to any) error {
	compact := t.compact(in)
	outer := t.indent(in.start)
	inner, unit := t.inner(in, outer)
	text, err := render(key, to, inner, unit, compact)
	if err != nil {
		return err
	}
	text = strings.ReplaceAll(text, "\n", t.lineEnd())
	lead := t.lineEnd() + inner
	if compact {
		lead = ""
	}
	switch {
	case len(in.parts) == 0:
		tail := ""
		if !compact && !bytes.Contains(t.src[in.start:in.end], []byte("\n")) {
			tail = t.lineEnd() + outer
		}
		return t.put(Insertion{in.start + 1, lead + text + tail})
	case in.trailing > 0:
		return t.put(Insertion{t.endOfLine(in.trailing), lead + text + ","})
	}
	last := in.parts[len(in.parts)-1].value.end
	behind := t.endOfLine(last)
	if behind == last || compact {
		return t.put(Insertion{last, "," + lead + text})
	}
	return t.put(Insertion{behind, lead + text}, Insertion{last, ","})
}

// put applies insertions, of which each stands before the one before it.
func (t *Text) put(list ...Insertion) error {
	for _, in := range list {
		t.src = slices.Insert(t.src, in.At, []byte(in.Text)...)
		t.done = append(t.done, in)
	}
	root, err := parse(t.src)
	if err != nil {
		return errors.New("it cannot be changed without harm")
	}
	t.root = root
	return nil
}

// compact reports whether what is put into a container stands in its line.
func (t *Text) compact(in *value) bool {
	if len(in.parts) > 0 {
		return !bytes.Contains(t.src[in.start:in.end], []byte("\n"))
	}
	return len(t.root.parts) > 0 && !bytes.Contains(t.src[t.root.start:t.root.end], []byte("\n"))
}

func (t *Text) lineEnd() string {
	if i := bytes.IndexByte(t.src, '\n'); i > 0 && t.src[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// indent is the white space at the beginning of the line in which a place is.
func (t *Text) indent(at int) string {
	line := t.src[bytes.LastIndexByte(t.src[:at], '\n')+1 : at]
	line = bytes.TrimPrefix(line, bom)
	return string(line[:len(line)-len(bytes.TrimLeft(line, " \t"))])
}

// inner is the indentation of what is in a container, and the step by which it
// grows.
func (t *Text) inner(in *value, outer string) (inner, unit string) {
	unit = "  "
	if len(t.root.parts) > 0 {
		first := t.root.parts[0].start
		if step, ok := strings.CutPrefix(t.indent(first), t.indent(t.root.start)); ok && step != "" {
			unit = step
		}
	}
	if len(in.parts) > 0 {
		first := in.parts[0].start
		if bytes.Contains(t.src[in.start:first], []byte("\n")) {
			return t.indent(first), unit
		}
	}
	return outer + unit, unit
}

// endOfLine passes blanks and comments to the end of the line; if something
// else is in the way, it stays.
func (t *Text) endOfLine(from int) int {
	at := from
	for at < len(t.src) {
		rest := t.src[at:]
		switch {
		case rest[0] == '\n', bytes.HasPrefix(rest, []byte("\r\n")):
			return at
		case rest[0] == ' ' || rest[0] == '\t':
			at++
		case bytes.HasPrefix(rest, []byte("//")):
			line := bytes.IndexByte(rest, '\n')
			if line < 0 {
				return from
			}
			at += len(bytes.TrimSuffix(rest[:line], []byte("\r")))
		case bytes.HasPrefix(rest, []byte("/*")):
			end := bytes.Index(rest, []byte("*/"))
			if end < 0 || bytes.IndexByte(rest[:end], '\n') >= 0 {
				return from
			}
			at += end + 2
		default:
			return from
		}
	}
	return from
}

func render(key string, to any, indent, unit string, compact bool) (string, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if !compact {
		enc.SetIndent(indent, unit)
	}
	if err := enc.Encode(to); err != nil {
		return "", err
	}
	text := strings.TrimSuffix(b.String(), "\n")
	if key == "" {
		return text, nil
	}
	name, err := json.Marshal(key)
	if err != nil {
		return "", err
	}
	if compact {
		return string(name) + ":" + text, nil
	}
	return string(name) + ": " + text, nil
}
