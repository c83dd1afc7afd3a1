package repo

import (
	"context"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/records"
)

// closeGaps closes the gaps that this scan did not find again and that are no
// more: the object can be read and so was everything that rests on it, the note
// was taken away, or this clone, which showed the ref, has it no more or shows
// it whole. It notes about which refs there still is a gap.
func (s *scanner) closeGaps(ctx context.Context) error {
	open, err := s.w.OpenGaps(ctx)
	if err != nil {
		return err
	}
	readable, err := s.readable(ctx, open)
	if err != nil {
		return err
	}
	var over []stemma.Gap
	for _, g := range open {
		ref := refOf(g)
		again := s.w.Stated(g.Ref())
		if !again && (g.Object != "" && readable[g.Object] || s.whole && checkpointOf(g) != "" || g.Source == records.Source && s.claims.Gone(g.Place) || s.answered(g, ref)) {
			over = append(over, g)
		} else if ref != "" && (again || s.shows(ref)) && !slices.Contains(s.silent, ref) {
			s.silent = append(s.silent, ref)
		}
	}
	return s.w.CloseGaps(ctx, over)
}

// readable tells which objects that gaps are for want of can be read. Only
// a scan that read everything can tell that nothing is wanting for them.
func (s *scanner) readable(ctx context.Context, gaps []stemma.Gap) (map[string]bool, error) {
	var objects []string
	for _, g := range gaps {
		if g.Object != "" && s.whole {
			objects = append(objects, g.Object)
		}
	}
	slices.Sort(objects)
	return s.repo.Readable(ctx, slices.Compact(objects))
}

// refOf is the ref that a gap is about as a whole, or under which what it is
// about lies; "" if that is not for the ref to tell.
func refOf(g stemma.Gap) string {
	switch {
	case g.Source == sourceGit && g.Place == "HEAD":
		return g.Place
	case g.Source == sourceAttestation && strings.HasPrefix(g.Place, "note "):
		return provenanceNotes
	case !strings.HasPrefix(g.Place, "refs/") || strings.Contains(g.Place, " at "): // what it held before
		return ""
	}
	end := strings.IndexAny(g.Place, " :") // which no name of a ref holds
	if end < 0 {
		return g.Place
	}
	return g.Place[:end]
}

// shows reports whether this clone has a ref.
func (s *scanner) shows(ref string) bool {
	_, ok := s.repo.Named(ref)
	return ok || ref == "HEAD"
}

// answered reports whether a gap about a ref, which this clone showed, is no
// more: the ref is gone, or was looked at and nothing was wanting.
func (s *scanner) answered(g stemma.Gap, ref string) bool {
	if ref == "" || !slices.Contains(s.before.Silent, ref) {
		return false
	}
	if !s.shows(ref) {
		delete(s.mark.Notes, ref) // if it comes back, it is read again
		return true
	}
	now, _ := s.repo.Named(ref)
	broken := now.Type == "" && ref != "HEAD"
	return !broken && (g.Source == sourceGit || records.ParserOf(ref) != nil || s.fresh[ref])
}
