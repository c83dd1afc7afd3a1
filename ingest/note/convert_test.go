package note_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/ingest/gitai"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/session"
)

var commitRef = stemma.NewRef(stemma.KindCommit, "sha1", strings.Repeat("c", 40))

// people gives refs and remembers whom it was asked for.
type people []string

func (p *people) ref(name, mail string) stemma.Ref {
	*p = append(*p, name+" <"+mail+">")
	return stemma.NewRef(stemma.KindPerson, stemma.Sum([]byte(mail)).String()[:32])
}

func TestOnlyAddedLinesAreAttributed(t *testing.T) {
	var asked people
	c := gitai.Parse(read(t, "../../gitai/testdata/v3.note")).Claims()
	r := note.Convert(c, note.Commit{
		Ref: commitRef, Note: "n1", Committed: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Person: asked.ref,
		Added: map[string][]note.Range{
			"cmd/pay/main.go":    {{20, 21}, {8, 10}, {5, 6}},
			"docs/how to pay.md": {{3, 9}},
			"other.go":           {{1, 4}},
		},
	})
	a := r.Attribution
	var got []string
	for _, s := range a.Spans {
		got = append(got, strings.Join([]string{s.Path, string(rune('0' + s.Start)), string(rune('0' + s.End)), s.Origin, s.Basis, string(s.Session), string(s.Model)}, " "))
	}
	want := []string{
		"cmd/pay/main.go 5 6 ai imported session:codex/019e-77 model:openai/gpt-5.6-sol",
		"cmd/pay/main.go 8 9 ai imported session:codex/019e-77 model:openai/gpt-5.6-sol",
		"cmd/pay/main.go : : human imported  ",
		"docs/how to pay.md 3 3 unknown unknown  ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if a.AILines != 4 || a.HumanLines != 1 || a.UnknownLines != 13 || a.ClaimedLines != 13 || a.MisplacedLines != 7 || a.UnresolvedKeys != 1 || a.Files != 2 {
		t.Errorf("ai %d, human %d, unknown %d, claimed %d, misplaced %d, unresolved %d, files %d",
			a.AILines, a.HumanLines, a.UnknownLines, a.ClaimedLines, a.MisplacedLines, a.UnresolvedKeys, a.Files)
	}
	if len(a.Credits) != 3 || a.Credits[0].Origin != "ai" || a.Credits[0].Lines != 4 {
		t.Errorf("credits %+v", a.Credits)
	}
	sessions := note.SessionsOf(c, asked.ref)
	if slices.Contains(asked, "") || a.Spans[2].Author == "" || len(sessions[0].Operator) != 1 || sessions[0].Operator[0].To != a.Spans[2].Author {
		t.Errorf("author %q, operator %q, asked for %q", a.Spans[2].Author, sessions[0].Operator, asked)
	}
	checkFacts(t, r, sessions)
}

// checkFacts states the facts of a result and looks for personal data in them.
func checkFacts(t *testing.T, r note.Result, sessions []session.Session) {
	t.Helper()
	f, err := r.Attribution.Fact("git-ai-note", stemma.GradeD)
	if err != nil {
		t.Fatal(err)
	}
	facts := []stemma.Fact{f}
	for _, s := range sessions {
		f, err := s.Fact("git-ai-note", stemma.GradeD)
		if err != nil {
			t.Fatal(err)
		}
		facts = append(facts, f)
	}
	for _, f := range facts {
		b, err := f.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "x.test") || strings.Contains(string(b), "Ann") {
			t.Errorf("a person is named in %s", b)
		}
	}
	if _, err := attribution.FromFact(facts[0]); err != nil {
		t.Error(err)
	}
}

func TestCommitThatIsNotAtHandAttributesNothing(t *testing.T) {
	c := gitai.Parse(read(t, "../../gitai/testdata/v1.note")).Claims()
	r, sessions := note.Convert(c, note.Commit{Ref: commitRef}), note.SessionsOf(c, nil)
	a := r.Attribution
	if len(a.Spans)+a.AILines+a.UnknownLines+a.MisplacedLines != 0 || a.ClaimedLines == 0 {
		t.Errorf("%+v", a)
	}
	if len(sessions) != 2 {
		t.Errorf("%d sessions, want the two that have an id", len(sessions))
	}
	checkFacts(t, r, sessions)
}

func TestUnnamedModelHasNoRefAndHostilePathIsQuoted(t *testing.T) {
	c := gitai.Parse([]byte("a\xff\x1b\n  e61c0a4 1\n" + strings.Repeat("x", 2000) + "\n  e61c0a4 1\n---\n" +
		`{"schema_version":"authorship/3.0.0","prompts":{"e61c0a4":{"agent_id":{"tool":"My Tool/2","id":"i","model":"<synthetic>"}}}}`)).Claims()
	r := note.Convert(c, note.Commit{Ref: commitRef, Added: map[string][]note.Range{"a\xff\x1b": {{1, 1}}}})
	s := r.Attribution.Spans[0]
	if s.Path != `"a\377\033"` || s.Model != "" || s.ModelName != "<synthetic>" || s.Agent != "my-tool-2" || s.Session != session.Ref("my-tool-2", "i") {
		t.Errorf("%+v", s)
	}
	if len(r.Problems) != 1 || r.Attribution.MisplacedLines != 1 {
		t.Errorf("problems %v, %d misplaced", r.Problems, r.Attribution.MisplacedLines)
	}
	checkFacts(t, r, note.SessionsOf(c, nil))
}

func TestSessionsOfManyNotesAreOne(t *testing.T) {
	var b note.SessionBook
	b.Add(session.Session{Tool: "codex", ExternalID: "2", Started: 9})
	b.Add(session.Session{Tool: "codex", ExternalID: "1", Models: []session.ModelUse{{Name: "b"}}, Prompts: 2})
	b.Add(session.Session{Tool: "codex", ExternalID: "1", Models: []session.ModelUse{{Name: "a"}, {Name: "b"}}, Started: 5, Prompts: 1})
	b.Add(session.Session{})
	got := slices.Collect(b.All())
	want := []session.Session{
		{Tool: "codex", ExternalID: "1", Models: []session.ModelUse{{Name: "a"}, {Name: "b"}}, Started: 5, Prompts: 2},
		{Tool: "codex", ExternalID: "2", Started: 9},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzConvert(f *testing.F) {
	f.Add(read(f, "../../gitai/testdata/v3.note"), 5, 6)
	f.Add(read(f, "../../gitai/testdata/v1.note"), 1, 1000)
	f.Fuzz(func(t *testing.T, b []byte, from, to int) {
		c := gitai.Parse(b).Claims()
		if from < 1 || to < from || to > note.MaxLine {
			return
		}
		added := map[string][]note.Range{}
		for _, file := range c.Files {
			added[file.Path] = []note.Range{{from, to}}
		}
		var asked people
		a := note.Convert(c, note.Commit{Ref: commitRef, Added: added, Person: asked.ref})
		if _, err := a.Attribution.Fact("git-ai-note", stemma.GradeD); err != nil {
			t.Fatal(err)
		}
		for _, s := range note.SessionsOf(c, asked.ref) {
			if _, err := s.Fact("git-ai-note", stemma.GradeD); err != nil {
				t.Fatal(err)
			}
		}
		placed := 0
		for _, s := range a.Attribution.Spans {
			if s.Start < from || s.End > to {
				t.Fatalf("lines %d-%d were not added", s.Start, s.End)
			}
			placed += s.End - s.Start + 1
		}
		if placed+a.Attribution.MisplacedLines != c.Claimed {
			t.Fatalf("%d placed and %d misplaced of %d", placed, a.Attribution.MisplacedLines, c.Claimed)
		}
	})
}
