// Package agent says where each coding agent keeps its hooks and what has to
// stand there for stemma to be told what the agent does. It does no I/O.
//
// Project files are preferred: they can be committed, and then the agents of
// everybody who clones the repository report. Every call is harmless where
// there is no stemma.
package agent

import (
	"path"
	"slices"
	"strings"
)

// A Scope says for whom hooks are installed.
type Scope string

// The scopes.
const (
	Project Scope = "project" // who works in this repository
	System  Scope = "system"  // everybody on this machine
	User    Scope = "user"    // one person on this machine: where an agent knows no file for all
)

// An Agent is a coding agent with hooks.
type Agent struct {
	Name string   // as `stemma hook` takes it
	Bins []string // its programs
	Home []string // what it leaves in the home directory, as patterns
	Tree []string // what it leaves in a repository, as patterns
	Note string   // what a person has to do by hand, or should know

	form   form
	places map[Scope]place
}

// A place is where the file lies, by operating system: "" stands for all that
// are not named. Those of [System] are absolute.
type place map[string]string

// A form says what stands in the file.
type form struct {
	events []string
	top    map[string]any
	entry  func(agent, event string) any
	whole  func(agent string) map[string]string // files that are ours alone, by name
	exec   bool
}

// A File is what has to be in one file.
type File struct {
	Path     string  // from the root of the scope; absolute for [System]
	Top      []Value // members that must be there
	Elements []Value // elements of lists that must be there
	Whole    string  // the whole content, of a file that is ours alone
	Exec     bool    // it is a program
}

// A Value is put at a path into a document.
type Value struct {
	Path  []string `json:"path"`
	Value any      `json:"value"`
}

// Files are the files of an agent in a scope; none if it knows none for it.
func (a Agent) Files(s Scope, os string) []File {
	at, ok := a.places[s][os]
	if !ok {
		if at, ok = a.places[s][""]; !ok {
			return nil
		}
	}
	if a.form.whole != nil {
		var list []File
		for name, content := range a.form.whole(a.Name) {
			list = append(list, File{Path: path.Join(at, name), Whole: content, Exec: a.form.exec})
		}
		slices.SortFunc(list, func(x, y File) int { return strings.Compare(x.Path, y.Path) })
		return list
	}
	f := File{Path: at}
	for name, v := range a.form.top {
		f.Top = append(f.Top, Value{[]string{name}, v})
	}
	for _, event := range a.form.events {
		f.Elements = append(f.Elements, Value{[]string{"hooks", event}, a.form.entry(a.Name, event)})
	}
	return []File{f}
}

// command is the call of stemma for a shell.
func command(agent string) string {
	return "command -v stemma >/dev/null 2>&1 && stemma hook " + agent + " || true"
}

// powershell is the call for PowerShell.
func powershell(agent string) string {
	return "if (Get-Command stemma -ErrorAction SilentlyContinue) { $input | stemma hook " + agent + " }; exit 0"
}

type handler struct {
	Name       string `json:"name,omitempty"`
	Type       string `json:"type,omitempty"`
	Command    string `json:"command"`
	Bash       string `json:"bash,omitempty"`
	PowerShell string `json:"powershell,omitempty"`
}

type group struct {
	Matcher string    `json:"matcher,omitempty"`
	Hooks   []handler `json:"hooks"`
}

// nested is the form of Claude Code, which many have taken over. All tools are
// reported: one that is not known may have written any file.
func nested(events []string, tools ...string) form {
	return form{events: events, entry: func(agent, event string) any {
		g := group{Hooks: []handler{{Type: "command", Command: command(agent)}}}
		if slices.Contains(tools, event) {
			g.Matcher = "*"
		}
		if agent == "gemini-cli" { // by which a person can switch it off
			g.Hooks[0].Name = "stemma"
		}
		return g
	}}
}

// flat is the form of Cursor and Windsurf.
func flat(top map[string]any, events ...string) form {
	return form{top: top, events: events, entry: func(agent, _ string) any { return handler{Command: command(agent)} }}
}

var claudeEvents = []string{"SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "PreCompact", "SubagentStart", "SubagentStop", "Stop", "SessionEnd"}

// All are the agents, in the order in which they are told of.
var All = []Agent{
	{
		Name: "claude-code", Bins: []string{"claude"}, Home: []string{".claude"}, Tree: []string{".claude", "CLAUDE.md"},
		form: nested(append(claudeEvents[:4:4], append([]string{"PostToolUseFailure"}, claudeEvents[4:]...)...), "PreToolUse", "PostToolUse", "PostToolUseFailure"),
		places: map[Scope]place{
			Project: {"": ".claude/settings.json"},
			System: {
				"": "/etc/claude-code/managed-settings.json", "darwin": "/Library/Application Support/ClaudeCode/managed-settings.json",
				"windows": "/Program Files/ClaudeCode/managed-settings.json",
			},
		},
	},
	{
		Name: "codex", Bins: []string{"codex"}, Home: []string{".codex"}, Tree: []string{".codex"},
		Note: "Codex runs new hooks only when you trust them: open Codex in this repository and type /hooks (Codex before 0.124 also needs hooks = true under [features] in ~/.codex/config.toml)",
		form: nested(claudeEvents, "PreToolUse", "PostToolUse"),
		places: map[Scope]place{
			Project: {"": ".codex/hooks.json"},
			System:  {"": "/etc/codex/hooks.json", "windows": "/ProgramData/OpenAI/Codex/hooks.json"},
		},
	},
	{
		Name: "cursor", Bins: []string{"cursor", "cursor-agent"}, Home: []string{".cursor"}, Tree: []string{".cursor", ".cursorrules"},
		// Shells and edits are tools too: their own events would tell them twice.
		form: flat(map[string]any{"version": 1}, "sessionStart", "beforeSubmitPrompt", "preToolUse", "postToolUse", "postToolUseFailure", "afterTabFileEdit",
			"preCompact", "subagentStart", "subagentStop", "stop", "sessionEnd"),
		places: map[Scope]place{
			Project: {"": ".cursor/hooks.json"},
			System:  {"": "/etc/cursor/hooks.json", "darwin": "/Library/Application Support/Cursor/hooks.json", "windows": "/ProgramData/Cursor/hooks.json"},
		},
	},
	{
		Name: "gemini-cli", Bins: []string{"gemini"}, Home: []string{".gemini/settings.json", ".gemini/tmp"}, Tree: []string{".gemini", "GEMINI.md"},
		Note: "Gemini CLI runs the hooks of a repository only when you trust its folder, and asks about new ones",
		form: nested([]string{"SessionStart", "BeforeAgent", "BeforeTool", "AfterTool", "PreCompress", "AfterAgent", "SessionEnd"}, "BeforeTool", "AfterTool"),
		places: map[Scope]place{
			Project: {"": ".gemini/settings.json"},
			System: {
				"": "/etc/gemini-cli/settings.json", "darwin": "/Library/Application Support/GeminiCli/settings.json", "windows": "/ProgramData/gemini-cli/settings.json",
			},
		},
	},
	{
		Name: "github-copilot", Bins: []string{"copilot"}, Home: []string{".copilot", ".vscode/extensions/github.copilot-*", ".vscode-server/extensions/github.copilot-*"},
		Tree:   []string{".github/copilot-instructions.md", ".github/hooks"},
		form:   form{whole: copilot},
		places: map[Scope]place{Project: {"": ".github/hooks"}, User: {"": ".copilot/hooks"}},
	},
	{
		Name: "opencode", Bins: []string{"opencode", "opencode2"}, Home: []string{".config/opencode"}, Tree: []string{".opencode", "opencode.json", "opencode.jsonc"},
		form:   form{whole: func(string) map[string]string { return map[string]string{"stemma.ts": openCode} }},
		places: map[Scope]place{Project: {"": ".opencode/plugins"}, User: {"": ".config/opencode/plugins"}},
	},
	{
		Name: "windsurf", Bins: []string{"windsurf"}, Home: []string{".codeium/windsurf", ".windsurf"}, Tree: []string{".windsurf", ".windsurfrules"},
		form: flat(nil, "pre_user_prompt", "pre_write_code", "post_write_code", "pre_run_command", "post_run_command", "post_cascade_response_with_transcript"),
		places: map[Scope]place{
			Project: {"": ".windsurf/hooks.json"},
			System:  {"": "/etc/windsurf/hooks.json", "darwin": "/Library/Application Support/Windsurf/hooks.json", "windows": "/ProgramData/Windsurf/hooks.json"},
		},
	},
	{
		Name: "amp", Bins: []string{"amp"}, Home: []string{".config/amp", ".local/share/amp"}, Tree: []string{".amp"},
		form:   form{whole: func(string) map[string]string { return map[string]string{"stemma.ts": amp} }},
		places: map[Scope]place{Project: {"": ".amp/plugins"}, User: {"": ".config/amp/plugins"}},
	},
	{
		Name: "droid", Bins: []string{"droid"}, Home: []string{".factory"}, Tree: []string{".factory"},
		Note: "Droid does not look into .factory/settings.json for hooks where there is a .factory/hooks.json",
		form: nested(claudeEvents, "PreToolUse", "PostToolUse"),
		// Not hooks.json: there are releases that say they read it and do not.
		places: map[Scope]place{Project: {"": ".factory/settings.json"}, User: {"": ".factory/settings.json"}},
	},
	{
		Name: "cline", Bins: []string{"cline"}, Home: []string{"Documents/Cline", ".cline", ".config/*/User/globalStorage/saoudrizwan.claude-dev", ".vscode/extensions/saoudrizwan.claude-dev-*", ".cursor/extensions/saoudrizwan.claude-dev-*"},
		Tree:   []string{".clinerules"},
		Note:   "Cline runs hooks only when they are enabled in its settings, and on Windows not from these files",
		form:   form{whole: cline, exec: true},
		places: map[Scope]place{Project: {"": ".clinerules/hooks"}, User: {"": "Documents/Cline/Hooks"}},
	},
	{
		Name: "continue", Bins: []string{"cn"}, Home: []string{".continue"}, Tree: []string{".continue"},
		form:   nested(claudeEvents, "PreToolUse", "PostToolUse"),
		places: map[Scope]place{Project: {"": ".continue/settings.json"}, User: {"": ".continue/settings.json"}},
	},
}

// Named finds agents by their names; the one that is not known is given back.
func Named(names []string) (list []Agent, unknown string) {
	for _, name := range names {
		i := slices.IndexFunc(All, func(a Agent) bool { return a.Name == name })
		if i < 0 {
			return nil, name
		}
		list = append(list, All[i])
	}
	return list, ""
}
