package rules_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/redact"
	"github.com/stemma-dev/stemma/redact/rules"
)

func load(t testing.TB) *rules.Set {
	t.Helper()
	s, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// write writes a text that an expression matches, drawn by lot.
func write(out *strings.Builder, r *rand.Rand, t *syntax.Regexp) {
	switch t.Op {
	case syntax.OpLiteral:
		out.WriteString(string(t.Rune))
	case syntax.OpCharClass:
		out.WriteRune(charOf(r, t.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		out.WriteByte('.') // most often a dot that was not escaped
	case syntax.OpCapture:
		write(out, r, t.Sub[0])
	case syntax.OpStar:
		repeat(out, r, t.Sub[0], 0, 2)
	case syntax.OpPlus:
		repeat(out, r, t.Sub[0], 1, 40)
	case syntax.OpQuest:
		repeat(out, r, t.Sub[0], 0, 1)
	case syntax.OpRepeat:
		most := t.Max
		if most < 0 || most > t.Min+8 {
			most = t.Min + 8
		}
		repeat(out, r, t.Sub[0], t.Min, most)
	case syntax.OpConcat:
		for _, sub := range t.Sub {
			write(out, r, sub)
		}
	case syntax.OpAlternate:
		write(out, r, t.Sub[r.IntN(len(t.Sub))])
	}
}

func repeat(out *strings.Builder, r *rand.Rand, t *syntax.Regexp, least, most int) {
	for range least + r.IntN(most-least+1) {
		if t.Op == syntax.OpAnyCharNotNL {
			out.WriteByte("abcdefgh23456789"[r.IntN(16)])
			continue
		}
		write(out, r, t)
	}
}

// charOf draws a printable character of a class, or another one if it has none.
func charOf(r *rand.Rand, ranges []rune) rune {
	var list []rune
	for i := 0; i < len(ranges); i += 2 {
		for c := ranges[i]; c <= min(ranges[i+1], 0x7e); c++ {
			if c > ' ' {
				list = append(list, c)
			}
		}
	}
	if list == nil {
		return ranges[0]
	}
	return list[r.IntN(len(list))]
}

// TestSecretsOfEveryRuleAreCut draws secrets by the expression of each rule,
// until the rule itself takes one for a secret, and hides it in JSON.
func TestSecretsOfEveryRuleAreCut(t *testing.T) {
	s := load(t)
	full := redact.New(redact.Options{More: s})
	if n := len(s.Rules()); n < 200 {
		t.Fatalf("%d rules", n)
	}
	for i, id := range s.Rules() {
		r := rand.New(rand.NewPCG(1, uint64(i)))
		tree, err := syntax.Parse(s.Expression(id), syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		var text, secret string
		for try := 0; secret == "" && try < 400; try++ {
			var b strings.Builder
			write(&b, r, tree)
			text = s.Keyword(id) + " " + b.String() + "\n"
			s.Find([]byte(text), func(m redact.Match) {
				if m.Rule == id {
					secret = text[m.Start:m.End]
				}
			})
		}
		if secret == "" {
			t.Errorf("%s: no secret could be drawn", id)
			continue
		}
		doc, err := json.Marshal(map[string]any{"signature": []any{1, map[string]string{"path": "see " + text + "here"}}})
		if err != nil {
			t.Fatal(err)
		}
		got, report, err := full.JSON(doc)
		var back any
		if err != nil || report.Total() == 0 || json.Unmarshal(got, &back) != nil || strings.Contains(fmt.Sprint(back), secret) {
			t.Errorf("%s: %.40q… stays: %v, %v", id, secret, report, err)
		}
		if again, counts, err := full.JSON(got); err != nil || !bytes.Equal(again, got) {
			t.Errorf("%s: %s becomes %s (%v, %v)", id, got, again, counts, err)
		}
	}
}

// TestAWindowFindsWhatTheWholeTextDoes compares with the expression on the text
// as a whole.
func TestAWindowFindsWhatTheWholeTextDoes(t *testing.T) {
	s := load(t)
	r := rand.New(rand.NewPCG(2, 3))
	for i, id := range s.Rules() {
		tree, err := syntax.Parse(s.Expression(id), syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		b := new(strings.Builder)
		b.WriteString(s.Keyword(id))
		for range 5 {
			b.WriteString(strings.Repeat("filler of a line, in words\n", r.IntN(120)))
			write(b, r, tree)
			b.WriteString([]string{"\n", " ", ";", "\""}[r.IntN(4)])
		}
		text := b.String()
		var got, want []string
		s.Find([]byte(text), func(m redact.Match) {
			if m.Rule == id {
				got = append(got, text[m.Start:m.End])
			}
		})
		s.FindWhole(id, []byte(text), func(m redact.Match) { want = append(want, text[m.Start:m.End]) })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("rule %d, %s: %s", i, id, diff)
		}
	}
}

func TestEvidenceStays(t *testing.T) {
	full := redact.New(redact.Options{More: load(t)})
	for _, text := range []string{
		`{"cache_key":"4af1c0ffee5ba2d1e0c9b8a7968574635241f0ab"}`,
		`key: 4af1c0ffee5ba2d1e0c9b8a7968574635241f0ab4af1c0ffee5ba2d1e0c9b8a7`,
		`"api-request": "5c1e7d3a-0b9f-4e2d-8c6a-1f3e5d7c9b0a",`,
		`auth_integrity: "sha512-3f9a1c7e5b2d8064QX7RKT2VXW9ZBN4M3f9a1c7e5b2d8064QX7RKT2VXW9ZBN4M3f9a1c7e5b2d8064QX7RKT2VXW9ZBN=="`,
		"access h1:3f9a1c7e5b2d8064QX7RKT2VXW9ZBN4M3f9a1c7e5b=",
		"key = value.Of(something), token = next(), secret: string",
	} {
		if got, report := full.Text([]byte(text)); string(got) != text {
			t.Errorf("%s\n got %s (%v)", text, got, report)
		}
	}
}

func TestACommentDoesNotKeepASecret(t *testing.T) {
	full := redact.New(redact.Options{More: load(t)})
	secret := "cloudflare" + "_api_key = \"" + "q7RkT2vXw9ZbN4mLp8HsJ3dFg6YcV5xKt1WnQa0B\""
	if got, report := full.Text([]byte(secret + " // gitleaks:allow")); report.Total() != 1 || bytes.Contains(got, []byte("Zb")) {
		t.Errorf("%s, %v", got, report)
	}
}

func TestRulesHaveNamesForMarks(t *testing.T) {
	for _, id := range load(t).Rules() {
		if !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(id) {
			t.Errorf("the rule %q", id)
		}
	}
	if !slices.IsSorted(load(t).Rules()) {
		t.Error("the rules have no order")
	}
}

func FuzzFind(f *testing.F) {
	f.Add([]byte(`api_key = "q7RkT2vXw9ZbN4mLp8HsJ3dFg6YcV5xKt1WnQa0B"`))
	f.Add([]byte("AUTH \xff\xfe token\x00: " + strings.Repeat("a1", 300)))
	s := load(f)
	full := redact.New(redact.Options{More: s, Homes: true, Mail: true})
	f.Fuzz(func(t *testing.T, text []byte) {
		s.Find(text, func(m redact.Match) {
			if m.From < 0 || m.From > m.Start || m.Start >= m.End || m.End > m.To || m.To > len(text) {
				t.Fatalf("%q: %+v", text, m)
			}
		})
		got, _ := full.Body(text)
		if again, report := full.Body(got); !bytes.Equal(again, got) {
			t.Fatalf("%q becomes %q becomes %q (%v)", text, got, again, report)
		}
		if json.Valid(text) && !json.Valid(got) {
			t.Fatalf("%q becomes %q", text, got)
		}
	})
}
