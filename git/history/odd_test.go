package history_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/git/patch"
)

func TestSHA256RepositoryIsReadAlike(t *testing.T) {
	r := gittest.New(t, "--object-format=sha256")
	r.Commit("a", "f", five)
	r.Git("checkout", "-q", "-b", "side")
	r.Commit("b", "f", five+"six\n", "g", "x\n")
	r.Git("checkout", "-q", "main")
	r.Commit("c", "f", "zero\n"+five)
	r.Merge("m", []string{"side"}, "evil", "e\n")
	or := read(t, r)
	if or.repo.Format != git.SHA256 || len(or.last().ID) != 64 || len(or.order) != 4 {
		t.Errorf("read %d commits, the last %s", len(or.order), or.last().ID)
	}
	gone := r.Git("rev-parse", "HEAD:evil")
	if err := os.Remove(filepath.Join(r.Dir, ".git/objects", gone[:2], gone[2:])); err != nil {
		t.Fatal(err)
	}
	if f := read(t, r).file("evil"); !f.Missing || f.Binary {
		t.Errorf("a file without its blob is %+v", f)
	}
}

func TestShallowBoundaryIsFlagged(t *testing.T) {
	r := gittest.New(t)
	r.Commit("a", "f", "1\n")
	parent := r.Commit("b", "f", "1\n2\n")
	r.Commit("c", "f", "1\n2\n3\n")
	r.Commit("d", "f", "1\n2\n3\n4\n")
	repo := open(t, r.Clone("--depth=2").Dir)
	list := readLog(t, repo, "HEAD")
	if !repo.Shallow || len(list) != 2 || !list[0].Shallow || list[1].Shallow {
		t.Fatalf("shallow %v, %d commits", repo.Shallow, len(list))
	}
	if c := list[0]; c.Parents[0] != parent || c.Files[0].Status != patch.Added || c.Files[0].Added != 3 {
		t.Errorf("boundary has parents %v and %+v", c.Parents, c.Files)
	}
}

func TestPartialCloneIsReadWithoutFetching(t *testing.T) {
	r := gittest.New(t)
	r.Commit("a", "f", five, "big", strings.Repeat("big\n", 1000))
	r.Commit("b", "f", five+"six\n", "big", strings.Repeat("big\n", 1001))
	r.Commit("c", "f", five, "big", "small now\n")
	r.Git("config", "uploadpack.allowFilter", "true")
	clone := r.Clone("--no-checkout", "--filter=blob:limit=1k")
	clone.Git("config", "protocol.file.allow", "always")
	before := clone.Git("count-objects", "-v")
	repo := open(t, clone.Dir)
	list := readLog(t, repo, "HEAD")
	if !repo.Partial || len(list) != 3 {
		t.Fatalf("partial %v, %d commits", repo.Partial, len(list))
	}
	for i, c := range list {
		if c.Damage != nil || len(c.Files) != 2 || !c.Files[0].Missing || c.Files[0].Hunks != nil {
			t.Errorf("commit %d: %v %+v", i, c.Damage, c.Files)
		} else if f := c.Files[1]; f.Missing || len(f.Hunks) != 1 {
			t.Errorf("commit %d: the file that is there is %+v", i, f)
		}
	}
	for o, err := range repo.Objects(t.Context(), func(yield func(string) bool) {
		_ = yield(list[0].Files[0].Blob) && yield(list[0].Files[1].Blob) && yield("no id")
	}, 10) {
		if err != nil {
			t.Fatal(err)
		}
		if o.Missing == (o.ID == list[0].Files[1].Blob) || o.Data != nil {
			t.Errorf("object %s: %+v", o.ID, o)
		}
	}
	if after := clone.Git("count-objects", "-v"); after != before {
		t.Errorf("objects were fetched: %s", after)
	}
}

// lose removes or spoils a loose object.
func lose(t *testing.T, r *gittest.Repo, id, content string) {
	t.Helper()
	name := filepath.Join(r.Dir, ".git/objects", id[:2], id[2:])
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if content != "" {
		if err := os.WriteFile(name, []byte(content), 0o444); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDamageIsToldAndReadingGoesOn(t *testing.T) {
	const rubbish = "rubbish"
	for _, content := range []string{"", rubbish} {
		r := gittest.New(t)
		r.Commit("0", "f", "0\n")
		r.Commit("1", "f", "0\n1\n", "g", "whole\n")
		r.Commit("2", "f", "0\n1\n2\n")
		r.Commit("3", "dir/f", "x\n")
		r.Commit("4", "dir/f", "x\ny\n")
		r.Commit("5", "h", "x\n")
		lose(t, r, r.Git("rev-parse", "HEAD~4:f"), content)
		lose(t, r, r.Git("rev-parse", "HEAD~2:dir"), content)
		list := readLog(t, open(t, r.Dir), "HEAD")
		if len(list) != 6 {
			t.Fatalf("read %d commits, want 6", len(list))
		}
		for i, c := range list {
			var damage *history.DamageError
			if damaged := errors.As(c.Damage, &damage); damaged != (i == 3 || i == 4) {
				t.Errorf("content %q, commit %d: damage %v", content, i, c.Damage)
			}
			cause := history.ErrMissing
			if content != "" {
				cause = history.ErrBroken
			}
			for _, lost := range c.Lost {
				if lost.Object != r.Git("rev-parse", "HEAD~4:f") || !errors.Is(lost, cause) {
					t.Errorf("content %q, commit %d: lost %v", content, i, lost)
				}
			}
			if lost := len(c.Lost) == 1; lost != (i == 1 || i == 2) {
				t.Errorf("content %q, commit %d: lost %v", content, i, c.Lost)
			}
			for _, f := range c.Files {
				if f.Missing != (f.Path == "f" && (i == 1 || i == 2)) {
					t.Errorf("content %q, commit %d: %s missing %v", content, i, f.Path, f.Missing)
				}
			}
		}
		if f := list[1].Files[1]; f.Path != "g" || len(f.Hunks) != 1 {
			t.Errorf("the file beside the damaged one is %+v", f)
		}
	}
}

func TestBrokenCommitDoesNotHideTheOthers(t *testing.T) {
	for _, content := range []string{"", "rubbish"} {
		r := gittest.New(t)
		r.Commit("0", "f", "0\n")
		bad := r.Commit("1", "f", "1\n")
		r.Git("branch", "old", "HEAD~1")
		child := r.Commit("2", "f", "1\n2\n")
		r.Commit("3", "f", "1\n2\n3\n")
		old, tip := r.Git("rev-parse", "old"), r.Head()
		lose(t, r, bad, content)
		got := map[string]*history.Commit{}
		for _, c := range readLog(t, open(t, r.Dir), tip, old, strings.Repeat("5", 40)) {
			got[c.ID] = c
		}
		if len(got) != 5 || got[bad] == nil || got[bad].Damage == nil || got[bad].Tree != "" || got[strings.Repeat("5", 40)].Damage == nil {
			t.Errorf("content %q: read %v", content, got)
		}
		if c := got[child]; c == nil || !c.Shallow || c.Damage == nil || len(c.Files) != 1 || c.Files[0].Added != 2 {
			t.Errorf("content %q: child of the broken commit is %+v", content, c)
		}
		if c := got[tip]; c == nil || c.Damage != nil || c.Files[0].Added != 1 {
			t.Errorf("content %q: the tip is %+v", content, c)
		}
	}
}

func TestSubmodulesAreNamedAsSuch(t *testing.T) {
	r := gittest.New(t)
	im := r.Import()
	for _, id := range []string{strings.Repeat("a", 40), strings.Repeat("b", 40)} {
		im.Commit(gittest.ImportCommit{Ref: "refs/heads/main", Message: "s", Files: []gittest.ImportFile{{Path: "sub", Mode: "160000", Content: id}}})
	}
	im.Close()
	or := read(t, r)
	if f := or.file("sub"); !f.Submodule() || f.Status != patch.Modified || f.Blob != strings.Repeat("b", 40) {
		t.Errorf("submodule is %+v", f)
	}
}

func TestHistoryWithoutOneSoundTip(t *testing.T) {
	for _, content := range []string{"", "rubbish"} {
		r := gittest.New(t)
		bad := r.Commit("0", "f", "0\n")
		lose(t, r, bad, content)
		list := readLog(t, open(t, r.Dir), bad)
		if len(list) != 1 || list[0].ID != bad || list[0].Damage == nil {
			t.Errorf("content %q: %+v", content, list)
		}
	}
}
