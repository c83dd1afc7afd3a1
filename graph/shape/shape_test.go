package shape

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
)

// house has every type of column, a list, and names that are words of SQL.
var house = []stemma.KindSpec{
	{
		Kind: "task",
		Columns: []stemma.Column{
			{Name: "key", Type: stemma.Text, Index: true},
			{Name: "end", Type: stemma.Time},
			{Name: "order", Type: stemma.Int},
			{Name: "select", Type: stemma.Bool},
			{Name: "from", Type: stemma.Link, Index: true},
		},
	},
	{
		Kind: "piece",
		Lists: []stemma.List{
			{Name: "group", Columns: []stemma.Column{{Name: "end", Type: stemma.Int}, {Name: "path", Type: stemma.Text}}},
			{Name: "empty"},
		},
	},
	{Kind: "hand", Doors: []stemma.Door{{Name: "made", Flow: stemma.Down, To: []stemma.Kind{"task"}}}},
}

func TestUnsoundSpecsAreRefused(t *testing.T) {
	for name, specs := range map[string][]stemma.KindSpec{
		"kind twice":   {{Kind: "a"}, {Kind: "a"}},
		"kind":         {{Kind: `a"; DROP`}},
		"column":       {{Kind: "a", Columns: []stemma.Column{{Name: `x"y`, Type: stemma.Text}}}},
		"column id":    {{Kind: "a", Columns: []stemma.Column{{Name: "id", Type: stemma.Text}}}},
		"column twice": {{Kind: "a", Columns: []stemma.Column{{Name: "b", Type: stemma.Text}, {Name: "b", Type: stemma.Int}}}},
		"column type":  {{Kind: "a", Columns: []stemma.Column{{Name: "b", Type: "float"}}}},
		"list":         {{Kind: "a", Columns: []stemma.Column{{Name: "b", Type: stemma.Text}}, Lists: []stemma.List{{Name: "b"}}}},
		"door twice":   {{Kind: "a", Doors: []stemma.Door{{Name: "b"}, {Name: "b"}}}},
	} {
		if _, err := New(specs); err == nil {
			t.Errorf("%s: New took it", name)
		}
	}
}

func FuzzCheckerTakesOnlyWhatHasAPlace(f *testing.F) {
	f.Add([]byte(`{"key":"a","end":"2026-01-02T03:04:05.000006Z","order":1,"select":true,"from":"task:x/1"}`))
	f.Add([]byte(` { "key" : "\u0000\"}" , "order" : -1 } `))
	f.Add([]byte(`{"group":[{"end":1,"path":"]}"},{}],"empty":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := NewChecker(house)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range house {
			err := c.Check(stemma.Fact{Subject: stemma.NewRef(spec.Kind, "x"), Kind: spec.Kind, Attrs: raw})
			var object map[string]json.RawMessage
			if json.Unmarshal(raw, &object) != nil {
				if err == nil && len(raw) > 0 {
					t.Errorf("%q is no object, but was taken", raw)
				}
				continue
			}
			for name, value := range object {
				known := slices.ContainsFunc(spec.Columns, func(c stemma.Column) bool { return c.Name == name }) ||
					slices.ContainsFunc(spec.Lists, func(l stemma.List) bool { return l.Name == name })
				if !known && string(value) != "null" && err == nil {
					t.Errorf("%q: nothing said about %q", raw, name)
				}
			}
		}
	})
}

// FuzzCheckerTakesWhatTheGraphKeeps holds what is told without making rows against
// what is left out when they are made.
func FuzzCheckerTakesWhatTheGraphKeeps(f *testing.F) {
	for _, attrs := range []string{
		`{"key":"a","end":"2026-01-02T03:04:05.000006Z","order":1,"select":true,"from":"task:x/1"}`,
		`{"key":null,"nothing":null,"order":1.5}`,
		`{"group":[{"end":1,"path":"]}"},{"none":null},{"none":1},{"end":null}],"empty":[]}`,
		`{"group":[{"end":"1"}]}`, `{"group":[[]]}`, `{"group":{}}`, `[]`, ``, `null`,
		`{"from":"no ref"}`, `{"k\u0065y":"a","end":""}`,
		`{"key":"` + strings.Repeat("a", maxIndexed) + `"}`,
		`{"key":"` + strings.Repeat("a", maxIndexed+1) + `"}`,
		`{"key":"` + strings.Repeat("\xff", maxIndexed/2) + `"}`,
	} {
		f.Add([]byte(attrs), "task:x/1")
	}
	s, err := New(house)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte, to string) {
		if len(raw) > 0 && !json.Valid(raw) {
			return
		}
		for _, spec := range house {
			fact := stemma.Fact{Subject: stemma.NewRef(spec.Kind, "x"), Kind: spec.Kind, Attrs: raw, Grade: stemma.GradeA}
			for _, edges := range [][]stemma.Edge{nil, {{Door: "made", To: stemma.Ref(to)}}, {{Door: "none", To: stemma.Ref(to)}}} {
				fact.Edges = edges
				b := NewBatch(s)
				b.Add(0, fact)
				if kept := len(b.Skips) == 0; kept != s.holds(fact) {
					t.Errorf("%s with %v of a %s: holds is %v, left out is %v", raw, edges, spec.Kind, !kept, b.Skips)
				}
			}
		}
	})
}
