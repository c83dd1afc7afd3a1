package git_test

import (
	"fmt"
	"testing"

	"github.com/stemma-dev/stemma/git/gittest"
)

func TestIDsAreShortenedAsGitShortensThem(t *testing.T) {
	r := gittest.New(t)
	for _, commits := range []int{1, 6000} { // three objects each
		im := r.Import()
		for i := range commits {
			im.Commit(gittest.ImportCommit{Ref: "refs/heads/main", Message: "c", Files: []gittest.ImportFile{gittest.Set("f", fmt.Sprint(commits, i))}})
		}
		im.Close()
		r.Git("repack", "-adq")
		want := len(r.Git("rev-parse", "--short", "main"))
		if got := open(t, r.Dir).AbbrevLength(); got != want {
			t.Errorf("with %d commits: %d digits, git has %d", commits, got, want)
		}
	}
}
