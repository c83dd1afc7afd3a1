package gather

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact/purl"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/storage"
)

// A gatherer reads what there is of a page of changes: the rows first, by the numbers of
// their nodes, and the names of all at the end.
type gatherer struct {
	ctx   context.Context
	tx    *storage.Tx
	opt   Options
	asked func(query string) // for every statement
	asks  []storage.Ask      // to be run together
	wrong error              // with one of them
	doors map[string]int64   // numbers by names

	changes         []*changeRow
	change          map[int64]*changeRow
	out, in, same   map[int64][]link // edges from nodes and to them, and those between names of one thing
	repository      map[int64]*repositoryRow
	protection      map[int64][]protectionFact // by repository
	commits         map[int64]*commitRow
	captured        map[pair]bool       // sessions of who wrote commits are known
	files           map[int64][]fileRow // by commit
	records         map[int64][]*record // by commit
	recordOf        map[int64]*record
	session         map[int64]*sessionRow
	reviews         map[int64][]*reviewRow // by change
	roles           map[int64][]roleRow    // by review
	runs            map[int64]*runRow
	runsOn          map[int64][]int64 // by commit
	tests           map[int64]*reportRow[subject.Test]
	scans           map[int64]*reportRow[subject.Scan]
	testsOf         map[int64][]int64 // by run or commit
	scansOf         map[int64][]int64
	deployments     map[int64]*deploymentRow
	artifacts       map[int64]*artifactRow
	incidents       map[int64]*incidentRow
	tickets         map[int64]*ticketRow
	told            map[int64]subject.Ticket // what trackers say
	titles          map[int64]string         // of requirements
	exceptions      map[int64][]exceptionRow // by change or repository
	advisories      []advisoryRow
	gapsOf          map[int64][]subject.Gap
	boms            map[int64]*bomRow
	parts           map[line]purl.Package
	pasts           map[build]*past
	differences     map[comparison]*difference
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

func open(ctx context.Context, tx *storage.Tx, opt Options) *gatherer {
	return &gatherer{
		ctx: ctx, tx: tx, opt: opt, asked: func(string) {},
		change: map[int64]*changeRow{}, out: map[int64][]link{}, in: map[int64][]link{}, same: map[int64][]link{}, repository: map[int64]*repositoryRow{}, protection: map[int64][]protectionFact{},
		commits: map[int64]*commitRow{}, captured: map[pair]bool{}, files: map[int64][]fileRow{}, records: map[int64][]*record{}, recordOf: map[int64]*record{},
		session: map[int64]*sessionRow{}, reviews: map[int64][]*reviewRow{}, roles: map[int64][]roleRow{}, runs: map[int64]*runRow{}, runsOn: map[int64][]int64{},
		tests: map[int64]*reportRow[subject.Test]{}, scans: map[int64]*reportRow[subject.Scan]{}, testsOf: map[int64][]int64{}, scansOf: map[int64][]int64{},
		deployments: map[int64]*deploymentRow{}, artifacts: map[int64]*artifactRow{}, incidents: map[int64]*incidentRow{},
		tickets: map[int64]*ticketRow{}, told: map[int64]subject.Ticket{}, titles: map[int64]string{}, exceptions: map[int64][]exceptionRow{}, gapsOf: map[int64][]subject.Gap{},
		boms: map[int64]*bomRow{}, parts: map[line]purl.Package{}, pasts: map[build]*past{}, differences: map[comparison]*difference{}, packages: map[string]packageRow{}, warnings: map[string][]warning{}, finds: map[line][]find{},
		covered: map[string]bool{}, vulnerabilities: map[int64]*vulnerabilityRow{},
		names: map[int64]name{}, people: map[int64]subject.Person{}, recorded: map[int64]time.Time{}, needs: map[int64]bool{}, tell: map[int64]bool{},
	}
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
func (g *gatherer) readNames() {
	for _, links := range g.out {
		for _, l := range links {
			if l.door != "carries" && l.door != "head" { // of which some are not looked at, see all
				g.need(l.to)
			}
		}
	}
	g.each(keys(g.needs), `SELECT n.id, n.ref, n.kind, CASE WHEN n.stated = 0 THEN '' ELSE n.grade END, n.stated, COALESCE(o.ref, n.ref)
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
	g.each(keys(g.tell), `SELECT t.node, r.recorded FROM (SELECT f.node, MIN(f.pos) AS pos FROM {ids} CROSS JOIN node_fact f WHERE f.node = i.value GROUP BY f.node) t
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

// moment is a time as the tables keep it; 0 is none.
func moment(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
