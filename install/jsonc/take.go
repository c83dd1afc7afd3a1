package jsonc

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Take cuts the element that says the same out of the array at a path; false if
// there is none. What was put in before cannot be undone any more.
func (t *Text) Take(path []string, element any) bool {
	v := t.find(path)
	if v == nil || v.kind != '[' {
		return false
	}
	i := t.index(v, element)
	return i >= 0 && t.cut(v, i)
}

// TakeEmpty cuts the member at a path out if nothing is in it.
func (t *Text) TakeEmpty(path []string) bool {
	v := t.find(path)
	if v == nil || len(path) == 0 || v.kind != '{' && v.kind != '[' || len(v.parts) > 0 {
		return false
	}
	if inside := t.src[v.start+1 : v.end-1]; len(bytes.TrimSpace(inside)) > 0 {
		return false // somebody's comment
	}
	return t.cutMember(path)
}

// TakeValue cuts the member at a path out if it says the same.
func (t *Text) TakeValue(path []string, to any) bool {
	v := t.find(path)
	other, src, ok := parsed(to)
	return v != nil && ok && len(path) > 0 && same(v, t.src, other, src) && t.cutMember(path)
}

// Empty reports whether the document is an object with nothing in it, not even
// a comment.
func (t *Text) Empty() bool {
	return t.root == nil || string(bytes.Join(bytes.Fields(bytes.TrimPrefix(t.src, bom)), nil)) == "{}"
}

func (t *Text) cutMember(path []string) bool {
	last := len(path) - 1
	in := t.find(path[:last])
	i := slices.IndexFunc(in.parts, func(m part) bool { return m.key == path[last] })
	return t.cut(in, i)
}

// cut takes a part out of its container, with the line it stands in if it has
// one of its own.
func (t *Text) cut(in *value, i int) bool {
	start, end := in.parts[i].start, in.parts[i].value.end
	comma := -1
	switch {
	case i+1 < len(in.parts):
		comma = in.parts[i+1].comma
	case in.trailing > 0:
		comma = in.trailing - 1
	case i > 0:
		comma = in.parts[i].comma
	}
	blank := start
	for blank > 0 && (t.src[blank-1] == ' ' || t.src[blank-1] == '\t') {
		blank--
	}
	if blank > 0 && t.src[blank-1] == '\n' {
		if blank--; blank > 0 && t.src[blank-1] == '\r' {
			blank--
		}
	}
	for _, from := range []int{blank, start} {
		src := without(t.src, from, end, comma)
		root, err := parse(src)
		if err != nil || root == nil { // what follows has become part of a comment
			continue
		}
		if left := (&Text{src: src, root: root}); left.lost(t, in, i) {
			continue
		}
		t.src, t.root, t.done, t.made = src, root, nil, nil
		return true
	}
	return false
}

// lost reports whether more than one part of a container went with it.
func (t *Text) lost(before *Text, in *value, i int) bool {
	rest := *in
	rest.parts = slices.Delete(slices.Clone(in.parts), i, i+1)
	was := before.swap(before.root, in, &rest)
	return !same(was, before.src, t.root, t.src)
}

// swap is the value with one of those in it replaced.
func (t *Text) swap(v, old, by *value) *value {
	if v == old {
		return by
	}
	if old.start < v.start || old.end > v.end {
		return v
	}
	with := *v
	with.parts = slices.Clone(v.parts)
	for i, p := range with.parts {
		with.parts[i].value = t.swap(p.value, old, by)
	}
	return &with
}

// without is src without what is from start to end and without a comma.
func without(src []byte, start, end, comma int) []byte {
	var out []byte
	for i, c := range src {
		if i != comma && (i < start || i >= end) {
			out = append(out, c)
		}
	}
	return out
}

// index finds the element of an array that says the same, or -1.
func (t *Text) index(v *value, element any) int {
	other, src, ok := parsed(element)
	if !ok {
		return -1
	}
	return slices.IndexFunc(v.parts, func(p part) bool { return same(p.value, t.src, other, src) })
}

// parsed is a Go value as a value of a document.
func parsed(to any) (*value, []byte, bool) {
	src, err := json.Marshal(to)
	if err != nil {
		return nil, nil, false
	}
	v, err := parse(src)
	return v, src, err == nil && v != nil
}

// plain is a value without comments and commas after the last part.
func (t *Text) plain(v *value) []byte {
	switch v.kind {
	case '{', '[':
	default:
		return t.src[v.start:v.end]
	}
	out := []byte{v.kind}
	for i, p := range v.parts {
		if i > 0 {
			out = append(out, ',')
		}
		if v.kind == '{' {
			name, err := json.Marshal(p.key)
			if err != nil {
				return nil
			}
			out = append(append(out, name...), ':')
		}
		out = append(out, t.plain(p.value)...)
	}
	return append(out, v.kind+2) // } and ] stand two behind { and [
}
