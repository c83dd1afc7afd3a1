// Package iterated counts of each change how often it was tried: the commits that
// pipelines judged until they found one good, and the prompts that came after tests or
// pipelines had failed.
//
// A change is counted anew when something is news that may have a say in it: itself, a
// run of it or of a commit that it showed, a session that it came from. However the news
// come, the counts are the same in the end.
package iterated

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/pipeline"
	"github.com/stemma-dev/stemma/storage"
)

// Source is what the counts say they come from.
const Source = "iterations"

// Count states how often changes were tried of which that is not known yet, and says of
// how many that was.
func Count(ctx context.Context, space *ingest.Space, now func() time.Time) (int, error) {
	n, err := space.Follow(ctx, Source, now, func(since int64) (int, error) {
		w := ingest.NewWriter(ctx, space, now)
		n, err := state(ctx, space, w, since)
		return n, errors.Join(err, w.Close(ctx))
	})
	if err != nil {
		return 0, fmt.Errorf("iterations of changes: %w", err)
	}
	return n, nil
}

// portion is how many changes are counted together.
const portion = 300

func state(ctx context.Context, space *ingest.Space, w *ingest.Writer, since int64) (n int, err error) {
	touched, err := touched(ctx, space.DB, since)
	if err != nil {
		return 0, err
	}
	for some := range slices.Chunk(touched, portion) {
		var facts []stemma.Fact
		err := space.DB.Read(ctx, func(tx *storage.Tx) (err error) {
			facts, err = count(ctx, tx, some)
			return err
		})
		if err != nil {
			return n, err
		}
		for _, f := range facts {
			if err := w.Put(ctx, f); err != nil {
				return n, err
			}
		}
		n += len(facts)
	}
	return n, nil
}

// count counts some changes, and returns facts about those of which something else is
// known.
func count(ctx context.Context, tx *storage.Tx, ids []int64) ([]stemma.Fact, error) {
	r := reader{ctx: ctx, tx: tx, changes: map[int64]*counted{}}
	if err := r.read(ids); err != nil {
		return nil, err
	}
	var facts []stemma.Fact
	for _, id := range ids {
		c := r.changes[id]
		if c == nil {
			continue
		}
		f, err := c.fact()
		if err != nil {
			return nil, err
		}
		if f != nil {
			facts = append(facts, *f)
		}
	}
	return facts, nil
}

// A counted is a change with what has a say in how often it was tried.
type counted struct {
	ref   stemma.Ref
	known change.Iterations
	runs  []pipeline.Run
	typed map[int64][]prompt // by session, in their order
}

// A prompt is one that a person typed.
type prompt struct {
	at      stemma.Moment
	failing bool // tests had failed in the session
}

// fact is what is to be said of a change; nil if it is known.
func (c *counted) fact() (*stemma.Fact, error) {
	tried := pipeline.Judge(c.runs)
	got := change.Iterations{Attempts: tried.Count, Green: tried.Green, Idle: tried.Infrastructure, Reprompts: c.reprompts(tried.Failed)}
	if got == c.known {
		return nil, nil
	}
	f, err := stemma.NewFact(c.ref, got, stemma.Provenance{Source: Source, Occurred: c.last().Time(), Grade: stemma.GradeD})
	return &f, err
}

// reprompts counts the prompts that are the first after tests of their session, or after
// a pipeline, had failed.
func (c *counted) reprompts(failed []stemma.Moment) (n int) {
	for _, prompts := range c.typed {
		last := stemma.Moment(0)
		for i, p := range prompts {
			between := func(m stemma.Moment) bool { return m != 0 && last <= m && m < p.at }
			if p.failing || i > 0 && slices.ContainsFunc(failed, between) {
				n++
			}
			last = cmp.Or(p.at, last)
		}
	}
	return n
}

// last is when the last happened that has a say.
func (c *counted) last() (last stemma.Moment) {
	for _, r := range c.runs {
		last = max(last, r.Started, r.Ended)
	}
	for _, prompts := range c.typed {
		for _, p := range prompts {
			last = max(last, p.at)
		}
	}
	return last
}
