package jsonwalk_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// build reads the whole value with the walking methods.
func build(r *jsonwalk.Reader) any {
	switch r.Kind() {
	case '{':
		m := map[string]any{}
		for name := range r.Object() {
			m[name] = build(r)
		}
		return m
	case '[':
		list := []any{}
		for range r.Array() {
			list = append(list, build(r))
		}
		return list
	case '"':
		return r.String()
	case 't', 'f':
		return r.Bool()
	case 0:
		return float64(r.Int())
	}
	r.Skip()
	return nil
}

func TestWantedMembersAreReadAndOthersSkipped(t *testing.T) {
	r := jsonwalk.New([]byte(` {"a":{"deep":[1,{"x":"y\n"}]}, "name":"caf\u00e9 \ud83d\ude00 \ud800","n":-12.9,"ok":true,"none":null} `))
	var name string
	var n int64
	var ok bool
	for key := range r.Object() {
		switch key {
		case "name":
			name = r.String()
		case "n":
			n = r.Int()
		case "ok":
			ok = r.Bool()
		}
	}
	if err := r.End(); err != nil {
		t.Fatal(err)
	}
	if name != "café 😀 \uFFFD" || n != -12 || !ok {
		t.Errorf("read %q, %d, %t", name, n, ok)
	}
}

func TestAnotherTypeGivesZeroAndIsSteppedOver(t *testing.T) {
	r := jsonwalk.New([]byte(`[{"a":1},"s",7,[1],null,"last"]`))
	var got []string
	for range r.Array() {
		got = append(got, r.String())
	}
	if err := r.End(); err != nil || strings.Join(got, ",") != ",s,,,,last" {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestDamageIsReported(t *testing.T) {
	for _, bad := range []string{
		"", "{", `{"a"`, `{"a":`, `{"a":1,}`, `[1,]`, `[1 2]`, `"a`, `"a` + "\n" + `"`, `"\x"`, `"\u12g4"`, "01", "1.", "1e", "-", "tru", "nul", "{} {}", "{a:1}",
		strings.Repeat("[", jsonwalk.MaxDepth+1) + strings.Repeat("]", jsonwalk.MaxDepth+1),
	} {
		if jsonwalk.Valid([]byte(bad)) == nil {
			t.Errorf("%.40q was accepted", bad)
		}
		r := jsonwalk.New([]byte(bad))
		build(r)
		if r.End() == nil {
			t.Errorf("%.40q was accepted by walking", bad)
		}
	}
}

func FuzzAgreesWithStandardLibrary(f *testing.F) {
	for _, s := range []string{`{}`, `[1,2.5e-3,"a\u00e9\ud800b",null,true]`, `{"a":{"b":[{}]},"a":2}`, "\"\xff\"", `"\/\b\f\n\r\t\"\\"`, ` 1 `, `[`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		err := jsonwalk.Valid(b)
		if json.Valid(b) != (err == nil) && (err == nil || !strings.Contains(err.Error(), "nested deeper")) {
			t.Fatalf("Valid(%q) = %v, the standard library says %t", b, err, json.Valid(b))
		}
		r := jsonwalk.New(b)
		got := build(r)
		if walked := r.End(); (walked == nil) != (err == nil) {
			t.Fatalf("walking %q: %v, skipping: %v", b, walked, err)
		}
		if err != nil {
			return
		}
		var want any
		if json.Unmarshal(b, &want) != nil {
			return // a number beyond 64 bits
		}
		compare(t, got, want)
	})
}

func compare(t *testing.T, got, want any) {
	t.Helper()
	switch w := want.(type) {
	case map[string]any:
		g, _ := got.(map[string]any)
		if len(g) != len(w) {
			t.Fatalf("members %v, want %v", g, w)
		}
		for k := range w {
			compare(t, g[k], w[k])
		}
	case []any:
		g, _ := got.([]any)
		if len(g) != len(w) {
			t.Fatalf("elements %v, want %v", g, w)
		}
		for i := range w {
			compare(t, g[i], w[i])
		}
	case float64:
		// Int drops fractions, and a float64 loses digits.
	case string:
		// Runs of invalid bytes may become one mark or several.
		g, _ := got.(string)
		if strings.ReplaceAll(g, "\uFFFD", "") != strings.ReplaceAll(w, "\uFFFD", "") {
			t.Fatalf("string %q, want %q", g, w)
		}
	default:
		if got != want {
			t.Fatalf("value %v, want %v", got, want)
		}
	}
}

func BenchmarkSkip(b *testing.B) {
	text := []byte(`{"m":[` + strings.Repeat(`{"type":"user","text":"a line of text\nand another, with \"quotes\""},`, 10_000) + `{}]}`)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if err := jsonwalk.Valid(text); err != nil {
			b.Fatal(err)
		}
	}
}

func TestEveryByteIsSeenWhereverItStands(t *testing.T) {
	for n := range 20 {
		for at := range n {
			for c := range 256 {
				s := []byte(strings.Repeat("é", n/2) + strings.Repeat("x", n-n/2))
				s[at] = byte(c)
				b := slices.Concat([]byte{'"'}, s, []byte{'"'})
				if err := jsonwalk.Valid(b); json.Valid(b) != (err == nil) {
					t.Fatalf("Valid(%q) = %v", b, err)
				}
			}
		}
	}
}
