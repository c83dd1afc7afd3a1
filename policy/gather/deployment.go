package gather

import (
	"cmp"
	"slices"

	"github.com/stemma-dev/stemma/policy/subject"
)

// A deploymentRow is a deployment as the tables have it.
type deploymentRow struct {
	id, environment, actor int64
	d                      subject.Deployment
	before                 []int64 // artifacts that the one ships that it replaces
}

// sameService is true of another deployment x of the service of d that succeeded. It names
// no column by itself, so that the others are looked at by their times: the next one is
// near, however many there are.
const sameService = `x."environment" + 0 = d."environment" AND COALESCE(x."service", '') = COALESCE(d."service", '') AND COALESCE(x."status", '') IN ('success', 'inactive')`

// bringing are the deployments that brought changes.
func (g *gatherer) bringing() (ids []int64) {
	for _, c := range g.changes {
		ids = append(ids, through(g.in[c.id], "brings")...)
	}
	return ids
}

func (g *gatherer) readDeployments() {
	ids := g.bringing()
	// Another one of its service that succeeded before is what could be gone back to.
	g.each(ids, `SELECT d.id, COALESCE(d."environment", 0), COALESCE(d."actor", 0), COALESCE(v."name", ''), COALESCE(v."tier", ''), COALESCE(d."service", ''),
			COALESCE(d."version", ''), COALESCE(d."status", ''), COALESCE(d."task", ''), COALESCE(d."at", 0), COALESCE(d."orphans", -1), COALESCE(d."direct", -1),
			CASE WHEN (SELECT x.id FROM k_deployment x WHERE x."at" < d."at" AND `+sameService+` ORDER BY x."at" DESC LIMIT 1) IS NULL THEN 1 ELSE 0 END
		FROM {ids} CROSS JOIN k_deployment d LEFT JOIN k_environment v ON v.id = d."environment" WHERE d.id = i.value`, func(scan func(...any) error) error {
		r := &deploymentRow{}
		d := &r.d
		var at int64
		err := scan(&r.id, &r.environment, &r.actor, &d.Environment, &d.Tier, &d.Service, &d.Version, &d.Status, &d.Task, &at, &d.Orphans, &d.Direct, &d.First)
		d.At = moment(at)
		g.need(r.id, r.environment, r.actor)
		g.deployments[r.id] = r
		return err
	})
	g.each(ids, `SELECT e.src, s.dst FROM {ids} CROSS JOIN edge e CROSS JOIN edge s CROSS JOIN k_artifact a
		WHERE e.src = i.value AND e.door IN {doors replaces} AND s.src = e.dst AND s.door IN {doors ships} AND a.id = s.dst ORDER BY e.src, s.dst`, func(scan func(...any) error) error {
		var id, artifact int64
		err := scan(&id, &artifact)
		if r := g.deployments[id]; r != nil {
			r.before = append(r.before, artifact)
			g.need(artifact)
		}
		return err
	})
	g.readSnapshots(ids)
}

// readSnapshots reads what was seen to run while a deployment was the last one of its
// service: the most of it that nothing explained.
func (g *gatherer) readSnapshots(ids []int64) {
	g.each(ids, `WITH t AS MATERIALIZED (SELECT d.id, d."environment", d."at", COALESCE(d."until", (SELECT x."at" FROM k_deployment x
				WHERE x."at" > d."at" AND `+sameService+` ORDER BY x."at" LIMIT 1)) AS until
			FROM {ids} CROSS JOIN k_deployment d WHERE d.id = i.value)
		SELECT t.id, COUNT(*), MAX(COALESCE(n."unexplained", 0)) FROM t CROSS JOIN k_snapshot n
		WHERE n."taken" >= t."at" AND n."taken" < COALESCE(t.until, n."taken" + 1) AND n."environment" + 0 = t."environment" GROUP BY t.id`,
		func(scan func(...any) error) error {
			var id int64
			var all, unexplained int
			err := scan(&id, &all, &unexplained)
			g.deployments[id].d.Snapshots, g.deployments[id].d.Unexplained = all, unexplained
			return err
		})
}

// brought are the deployments that brought a change, in order.
func (g *gatherer) brought(c *changeRow) (ids []int64) {
	for _, id := range through(g.in[c.id], "brings") {
		if g.deployments[id] != nil {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b int64) int {
		return cmp.Or(g.deployments[a].d.At.Compare(g.deployments[b].d.At), cmp.Compare(g.ref(a), g.ref(b)))
	})
	return ids
}

func (g *gatherer) putDeployments(s *subject.Subject, c *changeRow) {
	for _, id := range most(s, g.brought(c), maxDeployments, "deployments") {
		r := g.deployments[id]
		d := r.d
		d.Thing, d.Actor = g.thing(id), g.people[r.actor]
		if runs := g.refs(through(g.out[id], "run")); len(runs) > 0 {
			d.Run = runs[0]
		}
		d.Artifacts = g.refs(g.built(through(g.out[id], "ships")))
		if replaced := g.refs(through(g.out[id], "replaces")); len(replaced) > 0 {
			d.Replaces = replaced[0]
		}
		d.ReplacesOf = g.refs(r.before)
		s.Deployments = append(s.Deployments, d)
	}
}
