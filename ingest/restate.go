package ingest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/storage"
)

// states are the kinds whose facts tell how a thing stands now. A thing may
// come back to how it stood before, and then says the same as an old fact.
var states = []stemma.Kind{
	stemma.KindCommit, stemma.KindChange, stemma.KindAttribution, stemma.KindFile, stemma.KindRelease,
	stemma.KindMandate, stemma.KindStanding, stemma.KindGap, stemma.KindAdvisory, stemma.KindPackage,
}

// restate appends again, as of now, those facts that the ledger held already
// before it had the given size, but which other facts about the same things
// have overlaid since: a note that was rewritten and then restored is right
// again. The graph must be up to date.
func (w *Writer) restate(ctx context.Context, entries []ledger.Entry, size int64) error {
	old := map[stemma.Ref]int{} // the last fact of the batch about each
	for i, e := range entries {
		if slices.Contains(states, e.Fact.Kind) {
			if old[e.Fact.Subject] = i; e.Pos >= size {
				delete(old, e.Fact.Subject)
			}
		}
	}
	if len(old) == 0 {
		return nil
	}
	last, err := w.space.lastFacts(ctx, old)
	if err != nil {
		return err
	}
	var again []stemma.Fact
	for i, e := range entries {
		f := e.Fact
		if n, ok := old[f.Subject]; ok && n == i && last[f.Subject] > e.Pos {
			f.Occurred = w.now().UTC().Truncate(time.Microsecond)
			again = append(again, f)
		}
	}
	if len(again) == 0 {
		return nil
	}
	if _, err := w.space.Ledger.Append(ctx, again...); err != nil {
		return err
	}
	w.appended += int64(len(again))
	_, err = w.space.Graph.Apply(ctx, w.space.Ledger)
	return err
}

// lastFacts gives the position of the last fact about each subject.
func (s *Space) lastFacts(ctx context.Context, subjects map[stemma.Ref]int) (map[stemma.Ref]int64, error) {
	last := map[stemma.Ref]int64{}
	err := storage.InChunks(subjects, func(refs []any, marks string) error {
		return s.DB.Each(ctx, func(scan func(...any) error) error {
			var ref stemma.Ref
			var pos int64
			err := scan((*string)(&ref), &pos)
			last[ref] = pos
			return err
		}, `SELECT ref, last_pos FROM node WHERE ref IN (`+marks+`)`, refs...)
	})
	if err != nil {
		return nil, fmt.Errorf("ingest: last facts: %w", err)
	}
	return last, nil
}
