package redact

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma/redact/secret"
)

// Options say what is cut beside secrets. The zero value cuts secrets by the
// rules of this package.
type Options struct {
	// Homes has the home directory of an account written "~". The name of the
	// account goes, the rest of the path stays. /root names nobody and stays.
	Homes bool

	// Mail cuts mail addresses, but not those that belong to nobody: noreply@,
	// git@ and whatever lies in a domain kept for examples.
	Mail bool

	// More finds secrets beyond the rules of this package; nil finds none.
	More Finder
}

// A Finder finds secrets in a text. It may be asked by several goroutines.
type Finder interface {
	// Find calls found for every secret in text, in any order.
	Find(text []byte, found func(Match))
}

// A Match is a secret in a text: the bytes to cut, inside of what it was known by.
type Match = secret.Match

// A Report counts what was cut by the name of the rule.
type Report map[string]int

// Add adds what another report counts.
func (r Report) Add(o Report) {
	for rule, n := range o {
		r[rule] += n
	}
}

// Total is how much was cut.
func (r Report) Total() int {
	n := 0
	for _, k := range r {
		n += k
	}
	return n
}

// String lists the rules, as in "2 jwt, 1 private-key".
func (r Report) String() string {
	var list []string
	for _, rule := range slices.Sorted(maps.Keys(r)) {
		list = append(list, strconv.Itoa(r[rule])+" "+rule)
	}
	if list == nil {
		return "nothing"
	}
	return strings.Join(list, ", ")
}

// A Redactor cuts by its options. It may be used by several goroutines.
type Redactor struct{ o Options }

// New returns a Redactor.
func New(o Options) *Redactor { return &Redactor{o} }

// ErrNotJSON is why JSON returns nothing: what it was given is not one value.
var ErrNotJSON = errors.New("redact: not one JSON value")

// Text returns b with marks in the place of secrets. Redacting it again
// changes nothing.
func (r *Redactor) Text(b []byte) ([]byte, Report) {
	report := Report{}
	return r.settle(b, 0, secret.Nameless, report), report
}

// JSON returns the JSON value b with marks inside its strings. It wraps
// [ErrNotJSON] if b is anything else.
func (r *Redactor) JSON(b []byte) ([]byte, Report, error) {
	if !json.Valid(b) {
		return nil, nil, ErrNotJSON
	}
	report := Report{}
	return r.strings(b, report), report, nil
}

// Body returns b with marks in the place of secrets, whatever b is: one JSON
// value, rows of JSON, text, or rows of JSON with damage between them.
func (r *Redactor) Body(b []byte) ([]byte, Report) {
	if clean, report, err := r.JSON(b); err == nil {
		return clean, report
	}
	report := Report{}
	out := make([]byte, 0, len(b))
	text := 0 // where lines that are no JSON began
	for at := 0; at < len(b); {
		end := lineEnd(b, at)
		if isRow(b[at:end]) {
			out = append(out, r.settle(b[text:at], 0, secret.Nameless, report)...)
			out = append(out, r.strings(b[at:end], report)...)
			text = end
		}
		at = end
	}
	return append(out, r.settle(b[text:], 0, secret.Nameless, report)...), report
}

// isRow reports whether a line is a JSON object or array.
func isRow(line []byte) bool {
	for _, c := range line {
		switch c {
		case ' ', '\t', '\r':
			continue
		case '{', '[':
			return json.Valid(line)
		}
		return false
	}
	return false
}

func lineEnd(b []byte, at int) int {
	for i := at; i < len(b); i++ {
		if b[i] == '\n' {
			return i + 1
		}
	}
	return len(b)
}

// A cut is a part of a text and what takes its place.
type cut struct {
	secret.Match
	more bool // known by a rule from outside
}

// before orders what tells of the same bytes: a secret says more than a place
// that has a name in it, and a rule of our own more than one from outside.
func (c cut) before(o cut) bool {
	if mark := c.With == ""; mark != (o.With == "") {
		return mark
	}
	if c.more != o.more {
		return o.more
	}
	return c.End-c.Start > o.End-o.Start
}

// maxPasses bounds how often a text is looked at: again after each cut, since
// two things that stood together may be two things now.
const maxPasses = 16

// maxText is how much text is looked at at once.
const maxText = 256 << 20

// settle returns b with everything cut that can be found in it. escapes is how
// many layers of escapes lie on it, name what it is the value of.
func (r *Redactor) settle(b []byte, escapes int, as secret.Name, report Report) []byte {
	if len(b) > maxText { // as good as never; what is kept of escapes grows with the text
		at := lineStart(b, maxText)
		if at == 0 {
			at = maxText
		}
		return append(slices.Clone(r.settle(b[:at], escapes, as, report)), r.settle(b[at:], escapes, as, report)...)
	}
	for range maxPasses {
		cuts := r.find(b, escapes, as)
		if len(cuts) == 0 {
			break
		}
		b = apply(b, cuts, report)
	}
	return b
}

// find returns what is to be cut from b, in order and apart.
func (r *Redactor) find(b []byte, escapes int, as secret.Name) []cut {
	cuts := r.layers(b, escapes, as)
	if len(cuts) < 2 {
		return cuts
	}
	slices.SortFunc(cuts, func(x, y cut) int {
		return cmp.Or(cmp.Compare(x.Start, y.Start), cmp.Compare(y.End, x.End), cmp.Compare(x.Rule, y.Rule))
	})
	apart := cuts[:1]
	for _, c := range cuts[1:] {
		last := &apart[len(apart)-1]
		if c.Start >= last.End {
			apart = append(apart, c)
			continue
		}
		if c.before(*last) { // what overlaps is one cut
			last.Rule, last.With, last.more = c.Rule, c.With, c.more
		}
		last.End = max(last.End, c.End)
		last.From, last.To = min(last.From, c.From), max(last.To, c.To)
	}
	return apart
}

// maxLayers is how many layers of escapes are taken off a text: JSON in a
// string in JSON in a string.
const maxLayers = 5

// layers finds what is to be cut in b as it reads, and as it reads without each
// of its layers of escapes. The first escapes layers are sure to be there, so
// that b does not have to be judged with them.
func (r *Redactor) layers(b []byte, escapes int, as secret.Name) []cut {
	var cuts []cut
	text, was := b, origin{}
	for layer := range maxLayers + 1 {
		if layer >= escapes {
			r.look(text, as, func(c cut) {
				c.Start, c.End = was.back(c.Start, c.End)
				c.From, c.To = was.back(c.From, c.To)
				cuts = append(cuts, c)
			})
		}
		plain, jumps := unescape(text)
		if jumps == nil {
			if layer < escapes {
				continue
			}
			break
		}
		text, was = plain, was.under(jumps)
	}
	return cuts
}

// look finds what is to be cut from a text as it reads.
func (r *Redactor) look(text []byte, as secret.Name, found func(cut)) {
	secret.Find(text, as, secret.Options{Homes: r.o.Homes, Mail: r.o.Mail}, func(m Match) { found(cut{Match: m}) })
	if r.o.More == nil {
		return
	}
	r.o.More.Find(text, func(m Match) {
		if m.Start < m.End && !bytes.Contains(text[m.Start:m.End], []byte(secret.MarkStart)) {
			m.From, m.To, m.With = min(m.From, m.Start), max(m.To, m.End), ""
			found(cut{Match: m, more: true})
		}
	})
}

// apply makes the cuts.
func apply(b []byte, cuts []cut, report Report) []byte {
	out := make([]byte, 0, len(b)+16*len(cuts))
	at := 0
	for _, c := range cuts {
		out = append(out, b[at:c.Start]...)
		if c.With != "" {
			out = append(out, c.With...)
		} else {
			out = append(append(append(out, secret.MarkStart...), c.Rule...), ']')
		}
		at = c.End
		report[c.Rule]++
	}
	return append(out, b[at:]...)
}
