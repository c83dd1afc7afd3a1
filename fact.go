package stemma

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// A Fact says one thing about one subject. It has canonical bytes and never
// changes; a correction is another fact about the same subject, and a later
// fact's attributes stand before an earlier one's. Its edges are added to the
// earlier ones, unless it is whole: then those that it does not repeat are
// withdrawn, as far as their evidence is not better than its own.
type Fact struct {
	Subject  Ref
	Kind     Kind // the shape of Attrs; the kind of the subject
	Attrs    json.RawMessage
	Edges    []Edge
	Occurred time.Time // when the source says it happened; microseconds, UTC
	Source   string    // which reader or sender stated it: "git", "git-ai-note"
	Grade    Grade
	Bodies   []Body
	Whole    bool // its edges are all there are
}

// An Edge leads from the subject of its fact to another thing.
type Edge struct {
	Door   string `json:"door"`
	To     Ref    `json:"to"`
	Grade  Grade  `json:"grade,omitempty"`  // empty: that of the fact
	Basis  Basis  `json:"basis,omitempty"`  // empty: stated by the source itself
	Method string `json:"method,omitempty"` // how the link was found: "merge-message"
}

// AddEdge adds an edge unless one to the same thing is there.
func AddEdge(edges []Edge, e Edge) []Edge {
	if slices.ContainsFunc(edges, func(o Edge) bool { return o.To == e.To }) {
		return edges
	}
	return append(edges, e)
}

// A Body is something large or private that is kept beside the ledger.
type Body struct {
	Name   string `json:"name"`
	Media  string `json:"media"`
	Digest Digest `json:"digest"` // of the plain bytes
	Size   int64  `json:"size"`
}

// Provenance is what every record needs besides its own content to be a fact.
type Provenance struct {
	Source   string
	Occurred time.Time
	Grade    Grade
	Edges    []Edge
	Bodies   []Body
	Whole    bool
}

// NewFact states attrs, a value that encodes as a JSON object, about subject.
// Edges are sorted and repeated ones dropped.
func NewFact(subject Ref, attrs any, p Provenance) (Fact, error) {
	raw, err := json.Marshal(attrs)
	if err != nil {
		return Fact{}, fmt.Errorf("stemma: attributes of %s: %w", subject, err)
	}
	f := Fact{
		Subject: subject, Kind: subject.Kind(), Attrs: raw, Edges: p.Edges,
		Occurred: p.Occurred.UTC().Truncate(time.Microsecond),
		Source:   p.Source, Grade: p.Grade, Bodies: p.Bodies, Whole: p.Whole,
	}
	f.Edges = slices.Clone(f.Edges)
	slices.SortFunc(f.Edges, compareEdges)
	f.Edges = slices.CompactFunc(f.Edges, func(a, b Edge) bool { return a.Door == b.Door && a.To == b.To })
	return f, f.Check()
}

func compareEdges(a, b Edge) int {
	return cmp.Or(cmp.Compare(a.Door, b.Door), cmp.Compare(a.To, b.To),
		cmp.Compare(a.Grade, b.Grade), cmp.Compare(a.Method, b.Method), cmp.Compare(a.Basis, b.Basis))
}

// Check returns an *InvalidError if f must not enter a ledger.
func (f Fact) Check() error {
	invalid := func(field, format string, args ...any) error {
		return &InvalidError{Ref: f.Subject, Field: field, Why: fmt.Sprintf(format, args...)}
	}
	if why := f.Subject.fault(); why != "" {
		return invalid("subject", "%s", why)
	}
	if f.Kind != f.Subject.Kind() {
		return invalid("kind", "%q about a subject of kind %q", f.Kind, f.Subject.Kind())
	}
	if !f.Grade.Valid() {
		return invalid("grade", "%q is not A, B, C or D", f.Grade)
	}
	if f.Source == "" {
		return invalid("source", "empty")
	}
	if y := f.Occurred.Year(); y < 0 || y > 9999 {
		return invalid("occurred", "year %d", y)
	}
	for i, e := range f.Edges {
		if why := e.To.fault(); why != "" {
			return invalid("edge "+e.Door, "%.200q: %s", string(e.To), why)
		}
		if e.Door == "" {
			return invalid("edge", "no door to %s", e.To)
		}
		if e.Grade != "" && !e.Grade.Valid() {
			return invalid("edge "+e.Door, "grade %q", e.Grade)
		}
		if i > 0 && compareEdges(f.Edges[i-1], e) >= 0 {
			return invalid("edges", "not in order at %s %s", e.Door, e.To)
		}
	}
	return nil
}

// canonicalFact is the signed form. Its version changes with any change of
// these fields or of the way they are written.
type canonicalFact struct {
	Attrs json.RawMessage `json:"attrs"`
	canonicalRest
}

// canonicalRest is what follows the attributes, in canonical order.
type canonicalRest struct {
	Bodies   []Body `json:"bodies"`
	Edges    []Edge `json:"edges"`
	Grade    Grade  `json:"grade"`
	Kind     Kind   `json:"kind"`
	Occurred string `json:"occurred"`
	Source   string `json:"source"`
	Subject  Ref    `json:"subject"`
	V        int    `json:"v"`
	Whole    bool   `json:"whole,omitempty"`
}

// The versions of the form. A whole fact has one of its own, so that a program
// that knows the first one only refuses it instead of keeping what it withdraws.
const (
	factVersion  = 1
	wholeVersion = 2
	timeFormat   = "2006-01-02T15:04:05.000000Z"
)

func versionOf(whole bool) int {
	if whole {
		return wholeVersion
	}
	return factVersion
}

// Canonical returns the bytes of f: RFC 8785 JSON, edges sorted, times in
// microseconds. Equal facts have equal bytes and different facts different ones.
func (f Fact) Canonical() ([]byte, error) {
	b, _, _, err := f.canonical()
	return b, err
}

// Settle returns the canonical bytes of f, and f as [DecodeFact] reads it from
// them, which costs far less than reading it.
func (f Fact) Settle() (Fact, []byte, error) {
	b, attrs, rest, err := f.canonical()
	if err != nil {
		return Fact{}, nil, err
	}
	c := canonicalFact{Attrs: attrs}
	if err := json.Unmarshal(rest, &c.canonicalRest); err != nil {
		return Fact{}, nil, fmt.Errorf("stemma: reading a fact: %w", err)
	}
	f, err = c.fact()
	return f, b, err
}

// canonical returns the bytes of f, where its attributes stand in them, and
// JSON of everything else.
func (f Fact) canonical() (b, attrs, rest []byte, err error) {
	if err := f.Check(); err != nil {
		return nil, nil, nil, err
	}
	invalid := func(err error) error { return &InvalidError{Ref: f.Subject, Field: "attrs", Why: err.Error()} }
	c := canonicalRest{
		V: versionOf(f.Whole), Subject: f.Subject, Kind: f.Kind, Edges: f.Edges,
		Occurred: f.Occurred.UTC().Format(timeFormat), Source: f.Source, Grade: f.Grade, Bodies: f.Bodies, Whole: f.Whole,
	}
	if c.Edges == nil {
		c.Edges = []Edge{}
	}
	if c.Bodies == nil {
		c.Bodies = []Body{}
	}
	if rest, err = json.Marshal(c); err != nil {
		return nil, nil, nil, invalid(err)
	}
	attrs = f.Attrs
	if len(attrs) == 0 {
		attrs = json.RawMessage("{}")
	}
	const first = `{"attrs":`
	b = append(make([]byte, 0, len(first)+len(attrs)+len(rest)), first...)
	if b, err = appendCanonical(b, attrs, 1); err != nil {
		return nil, nil, nil, invalid(err)
	}
	joint := len(b)
	if b, err = appendCanonical(b, rest, 0); err != nil {
		return nil, nil, nil, invalid(err)
	}
	b[joint] = ',' // where the rest has its opening brace
	return b, b[len(first):joint:joint], rest, nil
}

// ParseFact reads canonical bytes back. It refuses bytes that are not
// canonical, so that one fact never has two spellings.
func ParseFact(b []byte) (Fact, error) {
	f, err := DecodeFact(b)
	if err != nil {
		return Fact{}, err
	}
	again, err := f.Canonical()
	if err != nil {
		return Fact{}, err
	}
	if string(again) != string(b) {
		return Fact{}, &InvalidError{Ref: f.Subject, Field: "fact", Why: "not in canonical form"}
	}
	return f, nil
}

// DecodeFact reads bytes that are known to be canonical, such as those of a
// ledger that was verified. It skips the second encoding that ParseFact does.
func DecodeFact(b []byte) (Fact, error) {
	var c canonicalFact
	if err := json.Unmarshal(b, &c); err != nil {
		return Fact{}, fmt.Errorf("stemma: reading a fact: %w", err)
	}
	return c.fact()
}

func (c canonicalFact) fact() (Fact, error) {
	if want := versionOf(c.Whole); c.V != want {
		return Fact{}, &InvalidError{Ref: c.Subject, Field: "v", Why: fmt.Sprintf("version %d, this program reads %d", c.V, want)}
	}
	at, err := time.Parse(timeFormat, c.Occurred)
	if err != nil {
		return Fact{}, &InvalidError{Ref: c.Subject, Field: "occurred", Why: fmt.Sprintf("%.40q is not a time", c.Occurred)}
	}
	return Fact{
		Subject: c.Subject, Kind: c.Kind, Attrs: c.Attrs, Edges: c.Edges,
		Occurred: at, Source: c.Source, Grade: c.Grade, Bodies: c.Bodies, Whole: c.Whole,
	}, nil
}

// ID is the SHA-256 of canonical bytes. It serves to recognise the same fact
// arriving twice; it is not what the log commits to.
func ID(canonical []byte) Digest { return Sum(canonical) }
