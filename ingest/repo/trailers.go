package repo

import (
	"context"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/words"
	"github.com/stemma-dev/stemma/intent"
	"github.com/stemma-dev/stemma/session"
)

// takeWords fills in what the message of a commit says, but for people.
func takeWords(r *change.Commit, w words.Message) {
	r.Implements = w.Tickets
	for _, id := range w.Purpose.Reverts {
		if ref := change.ShaRef(id); ref != "" {
			r.Reverts = append(r.Reverts, ref)
		}
	}
	for _, id := range w.Picked {
		if ref := change.ShaRef(id); ref != "" {
			r.PickedFrom = append(r.PickedFrom, ref)
		}
	}
}

// readTrailers fills in the trailers: people as refs, everything else as it
// stands, and the agents that the commit names.
func (s *scanner) readTrailers(ctx context.Context, r *change.Commit, w words.Message) error {
	r.Trailers = []change.Trailer{}
	for _, t := range w.Trailers {
		if !t.Block {
			continue
		}
		if t.Is("Change-Id") {
			r.ChangeID = words.Short(t.Value, words.MaxTitle)
		}
		trailer := change.Trailer{Key: words.Short(t.Key, words.MaxTitle)}
		if intent.Unread(t.Key, t.Value) {
			gap := stemma.Gap{Source: sourceGit, Place: "commit " + r.SHA + " " + trailer.Key, Reason: "the trailer names no requirement that can be told from words", About: r.Ref()}
			if err := s.w.Gap(ctx, gap); err != nil {
				return err
			}
		}
		if words.NamesPeople(t.Key) {
			who := note.ParsePerson(t.Value)
			ref, err := s.w.Account(ctx, who.Name, who.Mail)
			if err != nil {
				return err
			}
			trailer.Person = ref
			if ref != "" && ref != r.Author && strings.EqualFold(t.Key, "Co-authored-by") && !slices.Contains(r.Coauthors, ref) {
				r.Coauthors = append(r.Coauthors, ref)
			}
		} else {
			trailer.Value = words.Short(words.WithoutAddresses(t.Value), stemma.MaxIndexed)
		}
		r.Trailers = append(r.Trailers, trailer)
	}
	for _, d := range w.Declared {
		if d.Assists() {
			r.AssistedBy = stemma.AddEdge(r.AssistedBy, stemma.Edge{To: identity.AgentRef(d.Agent), Basis: stemma.BasisDeclared, Method: d.Method})
		}
		named := s.declaredSessions(d)
		if d.Checkpoint != "" && len(named) == 0 {
			if err := s.noticeCheckpoint(ctx, r, d.Checkpoint); err != nil {
				return err
			}
		}
		for _, ref := range named {
			r.Sessions = stemma.AddEdge(r.Sessions, stemma.Edge{To: ref, Basis: stemma.BasisDeclared, Method: d.Method})
		}
	}
	return s.w.Intents(ctx, w)
}

// declaredSessions are the sessions that a mark of a commit names.
func (s *scanner) declaredSessions(d note.Declared) []stemma.Ref {
	if d.Session != "" && d.Agent != "" {
		return []stemma.Ref{session.Ref(d.Agent, words.Fit(d.Session))}
	}
	return s.checkpoints[d.Checkpoint]
}
