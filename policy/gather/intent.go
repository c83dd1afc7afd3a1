package gather

import (
	"cmp"
	"slices"

	"github.com/stemma-dev/stemma/policy/subject"
)

// A ticketRow is a ticket as the tables have it, or as they have it under another name.
type ticketRow struct {
	id           int64
	t            subject.Ticket
	requirements []int64
}

// maxUp is how many steps lead at most from a ticket to a requirement.
const maxUp = 8

// worksOn are the tickets of a change and of its commits, with how each is known.
func (g *gatherer) worksOn(c *changeRow) map[int64]string {
	methods := map[int64]string{}
	add := func(links []link) {
		for _, l := range links {
			if before, known := methods[l.to]; l.door == "implements" && (!known || before == "") {
				methods[l.to] = l.method
			}
		}
	}
	add(g.out[c.id])
	for _, id := range g.all(c) {
		if k := g.commits[id]; k != nil {
			add(k.out)
		}
	}
	return methods
}

func (g *gatherer) readTickets() error {
	for _, c := range g.changes {
		for id := range g.worksOn(c) {
			g.tickets[id] = &ticketRow{id: id}
		}
		g.need(through(g.out[c.id], "satisfies")...)
	}
	g.need(keys(g.tickets)...)
	// A tracker may tell of it under another name.
	same := map[int64][]link{}
	if err := g.links(keys(g.tickets), same, both, "same-as"); err != nil {
		return err
	}
	told, ids := map[int64]subject.Ticket{}, keys(g.tickets)
	for _, links := range same {
		ids = append(ids, through(links, "same-as")...)
	}
	err := g.each(ids, `SELECT t.id, COALESCE(t."title", ''), COALESCE(t."state", ''), COALESCE(t."type", ''), COALESCE(t."opened", 0), COALESCE(t."closed", 0)
		FROM {ids} CROSS JOIN k_ticket t WHERE t.id = i.value`, func(scan func(...any) error) error {
		var id, opened, closed int64
		var t subject.Ticket
		err := scan(&id, &t.Title, &t.State, &t.Type, &opened, &closed)
		t.Opened, t.Closed, t.Stated = moment(opened), moment(closed), true
		told[id] = t
		return err
	})
	if err != nil {
		return err
	}
	for id, r := range g.tickets {
		for _, name := range append([]int64{id}, through(same[id], "same-as")...) {
			if t, known := told[name]; known {
				r.t = t
				break
			}
		}
	}
	err = g.each(keys(g.tickets), `WITH RECURSIVE up(ticket, id, steps) AS (SELECT CAST(i.value AS BIGINT), CAST(i.value AS BIGINT), 0 FROM {ids}
			UNION SELECT up.ticket, CASE WHEN e.src = up.id THEN e.dst ELSE e.src END, up.steps + 1 FROM up CROSS JOIN edge e
				WHERE (e.src = up.id AND e.door IN {doors part-of same-as} OR e.dst = up.id AND e.door IN {doors same-as}) AND up.steps < $2)
		SELECT DISTINCT up.ticket, e.dst FROM up CROSS JOIN edge e WHERE e.src = up.id AND e.door IN {doors refines} ORDER BY 1, 2`, func(scan func(...any) error) error {
		var id, requirement int64
		err := scan(&id, &requirement)
		g.tickets[id].requirements = append(g.tickets[id].requirements, requirement)
		g.need(requirement)
		return err
	}, maxUp)
	if err != nil {
		return err
	}
	var serves []int64
	for _, c := range g.changes {
		serves = append(serves, through(g.out[c.id], "satisfies")...)
	}
	for _, t := range g.tickets {
		serves = append(serves, t.requirements...)
	}
	return g.each(serves, `SELECT k.id, COALESCE(k."title", '') FROM {ids} CROSS JOIN k_requirement k WHERE k.id = i.value`, func(scan func(...any) error) error {
		var id int64
		var title string
		err := scan(&id, &title)
		g.titles[id] = title
		return err
	})
}

func (g *gatherer) putTickets(s *subject.Subject, c *changeRow) {
	methods := g.worksOn(c)
	ids := keys(methods)
	slices.SortFunc(ids, func(a, b int64) int { return cmp.Compare(g.ref(a), g.ref(b)) })
	serves := through(g.out[c.id], "satisfies")
	for _, id := range most(s, ids, maxTickets, "tickets") {
		r := g.tickets[id]
		t := r.t
		t.Thing, t.Method = g.thing(id), methods[id]
		s.Tickets = append(s.Tickets, t)
		serves = append(serves, r.requirements...)
	}
	slices.SortFunc(serves, func(a, b int64) int { return cmp.Compare(g.ref(a), g.ref(b)) })
	for _, id := range most(s, slices.Compact(serves), maxTickets, "requirements") {
		s.Requirements = append(s.Requirements, subject.Requirement{Thing: g.thing(id), Title: g.titles[id]})
	}
}
