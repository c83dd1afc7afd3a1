package agent

import (
	"io"
	"time"

	"github.com/stemma-dev/stemma/ingest/agent/run"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

const continueTool = "continue"

// Continue reads a session of Continue, which is one document without times.
// Tokens are those of the whole session.
type Continue struct{ *run.Stream }

// NewContinue returns a reader that has read nothing.
func NewContinue(o Options) *Continue { return &Continue{run.NewStream(continueTool, o)} }

// Read reads the whole document.
func (c *Continue) Read(r io.Reader) error { return c.Whole(r, c.session) }

func (c *Continue) session(data []byte) {
	var id, title, model string
	var p run.Place
	var history []byte
	var total run.Tokens
	r := jsonwalk.New(data)
	for name := range r.Object() {
		switch name {
		case "sessionId":
			id = r.Text(200)
		case "title":
			title = r.Text(500)
		case "workspaceDirectory":
			p.Directory = run.WithoutScheme(r.String())
		case "chatModelTitle":
			model = r.Text(200)
		case "history":
			history = r.Raw()
		case "usage":
			total = continueTokens(r)
		}
	}
	if r.End() != nil || history == nil {
		c.Problem(run.BadRow(r, id))
		return
	}
	if model == "" {
		model = c.Options.Model
	}
	s := c.Run(id, "")
	if s == nil {
		return
	}
	s.Session.Title = title
	s.Seen(p)
	r = jsonwalk.New(history)
	for range r.Array() {
		c.item(s, r, model)
	}
	s.Took(model, total)
}

func continueTokens(r *jsonwalk.Reader) run.Tokens {
	var t run.Tokens
	for name := range r.Object() {
		switch name {
		case "promptTokens":
			t.In = run.Count(r)
		case "completionTokens":
			t.Out = run.Count(r)
		case "promptTokensDetails":
			for name := range r.Object() {
				switch name {
				case "cachedTokens":
					t.CacheRead = run.Count(r)
				case "cacheWriteTokens":
					t.CacheWrite = run.Count(r)
				}
			}
		}
	}
	return t
}

func (c *Continue) item(s *run.Run, r *jsonwalk.Reader, model string) {
	var message []byte
	var results []run.Result
	for name := range r.Object() {
		switch name {
		case "message":
			message = r.Raw()
		case "toolCallStates":
			for range r.Array() {
				results = append(results, continueState(r))
			}
		}
	}
	m, role := run.ReadMessage(message)
	c.Row(role)
	m.ID, m.Model = "", model
	s.Seen(run.Place{})
	switch role {
	case "assistant":
		m.Calls = continueCalls(message)
		s.Answer(m, time.Time{})
		s.Results(results, time.Time{})
	case "user":
		if run.Typed(m.Text) {
			s.Prompt(m, time.Time{}, true)
		}
	}
}

func continueState(r *jsonwalk.Reader) run.Result {
	var res run.Result
	for name := range r.Object() {
		switch name {
		case "toolCallId":
			res.Call = r.Text(200)
		case "status":
			status := r.String()
			res.Error = status == "errored" || status == "canceled"
		case "output":
			res.Raw = r.Raw()
		}
	}
	return res
}

// continueCalls reads calls in the form of OpenAI's protocol.
func continueCalls(message []byte) []run.Call {
	var list []run.Call
	r := jsonwalk.New(message)
	for name := range r.Object() {
		if name != "toolCalls" {
			continue
		}
		for range r.Array() {
			var id, tool string
			var args []byte
			for name := range r.Object() {
				switch name {
				case "id":
					id = r.Text(200)
				case "function":
					for name := range r.Object() {
						switch name {
						case "name":
							tool = r.Text(200)
						case "arguments":
							args = r.Raw()
						}
					}
				}
			}
			list = append(list, run.NewCall(id, tool, args))
		}
	}
	return list
}
