package agent

import (
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/ingest/agent/run"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

const windsurfTool = "windsurf"

// Windsurf reads a transcript of Windsurf: steps without ids, times, models or
// tokens. The session has to be told by the options. A step that is neither
// what a person said nor what the model said is a call of the tool that it is
// named for.
type Windsurf struct {
	*run.Stream
	answer int
	step   int
}

// NewWindsurf returns a reader that has read nothing.
func NewWindsurf(o Options) *Windsurf { return &Windsurf{Stream: run.NewStream(windsurfTool, o)} }

// Read reads rows to the end of the stream.
func (w *Windsurf) Read(r io.Reader) error { return w.Lines(r, w.row) }

func (w *Windsurf) row(line []byte) {
	var kind, status string
	members := map[string][]byte{}
	r := jsonwalk.New(line)
	for name := range r.Object() {
		switch name {
		case "type":
			kind = r.Text(60)
		case "status":
			status = r.Text(40)
		default:
			if len(members) < 8 {
				members[name] = r.Raw()
			}
		}
	}
	if r.End() != nil || kind == "" {
		w.Problem(run.BadRow(r, kind))
		return
	}
	w.Row(kind)
	s := w.Run("", "")
	if s == nil {
		return
	}
	s.Seen(run.Place{})
	w.use(s, kind, status, members[kind])
}

func (w *Windsurf) use(s *run.Run, kind, status string, raw []byte) {
	var said, path, command, acknowledged string
	var p run.Place
	failed := status == "error"
	r := jsonwalk.New(raw)
	if raw == nil {
		r = jsonwalk.New([]byte("{}"))
	}
	for name := range r.Object() {
		switch name {
		case "user_response", "response":
			said = r.String()
		case "path", "file_path", "absolute_path":
			path = r.String()
		case "cwd":
			p.Directory = r.String()
		case "command", "tool_name":
			command = r.String()
		case "acknowledgement_type":
			acknowledged = r.String()
		case "user_rejected":
			failed = r.Bool() || failed
		case "exit_code":
			failed = r.Int() != 0 || failed
		}
	}
	s.Seen(p)
	switch kind {
	case "user_input":
		w.answer++
		if run.Typed(said) {
			s.Prompt(run.Message{Text: said}, time.Time{}, true)
		}
		return
	case "planner_response":
		w.answer++
		s.Answer(run.Message{ID: w.id(), Text: said}, time.Time{})
		return
	}
	w.step++
	c := run.Call{ID: "step-" + strconv.Itoa(w.step), Tool: kind, Edits: run.Edits(kind), Opens: run.Opens(kind, command)}
	if path != "" {
		c.Paths = []string{path}
	}
	s.Answer(run.Message{ID: w.id(), Calls: []run.Call{c}}, time.Time{})
	failed = failed || strings.HasSuffix(acknowledged, "_REJECTED")
	s.Results([]run.Result{{Call: c.ID, Error: failed, Raw: raw}}, time.Time{})
}

func (w *Windsurf) id() string { return "answer-" + strconv.Itoa(w.answer) }
