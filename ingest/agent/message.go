package agent

import (
	"strings"

	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// A message is one message of the model's protocol, as far as it is used.
type message struct {
	id, model string
	text      string // all text blocks
	calls     []call
	results   []result
	tokens    tokens
}

type call struct {
	id, tool, path string
	ticket         Ticket
}

type result struct {
	call  string
	error bool
}

type tokens struct{ in, out, cacheRead, cacheWrite int64 }

// most keeps the greater of each count: a message is repeated in several rows
// while it grows.
func (t tokens) most(u tokens) tokens {
	return tokens{max(t.in, u.in), max(t.out, u.out), max(t.cacheRead, u.cacheRead), max(t.cacheWrite, u.cacheWrite)}
}

func parseMessage(raw []byte) message {
	var m message
	var text strings.Builder
	r := jsonwalk.New(raw)
	for name := range r.Object() {
		switch name {
		case "id":
			m.id = r.Text(200)
		case "model":
			m.model = r.Text(200)
		case "usage":
			m.tokens = readTokens(r)
		case "content":
			if r.Kind() == '"' {
				text.WriteString(r.String())
				continue
			}
			for range r.Array() {
				m.block(r, &text)
			}
		}
	}
	m.text = text.String()
	return m
}

func (m *message) block(r *jsonwalk.Reader, text *strings.Builder) {
	var kind, said, id, tool, of string
	var failed bool
	var input []byte
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
		case "input":
			input = r.Raw()
		case "tool_use_id":
			of = r.Text(200)
		case "is_error":
			failed = r.Bool()
		}
	}
	switch kind {
	case "text":
		if text.Len() > 0 {
			text.WriteByte('\n')
		}
		text.WriteString(said)
	case "tool_use":
		if tool == "" {
			return
		}
		c := call{id: id, tool: tool, path: inputPath(input)}
		c.ticket, _ = ticketOf(tool, input)
		m.calls = append(m.calls, c)
	case "tool_result":
		m.results = append(m.results, result{of, failed})
	}
}

// inputPath returns the file that a tool call works on.
func inputPath(input []byte) string {
	var path string
	r := jsonwalk.New(input)
	if r.Kind() != '{' {
		return ""
	}
	for name := range r.Object() {
		switch name {
		case "file_path", "notebook_path":
			path = r.String()
		case "path":
			if path == "" {
				path = r.String()
			}
		}
	}
	return path
}

func readTokens(r *jsonwalk.Reader) tokens {
	var t tokens
	for name := range r.Object() {
		switch name {
		case "input_tokens":
			t.in = count(r)
		case "output_tokens":
			t.out = count(r)
		case "cache_read_input_tokens":
			t.cacheRead = count(r)
		case "cache_creation_input_tokens":
			t.cacheWrite = count(r)
		}
	}
	return t
}

// count reads a number that cannot be negative or absurd.
func count(r *jsonwalk.Reader) int64 { return min(max(r.Int(), 0), 1<<40) }

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
			t.tokens = count(r)
		case "totalToolUseCount":
			t.tools = count(r)
		}
	}
	return t, r.Err() == nil
}
