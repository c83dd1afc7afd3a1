package gather

import (
	"cmp"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/policy/subject"
)

// An exceptionRow is an exception as the tables have it.
type exceptionRow struct {
	id, owner, approver int64
	e                   subject.Exception
	program             bool // the approver has the address of an agent or a bot
}

const exceptionColumns = `SELECT k.id, i.value, COALESCE(k."control", ''), COALESCE(k."reason", ''), COALESCE(k."owner", 0), COALESCE(k."approver", 0), COALESCE(k."opened", 0),
	COALESCE(k."approved", 0), COALESCE(k."until", 0), COALESCE(k."followed_up", 0), COALESCE(k."withdrawn", 0), COALESCE(k."emergency", 0),
	COALESCE((SELECT p.email FROM node a JOIN profile p ON p.ref = a.ref WHERE a.id = k."approver"), ''),
	CASE WHEN k."change" IS NOT NULL AND EXISTS (SELECT 1 FROM edge e WHERE e.dst = k.id AND e.door IN {doors waived-by}) THEN 1 ELSE 0 END FROM {ids} CROSS JOIN k_exception k `

// readExceptions reads the exceptions for the changes and for their repositories.
func (g *gatherer) readExceptions() {
	take := func(scan func(...any) error) error {
		var r exceptionRow
		var of, opened, approved, until, followed, withdrawn int64
		var mail string
		err := scan(&r.id, &of, &r.e.Control, &r.e.Reason, &r.owner, &r.approver, &opened, &approved, &until, &followed, &withdrawn, &r.e.Emergency, &mail, &r.e.Waived)
		r.program = identity.Recognise("", mail).Kind != stemma.KindPerson
		for to, at := range map[*time.Time]int64{
			&r.e.Opened: opened, &r.e.Approved: approved, &r.e.Until: until, &r.e.FollowedUp: followed, &r.e.Withdrawn: withdrawn,
		} {
			*to = moment(at)
		}
		g.need(r.id, r.owner, r.approver)
		g.exceptions[of] = append(g.exceptions[of], r)
		return err
	}
	g.each(slices.Concat(g.ids(), g.repositories()), exceptionColumns+`WHERE k."change" = i.value UNION ALL `+exceptionColumns+`WHERE k."repository" = i.value ORDER BY 1`, take)
}

// readAdvisories reads all advisories about models, of which there are few.
func (g *gatherer) readAdvisories() {
	if len(g.session) == 0 {
		return
	}
	g.ask(`SELECT k.id, COALESCE(k."model", ''), COALESCE(k."title", ''), COALESCE(k."severity", ''), COALESCE(k."since", 0), COALESCE(k."published", 0),
		CASE WHEN k."standing" = 'open' THEN 0 ELSE COALESCE(k."withdrawn", 0) END FROM k_advisory k WHERE k."model" > ''`, func(scan func(...any) error) error {
		var id, since, published, withdrawn int64
		var a subject.Advisory
		err := scan(&id, &a.Model, &a.Title, &a.Severity, &since, &published, &withdrawn)
		a.Since, a.Published, a.Withdrawn = moment(since), moment(published), moment(withdrawn)
		g.need(id)
		g.advisories = append(g.advisories, advisoryRow{id, a})
		return err
	})
}

// An advisoryRow is an advisory as the tables have it.
type advisoryRow struct {
	id int64
	a  subject.Advisory
}

// putGovernance gives a change its exceptions, and the advisories that name a model of its
// sessions.
func (g *gatherer) putGovernance(s *subject.Subject, c *changeRow) {
	came := s.Change.Merged
	if came.IsZero() {
		came = s.Change.Opened
	}
	for i, r := range slices.Concat(g.exceptions[c.id], g.exceptions[c.repository]) {
		if i >= len(g.exceptions[c.id]) && !came.IsZero() && !r.e.Until.IsZero() && r.e.Until.Before(came) {
			continue // it was over before the change was there
		}
		r.e.Thing, r.e.Owner, r.e.Approver = g.thing(r.id), g.people[r.owner], g.people[r.approver]
		if r.program { // who grants is told by an address, and every address has the pseudonym of a person
			r.e.Approver.Human, r.e.Approver.Bot = false, true
		}
		s.Exceptions = append(s.Exceptions, r.e)
	}
	slices.SortFunc(g.advisories, func(a, b advisoryRow) int { return cmp.Compare(a.id, b.id) })
	for _, r := range g.advisories {
		if slices.ContainsFunc(s.Sessions, func(x subject.Session) bool {
			return slices.ContainsFunc(x.Models, func(m subject.Model) bool { return m.Fits(r.a.Model) })
		}) {
			a := r.a
			a.Thing = g.thing(r.id)
			s.Advisories = append(s.Advisories, a)
		}
	}
}
