// Package copilot reads what GitHub Copilot writes down about its sessions: the
// events of its command line, which its extension of VS Code writes too
// ([Events]), and the chats that VS Code itself keeps ([Chat]). It opens no file
// and reads no clock.
package copilot

import (
	"io"

	"github.com/stemma-dev/stemma/ingest/agent/run"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// The agents in refs of sessions: in an editor, and on the command line.
const (
	Tool    = "github-copilot"
	ToolCLI = "github-copilot-cli"
)

// Events reads the events of GitHub Copilot: those of its command line, and
// those that the extension of VS Code writes in the same form.
type Events struct {
	*run.Stream
	id, model string
}

// NewEvents returns a reader of events of the command line, or of the editor,
// that has read nothing.
func NewEvents(o run.Options, editor bool) *Events {
	if editor {
		return &Events{Stream: run.NewStream(Tool, o)}
	}
	return &Events{Stream: run.NewStream(ToolCLI, o)}
}

// Read reads rows to the end of the stream.
func (c *Events) Read(r io.Reader) error { return c.Lines(r, c.row) }

// A event is an event with the members of its data that are used.
type event struct {
	kind, session, message, content, call, tool string
	model                                       string
	place                                       run.Place
	calls                                       []run.Call
	arguments, result                           []byte
	tokens                                      run.Tokens
	failed                                      bool
}

func (c *Events) row(line []byte) {
	var e event
	r := jsonwalk.New(line)
	for name := range r.Object() {
		switch name {
		case "type":
			e.kind = r.Text(60)
		case "timestamp":
			e.place.At = r.Time()
		case "data":
			for name := range r.Object() {
				e.member(name, r)
			}
		}
	}
	if r.End() != nil || e.kind == "" {
		c.Problem(run.BadRow(r, e.kind))
		return
	}
	c.Row(e.kind)
	if c.id == "" {
		c.id = e.session
	}
	s := c.Run(c.id, "")
	if s == nil {
		return
	}
	s.Seen(e.place)
	if e.model != "" {
		c.model = e.model
	}
	c.use(s, e)
}

func (e *event) member(name string, r *jsonwalk.Reader) {
	switch name {
	case "sessionId":
		e.session = r.Text(200)
	case "copilotVersion":
		e.place.Version = r.Text(60)
	case "context":
		for name := range r.Object() {
			switch name {
			case "cwd", "gitRoot":
				if dir := r.String(); name == "gitRoot" || e.place.Directory == "" {
					e.place.Directory = dir
				}
			case "branch":
				e.place.Branch = r.Text(500)
			}
		}
	case "newModel", "model", "selectedModel":
		e.model = r.Text(200)
	case "messageId":
		e.message = r.Text(200)
	case "content":
		e.content = r.String()
	case "toolCallId":
		e.call = r.Text(200)
	case "toolName":
		e.tool = r.Text(200)
	case "arguments":
		e.arguments = r.Raw()
	case "success":
		e.failed = r.Kind() == 'f'
	case "result":
		e.result = r.Raw()
	case "inputTokens":
		e.tokens.In = run.Count(r)
	case "outputTokens":
		e.tokens.Out = run.Count(r)
	case "cacheReadTokens":
		e.tokens.CacheRead = run.Count(r)
	case "cacheWriteTokens":
		e.tokens.CacheWrite = run.Count(r)
	case "toolRequests":
		for range r.Array() {
			e.request(r)
		}
	}
}

func (e *event) request(r *jsonwalk.Reader) {
	var id, tool string
	var args []byte
	for name := range r.Object() {
		switch name {
		case "toolCallId":
			id = r.Text(200)
		case "name":
			tool = r.Text(200)
		case "arguments":
			args = r.Raw()
		}
	}
	e.calls = append(e.calls, run.NewCall(id, tool, args))
}

func (c *Events) use(s *run.Run, e event) {
	at := e.place.At
	switch e.kind {
	case "user.message":
		if run.Typed(e.content) {
			s.Prompt(run.Message{Text: e.content}, at, true)
		}
	case "assistant.message":
		s.Answer(run.Message{ID: e.message, Model: c.model, Text: e.content, Calls: e.calls}, at)
	case "assistant.usage":
		s.Used(e.tokens)
	case "tool.execution_complete":
		s.Results([]run.Result{{Call: e.call, Error: e.failed || resultType(e.result) == "failure", Raw: e.result}}, at)
	}
}

// resultType returns how a tool ended, as older versions tell it.
func resultType(raw []byte) (kind string) {
	r := jsonwalk.New(raw)
	if len(raw) == 0 || r.Kind() != '{' {
		return ""
	}
	for name := range r.Object() {
		if name == "result_type" || name == "resultType" {
			kind = r.Text(40)
		}
	}
	return kind
}
