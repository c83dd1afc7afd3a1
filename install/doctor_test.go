package install_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/install"
	"github.com/stemma-dev/stemma/install/host"
	"github.com/stemma-dev/stemma/spool"
)

// examine returns what is not fine, one finding a line.
func (w *world) examine() string {
	w.T.Helper()
	p := w.place()
	before := snapshot(w.T, w.Dir, w.m.Home, w.m.Root)
	var b strings.Builder
	for _, f := range install.Examine(context.Background(), w.m, &p, time.Now()) {
		if f.Level != install.Fine {
			fmt.Fprintf(&b, "%s %s: %s\n", f.Level, f.About, f.What)
			if f.Do == "" && f.About != "agent droid" {
				w.T.Errorf("nothing to do about %v", f)
			}
		}
	}
	if after := snapshot(w.T, w.Dir, w.m.Home, w.m.Root); len(after) != len(before) {
		w.T.Errorf("the examination left %d files, there were %d", len(after), len(before))
	}
	return strings.ReplaceAll(b.String(), w.Dir+"/", "")
}

func TestNothingIsWrongAfterInit(t *testing.T) {
	w := newWorld(t)
	w.init(install.Options{Agents: all})
	if got := w.examine(); got != "warning spool: no agent has told anything yet\n" {
		t.Errorf("after init:\n%s", got)
	}
	must(t, w.place().Append(spool.Entry{}))
	if got := w.examine(); got != "" {
		t.Errorf("after an event:\n%s", got)
	}
}

func TestEachFaultIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(w *world)
		want string
	}{
		"stemma is not in PATH": {func(w *world) { must(w.T, os.Remove(filepath.Join(w.m.Path[0], "stemma"))) }, "broken stemma: it is not in PATH\n"},
		"old git": {func(w *world) {
			write(w.T, filepath.Join(w.m.Path[0], "git"), "#!/bin/sh\nif [ $1 = version ]; then echo git version 2.25.1; else PATH=${PATH#*:} exec git \"$@\"; fi\n", 0o755)
		}, "broken git: git version 2.25.1 is too old\n"},
		"hooks written anew": {func(w *world) {
			write(w.T, w.at(".git/hooks/post-merge"), "#!/bin/sh\n# LEFTHOOK\n", 0o755)
			write(w.T, w.at(".git/hooks/pre-push"), "#!/bin/sh\nmake\n", 0o755)
		}, "broken git hooks: post-merge in .git/hooks: it was written by lefthook and does not call stemma\n" +
			"broken git hooks: pre-push in .git/hooks: it was replaced by somebody and does not call stemma\n"},
		"hooks that do not run": {func(w *world) {
			must(w.T, os.Chmod(w.at(".git/hooks/post-merge"), 0o644))
			must(w.T, os.Remove(w.at(".git/hooks/pre-push")))
		}, "broken git hooks: post-merge in .git/hooks: not executable, so git does not run it\n" +
			"broken git hooks: pre-push in .git/hooks: not there\n"},
		"hooks looked for elsewhere": {
			func(w *world) { w.Git("config", "core.hooksPath", ".githooks") },
			"broken git hooks: post-merge, pre-push in .githooks: not there\n",
		},
		"hooks of a person": {func(w *world) {
			write(w.T, filepath.Join(w.m.Home, ".gitconfig"), "[core]\n\thooksPath = /nowhere\n", 0o644)
		}, "broken git hooks: core.hooksPath is /nowhere for all repositories (global configuration)\n"},
		"a damaged file": {func(w *world) { w.Write(".claude/settings.json", "{") }, "broken agent claude-code: .claude/settings.json: line 1, column 2: } is missing\n"},
		"some of the hooks": {func(w *world) {
			w.Write(".claude/settings.json", `{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "command -v stemma >/dev/null 2>&1 && stemma hook claude-code || true"}]}]}}`)
		}, "warning agent claude-code: .claude/settings.json has some of stemma's hooks only\n"},
		"no hooks of an agent": {func(w *world) {
			must(w.T, os.RemoveAll(w.at(".claude")))
			must(w.T, os.MkdirAll(filepath.Join(w.m.Home, ".codex"), 0o755))
		}, "warning agent claude-code: its hooks are not installed (it is always expected)\nwarning agent codex: its hooks are not installed (~/.codex)\n"},
		"hooks switched off": {func(w *world) {
			w.Write(".claude/settings.json", `{"disableAllHooks": true, "hooks": {}}`, ".gemini/settings.json", `{"hooksConfig": {"disabled": ["stemma"]}}`)
		}, "warning agent claude-code: .claude/settings.json has disableAllHooks\nwarning agent gemini-cli: .gemini/settings.json has stemma among hooksConfig.disabled\n"},
		"hooks of Codex switched off": {func(w *world) {
			write(w.T, filepath.Join(w.m.Home, ".codex/config.toml"), "model = \"x\"\n[other]\nhooks = false\n\n[features] # mine\nhooks  =  false # no\n", 0o644)
		}, "warning agent codex: ~/.codex/config.toml has features.hooks = false\n"},
		"hooks of Codex not switched off": {func(w *world) {
			write(w.T, filepath.Join(w.m.Home, ".codex/config.toml"), "[features]\nhooks = true\n[other]\nhooks = false\n", 0o644)
			w.init(install.Options{Agents: []string{"codex"}})
		}, ""},
		"a new remote": {func(w *world) { w.Git("remote", "add", "fork", "x") }, "warning notes of fork: a fetch does not bring them\n"},
		"notes in danger": {func(w *world) {
			w.Git("config", "--add", "remote.origin.fetch", "+refs/notes/*:refs/notes/*")
			w.Git("config", "notes.rewriteRef", "refs/notes/*")
			w.Git("config", "--add", "notes.rewriteRef", "refs/notes/commits")
		}, "warning notes of origin: remote.origin.fetch has +refs/notes/*:refs/notes/*\nwarning notes.rewriteRef: it is refs/notes/*\n"},
		"a tool for the same": {func(w *world) { write(w.T, filepath.Join(w.m.Path[0], "git-ai"), "", 0o755) }, "warning git-ai: "},
		"a damaged record":    {func(w *world) { write(w.T, w.at(".git/stemma/install.json"), "{", 0o600) }, "broken record: "},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.init(install.Options{Agents: []string{"claude-code"}})
			must(t, w.place().Append(spool.Entry{}))
			c.harm(w)
			if got := w.examine(); got != c.want && (!strings.HasSuffix(c.want, ": ") || !strings.HasPrefix(got, c.want) || strings.Count(got, "\n") != 1) {
				t.Errorf("found\n%swant\n%s", got, c.want)
			}
		})
	}
}

func TestRepositoryUnderTheMachinesHooksIsFine(t *testing.T) {
	w := newWorld(t)
	_, err := install.InitSystem(context.Background(), w.m, install.Options{Agents: []string{"claude-code"}})
	must(t, err)
	w.init(install.Options{Agents: []string{}})
	must(t, w.place().Append(spool.Entry{}))
	if got := w.examine(); got != "" {
		t.Errorf("found\n%s", got)
	}
	write(t, w.at(".git/hooks/reference-transaction"), "#!/bin/sh\n", 0o755)
	if got := w.examine(); got != "warning git hook reference-transaction: the one of this repository does not run\n" {
		t.Errorf("found\n%s", got)
	}
}

func TestOnlyTheMachineIsExaminedOutsideOfRepositories(t *testing.T) {
	w := newWorld(t)
	found := install.Examine(context.Background(), w.m, nil, time.Now())
	if !slices.ContainsFunc(found, func(f install.Finding) bool { return f.About == "repository" && f.Level == install.Warning }) {
		t.Errorf("found %v", found)
	}
}

func TestDamagedRecordChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.init(install.Options{Agents: []string{"claude-code"}})
	write(t, w.at(".git/stemma/install.json"), `{"version": 2}`, 0o600)
	before := snapshot(t, w.Dir)
	for name, do := range map[string]func() (*install.Report, error){
		"init": func() (*install.Report, error) {
			return install.Init(context.Background(), w.m, w.place(), install.Options{})
		},
		"deinit": func() (*install.Report, error) { return install.Deinit(context.Background(), w.m, w.place()) },
	} {
		if _, err := do(); err == nil || !strings.Contains(err.Error(), "of a later stemma") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after := snapshot(t, w.Dir); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Error("something was changed")
	}
}

// FuzzAnyRecordDoesNoHarm gives deinit a record that somebody else has written:
// nothing outside of the repository and no committed file is touched by what
// says to be in the work tree.
func FuzzAnyRecordDoesNoHarm(f *testing.F) {
	f.Add(`{"version":1,"files":[{"part":"agent","base":"tree","path":"../outside","made":true,"after":"x"}]}`)
	f.Add(`{"version":1,"files":[null,{"part":"git hook","base":"tree","path":"a","dirs":["../.."],"moved":"../../outside","after":""}]}`)
	f.Add(`{"version":1,"files":[{"part":"agent","base":"tree","path":"link/outside","done":[{"at":-1,"text":""}],"values":[{"path":[],"value":1}],"paths":[[]]}]}`)
	f.Add(`{"version":1,"files":[{"part":"agent","base":"elsewhere","path":"../gone","moved":"outside","after":""}]}`)
	f.Add(`{"version":1,"files":[{"part":"agent","base":"tree","path":"gone","moved":".git","after":""}]}`)
	f.Add(`{"version":1,"files":[{"part":"agent","base":"","path":"../gone","moved":"outside","after":""}]}`)
	f.Add(`{"version":1,"settings":[{"key":"x","value":"y"}]}`)
	t := f
	dir := t.TempDir()
	repo := gittest.At(t, filepath.Join(dir, "repo"))
	must(t, os.Mkdir(repo.Dir, 0o755))
	repo.Git("init", "-q")
	outside := filepath.Join(dir, "outside")
	write(t, outside, "kept", 0o644)
	must(t, os.Symlink("..", filepath.Join(repo.Dir, "link")))
	m := host.Machine{OS: "linux", Home: filepath.Join(dir, "home"), Root: filepath.Join(dir, "machine")}
	p, err := spool.Find(repo.Dir)
	must(t, err)
	f.Fuzz(func(t *testing.T, record string) {
		for _, base := range []string{`"home"`, `"root"`, `"git-dir"`} {
			record = strings.ReplaceAll(record, base, `"tree"`)
		}
		if strings.Contains(record, `\u`) {
			return // another base in disguise
		}
		write(t, filepath.Join(repo.Dir, "a"), "a", 0o644)
		write(t, filepath.Join(repo.Dir, ".git/stemma/install.json"), record, 0o600)
		_, _ = install.Deinit(context.Background(), m, p)
		if b, err := os.ReadFile(outside); err != nil || string(b) != "kept" {
			t.Fatalf("outside is %q (%v)", b, err)
		}
		if _, err := os.Stat(filepath.Join(repo.Dir, ".git/HEAD")); err != nil {
			t.Fatalf("git's own directory is gone (%v)", err)
		}
	})
}
