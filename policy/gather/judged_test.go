package gather_test

import (
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/pipeline"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/review"
)

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
		return pipeline.Test{ID: pipeline.TestRef("github-actions", p.name(k)), Run: of, Suite: "unit", Status: "passed", Failed: failed, Passed: 3, Skipped: 1, Of: []stemma.Ref{of}}
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
						Thing: subject.Thing{Ref: string(pipeline.TestRef("github-actions", p.name(k))), Grade: "B"}, Suite: "unit", Status: "passed", Failed: failed, Passed: 3, Skipped: 1,
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
				p.ran("1", 2)
				now := scan(p, "1", p.run("1"), "R1", "R2")
				now.Run, now.High, now.Critical = p.run("1"), 1, 1
				p.tell(now, scan(p, "0", p.commit(1), "R1"))
			},
			func(s *subject.Subject) any {
				return refs(s.Scans, func(x subject.Scan) string {
					return line(x.Tool, x.Format, x.Findings, x.High, x.Critical, x.Run, x.Commit, x.Rules, x.New, x.OnHead, x.Latest, x.At.Unix(), refs(x.Before, func(b subject.Scan) string { return line(b.Rules) }))
				})
			},
			func(p *place) any {
				return []string{line("codeql", "sarif", 2, 1, 1, p.run("1"), string(p.commit(2)), []string{"R1", "R2"}, 1, true, true, at(31).Time().Unix(), []string{"[R1]"})}
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
