package gather

import (
	"fmt"
	"slices"
	"time"

	"github.com/stemma-dev/stemma/policy/subject"
)

// A sessionRow is a session as the tables have it.
type sessionRow struct {
	id, parent int64
	s          subject.Session
	models     []int64 // in step with s.Models
	rows, said int     // messages, and those of which the text is kept by itself
	state      string  // kept, erased, or nothing
	ground     bool    // it is said on what ground it was erased
}

// seeds are the sessions that a change is known to come from.
func (g *gatherer) seeds(c *changeRow) []int64 {
	ids := through(g.out[c.id], "session", "opened")
	for _, x := range c.credits {
		ids = append(ids, x.session)
	}
	for _, id := range g.all(c) {
		ids = append(ids, g.sessionsOf(g.commits[id])...)
	}
	slices.Sort(ids)
	return slices.DeleteFunc(slices.Compact(ids), func(id int64) bool { return id == 0 })
}

// readSessions finds the sessions from which changes came, and all above them.
func (g *gatherer) readSessions() {
	var ids []int64
	for _, c := range g.changes {
		ids = append(ids, g.seeds(c)...)
	}
	// Steps keep a circle from going on for ever.
	g.each(ids, `WITH RECURSIVE up(id, steps) AS (SELECT CAST(i.value AS BIGINT), 0 FROM {ids}
			UNION SELECT e.dst, up.steps + 1 FROM up CROSS JOIN edge e WHERE e.src = up.id AND e.door IN {doors spawned-by} AND up.steps < $2)
		SELECT DISTINCT up.id FROM up`, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		g.session[id] = &sessionRow{id: id}
		return err
	}, maxAncestors)
}

// readSession reads what is told of each of them; and whether what was said is kept, or was
// erased, and on what ground.
func (g *gatherer) readSession() {
	g.date(keys(g.session)...)
	g.links(keys(g.session), g.out, away, "spawned-by operator works-on")
	g.each(keys(g.session), `SELECT n.id, COALESCE(s."tool", ''), COALESCE(s."harness_version", ''), COALESCE(s."started", 0), COALESCE(s."ended", 0), COALESCE(s."parent", 0),
			COALESCE(s."depth", 0), COALESCE(s."turns", 0), COALESCE(s."prompts", 0), COALESCE(s."iterations", 0), COALESCE(s."reprompts", 0), COALESCE(s."cost_micro_usd", 0),
			CASE WHEN s."cost_micro_usd" IS NULL THEN 0 ELSE 1 END,
			CASE WHEN k.owner IS NULL THEN '' WHEN k.wrapped IS NULL THEN 'erased' WHEN EXISTS (SELECT 1 FROM body b WHERE b.owner = n.ref) THEN 'kept' ELSE '' END,
			CASE WHEN EXISTS (SELECT 1 FROM k_gap x WHERE x."about" = n.id AND x."source" = 'erasure') THEN 1 ELSE 0 END
		FROM {ids} CROSS JOIN node n LEFT JOIN k_session s ON s.id = n.id LEFT JOIN data_key k ON k.owner = n.ref WHERE n.id = i.value`, func(scan func(...any) error) error {
		var id, started, ended, parent int64
		var s subject.Session
		var state string
		var ground bool
		err := scan(&id, &s.Tool, &s.HarnessVersion, &started, &ended, &parent, &s.Depth, &s.Turns, &s.Prompts, &s.Iterations, &s.Reprompts, &s.CostMicroUSD, &s.Priced, &state, &ground)
		s.Started, s.Ended = moment(started), moment(ended)
		r := g.session[id]
		r.s, r.parent, r.state, r.ground = s, parent, state, ground
		g.need(parent)
		return err
	})
	g.readModels()
	g.readSessionConfigs()
	g.readTools()
	g.readTurns()
}

// parent is the session that spawned one: the one that it names, or else one that an edge does.
func (g *gatherer) parent(id int64) int64 {
	if p := g.session[id].parent; p != 0 {
		return p
	}
	for _, up := range through(g.out[id], "spawned-by") {
		return up
	}
	return 0
}

func (g *gatherer) readModels() {
	g.each(keys(g.session), `SELECT t.id, COALESCE(t."model", 0), COALESCE(t."name", ''), COALESCE(m."version", ''), COALESCE(m."named", 0), COALESCE(t."turns", 0)
		FROM {ids} CROSS JOIN k_session_model t LEFT JOIN k_model m ON m.id = t."model" WHERE t.id = i.value ORDER BY t.id, t.seq`, func(scan func(...any) error) error {
		var id, model int64
		var m subject.Model
		err := scan(&id, &model, &m.Name, &m.Version, &m.Named, &m.Turns)
		r := g.session[id]
		r.s.Models, r.models = append(r.s.Models, m), append(r.models, model)
		g.need(model)
		return err
	})
}

func (g *gatherer) readSessionConfigs() {
	g.each(keys(g.session), `SELECT t.id, COALESCE(t."kind", ''), COALESCE(t."name", ''), COALESCE(t."digest", '') FROM {ids} CROSS JOIN k_session_config t
		WHERE t.id = i.value ORDER BY t.id, t.seq`, func(scan func(...any) error) error {
		var id int64
		var c subject.Config
		err := scan(&id, &c.Kind, &c.Name, &c.Digest)
		g.session[id].s.Configs = append(g.session[id].s.Configs, c)
		return err
	})
}

func (g *gatherer) readTools() {
	g.each(keys(g.session), `SELECT t.id, t."tool", COUNT(*), MAX(COALESCE(t."network", 0)) FROM {ids} CROSS JOIN k_session_tool_call t
		WHERE t.id = i.value AND t."tool" IS NOT NULL GROUP BY t.id, t."tool" ORDER BY t.id, t."tool"`, func(scan func(...any) error) error {
		var id int64
		var t subject.Tool
		err := scan(&id, &t.Name, &t.Calls, &t.Network)
		g.session[id].s.Tools = append(g.session[id].s.Tools, t)
		return err
	})
}

func (g *gatherer) readTurns() {
	g.each(keys(g.session), `SELECT t.id, COUNT(*), COUNT(t."body") FROM {ids} CROSS JOIN k_session_turn t WHERE t.id = i.value GROUP BY t.id`, func(scan func(...any) error) error {
		var id int64
		var rows, said int
		err := scan(&id, &rows, &said)
		g.session[id].rows, g.session[id].said = rows, said
		return err
	})
}

// lineageOf are the sessions of a change with all above them.
func (g *gatherer) lineageOf(c *changeRow) []int64 {
	if c.sessions != nil {
		return c.sessions
	}
	ids := g.seeds(c)
	seen := map[int64]bool{}
	for _, id := range ids {
		seen[id] = true
	}
	front := ids
	for range maxAncestors {
		var next []int64
		for _, id := range front {
			for _, up := range through(g.out[id], "spawned-by") {
				if !seen[up] && g.session[up] != nil {
					seen[up] = true
					next = append(next, up)
				}
			}
		}
		ids, front = append(ids, next...), next
	}
	c.sessions = ids
	c.cut = slices.ContainsFunc(front, func(id int64) bool {
		return slices.ContainsFunc(through(g.out[id], "spawned-by"), func(up int64) bool { return !seen[up] })
	})
	return ids
}

func (g *gatherer) putSessions(s *subject.Subject, c *changeRow) {
	ids := g.lineageOf(c)
	if c.cut {
		s.Gaps = append(s.Gaps, subject.Gap{
			Source: Source, Place: s.Change.Ref, Reason: fmt.Sprintf("there are more than %d sessions above one of its sessions, and the others were not looked at", maxAncestors),
		})
	}
	ids = g.byTime(slices.Clone(ids), func(id int64) time.Time { return g.session[id].s.Started })
	for _, id := range most(s, ids, maxSessions, "sessions") {
		r := g.session[id]
		x := r.s
		x.Thing, x.Recorded, x.Stated, x.Parent = g.thing(id), g.recorded[id], g.names[id].stated, g.ref(g.parent(id))
		x.Models, x.Configs, x.Tools = slices.Clone(x.Models), slices.Clone(x.Configs), slices.Clone(x.Tools)
		for i := range x.Models {
			x.Models[i].Ref = g.ref(r.models[i])
		}
		x.Operators = g.crowd(through(g.out[id], "operator"))
		x.Tickets = g.refs(through(g.out[id], "works-on"))
		x.Turns = max(x.Turns, r.rows)
		texts := x.Turns // in a transcript of all of it
		if r.said > 0 {
			texts = r.said
		}
		switch {
		case r.state == "kept":
			x.Kept = texts
		case r.state == "erased" && r.ground:
			x.Erased = texts
		}
		s.Sessions = append(s.Sessions, x)
	}
}
