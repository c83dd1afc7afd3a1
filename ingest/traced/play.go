package traced

import (
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/agent/run"
	"github.com/stemma-dev/stemma/ingest/otlp"
	"github.com/stemma-dev/stemma/session"
)

// A player tells the spans of a session to a run, one after the other.
type player struct {
	run   *run.Run
	ref   stemma.Ref
	steps []step

	turns  []*stemma.Body // what was said in each turn, nil for nothing
	last   string         // the answer that calls belong to
	parent key
	depth  int
	title  string
	bodies []stemma.Body
	seen   map[stemma.Digest]bool

	in, at   []stemma.Ref
	operator stemma.Ref
}

func (p *player) play(i int) {
	s := p.steps[i]
	p.run.Seen(run.Place{At: s.Start.Time(), Version: s.Version, Branch: s.Branch})
	p.run.Seen(run.Place{At: s.End.Time()})
	p.about(s)
	switch s.Kind {
	case otlp.Agent:
		p.prompt(s, i)
	case otlp.Turn:
		p.prompt(s, i)
		p.answer(s)
	case otlp.Model:
		p.answer(s)
	case otlp.Tool:
		p.call(s)
	}
}

// prompt is an agent that is asked: what for, it says itself, or the first model that it
// asks then.
func (p *player) prompt(s step, i int) {
	asked := p.said(s, s.row.said.Asked)
	for _, next := range p.steps[i+1:] {
		if asked != nil || next.Kind == otlp.Agent || next.Kind == otlp.Turn {
			break
		}
		asked = p.said(next, next.row.said.Asked)
	}
	p.run.Prompt(run.Message{}, s.Start.Time(), true)
	p.turns = append(p.turns, asked)
	if s.sub != "" && p.title == "" {
		p.title = s.Agent
	}
}

func (p *player) answer(s step) {
	p.last = s.Trace + s.ID
	p.run.Answer(run.Message{ID: p.last, Model: s.Model, Tokens: s.Tokens}, s.Start.Time())
	p.turns = append(p.turns, p.said(s, s.row.said.Answered))
}

// call is a call of a tool, for which the answer before asked. Without an id it has that
// of its span.
func (p *player) call(s step) {
	if p.last == "" { // the answer is not there: it was not traced, or not sent
		p.last = "none"
		p.turns = append(p.turns, nil)
	}
	id := s.Call
	if id == "" {
		id = s.ID
	}
	c := run.Call{ID: id, Tool: s.Called, Paths: s.Paths, Edits: s.Edits, Tests: s.Tests, Ticket: s.Ticket}
	p.run.Answer(run.Message{ID: p.last, Calls: []run.Call{c}}, s.Start.Time())
	p.run.Results([]run.Result{{Call: id, Error: s.Failed}}, s.End.Time())
}

// said is a body of a span, if it is in the vault for this session.
func (p *player) said(s step, b *stemma.Body) *stemma.Body {
	if b == nil || s.row.said.Owner != p.ref {
		return nil
	}
	if !p.seen[b.Digest] {
		p.seen[b.Digest] = true
		p.bodies = append(p.bodies, *b)
	}
	return b
}

// about takes what surrounds the session.
func (p *player) about(s step) {
	if s.parent.id != "" && s.depth > p.depth {
		p.parent, p.depth = s.parent, s.depth
	}
	add := func(list *[]stemma.Ref, ref stemma.Ref) {
		const most = 100
		if ref != "" && len(*list) < most && !slices.Contains(*list, ref) {
			*list = append(*list, ref)
		}
	}
	add(&p.in, s.Repository)
	add(&p.at, s.Commit)
	if p.operator == "" {
		p.operator = s.Operator
	}
}

// finish completes the record by what a run does not know.
func (p *player) finish(x session.Session) session.Session {
	x.OriginRecord = Source
	if x.Tool == unnamed {
		x.Agent = ""
	}
	x.Parent, x.Depth, x.Title = p.parent.above(), p.depth, p.title
	x.In, x.At, x.Bodies = p.in, p.at, p.bodies
	if p.operator != "" {
		x.Operator = []stemma.Edge{{To: p.operator, Method: session.BySpan}}
	}
	for i := range min(len(x.Turns), len(p.turns)) {
		if b := p.turns[i]; b != nil {
			x.Turns[i].Body = b.Digest.String()
		}
	}
	return x
}

// above is the ref of a session, or "" of none.
func (k key) above() stemma.Ref {
	if k.id == "" {
		return ""
	}
	return k.ref()
}
