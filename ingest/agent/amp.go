package agent

import (
	"io"
	"strconv"
	"time"

	"github.com/stemma-dev/stemma/ingest/agent/run"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

const ampTool = "amp"

// Amp reads a thread of Amp, which is one document.
type Amp struct{ *run.Stream }

// NewAmp returns a reader that has read nothing.
func NewAmp(o Options) *Amp { return &Amp{run.NewStream(ampTool, o)} }

// Read reads the whole document.
func (a *Amp) Read(r io.Reader) error { return a.Whole(r, a.thread) }

func (a *Amp) thread(data []byte) {
	var id, title string
	var p run.Place
	var list []byte
	r := jsonwalk.New(data)
	for name := range r.Object() {
		switch name {
		case "id":
			id = r.Text(200)
		case "title":
			title = r.Text(500)
		case "created":
			p.At = run.Milliseconds(r)
		case "messages":
			list = r.Raw()
		case "env":
			p.Directory = ampDirectory(r)
		}
	}
	if r.End() != nil || list == nil {
		a.Problem(run.BadRow(r, id))
		return
	}
	s := a.Run(id, "")
	if s == nil {
		return
	}
	s.Session.Title = title
	s.Seen(p)
	r = jsonwalk.New(list)
	for range r.Array() {
		a.message(s, r.Raw())
	}
}

// ampDirectory returns the first directory of a thread.
func ampDirectory(r *jsonwalk.Reader) (dir string) {
	for name := range r.Object() {
		if name != "initial" {
			continue
		}
		for name := range r.Object() {
			if name != "trees" {
				continue
			}
			for range r.Array() {
				for name := range r.Object() {
					if uri := ""; name == "uri" {
						if uri = r.String(); dir == "" {
							dir = run.WithoutScheme(uri)
						}
					}
				}
			}
		}
	}
	return dir
}

func (a *Amp) message(s *run.Run, raw []byte) {
	var at time.Time
	var number int64
	var usage run.Tokens
	var model string
	r := jsonwalk.New(raw)
	for name := range r.Object() {
		switch name {
		case "messageId":
			number = r.Int()
		case "meta":
			for name := range r.Object() {
				if name == "sentAt" {
					at = run.Milliseconds(r)
				}
			}
		case "usage":
			usage, model, at = ampUsage(r, at)
		}
	}
	m, role := run.ReadMessage(raw)
	a.Row(role)
	m.ID, m.Model, m.Tokens = "message-"+strconv.FormatInt(number, 10), model, usage
	s.Seen(run.Place{At: at})
	s.Results(m.Results, at)
	switch role {
	case "assistant":
		s.Answer(m, at)
	case "user":
		if len(m.Results) == 0 && run.Typed(m.Text) {
			s.Prompt(m, at, true)
		}
	}
}

func ampUsage(r *jsonwalk.Reader, at time.Time) (run.Tokens, string, time.Time) {
	var model string
	raw := r.Raw()
	u := jsonwalk.New(raw)
	for name := range u.Object() {
		switch name {
		case "model":
			model = u.Text(200)
		case "timestamp":
			if t := u.Time(); !t.IsZero() {
				at = t
			}
		}
	}
	return run.ReadTokens(jsonwalk.New(raw)), model, at
}
