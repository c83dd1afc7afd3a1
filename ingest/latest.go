package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/lineage"
)

// Latest queues facts of sources that report how things stand, and may report late,
// again, or in any order. The time of such a fact is when it was so. An attribute that
// the same source told as of a later time is left out of the fact, so that the log may
// be read in its order and still ends with what was true last; of two that are as of
// one time the one that is greater in bytes stands, whatever came first. What was said
// already, as of the same time, is not said again. Edges are added.
//
// Of the same things nobody else may state facts of these sources meanwhile. A fact
// that no room accepts becomes a gap.
func (w *Writer) Latest(ctx context.Context, facts ...stemma.Fact) error {
	if err := w.Flush(ctx); err != nil {
		return err
	}
	told, err := w.space.told(ctx, facts)
	if err != nil {
		return err
	}
	for _, f := range facts {
		f.Whole = false // a report is never all there is
		err := w.latest(ctx, told.of(teller{f.Subject, f.Source}), f)
		var invalid *stemma.InvalidError
		if errors.As(err, &invalid) {
			err = w.Gap(ctx, stemma.Gap{Source: f.Source, Place: string(f.Subject), Reason: invalid.Field + ": " + invalid.Why})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *Writer) latest(ctx context.Context, told *account, f stemma.Fact) error {
	if err := lineage.Check(f); err != nil {
		return err
	}
	settled, _, err := f.Settle() // as the log gives it back
	if err != nil {
		return err
	}
	said, err := told.add(settled)
	if err != nil || said == nil {
		return err
	}
	return w.Put(ctx, *said)
}

// A teller is one source speaking about one thing.
type teller struct {
	subject stemma.Ref
	source  string
}

type memory map[teller]*account

func (m memory) of(t teller) *account {
	a := m[t]
	if a == nil {
		a = &account{values: map[string]value{}}
		m[t] = a
	}
	return a
}

// told reads what the sources of the facts told before about the same things.
func (s *Space) told(ctx context.Context, facts []stemma.Fact) (memory, error) {
	sources := map[string]bool{}
	var subjects []stemma.Ref
	for _, f := range facts {
		sources[f.Source] = true
		subjects = append(subjects, f.Subject)
	}
	slices.Sort(subjects)
	m := memory{}
	for e, err := range s.Ledger.About(ctx, slices.Compact(subjects)...) {
		if err != nil {
			return nil, err
		}
		if sources[e.Fact.Source] {
			if _, err := m.of(teller{e.Fact.Subject, e.Fact.Source}).add(e.Fact); err != nil {
				return nil, fmt.Errorf("ingest: what was told about %s: %w", e.Fact.Subject, err)
			}
		}
	}
	return m, nil
}

// An account is what one source told about one thing.
type account struct {
	facts  []stemma.Fact
	values map[string]value
}

// A value of an attribute, and as of when.
type value struct {
	at  time.Time
	raw json.RawMessage
}

// add takes a fact in and returns what of it is to be said: nil if it was said.
func (a *account) add(f stemma.Fact) (*stemma.Fact, error) {
	var attrs map[string]json.RawMessage
	if len(f.Attrs) > 0 {
		if err := json.Unmarshal(f.Attrs, &attrs); err != nil {
			return nil, err
		}
	}
	left := false
	for name, raw := range attrs {
		old, known := a.values[name]
		switch {
		case known && bytes.Equal(old.raw, raw):
			old.at = latest(old.at, f.Occurred)
			a.values[name] = old
		case known && (old.at.After(f.Occurred) || old.at.Equal(f.Occurred) && bytes.Compare(old.raw, raw) > 0):
			delete(attrs, name)
			left = true
		default:
			a.values[name] = value{f.Occurred, raw}
		}
	}
	if left {
		raw, err := json.Marshal(attrs)
		if err != nil {
			return nil, err
		}
		f.Attrs = raw
		if f, _, err = f.Settle(); err != nil {
			return nil, err
		}
	}
	for _, before := range a.facts {
		if covers(before, f, attrs) {
			return nil, nil
		}
	}
	a.facts = append(a.facts, f)
	return &f, nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// covers reports whether a fact says, as of the same time and on no worse evidence,
// all that another one says.
func covers(before, f stemma.Fact, attrs map[string]json.RawMessage) bool {
	if !before.Occurred.Equal(f.Occurred) || before.Grade > f.Grade || len(before.Edges) < len(f.Edges) {
		return false
	}
	var said map[string]json.RawMessage
	if json.Unmarshal(before.Attrs, &said) != nil {
		return false
	}
	for name, raw := range attrs {
		if !bytes.Equal(said[name], raw) {
			return false
		}
	}
	for _, e := range f.Edges {
		if !leads(before, f, e) {
			return false
		}
	}
	return true
}

func grade(f stemma.Fact, e stemma.Edge) stemma.Grade {
	if e.Grade != "" {
		return e.Grade
	}
	return f.Grade
}
