package gitai_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/gitai"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/note/notetest"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestStandardNoteIsReadWhole(t *testing.T) {
	a := gitai.Parse(read(t, "v3.note"))
	if len(a.Problems) > 0 {
		t.Errorf("problems: %v", a.Problems)
	}
	if a.Schema != gitai.SchemaV3 || a.Writer != "1.4.2" || a.Base != strings.Repeat("1", 40) {
		t.Errorf("schema %q, writer %q, base %q", a.Schema, a.Writer, a.Base)
	}
	want := []string{
		"cmd/pay/main.go:4-9 ai | codex | gpt-5.6-sol | 019e-77",
		"cmd/pay/main.go:10-11 human | Ann Lee <ann@x.test>",
		"cmd/pay/main.go:12-12 ai | codex | gpt-5.6-sol | 019e-77",
		"cmd/pay/main.go:14-14 ai | codex | gpt-5.6-sol | 019e-77",
		"docs/how to pay.md:1-3 unknown | key without record",
	}
	c := a.Claims()
	if diff := cmp.Diff(want, notetest.Lines(c)); diff != "" {
		t.Error(diff)
	}
	if c.Unresolved != 1 || c.Claimed != 13 {
		t.Errorf("%d unresolved keys and %d lines, want 1 and 13", c.Unresolved, c.Claimed)
	}
	if diff := cmp.Diff([]string{"weather"}, a.Extra); diff != "" {
		t.Error(diff)
	}
	if s := a.Sessions["s_0011223344556a"]; !cmp.Equal(s.Extra, []string{"colour"}) || s.Custom["team"] != "pay" {
		t.Errorf("session record %+v", s)
	}
}

func TestUnresolvableKeysAndWordsAreUnknownNotAI(t *testing.T) {
	a := gitai.Parse(read(t, "v1.note"))
	c := a.Claims()
	want := []string{
		"src/lib.rs:43-48 ai | cursor | default | d1",
		"src/lib.rs:52-52 ai | cursor | default | d1",
		"src/lib.rs:57-57 ai | cursor | default | d1",
		"src/lib.rs:60-61 ai | claude-code | claude-sonnet-4-5-20250929 | c9",
		"src/lib.rs:68-68 unknown | key without record",
		"src/lib.rs:70-70 unknown | key without record",
		"src/lib.rs:151-151 unknown | key without record",
		"src/lib.rs:204-204 ai | claude-code | claude-sonnet-4-5-20250929 | c9",
		"src/lib.rs:212-212 ai | claude-code | claude-sonnet-4-5-20250929 | c9",
		"src/lib.rs:226-246 ai | claude-code | claude-sonnet-4-5-20250929 | c9",
		"src/lib.rs:300-300 unknown | record names no agent",
		"src/lib.rs:301-301 unknown | key without record",
	}
	if diff := cmp.Diff(want, notetest.Lines(c)); diff != "" {
		t.Error(diff)
	}
	if c.Unresolved != 4 || a.Unordered != 1 || len(a.Problems) != 0 {
		t.Errorf("%d unresolved, %d unordered, problems %v; want 4, 1, none", c.Unresolved, a.Unordered, a.Problems)
	}
	p := a.Prompts["e61c0a4"]
	if p.Additions != 9 || p.Deletions != 1 || p.Accepted != 8 || p.Overridden != 2 || p.MessageCount != 3 {
		t.Errorf("prompt record %+v", p)
	}
	if a.Logical != strings.Repeat("3", 40) {
		t.Errorf("logical commit %q", a.Logical)
	}
}

func TestKeyFormsAreTold(t *testing.T) {
	for key, want := range map[string]gitai.KeyForm{
		"s_0011223344556a::t_aabbccddeeff01": gitai.KeySession, "s_00": gitai.KeySession, "h_99887766554433": gitai.KeyHuman,
		"68a5978b673049fa": gitai.KeyHex16, "deadbeef": gitai.KeyHex8, "e61c0a4": gitai.KeyHex7,
		"638f41ac-1dd9-49eb-b090-a4abfe235a97": gitai.KeyUUID, "human": gitai.KeyWord, "ai_agent": gitai.KeyWord,
		"": gitai.KeyOther, "E61C0A4": gitai.KeyOther, "abc": gitai.KeyOther,
	} {
		if got := gitai.FormOf(key); got != want {
			t.Errorf("FormOf(%q) = %s, want %s", key, got, want)
		}
	}
}

func TestOlderStoreNamesAuthorsOnly(t *testing.T) {
	a := gitai.Parse(read(t, "old.json"))
	want := []string{
		"src/main.rs:10-71 ai | claude-code",
		"src/main.rs:80-80 ai | claude-code",
		"src/main.rs:90-90 unknown | " + note.ReasonNamedOnly,
	}
	if diff := cmp.Diff(want, notetest.Lines(a.Claims())); diff != "" {
		t.Error(diff)
	}
	if len(a.Problems) != 1 || a.Problems[0].Count != 1 {
		t.Errorf("problems %v, want one for the range 5 to 4", a.Problems)
	}
}

func TestDamageInANoteIsCountedAndTheRestRead(t *testing.T) {
	const text = "  s_1::t_1 1\nok.go\n  s_1::t_1 5,x,0,9-8,7\n one 1\n  nokey\n\"open\n"
	a := gitai.Parse([]byte(text + "---\n{\"schema_version\":\"authorship/3.0.0\",\"sessions\":{\"s_1\":{\"agent_id\":{\"tool\":\"codex\",\"id\":\"9\"}}}"))
	got := map[string]int{}
	for _, p := range a.Problems {
		got[p.Reason] = p.Count
	}
	want := map[string]int{
		"an entry without a path": 1, "a range that is not one or two line numbers": 1,
		"an entry that is not two spaces, key, space, ranges": 2,
		"a path that is empty or whose quote is not closed":   1, "metadata: damaged JSON": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"ok.go:5-5 ai | codex | 9", "ok.go:7-7 ai | codex | 9"}, notetest.Lines(a.Claims())); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", "---", "a.go\n  k 1\n", "---\n[]", "---\n{}", "{}", "{\"files\":3}", "x"} {
		if a := gitai.Parse([]byte(bad)); len(a.Problems) == 0 && bad != "{\"files\":3}" {
			t.Errorf("nothing is wrong with %q", bad)
		}
	}
}

func TestClaimsOfSeveralKeysKeepWhatTheyAgreeUpon(t *testing.T) {
	const meta = `---
{"schema_version":"authorship/3.0.0","base_commit_sha":"","prompts":{},"humans":{"h_1":{"author":"Ann <ann@x.test>"},"h_2":{"author":"Claude <noreply@anthropic.com>"}},"sessions":{
"s_1":{"agent_id":{"tool":"codex","id":"one","model":"gpt-5"}},"s_2":{"agent_id":{"tool":"codex","id":"two","model":"gpt-5"}},"s_3":{"agent_id":{"tool":"claude","id":"three","model":"claude-opus-4-6"}}}}`
	const text = "f\n  s_1::t_1 1-10,30\n  s_1::t_2 3-4\n  s_2::t_1 8-12\n  s_3::t_1 11-13\n  h_1 13-14\n  s_9::t_1 30\n  h_2 40\n"
	want := []string{
		"f:1-7 ai | codex | gpt-5 | one",
		"f:8-10 ai | codex | gpt-5 | " + note.ReasonSeveral,
		"f:11-12 ai | " + note.ReasonSeveral,
		"f:13-13 unknown | " + note.ReasonConflict,
		"f:14-14 human | Ann <ann@x.test>",
		"f:30-30 unknown | " + note.ReasonConflict,
		"f:40-40 unknown | " + note.ReasonIdentity,
	}
	if diff := cmp.Diff(want, notetest.Lines(gitai.Parse([]byte(text+meta)).Claims())); diff != "" {
		t.Error(diff)
	}
}

func TestMessagesAreReadOnDemand(t *testing.T) {
	a := gitai.Parse(read(t, "v1.note"))
	raw := a.Prompts["e61c0a4"].Messages
	turns, calls := gitai.Turns(raw)
	if len(turns) != 2 || turns[0].Role != "user" || turns[1].ToolCalls != 1 || len(calls) != 1 || calls[0].Tool != "edit" || calls[0].Turn != 2 {
		t.Fatalf("turns %+v, calls %+v", turns, calls)
	}
	for m := range gitai.Messages(raw) {
		if m.Text != "make it so\nplease" || m.Role != "user" {
			t.Errorf("first message %+v", m)
		}
		break
	}
	if at := time.Date(2025, 11, 30, 16, 44, 19, 844e6, time.UTC); turns[0].At != stemma.At(at) {
		t.Errorf("time %s, want %s", turns[0].At, at)
	}
}

func run(from, to int) note.Range { return note.Range{Start: from, End: to} }

func TestWrittenNoteIsCanonicalAndReadsBack(t *testing.T) {
	a := &gitai.Authorship{
		Writer: "stemma 0.1", Base: strings.Repeat("a", 40),
		Files: []gitai.File{
			{Path: "b c.go", Entries: []gitai.Entry{{Key: "s_2::t_2", Ranges: []note.Range{run(9, 9), run(1, 3), run(4, 5)}}}},
			{Path: "a\nb", Entries: []gitai.Entry{{Key: "s_2::t_2", Ranges: []note.Range{run(1, 1)}}}},
			{Path: `"q"`, Entries: []gitai.Entry{{Key: "h_1", Ranges: []note.Range{run(1, 2)}}}},
			{Path: "---", Entries: []gitai.Entry{{Key: "h_1", Ranges: []note.Range{run(7, 7)}}}},
			{Path: "\xff", Entries: []gitai.Entry{{Key: "h_1", Ranges: []note.Range{run(7, 7)}}}},
		},
		Sessions: map[string]gitai.Agent{"s_2": {Tool: "claude-code", ID: "i<d>", Model: "m"}},
		Humans:   map[string]string{"h_1": "Ann <ann@x.test>"},
	}
	b, err := a.Write()
	if err != nil {
		t.Fatal(err)
	}
	const want = "\"\"q\"\"\n  h_1 1-2\n\"---\"\n  h_1 7\n\"a\nb\"\n  s_2::t_2 1\n\"b c.go\"\n  s_2::t_2 1-5,9\n\xff\n  h_1 7\n---\n"
	if head, _, _ := bytes.Cut(b, []byte("{")); string(head) != want {
		t.Errorf("wrote\n%q, want\n%q", head, want)
	}
	again := gitai.Parse(b)
	if len(again.Problems) > 0 {
		t.Errorf("own note has problems: %v", again.Problems)
	}
	if c, d := a.Claims(), again.Claims(); c.Claimed != d.Claimed || len(c.Files) != len(d.Files) || c.Unresolved != d.Unresolved {
		t.Errorf("claims %+v, read back %+v", c, d)
	}
	if diff := cmp.Diff(a.Sessions, again.Sessions); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []gitai.File{
		{Path: "", Entries: []gitai.Entry{{Key: "k", Ranges: []note.Range{run(1, 1)}}}},
		{Path: "a\"\nb", Entries: []gitai.Entry{{Key: "k", Ranges: []note.Range{run(1, 1)}}}},
		{Path: "a\n---\nb", Entries: []gitai.Entry{{Key: "k", Ranges: []note.Range{run(1, 1)}}}},
		{Path: "a", Entries: []gitai.Entry{{Key: "k k", Ranges: []note.Range{run(1, 1)}}}},
		{Path: "a", Entries: []gitai.Entry{{Key: "k", Ranges: []note.Range{run(0, 1)}}}},
		{Path: "a", Entries: []gitai.Entry{{Key: "k"}}},
	} {
		if b, err := (&gitai.Authorship{Files: []gitai.File{bad}}).Write(); err == nil {
			t.Errorf("%+v was written as %q", bad, b)
		}
	}
}

func TestTracesSayWhatASessionCannot(t *testing.T) {
	was := note.Replaced{Agent: "codex", Session: "019e", ModelName: "gpt"}
	a := &gitai.Authorship{
		Writer: "stemma", Base: strings.Repeat("a", 40),
		Files: []gitai.File{{Path: "a.go", Entries: []gitai.Entry{
			{Key: "s_01::t_01", Ranges: []note.Range{{Start: 1, End: 2}}}, {Key: "s_01::t_02", Ranges: []note.Range{{Start: 4, End: 4}}}, {Key: "h_01", Ranges: []note.Range{{Start: 5, End: 6}}},
		}}},
		Sessions: map[string]gitai.Agent{"s_01": {Tool: "claude-code", ID: "5c1e", Model: "opus"}},
		Humans:   map[string]string{"h_01": "Ada <ada@example.com>"},
		Traces: map[string]gitai.Trace{
			"t_01": {Basis: stemma.BasisObservedHook, Model: "sonnet", Prompt: 3, Call: "toolu_1"},
			"h_01": {Basis: stemma.BasisObservedHook},
		},
		Details: []gitai.Detail{
			{Path: "a.go", Ranges: []note.Range{{Start: 6, End: 6}, {Start: 9, End: 9}}, Replaced: was},
			{Path: "a.go", Ranges: []note.Range{{Start: 2, End: 2}, {Start: 7, End: 8}}, Reason: "nobody looked"},
			{Path: "b.go", Ranges: []note.Range{{Start: 1, End: 3}}, Reason: "nobody looked"},
		},
	}
	text, err := a.Write()
	if err != nil {
		t.Fatal(err)
	}
	c := gitai.Parse(text).Claims()
	ai := note.Mark{Origin: stemma.OriginAI, Agent: "claude-code", Session: "5c1e", Key: "s_01"}
	first, second := ai, ai
	first.ModelName, first.Prompt, first.ToolCall, first.Basis = "sonnet", 3, "toolu_1", stemma.BasisObservedHook
	second.ModelName = "opus"
	person := note.Mark{Origin: stemma.OriginHuman, Author: "Ada <ada@example.com>", Key: "h_01", Basis: stemma.BasisObservedHook}
	changed := person
	changed.Replaced = was
	nobody := note.Mark{Origin: stemma.OriginUnknown, Reason: "nobody looked"}
	span := func(from, to int, m note.Mark) note.ClaimedSpan {
		return note.ClaimedSpan{Range: note.Range{Start: from, End: to}, Mark: &m}
	}
	want := []note.ClaimedFile{
		{Path: "a.go", Spans: []note.ClaimedSpan{span(1, 2, first), span(4, 4, second), span(5, 5, person), span(6, 6, changed), span(7, 8, nobody)}},
		{Path: "b.go", Spans: []note.ClaimedSpan{span(1, 3, nobody)}},
	}
	if d := cmp.Diff(want, c.Files); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if again, err := gitai.Parse(text).Write(); err != nil || string(again) != string(text) {
		t.Errorf("written again it is %s, %v", again, err)
	}
}

func TestAnchorsAreReadAsTheyWereWritten(t *testing.T) {
	tree, blob := strings.Repeat("7", 40), strings.Repeat("b", 40)
	lines := func(ranges ...note.Range) []note.Range { return ranges }
	one := note.Anchor{Path: "a.go", Blob: blob, Ranges: lines(note.Range{Start: 2, End: 3}), Text: []byte("two.3...")}
	other := note.Anchor{Path: "a.go", Blob: blob, Ranges: lines(note.Range{Start: 1, End: 2}), Text: []byte("one.two.")}
	a := &gitai.Authorship{Writer: "stemma", Tree: tree, Anchors: []note.Anchor{one}}
	text, err := a.Write()
	if err != nil {
		t.Fatal(err)
	}
	read := gitai.Parse(text)
	if diff := cmp.Diff(a.Anchors, read.Anchors); diff != "" || read.Tree != tree || len(read.Problems) > 0 || !read.Whole() {
		t.Errorf("read %+v (-want +got):\n%s", read, diff)
	}
	both := note.Anchor{Path: "a.go", Blob: blob, Ranges: lines(note.Range{Start: 1, End: 3}), Text: []byte("one.two.3...")}
	if diff := cmp.Diff([]note.Anchor{both}, gitai.Merge(read, &gitai.Authorship{Anchors: []note.Anchor{other}}).Anchors); diff != "" {
		t.Errorf("merged (-want +got):\n%s", diff)
	}
	for _, bad := range []string{
		`{"blob":"` + blob + `","at":"1-3","text":"AAAA"}`, `{"blob":"` + blob + `","at":"3-1","text":"AAAAAA=="}`, `{"at":"1","text":"?"}`,
		`{"at":"1-2147483647","text":""}`, `{"at":"","text":""}`, `[]`,
	} {
		got := gitai.Parse([]byte(`---` + "\n" + `{"schema_version":"authorship/3.0.0","stemma":{"tree":"main","anchors":{"a.go":` + bad + `}}}`))
		if len(got.Anchors) > 0 || got.Tree != "" {
			t.Errorf("%s is read as %+v", bad, got.Anchors)
		}
	}
}

// Two clones join their notes whenever one fetches those of the other.
func TestNotesAreJoinedTheSameInAnyOrderAndOnce(t *testing.T) {
	note := func(basis, model, details string) *gitai.Authorship {
		return gitai.Parse([]byte(`a.go
  s_1::t_1 1-2
---
{"schema_version":"authorship/3.0.0","git_ai_version":"stemma","base_commit_sha":"","prompts":{},"sessions":{"s_1":{"agent_id":{"tool":"codex","id":"1","model":"` + model + `"}}},
"stemma":{"traces":{"t_1":{"basis":"` + basis + `"}},"lines":{"a.go":[` + details + `]}}}`))
	}
	const one, other = `{"at":"3,5","reason":"who edited was not told"}`, `{"at":"1","replaced":{"agent":"amp"}},{"at":"1","replaced":{"agent":"codex"}}`
	a, b := note("observed-hook", "", one), note("recovered-content", "gpt-5", one+","+other)
	write := func(m *gitai.Authorship) string {
		t.Helper()
		text, err := m.Write()
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	joined := gitai.Merge(a, b)
	want := write(joined)
	for name, again := range map[string]*gitai.Authorship{
		"the other way": gitai.Merge(b, a), "with one again": gitai.Merge(joined, a), "with the other again": gitai.Merge(b, joined), "with itself": gitai.Merge(joined, joined),
	} {
		if diff := cmp.Diff(want, write(again)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if strings.Count(want, "who edited was not told") != 1 || !strings.Contains(want, "observed-hook") || !strings.Contains(want, "gpt-5") {
		t.Errorf("joined they are %s", want)
	}
}

func FuzzAuthorship(f *testing.F) {
	for _, name := range []string{"v3.note", "v1.note", "old.json"} {
		f.Add(read(f, name))
	}
	f.Add([]byte("a\na\n  s_1 1\n---\n{}"))
	f.Add([]byte("\"a\nb\"\n  s_1 1-2147483647,3\n---\n{\"sessions\":{\"s_1\":{\"agent_id\":{\"id\":\"\\ud800\"}}}}"))
	f.Add([]byte("---\n{\"stemma\":{\"tree\":\"" + strings.Repeat("a", 40) + "\",\"anchors\":{\"a\":{\"at\":\"1-2\",\"text\":\"AAAAAAAAAAA=\"}}}}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a := gitai.Parse(b)
		notetest.Check(t, a.Claims())
		for _, p := range a.Prompts {
			gitai.Turns(p.Messages)
		}
		first, err := a.Write()
		if err != nil {
			return
		}
		again := gitai.Parse(first)
		second, err := again.Write()
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("wrote\n%q\nthen\n%q, %v", first, second, err)
		}
		want, got := notetest.Lines(a.Claims()), notetest.Lines(again.Claims())
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" && !strings.Contains(diff, note.ReasonNamedOnly) {
			t.Fatalf("claims changed:\n%s", diff)
		}
	})
}

func BenchmarkAuthorship(b *testing.B) {
	var text strings.Builder
	for i := range 200 {
		fmt.Fprintf(&text, "src/file%d.go\n  68a5978b673049fa 1-40,44,50-90\n", i)
	}
	text.WriteString(`---` + "\n" + `{"schema_version":"authorship/3.0.0","base_commit_sha":"","prompts":{"68a5978b673049fa":{"agent_id":{"tool":"claude","id":"c9","model":"m"},"messages":[{"type":"user","text":"go"}`)
	for range 5000 {
		text.WriteString(`,{"type":"assistant","text":"A line of an answer.\nAnother line with \"quotes\" in it, and more of it."}`)
	}
	text.WriteString(`]}}}`)
	note1 := []byte(text.String())
	b.SetBytes(int64(len(note1)))
	for b.Loop() {
		if a := gitai.Parse(note1); a.Prompts["68a5978b673049fa"].MessageCount != 5001 || a.Claims().Claimed != 200*82 {
			b.Fatal("the note was not read whole")
		}
	}
}
