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

// settle looks at some traces: first whose spans are whose, then what the sessions are
// that they are of. Traces are looked at again if the process dies before the end.
func (t *Traces) settle(ctx context.Context, list []waiting) error {
	touched := map[stemma.Ref]bool{}
	again := make([]time.Time, len(list))
	for i, w := range list {
		var err error
		if again[i], err = t.look(ctx, w, touched); err != nil {
			return err
		}
	}
	w := ingest.NewWriter(ctx, t.space, t.now)
	var kept []*row
	var err error
	for _, ref := range slices.Sorted(maps.Keys(touched)) {
		var sealed []*row
		if sealed, err = t.tell(ctx, w, ref); err != nil {
			break
		}
		kept = append(kept, sealed...)
	}
	if err = errors.Join(err, w.Close(ctx)); err != nil {
		return err
	}
	if err := t.sealed(ctx, kept); err != nil {
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

// never is when a trace is looked at again of which nothing needs to be kept.
var never = time.Unix(1, 0)

// look works out which sessions the spans of a trace are told in, and says when to look
// at it again.
func (t *Traces) look(ctx context.Context, w waiting, touched map[stemma.Ref]bool) (again time.Time, err error) {
	rows, err := t.rows(ctx, w.trace)
	if err != nil {
		return again, err
	}
	still := !t.now().Before(w.last.Add(quiet))
	moved, worked := map[string]stemma.Ref{}, false
	for id, n := range plant(spans(rows)).nodes {
		if n.Kind == "" {
			continue
		}
		worked = true
		r, to := rows[id], stemma.Ref("")
		switch {
		case n.again || n.key.id == "":
		case n.sure || still:
			to = n.ref()
		default:
			to, again = r.session, w.last.Add(quiet)
		}
		if r.session != to {
			moved[id] = to
		}
		for _, ref := range []stemma.Ref{r.session, to} {
			if ref != "" {
				touched[ref] = true
			}
		}
	}
	if err := t.assign(ctx, w.trace, moved); err != nil {
		return again, err
	}
	switch {
	case worked:
		return again, nil
	case t.now().Before(w.last.Add(idle)):
		return w.last.Add(idle), nil
	}
	return never, nil
}
