package github

import (
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/intent"
	"github.com/stemma-dev/stemma/pipeline"
)

// deployed are the states of a deployment in our words.
var deployed = map[string]string{
	"success": "success", "failure": "failure", "error": "failure", "in_progress": "running", "queued": "pending", "pending": "pending",
	"waiting": "pending", "inactive": "inactive",
}

// deploySteps is their order.
const deploySteps = "pending running failure success inactive"

// deployment reads a deployment, and one with a new status of it.
func (d *delivery) deployment() {
	dep, status := d.body.At("deployment"), d.body.At("deployment_status")
	id, environment := dep.At("id").Name(), event.First(status.At("environment"), dep.At("environment")).Name()
	if id == "" || environment == "" {
		d.Problem("deployment.id", "it or the environment is missing")
		return
	}
	r := deployment.Deployment{
		ID: deployment.Ref(environment, d.Key(id)), Environment: deployment.EnvironmentRef(environment), Version: dep.At("ref").Name(),
		At: dep.At("created_at").Moment(), Repository: d.Repository, Service: deployment.ServiceOf(d.Repository), Task: dep.At("task").Name(), By: d.account(dep.At("creator")), Status: "pending",
	}
	if commit := change.ShaRef(dep.At("sha").Sha()); commit != "" {
		r.Ships = []stemma.Edge{{To: commit, Method: "event"}}
	}
	asOf, step := dep.At("created_at").Moment(), r.Status
	if status.Has() {
		told := status.At("created_at").Moment()
		asOf = told
		r.URL = event.First(status.At("environment_url"), status.At("target_url"), status.At("log_url")).URL()
		step = deployed[strings.ToLower(status.At("state").Text(40))]
		switch r.Status = step; r.Status {
		case "":
			r.Status = "unknown"
		case "success", "failure":
			r.Finished = told
		case "inactive": // another took its place; whether it had succeeded was told before
			r.Status, r.Until = "", told
		}
	}
	r.Runs = d.deployedBy()
	d.Once(deployment.Environment{Name: environment, Tier: tier(dep)})
	d.State(r, event.Order(asOf, event.Step(step, deploySteps)))
}

// tier is that of an environment, where the deployment says that it is the one in
// production or one that passes.
func tier(dep event.Value) string {
	switch {
	case dep.At("production_environment").Bool():
		return "production"
	case dep.At("transient_environment").Bool():
		return "testing"
	}
	return ""
}

// deployedBy is the run that made the deployment, where the delivery tells it.
func (d *delivery) deployedBy() []stemma.Edge {
	run := d.body.At("workflow_run")
	if ref := pipeline.AttemptRef(d.Actions, d.Repository, run.At("id").Name(), attempt(run)); ref != "" {
		return []stemma.Edge{{To: ref, Method: "event"}}
	}
	return nil
}

func (d *delivery) release() {
	rel := d.body.At("release")
	tag := rel.At("tag_name").Name()
	switch {
	case tag == "":
		d.Problem("release.tag_name", "it is missing")
		return
	case rel.At("draft").Bool():
		d.Skipped = "a draft of a release has no tag yet"
		return
	}
	r := change.Release{
		Repository: d.Repository, Name: tag, Title: rel.At("name").Title(), URL: rel.At("html_url").URL(),
		Published: rel.At("published_at").Moment(), Prerelease: new(rel.At("prerelease").Bool()),
	}
	if target := change.ShaRef(rel.At("target_commitish").Sha()); target != "" {
		r.Target = target
	}
	asOf := event.First(rel.At("updated_at"), rel.At("published_at"), rel.At("created_at")).Moment()
	d.State(r, event.Order(asOf, event.Step(d.action, "created prereleased released published edited unpublished deleted")), "annotated")
}

func (d *delivery) issue() {
	issue := d.body.At("issue")
	t := d.Ticket(issue.At("number").Int())
	if t.Ref() == "" {
		d.Problem("issue.number", "it is missing")
		return
	}
	t.Title, t.URL, t.State = issue.At("title").Title(), issue.At("html_url").URL(), issue.At("state").Name()
	t.Type, t.Opened, t.Closed = issue.At("type", "name").Name(), issue.At("created_at").Moment(), issue.At("closed_at").Moment()
	t.Reporter = d.account(issue.At("user"))
	for label := range issue.At("labels").Items() {
		if name := strings.ToLower(label.At("name").Name()); t.Type == "" && (name == "bug" || name == "enhancement" || name == "feature") {
			t.Type = name
		}
	}
	t.Refines = d.requirements(issue.At("title").Title() + "\n\n" + issue.At("body").Long())
	d.State(t, event.Order(issue.At("updated_at").Moment(), event.Step(d.action, "opened edited closed reopened transferred deleted")))
	if d.action == "transferred" {
		d.moved(t)
	}
}

// moved ties an issue to what it is called in the repository that it was moved to.
func (d *delivery) moved(old intent.Ticket) {
	there := d.body.At("changes", "new_repository")
	to, ok := d.Reading.Forge(d.Forge.Platform, there.At("html_url"), there.At("clone_url"))
	if !ok {
		return
	}
	now := to.Ticket(d.body.At("changes", "new_issue", "number").Int())
	if now.Ref() == "" {
		return
	}
	now.SameAs = []stemma.Edge{{To: old.Ref(), Method: "moved"}}
	d.Once(now)
}

// requirements are those that a text names.
func (d *delivery) requirements(text string) []stemma.Edge {
	_, list := d.Mentions(text, "", 0)
	return list
}

// branchProtectionRule states a rule, and that somebody changed it.
func (d *delivery) branchProtectionRule() {
	rule := d.body.At("rule")
	p := change.Protection{
		Repository: d.Repository, Pattern: rule.At("name").Name(), Deleted: d.action == "deleted",
		Changed: rule.At("updated_at").Moment(), By: d.sender(),
	}
	if p.Pattern == "" {
		d.Problem("rule.name", "it is missing")
		return
	}
	if n := rule.At("required_approving_review_count"); n.Has() {
		p.Approvals = new(n.Count())
	}
	p.Owners = flag(rule.At("require_code_owner_review"))
	p.StaleDismissed = flag(rule.At("dismiss_stale_reviews_on_push"))
	p.ForAdmins = flag(rule.At("admin_enforced"))
	if level := rule.At("required_status_checks_enforcement_level"); level.Has() {
		p.Checks = new(level.Text(40) != "off")
	}
	if level := rule.At("allow_force_pushes_enforcement_level"); level.Has() {
		p.ForcePushes = new(level.Text(40) != "off")
	}
	asOf := p.Changed
	if asOf == 0 { // nothing tells since when it is so
		asOf = d.at
	}
	d.State(p, event.Order(asOf, event.Step(d.action, "created edited deleted")))
}

// flag is a truth that may not be told.
func flag(v event.Value) *bool {
	if !v.Has() {
		return nil
	}
	is := v.Bool()
	return &is
}
