package git_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
