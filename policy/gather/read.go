package gather

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact/purl"
	"github.com/stemma-dev/stemma/lineage/deployed"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/storage"
)

// A gatherer reads what there is of a page of changes: the rows first, by the numbers of
// their nodes, and the names of all at the end.
type gatherer struct {
	ctx   context.Context
	tx    *storage.Tx
	store *deployed.Store
	asked func(query string) // before every statement

	changes     []*changeRow
	out, in     map[int64][]link // of changes
	repository  map[int64]*repositoryRow
	protection  map[int64][]protectionFact // by repository
	commits     map[int64]*commitRow
	files       map[int64][]subject.File // by commit
	records     map[int64][]*record      // by commit
	recordOf    map[int64]*record
	session     map[int64]*sessionRow
	reviews     map[int64][]*reviewRow // by change
	runs        map[int64]*runRow
	runsOn      map[int64][]int64 // by commit
	tests       map[int64]*reportRow[subject.Test]
	scans       map[int64]*reportRow[subject.Scan]
	testsOf     map[int64][]int64 // by run or commit
	scansOf     map[int64][]int64
	deployments map[int64]*deploymentRow
	artifacts   map[int64]*artifactRow
	artifactsOf map[int64][]int64 // by commit, run or deployment
	incidents   map[int64]*incidentRow
	incidentsOf map[int64][]int64 // by change, commit or deployment
	causedBy    map[int64][]int64 // of these, those of which that is a confirmed cause
	tickets     map[int64]*ticketRow
	titles      map[int64]string         // of requirements
	exceptions  map[int64][]exceptionRow // by change or repository
	advisories  []advisoryRow
	gapsOf      map[int64][]subject.Gap

	parts           map[line]purl.Package
	pasts           map[build]*past
	packages        map[string]packageRow // by name
	warnings        map[string][]warning
	finds           map[line][]find
	vulnerabilities map[int64]*vulnerabilityRow
	covered         map[string]bool // distributions of which there are advisories
	known           time.Time       // when the last advisory about packages was published or changed

	names    map[int64]name
	people   map[int64]subject.Person
	recorded map[int64]time.Time
	needs    map[int64]bool // names
	tell     map[int64]bool // when they were recorded
}

// A name is what the graph says of a node.
type name struct {
	ref, grade string
	stated     bool
}

// A link is the other end of an edge, without its beginning.
type link struct {
	door, method string
	to           int64
	pos          int64
}

func open(ctx context.Context, tx *storage.Tx) (*gatherer, error) {
	store, err := deployed.In(ctx, tx)
	if err == nil && tx.Engine() == storage.Postgres {
		// Otherwise most statements are planned anew each time, which takes longer than to run them.
		err = store.Each(ctx, func(func(...any) error) error { return nil }, `SELECT set_config('plan_cache_mode', 'force_generic_plan', true)`)
	}
	return &gatherer{
		ctx: ctx, tx: tx, store: store, asked: func(string) {},
		out: map[int64][]link{}, in: map[int64][]link{}, repository: map[int64]*repositoryRow{}, protection: map[int64][]protectionFact{},
		commits: map[int64]*commitRow{}, files: map[int64][]subject.File{}, records: map[int64][]*record{}, recordOf: map[int64]*record{},
		session: map[int64]*sessionRow{}, reviews: map[int64][]*reviewRow{}, runs: map[int64]*runRow{}, runsOn: map[int64][]int64{},
		tests: map[int64]*reportRow[subject.Test]{}, scans: map[int64]*reportRow[subject.Scan]{}, testsOf: map[int64][]int64{}, scansOf: map[int64][]int64{},
		deployments: map[int64]*deploymentRow{}, artifacts: map[int64]*artifactRow{}, artifactsOf: map[int64][]int64{},
		incidents: map[int64]*incidentRow{}, incidentsOf: map[int64][]int64{}, causedBy: map[int64][]int64{}, tickets: map[int64]*ticketRow{}, titles: map[int64]string{}, exceptions: map[int64][]exceptionRow{}, gapsOf: map[int64][]subject.Gap{},
		parts: map[line]purl.Package{}, pasts: map[build]*past{}, packages: map[string]packageRow{}, warnings: map[string][]warning{}, finds: map[line][]find{}, covered: map[string]bool{}, vulnerabilities: map[int64]*vulnerabilityRow{},
		names: map[int64]name{}, people: map[int64]subject.Person{}, recorded: map[int64]time.Time{}, needs: map[int64]bool{}, tell: map[int64]bool{},
	}, err
}

// each asks once about some nodes: in a query {ids} is a table i of their numbers, with
// which it begins (CROSS JOIN keeps SQLite from beginning elsewhere), and {doors a b} are
// the numbers of doors. The query is the same whatever the nodes, so that an engine plans
// it once.
func (g *gatherer) each(ids []int64, query string, take func(scan func(...any) error) error, args ...any) error {
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	table, list := "json_each($1) i", "["+deployed.List(ids)+"]"
	if g.tx.Engine() == storage.Postgres {
		table, list = "unnest(CAST(CAST($1 AS text) AS bigint[])) i(value)", "{"+deployed.List(ids)+"}"
	}
	query = strings.ReplaceAll(query, "{ids}", table)
	for {
		before, rest, found := strings.Cut(query, "{doors ")
		if !found {
			break
		}
		doors, after, _ := strings.Cut(rest, "}")
		query = before + "(" + g.numbers(doors) + ")" + after
	}
	g.asked(query)
	return g.store.Each(g.ctx, take, query, append([]any{list}, args...)...)
}

// find gives the numbers of nodes that have names.
func (g *gatherer) find(refs []stemma.Ref) (ids []int64, err error) {
	list, err := json.Marshal(refs)
	if err != nil {
		return nil, err
	}
	query := `SELECT n.id FROM ` + g.texts() + ` CROSS JOIN node n WHERE n.ref = i.value`
	g.asked(query)
	return ids, g.store.Each(g.ctx, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		ids = append(ids, id)
		return err
	}, query, string(list))
}

// named asks once about some names: in a query {names} is a table i of them.
func (g *gatherer) named(names map[string]bool, query string, take func(scan func(...any) error) error) error {
	if len(names) == 0 {
		return nil
	}
	list, err := json.Marshal(slices.Sorted(maps.Keys(names)))
	if err != nil {
		return err
	}
	query = strings.ReplaceAll(query, "{names}", g.texts())
	g.asked(query)
	return g.store.Each(g.ctx, take, query, string(list))
}

// texts is a table i of the texts of a list in JSON.
func (g *gatherer) texts() string {
	if g.tx.Engine() == storage.Postgres {
		return "json_array_elements_text(CAST(CAST($1 AS text) AS json)) i(value)"
	}
	return "json_each($1) i"
}

// numbers are those of doors, for a query: of a single one no other, so that an index
// is read in its order.
func (g *gatherer) numbers(doors string) string {
	list := g.store.Doors(strings.Fields(doors)...)
	if _, known, found := strings.Cut(list, ","); found {
		return known
	}
	return list
}

// The ways of links.
const (
	away = `SELECT e.src AS a, e.door, e.dst AS b, e.method, e.pos FROM {ids} CROSS JOIN edge e WHERE e.src = i.value AND e.door IN {doors}`
	back = `SELECT e.dst AS a, e.door, e.src AS b, e.method, e.pos FROM {ids} CROSS JOIN edge e WHERE e.dst = i.value AND e.door IN {doors}`
	both = away + ` UNION ALL ` + back
)

// links reads the edges of nodes through doors.
func (g *gatherer) links(ids []int64, into map[int64][]link, way, doors string) error {
	names := map[int64]string{}
	for _, name := range strings.Fields(doors) {
		id, err := strconv.ParseInt(g.numbers(name), 10, 64)
		if err != nil {
			return err
		}
		names[id] = name
	}
	return g.each(ids, strings.ReplaceAll(way, "{doors}", "{doors "+doors+"}")+` ORDER BY 1, 3, 2`, func(scan func(...any) error) error {
		var of, door int64
		var l link
		err := scan(&of, &door, &l.to, &l.method, &l.pos)
		l.door = names[door]
		into[of] = append(into[of], l)
		return err
	})
}

// through are the ends of links through some doors.
func through(list []link, doors ...string) (ids []int64) {
	for _, l := range list {
		if slices.Contains(doors, l.door) {
			ids = append(ids, l.to)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// need has nodes named at the end.
func (g *gatherer) need(ids ...int64) {
	for _, id := range ids {
		if id != 0 {
			g.needs[id] = true
		}
	}
}

// date has it told at the end when nodes were stated first, and names them.
func (g *gatherer) date(ids ...int64) {
	g.need(ids...)
	for _, id := range ids {
		g.tell[id] = true
	}
}

// readNames reads how everything is called, and when it was told.
func (g *gatherer) readNames() error {
	err := g.each(keys(g.needs), `SELECT n.id, n.ref, n.kind, CASE WHEN n.stated = 0 THEN '' ELSE n.grade END, n.stated, COALESCE(o.ref, n.ref)
		FROM {ids} CROSS JOIN node n LEFT JOIN same s ON s.id = n.id LEFT JOIN node o ON o.id = s.self WHERE n.id = i.value`,
		func(scan func(...any) error) error {
			var id int64
			var n name
			var kind, self string
			err := scan(&id, &n.ref, &kind, &n.grade, &n.stated, &self)
			g.names[id] = n
			g.people[id] = subject.Person{Ref: n.ref, Self: self, Human: stemma.Kind(kind) == stemma.KindPerson, Bot: stemma.Kind(kind) == stemma.KindBot}
			return err
		})
	if err != nil {
		return err
	}
	return g.each(keys(g.tell), `SELECT t.node, r.recorded FROM (SELECT f.node, MIN(f.pos) AS pos FROM {ids} CROSS JOIN node_fact f WHERE f.node = i.value GROUP BY f.node) t
		CROSS JOIN fact r WHERE r.pos = t.pos`, func(scan func(...any) error) error {
		var id, at int64
		err := scan(&id, &at)
		g.recorded[id] = moment(at)
		return err
	})
}

// thing is a node as a finding names it.
func (g *gatherer) thing(id int64) subject.Thing {
	return subject.Thing{Ref: g.names[id].ref, Grade: g.names[id].grade}
}

func (g *gatherer) ref(id int64) string { return g.names[id].ref }

func (g *gatherer) refs(ids []int64) (list []string) {
	for _, id := range ids {
		list = append(list, g.ref(id))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (g *gatherer) crowd(ids []int64) (list []subject.Person) {
	for _, id := range ids {
		list = append(list, g.people[id])
	}
	slices.SortFunc(list, func(a, b subject.Person) int { return cmp.Compare(a.Ref, b.Ref) })
	return list
}

// byTime sorts nodes by a time and then by their names.
func (g *gatherer) byTime(ids []int64, at func(id int64) time.Time) []int64 {
	slices.SortFunc(ids, func(a, b int64) int { return cmp.Or(at(a).Compare(at(b)), cmp.Compare(g.ref(a), g.ref(b))) })
	return slices.Compact(ids)
}

func keys[V any](m map[int64]V) []int64 {
	list := make([]int64, 0, len(m))
	for id := range m {
		list = append(list, id)
	}
	return list
}

// moment is a time as the tables keep it; 0 is none.
func moment(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
