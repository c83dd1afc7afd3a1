package jsonc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// maxDepth is how deep values may lie in each other.
const maxDepth = 200

// A SyntaxError says where a text stops being a document.
type SyntaxError struct {
	Line, Column int // from 1, in bytes
	Why          string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Why)
}

// A value is a part of a document: where it stands and what is in it.
type value struct {
	kind       byte // '{', '[', '"', or 'l' for numbers, true, false and null
	start, end int
	parts      []part // of an object or an array
	trailing   int    // behind the comma after the last part; 0: there is none
}

// A part is a member of an object or an element of an array.
type part struct {
	key   string // of a member
	start int    // of the member's name, or of the element
	comma int    // the place of the comma before it; 0 for the first
	value *value
}

// parse reads a document with comments and commas after the last part. A text
// with nothing in it but blanks has no value.
func parse(src []byte) (*value, error) {
	p := &parser{src: src}
	if bytes.HasPrefix(src, bom) {
		p.at = len(bom)
	}
	if !p.skip() {
		return nil, p.fault("a comment without an end")
	}
	if p.at == len(src) {
		return nil, nil
	}
	v, why := p.value(0)
	if why != "" {
		return nil, p.fault(why)
	}
	if !p.skip() {
		return nil, p.fault("a comment without an end")
	}
	if p.at < len(src) {
		return nil, p.fault("something behind the end")
	}
	return v, nil
}

var bom = []byte("\ufeff")

type parser struct {
	src []byte
	at  int
}

func (p *parser) fault(why string) error {
	before := p.src[:min(p.at, len(p.src))]
	return &SyntaxError{
		Line:   bytes.Count(before, []byte("\n")) + 1,
		Column: len(before) - bytes.LastIndexByte(before, '\n'),
		Why:    why,
	}
}

// skip passes blanks and comments; false if a comment has no end.
func (p *parser) skip() bool {
	end, ok := skipFrom(p.src, p.at)
	p.at = end
	return ok
}

func skipFrom(src []byte, at int) (int, bool) {
	for at < len(src) {
		rest := src[at:]
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			at++
		case bytes.HasPrefix(rest, []byte("//")):
			line := bytes.IndexByte(rest, '\n')
			if line < 0 {
				return len(src), true
			}
			at += line
		case bytes.HasPrefix(rest, []byte("/*")):
			end := bytes.Index(rest[2:], []byte("*/"))
			if end < 0 {
				return at, false
			}
			at += end + 4
		default:
			return at, true
		}
	}
	return at, true
}

// value reads one value; why is "" unless it is none.
func (p *parser) value(depth int) (v *value, why string) {
	if depth > maxDepth {
		return nil, "values too deep in each other"
	}
	if p.at == len(p.src) {
		return nil, "a value is missing"
	}
	switch c := p.src[p.at]; c {
	case '{':
		return p.container('}', depth)
	case '[':
		return p.container(']', depth)
	case '"':
		return p.text()
	default:
		v := &value{kind: 'l', start: p.at}
		for p.at < len(p.src) && strings.IndexByte(" \t\r\n,:{}[]\"/", p.src[p.at]) < 0 {
			p.at++
		}
		v.end = p.at
		if !json.Valid(p.src[v.start:v.end]) {
			p.at = v.start
			return nil, "no value of JSON"
		}
		return v, ""
	}
}

func (p *parser) text() (*value, string) {
	v := &value{kind: '"', start: p.at}
	for i := p.at + 1; i < len(p.src); i++ {
		switch p.src[i] {
		case '\\':
			i++
		case '"':
			if v.end = i + 1; !json.Valid(p.src[v.start:v.end]) {
				return nil, "a text that JSON does not allow"
			}
			p.at = v.end
			return v, ""
		}
	}
	return nil, "a text without an end"
}

func (p *parser) container(closing byte, depth int) (*value, string) {
	v := &value{kind: p.src[p.at], start: p.at}
	p.at++
	comma := 0
	for {
		if !p.skip() {
			return nil, "a comment without an end"
		}
		if p.at == len(p.src) {
			return nil, fmt.Sprintf("%c is missing", closing)
		}
		if p.src[p.at] == closing {
			if comma > 0 {
				v.trailing = comma + 1
			}
			p.at++
			v.end = p.at
			return v, ""
		}
		if len(v.parts) > 0 && comma == 0 {
			return nil, "a comma is missing"
		}
		one, why := p.part(closing, depth)
		if why != "" {
			return nil, why
		}
		one.comma, comma = comma, 0
		v.parts = append(v.parts, one)
		if !p.skip() {
			return nil, "a comment without an end"
		}
		if p.at < len(p.src) && p.src[p.at] == ',' {
			comma = p.at
			p.at++
		}
	}
}

func (p *parser) part(closing byte, depth int) (one part, why string) {
	one.start = p.at
	if closing == '}' {
		if p.src[p.at] != '"' {
			return one, "a name in quotes is missing"
		}
		name, why := p.text()
		if why != "" {
			return one, why
		}
		one.key = unquote(p.src[name.start:name.end])
		if !p.skip() || p.at == len(p.src) || p.src[p.at] != ':' {
			return one, "a colon is missing"
		}
		p.at++
		if !p.skip() {
			return one, "a comment without an end"
		}
	}
	one.value, why = p.value(depth + 1)
	return one, why
}

func unquote(token []byte) string {
	var s string
	if json.Unmarshal(token, &s) != nil {
		return string(token)
	}
	return s
}

// member finds a member of an object; twice reports that there are two of that
// name, of which readers take one or the other.
func (v *value) member(name string) (found *value, twice bool) {
	for _, m := range v.parts {
		if m.key == name {
			found, twice = m.value, found != nil
			if twice {
				return found, true
			}
		}
	}
	return found, false
}

// same reports whether two values say the same; the order of members does not
// matter.
func same(a *value, asrc []byte, b *value, bsrc []byte) bool {
	if a.kind != b.kind || len(a.parts) != len(b.parts) {
		return false
	}
	switch a.kind {
	case '"':
		return unquote(asrc[a.start:a.end]) == unquote(bsrc[b.start:b.end])
	case 'l':
		return bytes.Equal(asrc[a.start:a.end], bsrc[b.start:b.end])
	case '[':
		for i := range a.parts {
			if !same(a.parts[i].value, asrc, b.parts[i].value, bsrc) {
				return false
			}
		}
		return true
	}
	for i, m := range a.parts {
		if b.parts[i].key == m.key && same(m.value, asrc, b.parts[i].value, bsrc) {
			continue // also of members that are there twice
		}
		other, twice := b.member(m.key)
		if other == nil || twice || !same(m.value, asrc, other, bsrc) {
			return false
		}
	}
	return true
}
