package roomtest

import (
	"cmp"
	"encoding/binary"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
)

// FuzzRoundTrip changes the examples at random, hostile bytes included, and
// fails unless each record either is refused with an *stemma.InvalidError or
// comes back from the canonical bytes of its fact exactly as it was.
func FuzzRoundTrip(f *testing.F, room stemma.Room, shapes ...Shape) {
	for i, s := range shapes {
		for j := range s.examples {
			f.Add(uint8(i), uint8(j), []byte{})
			f.Add(uint8(i), uint8(j), []byte("\xff\x03abc\x00\xf0\x02\xff\xfe\xff\x01\x80\xff\x05naïve\xff"))
			f.Add(uint8(i), uint8(j), []byte(strings.Repeat("\xe0\x04\"\\\n\x00\xd0\x07", 40)))
			f.Add(uint8(i), uint8(j), []byte(strings.Repeat("\xc1\x02a\x20", 100)))
		}
	}
	f.Fuzz(func(t *testing.T, shape, example uint8, noise []byte) {
		s := shapes[int(shape)%len(shapes)]
		r := s.examples[int(example)%len(s.examples)]
		changed := reflect.New(reflect.TypeOf(r)).Elem()
		changed.Set(clone(reflect.ValueOf(r)))
		(&mutator{spec: mustSpec(t, room, s.kind), noise: noise}).object(changed)
		roundTrip(t, s, changed.Interface().(Stated))
	})
}

// roundTrip states r and reads it back. It reports false if r was refused.
func roundTrip(t *testing.T, s Shape, r Stated) (stemma.Fact, bool) {
	t.Helper()
	f, err := r.Fact("test", stemma.GradeD)
	if err != nil {
		var invalid *stemma.InvalidError
		if !errors.As(err, &invalid) {
			t.Fatalf("%#v is refused with %v, not an *InvalidError", r, err)
		}
		return stemma.Fact{}, false
	}
	b, err := f.Canonical()
	if err != nil {
		t.Fatalf("%#v became a fact without canonical bytes: %v", r, err)
	}
	again, err := stemma.ParseFact(b)
	if err != nil {
		t.Fatalf("%s does not come back: %v", b, err)
	}
	got, err := s.back(again)
	if err != nil {
		t.Fatalf("%s gives no record: %v", b, err)
	}
	if want := normal(r); !reflect.DeepEqual(got, want) {
		t.Fatalf("the record changed on its way through\n%s\n%s", b, gocmp.Diff(want, got))
	}
	return f, true
}

// normal returns r with what is a set sorted and without repeats, and without
// the difference between no list and an empty one where a list must be given.
func normal(r Stated) Stated {
	v := reflect.New(reflect.TypeOf(r)).Elem()
	v.Set(clone(reflect.ValueOf(r)))
	for _, f := range fields(v.Type()) {
		fv, err := v.FieldByIndexErr(f.index)
		if err != nil {
			continue
		}
		switch set := fv.Addr().Interface().(type) {
		case *[]stemma.Ref:
			slices.Sort(*set)
			*set = slices.Compact(*set)
		case *[]stemma.Edge:
			slices.SortFunc(*set, func(a, b stemma.Edge) int {
				return cmp.Or(cmp.Compare(a.To, b.To), cmp.Compare(a.Grade, b.Grade), cmp.Compare(a.Method, b.Method), cmp.Compare(a.Basis, b.Basis))
			})
			*set = slices.CompactFunc(*set, func(a, b stemma.Edge) bool { return a.To == b.To })
		}
		if fv.Kind() == reflect.Slice && fv.Len() == 0 && (f.name == "" || !f.optional) {
			fv.SetZero()
		}
	}
	return v.Interface().(Stated)
}

// clone copies slices and pointers, so that a change does not reach the example.
func clone(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			c.Field(i).Set(clone(v.Field(i)))
		}
	case reflect.Slice:
		if !v.IsNil() {
			c.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				c.Index(i).Set(clone(v.Index(i)))
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			c.Set(reflect.New(v.Type().Elem()))
			c.Elem().Set(clone(v.Elem()))
		}
	}
	return c
}

// A mutator spends noise on changing a record. When the noise is used up the
// rest stays as it is.
type mutator struct {
	spec  stemma.KindSpec
	noise []byte
}

func (m *mutator) byte() byte {
	if len(m.noise) == 0 {
		return 0
	}
	b := m.noise[0]
	m.noise = m.noise[1:]
	return b
}

func (m *mutator) bytes(n int) []byte {
	n = min(n, len(m.noise))
	b := m.noise[:n]
	m.noise = m.noise[n:]
	return b
}

func (m *mutator) object(v reflect.Value) {
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.Anonymous && f.Type.Kind() == reflect.Pointer && m.byte() >= 128 {
			v.Field(i).Set(reflect.New(f.Type.Elem()))
		}
	}
	for _, f := range fields(v.Type()) {
		fv, err := v.FieldByIndexErr(f.index)
		if err != nil || m.byte() < 192 {
			continue
		}
		m.field(f, fv)
	}
}

// everyField changes each field of a new record, and of an element of each of its
// lists, so that a type that the mutator does not know is found without luck.
func everyField(spec stemma.KindSpec, typ reflect.Type) {
	for _, f := range fields(typ) {
		noise := append([]byte{2}, strings.Repeat("\xff", 4096)...) // 2: a list gets an element
		(&mutator{spec: spec, noise: noise}).field(f, reflect.New(f.typ).Elem())
	}
}

func (m *mutator) field(f field, v reflect.Value) {
	switch to := v.Addr().Interface().(type) {
	case *stemma.Ref:
		*to = m.ref(f.door)
	case *stemma.Moment:
		*to = stemma.Moment(m.number())
	case *[]stemma.Ref:
		*to = append(*to, m.ref(f.door))
	case *[]stemma.Edge:
		*to = append(*to, stemma.Edge{
			To: m.ref(f.door), Grade: stemma.Grade(m.word("A B C D")),
			Basis: stemma.Basis(m.text()), Method: m.text(),
		})
	case *[]stemma.Body:
		*to = append(*to, stemma.Body{Name: m.text(), Media: m.text(), Digest: stemma.Sum(m.bytes(2)), Size: m.number()})
	case *string:
		*to = m.text()
		if f.words != "" {
			*to = m.word(f.words)
		}
	case *int:
		*to = int(m.number())
	case *bool:
		*to = !*to
	case **bool:
		b := m.byte()&1 == 0
		*to = &b
	case **int:
		n := int(m.number())
		*to = &n
	default:
		m.list(v)
	}
}

func (m *mutator) list(v reflect.Value) {
	switch m.byte() % 4 {
	case 0:
		v.SetZero()
	case 1:
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	case 2:
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		m.object(v.Index(v.Len() - 1))
	default:
		for i := range v.Len() {
			m.object(v.Index(i))
		}
	}
}

func (m *mutator) text() string { return string(m.bytes(int(m.byte() % 16))) }

// word is one of the words, none of them, or something else altogether.
func (m *mutator) word(words string) string {
	list := append(strings.Fields(words), "")
	b := int(m.byte())
	if b >= 240 {
		return m.text()
	}
	return list[b%len(list)]
}

func (m *mutator) number() int64 {
	switch b := m.byte(); {
	case b < 160:
		return int64(b)
	case b < 240:
		return int64(binary.BigEndian.Uint64(append(make([]byte, 3), append(m.bytes(5), 0, 0, 0, 0, 0)...)))
	default:
		return int64(binary.BigEndian.Uint64(append(m.bytes(8), 0, 0, 0, 0, 0, 0, 0, 0)))
	}
}

// ref is a sound one of a kind that the door leads to, or now and then not.
func (m *mutator) ref(door string) stemma.Ref {
	b := m.byte()
	if b >= 240 {
		return stemma.Ref(m.text())
	}
	kind := stemma.KindCommit
	for _, d := range m.spec.Doors {
		if d.Name == door {
			kind = d.To[int(b)%len(d.To)]
		}
	}
	return stemma.NewRef(kind, m.text(), m.text())
}
