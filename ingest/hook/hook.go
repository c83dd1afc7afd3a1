// Package hook reads what a coding agent tells a hook: one JSON payload on the
// hook's input. Whatever the agent, it becomes an [Event]: which session, what
// is about to happen or has happened, to which files.
//
// Payloads of one agent may arrive under the name of another: Cursor, Copilot
// and Continue also run the hooks of Claude Code. They are told by what is in them
// and become events of the agent that sent them.
//
// Nothing here says that an agent wrote a line. Which bytes changed between
// two events is found out elsewhere; an event of a tool that only reads is
// [Nothing], and one of a tool that is not known is [BeforeTool] or [AfterTool],
// so that what changed meanwhile is nobody's. The package does no I/O and
// keeps nothing of what was said or written, but for what a file was before an edit,
// and the text of a command, for as long as it takes to see which files it names.
package hook

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// A Kind says what an event is about.
type Kind string

// The kinds of events.
const (
	Nothing       Kind = ""               // nothing that matters to the origin of lines
	SessionStart  Kind = "session-start"  // a session began or was resumed
	SessionEnd    Kind = "session-end"    // it ended
	Prompt        Kind = "prompt"         // somebody asked for something
	Stop          Kind = "stop"           // the agent has finished what was asked for
	SubagentStart Kind = "subagent-start" // a session of its own begins
	SubagentStop  Kind = "subagent-stop"  // it ends
	Compact       Kind = "compact"        // the session forgets some of what was said
	BeforeEdit    Kind = "before-edit"    // files are about to be written
	AfterEdit     Kind = "after-edit"     // they were
	BeforeShell   Kind = "before-shell"   // a command is about to run, which may write any file
	AfterShell    Kind = "after-shell"    // it ran
	BeforeTool    Kind = "before-tool"    // a tool that is not known, which may write any file
	AfterTool     Kind = "after-tool"     // it ran
	HumanEdit     Kind = "human-edit"     // an editor says that a person typed this
	Present       Kind = "present"        // no agent's word: the work tree is what is checked out, but for the files that were looked at
)

// An Event is what one call of a hook means.
type Event struct {
	Agent    string `json:"agent,omitempty"`    // by its name here; "" for an editor
	Version  string `json:"version,omitempty"`  // of the agent, as it says
	Session  string `json:"session,omitempty"`  // the agent's own id
	Subagent string `json:"subagent,omitempty"` // the agent's own id of the part of the session that did it, if it says
	Kind     Kind   `json:"kind"`
	Tool     string `json:"tool,omitempty"`     // as the agent names it
	Call     string `json:"call,omitempty"`     // the agent's own id of the call of the tool
	Turn     string `json:"turn,omitempty"`     // the agent's own id of the turn, if it says
	Model    string `json:"model,omitempty"`    // as the agent names it; "" if it does not say
	Replayed bool   `json:"replayed,omitempty"` // no hook was told: a transcript tells it afterwards

	Directory  string            `json:"directory,omitempty"`  // where the agent works
	Paths      []string          `json:"paths,omitempty"`      // the files, as the agent names them: from the directory, or absolute
	Unsaved    map[string]string `json:"-"`                    // content of those that an editor has changed and not written yet
	Before     map[string]string `json:"-"`                    // content of files right before the edit that has ended
	Modified   bool              `json:"modified,omitempty"`   // a person changed that edit before it was applied
	Command    string            `json:"-"`                    // the text of the command that runs, to find the files that it names
	Background bool              `json:"background,omitempty"` // the command goes on when it is said to have ended
	Quiet      bool              `json:"quiet,omitempty"`      // by its text, the command is not for writing files; said by who read that
	Transcript string            `json:"transcript,omitempty"` // the file in which the agent writes down the session
}

// MaxPayload is how long a payload may be; a longer one is not read.
const MaxPayload = 256 << 20

// Limits of one payload.
const (
	maxPaths = 10_000
	maxName  = 400
	maxPath  = 4096
)

// ErrUnknownAgent means: no adapter has that name.
var ErrUnknownAgent = errors.New("no agent of that name is known")

// Agents are the names that [Parse] takes.
func Agents() []string {
	var names []string
	for name := range adapters {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Parse reads the payload that was given to the hook of an agent. The error
// says what is wrong with it; the event then has what was read before.
func Parse(agent string, data []byte) (Event, error) {
	if adapters[agent] == nil {
		return Event{}, fmt.Errorf("hook of %q: %w", jsonwalk.Clean(agent, 60), ErrUnknownAgent)
	}
	if len(data) > MaxPayload {
		return Event{Agent: agent}, fmt.Errorf("hook of %s: a payload of %d bytes, more than %d", agent, len(data), MaxPayload)
	}
	p := read(data)
	agent = p.sender(agent)
	e := adapters[agent].event(p)
	switch {
	case e.Kind == HumanEdit: // no agent's
	case agent == Generic:
		e.Agent = identity.AgentName(p.agent)
	default:
		e.Agent = agent
	}
	if p.err != nil {
		return e, fmt.Errorf("hook of %s: %w", agent, p.err)
	}
	return e, nil
}

// sender is the agent that a payload comes from.
func (p *payload) sender(named string) string {
	if named == Generic {
		return named
	}
	at := strings.ToLower(strings.ReplaceAll(p.transcript, `\`, "/"))
	switch {
	case p.cursorVersion != "" || strings.Contains(at, "/.cursor/"):
		return "cursor"
	case strings.Contains(at, "github.copilot"):
		return "github-copilot"
	case strings.Contains(at, "/.copilot/"):
		return "github-copilot"
	case strings.Contains(at, "/.continue/"):
		return "continue"
	}
	return named
}

// clean makes a path as an agent names it safe to use: slashes, no ".", no NUL.
func clean(p string) (string, bool) {
	p = strings.TrimPrefix(p, "file://")
	if len(p) > 2 && p[1] == ':' {
		p = strings.ReplaceAll(p, `\`, "/")
	}
	if p == "" || len(p) > maxPath || strings.ContainsRune(p, 0) {
		return "", false
	}
	return path.Clean(p), true
}

func firstOf(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}
