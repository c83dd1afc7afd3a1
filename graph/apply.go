package graph

import (
	"context"
	"iter"
	"math"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph/shape"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/storage"
)

// How much goes into one transaction.
const (
	batchEntries = 4000
	batchBytes   = 8 << 20 // of attributes
	maxKnown     = 1 << 18 // nodes remembered between the batches of one Apply
)

// Apply brings the graph up to the end of the ledger and returns how many
// entries that took. Each batch of entries is one transaction together with
// the cursor, so it may be interrupted anywhere and called by several
// processes at once: every entry is applied exactly once, in order.
func (g *Graph) Apply(ctx context.Context, l *ledger.Ledger) (int64, error) {
	return g.apply(ctx, l, nil, math.MaxInt64)
}

// ApplyUntil is Apply up to, and without, the entry at a position.
func (g *Graph) ApplyUntil(ctx context.Context, l *ledger.Ledger, pos int64) (int64, error) {
	return g.apply(ctx, l, nil, pos)
}

// ApplyAppended is Apply for whoever has just appended to the ledger: what is
// among entries, as the ledger gave them, is not read back.
func (g *Graph) ApplyAppended(ctx context.Context, l *ledger.Ledger, entries []ledger.Entry) (int64, error) {
	return g.apply(ctx, l, entries, math.MaxInt64)
}

func (g *Graph) apply(ctx context.Context, l *ledger.Ledger, entries []ledger.Entry, until int64) (int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var applied int64
	for {
		n, moved, err := g.applyRun(ctx, l, entries, until)
		applied += n
		if err != nil {
			return applied, wrap("applying the ledger", err)
		}
		if !moved {
			break
		}
	}
	if applied >= batchEntries {
		if err := g.db.Write(ctx, func(tx *storage.Tx) error { return analyze(ctx, tx, g.db.Engine()) }); err != nil {
			return applied, wrap("measuring the tables", err)
		}
	}
	return applied, nil
}

// analyze lets the engine measure its tables, so that it chooses among indexes
// with knowledge. After a large Apply its old measurements are of no use.
func analyze(ctx context.Context, tx *storage.Tx, engine storage.Engine) error {
	if engine == storage.SQLite {
		if _, err := tx.Exec(ctx, `PRAGMA analysis_limit = 400`); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `ANALYZE`)
	return err
}

// applyRun applies from the stored cursor to the end, or until a position. It stops
// early, with moved set, if another process moved the cursor meanwhile.
func (g *Graph) applyRun(ctx context.Context, l *ledger.Ledger, fresh []ledger.Entry, until int64) (applied int64, moved bool, err error) {
	var from int64
	err = g.db.Read(ctx, func(tx *storage.Tx) error {
		if err := g.sameShape(ctx, tx); err != nil {
			return err
		}
		from, err = ledger.Cursor(ctx, tx, cursorName)
		return err
	})
	if err != nil {
		return 0, false, err
	}
	w := writer{shape: g.shape, known: map[stemma.Ref]known{}}
	for p := range g.gather(ctx, l, fresh, from, until) {
		if p.err != nil {
			return applied, false, p.err
		}
		var now []known
		err := g.db.Write(ctx, func(tx *storage.Tx) error {
			if err := g.sameShape(ctx, tx); err != nil {
				return err
			}
			at, err := ledger.Cursor(ctx, tx, cursorName)
			if err != nil {
				return err
			}
			if moved = at != p.from; moved {
				return nil
			}
			if now, err = w.write(ctx, tx, p.batch); err != nil {
				return err
			}
			return ledger.SetCursor(ctx, tx, cursorName, p.to)
		})
		if err != nil || moved {
			return applied, moved, err
		}
		w.remember(p.batch, now)
		applied += p.batch.Entries
	}
	return applied, false, nil
}

// A portion is one batch and the cursor before and after it.
type portion struct {
	batch    *shape.Batch
	from, to int64
	err      error
}

// gather reads and decodes the ledger one portion ahead of the consumer.
func (g *Graph) gather(ctx context.Context, l *ledger.Ledger, fresh []ledger.Entry, from, until int64) iter.Seq[portion] {
	return func(yield func(portion) bool) {
		ctx, cancel := context.WithCancel(ctx)
		portions := make(chan portion, 1)
		done := make(chan struct{})
		defer func() { cancel(); <-done }()
		go func() {
			defer close(done)
			defer close(portions)
			for {
				entries := l.Entries(ctx, from)
				if known := following(fresh, from); len(known) > 0 {
					entries = inMemory(known)
				}
				p := g.portion(entries, from, until)
				if p.err == nil && p.batch.Entries == 0 {
					return
				}
				select {
				case portions <- p:
				case <-ctx.Done():
					return
				}
				if p.err != nil {
					return
				}
				from = p.to
			}
		}()
		for p := range portions {
			if !yield(p) {
				return
			}
		}
	}
}

// following are those of fresh, which ascend where they are new, that stand at
// from and without a hole behind it.
func following(fresh []ledger.Entry, from int64) (run []ledger.Entry) {
	for _, e := range fresh {
		if e.Pos == from {
			run = append(run, e)
			from++
		}
	}
	return run
}

func inMemory(entries []ledger.Entry) iter.Seq2[ledger.Entry, error] {
	return func(yield func(ledger.Entry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// portion reads as many entries as one transaction should take. Each portion
// is a read of its own: a long one would keep the store from tidying its log.
func (g *Graph) portion(entries iter.Seq2[ledger.Entry, error], from, until int64) portion {
	p := portion{batch: shape.NewBatch(g.shape), from: from, to: from}
	size := 0
	for e, err := range entries {
		if err != nil {
			p.err = err
			return p
		}
		if e.Pos >= until {
			break
		}
		if e.Erased() {
			p.batch.Entries++
		} else {
			p.batch.Add(e.Pos, e.Fact)
		}
		p.to = e.Pos + 1
		size += len(e.Fact.Attrs)
		if p.batch.Entries >= g.batch || size >= batchBytes {
			break
		}
	}
	return p
}
