// Package standing keeps with reviews the roles in which they were given: the
// permission and the teams that a forge told of before, what the role map of the
// organisation says of that moment ([Link]), and the file of owners as it was at the
// base then ([Owners]).
//
// All may be told in any order: reviews before permissions, people that turn out to be
// one, histories that are read late. What follows from what a forge says is looked at
// again and withdrawn where it does not follow any more. What the role map or a file of
// owners once said of a review stays: a later edit of them changes nothing of it.
package standing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/review"
)

// Source is what the facts say they come from.
const Source = "standing"

// Link states in which roles by permission, team and role map reviews were given, as
// far as that is not known yet, and says how many facts that took.
func Link(ctx context.Context, space *ingest.Space, now func() time.Time) (int, error) {
	l := &linker{ctx: ctx, space: space, now: now}
	n, err := space.Follow(ctx, Source, now, l.mandates)
	if err != nil {
		return 0, fmt.Errorf("the standing of reviewers: %w", err)
	}
	return n, nil
}

// A linker looks at reviews.
type linker struct {
	ctx   context.Context
	space *ingest.Space
	now   func() time.Time

	held   map[int64][]identity.Mandate // by whom a person is known
	grades map[stemma.Ref]stemma.Grade  // of mandates
	known  map[stemma.Ref]bool          // standings, and whether they hold
}

// A given is a review that somebody gave.
type given struct {
	ref, reviewer stemma.Ref
	self          int64 // by whom the reviewer is known
	at            stemma.Moment
	change        int64
	repository    stemma.Ref
	platform      string // of the change
	target        string // the branch on which it is to land
}

// mandates states what follows from mandates for the reviews that are news, or for all
// if mandates or people are.
func (l *linker) mandates(since int64) (int, error) {
	if err := l.load(); err != nil || len(l.held) == 0 {
		return 0, err
	}
	news := false
	err := l.space.DB.Each(l.ctx, func(func(...any) error) error { news = true; return nil },
		`SELECT id FROM node WHERE kind IN ('mandate', 'tie') AND last_pos >= $1 LIMIT 1`, since)
	if err != nil {
		return 0, err
	}
	if news {
		since = 0
	}
	var facts []graded
	err = l.reviews(`n.last_pos >= $1`, []any{since}, func(g given) {
		facts = append(facts, l.following(g)...)
	})
	if err != nil {
		return 0, err
	}
	return len(facts), l.state(facts)
}

// A graded standing is one with how good the evidence is.
type graded struct {
	review.Standing
	grade stemma.Grade
}

// following are the standings of one review that are not known as they are.
func (l *linker) following(g given) (facts []graded) {
	holds := map[stemma.Ref]bool{}
	for _, m := range identity.InForce(l.held[g.self], g.at) {
		host, _ := g.repository.Split()
		if m.Repository != "" && m.Repository != g.repository || m.Host != "" && m.Host != host {
			continue
		}
		s := standingBy(g, m)
		holds[s.Ref()] = true
		if is, known := l.known[s.Ref()]; !known || !is && m.Method != identity.MandateMap {
			facts = append(facts, graded{s, l.grades[m.Ref()]})
			l.known[s.Ref()] = true
		}
	}
	for _, m := range l.held[g.self] {
		s := standingBy(g, m)
		if m.Method != identity.MandateMap && s.Ref() != "" && l.known[s.Ref()] && !holds[s.Ref()] {
			s.Withdrawn = true
			facts = append(facts, graded{s, l.grades[m.Ref()]})
			l.known[s.Ref()] = false
		}
	}
	return facts
}

// standingBy is the standing that a mandate gives a review.
func standingBy(g given, m identity.Mandate) review.Standing {
	s := review.Standing{Review: g.ref, Holder: g.reviewer, Role: m.Role, Via: m.Team, Method: m.Method, As: g.at}
	if m.Team != "" {
		s.Role = m.Team
	}
	return s
}

func (l *linker) state(facts []graded, gaps ...stemma.Gap) error {
	w := ingest.NewWriter(l.ctx, l.space, l.now)
	for _, g := range gaps {
		if err := w.Gap(l.ctx, g); err != nil {
			return errors.Join(err, w.Close(l.ctx))
		}
	}
	for _, f := range facts {
		if err := w.Record(l.ctx, f.Standing, Source, f.grade); err != nil {
			return errors.Join(err, w.Close(l.ctx))
		}
	}
	return w.Close(l.ctx)
}
