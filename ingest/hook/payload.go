package hook

import (
	"bytes"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// A payload is what any agent may say. Agents differ in how they spell it
// more than in what it is.
type payload struct {
	event      string
	session    string
	subagent   string
	tool       string
	call       string
	turn       string
	model      string
	directory  string
	transcript string
	version    string
	agent      string // a generic payload names its own

	cursorVersion string
	kind          string   // "human", "ai_agent": of a generic payload
	paths         []string // from the arguments of the tool or beside them
	unsaved       map[string]string
	before        map[string]string // what a file was right before the edit that has ended
	modified      bool              // a person changed that edit before it was applied
	command       string            // of a shell
	background    bool
	err           error
}

// read takes from a payload what any adapter may want. Damage ends the reading;
// what was read before stands.
func read(data []byte) *payload {
	p := &payload{}
	r := jsonwalk.New(withoutControls(data))
	for name := range r.Object() {
		p.member(r, name)
	}
	p.err = r.End()
	p.paths = compact(p.paths)
	return p
}

// withoutControls turns control characters, which some agents write inside of
// strings, into blanks.
func withoutControls(data []byte) []byte {
	control := func(c rune) bool { return c < ' ' }
	if bytes.IndexFunc(data, control) < 0 {
		return data
	}
	clean := slices.Clone(data)
	for i, c := range clean {
		if c < ' ' {
			clean[i] = ' '
		}
	}
	return clean
}

// member reads one member of the payload.
func (p *payload) member(r *jsonwalk.Reader, name string) {
	switch name {
	case "hook_event_name", "hookEventName", "hookName", "agent_action_name", "event":
		set(r, &p.event)
	case "type":
		set(r, &p.kind)
	case "session_id", "sessionId", "conversation_id", "thread_id", "chat_session_id", "trajectory_id", "taskId":
		set(r, &p.session)
	case "agent_id":
		set(r, &p.subagent)
	case "agent_name":
		set(r, &p.agent)
	case "tool_name", "toolName":
		set(r, &p.tool)
	case "tool_use_id", "toolUseId", "completion_id":
		set(r, &p.call)
	case "generation_id", "execution_id", "turn_id":
		set(r, &p.turn)
	case "model", "model_name":
		p.readModel(r)
	case "cwd", "workspace_folder", "repo_working_dir":
		setPath(r, &p.directory)
	case "workspace_roots", "workspaceRoots":
		for i := range r.Array() {
			if i == 0 {
				setPath(r, &p.directory)
			}
		}
	case "transcript_path", "chat_session_path":
		setPath(r, &p.transcript)
	case "cursor_version":
		set(r, &p.cursorVersion)
		p.version = firstOf(p.version, p.cursorVersion)
	case "clineVersion", "editor_version":
		set(r, &p.version)
	case "tool_input", "tool_info":
		p.readInput(r)
	case "tool_response":
		p.readResponse(r)
	case "preToolUse", "postToolUse":
		for inner := range r.Object() {
			if inner == "parameters" {
				p.readInput(r)
			} else {
				p.member(r, inner)
			}
		}
	case "file_path", "edited_filepaths", "will_edit_filepaths":
		p.readPaths(r)
	case "command":
		p.readCommand(r)
	case "dirty_files":
		for file := range r.Object() {
			p.addUnsaved(r, file)
		}
	}
}

// set reads a name, unless one is there already.
func set(r *jsonwalk.Reader, to *string) {
	if s := r.Text(maxName); *to == "" {
		*to = s
	}
}

func setPath(r *jsonwalk.Reader, to *string) {
	if s, ok := clean(r.String()); ok && *to == "" {
		*to = s
	}
}

// readModel reads a name, or an object with one.
func (p *payload) readModel(r *jsonwalk.Reader) {
	if r.Kind() != '{' {
		set(r, &p.model)
		return
	}
	provider, slug := "", ""
	for name := range r.Object() {
		switch name {
		case "provider":
			set(r, &provider)
		case "slug", "id", "name":
			set(r, &slug)
		}
	}
	p.model = firstOf(p.model, slug)
}

// readInput reads the arguments of a tool: the files that it names. They may be
// a patch as text.
func (p *payload) readInput(r *jsonwalk.Reader) {
	if r.Kind() == '"' {
		p.addPatch(r.String())
		return
	}
	for name := range r.Object() {
		switch name {
		case "file_path", "filePath", "path", "absolutePath", "file", "filename", "notebook_path", "target_file", "new_path", "newPath":
			p.readPaths(r)
		case "patch", "input", "patchText", "diff":
			if r.Kind() == '"' {
				p.addPatch(r.String())
			}
		case "command", "cmd", "command_line", "commandLine":
			p.readCommand(r)
		case "run_in_background", "is_background", "isBackground":
			p.background = r.Bool() || p.background
		case "edits", "files", "paths", "replacements":
			p.readEdits(r)
		case "cwd":
			setPath(r, &p.directory)
		case "transcript_path":
			setPath(r, &p.transcript)
		}
	}
}

// readResponse reads what a tool tells beside its answer: Claude Code's say what the
// file was when they wrote it, which may be long after the edit was announced.
func (p *payload) readResponse(r *jsonwalk.Reader) {
	if r.Kind() != '{' {
		return
	}
	path, content, told := "", "", false
	for name := range r.Object() {
		switch name {
		case "filePath":
			path, _ = clean(r.String())
		case "originalFile", "originalFileContents":
			if told = r.Kind() == '"'; told {
				content = r.String()
			}
		case "userModified":
			p.modified = r.Bool()
		}
	}
	if told && path != "" {
		p.before = map[string]string{path: content}
	}
}

// readCommand reads a command, which may apply a patch: a text, or the words of a
// program's call, of which the last is a text if the program is a shell.
func (p *payload) readCommand(r *jsonwalk.Reader) {
	if r.Kind() == '"' {
		text := r.String()
		p.command = firstOf(p.command, text)
		p.addPatch(text)
		return
	}
	var words []string
	for range r.Array() {
		if word := r.String(); len(words) < maxPaths {
			p.addPatch(word)
			words = append(words, word)
		}
	}
	p.command = firstOf(p.command, spoken(words))
}

// spoken is the text of a command that is given as words; "" if it has none.
func spoken(words []string) string {
	n := len(words)
	if n == 0 {
		return ""
	}
	if n > 2 && strings.HasSuffix(words[0], "sh") && strings.HasPrefix(words[1], "-") && strings.HasSuffix(words[1], "c") {
		return words[2]
	}
	quoted := make([]string, n)
	for i, w := range words {
		quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
	}
	return strings.Join(quoted, " ")
}

// readEdits reads a list of files, or of objects that each name one.
func (p *payload) readEdits(r *jsonwalk.Reader) {
	for range r.Array() {
		if r.Kind() == '"' {
			p.addPath(r.String())
			continue
		}
		for name := range r.Object() {
			switch name {
			case "file_path", "filePath", "path", "file":
				p.addPath(r.String())
			}
		}
	}
}

// readPaths reads one path, or a list of them.
func (p *payload) readPaths(r *jsonwalk.Reader) {
	if r.Kind() != '[' {
		p.addPath(r.String())
		return
	}
	for range r.Array() {
		p.addPath(r.String())
	}
}

func (p *payload) addPath(name string) {
	if name, ok := clean(name); ok && len(p.paths) < maxPaths {
		p.paths = append(p.paths, name)
	}
}

// addUnsaved adds a file whose content is in an editor.
func (p *payload) addUnsaved(r *jsonwalk.Reader, name string) {
	name, ok := clean(name)
	if !ok || r.Kind() != '"' || len(p.unsaved) >= maxPaths {
		return
	}
	if p.unsaved == nil {
		p.unsaved = map[string]string{}
	}
	p.unsaved[name] = r.String()
	p.addPath(name)
}

// patchMarks stand before the paths in the patches of apply_patch.
var patchMarks = []string{"*** Update File: ", "*** Add File: ", "*** Delete File: ", "*** Move to: "}

// addPatch adds the files that a patch names; other text names none.
func (p *payload) addPatch(text string) {
	if !strings.Contains(text, "*** ") {
		return
	}
	for line := range strings.Lines(text) {
		for _, mark := range patchMarks {
			if name, ok := strings.CutPrefix(line, mark); ok {
				p.addPath(strings.TrimSpace(name))
			}
		}
	}
}

// compact sorts and leaves out what is there twice.
func compact(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}
