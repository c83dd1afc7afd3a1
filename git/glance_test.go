package git_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/gittest"
)

// sameAsGit looks at a directory with Glance and with a process of git, and
// checks that both tell the same. It returns whether Glance needed git.
func sameAsGit(t *testing.T, name, dir string) (asked bool) {
	t.Helper()
	glanced, refs, err := git.Glance(t.Context(), dir, "refs/notes/", "refs/ai/authorship/")
	full, asks := git.Open(t.Context(), dir)
	if err != nil || asks != nil {
		if (err == nil) != (asks == nil) {
			t.Errorf("%s: %v, but git: %v", name, err, asks)
		}
		return true
	}
	asked = glanced.Processes() > 0
	want, err := full.RefNames(t.Context(), "refs/notes/", "refs/ai/authorship/")
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		want[i].Target = ""
	}
	if d := cmp.Diff(want, refs); d != "" {
		t.Errorf("%s: refs (-git +glance):\n%s", name, d)
	}
	full.Partial = false // a glance does not say
	if d := cmp.Diff(full, glanced, cmpopts.IgnoreUnexported(git.Repo{})); d != "" {
		t.Errorf("%s (-git +glance):\n%s", name, d)
	}
	for _, r := range []*git.Repo{glanced, full} {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	return asked
}

func TestOrdinaryRepositoryIsFoundWithoutGit(t *testing.T) {
	r := gittest.New(t)
	ordinary := func(name, dir string) {
		t.Helper()
		if sameAsGit(t, name, dir) {
			t.Errorf("%s: git was asked", name)
		}
	}
	first := r.Commit("one", "sub/dir/f", "x\n")
	ordinary("loose", r.Dir)
	ordinary("below", filepath.Join(r.Dir, "sub", "dir"))
	r.Git("notes", "--ref", "ai", "add", "-m", "x")
	r.Git("update-ref", "refs/ai/authorship/"+first, r.GitWith([]byte("note"), "hash-object", "-w", "--stdin"))
	ordinary("notes", r.Dir)
	for _, below := range []string{"", "sub/dir/"} { // a link leads there, as for git
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(filepath.Join(r.Dir, below), link); err != nil {
			t.Fatal(err)
		}
		ordinary("by a link", link)
		if repo := open(t, link); repo.WorkTree != r.Dir || repo.Prefix != below {
			t.Errorf("by a link: %q in %s", repo.Prefix, repo.WorkTree)
		}
	}
	r.Git("tag", "-a", "-m", "tag", "v1")
	r.Git("pack-refs", "--all")
	ordinary("packed", r.Dir)
	r.Commit("two", "f", "x\n")
	r.Git("notes", "--ref", "ai", "add", "-m", "y")
	r.Git("notes", "--ref", "b/c", "add", "-m", "y")
	ordinary("loose over packed", r.Dir)
	r.Git("config", "remote.origin.url", "https://example.test/a.git")
	r.Git("config", "remote.origin.promisor", "true")
	ordinary("with a remote", r.Dir)

	for name, flags := range map[string][]string{"linked": {"-b", "other"}, "linked, detached": {"--detach"}} {
		tree := filepath.Join(t.TempDir(), "tree")
		r.Git(append(append([]string{"worktree", "add", "-q"}, flags...), tree)...)
		ordinary(name, tree)
		ordinary(name+", below", filepath.Join(tree, "sub"))
	}
	r.Git("checkout", "-q", "--detach", first)
	ordinary("detached", r.Dir)

	ordinary("cloned", r.Clone().Dir)
	inner := gittest.At(t, filepath.Join(r.Dir, "sub", "inner"))
	r.Git("init", "-q", inner.Dir)
	inner.Commit("in", "g", "y\n")
	ordinary("inside another", inner.Dir)
	apart := gittest.At(t, filepath.Join(t.TempDir(), "tree"))
	r.Git("init", "-q", "--separate-git-dir", filepath.Join(t.TempDir(), "apart"), apart.Dir)
	apart.Commit("a", "f", "x\n")
	ordinary("with its git directory apart", apart.Dir)
}

// Whatever could make git see something else is left to git.
func TestRepositoryOutOfTheOrdinaryIsLeftToGit(t *testing.T) {
	elsewhere := t.TempDir()
	for name, change := range map[string]func(r *gittest.Repo){
		"another work tree":  func(r *gittest.Repo) { r.Git("config", "core.worktree", elsewhere) },
		"bare by its word":   func(r *gittest.Repo) { r.Git("config", "core.bare", "true") },
		"silent on bareness": func(r *gittest.Repo) { r.Git("config", "--unset", "core.bare") },
		"an include":         func(r *gittest.Repo) { r.Git("config", "include.path", "more") },
		"an extension":       func(r *gittest.Repo) { r.Git("config", "extensions.worktreeConfig", "true") },
		"an unknown version": func(r *gittest.Repo) { r.Git("config", "core.repositoryFormatVersion", "99") },
		"a broken config":    func(r *gittest.Repo) { r.Write(".git/config", "[core\n") },
		"no config":          func(r *gittest.Repo) { r.Git("config", "--remove-section", "core") },
		"cut off": func(r *gittest.Repo) {
			r.Write(".git/shallow", strings.TrimSpace(r.Git("rev-parse", "HEAD"))+"\n")
		},
		"a linked HEAD": func(r *gittest.Repo) {
			_ = os.Remove(filepath.Join(r.Dir, ".git/HEAD"))
			_ = os.Symlink("refs/heads/main", filepath.Join(r.Dir, ".git/HEAD"))
		},
		"a HEAD elsewhere": func(r *gittest.Repo) {
			r.Git("update-ref", "refs/x/y", "HEAD")
			r.Write(".git/HEAD", "ref: refs/x/y\n")
		},
		"a HEAD of nothing":  func(r *gittest.Repo) { r.Write(".git/HEAD", "nothing\n") },
		"a HEAD with blanks": func(r *gittest.Repo) { r.Write(".git/HEAD", "ref:   refs/heads/main  \n") },
		"an unborn branch":   func(r *gittest.Repo) { r.Git("checkout", "-q", "--orphan", "new") },
		"a symbolic note":    func(r *gittest.Repo) { r.Git("symbolic-ref", "refs/notes/a", "refs/notes/ai") },
		"a broken note":      func(r *gittest.Repo) { r.Write(".git/refs/notes/broken", "no id\n") },
		"a locked note":      func(r *gittest.Repo) { r.Write(".git/refs/notes/ai.lock", "") },
		"a linked note": func(r *gittest.Repo) {
			_ = os.Symlink("ai", filepath.Join(r.Dir, ".git/refs/notes/too"))
		},
		"unsorted packed refs": func(r *gittest.Repo) {
			id := r.Git("rev-parse", "HEAD")
			r.Write(".git/packed-refs", id+" refs/notes/z\n"+id+" refs/notes/a\n")
		},
		"a link to a git directory": func(r *gittest.Repo) {
			_ = os.Rename(filepath.Join(r.Dir, ".git"), filepath.Join(r.Dir, "real"))
			_ = os.Symlink("real", filepath.Join(r.Dir, ".git"))
		},
		"a git directory in want of objects": func(r *gittest.Repo) { _ = os.RemoveAll(filepath.Join(r.Dir, ".git/objects")) },
		"a pointer to nothing": func(r *gittest.Repo) {
			_ = os.RemoveAll(filepath.Join(r.Dir, ".git"))
			r.Write(".git", "gitdir: nowhere\n")
		},
	} {
		r := gittest.New(t)
		r.Commit("one", "sub/f", "x\n")
		r.Git("notes", "--ref", "ai", "add", "-m", "x")
		change(r)
		if !sameAsGit(t, name, r.Dir) {
			t.Errorf("%s: git was not asked", name)
		}
		sameAsGit(t, name+", below", filepath.Join(r.Dir, "sub"))
	}
	for name, flags := range map[string][]string{"sha256": {"--object-format=sha256"}, "bare": {"--bare"}} {
		r := gittest.New(t, flags...)
		if name != "bare" {
			r.Commit("one", "f", "x\n")
		}
		if !sameAsGit(t, name, r.Dir) {
			t.Errorf("%s: git was not asked", name)
		}
	}
	r := gittest.New(t)
	r.Commit("one", "sub/f", "x\n")
	sub := gittest.New(t)
	sub.Commit("two", "g", "y\n")
	sub.Git("-c", "protocol.file.allow=always", "submodule", "add", "-q", "file://"+r.Dir, "module")
	if !sameAsGit(t, "submodule", filepath.Join(sub.Dir, "module")) {
		t.Error("submodule: git was not asked")
	}
	if !sameAsGit(t, "inside the git directory", filepath.Join(r.Dir, ".git", "refs")) {
		t.Error("inside the git directory: git was not asked")
	}
	t.Setenv("GIT_CEILING_DIRECTORIES", r.Dir)
	if !sameAsGit(t, "below a ceiling", filepath.Join(r.Dir, "sub")) {
		t.Error("below a ceiling: git was not asked")
	}
}

// A variable that points git elsewhere is not obeyed, as before.
func TestVariablesOfGitDoNotLeadElsewhere(t *testing.T) {
	other := gittest.New(t)
	other.Commit("other", "f", "x\n")
	r := gittest.New(t)
	id := r.Commit("one", "f", "y\n")
	t.Setenv("GIT_DIR", filepath.Join(other.Dir, ".git"))
	t.Setenv("GIT_COMMON_DIR", filepath.Join(other.Dir, ".git"))
	t.Setenv("GIT_WORK_TREE", other.Dir)
	t.Setenv("GIT_OBJECT_DIRECTORY", filepath.Join(other.Dir, ".git", "objects"))
	sameAsGit(t, "variables", r.Dir)
	glanced, _, err := git.Glance(t.Context(), r.Dir)
	if err != nil || glanced.Head != id {
		t.Fatalf("%+v, %v", glanced, err)
	}
	if err := glanced.Close(); err != nil {
		t.Error(err)
	}
}
