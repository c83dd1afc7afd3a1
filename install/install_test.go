package install_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/install"
	"github.com/stemma-dev/stemma/install/agent"
	"github.com/stemma-dev/stemma/install/host"
	"github.com/stemma-dev/stemma/spool"
)

// A world is a repository on a machine of its own, where stemma writes down how
// it is called.
type world struct {
	*gittest.Repo
	m   host.Machine
	log string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	root := t.TempDir()
	w := &world{Repo: gittest.New(t), log: filepath.Join(root, "log")}
	git, err := exec.LookPath("git")
	must(t, err)
	bin := filepath.Join(root, "bin")
	w.m = host.Machine{OS: "linux", Home: filepath.Join(root, "home"), Root: filepath.Join(root, "machine"), Path: []string{bin, filepath.Dir(git)}}
	must(t, os.MkdirAll(w.m.Home, 0o755))
	must(t, os.MkdirAll(filepath.Join(w.m.Root, "etc"), 0o755))
	write(t, filepath.Join(bin, "stemma"), "#!/bin/sh\necho \"$*\" >>\"$LOG\"\n", 0o755)
	w.m.Env = []string{"HOME=" + w.m.Home, "PATH=" + strings.Join(append(w.m.Path, "/usr/bin", "/bin"), ":")}
	w.Env = append(slices.Clone(w.m.Env), "LOG="+w.log, "GIT_CONFIG_NOSYSTEM=0", "GIT_CONFIG_SYSTEM="+filepath.Join(w.m.Root, "etc/gitconfig"))
	w.Git("remote", "add", "origin", "https://host.example/acme/pay.git")
	return w
}

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
	must(t, os.Chmod(name, mode))
}

func (w *world) at(name string) string { return filepath.Join(w.Dir, name) }

func (w *world) place() spool.Place {
	w.T.Helper()
	p, err := spool.Find(w.Dir)
	must(w.T, err)
	return p
}

var all = func() (names []string) {
	for _, a := range agent.All {
		names = append(names, a.Name)
	}
	return names
}()

func (w *world) init(o install.Options) *install.Report {
	w.T.Helper()
	r, err := install.Init(context.Background(), w.m, w.place(), o)
	must(w.T, err)
	return r
}

func (w *world) deinit() *install.Report {
	w.T.Helper()
	r, err := install.Deinit(context.Background(), w.m, w.place())
	must(w.T, err)
	return r
}

// did are the changes of a report, one a line.
func did(r *install.Report, only ...install.Did) string {
	var b strings.Builder
	for _, c := range r.Changes {
		if len(only) == 0 || slices.Contains(only, c.Did) {
			fmt.Fprintf(&b, "%s %s %s: %s %s\n", c.Part, c.Name, c.Path, c.Did, c.Why)
		}
	}
	return b.String()
}

// snapshot is everything below directories but git's objects: names, modes and
// contents.
func snapshot(t testing.TB, dirs ...string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, dir := range dirs {
		must(t, filepath.WalkDir(dir, func(at string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) && at == dir {
				return nil // no such directory: there is to be none afterwards
			}
			if err != nil {
				return err
			}
			if d.Name() == "objects" || d.Name() == "index" || d.Name() == "logs" {
				if d.IsDir() {
					return fs.SkipDir
				}
				return nil
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			content := ""
			switch {
			case d.Type()&fs.ModeSymlink != 0:
				content, err = os.Readlink(at)
			case !d.IsDir():
				var b []byte
				b, err = os.ReadFile(at)
				content = string(b)
			}
			found[at] = info.Mode().String() + " " + content
			return err
		}))
	}
	return found
}

func TestDeinitGivesBackEveryByte(t *testing.T) {
	for name, prepare := range map[string]func(w *world){
		"an empty repository": func(*world) {},
		"other tools": func(w *world) {
			w.Write(".claude/settings.json", "{\n\t\"model\": \"x\", // mine\n\t\"hooks\": {\"Stop\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"git-ai checkpoint\"}]}]},\n}\n",
				".cursor/hooks.json", "{\r\n  \"version\": 1,\r\n  \"hooks\": {\r\n    \"stop\": [ { \"command\": \"say done\" } ]\r\n  }\r\n}\r\n",
				".gemini/settings.json", "\ufeff{}", ".codex/hooks.json", "", ".factory/settings.json", "/* empty */ {}\n",
				".continue/settings.json", `{"hooks":{"Stop":[]}}`)
			must(w.T, os.Chmod(w.at(".claude/settings.json"), 0o600))
			write(w.T, w.at(".git/hooks/post-commit"), "#!/bin/sh\necho shell\n", 0o755)
			write(w.T, w.at(".git/hooks/pre-push"), "#!/usr/bin/env python3\nprint()\n", 0o755)
			write(w.T, w.at(".git/hooks/post-merge"), "#!/bin/sh\nexit 1\n", 0o644)
		},
		"a hook that is a link": func(w *world) {
			w.Write("scripts/push", "#!/bin/sh\n")
			must(w.T, os.Symlink("../../scripts/push", w.at(".git/hooks/pre-push")))
			write(w.T, w.at(".git/hooks/post-merge"), "#!/bin/sh\necho shell\n", 0o755)
		},
		"no directory of hooks": func(w *world) { must(w.T, os.RemoveAll(w.at(".git/hooks"))) },
		"hooks in the work tree": func(w *world) {
			w.Git("config", "core.hooksPath", ".githooks")
			w.Write(".githooks/pre-push", "#!/bin/sh\nexit 0\n")
			must(w.T, os.Chmod(w.at(".githooks/pre-push"), 0o755))
		},
		"hooks elsewhere": func(w *world) {
			w.Git("config", "core.hooksPath", filepath.Join(w.m.Root, "hooks here"))
			write(w.T, filepath.Join(w.m.Root, "hooks here/post-merge"), "#!/bin/bash\n:\n", 0o755)
		},
		"husky": func(w *world) {
			w.Git("config", "core.hooksPath", ".husky/_")
			write(w.T, w.at(".husky/_/h"), "", 0o644)
			write(w.T, w.at(".husky/_/pre-push"), "#!/usr/bin/env sh\n. \"${0%/*}/h\"\n", 0o755)
			w.Write(".husky/pre-push", "npm test\n")
		},
		"directories that are links": func(w *world) {
			must(w.T, os.Rename(w.at(".git/hooks"), filepath.Join(w.m.Home, "hooks")))
			must(w.T, os.Symlink(filepath.Join(w.m.Home, "hooks"), w.at(".git/hooks")))
			w.Write("conf/claude/x", "")
			must(w.T, os.Symlink("conf/claude", w.at(".claude")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			must(t, os.MkdirAll(w.at(".git/hooks"), 0o755))
			prepare(w)
			before := snapshot(t, w.Dir, w.m.Home, w.m.Root)
			r := w.init(install.Options{Agents: all, Server: "https://stemma.example"})
			if r.Failed() {
				t.Fatalf("init:\n%s", did(r))
			}
			after := snapshot(t, w.Dir, w.m.Home, w.m.Root)
			again := w.init(install.Options{Agents: all, Server: "https://stemma.example"})
			if changed := did(again, install.Added, install.Updated, install.Failed); changed != "" {
				t.Errorf("a second init changed\n%s", changed)
			}
			if diff := cmp.Diff(after, snapshot(t, w.Dir, w.m.Home, w.m.Root)); diff != "" {
				t.Errorf("a second init changed\n%s", diff)
			}
			if r := w.deinit(); r.Failed() || did(r, install.Kept) != "" {
				t.Errorf("deinit:\n%s", did(r))
			}
			if diff := cmp.Diff(before, snapshot(t, w.Dir, w.m.Home, w.m.Root)); diff != "" {
				t.Errorf("not as it was (-before +after)\n%s", diff)
			}
			if r := w.deinit(); len(r.Changes) > 0 {
				t.Errorf("a second deinit did\n%s", did(r))
			}
		})
	}
}

func TestOnlyAgentsThatAreUsedAreInstalled(t *testing.T) {
	w := newWorld(t)
	write(t, filepath.Join(w.m.Path[0], "codex"), "", 0o755)
	must(t, os.MkdirAll(filepath.Join(w.m.Home, ".vscode/extensions/saoudrizwan.claude-dev-3.1"), 0o755))
	w.Write(".windsurfrules", "")
	r := w.init(install.Options{})
	var got []string
	for _, c := range r.Changes {
		if c.Part == "agent" && !slices.Contains(got, c.Name) {
			got = append(got, c.Name)
		}
	}
	if diff := cmp.Diff([]string{"claude-code", "codex", "windsurf", "cline"}, got); diff != "" {
		t.Error(diff)
	}
	if len(r.Notes) < 2 || !strings.Contains(r.Notes[0], "/hooks") {
		t.Errorf("notes: %q", r.Notes)
	}
	if _, err := install.Init(context.Background(), w.m, w.place(), install.Options{Agents: []string{"clippy"}}); err == nil || !strings.Contains(err.Error(), `no agent "clippy"`) {
		t.Errorf("an unknown agent: %v", err)
	}
}

func TestOnlyOurPiecesLeaveAFileThatWasChangedSince(t *testing.T) {
	w := newWorld(t)
	write(t, w.at(".git/hooks/post-merge"), "#!/bin/sh\necho one\n", 0o755)
	w.init(install.Options{Agents: []string{"claude-code", "cursor", "opencode"}})
	edit := func(name, old, by string) {
		b, err := os.ReadFile(w.at(name))
		must(t, err)
		if !strings.Contains(string(b), old) {
			t.Fatalf("%s has no %q:\n%s", name, old, b)
		}
		must(t, os.WriteFile(w.at(name), []byte(strings.Replace(string(b), old, by, 1)), 0o755))
	}
	edit(".claude/settings.json", `"Stop": [`, "\"Stop\": [\n      {\"hooks\": [{\"type\": \"command\", \"command\": \"bell\"}]},")
	edit(".claude/settings.json", "{\n", "{\n  // ours\n  \"model\": \"x\",\n")
	edit(".cursor/hooks.json", "\"version\": 1", "\"version\" : 1")
	edit(".opencode/plugins/stemma.ts", "5000", "50")
	edit(".git/hooks/post-merge", "echo one", "echo two")
	w.Git("config", "user.name", "Somebody")
	r := w.deinit()
	want := map[string]string{
		".claude/settings.json": "{\n  // ours\n  \"model\": \"x\",\n  \"hooks\": {\n    \"Stop\": [\n      {\"hooks\": [{\"type\": \"command\", \"command\": \"bell\"}]}\n    ]\n  }\n}\n",
		".git/hooks/post-merge": "#!/bin/sh\necho two\n",
	}
	for name, content := range want {
		b, err := os.ReadFile(w.at(name))
		must(t, err)
		if diff := cmp.Diff(content, string(b)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	if _, err := os.Stat(w.at(".cursor")); err == nil {
		t.Error(".cursor is still there")
	}
	if got := did(r, install.Kept); !strings.Contains(got, "agent opencode .opencode/plugins/stemma.ts: kept it was changed since") {
		t.Errorf("kept:\n%s", did(r))
	}
	if out := w.Git("config", "--get-all", "remote.origin.fetch"); out != "+refs/heads/*:refs/remotes/origin/*" || w.Git("config", "user.name") != "Somebody" {
		t.Errorf("fetch: %q", out)
	}
}

func TestDamagedAndForeignFilesAreLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.Write(".claude/settings.json", "{\n  \"hooks\": {,}\n}\n", ".cursor/hooks.json", `{"hooks": []}`, ".opencode/plugins/stemma.ts", "export {}\n",
		".clinerules/hooks/PreToolUse", "#!/bin/sh\n", ".gemini/settings.json/x", "")
	w.Write(".amp", "")
	must(t, os.Symlink(w.m.Home, w.at(".factory")))
	must(t, os.Symlink(".git", w.at(".continue")))
	must(t, os.Symlink(filepath.Join(w.m.Home, "nothing"), w.at(".windsurf")))
	before := snapshot(t, w.m.Home)
	r := w.init(install.Options{Agents: all})
	want := `agent claude-code .claude/settings.json: failed it cannot be read, so it is left as it is: line 2, column 13: a name in quotes is missing
agent cursor .cursor/hooks.json: failed it is left as it is: hooks is no object
agent gemini-cli .gemini/settings.json: failed it is no file
agent opencode .opencode/plugins/stemma.ts: failed there is another file of that name; it is left as it is
agent windsurf .windsurf/hooks.json: failed a symbolic link leads out of the repository
agent amp .amp/plugins/stemma.ts: failed not a directory
agent droid .factory/settings.json: failed a symbolic link leads out of the repository
agent cline .clinerules/hooks/PreToolUse: failed there is another file of that name; it is left as it is
agent continue .continue/settings.json: failed a symbolic link leads out of the repository
`
	if diff := cmp.Diff(want, did(r, install.Failed)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, snapshot(t, w.m.Home)); diff != "" {
		t.Errorf("written outside: %s", diff)
	}
	if len(did(r, install.Added)) == 0 {
		t.Error("the rest was not installed")
	}
}
