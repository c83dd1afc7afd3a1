package repo_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/gitai"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// anchored gives the notes of a repository anchors, as they are written with.
func anchored(r *gittest.Repo) {
	r.T.Helper()
	for _, listed := range strings.Split(r.Git("notes", "--ref", "ai", "list"), "\n") {
		blob, commit, _ := strings.Cut(listed, " ")
		n := gitai.Parse([]byte(r.Git("cat-file", "blob", blob) + "\n"))
		n.Tree = r.Git("rev-parse", commit+"^{tree}")
		for _, f := range n.Files {
			content, err := r.Try(nil, "cat-file", "blob", commit+":"+f.Path)
			must(r.T, err)
			lines := bytes.Split(content, []byte("\n"))
			a := note.Anchor{Path: f.Path, Blob: r.Git("rev-parse", commit+":"+f.Path)}
			for _, e := range f.Entries {
				a.Ranges = append(a.Ranges, e.Ranges...)
			}
			a.Ranges = note.Union(a.Ranges)
			for _, of := range a.Ranges {
				a.Text = edits.PrintOf(lines[of.Start-1 : of.End]).AppendShort(a.Text)
			}
			n.Anchors = append(n.Anchors, a)
		}
		text, err := n.Write()
		must(r.T, err)
		r.Note("ai", commit, string(text))
	}
}

// gone is a mirror of a repository that has its notes and main, and no commit that only
// its requests have.
func gone(t testing.TB, r *gittest.Repo, notes bool) *gittest.Repo {
	m := gittest.New(t, "--bare")
	m.Git("fetch", "-q", r.Dir, "+main:refs/heads/main")
	if notes {
		m.Git("fetch", "-q", r.Dir, "+refs/notes/*:refs/notes/*")
	}
	return m
}

func TestCommitsThatAreGoneAreKnownByTheirRecords(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		r, s := squashes(t), spaceOn(t, open())
		anchored(r)
		m := gone(t, r, true)
		if _, err := m.Try(nil, "cat-file", "-e", r.Git("rev-parse", "refs/pull/1/head")); err == nil {
			t.Fatal("the mirror has a request")
		}
		s.scan(m.Dir)
		want(t, "squashed", s.runs("squashed.go"), append(slices.Clone(requested), "9 1 unknown - -")...)
		want(t, "rebased", s.runs("rebased.go"), requested...)
		want(t, "commit", s.rows(`SELECT ai_lines, human_lines, unknown_lines FROM k_commit WHERE title = 'squashed (#1)'`), "6 2 1")
		want(t, "bases", s.rows(`SELECT DISTINCT r.basis FROM k_file f JOIN k_file_run r ON r.id = f.id WHERE f.path = 'squashed.go' AND r.origin <> 'unknown'`), "recovered-content")
		want(t, "what is gone credits nobody", s.rows(`SELECT count(*) FROM k_attribution_anchor x JOIN k_attribution_credit c ON c.id = x.id`), "0")
		s.everyAttestedLineWasAdded(m)
		size := s.size()
		m.Git("tag", "again")
		s.scan(m.Dir)
		if grown := s.size() - size; grown > 3 {
			t.Errorf("%d facts of what is known", grown)
		}
		s.verify()
	})
}

func TestRecordsOfCommitsThatAreGoneComeAndGo(t *testing.T) {
	r, s := squashes(t), newSpace(t)
	anchored(r)
	m := gone(t, r, false)
	s.scan(m.Dir)
	want(t, "without notes", s.runs("squashed.go"), "1 9 unknown - -")
	m.Git("fetch", "-q", r.Dir, "+refs/notes/*:refs/notes/*")
	s.scan(m.Dir)
	want(t, "with notes", s.runs("squashed.go"), append(slices.Clone(requested), "9 1 unknown - -")...)

	// One of them is taken away: its lines are unknown again, and so are those of which less
	// than a whole run is left, since less than most of the commit is found.
	m.Git("notes", "--ref", "ai", "remove", r.Git("rev-parse", "refs/pull/1/head~1"))
	s.scan(m.Dir)
	want(t, "without one", s.runs("squashed.go"), requested[0], "3 7 unknown - -")
	m.Git("fetch", "-q", r.Dir, "+refs/notes/*:refs/notes/*")
	s.scan(m.Dir)
	want(t, "with it again", s.runs("squashed.go"), append(slices.Clone(requested), "9 1 unknown - -")...)

	// The commits come.
	m.Git("fetch", "-q", r.Dir, "+refs/pull/*:refs/pull/*")
	s.scan(m.Dir)
	want(t, "with the commits", s.runs("squashed.go"), append(slices.Clone(requested), "9 1 unknown - -")...)
	want(t, "anchors of what is here", s.rows(`SELECT count(*) FROM k_attribution_anchor`), "0")
	s.verify()
}

func TestAHistoryBelowAnotherDirectoryIsKnownByTheNotesOfTheOldOne(t *testing.T) {
	r := gittest.New(t)
	r.Commit("base", "base.go", gittest.Lines("base", 5))
	request(r, 1, "a.go")
	anchored(r)
	r.Git("cherry-pick", "main..refs/pull/1/head")
	tip, other := gittest.New(t), newSpace(t)
	for _, commit := range strings.Fields(r.Git("rev-list", "--reverse", "main")) {
		for _, path := range strings.Fields(r.Git("ls-tree", "-r", "--name-only", commit)) {
			content, err := r.Try(nil, "cat-file", "blob", commit+":"+path)
			must(t, err)
			tip.Write("lib/"+path, string(content))
		}
		tip.Git("add", "-A")
		tip.Git("commit", "-q", "-m", "below lib")
	}
	tip.Git("fetch", "-q", r.Dir, "+refs/notes/ai:refs/notes/ai")
	other.scan(tip.Dir)
	want(t, "below another directory", other.runs("lib/a.go"), requested...)

	// The other way round: the notes come later.
	late, s := gone(t, tip, false), newSpace(t)
	s.scan(late.Dir)
	want(t, "without notes", s.runs("lib/a.go"), "1 2 unknown - -", "3 3 unknown - -", "6 3 unknown - -")
	late.Git("fetch", "-q", r.Dir, "+refs/notes/ai:refs/notes/ai")
	s.scan(late.Dir)
	want(t, "with notes that came later", s.runs("lib/a.go"), requested...)
}
