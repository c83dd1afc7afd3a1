package exempted

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest"
)

// portion is how many facts of a feed are compared at once with what is known.
const portion = 500

// A Bulk states what a feed tells, if it is other than the feed's last word about the same
// thing. It is used by one goroutine. Close it, whatever happens.
type Bulk struct {
	Read, Added int

	source string
	space  *ingest.Space
	w      *ingest.Writer
	facts  []stemma.Fact
}

// NewBulk begins to state what a feed of a source tells.
func NewBulk(ctx context.Context, s *ingest.Space, now func() time.Time, source string) *Bulk {
	return &Bulk{source: source, space: s, w: ingest.NewWriter(ctx, s, now)}
}

// Put takes a record. It may wait for others, until Close.
func (b *Bulk) Put(ctx context.Context, r ingest.Record) error {
	f, err := r.Fact(b.source, stemma.GradeD)
	if err != nil {
		return err
	}
	b.Read++
	if b.facts = append(b.facts, f); len(b.facts) < portion {
		return nil
	}
	return b.flush(ctx)
}

func (b *Bulk) flush(ctx context.Context) error {
	var refs []stemma.Ref
	last := map[stemma.Ref]stemma.Fact{}
	for _, f := range b.facts {
		if _, twice := last[f.Subject]; !twice {
			refs = append(refs, f.Subject)
			last[f.Subject] = stemma.Fact{}
		}
	}
	if err := b.w.Flush(ctx); err != nil {
		return err
	}
	for e, err := range b.space.Ledger.About(ctx, refs...) {
		if err != nil {
			return fmt.Errorf("feed: what it told before: %w", err)
		}
		if e.Fact.Source == b.source {
			last[e.Fact.Subject] = e.Fact
		}
	}
	for _, f := range b.facts {
		f, _, err := f.Settle() // as the log gives it back
		if err != nil {
			return err
		}
		if before := last[f.Subject]; bytes.Equal(before.Attrs, f.Attrs) && before.Occurred.Equal(f.Occurred) {
			continue
		}
		last[f.Subject] = f
		b.Added++
		if err := b.w.Put(ctx, f); err != nil {
			return err
		}
	}
	b.facts = b.facts[:0]
	return nil
}

// Close states what waits.
func (b *Bulk) Close(ctx context.Context) error {
	return errors.Join(b.flush(ctx), b.w.Close(ctx))
}
