package agent

import (
	"io"
	"time"

	"github.com/stemma-dev/stemma/ingest/agent/run"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// ClaudeCode is the name of the agent in refs of its sessions.
const ClaudeCode = "claude-code"

// Claude reads a transcript of Claude Code. Several sessions may be in one
// stream: a resumed one repeats rows of the one before, and a sub-agent is a
// session of its own whose parent is known. It is for one goroutine.
type Claude struct {
	*run.Stream
	main   string            // session id of the last row that had one
	titles map[string]string // by the id of the row that a summary speaks of
}

// NewClaude returns a reader that has read nothing.
func NewClaude(o Options) *Claude {
	return &Claude{Stream: run.NewStream(ClaudeCode, o), titles: map[string]string{}}
}

// Read reads rows to the end of the stream.
func (c *Claude) Read(r io.Reader) error { return c.Lines(r, c.row) }

// A row is the members of a row that are used. Raw members share the line.
type row struct {
	kind, session, agent, id        string
	version, cwd, branch            string
	at                              time.Time
	message, result, data           []byte
	side, meta, apiError, compacted bool
	title, leaf                     string
	number                          int64
	url, repository                 string
	line                            int64
}

func (w row) place() run.Place {
	return run.Place{At: w.at, Version: w.version, Directory: w.cwd, Branch: w.branch}
}

func (c *Claude) row(line []byte) {
	r := jsonwalk.New(line)
	if r.Kind() != '{' {
		c.Problem("a row that is not a JSON object")
		return
	}
	w := row{line: c.Line()}
	for name := range r.Object() {
		w.member(name, r)
	}
	if r.End() != nil {
		c.Problem("damaged JSON")
		return
	}
	if w.kind == "" {
		c.Problem("a row without a type")
		return
	}
	c.Row(w.kind)
	c.use(w)
}

func (w *row) member(name string, r *jsonwalk.Reader) {
	switch name {
	case "type":
		w.kind = r.Text(60)
	case "sessionId":
		w.session = r.Text(200)
	case "agentId":
		w.agent = r.Text(100)
	case "uuid":
		w.id = r.Text(100)
	case "version":
		w.version = r.Text(60)
	case "cwd":
		w.cwd = r.String()
	case "gitBranch":
		w.branch = r.Text(500)
	case "timestamp":
		w.at = r.Time()
	case "message":
		w.message = r.Raw()
	case "toolUseResult":
		w.result = r.Raw()
	case "data":
		w.data = r.Raw()
	case "isSidechain":
		w.side = r.Bool()
	case "isMeta":
		w.meta = r.Bool()
	case "isApiErrorMessage":
		w.apiError = r.Bool()
	case "isCompactSummary", "isVisibleInTranscriptOnly":
		w.compacted = r.Bool() || w.compacted
	case "summary":
		w.title = r.Text(500)
	case "leafUuid":
		w.leaf = r.Text(100)
	case "prNumber":
		w.number = r.Int()
	case "prUrl":
		w.url = r.Text(1000)
	case "prRepository":
		w.repository = r.Text(200)
	}
}

// use gives a row to the session that it belongs to.
func (c *Claude) use(w row) {
	if w.kind == "summary" {
		// It stands before the rows of the conversation that it names.
		if w.leaf != "" && len(c.titles) < 1000 {
			c.titles[w.leaf] = w.title
		}
		return
	}
	if w.session != "" {
		c.main = w.session
	} else if w.session = c.main; w.session == "" {
		return // a snapshot of files before the first message
	}
	s := c.Run(w.session, w.agent)
	if s == nil {
		return
	}
	s.Seen(w.place())
	if title := c.titles[w.id]; title != "" && w.id != "" {
		s.Session.Title = title
	}
	switch w.kind {
	case "assistant":
		if !w.apiError {
			c.answer(s, w)
		}
	case "user":
		c.result(s, w, c.input(s, w))
	case "progress":
		c.progress(w)
	case "pr-link":
		if !s.Propose(w.url, w.repository, w.number, w.at) {
			c.Problem("a link to a merge request that does not name one")
		}
	}
}

// progress reads what a sub-agent says while it works: its messages pass
// through the transcript of its parent.
func (c *Claude) progress(w row) {
	var kind, agent string
	var inner []byte
	r := jsonwalk.New(w.data)
	for name := range r.Object() {
		switch name {
		case "type":
			kind = r.String()
		case "agentId":
			agent = r.Text(100)
		case "message":
			inner = r.Raw()
		}
	}
	if kind != "agent_progress" || agent == "" {
		return
	}
	s := c.Run(w.session, agent)
	if s == nil {
		return
	}
	sub := row{at: w.at, side: true, version: w.version, cwd: w.cwd, branch: w.branch, line: w.line}
	r = jsonwalk.New(inner)
	for name := range r.Object() {
		switch name {
		case "type", "message", "timestamp", "uuid", "isApiErrorMessage", "toolUseResult":
			sub.member(name, r)
		}
	}
	s.Seen(sub.place())
	switch {
	case sub.kind == "assistant" && !sub.apiError:
		c.answer(s, sub)
	case sub.kind == "user":
		c.input(s, sub)
	}
}

// answer takes a row of a message of the model: each row has another block of
// it, and counts that grow.
func (c *Claude) answer(s *run.Run, w row) {
	m, _ := run.ReadMessage(w.message)
	if m.Model != "<synthetic>" { // written by the harness, not by a model
		s.Answer(m, w.at)
	}
}

// input takes a row that stands on the user's side: results of tools, or what
// a person typed. What the harness or a parent wrote there is no prompt. It
// returns the call of the last result.
func (c *Claude) input(s *run.Run, w row) (call string) {
	m, _ := run.ReadMessage(w.message)
	if c.Options.Wrote != nil && len(m.Results) == 1 {
		if e, ok := parseEdition(w.result); ok {
			s.Told(m.Results[0].Call, e)
		}
	}
	s.Results(m.Results, w.at)
	if n := len(m.Results); n > 0 {
		return m.Results[n-1].Call
	}
	if !w.meta && !w.compacted && run.Typed(m.Text) {
		s.Prompt(m, w.at, !w.side)
	}
	return ""
}

// result reads what a tool gave back beside its answer: an edit with its patch,
// or a sub-agent that came to an end.
func (c *Claude) result(s *run.Run, w row, call string) {
	res, ok := parseResult(w.result)
	if !ok {
		return
	}
	if res.path != "" {
		s.Changed(call, run.Change{Exact: res.patch || res.kind == "create", Modified: res.modified})
	}
	if res.agent == "" || res.agent == w.agent {
		return
	}
	if sub := c.Run(w.session, res.agent); sub != nil {
		sub.SpawnedBy(s, call, res.tokens, res.tools)
	}
}

// A toolResult is what a tool told the harness beside its answer to the model.
type toolResult struct {
	path     string // of a file that was written
	kind     string // "create", "update", "text"
	patch    bool
	modified bool // a person changed the edit before it was applied

	agent         string // a sub-agent that ran
	tokens, tools int64
}

func parseResult(raw []byte) (toolResult, bool) {
	var t toolResult
	r := jsonwalk.New(raw)
	if len(raw) == 0 || r.Kind() != '{' {
		return t, false
	}
	for name := range r.Object() {
		switch name {
		case "filePath":
			t.path = r.String()
		case "type":
			t.kind = r.String()
		case "structuredPatch":
			for range r.Array() {
				t.patch = true
			}
		case "userModified":
			t.modified = r.Bool()
		case "agentId":
			t.agent = r.Text(100)
		case "totalTokens":
			t.tokens = run.Count(r)
		case "totalToolUseCount":
			t.tools = run.Count(r)
		}
	}
	return t, r.Err() == nil
}

// parseEdition takes what a tool says that it made of a file. Of what was there
// before, it may say nothing.
func parseEdition(raw []byte) (run.Edition, bool) {
	var e run.Edition
	var one run.Step
	var content run.Content
	r := jsonwalk.New(raw)
	if len(raw) == 0 || r.Kind() != '{' {
		return e, false
	}
	for name := range r.Object() {
		switch name {
		case "filePath":
			e.Path = r.String()
		case "type":
			if r.String() == "create" {
				e.Before.Told = true
			}
		case "originalFile", "originalFileContents":
			if r.Kind() == '"' {
				e.Before = run.Content{Text: r.String(), Told: true}
			}
		case "content":
			if r.Kind() == '"' {
				content = run.Content{Text: r.String(), Told: true}
			}
		case "edits":
			for range r.Array() {
				e.Steps = append(e.Steps, run.ReadStep(r))
			}
		case "userModified":
			e.Modified = r.Bool()
		default:
			one.Member(name, r)
		}
	}
	switch {
	case one != (run.Step{}):
		e.Steps = append(e.Steps, one)
	case len(e.Steps) == 0:
		e.After = content
	}
	return e, r.Err() == nil && e.Path != "" && (e.After.Told || len(e.Steps) > 0)
}
