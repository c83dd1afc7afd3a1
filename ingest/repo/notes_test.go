package repo_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/note/notetest"
)

// oneNote is a repository of one commit whose file has AI's, a person's and
// unrecorded lines.
func oneNote(t testing.TB) *gittest.Repo {
	r := gittest.New(t)
	first := r.Commit("feat: begin", "a.go", gittest.Lines("begin", 10))
	r.Note("ai", first, notetest.GitAI(first, "a.go", "1-3", "4-5"))
	return r
}

func TestNoteTellsAIHumanAndUnknownLines(t *testing.T) {
	r, s := oneNote(t), newSpace(t)
	report := s.scan(r.Dir)
	if report.Notes != 1 || report.Orphans != 0 || len(report.Gaps) != 0 {
		t.Errorf("report %+v, want one note, no orphan, no gap", report)
	}
	want(t, "file", []string{s.file("a.go")}, "10 3 2 5")
	want(t, "runs", s.runs("a.go"), "1 3 ai codex gpt-5.6-sol", "4 2 human - -", "6 5 unknown - -")
	want(t, "commit", s.rows(`SELECT ai_lines, human_lines, unknown_lines, author_class FROM k_commit`), "3 2 5 mixed")
	want(t, "change", s.rows(`SELECT ai_lines, human_lines, unknown_lines, author_class FROM k_change`), "3 2 5 mixed")
	want(t, "session", s.rows(`SELECT tool, external_id FROM k_session`), "codex 019e-77")
	s.verify()
}

func TestMisplacedClaimsAreNeverCredited(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	r.Commit("begin", "a.go", gittest.Lines("begin", 10))
	second := r.Commit("add", "a.go", gittest.Lines("begin", 10)+gittest.Lines("more", 5))
	// It claims lines of the first commit, lines that do not exist, and another file.
	r.Note("ai", second, "b.go\n  s_0011223344556a::t_aabbccddeeff01 1-9\n"+notetest.GitAI(second, "a.go", "8-12,100-120", ""))
	s.scan(r.Dir)
	want(t, "attribution", s.rows(`SELECT ai_lines, human_lines, unknown_lines, claimed_lines, misplaced_lines FROM k_attribution`),
		"2 0 3 35 33")
	want(t, "runs", s.runs("a.go"), "1 10 unknown - -", "11 2 ai codex gpt-5.6-sol", "13 3 unknown - -")
	s.everyAttestedLineWasAdded(r)
}

// everyAttestedLineWasAdded checks every span against git's own diff.
func (s *space) everyAttestedLineWasAdded(r *gittest.Repo) {
	s.t.Helper()
	added := map[string]bool{}
	for _, row := range s.rows(`SELECT n.ref, p.path, p.start, p."end" FROM k_attribution_span p
		JOIN k_attribution a ON a.id = p.id JOIN node n ON n.id = a."commit"`) {
		f := strings.Fields(row)
		_, id := stemma.Ref(f[0]).Split()
		if !added[id] {
			added[id] = true
			for path, ranges := range addedBy(r, id) {
				for _, n := range ranges {
					added[fmt.Sprintf("%s %s %d", id, path, n)] = true
				}
			}
		}
		from, _ := strconv.Atoi(f[2])
		to, _ := strconv.Atoi(f[3])
		for n := from; n <= to; n++ {
			if !added[fmt.Sprintf("%s %s %d", id, f[1], n)] {
				s.t.Errorf("%s says that %s:%d was added", f[0], f[1], n)
			}
		}
	}
}

// addedBy are the lines that a commit added, by path, as git diff-tree tells.
func addedBy(r *gittest.Repo, id string) map[string][]int {
	added := map[string][]int{}
	path := ""
	for line := range strings.Lines(r.Git("diff-tree", "--root", "-r", "-M", "-U0", "-p", "--no-commit-id", id)) {
		if rest, ok := strings.CutPrefix(line, "+++ b/"); ok {
			path = strings.TrimSpace(rest)
		}
		if strings.HasPrefix(line, "@@ ") {
			start, count, many := strings.Cut(strings.TrimPrefix(strings.Fields(line)[2], "+"), ",")
			if !many {
				count = "1"
			}
			from, _ := strconv.Atoi(start)
			n, _ := strconv.Atoi(count)
			for i := range n {
				added[path] = append(added[path], from+i)
			}
		}
	}
	return added
}

func TestKeyWithoutRecordIsUnknown(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("begin", "a.go", gittest.Lines("begin", 4))
	r.Note("ai", first, "a.go\n  s_ffffffffffffff::t_aabbccddeeff01 1-2\n  0123456789abcdef 3\n---\n"+
		`{"schema_version":"authorship/3.0.0","base_commit_sha":"","prompts":{}}`)
	s.scan(r.Dir)
	want(t, "attribution", s.rows(`SELECT ai_lines, unknown_lines, unresolved_keys FROM k_attribution`), "0 4 2")
	if got := s.file("a.go"); got != "4 0 0 4" {
		t.Errorf("file %s, want all unknown", got)
	}
}

func TestOrphanNotesAreCountedAndBoundWhenTheirCommitComes(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	r.Commit("begin", "a.go", gittest.Lines("begin", 3))
	r.Git("checkout", "-q", "-b", "side")
	side := r.Commit("side", "b.go", gittest.Lines("side", 4))
	r.Note("ai", side, notetest.GitAI(side, "b.go", "1-4", ""))
	c := r.Clone("--single-branch", "--branch", "main", "--no-tags")
	c.Git("fetch", "-q", "origin", "refs/notes/ai:refs/notes/ai")
	if report := s.scan(c.Dir); report.Notes != 1 || report.Orphans != 1 {
		t.Errorf("notes %d orphans %d, want one of one", report.Notes, report.Orphans)
	}
	want(t, "orphan", s.rows(`SELECT ai_lines, claimed_lines FROM k_attribution`), "0 4")
	// Something else moves: the orphan is not stated again.
	c.Git("tag", "other")
	before := s.size()
	if report := s.scan(c.Dir); report.Notes != 0 {
		t.Errorf("%d notes read again", report.Notes)
	}
	if s.size() > before+3 { // the repository and the tag
		t.Errorf("%d facts for a new tag", s.size()-before)
	}
	// The branch is fetched later, the notes do not move.
	c.Git("fetch", "-q", "origin", "side:side")
	s.scan(c.Dir)
	want(t, "bound", s.rows(`SELECT ai_lines, claimed_lines FROM k_attribution`), "4 4")
	want(t, "commit", s.rows(`SELECT ai_lines, author_class FROM k_commit WHERE title = 'side'`), "4 ai")
	s.verify()
}

// restatements are the tables that a late note changes.
func (s *space) tallies() []string {
	s.t.Helper()
	return []string{
		"commit " + s.one(`SELECT ai_lines, human_lines, unknown_lines, author_class FROM k_commit WHERE title LIKE 'feat%'`),
		"change " + s.one(`SELECT ai_lines, human_lines, unknown_lines, author_class FROM k_change WHERE title LIKE 'feat%'`),
		"file " + s.one(`SELECT ai_lines, human_lines, unknown_lines FROM k_file WHERE path = 'a.go'`),
		"credits " + strings.Join(s.rows(`SELECT r.origin, r.lines FROM k_change c JOIN k_change_credit r ON r.id = c.id
			WHERE c.title LIKE 'feat%' ORDER BY r.seq`), ", "),
	}
}

func TestLateNoteIsRightEverywhere(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("feat: begin", "a.go", gittest.Lines("begin", 10))
	r.Commit("other", "b.go", gittest.Lines("other", 3))
	s.scan(r.Dir)
	want(t, "before", s.tallies(), "commit 0 0 10 unknown", "change 0 0 10 unknown", "file 0 0 10", "credits ")
	// The note comes together with new commits.
	r.Note("ai", first, notetest.GitAI(first, "a.go", "1-8", "9"))
	r.Commit("docs: third", "c.go", gittest.Lines("third", 3))
	report := s.scan(r.Dir)
	want(t, "after", s.tallies(), "commit 8 1 1 mixed", "change 8 1 1 mixed", "file 8 1 1", "credits ai 8, human 1")
	if report.Orphans != 0 || report.Commits != 1 {
		t.Errorf("report %+v, want one commit and no orphan", report)
	}
	want(t, "changes", s.rows(`SELECT title FROM k_change ORDER BY title`), "docs: third", "feat: begin", "other")
	once := newSpace(t)
	once.scan(r.Dir)
	same(t, "late note", s, once)
	s.verify()
}

func TestLateNoteChangesWhatFixesSayOfTheOrigin(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("feat: begin", "a.go", gittest.Lines("begin", 10))
	r.Commit("fix: wrong value", "a.go", strings.Replace(gittest.Lines("begin", 10), "value(3", "right(3", 1))
	s.scan(r.Dir)
	want(t, "before", s.rows(`SELECT origin_author FROM k_change WHERE intent = 'fix'`), "unknown")
	r.Note("ai", first, notetest.GitAI(first, "a.go", "1-10", ""))
	s.scan(r.Dir)
	want(t, "after", s.rows(`SELECT origin_author FROM k_change WHERE intent = 'fix'`), "ai")
	once := newSpace(t)
	once.scan(r.Dir)
	same(t, "fix", s, once)
}

func TestNoteRewrittenAndRestoredEndsRight(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("feat: begin", "a.go", gittest.Lines("begin", 10))
	a, b := notetest.GitAI(first, "a.go", "1-8", "9"), notetest.GitAI(first, "a.go", "1-2", "3-10")
	onlyModel := strings.Replace(a, "gpt-5.6-sol", "gpt-5.7", 1)
	for i, step := range []struct {
		note, file, model string
	}{{a, "8 1 1", "gpt-5.6-sol"}, {b, "2 8 0", "gpt-5.6-sol"}, {a, "8 1 1", "gpt-5.6-sol"}, {onlyModel, "8 1 1", "gpt-5.7"}, {a, "8 1 1", "gpt-5.6-sol"}} {
		r.Note("ai", first, step.note)
		s.scan(r.Dir)
		got := s.tallies()
		for _, line := range got[:3] {
			if !strings.Contains(line, step.file) {
				t.Errorf("step %d: %s, want %s", i, line, step.file)
			}
		}
		if got := s.one(`SELECT MAX(model_name) FROM k_attribution_span`); got != step.model {
			t.Errorf("step %d: model of the record %s, want %s", i, got, step.model)
		}
		if got := s.one(`SELECT MAX(model_name) FROM k_file_run`); got != step.model {
			t.Errorf("step %d: model of the lines %s, want %s", i, got, step.model)
		}
	}
	s.verify()
}

func TestSameNoteUnderTwoRefsCountsOnce(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("feat: begin", "a.go", gittest.Lines("begin", 10))
	body := notetest.GitAI(first, "a.go", "1-8", "9")
	r.Note("ai", first, body)
	r.Note("ai-remote/origin", first, body)
	r.Git("update-ref", "refs/ai/authorship/"+first, r.GitWith([]byte(body+"\n"), "hash-object", "-w", "--stdin"))
	if report := s.scan(r.Dir); report.Notes != 1 {
		t.Errorf("%d notes, want one", report.Notes)
	}
	want(t, "tallies", s.tallies(), "commit 8 1 1 mixed", "change 8 1 1 mixed", "file 8 1 1", "credits ai 8, human 1")
}

func TestTwoNotesOfOneFormatAreJoined(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("feat: begin", "a.go", gittest.Lines("begin", 10))
	r.Note("ai", first, notetest.GitAI(first, "a.go", "1-4", ""))
	r.Git("update-ref", "refs/ai/authorship/"+first, r.GitWith([]byte(notetest.GitAI(first, "a.go", "3-6", "7")), "hash-object", "-w", "--stdin"))
	s.scan(r.Dir)
	want(t, "tallies", s.tallies(), "commit 6 1 3 mixed", "change 6 1 3 mixed", "file 6 1 3", "credits ai 6, human 1")
	before := s.size()
	r.Git("tag", "moved")
	if s.scan(r.Dir); s.size() > before+3 {
		t.Errorf("%d facts for a new tag", s.size()-before)
	}
}

func TestOtherFormatsTellLinesToo(t *testing.T) {
	t.Run("whogitit", func(t *testing.T) {
		r, s := gittest.New(t), newSpace(t)
		first := r.Commit("feat: begin", "a.go", gittest.Lines("begin", 5))
		r.Note("whogitit", first, notetest.Whogitit)
		s.scan(r.Dir)
		want(t, "runs", s.runs("a.go"), "1 1 ai claude-code claude-opus-4-5-20251101", "2 1 human - -", "3 1 unknown claude-code claude-opus-4-5-20251101", "4 2 unknown - -")
	})
	t.Run("agent trace", func(t *testing.T) {
		r, s := gittest.New(t), newSpace(t)
		first := r.Commit("feat: begin", "a.go", gittest.Lines("begin", 5))
		r.Commit("traces", ".agent-trace/traces.jsonl", notetest.AgentTrace("550e8400-e29b-41d4-a716-446655440000", first, 2, 3))
		s.scan(r.Dir)
		want(t, "runs", s.runs("a.go"), "1 1 unknown - -", "2 2 ai cursor openai/gpt-5", "4 2 unknown - -")
		// The file grows: one commit has two records now.
		r.Commit("traces", ".agent-trace/traces.jsonl", notetest.AgentTrace("550e8400-e29b-41d4-a716-446655440000", first, 2, 3)+
			notetest.AgentTrace("550e8400-e29b-41d4-a716-446655440001", first, 5, 5))
		s.scan(r.Dir)
		want(t, "runs", s.runs("a.go"), "1 1 unknown - -", "2 2 ai cursor openai/gpt-5", "4 1 unknown - -", "5 1 ai cursor openai/gpt-5")
		once := newSpace(t)
		once.scan(r.Dir)
		same(t, "grown traces", s, once)
	})
	t.Run("a second format comes late", func(t *testing.T) {
		r, s := gittest.New(t), newSpace(t)
		first := r.Commit("feat: begin", "a.go", gittest.Lines("begin", 10))
		r.Note("ai", first, notetest.GitAI(first, "a.go", "1-2,6", "8"))
		s.scan(r.Dir)
		r.Note("whogitit", first, notetest.Whogitit)
		s.scan(r.Dir)
		// Line 1 is AI's by both, with different sessions; line 2 is contested.
		want(t, "runs", s.runs("a.go"), "1 1 ai - -", "2 1 unknown - -", "3 1 unknown claude-code claude-opus-4-5-20251101",
			"4 2 unknown - -", "6 1 ai codex gpt-5.6-sol", "7 1 unknown - -", "8 1 human - -", "9 2 unknown - -")
		once := newSpace(t)
		once.scan(r.Dir)
		same(t, "late format", s, once)
		// A later scan has the records from the graph only.
		r.Commit("fix: lines", "a.go", "new\n"+gittest.Lines("begin", 10))
		s.scan(r.Dir)
		again := newSpace(t)
		again.scan(r.Dir)
		same(t, "late format, from the graph", s, again)
	})
}

func TestSessionKeepsTheModelsOfAllItsNotes(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("feat: begin", "a.go", gittest.Lines("begin", 3))
	r.Note("ai", first, notetest.GitAI(first, "a.go", "1", ""))
	s.scan(r.Dir)
	second := r.Commit("more", "b.go", gittest.Lines("more", 3))
	r.Note("ai", second, strings.Replace(notetest.GitAI(second, "b.go", "1", ""), "gpt-5.6-sol", "gpt-6", 1))
	s.scan(r.Dir)
	want(t, "models", s.rows(`SELECT name FROM k_session_model ORDER BY seq`), "gpt-5.6-sol", "gpt-6")
}

func TestUnreadableNotesAreGaps(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("feat: begin", "a.go", gittest.Lines("begin", 3))
	second := r.Commit("more", "b.go", gittest.Lines("more", 3))
	r.Note("ai", first, "\x00\xff not a note")
	r.Note("whogitit", second, "{")
	report := s.scan(r.Dir)
	for _, id := range []string{first, second} {
		if n := len(s.rows(`SELECT k.reason FROM k_gap k JOIN node n ON n.id = k.about WHERE n.ref = $1`, ref(id))); n == 0 {
			t.Errorf("no gap about %s", id)
		}
	}
	if n := int64(len(s.rows(`SELECT * FROM k_gap`))); n == 0 || n != report.Gaps["git-note"] {
		t.Errorf("%d gaps in the graph, %v reported", n, report.Gaps)
	}
	want(t, "file", []string{s.file("a.go")}, "3 0 0 3")
}

func TestDeclaredMarks(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	r.Commit("feat: with help\n\nCo-Authored-By: Claude Opus 4.6 <noreply@anthropic.com>\n", "a.go", gittest.Lines("helped", 4))
	r.Env = []string{"GIT_AUTHOR_NAME=copilot-swe-agent[bot]", "GIT_AUTHOR_EMAIL=198982749+Copilot@users.noreply.github.com"}
	bot := r.Commit("feat: by the agent\n\nAgent-Logs-Url: https://github.com/acme/pay/sessions/1\n", "b.go", gittest.Lines("bot", 4))
	r.Env = nil
	s.scan(r.Dir)
	want(t, "commits", s.rows(`SELECT title, ai_lines, unknown_lines, author_class FROM k_commit ORDER BY title`),
		"feat: by the agent 4 0 ai", "feat: with help 0 4 mixed")
	want(t, "helped", s.rows(`SELECT r.origin, r.basis, r.reason FROM k_file f JOIN k_file_run r ON r.id = f.id WHERE f.path = 'a.go'`),
		"unknown unknown the commit names an agent, but not which lines it wrote")
	want(t, "bot", s.rows(`SELECT r.origin, r.basis, r.agent FROM k_file f JOIN k_file_run r ON r.id = f.id WHERE f.path = 'b.go'`),
		"ai declared copilot-swe-agent")
	// An empty record says nothing, so the account still tells.
	r.Note("ai", bot, "---\n"+`{"schema_version":"authorship/3.0.0","base_commit_sha":"","prompts":{}}`)
	s.scan(r.Dir)
	want(t, "bot with an empty note", s.rows(`SELECT ai_lines, author_class FROM k_commit WHERE title LIKE '%agent'`), "4 ai")
}
