package host_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/install/agent"
	"github.com/stemma-dev/stemma/install/host"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, name, content string, mode os.FileMode) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(name), 0o755))
	must(t, os.WriteFile(name, []byte(content), mode))
}

func TestNoLinkLeadsOutOfARepository(t *testing.T) {
	dir := t.TempDir()
	repo := filepath.Join(dir, "repo")
	must(t, os.MkdirAll(filepath.Join(repo, ".git"), 0o755))
	must(t, os.MkdirAll(filepath.Join(repo, "inside"), 0o755))
	for name, to := range map[string]string{"up": "..", "abs": dir, "git": ".git", "in": "inside", "nothing": "../nothing", "new": "inside/new", "loop": "loop"} {
		must(t, os.Symlink(to, filepath.Join(repo, name)))
	}
	for path, want := range map[string]bool{
		"a": true, "in/a": true, "in/deep/a": true, "new": true, "up/a": false, "abs/a": false, "nothing": false, "git/hooks/x": false, ".git/x": false, "../a": false,
	} {
		s, err := host.Locate(repo, path, true)
		if (err == nil) != want {
			t.Errorf("Locate(%s): %v", path, err)
		}
		if err != nil {
			continue
		}
		if _, err := s.Write([]byte("x"), 0o644); err != nil {
			t.Errorf("writing %s: %v", path, err)
		}
		s.Close()
	}
	for _, name := range []string{"repo/a", "repo/inside/a", "repo/inside/deep/a", "repo/inside/new"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if s, err := host.Locate(repo, "loop", true); err == nil {
		if _, _, _, err := s.Read(); err == nil {
			t.Error("a loop was read")
		}
		s.Close()
	}
}

func TestWhatIsWrittenGoesThroughLinksAndBack(t *testing.T) {
	home := t.TempDir()
	write(t, filepath.Join(home, "dotfiles/x"), "one", 0o600)
	must(t, os.Symlink("dotfiles/x", filepath.Join(home, "x")))
	s, err := host.Locate(home, "x", false)
	must(t, err)
	defer s.Close()
	_, mode, found, err := s.Read()
	if err != nil || !found || mode != 0o600 {
		t.Fatalf("found %v, mode %v, %v", found, mode, err)
	}
	_, err = s.Write([]byte("two"), mode)
	must(t, err)
	info, err := os.Lstat(filepath.Join(home, "dotfiles/x"))
	must(t, err)
	if b, err := os.ReadFile(filepath.Join(home, "x")); err != nil || string(b) != "two" || info.Mode() != 0o600 {
		t.Errorf("%q, %v, %v", b, info.Mode(), err)
	}

	n, err := host.Locate(home, "a/b/c/d", false)
	must(t, err)
	defer n.Close()
	dirs, err := n.Write(nil, 0o644)
	must(t, err)
	write(t, filepath.Join(home, "a/theirs"), "", 0o644)
	must(t, n.Remove(dirs))
	if _, err := os.Stat(filepath.Join(home, "a/b")); err == nil || len(dirs) != 3 {
		t.Errorf("made %v, and a/b is still there", dirs)
	}
	if _, err := os.Stat(filepath.Join(home, "a/theirs")); err != nil {
		t.Error(err)
	}
}

func TestOddFilesAreNotRead(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "directory"), 0o755))
	write(t, filepath.Join(dir, "long"), strings.Repeat("x", 4<<20+1), 0o644)
	write(t, filepath.Join(dir, "file"), "", 0o644)
	for path, want := range map[string]string{"directory": "it is no file", "long": "it is longer than 4194304 bytes", "file/x": "not a directory"} {
		s, err := host.Locate(dir, path, false)
		must(t, err)
		if _, _, _, err := s.Read(); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
		s.Close()
	}
}

func TestAgentsAreDetectedByWhatTheyLeave(t *testing.T) {
	dir := t.TempDir()
	m := host.Machine{OS: "linux", Home: filepath.Join(dir, "h[o]me*"), Path: []string{"bin", "", filepath.Join(dir, "bin")}}
	write(t, filepath.Join(dir, "bin/prog"), "", 0o755)
	write(t, filepath.Join(dir, "bin/data"), "", 0o644)
	write(t, filepath.Join(m.Home, ".x/ext/agent-1.2/y"), "", 0o644)
	write(t, filepath.Join(dir, "tree/.agent"), "", 0o644)
	for want, a := range map[string]agent.Agent{
		"prog is in PATH":          {Bins: []string{"data", "prog"}},
		"~/.x/ext/agent-*":         {Bins: []string{"data"}, Home: []string{".x/ext/other-*", ".x/ext/agent-*"}},
		".agent in the repository": {Tree: []string{".agent"}},
		"":                         {Bins: []string{"data"}, Home: []string{".y"}, Tree: []string{"agent"}},
	} {
		if got := m.Detects(a, filepath.Join(dir, "tree")); got != want {
			t.Errorf("Detects(%v) = %q, want %q", a, got, want)
		}
	}
	if m.Detects(agent.Agent{Tree: []string{"*"}}, "") != "" {
		t.Error("something was found in no repository")
	}
}

func TestGitIsNotLedElsewhere(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "bin/git"), "#!/bin/sh\necho \"$GIT_DIR|$GIT_CONFIG_SYSTEM|$HOME\"\nexit $2\n", 0o755)
	m := host.Machine{Path: []string{filepath.Join(dir, "bin")}, Env: []string{"GIT_DIR=/x", "GIT_CONFIG_SYSTEM=/y", "HOME=/h"}}
	if out, err := m.Git(context.Background(), dir, "x", "0"); err != nil || out != "|/y|/h\n" {
		t.Errorf("%q, %v", out, err)
	}
	m.Root = "/r"
	if out, err := m.Git(context.Background(), dir, "x", "0"); err != nil || out != "|/r/etc/gitconfig|/h\n" {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := m.Git(context.Background(), dir, "x", "1"); !errors.Is(err, host.ErrNo) {
		t.Errorf("%v", err)
	}
	if _, err := m.Git(context.Background(), dir, "x", "7"); err == nil || errors.Is(err, host.ErrNo) {
		t.Errorf("%v", err)
	}
	m.Path = nil
	if _, err := m.Git(context.Background(), dir, "x", "0"); err == nil || err.Error() != "git is not in PATH" {
		t.Errorf("%v", err)
	}
}
