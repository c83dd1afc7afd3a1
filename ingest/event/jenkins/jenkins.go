// Package jenkins reads what the Notification plugin of Jenkins sends as JSON: one build
// of a job, phase by phase. Jenkins has no ids but addresses, so a build is named by its
// address.
package jenkins

import (
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/pipeline"
)

const system = "jenkins"

var (
	statuses    = map[string]string{"QUEUED": "queued", "STARTED": "running", "COMPLETED": "completed", "FINALIZED": "completed"}
	conclusions = map[string]string{"SUCCESS": "success", "UNSTABLE": "failure", "FAILURE": "failure", "ABORTED": "cancelled", "NOT_BUILT": "skipped"}
)

// Read reads one delivery.
func Read(d event.Delivery, who func(event.Account) stemma.Ref) (*event.Reading, error) {
	body, err := event.Parse(d.Body)
	if err != nil {
		return nil, err
	}
	build := body.At("build")
	if !build.Object() {
		return event.Skip("it tells of no build"), nil
	}
	r := event.New(who)
	address := build.At("full_url").URL()
	host, path, _ := change.ParseRemote(address)
	if path == "" {
		r.Problem("build.full_url", "it is missing: set the address of Jenkins in its configuration")
		return r, nil
	}
	phase := build.At("phase").Text(20)
	run := pipeline.Run{
		ID: pipeline.RunRef(system, host+"/"+path), System: system, Name: body.At("name").Name(), Number: build.At("number").Count(),
		Status: statuses[phase], Commit: change.ShaRef(build.At("scm", "commit").Sha()), URL: address,
		Branch: strings.TrimPrefix(build.At("scm", "branch").Name(), "origin/"),
	}
	at := build.At("timestamp").Moment()
	if at == 0 {
		at = d.Received
	}
	switch run.Status {
	case "running":
		run.Started = at
	case "completed":
		if run.Conclusion = conclusions[build.At("status").Text(20)]; run.Conclusion == "" {
			run.Conclusion = "unknown"
		}
		if d := build.At("duration").Int(); d > 0 && d < 1<<40 {
			run.Ended = at + stemma.Moment(d*1000)
		}
	}
	if f, ok := r.Forge("", build.At("scm", "url")); ok {
		run.Repository = f.Repository
	}
	r.State(run, event.Order(at, event.Step(phase, "QUEUED STARTED COMPLETED FINALIZED")))
	return r, nil
}
