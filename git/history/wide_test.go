package history_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/git/gittest"
)

// The list of a merge with many files does not fit into a reader's buffer.
func TestMergeOfManyFilesNamesEveryParentsBlob(t *testing.T) {
	r := gittest.New(t)
	const files = 900
	all := func(first, last string) []string {
		var pairs []string
		for i := range files {
			pairs = append(pairs, fmt.Sprintf("dir/%s%d", strings.Repeat("long", 45), i), fmt.Sprintf("%s %d\nmiddle\nmiddle\n%s %d\n", first, i, last, i))
		}
		return pairs
	}
	r.Commit("base", all("a", "z")...)
	r.Git("checkout", "-q", "-b", "side")
	side := r.Commit("side", all("b", "z")...)
	r.Git("checkout", "-q", "main")
	main := r.Commit("main", all("a", "y")...)
	r.Merge("merge", []string{"side"})
	or := read(t, r)
	if n := len(or.last().Files); n != files {
		t.Fatalf("%d files, want %d", n, files)
	}
	for _, f := range or.last().Files {
		for i, parent := range []string{main, side} {
			if got, want := f.Parents[i].Blob, or.trees[parent][f.Path]; got != want {
				t.Fatalf("%s in parent %d: blob %q, want %q", f.Path, i, got, want)
			}
		}
	}
}
