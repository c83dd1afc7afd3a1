package note

import (
	"cmp"
	"iter"
	"maps"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/session"
)

// A SessionBook gathers what many notes say about the same sessions, so that
// one record of each is stated: every commit of a session names it again, and
// notes that carry one model each name several together. The zero value is
// empty. It is for one goroutine.
type SessionBook struct {
	byRef map[stemma.Ref]session.Session
}

// Add joins s to what is known of its session: models are united, the earliest
// start, the highest counts and the first operator by name stand, so that the
// order in which notes are read does not matter.
func (b *SessionBook) Add(s session.Session) {
	ref := s.Ref()
	if ref == "" {
		return
	}
	if b.byRef == nil {
		b.byRef = map[stemma.Ref]session.Session{}
	}
	known, ok := b.byRef[ref]
	if !ok {
		b.byRef[ref] = s
		return
	}
	known.Models = slices.Clone(known.Models)
	for _, m := range s.Models {
		if !slices.ContainsFunc(known.Models, func(k session.ModelUse) bool { return k.Name == m.Name }) {
			known.Models = append(known.Models, m)
		}
	}
	slices.SortFunc(known.Models, func(x, y session.ModelUse) int { return cmp.Compare(x.Name, y.Name) })
	if known.Started == 0 || s.Started != 0 && s.Started < known.Started {
		known.Started = s.Started
	}
	known.Prompts = max(known.Prompts, s.Prompts)
	if len(s.Operator) > 0 && (len(known.Operator) == 0 || s.Operator[0].To < known.Operator[0].To) {
		known.Operator = s.Operator
	}
	b.byRef[ref] = known
}

// Get gives what was said of the session of ref.
func (b *SessionBook) Get(ref stemma.Ref) (session.Session, bool) {
	s, ok := b.byRef[ref]
	return s, ok
}

// All gives each session once, in the order of their refs.
func (b *SessionBook) All() iter.Seq[session.Session] {
	return func(yield func(session.Session) bool) {
		for _, ref := range slices.Sorted(maps.Keys(b.byRef)) {
			if !yield(b.byRef[ref]) {
				return
			}
		}
	}
}
