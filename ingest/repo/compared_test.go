package repo_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// A head with two commits was shown; main went on meanwhile.
func shown(r *gittest.Repo) (head string) {
	r.Git("remote", "add", "origin", "https://git.example.com/acme/pay.git")
	r.Commit("base", "a.go", gittest.Lines("base", 9), "other.go", "x\n", "gone.go", "y\n")
	r.Git("checkout", "-q", "-b", "topic")
	r.Commit("card: number", "b.go", gittest.Lines("number", 3))
	head = r.Commit("card: pay", "b.go", gittest.Lines("pay", 3), "other.go", "topic\n")
	r.Git("checkout", "-q", "main")
	r.Commit("meanwhile", "a.go", gittest.Lines("base", 9)+"meanwhile\n")
	return head
}

func TestWhatLandedIsComparedWithWhatWasShown(t *testing.T) {
	squash := func(r *gittest.Repo, pairs ...string) string {
		r.Git("merge", "-q", "--squash", "topic")
		return r.Commit("card (#7)", pairs...)
	}
	for name, c := range map[string]struct {
		land func(r *gittest.Repo) string
		want string
	}{
		"a merge":  {func(r *gittest.Repo) string { return r.Merge("card (#7)", []string{"topic"}) }, "0"},
		"a squash": {func(r *gittest.Repo) string { return squash(r) }, "0"},
		"a rebase": {func(r *gittest.Repo) string {
			r.Git("checkout", "-q", "topic")
			r.Git("rebase", "-q", "main")
			r.Git("branch", "-q", "-f", "main", "topic")
			r.Git("checkout", "-q", "main")
			return r.Head()
		}, "0"},
		"a squash with a line that was slipped in": {func(r *gittest.Repo) string { return squash(r, "b.go", gittest.Lines("pay", 3)+"backdoor\n") }, "1"},
		"a squash that takes a file of main away": {func(r *gittest.Repo) string {
			r.Git("merge", "-q", "--squash", "topic")
			r.Git("rm", "-q", "gone.go")
			return r.Commit("card (#7)")
		}, "1"},
		"a commit that has nothing to do with it":    {func(r *gittest.Repo) string { return r.Commit("card (#7)", "evil.go", "evil\n") }, "3"},
		"a merge that keeps a file as it was before": {func(r *gittest.Repo) string { return r.Merge("card (#7)", []string{"topic"}, "other.go", "x\n") }, "1"},
		"a merge whose conflict somebody resolved": {func(r *gittest.Repo) string {
			r.Commit("clash", "other.go", "main\n")
			return r.Merge("card (#7)", []string{"topic"}, "other.go", "both\n")
		}, "1"},
		"a squash whose conflict somebody resolved by a side": {func(r *gittest.Repo) string {
			r.Commit("clash", "other.go", "main\n")
			return r.Commit("card (#7)", "b.go", gittest.Lines("pay", 3), "other.go", "topic\n")
		}, "1"},
		"the head itself": {func(r *gittest.Repo) string { r.Git("reset", "-q", "--hard", "topic"); return r.Head() }, "-"},
	} {
		t.Run(name, func(t *testing.T) {
			r, s := gittest.New(t), newSpace(t)
			head := shown(r)
			r.Git("branch", "-q", "kept", head) // as refs of merge requests keep it
			before := r.Head()
			tip := c.land(r)
			s.tell(change.Push{Repository: acme, Name: "refs/heads/main", Before: before, After: tip})
			s.tell(change.Change{Repository: acme, Number: 7, State: "merged", MergeCommit: change.ShaRef(tip), Head: change.ShaRef(head)})
			s.scan(r.Dir)
			want(t, "altered", s.rows(`SELECT altered FROM k_change WHERE number = 7`), c.want)
			if !s.scan(r.Dir).Unchanged {
				t.Error("it was read once more")
			}
		})
	}
}

// One head has no tree, and of another a content is wanting that git has to merge.
func TestALandingThatCannotBeComparedHidesNoOther(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	r.Git("remote", "add", "origin", "https://git.example.com/acme/pay.git")
	base := gittest.Lines("base", 9)
	r.Commit("base", "base.go", base)
	var gone []string
	for number := 1; number <= 5; number++ {
		r.Git("checkout", "-q", "-b", fmt.Sprint("topic", number), "main")
		path := fmt.Sprint(number, ".go")
		head := r.Commit("work", path, gittest.Lines(path, 2))
		if number == 3 {
			head = r.Commit("more work", "base.go", base+"more\n")
			gone = append(gone, r.Git("rev-parse", head+":base.go"))
		}
		r.Git("checkout", "-q", "main")
		base = path + "\n" + base
		r.Commit("meanwhile", "base.go", base)
		r.Git("merge", "-q", "--squash", fmt.Sprint("topic", number))
		if number == 3 {
			base += "more\n"
		}
		tip := r.Commit(fmt.Sprintf("work (#%d)", number))
		s.tell(change.Change{Repository: acme, Number: number, State: "merged", MergeCommit: change.ShaRef(tip), Head: change.ShaRef(head)})
		if number == 2 {
			gone = append(gone, r.Git("rev-parse", head+"^{tree}"))
		}
	}
	for _, id := range gone {
		must(t, os.Remove(filepath.Join(r.Dir, ".git", "objects", id[:2], id[2:])))
	}
	s.scan(r.Dir)
	want(t, "altered", s.rows(`SELECT number, altered FROM k_change WHERE number IS NOT NULL ORDER BY number`), "1 0", "2 -", "3 -", "4 0", "5 0")
}

func TestAComparisonIsMadeAsSoonAsItCanBe(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		r, s := gittest.New(t), spaceOn(t, open())
		head := shown(r)
		r.Git("merge", "-q", "--squash", "topic")
		tip := r.Commit("card (#7)")
		clone := r.Clone("--single-branch")
		clone.Git("remote", "set-url", "origin", "https://git.example.com/acme/pay.git")
		s.scan(clone.Dir)
		merged := change.Change{Repository: acme, Number: 7, State: "merged", MergeCommit: change.ShaRef(tip), Head: change.ShaRef(head)}
		s.tell(merged)
		altered := func(what, value string) {
			t.Helper()
			want(t, what, s.rows(`SELECT c.altered, h.ref FROM k_change c LEFT JOIN node h ON h.id = c.compared WHERE c.number = 7`), value)
		}
		s.scan(clone.Dir)
		altered("without the head", "- -")
		s.scan(r.Dir) // which has it
		altered("with it", "0 "+string(merged.Head))

		merged.Head = change.ShaRef(r.Git("rev-parse", "topic~1"))
		s.tell(merged)
		s.scan(r.Dir)
		altered("of another head", "2 "+string(merged.Head))
	})
}
