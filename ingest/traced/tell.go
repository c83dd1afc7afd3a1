package traced

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/agent/run"
	"github.com/stemma-dev/stemma/ingest/otlp"
	"github.com/stemma-dev/stemma/ingest/transcript"
	"github.com/stemma-dev/stemma/intent"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/session/price"
)

func spans(rows map[string]*row) []otlp.Span {
	list := make([]otlp.Span, 0, len(rows))
	for _, r := range rows {
		list = append(list, r.Span)
	}
	return list
}

// A step is a span of a session, and its row.
type step struct {
	*node
	row *row
}

// A planted trace is how many spans it has, and those of each session.
type planted struct {
	spans int
	steps map[stemma.Ref][]step
}

// plant reads a trace, if it is not one of those that were read last: each session that
// a trace tells of is worked out of all of it.
func (s *settling) plant(ctx context.Context, trace string) (*planted, error) {
	if p := s.wood[trace]; p != nil {
		return p, nil
	}
	rows, err := s.rows(ctx, trace)
	if err != nil {
		return nil, err
	}
	p := &planted{len(rows), map[stemma.Ref][]step{}}
	for id, n := range plant(spans(rows)).nodes {
		if n.Kind == otlp.Outcome && n.Failed && n.around != nil {
			n.around.Failed = true
		}
		if ref := rows[id].session; ref != "" && n.ref() == ref {
			p.steps[ref] = append(p.steps[ref], step{n, rows[id]})
		}
	}
	if s.grown += p.spans; s.grown > maxSession {
		clear(s.wood)
		s.grown = p.spans
	}
	s.wood[trace] = p
	return p, nil
}

// steps are the spans that a session is told in, in their order. Beyond what is bearable
// traces are left out, which is a gap.
func (s *settling) steps(ctx context.Context, ref stemma.Ref) (list []step, err error) {
	traces, err := s.traces(ctx, ref)
	if err != nil {
		return nil, err
	}
	read := 0
	for _, trace := range traces {
		p, err := s.plant(ctx, trace)
		if err != nil {
			return nil, err
		}
		if read += p.spans; read > maxSession {
			reason := fmt.Sprintf("a trace beyond the %d spans that are read of one session", maxSession)
			if err := s.w.Gap(ctx, stemma.Gap{Source: Source, Place: string(ref), Reason: reason}); err != nil {
				return nil, err
			}
			break
		}
		list = append(list, p.steps[ref]...)
	}
	slices.SortFunc(list, func(a, b step) int { // of those that begin at one time the outer one was first
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.level, b.level), cmp.Compare(a.Trace, b.Trace), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

// tell states a session as its spans tell it.
func (s *settling) tell(ctx context.Context, ref stemma.Ref) error {
	steps, err := s.steps(ctx, ref)
	if err != nil || len(steps) == 0 {
		return err
	}
	if err := s.seal(ctx, ref, steps); err != nil {
		return err
	}
	x, tickets := record(ref, steps)
	var about []ingest.Record
	for _, k := range tickets {
		if ticket := (intent.Ticket{Tracker: k.Tracker, Key: k.Key}); ticket.Ref() != "" {
			about = append(about, ticket)
		}
	}
	if x.Agent != "" {
		agent, known := identity.FindAgent(x.Tool)
		if !known {
			agent = identity.Agent{Name: x.Tool}
		}
		about = append(about, agent)
	}
	for _, m := range x.Models {
		if model := identity.ParseModel(m.Name); model.Named {
			about = append(about, model)
		}
	}
	for _, r := range about {
		if err := s.w.Record(ctx, r, Source, stemma.GradeC); err != nil {
			return err
		}
	}
	return s.put(ctx, x)
}

// put states a session without what a transcript of it tells.
func (s *settling) put(ctx context.Context, x session.Session) error {
	f, err := x.Fact(Source, stemma.GradeC)
	if err == nil {
		if f.Attrs, err = s.untold(ctx, f); err == nil {
			err = s.w.Put(ctx, f)
		}
	}
	var invalid *stemma.InvalidError
	if errors.As(err, &invalid) {
		return s.w.Gap(ctx, stemma.Gap{Source: Source, Place: string(invalid.Ref), Reason: invalid.Field + ": " + invalid.Why})
	}
	return err
}

// untold are the attributes of a fact that no transcript of its subject has: a source
// that lists the turns of a session has read one.
func (t *Traces) untold(ctx context.Context, f stemma.Fact) (json.RawMessage, error) {
	var attrs map[string]json.RawMessage
	if err := json.Unmarshal(f.Attrs, &attrs); err != nil {
		return nil, fmt.Errorf("traced: %s: %w", f.Subject, err)
	}
	for e, err := range t.space.Ledger.About(ctx, f.Subject) {
		if err != nil {
			return nil, err
		}
		var told map[string]json.RawMessage
		if e.Fact.Source == Source || json.Unmarshal(e.Fact.Attrs, &told) != nil || told["turn"] == nil {
			continue
		}
		for name := range told {
			if name != "tool" && name != "external_id" { // they are its name
				delete(attrs, name)
			}
		}
	}
	return json.Marshal(attrs)
}

// seal puts what was said, and is not there yet, into the vault. Of a session whose
// bodies were erased nothing is kept.
func (s *settling) seal(ctx context.Context, ref stemma.Ref, steps []step) error {
	erased, err := s.w.Erased(ctx, ref)
	if err != nil {
		return err
	}
	put := func(text string) *stemma.Body {
		if err != nil || text == "" || erased {
			return nil
		}
		var b stemma.Body
		b, err = s.w.Body(ctx, ref, transcript.Said, transcript.MediaSaid, []byte(text))
		return &b
	}
	byID := map[[2]string]*row{}
	for _, p := range steps {
		byID[[2]string{p.Trace, p.ID}] = p.row
	}
	return s.words(ctx, ref, func(trace, span, asked, answered string) error {
		if r := byID[[2]string{trace, span}]; r != nil { // not beyond what is told
			r.said = said{Owner: ref, Asked: put(asked), Answered: put(answered)}
			s.sealed = append(s.sealed, r)
		}
		return err
	})
}

// record makes a session of its spans, as a transcript would be read.
func record(ref stemma.Ref, steps []step) (session.Session, []run.Ticket) {
	k := steps[0].key
	s := run.NewStream(k.tool, run.Options{Prices: price.Default()})
	p := player{run: s.Run(k.id, k.sub), ref: ref, steps: steps, seen: map[stemma.Digest]bool{}}
	for i := range steps {
		p.play(i)
	}
	t := s.Transcripts()[0]
	return p.finish(t.Session), t.Tickets
}
