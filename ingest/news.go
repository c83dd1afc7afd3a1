package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/stemma-dev/stemma"
)

// A Novelty says what is new in a fact.
type Novelty int

// What is new.
const (
	Known     Novelty = iota // nothing: its source said all of it, or something later
	Different                // something about a thing that the source spoke of
	Absent                   // the thing itself: the source never spoke of it
)

// News compares facts, in their order, with what their sources said about the same things
// before, as [Writer.Latest] would take them. It states nothing.
func (s *Space) News(ctx context.Context, facts ...stemma.Fact) ([]Novelty, error) {
	told, err := s.told(ctx, facts)
	if err != nil {
		return nil, err
	}
	news := make([]Novelty, len(facts))
	for i, f := range facts {
		f.Whole = false // as Latest takes it
		settled, _, err := f.Settle()
		if err != nil {
			continue // no room accepts it
		}
		a := told.of(teller{f.Subject, f.Source})
		if news[i], err = a.novelty(settled); err == nil {
			_, err = a.add(settled)
		}
		if err != nil {
			return nil, fmt.Errorf("ingest: what is new about %s: %w", f.Subject, err)
		}
	}
	return news, nil
}

// novelty says what is new in a fact, whichever of the facts before said the rest.
func (a *account) novelty(f stemma.Fact) (Novelty, error) {
	if len(a.facts) == 0 {
		return Absent, nil
	}
	var attrs map[string]json.RawMessage
	if len(f.Attrs) > 0 {
		if err := json.Unmarshal(f.Attrs, &attrs); err != nil {
			return Known, err
		}
	}
	for name, raw := range attrs {
		old, known := a.values[name]
		if !known || !bytes.Equal(old.raw, raw) && !old.at.After(f.Occurred) {
			return Different, nil
		}
	}
	for _, e := range f.Edges {
		if !slices.ContainsFunc(a.facts, func(before stemma.Fact) bool { return leads(before, f, e) }) {
			return Different, nil
		}
	}
	return Known, nil
}

// leads reports whether a fact has an edge of another one, on no worse evidence.
func leads(before, f stemma.Fact, e stemma.Edge) bool {
	return slices.ContainsFunc(before.Edges, func(o stemma.Edge) bool {
		return o.Door == e.Door && o.To == e.To && grade(before, o) <= grade(f, e)
	})
}
