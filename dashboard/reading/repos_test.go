package reading

import (
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/git/gittest"
)

// git compares the whole of a file, of which a page shows some hundred lines.
func TestHugeFilesAreNotCompared(t *testing.T) {
	r := gittest.New(t)
	id := r.Commit("one", "huge", strings.Repeat("x\n", maxDiff/2+1), "small", "x\n")
	rs := newRepositories()
	diffs, err := rs.diffs(t.Context(), r.Dir, []string{id})
	files := diffs[id]
	if err != nil || len(files) != 2 {
		t.Fatal(len(files), err)
	}
	if huge, small := files[0], files[1]; !huge.Binary || small.Added != 1 {
		t.Errorf("the huge file has %d lines, the small one %d, want 0 and 1", huge.Added, small.Added)
	}
	if err := rs.close(); err != nil {
		t.Error(err)
	}
}
