// Package traced makes sessions of the traces that agents send: spans that arrive in any
// order, in several requests, and twice.
//
// Two tables keep them until their trace has been quiet for a while: trace_span and
// trace_state. Then every session that the trace tells of is worked out anew, of all its
// spans in all its traces, and stated if that says something new. So what comes out
// depends on the spans alone; a parent that comes late puts what is below it in its place.
//
// The id that an agent gives to a session names it here as it does in the transcript, so
// both tell of one session. Where a transcript was read, what it tells stands before what
// spans tell, whichever came first: it is the session itself.
//
// Whoever has the token may send spans, so nothing is better than grade C.
package traced

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/drain"
	"github.com/stemma-dev/stemma/ingest/otlp"
)

// Deliveries is what requests with traces are called in the inbox. The event of one is
// its media type.
const Deliveries = "otlp"

// Source is what facts from traces say they come from.
const Source = "otlp"

// Traces are those of one space. Only one process may take and settle them at a time.
type Traces struct {
	space *ingest.Space
	now   func() time.Time
}

// Open returns the traces of a space and makes their tables where they are missing.
func Open(ctx context.Context, space *ingest.Space, now func() time.Time) (*Traces, error) {
	if err := space.DB.Migrate(ctx, "traced", migrations); err != nil {
		return nil, fmt.Errorf("traced: opening: %w", err)
	}
	return &Traces{space, now}, nil
}

// Worker returns who takes requests out of the inbox, and does nothing yet. Holder names
// the process among those that settle deliveries, of whatever source.
func (t *Traces) Worker(box *inbox.Inbox, log *slog.Logger, holder string) *drain.Worker {
	return drain.New(drain.Source{
		Deliveries: Deliveries, Gaps: Source, About: "traces",
		Take: t.Take, Due: t.Due, After: t.Settle,
	}, t.space, box, t.now, log, holder)
}

// Take keeps the spans of a request. What is no request is an *otlp.BadError.
func (t *Traces) Take(ctx context.Context, d inbox.Delivery) error {
	batch, err := otlp.Decode(d.Event, d.Raw)
	if err != nil {
		return err
	}
	w := ingest.NewWriter(ctx, t.space, t.now)
	for i := range batch.Spans {
		if mail := batch.Spans[i].Mail; mail != "" {
			batch.Spans[i].Operator = w.Person("", mail, "")
		}
	}
	over, err := t.keep(ctx, batch.Spans)
	gap := func(n int64, why string) {
		if err == nil && n > 0 {
			err = w.Gap(ctx, stemma.Gap{Source: Source, Place: "delivery " + d.Key, Reason: why, Count: n, Seen: d.Received})
		}
	}
	gap(batch.Rejected, batch.Why)
	gap(over.spans, fmt.Sprintf("a span beyond the %d, or the %d MB, that are kept of one trace", maxTrace, maxData>>20))
	gap(over.words, fmt.Sprintf("what was said in a span beyond the %d MB of it that wait in one trace", maxWords>>20))
	if err = errors.Join(err, w.Close(ctx)); err != nil {
		return fmt.Errorf("traced: taking a request: %w", err)
	}
	return nil
}

// Due reports whether there are traces to settle.
func (t *Traces) Due(ctx context.Context) (bool, error) {
	list, err := t.due(ctx, 1)
	if err != nil {
		return false, fmt.Errorf("traced: %w", err)
	}
	return len(list) > 0, nil
}

// Settle states the sessions of all traces that are to be looked at.
func (t *Traces) Settle(ctx context.Context) error {
	for {
		list, err := t.due(ctx, page)
		if err == nil && len(list) > 0 {
			err = t.settle(ctx, list)
		}
		if err != nil {
			return fmt.Errorf("traced: settling: %w", err)
		}
		if len(list) < page {
			return nil
		}
	}
}
