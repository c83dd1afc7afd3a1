package stemma_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
)

func TestEveryKeyHasOneSpelling(t *testing.T) {
	for _, c := range []struct {
		parts []string
		want  stemma.Ref
	}{
		{[]string{"sha1", "9f2c"}, "commit:sha1/9f2c"},
		{[]string{"github.com", "acme/pay#142"}, "commit:github.com/acme/pay#142"},
		{[]string{"a b", "100%"}, "commit:a%20b/100%25"},
		{[]string{"x", "\xff\n\x1b[31m"}, "commit:x/%FF%0A%1B[31m"},
		{[]string{"x", "naïve/ключ"}, "commit:x/naïve/ключ"},
		{[]string{"x", "\u202e"}, "commit:x/%E2%80%AE"},
	} {
		got := stemma.NewRef(stemma.KindCommit, c.parts...)
		if got != c.want {
			t.Errorf("NewRef(%q) = %q, want %q", c.parts, got, c.want)
		}
		if !got.Valid() {
			t.Errorf("%q is not valid", got)
		}
		authority, rest := got.Split()
		if joined := authority + "/" + rest; joined != strings.Join(c.parts, "/") {
			t.Errorf("Split(%q) gives back %q", got, joined)
		}
	}
}

func TestCrookedRefIsRefused(t *testing.T) {
	for _, s := range []string{
		"", "commit", "commit:", ":x", "Commit:x", "commit:a b", "commit:%41", "commit:%4", "commit:%zz",
		"commit:a\x00", "commit:\xff", "com mit:x", "commit:" + strings.Repeat("x", stemma.MaxRef),
	} {
		if r, err := stemma.ParseRef(s); err == nil {
			t.Errorf("ParseRef(%.40q) = %q, want an error", s, r)
		}
	}
}

func FuzzRefRoundTrip(f *testing.F) {
	f.Add("sha1", "9f2c")
	f.Add("a%2Fb", "\xff\xfe")
	f.Fuzz(func(t *testing.T, a, b string) {
		r := stemma.NewRef(stemma.KindTicket, a, b)
		if len(r) > stemma.MaxRef {
			return
		}
		if _, err := stemma.ParseRef(string(r)); err != nil {
			t.Fatalf("NewRef(%q, %q) made %q: %v", a, b, r, err)
		}
		authority, rest := r.Split()
		if authority+"/"+rest != a+"/"+b {
			t.Fatalf("Split(%q) = %q, %q", r, authority, rest)
		}
		// Different bytes never share a spelling.
		if other := stemma.NewRef(stemma.KindTicket, a+"!", b); other == r {
			t.Fatalf("two keys share %q", r)
		}
	})
}

func TestCanonicalJSONFollowsRFC8785(t *testing.T) {
	for in, want := range map[string]string{
		`{"b":1, "a":[true,null,"x"]}`:        `{"a":[true,null,"x"],"b":1}`,
		`"\u20ac$\u000F\nA'\u0042\u0022\\\""`: "\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\"\"",
		`{"\ud83d\ude00":1,"\uffee":2}`:       "{\"\U0001F600\":1,\"\uffee\":2}",
		`"</script>&"`:                        `"</script>&"`,
		`-0`:                                  `0`,
		`9007199254740992`:                    `9007199254740992`,
	} {
		got, err := stemma.CanonicalJSON([]byte(in))
		if err != nil || string(got) != want {
			t.Errorf("CanonicalJSON(%s) = %s, %v; want %s", in, got, err, want)
		}
	}
	for _, in := range []string{
		``, `{`, `1.5`, `1e3`, `9007199254740993`, `{"a":1,"a":2}`, `1 2`, "\"\xff\"",
		strings.Repeat("[", 100) + strings.Repeat("]", 100),
	} {
		if got, err := stemma.CanonicalJSON([]byte(in)); err == nil {
			t.Errorf("CanonicalJSON(%.30q) = %s, want an error", in, got)
		}
	}
}

func FuzzCanonicalJSON(f *testing.F) {
	f.Add([]byte(`{"b":[1,"x",{"\n":null}],"a":true}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		once, err := stemma.CanonicalJSON(raw)
		if err != nil {
			return
		}
		twice, err := stemma.CanonicalJSON(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%q became %q, then %q, %v", raw, once, twice, err)
		}
		if !json.Valid(once) {
			t.Fatalf("%q is not JSON", once)
		}
	})
}

func sampleFact(t testing.TB) stemma.Fact {
	t.Helper()
	f, err := stemma.NewFact("commit:sha1/9f2c", map[string]any{"title": "a", "added": 3}, stemma.Provenance{
		Source: "git", Grade: stemma.GradeC, Occurred: time.Date(2026, 1, 2, 3, 4, 5, 678901, time.UTC),
		Edges: []stemma.Edge{
			{Door: "parent", To: "commit:sha1/0002"},
			{Door: "author", To: "person:ab"},
			{Door: "parent", To: "commit:sha1/0001"},
			{Door: "parent", To: "commit:sha1/0002"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSameFactHasSameBytes(t *testing.T) {
	b, err := sampleFact(t).Canonical()
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"attrs":{"added":3,"title":"a"},"bodies":[],"edges":[{"door":"author","to":"person:ab"},` +
		`{"door":"parent","to":"commit:sha1/0001"},{"door":"parent","to":"commit:sha1/0002"}],"grade":"C","kind":"commit",` +
		`"occurred":"2026-01-02T03:04:05.000678Z","source":"git","subject":"commit:sha1/9f2c","v":1}`
	if string(b) != want {
		t.Errorf("Canonical() =\n%s, want\n%s", b, want)
	}
	back, err := stemma.ParseFact(b)
	if err != nil {
		t.Fatal(err)
	}
	again, err := back.Canonical()
	if err != nil || string(again) != string(b) {
		t.Errorf("after a round trip: %s, %v", again, err)
	}
}

func TestWholeFactIsOfAVersionOfItsOwn(t *testing.T) {
	f := sampleFact(t)
	f.Whole = true
	b, err := f.Canonical()
	if err != nil || !strings.HasSuffix(string(b), `"v":2,"whole":true}`) {
		t.Fatalf("Canonical() = %s, %v", b, err)
	}
	if back, err := stemma.ParseFact(b); err != nil || !back.Whole {
		t.Errorf("ParseFact(%s) = %+v, %v", b, back, err)
	}
	for _, other := range []string{`"v":1,"whole":true}`, `"v":2}`, `"v":2,"whole":false}`} {
		spelled := strings.Replace(string(b), `"v":2,"whole":true}`, other, 1)
		if _, err := stemma.ParseFact([]byte(spelled)); err == nil {
			t.Errorf("ParseFact accepted %s", spelled)
		}
	}
}

func TestSettledFactIsTheOneReadBack(t *testing.T) {
	rough := sampleFact(t)
	rough.Attrs = json.RawMessage(` { "title": "\u0061\u003c", "added": 3, "more": [] } `)
	rough.Occurred = time.Date(2026, 1, 2, 4, 4, 5, 678901234, time.FixedZone("", 3600))
	rough.Source = "git\xff"
	bare := sampleFact(t)
	bare.Attrs, bare.Edges, bare.Bodies = nil, nil, nil
	whole := sampleFact(t)
	whole.Whole = true
	for _, f := range []stemma.Fact{sampleFact(t), rough, bare, whole} {
		settled, b, err := f.Settle()
		if err != nil {
			t.Fatal(err)
		}
		if want, err := f.Canonical(); err != nil || !bytes.Equal(b, want) {
			t.Errorf("Settle gave the bytes\n%s, want\n%s, %v", b, want, err)
		}
		read, err := stemma.ParseFact(b)
		if err != nil || !reflect.DeepEqual(settled, read) {
			t.Errorf("settled %#v, read back %#v, %v", settled, read, err)
		}
	}
}

func TestUnsoundFactIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*stemma.Fact){
		"subject": func(f *stemma.Fact) { f.Subject = "commit:a b" },
		"kind":    func(f *stemma.Fact) { f.Kind = stemma.KindTicket },
		"grade":   func(f *stemma.Fact) { f.Grade = "E" },
		"source":  func(f *stemma.Fact) { f.Source = "" },
		"edges":   func(f *stemma.Fact) { f.Edges[0], f.Edges[1] = f.Edges[1], f.Edges[0] },
		"edge":    func(f *stemma.Fact) { f.Edges[0].To = "person:\n" },
		"attrs":   func(f *stemma.Fact) { f.Attrs = json.RawMessage(`{"share":0.5}`) },
		"time":    func(f *stemma.Fact) { f.Occurred = time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		f := sampleFact(t)
		spoil(&f)
		var invalid *stemma.InvalidError
		if _, err := f.Canonical(); !errors.As(err, &invalid) {
			t.Errorf("%s: err = %v, want an *InvalidError", name, err)
		}
	}
}

func TestSecondSpellingOfAFactIsRefused(t *testing.T) {
	b, err := sampleFact(t).Canonical()
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{
		strings.Replace(string(b), `"added":3`, `"added": 3`, 1),
		strings.Replace(string(b), `"v":1`, `"v":2`, 1),
		strings.Replace(string(b), `"source"`, `"extra":1,"source"`, 1),
		string(b) + " ",
	} {
		if _, err := stemma.ParseFact([]byte(other)); err == nil {
			t.Errorf("ParseFact accepted %s", other)
		}
	}
}

func TestWeakestLinkDecidesTheGrade(t *testing.T) {
	if got := stemma.GradeA.Least(stemma.GradeD); got != stemma.GradeD {
		t.Errorf("Least(A, D) = %s", got)
	}
}

func TestDigestReadsOnlyItsOwnForm(t *testing.T) {
	d := stemma.Sum([]byte("x"))
	back, err := stemma.ParseDigest(d.String())
	if err != nil || back != d {
		t.Errorf("ParseDigest(%s) = %s, %v", d, back, err)
	}
	for _, s := range []string{"", "ab", strings.ToUpper(d.String()), strings.Repeat("g", 64)} {
		if _, err := stemma.ParseDigest(s); err == nil {
			t.Errorf("ParseDigest(%q) was accepted", s)
		}
	}
}
