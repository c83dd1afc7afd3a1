package hook

import (
	"slices"
	"strings"
)

// Generic is the hook for tools that no adapter is made for.
const Generic = "generic"

// An adapter knows how one agent names its events and tools.
type adapter struct {
	events map[string]Kind // by name in lower case; before and after of tools are [BeforeTool] and [AfterTool]
	edits  []string        // tools that write the files they name
	shells []string        // tools that run commands
}

// Names of events that several agents share.
var claudeEvents = map[string]Kind{
	"pretooluse": BeforeTool, "posttooluse": AfterTool, "posttoolusefailure": AfterTool, "userpromptsubmit": Prompt, "sessionstart": SessionStart, "sessionend": SessionEnd,
	"stop": Stop, "subagentstart": SubagentStart, "subagentstop": SubagentStop, "precompact": Compact,
}

// readers are tools that only read or plan, of whichever agent.
var readers = []string{
	"read", "readfile", "read_file", "readmanyfiles", "read_many_files", "view", "grep", "grep_search", "glob", "ls", "list", "list_dir", "listdir", "list_directory", "listfiles", "list_files",
	"search", "search_files", "search_file_content", "file_search", "codebase_search", "semantic_search", "websearch", "web_search", "google_web_search", "webfetch", "web_fetch", "fetch",
	"todowrite", "todoread", "todo_write", "todo_read", "update_plan", "task", "taskcreate", "taskupdate", "tasklist", "taskget", "agent", "skill", "exitplanmode", "enterplanmode", "askuserquestion",
	"ask_followup_question", "attempt_completion", "think", "oracle", "finder", "notebookread", "bashoutput", "taskoutput", "killshell", "killbash", "lsp", "toolsearch", "get_errors", "get_changed_files",
	"listmcpresources", "readmcpresource", "list_code_definition_names", "save_memory", "thinking",
}

var adapters = map[string]*adapter{
	"claude-code": {
		events: claudeEvents,
		edits:  []string{"write", "edit", "multiedit", "notebookedit", "mcp__acp__write", "mcp__acp__edit"},
		shells: []string{"bash", "powershell"},
	},
	"codex": {
		events: claudeEvents,
		edits:  []string{"apply_patch"},
		shells: []string{"bash", "shell", "exec_command", "shell_command", "local_shell", "multi_tool_use.parallel", "write_stdin", "unified_exec"},
	},
	"cursor": {
		events: map[string]Kind{
			"pretooluse": BeforeTool, "posttooluse": AfterTool, "posttoolusefailure": AfterTool, "sessionstart": SessionStart, "sessionend": SessionEnd, "beforesubmitprompt": Prompt,
			"afterfileedit": AfterEdit, "aftertabfileedit": AfterEdit, "beforeshellexecution": BeforeShell, "aftershellexecution": AfterShell, "stop": Stop, "precompact": Compact,
			"subagentstart": SubagentStart, "subagentstop": SubagentStop,
		},
		edits:  []string{"write", "delete", "strreplace", "applypatch", "editnotebook"},
		shells: []string{"shell"},
	},
	"gemini-cli": {
		events: map[string]Kind{
			"beforetool": BeforeTool, "aftertool": AfterTool, "sessionstart": SessionStart, "sessionend": SessionEnd, "beforeagent": Prompt, "afteragent": Stop, "precompress": Compact,
		},
		edits:  []string{"write_file", "replace", "edit_file", "save_file"},
		shells: []string{"run_shell_command", "shell"},
	},
	"github-copilot": {
		events: claudeEvents,
		edits: []string{
			"create", "edit", "str_replace", "apply_patch", "write", "multiedit", "create_file", "insert_edit_into_file", "replace_string_in_file", "multi_replace_string_in_file",
			"edit_files", "editfiles", "edit_notebook_file", "str_replace_editor",
		},
		shells: []string{"bash", "powershell", "run_in_terminal", "runinterminal", "run_terminal_command", "runcommands"},
	},
	"opencode": {
		events: map[string]Kind{
			"tool.execute.before": BeforeTool, "tool.execute.after": AfterTool, "pretooluse": BeforeTool, "posttooluse": AfterTool, "session.created": SessionStart, "session.idle": Stop,
		},
		edits:  []string{"edit", "write", "apply_patch", "patch", "multiedit"},
		shells: []string{"bash", "shell"},
	},
	"windsurf": {
		events: map[string]Kind{
			"pre_write_code": BeforeEdit, "post_write_code": AfterEdit, "pre_run_command": BeforeShell, "post_run_command": AfterShell,
			"pre_user_prompt": Prompt, "post_cascade_response": Stop, "post_cascade_response_with_transcript": Stop,
		},
	},
	"amp": {
		events: map[string]Kind{"tool.call": BeforeTool, "tool.result": AfterTool, "pretooluse": BeforeTool, "posttooluse": AfterTool, "session.start": SessionStart, "agent.start": Prompt, "agent.end": Stop},
		edits:  []string{"write", "edit", "create_file", "edit_file", "apply_patch", "undo_edit"},
		shells: []string{"bash", "shell_command"},
	},
	"droid": {
		events: claudeEvents,
		edits:  []string{"applypatch", "edit", "write", "create", "multiedit"},
		shells: []string{"bash", "execute"},
	},
	"cline": {
		events: map[string]Kind{
			"pretooluse": BeforeTool, "posttooluse": AfterTool, "taskstart": SessionStart, "taskresume": SessionStart, "taskcancel": SessionEnd, "taskcomplete": Stop, "userpromptsubmit": Prompt, "precompact": Compact,
		},
		edits:  []string{"write_to_file", "replace_in_file", "apply_patch", "editor", "new_rule"},
		shells: []string{"execute_command", "run_commands"},
	},
	"continue": {
		events: claudeEvents,
		edits:  []string{"edit", "multiedit", "write"},
		shells: []string{"terminal", "local_shell_call", "bash"},
	},
	Generic: {
		events: map[string]Kind{"before_edit": BeforeEdit, "after_edit": AfterEdit, "before_command": BeforeShell, "after_command": AfterShell},
	},
}

// Shell reports whether a tool of any agent runs commands.
func Shell(tool string) bool {
	name := toolName(tool)
	for _, a := range adapters {
		if slices.Contains(a.shells, name) {
			return true
		}
	}
	return false
}

func toolName(tool string) string { return strings.ToLower(strings.TrimPrefix(tool, "functions.")) }

// event says what a payload means.
func (a *adapter) event(p *payload) Event {
	e := Event{
		Version: p.version, Session: p.session, Subagent: p.subagent, Tool: p.tool, Call: p.call, Turn: p.turn, Model: p.model,
		Directory: p.directory, Paths: p.paths, Unsaved: p.unsaved, Before: p.before, Modified: p.modified, Transcript: p.transcript,
		Kind: a.events[strings.ToLower(p.event)],
	}
	if p.event == "" {
		e.Kind = generic(p)
	}
	if e.Kind == BeforeTool || e.Kind == AfterTool {
		e.Kind = a.ofTool(e.Kind, p)
	}
	if e.Kind == BeforeShell || e.Kind == AfterShell {
		e.Command, e.Background = p.command, p.background
	}
	if e.Kind == Nothing {
		return Event{Session: e.Session, Directory: e.Directory, Transcript: e.Transcript}
	}
	return e
}

// ofTool says what a tool does. One that is not known may do anything.
func (a *adapter) ofTool(k Kind, p *payload) Kind {
	name := toolName(p.tool)
	edit, shell := BeforeEdit, BeforeShell
	if k == AfterTool {
		edit, shell = AfterEdit, AfterShell
	}
	switch {
	case slices.Contains(a.edits, name):
		return edit
	case slices.Contains(a.shells, name):
		return shell
	case slices.Contains(readers, name):
		return Nothing
	}
	return k
}

// generic says what a payload without an event's name means: those of Git AI's
// agent-v1, and of editors.
func generic(p *payload) Kind {
	switch p.kind {
	case "ai_agent":
		return AfterEdit
	case "pre_ai_agent":
		return BeforeEdit
	case "pre_shell_command":
		return BeforeShell
	case "post_shell_command":
		return AfterShell
	case "known_human":
		return HumanEdit
	case "human": // what was there before an agent's edit: nobody is credited
		return BeforeEdit
	}
	return Nothing
}
