package agent

import (
	"bytes"
	"io"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/ingest/agent/run"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

const geminiTool = "gemini-cli"

// Gemini reads a transcript of Gemini CLI: rows, of which one with a known id
// is a newer state of it, or the document of older versions.
type Gemini struct {
	*run.Stream
	document bool
	id       string
	seen     map[string]bool // ids of messages
}

// NewGemini returns a reader of rows, or of a document, that has read nothing.
func NewGemini(o Options, document bool) *Gemini {
	return &Gemini{Stream: run.NewStream(geminiTool, o), document: document, seen: map[string]bool{}}
}

// Read reads rows to the end of the stream, or the whole document.
func (g *Gemini) Read(r io.Reader) error {
	if g.document {
		clear(g.seen)
		g.id = ""
		return g.Whole(r, g.row)
	}
	return g.Lines(r, g.row)
}

// A geminiRow is a message, or what is said of the session as a whole.
type geminiRow struct {
	kind, id, model string
	at              time.Time
	content         []byte
	tokens          run.Tokens
	calls           []run.Call
	results         []run.Result
	displays        [][]byte // what was shown of each call
}

func (g *Gemini) row(line []byte) {
	var messages []byte
	r := jsonwalk.New(line)
	var w geminiRow
	head := false
	for name := range r.Object() {
		switch name {
		case "sessionId":
			if id := r.Text(200); g.id == "" {
				g.id = id
			}
			head = true
		case "$set", "$rewindTo":
			head = true
		case "messages":
			messages = r.Raw()
			head = true
		default:
			w.member(name, r)
		}
	}
	if r.End() != nil || w.kind == "" && !head {
		g.Problem(run.BadRow(r, w.kind))
		return
	}
	if w.kind == "" {
		w.kind = "session"
	}
	g.Row(w.kind)
	g.use(w)
	inner := jsonwalk.New(messages)
	if messages == nil {
		return
	}
	for range inner.Array() {
		var w geminiRow
		for name := range inner.Object() {
			w.member(name, inner)
		}
		g.Row(w.kind)
		g.use(w)
	}
}

func (w *geminiRow) member(name string, r *jsonwalk.Reader) {
	switch name {
	case "type":
		w.kind = r.Text(60)
	case "id":
		w.id = r.Text(200)
	case "model":
		w.model = r.Text(200)
	case "timestamp":
		w.at = r.Time()
	case "content":
		w.content = r.Raw()
	case "tokens":
		w.tokens = geminiTokens(r)
	case "toolCalls":
		for range r.Array() {
			w.call(r)
		}
	}
}

func (w *geminiRow) call(r *jsonwalk.Reader) {
	var id, tool, status string
	var args, result, display []byte
	for name := range r.Object() {
		switch name {
		case "id":
			id = r.Text(200)
		case "name":
			tool = r.Text(200)
		case "args":
			args = r.Raw()
		case "status":
			status = r.Text(40)
		case "result":
			result = r.Raw()
		case "resultDisplay":
			display = r.Raw()
		}
	}
	w.displays = append(w.displays, display)
	w.calls = append(w.calls, run.NewCall(id, tool, args))
	if status != "" && status != "success" && status != "error" && status != "cancelled" {
		return // it has not ended
	}
	w.results = append(w.results, run.Result{Call: id, Error: status == "error" || status == "cancelled", Raw: result})
}

// geminiTokens reads counts of which the cached ones are among those read, and
// what was thought is apart from what was said.
func geminiTokens(r *jsonwalk.Reader) run.Tokens {
	var t run.Tokens
	for name := range r.Object() {
		switch name {
		case "input":
			t.In += run.Count(r)
		case "tool":
			t.In += run.Count(r)
		case "cached":
			t.CacheRead = run.Count(r)
		case "output", "thoughts":
			t.Out += run.Count(r)
		}
	}
	t.In = max(t.In-t.CacheRead, 0)
	return t
}

func (g *Gemini) use(w geminiRow) {
	if w.kind != "user" && w.kind != "gemini" {
		return
	}
	s := g.Run(g.id, "")
	if s == nil {
		return
	}
	s.Seen(run.Place{At: w.at})
	m := run.Message{ID: w.id, Model: w.model, Tokens: w.tokens, Calls: w.calls}
	again := w.id != "" && g.seen[w.id]
	if !again {
		m.Text = geminiText(w.content)
		g.seen[w.id] = true
	}
	if w.kind == "user" {
		if !again && run.Typed(m.Text) {
			s.Prompt(m, w.at, true)
		}
		return
	}
	s.Answer(m, w.at)
	if g.Options.Wrote != nil {
		for i, c := range w.calls {
			if e, ok := geminiEdition(c, w.displays[i]); ok {
				s.Told(c.ID, e)
			}
		}
	}
	s.Results(w.results, w.at)
}

// geminiEdition takes what was shown of a file before and after a call.
func geminiEdition(c run.Call, display []byte) (run.Edition, bool) {
	r := jsonwalk.New(display)
	if len(display) == 0 || r.Kind() != '{' || !c.Edits || len(c.Paths) != 1 {
		return run.Edition{}, false
	}
	e := run.Edition{Path: c.Paths[0]}
	for name := range r.Object() {
		switch {
		case name == "originalContent" && r.Kind() == '"':
			e.Before = run.Content{Text: r.String(), Told: true}
		case name == "originalContent" && r.Kind() == 'n':
			e.Before.Told = true // there was no file
		case name == "newContent" && r.Kind() == '"':
			e.After = run.Content{Text: r.String(), Told: true}
		}
	}
	e.Modified = bytes.Contains(c.Input, []byte(`"modified_by_user":true`)) || bytes.Contains(c.Input, []byte(`"modified_by_user": true`))
	return e, r.Err() == nil && e.Before.Told && e.After.Told
}

// geminiText reads text, or the text of parts.
func geminiText(raw []byte) string {
	var parts []string
	r := jsonwalk.New(raw)
	if len(raw) == 0 {
		return ""
	}
	if r.Kind() == '"' {
		return r.String()
	}
	for range r.Array() {
		if r.Kind() == '"' {
			parts = append(parts, r.String())
			continue
		}
		for name := range r.Object() {
			if name == "text" {
				parts = append(parts, r.String())
			}
		}
	}
	return strings.Join(parts, "\n")
}
