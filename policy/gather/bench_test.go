package gather_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/catalogue"
	"github.com/stemma-dev/stemma/policy/gather"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// A loader writes rows straight into the tables: facts would take the better part of an
// hour.
type loader struct {
	tx     *storage.Tx
	doors  map[string]int64
	tables map[string]*rows
	last   int64 // node
}

type rows struct {
	columns []string
	rows    [][]any
}

func (l *loader) row(table string, columns []string, values ...any) {
	t := l.tables[table]
	if t == nil {
		t = &rows{columns: columns}
		l.tables[table] = t
	}
	t.rows = append(t.rows, values)
}

func (l *loader) flush(ctx context.Context) error {
	for name, t := range l.tables {
		columns := slices.Clone(t.columns)
		if l.tx.Engine() == storage.SQLite {
			for i, c := range columns {
				columns[i] = `"` + c + `"`
			}
		}
		if _, err := l.tx.Insert(ctx, name, columns, slices.Values(t.rows)); err != nil {
			return err
		}
		t.rows = t.rows[:0]
	}
	return nil
}

// node makes one of which one fact tells, at a time.
func (l *loader) node(ref stemma.Ref, at int64) int64 {
	l.last++
	pos := l.last
	l.row("node", []string{"id", "ref", "kind", "first_pos", "last_pos", "grade", "stated"}, l.last, string(ref), string(ref.Kind()), pos, pos, "B", 1)
	l.row("node_fact", []string{"node", "pos", "occurred"}, l.last, pos, at)
	l.row("fact", []string{"pos", "leaf", "recorded"}, pos, []byte{0}, at+1_000_000)
	return l.last
}

func (l *loader) edge(src int64, door string, dst int64) {
	l.row("edge", []string{"src", "door", "dst", "grade", "basis", "method", "pos"}, src, l.doors[door], dst, "B", "", "test", src)
}

// A world is what changes of the loader have in common.
type world struct {
	repositories, people, models, environments, tickets []int64

	bills []int64 // of 200 parts, each with two others than the one before
	long  []int64 // two of 1,500
}

// parts is a bill of materials: of the packages of a number on, as many as there are to be.
func (l *loader) parts(name string, first, n int, at int64) int64 {
	id := l.node(stemma.NewRef("bom", "sha256", name), at)
	l.row("k_bom", []string{"id", "format", "components", "unresolved"}, id, "cyclonedx", int64(n), int64(0))
	for i := range n {
		pkg := fmt.Sprintf("pkg:npm/lib%d", (first+i)%benchPackages)
		l.row("k_bom_component", []string{"id", "seq", "name", "version", "purl", "package"}, id, int64(i), "lib", "1.0.0", pkg+"@1.0.0", pkg)
	}
	return id
}

// benchPackages is how many packages there are, of every fifth of which advisories tell.
const benchPackages = 3000

// advise makes 3,000 advisories about versions that nobody has any more.
func (l *loader) advise(at int64) {
	for i := range 3000 {
		id := l.node(stemma.NewRef("advisory", "osv", fmt.Sprint(i)), at)
		l.row("k_advisory", []string{"id", "title", "severity", "published", "modified", "standing"}, id, "a hole", "high", at, at, "open")
		for k, event := range []string{"introduced", "fixed"} {
			l.row("k_advisory_affects", []string{"id", "seq", "package", "ecosystem", "range", "event", "version"},
				id, int64(k), fmt.Sprintf("pkg:npm/lib%d", i*5%benchPackages), "npm", int64(1), event, []string{"0", "0.9.0"}[k])
		}
	}
}

const minute = int64(60_000_000)

// long is a change that was built into 1,500 parts, and so was the one before it.
const long = 1000

func (l *loader) common() (w world) {
	start := began.UnixMicro()
	for i := range 20 {
		id := l.node(change.RepositoryRef("github.com", fmt.Sprintf("acme/r%d", i)), start)
		l.row("k_repository", []string{"id", "name", "host", "default_branch", "tip"}, id, fmt.Sprintf("acme/r%d", i), "github.com", "main", int64(1))
		w.repositories = append(w.repositories, id)
	}
	for i := range 300 {
		w.people = append(w.people, l.node(stemma.Ref(fmt.Sprintf("person:%032x", i)), start))
	}
	for i := range 8 {
		id := l.node(stemma.Ref(fmt.Sprintf("model:anthropic/m-%d", i)), start)
		l.row("k_model", []string{"id", "name", "version", "named"}, id, fmt.Sprintf("m-%d", i), "1", 1)
		w.models = append(w.models, id)
	}
	for i := range 3 {
		id := l.node(stemma.Ref(fmt.Sprintf("environment:e%d", i)), start)
		l.row("k_environment", []string{"id", "name", "tier"}, id, fmt.Sprintf("e%d", i), "production")
		w.environments = append(w.environments, id)
	}
	for i := range 2000 {
		id := l.node(stemma.Ref(fmt.Sprintf("ticket:jira/PAY-%d", i)), start)
		l.row("k_ticket", []string{"id", "title", "state", "opened"}, id, "a ticket", "Done", start)
		w.tickets = append(w.tickets, id)
	}
	for i := range 1000 {
		w.bills = append(w.bills, l.parts(fmt.Sprintf("%064x", i), 2*i, 200, start))
	}
	for i := range 2 {
		w.long = append(w.long, l.parts(fmt.Sprint("long-", i), 2*i, 1500, start))
	}
	l.advise(start)
	return w
}

// change makes change i: a merge request with two commits, a record of their lines, a
// session with a worker, reviews, runs, results, and what was built; every tenth with a
// deployment that brings the ten before it.
func (l *loader) change(w world, i int, before *int64, waiting *[]int64) {
	at := began.UnixMicro() + int64(i)*minute
	repository, author, reviewer := w.repositories[i%20], w.people[i%300], w.people[(i+7)%300]
	sha := func(k int) stemma.Ref { return change.CommitRef("sha1", fmt.Sprintf("%032x%08x", i, k)) }
	commits := []int64{l.node(sha(1), at), l.node(sha(2), at)}
	id := l.node(stemma.Ref(fmt.Sprintf("change:github.com/acme/r%d#%d", i%20, i)), at)
	l.row("k_change", []string{"id", "repository", "number", "title", "method", "state", "target", "opened", "merged", "head", "merge_commit", "author", "merged_by", "ai_lines", "human_lines", "unknown_lines"},
		id, repository, int64(i), "a change", "squash", "merged", "main", at-minute, at, commits[1], commits[0], author, reviewer, int64(20), int64(10), int64(0))
	l.edge(id, "carries", commits[0])
	l.edge(id, "head", commits[1])
	l.edge(id, "implements", w.tickets[i%2000])
	for k, c := range commits {
		l.row("k_commit", []string{"id", "repository", "sha", "tree", "first_parent", "author", "committed", "title", "added", "ai_lines", "human_lines", "unknown_lines"},
			c, repository, fmt.Sprintf("%032x%08x", i, k+1), "77", *before, author, at, "a commit", int64(30), int64(20), int64(10), int64(0))
		for f := range 4 {
			l.row("k_commit_file", []string{"id", "seq", "path", "status", "added", "deleted"}, c, int64(f), fmt.Sprintf("src/p%d/f%d.go", i%50, f), "M", int64(8), int64(1))
		}
		r := l.node(stemma.NewRef("run", "ci", fmt.Sprint(i, "/", k)), at)
		l.row("k_run", []string{"id", "system", "name", "attempt", "conclusion", "commit", "started", "repository"}, r, "ci", "build", int64(1), "success", c, at, repository)
		l.edge(r, "of", c)
		if k > 0 {
			continue
		}
		for name, table := range map[string]string{"test": "k_test", "scan": "k_scan"} {
			x := l.node(stemma.NewRef(stemma.Kind(name), "ci", fmt.Sprint(i)), at)
			what := map[string]string{"test": "suite", "scan": "tool"}[name]
			l.row(table, []string{"id", "run", what}, x, r, "unit")
			l.edge(x, "of", r)
		}
		image := l.node(stemma.NewRef("artifact", "sha256", fmt.Sprintf("%064x", i)), at)
		l.row("k_artifact", []string{"id", "name", "digest"}, image, "pay", fmt.Sprintf("sha256:%064x", i))
		l.edge(image, "built-by", r)
		l.edge(image, "from", c)
		bill := w.bills[i%len(w.bills)]
		if i == long-1 || i == long {
			bill = w.long[i-long+1]
		}
		l.edge(bill, "of", image)
		statement := l.node(stemma.NewRef("attestation", "sha256", fmt.Sprintf("%064x", i)), at)
		l.row("k_attestation", []string{"id", "predicate_type", "builder", "source"}, statement, "https://slsa.dev/provenance/v1", "https://ci.example.com", c)
		l.edge(statement, "about", image)
		if *waiting = append(*waiting, id); len(*waiting) == 10 {
			d := l.node(stemma.NewRef("deployment", "prod", fmt.Sprint(i)), at)
			l.row("k_deployment", []string{"id", "environment", "version", "status", "at", "service", "orphans", "direct"}, d, w.environments[i/10%3], fmt.Sprint(i), "success", at, fmt.Sprint("s", i%20), int64(0), int64(0))
			l.edge(d, "ships", image)
			for _, x := range *waiting {
				l.edge(d, "brings", x)
			}
			*waiting = (*waiting)[:0]
		}
	}
	l.session(w, i, at, id, commits[0], author)
	for k := range 2 {
		r := l.node(stemma.NewRef("review", "github.com", fmt.Sprint(i, "/", k)), at)
		l.row("k_review", []string{"id", "change", "reviewer", "verdict", "head", "submitted"}, r, id, reviewer, []string{"commented", "approved"}[k], commits[1], at-minute)
	}
	*before = commits[0]
}

func (l *loader) session(w world, i int, at, id, commit, author int64) {
	plan := l.node(stemma.NewRef("session", "claude-code", fmt.Sprint(i)), at)
	work := l.node(stemma.NewRef("session", "claude-code", fmt.Sprint(i, ":1")), at)
	l.edge(work, "spawned-by", plan)
	l.edge(id, "session", work)
	for k, s := range []int64{plan, work} {
		var parent any
		if k > 0 {
			parent = plan
		}
		l.row("k_session", []string{"id", "tool", "started", "turns", "prompts", "cost_micro_usd", "parent"}, s, "claude-code", at-2*minute, int64(10), int64(2), int64(1000), parent)
		l.edge(s, "operator", author)
		l.row("k_session_model", []string{"id", "seq", "model", "name", "turns"}, s, int64(0), w.models[i%8], fmt.Sprintf("m-%d", i%8), int64(8))
		for t := range 10 {
			l.row("k_session_turn", []string{"id", "seq", "number", "role"}, s, int64(t), int64(t+1), "user")
		}
		for t := range 3 {
			l.row("k_session_tool_call", []string{"id", "seq", "tool"}, s, int64(t), []string{"Bash", "Edit", "Read"}[t])
		}
	}
	record := l.node(stemma.NewRef("attribution", "sha1", fmt.Sprintf("%032x%08x/git-ai", i, 1)), at)
	l.row("k_attribution", []string{"id", "commit", "format", "writer", "ai_lines", "human_lines", "claimed_lines"}, record, commit, "git-ai", "stemma", int64(20), int64(10), int64(30))
	for f := range 4 {
		l.row("k_attribution_span", []string{"id", "seq", "path", "start", "end", "origin", "model", "model_name", "session"},
			record, int64(f), fmt.Sprintf("src/p%d/f%d.go", i%50, f), int64(1), int64(5), "ai", w.models[i%8], fmt.Sprintf("m-%d", i%8), work)
	}
	l.row("k_change_credit", []string{"id", "seq", "origin", "lines", "session", "model", "model_name", "agent"}, id, int64(0), "ai", int64(20), work, w.models[i%8], fmt.Sprintf("m-%d", i%8), "claude-code")
}

// load fills a graph with n changes.
func load(b *testing.B, db *storage.DB, n int) {
	b.Helper()
	ctx := b.Context()
	ingesttest.Must(b, db, now)
	const part = 4000
	var w world
	var before int64
	var waiting []int64
	l := &loader{doors: map[string]int64{}, tables: map[string]*rows{}}
	for i := 0; i < n; i += part {
		err := db.Write(ctx, func(tx *storage.Tx) error {
			l.tx = tx
			if i == 0 {
				r, err := tx.Query(ctx, `SELECT id, name FROM door`)
				if err != nil {
					return err
				}
				for r.Next() {
					var id int64
					var name string
					if err := r.Scan(&id, &name); err != nil {
						return err
					}
					l.doors[name] = id
				}
				if err := r.Close(); err != nil {
					return err
				}
				w = l.common()
			}
			for k := i; k < min(i+part, n); k++ {
				l.change(w, k, &before, &waiting)
			}
			return l.flush(ctx)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	err := db.Write(ctx, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, "ANALYZE")
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}

// judged gathers changes and holds all controls against them.
func judged(b *testing.B, db *storage.DB, set *policy.Set, refs ...stemma.Ref) {
	opt := options()
	opt.New = !set.LooksBack()
	err := db.Read(b.Context(), func(tx *storage.Tx) error {
		list, err := gather.Changes(b.Context(), tx, refs, opt)
		for _, s := range list {
			if len(s.Sessions) != 2 || len(s.Reviews) != 2 || len(s.Spans) != 5 || len(s.Runs) != 2 {
				return fmt.Errorf("%s: %d sessions, %d reviews, %d spans, %d runs", s.Change.Ref, len(s.Sessions), len(s.Reviews), len(s.Spans), len(s.Runs))
			}
			if len(s.Artifacts) == 0 || len(s.Artifacts[0].Boms) != 1 || len(s.Artifacts[0].Attestations) != 1 || len(s.Packages) == 0 {
				return fmt.Errorf("%s: %v, %d packages", s.Change.Ref, s.Artifacts, len(s.Packages))
			}
			set.Judge(s)
		}
		return err
	})
	if err != nil {
		b.Error(err)
	}
}

func refOf(i int) stemma.Ref {
	return stemma.Ref(fmt.Sprintf("change:github.com/acme/r%d#%d", i%20, i))
}

func controls(b *testing.B) *policy.Set {
	list, err := catalogue.Controls()
	if err != nil {
		b.Fatal(err)
	}
	return &policy.Set{Controls: list}
}

// BenchmarkJudge measures what is promised: one change is gathered and judged by all
// controls in less than 10 ms among 200,000, and in no more time than among a tenth of
// them.
func BenchmarkJudge(b *testing.B) {
	sizes := []int{20_000, 200_000}
	for name, open := range map[string]func(testing.TB) *storage.DB{"sqlite": storagetest.SQLite, "postgres": storagetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			set, dbs := controls(b), make([]*storage.DB, len(sizes))
			for i, n := range sizes {
				dbs[i] = open(b)
				load(b, dbs[i], n)
				for range 20 {
					judged(b, dbs[i], set, refOf(n/2))
				}
			}
			times, k := make([][]time.Duration, len(sizes)), 0
			for b.Loop() {
				k++
				for i, n := range sizes {
					from := b.Elapsed()
					judged(b, dbs[i], set, refOf(k*7919%n))
					times[i] = append(times[i], b.Elapsed()-from)
				}
			}
			median := func(list []time.Duration) float64 {
				slices.Sort(list)
				return float64(list[len(list)/2].Microseconds()) / 1000
			}
			var parts []time.Duration
			for range 20 {
				from := time.Now()
				judged(b, dbs[1], set, refOf(long))
				parts = append(parts, time.Since(from))
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(parts), "ms-1500-parts")
			b.ReportMetric(median(times[1]), "ms-one-change")
			b.ReportMetric(median(times[1])/median(times[0]), "x-in-a-tenth")
			pages(b, dbs[1], set)
		})
	}
}

// pages judges 10,000 changes, a page at a time, on two processors: less than a minute is
// promised.
func pages(b *testing.B, db *storage.DB, set *policy.Set) {
	const n, page = 10_000, 200
	runtime.GOMAXPROCS(2)
	from := time.Now()
	var wait sync.WaitGroup
	work := make(chan []stemma.Ref)
	for range 2 {
		wait.Go(func() {
			for refs := range work {
				judged(b, db, set, refs...)
			}
		})
	}
	for i := 0; i < n; i += page {
		var refs []stemma.Ref
		for k := range page {
			refs = append(refs, refOf((i+k)*17%200_000))
		}
		work <- refs
	}
	close(work)
	wait.Wait()
	b.ReportMetric(time.Since(from).Seconds(), "s-10000-changes")
}
