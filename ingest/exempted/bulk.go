package exempted

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ledger"
)

// How much of a feed is compared at once with what is known.
const (
	portion      = 200 // facts
	portionBytes = 8 << 20
)

// ahead is how far the clock of a feed may be ahead of ours. What is said to be as of a later
// time still counts, but makes nothing old that comes after it.
const ahead = 24 * time.Hour

// A Bulk states what a feed tells, if it is other than the feed's last word about the same
// thing, and not older than its newest. It is used by one goroutine. Close it, whatever
// happens.
type Bulk struct {
	Fed

	source string
	now    func() time.Time
	space  *ingest.Space
	w      *ingest.Writer
	facts  []stemma.Fact
	size   int
}

// NewBulk begins to state what a feed of a source tells.
func NewBulk(ctx context.Context, s *ingest.Space, now func() time.Time, source string) *Bulk {
	return &Bulk{source: source, now: now, space: s, w: ingest.NewWriter(ctx, s, now)}
}

// Put takes a record. It may wait for others, until Close. One that cannot be stated is
// counted as wrong, and holds up no other.
func (b *Bulk) Put(ctx context.Context, r ingest.Record) error {
	b.Read++
	f, err := r.Fact(b.source, stemma.GradeD)
	var canonical []byte
	if err == nil {
		f, canonical, err = f.Settle() // as the log gives it back
	}
	if err == nil && len(canonical) > ledger.MaxFact {
		err = &stemma.InvalidError{Ref: f.Subject, Field: "fact", Why: fmt.Sprintf("%d bytes, more than %d", len(canonical), ledger.MaxFact)}
	}
	if err != nil {
		return b.spoilt(err)
	}
	b.facts, b.size = append(b.facts, f), b.size+len(f.Attrs)
	if len(b.facts) < portion && b.size < portionBytes {
		return nil
	}
	return b.flush(ctx)
}

// putAll takes records up to the first at which the log fails.
func putAll[R ingest.Record](ctx context.Context, b *Bulk, list []R) error {
	for _, r := range list {
		if err := b.Put(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// spoilt counts a record as wrong if it is the record that is.
func (b *Bulk) spoilt(err error) error {
	var invalid *stemma.InvalidError
	if !errors.As(err, &invalid) {
		return err
	}
	b.Read--
	b.wrong(err)
	return nil
}

// A word is what a feed told of a thing.
type word struct {
	last   json.RawMessage
	newest stemma.Moment
}

// told are the words of the feed about what the waiting facts are about.
func (b *Bulk) told(ctx context.Context) (map[stemma.Ref]word, error) {
	var refs []stemma.Ref
	words := map[stemma.Ref]word{}
	for _, f := range b.facts {
		if _, twice := words[f.Subject]; !twice {
			refs = append(refs, f.Subject)
			words[f.Subject] = word{}
		}
	}
	if err := b.w.Flush(ctx); err != nil {
		return nil, err
	}
	for e, err := range b.space.Ledger.About(ctx, refs...) {
		if err != nil {
			return nil, fmt.Errorf("feed: what it told before: %w", err)
		}
		if f := e.Fact; f.Source == b.source {
			words[f.Subject] = word{f.Attrs, b.newest(words[f.Subject], asOf(f))}
		}
	}
	return words, nil
}

// asOf is as of when a record says that it is; 0 if it does not.
func asOf(f stemma.Fact) stemma.Moment {
	var of struct{ Modified, Asked stemma.Moment }
	if json.Unmarshal(f.Attrs, &of) != nil {
		return 0
	}
	return max(of.Modified, of.Asked)
}

// newest is as of when the newest word is, after one more.
func (b *Bulk) newest(before word, at stemma.Moment) stemma.Moment {
	if at > stemma.At(b.now().Add(ahead)) {
		return before.newest
	}
	return max(before.newest, at)
}

func (b *Bulk) flush(ctx context.Context) error {
	words, err := b.told(ctx)
	if err != nil {
		return err
	}
	for _, f := range b.facts {
		before, at := words[f.Subject], asOf(f)
		if bytes.Equal(before.last, f.Attrs) || at != 0 && at < before.newest {
			continue
		}
		if err := b.w.Put(ctx, f); err != nil {
			if err := b.spoilt(err); err != nil {
				return err
			}
			continue
		}
		words[f.Subject] = word{f.Attrs, b.newest(before, at)}
	}
	b.facts, b.size = b.facts[:0], 0
	return nil
}

// Close states what waits.
func (b *Bulk) Close(ctx context.Context) error {
	err := errors.Join(b.flush(ctx), b.w.Close(ctx))
	b.Added = int(b.w.Appended())
	return err
}
