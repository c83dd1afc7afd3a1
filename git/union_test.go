package git_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/gittest"
)

// branches has a base, a line at the end of main, one at the beginning of side, and one at
// the end of clash.
func branches(r *gittest.Repo) (main, side, clash string) {
	r.Commit("base", "f", "1\n2\n3\n4\n5\n", "odd :\" name", "x\n")
	r.Git("branch", "side")
	r.Git("branch", "clash")
	main = r.Commit("main", "f", "1\n2\n3\n4\n5\nmain\n")
	r.Git("checkout", "-q", "side")
	side = r.Commit("side", "f", "side\n1\n2\n3\n4\n5\n", "g", "g\n")
	r.Git("checkout", "-q", "clash")
	clash = r.Commit("clash", "f", "1\n2\n3\n4\n5\nclash\n")
	return main, side, clash
}

func TestCommitsAreUnitedWithoutATraceInTheRepository(t *testing.T) {
	r := gittest.New(t)
	main, side, clash := branches(r)
	// A driver of the repository would run, and attributes would make another merge.
	evil := filepath.Join(t.TempDir(), "ran")
	r.Git("config", "merge.evil.driver", "touch "+evil)
	r.Write(".git/info/attributes", "* merge=evil\n")
	r.Git("checkout", "-q", "--detach", main)
	merged := r.Merge("m", []string{side}, "f", "side\n1\n2\n3\n4\n5\nmain\n")
	objects := r.Git("count-objects", "-v")
	_ = os.Remove(evil)

	repo, ctx := open(t, r.Dir), t.Context()
	got, err := repo.Unite(ctx, [][2]string{{main, side}, {main, clash}, {side, clash}})
	if err != nil {
		t.Fatal(err)
	}
	if tree := r.Git("rev-parse", merged+"^{tree}"); len(got) != 3 || got[0].Tree != tree || len(got[0].Conflicts) > 0 {
		t.Errorf("united they are %+v, git merge made %s", got, tree)
	}
	if !slices.Equal(got[1].Conflicts, []string{"f"}) || len(got[2].Conflicts) > 0 {
		t.Errorf("conflicts are %q and %q", got[1].Conflicts, got[2].Conflicts)
	}
	counts, err := repo.Differing(ctx, [][2]string{
		{got[0].Tree, got[0].Tree}, {got[0].Tree, got[1].Tree}, {r.Git("rev-parse", side+"^{tree}"), r.Git("rev-parse", main+"^{tree}")}, {got[2].Tree, got[2].Tree},
	})
	if want := []int{0, 2, 2, 0}; err != nil || !slices.Equal(counts, want) {
		t.Errorf("the trees differ in %v, %v; want %v", counts, err, want)
	}
	if after := r.Git("count-objects", "-v"); after != objects {
		t.Errorf("the repository had %s, and has %s", objects, after)
	}
	if _, err := os.Stat(evil); err == nil {
		t.Error("a driver of the repository ran")
	}
}

func TestWhatIsWantingIsUnitedWithNothing(t *testing.T) {
	r := gittest.New(t)
	main, side, _ := branches(r)
	repo := open(t, r.Dir)
	for _, pair := range [][2]string{{main, strings.Repeat("1", 40)}, {main, "side"}, {"--stdin", side}} {
		if got, err := repo.Unite(t.Context(), [][2]string{{main, side}, pair}); err == nil {
			t.Errorf("%v: %+v", pair, got)
		}
	}
	if got, err := repo.Unite(t.Context(), nil); err != nil || got != nil || repo.Processes() > 5 {
		t.Errorf("nothing is united to %+v, %v", got, err)
	}
}

// A colon ends a name in a list of directories, a quote begins one in quotes.
func TestObjectsAreLentFromADirectoryOfAnyName(t *testing.T) {
	r := gittest.New(t)
	main, side, _ := branches(r)
	dir := filepath.Join(t.TempDir(), "a:b\"c\\ é")
	if err := os.Rename(r.Dir, dir); err != nil {
		t.Fatal(err)
	}
	repo, err := git.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = repo.Close() })
	if got, err := repo.Unite(t.Context(), [][2]string{{main, side}}); err != nil || len(got) != 1 || len(got[0].Conflicts) > 0 {
		t.Errorf("united they are %+v, %v", got, err)
	}
}
