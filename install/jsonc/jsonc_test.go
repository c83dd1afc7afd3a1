package jsonc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type hook struct {
	Command string `json:"command"`
}

var (
	ours = hook{"a && b || true"}
	path = []string{"hooks", "Stop"}
)

func TestPiecesAreInsertedWhereAPersonWouldPutThem(t *testing.T) {
	for name, c := range map[string]struct{ before, after string }{
		"nothing": {"", "{\n  \"hooks\": {\n    \"Stop\": [\n      {\n        \"command\": \"a && b || true\"\n      }\n    ]\n  }\n}\n"},
		"blank":   {"\n", "{\n  \"hooks\": {\n    \"Stop\": [\n      {\n        \"command\": \"a && b || true\"\n      }\n    ]\n  }\n}\n"},
		"tabs and a comment behind the last member": {
			"{\n\t\"a\": 1 // one\n}\n",
			"{\n\t\"a\": 1, // one\n\t\"hooks\": {\n\t\t\"Stop\": [\n\t\t\t{\n\t\t\t\t\"command\": \"a && b || true\"\n\t\t\t}\n\t\t]\n\t}\n}\n",
		},
		"a comma behind the last member": {
			"{\n  \"hooks\": {\n    \"Stop\": [\n      {\"command\": \"x\"}, /* theirs */\n    ],\n  },\n}",
			"{\n  \"hooks\": {\n    \"Stop\": [\n      {\"command\": \"x\"}, /* theirs */\n      {\n        \"command\": \"a && b || true\"\n      },\n    ],\n  },\n}",
		},
		"all in one line": {`{"a":{"b":[1,2]}}`, `{"a":{"b":[1,2]},"hooks":{"Stop":[{"command":"a && b || true"}]}}`},
		"an empty list":   {`{"hooks":{"Stop":[]}}`, `{"hooks":{"Stop":[{"command":"a && b || true"}]}}`},
		"line ends of Windows, and a mark": {
			"\ufeff{\r\n    \"hooks\": {}\r\n}\r\n",
			"\ufeff{\r\n    \"hooks\": {\r\n        \"Stop\": [\r\n            {\r\n                \"command\": \"a && b || true\"\r\n            }\r\n        ]\r\n    }\r\n}\r\n",
		},
		"only a comment inside": {
			"{\n  // nothing yet\n}\n",
			"{\n  \"hooks\": {\n    \"Stop\": [\n      {\n        \"command\": \"a && b || true\"\n      }\n    ]\n  }\n  // nothing yet\n}\n",
		},
	} {
		text, err := Open([]byte(c.before))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := text.Append(path, ours); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.after, string(text.Bytes())); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
		holds(t, []byte(c.before))
	}
}

func TestWhatIsNoDocumentIsRefusedWithItsPlace(t *testing.T) {
	for src, at := range map[string]string{
		"{\n  \"a\": 1\n  \"b\": 2\n}": "line 3, column 3: a comma is missing",
		"{\"a\" 1}":                    "line 1, column 6: a colon is missing",
		"{a: 1}":                       "line 1, column 2: a name in quotes is missing",
		"[1, 2":                        "line 1, column 6: ] is missing",
		"{} x":                         "line 1, column 4: something behind the end",
		"/* x":                         "line 1, column 1: a comment without an end",
		"\"a\nb\"":                     "line 1, column 1: a text that JSON does not allow",
		"[nul]":                        "line 1, column 2: no value of JSON",
		strings.Repeat("[", 300):       "line 1, column 202: values too deep in each other",
	} {
		_, err := Open([]byte(src))
		var bad *SyntaxError
		if !errors.As(err, &bad) || err.Error() != at {
			t.Errorf("Open(%.20q) = %v, want %s", src, err, at)
		}
	}
}

func TestWhatIsInTheWayIsNotReplaced(t *testing.T) {
	for src, want := range map[string]string{
		`{"hooks": 1}`:                        "hooks is no object",
		`{"hooks": {"Stop": {}}}`:             "hooks.Stop is no list",
		`{"hooks": {}, "hooks": {"Stop":[]}}`: "hooks is there twice",
		`[]`:                                  "it is no object",
	} {
		text, err := Open([]byte(src))
		if err != nil {
			t.Fatal(err)
		}
		if err := text.Append(path, ours); err == nil || err.Error() != want {
			t.Errorf("Append to %s: %v, want %s", src, err, want)
		}
		if string(text.Bytes()) != src {
			t.Errorf("%s has become %s", src, text.Bytes())
		}
	}
}

func TestOursIsTakenOutOfAChangedDocument(t *testing.T) {
	for name, c := range map[string]struct{ src, want string }{
		"first":      {"{\"hooks\": {\"Stop\": [\n  {\"command\": \"a && b || true\"},\n  {\"command\": \"x\"} // theirs\n]}}", "{\"hooks\": {\"Stop\": [\n  {\"command\": \"x\"} // theirs\n]}}"},
		"last":       {"{\"hooks\": {\"Stop\": [\n  {\"command\": \"x\"}, // theirs\n  {\"command\": \"a && b || true\"}\n]}}", "{\"hooks\": {\"Stop\": [\n  {\"command\": \"x\"} // theirs\n]}}"},
		"only":       {"{\"hooks\": {\"Stop\": [\n  {\"command\": \"a && b || true\"},\n]}}", "{\"hooks\": {\"Stop\": [\n]}}"},
		"behind //":  {"{\"hooks\": {\"Stop\": [ // why\n{\"command\": \"a && b || true\"}]}}", "{\"hooks\": {\"Stop\": [ // why\n]}}"},
		"rearranged": {"{\"hooks\": {\"Stop\": [{ /* x */ \"command\" : \"a \\u0026& b || true\", }]}}", "{\"hooks\": {\"Stop\": []}}"},
	} {
		text, err := Open([]byte(c.src))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !text.Take(path, ours) || text.Take(path, ours) {
			t.Errorf("%s: not taken once", name)
		}
		if diff := cmp.Diff(c.want, string(text.Bytes())); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
}

func TestEmptyMembersAreTakenAway(t *testing.T) {
	text, err := Open([]byte("{\n  \"version\": 1,\n  \"hooks\": {\n    \"Stop\": [\n    ]\n  }\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if text.TakeEmpty([]string{"hooks"}) || !text.TakeEmpty(path) || !text.TakeEmpty([]string{"hooks"}) ||
		text.TakeValue([]string{"version"}, 2) || !text.TakeValue([]string{"version"}, 1) || !text.Empty() {
		t.Errorf("left is %q", text.Bytes())
	}
}

// holds checks what must hold of every document: a change parses, says what it
// said before and ours once, is made once only, and can be undone.
func holds(t *testing.T, src []byte) {
	t.Helper()
	text, err := Open(src)
	if err != nil {
		return
	}
	if text.Append(path, ours) != nil || text.Set([]string{"version"}, 1) != nil || text.Append(path, hook{"other"}) != nil {
		return // something else is in the way
	}
	after := bytes.Clone(text.Bytes())
	if !text.Has(path, ours) || !text.Has(path, hook{"other"}) {
		t.Fatalf("ours is not in %q", after)
	}
	back, ok := Undo(after, text.Insertions())
	if !ok || !bytes.Equal(back, src) {
		t.Fatalf("undone it is %q, was %q", back, src)
	}
	again, err := Open(after)
	if err != nil {
		t.Fatalf("%q: %v", after, err)
	}
	if again.Append(path, ours) != nil || again.Set([]string{"version"}, 1) != nil || len(again.Insertions()) > 0 {
		t.Fatalf("changed twice: %q", again.Bytes())
	}
	before, err := Open(src)
	if err != nil {
		t.Fatal(err)
	}
	if before.Has(path, ours) || before.Has(path, hook{"other"}) {
		return
	}
	if !again.Take(path, ours) || !again.Take(path, hook{"other"}) {
		t.Fatalf("not taken out of %q", after)
	}
	for _, made := range text.Made() {
		_ = again.TakeEmpty(made) || again.TakeValue(made, 1)
	}
	if before.root == nil {
		if !again.Empty() && !bytes.Contains(src, []byte("/")) {
			t.Fatalf("left is %q", again.Bytes())
		}
	} else if !same(before.root, before.src, again.root, again.src) && !bytes.Contains(src, []byte("/")) {
		t.Fatalf("taken out it says %q, said %q", again.Bytes(), src)
	}
}

func TestEveryDocumentComesBackByteForByte(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for range 3000 {
		src := document(random)
		if _, err := Open([]byte(src)); err != nil {
			t.Fatalf("%q: %v", src, err)
		}
		holds(t, []byte(src))
	}
}

// document is a document that somebody might write.
func document(r *rand.Rand) string {
	var b strings.Builder
	nl, unit := []string{"\n", "\r\n", ""}[r.IntN(3)], []string{"  ", "\t", "    "}[r.IntN(3)]
	blank := func(depth int) {
		b.WriteString(nl + strings.Repeat(unit, depth))
		if r.IntN(5) == 0 {
			b.WriteString("/* , } */")
		}
		if nl != "" && r.IntN(5) == 0 {
			b.WriteString(" // { \"" + nl)
		}
	}
	var write func(depth int)
	list := func(open, end string, depth int, names []string) {
		b.WriteString(open)
		n := r.IntN(4)
		for i := range n {
			blank(depth + 1)
			if open == "{" {
				fmt.Fprintf(&b, "%q :", names[i])
			}
			write(depth + 1)
			if i+1 < n || r.IntN(4) == 0 {
				b.WriteString(",")
			}
		}
		blank(depth)
		b.WriteString(end)
	}
	write = func(depth int) {
		switch k := r.IntN(8); {
		case k < 2 && depth < 4:
			list("[", "]", depth, nil)
		case k < 5 && depth < 4:
			list("{", "}", depth, []string{"other", "Stop", "a\\b", "x"})
		case k == 5:
			b.WriteString(`"text \" , ]"`)
		default:
			b.WriteString([]string{"1", "-2.5e3", "true", "null"}[r.IntN(4)])
		}
	}
	if r.IntN(8) == 0 {
		b.WriteString("\ufeff")
	}
	list("{", "}", 0, [][]string{{"a", "b", "hooks"}, {"hooks", "b", "c"}, {"a", "version", "c"}}[r.IntN(3)])
	b.WriteString(nl)
	return b.String()
}

func FuzzEditsAreUndone(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		f.Add([]byte(document(random)))
	}
	f.Add([]byte("{} // x"))
	f.Add([]byte("{\"hooks\":{\"Stop\":[1,]}}"))
	f.Fuzz(func(t *testing.T, src []byte) {
		holds(t, src)
		if json.Valid(src) {
			if _, err := Open(src); err != nil && !strings.Contains(err.Error(), "too deep") {
				t.Errorf("%q is JSON: %v", src, err)
			}
		}
	})
}
