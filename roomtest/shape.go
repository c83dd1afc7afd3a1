// Package roomtest checks what every room must hold: that its records are the
// shape it declares, and that a record comes back from its fact as it was.
//
// Only tests import it.
package roomtest

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
)

// A Stated is a record that can be stated as a fact.
type Stated interface {
	stemma.Record
	Fact(source string, grade stemma.Grade) (stemma.Fact, error)
}

// A Shape is one type of record with its way back and at least one example.
type Shape struct {
	kind     stemma.Kind
	examples []Stated
	back     func(stemma.Fact) (Stated, error)
}

// Of makes a Shape. The examples should fill every field, so that fuzzing
// starts from there.
func Of[R Stated](back func(stemma.Fact) (R, error), example R, more ...R) Shape {
	s := Shape{
		kind: example.Ref().Kind(), examples: []Stated{example},
		back: func(f stemma.Fact) (Stated, error) { return back(f) },
	}
	for _, r := range more {
		s.examples = append(s.examples, r)
	}
	return s
}

// Check fails t unless there is one Shape for every kind of the room, the JSON
// tags of each are the declared columns and lists, name for name and in order,
// every door has its field and every field its place, and every example comes
// back from its fact.
func Check(t *testing.T, room stemma.Room, shapes ...Shape) {
	t.Helper()
	for _, spec := range room.Kinds {
		i := slices.IndexFunc(shapes, func(s Shape) bool { return s.kind == spec.Kind })
		if i < 0 {
			t.Errorf("%s: no record of kind %s", room.Name, spec.Kind)
			continue
		}
		typ := reflect.TypeOf(shapes[i].examples[0])
		checkSpec(t, spec, typ)
		everyField(spec, typ)
	}
	if len(shapes) != len(room.Kinds) {
		t.Errorf("%s declares %d kinds, has %d records", room.Name, len(room.Kinds), len(shapes))
	}
	for _, s := range shapes {
		for i, r := range s.examples {
			if f, ok := roundTrip(t, s, r); !ok {
				t.Errorf("example %s was refused", r.Ref())
			} else if len(f.Edges) == 0 && len(mustSpec(t, room, s.kind).Doors) > 0 && i == 0 {
				t.Errorf("first example of %s opens no door", s.kind)
			}
		}
	}
}

func mustSpec(t testing.TB, room stemma.Room, kind stemma.Kind) stemma.KindSpec {
	t.Helper()
	spec, ok := room.Spec(kind)
	if !ok {
		t.Fatalf("%s keeps no %s", room.Name, kind)
	}
	return spec
}

func checkSpec(t *testing.T, spec stemma.KindSpec, typ reflect.Type) {
	t.Helper()
	if spec.Doc == "" {
		t.Errorf("%s has no Doc", spec.Kind)
	}
	checkColumns(t, string(spec.Kind), spec.Columns, typ)
	var lists []string
	doors := map[string]int{}
	for _, f := range fields(typ) {
		if f.list() {
			lists = append(lists, f.name)
		}
		if f.name == "" && f.door == "" && f.role == "" {
			t.Errorf("%s: field %s would be lost", spec.Kind, f.goName)
		}
		countDoors(doors, f)
	}
	var declared []string
	for _, l := range spec.Lists {
		declared = append(declared, l.Name)
		if l.Doc == "" {
			t.Errorf("%s: list %s has no Doc", spec.Kind, l.Name)
		}
		for _, f := range fields(typ) {
			if f.list() && f.name == l.Name {
				checkColumns(t, string(spec.Kind)+"."+l.Name, l.Columns, f.typ.Elem())
			}
		}
	}
	if !slices.Equal(lists, declared) {
		t.Errorf("%s: the record has lists %q, the room declares %q", spec.Kind, lists, declared)
	}
	for _, f := range fields(typ) {
		if f.name == "" && f.door != "" && doors[f.door] > 1 {
			t.Errorf("%s: field %s is not alone behind door %s, so it would come back with the edges of others", spec.Kind, f.goName, f.door)
		}
	}
	for _, d := range spec.Doors {
		if d.Doc == "" || len(d.To) == 0 {
			t.Errorf("%s: door %s has no Doc or leads nowhere", spec.Kind, d.Name)
		}
		if doors[d.Name] == 0 {
			t.Errorf("%s: no field opens door %s", spec.Kind, d.Name)
		}
		delete(doors, d.Name)
	}
	for d := range doors {
		t.Errorf("%s: door %s of the record is not declared", spec.Kind, d)
	}
}

// countDoors counts the fields behind every door.
func countDoors(doors map[string]int, f field) {
	if f.door != "" {
		doors[f.door]++
	}
	if f.list() {
		for _, inner := range fields(f.typ.Elem()) {
			countDoors(doors, inner)
		}
	}
}

func checkColumns(t *testing.T, of string, columns []stemma.Column, typ reflect.Type) {
	t.Helper()
	var got, want []string
	for _, f := range fields(typ) {
		if f.name != "" && !f.list() {
			got = append(got, f.name+" "+string(columnType(f.typ)))
		}
	}
	for _, c := range columns {
		want = append(want, c.Name+" "+string(c.Type))
		if c.Doc == "" {
			t.Errorf("%s: column %s has no Doc", of, c.Name)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: the record has columns\n%s\nthe room declares\n%s", of, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func columnType(t reflect.Type) stemma.ColumnType {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[stemma.Ref]():
		return stemma.Link
	case t == reflect.TypeFor[stemma.Moment]():
		return stemma.Time
	case t.Kind() == reflect.String:
		return stemma.Text
	case t.Kind() == reflect.Bool:
		return stemma.Bool
	case t.Kind() == reflect.Int || t.Kind() == reflect.Int64:
		return stemma.Int
	}
	return "?"
}

// A field is one field of a record, promoted ones included.
type field struct {
	goName, name, door, role, words string
	index                           []int
	typ                             reflect.Type
	optional                        bool
}

func (f field) list() bool { return f.name != "" && f.typ.Kind() == reflect.Slice }

func fields(t reflect.Type) []field {
	var list []field
	for _, sf := range reflect.VisibleFields(t) {
		if sf.Anonymous {
			continue
		}
		name, options, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if name == "-" {
			name = ""
		}
		list = append(list, field{
			goName: sf.Name, name: name, index: sf.Index, typ: sf.Type,
			door: sf.Tag.Get("door"), role: sf.Tag.Get("fact"), words: sf.Tag.Get("of"),
			optional: strings.HasPrefix(options, "omit"),
		})
	}
	return list
}
