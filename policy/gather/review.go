package gather

import (
	"cmp"
	"slices"

	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/review"
)

// A reviewRow is a review as the tables have it.
type reviewRow struct {
	id, by, head int64
	role         string
	r            subject.Review
}

type roleRow struct {
	id int64
	r  subject.Role
}

func (g *gatherer) readReviews() {
	g.each(g.ids(), `SELECT r.id, r."change", COALESCE(r."reviewer", 0), COALESCE(r."head", 0), COALESCE(r."role", ''), COALESCE(r."verdict", ''), COALESCE(r."tree", ''),
			COALESCE(r."submitted", 0), COALESCE(r."dismissed", 0), COALESCE(r."comments", 0)
		FROM {ids} CROSS JOIN k_review r WHERE r."change" = i.value`, func(scan func(...any) error) error {
		x := &reviewRow{}
		var of, submitted int64
		err := scan(&x.id, &of, &x.by, &x.head, &x.role, &x.r.Verdict, &x.r.Tree, &submitted, &x.r.Dismissed, &x.r.Comments)
		x.r.Submitted = moment(submitted)
		g.need(x.by, x.head)
		g.date(x.id)
		g.reviews[of] = append(g.reviews[of], x)
		return err
	})
}

// readRoles reads in which roles who gave reviews did so.
func (g *gatherer) readRoles() {
	g.each(g.reviewIDs(), `SELECT s.id, s."review", COALESCE(s."role", ''), COALESCE(s."method", ''), COALESCE(s."owned", 0), COALESCE(s."files", 0)
		FROM {ids} CROSS JOIN k_standing s WHERE s."review" = i.value AND COALESCE(s."withdrawn", 0) = 0`, func(scan func(...any) error) error {
		var x roleRow
		var of int64
		err := scan(&x.id, &of, &x.r.Role, &x.r.Method, &x.r.Owned, &x.r.Files)
		g.need(x.id)
		g.roles[of] = append(g.roles[of], x)
		return err
	})
}

func (g *gatherer) reviewIDs() (ids []int64) {
	for _, list := range g.reviews {
		for _, r := range list {
			ids = append(ids, r.id)
		}
	}
	return ids
}

func (g *gatherer) putReviews(s *subject.Subject, c *changeRow) {
	list := slices.Clone(g.reviews[c.id])
	slices.SortFunc(list, func(a, b *reviewRow) int {
		return cmp.Or(b.r.Submitted.Compare(a.r.Submitted), cmp.Compare(g.ref(a.id), g.ref(b.id)))
	})
	list = most(s, list, maxReviews, "reviews") // the last ones say what counts
	slices.SortFunc(list, func(a, b *reviewRow) int {
		return cmp.Or(a.r.Submitted.Compare(b.r.Submitted), cmp.Compare(g.ref(a.id), g.ref(b.id)))
	})
	for _, x := range list {
		r := x.r
		r.Thing, r.By, r.Head, r.Recorded = g.thing(x.id), g.people[x.by], g.ref(x.head), g.recorded[x.id]
		if k := g.commits[x.head]; r.Tree == "" && k != nil {
			r.Tree = k.tree
		}
		if x.role != "" {
			r.Roles = append(r.Roles, subject.Role{Thing: r.Thing, Role: x.role, Method: review.StandingPayload})
		}
		for _, y := range g.roles[x.id] {
			role := y.r
			role.Thing = g.thing(y.id)
			r.Roles = append(r.Roles, role)
		}
		slices.SortFunc(r.Roles, func(a, b subject.Role) int {
			return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Method, b.Method), cmp.Compare(a.Ref, b.Ref))
		})
		s.Reviews = append(s.Reviews, r)
	}
}
