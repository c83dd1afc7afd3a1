package repo

import (
	"context"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/git/quote"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/repo/lines"
	"github.com/stemma-dev/stemma/ingest/words"
)

// attribute states which lines of a commit came from whom, by the records
// that speak of it and by what it says itself.
func (s *scanner) attribute(ctx context.Context, r *change.Commit, c *history.Commit, said words.Message) error {
	added := lines.Added(c)
	tally := change.Lines{Unknown: countLines(added)}
	at := note.Commit{Ref: r.Ref(), Committed: c.Committer.When, Added: added}
	records := s.claims.Take(c.ID)
	var spans []attribution.Span
	claimed := 0
	for _, one := range records {
		at.Note = one.Place
		made, err := s.claims.State(ctx, one, at)
		if err != nil {
			return err
		}
		claimed += one.Claimed
		spans = append(spans, made.Spans...)
		tally = change.Lines{AI: made.AILines, Human: made.HumanLines, Unknown: made.UnknownLines}
	}
	if len(records) > 1 {
		all := make([]note.Claims, len(records))
		for i, one := range records {
			all[i] = one.Claims
		}
		whole := note.Convert(note.Combine(all...), at).Attribution
		spans = whole.Spans
		tally = change.Lines{AI: whole.AILines, Human: whole.HumanLines, Unknown: whole.UnknownLines}
	}
	found, looked := s.bound[c.ID]
	recovered := s.claims.Recovered(c.ID) || looked
	switch {
	case len(records) > 0 && recovered:
		delete(s.bound, c.ID)
		if err := s.dropBound(ctx, at.Ref); err != nil {
			return err
		}
	case looked:
		spans, tally = found.Spans, found.Tally(tally.Unknown)
		claimed = tally.AI + tally.Human
	}
	reason := note.NoRecord
	switch {
	case len(records) > 0:
		reason = note.NoSpan
	case s.claims.Withdrawn(c.ID):
		reason = note.Withdrawn
	case len(spans) > 0:
		reason = note.Unfound
	}
	// What stands was read from another clone, or found by content before.
	elsewhere := len(records) == 0 && !looked && (s.claims.Standing(c.ID) || recovered)
	if elsewhere {
		if err := s.lines.Load(ctx, map[string]bool{c.ID: true}); err != nil {
			return err
		}
		tally = change.Lines{}
		for path, ranges := range added {
			for _, r := range ranges {
				tally = tally.Plus(s.lines.Count(c.ID, path, r.Start, r.End-r.Start+1))
			}
		}
	}
	if len(said.Declared) > 0 {
		more, err := s.stateDeclared(ctx, r, said, claimed > 0 || elsewhere, added, &tally)
		if err != nil {
			return err
		}
		spans = append(spans, more...)
		if len(records) == 0 {
			reason = note.Assisted
		}
	}
	if !elsewhere {
		s.lines.Put(c.ID, spans, reason)
	}
	r.Lines = &tally
	r.AuthorClass = tally.Class()
	if r.AuthorClass == change.ClassUnknown && len(said.Declared) > 0 {
		r.AuthorClass = change.ClassMixed // a person's commit that names an agent
	}
	return nil
}

// stateDeclared states what a commit says of itself. Only where the author or
// committer is an agent's own account do its lines count as AI; where a
// person's commit names an agent, or where a record tells, which lines it wrote
// is not said here.
func (s *scanner) stateDeclared(ctx context.Context, r *change.Commit, said words.Message, recorded bool, added map[string][]note.Range, tally *change.Lines) ([]attribution.Span, error) {
	a := attribution.Attribution{
		Commit: r.Ref(), Format: note.FormatDeclared, Basis: string(stemma.BasisDeclared), Occurred: r.Committed,
	}
	var own []attribution.Span
	for _, d := range said.Declared {
		if d.Agent == "" && d.ModelName == "" {
			continue
		}
		if err := s.w.Agent(ctx, d.Agent); err != nil {
			return nil, err
		}
		if err := s.w.Model(ctx, d.ModelName); err != nil {
			return nil, err
		}
		credit := attribution.Credit{
			Origin: string(stemma.OriginUnknown), Agent: words.Fit(d.Agent), ModelName: words.Short(d.ModelName, words.MaxTitle),
			Model: identity.ModelRef(d.ModelName), Lines: tally.Unknown,
		}
		if sessions := s.declaredSessions(d); len(sessions) == 1 {
			credit.Session = sessions[0]
		}
		if d.Bot && own == nil && !recorded {
			credit.Origin = string(stemma.OriginAI)
			own = wholeSpans(added, credit)
			tally.AI, tally.Unknown = tally.AI+tally.Unknown, 0
		}
		a.Credits = append(a.Credits, credit)
	}
	if len(a.Credits) == 0 {
		return nil, nil
	}
	a.Spans, a.Files = own, len(added)
	if a.Spans == nil {
		a.Spans = []attribution.Span{}
	}
	a.AILines, a.UnknownLines = tally.AI, tally.Unknown
	if recorded {
		a.AILines = 0 // the record tells
	}
	return own, s.w.Record(ctx, a, sourceGit, stemma.GradeD)
}

// wholeSpans gives every line a commit added to one agent.
func wholeSpans(added map[string][]note.Range, c attribution.Credit) []attribution.Span {
	spans := []attribution.Span{}
	for path, ranges := range added {
		quoted := quote.Path(path)
		if len(quoted) > stemma.MaxIndexed {
			continue
		}
		for _, r := range ranges {
			spans = append(spans, attribution.Span{
				Path: quoted, Start: r.Start, End: r.End, Origin: c.Origin, Basis: string(stemma.BasisDeclared),
				Agent: c.Agent, Model: c.Model, ModelName: c.ModelName, Session: c.Session,
			})
		}
	}
	slices.SortFunc(spans, func(a, b attribution.Span) int {
		if c := strings.Compare(a.Path, b.Path); c != 0 {
			return c
		}
		return a.Start - b.Start
	})
	return spans
}

func countLines(added map[string][]note.Range) int {
	n := 0
	for _, ranges := range added {
		for _, r := range ranges {
			n += r.End - r.Start + 1
		}
	}
	return n
}
