// Package filter is the language in which everything is asked: from a text to a
// checked tree and back.
//
//	model:claude-opus-4* merged:>-30d -is:mixed sort:merged-desc
//
// [Parse] reads a text over a [Kind], with positions, and checks every word of it
// against the fields that the kind declares; what it does not know is an [Error]
// with a suggestion, never ignored. [Filter.String] writes the one spelling that
// reads back as the same question.
//
// Two values exist, true and false: a comparison with something that is not
// there is false and its negation true, so that -model:x finds what has no model.
//
// The package knows no table and no SQL: where the values of a field lie is the
// business of package query. It does no I/O and reads no clock.
package filter

import (
	"slices"
	"strconv"
	"strings"
)

// A Filter is one question, read and checked. It does not change and may be
// used by several goroutines at once.
type Filter struct {
	Kind  *Kind
	Where Expr // nil: everything
	Group []GroupKey
	Sort  []Order
	Limit int64  // 0: no limit
	At    string // branch; empty: the default branch of each repository
}

// An Order is one key to sort by. In a grouped answer, Name may also be a
// measure such as "lines".
type Order struct {
	Name  string
	Field *Field // nil: a measure of a group
	Desc  bool
}

// A GroupKey is one field to group by; a time is cut to a bucket.
type GroupKey struct {
	Field  *Field
	Bucket string
}

// Name is the key as it is written: "merged-month".
func (g GroupKey) Name() string {
	if g.Bucket == "" {
		return g.Field.Name
	}
	return g.Field.Name + "-" + g.Bucket
}

// An Expr is a node of the tree: [And], [Or], [Not], [*Term] or [*Word].
type Expr interface {
	print(b *strings.Builder, parent int)
}

// And holds where all of its parts do.
type And []Expr

// Or holds where one of its parts does.
type Or []Expr

// Not holds where X does not.
type Not struct{ X Expr }

// An Op is what a term asks of its field.
type Op int

// What terms ask.
const (
	Like   Op = iota // text, ref, enum: equal or like; choice: that condition
	Within           // Lo <= value < Hi
	Has              // there is a value
	No               // there is none
)

// A Term asks one thing of one field.
type Term struct {
	Field  *Field
	Op     Op
	Value  Value
	Lo, Hi int64
}

// Asks reports whether is:word stands anywhere in x.
func Asks(x Expr, word string) bool {
	asks := func(x Expr) bool { return Asks(x, word) }
	switch x := x.(type) {
	case And:
		return slices.ContainsFunc(x, asks)
	case Or:
		return slices.ContainsFunc(x, asks)
	case Not:
		return asks(x.X)
	case *Term:
		text, _ := x.Value.Literal()
		return x.Field.Name == "is" && text == word
	}
	return false
}

// A Word is looked for where the kind says that words are looked for.
type Word struct {
	Value Value
	In    Or // terms
}

// A Value is what follows the colon: raw text, in which * and ? are patterns,
// then perhaps a quoted text, in which nothing is.
type Value struct {
	Raw    string
	Text   string
	Quoted bool
}

// Binding strengths, for printing.
const (
	inOr = iota + 1
	inAnd
	inNot
)

// String is the canonical form: it reads back as an equal filter.
func (f *Filter) String() string {
	var parts []string
	if f.Where != nil {
		parts = append(parts, text(f.Where, inOr))
	}
	if f.At != "" {
		parts = append(parts, "at:"+Quote(f.At))
	}
	if len(f.Group) > 0 {
		names := make([]string, len(f.Group))
		for i, g := range f.Group {
			names[i] = g.Name()
		}
		parts = append(parts, "group:"+strings.Join(names, ","))
	}
	if len(f.Sort) > 0 {
		names := make([]string, len(f.Sort))
		for i, o := range f.Sort {
			names[i] = o.Name
			if o.Desc {
				names[i] += "-desc"
			}
		}
		parts = append(parts, "sort:"+strings.Join(names, ","))
	}
	if f.Limit > 0 {
		parts = append(parts, "limit:"+strconv.FormatInt(f.Limit, 10))
	}
	return strings.Join(parts, " ")
}

// With is the text that chooses what f chooses and the terms choose too, without
// group, sort and limit.
func (f *Filter) With(terms ...string) string {
	var parts []string
	if f.Where != nil {
		parts = append(parts, text(f.Where, inAnd))
	}
	parts = append(parts, terms...)
	if f.At != "" {
		parts = append(parts, "at:"+Quote(f.At))
	}
	return strings.Join(parts, " ")
}

// GroupColumns are the names of the columns of a grouped answer: the keys, then
// the measures, of which the first counts.
func (f *Filter) GroupColumns() []string {
	var names []string
	for _, g := range f.Group {
		names = append(names, g.Name())
	}
	names = append(names, f.Kind.Name)
	for _, field := range f.Kind.Fields {
		if field.Sum {
			names = append(names, field.Name)
		}
	}
	return names
}

func text(x Expr, parent int) string {
	var b strings.Builder
	x.print(&b, parent)
	return b.String()
}

func printList(b *strings.Builder, list []Expr, sep string, self, parent int) {
	if parent > self {
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	for i, x := range list {
		if i > 0 {
			b.WriteString(sep)
		}
		x.print(b, self)
	}
}

func (a And) print(b *strings.Builder, parent int) { printList(b, a, " ", inAnd, parent) }
func (o Or) print(b *strings.Builder, parent int)  { printList(b, o, " OR ", inOr, parent) }

func (n Not) print(b *strings.Builder, _ int) {
	b.WriteByte('-')
	n.X.print(b, inNot)
}

func (t *Term) print(b *strings.Builder, _ int) {
	switch t.Op {
	case Has:
		b.WriteString("has:" + t.Field.Name)
	case No:
		b.WriteString("no:" + t.Field.Name)
	default:
		b.WriteString(t.Field.Name + ":" + t.Value.String())
	}
}

func (w *Word) print(b *strings.Builder, _ int) { b.WriteString(w.Value.String()) }

// String is the value as it is written, with quotes where they are needed.
func (v Value) String() string {
	if !v.Quoted {
		return v.Raw
	}
	if v.Raw == "" {
		return Quote(v.Text)
	}
	return v.Raw + quote(v.Text)
}

// Literal is the text of a value without patterns, and whether it has none.
func (v Value) Literal() (string, bool) {
	return v.Raw + v.Text, !strings.ContainsAny(v.Raw, "*?")
}

// Quote writes text so that it stands for itself in a filter, as a word or as
// the value of a field: in quotes unless it is plainly safe without.
func Quote(s string) string {
	safe := s != "" && s != "OR" && s != "AND" && s != "NOT" && s[0] != '-' && !strings.Contains(s, "..")
	for i := 0; safe && i < len(s); i++ {
		c := s[i]
		safe = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._/-@#", c) >= 0
	}
	if safe {
		return s
	}
	return quote(s)
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(s) + `"`
}
