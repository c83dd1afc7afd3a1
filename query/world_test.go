package query_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph/walk"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// A world is the history of an organisation that works at the same pace for
// ever: a larger one is a longer one. About 180 changes a day; per change about
// three commits, one review, two runs, half a session, lines of one to three of
// 40 models, some of which are used much more than others; every fifth is
// followed by a deployment, the first deployment of every hundred by an incident.
//
// It tells of everything once, and only after all that it names: the thing
// told at position p of a ledger is node p+1 of the graph.
type world struct {
	tell   func(statement)
	r      *rand.Rand
	nodes  int64
	edges  int64
	clock  time.Time
	last   map[stemma.Kind]thing // the latest of a kind
	people []thing
	models []thing
	agents []thing
	repos  []thing

	changes     []thing // since the last deployment
	deployments int
	incidents   []stemma.Ref // all
}

const changesPerDay = 180

// A thing is a node of the world.
type thing struct {
	id  int64
	ref stemma.Ref
}

func (t thing) known() bool { return t.id != 0 }

// A statement is one fact: attributes, one list if it has any, and doors.
type statement struct {
	about thing
	attrs attrs
	list  string
	items []attrs
	doors []arrow
}

// attrs are name, value, name, value; a value is a text, an int64, a time or a
// thing. Those of one kind have the same names in the same order.
type attrs []any

// An arrow leads through a door.
type arrow struct {
	door string
	to   thing
}

func newWorld() *world {
	return &world{
		r: rand.New(rand.NewPCG(1, 2)), last: map[stemma.Kind]thing{},
		clock: time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

// grow tells of the world until it has about so many nodes; rest is called now
// and then.
func (w *world) grow(nodes int, rest func() error) error {
	w.settle()
	for w.nodes < int64(nodes) {
		for i := 0; i < 1000 && w.nodes < int64(nodes); i++ {
			w.change()
		}
		if err := rest(); err != nil {
			return err
		}
	}
	return nil
}

// state makes a thing and tells of it.
func (w *world) state(ref stemma.Ref, a attrs, doors ...arrow) thing {
	return w.stateList(ref, a, "", nil, doors...)
}

func (w *world) stateList(ref stemma.Ref, a attrs, list string, items []attrs, doors ...arrow) thing {
	w.nodes++
	w.edges += int64(len(doors))
	t := thing{w.nodes, ref}
	w.last[ref.Kind()] = t
	w.tell(statement{t, a, list, items, doors})
	return t
}

func (w *world) hex() string {
	return fmt.Sprintf("%016x%016x%08x", w.r.Uint64(), w.r.Uint64(), w.r.Uint32())
}

func (w *world) pick(from []thing) thing { return from[w.r.IntN(len(from))] }

// model is the first one of 40 in every sixth case.
func (w *world) model() thing {
	x := w.r.Float64()
	return w.models[int(float64(len(w.models))*x*x)]
}

// settle makes what is there from the first day.
func (w *world) settle() {
	for range 200 {
		w.people = append(w.people, w.state(stemma.NewRef(stemma.KindPerson, w.hex()[:32]), nil))
	}
	for i := range 40 {
		name := fmt.Sprintf("claude-m%d", i+1)
		w.models = append(w.models, w.state(stemma.NewRef(stemma.KindModel, "anthropic", name), attrs{"name", name, "provider", "anthropic"}))
	}
	for i := range 3 {
		name := fmt.Sprintf("agent-%d", i)
		w.agents = append(w.agents, w.state(stemma.NewRef(stemma.KindAgent, name), attrs{"name", name}))
	}
	for i := range 20 {
		name := fmt.Sprintf("acme/repo-%d", i)
		w.repos = append(w.repos, w.state(stemma.NewRef(stemma.KindRepository, "github.com/"+name), attrs{"name", name}))
	}
	w.state(stemma.NewRef(stemma.KindEnvironment, "prod"), attrs{"name", "prod"})
	w.state(stemma.NewRef(stemma.KindRequirement, "doc", "R-0"), attrs{"key", "R-0"})
}

// ticket is the work of today, new or not.
func (w *world) ticket() thing {
	if n := w.nodes; !w.last[stemma.KindTicket].known() || w.r.IntN(5) < 2 {
		if w.r.IntN(20) == 0 {
			key := fmt.Sprintf("R-%d", n)
			w.state(stemma.NewRef(stemma.KindRequirement, "doc", key), attrs{"key", key})
		}
		key := fmt.Sprintf("PAY-%d", n)
		w.state(stemma.NewRef(stemma.KindTicket, "jira", key), attrs{"tracker", "jira", "key", key, "title", "A ticket of a usual title"},
			arrow{"refines", w.last[stemma.KindRequirement]})
	}
	return w.last[stemma.KindTicket]
}

// session is a run of an agent on a ticket.
func (w *world) session(ticket, model thing) thing {
	id := w.hex()
	return w.state(stemma.NewRef(stemma.KindSession, "agent-0", id),
		attrs{"tool", "agent-0", "external_id", id, "started", w.clock, "title", "A session of a usual title"},
		arrow{"works-on", ticket}, arrow{"agent", w.pick(w.agents)}, arrow{"operator", w.pick(w.people)}, arrow{"model", model})
}

// change brings one change from its ticket to its runs.
func (w *world) change() {
	w.clock = w.clock.Add(24 * time.Hour / changesPerDay)
	repo, author := w.pick(w.repos), w.pick(w.people)
	ticket := w.ticket()
	class, model := "mixed", w.model()
	var session thing
	if w.r.IntN(2) == 0 {
		class, session = "ai", w.session(ticket, model)
	}
	credits := []attrs{{"origin", "ai", "model", model, "session", session, "lines", int64(40)}}
	for range w.r.IntN(3) {
		credits = append(credits, attrs{"origin", "ai", "model", w.model(), "session", session, "lines", int64(10)})
	}
	if !session.known() {
		credits = append(credits, attrs{"origin", "human", "model", thing{}, "session", thing{}, "lines", int64(20)})
	}
	doors := []arrow{{"implements", ticket}, {"in", repo}, {"author", author}}
	for range 1 + w.r.IntN(5) {
		doors = append(doors, arrow{"carries", w.commit(repo, author, session, class)})
	}
	number := w.nodes
	change := w.stateList(stemma.NewRef(stemma.KindChange, "github.com", fmt.Sprintf("acme/repo-%d#%d", repo.id, number)),
		attrs{
			"repository", repo, "number", number, "title", "A change of a usual title", "merged", w.clock,
			"author", author, "author_class", class, "intent", "feature", "ai_lines", int64(40), "human_lines", int64(20), "added", int64(60),
		}, "credit", credits, doors...)
	w.judge(change)
	if w.changes = append(w.changes, change); len(w.changes) == 5 {
		w.deploy()
	}
}

func (w *world) commit(repo, author, session thing, class string) thing {
	sha := w.hex()
	doors := []arrow{{"author", author}, {"in", repo}}
	if parent := w.last[stemma.KindCommit]; parent.known() {
		doors = append(doors, arrow{"parent", parent})
	}
	if session.known() {
		doors = append(doors, arrow{"session", session})
	}
	return w.state(stemma.NewRef(stemma.KindCommit, "sha1", sha), attrs{
		"repository", repo, "sha", sha, "author", author, "committed", w.clock, "title", "A commit of a usual title", "author_class", class,
	}, doors...)
}

// judge reviews and tests a change.
func (w *world) judge(change thing) {
	reviewer, commit := w.pick(w.people), w.last[stemma.KindCommit]
	w.state(stemma.NewRef(stemma.KindReview, "github.com", w.hex()),
		attrs{"change", change, "reviewer", reviewer, "verdict", "approved", "submitted", w.clock},
		arrow{"judges", change}, arrow{"by", reviewer})
	for i := range 2 {
		doors := []arrow{{"of", commit}, {"of-change", change}}
		w.state(stemma.NewRef(stemma.KindRun, "ci", w.hex()), attrs{
			"system", "ci", "name", "test", "number", w.nodes, "conclusion", "success", "commit", commit, "started", w.clock,
		}, doors[:2-i]...)
	}
}

// deploy ships what was changed and sometimes breaks something.
func (w *world) deploy() {
	digest := w.hex()
	artifact := w.state(stemma.NewRef(stemma.KindArtifact, "sha256", digest), attrs{"name", "pay", "digest", digest},
		arrow{"built-by", w.last[stemma.KindRun]}, arrow{"from", w.last[stemma.KindCommit]})
	environment := w.last[stemma.KindEnvironment]
	doors := []arrow{{"ships", artifact}, {"into", environment}}
	if before := w.last[stemma.KindDeployment]; before.known() {
		doors = append(doors, arrow{"replaces", before})
	}
	for _, c := range w.changes {
		doors = append(doors, arrow{"brings", c})
	}
	deployment := w.state(stemma.NewRef(stemma.KindDeployment, "prod", w.hex()),
		attrs{"environment", environment, "version", fmt.Sprintf("v%d", w.nodes), "at", w.clock}, doors...)
	w.changes = w.changes[:0]
	if w.deployments++; w.deployments%100 == 1 {
		key := fmt.Sprintf("P%d", w.nodes)
		incident := w.state(stemma.NewRef(stemma.KindIncident, "pagerduty", key),
			attrs{"source", "pagerduty", "key", key, "severity", "high", "opened", w.clock}, arrow{"caused-by", deployment})
		w.incidents = append(w.incidents, incident.ref)
	}
}

func TestWorldIsWhatItSays(t *testing.T) {
	g, w := load(t, storagetest.SQLite(t), 20_000)
	if ratio := float64(w.edges) / float64(w.nodes); ratio < 2.7 || ratio > 3.3 {
		t.Errorf("%d nodes and %d edges: %.2f edges to a node, want about 3", w.nodes, w.edges, ratio)
	}
	l, err := lineage.Trace(context.Background(), g, w.incidents[0], lineage.Up, walk.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Missing) != 0 {
		t.Errorf("an incident of the world misses the stages %v", l.Missing)
	}
}
