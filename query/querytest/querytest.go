// Package querytest makes small histories to ask: one made by hand, whose answers
// are known, and random ones with names that patterns trip over. Only tests
// import it.
package querytest

import (
	"context"
	"crypto/rand"
	"fmt"
	mrand "math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/intent"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/ledger/seal"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/pipeline"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/storage"
)

// Noon is the present of all tests.
func Noon() time.Time { return time.Date(2026, 9, 15, 12, 0, 0, 0, time.UTC) }

func ago(days int) stemma.Moment { return stemma.At(Noon().AddDate(0, 0, -days)) }

// SHA is the id of commit n.
func SHA(n int) string { return fmt.Sprintf("%08x%032x", uint32(n)*2654435761, n) }

// A World is a small history as the rooms' records: what the store is filled
// with, and what the naive evaluator reads.
type World struct {
	Repos    []change.Repository
	Profiles [][4]string // ref, name, email, login
	Bots     []identity.Bot
	Models   []identity.Model
	Tickets  []intent.Ticket
	Sessions []session.Session
	Commits  []change.Commit
	Notes    []attribution.Attribution
	Changes  []change.Change
	Releases []change.Release
	Files    []attribution.File
	Runs     []pipeline.Run
}

type factual interface {
	Fact(source string, grade stemma.Grade) (stemma.Fact, error)
}

func records[T factual](list []T) []factual {
	out := make([]factual, len(list))
	for i, x := range list {
		out[i] = x
	}
	return out
}

// Store puts the world through ledger and graph into a new space.
func (w *World) Store(t testing.TB, db *storage.DB) {
	t.Helper()
	var facts []stemma.Fact
	for i, r := range slices.Concat(records(w.Repos), records(w.Bots), records(w.Models), records(w.Tickets), records(w.Sessions),
		records(w.Commits), records(w.Notes), records(w.Changes), records(w.Releases), records(w.Files), records(w.Runs)) {
		f, err := r.Fact("test", []stemma.Grade{stemma.GradeC, stemma.GradeD}[i%2])
		if err != nil {
			t.Fatalf("%T: %v", r, err)
		}
		facts = append(facts, f)
	}
	Tell(t, db, facts...)
	ctx := context.Background()
	err := db.Write(ctx, func(tx *storage.Tx) error {
		for _, p := range w.Profiles {
			if _, err := tx.Exec(ctx, `INSERT INTO profile (ref, name, email, login) VALUES ($1, $2, $3, $4)`, p[0], p[1], p[2], p[3]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Key is one to sign a log with.
func Key(t testing.TB) *seal.Key {
	t.Helper()
	key, err := seal.NewKey(rand.Reader, "log.example.com/test")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Tell puts facts through ledger and graph into a new space, which also has an
// empty table of people.
func Tell(t testing.TB, db *storage.DB, facts ...stemma.Fact) *graph.Graph {
	t.Helper()
	ctx := context.Background()
	l, err := ledger.Open(ctx, db, ledger.Config{Signer: Key(t), Now: Noon, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(ctx, facts...); err != nil {
		t.Fatal(err)
	}
	g, err := graph.Open(ctx, db, lineage.Specs())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Apply(ctx, l); err != nil {
		t.Fatal(err)
	}
	if skips, err := g.Skips(ctx, 10); err != nil || len(skips) > 0 {
		t.Fatalf("the graph skipped %v, %v", skips, err)
	}
	err = db.Write(ctx, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `CREATE TABLE profile (ref TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, login TEXT NOT NULL)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Person is the i-th one, from 0.
func Person(i int) stemma.Ref { return identity.PersonRef(fmt.Sprintf("%032x", i+1)) }

func to(refs ...stemma.Ref) []stemma.Edge {
	var out []stemma.Edge
	for _, r := range refs {
		out = append(out, stemma.Edge{To: r})
	}
	return out
}

// Pay is the hand-made store of the acceptance tests. Its model X is
// claude-sonnet-4-5, its model Y gpt-5; the people are Ada and Bo.
func Pay() *World {
	w := &World{}
	repo := change.RepositoryRef("github.com", "acme/pay")
	other := change.RepositoryRef("github.com", "acme/web")
	w.Repos = []change.Repository{
		{ID: repo, Name: "acme/pay", Host: "github.com", DefaultBranch: "main", Occurred: ago(900)},
		{ID: other, Name: "acme/web", Host: "github.com", DefaultBranch: "trunk", Occurred: ago(900)},
	}
	ada, bo := Person(0), Person(1)
	w.Profiles = [][4]string{{string(ada), "Ada Lovelace", "ada@acme.example", "ada"}, {string(bo), "Bo", "bo@acme.example", "bo-dev"}}
	w.Bots = []identity.Bot{{Name: "dependabot[bot]", Host: "github.com"}}
	x, y := identity.ParseModel("claude-sonnet-4-5-20250929"), identity.ParseModel("gpt-5")
	w.Models = []identity.Model{x, y}
	pay17 := intent.Ticket{Tracker: "jira", Key: "PAY-17", Title: "Charge twice", State: "done", Occurred: ago(60)}
	w.Tickets = []intent.Ticket{pay17}

	planner := session.Session{
		Tool: "claude-code", ExternalID: "p1", Started: ago(21), Title: "plan", TurnCount: 9, Prompts: 3, InputTokens: 100,
		OutputTokens: 11, Models: []session.ModelUse{{Model: x.Ref(), Name: x.Name}}, Operator: to(ada), WorksOn: to(pay17.Ref()),
	}
	worker := session.Session{
		Tool: "claude-code", ExternalID: "w1", Started: ago(20), Parent: planner.Ref(), Depth: 1, Iterations: 5,
		Models: []session.ModelUse{{Model: x.Ref(), Name: x.Name}}, Files: []session.File{{Path: "src/auth/login.go", Edits: 2}},
	}
	deep := session.Session{
		Tool: "claude-code", ExternalID: "w2", Started: ago(20), Parent: worker.Ref(), Depth: 2,
		Files: []session.File{{Path: "src/pay/charge.go", Edits: 1}},
	}
	alone := session.Session{
		Tool: "codex", ExternalID: "c1", Started: ago(50), Models: []session.ModelUse{{Model: y.Ref(), Name: y.Name}},
		Files: []session.File{{Path: "auth/x.go", Edits: 1}},
	}
	w.Sessions = []session.Session{planner, worker, deep, alone}

	commit := func(n, days int, title string, author stemma.Ref, l change.Lines, files ...string) change.Commit {
		c := change.Commit{
			Repository: repo, SHA: SHA(n), Author: author, Committer: author, Authored: ago(days), Committed: ago(days), Title: title,
			Message: title + "\n", Size: &change.Size{FileCount: len(files), Added: l.AI + l.Human + l.Unknown}, Lines: &l, AuthorClass: l.Class(),
		}
		for _, f := range files {
			c.Files = append(c.Files, change.File{Path: f, Status: "M", Added: 1})
		}
		if n > 1 {
			c.Parents, c.ParentCount = []stemma.Ref{change.CommitRef("sha1", SHA(n-1))}, 1
		}
		w.Commits = append(w.Commits, c)
		return c
	}
	c1 := commit(1, 100, "feat: charge", ada, change.Lines{Human: 40}, "src/payments/charge.go", "README.md")
	c2 := commit(2, 70, "feat: refund", bo, change.Lines{AI: 30}, "src/payments/refund.go")
	c3 := commit(3, 20, "fix: no double charge", ada, change.Lines{AI: 10, Human: 2}, "src/payments/charge.go")
	c4 := commit(4, 10, "fix: escape the refund note (CVE-2026-1)", bo, change.Lines{AI: 6}, "src/payments/refund.go")
	c5 := commit(5, 5, "docs: say more", ada, change.Lines{Unknown: 7}, "docs/refund.md")
	w.Commits[2].Trailers = []change.Trailer{{Key: "Reviewed-by", Person: bo}, {Key: "Refs", Value: "PAY-17"}}
	w.Commits[2].Sessions, w.Commits[2].Implements = to(worker.Ref()), to(pay17.Ref())
	w.Commits[1].Coauthors = []stemma.Ref{ada}

	credit := func(m identity.Model, agent string, s stemma.Ref, n int) change.Credit {
		return change.Credit{Origin: "ai", Agent: agent, Model: m.Ref(), ModelName: m.Name, Session: s, Lines: n}
	}
	land := func(n int, c change.Commit, intent string, credits ...change.Credit) *change.Change {
		w.Changes = append(w.Changes, change.Change{
			Repository: repo, Number: n, Title: c.Title, Method: "squash", Platform: "github", Branch: fmt.Sprintf("b%d", n),
			Target: "main", Merged: c.Committed, MergeCommit: c.Ref(), Author: c.Author, Intent: intent, CommitCount: 1, Size: c.Size,
			Lines: c.Lines, AuthorClass: c.AuthorClass, Credits: credits, Commits: []stemma.Ref{c.Ref()},
		})
		return &w.Changes[len(w.Changes)-1]
	}
	w.Changes = make([]change.Change, 0, 10)
	f1 := land(1, c1, "feature", change.Credit{Origin: "human", Lines: 40})
	f2 := land(2, c2, "feature", credit(x, "claude-code", "", 30))
	f3 := land(3, c3, "fix", credit(x, "claude-code", worker.Ref(), 10), change.Credit{Origin: "human", Lines: 2})
	f3.FixAuthor, f3.OriginAuthor, f3.Fixes = "ai", "human", []change.Fix{{Change: f1.Ref(), Commit: c1.Ref(), Lines: 3, Human: 3, Method: "lines"}}
	f3.Implements = to(pay17.Ref())
	f4 := land(4, c4, "security-fix", credit(x, "claude-code", "", 6))
	f4.FixAuthor, f4.OriginAuthor, f4.Fixes = "ai", "ai", []change.Fix{{Change: f2.Ref(), Commit: c2.Ref(), Lines: 2, AI: 2, Method: "lines"}}
	land(5, c5, "docs", change.Credit{Origin: "unknown", Lines: 7})
	w.Changes = append(w.Changes, change.Change{
		Repository: other, Number: 9, Title: "fix: colour", Method: "merge", Merged: ago(3), Author: bo, Intent: "security-fix",
		FixAuthor: "ai", OriginAuthor: "human", Lines: &change.Lines{AI: 1}, AuthorClass: "ai",
		Credits: []change.Credit{credit(y, "codex", alone.Ref(), 1)},
		Fixes:   []change.Fix{{Change: f1.Ref(), Lines: 1, Human: 1, Method: "declared"}},
	})
	f4.Iterations = &change.Iterations{Attempts: 4}
	for i := range 4 {
		w.Runs = append(w.Runs, pipeline.Run{Conclusion: "failure", ID: stemma.NewRef(stemma.KindRun, "github", fmt.Sprint(i)), System: "github", Name: "ci", Number: i + 1, Attempt: 1, Status: "completed", Commit: change.CommitRef("sha1", SHA(90+i)), Changes: []stemma.Ref{f4.Ref()}})
	}
	w.Releases = []change.Release{
		{Repository: repo, Name: "v1", Target: c2.Ref(), Tagged: ago(60)},
		{Repository: repo, Name: "v2", Target: c4.Ref(), Tagged: ago(9)},
	}
	file := func(r stemma.Ref, branch, path string, runs ...attribution.Run) {
		f := attribution.File{Repository: r, Branch: branch, Path: path, Commit: c5.Ref(), Occurred: ago(5)}
		for i := range runs {
			runs[i].Start = f.Lines + 1
			f.Lines += runs[i].Count
			switch runs[i].Origin {
			case "ai":
				f.AILines += runs[i].Count
			case "human":
				f.HumanLines += runs[i].Count
			default:
				f.UnknownLines += runs[i].Count
			}
		}
		f.Runs = runs
		w.Files = append(w.Files, f)
	}
	file(repo, "main", "src/payments/charge.go",
		attribution.Run{Count: 37, Commit: c1.Ref(), Origin: "human", Basis: "observed-hook"},
		attribution.Run{Count: 10, Commit: c3.Ref(), Origin: "ai", Basis: "imported", Agent: "claude-code", Model: x.Ref(), ModelName: x.Name, Session: worker.Ref()},
		attribution.Run{Count: 3, Commit: c3.Ref(), Origin: "human"})
	file(repo, "main", "src/payments/deep/er/refund.go",
		attribution.Run{Count: 30, Commit: c2.Ref(), Origin: "ai", Agent: "claude-code", Model: x.Ref(), ModelName: x.Name})
	file(repo, "main", "docs/refund.md", attribution.Run{Count: 7, Commit: c5.Ref(), Origin: "unknown", Reason: "no capture before 2026-09-11"})
	file(repo, "old", "src/payments/charge.go", attribution.Run{Count: 99, Commit: c1.Ref(), Origin: "human"})
	file(other, "trunk", "src/payments/copy.go", attribution.Run{Count: 20, Origin: "unknown", Reason: "imported"})
	file(repo, "main", "docs/logo.png")
	w.Files = append(w.Files, attribution.File{Repository: repo, Branch: "main", Path: "gone.go", Commit: c5.Ref(), Deleted: true, Occurred: ago(5)})
	return w
}

// Chance makes a random world, with names that patterns trip over.
func Chance(seed uint64) *World {
	r := mrand.New(mrand.NewPCG(seed, 7))
	w := &World{}
	pick := func(n int) int { return r.IntN(n) }
	for i, name := range []string{"acme/pay", "acme/web_app", "beta/pay"} {
		w.Repos = append(w.Repos, change.Repository{
			ID: change.RepositoryRef("git.example", name), Name: name, Host: "git.example",
			DefaultBranch: []string{"main", "trunk"}[i%2], Occurred: ago(999),
		})
	}
	repo := func() stemma.Ref { return w.Repos[pick(3)].ID }
	names := []string{"Ada Lovelace", "bo", "Élan %", "x_y", ""}
	for i, n := range names {
		w.Profiles = append(w.Profiles, [4]string{string(Person(i)), n, strings.ToLower(n) + "@Example.org", fmt.Sprintf("L%d", i)})
	}
	who := func() stemma.Ref { return Person(pick(len(names) + 1)) }
	w.Bots = []identity.Bot{{Name: "dependabot[bot]", Host: "github.com"}}
	for _, n := range []string{"claude-opus-4-6", "claude-sonnet-4-5", "gpt-5", "gpt_5"} {
		w.Models = append(w.Models, identity.ParseModel(n))
	}
	for i := range 4 {
		w.Tickets = append(w.Tickets, intent.Ticket{Tracker: "jira", Key: fmt.Sprintf("PAY-%d", i), Title: text(r), Occurred: ago(5)})
	}
	tickets := func() (out []stemma.Edge) {
		for _, t := range w.Tickets {
			if pick(6) == 0 {
				out = append(out, stemma.Edge{To: t.Ref()})
			}
		}
		return out
	}
	for i := range 12 {
		s := session.Session{
			Tool: []string{"claude-code", "codex"}[pick(2)], ExternalID: fmt.Sprintf("s%d", i), Started: ago(pick(90)), Title: text(r),
			TurnCount: pick(9), Prompts: pick(3), InputTokens: pick(100), OutputTokens: pick(100), Iterations: pick(6), WorksOn: tickets(),
			Cost: pick(3) * pick(1000),
		}
		if i > 2 && pick(3) > 0 {
			s.Parent = w.Sessions[pick(i)].Ref()
		}
		for _, m := range w.Models {
			if pick(4) == 0 {
				s.Models = append(s.Models, session.ModelUse{Model: m.Ref(), Name: m.Name})
			}
		}
		for range pick(4) {
			s.Files = append(s.Files, session.File{Path: path(r), Edits: 1})
		}
		w.Sessions = append(w.Sessions, s)
	}
	for i := range 40 {
		l := change.Lines{AI: pick(3) * 5, Human: pick(3) * 5, Unknown: pick(2) * 7}
		c := change.Commit{
			Repository: repo(), SHA: SHA(i), Author: who(), Committed: ago(pick(90)), Title: text(r), Message: text(r) + "\n\n" + text(r),
			Size: &change.Size{Added: l.AI + l.Human + l.Unknown, Deleted: pick(20)}, Lines: &l, AuthorClass: l.Class(), Merge: pick(5) == 0, Implements: tickets(),
		}
		for range pick(4) {
			p := path(r)
			if !slices.ContainsFunc(c.Files, func(f change.File) bool { return f.Path == p }) {
				c.Files = append(c.Files, change.File{Path: p, Status: "M"})
			}
		}
		for range pick(3) {
			c.Trailers = append(c.Trailers, change.Trailer{Key: []string{"Refs", "refs", "X-Y"}[pick(3)], Value: text(r)})
		}
		if pick(3) == 0 {
			c.Trailers = append(c.Trailers, change.Trailer{Key: "Reviewed-by", Person: who()})
		}
		if pick(3) == 0 {
			c.Sessions = to(w.Sessions[pick(12)].Ref())
		}
		if i > 0 {
			c.Parents, c.ParentCount = []stemma.Ref{w.Commits[pick(i)].Ref()}, 1
		}
		if pick(9) == 0 {
			c.Coauthors = []stemma.Ref{Person(pick(3))}
		}
		if i > 5 && pick(9) == 0 {
			c.Reverts = []stemma.Ref{w.Commits[pick(5)].Ref()}
		}
		w.Commits = append(w.Commits, c)
		if pick(2) == 0 {
			m := w.Models[pick(4)]
			w.Notes = append(w.Notes, attribution.Attribution{Commit: c.Ref(), Format: "git-ai", Occurred: ago(1), Credits: []attribution.Credit{
				{Origin: "ai", Agent: "claude-code", Model: m.Ref(), ModelName: m.Name, Lines: 1}, {Origin: "human", Lines: 2},
			}})
		}
	}
	for i := range 30 {
		l := change.Lines{AI: pick(3) * 5, Human: pick(3) * 5, Unknown: pick(2) * 7}
		c := change.Change{
			Repository: repo(), Number: i + 1, Title: text(r), Method: []string{"merge", "squash", "direct"}[pick(3)], Author: who(),
			Intent: []string{"feature", "fix", "security-fix", "docs", ""}[pick(5)], Lines: &l, AuthorClass: l.Class(), Size: &change.Size{Added: pick(30), Deleted: pick(30)},
			Breaking: pick(5) == 0, Implements: tickets(),
		}
		if pick(8) > 0 {
			c.Merged = ago(pick(60))
		}
		for range pick(3) {
			m := w.Models[pick(4)]
			c.Credits = append(c.Credits, change.Credit{
				Origin: "ai", Agent: []string{"claude-code", "codex"}[pick(2)], Model: m.Ref(), ModelName: m.Name,
				Session: []stemma.Ref{"", w.Sessions[pick(12)].Ref()}[pick(2)], Lines: 1,
			})
		}
		if pick(3) == 0 {
			c.FixAuthor, c.OriginAuthor = []string{"ai", "human"}[pick(2)], []string{"ai", "human", "mixed"}[pick(3)]
			if i > 0 {
				c.Fixes = []change.Fix{{Change: w.Changes[pick(i)].Ref(), Lines: 1, Method: "lines"}}
			}
		}
		for range pick(3) {
			c.Commits = append(c.Commits, w.Commits[pick(40)].Ref())
			c.Components = append(c.Components, change.Component{Path: []string{"src", "docs"}[pick(2)]})
		}
		slices.Sort(c.Commits)
		c.Commits = slices.Compact(c.Commits)
		w.Changes = append(w.Changes, c)
	}
	for i := range 3 {
		w.Releases = append(w.Releases, change.Release{Repository: w.Repos[0].ID, Name: fmt.Sprintf("v%d", i), Target: w.Commits[pick(40)].Ref(), Tagged: ago(i)})
	}
	seen := map[stemma.Ref]bool{}
	for range 30 {
		f := attribution.File{Repository: repo(), Branch: []string{"main", "trunk"}[pick(2)], Path: path(r), Commit: w.Commits[0].Ref(), Occurred: ago(1)}
		if seen[f.Ref()] {
			continue
		}
		seen[f.Ref()] = true
		for range pick(4) {
			run := attribution.Run{Start: f.Lines + 1, Count: 1 + pick(9), Commit: w.Commits[pick(40)].Ref(), Origin: []string{"ai", "human", "unknown"}[pick(3)]}
			if run.Origin == "ai" {
				m := w.Models[pick(4)]
				run.Model, run.ModelName, run.Agent, run.Basis = m.Ref(), m.Name, "codex", "imported"
				f.AILines += run.Count
			}
			f.Lines += run.Count
			f.Runs = append(f.Runs, run)
		}
		w.Files = append(w.Files, f)
	}
	return w
}

// text makes a title out of few words, so that searches find something.
func text(r *mrand.Rand) string {
	words := []string{"fix", "Charge", "100%", "a_b", `back\slash`, "ÉTÉ", "refund", "\U0001F600", `"q"`, "x"}
	out := make([]string, 1+r.IntN(3))
	for i := range out {
		out[i] = words[r.IntN(len(words))]
	}
	return strings.Join(out, " ")
}

func path(r *mrand.Rand) string {
	parts := []string{"src", "auth", "pay", "a_b", "a%b", `q"q`, `b\s`, "Src", "é"}
	names := []string{"x.go", "login.go", "x_test.go", "README.md", "src", "[a]*.go"}
	out := make([]string, r.IntN(4))
	for i := range out {
		out[i] = parts[r.IntN(len(parts))]
	}
	return strings.Join(append(out, names[r.IntN(len(names))]), "/")
}
