package ledger

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
)

// indexed is how many characters of a subject its index holds.
const indexed = 500

// About streams the entries about any of the subjects that were not erased, for each
// subject in the order of the log. Each read takes some subjects at a time.
func (l *Ledger) About(ctx context.Context, subjects ...stemma.Ref) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for some := range slices.Chunk(subjects, perQuery/2) {
			page, err := l.about(ctx, some)
			if err != nil {
				yield(Entry{}, fmt.Errorf("ledger: facts about %s and %d others: %w", some[0], len(some)-1, err))
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

func (l *Ledger) about(ctx context.Context, subjects []stemma.Ref) ([]Entry, error) {
	fronts, wanted := make([]any, len(subjects)), map[stemma.Ref]bool{}
	for i, s := range subjects {
		fronts[i] = front(string(s))
		wanted[s] = true
	}
	var page []Entry
	err := l.db.Read(ctx, func(tx *storage.Tx) error {
		in, args := list(fronts)
		for scan, err := range query(ctx, tx, "SELECT "+entryColumns+" FROM fact WHERE substr(subject, 1, 500) IN "+in+" ORDER BY pos", args...) {
			if err != nil {
				return err
			}
			e, err := scanEntry(scan)
			if err != nil {
				return err
			}
			if !e.Erased() && wanted[e.Fact.Subject] {
				page = append(page, e)
			}
		}
		return nil
	})
	return page, err
}

// front is the part of a subject that its index holds.
func front(subject string) string {
	n := 0
	for i := range subject {
		if n == indexed {
			return subject[:i]
		}
		n++
	}
	return subject
}
