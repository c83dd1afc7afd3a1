package gather_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/incident"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/intent"
	"github.com/stemma-dev/stemma/pipeline"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/review"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

var began = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func at(minute int) stemma.Moment {
	return stemma.At(began.Add(time.Duration(minute) * time.Minute))
}

func now() time.Time { return began.AddDate(0, 0, 10) }

func ptr[T any](x T) *T { return &x }

func edge(to stemma.Ref) []stemma.Edge { return []stemma.Edge{{To: to, Method: "test"}} }

// A place is a repository with one change, where a case happens apart from all others.
type place struct {
	n       int
	records []ingest.Record
	bodies  []stemma.Ref // sessions of which a transcript is kept
	erase   []stemma.Ref
	gaps    []stemma.Gap
}

func (p *place) repository() stemma.Ref {
	return change.RepositoryRef("github.com", fmt.Sprintf("acme/r%d", p.n))
}

func (p *place) change() stemma.Ref      { return change.NumberedRef(p.repository(), 1) }
func (p *place) sha(k int) string        { return fmt.Sprintf("%08x%032x", p.n, k) }
func (p *place) commit(k int) stemma.Ref { return change.CommitRef("sha1", p.sha(k)) }
func (p *place) name(k string) string    { return fmt.Sprintf("%s-%d", k, p.n) }
func (p *place) session(k string) stemma.Ref {
	return stemma.NewRef("session", "claude-code", p.name(k))
}
func (p *place) person(k string) stemma.Ref {
	return identity.PersonRef(stemma.Sum([]byte(p.name(k))).String()[:32])
}
func (p *place) run(k string) stemma.Ref { return pipeline.RunRef("github-actions", p.name(k)) }
func (p *place) image(k string) (string, stemma.Ref) {
	digest := "sha256:" + stemma.Sum([]byte(p.name(k))).String()
	return digest, artifact.Ref(digest)
}
func (p *place) environment() string { return p.name("prod") }
func (p *place) deployment(k string) stemma.Ref {
	return deployment.Ref(p.environment(), k)
}
func (p *place) incident(k string) stemma.Ref { return stemma.NewRef("incident", "pager", p.name(k)) }

func (p *place) tell(records ...ingest.Record) { p.records = append(p.records, records...) }

// merged is a change of one commit, 2, on another one, 1, which showed 3 for review.
func (p *place) merged(edit ...func(*change.Change)) {
	c := change.Change{
		Repository: p.repository(), Number: 1, State: "merged", Method: "squash", Target: "main", Opened: at(10), Merged: at(60), Head: p.commit(3),
		Heads: edge(p.commit(3)), MergeCommit: p.commit(2), Commits: []stemma.Ref{p.commit(2)}, Author: p.person("ada"),
	}
	for _, e := range edit {
		e(&c)
	}
	p.tell(c)
}

func (p *place) landed(edit ...func(*change.Commit)) {
	c := change.Commit{SHA: p.sha(2), Repository: p.repository(), FirstParent: p.commit(1), Parents: []stemma.Ref{p.commit(1)}, Committed: at(60), Author: p.person("ada")}
	for _, e := range edit {
		e(&c)
	}
	p.tell(c)
}

func (p *place) ran(k string, on int, edit ...func(*pipeline.Run)) {
	r := pipeline.Run{ID: p.run(k), Name: "ci", System: "github-actions", Attempt: 1, Commit: p.commit(on), Conclusion: "success", Started: at(30)}
	for _, e := range edit {
		e(&r)
	}
	p.tell(r)
}

func (p *place) deployed(k string, minute int, edit ...func(*deployment.Deployment)) {
	d := deployment.Deployment{
		ID: p.deployment(k), Environment: deployment.EnvironmentRef(p.environment()), Service: "pay", Status: "success", At: at(minute), Version: k,
		Brings: edge(p.change()),
	}
	for _, e := range edit {
		e(&d)
	}
	p.tell(d)
}

// A member is something that controls rest on: how it is told, and what is then seen.
// Untold, nothing of it is seen: all other changes have none of it.
type member struct {
	name string
	tell func(p *place)
	see  func(s *subject.Subject) any
	want func(p *place) any
}

// line puts words apart by single blanks.
func line(words ...any) string { return strings.Join(strings.Fields(fmt.Sprintln(words...)), " ") }

func is(x any) func(*place) any { return func(*place) any { return x } }

func people(list ...subject.Person) (refs []string) {
	for _, p := range list {
		refs = append(refs, p.Ref+" "+p.Self)
	}
	slices.Sort(refs)
	return refs
}

func refs[T any](list []T, of func(T) string) []string {
	out := []string{}
	for _, x := range list {
		out = append(out, of(x))
	}
	return out
}

// tellAll tells all cases into one space, in which they must not meet.
func tellAll(t *testing.T, db *storage.DB, places []*place) *ingest.Space {
	t.Helper()
	s := ingesttest.Must(t, db, now)
	w := ingest.NewWriter(t.Context(), s, now)
	for _, p := range places {
		for _, r := range p.records {
			if err := w.Record(t.Context(), r, "test", stemma.GradeB); err != nil {
				t.Fatal(err)
			}
		}
		w.Within(p.repository())
		for _, g := range p.gaps {
			if err := w.Gap(t.Context(), g); err != nil {
				t.Fatal(err)
			}
		}
		for _, owner := range p.bodies {
			if _, err := w.Body(t.Context(), owner, "transcript", "application/jsonl", []byte(owner)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range places {
		for _, ref := range p.erase {
			if _, err := s.Erase(t.Context(), now, ingest.Erasure{What: ref, Name: "Dan", Mail: "dan@acme.example", Ground: "asked to"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if skips, err := s.Graph.Skips(t.Context(), 10); err != nil || len(skips) > 0 {
		t.Fatalf("the graph skipped %v, %v", skips, err)
	}
	return s
}

func TestEveryMemberIsFilledWhereItIsKnownAndOnlyThere(t *testing.T) {
	all := members()
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		bare := &place{n: len(all)}
		bare.tell(change.Change{Repository: bare.repository(), Number: 1})
		places, asked := []*place{bare}, []stemma.Ref{bare.change()}
		for i, m := range all {
			p := &place{n: i}
			m.tell(p)
			places, asked = append(places, p), append(asked, p.change())
		}
		tellAll(t, db, places)
		list := gathered(t, db, asked...)
		for i, m := range all {
			t.Run(m.name, func(t *testing.T) {
				p, s := places[i+1], list[i+1]
				if s.Change.Ref != string(p.change()) {
					t.Fatalf("it is about %s", s.Change.Ref)
				}
				if d := cmp.Diff(m.want(p), m.see(s)); d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
				if d := cmp.Diff(m.want(bare), m.see(list[0])); d == "" {
					t.Errorf("where nothing is told of it: %v", m.want(bare))
				}
			})
		}
		t.Run("a change of which nothing is told", func(t *testing.T) {
			want := &subject.Subject{
				Change:     subject.Change{Thing: subject.Thing{Ref: string(bare.change()), Grade: "B"}, Number: 1},
				Repository: subject.Repository{Thing: subject.Thing{Ref: string(bare.repository())}, Host: "github.com", Name: fmt.Sprintf("acme/r%d", bare.n)},
				Settings:   options().Settings(""), Now: options().Now, Log: options().Log,
			}
			if d := cmp.Diff(want, list[0]); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
		t.Run("one by one is the same", func(t *testing.T) {
			for i, ref := range asked {
				if d := cmp.Diff(list[i], gathered(t, db, ref)[0]); d != "" {
					t.Errorf("%s: %s", ref, d)
				}
			}
		})
	})
}

func members() []member {
	return slices.Concat(changeMembers(), commitMembers(), sessionMembers(), reviewMembers(), pipelineMembers(), productionMembers(), intentMembers())
}

func changeMembers() []member {
	protection := func(p *place) {
		p.tell(
			change.Protection{Repository: p.repository(), Pattern: "main", Approvals: ptr(2), Owners: ptr(true), Checks: ptr(true), Changed: at(1)},
			change.Protection{Repository: p.repository(), Pattern: "main", Approvals: ptr(1), StaleDismissed: ptr(true), Changed: at(50)},
			change.Protection{Repository: p.repository(), Pattern: "main", Approvals: ptr(0), Changed: at(70)},
			change.Protection{Repository: p.repository(), Pattern: "*", ForAdmins: ptr(true), Changed: at(1)},
		)
	}
	return []member{
		{
			"times and recorded", func(p *place) { p.merged() },
			func(s *subject.Subject) any { return []time.Time{s.Change.Opened, s.Change.Merged, s.Change.Recorded} },
			is([]time.Time{at(10).Time(), at(60).Time(), now()}),
		},
		{
			"recorded is that of the landing, not of what was told while it was open", func(p *place) {
				p.tell(change.Change{Repository: p.repository(), Number: 1, State: "open", Opened: at(10)})
			},
			func(s *subject.Subject) any { return []any{s.Change.State, s.Change.Recorded.IsZero()} },
			is([]any{"open", true}),
		},
		{
			"head, its tree, landed, method, target", func(p *place) {
				p.merged()
				p.tell(change.Commit{SHA: p.sha(3), Tree: "77aa", Repository: p.repository()})
			},
			func(s *subject.Subject) any {
				return []string{s.Change.Head, s.Change.HeadTree, s.Change.Landed, s.Change.Method, s.Change.Target, s.Change.State}
			},
			func(p *place) any {
				return []string{string(p.commit(3)), "77aa", string(p.commit(2)), "squash", "main", "merged"}
			},
		},
		{
			"makers: author, driver, operators, and who wrote what was shown", func(p *place) {
				p.merged(func(c *change.Change) { c.Drivers, c.Sessions = edge(p.person("bo")), edge(p.session("s")) })
				p.landed(func(c *change.Commit) { c.Author = p.person("cy") })
				p.tell(
					change.Commit{SHA: p.sha(3), Repository: p.repository(), Author: p.person("di")},
					session.Session{Tool: "claude-code", ExternalID: p.name("s"), Operator: edge(p.person("ed"))},
				)
			},
			func(s *subject.Subject) any {
				return refs(s.Change.Makers, func(x subject.Person) string { return x.Ref })
			},
			func(p *place) any {
				return []string{string(p.person("ada")), string(p.person("bo")), string(p.person("di")), string(p.person("cy")), string(p.person("ed"))}
			},
		},
		{
			"accounts of one person are one", func(p *place) {
				p.merged(func(c *change.Change) { c.MergedBy = p.person("ada2") })
				p.tell(identity.NewTie(identity.TieAccountMail, p.person("ada"), p.person("ada2")))
			},
			func(s *subject.Subject) any {
				return []any{s.Change.Author.Ref != s.Change.Merger.Ref, s.Change.Author.Self == s.Change.Merger.Self, s.Change.Author.Human, s.Change.Author.Self != ""}
			},
			is([]any{true, true, true, true}),
		},
		{
			"lines, attempts, intent, what it mends", func(p *place) {
				p.merged(func(c *change.Change) {
					c.Lines, c.Size, c.Iterations = &change.Lines{AI: 3, Human: 2, Unknown: 1}, &change.Size{Added: 6, Deleted: 4}, &change.Iterations{Attempts: 2, Green: true, Reprompts: 1}
					c.Intent, c.FixAuthor, c.OriginAuthor, c.Fixes = "fix", "ai", "human", []change.Fix{{Change: change.NumberedRef(p.repository(), 7), Lines: 1, Method: "lines"}}
					c.Components, c.Dropped = []change.Component{{Path: "src"}}, ptr(true)
				})
			},
			func(s *subject.Subject) any {
				c := s.Change
				return []any{c.AILines, c.HumanLines, c.UnknownLines, c.Added, c.Deleted, c.Attempts, c.Green, c.Reprompts, c.Intent, c.FixAuthor, c.OriginAuthor, c.Mends, c.Components, c.Dropped, c.AI, c.AIShare}
			},
			func(p *place) any {
				return []any{3, 2, 1, 6, 4, 2, true, 1, "fix", "ai", "human", []string{string(change.NumberedRef(p.repository(), 7))}, []string{"src"}, true, true, 0.6}
			},
		},
		{
			"protection at the time of the merge", func(p *place) { p.merged(); protection(p) },
			func(s *subject.Subject) any {
				r := s.Repository.Protection
				return []any{r.Known, r.Approvals, r.Owners, r.Checks, r.StaleDismissed, r.ForAdmins, r.Changed}
			},
			is([]any{true, 1, true, true, true, false, at(50).Time()}),
		},
		{
			"protection of another branch is none", func(p *place) {
				p.merged(func(c *change.Change) { c.Target = "release/1" })
				protection(p)
			},
			func(s *subject.Subject) any { return []any{s.Repository.Protection.Known, s.Change.Target} },
			is([]any{false, "release/1"}),
		},
		{
			"protection that was taken away protects nothing", func(p *place) {
				p.merged()
				protection(p)
				p.tell(
					change.Protection{Repository: p.repository(), Pattern: "main", Deleted: true, Changed: at(55)},
					change.Protection{Repository: p.repository(), Pattern: "*", Deleted: true, Changed: at(55)},
				)
			},
			func(s *subject.Subject) any {
				return []any{s.Repository.Protection.Known, s.Repository.Protection.Approvals, s.Repository.Protection.Changed}
			},
			is([]any{true, 0, at(55).Time()}),
		},
		{
			"repository", func(p *place) {
				p.merged(func(c *change.Change) { c.State, c.Target = "", "" })
				p.tell(
					change.Repository{ID: p.repository(), Name: "acme/pay", Host: "git.acme.example", DefaultBranch: "trunk", Tip: p.commit(2)},
					change.Push{Repository: p.repository(), Name: "refs/heads/trunk", After: p.sha(2), Pushed: at(60)},
					change.Change{Repository: p.repository(), Number: 9, Sessions: edge(p.session("s"))},
				)
			},
			func(s *subject.Subject) any {
				r := s.Repository
				return []any{r.Name, r.Host, r.DefaultBranch, s.Change.Target, r.Scanned, r.Forge, r.Captured}
			},
			is([]any{"acme/pay", "git.acme.example", "trunk", "trunk", true, true, true}),
		},
		{
			"gaps about it and about its repository, and no other", func(p *place) {
				p.merged()
				elsewhere := change.NumberedRef(p.repository(), 8)
				p.gaps = []stemma.Gap{
					{Source: "git-ai-note", Place: "a", Reason: "broken", About: p.commit(2), Count: 1, Seen: at(61).Time()},
					{Source: "hooks", Place: "b", Reason: "silent", Count: 1, Seen: at(62).Time()},
					{Source: "hooks", Place: "c", Reason: "silent", Count: 1, Closed: true, Seen: at(63).Time()},
					{Source: "hooks", Place: "d", Reason: "silent", About: elsewhere, Count: 1, Seen: at(64).Time()},
				}
			},
			func(s *subject.Subject) any { return s.Gaps },
			is([]subject.Gap{{Source: "hooks", Place: "b", Reason: "silent", Seen: at(62).Time()}, {Source: "git-ai-note", Place: "a", Reason: "broken", Seen: at(61).Time()}}),
		},
	}
}

func record(p *place, format string, of int, spans ...attribution.Span) attribution.Attribution {
	a := attribution.Attribution{Commit: p.commit(of), Format: format, Writer: "tool 1.0", Spans: spans}
	for _, x := range spans {
		n := x.End - x.Start + 1
		a.ClaimedLines += n
		switch x.Origin {
		case "ai":
			a.AILines += n
		case "human":
			a.HumanLines += n
		}
	}
	return a
}

func commitMembers() []member {
	spans := func(s *subject.Subject) any {
		return refs(s.Spans, func(x subject.Span) string {
			return line(x.Path, x.Lines, x.Origin, x.Session != "", x.Stated, x.ModelName)
		})
	}
	return []member{
		{
			"commit", func(p *place) {
				p.merged()
				p.landed(func(c *change.Commit) {
					c.Title, c.Signature, c.Size, c.Lines, c.BytesBinary, c.OnDefault = "a title", "ssh", &change.Size{Added: 6}, &change.Lines{AI: 3, Human: 2, Unknown: 1}, 12, ptr(true)
					c.Sessions, c.Committer = edge(p.session("s")), p.person("bo")
				})
				p.tell(session.Session{Tool: "claude-code", ExternalID: p.name("s"), Operator: edge(p.person("ada"))})
			},
			func(s *subject.Subject) any { return s.Commits },
			func(p *place) any {
				self := func(k string) subject.Person {
					return subject.Person{Ref: string(p.person(k)), Self: string(p.person(k)), Human: true}
				}
				return []subject.Commit{{
					Thing: subject.Thing{Ref: string(p.commit(2)), Grade: "B"}, Author: self("ada"), Committer: self("bo"), Committed: at(60).Time(), Recorded: now(), Title: "a title", Signature: "ssh",
					Added: 6, AILines: 3, UnknownLines: 1, Sessions: []string{string(p.session("s"))}, UsesCapture: true, Unattributed: 6, BinaryBytes: 12, OnDefault: true,
				}}
			},
		},
		{
			"an agent's own account wrote it", func(p *place) {
				p.merged()
				p.landed(func(c *change.Commit) { c.Author = identity.BotRef("github.com", p.name("copilot-swe-agent")) })
				p.tell(identity.Bot{Host: "github.com", Name: "copilot-swe-agent[bot]"})
				p.landed(func(c *change.Commit) { c.Author = identity.BotRef("github.com", "copilot-swe-agent[bot]") })
			},
			func(s *subject.Subject) any {
				return refs(s.Commits, func(x subject.Commit) string { return line(x.AIAuthor, x.Author.Bot, s.Change.AI) })
			},
			is([]string{"true true true"}),
		},
		{
			"a trailer names an agent", func(p *place) {
				p.merged()
				p.landed(func(c *change.Commit) { c.AssistedBy = edge(identity.AgentRef("codex")) })
			},
			func(s *subject.Subject) any {
				return refs(s.Commits, func(x subject.Commit) string { return line(x.AIAuthor, x.Author.Human) })
			},
			is([]string{"true true"}),
		},
		{
			"commits of an open change are those that it shows", func(p *place) {
				p.tell(
					change.Change{Repository: p.repository(), Number: 1, State: "open", Head: p.commit(3), Heads: []stemma.Edge{{To: p.commit(3)}, {To: p.commit(4)}}},
					change.Commit{SHA: p.sha(3), Repository: p.repository(), Committed: at(5)}, change.Commit{SHA: p.sha(4), Repository: p.repository(), Committed: at(4)},
				)
			},
			func(s *subject.Subject) any { return refs(s.Commits, func(x subject.Commit) string { return x.Ref }) },
			func(p *place) any { return []string{string(p.commit(4)), string(p.commit(3))} },
		},
		{
			"who presses the button wrote nothing", func(p *place) {
				p.merged(func(c *change.Change) { c.Commits = []stemma.Ref{p.commit(2), p.commit(3)} })
				p.landed(func(c *change.Commit) { c.Merge, c.Author = true, p.person("bo") })
			},
			func(s *subject.Subject) any {
				return refs(s.Change.Makers, func(x subject.Person) string { return x.Ref })
			},
			func(p *place) any { return []string{string(p.person("ada"))} },
		},
		{
			"files", func(p *place) {
				p.merged(func(c *change.Change) { c.Commits = []stemma.Ref{p.commit(2), p.commit(3)} })
				p.landed(func(c *change.Commit) {
					c.Files = []change.File{{Path: "src/payments/a.go", Status: "M", Added: 2, Deleted: 1}, {Path: "b.go", Status: "D"}}
				})
				p.tell(change.Commit{
					SHA: p.sha(3), Repository: p.repository(), Committed: at(59), Lines: &change.Lines{AI: 1},
					Files: []change.File{{Path: "src/payments/a.go", Status: "A", Added: 5}, {Path: "b.go", Status: "M"}},
				})
			},
			func(s *subject.Subject) any { return s.Files },
			is([]subject.File{
				{Path: "b.go", Status: "D", ByAI: true},
				{Path: "src/payments/a.go", Status: "A", Added: 7, Deleted: 1, ByAI: true, Tags: []string{"payments"}, Sensitive: true},
			}),
		},
		{
			"spans by path, and what no record tells without one", func(p *place) {
				p.merged(func(c *change.Change) { c.Lines = &change.Lines{AI: 5, Human: 3, Unknown: 2} })
				p.landed(func(c *change.Commit) { c.Lines = &change.Lines{AI: 5, Human: 3, Unknown: 2} })
				p.tell(
					record(p, "git-ai", 2,
						attribution.Span{Path: "a.go", Start: 1, End: 4, Origin: "ai", Session: p.session("s"), ModelName: "opus"},
						attribution.Span{Path: "a.go", Start: 9, End: 9, Origin: "ai", Session: p.session("named"), ModelName: "opus"},
						attribution.Span{Path: "b.go", Start: 1, End: 2, Origin: "human"}),
					session.Session{Tool: "claude-code", ExternalID: p.name("s")},
				)
			},
			spans,
			is([]string{"1 human false false", "2 unknown false false", "a.go 1 ai true false opus", "a.go 4 ai true true opus", "b.go 2 human false false"}),
		},
		{
			"two records tell of one line once", func(p *place) {
				p.merged(func(c *change.Change) { c.Lines = &change.Lines{AI: 6} })
				p.landed(func(c *change.Commit) { c.Lines = &change.Lines{AI: 6} })
				p.tell(
					record(p, "git-ai", 2, attribution.Span{Path: "a.go", Start: 1, End: 4, Origin: "ai"}),
					record(p, "whogitit", 2, attribution.Span{Path: "a.go", Start: 3, End: 6, Origin: "ai", ModelName: "opus"}),
				)
			},
			spans,
			is([]string{"a.go 4 ai false false", "a.go 2 ai false false opus"}),
		},
		{
			"a record that was withdrawn says nothing", func(p *place) {
				p.merged(func(c *change.Change) { c.Lines = &change.Lines{Unknown: 4} })
				p.landed(func(c *change.Commit) { c.Lines = &change.Lines{Unknown: 4} })
				a := record(p, "git-ai", 2, attribution.Span{Path: "a.go", Start: 1, End: 4, Origin: "ai", Session: p.session("s")})
				a.Withdrawn = true
				p.tell(a)
			},
			func(s *subject.Subject) any {
				return []any{spans(s), s.Commits[:min(1, len(s.Commits))], len(s.Sessions)}
			},
			func(p *place) any {
				ada := subject.Person{Ref: string(p.person("ada")), Self: string(p.person("ada")), Human: true}
				return []any{[]string{"4 unknown false false"}, []subject.Commit{{
					Thing: subject.Thing{Ref: string(p.commit(2)), Grade: "B"}, Author: ada, Committed: at(60).Time(), Recorded: now(), UnknownLines: 4, Unattributed: 4,
				}}, 0}
			},
		},
		{
			"more lines in records than the change added: its credits stand", func(p *place) {
				p.merged(func(c *change.Change) {
					c.Lines, c.Credits = &change.Lines{AI: 2, Human: 1}, []change.Credit{{Origin: "ai", Session: p.session("s"), ModelName: "opus", Lines: 2}}
				})
				p.landed()
				p.tell(record(p, "git-ai", 2, attribution.Span{Path: "a.go", Start: 1, End: 4, Origin: "ai"}))
			},
			spans,
			is([]string{"2 ai true false opus", "1 human false false"}),
		},
		{
			"records of commits", func(p *place) {
				p.merged()
				p.landed(func(c *change.Commit) { c.Lines = &change.Lines{AI: 3, Unknown: 2} })
				p.tell(
					record(p, "git-ai", 2, attribution.Span{Path: "a.go", Start: 1, End: 3, Origin: "ai"}),
					record(p, "declared", 2),
				)
			},
			func(s *subject.Subject) any {
				return refs(s.Commits, func(x subject.Commit) string { return line(x.HasRecord, x.RecordWriter, x.Unattributed) })
			},
			is([]string{"true tool 1.0 2"}),
		},
		{
			"what a commit says of itself is no record of its lines", func(p *place) {
				p.merged()
				p.landed(func(c *change.Commit) { c.Lines = &change.Lines{Unknown: 2} })
				p.tell(record(p, "declared", 2))
			},
			func(s *subject.Subject) any {
				return refs(s.Commits, func(x subject.Commit) string { return line(x.HasRecord, x.Unattributed) })
			},
			is([]string{"false 2"}),
		},
	}
}

func sessionMembers() []member {
	of := func(p *place, k string, edit func(*session.Session)) {
		x := session.Session{Tool: "claude-code", ExternalID: p.name(k), Started: at(5)}
		edit(&x)
		p.tell(x)
	}
	came := func(p *place, k string) { p.merged(func(c *change.Change) { c.Sessions = edge(p.session(k)) }) }
	return []member{
		{
			"session", func(p *place) {
				came(p, "s")
				model := identity.ParseModel("claude-opus-4-6-20260205")
				p.tell(model)
				of(p, "s", func(x *session.Session) {
					x.HarnessVersion, x.Ended, x.TurnCount, x.Prompts, x.Iterations, x.Reprompts, x.Cost = "2.1", at(9), 2, 1, 3, 1, 77
					x.Models = []session.ModelUse{{Model: model.Ref(), Name: model.Name, Turns: 2}, {Name: "sonnet"}}
					x.Configs = []session.Config{{Kind: "rules", Name: "CLAUDE.md", Digest: "ab"}}
					x.ToolCalls = []session.ToolCall{{Tool: "Bash", Network: true}, {Tool: "Bash"}, {Tool: "Write"}}
					x.WorksOn, x.Operator = edge("ticket:jira/PAY-1"), edge(p.person("ada"))
					x.Turns = []session.Turn{{Number: 1, Role: "user"}, {Number: 2, Role: "assistant"}}
				})
				p.bodies = []stemma.Ref{p.session("s")}
			},
			func(s *subject.Subject) any { return s.Sessions },
			func(p *place) any {
				return []subject.Session{{
					Thing: subject.Thing{Ref: string(p.session("s")), Grade: "B"}, Tool: "claude-code", HarnessVersion: "2.1", Started: at(5).Time(), Ended: at(9).Time(), Recorded: now(), Stated: true,
					Operators: []subject.Person{{Ref: string(p.person("ada")), Self: string(p.person("ada")), Human: true}},
					Models: []subject.Model{
						{Ref: "model:anthropic/claude-opus-4-6-20260205", Name: "claude-opus-4-6-20260205", Version: "4.6", Named: true, Turns: 2}, {Name: "sonnet"},
					},
					Turns: 2, Kept: 2, Prompts: 1, Iterations: 3, Reprompts: 1, CostMicroUSD: 77, Priced: true, Bodies: true, Principal: true, Root: string(p.session("s")),
					Configs: []subject.Config{{Kind: "rules", Name: "CLAUDE.md", Digest: "ab"}},
					Tools:   []subject.Tool{{Name: "Bash", Calls: 2, Network: true, Untrusted: true}, {Name: "Write", Calls: 1}}, Tickets: []string{"ticket:jira/PAY-1"},
				}}
			},
		},
		{
			"a session that is only named", func(p *place) { came(p, "s") },
			func(s *subject.Subject) any {
				return refs(s.Sessions, func(x subject.Session) string { return line(x.Ref, x.Stated, x.Grade, x.Bodies) })
			},
			func(p *place) any { return []string{string(p.session("s")) + " false false"} },
		},
		{
			"sessions of credits, of commits, of what was shown, and that opened it, each once", func(p *place) {
				p.merged(func(c *change.Change) { c.Credits = []change.Credit{{Origin: "ai", Session: p.session("a"), Lines: 1}} })
				p.landed(func(c *change.Commit) { c.Sessions = edge(p.session("b")) })
				p.tell(change.Commit{SHA: p.sha(3), Repository: p.repository(), Sessions: []stemma.Edge{{To: p.session("c")}, {To: p.session("b")}}})
				of(p, "d", func(x *session.Session) { x.Opened, x.Started = edge(p.change()), 0 })
			},
			func(s *subject.Subject) any { return refs(s.Sessions, func(x subject.Session) string { return x.Ref }) },
			func(p *place) any {
				return []string{string(p.session("a")), string(p.session("b")), string(p.session("c")), string(p.session("d"))}
			},
		},
		{
			"all above a session, to a human", func(p *place) {
				came(p, "work")
				of(p, "work", func(x *session.Session) { x.Parent, x.Started = p.session("lead"), at(7) })
				of(p, "lead", func(x *session.Session) { x.Parent, x.Started = p.session("plan"), at(6) })
				of(p, "plan", func(x *session.Session) { x.Operator = edge(p.person("ada")) })
			},
			func(s *subject.Subject) any {
				return refs(s.Sessions, func(x subject.Session) string { return line(x.Ref, x.Parent, x.Depth, x.Principal) })
			},
			func(p *place) any {
				return []string{
					line(p.session("plan"), "", 0, true), line(p.session("lead"), p.session("plan"), 1, true), line(p.session("work"), p.session("lead"), 2, true),
				}
			},
		},
		{
			"a circle of sessions ends, and has no root", func(p *place) {
				came(p, "1")
				of(p, "1", func(x *session.Session) { x.Parent = p.session("2") })
				of(p, "2", func(x *session.Session) { x.Parent = p.session("1") })
			},
			func(s *subject.Subject) any {
				return refs(s.Sessions, func(x subject.Session) string { return x.Parent + x.Root })
			},
			func(p *place) any { return []string{string(p.session("2")), string(p.session("1"))} },
		},
		{
			"what was erased lawfully is told", func(p *place) {
				came(p, "s")
				of(p, "s", func(x *session.Session) { x.TurnCount = 2 })
				p.bodies, p.erase = []stemma.Ref{p.session("s")}, []stemma.Ref{p.session("s")}
			},
			func(s *subject.Subject) any {
				return refs(s.Sessions, func(x subject.Session) string { return line(x.Kept, x.Erased, x.Bodies) })
			},
			is([]string{"0 2 true"}),
		},
		{
			"what was never kept is not", func(p *place) {
				came(p, "s")
				of(p, "s", func(x *session.Session) { x.TurnCount = 2 })
			},
			func(s *subject.Subject) any {
				return refs(s.Sessions, func(x subject.Session) string { return line(x.Kept, x.Erased, x.Bodies) })
			},
			is([]string{"0 0 false"}),
		},
	}
}

func reviewMembers() []member {
	given := func(p *place, k, by, verdict string, minute, head int, edit ...func(*review.Review)) stemma.Ref {
		r := review.Review{
			ID: review.Ref("github.com", p.name(k)), Change: p.change(), Reviewer: p.person(by), Verdict: verdict, Head: p.commit(head), Submitted: at(minute),
		}
		for _, e := range edit {
			e(&r)
		}
		p.tell(r)
		return r.ID
	}
	short := func(s *subject.Subject) any {
		return refs(s.Reviews, func(x subject.Review) string {
			return line(x.Verdict, x.Last, x.OnHead, x.ByMaker, x.Dismissed, x.Counts)
		})
	}
	return []member{
		{
			"review", func(p *place) {
				p.merged()
				id := given(p, "1", "bo", "approved", 40, 3, func(r *review.Review) { r.Role, r.Tree, r.Comments = "member", "ab", 3 })
				p.tell(
					review.Standing{Review: id, Holder: p.person("bo"), Role: "owner", Method: review.StandingOwners, Owned: 2, Files: 5, As: at(40)},
					review.Standing{Review: id, Holder: p.person("bo"), Role: "security-reviewer", Method: review.StandingMap, As: at(40), Withdrawn: true},
				)
			},
			func(s *subject.Subject) any {
				list := slices.Clone(s.Reviews)
				for i := range list {
					list[i].Roles = slices.Clone(list[i].Roles)
					for j := range list[i].Roles {
						list[i].Roles[j].Thing = subject.Thing{}
					}
				}
				return list
			},
			func(p *place) any {
				return []subject.Review{{
					Thing: subject.Thing{Ref: string(review.Ref("github.com", p.name("1"))), Grade: "B"}, By: subject.Person{Ref: string(p.person("bo")), Self: string(p.person("bo")), Human: true},
					Verdict: "approved", Head: string(p.commit(3)), Tree: "ab", Submitted: at(40).Time(), Recorded: now(), Comments: 3,
					Roles: []subject.Role{{Role: "member", Method: "forge"}, {Role: "owner", Method: "codeowners", Owned: 2, Files: 5}}, Last: true, OnHead: true, Counts: true,
				}}
			},
		},
		{"of an earlier head", func(p *place) { p.merged(); given(p, "1", "bo", "approved", 40, 4) }, short, is([]string{"approved true false false false false"})},
		{
			"of an earlier head with the same tree", func(p *place) {
				p.merged()
				p.tell(change.Commit{SHA: p.sha(3), Repository: p.repository(), Tree: "77"}, change.Commit{SHA: p.sha(4), Repository: p.repository(), Tree: "77"})
				p.merged(func(c *change.Change) { c.Heads = append(c.Heads, stemma.Edge{To: p.commit(4)}) })
				given(p, "1", "bo", "approved", 40, 4)
			}, short, is([]string{"approved true true false false true"}),
		},
		{
			"dismissed", func(p *place) {
				p.merged()
				given(p, "1", "bo", "approved", 40, 3, func(r *review.Review) { r.Dismissed = true })
			}, short, is([]string{"approved true true false true false"}),
		},
		{
			"by another account of who made it", func(p *place) {
				p.merged()
				p.tell(identity.NewTie(identity.TieAccountMail, p.person("ada"), p.person("ada2")))
				given(p, "1", "ada2", "approved", 40, 3)
			}, short, is([]string{"approved true true true false false"}),
		},
		{
			"the last word of one person, whichever account said it", func(p *place) {
				p.merged()
				p.tell(identity.NewTie(identity.TieAccountMail, p.person("bo"), p.person("bo2")))
				given(p, "1", "bo", "approved", 40, 3)
				given(p, "2", "bo2", "rejected", 41, 3)
			}, short, is([]string{"approved false true false false false", "rejected true true false false false"}),
		},
	}
}

func pipelineMembers() []member {
	suite := func(p *place, k string, of stemma.Ref, failed int) pipeline.Test {
		return pipeline.Test{ID: pipeline.TestRef("github-actions", p.name(k)), Run: of, Suite: "unit", Status: "passed", Failed: failed, Passed: 3, Of: []stemma.Ref{of}}
	}
	scan := func(p *place, k string, of stemma.Ref, rules ...string) pipeline.Scan {
		x := pipeline.Scan{ID: pipeline.ScanRef("github-actions", p.name(k)), Tool: "codeql", Format: "sarif", Findings: len(rules), High: len(rules), Of: []stemma.Ref{of}, Occurred: at(31)}
		for _, r := range rules {
			x.Found = append(x.Found, pipeline.Finding{Rule: r, Severity: "high"})
		}
		return x
	}
	return []member{
		{
			"run", func(p *place) {
				p.merged()
				file := pipeline.Config{Repository: p.repository(), Path: ".github/workflows/ci.yml", Blob: "ab", Pins: []pipeline.Pin{{Uses: "actions/checkout", Ref: "abc", Pinned: true}}}
				p.tell(file)
				p.ran("1", 3, func(r *pipeline.Run) {
					r.By, r.Trigger, r.Uses, r.PartOf = p.person("bo"), "push", []stemma.Ref{file.Ref()}, p.run("whole")
				})
			},
			func(s *subject.Subject) any { return s.Runs },
			func(p *place) any {
				return []subject.Run{{
					Thing: subject.Thing{Ref: string(p.run("1")), Grade: "B"}, Name: "ci", System: "github-actions", Attempt: 1, Conclusion: "success", Commit: string(p.commit(3)), Started: at(30).Time(),
					Trigger: "push", Actor: subject.Person{Ref: string(p.person("bo")), Self: string(p.person("bo")), Human: true}, PartOf: string(p.run("whole")), Configs: 1, Pinned: true, OnHead: true, Latest: true,
				}}
			},
		},
		{
			"a file that takes what may change is not pinned", func(p *place) {
				p.merged()
				file := pipeline.Config{Repository: p.repository(), Path: "ci.yml", Blob: "ab", Pins: []pipeline.Pin{{Uses: "a", Pinned: true}, {Uses: "b", Ref: "v4"}}}
				p.tell(file)
				p.ran("1", 2, func(r *pipeline.Run) { r.Uses = []stemma.Ref{file.Ref()} })
			},
			func(s *subject.Subject) any {
				return refs(s.Runs, func(x subject.Run) string { return line(x.Configs, x.Pinned) })
			},
			is([]string{"1 false"}),
		},
		{
			"runs on its commits and for it, in their order", func(p *place) {
				p.merged()
				p.ran("late", 2, func(r *pipeline.Run) { r.Started = at(50) })
				p.ran("early", 3)
				p.ran("for", 9, func(r *pipeline.Run) { r.Changes, r.Started = []stemma.Ref{p.change()}, at(40) })
				p.ran("other", 8)
			},
			func(s *subject.Subject) any {
				return refs(s.Runs, func(x subject.Run) string { return line(x.Ref, x.OnHead) })
			},
			func(p *place) any {
				return []string{string(p.run("early")) + " true", string(p.run("for")) + " false", string(p.run("late")) + " true"}
			},
		},
		{
			"tests, with those before", func(p *place) {
				p.merged()
				p.landed()
				p.ran("1", 2)
				p.ran("0", 1)
				p.tell(suite(p, "1", p.run("1"), 1), suite(p, "0", p.run("0"), 0))
			},
			func(s *subject.Subject) any { return s.Tests },
			func(p *place) any {
				of := func(k string, commit, failed int) subject.Test {
					return subject.Test{
						Thing: subject.Thing{Ref: string(pipeline.TestRef("github-actions", p.name(k))), Grade: "B"}, Suite: "unit", Status: "passed", Failed: failed, Passed: 3,
						Run: string(p.run(k)), Commit: string(p.commit(commit)),
					}
				}
				t := of("1", 2, 1)
				t.OnHead, t.Before = true, []subject.Test{of("0", 1, 0)}
				return []subject.Test{t}
			},
		},
		{
			"scans, with those before", func(p *place) {
				p.merged()
				p.landed()
				p.tell(scan(p, "1", p.commit(2), "R1", "R2"), scan(p, "0", p.commit(1), "R1"))
			},
			func(s *subject.Subject) any {
				return refs(s.Scans, func(x subject.Scan) string {
					return line(x.Tool, x.Format, x.Findings, x.High, x.Commit, x.Rules, x.New, x.OnHead, x.Latest, x.At.Unix(), refs(x.Before, func(b subject.Scan) string { return line(b.Rules) }))
				})
			},
			func(p *place) any {
				return []string{line("codeql", "sarif", 2, 2, string(p.commit(2)), []string{"R1", "R2"}, 1, true, true, at(31).Time().Unix(), []string{"[R1]"})}
			},
		},
		{
			"a scan of which none was before", func(p *place) {
				p.merged()
				p.tell(scan(p, "1", p.commit(3), "R1"))
			},
			func(s *subject.Subject) any {
				return refs(s.Scans, func(x subject.Scan) string { return line(x.New, len(x.Before)) })
			},
			is([]string{"1 0"}),
		},
	}
}

func productionMembers() []member {
	return []member{
		{
			"artifact", func(p *place) {
				p.merged()
				p.ran("1", 2)
				digest, ref := p.image("pay")
				p.tell(
					artifact.Artifact{Digest: digest, Name: "pay", BuiltBy: edge(p.run("1")), From: edge(p.commit(2))},
					artifact.Attestation{ID: artifact.AttestationRef(stemma.Sum([]byte(digest))), PredicateType: "https://slsa.dev/provenance/v1", Verified: true, SignerHint: "ci", About: edge(ref)},
					artifact.Bom{
						ID: artifact.BomRef(stemma.Sum([]byte(digest))), Format: "spdx", Count: 2, Unresolved: 1, Of: edge(ref),
						Components: []artifact.Component{{Name: "a", PURL: "pkg:npm/%40scope/a@1.0?x=y#z"}, {Name: "b"}},
					},
				)
			},
			func(s *subject.Subject) any { return s.Artifacts },
			func(p *place) any {
				digest, ref := p.image("pay")
				return []subject.Artifact{{
					Thing: subject.Thing{Ref: string(ref), Grade: "B"}, Name: "pay", Digest: digest, Run: string(p.run("1")), Commit: string(p.commit(2)),
					Attestations: []subject.Attestation{{Thing: subject.Thing{Ref: string(artifact.AttestationRef(stemma.Sum([]byte(digest)))), Grade: "B"}, Predicate: "https://slsa.dev/provenance/v1", Verified: true, Signer: "ci"}},
					Boms:         []subject.Bom{{Thing: subject.Thing{Ref: string(artifact.BomRef(stemma.Sum([]byte(digest)))), Grade: "B"}, Format: "spdx", Components: 2, Unresolved: 1, Packages: []string{"pkg:npm/%40scope/a"}}},
				}}
			},
		},
		{
			"what a deployment ships, under its other digest too", func(p *place) {
				p.merged()
				digest, ref := p.image("pay")
				other, same := p.image("config")
				p.tell(artifact.Artifact{Digest: digest}, artifact.Artifact{Digest: other, Same: edge(ref)})
				p.deployed("d1", 70, func(d *deployment.Deployment) { d.Ships = edge(same) })
			},
			func(s *subject.Subject) any {
				out := refs(s.Artifacts, func(x subject.Artifact) string { return x.Ref })
				for _, d := range s.Deployments {
					out = append(out, d.Artifacts...)
				}
				slices.Sort(out)
				return out
			},
			func(p *place) any {
				_, ref := p.image("pay")
				_, same := p.image("config")
				list := []string{string(ref), string(ref), string(same), string(same)}
				slices.Sort(list)
				return list
			},
		},
		{
			"deployment", func(p *place) {
				p.merged()
				digest, ref := p.image("before")
				p.tell(deployment.Environment{Name: p.environment(), Tier: "production"}, artifact.Artifact{Digest: digest})
				p.deployed("d0", 65, func(d *deployment.Deployment) { d.Brings, d.Ships = nil, edge(ref) })
				p.deployed("d1", 70, func(d *deployment.Deployment) {
					d.By, d.Task, d.Runs, d.Replaces = p.person("dan"), "deploy", edge(p.run("deploy")), []stemma.Ref{p.deployment("d0")}
					d.Brought = &deployment.Brought{Orphans: 2, Direct: 1}
				})
				p.deployed("d2", 80, func(d *deployment.Deployment) { d.Brings = nil })
				seen := func(k string, minute, unexplained int) deployment.Snapshot {
					return deployment.Snapshot{ID: deployment.SnapshotRef(p.environment(), k), Environment: deployment.EnvironmentRef(p.environment()), Taken: at(minute), Things: 3, Unexplained: unexplained}
				}
				p.tell(seen("before", 66, 9), seen("a", 71, 2), seen("b", 72, 1), seen("after", 81, 9))
			},
			func(s *subject.Subject) any { return s.Deployments },
			func(p *place) any {
				_, ref := p.image("before")
				return []subject.Deployment{{
					Thing: subject.Thing{Ref: string(p.deployment("d1")), Grade: "B"}, Environment: p.environment(), Tier: "production", Service: "pay", Version: "d1", Status: "success", Task: "deploy", At: at(70).Time(),
					Actor: subject.Person{Ref: string(p.person("dan")), Self: string(p.person("dan")), Human: true}, Run: string(p.run("deploy")), Replaces: string(p.deployment("d0")), ReplacesOf: []string{string(ref)},
					Orphans: 2, Direct: 1, Unexplained: 2, Snapshots: 2, Production: true, Succeeded: true,
				}}
			},
		},
		{
			"the first one, of which nobody counted anything", func(p *place) { p.merged(); p.deployed("d1", 70) },
			func(s *subject.Subject) any {
				return refs(s.Deployments, func(x subject.Deployment) string { return line(x.First, x.Orphans, x.Direct, x.Snapshots) })
			},
			is([]string{"true -1 -1 0"}),
		},
		{
			"incidents of the change, and of its deployments", func(p *place) {
				p.merged()
				p.deployed("d1", 70)
				p.tell(
					incident.Incident{
						Source: "pager", Key: p.name("i1"), Severity: "P1", State: "resolved", Opened: at(90), Resolved: at(99), CausedBy: edge(p.change()), RuledOut: edge(change.NumberedRef(p.repository(), 8)),
						Judgements: []incident.Judgement{{Cause: p.change(), Verdict: "confirmed", At: at(97)}, {Cause: p.change(), Verdict: "confirmed", At: at(98)}},
					},
					incident.Incident{Source: "pager", Key: p.name("i2"), Opened: at(91), Suspects: edge(p.deployment("d1"))},
					incident.Incident{Source: "pager", Key: p.name("i3"), Opened: at(92), CausedBy: edge(change.NumberedRef(p.repository(), 8))},
				)
			},
			func(s *subject.Subject) any { return s.Incidents },
			func(p *place) any {
				return []subject.Incident{
					{
						Thing: subject.Thing{Ref: string(p.incident("i1")), Grade: "B"}, Severity: "P1", State: "resolved", Opened: at(90).Time(), Resolved: at(99).Time(), Causes: []string{string(p.change())},
						RuledOut: []string{string(change.NumberedRef(p.repository(), 8))}, Traced: at(97).Time(), CausedHere: true,
					},
					{Thing: subject.Thing{Ref: string(p.incident("i2")), Grade: "B"}, Opened: at(91).Time(), Suspects: []string{string(p.deployment("d1"))}, Deployed: true},
				}
			},
		},
		{
			"incidents that it mends", func(p *place) {
				broken := change.NumberedRef(p.repository(), 8)
				p.merged(func(c *change.Change) { c.Fixes = []change.Fix{{Change: broken, Lines: 1, Method: "lines"}} })
				p.tell(incident.Incident{Source: "pager", Key: p.name("i1"), Opened: at(50), CausedBy: edge(broken)})
			},
			func(s *subject.Subject) any {
				return refs(s.Incidents, func(x subject.Incident) string { return line(x.Ref, x.CausedHere, x.Traced) })
			},
			func(p *place) any { return []string{line(p.incident("i1"), false, now())} },
		},
	}
}

func intentMembers() []member {
	return []member{
		{
			"tickets of the change and of its commits, and what they serve", func(p *place) {
				own, other := intent.TicketRef("jira", p.name("A")), intent.TicketRef("jira", p.name("B"))
				p.merged(func(c *change.Change) {
					c.Implements, c.Satisfies = []stemma.Edge{{To: own, Method: "branch"}}, edge(intent.RequirementRef("doors", p.name("R1")))
				})
				p.landed(func(c *change.Commit) { c.Implements = []stemma.Edge{{To: other, Method: "message"}} })
				p.tell(
					intent.Ticket{Tracker: "jira", Key: p.name("A"), Title: "a", State: "Done", Type: "Story", Opened: at(1), Closed: at(99), PartOf: edge(intent.TicketRef("jira", p.name("EPIC")))},
					intent.Ticket{Tracker: "jira", Key: p.name("EPIC"), Refines: edge(intent.RequirementRef("jira", p.name("R2")))},
					intent.Requirement{Source: "jira", Key: p.name("R2"), Title: "money back"},
				)
			},
			func(s *subject.Subject) any { return []any{s.Tickets, s.Requirements} },
			func(p *place) any {
				return []any{
					[]subject.Ticket{
						{Thing: subject.Thing{Ref: string(intent.TicketRef("jira", p.name("A"))), Grade: "B"}, Title: "a", State: "Done", Type: "Story", Opened: at(1).Time(), Closed: at(99).Time(), Stated: true, Method: "branch"},
						{Thing: subject.Thing{Ref: string(intent.TicketRef("jira", p.name("B")))}, Method: "message"},
					},
					[]subject.Requirement{
						{Thing: subject.Thing{Ref: string(intent.RequirementRef("doors", p.name("R1")))}},
						{Thing: subject.Thing{Ref: string(intent.RequirementRef("jira", p.name("R2"))), Grade: "B"}, Title: "money back"},
					},
				}
			},
		},
		{
			"a ticket of which the tracker tells under another key", func(p *place) {
				p.merged(func(c *change.Change) { c.Implements = edge(intent.TicketRef("jira", p.name("OLD"))) })
				p.tell(intent.Ticket{Tracker: "jira", Key: p.name("NEW"), Title: "moved", SameAs: edge(intent.TicketRef("jira", p.name("OLD")))})
			},
			func(s *subject.Subject) any {
				return refs(s.Tickets, func(x subject.Ticket) string { return line(x.Ref, x.Title, x.Stated) })
			},
			func(p *place) any {
				return []string{line(intent.TicketRef("jira", p.name("OLD")), "moved", true)}
			},
		},
	}
}
