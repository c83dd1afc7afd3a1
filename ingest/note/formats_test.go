package note_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
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

func TestWhogititLinesTheCommitDidNotTouchAreNoClaims(t *testing.T) {
	w := note.ParseWhogitit(read(t, "whogitit-v3.json"))
	want := []string{
		"a.go:2-3 ai | claude-code | claude-opus-4-5-20251101 | 5e-1",
		"a.go:4-4 unknown | claude-code | claude-opus-4-5-20251101 | 5e-1 | " + note.ReasonModified,
		"a.go:5-5 human",
		"a.go:6-6 unknown | " + note.ReasonNotStated,
	}
	c := w.Claims()
	if diff := cmp.Diff(want, notetest.Lines(c)); diff != "" {
		t.Error(diff)
	}
	if w.Files[0].Kept != 1 || len(w.Problems) != 1 || w.Subagents != 2 {
		t.Errorf("%d kept, problems %v, %d sub-agents", w.Files[0].Kept, w.Problems, w.Subagents)
	}
	if len(c.Sessions) != 1 || c.Sessions[0].Prompts != 1 || c.Files[0].Spans[0].Prompt != 1 {
		t.Errorf("session %+v, prompt %d", c.Sessions, c.Files[0].Spans[0].Prompt)
	}
	for _, bad := range []string{"", "[]", "{", `{"version":1}`} {
		if len(note.ParseWhogitit([]byte(bad)).Problems) == 0 {
			t.Errorf("nothing is wrong with %q", bad)
		}
	}
}

func TestAgentTracesDropPseudoFilesAndKeepTheRest(t *testing.T) {
	all := slices.Collect(note.ParseAgentTraces(read(t, "traces.jsonl")))
	if len(all) != 3 {
		t.Fatalf("%d records, want 3", len(all))
	}
	want := []string{
		"a.ts:1-5 ai | cursor | anthropic/claude-opus-4-5 | https://chat.test/1",
		"a.ts:7-7 human",
		"a.ts:20-21 unknown | cursor | " + note.ReasonMixed,
	}
	if diff := cmp.Diff(want, notetest.Lines(all[0].Claims())); diff != "" {
		t.Error(diff)
	}
	if all[0].Pseudo != 1 || all[2].Pseudo != 1 || all[0].Revision != strings.Repeat("4", 40) || len(all[0].Problems) != 1 {
		t.Errorf("first record %+v", all[0])
	}
	if len(all[1].Problems) != 1 || !strings.Contains(all[1].Problems[0].Place, "line 3") {
		t.Errorf("the bad line gave %v", all[1].Problems)
	}
	pretty := slices.Collect(note.ParseAgentTraces([]byte("{\n\"version\":\"0.1.0\",\n\"files\":[]}\n")))
	if len(pretty) != 1 || len(pretty[0].Problems) != 0 {
		t.Errorf("a record over several lines gave %+v", pretty)
	}
}

func TestRecordsThatDisagreeGiveUnknown(t *testing.T) {
	claims := func(origin stemma.Origin, reason, session string, from, to int) note.Claims {
		return note.Claims{Format: "f" + session, Claimed: to - from + 1, Files: []note.ClaimedFile{{Path: "p", Spans: []note.ClaimedSpan{
			{Range: note.Range{Start: from, End: to}, Mark: &note.Mark{Origin: origin, Reason: reason, Session: session}},
		}}}}
	}
	c := note.Combine(
		claims(stemma.OriginAI, "", "1", 1, 6),
		claims(stemma.OriginHuman, "", "2", 6, 8),
		claims(stemma.OriginUnknown, "no", "3", 4, 10),
		claims(stemma.OriginAI, "", "4", 2, 2),
	)
	want := []string{
		"p:1-1 ai | 1", "p:2-2 ai | " + note.ReasonSeveral, "p:3-5 ai | 1", "p:6-6 unknown | " + note.ReasonConflict,
		"p:7-8 human | 2", "p:9-10 unknown | 3 | no",
	}
	if diff := cmp.Diff(want, notetest.Lines(c)); diff != "" {
		t.Error(diff)
	}
	if c.Claimed != 10 || c.Format != "f1+f2+f3+f4" {
		t.Errorf("%d lines of %q", c.Claimed, c.Format)
	}
	notetest.Check(t, c)
}

func declared(author note.Person, trailers ...note.Trailer) []string {
	var out []string
	for _, d := range note.Declare(author, author, trailers) {
		out = append(out, strings.Join([]string{d.Method, d.Agent, d.ModelName, d.Session, d.Checkpoint, d.URL, d.Evidence}, "|"))
	}
	return out
}

func TestTrailersOfOriginAreRecognised(t *testing.T) {
	ann := note.Person{Name: "Ann Lee", Mail: "ann@x.test"}
	for _, c := range []struct{ key, value, want string }{
		{"Co-Authored-By", "Claude Opus 4.6 <noreply@anthropic.com>", "trailer co-authored-by|claude-code|Claude Opus 4.6||||Claude Opus 4.6 <noreply@anthropic.com>"},
		{"co-authored-by", "Claude <noreply@anthropic.com>", "trailer co-authored-by|claude-code|||||Claude <noreply@anthropic.com>"},
		{"Co-authored-by", "Bo Ray <bo@x.test>", ""},
		{"Assisted-by", "Claude:claude-opus-4-6 coccinelle", "trailer assisted-by|claude-code|claude-opus-4-6||||Claude:claude-opus-4-6 coccinelle"},
		{"Assisted-by", "Bo Ray <bo@x.test>", ""},
		{"Assisted-by", "Bo Ray", ""},
		{"Generated-by", "Codex", "trailer generated-by|codex|||||Codex"},
		{"Generated-by", "protoc-gen-go", ""},
		{"AI-Assisted", "no", ""},
		{"AI-Assisted", "yes", "trailer ai-assisted||||||yes"},
		{"AI-Assisted", "Cursor", "trailer ai-assisted|cursor|||||Cursor"},
		{"Agent-Logs-Url", "https://github.com/a/b/sessions/77", "trailer agent-logs-url|copilot-swe-agent||a/b/sessions/77||https://github.com/a/b/sessions/77|https://github.com/a/b/sessions/77"},
		{"Agent-Logs-Url", "javascript:alert(1)", ""},
		{"Claude-Session", "https://claude.ai/code/session_0aB?x=1", "trailer claude-session|claude-code||session_0aB||https://claude.ai/code/session_0aB?x=1|https://claude.ai/code/session_0aB?x=1"},
		{"Codex-Session-Id", "77", "trailer codex-session-id|codex||77|||77"},
		{"Jam-Session", "77", ""},
		{"https", "//claude.ai/code/session_0aB", "session url|claude-code||session_0aB||https://claude.ai/code/session_0aB|https://claude.ai/code/session_0aB"},
		{"https", "//example.test/x", ""},
		{"Entire-Checkpoint", "abcdef012345", "trailer entire-checkpoint||||abcdef012345||abcdef012345"},
		{"Entire-Checkpoint", "x", ""},
		{"Entire-Session", "5e", "trailer entire-session|||5e|||5e"},
		{"Entire-Agent", "Claude Code", "trailer entire-agent|claude-code|||||Claude Code"},
		{"Entire-Attribution", "73% agent (146/200 lines)", "trailer entire-attribution||||||73% agent (146/200 lines)"},
		{"Entire-Attribution", "much", ""},
		{"Signed-off-by", "Claude Opus 4.6 <noreply@anthropic.com>", ""},
	} {
		var want []string
		if c.want != "" {
			want = []string{c.want}
		}
		if diff := cmp.Diff(want, declared(ann, note.Trailer{Key: c.key, Value: c.value})); diff != "" {
			t.Errorf("%s: %s:\n%s", c.key, c.value, diff)
		}
	}
	got := note.Declare(ann, ann, []note.Trailer{{"AI-Session", "5e"}, {"AI-Model", "claude-opus-4-5"}, {"AI-Lines", "12"}, {"AI-Modified", "3"}, {"Human-Lines", "x"}})
	if len(got) != 1 || got[0].Session != "5e" || got[0].AILines != 12 || got[0].ModifiedLines != 3 || got[0].HumanLines != 0 {
		t.Errorf("whogitit's trailers gave %+v", got)
	}
	if got := note.Declare(ann, ann, []note.Trailer{{"Entire-Attribution", "73% agent (146/200 lines)"}}); got[0].AILines != 146 || got[0].TotalLines != 200 {
		t.Errorf("%+v", got)
	}
}

func TestAgentAsAuthorIsAMarkAndAPersonIsNot(t *testing.T) {
	devin := note.Person{Name: "devin-ai-integration[bot]", Mail: "158243242+devin-ai-integration[bot]@users.noreply.github.com"}
	ds := note.Declare(devin, note.Person{Name: "GitHub", Mail: "noreply@github.com"}, nil)
	if len(ds) != 1 || ds[0].Agent != "devin" || ds[0].Method != "author" || !ds[0].Bot {
		t.Errorf("%+v", ds)
	}
	if ds := note.Declare(note.Person{Name: "Ann", Mail: "ann@x.test"}, devin, nil); len(ds) != 1 || ds[0].Method != "committer" {
		t.Errorf("%+v", ds)
	}
	bot := note.Person{Name: "dependabot[bot]", Mail: "49699333+dependabot[bot]@users.noreply.github.com"}
	if ds := note.Declare(bot, bot, nil); len(ds) != 0 {
		t.Errorf("a bot that is no agent gave %+v", ds)
	}
	ann := note.Person{Name: "Ann Lee (aider)", Mail: "ann@x.test"}
	for _, d := range note.Declare(ann, ann, nil) {
		if strings.Contains(d.Evidence, "Ann") || strings.Contains(d.Evidence, "ann@") || d.Bot {
			t.Errorf("a person's name is in %+v", d)
		}
	}
}

func FuzzWhogitit(f *testing.F) {
	f.Add(read(f, "whogitit-v3.json"))
	f.Fuzz(func(t *testing.T, b []byte) { notetest.Check(t, note.ParseWhogitit(b).Claims()) })
}

func FuzzAgentTraces(f *testing.F) {
	f.Add(read(f, "traces.jsonl"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var all []note.Claims
		for r := range note.ParseAgentTraces(b) {
			all = append(all, r.Claims())
			notetest.Check(t, all[len(all)-1])
		}
		notetest.Check(t, note.Combine(all...))
	})
}

func FuzzDeclare(f *testing.F) {
	f.Add("Ann", "ann@x.test", "Assisted-by", "Claude:claude-opus-4-6 [x]")
	f.Add("x[bot]", "1+cursor[bot]@users.noreply.github.com", "AI-Lines", "")
	f.Add("", "", "Entire-Attribution", "(1/2")
	f.Fuzz(func(t *testing.T, name, mail, key, value string) {
		p := note.Person{Name: name, Mail: mail}
		for _, d := range note.Declare(p, p, []note.Trailer{{key, value}}) {
			if d.Method == "" || len(d.Evidence) > 1100 || strings.ContainsAny(d.Evidence+d.Session+d.URL+d.Method+d.ModelName, "\n\x00\x1b") || d.AILines < 0 || d.HumanLines < 0 {
				t.Fatalf("%+v", d)
			}
		}
	})
}
