package install_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/install"
	"github.com/stemma-dev/stemma/install/agent"
)

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
