package install_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/install"
	"github.com/stemma-dev/stemma/install/githook"
)

func TestWorkTreesAreUndoneOneByOne(t *testing.T) {
	w := newWorld(t)
	w.Commit("one", "a", "1\n")
	before := snapshot(t, w.at(".git/hooks"), w.at(".git/config"))
	tree := filepath.Join(t.TempDir(), "linked")
	w.Git("worktree", "add", "-q", tree)
	other := &world{Repo: gittest.At(t, tree), m: w.m}
	for _, one := range []*world{w, other} {
		if r := one.init(install.Options{Agents: []string{"claude-code"}}); r.Failed() {
			t.Error(did(r))
		}
	}
	if r := w.deinit(); len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "linked") {
		t.Errorf("notes: %q", r.Notes)
	}
	if _, err := os.Stat(filepath.Join(tree, ".claude/settings.json")); err != nil {
		t.Error(err)
	}
	other.deinit()
	if _, err := os.Stat(filepath.Join(tree, ".claude")); err == nil {
		t.Error("the linked work tree has its file still")
	}
	if diff := cmp.Diff(before, snapshot(t, w.at(".git/hooks"), w.at(".git/config"))); diff != "" {
		t.Error(diff)
	}
}

func TestNotesAreFetchedBesideOurs(t *testing.T) {
	w := newWorld(t)
	remote := gittest.New(t, "--bare")
	w.Git("remote", "set-url", "origin", remote.Dir)
	w.Git("remote", "add", "my/fork.x", remote.Dir)
	w.Git("config", "remote.bad..name.url", remote.Dir)
	w.Commit("one", "a", "1\n")
	r := w.init(install.Options{Agents: []string{}})
	if got := did(r, install.Failed); got != "notes bad..name .git/config: failed its name cannot be a part of a ref, so its notes are not fetched\n" {
		t.Error(got)
	}
	w.Git("push", "-q", "origin", "main")
	w.Git("fetch", "-q", "origin") // without notes there
	w.Note("ai", "HEAD", "theirs")
	w.Git("push", "-q", "origin", "refs/notes/ai")
	w.Git("notes", "--ref", "ai", "add", "-f", "-m", "mine", "HEAD")
	w.Git("fetch", "-q", "my/fork.x")
	if got := w.Git("notes", "--ref", "refs/notes/stemma-remote/my/fork.x/ai", "show"); got != "theirs" {
		t.Errorf("fetched: %q", got)
	}
	if got := w.Git("notes", "--ref", "ai", "show"); got != "mine" {
		t.Errorf("ours has become %q", got)
	}
	if _, err := w.Try(nil, "config", "--get-regexp", `\.push$`); err == nil {
		t.Error("what a plain push pushes was changed")
	}
}

func TestServerIsNamedInTheRepository(t *testing.T) {
	for _, bad := range []string{"", "stemma.example", "ftp://x", "https://", "https://u:p@x"} {
		err := install.CheckServer(bad)
		if err == nil || strings.Contains(err.Error(), "u:p") {
			t.Errorf("CheckServer(%q) = %v", bad, err)
		}
	}
	must(t, install.CheckServer("https://stemma.example:7171/x"))
	w := newWorld(t)
	w.Git("config", "stemma.server", "https://old.example")
	before, err := os.ReadFile(w.at(".git/config"))
	must(t, err)
	w.init(install.Options{Agents: []string{}, Server: "https://one.example"})
	w.init(install.Options{Agents: []string{}, Server: "https://two.example"})
	if got := w.Git("config", "stemma.server"); got != "https://two.example" {
		t.Errorf("server is %s", got)
	}
	w.deinit()
	after, err := os.ReadFile(w.at(".git/config"))
	must(t, err)
	if diff := cmp.Diff(string(before), string(after)); diff != "" {
		t.Error(diff)
	}
}

func TestAWholeMachineIsSetUpAndTakenBack(t *testing.T) {
	w := newWorld(t)
	write(t, filepath.Join(w.m.Root, "etc/claude-code/managed-settings.json"), "{\"permissions\": {\"deny\": [\"Read(./.env)\"]}}\n", 0o644)
	write(t, filepath.Join(w.m.Root, "etc/gitconfig"), "[core]\n\tautocrlf = false\n", 0o644)
	must(t, os.MkdirAll(filepath.Join(w.m.Home, "dotfiles"), 0o755))
	write(t, filepath.Join(w.m.Home, "dotfiles/droid.json"), "{}\n", 0o644)
	must(t, os.MkdirAll(filepath.Join(w.m.Home, ".factory"), 0o755))
	must(t, os.Symlink("../dotfiles/droid.json", filepath.Join(w.m.Home, ".factory/settings.json")))
	write(t, w.at(".git/hooks/commit-msg"), "#!/bin/sh\necho \"theirs $1\" >>\"$LOG\"\n", 0o755)
	before := snapshot(t, w.m.Root, w.m.Home, w.Dir)

	r, err := install.InitSystem(context.Background(), w.m, install.Options{Agents: all})
	must(t, err)
	if r.Failed() || len(r.Changes) != 10+8+len(githook.Relayed)+1 {
		t.Errorf("%d changes\n%s", len(r.Changes), did(r))
	}
	r, err = install.InitSystem(context.Background(), w.m, install.Options{Agents: all})
	must(t, err)
	if changed := did(r, install.Added, install.Updated, install.Failed); changed != "" {
		t.Errorf("a second time changed\n%s", changed)
	}
	if info, err := os.Lstat(filepath.Join(w.m.Home, ".factory/settings.json")); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Error("the symbolic link of the person is gone")
	}

	w.Commit("one", "a", "1\n")
	w.Git("checkout", "-q", "-b", "side")
	w.Git("commit", "-q", "--allow-empty", "-m", "two")
	w.Git("checkout", "-q", "main")
	w.Git("merge", "-q", "side")
	log, err := os.ReadFile(w.log)
	must(t, err)
	if string(log) != "theirs .git/COMMIT_EDITMSG\ntheirs .git/COMMIT_EDITMSG\ngithook post-merge 0\n" {
		t.Errorf("log is %q", log)
	}
	if r := w.init(install.Options{Agents: []string{}}); !strings.Contains(did(r, install.Unchanged), "the hooks of the whole machine call stemma") || r.Failed() {
		t.Errorf("init in a repository:\n%s", did(r))
	}
	w.deinit()

	r, err = install.DeinitSystem(context.Background(), w.m)
	must(t, err)
	if r.Failed() {
		t.Error(did(r))
	}
	after := snapshot(t, w.m.Root, w.m.Home, w.Dir)
	for name := range after {
		if rel, _ := filepath.Rel(w.Dir, name); !strings.HasPrefix(rel, "..") && !strings.Contains(name, "hooks") && !strings.Contains(name, "config") {
			delete(after, name) // the commit
			delete(before, name)
		}
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
}
