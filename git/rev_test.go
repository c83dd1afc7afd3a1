package git_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/gittest"
)

func TestRevisionsCountsAndAncestry(t *testing.T) {
	r := gittest.New(t)
	first := r.Commit("a", "f", "x\n")
	r.Git("tag", "-a", "-m", "m", "v1")
	r.Git("checkout", "-q", "-b", "side")
	r.Commit("b", "g", "x\n")
	r.Git("checkout", "-q", "main")
	second := r.Commit("c", "f", "y\n")
	tip := r.Merge("m", []string{"side"})
	repo, ctx := open(t, r.Dir), t.Context()
	for rev, want := range map[string]string{"v1": first, "main~1": second, first[:9]: first, "HEAD@{0}": tip} {
		if got, err := repo.Resolve(ctx, rev); got != want || err != nil {
			t.Errorf("Resolve(%s) = %s, %v", rev, got, err)
		}
	}
	for _, rev := range []string{"", "-x", "--all", "a..b", "^main", "nothing", "main\nv1", "main:f"} {
		if got, err := repo.Resolve(ctx, rev); !errors.Is(err, git.ErrBadRevision) {
			t.Errorf("Resolve(%q) = %s, %v", rev, got, err)
		}
	}
	if n, err := repo.Count(ctx, []string{"main"}, []string{"v1"}); n != 3 || err != nil {
		t.Errorf("Count = %d, %v", n, err)
	}
	if list, err := repo.FirstParents(ctx, "main"); err != nil || !slices.Equal(list, []string{tip, second, first}) {
		t.Errorf("FirstParents = %v, %v", list, err)
	}
	for pair, want := range map[[2]string]bool{{first, tip}: true, {"side", "main"}: true, {tip, first}: false} {
		if got, err := repo.Ancestor(ctx, pair[0], pair[1]); got != want || err != nil {
			t.Errorf("Ancestor(%v) = %v, %v", pair, got, err)
		}
	}
}
