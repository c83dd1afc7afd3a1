package git_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/gittest"
)

func TestPathsAreFound(t *testing.T) {
	r := gittest.New(t)
	at := r.Commit("one", "a/b/c", "c", "a/b.go", "b", "new\nline", "n")
	r.Git("tag", "-am", "t", "v1")
	repo := open(t, r.Dir)
	cat := catFile(t, repo)
	for _, treeish := range []string{at, r.Git("rev-parse", "v1"), r.Git("rev-parse", at+"^{tree}")} {
		found, err := cat.Find(treeish, "a/b/c", "a/b", "a/b.go", "new\nline", "a", "a/x", "a/b.go/x", "x", "")
		var got []string
		for _, e := range found {
			if want := r.Git("rev-parse", at+":"+e.Path); want != e.ID || r.Git("cat-file", "-t", e.ID) != e.Type {
				t.Errorf("%q is %+v", e.Path, e)
			}
			got = append(got, e.Path)
		}
		slices.Sort(got)
		if d := cmp.Diff([]string{"a", "a/b", "a/b.go", "a/b/c", "new\nline"}, got); d != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, d)
		}
	}
	for _, bad := range []string{strings.Repeat("1", 40), r.Git("rev-parse", at+":a/b.go"), "main"} {
		if found, err := cat.Find(bad, "a"); err == nil {
			t.Errorf("in %s: %v", bad, found)
		}
	}
}

func TestPathsAreFoundInEachOfManyCommits(t *testing.T) {
	r := gittest.New(t)
	var commits []string
	for i := range 12 {
		commits = append(commits, r.Commit("more", fmt.Sprintf("d%d/f", i%3), strconv.Itoa(i), "top", strconv.Itoa(i/4)))
	}
	commits = append(commits, r.Commit("the same once more", "top", "2"))
	commits = append(commits, r.Commit("and with the tree of the one before", "top", "2"))
	// A commit of a damaged tree: no entry of a tree has this form.
	tree := r.GitWith([]byte("nonsense"), "hash-object", "-t", "tree", "--literally", "-w", "--stdin")
	damaged := r.GitWith([]byte("tree "+tree+"\nauthor a <a> 0 +0000\ncommitter a <a> 0 +0000\n\nx\n"), "hash-object", "-t", "commit", "--literally", "-w", "--stdin")
	blob := r.Git("rev-parse", "HEAD:top")
	cat := catFile(t, open(t, r.Dir))
	paths := []string{"d0/f", "d1/f", "d2", "top", "no/such"}
	found, err := cat.FindEach(slices.Concat(commits, []string{strings.Repeat("1", 40), "main", blob, damaged}), paths)
	if err != nil || len(found) != len(commits) {
		t.Fatalf("something was found in %d commits, of %d: %v", len(found), len(commits), err)
	}
	byPath := func(a, b git.TreeEntry) int { return strings.Compare(a.Path, b.Path) }
	for _, commit := range commits {
		want, err := cat.Find(commit, paths...)
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(want, byPath)
		slices.SortFunc(found[commit], byPath)
		if d := cmp.Diff(want, found[commit]); d != "" || len(want) == 0 {
			t.Errorf("in %s (-one by one +together):\n%s", commit, d)
		}
	}
}
