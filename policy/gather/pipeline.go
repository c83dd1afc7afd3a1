package gather

import (
	"cmp"
	"slices"

	"github.com/stemma-dev/stemma/policy/subject"
)

// A runRow is a run as the tables have it.
type runRow struct {
	id, commit, actor, part int64
	configs, loose          int // files that told it what to do, and those that take something that may change
	r                       subject.Run
}

// runRows are runs r, as they are asked for in two ways.
const runRows = `SELECT r.id, COALESCE(r."commit", 0), COALESCE(r."actor", 0), COALESCE(r."part_of", 0), COALESCE(r."name", ''), COALESCE(r."system", ''),
	COALESCE(r."attempt", 0), COALESCE(r."conclusion", ''), COALESCE(r."started", 0), COALESCE(r."trigger", '') FROM {ids} CROSS JOIN k_run r WHERE `

func (g *gatherer) takeRun(scan func(...any) error) error {
	x := &runRow{}
	var started int64
	err := scan(&x.id, &x.commit, &x.actor, &x.part, &x.r.Name, &x.r.System, &x.r.Attempt, &x.r.Conclusion, &started, &x.r.Trigger)
	if g.runs[x.id] != nil { // for a change, and on a commit of it
		return err
	}
	x.r.Started = moment(started)
	g.need(x.id, x.commit, x.actor, x.part)
	g.runs[x.id], g.runsOn[x.commit] = x, append(g.runsOn[x.commit], x.id)
	return err
}

// readRunsFor reads the runs that say which change they are for.
func (g *gatherer) readRunsFor() {
	var ids []int64
	for _, c := range g.changes {
		ids = append(ids, through(g.in[c.id], "of-change")...)
	}
	g.each(ids, runRows+`r.id = i.value`, g.takeRun)
}

// readRunsOn reads those on the commits of changes, and on those that these stand on.
func (g *gatherer) readRunsOn() {
	g.each(slices.Concat(keys(g.commits), g.bases()), runRows+`r."commit" = i.value`, g.takeRun)
}

// readPins reads what told runs what to do.
func (g *gatherer) readPins() {
	g.each(keys(g.runs), `SELECT e.src, COUNT(*), CAST(COALESCE(SUM(CASE WHEN EXISTS (SELECT 1 FROM k_config_pin p WHERE p.id = e.dst AND COALESCE(p."pinned", 0) = 0) THEN 1 ELSE 0 END), 0) AS BIGINT)
		FROM {ids} CROSS JOIN edge e WHERE e.src = i.value AND e.door IN {doors uses} GROUP BY e.src`, func(scan func(...any) error) error {
		var id int64
		var all, loose int
		err := scan(&id, &all, &loose)
		g.runs[id].configs, g.runs[id].loose = all, loose
		return err
	})
}

// runsOf are the runs of a change: on its commits, or for it.
func (g *gatherer) runsOf(c *changeRow) []int64 {
	if c.runs != nil {
		return c.runs
	}
	ids := []int64{}
	for _, id := range g.all(c) {
		ids = append(ids, g.runsOn[id]...)
	}
	for _, id := range through(g.in[c.id], "of-change") {
		if g.runs[id] != nil {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b int64) int { // the last ones say what counts
		return cmp.Or(g.runs[b].r.Started.Compare(g.runs[a].r.Started), cmp.Compare(g.ref(a), g.ref(b)))
	})
	c.runs = slices.Compact(ids)
	return c.runs
}

func (g *gatherer) putRuns(s *subject.Subject, c *changeRow) {
	ids := slices.Clone(most(s, g.runsOf(c), maxRuns, "runs"))
	slices.Reverse(ids)
	for _, id := range ids {
		x := g.runs[id]
		r := x.r
		r.Thing, r.Commit, r.Actor, r.PartOf = g.thing(id), g.ref(x.commit), g.people[x.actor], g.ref(x.part)
		r.Configs, r.Pinned = x.configs, x.configs > 0 && x.loose == 0
		s.Runs = append(s.Runs, r)
	}
}

// A reportRow is the result of a suite or of a scanner.
type reportRow[T any] struct {
	id, run, commit int64
	x               T
}

func (g *gatherer) readReports() {
	of := slices.Concat(keys(g.runs), keys(g.commits), g.bases())
	commits := map[int64]bool{}
	for _, id := range slices.Concat(keys(g.commits), g.bases()) {
		commits[id] = true
	}
	// A report leads to its run and to what was looked at; it is met once for each.
	g.each(of, `SELECT t.id, e.dst, COALESCE(t."run", 0), COALESCE(t."suite", ''), COALESCE(t."status", ''), COALESCE(t."failed", 0), COALESCE(t."passed", 0), COALESCE(t."skipped", 0)
		FROM {ids} CROSS JOIN edge e CROSS JOIN k_test t WHERE e.dst = i.value AND e.door IN {doors of} AND t.id = e.src ORDER BY t.id, e.dst`, func(scan func(...any) error) error {
		r := &reportRow[subject.Test]{}
		var to int64
		err := scan(&r.id, &to, &r.run, &r.x.Suite, &r.x.Status, &r.x.Failed, &r.x.Passed, &r.x.Skipped)
		g.testsOf[to] = append(g.testsOf[to], r.id)
		if g.tests[r.id] == nil {
			g.tests[r.id] = r
		}
		if commits[to] {
			g.tests[r.id].commit = to
		}
		g.need(r.id, r.run)
		return err
	})
	g.each(of, `SELECT t.id, e.dst, COALESCE(t."run", 0), COALESCE(t."tool", ''), COALESCE(t."format", ''), COALESCE(t."findings", 0), COALESCE(t."critical", 0), COALESCE(t."high", 0),
			COALESCE((SELECT MAX(CASE WHEN r.recorded < f.occurred THEN r.recorded ELSE f.occurred END) FROM node_fact f JOIN fact r ON r.pos = f.pos WHERE f.node = t.id), 0)
		FROM {ids} CROSS JOIN edge e CROSS JOIN k_scan t WHERE e.dst = i.value AND e.door IN {doors of} AND t.id = e.src ORDER BY t.id, e.dst`, func(scan func(...any) error) error {
		r := &reportRow[subject.Scan]{}
		var to, at int64
		err := scan(&r.id, &to, &r.run, &r.x.Tool, &r.x.Format, &r.x.Findings, &r.x.Critical, &r.x.High, &at)
		r.x.At = moment(at)
		g.scansOf[to] = append(g.scansOf[to], r.id)
		if g.scans[r.id] == nil {
			g.scans[r.id] = r
		}
		if commits[to] {
			g.scans[r.id].commit = to
		}
		g.need(r.id, r.run)
		return err
	})
}

// readRules reads which rules of scanners found something grave.
func (g *gatherer) readRules() {
	g.each(keys(g.scans), `SELECT DISTINCT t.id, t."rule" FROM {ids} CROSS JOIN k_scan_finding t WHERE t.id = i.value AND t."severity" IN ('critical', 'high') AND t."rule" IS NOT NULL
		ORDER BY t.id, t."rule"`, func(scan func(...any) error) error {
		var id int64
		var rule string
		err := scan(&id, &rule)
		g.scans[id].x.Rules = append(g.scans[id].x.Rules, rule)
		return err
	})
}

// reported are the reports on commits and by the runs on them, in order.
func (g *gatherer) reported(of map[int64][]int64, commits []int64, runs []int64) (ids []int64) {
	for _, id := range slices.Concat(commits, runs) {
		ids = append(ids, of[id]...)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	slices.SortFunc(ids, func(a, b int64) int { return cmp.Compare(g.ref(a), g.ref(b)) })
	return ids
}

// commitOf is what a report is about: what it says itself, or else what its run ran on.
func (g *gatherer) commitOf(commit, run int64) int64 {
	if r := g.runs[run]; commit == 0 && r != nil {
		return r.commit
	}
	return commit
}

func (g *gatherer) putReports(s *subject.Subject, c *changeRow) {
	commits, runs := g.all(c), g.runsOf(c)
	runs = runs[:min(len(runs), maxRuns)]
	var base, before []int64
	if c.base != 0 {
		base, before = []int64{c.base}, g.runsOn[c.base]
	}
	earlierTests, earlierScans := g.reported(g.testsOf, base, before), g.reported(g.scansOf, base, before)
	for _, id := range most(s, g.reported(g.testsOf, commits, runs), maxReports, "results of tests") {
		t := g.test(id)
		for _, b := range earlierTests[:min(len(earlierTests), maxReports)] {
			if g.tests[b].x.Suite == t.Suite && b != id {
				t.Before = append(t.Before, g.test(b))
			}
		}
		s.Tests = append(s.Tests, t)
	}
	for _, id := range most(s, g.reported(g.scansOf, commits, runs), maxReports, "results of scanners") {
		x := g.scan(id)
		for _, b := range earlierScans[:min(len(earlierScans), maxReports)] {
			if g.scans[b].x.Tool == x.Tool && b != id {
				x.Before = append(x.Before, g.scan(b))
			}
		}
		s.Scans = append(s.Scans, x)
	}
}

func (g *gatherer) test(id int64) subject.Test {
	r := g.tests[id]
	t := r.x
	t.Thing, t.Run, t.Commit = g.thing(id), g.ref(r.run), g.ref(g.commitOf(r.commit, r.run))
	return t
}

func (g *gatherer) scan(id int64) subject.Scan {
	r := g.scans[id]
	x := r.x
	x.Thing, x.Run, x.Commit = g.thing(id), g.ref(r.run), g.ref(g.commitOf(r.commit, r.run))
	x.Rules = slices.Clone(x.Rules)
	return x
}
