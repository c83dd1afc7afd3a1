package gather_test

import (
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/session"
)

func changeMembers() []member {
	protection := func(p *place) {
		p.tell(
			change.Protection{Repository: p.repository(), Pattern: "main", Approvals: ptr(2), Owners: ptr(true), Checks: ptr(true), Changed: at(1)},
			change.Protection{Repository: p.repository(), Pattern: "main", Approvals: ptr(1), StaleDismissed: ptr(true), ForAdmins: ptr(true), ForcePushes: ptr(true), Changed: at(50)},
			change.Protection{Repository: p.repository(), Pattern: "main", Approvals: ptr(0), Changed: at(70)},
			change.Protection{Repository: p.repository(), Pattern: "*", Approvals: ptr(6), Changed: at(1)},
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
				p.tell(change.Change{Repository: p.repository(), Number: 1, State: "open", Opened: at(10), Title: "a title"})
			},
			func(s *subject.Subject) any { return []any{s.Change.State, s.Change.Title, s.Change.Recorded.IsZero()} },
			is([]any{"open", "a title", true}),
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
			"what a merge queue made of it", func(p *place) {
				p.merged(func(c *change.Change) {
					c.Heads = append(c.Heads, stemma.Edge{To: p.commit(5), Method: "merge-group"})
				})
			},
			func(s *subject.Subject) any { return s.Change.Queued },
			func(p *place) any { return []string{string(p.commit(5))} },
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
				return []any{r.Known, r.Approvals, r.Owners, r.Checks, r.StaleDismissed, r.ForAdmins, r.ForcePushes, r.Changed}
			},
			is([]any{true, 1, true, true, true, true, true, at(50).Time()}),
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
				p.merged(func(c *change.Change) { c.State, c.Target, c.Method = "", "", "direct" })
				p.tell(
					change.Repository{ID: p.repository(), Name: "acme/pay", Host: "git.acme.example", DefaultBranch: "trunk", Tip: p.commit(2)},
					change.Push{Repository: p.repository(), Name: "refs/heads/trunk", After: p.sha(2), Pushed: at(60)},
					change.Change{Repository: p.repository(), Number: 9, Sessions: edge(p.session("s"))},
				)
			},
			func(s *subject.Subject) any {
				r := s.Repository
				return []any{r.Name, r.Host, r.DefaultBranch, s.Change.Target, r.Scanned, r.Forge, r.Captured, s.Change.Direct}
			},
			is([]any{"acme/pay", "git.acme.example", "trunk", "trunk", true, true, true, true}),
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
					c.Title, c.Signature, c.Size, c.Lines, c.BytesBinary, c.OnDefault = "a title", "ssh", &change.Size{Added: 6, Deleted: 7}, &change.Lines{AI: 3, Human: 2, Unknown: 1}, 12, ptr(true)
					c.Sessions, c.Committer = edge(p.session("s")), p.person("bo")
				})
				p.tell(session.Session{Tool: "claude-code", ExternalID: p.name("s"), Operator: edge(p.person("ada"))})
			},
			func(s *subject.Subject) any {
				return refs(s.Commits, func(x subject.Commit) string {
					return line(x.Ref, x.Grade, x.Author, x.Committer, x.Committed, x.Recorded, x.Title, x.Signature, x.Added, x.Deleted, x.AILines, x.UnknownLines, x.Sessions, x.UsesCapture, x.Unattributed, x.BinaryBytes, x.OnDefault)
				})
			},
			func(p *place) any {
				self := func(k string) subject.Person {
					return subject.Person{Ref: string(p.person(k)), Self: string(p.person(k)), Human: true}
				}
				return []string{line(p.commit(2), "B", self("ada"), self("bo"), at(60).Time(), now(), "a title", "ssh", 6, 7, 3, 1, []string{string(p.session("s"))}, true, 6, 12, true)}
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
			"who merges and writes in the merge wrote what nobody was shown", func(p *place) {
				p.merged(func(c *change.Change) { c.Commits = []stemma.Ref{p.commit(2), p.commit(3)} })
				p.landed(func(c *change.Commit) { c.Merge, c.Author, c.Size = true, p.person("bo"), &change.Size{Added: 3} })
			},
			func(s *subject.Subject) any {
				return []any{s.Change.Unseen, refs(s.Change.Makers, func(x subject.Person) string { return x.Ref })}
			},
			func(p *place) any { return []any{3, []string{string(p.person("ada")), string(p.person("bo"))}} },
		},
		{
			"what landed was held against the head", func(p *place) {
				p.merged(func(c *change.Change) { c.Compared = &change.Compared{With: p.commit(3), Altered: 2} })
			},
			func(s *subject.Subject) any { return []any{s.Change.Compared, s.Change.Altered} },
			func(*place) any { return []any{true, 2} },
		},
		{
			"who is assigned to what an agent brings drove it", func(p *place) {
				p.merged(func(c *change.Change) {
					c.Author, c.Drivers = identity.BotRef("github.com", "copilot-swe-agent[bot]"), edge(p.person("bo"))
				})
			},
			func(s *subject.Subject) any {
				return refs(s.Change.Drivers, func(x subject.Person) string { return x.Ref })
			},
			func(p *place) any { return []string{string(p.person("bo"))} },
		},
		{
			"who is assigned to what a timetable brings did not", func(p *place) {
				p.merged(func(c *change.Change) {
					c.Author, c.Drivers = identity.BotRef("github.com", "dependabot[bot]"), edge(p.person("bo"))
				})
			},
			func(s *subject.Subject) any { return len(s.Change.Drivers) + len(s.Change.Makers) },
			is(1), // itself
		},
		{
			"files", func(p *place) {
				p.merged(func(c *change.Change) { c.Commits = []stemma.Ref{p.commit(2), p.commit(3)} })
				p.landed(func(c *change.Commit) {
					c.Files = []change.File{{Path: "src/payments/a.go", Status: "M", Added: 2, Deleted: 1}, {Path: "b.go", Status: "D"}}
				})
				p.tell(record(p, "git-ai", 3, attribution.Span{Path: "src/payments/a.go", Start: 1, End: 2, Origin: "ai", Agent: "codex", Model: "model:openai/gpt-5"}))
				p.tell(change.Commit{
					SHA: p.sha(3), Repository: p.repository(), Committed: at(59), Lines: &change.Lines{AI: 2},
					Files: []change.File{{Path: "src/payments/a.go", Status: "A", Added: 5}, {Path: "b.go", Status: "M"}},
				})
			},
			func(s *subject.Subject) any { return []any{s.Files, s.Spans} },
			is([]any{[]subject.File{
				{Path: "b.go", Status: "D", ByAI: true},
				{Path: "src/payments/a.go", Status: "A", Added: 7, Deleted: 1, AILines: 2, ByAI: true, Tags: []string{"payments"}, Sensitive: true},
			}, []subject.Span{{Path: "src/payments/a.go", Lines: 2, Origin: "ai", Agent: "codex", Model: "model:openai/gpt-5"}}}),
		},
		{
			"files that were renamed, under both paths", func(p *place) {
				p.merged(func(c *change.Change) { c.Commits = []stemma.Ref{p.commit(2), p.commit(3)} })
				p.landed(func(c *change.Commit) {
					c.Committed, c.Files = at(59), []change.File{{Path: "b.go", Status: "A", Added: 1}}
				})
				p.tell(change.Commit{SHA: p.sha(3), Repository: p.repository(), Committed: at(58), AssistedBy: edge(identity.AgentRef("claude-code")), Files: []change.File{
					{Path: "out/a.go", OldPath: "src/payments/a.go", Status: "R", Added: 1}, {Path: "src/c.go", OldPath: "b.go", Status: "R"}, {Path: "copy.go", OldPath: "d.go", Status: "C"},
				}})
			},
			func(s *subject.Subject) any { return s.Files },
			is([]subject.File{
				{Path: "b.go", Status: "A", Added: 1, ByAI: true}, // it is there again
				{Path: "copy.go", Status: "C", ByAI: true},
				{Path: "out/a.go", Status: "R", Added: 1, ByAI: true},
				{Path: "src/c.go", Status: "R", ByAI: true},
				{Path: "src/payments/a.go", Status: "R", MovedTo: "out/a.go", ByAI: true, Tags: []string{"payments"}, Sensitive: true},
			}),
		},
		{
			"files of a commit that an agent had a part in, also where it added no line", func(p *place) {
				p.merged(func(c *change.Change) { c.Commits = []stemma.Ref{p.commit(2), p.commit(3), p.commit(4)} })
				p.landed(func(c *change.Commit) {
					c.Author, c.Files = identity.BotRef("github.com", "copilot-swe-agent[bot]"), []change.File{{Path: "gone.go", Status: "D"}}
					p.tell(identity.Bot{Host: "github.com", Name: "copilot-swe-agent[bot]"})
				})
				p.tell(
					change.Commit{
						SHA: p.sha(3), Repository: p.repository(), Files: []change.File{{Path: "a.png", Status: "A", Binary: true}}, AssistedBy: edge(identity.AgentRef("claude-code")),
					},
					change.Commit{SHA: p.sha(4), Repository: p.repository(), Files: []change.File{{Path: "people.go", Status: "D"}}},
				)
			},
			func(s *subject.Subject) any { return s.Files },
			is([]subject.File{{Path: "a.png", Status: "A", ByAI: true}, {Path: "gone.go", Status: "D", ByAI: true}, {Path: "people.go", Status: "D"}}),
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
				return []any{spans(s), refs(s.Commits, func(x subject.Commit) string { return line(x.HasRecord, x.RecordWriter, x.Unattributed) }), len(s.Sessions)}
			},
			is([]any{[]string{"4 unknown false false"}, []string{"false 4"}, 0}),
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
					record(p, "git-ai", 2, attribution.Span{Path: "a.go", Start: 1, End: 3, Origin: "ai", Session: p.session("s")}),
					record(p, "declared", 2),
				)
			},
			func(s *subject.Subject) any {
				return refs(s.Commits, func(x subject.Commit) string { return line(x.HasRecord, x.RecordWriter, x.Unattributed, x.Sessions) })
			},
			func(p *place) any { return []string{line("true tool 1.0 2", []stemma.Ref{p.session("s")})} },
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
