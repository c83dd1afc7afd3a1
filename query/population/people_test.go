package population_test

import (
	"slices"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/lineage/deployed"
	"github.com/stemma-dev/stemma/query/querytest"
	"github.com/stemma-dev/stemma/review"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestAnApprovalByAnotherAccountOfTheAuthorIsNone(t *testing.T) {
	author, account, other := querytest.Person(1), querytest.Person(2), querytest.Person(3)
	apart := identity.NewTie(identity.TieJudgement, author, account)
	apart.Apart, apart.By, apart.At = true, other, at(9)
	for name, c := range map[string]struct {
		by   stemma.Ref
		ties []identity.Tie
		want bool
	}{
		"the author":                                  {author, nil, false},
		"somebody else":                               {other, nil, true},
		"an account of which nothing is known":        {account, nil, true},
		"another account of the author":               {account, []identity.Tie{identity.NewTie(identity.TieNoreply, author, account)}, false},
		"an account that a person said is not theirs": {account, []identity.Tie{identity.NewTie(identity.TieNoreply, author, account), apart}, true},
	} {
		t.Run(name, func(t *testing.T) {
			storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
				s, db := &story{t: t}, open()
				s.commit(1, 0)
				s.tell(change.Change{Repository: repository, Number: 10, Author: author, Method: "merge", Merged: at(1), Commits: []stemma.Ref{commitRef(1)}})
				s.tell(review.Review{ID: review.Ref("github.com", "1"), Change: change.NumberedRef(repository, 10), Reviewer: c.by, Verdict: "approved", Submitted: at(1)})
				for _, tie := range c.ties {
					s.tell(tie)
				}
				s.deployed("prod", "pay", "d1", "v1", 20, commitRef(1))
				querytest.Tell(t, db, s.facts...)
				p, got := ask(t, db, deployed.Ask{Environment: "prod"})
				if len(p.Members) != 1 || slices.Contains(p.Members[0].Missing, "review") == c.want {
					t.Errorf("%v", got)
				}
			})
		})
	}
}
