package git_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/gittest"
)

func catFile(t *testing.T, r *git.Repo) *git.CatFile {
	t.Helper()
	cat, err := r.CatFile(t.Context(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cat.Kill)
	return cat
}

// The order is that of the offsets that git verify-pack tells.
func TestObjectsAreReadAsTheyLieInPacks(t *testing.T) {
	for _, format := range []string{"1", "2"} {
		r := gittest.New(t)
		var text strings.Builder
		for i := range 60 {
			fmt.Fprintf(&text, "line %d\n", i*i)
			r.Commit("more", "f", text.String())
		}
		r.Git("-c", "pack.indexVersion="+format, "repack", "-q", "-a", "-d", "-f")
		r.Commit("loose", "f", "of its own")
		ids := strings.Fields(r.Git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)"))
		offsets := map[string]int{}
		packs, err := filepath.Glob(filepath.Join(r.Dir, ".git", "objects", "pack", "*.idx"))
		if err != nil || len(packs) != 1 {
			t.Fatal(packs, err)
		}
		for line := range strings.Lines(r.Git("verify-pack", "-v", packs[0])) {
			if f := strings.Fields(line); len(f) >= 5 && len(f[0]) == 40 {
				if n, err := strconv.Atoi(f[4]); err == nil {
					offsets[f[0]] = n
				}
			}
		}
		got := open(t, r.Dir).PackOrder(append(ids, ids...))
		if len(got) != len(ids) || len(offsets) < 180 {
			t.Fatalf("%d objects of %d, %d in the pack", len(got), len(ids), len(offsets))
		}
		last := 0
		for i, id := range got[:len(offsets)] {
			if offsets[id] <= last {
				t.Fatalf("index version %s: object %d lies at %d, the one before at %d", format, i, offsets[id], last)
			}
			last = offsets[id]
		}
	}
}

func TestObjectsComeInOrderAndBounded(t *testing.T) {
	r := gittest.New(t)
	r.Commit("a", "f", "small", "g", strings.Repeat("x", 1<<20))
	repo := open(t, r.Dir)
	small, big, none := r.Git("rev-parse", "HEAD:f"), r.Git("rev-parse", "HEAD:g"), strings.Repeat("1", 40)
	var ask []string
	for range 2000 {
		ask = append(ask, small, none, "HEAD", small)
	}
	ask = append(ask, big, small)
	at, before := 0, repo.Processes()
	for o, err := range repo.Objects(t.Context(), slices.Values(ask), 100) {
		if err != nil {
			t.Fatal(err)
		}
		if o.ID != ask[at] || o.Missing != (o.ID == none || o.ID == "HEAD") || o.TooBig != (o.ID == big) || (o.ID == small) != (string(o.Data) == "small") {
			t.Fatalf("object %d is %+v", at, o)
		}
		at++
	}
	if at != len(ask) || repo.Processes() != before+1 {
		t.Errorf("%d of %d objects with %d processes", at, len(ask), repo.Processes()-before)
	}
	for o, err := range repo.Check(t.Context(), slices.Values([]string{big})) {
		if err != nil || o.Size != 1<<20 || o.Type != "blob" {
			t.Errorf("check: %+v, %v", o, err)
		}
	}
	for _, err := range repo.Objects(t.Context(), slices.Values(ask), 100) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
}

func TestObjectThatGitDiesOverDoesNotHideTheOthers(t *testing.T) {
	r := gittest.New(t)
	r.Commit("a", "f", strings.Repeat("some words\n", 500)+"f", "g", "small", "h", strings.Repeat("other words\n", 500))
	small := r.Git("rev-parse", "HEAD:g")
	var ask []string
	for _, rev := range []string{"HEAD:f", "HEAD:h"} {
		id := r.Git("rev-parse", rev)
		name := filepath.Join(r.Dir, ".git/objects", id[:2], id[2:])
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lose(t, r, id, whole[:len(whole)-20])
		ask = append(ask, small, id)
	}
	for range 3000 {
		ask = append(ask, small)
	}
	repo, i := open(t, r.Dir), 0
	for o, err := range repo.Objects(t.Context(), slices.Values(ask), 1<<20) {
		if err != nil {
			t.Fatal(err)
		}
		if o.ID != ask[i] || o.Broken != (o.ID != small) || string(o.Data) != map[bool]string{true: "small"}[o.ID == small] {
			t.Errorf("object %d of %d: %+v, asked for %s", i, len(ask), o, ask[i])
		}
		i++
	}
	if i != len(ask) {
		t.Errorf("%d objects, want %d", i, len(ask))
	}
	if n := repo.Processes(); n > 8 {
		t.Errorf("%d processes", n)
	}
}

// lose writes other bytes into the file of a loose object.
func lose(t *testing.T, r *gittest.Repo, id string, content []byte) {
	t.Helper()
	name := filepath.Join(r.Dir, ".git/objects", id[:2], id[2:])
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, content, 0o444); err != nil {
		t.Fatal(err)
	}
}
