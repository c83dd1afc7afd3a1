package stemma_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
)

// agree compares CanonicalJSON with its slow sibling.
func agree(t *testing.T, raw []byte) {
	t.Helper()
	want, wantErr := decodedJSON(raw)
	before := bytes.Clone(raw)
	got, err := stemma.CanonicalJSON(raw)
	if (err == nil) != (wantErr == nil) || !bytes.Equal(got, want) {
		t.Fatalf("CanonicalJSON(%q) = %q, %v; want %q, %v", raw, got, err, want, wantErr)
	}
	if !bytes.Equal(raw, before) {
		t.Fatalf("the input %q became %q", before, raw)
	}
}

var crooked = []string{
	``, ` `, `x`, `01`, `-`, `-0`, `-01`, `- 1`, `+1`, `1.0`, `1.`, `1e2`, `.5`, `9007199254740992`, `-9007199254740992`, `9007199254740993`,
	`90071992547409920`, `18446744073709551616`, `999999999999999999999999999999`, `[-0]`, `{"a":-0 ,"b":-0}`, `[0,-0,10,-10]`, `00`, `0x1`,
	`[`, `]`, `[]`, `[ ]`, `[,]`, `[1,]`, `[1 2]`, `[1}`, `{`, `{]`, `{}`, `{ }`, `{,}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{"a" 1}`, `{"a"::1}`,
	`{1:2}`, `{"a":1 "b":2}`, `{"a":1}}`, `[[]`, `[1]2`, `1 2`, `nul`, `nulll`, `null `, "\ufeff1", "1\x00", "\v1",
	`"`, `"a`, `"\`, `"\x"`, `"\u12"`, `"\u12g4"`, `"\ud800"`, `"\udc00\ud800"`, `"\ud83d\ude00"`, `"\uD83D\u0041"`, `"\ud83d\ud83d\ude00"`, `"\ud83d\n"`,
	`"\ud83d\ude0"`, "\"\n\"", "\"\x7f\x00\"", "\"\x7f\"", `"\/"`, `"/\u002f\u0022\u005C\u000a\u001F\u007f"`, `"\b\f\n\r\t\u0008\u000B"`, "\"\xff\"",
	`{"b":1,"a":2}`, `{"a":1,"a":2}`, `{"a":1,"b":1,"\u0061":2}`, `{"\n":1,"\u000a":2}`, `{"":1,"":2}`, `{"aa":1,"a":2,"":3}`,
	`{"\ue000":1,"\ud83d\ude00":2}`, "{\"\U0001F600\":1,\"\uffff\":2,\"\ud7ff\":3,\"z\":4,\"\uffffa\":5}", `{"\ud800":1,"\ufffd":2}`,
	`{"b":{"d":[{"f":1,"e":2}],"c":{}},"a":{"z":0,"y":[]}}`, ` { "b" : [ 1 , { "y" : 2 , "x" : 3 } ] , "a" : "t" } `,
}

func TestScannerAndDecoderAgree(t *testing.T) {
	for _, in := range crooked {
		agree(t, []byte(in))
	}
	for n := 60; n < 70; n++ {
		for _, inside := range []string{"", "1", "{}", `{"a":[]}`} {
			agree(t, []byte(strings.Repeat("[", n)+inside+strings.Repeat("]", n)))
			agree(t, []byte(strings.Repeat(`{"a":`, n)+cmpOr(inside, "[]")+strings.Repeat("}", n)))
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var b strings.Builder
		writeRandom(&b, rng, 4)
		raw := []byte(b.String())
		agree(t, raw)
		if len(raw) > 0 { // and with a byte that is wrong
			raw[rng.IntN(len(raw))] = `"\{}[],:0-u x`[rng.IntN(13)]
			agree(t, raw)
		}
	}
}

func cmpOr(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// writeRandom writes a value in one of its many spellings.
func writeRandom(b *strings.Builder, rng *rand.Rand, depth int) {
	space := func() { b.WriteString([]string{"", "", "", " ", "\n\t", "\r "}[rng.IntN(6)]) }
	text := func() {
		b.WriteByte('"')
		for range rng.IntN(4) {
			b.WriteString([]string{"a", "b", "é", "\U0001F600", "\uffee", `\n`, `\u000a`, `\u0061`, `\ud83d\ude00`, `\ud83d`, `\"`, `\/`, `\u0001`}[rng.IntN(13)])
		}
		b.WriteByte('"')
	}
	space()
	switch kind := rng.IntN(6); {
	case kind < 2 && depth > 0:
		b.WriteByte('{')
		for i := range rng.IntN(5) {
			if i > 0 {
				b.WriteByte(',')
			}
			space()
			text()
			space()
			b.WriteByte(':')
			writeRandom(b, rng, depth-1)
		}
		space()
		b.WriteByte('}')
	case kind == 2 && depth > 0:
		b.WriteByte('[')
		for i := range rng.IntN(4) {
			if i > 0 {
				b.WriteByte(',')
			}
			writeRandom(b, rng, depth-1)
		}
		space()
		b.WriteByte(']')
	case kind == 3:
		text()
	case kind == 4:
		b.WriteString([]string{"true", "false", "null", "-0", "0"}[rng.IntN(5)])
	default:
		fmt.Fprint(b, rng.Int64N(1<<54)-1<<53)
	}
	space()
}

func FuzzScannerAndDecoderAgree(f *testing.F) {
	for _, in := range crooked {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { agree(t, raw) })
}

// BenchmarkCanonicalJSON compares the scanner with the decoder, on the bytes of
// a commit's fact as they come from a reader and as they are in a ledger.
func BenchmarkCanonicalJSON(b *testing.B) {
	canonical := factBytes(b)
	var members map[string]json.RawMessage
	if err := json.Unmarshal(canonical, &members); err != nil {
		b.Fatal(err)
	}
	var loose bytes.Buffer
	for _, name := range []string{"v", "subject", "kind", "attrs", "edges", "occurred", "source", "grade", "bodies"} {
		fmt.Fprintf(&loose, "%q: %s,\n", name, members[name])
	}
	spaced := []byte("{" + strings.TrimSuffix(loose.String(), ",\n") + "}")
	for _, c := range []struct {
		name string
		in   []byte
	}{{"canonical", canonical}, {"unordered", spaced}} {
		b.Run(c.name, func(b *testing.B) {
			scan := func() {
				if _, err := stemma.CanonicalJSON(c.in); err != nil {
					b.Fatal(err)
				}
			}
			decode := func() {
				if _, err := decodedJSON(c.in); err != nil {
					b.Fatal(err)
				}
			}
			reportRatio(b, decode, scan)
		})
	}
}

// factBytes are the canonical bytes of a fact as large as that of a commit.
func factBytes(tb testing.TB) []byte {
	tb.Helper()
	var files []map[string]any
	for i := range 8 {
		files = append(files, map[string]any{"path": fmt.Sprintf("internal/pay/file%d.go", i), "status": "M", "added": 12 + i, "deleted": 3, "blob": strings.Repeat("9f2c", 10), "old_blob": strings.Repeat("0a1b", 10)})
	}
	f, err := stemma.NewFact(stemma.NewRef(stemma.KindCommit, "sha1", strings.Repeat("9f2c", 10)), map[string]any{
		"sha": strings.Repeat("9f2c", 10), "tree": strings.Repeat("77aa", 10), "title": "pay: refuse a card that has expired",
		"message": "pay: refuse a card that has expired\n\nIt was charged, and the charge bounced three days later.\n", "parents": 1, "files": files,
		"added": 100, "deleted": 24, "authored": "2026-01-02T03:04:05.000000Z", "committed": "2026-01-02T03:04:05.000000Z",
	}, stemma.Provenance{Source: "git", Grade: stemma.GradeC, Edges: []stemma.Edge{
		{Door: "parent", To: stemma.NewRef(stemma.KindCommit, "sha1", strings.Repeat("0002", 10))},
		{Door: "author", To: "person:0123456789abcdef0123456789abcdef"},
		{Door: "in", To: "repository:github.com/acme/pay"},
	}})
	if err != nil {
		tb.Fatal(err)
	}
	b, err := f.Canonical()
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// reportRatio runs both ways in turns, so that both meet the same machine, and
// reports how many times faster the second is. The time of an operation is that
// of the second alone.
func reportRatio(b *testing.B, slow, fast func()) {
	b.Helper()
	var slowTime, fastTime time.Duration
	for b.Loop() {
		start := time.Now()
		slow()
		middle := time.Now()
		fast()
		slowTime, fastTime = slowTime+middle.Sub(start), fastTime+time.Since(middle)
	}
	b.ReportMetric(float64(fastTime)/float64(b.N), "ns/op")
	b.ReportMetric(float64(slowTime)/float64(fastTime), "times-faster")
}

// spelled is a fact as its canonical form has it, in any order of members.
type spelled struct {
	V        int             `json:"v"`
	Subject  stemma.Ref      `json:"subject"`
	Kind     stemma.Kind     `json:"kind"`
	Attrs    json.RawMessage `json:"attrs"`
	Edges    []stemma.Edge   `json:"edges"`
	Occurred string          `json:"occurred"`
	Source   string          `json:"source"`
	Grade    stemma.Grade    `json:"grade"`
	Bodies   []stemma.Body   `json:"bodies"`
}

func TestCanonicalFactIsItsCanonicalJSON(t *testing.T) {
	deepest := strings.Repeat("[", 64) + strings.Repeat("]", 64)
	for _, attrs := range []string{
		`{}`, ` { "b" : "<&>\u2028\u003c" , "a" : [ ] } `, `{"é":1,"e":{"z":-0,"a":0}}`, deepest, "[" + deepest + "]", `1`, `"x"`,
		`{},"v":2`, `{}}`, `{} {}`, `{`, ` `, "\"\xff\"", `{"a":1,"a":2}`, `1.5`,
	} {
		f := sampleFact(t)
		f.Attrs, f.Source = json.RawMessage(attrs), "a <b>\xff"
		f.Bodies = []stemma.Body{{Name: "n", Media: "m", Size: 3}}
		got, err := f.Canonical()
		raw, wantErr := json.Marshal(spelled{
			V: 1, Subject: f.Subject, Kind: f.Kind, Attrs: f.Attrs, Edges: f.Edges, Occurred: "2026-01-02T03:04:05.000678Z",
			Source: f.Source, Grade: f.Grade, Bodies: f.Bodies,
		})
		var want []byte
		if wantErr == nil {
			want, wantErr = decodedJSON(raw)
		}
		if (err == nil) != (wantErr == nil) || !bytes.Equal(got, want) {
			t.Errorf("attributes %.40q give %s, %v; want %s, %v", attrs, got, err, want, wantErr)
		}
	}
}
