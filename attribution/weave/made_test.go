package weave

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution/diff"
)

// TestMadeLinesAreThoseThatBlameGivesTheCommit compares, for every file of every
// commit of a random history, its own lines with those that Blame says it brought,
// and what was there before with git's differences to the parents.
func TestMadeLinesAreThoseThatBlameGivesTheCommit(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, nil, "init", "-q", "--bare")
	var stream bytes.Buffer
	for seed := range uint64(12) {
		stream.Write(newHistory(seed+1, true).grow(25))
	}
	git(t, dir, stream.Bytes(), "fast-import", "--quiet", "--date-format=raw")
	w := weaveOf(t, dir, "--all")
	files := 0
	for commit := range strings.FieldsSeq(string(git(t, dir, nil, "rev-list", "--all"))) {
		for f, err := range w.Tip(commit) {
			if err != nil {
				t.Fatal(err)
			}
			made, err := w.Made(commit, f.Path)
			if err != nil && !errors.Is(err, stemma.ErrNotFound) {
				t.Fatal(err)
			}
			var got, want []string
			for _, r := range made.Own {
				got = append(got, fmt.Sprint(r))
			}
			for _, r := range f.Runs {
				if r.Commit == commit {
					want = append(want, fmt.Sprintf("{%d %d}", r.Line, r.Count))
				}
			}
			if delta := cmp.Diff(want, got); delta != "" {
				t.Fatalf("%s at %s (-blame +made):\n%s", f.Path, commit, delta)
			}
			if err == nil {
				files++
			}
		}
		wantBefore(t, w, dir, commit)
	}
	t.Logf("%d files made", files)
}

// wantBefore compares what a commit that is no merge changed or took away.
func wantBefore(t *testing.T, w *Weave, dir, commit string) {
	t.Helper()
	if len(strings.Fields(string(git(t, dir, nil, "rev-list", "--parents", "-1", commit)))) > 2 {
		return
	}
	before, err := w.Before(commit)
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, f := range before {
		got = append(got, f.Path+" "+f.Blob)
	}
	for line := range strings.Lines(string(git(t, dir, nil, "diff-tree", "-r", "--no-renames", "--no-commit-id", commit))) {
		if f := strings.Fields(line); f[4] != "A" {
			want = append(want, f[5]+" "+f[2])
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if delta := cmp.Diff(want, got); delta != "" {
		t.Fatalf("before %s (-git +weave):\n%s", commit, delta)
	}
}

func TestBeforeAMergeIsWhatEveryParentHad(t *testing.T) {
	w := New()
	add(t, w, Step{Commit: id(1), Files: []FileStep{created("a", 11, 4), created("b", 12, 4), created("c", 13, 4)}})
	add(t, w, Step{Commit: id(2), Parents: []string{id(1)}, Files: []FileStep{edited("a", 21, hunk(1, 1, 1, 1)), edited("b", 22, hunk(1, 1, 1, 1))}})
	add(t, w, Step{Commit: id(3), Parents: []string{id(1)}, Files: []FileStep{edited("a", 31, hunk(4, 1, 4, 1))}})
	both := edited("a", 41, hunk(4, 1, 4, 2))
	both.Old = append(both.Old, both.Old[0])
	both.Old[0].Hunks, both.Old[1].Hunks = []diff.Hunk{hunk(4, 1, 4, 2)}, []diff.Hunk{hunk(1, 1, 1, 1), hunk(4, 1, 4, 2)}
	add(t, w, Step{
		Commit: id(4), Parents: []string{id(3), id(2)}, Files: []FileStep{both, {Path: "c", Deleted: true}},
		Taken: []TakenPath{{Path: "b", Blob: id(22)}},
	})
	before, err := w.Before(id(4))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range before {
		got = append(got, f.Path+" "+strings.TrimLeft(f.Blob, "0"))
	}
	if delta := cmp.Diff([]string{"a 15", "a 1f", "b c", "c d"}, got); delta != "" {
		t.Error(delta)
	}
	made, err := w.Made(id(4), "a")
	if err != nil {
		t.Fatal(err)
	}
	if delta := cmp.Diff([]diff.Range{{Start: 4, Count: 2}}, made.Own); delta != "" || len(made.Old) != 2 {
		t.Errorf("made of %d: %s", len(made.Old), delta)
	}
	for what, err := range map[string]error{
		"a file that the merge took": second(w.Made(id(4), "b")), "no file": second(w.Made(id(4), "x")),
		"no commit": second(w.Made(id(9), "a")), "before no commit": second(w.Before(id(9))),
	} {
		if !errors.Is(err, stemma.ErrNotFound) {
			t.Errorf("%s: %v, want not found", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
