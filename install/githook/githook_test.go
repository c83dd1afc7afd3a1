package githook

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A bench is a directory of hooks with a stemma that writes down how it was
// called.
type bench struct {
	t   *testing.T
	dir string
	log string
	env []string
}

func newBench(t *testing.T, stemma bool) bench {
	t.Helper()
	b := bench{t: t, dir: t.TempDir()}
	b.log = filepath.Join(b.dir, "log")
	bin := filepath.Join(b.dir, "bin")
	must(t, os.MkdirAll(bin, 0o755))
	if stemma {
		b.write("bin/stemma", "#!/bin/sh\necho \"stemma $*\" >>\"$LOG\"\ncase $2 in pre-push) cat >>\"$LOG\";; esac\nexit 9\n", 0o755)
	}
	b.env = []string{"PATH=" + bin + ":/usr/bin:/bin", "LOG=" + b.log}
	return b
}

func (b bench) write(name, content string, mode os.FileMode) string {
	b.t.Helper()
	file := filepath.Join(b.dir, name)
	must(b.t, os.MkdirAll(filepath.Dir(file), 0o755))
	must(b.t, os.WriteFile(file, []byte(content), mode))
	return file
}

// run runs a hook as git would and returns its exit code and what was logged.
func (b bench) run(hook, stdin string, args ...string) (int, string) {
	b.t.Helper()
	must(b.t, os.WriteFile(b.log, nil, 0o644))
	cmd := exec.Command(hook, args...)
	cmd.Dir, cmd.Env, cmd.Stdin = b.dir, b.env, strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if len(out) > 0 {
		b.t.Errorf("%s printed %q", hook, out)
	}
	if cmd.ProcessState == nil {
		b.t.Fatal(err)
	}
	log, err := os.ReadFile(b.log)
	must(b.t, err)
	return cmd.ProcessState.ExitCode(), string(log)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const foreign = "echo \"theirs $# $2 ${0##*/}\" >>\"$LOG\"\ncat >>\"$LOG\"\nexit 3\n"

func TestTheHookThatWasThereRunsFirstAndDecides(t *testing.T) {
	in := "a b\n\n c \n\n"
	for _, name := range Names {
		for how, put := range map[string]func(b bench) string{
			"lines": func(b bench) string {
				content := []byte("#!/bin/sh -eu\n" + foreign)
				at, text := Lines(name, content)
				return b.write("hooks/"+name, string(slices.Insert(content, at, []byte(text)...)), 0o755)
			},
			"moved": func(b bench) string {
				b.write("hooks/"+name+Before, "#!/usr/bin/env sh\n"+foreign, 0o755)
				return b.write("hooks/"+name, string(Script(name)), 0o755)
			},
			"chained": func(b bench) string {
				b.write("their 'own' hooks/"+name, "#!/bin/sh\n"+foreign, 0o755)
				return b.write("hooks/"+name, string(Chain(name, filepath.Join(b.dir, "their 'own' hooks"))), 0o755)
			},
			"relayed": func(b bench) string {
				b.write(".git/hooks/"+name, "#!/bin/sh\n"+foreign, 0o755)
				return b.write("hooks/"+name, string(Relay(name)), 0o755)
			},
		} {
			for _, there := range []bool{true, false} {
				b := newBench(t, there)
				code, log := b.run(put(b), in, "one", "two words")
				want := "theirs 2 two words " + name + "\n" + in
				if how == "moved" {
					want = "theirs 2 two words " + name + Before + "\n" + in
				}
				if there && name != "pre-push" { // a refused push has nothing to tell
					want += "stemma githook " + name + " one two words\n"
				}
				if code != 3 || log != want {
					t.Errorf("%s, %s, stemma %v: code %d, log\n%q, want\n%q", name, how, there, code, log, want)
				}
			}
		}
	}
}

func TestHookWithoutAnotherNeverFails(t *testing.T) {
	for _, name := range Names {
		for _, text := range [][]byte{Script(name), Relay(name)} {
			for _, there := range []bool{true, false} {
				b := newBench(t, there)
				code, log := b.run(b.write("hooks/"+name, string(text), 0o755), "x\n", "1")
				want := ""
				if there {
					want = "stemma githook " + name + " 1\n"
					if slices.Contains(input, name) {
						want += "x\n"
					}
				}
				if code != 0 || log != want {
					t.Errorf("%s, stemma %v: code %d, log %q, want %q", name, there, code, log, want)
				}
			}
		}
	}
}

func TestPushThatIsAllowedIsTold(t *testing.T) {
	for _, put := range []func(b bench) string{
		func(b bench) string {
			content := []byte("#!/bin/bash\nread -r line; echo \"theirs $line\" >>\"$LOG\"\n")
			at, text := Lines("pre-push", content)
			return b.write("pre-push", string(slices.Insert(content, at, []byte(text)...)), 0o755)
		},
		func(b bench) string {
			b.write("pre-push"+Before, "#!/bin/sh\nread -r line; echo \"theirs $line\" >>\"$LOG\"\n", 0o755)
			return b.write("pre-push", string(Script("pre-push")), 0o755)
		},
	} {
		b := newBench(t, true)
		code, log := b.run(put(b), "refs\nmore\n", "origin")
		if want := "theirs refs\nstemma githook pre-push origin\nrefs\nmore\n"; code != 0 || log != want {
			t.Errorf("code %d, log %q, want %q", code, log, want)
		}
	}
}

func TestHookThatIsSwitchedOffStaysOff(t *testing.T) {
	b := newBench(t, true)
	b.write("hooks/post-merge"+Before, "#!/bin/sh\nexit 3\n", 0o644)
	if code, log := b.run(b.write("hooks/post-merge", string(Script("post-merge")), 0o755), ""); code != 0 || log != "stemma githook post-merge\n" {
		t.Errorf("code %d, log %q", code, log)
	}
}

func TestRelayFindsTheHooksOfLinkedWorkTrees(t *testing.T) {
	for _, name := range []string{"post-merge", "commit-msg"} {
		b := newBench(t, true)
		must(t, os.MkdirAll(filepath.Join(b.dir, "main/.git/worktrees/w"), 0o755))
		b.write("main/.git/worktrees/w/commondir", "../..\n", 0o644)
		b.write(".git", "gitdir: "+b.dir+"/main/.git/worktrees/w\n", 0o644)
		b.write("main/.git/hooks/"+name, "#!/bin/sh\necho theirs >>\"$LOG\"\nexit 4\n", 0o755)
		hook := b.write("hooks/"+name, string(Relay(name)), 0o755)
		if code, log := b.run(hook, ""); code != 4 || !strings.HasPrefix(log, "theirs\n") || strings.Contains(log, "stemma") != (name == "post-merge") {
			t.Errorf("%s: code %d, log %q", name, code, log)
		}
		b.env = append(b.env, "GIT_DIR="+b.dir+"/main/.git")
		if code, _ := b.run(hook, ""); code != 4 {
			t.Errorf("%s with GIT_DIR: code %d", name, code)
		}
	}
}

func TestOtherHooksAreChainedToo(t *testing.T) {
	b := newBench(t, true)
	b.write("theirs/commit-msg", "#!/bin/sh\necho \"theirs $1\" >>\"$LOG\"\nexit 5\n", 0o755)
	if code, log := b.run(b.write("hooks/commit-msg", string(Chain("commit-msg", filepath.Join(b.dir, "theirs"))), 0o755), "", "file"); code != 5 || log != "theirs file\n" {
		t.Errorf("code %d, log %q", code, log)
	}
	if code, log := b.run(b.write("hooks/pre-commit", string(Chain("pre-commit", filepath.Join(b.dir, "theirs"))), 0o755), ""); code != 0 || log != "" {
		t.Errorf("code %d, log %q", code, log)
	}
}

func TestStemmaIsCalledOnceByRelayAndRepository(t *testing.T) {
	b := newBench(t, true)
	b.write(".git/hooks/post-merge", string(Script("post-merge")), 0o755)
	if code, log := b.run(b.write("hooks/post-merge", string(Relay("post-merge")), 0o755), ""); code != 0 || log != "stemma githook post-merge\n" {
		t.Errorf("code %d, log %q", code, log)
	}
}

func TestHooksThatRunEachOtherEnd(t *testing.T) {
	b := newBench(t, true)
	hook := b.write("hooks/post-merge", string(Script("post-merge")), 0o755)
	b.write("hooks/post-merge"+Before, "#!/bin/sh\n\"${0%/*}/post-merge\"\n", 0o755)
	if code, log := b.run(hook, ""); code != 0 || strings.Count(log, "\n") > 20 {
		t.Errorf("code %d, log %q", code, log)
	}
}

func TestHooksAreToldApart(t *testing.T) {
	at, text := Lines("post-merge", []byte("#!/bin/sh\nx\n"))
	for content, want := range map[string]Kind{
		string(Script("pre-push")): Ours,
		string(Relay("update")):    Ours,
		"#!/bin/sh\n" + text + "x": Carries,
		"#!/bin/sh\nx\n":           Shell,
		"#!/usr/bin/env bash\nx":   Shell,
		"#! /bin/zsh -f\nx":        Shell,
		"#!/usr/bin/python3\nx":    Other,
		"#!/usr/bin/env node\nx":   Other,
		"#!/bin/sh\r\nx":           Other,
		"#!/bin/sh":                Other,
		"#!/bin/sh\n\x00":          Other,
		"\x7fELF\n":                Other,
		"x\n":                      Other,
		"":                         Other,
	} {
		if got := Look([]byte(content)); got != want {
			t.Errorf("Look(%q) = %v, want %v", content, got, want)
		}
	}
	if at != len("#!/bin/sh\n") {
		t.Errorf("lines stand at %d", at)
	}
}

func TestHooksOfOtherToolsAreKnown(t *testing.T) {
	for content, want := range map[string]string{
		"#!/bin/sh\nif [ \"$LEFTHOOK\" = 0 ]; then":                  "lefthook",
		"#!/usr/bin/env bash\n# File generated by: pre-commit.com\n": "pre-commit",
		"#!/bin/sh\nmake\n": "",
	} {
		if got := Managed([]byte(content)); got.Name != want || (got.Mend == "") != (want == "") {
			t.Errorf("Managed(%q) = %v, want %s", content, got, want)
		}
	}
}

func FuzzLinesAreTakenOut(f *testing.F) {
	f.Add([]byte("#!/bin/sh\nmake test\n"))
	f.Add([]byte("#!/bin/bash\n# >>> stemma"))
	f.Add([]byte(fmt.Sprintf("#!/bin/sh\n%s", end)))
	f.Fuzz(func(t *testing.T, content []byte) {
		if _, ok := Without(content); ok && Look(content) != Carries && Look(content) != Ours {
			t.Errorf("taken out of %q, which does not carry any", content)
		}
		if Look(content) != Shell {
			return
		}
		for _, name := range Names {
			at, text := Lines(name, content)
			with := slices.Insert(slices.Clone(content), at, []byte(text)...)
			if Look(with) != Carries {
				t.Fatalf("%q does not carry it", with)
			}
			if got, ok := Without(with); !ok || !bytes.Equal(got, content) {
				t.Fatalf("%q has become %q", content, got)
			}
		}
	})
}

// TestEveryHookOfGitRunsOrIsSaidNotTo has the hooks of githooks(5), but for
// fsmonitor-watchman, which git runs by its path.
func TestEveryHookOfGitRunsOrIsSaidNotTo(t *testing.T) {
	git := strings.Fields(`applypatch-msg pre-applypatch post-applypatch pre-commit pre-merge-commit prepare-commit-msg commit-msg
		post-commit pre-rebase post-checkout post-merge pre-push pre-receive update proc-receive post-receive post-update
		reference-transaction push-to-checkout pre-auto-gc post-rewrite sendemail-validate p4-changelist p4-prepare-changelist
		p4-post-changelist p4-pre-submit post-index-change`)
	slices.Sort(git)
	ours := slices.Sorted(slices.Values(slices.Concat(Relayed, NotRelayed)))
	if !slices.Equal(ours, git) {
		t.Errorf("relayed or not are %q, git has %q", ours, git)
	}
}
