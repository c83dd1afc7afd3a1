package gather

import (
	"cmp"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/policy/subject"
)

// An incidentRow is an incident as the tables have it.
type incidentRow struct {
	id     int64
	i      subject.Incident
	judged map[int64]time.Time // when a cause was confirmed first
	told   time.Time           // when its first cause was stated
}

// readIncidents finds those of which a change, one of its commits or deployments, or
// something that it mends is a cause, or was held to be one.
func (g *gatherer) readIncidents() {
	of := slices.Concat(g.ids(), keys(g.commits), keys(g.deployments))
	for _, c := range g.changes {
		of = append(of, g.mends(c)...)
	}
	g.links(of, g.in, back, "caused-by suspects ruled-out")
}

// tied are the incidents that lead to a node.
func (g *gatherer) tied(id int64) []int64 {
	return through(g.in[id], "caused-by", "suspects", "ruled-out")
}

func (g *gatherer) readIncidentRows() {
	var ids []int64
	for id := range g.in {
		ids = append(ids, g.tied(id)...)
	}
	g.each(ids, `SELECT k.id, COALESCE(k."severity", ''), COALESCE(k."state", ''), COALESCE(k."opened", 0), COALESCE(k."resolved", 0)
		FROM {ids} CROSS JOIN k_incident k WHERE k.id = i.value`, func(scan func(...any) error) error {
		r := &incidentRow{judged: map[int64]time.Time{}}
		var opened, resolved int64
		err := scan(&r.id, &r.i.Severity, &r.i.State, &opened, &resolved)
		r.i.Opened, r.i.Resolved = moment(opened), moment(resolved)
		g.need(r.id)
		g.incidents[r.id] = r
		return err
	})
	g.links(ids, g.out, away, "caused-by suspects ruled-out")
	g.each(ids, `SELECT j.id, COALESCE(j."cause", 0), COALESCE(j."at", 0) FROM {ids} CROSS JOIN k_incident_judgement j
		WHERE j.id = i.value AND j."verdict" = 'confirmed' AND j."at" IS NOT NULL ORDER BY j.id, j."at" DESC`, func(scan func(...any) error) error {
		var id, cause, at int64
		err := scan(&id, &cause, &at)
		if r := g.incidents[id]; r != nil {
			r.judged[cause] = moment(at)
		}
		return err
	})
	g.each(ids, `SELECT t.src, r.recorded FROM (SELECT e.src, MIN(e.pos) AS pos FROM {ids} CROSS JOIN edge e
		WHERE e.src = i.value AND e.door IN {doors caused-by} GROUP BY e.src) t CROSS JOIN fact r WHERE r.pos = t.pos`, func(scan func(...any) error) error {
		var id, at int64
		err := scan(&id, &at)
		if r := g.incidents[id]; r != nil {
			r.told = moment(at)
		}
		return err
	})
}

// incidentsAbout are those of a change, and those of which it mends a confirmed cause.
func (g *gatherer) incidentsAbout(c *changeRow) (ids []int64) {
	for _, id := range slices.Concat([]int64{c.id}, g.all(c), g.brought(c)) {
		ids = append(ids, g.tied(id)...)
	}
	for _, id := range g.mends(c) {
		ids = append(ids, through(g.in[id], "caused-by")...)
	}
	slices.Sort(ids)
	return slices.DeleteFunc(slices.Compact(ids), func(id int64) bool { return g.incidents[id] == nil })
}

func (g *gatherer) putIncidents(s *subject.Subject, c *changeRow) {
	ids := g.incidentsAbout(c)
	slices.SortFunc(ids, func(a, b int64) int {
		return cmp.Or(g.incidents[a].i.Opened.Compare(g.incidents[b].i.Opened), cmp.Compare(g.ref(a), g.ref(b)))
	})
	for _, id := range most(s, ids, maxIncidents, "incidents") {
		r := g.incidents[id]
		x := r.i
		x.Thing = g.thing(id)
		causes := through(g.out[id], "caused-by")
		x.Causes, x.Suspects, x.RuledOut = g.refs(causes), g.refs(through(g.out[id], "suspects")), g.refs(through(g.out[id], "ruled-out"))
		for _, cause := range causes {
			if at := r.judged[cause]; !at.IsZero() && (x.Traced.IsZero() || at.Before(x.Traced)) {
				x.Traced = at
			}
		}
		if x.Traced.IsZero() {
			x.Traced = r.told
		}
		x.Deployed = slices.ContainsFunc(slices.Concat(x.Causes, x.Suspects), func(ref string) bool { return stemma.Ref(ref).Kind() == stemma.KindDeployment })
		s.Incidents = append(s.Incidents, x)
	}
}
