package repo_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/note/notetest"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

const withdrawnReason = "the record of this commit was withdrawn"

// lineReasons are why lines of a file are unknown.
func (s *space) lineReasons(path string) []string {
	s.t.Helper()
	return s.rows(`SELECT DISTINCT COALESCE(r.reason, '-') FROM k_file f JOIN k_file_run r ON r.id = f.id WHERE f.path = $1`, path)
}

func TestWithdrawnNoteLeavesNoLinesOfAI(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		r, s := gittest.New(t), spaceOn(t, open())
		first := r.Commit("feat: begin", "a.go", gittest.Lines("begin", 10))
		body := notetest.GitAI(first, "a.go", "1-8", "9")
		r.Note("ai", first, body)
		s.scan(r.Dir)
		for range 2 { // and again after it came back
			want(t, "with the note", s.tallies(), "commit 8 1 1 mixed", "change 8 1 1 mixed", "file 8 1 1", "credits ai 8, human 1")
			r.Git("notes", "--ref", "ai", "remove", first)
			s.scan(r.Dir)
			want(t, "without", s.tallies(), "commit 0 0 10 unknown", "change 0 0 10 unknown", "file 0 0 10", "credits ")
			want(t, "the record", s.rows(`SELECT ai_lines, withdrawn FROM k_attribution`), "0 1")
			want(t, "spans and credits", s.rows(`SELECT origin FROM k_attribution_span UNION ALL SELECT origin FROM k_attribution_credit`))
			want(t, "why", s.lineReasons("a.go"), withdrawnReason)
			want(t, "sessions", s.rows(`SELECT d.name FROM edge e JOIN door d ON d.id = e.door JOIN k_session x ON x.id = e.dst`))
			if n := s.one(`SELECT COUNT(*) FROM node_fact f JOIN k_attribution a ON a.id = f.node`); n < "2" {
				t.Errorf("%s facts about the record, want the first and the correction", n)
			}
			// A later scan has it from the graph only.
			r.Commit("docs: more", "a.go", gittest.Lines("begin", 10)+"more\n")
			s.scan(r.Dir)
			r.Git("reset", "-q", "--hard", first)
			s.scan(r.Dir)
			want(t, "why, from the graph", s.lineReasons("a.go"), withdrawnReason)
			r.Note("ai", first, body)
			s.scan(r.Dir)
		}
		s.blameAgrees(r)
		s.verify()
	})
}

func TestOneOfTwoNotesWithdrawn(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("feat: begin", "a.go", gittest.Lines("begin", 10))
	r.Note("ai", first, notetest.GitAI(first, "a.go", "1-4", ""))
	r.Git("update-ref", "refs/ai/authorship/"+first, r.GitWith([]byte(notetest.GitAI(first, "a.go", "5-6", "7")), "hash-object", "-w", "--stdin"))
	r.Note("whogitit", first, strings.ReplaceAll(notetest.Whogitit, `"line_number":1,`, `"line_number":10,`))
	s.scan(r.Dir)
	for _, gone := range [][]string{
		{"update-ref", "-d", "refs/ai/authorship/" + first},
		{"update-ref", "-d", "refs/notes/ai"},
		{"update-ref", "-d", "refs/notes/whogitit"},
	} {
		r.Git(gone...)
		s.scan(r.Dir)
		once := newSpace(t)
		once.scan(r.Dir)
		if got, want := s.tallies(), once.tallies(); strings.Join(got, "; ") != strings.Join(want, "; ") {
			t.Errorf("after %s: %q, a fresh scan says %q", gone, got, want)
		}
	}
	want(t, "why", s.lineReasons("a.go"), withdrawnReason)
	s.verify()
}

func TestWithdrawnNoteLeavesWhatAnotherCloneKnows(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	first := r.Commit("feat: begin", "a.go", gittest.Lines("begin", 10))
	r.Note("ai", first, notetest.GitAI(first, "a.go", "1-8", ""))
	r.Note("whogitit", first, notetest.Whogitit)
	s.scan(r.Dir)
	c := r.Clone()
	c.Git("fetch", "-q", "origin", "refs/notes/ai:refs/notes/ai")
	c.Git("notes", "--ref", "ai", "remove", first)
	r.Git("notes", "--ref", "ai", "remove", first)
	once := newSpace(t)
	once.scan(r.Dir)
	s.scan(c.Dir) // it never had the other record
	want(t, "the other record stands", s.tallies()[:3], once.tallies()[:3]...)
	want(t, "lines", s.runs("a.go"), once.runs("a.go")...)
	s.scan(r.Dir)
	want(t, "in the clone that has it", s.tallies(), once.tallies()...)
	s.verify()
}

func TestNoteOfACommitThatIsGoneIsWithdrawn(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	r.Commit("begin", "a.go", gittest.Lines("begin", 3))
	const absent = "00112233445566778899aabbccddeeff00112233"
	blob := r.GitWith([]byte(notetest.GitAI(absent, "b.go", "1-4", "")), "hash-object", "-w", "--stdin")
	tree := r.GitWith([]byte("100644 blob "+blob+"\t"+absent+"\n"), "mktree")
	held := r.Git("commit-tree", tree, "-m", "notes")
	r.Git("update-ref", "refs/notes/ai", held)
	s.scan(r.Dir)
	r.Git("update-ref", "refs/notes/ai", r.Git("commit-tree", r.GitWith(nil, "mktree"), "-p", held, "-m", "none"))
	s.scan(r.Dir)
	want(t, "orphan", s.rows(`SELECT claimed_lines, withdrawn FROM k_attribution`), "0 1")
	s.verify()
}

// TestWhichCloneMayTakeARecordAway reads a clone with the note of the first
// commit, then another state, and says whether the record still stands.
func TestWhichCloneMayTakeARecordAway(t *testing.T) {
	const home = "https://git.example.com/acme/pay.git"
	fetch := func(c *gittest.Repo) { c.Git("fetch", "-q", "--force", "origin", "refs/notes/*:refs/notes/*") }
	for _, c := range []struct {
		what  string
		then  func(t *testing.T, r *gittest.Repo, first string) *gittest.Repo // what is read next
		gone  bool
		again bool // and then the first clone again, unchanged
	}{
		{"a clone that never fetched notes", func(_ *testing.T, r *gittest.Repo, _ string) *gittest.Repo { return r.Clone() }, false, true},
		{"a clone that is behind", func(_ *testing.T, r *gittest.Repo, _ string) *gittest.Repo {
			c := r.Clone()
			fetch(c)
			c.Git("update-ref", "refs/notes/ai", "refs/notes/ai~1")
			return c
		}, false, true},
		{"a shallow look at older notes", func(_ *testing.T, r *gittest.Repo, _ string) *gittest.Repo {
			c := r.Clone()
			c.Git("fetch", "-q", "--depth=1", "origin", r.Git("rev-parse", "refs/notes/ai~1")+":refs/notes/ai")
			return c
		}, false, true},
		{"the note removed in the same clone", func(_ *testing.T, r *gittest.Repo, first string) *gittest.Repo {
			r.Git("notes", "--ref", "ai", "remove", first)
			return r
		}, true, false},
		{"the notes put back in the same clone", func(_ *testing.T, r *gittest.Repo, _ string) *gittest.Repo {
			r.Git("update-ref", "refs/notes/ai", "refs/notes/ai~1")
			return r
		}, true, false},
		{"the notes deleted in the same clone", func(_ *testing.T, r *gittest.Repo, _ string) *gittest.Repo {
			r.Git("update-ref", "-d", "refs/notes/ai")
			return r
		}, true, false},
		{"the note removed in a clone that is ahead", func(_ *testing.T, r *gittest.Repo, first string) *gittest.Repo {
			c := r.Clone()
			fetch(c)
			c.Git("notes", "--ref", "ai", "remove", first)
			return c
		}, true, true},
		{"other notes in a clone that branched off before the note", func(_ *testing.T, r *gittest.Repo, _ string) *gittest.Repo {
			c := r.Clone()
			fetch(c)
			c.Git("update-ref", "refs/notes/ai", "refs/notes/ai~1")
			c.Note("ai", c.Git("rev-parse", "HEAD"), "other\n")
			return c
		}, false, true},
		{"the note removed in a clone that branched off after it", func(_ *testing.T, r *gittest.Repo, first string) *gittest.Repo {
			c := r.Clone()
			fetch(c)
			c.Git("notes", "--ref", "ai", "remove", first)
			r.Note("ai", r.Head(), "other\n")
			return c
		}, true, true},
		{"a damaged line history, read again from a clone without notes", func(_ *testing.T, r *gittest.Repo, _ string) *gittest.Repo { return r.Clone() }, false, true},
		{"the clone made anew at the same place, without notes", func(t *testing.T, r *gittest.Repo, _ string) *gittest.Repo {
			c := r.Clone()
			must(t, os.RemoveAll(r.Dir))
			must(t, os.Rename(c.Dir, r.Dir))
			return r
		}, false, false},
	} {
		t.Run(strings.ReplaceAll(c.what, " ", "_"), func(t *testing.T) {
			r, s := gittest.New(t), newSpace(t)
			first := r.Commit("feat: begin", "a.go", gittest.Lines("begin", 10))
			second := r.Commit("docs: more", "b.go", gittest.Lines("more", 3))
			r.Note("ai", second, notetest.GitAI(second, "b.go", "1", ""))
			r.Note("ai", first, notetest.GitAI(first, "a.go", "1-8", "9"))
			r.Git("config", "remote.origin.url", home)
			s.scan(r.Dir)
			next := c.then(t, r, first)
			next.Git("config", "remote.origin.url", home)
			if strings.HasPrefix(c.what, "a damaged") {
				s.exec(`DELETE FROM segment`)
			}
			s.scan(next.Dir)
			stands, file := "0", "8 1 1"
			if c.gone {
				stands, file = "1", "0 0 10"
			}
			look := func(when string) {
				t.Helper()
				want(t, when, []string{s.one(`SELECT a.withdrawn FROM k_attribution a JOIN node n ON n.id = a."commit" WHERE n.ref = $1`, ref(first))}, stands)
				want(t, when, s.tallies()[2:3], "file "+file)
			}
			look("the record")
			if c.again {
				s.scan(r.Dir)
				look("the record after another look at the first clone")
				r.Git("tag", "unrelated")
				s.scan(r.Dir)
				s.scan(next.Dir)
				look("the record after more looks")
			}
			s.verify()
		})
	}
}
