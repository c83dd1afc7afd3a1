package git_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/blame"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/git/history"
)

const five = "one\ntwo\nthree\nfour\nfive\n"

func open(t *testing.T, dir string) *git.Repo {
	t.Helper()
	r, err := git.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func readLog(t *testing.T, r *git.Repo, tips ...string) []*history.Commit {
	t.Helper()
	var list []*history.Commit
	for c, err := range history.Log(t.Context(), r, history.Options{Tips: tips}) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	return list
}

func TestPlaceWithoutRepositoryGetsAHint(t *testing.T) {
	t.Setenv("GIT_CEILING_DIRECTORIES", filepath.Dir(t.TempDir()))
	dir := t.TempDir()
	_, err := git.Open(t.Context(), dir)
	var hint *stemma.HintError
	if !errors.As(err, &hint) || !errors.Is(err, stemma.ErrNotFound) || !strings.Contains(err.Error(), "not a git repository") {
		t.Errorf("opening a plain directory: %v", err)
	}
	if _, err := git.Open(t.Context(), filepath.Join(dir, "nothing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("opening nothing: %v", err)
	}
}

func TestEmptyRepositoryIsEmpty(t *testing.T) {
	for _, flags := range [][]string{nil, {"--bare"}, {"--object-format=sha256"}} {
		r := gittest.New(t, flags...)
		repo := open(t, r.Dir)
		if !repo.Empty || repo.Head != "" || repo.Branch != "refs/heads/main" || repo.Bare != (len(flags) > 0 && flags[0] == "--bare") {
			t.Errorf("init %q: %+v", flags, repo)
		}
		refs, err := repo.Refs(t.Context())
		if err != nil || len(refs) != 0 || repo.DefaultBranch(refs) != "" {
			t.Errorf("init %q: refs %v, %v", flags, refs, err)
		}
		if _, err := repo.Resolve(t.Context(), "HEAD"); !errors.Is(err, stemma.ErrNotFound) {
			t.Errorf("init %q: HEAD resolves: %v", flags, err)
		}
	}
}

func TestWorktreeSubdirectoryAndDetachedHead(t *testing.T) {
	r := gittest.New(t)
	id := r.Commit("a", "sub/dir/f", "x\n")
	tree := filepath.Join(t.TempDir(), "linked\ntree")
	r.Git("worktree", "add", "-q", "--detach", tree)
	repo := open(t, filepath.Join(tree, "sub"))
	common, err := filepath.EvalSymlinks(filepath.Join(r.Dir, ".git"))
	if err != nil {
		t.Fatal(err)
	}
	if repo.WorkTree != tree || repo.Prefix != "sub/" || repo.Branch != "" || repo.Head != id || repo.CommonDir != common {
		t.Errorf("linked work tree: %q prefix %q branch %q head %s common %q", repo.WorkTree, repo.Prefix, repo.Branch, repo.Head, repo.CommonDir)
	}
	if refs, err := repo.Refs(t.Context()); err != nil || repo.DefaultBranch(refs) != "refs/heads/main" {
		t.Errorf("detached: default branch of %v, %v", refs, err)
	}
	if got := readLog(t, repo, "HEAD"); len(got) != 1 {
		t.Errorf("read %d commits", len(got))
	}
}

// Everything in a repository that could make git run something is set to leave
// a mark behind; nothing may.
func TestNothingOfTheRepositoryRuns(t *testing.T) {
	r := gittest.New(t)
	mark := filepath.Join(t.TempDir(), "ran")
	script := filepath.Join(t.TempDir(), "trap")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho \"$0 $@\" >>'"+mark+"'\ncat\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.Commit("a", ".gitattributes", "* diff=trap filter=trap merge=trap\n*.hidden -diff\n", "f", five, "x.hidden", five)
	r.Git("tag", "-a", "-m", "tag", "v1")
	r.Git("notes", "add", "-m", "note")
	r.Commit("b", "f", five+"six\n", "x.hidden", five+"seven\n")
	for _, key := range []string{
		"diff.external", "diff.trap.textconv", "diff.trap.command", "filter.trap.clean", "filter.trap.smudge", "filter.trap.process",
		"core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass", "core.alternateRefsCommand", "gpg.program",
		"gpg.ssh.program", "pager.log", "pager.blame", "pager.for-each-ref", "credential.helper", "interactive.diffFilter",
		"uploadpack.packObjectsHook", "remote.origin.uploadpack", "merge.trap.driver", "trailer.x.command",
	} {
		r.Git("config", key, script)
	}
	r.Git("config", "remote.origin.url", "ext::"+script)
	r.Git("config", "remote.origin.promisor", "true")
	r.Git("config", "protocol.ext.allow", "always")
	r.Git("config", "log.showSignature", "true")
	r.Git("config", "color.ui", "always")
	r.Git("config", "diff.noprefix", "true")
	r.Git("config", "diff.orderFile", "/dev/stdin")
	r.Git("config", "blame.ignoreRevsFile", "nothing-here")
	for _, alias := range []string{"log", "blame", "rev-parse", "cat-file", "diff-tree"} {
		r.Git("config", "alias."+alias, "!"+script)
	}
	if err := os.Mkdir(filepath.Join(r.Dir, ".git/hooks"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, hook := range []string{"post-index-change", "pre-auto-gc", "reference-transaction", "post-checkout"} {
		if err := os.Symlink(script, filepath.Join(r.Dir, ".git/hooks", hook)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GIT_DIR", "/nowhere")
	t.Setenv("GIT_EXTERNAL_DIFF", script)
	t.Setenv("GIT_CONFIG_PARAMETERS", "'core.pager="+script+"'")
	hidden := r.Git("rev-parse", "HEAD:x.hidden")
	if err := os.Remove(filepath.Join(r.Dir, ".git/objects", hidden[:2], hidden[2:])); err != nil {
		t.Fatal(err)
	}

	repo := open(t, r.Dir)
	ctx := t.Context()
	if _, err := repo.Refs(ctx); err != nil {
		t.Error(err)
	}
	list := readLog(t, repo, "HEAD")
	if len(list) != 2 || len(list[0].Files) != 3 || len(list[0].Files[2].Hunks) != 1 {
		t.Errorf("attributes hide files: %+v", list)
	}
	for _, rev := range []string{"", "HEAD"} {
		n := 0
		for _, err := range blame.Lines(ctx, repo, blame.Options{Rev: rev, Path: "f"}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 6 {
			t.Errorf("blame of %q has %d lines", rev, n)
		}
	}
	if _, _, err := repo.Notes(ctx, "refs/notes/commits"); err != nil {
		t.Error(err)
	}
	if ran, err := os.ReadFile(mark); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something ran: %s %v", ran, err)
	}
}

// A glance tells of refs what for-each-ref tells, in whatever form they are kept.
func TestGlanceSeesRefsAsGitListsThem(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "line\nfalse\n"+strings.Repeat("1", 40)+"\nrefs/notes/x")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	r := gittest.At(t, dir)
	r.Git("init", "-q", "-b", "main")
	look := func(name string) {
		t.Helper()
		for _, prefixes := range [][]string{{"refs/notes/", "refs/ai/authorship/"}, {"refs/none/"}, nil} {
			glanced, got, err := git.Glance(t.Context(), dir, prefixes...)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			full := open(t, dir)
			if len(prefixes) > 0 {
				want, err := full.RefNames(t.Context(), prefixes...)
				for i := range want {
					want[i].Target = ""
				}
				for i := range got {
					got[i].Target = ""
				}
				if d := cmp.Diff(want, got); d != "" || err != nil {
					t.Errorf("%s, %v: %v (-want +got):\n%s", name, prefixes, err, d)
				}
			}
			if head, _ := r.Try(nil, "rev-parse", "-q", "--verify", "HEAD"); glanced.Head != strings.TrimSpace(string(head)) || full.Head != glanced.Head || glanced.WorkTree != dir {
				t.Errorf("%s: HEAD %q and %q in %q", name, glanced.Head, full.Head, glanced.WorkTree)
			}
			if err := glanced.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	look("empty")
	blob := r.GitWith([]byte("note"), "hash-object", "-w", "--stdin")
	r.Git("update-ref", "refs/ai/authorship/"+strings.Repeat("2", 40), blob)
	look("unborn, with refs")
	r.Commit("one", "f", "x\n")
	r.Git("notes", "--ref", "b", "add", "-m", "x")
	look("loose")
	r.Git("pack-refs", "--all")
	look("packed")
	r.Git("symbolic-ref", "refs/notes/a", "refs/notes/b")
	r.Git("symbolic-ref", "refs/notes/c", "refs/notes/nowhere")
	r.Git("update-ref", "refs/heads/refs/notes/b", "HEAD") // would make the short name ambiguous
	r.Write(".git/refs/notes/broken", "no id\n", ".git/refs/notes/missing", strings.Repeat("1", 40)+"\n")
	look("odd")
	r.Git("checkout", "-q", "--detach")
	look("detached")
}

func TestForeignRepositoryIsReadAndLeftAlone(t *testing.T) {
	r := gittest.New(t)
	r.Commit("a", "f", "x\n")
	if os.Getuid() == 0 { // another owner needs rights to give files away
		for _, p := range []string{r.Dir, filepath.Join(r.Dir, ".git")} {
			if err := os.Chown(p, 12345, 12345); err != nil {
				t.Fatal(err)
			}
		}
	}
	state := func() string {
		out, err := exec.Command("find", r.Dir, "-printf", "%p %s %T@ %C@\n").Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	before := state()
	repo, err := git.Open(t.Context(), r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if list := readLog(t, repo, "HEAD"); len(list) != 1 {
		t.Errorf("read %d commits", len(list))
	}
	for _, err := range blame.Lines(t.Context(), repo, blame.Options{Path: "f"}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if after := state(); after != before {
		t.Errorf("the repository was changed:\n%s\n%s", before, after)
	}
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	second, err := git.Open(t.Context(), r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []*git.Repo{repo, second} {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestNotesOfARepositoryWithNothingCheckedOutAreSeen(t *testing.T) {
	for n := range 4 {
		r := gittest.New(t)
		tree := r.GitWith(nil, "mktree")
		for i := range n {
			r.Git("update-ref", fmt.Sprint("refs/notes/n", i), r.Git("commit-tree", tree, "-m", "notes"))
		}
		repo, refs, err := git.Glance(t.Context(), r.Dir, "refs/notes/")
		if err != nil {
			t.Fatal(err)
		}
		if len(refs) != n || repo.Head != "" || repo.Format != git.SHA1 || repo.Empty != (n == 0) {
			t.Errorf("%d notes: %d refs, head %q, format %q, empty %v", n, len(refs), repo.Head, repo.Format, repo.Empty)
		}
		if err := repo.Close(); err != nil {
			t.Error(err)
		}
	}
}
