// Package buildkite reads the webhooks of Buildkite: builds, and the jobs of them. A job
// that is tried again is another job.
package buildkite

import (
	"strconv"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/pipeline"
)

const system = "buildkite"

var (
	statuses = map[string]string{
		"creating": "queued", "scheduled": "queued", "blocked": "queued", "waiting": "queued", "assigned": "queued", "accepted": "queued", "limited": "queued",
		"started": "running", "running": "running", "failing": "running", "canceling": "running", "passed": "completed", "failed": "completed",
		"canceled": "completed", "skipped": "completed", "not_run": "completed", "finished": "completed", "timed_out": "completed", "broken": "completed",
	}
	conclusions = map[string]string{
		"passed": "success", "failed": "failure", "timed_out": "failure", "canceled": "cancelled", "skipped": "skipped", "not_run": "skipped", "broken": "skipped",
	}
)

const steps = "queued running completed"

// A delivery is one that is being read.
type delivery struct {
	*event.Reading
	body  event.Value
	forge *event.Forge // nil if the pipeline names no repository
}

// Read reads one delivery.
func Read(d event.Delivery, who func(event.Account) stemma.Ref) (*event.Reading, error) {
	body, err := event.Parse(d.Body)
	if err != nil {
		return nil, err
	}
	build := body.At("build")
	if !build.Object() {
		return event.Skip("no room keeps what the event %.60q tells", event.First(body.At("event"), event.Text(d.Event)).Name()), nil
	}
	in := &delivery{Reading: event.New(who), body: body}
	if f, ok := in.Forge("", body.At("pipeline", "repository")); ok {
		in.forge = f
	}
	in.build(build)
	return in.Reading, nil
}

// ref names a build or a job: their ids are unique everywhere.
func ref(id string) stemma.Ref { return pipeline.RunRef(system, id) }

func (d *delivery) build(build event.Value) {
	id, state := build.At("id").Name(), build.At("state").Text(40)
	if id == "" {
		d.Problem("build.id", "it is missing")
		return
	}
	r := pipeline.Run{
		ID: ref(id), System: system, Name: d.body.At("pipeline", "slug").Name(), Number: build.At("number").Count(), Status: statuses[state],
		Conclusion: conclusions[state], Commit: change.ShaRef(build.At("commit").Sha()), Started: build.At("started_at").Moment(),
		Ended: build.At("finished_at").Moment(), URL: build.At("web_url").URL(), Trigger: build.At("source").Name(), Branch: build.At("branch").Name(),
		By: d.account(build.At("creator")),
	}
	d.in(&r)
	if n, err := strconv.Atoi(build.At("pull_request", "id").Name()); err == nil && d.forge != nil && d.forge.Change(n) != "" {
		r.Changes = []stemma.Ref{d.forge.Change(n)}
	}
	asOf := event.First(build.At("finished_at"), build.At("started_at"), build.At("scheduled_at"), build.At("created_at")).Moment()
	d.State(r, event.Order(asOf, event.Step(r.Status, steps)))
	if job := d.body.At("job"); job.Object() {
		d.job(job, r)
	}
}

func (d *delivery) account(user event.Value) stemma.Ref {
	return d.Account(event.Account{Host: "buildkite.com", ID: user.At("id").Name(), Name: user.At("name").Name(), Mail: user.At("email").Name()})
}

func (d *delivery) in(r *pipeline.Run) {
	if d.forge != nil {
		r.Repository = d.forge.Repository
	}
}

func (d *delivery) job(job event.Value, of pipeline.Run) {
	id, state := job.At("id").Name(), job.At("state").Text(40)
	if id == "" {
		d.Problem("job.id", "it is missing")
		return
	}
	r := pipeline.Run{
		ID: ref("jobs/" + id), System: system, Name: event.First(job.At("name"), job.At("step_key"), job.At("type")).Name(), Status: statuses[state],
		Conclusion: conclusions[state], Commit: of.Commit, Started: job.At("started_at").Moment(), Ended: job.At("finished_at").Moment(),
		URL: job.At("web_url").URL(), Branch: of.Branch, PartOf: of.ID, Attempt: job.At("retries_count").Count() + 1,
	}
	if reason := job.At("signal_reason").Name(); r.Conclusion == "failure" {
		if r.Reason = reason; reason == "" && state == "timed_out" {
			r.Reason = state
		}
	}
	d.in(&r)
	asOf := event.First(job.At("finished_at"), job.At("started_at"), job.At("runnable_at"), job.At("created_at")).Moment()
	d.State(r, event.Order(asOf, event.Step(r.Status, steps)))
}
