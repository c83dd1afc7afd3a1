package repo_test

import (
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/git/gittest"
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
			if e.Fact.Kind == stemma.KindAttribution && (e.Fact.Source != posted.Source || e.Fact.Grade != stemma.GradeD || len(e.Fact.Bodies) != 1) {
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
