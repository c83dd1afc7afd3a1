package evidence_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/ingest/evidence"
)

func TestMembersAreCutHoweverDeep(t *testing.T) {
	rest, cut := evidence.Without([]byte(`{"a":1,"Secret":"x","b":[{"Secret":{"c":["y",7]},"d":"é\n"}],"Secret":null}`), "Secret")
	if string(rest) != `{"a":1,"b":[{"d":"é\n"}]}` || !slices.Equal(cut, []string{"x", "y"}) {
		t.Errorf("%s without %q", rest, cut)
	}
	if rest, cut := evidence.Without([]byte(`{"Secret":`), "Secret"); rest != nil || cut != nil {
		t.Errorf("%s without %q", rest, cut)
	}
}

func TestWhatWasCutIsCutElsewhere(t *testing.T) {
	for text, want := range map[string]string{
		`{"Secret":"abc<\"def","File":"x/abc<\"def.env"}`:                 `{"File":"x/[redacted:found].env"}`,
		`{"Secret":"abc<def","File":"x/abc\u003cdef.env"}`:                `{"File":"x/[redacted:found].env"}`,
		`{"Secret":"a","File":"a.env"}`:                                   `{"File":"a.env"}`,
		`{"Secret":"longer secret","Match":"secret","a":"longer secret"}`: `{"a":"[redacted:found]"}`,
		`no JSON`: "",
	} {
		if got := string(evidence.Redacted([]byte(text), true, "Secret", "Match")); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestTextsAreOneSafeLine(t *testing.T) {
	for text, want := range map[string]string{
		"a\nb\x00c\xffd":                              "a b c\uFFFDd",
		"password=Tr0ub4dor&3x!Qz":                    "password=[redacted:password]",
		strings.Repeat("é", 3000):                     strings.Repeat("é", 250),
		"https://ada:s3cr3tpassw0rd@git.example.com/": "https://ada:[redacted:url-password]@git.example.com/",
	} {
		if got := evidence.Text(text); got != want {
			t.Errorf("%.60q: %q, want %q", text, got, want)
		}
	}
}

func TestWordsOfScanners(t *testing.T) {
	var got []string
	for _, word := range []string{"CRITICAL", "Important", "moderate", " negligible", "none", "Unknown", ""} {
		got = append(got, evidence.Severity(word))
	}
	for _, score := range []int{98, 90, 89, 70, 40, 1, 0} {
		got = append(got, evidence.Score(score))
	}
	want := strings.Fields("critical high medium low none unknown unknown critical critical high high medium low none")
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestDigestsHaveOneSpelling(t *testing.T) {
	hex := strings.Repeat("aB", 32)
	for in, want := range map[[2]string]string{
		{"SHA-256", hex}: "sha256:" + strings.ToLower(hex), {"SHA_512", hex + hex}: "sha512:" + strings.ToLower(hex+hex),
		{"md5", hex}: "", {"sha256", hex[1:]}: "", {"sha256", strings.Repeat("xy", 32)}: "",
	} {
		if got := evidence.Digest(in[0], in[1]); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := evidence.DigestIn("docker-pullable://a@sha256:" + hex); got != "sha256:"+strings.ToLower(hex) {
		t.Errorf("%q", got)
	}
}

// FuzzRedacted: what is kept of a report is JSON, and shows nothing that was cut.
func FuzzRedacted(f *testing.F) {
	f.Add([]byte(`[{"Secret":"abc<\"def","File":"x/abc<\"def.env"}]`))
	f.Add([]byte(`{"a":"\ud83d\ude00","Secret":"\ud83d\ude00\ud83d\ude00"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		kept := evidence.Redacted(b, true, "Secret")
		if kept == nil {
			return
		}
		if !json.Valid(kept) {
			t.Errorf("%q is no JSON", kept)
		}
		if rest, cut := evidence.Without(kept, "Secret"); len(cut) > 0 || rest == nil {
			t.Errorf("%q still has a secret", kept)
		}
	})
}

// FuzzXML walks through anything.
func FuzzXML(f *testing.F) {
	f.Add([]byte(`<?xml version="1.0" encoding="latin1"?><a b="&#x1b;&#65;"><!-- c --><![CDATA[d]]></a>`))
	f.Fuzz(func(_ *testing.T, b []byte) {
		x, err := evidence.NewXML("test", b)
		for err == nil {
			token, next := x.Next()
			if err = next; token == nil {
				break
			}
		}
	})
}
