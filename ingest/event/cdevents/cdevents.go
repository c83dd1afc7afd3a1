// Package cdevents reads CDEvents, also inside the envelope of CloudEvents: changes,
// runs, builds, tests, artifacts, deployments, incidents and tickets in words that no
// vendor owns.
//
// Subjects have an id that is only unique with their source. What is known by a name of
// its own is named by it: an artifact by its digest, a change by its number in a
// repository, a ticket by its address. Everything else is named by source and id.
package cdevents

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/incident"
	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/intent"
	"github.com/stemma-dev/stemma/pipeline"
)

// system is the name of what has none of its own.
const system = "cdevents"

// A delivery is one that is being read.
type delivery struct {
	*event.Reading
	id, source string // of the subject
	about      event.Value
	verb       string
	at         stemma.Moment
	sender     string // id of the event
}

// subjects are those that are read.
var subjects = map[string]func(*delivery){
	"change": (*delivery).change, "pipelinerun": (*delivery).run, "taskrun": (*delivery).run, "build": (*delivery).run,
	"testsuiterun": (*delivery).test, "testcaserun": (*delivery).test, "artifact": (*delivery).artifact, "service": (*delivery).service,
	"incident": (*delivery).incident, "ticket": (*delivery).ticket, "environment": (*delivery).environment, "repository": (*delivery).repository,
}

// ID is what a sender calls an event: its id is unique within its source.
func ID(body event.Value) string {
	c := unpacked(body).At("context")
	if c.At("id").Name() == "" {
		return ""
	}
	return c.At("source").Name() + " " + c.At("id").Name()
}

// unpacked is an event without the envelope of CloudEvents.
func unpacked(body event.Value) event.Value {
	if data := body.At("data"); data.At("context").Object() {
		return data
	}
	return body
}

// Read reads one delivery.
func Read(in event.Delivery, who func(event.Account) stemma.Ref) (*event.Reading, error) {
	body, err := event.Parse(in.Body)
	if err != nil {
		return nil, err
	}
	body = unpacked(body)
	kind := body.At("context", "type").Name()
	parts := strings.Split(strings.TrimPrefix(kind, "dev.cdevents."), ".")
	read := subjects[parts[0]]
	if !strings.HasPrefix(kind, "dev.cdevents.") || len(parts) < 2 || read == nil {
		return event.Skip("no room keeps what the event %.60q tells", kind), nil
	}
	subject := body.At("subject")
	d := &delivery{
		Reading: event.New(who), id: subject.At("id").Name(), source: event.First(subject.At("source"), body.At("context", "source")).Name(),
		about: subject.At("content"), verb: parts[1], at: body.At("context", "timestamp").Moment(), sender: body.At("context", "id").Name(),
	}
	if d.id == "" || d.at == 0 {
		d.Problem("subject.id", "it or the time of the event is missing")
		return d.Reading, nil
	}
	read(d)
	return d.Reading, nil
}

// key names what only its source names.
func key(source, id string) string {
	if source = strings.Trim(source, "/"); source == "" {
		return id
	}
	return source + "/" + id
}

// forge finds the repository that an event is about.
func (d *delivery) forge() (*event.Forge, bool) {
	repo := d.about.At("repository")
	at := strings.TrimSuffix(repo.At("source").Name(), "/") + "/" + strings.Trim(repo.At("id").Name(), "/")
	return d.Forge("", event.First(repo.At("viewUrl"), repo.At("url")), event.Text(at))
}

// changeSteps is the order of what happens to a change.
const changeSteps = "created updated reviewed abandoned merged"

// change states a merge request. An id that is no number names none that a forge knows.
func (d *delivery) change() {
	f, ok := d.forge()
	digits := d.id[strings.LastIndexAny(d.id, "/#!")+1:]
	number, err := strconv.Atoi(digits)
	if !ok || err != nil || number <= 0 {
		d.Skipped = "the change has no number, or no repository that has an address"
		return
	}
	c := change.Change{Repository: f.Repository, Number: number, Title: d.about.At("description").Title()}
	switch d.verb {
	case "created", "updated", "reviewed":
		c.State = "open"
	case "merged":
		c.State, c.Merged = "merged", d.at
	case "abandoned":
		c.State, c.Closed = "closed", d.at
	}
	d.State(c, event.Order(d.at, event.Step(d.verb, changeSteps)))
}

// statuses and outcomes in our words.
var (
	statuses = map[string]string{"queued": "queued", "started": "running", "finished": "completed"}
	outcomes = map[string]string{"success": "success", "failure": "failure", "error": "failure", "cancel": "cancelled", "canceled": "cancelled"}
)

const runSteps = "queued running completed"

// run states a run, a task of one, or a build with what came of it.
func (d *delivery) run() {
	r := pipeline.Run{
		ID: pipeline.RunRef(system, key(d.source, d.id)), System: system, Status: statuses[d.verb],
		Name: event.First(d.about.At("pipelineName"), d.about.At("taskName")).Name(), URL: event.First(d.about.At("uri"), d.about.At("url")).URL(),
		Reason: d.about.At("errors").Title(),
	}
	switch d.verb {
	case "started":
		r.Started = d.at
	case "finished":
		r.Ended = d.at
		if r.Conclusion = outcomes[d.about.At("outcome").Text(20)]; r.Conclusion == "" {
			r.Conclusion = "unknown"
		}
	}
	if of := d.about.At("pipelineRun"); of.At("id").Name() != "" {
		r.PartOf = pipeline.RunRef(system, key(event.First(of.At("source"), event.Text(d.source)).Name(), of.At("id").Name()))
	}
	d.State(r, event.Order(d.at, event.Step(r.Status, runSteps)))
	if digest := digest(d.about.At("artifactId").Text(event.MaxURL)); digest != "" {
		d.Once(artifact.Artifact{Digest: digest, Name: packageName(d.about.At("artifactId").Text(event.MaxURL)), BuiltBy: []stemma.Edge{{To: r.ID, Method: "event"}}})
	}
}

// test states the results of a suite or of a case that has finished or was left out.
func (d *delivery) test() {
	if d.verb != "finished" && d.verb != "skipped" {
		d.Skipped = "a test without a result yet"
		return
	}
	t := pipeline.Test{
		ID: pipeline.TestRef(system, key(d.source, d.id)), Suite: event.First(d.about.At("testSuite", "name"), d.about.At("testSuite", "id")).Name(),
		Name: event.First(d.about.At("testCase", "name"), d.about.At("testCase", "id")).Name(), Occurred: d.at, Status: "unknown",
	}
	switch outcome := d.about.At("outcome").Text(20); {
	case d.verb == "skipped" || outcome == "skip":
		t.Status, t.Skipped = "skipped", 1
	case outcome == "pass" || outcome == "success":
		t.Status, t.Passed = "passed", 1
	case outcomes[outcome] == "failure" || outcome == "fail":
		t.Status, t.Failed = "failed", 1
	}
	if of := d.about.At("testSuiteRun"); of.At("id").Name() != "" && t.Suite == "" {
		t.Suite = of.At("id").Name()
	}
	d.State(t, d.at)
}

// digest is that of the package that a package URL names, if it names one by digest.
func digest(purl string) string {
	_, version, ok := strings.Cut(purl, "@")
	if !ok {
		return ""
	}
	version, _, _ = strings.Cut(version, "?")
	version, err := url.PathUnescape(version)
	if err != nil || artifact.Ref(version) == "" || len(version) < 40 {
		return ""
	}
	return version
}

// packageName is a package URL without its version.
func packageName(purl string) string {
	name, _, _ := strings.Cut(purl, "@")
	return name
}

func (d *delivery) artifact() {
	sum := digest(d.id)
	if sum == "" {
		d.Skipped = "the artifact is not named by its digest"
		return
	}
	a := artifact.Artifact{Digest: sum, Name: packageName(d.id)}
	if commit := change.ShaRef(d.about.At("change", "id").Sha()); commit != "" {
		a.From = []stemma.Edge{{To: commit, Method: "event"}}
	}
	d.Once(a)
}

// deployed is how a service is after an event.
var deployed = map[string]string{"deployed": "success", "upgraded": "success", "rolledback": "success", "published": "success", "removed": "inactive"}

// service states that a service came into an environment; each time is a deployment of
// its own.
func (d *delivery) service() {
	environment, status := d.about.At("environment", "id").Name(), deployed[d.verb]
	if environment == "" || status == "" {
		d.Skipped = "it does not say what came into which environment"
		return
	}
	r := deployment.Deployment{
		ID:          deployment.Ref(environment, key(d.source, d.id)+"/"+d.sender),
		Environment: deployment.EnvironmentRef(environment), Version: d.id, Status: status, At: d.at, Finished: d.at, Task: d.verb, Service: d.id,
	}
	if d.verb == "removed" {
		r.Until = d.at
	}
	if sum := digest(d.about.At("artifactId").Text(event.MaxURL)); sum != "" {
		d.Once(artifact.Artifact{Digest: sum, Name: packageName(d.about.At("artifactId").Text(event.MaxURL))})
		r.Ships = []stemma.Edge{{To: artifact.Ref(sum), Method: "event"}}
	}
	d.Once(deployment.Environment{Name: environment})
	d.State(r, d.at)
}

func (d *delivery) environment() {
	if name := d.id; d.verb != "deleted" {
		d.Once(deployment.Environment{Name: name})
		return
	}
	d.Skipped = "an environment that is gone has still been there"
}

func (d *delivery) repository() {
	at := event.First(d.about.At("viewUrl"), d.about.At("url"))
	if _, ok := d.Forge("", at); !ok {
		d.Skipped = "the repository has no address"
	}
}

const incidentSteps = "detected reported resolved"

func (d *delivery) incident() {
	i := incident.Incident{
		Source: system, Key: key(d.source, d.id), Title: d.about.At("description").Title(), Service: d.about.At("service", "id").Name(), State: d.verb,
		URL: d.about.At("ticketURI").URL(),
	}
	switch d.verb {
	case "detected":
		i.Opened = d.at
	case "resolved":
		i.Resolved = d.at
	}
	d.State(i, event.Order(d.at, event.Step(d.verb, incidentSteps)))
}

const ticketSteps = "created updated closed"

// ticket states a ticket under the name that its tracker gives it, where its address
// tells that.
func (d *delivery) ticket() {
	t := intent.Ticket{Tracker: system, Key: key(d.source, d.id)}
	address := event.First(d.about.At("uri"), d.about.At("url")).URL()
	for _, m := range intent.FromMessage(address, intent.Context{}) {
		if m.Kind == stemma.KindTicket && m.Ref != "" {
			t.Tracker, t.Key = m.Ref.Split()
			break
		}
	}
	t.Title, t.URL, t.Type, t.State = d.about.At("summary").Title(), address, event.First(d.about.At("ticketType"), d.about.At("type")).Name(), "open"
	switch d.verb {
	case "created":
		t.Opened = d.at
	case "closed":
		t.State, t.Closed = event.First(d.about.At("resolution"), event.Text("closed")).Name(), d.at
	}
	d.State(t, event.Order(d.at, event.Step(d.verb, ticketSteps)))
}
