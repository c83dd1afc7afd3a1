package install_test

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
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
	"github.com/stemma-dev/stemma/install/githook"
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
			w.Write("scripts/rewrite", "#!/bin/sh\n")
			must(w.T, os.Symlink("../../scripts/rewrite", w.at(".git/hooks/post-rewrite")))
		},
		"no directory of hooks": func(w *world) { must(w.T, os.RemoveAll(w.at(".git/hooks"))) },
		"hooks in the work tree": func(w *world) {
			w.Git("config", "core.hooksPath", ".githooks")
			w.Write(".githooks/pre-push", "#!/bin/sh\nexit 0\n")
			must(w.T, os.Chmod(w.at(".githooks/pre-push"), 0o755))
		},
		"hooks elsewhere": func(w *world) {
			w.Git("config", "core.hooksPath", filepath.Join(w.m.Root, "hooks here"))
			write(w.T, filepath.Join(w.m.Root, "hooks here/post-commit"), "#!/bin/bash\n:\n", 0o755)
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
	write(t, w.at(".git/hooks/post-commit"), "#!/bin/sh\necho one\n", 0o755)
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
	edit(".git/hooks/post-commit", "echo one", "echo two")
	w.Git("config", "user.name", "Somebody")
	r := w.deinit()
	want := map[string]string{
		".claude/settings.json":  "{\n  // ours\n  \"model\": \"x\",\n  \"hooks\": {\n    \"Stop\": [\n      {\"hooks\": [{\"type\": \"command\", \"command\": \"bell\"}]}\n    ]\n  }\n}\n",
		".git/hooks/post-commit": "#!/bin/sh\necho two\n",
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

func TestHooksFireWhereverTheyAre(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(w *world)
		theirs  string // what the hook of somebody else has logged
	}{
		"plain": {func(w *world) {
			write(w.T, w.at(".git/hooks/post-commit"), "#!/bin/sh -e\necho theirs >>\"$LOG\"\nfalse\n", 0o755)
		}, "theirs\n"},
		"a program": {func(w *world) {
			write(w.T, w.at(".git/hooks/post-commit"), "#!/usr/bin/env -S sh -u\necho theirs >>\"$LOG\"\n", 0o755)
		}, "theirs\n"},
		"lefthook": {func(w *world) {
			write(w.T, w.at(".git/hooks/post-commit"), "#!/bin/sh\nif [ \"$LEFTHOOK\" = \"0\" ]; then exit 0; fi\ncall_lefthook() { echo \"theirs $*\" >>\"$LOG\"; }\ncall_lefthook run \"post-commit\" \"$@\"\n", 0o755)
		}, "theirs run post-commit\n"},
		"pre-commit": {func(w *world) {
			write(w.T, w.at(".git/hooks/post-commit"), "#!/usr/bin/env bash\n# File generated by pre-commit: pre-commit.com\nHERE=\"$(cd \"$(dirname \"$0\")\" && pwd)\"\necho \"theirs ${HERE##*/} $(basename \"$0\")\" >>\"$LOG\"\n", 0o755)
		}, "theirs hooks post-commit\n"},
		"husky 9": {func(w *world) {
			w.Git("config", "core.hooksPath", ".husky/_")
			write(w.T, w.at(".husky/_/h"), "n=$(basename \"$0\")\ns=$(dirname \"$(dirname \"$0\")\")/$n\n[ ! -f \"$s\" ] && exit 0\nsh -e \"$s\" \"$@\"\n", 0o644)
			for _, name := range githook.Names {
				write(w.T, w.at(".husky/_/"+name), "#!/usr/bin/env sh\n. \"$(dirname \"$0\")/h\"\n", 0o755)
			}
		}, ""},
		"husky 9 with a committed hook": {func(w *world) {
			w.Git("config", "core.hooksPath", ".husky/_")
			write(w.T, w.at(".husky/_/h"), "n=$(basename \"$0\")\ns=$(dirname \"$(dirname \"$0\")\")/$n\n[ ! -f \"$s\" ] && exit 0\nsh -e \"$s\" \"$@\"\n", 0o644)
			for _, name := range githook.Names {
				write(w.T, w.at(".husky/_/"+name), "#!/usr/bin/env sh\n. \"$(dirname \"$0\")/h\"\n", 0o755)
			}
			w.Write(".husky/post-commit", "echo theirs >>\"$LOG\"\n", ".husky/_/.gitignore", "*")
			w.Git("add", ".husky")
		}, "theirs\n"},
		"a directory of the project": {func(w *world) {
			w.Git("config", "core.hooksPath", ".githooks")
		}, ""},
		"a directory elsewhere": {func(w *world) {
			w.Git("config", "core.hooksPath", filepath.Join(w.m.Root, "hooks"))
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.prepare(w)
			if r := w.init(install.Options{Agents: []string{}}); r.Failed() {
				t.Fatal(did(r))
			}
			w.Commit("one", "a", "1\n")
			w.Git("checkout", "-q", "-b", "side")
			w.Git("commit", "-q", "--amend", "-m", "two")
			remote := gittest.New(t, "--bare")
			w.Git("push", "-q", remote.Dir, "HEAD:side")
			tree := filepath.Join(t.TempDir(), "linked")
			w.Git("worktree", "add", "-q", tree)
			log, err := os.ReadFile(w.log)
			must(t, err)
			want := c.theirs + "githook post-commit\ngithook post-checkout"
			if !strings.HasPrefix(string(log), want) || strings.Count(string(log), "githook post-commit") != 2 ||
				!strings.Contains(string(log), "githook post-rewrite amend\n") || !strings.Contains(string(log), "githook pre-push "+remote.Dir) {
				t.Errorf("log is\n%s", log)
			}
		})
	}
}

func TestWhatAColleagueHasCommittedStays(t *testing.T) {
	w := newWorld(t)
	w.init(install.Options{Agents: all})
	w.Commit("agents")
	c := &world{Repo: w.Clone(), m: w.m}
	before := snapshot(t, c.Dir)
	r := c.init(install.Options{Agents: all})
	for _, change := range r.Changes {
		if change.Part == "agent" && change.Did != install.Unchanged {
			t.Errorf("%v", change)
		}
	}
	c.deinit()
	if diff := cmp.Diff(before, snapshot(t, c.Dir)); diff != "" {
		t.Error(diff)
	}

	// What an older stemma has committed is brought up to date, and comes back.
	const old = "// stemma init wrote this file, stemma deinit takes it away\nold\n"
	c.Write(".opencode/plugins/stemma.ts", old)
	if r := c.init(install.Options{Agents: []string{"opencode"}}); !strings.Contains(did(r), "stemma.ts: updated") {
		t.Error(did(r))
	}
	c.deinit()
	if b, err := os.ReadFile(c.at(".opencode/plugins/stemma.ts")); err != nil || string(b) != old {
		t.Errorf("%q, %v", b, err)
	}
}

func TestWhatIsMissingIsAddedAndComesBack(t *testing.T) {
	w := newWorld(t)
	name := w.at(".claude/settings.json")
	w.init(install.Options{Agents: []string{"claude-code"}})
	whole, err := os.ReadFile(name)
	must(t, err)
	w.deinit()

	// A colleague has committed a part of it.
	from, to := strings.Index(string(whole), `    "PreToolUse"`), strings.Index(string(whole), `    "PreCompact"`)
	part := string(whole[:from]) + string(whole[to:])
	write(t, name, part, 0o644)
	w.init(install.Options{Agents: []string{"claude-code"}})
	if got := w.examine(); strings.Contains(got, "claude-code") {
		t.Error(got)
	}
	w.deinit()
	if b, err := os.ReadFile(name); err != nil || string(b) != part {
		t.Errorf("%v\n%s", err, cmp.Diff(part, string(b)))
	}

	// Somebody takes a part of it out, and it is put in again.
	must(t, os.RemoveAll(w.at(".claude")))
	w.init(install.Options{Agents: []string{"claude-code"}})
	write(t, name, part, 0o644)
	if r := w.init(install.Options{Agents: []string{"claude-code"}}); !strings.Contains(did(r), "settings.json: updated") {
		t.Error(did(r))
	}
	if got := w.examine(); strings.Contains(got, "claude-code") {
		t.Error(got)
	}
	if r := w.deinit(); r.Failed() {
		t.Error(did(r))
	}
	if _, err := os.Stat(w.at(".claude")); err == nil {
		t.Error("the file that init made is still there")
	}
}

func TestEachAgentsHooksStandBesideWhatIsThere(t *testing.T) {
	const other = `"command": "say done"`
	shapes := map[string]string{
		"missing": "-", "empty": "", "blank": "\n\n", "an object": "{}", "a line": `{"a":1}`,
		"comments":   "// mine\n{\n\t/* x */ \"a\": [1, 2,], // y\n\t\"b\": {},\n\t// z\n}\n",
		"of Windows": "{\r\n    \"a\": 1\r\n}\r\n",
		"a mark":     "\ufeff{\n  \"version\": 1\n}",
		"nested":     "{\n  \"hooks\": {\n    \"EVENT\": [\n      {\n        \"matcher\": \"Edit\",\n        \"hooks\": [{\"type\": \"command\", " + other + "}]\n      }\n    ]\n  }\n}\n",
		"flat":       "{\"version\": 1, \"hooks\": {\"EVENT\": [{" + other + "}], \"x\": [] } }",
	}
	w := newWorld(t)
	for _, a := range agent.All {
		for _, f := range a.Files(agent.Project, "linux") {
			if f.Whole != "" {
				continue
			}
			for name, before := range shapes {
				before = strings.ReplaceAll(before, "EVENT", f.Elements[0].Path[1])
				must(t, os.RemoveAll(w.at(filepath.Dir(f.Path))))
				if before != "-" {
					w.Write(f.Path, before)
				}
				r := w.init(install.Options{Agents: []string{a.Name}})
				with, err := os.ReadFile(w.at(f.Path))
				must(t, err)
				if r.Failed() || strings.Count(string(with), "stemma hook "+a.Name) != len(f.Elements) || strings.Contains(before, other) && !strings.Contains(string(with), other) {
					t.Errorf("%s, %s:\n%s%s", a.Name, name, did(r), with)
				}
				if again := w.init(install.Options{Agents: []string{a.Name}}); did(again, install.Added, install.Updated, install.Failed) != "" {
					t.Errorf("%s, %s, again:\n%s", a.Name, name, did(again))
				}
				w.deinit()
				after, err := os.ReadFile(w.at(f.Path))
				if before == "-" {
					if err == nil {
						t.Errorf("%s, %s: there is %q", a.Name, name, after)
					}
				} else if string(after) != before {
					t.Errorf("%s, %s: it is %q, was %q (%v)", a.Name, name, after, before, err)
				}
			}
		}
	}
}

func TestHooksOfAnOlderStemmaAreBroughtUpToDate(t *testing.T) {
	w := newWorld(t)
	write(t, w.at(".git/hooks/post-commit"), "#!/bin/sh\necho one\n", 0o755)
	write(t, w.at(".git/hooks/post-merge"), "#!/usr/bin/perl\n", 0o755)
	before := snapshot(t, w.at(".git"))
	w.init(install.Options{Agents: []string{}})
	now := snapshot(t, w.at(".git/hooks"))
	for _, name := range []string{"post-commit", "post-merge", "pre-push"} {
		b, err := os.ReadFile(w.at(".git/hooks/" + name))
		must(t, err)
		write(t, w.at(".git/hooks/"+name), strings.Replace(string(b), "command -v", "type", 1), 0o755)
	}
	if r := w.init(install.Options{Agents: []string{}}); strings.Count(did(r, install.Updated), "\n") != 3 || r.Failed() {
		t.Error(did(r))
	}
	if diff := cmp.Diff(now, snapshot(t, w.at(".git/hooks"))); diff != "" {
		t.Error(diff)
	}
	w.deinit()
	if diff := cmp.Diff(before, snapshot(t, w.at(".git"))); diff != "" {
		t.Error(diff)
	}
}

func TestSubmodulesHaveHooksOfTheirOwn(t *testing.T) {
	w := newWorld(t)
	inner := gittest.New(t)
	inner.Commit("one", "a", "1\n")
	w.Git("-c", "protocol.file.allow=always", "submodule", "add", "-q", inner.Dir, "sub")
	sub := &world{Repo: gittest.At(t, w.at("sub")), m: w.m}
	sub.Env = w.Env
	before := snapshot(t, w.at(".git"))
	if r := sub.init(install.Options{Agents: []string{"cursor"}}); r.Failed() {
		t.Error(did(r))
	}
	if _, err := os.Stat(w.at(".git/modules/sub/hooks/pre-push")); err != nil {
		t.Error(err)
	}
	sub.deinit()
	if diff := cmp.Diff(before, snapshot(t, w.at(".git"))); diff != "" {
		t.Error(diff)
	}
	sub.init(install.Options{Agents: []string{}})
	sub.Commit("two", "a", "2\n")
	if log, err := os.ReadFile(w.log); err != nil || string(log) != "githook post-commit\n" {
		t.Errorf("%q, %v", log, err)
	}
}

func TestHookThatWasReplacedIsLeftWithWhatWasThereBefore(t *testing.T) {
	w := newWorld(t)
	write(t, w.at(".git/hooks/post-commit"), "#!/usr/bin/env python3\n", 0o755)
	w.init(install.Options{Agents: []string{}})
	write(t, w.at(".git/hooks/post-commit"), "#!/bin/sh\ntheirs\n", 0o755)
	must(t, os.Remove(w.at(".git/hooks/pre-push")))
	if r := w.deinit(); !strings.Contains(did(r, install.Kept), "what was there before stemma is post-commit.before-stemma") || r.Failed() {
		t.Error(did(r))
	}
	for name, want := range map[string]string{"post-commit": "#!/bin/sh\ntheirs\n", "post-commit.before-stemma": "#!/usr/bin/env python3\n"} {
		if b, err := os.ReadFile(w.at(".git/hooks/" + name)); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
}

func TestCommittedHooksAreNotChanged(t *testing.T) {
	w := newWorld(t)
	w.Git("config", "core.hooksPath", ".githooks")
	w.Commit("hooks", ".githooks/pre-push", "#!/bin/sh\n")
	r := w.init(install.Options{Agents: []string{}})
	if got := did(r, install.Failed); !strings.HasPrefix(got, "git hook pre-push .githooks/pre-push: failed it is a committed file") || strings.Count(got, "\n") != 1 {
		t.Error(got)
	}
	if b, err := os.ReadFile(w.at(".githooks/pre-push")); err != nil || string(b) != "#!/bin/sh\n" {
		t.Errorf("%q, %v", b, err)
	}
	_, line, _ := strings.Cut(did(r, install.Failed), "`")
	line, _, _ = strings.Cut(line, "`")
	w.Write(".githooks/pre-push", "#!/bin/sh\n"+line+"\n")
	must(t, os.Chmod(w.at(".githooks/pre-push"), 0o755))
	if r := w.init(install.Options{Agents: []string{}}); r.Failed() || did(r, install.Updated) != "" {
		t.Errorf("with the line that was asked for:\n%s", did(r))
	}
	if got := w.examine(); strings.Contains(got, "git hooks") {
		t.Error(got)
	}
}

func TestHooksForAllRepositoriesOfAPersonRunFirst(t *testing.T) {
	w := newWorld(t)
	write(t, filepath.Join(w.m.Home, ".gitconfig"), "[core]\n\thooksPath = ~/hooks\n", 0o644)
	for _, name := range []string{"commit-msg", "post-commit", "reference-transaction"} {
		write(t, filepath.Join(w.m.Home, "hooks", name), "#!/bin/sh\necho \"${0##*/}\" >>\"$LOG\"\n", 0o755)
	}
	before := snapshot(t, w.m.Home, w.at(".git"))
	r := w.init(install.Options{Agents: []string{}})
	if r.Failed() || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "global configuration") {
		t.Errorf("%s%q", did(r), r.Notes)
	}
	if r := w.init(install.Options{Agents: []string{}}); did(r, install.Added, install.Updated) != "" {
		t.Error(did(r))
	}
	if got := w.examine(); strings.Contains(got, "git hooks") {
		t.Error(got)
	}
	w.deinit()
	if diff := cmp.Diff(before, snapshot(t, w.m.Home, w.at(".git"))); diff != "" {
		t.Error(diff)
	}
	w.init(install.Options{Agents: []string{}})
	w.Env = append(w.Env, "HOME="+w.m.Home)
	w.Git("-c", "init.defaultBranch=x", "commit", "-q", "--allow-empty", "-m", "one")
	log, err := os.ReadFile(w.log)
	must(t, err)
	if want := "commit-msg\nreference-transaction\nreference-transaction\npost-commit\ngithook post-commit\n"; string(log) != want {
		t.Errorf("log %q, want %q", log, want)
	}
}

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
	log, err := os.ReadFile(w.log)
	must(t, err)
	if string(log) != "theirs .git/COMMIT_EDITMSG\ngithook post-commit\n" {
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

func TestEveryDocumentOfAnAgentComesBack(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	w := newWorld(t)
	for i := range 150 {
		files := map[string]string{}
		for _, name := range []string{".claude/settings.json", ".cursor/hooks.json", ".factory/settings.json"} {
			files[name] = document(random)
			w.Write(name, files[name])
		}
		w.init(install.Options{Agents: []string{"claude-code", "cursor", "droid"}})
		w.deinit()
		for name, want := range files {
			got, err := os.ReadFile(w.at(name))
			must(t, err)
			if string(got) != want {
				t.Fatalf("%d: %s is %q, was %q", i, name, got, want)
			}
		}
	}
}

// document is a document that may lie in the way of hooks, or be none.
func document(r *rand.Rand) string {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	nl := pick("\n", "\r\n", " ")
	event := pick("Stop", "stop", "PreToolUse", "x")
	entry := pick(`{"command": "a"}`, `{"hooks": [{"type": "command", "command": "b"}], "matcher": "*"}`, `{ /* ? */ }`, "")
	hooks := fmt.Sprintf(`"hooks":%s{%s"%s" : [%s%s%s]%s}`, pick("", " "), nl, event, nl, entry, pick("", nl), nl)
	members := pick(hooks, `"model": "m",`+nl+hooks, hooks+`,`+nl+`"env": {"A": "1"}`, `"permissions": {}`, "", `"hooks": {}`, `"hooks": null`)
	return pick("", "\ufeff", "// first\n") + "{" + nl + members + nl + pick("}", "}\n", "}", "") + pick("", "\n", "\r\n")
}
