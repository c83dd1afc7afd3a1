package agent

import (
	"io"
	"time"

	"github.com/stemma-dev/stemma/ingest/agent/run"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/session"
)

const (
	droidTool = "droid"
	piTool    = "pi"
)

// Droid reads a transcript of Factory's Droid. Its model and tokens are in a
// file of settings beside it: see [Droid.Settings].
type Droid struct{ messages }

// Pi reads a transcript of Pi.
type Pi struct{ messages }

// NewDroid returns a reader that has read nothing.
func NewDroid(o Options) *Droid { return &Droid{messages{Stream: run.NewStream(droidTool, o)}} }

// NewPi returns a reader that has read nothing.
func NewPi(o Options) *Pi { return &Pi{messages{Stream: run.NewStream(piTool, o)}} }

// Settings reads the file of settings of the session, before the transcript: the
// model, and the tokens of the whole session.
func (d *Droid) Settings(data []byte) {
	var t run.Tokens
	r := jsonwalk.New(data)
	for name := range r.Object() {
		switch name {
		case "model":
			d.model = r.Text(200)
		case "tokenUsage":
			t = run.ReadTokens(r)
		}
	}
	if r.End() != nil {
		d.ProblemAt(0, "settings that are damaged JSON")
		return
	}
	d.total = t
}

// messages are rows that hold one message each, after one about the session.
type messages struct {
	*run.Stream
	id, model string
	total     run.Tokens // of the whole session, if told
}

// Read reads rows to the end of the stream.
func (m *messages) Read(r io.Reader) error { return m.Lines(r, m.row) }

func (m *messages) row(line []byte) {
	var kind, id, title, parent string
	var p run.Place
	var message []byte
	r := jsonwalk.New(line)
	for name := range r.Object() {
		switch name {
		case "type":
			kind = r.Text(60)
		case "id":
			id = r.Text(200)
		case "timestamp":
			p.At = r.Time()
		case "cwd":
			p.Directory = r.String()
		case "title", "sessionTitle":
			if t := r.Text(500); title == "" {
				title = t
			}
		case "modelId":
			m.model = r.Text(200)
		case "parentSessionId":
			parent = r.Text(200)
		case "message":
			message = r.Raw()
		}
	}
	if r.End() != nil || kind == "" {
		m.Problem(run.BadRow(r, kind))
		return
	}
	m.Row(kind)
	begins := kind == "session_start" || kind == "session"
	if begins && m.id == "" {
		m.id = id
	}
	s := m.Run(m.id, "")
	if s == nil {
		return
	}
	s.Seen(p)
	switch {
	case begins:
		m.begin(s, title, parent)
	case kind == "message":
		m.use(s, id, message, p.At)
	}
}

func (m *messages) begin(s *run.Run, title, parent string) {
	if s.Session.Title == "" {
		s.Session.Title = title
	}
	if parent != "" && parent != m.id {
		s.Session.Parent, s.Session.Depth = session.Ref(m.Tool(), parent), 1
	}
	s.Took(m.model, m.total)
	m.total = run.Tokens{}
}

func (m *messages) use(s *run.Run, id string, raw []byte, at time.Time) {
	said, role := run.ReadMessage(raw)
	said.ID = id
	s.Results(said.Results, at)
	switch role {
	case "assistant":
		if said.Model == "" {
			said.Model = m.model
		}
		s.Answer(said, at)
	case "user":
		if len(said.Results) == 0 && run.Typed(said.Text) {
			s.Prompt(said, at, s.Session.Parent == "")
		}
	}
}
