package gitlab

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/pipeline"
)

// statuses and conclusions are GitLab's words in ours.
var (
	statuses = map[string]string{
		"created": "queued", "waiting_for_resource": "queued", "waiting_for_callback": "queued", "preparing": "queued", "pending": "queued",
		"scheduled": "queued", "manual": "queued", "running": "running", "canceling": "running",
		"success": "completed", "failed": "completed", "canceled": "completed", "skipped": "completed",
	}
	conclusions = map[string]string{"success": "success", "failed": "failure", "canceled": "cancelled", "skipped": "skipped"}
)

const runSteps = "queued running completed"

// trains are the refs of a merge request that GitLab makes to try it.
var trains = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^refs/merge-requests/(\d{1,9})/(head|merge|train)$`) })

func (d *delivery) pipeline() {
	id, status := d.of.At("id").Name(), d.of.At("status").Text(40)
	commit := change.ShaRef(d.of.At("sha").Sha())
	r := pipeline.Run{
		ID: pipeline.AttemptRef(system, d.Repository, id, 1), System: system, Name: event.First(d.of.At("name"), d.of.At("source")).Name(),
		Number: d.of.At("iid").Count(), Attempt: 1, Status: statuses[status], Conclusion: conclusions[status], Commit: commit,
		Started: d.of.At("created_at").Moment(), Ended: d.of.At("finished_at").Moment(), URL: d.pipelineURL(id),
		Trigger: d.of.At("source").Name(), Branch: d.of.At("ref").Name(), Repository: d.Repository, By: d.account(d.body.At("user")),
	}
	if r.ID == "" {
		d.Problem("object_attributes.id", "it is missing")
		return
	}
	if c := d.body.At("commit"); c.Object() {
		d.Commit(commitOf(c))
	}
	if r.Trigger == "external" && d.ours() {
		d.Skipped = "it is a verdict of ours"
		return
	}
	r.Changes = d.triedFor(commit, r.Branch)
	asOf := event.First(d.of.At("finished_at"), d.of.At("created_at")).Moment()
	d.State(r, event.Order(asOf, event.Step(r.Status, runSteps)))
	for b := range d.body.At("builds").Items() {
		if b.At("name").Name() == event.Own {
			continue
		}
		d.stateJob(job{
			id: b.At("id").Name(), name: b.At("name").Name(), status: b.At("status").Text(40), reason: b.At("failure_reason").Name(),
			created: b.At("created_at"), started: b.At("started_at"), ended: b.At("finished_at"), commit: commit, of: r.ID, by: b.At("user"),
		})
	}
}

// ours reports whether all that a pipeline has are statuses that we set.
func (d *delivery) ours() bool {
	n := 0
	for b := range d.body.At("builds").Items() {
		if n++; b.At("name").Name() != event.Own {
			return false
		}
	}
	return n > 0
}

func (d *delivery) pipelineURL(id string) string {
	web := d.body.At("project", "web_url").URL()
	if web == "" || id == "" {
		return event.First(d.of.At("url")).URL()
	}
	return web + "/-/pipelines/" + id
}

// triedFor is the merge request that a pipeline ran for. What ran may be a commit that
// a merge train, or a merged result, made of it.
func (d *delivery) triedFor(commit stemma.Ref, ref string) []stemma.Ref {
	number := d.body.At("merge_request", "iid").Count()
	method := "head"
	if m := trains().FindStringSubmatch(ref); m != nil {
		number, _ = strconv.Atoi(m[1])
		method = map[string]string{"head": "head", "merge": "merged-result", "train": "merge-train"}[m[2]]
	}
	to := d.Change(number)
	if to == "" {
		return nil
	}
	if method != "head" && commit != "" {
		d.Once(change.Change{Repository: d.Repository, Number: number, Heads: []stemma.Edge{{To: commit, Method: method}}})
	}
	return []stemma.Ref{to}
}

// A job is what both kinds of deliveries tell of one.
type job struct {
	id, name, status, reason string
	attempt                  int
	created, started, ended  event.Value
	commit, of               stemma.Ref
	branch                   string
	by                       event.Value
}

func (d *delivery) job() {
	b := d.body
	if b.At("build_name").Name() == event.Own {
		d.Skipped = "it is a verdict of ours"
		return
	}
	d.stateJob(job{
		id: b.At("build_id").Name(), name: b.At("build_name").Name(), status: b.At("build_status").Text(40), reason: b.At("build_failure_reason").Name(),
		attempt: b.At("retries_count").Count() + 1,
		created: b.At("build_created_at"), started: b.At("build_started_at"), ended: b.At("build_finished_at"),
		commit: change.ShaRef(b.At("sha").Sha()), of: pipeline.AttemptRef(system, d.Repository, b.At("pipeline_id").Name(), 1),
		branch: b.At("ref").Name(), by: b.At("user"),
	})
}

func (d *delivery) stateJob(j job) {
	if j.id == "" {
		d.Problem("build_id", "it is missing")
		return
	}
	r := pipeline.Run{
		ID: pipeline.AttemptRef(system, d.Repository, "jobs/"+j.id, 1), System: system, Name: j.name, Attempt: j.attempt,
		Status: statuses[j.status], Conclusion: conclusions[j.status], Commit: j.commit, Started: j.started.Moment(), Ended: j.ended.Moment(),
		Branch: j.branch, Repository: d.Repository, By: d.account(j.by), PartOf: j.of,
	}
	if r.Conclusion == "failure" {
		r.Reason = j.reason
	}
	d.State(r, event.Order(event.First(j.ended, j.started, j.created).Moment(), event.Step(r.Status, runSteps)))
}

// deployed are the states of a deployment in our words.
var deployed = map[string]string{
	"created": "pending", "blocked": "pending", "running": "running", "success": "success", "failed": "failure", "canceled": "failure",
}

func (d *delivery) deployment() {
	id, environment := d.body.At("deployment_id").Name(), d.body.At("environment").Name()
	if id == "" || environment == "" {
		d.Problem("deployment_id", "it or the environment is missing")
		return
	}
	told := d.body.At("status_changed_at").Moment()
	r := deployment.Deployment{
		ID: deployment.Ref(environment, d.Forge.Key(id)), Environment: deployment.EnvironmentRef(environment), Version: d.body.At("ref").Name(),
		Status: deployed[d.body.At("status").Text(40)], URL: d.body.At("environment_external_url").URL(), Repository: d.Repository, Service: deployment.ServiceOf(d.Repository),
		By: d.account(d.body.At("user")),
	}
	switch r.Status {
	case "":
		r.Status = "unknown"
	case "success":
		r.At, r.Finished = told, told
	case "failure":
		r.Finished = told
	}
	address := d.body.At("commit_url").URL()
	if commit := change.ShaRef(address[strings.LastIndexByte(address, '/')+1:]); commit != "" {
		r.Ships = []stemma.Edge{{To: commit, Method: "event"}}
	}
	if job := d.body.At("deployable_id").Name(); job != "" {
		r.Runs = []stemma.Edge{{To: pipeline.AttemptRef(system, d.Repository, "jobs/"+job, 1), Method: "event"}}
	}
	d.Once(deployment.Environment{Name: environment, Tier: tier(d.body.At("environment_tier").Text(40))})
	d.State(r, event.Order(told, event.Step(r.Status, "pending running failure success")))
}

// tier is GitLab's word for the tier of an environment, if we have it too.
func tier(word string) string {
	switch word {
	case "production", "staging", "testing", "development", "other":
		return word
	}
	return ""
}

func (d *delivery) release() {
	tag := d.body.At("tag").Name()
	if tag == "" {
		d.Problem("tag", "it is missing")
		return
	}
	r := change.Release{
		Repository: d.Repository, Name: tag, Title: d.body.At("name").Title(), URL: d.body.At("url").URL(),
		Published: d.body.At("released_at").Moment(), Target: change.ShaRef(d.body.At("commit", "id").Sha()),
	}
	if c := d.body.At("commit"); c.Object() {
		d.Commit(commitOf(c))
	}
	d.State(r, event.First(d.body.At("released_at"), d.body.At("created_at")).Moment(), "annotated")
}
