package agent

import (
	"io"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/ingest/agent/run"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

const cursorTool = "cursor"

// Cursor reads a transcript of Cursor, which says nothing of its session, of
// times, of models or of tokens, and of calls only what was asked for. The
// session has to be told by the options.
type Cursor struct{ *run.Stream }

// NewCursor returns a reader that has read nothing.
func NewCursor(o Options) *Cursor { return &Cursor{run.NewStream(cursorTool, o)} }

// Read reads rows to the end of the stream.
func (c *Cursor) Read(r io.Reader) error { return c.Lines(r, c.row) }

func (c *Cursor) row(line []byte) {
	var role string
	var message []byte
	r := jsonwalk.New(line)
	for name := range r.Object() {
		switch name {
		case "role":
			role = r.Text(40)
		case "message":
			message = r.Raw()
		}
	}
	if r.End() != nil || role == "" {
		c.Problem(run.BadRow(r, role))
		return
	}
	c.Row(role)
	s := c.Run("", "")
	if s == nil {
		return
	}
	s.Seen(run.Place{})
	m, _ := run.ReadMessage(message)
	switch role {
	case "user":
		m.Text = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(m.Text), "<user_query>"), "</user_query>"))
		if run.Typed(m.Text) {
			s.Prompt(m, time.Time{}, true)
		}
	case "assistant":
		s.Answer(m, time.Time{})
		s.Results(m.Results, time.Time{})
	}
}
