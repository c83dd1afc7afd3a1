package git_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/git/gittest"
)

func TestIDsAreShortenedAsGitShortensThem(t *testing.T) {
	r := gittest.New(t)
	same := func(r *gittest.Repo, when string) {
		t.Helper()
		want := len(r.Git("rev-parse", "--short", "main"))
		if got := open(t, r.Dir).AbbrevLength([]string{r.Git("rev-parse", "main")}); got != want {
			t.Errorf("%s: %d digits, git has %d", when, got, want)
		}
	}
	for _, commits := range []int{1, 6000} { // three objects each
		im := r.Import()
		for i := range commits {
			im.Commit(gittest.ImportCommit{Ref: "refs/heads/main", Message: "c", Files: []gittest.ImportFile{gittest.Set("f", fmt.Sprint(commits, i))}})
		}
		im.Close()
		r.Git("repack", "-adq")
		same(r, fmt.Sprint(commits, " commits"))
	}
	near := gittest.At(t, filepath.Join(t.TempDir(), "near"))
	r.Git("clone", "-qs", r.Dir, near.Dir)
	far := gittest.At(t, filepath.Join(t.TempDir(), "far"))
	near.Git("clone", "-qs", near.Dir, far.Dir)
	same(near, "objects of another")
	same(far, "objects of another one's other")
	objects := filepath.Join(r.Dir, ".git", "objects")
	if err := os.WriteFile(filepath.Join(near.Dir, ".git", "objects", "info", "alternates"), []byte(objects+"\n"+objects+"/\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	same(near, "the same others twice")
	for _, value := range []string{"12", "4", "auto", "no", "40", "OFF"} {
		r.Git("config", "core.abbrev", value)
		same(r, "core.abbrev="+value)
	}
	r.Git("config", "core.abbrev", "4")
	r.Git("config", "include.path", "nowhere") // it is git then that opens it
	same(r, "core.abbrev beside an include")
}

func TestShortenedIDsAreTheirsAlone(t *testing.T) {
	r := gittest.New(t)
	r.Git("config", "core.abbrev", "4")
	im := r.Import()
	for i := range 700 {
		im.Commit(gittest.ImportCommit{Ref: "refs/heads/main", Message: "c", Files: []gittest.ImportFile{gittest.Set("f", fmt.Sprint(i))}})
	}
	im.Close()
	same := func(where string) {
		t.Helper()
		repo, most, longer := open(t, r.Dir), 0, 0
		var all []string
		for line := range strings.Lines(r.Git("log", "--format=%H %h", "main")) {
			id, short, _ := strings.Cut(strings.TrimSpace(line), " ")
			if len(all)%4 == 0 && repo.AbbrevLength([]string{id}) != len(short) {
				t.Errorf("%s: %s does not have the digits of %s", where, id, short)
			}
			all, most = append(all, id), max(most, len(short))
			if len(short) > 4 {
				longer++
			}
		}
		if got := repo.AbbrevLength(all); got != most || longer == 0 {
			t.Errorf("%s: all have %d digits, want %d; %d need more than 4", where, got, most, longer)
		}
	}
	for _, version := range []string{"1", "2"} {
		r.Git("-c", "pack.indexVersion="+version, "repack", "-adqF")
		same("index version " + version)
	}
	packs, err := filepath.Glob(filepath.Join(r.Dir, ".git", "objects", "pack", "*.pack"))
	if err != nil || len(packs) != 1 {
		t.Fatal(packs, err)
	}
	body, err := os.ReadFile(packs[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Dir(packs[0])); err != nil {
		t.Fatal(err)
	}
	r.GitWith(body, "unpack-objects", "-q")
	same("loose")
}
