// Package codex reads the rollouts of Codex: rows of JSON, appended while a
// session runs. It opens no file and reads no clock.
package codex

import (
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/agent/run"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/session"
)

// Tool is the agent in refs of its sessions.
const Tool = "codex"

// Reader reads a rollout. Its first row says whose it is: a file of a
// fork, or of a sub-agent, repeats rows of its parent, with the parent's own
// first row among them, which is not used. The counts of tokens are totals; what was
// added since the row before belongs to the answer before.
type Reader struct {
	*run.Stream
	id, model string
	answer    int  // number of the answer that is being told
	open      bool // more items may belong to it
	total     run.Tokens
}

// New returns a reader that has read nothing.
func New(o run.Options) *Reader { return &Reader{Stream: run.NewStream(Tool, o)} }

// Read reads rows to the end of the stream.
func (c *Reader) Read(r io.Reader) error { return c.Lines(r, c.row) }

func (c *Reader) row(line []byte) {
	var kind string
	var at time.Time
	var payload []byte
	r := jsonwalk.New(line)
	for name := range r.Object() {
		switch name {
		case "type":
			kind = r.Text(60)
		case "timestamp":
			at = r.Time()
		case "payload":
			payload = r.Raw()
		case "id", "record_type":
			if kind == "" && payload == nil {
				kind = "session_meta" // the first row of old files is bare
			}
		}
	}
	if r.End() != nil || kind == "" {
		c.Problem(run.BadRow(r, kind))
		return
	}
	c.Row(kind)
	if payload == nil { // as are the others
		payload = line
		if kind != "session_meta" {
			kind = "response_item"
		}
	}
	switch kind {
	case "session_meta":
		c.meta(payload, at)
	case "turn_context":
		c.context(payload, at)
	case "response_item":
		c.item(payload, at)
	case "event_msg":
		c.event(payload)
	}
}

func (c *Reader) meta(raw []byte, at time.Time) {
	if c.id != "" {
		return
	}
	p := run.Place{At: at}
	var parent, rules, prompt string
	var depth int64
	r := jsonwalk.New(raw)
	for name := range r.Object() {
		switch name {
		case "id":
			c.id = r.Text(200)
		case "cwd":
			p.Directory = r.String()
		case "cli_version":
			p.Version = r.Text(60)
		case "git":
			for name := range r.Object() {
				if name == "branch" {
					p.Branch = r.Text(500)
				}
			}
		case "instructions":
			rules = r.String()
		case "base_instructions":
			for name := range r.Object() {
				if name == "text" {
					prompt = r.String()
				}
			}
		case "forked_from_id", "parent_thread_id":
			if parent == "" {
				parent = r.Text(200)
			}
		case "thread_source":
			if r.String() == "subagent" {
				depth = max(depth, 1)
			}
		case "source":
			if id, d := spawn(r); id != "" {
				parent, depth = id, max(d, 1)
			}
		}
	}
	s := c.Run(c.id, "")
	if s == nil {
		return
	}
	s.Seen(p)
	if depth > 0 && parent != "" && parent != c.id {
		s.Session.Parent, s.Session.Depth = session.Ref(Tool, parent), int(min(depth, 100))
	}
	configure(s, session.ConfigPrompt, "", prompt)
	configure(s, session.ConfigRules, "AGENTS.md", rules)
}

// spawn reads {"subagent": {"thread_spawn": {…}}}.
func spawn(r *jsonwalk.Reader) (parent string, depth int64) {
	for name := range r.Object() {
		if name != "subagent" {
			continue
		}
		for name := range r.Object() {
			if name != "thread_spawn" {
				continue
			}
			for name := range r.Object() {
				switch name {
				case "parent_thread_id":
					parent = r.Text(200)
				case "depth":
					depth = r.Int()
				}
			}
		}
	}
	return parent, depth
}

// configure notes the digest of a text that a session works under.
func configure(s *run.Run, kind, name, text string) {
	if text != "" {
		s.Configure(session.Config{Kind: kind, Name: name, Digest: stemma.Sum([]byte(text)).String()})
	}
}

func (c *Reader) context(raw []byte, at time.Time) {
	p := run.Place{At: at}
	r := jsonwalk.New(raw)
	for name := range r.Object() {
		switch name {
		case "model":
			c.model = r.Text(200)
		case "cwd":
			p.Directory = r.String()
		}
	}
	if s := c.Run(c.id, ""); s != nil {
		s.Seen(p)
	}
}

// item reads a part of the conversation: a message, a call or its result.
func (c *Reader) item(raw []byte, at time.Time) {
	var kind, tool, call, status string
	var input, output []byte
	r := jsonwalk.New(raw)
	for name := range r.Object() {
		switch name {
		case "type":
			kind = r.String()
		case "name":
			tool = r.Text(200)
		case "call_id":
			call = r.Text(200)
		case "arguments", "input", "action":
			input = r.Raw()
		case "output":
			output = r.Raw()
		case "status":
			status = r.Text(40)
		}
	}
	s := c.Run(c.id, "")
	if s == nil {
		return
	}
	s.Seen(run.Place{At: at})
	switch kind {
	case "message":
		c.message(s, raw, at)
	case "local_shell_call":
		tool = "local_shell"
		fallthrough
	case "function_call", "custom_tool_call":
		one := run.NewCall(call, tool, input)
		c.say(s, run.Message{Calls: []run.Call{one}}, at)
		if status == "failed" {
			s.Results([]run.Result{{Call: call, Error: true}}, at)
		}
	case "function_call_output", "custom_tool_call_output":
		c.open = false
		s.Results([]run.Result{{Call: call, Error: failed(output), Raw: output}}, at)
	}
}

func (c *Reader) message(s *run.Run, raw []byte, at time.Time) {
	m, role := run.ReadMessage(raw)
	m.ID = ""
	switch role {
	case "assistant":
		c.say(s, m, at)
	case "user":
		c.open = false
		text := strings.TrimSpace(m.Text)
		switch {
		case strings.HasPrefix(text, "<user_instructions>"), strings.HasPrefix(text, "# AGENTS.md instructions"):
			configure(s, session.ConfigRules, "AGENTS.md", text)
		case run.Typed(text):
			s.Prompt(m, at, s.Session.Parent == "")
		}
	}
}

// say takes an item of an answer. Items that follow each other are one.
func (c *Reader) say(s *run.Run, m run.Message, at time.Time) {
	if !c.open {
		c.answer++
		c.open = true
	}
	m.ID, m.Model = "answer-"+strconv.Itoa(c.answer), c.model
	s.Answer(m, at)
}

// failed reports whether a tool gave back that it failed: a command by its
// exit code.
func failed(raw []byte) bool {
	r := jsonwalk.New(raw)
	if len(raw) == 0 {
		return false
	}
	if r.Kind() == '"' {
		said := r.String()
		if rest, ok := strings.CutPrefix(said, "Exit code: "); ok {
			return !strings.HasPrefix(rest, "0")
		}
		r = jsonwalk.New([]byte(said))
	}
	if r.Kind() != '{' {
		return false
	}
	failed := false
	for name := range r.Object() {
		switch name {
		case "success":
			failed = r.Kind() == 'f'
		case "metadata":
			for name := range r.Object() {
				if name == "exit_code" {
					failed = r.Int() != 0
				}
			}
		}
	}
	return failed && r.Err() == nil
}

// event reads what Codex tells of itself; of that, only how much was used.
func (c *Reader) event(raw []byte) {
	var kind string
	var total run.Tokens
	told := false
	r := jsonwalk.New(raw)
	for name := range r.Object() {
		switch name {
		case "type":
			kind = r.String()
		case "info":
			for name := range r.Object() {
				if name == "total_token_usage" {
					total, told = tokens(r), true
				}
			}
		}
	}
	if kind != "token_count" || !told {
		return
	}
	if s := c.Run(c.id, ""); s != nil {
		s.Used(total.Minus(c.total))
	}
	c.total, c.open = total, false
}

// tokens reads counts of which the cached ones are among those read.
func tokens(r *jsonwalk.Reader) run.Tokens {
	var t run.Tokens
	for name := range r.Object() {
		switch name {
		case "input_tokens":
			t.In = run.Count(r)
		case "cached_input_tokens":
			t.CacheRead = run.Count(r)
		case "output_tokens":
			t.Out = run.Count(r)
		}
	}
	t.In = max(t.In-t.CacheRead, 0)
	return t
}
