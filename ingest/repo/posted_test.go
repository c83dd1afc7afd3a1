package repo_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/chainloop"
	"github.com/stemma-dev/stemma/ingest/note/notetest"
	"github.com/stemma-dev/stemma/ingest/posted"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// post sends notes about commits to a space, as a client over HTTP does.
func (s *space) post(pairs ...string) {
	s.t.Helper()
	notes, err := posted.Open(s.t.Context(), s.Space, s.clock)
	must(s.t, err)
	var batch []posted.Note
	for i := 0; i < len(pairs); i += 2 {
		batch = append(batch, posted.Note{Commit: pairs[i], Content: pairs[i+1]})
	}
	refused, err := notes.Put(s.t.Context(), batch)
	must(s.t, err)
	if refused != 0 {
		s.t.Errorf("%d notes were refused", refused)
	}
}

func TestPostedNoteTakesEffectWhenItsCommitIsScanned(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		r, s := gittest.New(t), spaceOn(t, open())
		first := r.Commit("feat: begin", "a.go", gittest.Lines("begin", 10))
		s.post(first, notetest.GitAI(first, "a.go", "1-3", "4-5"))
		want(t, "before", s.rows(`SELECT format, claimed_lines, ai_lines FROM k_attribution`), "git-ai-http 5 0")
		report := s.scan(r.Dir)
		if report.Notes != 1 || report.Orphans != 0 {
			t.Errorf("report %+v, want one note", report)
		}
		want(t, "runs", s.runs("a.go"), "1 3 ai codex gpt-5.6-sol", "4 2 human - -", "6 5 unknown - -")
		want(t, "commit", s.rows(`SELECT ai_lines, human_lines, unknown_lines FROM k_commit`), "3 2 5")
		want(t, "session", s.rows(`SELECT tool, external_id FROM k_session`), "codex 019e-77")
		for e, err := range s.Ledger.Entries(t.Context(), 0) {
			must(t, err)
			if e.Fact.Kind == stemma.KindAttribution && (e.Fact.Source != posted.Format || e.Fact.Grade != stemma.GradeD || len(e.Fact.Bodies) != 1) {
				t.Errorf("a fact of the note: source %s, grade %s, bodies %v", e.Fact.Source, e.Fact.Grade, e.Fact.Bodies)
			}
		}
		if !s.scan(r.Dir).Unchanged {
			t.Error("a second scan had something to read")
		}
		s.verify()
	})
}

func TestPostedNoteTellsOfCommitsThatWereScannedBefore(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("feat: begin", "a.go", gittest.Lines("begin", 4))
	s.scan(r.Dir)
	s.post(first, notetest.GitAI(first, "a.go", "1-2", ""), "0123456789012345678901234567890123456789", "of another repository", "abcd", "of none")
	if report := s.scan(r.Dir); report.Unchanged || report.Notes != 1 {
		t.Errorf("report %+v, want one note", report)
	}
	want(t, "runs", s.runs("a.go"), "1 2 ai codex gpt-5.6-sol", "3 2 unknown - -")

	s.post(first, notetest.GitAI(first, "a.go", "2", ""))
	s.scan(r.Dir)
	want(t, "what was sent anew", s.runs("a.go"), "1 1 unknown - -", "2 1 ai codex gpt-5.6-sol", "3 2 unknown - -")

	s.post(first, notetest.GitAI(first, "a.go", "1-2", ""))
	s.scan(r.Dir)
	want(t, "what was sent first, again", s.runs("a.go"), "1 2 ai codex gpt-5.6-sol", "3 2 unknown - -")
	if !s.scan(r.Dir).Unchanged {
		t.Error("a further scan had something to read")
	}
	s.verify()
}

func TestPostedNoteStandsBesideThatOfTheRepository(t *testing.T) {
	r, s := oneNote(t), newSpace(t) // 1-3 AI's, 4-5 a person's
	first := r.Git("rev-parse", "HEAD")
	s.post(first, notetest.GitAI(first, "a.go", "2-4,9", ""))
	s.scan(r.Dir)
	want(t, "both stand", s.rows(`SELECT format, ai_lines, human_lines FROM k_attribution ORDER BY format`), "git-ai 3 2", "git-ai-http 4 0")
	want(t, "what they agree on", s.runs("a.go"),
		"1 3 ai codex gpt-5.6-sol", "4 1 unknown - -", "5 1 human - -", "6 3 unknown - -", "9 1 ai codex gpt-5.6-sol", "10 1 unknown - -")
	want(t, "why a line is unknown", s.rows(`SELECT DISTINCT r.reason FROM k_file_run r WHERE r.start = 4`), "records disagree on the origin")
	s.verify()
}

func TestPostedNoteWaitsForACommitThatComesLater(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	r.Commit("begin", "a.go", gittest.Lines("begin", 3))
	c := r.Clone()
	s.scan(c.Dir)
	later := r.Commit("more", "b.go", gittest.Lines("more", 4))
	s.post(later, notetest.GitAI(later, "b.go", "1-4", ""))
	if !s.scan(c.Dir).Unchanged {
		t.Error("a note about a commit that is not here was something to read")
	}
	c.Git("pull", "-q")
	s.scan(c.Dir)
	want(t, "runs", s.runs("b.go"), "1 4 ai codex gpt-5.6-sol")
}

func TestErasedNoteDoesNotComeBack(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("begin", "a.go", gittest.Lines("begin", 3))
	s.post(first, notetest.GitAI(first, "a.go", "1-3", ""))
	must(t, s.Vault.Erase(t.Context(), attribution.Ref(change.ShaRef(first), posted.Format)))
	notes, err := posted.Open(t.Context(), s.Space, s.clock)
	must(t, err)
	kept := "0123456789012345678901234567890123456789"
	refused, err := notes.Put(t.Context(), []posted.Note{{Commit: first, Content: "again"}, {Commit: kept, Content: "x"}})
	must(t, err)
	var found []string
	for k, err := range notes.About(t.Context(), []string{first, kept}) {
		must(t, err)
		found = append(found, k.Commit+" "+string(k.Body))
	}
	want(t, "what is kept", found, kept+" x")
	if refused != 1 {
		t.Errorf("%d were refused, want the erased one", refused)
	}
	s.scan(r.Dir)
	want(t, "runs", s.runs("a.go"), "1 3 unknown - -")
}

// bring imports a file, as stemma import does.
func (s *space) bring(text string) posted.Imported {
	s.t.Helper()
	notes, err := posted.Open(s.t.Context(), s.Space, s.clock)
	must(s.t, err)
	f, ok := posted.ReadFile([]byte(text))
	if !ok {
		s.t.Fatalf("nothing recognises %.200s", text)
	}
	made, err := notes.Import(s.t.Context(), "a file", stemma.Sum([]byte(text)), &f)
	must(s.t, err)
	return made
}

func TestSessionsFromFilesStandBesideEachOther(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		r, s := gittest.New(t), spaceOn(t, open())
		first := r.Commit("feat: begin", "a.go", gittest.Lines("begin", 10))
		text := notetest.Chainloop("5c1e", "a.go", "1-3", first)
		if made := s.bring(text); made != (posted.Imported{Kept: 1}) {
			t.Errorf("the first time: %+v", made)
		}
		size := s.size()
		if made := s.bring(text); made != (posted.Imported{Known: 1}) || s.size() != size {
			t.Errorf("the second time: %+v, %d facts more", made, s.size()-size)
		}
		s.bring(notetest.Chainloop("77aa", "a.go", "3-5,99-99", first))
		want(t, "before", s.rows(`SELECT format, claimed_lines, ai_lines FROM k_attribution`), "chainloop 6 0")
		want(t, "sessions before", s.rows(`SELECT external_id, output_tokens FROM k_session ORDER BY external_id`), "5c1e 294", "77aa 294")
		if report := s.scan(r.Dir); report.Notes != 2 || report.Orphans != 0 {
			t.Errorf("report %+v, want two records", report)
		}
		want(t, "runs", s.runs("a.go"), "1 2 ai claude-code claude-opus-4-6", "3 1 ai claude-code claude-opus-4-6",
			"4 2 ai claude-code claude-opus-4-6", "6 5 unknown - -")
		want(t, "sessions of lines", s.rows(`SELECT c.lines, COALESCE(n.ref, '-') FROM k_attribution_credit c LEFT JOIN node n ON n.id = c.session ORDER BY c.lines DESC, 2`),
			"2 session:claude-code/5c1e", "2 session:claude-code/77aa", "1 -")
		want(t, "misplaced", s.rows(`SELECT misplaced_lines FROM k_attribution`), "1")
		bodies := 0
		for e, err := range s.Ledger.Entries(t.Context(), 0) {
			must(t, err)
			if e.Fact.Kind == stemma.KindAttribution {
				bodies = len(e.Fact.Bodies)
				if e.Fact.Source != posted.Chainloop || e.Fact.Grade != stemma.GradeD {
					t.Errorf("a fact of a session: source %s, grade %s", e.Fact.Source, e.Fact.Grade)
				}
			}
		}
		if bodies != 2 {
			t.Errorf("the last record of the commit has %d bodies, want both", bodies)
		}
		notes, err := posted.Open(t.Context(), s.Space, s.clock)
		must(t, err)
		for k, err := range notes.About(t.Context(), []string{first}, posted.Format) {
			t.Errorf("a client that asks for notes is given %s, %v", k.Format, err)
		}
		if !s.scan(r.Dir).Unchanged {
			t.Error("a second scan had something to read")
		}
		s.verify()
	})
}

func TestSessionOfSeveralCommitsTellsOfNoLine(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("feat: begin", "a.go", gittest.Lines("begin", 2))
	second := r.Commit("feat: more", "a.go", gittest.Lines("begin", 2)+gittest.Lines("more", 2))
	s.bring(notetest.Chainloop("5c1e", "a.go", "1-4", first, second))
	s.scan(r.Dir)
	want(t, "runs", s.runs("a.go"), "1 2 unknown claude-code claude-opus-4-6", "3 2 unknown claude-code claude-opus-4-6")
	want(t, "reasons", s.rows(`SELECT DISTINCT reason FROM k_file_run`), chainloop.ReasonCommits)
	want(t, "its commits", s.rows(`SELECT COUNT(DISTINCT e.src) FROM edge e JOIN node n ON n.id = e.src JOIN node x ON x.id = e.dst
		WHERE x.ref = 'session:claude-code/5c1e' AND n.kind = 'attribution'`), "2")

	// What was told when there was but one commit stands.
	s.bring(notetest.Chainloop("5c1e", "a.go", "1-2", first))
	s.scan(r.Dir)
	want(t, "runs after", s.runs("a.go"), "1 2 ai claude-code claude-opus-4-6", "3 2 unknown claude-code claude-opus-4-6")
	s.verify()
}

func TestWhatIsKnownOfASessionOutlivesAFile(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("begin", "a.go", gittest.Lines("begin", 3))
	s.post(first, notetest.GitAI(first, "a.go", "1", ""))
	s.scan(r.Dir)
	before := s.rows(`SELECT tool, external_id, output_tokens, origin_record FROM k_session`)
	s.bring(strings.ReplaceAll(notetest.Chainloop("019e-77", "a.go", "2-2", first), "claude-code", "codex"))
	want(t, "the session", s.rows(`SELECT tool, external_id, output_tokens, origin_record FROM k_session`), before...)
	s.scan(r.Dir)
	want(t, "runs", s.runs("a.go"), "1 1 ai codex gpt-5.6-sol", "2 1 ai codex claude-opus-4-6", "3 1 unknown - -")
}

func TestFileOfAnErasedRecordIsRefused(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("begin", "a.go", gittest.Lines("begin", 3))
	text := notetest.Chainloop("5c1e", "a.go", "1-2", first)
	s.bring(text)
	must(t, s.Vault.Erase(t.Context(), attribution.Ref(change.ShaRef(first), posted.Chainloop)))
	if made := s.bring(text); made != (posted.Imported{Refused: 1}) {
		t.Errorf("%+v, want one refused", made)
	}
	s.scan(r.Dir)
	want(t, "runs", s.runs("a.go"), "1 3 unknown - -")
}

func TestRecordsAboutOneCommitAreBounded(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("begin", "a.go", gittest.Lines("begin", 3))
	for i := range posted.MaxEntries + 1 {
		made := s.bring(notetest.Chainloop(fmt.Sprint("s", i), "a.go", "1-2", first))
		if kept := min(posted.MaxEntries-i, 1); made.Kept != kept {
			t.Errorf("of number %d: %+v, want %d kept", i, made, kept)
		}
	}
	want(t, "what is said", s.rows(`SELECT source, reason FROM k_gap`), "chainloop about one commit 100 records are kept")
	s.scan(r.Dir)
	want(t, "runs", s.runs("a.go"), "1 2 ai claude-code claude-opus-4-6", "3 1 unknown - -")
	if !s.scan(r.Dir).Unchanged {
		t.Error("a second scan had something to read")
	}
}

func TestLargeSessionIsKeptForEachOfItsCommits(t *testing.T) {
	s := newSpace(t)
	commits := []string{strings.Repeat("a1", 20), strings.Repeat("b2", 20), strings.Repeat("c3", 20)}
	text := notetest.Chainloop("5c1e", "a.go", "1-2", commits...)
	text = strings.Replace(text, `"usage"`, `"raw_session":{"main":["`+strings.Repeat("refunds please ", 400_000)+`"]},"usage"`, 1)
	if made := s.bring(text); made != (posted.Imported{Kept: 3}) {
		t.Errorf("%+v, want three kept", made)
	}
	notes, err := posted.Open(t.Context(), s.Space, s.clock)
	must(t, err)
	var kept []string
	for k, err := range notes.About(t.Context(), commits) {
		must(t, err)
		if string(k.Body) == text {
			kept = append(kept, k.Commit)
		}
	}
	want(t, "kept as it came for", kept, commits...)
	s.verify()
}
