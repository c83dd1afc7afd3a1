// Package drain takes deliveries of one source out of the inbox and has facts made of
// them, in one process at a time for each space, whatever process accepted them.
//
// A delivery is marked as done only after its facts are there, so a process may die at
// any time: the next one takes it again. One that cannot be read is refused, with its
// reason and a gap; one that the store does not take while it takes others is refused in
// the end, so that nobody waits for it.
package drain

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/ingest"
)

const (
	// lease is how long others wait for a process that died.
	lease   = 10 * time.Second
	poll    = time.Second     // how often to look for what other processes accepted
	patient = 5 * time.Second // after an error of the store
)

// A Bad error says why a delivery cannot be read, however often it is tried.
type Bad interface {
	error
	Bad() string
}

// A Source is whose deliveries are taken.
type Source struct {
	Deliveries string // what they are called in the inbox
	Gaps       string // what gaps say they come from
	About      string // what they are, for the log: "reports of pipelines"

	// Take makes facts of a delivery, durably when it returns. A [Bad] error refuses it;
	// any other is one of the store.
	Take func(context.Context, inbox.Delivery) error

	// Due, if set, says whether there is something to do that no delivery waits for, and
	// After does it.
	Due   func(context.Context) (bool, error)
	After func(context.Context) error
}

// A Worker takes the deliveries of one source. Make it with [New].
type Worker struct {
	source Source
	space  *ingest.Space
	inbox  *inbox.Inbox
	now    func() time.Time
	log    *slog.Logger
	holder string
	wake   chan struct{}

	failures map[int64]int // how often the store did not take a delivery while it took others
}

// New returns a worker, which does nothing yet. Holder names the process among those
// that settle deliveries, of whatever source.
func New(source Source, space *ingest.Space, box *inbox.Inbox, now func() time.Time, log *slog.Logger, holder string) *Worker {
	return &Worker{
		source: source, space: space, inbox: box, now: now, log: log, holder: holder,
		wake: make(chan struct{}, 1), failures: map[int64]int{},
	}
}

// Wake says that there is something to do. It may be called by anybody.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default: // it knows already
	}
}

// Run settles what waits until ctx ends.
func (w *Worker) Run(ctx context.Context) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for ctx.Err() == nil {
		if _, err := w.Settle(ctx); err != nil && ctx.Err() == nil {
			w.log.Error(w.source.About+" wait", "error", err)
			pause(ctx, patient)
			continue
		}
		select {
		case <-ctx.Done():
		case <-w.wake:
		case <-tick.C:
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), patient)
	defer cancel()
	if err := w.inbox.Release(last, w.holder); err != nil {
		w.log.Warn("ending the work on "+w.source.About, "error", err)
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// Settle makes facts of all deliveries that wait, and says how many that were. It does
// nothing while another process holds the lease.
func (w *Worker) Settle(ctx context.Context) (n int, err error) {
	n, err = w.deliveries(ctx)
	if err != nil || w.source.Due == nil {
		return n, err
	}
	due, err := w.source.Due(ctx)
	if err != nil || !due {
		return n, err
	}
	held, err := w.inbox.Hold(ctx, w.holder, lease)
	if err != nil || !held {
		return n, err
	}
	ctx, release := w.keep(ctx)
	defer release()
	return n, w.source.After(ctx)
}

func (w *Worker) deliveries(ctx context.Context) (n int, err error) {
	mine, err := w.waiting(ctx)
	if err != nil || len(mine) == 0 {
		return 0, err
	}
	var failed []inbox.Delivery
	var first error
	for _, d := range mine {
		held, err := w.inbox.Hold(ctx, w.holder, lease)
		if err != nil || !held {
			return n, err
		}
		switch err := w.settle(ctx, d); {
		case err == nil:
			n++
		case ctx.Err() != nil:
			return n, err
		default: // the store is away, or it does not take this one: others may go on
			failed, first = append(failed, d), cmp.Or(first, err)
		}
	}
	return n, errors.Join(first, w.giveUp(ctx, failed, n > 0, first))
}

// patience is how often a delivery is tried that the store does not take, while it takes
// others.
const patience = 3

// giveUp refuses deliveries that the store has not taken again and again, though it is
// there.
func (w *Worker) giveUp(ctx context.Context, failed []inbox.Delivery, there bool, why error) error {
	if !there {
		return nil
	}
	for _, d := range failed {
		if w.failures[d.ID]++; w.failures[d.ID] < patience {
			continue
		}
		delete(w.failures, d.ID)
		reason := stemma.CleanText("the store does not take it: "+why.Error(), maxReason)
		w.log.Error("a delivery was refused", "source", w.source.Deliveries, "delivery", d.ID, "reason", reason)
		if err := errors.Join(w.gap(ctx, d, reason), w.inbox.SettleAs(ctx, w.holder, inbox.Outcome{ID: d.ID, Refused: true, Reason: reason})); err != nil {
			return err
		}
	}
	return nil
}

const maxReason = 1000 // bytes of why a delivery was refused

// waiting are the deliveries that wait: a page of all sources may have none of them.
func (w *Worker) waiting(ctx context.Context) (mine []inbox.Delivery, err error) {
	for after := int64(0); len(mine) == 0; {
		page, err := w.inbox.Pending(ctx, after)
		if err != nil || len(page) == 0 {
			return nil, err
		}
		for _, d := range page {
			if after = d.ID; d.Source == w.source.Deliveries {
				mine = append(mine, d)
			}
		}
	}
	return mine, nil
}

func (w *Worker) settle(ctx context.Context, d inbox.Delivery) error {
	ctx, release := w.keep(ctx)
	defer release()
	err := w.source.Take(ctx, d)
	outcome := inbox.Outcome{ID: d.ID}
	var bad Bad
	switch {
	case errors.As(err, &bad):
		why := bad.Bad()
		w.log.Warn("a delivery was refused", "source", w.source.Deliveries, "delivery", d.ID, "reason", why)
		outcome.Refused, outcome.Reason = true, why
		if err := w.gap(ctx, d, why); err != nil {
			return err
		}
	case err != nil:
		return err
	}
	err = w.inbox.SettleAs(ctx, w.holder, outcome)
	if errors.Is(err, inbox.ErrNotHeld) {
		return nil // the other one reads it again, and finds the facts
	}
	return err
}

// keep holds the lease while something is taken, however long that is. If another
// process has it nevertheless, the context ends.
func (w *Worker) keep(ctx context.Context) (kept context.Context, release func()) {
	kept, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(lease / 4)
		defer tick.Stop()
		for {
			select {
			case <-kept.Done():
				return
			case <-tick.C:
				if held, err := w.inbox.Hold(kept, w.holder, lease); !held && kept.Err() == nil {
					w.log.Warn("the lease on deliveries was lost", "error", err)
					cancel()
				}
			}
		}
	}()
	return kept, func() { cancel(); <-ended }
}

// gap states that a delivery could not be read.
func (w *Worker) gap(ctx context.Context, d inbox.Delivery, why string) error {
	writer := ingest.NewWriter(ctx, w.space, w.now)
	err := writer.Gap(ctx, stemma.Gap{Source: w.source.Gaps, Place: "delivery " + d.Key, Reason: why, Seen: d.Received})
	return errors.Join(err, writer.Close(ctx))
}
