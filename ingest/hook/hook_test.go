package hook_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/ingest/hook"
)

func TestPayloadsOfEveryAgentAreUnderstood(t *testing.T) {
	for _, c := range []struct {
		name, agent, payload string
		want                 hook.Event
	}{
		{
			"claude writes", "claude-code",
			`{"session_id":"5c1e","transcript_path":"/h/.claude/projects/p/5c1e.jsonl","cwd":"/w","hook_event_name":"PreToolUse","tool_name":"Write","tool_input":{"file_path":"/w/a.go","content":"*** not a patch"},"tool_use_id":"toolu_1"}`,
			hook.Event{Agent: "claude-code", Session: "5c1e", Kind: hook.BeforeEdit, Tool: "Write", Call: "toolu_1", Directory: "/w", Paths: []string{"/w/a.go"}, Transcript: "/h/.claude/projects/p/5c1e.jsonl"},
		},
		{
			"claude has edited in a sub-agent", "claude-code",
			`{"session_id":"5c1e","agent_id":"a1b2","agent_type":"general","cwd":"/w","hook_event_name":"PostToolUse","tool_name":"MultiEdit","tool_input":{"file_path":"b.go","edits":[{"old_string":"x","new_string":"y"}]},"tool_response":{"filePath":"/elsewhere"},"tool_use_id":"toolu_2"}`,
			hook.Event{Agent: "claude-code", Session: "5c1e", Subagent: "a1b2", Kind: hook.AfterEdit, Tool: "MultiEdit", Call: "toolu_2", Directory: "/w", Paths: []string{"b.go"}},
		},
		{
			"claude tells what it wrote over, and that a person changed its edit", "claude-code",
			`{"session_id":"5c1e","cwd":"/w","hook_event_name":"PostToolUse","tool_name":"Edit","tool_input":{"file_path":"/w/b.go"},"tool_response":{"filePath":"/w/b.go","originalFile":"x\n","userModified":true},"tool_use_id":"t"}`,
			hook.Event{Agent: "claude-code", Session: "5c1e", Kind: hook.AfterEdit, Tool: "Edit", Call: "t", Directory: "/w", Paths: []string{"/w/b.go"}, Before: map[string]string{"/w/b.go": "x\n"}, Modified: true},
		},
		{
			"claude runs a command", "claude-code",
			`{"session_id":"5c1e","cwd":"/w","hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"sed -i s/a/b/ x"},"tool_use_id":"t"}`,
			hook.Event{Agent: "claude-code", Session: "5c1e", Kind: hook.BeforeShell, Tool: "Bash", Call: "t", Directory: "/w", Command: "sed -i s/a/b/ x"},
		},
		{
			"codex patches", "codex",
			`{"session_id":"019e","cwd":"/w","hook_event_name":"PostToolUse","tool_name":"functions.apply_patch","model":"gpt-5.6-sol","transcript_path":null,"tool_input":{"input":"*** Begin Patch\n*** Update File: src/a.go\n*** Move to: src/b.go\n@@\n-x\n+*** Add File: no\n*** Add File: new.go\n+y\n*** End Patch"},"tool_use_id":"c1"}`,
			hook.Event{Agent: "codex", Session: "019e", Kind: hook.AfterEdit, Tool: "functions.apply_patch", Call: "c1", Model: "gpt-5.6-sol", Directory: "/w", Paths: []string{"new.go", "src/a.go", "src/b.go"}},
		},
		{
			"codex patches by a command", "codex",
			`{"thread_id":"019e","cwd":"/w","hook_event_name":"PreToolUse","tool_name":"shell","tool_input":{"command":["apply_patch","*** Begin Patch\n*** Delete File: old.go\n*** End Patch"]}}`,
			hook.Event{Agent: "codex", Session: "019e", Kind: hook.BeforeShell, Tool: "shell", Directory: "/w", Paths: []string{"old.go"}, Command: "'apply_patch' '*** Begin Patch\n*** Delete File: old.go\n*** End Patch'"},
		},
		{
			"codex runs a shell", "codex",
			`{"thread_id":"019e","cwd":"/w","hook_event_name":"PreToolUse","tool_name":"shell","tool_input":{"command":["bash","-lc","echo 'x' > a"]}}`,
			hook.Event{Agent: "codex", Session: "019e", Kind: hook.BeforeShell, Tool: "shell", Directory: "/w", Command: "echo 'x' > a"},
		},
		{
			"codex runs words", "codex",
			`{"thread_id":"019e","cwd":"/w","hook_event_name":"PostToolUse","tool_name":"exec_command","tool_input":{"cmd":["sed","-i","s/'/b/","a b"]}}`,
			hook.Event{Agent: "codex", Session: "019e", Kind: hook.AfterShell, Tool: "exec_command", Directory: "/w", Command: `'sed' '-i' 's/'\''/b/' 'a b'`},
		},
		{
			"claude runs a server", "claude-code",
			`{"session_id":"5c1e","cwd":"/w","hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"run_in_background":true,"command":"npm start"},"tool_use_id":"t"}`,
			hook.Event{Agent: "claude-code", Session: "5c1e", Kind: hook.BeforeShell, Tool: "Bash", Call: "t", Directory: "/w", Command: "npm start", Background: true},
		},
		{
			"cursor runs a command", "cursor",
			`{"conversation_id":"c","hook_event_name":"beforeShellExecution","command":"make","cwd":"/w","cursor_version":"2.1"}`,
			hook.Event{Agent: "cursor", Version: "2.1", Session: "c", Kind: hook.BeforeShell, Directory: "/w", Command: "make"},
		},
		{
			"cursor", "cursor",
			`{"conversation_id":"c","generation_id":"g","workspace_roots":["/w","/v"],"hook_event_name":"afterFileEdit","model":"gpt-5","file_path":"/w/a.ts","edits":[{"old_string":"","new_string":"x"}],"cursor_version":"2.1"}`,
			hook.Event{Agent: "cursor", Version: "2.1", Session: "c", Turn: "g", Kind: hook.AfterEdit, Model: "gpt-5", Directory: "/w", Paths: []string{"/w/a.ts"}},
		},
		{
			"gemini", "gemini-cli",
			`{"session_id":"s","transcript_path":"/h/.gemini/x.json","cwd":"/w","hook_event_name":"BeforeTool","timestamp":"2026-01-02T03:04:05Z","tool_name":"replace","tool_input":{"file_path":"a.py","old_string":"a","new_string":"b"}}`,
			hook.Event{Agent: "gemini-cli", Session: "s", Kind: hook.BeforeEdit, Tool: "replace", Directory: "/w", Paths: []string{"a.py"}, Transcript: "/h/.gemini/x.json"},
		},
		{
			"copilot on the command line", "github-copilot",
			`{"session_id":"s","cwd":"/w","hook_event_name":"PostToolUse","tool_name":"create","tool_input":{"path":"n.md","file_text":"x"}}`,
			hook.Event{Agent: "github-copilot", Session: "s", Kind: hook.AfterEdit, Tool: "create", Directory: "/w", Paths: []string{"n.md"}},
		},
		{
			"copilot in an editor, with text that is not saved", "github-copilot",
			`{"chat_session_id":"s","workspace_folder":"/w","hook_event_name":"PreToolUse","chat_session_path":"/x/github.copilot-chat/t.jsonl","tool_name":"create_file","tool_input":{"filePath":"/w/n.md"},"dirty_files":{"/w/b.md":"text"}}`,
			hook.Event{Agent: "github-copilot", Session: "s", Kind: hook.BeforeEdit, Tool: "create_file", Directory: "/w", Paths: []string{"/w/b.md", "/w/n.md"}, Unsaved: map[string]string{"/w/b.md": "text"}, Transcript: "/x/github.copilot-chat/t.jsonl"},
		},
		{
			"opencode", "opencode",
			`{"hook_event_name":"tool.execute.after","session_id":"ses_1","cwd":"/w","tool_name":"write","tool_input":{"filePath":"/w/a"},"tool_use_id":"c"}`,
			hook.Event{Agent: "opencode", Session: "ses_1", Kind: hook.AfterEdit, Tool: "write", Call: "c", Directory: "/w", Paths: []string{"/w/a"}},
		},
		{
			"windsurf, which writes control characters", "windsurf",
			"{\"trajectory_id\":\"t\",\"execution_id\":\"e\",\"agent_action_name\":\"post_write_code\",\"model_name\":\"SWE-1\",\n\"tool_info\":{\"cwd\":\"/w\",\"file_path\":\"/w/a.c\",\"edits\":[{\"new_string\":\"a\tb\nc\"}],\"transcript_path\":\"/h/t.jsonl\"}}",
			hook.Event{Agent: "windsurf", Session: "t", Turn: "e", Kind: hook.AfterEdit, Model: "SWE-1", Directory: "/w", Paths: []string{"/w/a.c"}, Transcript: "/h/t.jsonl"},
		},
		{
			"amp", "amp",
			`{"hook_event_name":"tool.result","tool_use_id":"c","thread_id":"T-1","cwd":"/w","edited_filepaths":["/w/a","/w/b"],"tool_name":"edit_file","tool_input":{"path":"/w/a"}}`,
			hook.Event{Agent: "amp", Session: "T-1", Kind: hook.AfterEdit, Tool: "edit_file", Call: "c", Directory: "/w", Paths: []string{"/w/a", "/w/b"}},
		},
		{
			"droid", "droid",
			`{"session_id":"s","cwd":"/w","hookEventName":"PreToolUse","tool_name":"Execute","tool_input":{"command":"make"},"tool_use_id":"c"}`,
			hook.Event{Agent: "droid", Session: "s", Kind: hook.BeforeShell, Tool: "Execute", Call: "c", Directory: "/w", Command: "make"},
		},
		{
			"cline", "cline",
			`{"hookName":"PostToolUse","clineVersion":"3.40","taskId":"17","workspaceRoots":["/w"],"model":{"provider":"anthropic","slug":"claude-sonnet-4-6"},"postToolUse":{"toolName":"write_to_file","parameters":{"path":"a.js","content":"x"},"success":true}}`,
			hook.Event{Agent: "cline", Version: "3.40", Session: "17", Kind: hook.AfterEdit, Tool: "write_to_file", Model: "claude-sonnet-4-6", Directory: "/w", Paths: []string{"a.js"}},
		},
		{
			"continue", "continue",
			`{"session_id":"s","cwd":"/w","hook_event_name":"PostToolUse","model":"m","tool_name":"Edit","tool_input":{"file_path":"./x/../a"}}`,
			hook.Event{Agent: "continue", Session: "s", Kind: hook.AfterEdit, Tool: "Edit", Model: "m", Directory: "/w", Paths: []string{"a"}},
		},
		{
			"a tool of its own", hook.Generic,
			`{"type":"ai_agent","repo_working_dir":"/w","edited_filepaths":["a"],"agent_name":"Claude","model":"m","conversation_id":"c","dirty_files":{"a":"text"}}`,
			hook.Event{Agent: "claude-code", Session: "c", Kind: hook.AfterEdit, Model: "m", Directory: "/w", Paths: []string{"a"}, Unsaved: map[string]string{"a": "text"}},
		},
		{
			"a person types in an editor", hook.Generic,
			`{"type":"known_human","editor":"vscode","editor_version":"1.99","cwd":"/w","edited_filepaths":["a"],"agent_name":"Claude"}`,
			hook.Event{Version: "1.99", Kind: hook.HumanEdit, Directory: "/w", Paths: []string{"a"}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := hook.Parse(c.agent, []byte(c.payload))
			if d := cmp.Diff(c.want, got); d != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, d)
			}
		})
	}
}

func TestPayloadsOfOthersGoToTheirOwnAgent(t *testing.T) {
	for want, payload := range map[string]string{
		"cursor":         `{"hook_event_name":"preToolUse","cursor_version":"2","conversation_id":"c","tool_name":"StrReplace"}`,
		"github-copilot": `{"hook_event_name":"PreToolUse","transcript_path":"C:\\Users\\x\\GitHub.copilot-chat\\transcripts\\t.jsonl","tool_name":"create_file"}`,
		"continue":       `{"hook_event_name":"PreToolUse","transcript_path":"/h/.continue/sessions/s.json","tool_name":"Edit"}`,
		"claude-code":    `{"hook_event_name":"PreToolUse","transcript_path":"/h/.claude/projects/x.jsonl","tool_name":"Write"}`,
	} {
		e, err := hook.Parse("claude-code", []byte(payload))
		if e.Agent != want || e.Kind != hook.BeforeEdit || err != nil {
			t.Errorf("%s is taken for %+v, %v", want, e, err)
		}
	}
}

func TestToolsThatOnlyReadEarnNothing(t *testing.T) {
	for _, agent := range hook.Agents() {
		if agent == hook.Generic || agent == "windsurf" {
			continue
		}
		before := map[string]string{"gemini-cli": "BeforeTool", "amp": "tool.call", "opencode": "tool.execute.before"}[agent]
		if before == "" {
			before = "PreToolUse"
		}
		for tool, want := range map[string]hook.Kind{
			"Read": hook.Nothing, "read_file": hook.Nothing, "Grep": hook.Nothing, "WebFetch": hook.Nothing, "TodoWrite": hook.Nothing,
			"mcp__files__write_file": hook.BeforeTool, "": hook.BeforeTool,
		} {
			payload := fmt.Sprintf(`{"hook_event_name":%q,"session_id":"s","tool_name":%q,"tool_input":{"file_path":"a"}}`, before, tool)
			if e, err := hook.Parse(agent, []byte(payload)); e.Kind != want || err != nil {
				t.Errorf("%s: the tool %q is %q, want %q; %v", agent, tool, e.Kind, want, err)
			}
		}
	}
}

func TestBadPayloadsAreErrors(t *testing.T) {
	for _, c := range []struct{ agent, payload, want string }{
		{"nobody", `{}`, "no agent"},
		{"claude-code", ``, "hook of claude-code"},
		{"claude-code", `{"session_id":"s","tool_na`, "hook of claude-code"},
		{"cursor", `[1]`, ""},
		{"codex", `{"session_id":{"a":1},"tool_input":7,"cwd":["x"],"model":[]}`, ""},
		{"claude-code", `{"hook_event_name":"PreToolUse","tool_name":"Write","tool_input":{"file_path":"a\u0000b"}}`, ""},
		{"claude-code", `{"hook_event_name":"PreToolUse","tool_name":"Write","tool_input":{"file_path":"` + strings.Repeat("x", 5000) + `"}}`, ""},
	} {
		e, err := hook.Parse(c.agent, []byte(c.payload))
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %.60s: error %v, want %q", c.agent, c.payload, err, c.want)
		}
		if len(e.Paths) > 0 {
			t.Errorf("%s %.60s: names %q", c.agent, c.payload, e.Paths)
		}
	}
	if _, err := hook.Parse("nobody", nil); !errors.Is(err, hook.ErrUnknownAgent) {
		t.Errorf("an unknown agent is %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("claude-code", []byte(`{"session_id":"s","hook_event_name":"PreToolUse","tool_name":"Write","tool_input":{"file_path":"../a"}}`))
	f.Add("codex", []byte(`{"tool_input":"*** Add File: x\n*** Move to: C:\\y\n"}`))
	f.Add("generic", []byte(`{"type":"human","will_edit_filepaths":["a",7,null],"dirty_files":{"b":1}}`))
	f.Add("windsurf", []byte("{\"tool_info\":{\"file_path\":\"a\x01b\"}}"))
	f.Fuzz(func(t *testing.T, agent string, data []byte) {
		e, _ := hook.Parse(agent, data)
		if !slices.IsSorted(e.Paths) {
			t.Errorf("paths %q", e.Paths)
		}
		for _, p := range e.Paths {
			if p == "" || strings.ContainsRune(p, 0) {
				t.Errorf("a path %q", p)
			}
		}
		if e.Kind == hook.Nothing && (e.Tool != "" || len(e.Paths) > 0) {
			t.Errorf("nothing, and yet %+v", e)
		}
	})
}
