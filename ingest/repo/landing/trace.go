package landing

import (
	"cmp"
	"context"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution/weave"
	"github.com/stemma-dev/stemma/git/quote"
	"github.com/stemma-dev/stemma/ingest/repo/dag"
	"github.com/stemma-dev/stemma/ingest/repo/mended"
)

// A trace is the work of tracing, which goes on by itself for part after part of the
// landings, and a little ahead of who takes what it finds.
type trace struct {
	parts  chan traced
	cancel context.CancelFunc
}

// aheadParts is how many parts wait to be taken.
const aheadParts = 4

// A traced part has what is known of its commits, and for each of its landings that is
// a fix where the lines came from that it mends.
type traced struct {
	stats  map[stemma.Ref]*commitStats
	runs   [][]weave.LineRun
	missed []string // objects that could not be read
	err    error
}

// begin begins to trace. The work ends with the last part, an error, or stop.
func (d *Landings) begin(ctx context.Context) *trace {
	ctx, cancel := context.WithCancel(ctx)
	t := &trace{parts: make(chan traced, aheadParts), cancel: cancel}
	go func() {
		defer close(t.parts)
		var missed []string
		tracer := &mended.Tracer{
			DB: d.Space.DB, Repo: d.Repo, Weave: d.Weave, Known: d.Repeats, Miss: func(id string) { missed = append(missed, id) },
		}
		defer tracer.Close()
		for part := range slices.Chunk(d.steps, landingsAtOnce) {
			found := d.traceLines(ctx, tracer, part)
			found.missed, missed = missed, nil
			select {
			case t.parts <- found:
			case <-ctx.Done():
				return
			}
			if found.err != nil {
				return
			}
		}
	}()
	return t
}

// next is what was found of the next part.
func (t *trace) next(ctx context.Context) (traced, error) {
	select {
	case part, ok := <-t.parts:
		if !ok {
			return part, context.Cause(ctx)
		}
		return part, part.err
	case <-ctx.Done():
		return traced{}, context.Cause(ctx)
	}
}

// stop ends the work and waits for its end.
func (t *trace) stop() {
	t.cancel()
	for range t.parts { // nothing: only wait
	}
}

// traceLines finds where the lines came from that some landings mend.
func (d *Landings) traceLines(ctx context.Context, tracer *mended.Tracer, steps []dag.Landing) (part traced) {
	carried := map[stemma.Ref]bool{}
	for _, l := range steps {
		for _, n := range l.Carried {
			carried[d.Repo.CommitRef(d.graph.ID(n))] = true
		}
	}
	if part.stats, part.err = d.loadStats(ctx, carried); part.err != nil {
		return part
	}
	mends := make([][]weave.LineRun, len(steps))
	for i, l := range steps {
		if best, _ := d.purpose(l); !Mends(best.Intent) {
			continue
		}
		if mends[i], part.err = d.mendedRuns(tracer, l, part.stats); part.err != nil {
			return part
		}
	}
	part.runs, part.err = tracer.Behind(ctx, mends)
	return part
}

// mendedRuns are the lines that a landing mended, with where they came from by the
// line history.
func (d *Landings) mendedRuns(tracer *mended.Tracer, l dag.Landing, stats map[stemma.Ref]*commitStats) ([]weave.LineRun, error) {
	var all []weave.LineRun
	for _, n := range l.Carried {
		id := d.graph.ID(n)
		st := stats[d.Repo.CommitRef(id)]
		if st == nil || st.merge {
			continue
		}
		for _, f := range st.files {
			if f.mended == "" {
				continue
			}
			path, err := quote.Raw(cmp.Or(f.oldPath, f.path))
			if err != nil {
				continue
			}
			runs, err := tracer.Removed(id, path, f.mended)
			if err != nil {
				return nil, err
			}
			all = append(all, runs...)
		}
	}
	return all, nil
}
