package git_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/git/gittest"
)

func TestCommitsAreFoundWhereverTheyLie(t *testing.T) {
	origin := gittest.New(t)
	packed := origin.Commit("packed", "a", "1")
	origin.Git("tag", "-a", "-m", "no commit itself", "v1")
	origin.Git("repack", "-q", "-a", "-d")
	r := gittest.New(t)
	borrowed := filepath.Join(origin.Dir, ".git", "objects")
	alternates := filepath.Join(r.Dir, ".git", "objects", "info", "alternates")
	if err := os.WriteFile(alternates, []byte(borrowed+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	r.Git("fetch", "-q", origin.Dir, "refs/tags/v1:refs/tags/v1")
	loose := r.Commit("loose", "a", "2")
	tag, tree := strings.TrimSpace(r.Git("rev-parse", "v1")), strings.TrimSpace(r.Git("rev-parse", "HEAD^{tree}"))
	ids := []string{
		packed, loose, packed, tag, tree, // one borrowed and asked for twice
		strings.Repeat("ab", 20), "", "HEAD", packed[:12], "../../config",
	}
	repo := open(t, r.Dir)
	look := func() string {
		t.Helper()
		here, err := repo.Commits(t.Context(), ids)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(slices.IndexFunc(ids, func(id string) bool { return here[id] }), len(here), here[packed], here[loose])
	}
	if got := look(); got != "0 2 true true" {
		t.Errorf("found %s", got)
	}
	before := repo.Processes()
	if here, err := repo.Commits(t.Context(), ids[5:]); err != nil || len(here) > 0 || repo.Processes() != before {
		t.Errorf("%d found of what is not there, with %d processes (%v)", len(here), repo.Processes()-before, err)
	}
	// Git knows a place in quotes, and one behind many.
	others := make([]string, 20)
	for i := range others {
		others[i] = t.TempDir()
	}
	for _, list := range []string{strconv.Quote(borrowed) + "\n", strings.Join(others, "\n") + "\n" + borrowed + "\n"} {
		if err := os.WriteFile(alternates, []byte(list), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := look(); got != "0 2 true true" {
			t.Errorf("with %.60q found %s", list, got)
		}
	}
	if err := os.WriteFile(alternates, []byte(borrowed+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	// An index that cannot be read says nothing of what is not there.
	list, err := filepath.Glob(filepath.Join(borrowed, "pack", "*.idx"))
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if err := os.Truncate(list[0], 80<<20); err != nil { // longer than is read
		t.Fatal(err)
	}
	before = repo.Processes()
	if _, err := repo.Commits(t.Context(), ids[5:]); err != nil || repo.Processes() == before {
		t.Errorf("git was not asked (%v)", err)
	}
}
