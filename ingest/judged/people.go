package judged

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest"
)

// A Sameness is what a person says about two accounts.
type Sameness struct {
	One, Other stemma.Ref
	Apart      bool // they are two, else they are one
	Open       bool // neither: what people said of the two is taken back
	Name, Mail string
	Reason     string
}

// maxReason bounds why somebody says something.
const maxReason = 1000

// Tell states what a person says about two accounts, and reports whether they are one
// now. The last word about a pair stands, whenever it arrives. Two are not to be one
// while other accounts of theirs are kept apart: that word has to be taken back first.
func Tell(ctx context.Context, space *ingest.Space, now func() time.Time, s Sameness) (one bool, err error) {
	for _, ref := range []stemma.Ref{s.One, s.Other} {
		known, err := space.Graph.Nodes(ctx, ref)
		if err != nil {
			return false, err
		}
		if len(known) == 0 || ref.Kind() != stemma.KindPerson && ref.Kind() != stemma.KindBot {
			return false, fmt.Errorf("people: there is no account %s: %w", ref, stemma.ErrNotFound)
		}
	}
	if s.One == s.Other {
		return false, fmt.Errorf("people: %s is one account", s.One)
	}
	tie := identity.NewTie(identity.TieJudgement, s.One, s.Other)
	if err := contradicted(ctx, space, s, tie); err != nil {
		return false, err
	}
	w := ingest.NewWriter(ctx, space, now)
	tie.Apart, tie.Open, tie.By, tie.At = s.Apart, s.Open, w.Person(s.Name, s.Mail, ""), stemma.At(now())
	tie.Reason = stemma.CleanText(s.Reason, maxReason)
	f, err := tie.Fact(Source, stemma.GradeD)
	if err == nil {
		err = w.Latest(ctx, f)
	}
	if closed := w.Close(ctx); err == nil {
		err = closed
	}
	if err != nil {
		return false, err
	}
	all, err := space.Graph.Same(ctx, s.One)
	return slices.Contains(all, s.Other), err
}

// contradicted is the error that somebody keeps apart what s would make one, or that
// nobody said what s takes back.
func contradicted(ctx context.Context, space *ingest.Space, s Sameness, pair identity.Tie) error {
	switch said, err := space.Graph.Nodes(ctx, pair.Ref()); {
	case err != nil:
		return err
	case s.Open && len(said) == 0:
		return fmt.Errorf("people: nobody has said anything of %s and %s: %w", s.One, s.Other, stemma.ErrNotFound)
	case s.Open || s.Apart:
		return nil
	}
	one, err := space.Graph.Same(ctx, s.One)
	if err != nil {
		return err
	}
	other, err := space.Graph.Same(ctx, s.Other)
	if err != nil {
		return err
	}
	var between error
	err = space.DB.Each(ctx, func(scan func(...any) error) error {
		var t identity.Tie
		if err := scan(&t.One, &t.Other); err != nil {
			return err
		}
		joins := slices.Contains(one, t.One) && slices.Contains(other, t.Other) || slices.Contains(other, t.One) && slices.Contains(one, t.Other)
		if joins && (t.One != pair.One || t.Other != pair.Other) {
			between = stemma.WithHint(fmt.Errorf("people: %s and %s cannot be one: %s and %s, which are accounts of theirs, are kept apart", s.One, s.Other, t.One, t.Other),
				"merge those two first, split them from the others, or forget that word")
		}
		return nil
	}, `SELECT a.ref, b.ref FROM k_tie t JOIN node a ON a.id = t."one" JOIN node b ON b.id = t."other" WHERE t."apart" = 1 AND COALESCE(t."open", 0) = 0`)
	if err != nil {
		return fmt.Errorf("people: who is kept apart: %w", err)
	}
	return between
}
