package chainloop_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/ingest/chainloop"
	"github.com/stemma-dev/stemma/ingest/note/notetest"
)

var one, two = strings.Repeat("a1", 20), strings.Repeat("b2", 20)

// session writes a file: the context of git, and files that it changed.
func session(context string, files ...string) string {
	return `{"chainloop.material.evidence.id":"CHAINLOOP_AI_CODING_SESSION",
"schema":"https://schemas.chainloop.dev/aicodingsession/0.1/ai-coding-session.schema.json",
"data":{"schema_version":"v1","agent":{"name":"claude-code","version":"2.1"},
"session":{"id":"5c1e","slug":"brave-otter","started_at":"2026-03-01T10:00:00.5Z","ended_at":"2026-03-01T11:00:00Z","duration_seconds":3600},
"git_context":{"repository":"git@git.example:acme/pay.git","branch":"refunds","work_dir":"/src/pay",` + context + `},
"code_changes":{"files_modified":1,"files":[` + strings.Join(files, ",") + `]},
"model":{"primary":"claude-opus-4-6","provider":"anthropic","models_used":["claude-opus-4-6"]},
"usage":{"input_tokens":8,"output_tokens":294,"total_tokens":302,"cache_read_input_tokens":900,"cache_creation_input_tokens":70,"estimated_cost_usd":0.19},
"tools_used":{"summary":[{"tool_name":"Edit","invocation_count":1}],"total_invocations":1},
"conversation":{"total_messages":7},"subagents":[],"raw_session":{"main":[{"type":"user","message":{"content":"refunds please"}}]},"warnings":[]}}`
}

// file writes a file that an agent is said to have written in.
func file(path string, added int, ranges string, more ...string) string {
	var list []string
	for r := range strings.FieldsSeq(ranges) {
		start, end, _ := strings.Cut(r, "-")
		list = append(list, fmt.Sprintf(`{"start":%s,"end":%s}`, start, end))
	}
	return fmt.Sprintf(`{"path":%q,"status":"modified","lines_added":%d,"attribution":"ai","line_ranges":[%s]%s}`, path, added, strings.Join(list, ","), strings.Join(more, ""))
}

func onlyCommit(id string) string {
	return fmt.Sprintf(`"commit_start":%q,"commit_end":%q,"commits":[%q],"commit_count":1`, id, id, id)
}

func TestLinesOfTheOnlyCommitAreTheAgents(t *testing.T) {
	text := session(onlyCommit(one), file("a.go", 5, "2-4 9-9", `,"session_ids":["5c1e"]`), `{"path":"go.mod","status":"created","lines_added":3,"attribution":"human"}`)
	if !chainloop.Is([]byte(text)) {
		t.Error("it is not recognised")
	}
	s := chainloop.Parse([]byte(text))
	c := s.Claims()
	notetest.Check(t, c)
	want := []string{"a.go:2-4 ai | claude-code | claude-opus-4-6 | 5c1e", "a.go:9-9 ai | claude-code | claude-opus-4-6 | 5c1e"}
	if d := cmp.Diff(want, notetest.Lines(c)); d != "" {
		t.Errorf("lines (-want +got):\n%s", d)
	}
	if c.Revision != one || len(s.Problems) != 0 || s.Several || c.Writer != "chainloop claude-code 2.1" {
		t.Errorf("of %s, several %t, by %q, problems %v", c.Revision, s.Several, c.Writer, s.Problems)
	}
	x, ok := s.Record()
	if !ok || x.Ref() != "session:claude-code/5c1e" || x.HarnessVersion != "2.1" || x.Title != "brave-otter" || x.Branch != "refunds" ||
		x.InputTokens != 8 || x.OutputTokens != 294 || x.CacheReadTokens != 900 || x.CacheWriteTokens != 70 || len(x.Models) != 1 || x.Started == 0 || x.Ended <= x.Started {
		t.Errorf("session %+v, %t", x, ok)
	}
}

func TestLinesThatMayBeOfAnotherTextAreUnknown(t *testing.T) {
	for name, c := range map[string]struct{ context, file, want string }{
		"several commits": {
			fmt.Sprintf(`"commit_start":%q,"commit_end":%q,"commits":[%q,%q],"commit_count":2`, one, two, one, two), file("a.go", 9, "2-4"),
			"a.go:2-4 unknown | claude-code | claude-opus-4-6 | 5c1e | " + chainloop.ReasonCommits,
		},
		"one named of two": {
			fmt.Sprintf(`"commits":[%q],"commit_count":2`, one), file("a.go", 9, "2-4"),
			"a.go:2-4 unknown | claude-code | claude-opus-4-6 | 5c1e | " + chainloop.ReasonCommits,
		},
		"an edit above an earlier one": {
			onlyCommit(one), file("a.go", 9, "20-24 2-4"),
			"a.go:2-4 unknown | claude-code | claude-opus-4-6 | 5c1e | " + chainloop.ReasonState + "\na.go:20-24 unknown | claude-code | claude-opus-4-6 | 5c1e | " + chainloop.ReasonState,
		},
		"an edit of the same lines": {
			onlyCommit(one), file("a.go", 9, "2-4 3-5"),
			"a.go:2-5 unknown | claude-code | claude-opus-4-6 | 5c1e | " + chainloop.ReasonState,
		},
		"more lines than were added": {
			onlyCommit(one), file("a.go", 2, "2-4"),
			"a.go:2-4 unknown | claude-code | claude-opus-4-6 | 5c1e | " + chainloop.ReasonState,
		},
		"behind the end of a new file": {
			onlyCommit(one), strings.Replace(file("a.go", 5, "5-7"), "modified", "created", 1),
			"a.go:5-7 unknown | claude-code | claude-opus-4-6 | 5c1e | " + chainloop.ReasonState,
		},
		"a person's file": {
			onlyCommit(one), strings.Replace(file("a.go", 5, "5-7"), `"ai"`, `"human"`, 1),
			"a.go:5-7 unknown | claude-code | claude-opus-4-6 | 5c1e | the record does not say",
		},
		"of another session too": {
			onlyCommit(one), file("a.go", 5, "5-7", `,"session_ids":["5c1e","77"]`),
			"a.go:5-7 unknown | claude-code | claimed by several sessions",
		},
		"the same path again": {
			onlyCommit(one), file("a.go", 5, "1-2") + "," + file("a.go", 1, "2-3"),
			"a.go:1-1 ai | claude-code | claude-opus-4-6 | 5c1e\na.go:2-2 unknown | records disagree on the origin\na.go:3-3 unknown | claude-code | claude-opus-4-6 | 5c1e | " + chainloop.ReasonState,
		},
	} {
		claims := chainloop.Parse([]byte(session(c.context, c.file))).Claims()
		notetest.Check(t, claims)
		if got := strings.Join(notetest.Lines(claims), "\n"); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

func TestCommitsAreFoundWholeOrCounted(t *testing.T) {
	for name, c := range map[string]struct {
		context string
		commits []string
		several bool
		bad     string
	}{
		"in short, and whole beside": {
			fmt.Sprintf(`"commit_start":%q,"commit_end":%q,"commits":["a1a1a1a Add refunds","b2b2b2b Mend refunds"],"commit_count":2`, one, two), []string{one, two}, true, "",
		},
		"one in short": {fmt.Sprintf(`"commit_start":%q,"commit_end":%q,"commits":["a1a1a1a Add refunds"]`, one, one), []string{one}, false, ""},
		"a third in short": {
			fmt.Sprintf(`"commit_start":%q,"commit_end":%q,"commits":["a1a1a1a x","c3c3c3c y","b2b2b2b z"],"commit_count":3`, one, two),
			[]string{one, two},
			true,
			"commit 1: a commit that is named only in short",
		},
		"no list":            {fmt.Sprintf(`"commit_start":%q,"commit_end":%q`, one, one), []string{one}, false, ""},
		"none":               {`"commits":[]`, nil, false, ""},
		"twice":              {fmt.Sprintf(`"commits":[%q,%q]`, one, one), []string{one}, false, ""},
		"another at the end": {fmt.Sprintf(`"commit_end":%q,"commits":[%q]`, two, one), []string{one}, true, ""},
		"no name":            {`"commits":["HEAD",7]`, nil, true, "commit 0: a commit without a name"},
		"very many": {
			`"commits":["` + strings.Join(strings.Fields(strings.Repeat(one+" ", chainloop.MaxCommits+1)), `","`) + `"]`, []string{one}, true, "commit 64: more commits than are read",
		},
	} {
		s := chainloop.Parse([]byte(session(c.context)))
		bad := ""
		for _, p := range s.Problems {
			bad = p.Place + ": " + p.Reason
			break
		}
		if !cmp.Equal(s.Commits, c.commits) || s.Several != c.several || bad != c.bad {
			t.Errorf("%s: %v, several %t, problem %q", name, s.Commits, s.Several, bad)
		}
	}
}

func TestModelIsNamedWhereTheSessionHadOne(t *testing.T) {
	text := session(onlyCommit(one), file("a.go", 5, "2-4"))
	s := chainloop.Parse([]byte(strings.Replace(text, `["claude-opus-4-6"]`, `["claude-haiku-4-5","claude-opus-4-6"]`, 1)))
	if got := notetest.Lines(s.Claims()); !cmp.Equal(got, []string{"a.go:2-4 ai | claude-code | 5c1e"}) {
		t.Errorf("%q", got)
	}
	if x, _ := s.Record(); len(x.Models) != 2 {
		t.Errorf("models %v", x.Models)
	}
}

func TestWhatCannotBeReadIsCounted(t *testing.T) {
	good := session(onlyCommit(one), file("a.go", 5, "2-4"))
	for name, c := range map[string]struct {
		text  string
		bad   string
		lines int
	}{
		"cut short":       {good[:len(good)-1], "damaged JSON", 0},
		"more behind":     {good + "x", "damaged JSON", 0},
		"no object":       {`[]`, "not a JSON object", 0},
		"another version": {strings.Replace(good, "/0.1/", "/0.12/", 1), "a schema that is not version 0.1", 1},
		"a bad range":     {session(onlyCommit(one), file("a.go", 5, "4-2 7-8 0-1 1-2147483648")), "a range that is not ascending line numbers", 1},
		"no path":         {session(onlyCommit(one), file("", 5, "4-5"), file("b.go", 5, "4-5")), "a file without a path", 1},
		"no agent":        {strings.Replace(good, "claude-code", "", 1), "", 0},
		"no session":      {strings.Replace(good, `"id":"5c1e"`, `"id":5`, 1), "", 0},
	} {
		s := chainloop.Parse([]byte(c.text))
		var bad string
		for _, p := range s.Problems {
			bad = p.Reason
		}
		if n := len(notetest.Lines(s.Claims())); bad != c.bad || n != c.lines {
			t.Errorf("%s: %d stretches of lines, problems %v", name, n, s.Problems)
		}
		if _, ok := s.Record(); ok != s.Told() {
			t.Errorf("%s: a session of nobody", name)
		}
	}
	if chainloop.Is([]byte(`{"chainloop.material.evidence.id":"CHAINLOOP_AI_AGENT_CONFIG"}`)) || chainloop.Is([]byte("x")) {
		t.Error("something else is recognised")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(session(onlyCommit(one), file("a.go", 5, "2-4 9-9"), file("a.go", 1, "3-8")))
	f.Add(session(`"commit_start":"a1","commit_end":1,"commits":["a1a1a1a x",{},"` + two + `"],"commit_count":-1`))
	f.Add(`{"data":{"code_changes":{"files":[{"path":"\u0000","line_ranges":[{"start":1e30,"end":-1}]}]},"usage":{"input_tokens":9223372036854775807}}}`)
	f.Add(`{"chainloop.material.evidence.id":"CHAINLOOP_AI_CODING_SESSION","data":`)
	f.Fuzz(func(t *testing.T, text string) {
		chainloop.Is([]byte(text))
		s := chainloop.Parse([]byte(text))
		notetest.Check(t, s.Claims())
		if len(s.Commits) > chainloop.MaxCommits+2 || len(s.Commits) > 1 && !s.Several {
			t.Errorf("%d commits, several %t", len(s.Commits), s.Several)
		}
		if x, ok := s.Record(); ok && x.Started >= 0 && x.Ended >= 0 {
			if _, err := x.Fact("test", "D"); err != nil && x.Ref().Valid() {
				t.Errorf("no fact can be made of it: %v", err)
			}
		}
	})
}
