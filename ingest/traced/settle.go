package traced

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest"
)

// A settling is the work on some traces.
type settling struct {
	*Traces
	w       *ingest.Writer
	touched map[stemma.Ref]bool // sessions that have spans in them, or had
	wood    map[string]*planted // the traces that were read last, for the next session
	grown   int                 // the spans in there
	sealed  []*row              // of which something goes to the vault, and it is not noted yet
}

// settle looks at some traces: first whose spans are whose, then what the sessions are
// that they are of. Traces are looked at again if the process dies before the end.
func (t *Traces) settle(ctx context.Context, list []waiting) error {
	s := &settling{Traces: t, w: ingest.NewWriter(ctx, t.space, t.now), touched: map[stemma.Ref]bool{}, wood: map[string]*planted{}}
	again, err := s.state(ctx, list)
	if err = errors.Join(err, s.w.Close(ctx)); err != nil {
		return err
	}
	for i, w := range list {
		if again[i] == never {
			err = t.drop(ctx, w)
		} else {
			err = t.looked(ctx, w, again[i])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// state states all that traces tell of, and says when to look at each again.
func (s *settling) state(ctx context.Context, list []waiting) (again []time.Time, err error) {
	again = make([]time.Time, len(list))
	for i, w := range list {
		if again[i], err = s.look(ctx, w); err != nil {
			return nil, err
		}
	}
	for _, ref := range slices.Sorted(maps.Keys(s.touched)) {
		if err := s.tell(ctx, ref); err != nil {
			return nil, err
		}
		if len(s.sealed) >= manySealed {
			if err := s.note(ctx); err != nil {
				return nil, err
			}
		}
	}
	return again, s.note(ctx)
}

// manySealed is for how many spans the vault is waited for at once.
const manySealed = 1000

// note waits until what was said is in the vault, and takes it out of the tables.
func (s *settling) note(ctx context.Context) error {
	if len(s.sealed) == 0 {
		return nil
	}
	if err := s.w.Flush(ctx); err != nil {
		return err
	}
	err := s.noteSealed(ctx, s.sealed)
	s.sealed = nil
	return err
}

// never is when a trace is looked at again of which nothing needs to be kept.
var never = time.Unix(1, 0)

// look works out which sessions the spans of a trace are told in, and says when to look
// at it again.
func (s *settling) look(ctx context.Context, w waiting) (again time.Time, err error) {
	rows, err := s.rows(ctx, w.trace)
	if err != nil {
		return again, err
	}
	still := !s.now().Before(w.last.Add(quiet))
	moved, told, loose := map[string]stemma.Ref{}, false, int64(0)
	tree := plant(spans(rows))
	for id, n := range tree.nodes {
		if n.Kind == "" {
			continue
		}
		r, to := rows[id], stemma.Ref("")
		switch {
		case !still && !n.sure:
			to, again = r.session, w.last.Add(quiet)
		case n.again:
		case n.key.id == "":
			loose++
		default:
			to = n.ref()
		}
		if r.session != to {
			moved[id] = to
		}
		for _, ref := range []stemma.Ref{r.session, to} {
			if ref != "" {
				s.touched[ref] = true
			}
		}
		told = told || to != ""
	}
	if err := s.assign(ctx, w.trace, moved); err != nil {
		return again, err
	}
	switch {
	case !again.IsZero() || told && loose == 0:
		return again, nil
	case !s.over(w):
		return w.last.Add(idle), nil
	case loose > 0 && tree.several:
		err = s.w.Gap(ctx, stemma.Gap{Source: Source, Place: "trace " + w.trace, Reason: "a span that names no session, in a trace that tells of several", Count: loose, Seen: w.last})
	}
	if !told {
		again = never
	}
	return again, err
}
