package gather_test

import (
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/incident"
	"github.com/stemma-dev/stemma/intent"
	"github.com/stemma-dev/stemma/policy/subject"
)

func productionMembers() []member {
	return []member{
		{
			"artifact", func(p *place) {
				p.merged()
				p.ran("1", 2)
				digest, ref := p.image("pay")
				p.tell(
					artifact.Artifact{Digest: digest, Name: "pay", BuiltBy: edge(p.run("1")), From: edge(p.commit(2))},
					artifact.Attestation{ID: artifact.AttestationRef(stemma.Sum([]byte(digest))), PredicateType: "https://slsa.dev/provenance/v1", SignerHint: "ci", Builder: "https://ci.example.com", Source: p.commit(2), About: edge(ref)},
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
					Attestations: []subject.Attestation{{ // nobody has its bytes, so nobody knows who signed, whatever is told
						Thing: subject.Thing{Ref: string(artifact.AttestationRef(stemma.Sum([]byte(digest)))), Grade: "B"}, Predicate: "https://slsa.dev/provenance/v1",
						Signature: "missing", Builder: "https://ci.example.com", Source: string(p.commit(2)), Provenance: true,
					}},
					Boms: []subject.Bom{{Thing: subject.Thing{Ref: string(artifact.BomRef(stemma.Sum([]byte(digest)))), Grade: "B"}, Format: "spdx", Components: 2, Unresolved: 1}},
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
				p.tell(
					incident.Incident{Source: "pager", Key: p.name("i1"), Opened: at(50), CausedBy: edge(broken)},
					incident.Incident{Source: "pager", Key: p.name("i2"), Opened: at(51), RuledOut: edge(broken)}, // it did not cause that one
				)
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
