package run

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/session"
)

// A Stream is one transcript, or what was read of it. It is for one goroutine.
type Stream struct {
	Options Options

	tool     string
	runs     map[string]*Run
	order    []*Run
	kinds    map[string]int
	problems problems
	offset   int64
	line     int64
	rows     int
}

// NewStream returns a stream of a tool of which nothing was read.
func NewStream(tool string, o Options) *Stream {
	return &Stream{Options: o, tool: tool, runs: map[string]*Run{}, kinds: map[string]int{}}
}

// Tool is the agent whose transcript it is.
func (s *Stream) Tool() string { return s.tool }

// Lines gives the rows to the end of r, without empty ones. It may be called
// again with what was appended since, beginning at [Stream.Offset]. The error
// is the reader's.
func (s *Stream) Lines(r io.Reader, use func(row []byte)) error {
	lines := newLineReader(r)
	before := s.offset
	for {
		line, whole, tooLong, err := lines.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if s.Options.Growing && !whole {
			return nil
		}
		s.line++
		s.offset = before + lines.offset
		switch {
		case tooLong:
			s.Problem("a row that is too long")
		default:
			if line = bytes.TrimSpace(line); len(line) > 0 {
				use(line)
			}
		}
	}
}

// Whole gives all of r at once: some transcripts are one document, which is
// written anew when something is added. Reading it again forgets what was read
// before; the offset stays where the document begins.
func (s *Stream) Whole(r io.Reader, use func(document []byte)) error {
	data, err := io.ReadAll(io.LimitReader(r, MaxRow+1))
	if err != nil {
		return fmt.Errorf("agent: reading a transcript: %w", err)
	}
	*s = *NewStream(s.tool, s.Options)
	s.line = 1
	if len(data) > MaxRow {
		s.Problem("a document that is too long")
		return nil
	}
	if data = bytes.TrimSpace(data); len(data) > 0 {
		use(data)
	}
	return nil
}

// Forget drops the sessions, and keeps where in the stream it is and what could
// not be read: for a transcript whose rows change what was told before.
func (s *Stream) Forget() { s.runs, s.order = map[string]*Run{}, nil }

// Offset is how many bytes of the stream were used: where to go on.
func (s *Stream) Offset() int64 { return s.offset }

// Line is the number of the row that is being read, from 1.
func (s *Stream) Line() int64 { return s.line }

// Row counts a row of a type that could be read.
func (s *Stream) Row(kind string) {
	s.rows++
	if len(s.kinds) < maxKinds || s.kinds[kind] > 0 {
		s.kinds[kind]++
	}
}

// Rows is how many rows were read.
func (s *Stream) Rows() int { return s.rows }

// Kinds is how many rows there were of each type.
func (s *Stream) Kinds() map[string]int { return s.kinds }

// Problem counts a row that cannot be used.
func (s *Stream) Problem(reason string) { s.problems.add(s.line, reason) }

// ProblemAt counts one at another line.
func (s *Stream) ProblemAt(line int64, reason string) { s.problems.add(line, reason) }

// Problems lists what could not be read.
func (s *Stream) Problems() []Problem { return s.problems }

// Transcripts returns the sessions in the order in which they appeared.
func (s *Stream) Transcripts() []Transcript {
	list := make([]Transcript, 0, len(s.order))
	for _, r := range s.order {
		list = append(list, r.transcript())
	}
	return list
}

// Run returns a session, or a sub-agent in it. Without an id it is the one of
// the options. It returns nil, with a problem, if there is none or beyond the
// limit.
func (s *Stream) Run(id, sub string) *Run {
	if id == "" {
		id = s.Options.Session
	}
	if id == "" {
		s.Problem("a row of a session that has no id")
		return nil
	}
	key := id
	if sub != "" {
		key = id + ":" + sub
	}
	if r := s.runs[key]; r != nil {
		return r
	}
	if len(s.runs) >= maxSessions {
		s.Problem("a session beyond the limit of one stream")
		return nil
	}
	r := s.newRun(key)
	if sub != "" {
		r.sub = sub
		r.Session.Parent, r.Session.Depth = session.Ref(s.tool, id), 1
	}
	s.runs[key] = r
	s.order = append(s.order, r)
	return r
}

func (s *Stream) newRun(key string) *Run {
	r := &Run{
		stream: s, speaking: -1,
		byMessage: map[string]int{}, byCall: map[string]int{}, changes: map[string]Change{}, more: map[int][]string{}, edits: map[int]bool{},
	}
	r.Session = session.Session{
		Tool: s.tool, ExternalID: key, OriginRecord: s.tool + "-transcript", Agent: identity.AgentRef(s.tool),
	}
	r.place.add(s.Options.Directory)
	return r
}

// depth is how many spawns are above a run: told by its parent, if the stream
// has it.
func (s *Stream) depth(r *Run) int {
	for above := range 64 {
		_, id := r.Session.Parent.Split()
		parent := s.runs[id]
		if parent == nil || parent == r {
			return r.Session.Depth + above
		}
		r = parent
	}
	return r.Session.Depth
}
