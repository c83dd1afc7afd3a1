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

// steps are the spans that a session is told in, in their order. Beyond what is bearable
// traces are left out, which is a gap.
func (t *Traces) steps(ctx context.Context, w *ingest.Writer, ref stemma.Ref) (list []step, err error) {
	traces, err := t.traces(ctx, ref)
	if err != nil {
		return nil, err
	}
	read := 0
	for _, trace := range traces {
		rows, err := t.rows(ctx, trace)
		if err != nil {
			return nil, err
		}
		if read += len(rows); read > maxSession {
			reason := fmt.Sprintf("a trace beyond the %d spans that are read of one session", maxSession)
			if err := w.Gap(ctx, stemma.Gap{Source: Source, Place: string(ref), Reason: reason}); err != nil {
				return nil, err
			}
			break
		}
		for id, n := range plant(spans(rows)).nodes {
			if n.Kind == otlp.Outcome && n.Failed && n.around != nil {
				n.around.Failed = true
			}
			if rows[id].session == ref && n.ref() == ref {
				list = append(list, step{n, rows[id]})
			}
		}
	}
	slices.SortFunc(list, func(a, b step) int { // of those that begin at one time the outer one was first
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.level, b.level), cmp.Compare(a.Trace, b.Trace), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

// tell states a session as its spans tell it. It returns the rows of which something was
// put into the vault.
func (t *Traces) tell(ctx context.Context, w *ingest.Writer, ref stemma.Ref) (sealed []*row, err error) {
	steps, err := t.steps(ctx, w, ref)
	if err != nil || len(steps) == 0 {
		return nil, err
	}
	if sealed, err = seal(ctx, w, ref, steps); err != nil {
		return nil, err
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
		if err := w.Record(ctx, r, Source, stemma.GradeC); err != nil {
			return nil, err
		}
	}
	return sealed, t.state(ctx, w, x)
}

// state states a session without what a transcript of it tells.
func (t *Traces) state(ctx context.Context, w *ingest.Writer, x session.Session) error {
	f, err := x.Fact(Source, stemma.GradeC)
	if err == nil {
		if f.Attrs, err = t.untold(ctx, f); err == nil {
			err = w.Put(ctx, f)
		}
	}
	var invalid *stemma.InvalidError
	if errors.As(err, &invalid) {
		return w.Gap(ctx, stemma.Gap{Source: Source, Place: string(invalid.Ref), Reason: invalid.Field + ": " + invalid.Why})
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
func seal(ctx context.Context, w *ingest.Writer, ref stemma.Ref, steps []step) (rows []*row, err error) {
	erased, err := w.Erased(ctx, ref)
	if err != nil {
		return nil, err
	}
	put := func(text string) *stemma.Body {
		if err != nil || text == "" || erased {
			return nil
		}
		var b stemma.Body
		b, err = w.Body(ctx, ref, transcript.Said, transcript.MediaSaid, []byte(text))
		return &b
	}
	for _, s := range steps {
		if r := s.row; r.asked != "" || r.answered != "" {
			r.said = said{Owner: ref, Asked: put(r.asked), Answered: put(r.answered)}
			rows = append(rows, r)
		}
	}
	return rows, err
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
