package gather

import (
	"cmp"
	"slices"

	"github.com/stemma-dev/stemma/policy/subject"
)

// A ticketRow is a ticket as the tables have it, or as they have it under another name.
type ticketRow struct {
	id           int64
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
		add(g.out[id])
	}
	return methods
}

// readTickets finds the tickets of changes, which a tracker may tell of under other names.
func (g *gatherer) readTickets() {
	for _, c := range g.changes {
		for id := range g.worksOn(c) {
			g.tickets[id] = &ticketRow{id: id}
		}
	}
	g.need(keys(g.tickets)...)
	g.links(keys(g.tickets), g.same, both, "same-as")
}

func (g *gatherer) readTicketRows() {
	ids := keys(g.tickets)
	for id := range g.tickets {
		ids = append(ids, through(g.same[id], "same-as")...)
	}
	g.each(ids, `SELECT t.id, COALESCE(t."title", ''), COALESCE(t."state", ''), COALESCE(t."type", ''), COALESCE(t."opened", 0), COALESCE(t."closed", 0)
		FROM {ids} CROSS JOIN k_ticket t WHERE t.id = i.value`, func(scan func(...any) error) error {
		var id, opened, closed int64
		var t subject.Ticket
		err := scan(&id, &t.Title, &t.State, &t.Type, &opened, &closed)
		t.Opened, t.Closed, t.Stated = moment(opened), moment(closed), true
		g.told[id] = t
		return err
	})
	g.each(keys(g.tickets), `WITH RECURSIVE up(ticket, id, steps) AS (SELECT CAST(i.value AS BIGINT), CAST(i.value AS BIGINT), 0 FROM {ids}
			UNION SELECT up.ticket, CASE WHEN e.src = up.id THEN e.dst ELSE e.src END, up.steps + 1 FROM up CROSS JOIN edge e
				WHERE (e.src = up.id AND e.door IN {doors part-of same-as} OR e.dst = up.id AND e.door IN {doors same-as}) AND up.steps < $2)
		SELECT DISTINCT up.ticket, e.dst FROM up CROSS JOIN edge e WHERE e.src = up.id AND e.door IN {doors refines} ORDER BY 1, 2`, func(scan func(...any) error) error {
		var id, requirement int64
		err := scan(&id, &requirement)
		g.tickets[id].requirements = append(g.tickets[id].requirements, requirement)
		g.need(requirement)
		return err
	}, maxUp)
}

// ticket is what a tracker tells of one, under whichever name.
func (g *gatherer) ticket(id int64) subject.Ticket {
	for _, name := range append([]int64{id}, through(g.same[id], "same-as")...) {
		if t, known := g.told[name]; known {
			return t
		}
	}
	return subject.Ticket{}
}

func (g *gatherer) readRequirements() {
	var ids []int64
	for _, c := range g.changes {
		ids = append(ids, through(g.out[c.id], "satisfies")...)
	}
	for _, t := range g.tickets {
		ids = append(ids, t.requirements...)
	}
	g.each(ids, `SELECT k.id, COALESCE(k."title", '') FROM {ids} CROSS JOIN k_requirement k WHERE k.id = i.value`, func(scan func(...any) error) error {
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
		t := g.ticket(id)
		t.Thing, t.Method = g.thing(id), methods[id]
		s.Tickets = append(s.Tickets, t)
		serves = append(serves, r.requirements...)
	}
	slices.SortFunc(serves, func(a, b int64) int { return cmp.Compare(g.ref(a), g.ref(b)) })
	for _, id := range most(s, slices.Compact(serves), maxTickets, "requirements") {
		s.Requirements = append(s.Requirements, subject.Requirement{Thing: g.thing(id), Title: g.titles[id]})
	}
}
