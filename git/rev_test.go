package git_test

import (
	"errors"
	"slices"
	"strings"
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
	side := r.Git("rev-parse", "side")
	for revs, want := range map[string][]string{
		"":                   {""},
		"main":               {tip},
		"v1..main":           {tip, first},
		"^v1":                {"", first},
		"main ^side ^main~1": {tip, side, second},
		"v1..":               {tip, first},
		"..side":             {side, tip},
		"main^!":             {tip, second, side},
		"main^-2":            {tip, side},
		"main^-":             {tip, second},
		"main~1^@":           {first},
		"v1...main":          {tip, first},
		"main..main":         {"", tip},
		"HEAD@{0}..side":     {side, tip},
		"main^{/[a..c]}":     {second},
	} {
		begin, not, err := repo.Range(ctx, strings.Fields(revs))
		slices.Sort(not)
		slices.Sort(want[1:])
		if err != nil || !slices.Equal(append([]string{begin}, not...), want) {
			t.Errorf("Range(%s) = %s, %v, %v; want %v", revs, begin, not, err, want)
		}
	}
	for _, revs := range []string{
		"nothing", "^nothing main", "v1..nothing", "nothing..main", "nothing^!", "main^-9", "main side", "main~1...side", "--all", "^--all", "main..--all", "--all..main",
		"^^v1", "^v1..main", "main..v1..side", "v1..^main", "^", "-", "main^@", "main^!..v1", "v1....main",
	} {
		if begin, not, err := repo.Range(ctx, strings.Fields(revs)); !errors.Is(err, git.ErrBadRevision) {
			t.Errorf("Range(%s) = %s, %v, %v", revs, begin, not, err)
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
