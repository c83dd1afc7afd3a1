package agent

import (
	"bytes"
	_ "embed" // the plugins
	"encoding/json"
	"strings"
)

// mark is in every file that is ours alone and may have a comment.
const mark = "stemma init wrote this file, stemma deinit takes it away"

// Wrote reports whether a whole file of an agent was written by stemma init, of
// whatever version.
func (a Agent) Wrote(content []byte) bool {
	return bytes.Contains(content, []byte(mark)) || bytes.Contains(content, []byte("stemma hook "+a.Name))
}

// The plugins of agents that know no commands as hooks.
var (
	//go:embed opencode.ts
	openCode string
	//go:embed amp.ts
	amp string
)

// copilot is read by VS Code, the command line and the cloud agent, each of
// which looks for the command under another name. The names of the events are
// those for which the command line sends what VS Code sends.
func copilot(agent string) map[string]string {
	hooks := map[string][]handler{}
	for _, event := range claudeEvents {
		hooks[event] = []handler{{Type: "command", Command: command(agent), Bash: command(agent), PowerShell: powershell(agent)}}
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(struct {
		Version int                  `json:"version"`
		Hooks   map[string][]handler `json:"hooks"`
	}{1, hooks})
	if err != nil {
		panic(err) // texts and numbers
	}
	return map[string]string{"stemma.json": b.String()}
}

// cline is asked for an answer by each of its hooks, also where there is no
// stemma.
func cline(agent string) map[string]string {
	files := map[string]string{}
	for _, event := range []string{"TaskStart", "TaskResume", "TaskCancel", "TaskComplete", "PreToolUse", "PostToolUse", "UserPromptSubmit", "PreCompact"} {
		files[event] = "#!/bin/sh\n# " + mark + ".\nif command -v stemma >/dev/null 2>&1; then exec stemma hook " + agent + "; fi\ncat >/dev/null\necho '{\"cancel\":false}'\n"
	}
	return files
}
