package gather_test

import (
	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/session"
)

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
