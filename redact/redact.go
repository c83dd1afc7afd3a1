package redact

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
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
type Match struct {
	Rule       string // lower case letters, digits and dashes
	Start, End int    // what is cut
	From, To   int    // what had to be seen to know it
}

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
	return r.settle(b, 0, nameless, report), report
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
			out = append(out, r.settle(b[text:at], 0, nameless, report)...)
			out = append(out, r.strings(b[at:end], report)...)
			text = end
		}
		at = end
	}
	return append(out, r.settle(b[text:], 0, nameless, report)...), report
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
	start, end int
	rule       string
	with       string // empty for the mark of the rule
	from, to   int    // what had to be seen to know it
	more       bool   // known by a rule from outside
}

// before orders what tells of the same bytes: a secret says more than a place
// that has a name in it, and a rule of this package more than one from outside.
func (c cut) before(o cut) bool {
	if secret := c.with == ""; secret != (o.with == "") {
		return secret
	}
	if c.more != o.more {
		return o.more
	}
	return c.end-c.start > o.end-o.start
}

// maxPasses bounds how often a text is looked at: again after each cut, since
// two things that stood together may be two things now.
const maxPasses = 16

// maxText is how much text is looked at at once.
const maxText = 256 << 20

// settle returns b with everything cut that can be found in it. escapes is how
// many layers of escapes lie on it, name what it is the value of.
func (r *Redactor) settle(b []byte, escapes int, as name, report Report) []byte {
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
func (r *Redactor) find(b []byte, escapes int, as name) []cut {
	cuts := r.layers(b, escapes, as)
	if len(cuts) < 2 {
		return cuts
	}
	slices.SortFunc(cuts, func(x, y cut) int {
		return cmp.Or(cmp.Compare(x.start, y.start), cmp.Compare(y.end, x.end), cmp.Compare(x.rule, y.rule))
	})
	apart := cuts[:1]
	for _, c := range cuts[1:] {
		last := &apart[len(apart)-1]
		if c.start >= last.end {
			apart = append(apart, c)
			continue
		}
		if c.before(*last) { // what overlaps is one cut
			last.rule, last.with, last.more = c.rule, c.with, c.more
		}
		last.end = max(last.end, c.end)
		last.from, last.to = min(last.from, c.from), max(last.to, c.to)
	}
	return apart
}

// maxLayers is how many layers of escapes are taken off a text: JSON in a
// string in JSON in a string.
const maxLayers = 5

// layers finds what is to be cut in b as it reads, and as it reads without each
// of its layers of escapes. The first escapes layers are sure to be there, so
// that b does not have to be judged with them.
func (r *Redactor) layers(b []byte, escapes int, as name) []cut {
	var cuts []cut
	text, was := b, origin{}
	for layer := range maxLayers + 1 {
		if layer >= escapes {
			s := scanner{b: text, o: r.o, add: func(c cut) {
				c.start, c.end = was.back(c.start, c.end)
				c.from, c.to = was.back(c.from, c.to)
				cuts = append(cuts, c)
			}}
			s.scan(as)
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

// apply makes the cuts.
func apply(b []byte, cuts []cut, report Report) []byte {
	out := make([]byte, 0, len(b)+16*len(cuts))
	at := 0
	for _, c := range cuts {
		out = append(out, b[at:c.start]...)
		if c.with != "" {
			out = append(out, c.with...)
		} else {
			out = append(append(append(out, markStart...), c.rule...), ']')
		}
		at = c.end
		report[c.rule]++
	}
	return append(out, b[at:]...)
}

// markStart begins every mark.
const markStart = "[redacted:"
