package repo

import (
	"context"
	"maps"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest/repo/bound"
)

// bindLines finds by content whose the lines are of commits that no record tells of,
// and states those commits again.
func (s *scanner) bindLines(ctx context.Context) error {
	if err := s.flush(ctx); err != nil { // all records are to be in the graph
		return err
	}
	r := bound.Reader{
		DB: s.space.DB, Ledger: s.space.Ledger, Repo: s.repo, Has: s.weave.Has, Seen: &s.seen, Since: s.mark.Bound, Progress: s.o.Progress,
	}
	var err error
	if s.bound, s.mark.Bound, err = r.Read(ctx); err != nil {
		return err
	}
	late, err := s.readLate(ctx, slices.Collect(maps.Keys(s.bound)))
	maps.Copy(s.late, late)
	return err
}

// stateBound states what was found of a commit of which no record tells. It comes
// behind the commit: if the scan is interrupted before it, it is found again.
func (s *scanner) stateBound(ctx context.Context, of *change.Commit) error {
	f, ok := s.bound[of.SHA]
	if !ok {
		return nil
	}
	a := f.Attribution(of.Ref())
	a.UnknownLines, a.Occurred = of.Lines.Unknown, of.Committed
	return s.w.Record(ctx, a, bound.Source, stemma.GradeD)
}

// dropBound states that what was found of a commit does not count any more, since
// a record tells of it now.
func (s *scanner) dropBound(ctx context.Context, at stemma.Ref) error {
	a := bound.Found{}.Attribution(at)
	a.Occurred = stemma.At(s.o.Now())
	return s.w.Record(ctx, a, bound.Source, stemma.GradeD)
}
