package dashboard_test

import (
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/incident"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/brought"
	"github.com/stemma-dev/stemma/intent"
	"github.com/stemma-dev/stemma/pipeline"
	"github.com/stemma-dev/stemma/review"
	"github.com/stemma-dev/stemma/session"
)

// The story that is told beside the scanned repository: a planner and its workers, a
// change that goes to production in its second attempt, and comes back.
const (
	planner  = stemma.Ref("session:claude-code/plan-4711")
	worker   = stemma.Ref("session:claude-code/work-1")
	release  = stemma.Ref("deployment:prod/102")
	rollback = stemma.Ref("deployment:prod/103")
	outage   = stemma.Ref("incident:pagerduty/P7")
)

// hour is the time that many hours before now.
func hour(n int) stemma.Moment { return stemma.At(now.Add(-time.Duration(n) * time.Hour)) }

// tell tells the story.
func (s *site) tell() {
	s.t.Helper()
	w := ingest.NewWriter(s.t.Context(), s.space, func() time.Time { return now })
	ann, bob := w.Person("Ann Lee", "ann@x.test", "ann"), w.Person("Bob Ray", "bob@x.test", "bob")
	for _, part := range [][]ingest.Record{s.intents(), s.agents(ann), s.judged(ann, bob), s.built(ann), s.shipped(ann, bob)} {
		for _, x := range part {
			must(s.t, w.Record(s.t.Context(), x, "test", stemma.GradeB))
		}
	}
	must(s.t, w.Close(s.t.Context()))
	_, err := brought.Link(s.t.Context(), s.space, func() time.Time { return now })
	must(s.t, err)
}

func (s *site) intents() []ingest.Record {
	refunds := intent.Requirement{Source: "jira", Key: "PAY-1", Title: "Customers get exactly what they paid back", URL: "https://jira.example/browse/PAY-1"}
	return []ingest.Record{
		refunds,
		intent.Ticket{Tracker: "jira", Key: "PAY-17", Title: "Round half up", State: "Done", Type: "Story", URL: "javascript:alert(4)", Refines: []stemma.Edge{{To: refunds.Ref()}}},
		intent.Ticket{Tracker: "jira", Key: "PAY-18", Title: "Refund in instalments", State: "To do", Refines: []stemma.Edge{{To: refunds.Ref()}}},
	}
}

func (s *site) agents(operator stemma.Ref) []ingest.Record {
	run := func(id, title string, parent stemma.Ref, depth, turns int) session.Session {
		return session.Session{
			Tool: "claude-code", ExternalID: id, Title: title, Parent: parent, Depth: depth, Started: hour(60 - depth), TurnCount: turns, ToolCallCount: 2 * turns,
			Operator: []stemma.Edge{{To: operator}}, Models: []session.ModelUse{{Name: "claude-opus-4-6-20260205", Turns: turns}},
		}
	}
	return []ingest.Record{
		run("plan-4711", "Plan the rounding of refunds", "", 0, 14),
		run("work-1", "Write tests for rounding", planner, 1, 32),
		run("work-2", "Look through the callers", planner, 1, 9),
		run("work-1a", "Mend a flaky test", worker, 2, 5),
		session.Session{Tool: "codex", ExternalID: "019e-77", Parent: planner, Depth: 1, Operator: []stemma.Edge{{To: operator}}, WorksOn: []stemma.Edge{{To: "ticket:jira/PAY-17"}}},
	}
}

func (s *site) judged(ann, bob stemma.Ref) []ingest.Record {
	seven := change.Change{Repository: change.RepositoryRef("github.com", "acme/pay"), Number: 7, Head: s.commit("Merge pull request #7"), State: "merged", MergedBy: ann}
	return []ingest.Record{
		seven,
		review.Review{ID: review.Ref("github.com", "2"), Change: changeSeven, Reviewer: bob, Role: "maintainer", Verdict: "approved", Head: s.commit("fix: round half up"), Submitted: hour(52), Method: "event"},
		review.Review{ID: review.Ref("github.com", "3"), Change: changeSeven, Reviewer: bob, Role: "maintainer", Verdict: "rejected", Head: s.commit("Merge pull request #7"), Submitted: hour(54), Dismissed: true, Method: "event"},
		identity.Role{Repository: "repository:github.com/acme/pay", Pattern: "/src/pay/**", Holder: bob, Line: 3, Since: hour(2000), File: "CODEOWNERS"},
	}
}

// attempt is one attempt of the pipeline of change 7.
func (s *site) attempt(n int) stemma.Ref {
	return pipeline.AttemptRef("github-actions", "repository:github.com/acme/pay", "8812", n)
}

var image = artifact.Artifact{Name: "ghcr.io/acme/pay", Digest: "sha256:" + strings.Repeat("cd", 32), Form: "image"}

func (s *site) built(ann stemma.Ref) []ingest.Record {
	head := s.commit("Merge pull request #7")
	run := func(n int, conclusion string) pipeline.Run {
		return pipeline.Run{
			ID: s.attempt(n), System: "github-actions", Name: "build", Number: 212, Attempt: n, Status: "completed", Conclusion: conclusion, Commit: head, Started: hour(50 - n), Ended: hour(49 - n),
			Branch: "main", Trigger: "push", By: ann, Repository: "repository:github.com/acme/pay", Changes: []stemma.Ref{changeSeven}, URL: "https://ci.example/212",
		}
	}
	job := pipeline.Run{ID: pipeline.RunRef("github-actions", "job-1"), System: "github-actions", Name: "unit", Status: "completed", Conclusion: "success", PartOf: s.attempt(2), Started: hour(48)}
	of := func(n int) []stemma.Ref { return []stemma.Ref{s.attempt(n), head} }
	made := image
	made.BuiltBy, made.From = []stemma.Edge{{To: s.attempt(2)}}, []stemma.Edge{{To: head}}
	return []ingest.Record{
		run(1, "failure"), run(2, "success"), job, made,
		pipeline.Test{ID: pipeline.TestRef("github-actions", "t1"), Run: s.attempt(1), Suite: "unit", Job: "unit", Status: "failed", Passed: 211, Failed: 2, Failures: []pipeline.Failure{{Name: "TestRefund <b>", Message: "got 1.01"}}, Of: of(1)},
		pipeline.Test{ID: pipeline.TestRef("github-actions", "t2"), Run: s.attempt(2), Suite: "unit", Job: "unit", Status: "passed", Passed: 213, Skipped: 4, Of: of(2)},
		pipeline.Scan{ID: pipeline.ScanRef("github-actions", "s2"), Run: s.attempt(2), Tool: "semgrep", Version: "1.99", Target: "src", Findings: 3, High: 1, Low: 2, Format: "sarif", Of: of(2)},
	}
}

func (s *site) shipped(ann, bob stemma.Ref) []ingest.Record {
	prod := deployment.EnvironmentRef("prod")
	put := func(id stemma.Ref, version, status string, at int, by stemma.Ref, ships ...stemma.Ref) deployment.Deployment {
		d := deployment.Deployment{ID: id, Environment: prod, Service: "pay", Version: version, Status: status, At: hour(at), By: by, Repository: "repository:github.com/acme/pay"}
		for _, to := range ships {
			d.Ships = append(d.Ships, stemma.Edge{To: to})
		}
		return d
	}
	first, second, back := put("deployment:prod/101", "v1.0", "inactive", 90, ann, s.commit("feat: charge cards")), put(release, "v1.1", "inactive", 40, ann, image.Ref()), put(rollback, "v1.0", "success", 20, bob, s.commit("feat: charge cards"))
	first.Until, second.Until = hour(40), hour(20)
	second.Replaces, second.Runs = []stemma.Ref{first.ID}, []stemma.Edge{{To: s.attempt(2)}}
	back.Replaces, back.Task = []stemma.Ref{second.ID}, "rollback"
	web := put("deployment:prod/web-9", "w9 "+hostile, "success", 95, bob, s.commit("Merge pull request #7"))
	web.Service = "web"
	return []ingest.Record{
		deployment.Environment{Name: "prod", Tier: "production"},
		deployment.Environment{Name: "review/a b", Tier: "testing"},
		first, second, back, web,
		put("deployment:prod/104", "v1.2", "failure", 10, bob),
		deployment.Snapshot{ID: deployment.SnapshotRef("prod", "k1"), Environment: prod, Taken: hour(5), Format: "kubernetes", Things: 2, Unexplained: 1, Running: []deployment.Running{
			{Name: "pay/api", Image: "ghcr.io/acme/pay:v1.0", Explained: true, Deployment: rollback, Artifact: image.Ref()},
			{Name: "pay/<i>debug</i>", Image: "docker.io/busybox:latest", Why: "no deployment ships it here"},
		}},
		incident.Incident{Source: "pagerduty", Key: "P7", Title: "Refunds are a cent short " + hostile, Severity: "high", State: "resolved", Service: "pay", Where: prod, Opened: hour(25), Resolved: hour(19), URL: "https://pagerduty.example/P7"},
		incident.Incident{Source: "pagerduty", Key: "P8", Title: "Charges are slow", Severity: "low", State: "triggered", Service: "web", Where: prod, Opened: hour(2), Suspects: []stemma.Edge{{To: web.ID}}},
	}
}

// commit is the one whose title begins so.
func (s *site) commit(title string) stemma.Ref {
	return stemma.Ref(s.query(`SELECT n.ref FROM k_commit k JOIN node n ON n.id = k.id WHERE k.title LIKE '` + title + `%' ORDER BY k.merge DESC, n.ref LIMIT 1`))
}
