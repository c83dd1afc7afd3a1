package program

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/lineage"
)

// Find is lineage.Find with the people that the store knows by name.
func (s *Store) Find(ctx context.Context, name string) ([]lineage.Candidate, error) {
	called, err := s.Called(ctx, name)
	if err != nil {
		return nil, err
	}
	return lineage.Find(ctx, s.Graph, name, called...)
}

// One resolves what a person typed to one thing.
func (s *Store) One(ctx context.Context, name string) (stemma.Ref, error) {
	found, err := s.Find(ctx, name)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", stemma.WithHint(fmt.Errorf("%s: %w", terminal.OneLine(name), stemma.ErrNotFound), "\"stemma scan\" reads a repository into the store")
	}
	if person, ok, err := s.onePerson(ctx, found); err != nil || ok {
		return person, err
	}
	if several := len(found) > 1 && (!found[0].Exact || found[1].Exact); several && found[0].Ref != stemma.Ref(name) {
		var names []string
		for _, f := range found[:min(len(found), 8)] {
			names = append(names, string(f.Ref))
		}
		return "", stemma.WithHint(fmt.Errorf("%s names several things", terminal.OneLine(name)), "choose one of: %s", strings.Join(names, "  "))
	}
	return found[0].Ref, nil
}

// onePerson is the person whose accounts all that was found exactly are.
func (s *Store) onePerson(ctx context.Context, found []lineage.Candidate) (person stemma.Ref, ok bool, err error) {
	if len(found) < 2 || !found[0].Exact || found[0].Kind != stemma.KindPerson {
		return "", false, nil
	}
	all, err := s.Graph.Same(ctx, found[0].Ref)
	other := slices.ContainsFunc(found, func(c lineage.Candidate) bool { return c.Exact && !slices.Contains(all, c.Ref) })
	return found[0].Ref, !other, err
}
