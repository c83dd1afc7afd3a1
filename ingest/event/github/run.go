package github

import (
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/pipeline"
)

// statuses and conclusions are GitHub's words in ours.
var (
	statuses = map[string]string{
		"requested": "queued", "queued": "queued", "waiting": "queued", "pending": "queued",
		"in_progress": "running", "completed": "completed",
	}
	conclusions = map[string]string{
		"success": "success", "neutral": "success", "failure": "failure", "timed_out": "failure", "startup_failure": "failure",
		"action_required": "failure", "cancelled": "cancelled", "skipped": "skipped", "stale": "cancelled",
	}
)

// runSteps is the order of the states of a run.
const runSteps = "queued running completed"

// ended fills in how a run stands and how it went.
func ended(r *pipeline.Run, status, conclusion string) {
	r.Status = statuses[status]
	if conclusion = strings.ToLower(conclusion); r.Status == "completed" {
		if r.Conclusion = conclusions[conclusion]; r.Conclusion == "" {
			r.Conclusion = "unknown"
		}
		if conclusion == "timed_out" || conclusion == "startup_failure" {
			r.Reason = conclusion
		}
	}
}

// attempt is which attempt an object tells of.
func attempt(v event.Value) int { return max(1, v.At("run_attempt").Count()) }

func (d *delivery) workflowRun() {
	run := d.body.At("workflow_run")
	r := pipeline.Run{
		ID: pipeline.AttemptRef(d.Actions, d.Repository, run.At("id").Name(), attempt(run)), System: d.Actions,
		Name: event.First(run.At("name"), d.body.At("workflow", "name")).Name(), Number: run.At("run_number").Count(), Attempt: attempt(run),
		Commit: change.ShaRef(run.At("head_sha").Sha()), Started: event.First(run.At("run_started_at"), run.At("started_at"), run.At("created_at")).Moment(),
		URL: run.At("html_url").URL(), Trigger: run.At("event").Name(), Branch: run.At("head_branch").Name(), Repository: d.Repository,
		By: d.account(event.First(run.At("triggering_actor"), run.At("actor"))), Changes: d.pulls(run.At("pull_requests")),
	}
	ended(&r, run.At("status").Text(40), run.At("conclusion").Text(40))
	if r.Status == "completed" {
		r.Ended = run.At("updated_at").Moment()
	}
	if r.ID == "" {
		d.Problem("workflow_run.id", "it is missing")
		return
	}
	if head := run.At("head_commit"); head.Object() {
		d.Commit(commitOf(head, head.At("id").Sha(), head.At("tree_id").Sha()))
	}
	d.State(r, event.Order(run.At("updated_at").Moment(), event.Step(r.Status, runSteps)))
}

func (d *delivery) workflowJob() {
	job := d.body.At("workflow_job")
	r := pipeline.Run{
		ID: d.jobRef(job.At("id").Name()), System: d.Actions, Name: job.At("name").Name(), Attempt: job.At("run_attempt").Count(),
		Commit: change.ShaRef(job.At("head_sha").Sha()), Started: job.At("started_at").Moment(), Ended: job.At("completed_at").Moment(),
		URL: job.At("html_url").URL(), Branch: job.At("head_branch").Name(), Repository: d.Repository,
		PartOf: pipeline.AttemptRef(d.Actions, d.Repository, job.At("run_id").Name(), attempt(job)),
	}
	ended(&r, job.At("status").Text(40), job.At("conclusion").Text(40))
	if r.ID == "" {
		d.Problem("workflow_job.id", "it is missing")
		return
	}
	asOf := event.First(job.At("completed_at"), job.At("started_at"), job.At("created_at")).Moment()
	d.State(r, event.Order(asOf, event.Step(r.Status, runSteps)))
}

// jobRef names a job. Its id is that of its check run, and none is used again.
func (d *delivery) jobRef(id string) stemma.Ref {
	if id == "" {
		return ""
	}
	return pipeline.AttemptRef(d.Actions, d.Repository, "jobs/"+id, 1)
}

func (d *delivery) checkRun() {
	check := d.body.At("check_run")
	id, app := check.At("id").Name(), check.At("app", "slug").Name()
	if id == "" {
		d.Problem("check_run.id", "it is missing")
		return
	}
	if check.At("name").Name() == event.Own {
		d.Skipped = "it is a verdict of ours"
		return
	}
	r := pipeline.Run{
		ID: pipeline.AttemptRef(d.Checks, d.Repository, id, 1), System: or(app, d.Checks), Name: check.At("name").Name(),
		Commit: change.ShaRef(check.At("head_sha").Sha()), Started: check.At("started_at").Moment(), Ended: check.At("completed_at").Moment(),
		URL: event.First(check.At("html_url"), check.At("details_url")).URL(), Branch: check.At("check_suite", "head_branch").Name(),
		Repository: d.Repository, Changes: d.pulls(check.At("pull_requests")), PartOf: d.suiteRef(check.At("check_suite")),
	}
	if app == d.Actions { // it is a job
		r.ID, r.PartOf = d.jobRef(id), ""
	}
	ended(&r, check.At("status").Text(40), check.At("conclusion").Text(40))
	asOf := event.First(check.At("completed_at"), check.At("started_at")).Moment()
	d.State(r, event.Order(asOf, event.Step(r.Status, runSteps)))
}

// suiteRef names all checks of one app on a commit.
func (d *delivery) suiteRef(suite event.Value) stemma.Ref {
	if id := suite.At("id").Name(); id != "" {
		return pipeline.AttemptRef(d.Checks, d.Repository, "suites/"+id, 1)
	}
	return ""
}

func (d *delivery) checkSuite() {
	suite := d.body.At("check_suite")
	if suite.At("app", "slug").Name() == d.Actions {
		d.Skipped = "it is a run of GitHub Actions, which the event workflow_run tells"
		return
	}
	if suite.At("app", "slug").Name() == event.Own {
		d.Skipped = "it is of verdicts of ours"
		return
	}
	r := pipeline.Run{
		ID: d.suiteRef(suite), System: or(suite.At("app", "slug").Name(), d.Checks), Name: suite.At("app", "name").Name(),
		Commit: change.ShaRef(suite.At("head_sha").Sha()), Started: suite.At("created_at").Moment(), Branch: suite.At("head_branch").Name(),
		Repository: d.Repository, Changes: d.pulls(suite.At("pull_requests")),
	}
	ended(&r, suite.At("status").Text(40), suite.At("conclusion").Text(40))
	if r.Status == "completed" {
		r.Ended = suite.At("updated_at").Moment()
	}
	if r.ID == "" {
		d.Problem("check_suite.id", "it is missing")
		return
	}
	if head := suite.At("head_commit"); head.Object() {
		d.Commit(commitOf(head, head.At("id").Sha(), head.At("tree_id").Sha()))
	}
	d.State(r, event.Order(suite.At("updated_at").Moment(), event.Step(r.Status, runSteps)))
}

// reported are the states of a status of a commit in our words.
var reported = map[string]string{"success": "success", "warning": "success", "failure": "failure", "error": "failure", "skipped": "skipped"}

// status reads what another program says about a commit: of each context the last word
// stands.
func (d *delivery) status() {
	sha, context, state := d.body.At("sha").Sha(), event.First(d.body.At("context"), event.Text("default")).Name(), d.body.At("state").Text(40)
	if sha == "" || context == "" {
		d.Problem("sha", "it is missing, or the context is too long")
		return
	}
	if context == event.Own {
		d.Skipped = "it is a verdict of ours"
		return
	}
	r := pipeline.Run{
		ID:     pipeline.AttemptRef(d.Checks, d.Repository, "statuses/"+sha+"/"+context, 1),
		System: d.Checks, Name: context, Commit: change.ShaRef(sha), Status: "completed", Conclusion: reported[state],
		Started: d.body.At("created_at").Moment(), URL: d.body.At("target_url").URL(), Repository: d.Repository,
		By: d.account(event.First(d.body.At("creator"), d.body.At("sender"))),
	}
	asOf := event.First(d.body.At("updated_at"), d.body.At("created_at")).Moment()
	switch {
	case state == "pending":
		r.Status = "running"
	case r.Conclusion == "":
		r.Conclusion = "unknown"
		fallthrough
	default:
		r.Started, r.Ended = 0, asOf
	}
	d.State(r, event.Order(asOf, event.Step(r.Status, runSteps)))
}

// pulls are the pull requests of this repository that a run says it is for. Those of
// others have the same numbers and are none.
func (d *delivery) pulls(list event.Value) []stemma.Ref {
	var refs []stemma.Ref
	own := d.body.At("repository", "id").Int()
	for pr := range list.Items() {
		base := pr.At("base", "repo", "id").Int()
		if ref := d.Change(pr.At("number").Count()); ref != "" && (base == 0 || own == 0 || base == own) {
			refs = append(refs, ref)
		}
	}
	return refs
}

// codeScanningAlert states what a scanner found in one place: an alert that is closed
// is a finding no more.
func (d *delivery) codeScanningAlert() {
	alert := d.body.At("alert")
	number := alert.At("number").Count()
	if number == 0 {
		d.Problem("alert.number", "it is missing")
		return
	}
	latest := alert.At("most_recent_instance")
	s := pipeline.Scan{
		ID:   pipeline.ScanRef("github-code-scanning", d.Key("alerts", strconv.Itoa(number))),
		Tool: alert.At("tool", "name").Name(), Version: alert.At("tool", "version").Name(),
		Rule: alert.At("rule", "id").Name(), State: event.First(alert.At("state"), latest.At("state")).Name(), URL: alert.At("html_url").URL(),
		Occurred: alert.At("created_at").Moment(),
	}
	if s.State == "open" {
		s.Findings = 1
		event.Severity(&s, event.First(alert.At("rule", "security_severity_level"), alert.At("rule", "severity")).Text(40))
	}
	if commit := change.ShaRef(event.First(d.body.At("commit_oid"), latest.At("commit_sha")).Sha()); commit != "" {
		s.Of = []stemma.Ref{commit}
	}
	asOf := event.First(alert.At("updated_at"), alert.At("fixed_at"), alert.At("dismissed_at"), alert.At("created_at")).Moment()
	d.State(s, event.Order(asOf, event.Step(d.action, "created appeared_in_branch reopened reopened_by_user closed_by_user fixed")))
}
