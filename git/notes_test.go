package git_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/gittest"
)

func TestNotesOfAnyFanOutAreListed(t *testing.T) {
	r := gittest.New(t)
	blob := r.GitWith([]byte("note"), "hash-object", "-w", "--stdin")
	ids := []string{strings.Repeat("ab", 20), strings.Repeat("cd", 20), strings.Repeat("ef", 20)}
	leaf := r.GitWith([]byte("100644 blob "+blob+"\t"+ids[1][4:]+"\n"), "mktree")
	mid := r.GitWith([]byte("040000 tree "+leaf+"\t"+ids[1][2:4]+"\n"), "mktree")
	one := r.GitWith([]byte("100644 blob "+blob+"\t"+ids[2][2:]+"\n"), "mktree")
	tree := r.GitWith([]byte("100644 blob "+blob+"\t"+ids[0]+"\n040000 tree "+mid+"\tcd\n040000 tree "+one+"\tef\n100644 blob "+blob+"\tREADME\n"), "mktree")
	r.Git("update-ref", "refs/notes/x", r.Git("commit-tree", tree, "-m", "notes"))
	notes, others, err := open(t, r.Dir).Notes(t.Context(), "refs/notes/x")
	want := []git.Note{
		{Object: ids[0], Blob: blob, Path: ids[0]},
		{Object: ids[1], Blob: blob, Path: "cd/cd/" + ids[1][4:]},
		{Object: ids[2], Blob: blob, Path: "ef/" + ids[2][2:]},
	}
	if d := cmp.Diff(want, notes); d != "" || others != 1 || err != nil {
		t.Errorf("notes, %d others, %v (-want +got):\n%s", others, err, d)
	}
}

// Whatever git notes writes, and whatever fan-out it chooses, looking for some
// notes finds what listing all of them finds.
func TestNotesAreFoundAsListed(t *testing.T) {
	for _, many := range []int{3, 400} {
		r := gittest.New(t)
		im := r.Import()
		for i := range many {
			im.Commit(gittest.ImportCommit{Ref: "refs/heads/main", Message: "m", Files: []gittest.ImportFile{gittest.Set("f", strings.Repeat("x", i))}})
		}
		im.Close()
		commits := strings.Fields(r.Git("rev-list", "refs/heads/main"))
		var notes strings.Builder
		notes.WriteString("commit refs/notes/x\ncommitter C <c@x> 1700000000 +0000\ndata 0\n")
		for _, id := range commits[1:] {
			notes.WriteString("N inline " + id + "\ndata 40\n" + id + "\n")
		}
		r.GitWith([]byte(notes.String()), "fast-import", "--quiet")
		repo := open(t, r.Dir)
		want, _, err := repo.Notes(t.Context(), "refs/notes/x")
		if err != nil || len(want) != many-1 {
			t.Fatalf("%d notes, %v", len(want), err)
		}
		cat, ref := catFile(t, repo), r.Git("rev-parse", "refs/notes/x")
		got, err := cat.NotesOn(ref, append(commits, strings.Repeat("ab", 20)))
		for i := range want {
			want[i].Path = ""
		}
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("of %d commits: %v (-listed +found):\n%s", many, err, d)
		}
		if got, err := cat.NotesOn(ref, commits[1:2]); err != nil || len(got) != 1 || got[0].Object != commits[1] {
			t.Errorf("one of %d: %v, %v", many, got, err)
		}
	}
}

func TestNotesOfOddFanOutAreFound(t *testing.T) {
	r := gittest.New(t)
	blob := r.GitWith([]byte("note"), "hash-object", "-w", "--stdin")
	ids := []string{strings.Repeat("ab", 20), strings.Repeat("cd", 20)}
	leaf := r.GitWith([]byte("100644 blob "+blob+"\t"+ids[1][5:]+"\n"), "mktree")
	mid := r.GitWith([]byte("040000 tree "+leaf+"\t"+ids[1][3:5]+"\n"), "mktree")
	tree := r.GitWith([]byte("100644 blob "+blob+"\t"+ids[0]+"\n040000 tree "+mid+"\tcdc\n040000 tree "+mid+"\t"+ids[0][:2]+"\n"), "mktree")
	got, err := catFile(t, open(t, r.Dir)).NotesOn(tree, ids)
	if d := cmp.Diff([]git.Note{{Object: ids[0], Blob: blob}, {Object: ids[1], Blob: blob}}, got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
}

func TestNotesAreAddedBehindWhatIsThere(t *testing.T) {
	r := gittest.New(t)
	first, second := r.Commit("one", "a", "1\n"), r.Commit("two", "a", "2\n")
	repo := open(t, r.Dir)
	at := time.Unix(1_700_000_000, 0)
	hook := filepath.Join(r.Dir, ".git", "hooks", "reference-transaction")
	if err := os.Mkdir(filepath.Dir(hook), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(hook, []byte("#!/bin/sh\ntouch ran\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, notes := range [][]git.NewNote{
		{{Object: first, Text: []byte("x\n")}, {Object: second, Text: []byte("y")}}, {{Object: second, Text: []byte("z\n")}},
	} {
		if err := repo.AddNotes(t.Context(), "refs/notes/ai", notes, "notes", at); err != nil {
			t.Fatal(err)
		}
	}
	for commit, want := range map[string]string{first: "x\n", second: "z\n"} {
		if got := r.Git("notes", "--ref", "ai", "show", commit); got != strings.TrimSpace(want) {
			t.Errorf("the note of %s is %q, want %q", commit, got, want)
		}
	}
	if got := r.Git("rev-list", "--count", "refs/notes/ai"); got != "2" {
		t.Errorf("%s commits of notes", got)
	}
	if _, err := os.Stat(filepath.Join(r.Dir, "ran")); err == nil {
		t.Error("a hook ran")
	}
	if err := repo.AddNotes(t.Context(), "refs/notes/ai", []git.NewNote{{Object: "HEAD\nM 100644 inline x"}}, "notes", at); err == nil {
		t.Error("a name that is no id was taken")
	}
	missing := strings.Repeat("1", 40)
	if err := repo.AddNotes(t.Context(), "refs/notes/ai", []git.NewNote{{Object: missing, Text: []byte("x")}}, "notes", at); err == nil {
		t.Error("a note hangs on a commit that is not there")
	}
	if err := repo.AddNotes(t.Context(), "refs/notes/ai", []git.NewNote{{Object: missing, Text: []byte("x\n"), Path: missing}}, "notes", at); err != nil {
		t.Error(err) // it was replaced where it stood
	}
	if got := r.Git("show", "refs/notes/ai:"+missing); got != "x" {
		t.Errorf("the note of a commit that is not here is %q", got)
	}
	if err := repo.AddNotes(t.Context(), "refs/notes/ai", []git.NewNote{{Object: missing, Path: "x\nD " + first}}, "notes", at); err == nil {
		t.Error("a path that is no note's was taken")
	}
}

func TestMergedNotesAreThoseOfBoth(t *testing.T) {
	r := gittest.New(t)
	first, second, third := r.Commit("one", "a", "1\n"), r.Commit("two", "a", "2\n"), r.Commit("three", "a", "3\n")
	repo := open(t, r.Dir)
	r.Note("theirs", first, "first")
	merge := func() {
		if err := repo.MergeNotes(t.Context(), "refs/notes/ai", "refs/notes/theirs"); err != nil {
			t.Fatal(err)
		}
	}
	merge()
	if r.Git("rev-parse", "refs/notes/ai") != r.Git("rev-parse", "refs/notes/theirs") {
		t.Error("a ref that was not there is not what the other is")
	}
	r.Note("ai", second, "ours")
	r.Note("theirs", second, "theirs")
	r.Note("theirs", third, "third")
	merge()
	for commit, want := range map[string]string{first: "first", second: "ours", third: "third"} {
		if got := r.Git("notes", "--ref", "ai", "show", commit); got != want {
			t.Errorf("the note is %q, want %q", got, want)
		}
	}
	r.Git("merge-base", "--is-ancestor", "refs/notes/theirs", "refs/notes/ai")
	at := r.Git("rev-parse", "refs/notes/ai")
	merge()
	if at != r.Git("rev-parse", "refs/notes/ai") {
		t.Error("merging again moved the ref")
	}
}
