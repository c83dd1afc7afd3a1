package run

import (
	"strings"
	"time"

	commands "github.com/stemma-dev/stemma/ingest/command"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// ReadMessage reads a message in the form of Anthropic's protocol, in which
// most harnesses keep what was said, and returns the role that speaks.
func ReadMessage(raw []byte) (m Message, role string) {
	var text strings.Builder
	var call string
	var failed bool
	r := jsonwalk.New(raw)
	for name := range r.Object() {
		switch name {
		case "id":
			m.ID = r.Text(200)
		case "role":
			role = r.Text(40)
		case "model":
			m.Model = r.Text(200)
		case "usage":
			m.Tokens = ReadTokens(r)
		case "content":
			readContent(r, &m, &text)
		case "toolCallId": // of Pi, whose results are messages
			call = r.Text(200)
		case "isError":
			failed = r.Bool()
		}
	}
	if call != "" {
		m.Results = append(m.Results, Result{Call: call, Error: failed, Raw: []byte(text.String())})
	}
	m.Text = text.String()
	return m, role
}

// readContent reads text, or a list of blocks.
func readContent(r *jsonwalk.Reader, m *Message, text *strings.Builder) {
	if r.Kind() == '"' {
		text.WriteString(r.String())
		return
	}
	for range r.Array() {
		readBlock(r, m, text)
	}
}

func readBlock(r *jsonwalk.Reader, m *Message, text *strings.Builder) {
	var kind, said, id, tool, of string
	var failed bool
	var input, content []byte
	for name := range r.Object() {
		switch name {
		case "type":
			kind = r.String()
		case "text":
			said = r.String()
		case "id":
			id = r.Text(200)
		case "name":
			tool = r.Text(200)
		case "input", "arguments":
			input = r.Raw()
		case "tool_use_id", "toolUseID":
			of = r.Text(200)
		case "is_error":
			failed = r.Bool()
		case "content", "run":
			content = r.Raw()
		}
	}
	switch kind {
	case "text", "input_text", "output_text":
		if text.Len() > 0 {
			text.WriteByte('\n')
		}
		text.WriteString(said)
	case "tool_use", "toolCall":
		if tool != "" {
			m.Calls = append(m.Calls, NewCall(id, tool, input))
		}
	case "tool_result":
		m.Results = append(m.Results, Result{Call: of, Error: failed || statusOf(content) == "error", Raw: content})
	}
}

// statusOf returns how a call ended, where its result says so.
func statusOf(raw []byte) (status string) {
	r := jsonwalk.New(raw)
	if len(raw) == 0 || r.Kind() != '{' {
		return ""
	}
	for name := range r.Object() {
		if name == "status" {
			status = r.Text(40)
		}
	}
	return status
}

// editTools are the tools, of any agent, whose call changes the files that it
// names.
var editTools = map[string]bool{
	"Edit": true, "Write": true, "MultiEdit": true, "NotebookEdit": true, "mcp__acp__Edit": true, "mcp__acp__Write": true,
	"apply_patch": true, "ApplyPatch": true, "Create": true, "StrReplace": true, "Delete": true, "search_replace": true, "delete_file": true,
	"edit_file": true, "create_file": true, "undo_edit": true, "replace": true, "write_file": true, "save_file": true,
	"create": true, "str_replace": true, "str_replace_editor": true, "edit": true, "write": true, "patch": true, "multiedit": true, "rename": true,
	"insert_edit_into_file": true, "replace_string_in_file": true, "multi_replace_string_in_file": true, "edit_notebook_file": true,
	"copilot_replaceString": true, "copilot_multiReplaceString": true, "copilot_insertEdit": true, "copilot_createFile": true, "copilot_applyPatch": true,
	"code_action": true,
}

// Edits reports whether the call of a tool changes the files that it names.
func Edits(tool string) bool { return editTools[tool] }

// NewCall reads what a tool is called with: JSON, JSON in a string, or bare text.
func NewCall(id, tool string, input []byte) Call {
	c := Call{ID: id, Tool: tool, Edits: editTools[tool]}
	r := jsonwalk.New(input)
	if len(input) > 0 && r.Kind() == '"' {
		input = []byte(r.String())
		r = jsonwalk.New(input)
	}
	var command string
	if len(input) == 0 || r.Kind() != '{' {
		command = string(input)
	} else {
		c.Ticket, _ = TicketOf(tool, input)
		command = readInput(r, &c)
		c.Input = input
	}
	c.Command = command
	if patch := strings.Index(command, "*** Begin Patch"); patch >= 0 {
		c.Paths, c.Edits = append(c.Paths, PatchPaths(command[patch:])...), true
	}
	c.Opens = Opens(tool, command)
	c.Tests = testTools[tool] || !c.Edits && commands.Parse(strings.TrimSpace(command)).Tests
	return c
}

// testTools are the tools, of any agent, that run tests.
var testTools = map[string]bool{"run_tests": true, "runTests": true, "run_test": true, "runTest": true, "test_run": true, "execute_tests": true}

// readInput takes the files that a call works on, and returns the command that
// it runs or the patch that it applies.
func readInput(r *jsonwalk.Reader, c *Call) (command string) {
	var file, path string
	for name := range r.Object() {
		switch name {
		case "file_path", "notebook_path", "filePath", "filepath", "target_file", "absolute_path", "targetFile", "TargetFile":
			file = r.String()
		case "path":
			path = r.String()
		case "command", "cmd", "input", "patch", "patchText":
			if r.Kind() == '"' {
				command += r.String() + "\n"
				continue
			}
			for range r.Array() {
				command += r.String() + " "
			}
		}
	}
	if file == "" {
		file = path
	}
	if file != "" {
		c.Paths = []string{file}
	}
	return command
}

// ReadTokens reads counts by any of the names that they have.
func ReadTokens(r *jsonwalk.Reader) Tokens {
	var t Tokens
	for name := range r.Object() {
		switch name {
		case "input_tokens", "inputTokens", "input":
			t.In = Count(r)
		case "output_tokens", "outputTokens", "output":
			t.Out = Count(r)
		case "cache_read_input_tokens", "cacheReadInputTokens", "cacheReadTokens", "cacheRead":
			t.CacheRead = Count(r)
		case "cache_creation_input_tokens", "cacheCreationInputTokens", "cacheCreationTokens", "cacheWriteTokens", "cacheWrite":
			t.CacheWrite = Count(r)
		}
	}
	return t
}

// Count reads a number that cannot be negative or absurd.
func Count(r *jsonwalk.Reader) int64 { return min(max(r.Int(), 0), 1<<40) }

// machineText begins what stands in a person's place but was not typed by one.
var machineText = []string{
	"<local-command-", "<system-reminder>", "<task-notification>", "<teammate-message", "<bash-stdout>", "<bash-stderr>",
	"<user-memory-input>", "<ide_", "<environment_context>", "<turn_aborted>", "<user_shell_command>", "<permissions instructions>", "Caveat: The messages below", "[Request interrupted by user",
	"This session is being continued from a previous conversation",
}

// Typed reports whether a text on the user's side was typed by a person, and not
// put there by the harness.
func Typed(text string) bool {
	text = strings.TrimSpace(text)
	for _, m := range machineText {
		if strings.HasPrefix(text, m) {
			return false
		}
	}
	return text != ""
}

// BadRow says why a row that is read to its end is of no use.
func BadRow(r *jsonwalk.Reader, kind string) string {
	switch {
	case r.Err() != nil:
		return "damaged JSON"
	case kind == "":
		return "a row without a type"
	}
	return "a row that cannot be used"
}

// Milliseconds reads a time since 1970.
func Milliseconds(r *jsonwalk.Reader) time.Time {
	n := r.Int()
	if n <= 0 || n > 1<<47 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

// WithoutScheme returns the path of a file's address.
func WithoutScheme(uri string) string { return strings.TrimPrefix(uri, "file://") }
