package gather

import (
	"cmp"
	"slices"

	"github.com/stemma-dev/stemma/policy/subject"
)

// readGaps reads what is known to be missing: of what the changes name, and of their
// repositories as a whole, among the last gaps of each. What was erased is told with its
// session.
func (g *gatherer) readGaps() {
	const columns = `COALESCE(x."source", ''), COALESCE(x."place", ''), COALESCE(x."reason", ''), COALESCE((SELECT MAX(f.occurred) FROM node_fact f WHERE f.node = x.id), 0)`
	const open = `COALESCE(x."closed", 0) = 0 AND x."source" <> 'erasure' ORDER BY i.value, x.id DESC`
	take := func(scan func(...any) error) error {
		var of, seen int64
		var x subject.Gap
		err := scan(&of, &x.Source, &x.Place, &x.Reason, &seen)
		x.Seen = moment(seen)
		if len(g.gapsOf[of]) <= maxGaps {
			g.gapsOf[of] = append(g.gapsOf[of], x)
		}
		return err
	}
	about := slices.Concat(g.ids(), keys(g.commits), keys(g.session), keys(g.runs), keys(g.deployments), keys(g.artifacts), keys(g.incidents), keys(g.tickets), g.reviewIDs())
	g.each(about, `SELECT i.value, `+columns+` FROM {ids} CROSS JOIN k_gap x WHERE x."about" = i.value AND `+open, take)
	g.each(g.repositories(), `SELECT i.value, `+columns+` FROM {ids} CROSS JOIN k_gap x WHERE x."repository" = i.value AND x."about" IS NULL
		AND x.id >= COALESCE((SELECT l.id FROM k_gap l WHERE l."repository" = i.value ORDER BY l.id DESC LIMIT 1 OFFSET $2), 0) AND `+open, take, lately-1)
}

func (g *gatherer) putGaps(s *subject.Subject, c *changeRow) {
	of := slices.Concat([]int64{c.repository, c.id}, g.all(c), g.brought(c), g.runsOf(c), g.lineageOf(c), keys(g.worksOn(c)))
	for _, r := range g.reviews[c.id] {
		of = append(of, r.id)
	}
	for _, id := range slices.Concat(g.all(c), g.runsOf(c), g.brought(c)) {
		of = append(of, g.builtOf(id)...)
	}
	of = append(of, g.incidentsAbout(c)...)
	slices.Sort(of)
	var list []subject.Gap
	for _, id := range slices.Compact(of) {
		list = append(list, g.gapsOf[id]...)
	}
	slices.SortFunc(list, func(a, b subject.Gap) int {
		return cmp.Or(b.Seen.Compare(a.Seen), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Place, b.Place), cmp.Compare(a.Reason, b.Reason))
	})
	list = most(s, list, maxGaps, "gaps")
	s.Gaps = append(s.Gaps, list...)
}
