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

func catFile(t *testing.T, r *git.Repo) *git.CatFile {
	t.Helper()
	cat, err := r.CatFile(t.Context(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cat.Kill)
	return cat
}

func TestObjectsAreReadBehindTheirBases(t *testing.T) {
	got := git.ReadingOrder([]git.Object{
		{ID: "leaf", Base: "middle"},
		{ID: "alone"},
		{ID: "middle", Base: "root"},
		{ID: "root"},
		{ID: "twice", Base: "root"},
		{ID: "twice", Base: "root"},
		{ID: "beside", Base: "not asked for"},
		{ID: "missing", Missing: true},
		{ID: "round", Base: "and round"},
		{ID: "and round", Base: "round"},
		{ID: "itself", Base: "itself"},
	})
	if want := 10; len(got) != want {
		t.Fatalf("%d objects of %d: %q", len(got), want, got)
	}
	at := func(id string) int {
		i := slices.Index(got, id)
		if i < 0 {
			t.Errorf("%s is not read", id)
		}
		return i
	}
	for _, id := range []string{"alone", "beside", "missing", "round", "and round", "itself", "twice"} {
		at(id)
	}
	if at("middle") < at("root") || at("leaf") != at("middle")+1 {
		t.Errorf("a chain is read as %q", got)
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
