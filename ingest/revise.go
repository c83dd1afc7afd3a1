package ingest

import (
	"context"
	"errors"
	"fmt"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/lineage"
)

// revisions bounds how often a fact is made again since somebody else was quicker.
const revisions = 100

// Revise states a fact that is made out of all that is known of a thing, such as a list
// that grew by one. If somebody else states something about the thing meanwhile the fact
// is made again, so that nobody's word is lost.
func (s *Space) Revise(ctx context.Context, about stemma.Ref, from func() (stemma.Fact, error)) error {
	for range revisions {
		size, err := s.Ledger.Size(ctx)
		if err != nil {
			return err
		}
		if _, err := s.Graph.Apply(ctx, s.Ledger); err != nil {
			return err
		}
		f, err := from()
		if err != nil {
			return err
		}
		if err := lineage.Check(f); err != nil {
			return err
		}
		switch err := s.Ledger.AppendFirst(ctx, f, size); {
		case errors.Is(err, ledger.ErrOvertaken):
			continue
		case err != nil:
			return err
		}
		_, err = s.Graph.Apply(ctx, s.Ledger)
		return err
	}
	return fmt.Errorf("ingest: stating what is known of %s: others stated something about it %d times meanwhile", about, revisions)
}
