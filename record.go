package stemma

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// A Record is what a room keeps about one thing: a struct whose JSON tags are
// the columns and lists of its kind, name for name. [State] makes a fact of it
// and [Recall] a record of the fact again. Further tags say what is not a column:
//
//	door:"author"     the field (Ref, []Ref or []Edge) also is an edge; an Edge
//	                  there leaves its Door empty. With json:"-" it is only an edge.
//	fact:"occurred"   the Moment is the time of the fact
//	fact:"subject"    the Ref is the subject, where the columns do not spell it
//	fact:"bodies"     the []Body are those of the fact
//	fact:"authority"  the text begins the key of the subject, so it holds no slash
//	of:"ai human"     the words the text may be; empty is allowed
//
// A text or link without omitempty must be given. What is behind a door is a
// set: its order is not kept. A nil list marked omitzero says nothing, an empty
// one says that there are none.
type Record interface {
	// Ref names what the record is about.
	Ref() Ref
}

// How much one attribute may hold.
const (
	MaxText    = 256 << 10 // bytes of a text
	MaxIndexed = 1024      // bytes of a text that has an index
	maxInt     = 1 << 53   // what every JSON reader can hold
)

// Spec returns the declaration of a kind that r keeps.
func (r Room) Spec(kind Kind) (KindSpec, bool) {
	i := slices.IndexFunc(r.Kinds, func(s KindSpec) bool { return s.Kind == kind })
	if i < 0 {
		return KindSpec{}, false
	}
	return r.Kinds[i], true
}

// State makes a fact of r. It refuses with an *InvalidError what the room does
// not declare and what could not be read back as it was: text that is not
// valid UTF-8 or too long, a crooked ref, a negative count, a door to a wrong kind.
func State(room Room, r Record, source string, grade Grade) (Fact, error) {
	s := statement{subject: r.Ref()}
	if why := s.subject.fault(); why != "" {
		return Fact{}, s.invalid("subject", "%s", why)
	}
	spec, ok := room.Spec(s.subject.Kind())
	if !ok {
		return Fact{}, s.invalid("kind", "not kept by %s", room.Name)
	}
	s.spec = spec
	s.p = Provenance{Source: source, Grade: grade}
	if err := s.object(reflect.ValueOf(r), spec.Columns, spec.Lists); err != nil {
		return Fact{}, err
	}
	return NewFact(s.subject, r, s.p)
}

// Recall reads a record back from its fact. It refuses a fact of another kind,
// attributes of a wrong type, and a subject that the attributes do not spell.
func Recall[R Record](room Room, f Fact) (R, error) {
	var r, none R
	s := statement{subject: f.Subject}
	if _, ok := room.Spec(f.Kind); !ok || f.Kind != f.Subject.Kind() {
		return none, s.invalid("kind", "%q is not kept by %s", f.Kind, room.Name)
	}
	if len(f.Attrs) > 0 {
		if err := json.Unmarshal(f.Attrs, &r); err != nil {
			return none, s.invalid("attrs", "%v", err)
		}
	}
	v := reflect.ValueOf(&r).Elem()
	for _, m := range members(v.Type()) {
		if m.name == "" {
			m.restore(v.FieldByIndex(m.index), f)
		}
	}
	if got := r.Ref(); got != f.Subject {
		return none, s.invalid("subject", "the attributes spell %.200q", string(got))
	}
	return r, nil
}

// A member is one field of a record or of a list's item.
type member struct {
	index    []int
	name     string // of the attribute; empty if it is none
	door     string
	role     string
	words    []string
	optional bool
	pointer  bool // to what form says
	form     form
}

// A form is how a field holds what it says.
type form int

const (
	formOther form = iota
	formText
	formCount
	formMoment
	formRef
	formRefs
	formEdges
)

var forms = map[reflect.Type]form{
	reflect.TypeFor[Moment](): formMoment, reflect.TypeFor[Ref](): formRef,
	reflect.TypeFor[[]Ref](): formRefs, reflect.TypeFor[[]Edge](): formEdges,
}

func formOf(t reflect.Type) form {
	switch f, ok := forms[t]; {
	case ok:
		return f
	case t.Kind() == reflect.String:
		return formText
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64:
		return formCount
	}
	return formOther
}

// layouts remembers the members of types, which never change: the tags are in
// the program. It is copied to grow, since there are few types and many readers.
var layouts atomic.Pointer[map[reflect.Type][]member]

// members returns the members of a record or of a list's item, not to be changed.
func members(t reflect.Type) []member {
	known := layouts.Load()
	if known != nil {
		if list, ok := (*known)[t]; ok {
			return list
		}
	}
	list := readMembers(t)
	for {
		grown := map[reflect.Type][]member{t: list}
		if known != nil {
			maps.Copy(grown, *known)
		}
		if layouts.CompareAndSwap(known, &grown) {
			return list
		}
		known = layouts.Load()
	}
}

func readMembers(t reflect.Type) []member {
	var list []member
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous || !f.IsExported() {
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		m := member{
			index: f.Index, name: name,
			door: f.Tag.Get("door"), role: f.Tag.Get("fact"), words: strings.Fields(f.Tag.Get("of")),
			optional: strings.HasPrefix(options, "omit"), pointer: f.Type.Kind() == reflect.Pointer,
		}
		if name == "-" {
			m.name = ""
		}
		if m.pointer {
			m.form = formOf(f.Type.Elem())
		} else {
			m.form = formOf(f.Type)
		}
		list = append(list, m)
	}
	return list
}

// restore sets a field that is no attribute from the rest of the fact.
func (m member) restore(v reflect.Value, f Fact) {
	switch m.role {
	case "subject":
		v.SetString(string(f.Subject))
	case "occurred":
		v.SetInt(int64(At(f.Occurred)))
	case "bodies":
		if len(f.Bodies) > 0 { // none is nil, however the fact was read
			v.Set(reflect.ValueOf(f.Bodies))
		}
	}
	if m.door == "" {
		return
	}
	for _, e := range f.Edges {
		if e.Door != m.door {
			continue
		}
		switch to := v.Addr().Interface().(type) {
		case *Ref:
			*to = e.To
		case *[]Ref:
			*to = append(*to, e.To)
		case *[]Edge:
			e.Door = ""
			*to = append(*to, e)
		}
	}
}

// A statement is a record on its way to a fact.
type statement struct {
	subject Ref
	spec    KindSpec
	p       Provenance
}

func (s *statement) invalid(field, format string, args ...any) error {
	return &InvalidError{Ref: s.subject, Field: field, Why: fmt.Sprintf(format, args...)}
}

// object checks a record, or one item of a list, and gathers its edges.
func (s *statement) object(v reflect.Value, columns []Column, lists []List) error {
	return s.fields(v, members(v.Type()), columns, lists)
}

func (s *statement) fields(v reflect.Value, ms []member, columns []Column, lists []List) error {
	at := 0 // most records name their columns in the order of the declaration
	for i := range ms {
		m := &ms[i]
		field, err := v.FieldByIndexErr(m.index)
		if err != nil {
			continue // in a part that the record leaves out
		}
		if err := s.role(m, field); err != nil {
			return err
		}
		if m.door != "" {
			if err := s.edges(m, field); err != nil {
				return err
			}
		}
		if m.name == "" {
			continue
		}
		if column, ok := columnNamed(columns, m.name, at); ok {
			at = column + 1
			if err := s.value(m, field, columns[column].Index); err != nil {
				return err
			}
			continue
		}
		list := slices.IndexFunc(lists, func(l List) bool { return l.Name == m.name })
		if list < 0 {
			return s.invalid(m.name, "not declared by the room")
		}
		inner := members(field.Type().Elem())
		for j := range field.Len() {
			if err := s.fields(field.Index(j), inner, lists[list].Columns, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// columnNamed finds a column, beginning where it is expected.
func columnNamed(columns []Column, name string, expected int) (int, bool) {
	for i := expected; i < len(columns); i++ {
		if columns[i].Name == name {
			return i, true
		}
	}
	for i := range min(expected, len(columns)) {
		if columns[i].Name == name {
			return i, true
		}
	}
	return 0, false
}

func (s *statement) role(m *member, v reflect.Value) error {
	switch m.role {
	case "occurred":
		at := Moment(v.Int())
		if !at.Valid() {
			return s.invalid("occurred", "not between the years 0 and 9999")
		}
		s.p.Occurred = at.Time()
	case "bodies":
		s.p.Bodies = v.Interface().([]Body)
		for _, b := range s.p.Bodies {
			if !utf8.ValidString(b.Name) || !utf8.ValidString(b.Media) || b.Size < 0 || b.Size > maxInt {
				return s.invalid("body", "%.60q is not sound", b.Name)
			}
		}
	}
	return nil
}

// edges gathers what a field says is behind a door.
func (s *statement) edges(m *member, v reflect.Value) error {
	switch {
	case m.pointer:
	case m.form == formRef:
		if to := v.String(); to != "" {
			return s.edge(Edge{Door: m.door, To: Ref(to)})
		}
	case v.Kind() == reflect.Slice && v.Len() == 0:
	case m.form == formRefs:
		for _, to := range v.Interface().([]Ref) {
			if err := s.edge(Edge{Door: m.door, To: to}); err != nil {
				return err
			}
		}
	case m.form == formEdges:
		for _, e := range v.Interface().([]Edge) {
			if e.Door != "" {
				return s.invalid(m.door, "an edge of a record leaves its door empty, not %.60q", e.Door)
			}
			e.Door = m.door
			if err := s.edge(e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *statement) edge(e Edge) error {
	i := slices.IndexFunc(s.spec.Doors, func(d Door) bool { return d.Name == e.Door })
	if i < 0 {
		return s.invalid(e.Door, "not a door of %s", s.spec.Kind)
	}
	if !slices.Contains(s.spec.Doors[i].To, e.To.Kind()) {
		return s.invalid(e.Door, "does not lead to %.200q", string(e.To))
	}
	if why := e.To.fault(); why != "" {
		return s.invalid(e.Door, "%.200q: %s", string(e.To), why)
	}
	if !utf8.ValidString(string(e.Basis)) || !utf8.ValidString(e.Method) {
		return s.invalid(e.Door, "basis or method is not valid UTF-8")
	}
	s.p.Edges = append(s.p.Edges, e)
	return nil
}

// value checks one column.
func (s *statement) value(m *member, v reflect.Value, indexed bool) error {
	if m.pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	switch m.form {
	case formMoment:
		if !Moment(v.Int()).Valid() {
			return s.invalid(m.name, "not between the years 0 and 9999")
		}
		return nil
	case formCount:
		if n := v.Int(); n < 0 || n > maxInt {
			return s.invalid(m.name, "%d is not a count", n)
		}
		return nil
	case formText, formRef:
		return s.text(m, v.String(), indexed)
	}
	return nil
}

// text checks a text or a link.
func (s *statement) text(m *member, text string, indexed bool) error {
	if text == "" {
		if !m.optional {
			return s.invalid(m.name, "empty")
		}
		return nil
	}
	if m.form == formRef {
		if why := Ref(text).fault(); why != "" {
			return s.invalid(m.name, "%.200q: %s", text, why)
		}
		return nil
	}
	switch {
	case !utf8.ValidString(text):
		return s.invalid(m.name, "not valid UTF-8")
	case strings.IndexByte(text, 0) >= 0:
		return s.invalid(m.name, "holds a NUL, which no database keeps")
	case len(text) > MaxText || indexed && len(text) > MaxIndexed:
		return s.invalid(m.name, "%d bytes are too long", len(text))
	case m.role == "authority" && strings.Contains(text, "/"):
		return s.invalid(m.name, "%.60q holds a slash", text)
	case len(m.words) > 0 && !slices.Contains(m.words, text):
		return s.invalid(m.name, "%.60q is none of: %s", text, strings.Join(m.words, " "))
	}
	return nil
}

// CleanText makes text of any origin fit for an attribute: valid UTF-8, no
// NUL, and at most limit bytes (3 or more), cut at a character and marked with
// an ellipsis. It keeps line breaks and other control characters; who shows
// the text escapes them.
func CleanText(s string, limit int) string {
	const ellipsis = "…"
	long := len(s) > limit
	if long {
		s = s[:limit]
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	if !long && len(s) <= limit {
		return s
	}
	keep := min(len(s), max(limit-len(ellipsis), 0))
	for keep < len(s) && keep > 0 && !utf8.RuneStart(s[keep]) {
		keep--
	}
	return s[:keep] + ellipsis
}

// A Moment is a time as facts keep it: microseconds since 1970 in UTC. Zero
// means that no time is known; a clock that shows exactly the first moment of
// 1970 was never set.
type Moment int64

// The first and the last moment that RFC 3339 can write.
const (
	firstMoment Moment = -62167219200_000000
	lastMoment  Moment = 253402300799_999999
)

// At returns t as a Moment, cut to microseconds. The zero time is the zero
// Moment; a time outside the years 0 to 9999 is an invalid one.
func At(t time.Time) Moment {
	if t.IsZero() {
		return 0
	}
	if y := t.UTC().Year(); y < 0 || y > 9999 {
		return math.MaxInt64
	}
	return Moment(t.UnixMicro())
}

// Valid reports whether m can be written.
func (m Moment) Valid() bool { return firstMoment <= m && m <= lastMoment }

// Time returns m in UTC; the zero Moment is the zero time.
func (m Moment) Time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(m)).UTC()
}

// String is m in RFC 3339 with microseconds, or nothing if no time is known.
func (m Moment) String() string {
	if m == 0 {
		return ""
	}
	return m.Time().Format(timeFormat)
}

// MarshalText writes the form of a fact.
func (m Moment) MarshalText() ([]byte, error) {
	if !m.Valid() {
		return nil, fmt.Errorf("stemma: moment %d is not between the years 0 and 9999", int64(m))
	}
	return []byte(m.String()), nil
}

// UnmarshalText reads exactly what MarshalText writes.
func (m *Moment) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*m = 0
		return nil
	}
	t, err := time.Parse(timeFormat, string(b))
	if err != nil {
		return fmt.Errorf("stemma: %.40q is not a time", b)
	}
	*m = At(t)
	return nil
}
