package agent_test

import (
	"encoding/json"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/ingest/hook"
	"github.com/stemma-dev/stemma/install/agent"
)

func TestAgentsAreThoseThatTheHookKnows(t *testing.T) {
	var names []string
	for _, a := range agent.All {
		names = append(names, a.Name)
	}
	slices.Sort(names)
	want := slices.DeleteFunc(hook.Agents(), func(s string) bool { return s == hook.Generic })
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

// events are the names under which an agent's hooks are installed, with the
// calls that stand there.
func events(t *testing.T, f agent.File) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	var calls func(event string, v any)
	calls = func(event string, v any) {
		switch v := v.(type) {
		case string:
			if strings.Contains(v, "stemma hook") {
				found[event] = append(found[event], v)
			}
		case []any:
			for _, one := range v {
				calls(event, one)
			}
		case map[string]any:
			for _, one := range v {
				calls(event, one)
			}
		}
	}
	plain := func(v any) (out any) {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, v := range f.Elements {
		calls(v.Path[len(v.Path)-1], plain(v.Value))
	}
	var doc struct{ Hooks map[string]any }
	if json.Unmarshal([]byte(f.Whole), &doc) == nil {
		for event, v := range doc.Hooks {
			calls(event, v)
		}
	} else if strings.HasPrefix(f.Whole, "#!/bin/sh") {
		calls(path.Base(f.Path), f.Whole)
	}
	return found
}

func TestEveryInstalledEventIsUnderstood(t *testing.T) {
	for _, a := range agent.All {
		tools := 0
		for _, f := range a.Files(agent.Project, "linux") {
			for event, calls := range events(t, f) {
				payload, err := json.Marshal(map[string]string{"hook_event_name": event, "session_id": "s", "tool_name": "Mystery"})
				if err != nil {
					t.Fatal(err)
				}
				e, err := hook.Parse(a.Name, payload)
				if err != nil || e.Kind == hook.Nothing {
					t.Errorf("%s is installed for %s, of which the hook makes %q (%v)", a.Name, event, e.Kind, err)
				}
				if slices.Contains([]hook.Kind{hook.BeforeTool, hook.AfterTool, hook.BeforeEdit, hook.AfterEdit, hook.BeforeShell, hook.AfterShell}, e.Kind) {
					tools++
				}
				for _, call := range calls {
					if !strings.Contains(call, "stemma hook "+a.Name) {
						t.Errorf("%s calls %q", a.Name, call)
					}
				}
			}
		}
		if plugin := a.Name == "opencode" || a.Name == "amp"; tools < 2 && !plugin {
			t.Errorf("%s tells of %d events about tools", a.Name, tools)
		}
	}
}

func TestCallsDoNothingWhereThereIsNoStemma(t *testing.T) {
	for _, a := range agent.All {
		for _, f := range a.Files(agent.Project, "linux") {
			for event, calls := range events(t, f) {
				for _, call := range calls {
					if strings.Contains(call, "Get-Command") {
						continue
					}
					cmd := exec.Command("/bin/sh", "-c", call)
					cmd.Env, cmd.Stdin = []string{"PATH=/usr/bin:/bin"}, strings.NewReader(`{"x": 1}`)
					want := ""
					if a.Name == "cline" {
						want = "{\"cancel\":false}\n"
					}
					if out, err := cmd.CombinedOutput(); err != nil || string(out) != want {
						t.Errorf("%s, %s: %v, %q", a.Name, event, err, out)
					}
				}
			}
		}
	}
}

func TestEveryAgentHasAPlaceForAll(t *testing.T) {
	for _, a := range agent.All {
		for _, os := range []string{"linux", "darwin", "windows"} {
			project, system, user := a.Files(agent.Project, os), a.Files(agent.System, os), a.Files(agent.User, os)
			if len(project) == 0 || len(system)+len(user) == 0 || len(system) > 0 && len(user) > 0 {
				t.Errorf("%s on %s: %d, %d, %d files", a.Name, os, len(project), len(system), len(user))
			}
			for _, f := range append(project, user...) {
				if !filepath.IsLocal(f.Path) {
					t.Errorf("%s on %s: %s", a.Name, os, f.Path)
				}
			}
			for _, f := range system {
				if !path.IsAbs(f.Path) {
					t.Errorf("%s on %s: %s", a.Name, os, f.Path)
				}
			}
			for _, f := range slices.Concat(project, system, user) {
				if f.Whole != "" && !a.Wrote([]byte(f.Whole)) {
					t.Errorf("%s on %s: %s does not say whose it is", a.Name, os, f.Path)
				}
			}
		}
	}
}
