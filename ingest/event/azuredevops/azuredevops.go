// Package azuredevops reads the service hooks of Azure DevOps: pushes, pull requests,
// builds, runs of pipelines, releases and work items.
//
// They are not signed; who sends them shows a password. Votes on a pull request come
// with the pull request, one of each person, without the commit that was seen.
package azuredevops

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/intent"
	"github.com/stemma-dev/stemma/pipeline"
	"github.com/stemma-dev/stemma/review"
)

const system = "azure-pipelines"

// A delivery is one that is being read.
type delivery struct {
	*event.Reading
	of   event.Value // the resource
	body event.Value
	name string        // of the event
	told stemma.Moment // when it was made
}

var events = map[string]func(*delivery){
	"git.push": (*delivery).push, "git.pullrequest.created": (*delivery).pull, "git.pullrequest.updated": (*delivery).pull,
	"git.pullrequest.merged": (*delivery).pull, "build.complete": (*delivery).build,
	"ms.vss-pipelines.run-state-changed-event":  (*delivery).run,
	"ms.vss-release.deployment-started-event":   (*delivery).release,
	"ms.vss-release.deployment-completed-event": (*delivery).release,
	"workitem.created":                          (*delivery).item, "workitem.updated": (*delivery).item, "workitem.deleted": (*delivery).item,
	"workitem.restored": (*delivery).item, "workitem.commented": (*delivery).item,
}

// ID is what Azure DevOps calls a delivery.
func ID(body event.Value) string {
	id, subscription := body.At("id").Name(), body.At("subscriptionId").Name()
	if id == "" {
		return ""
	}
	return strings.TrimSpace(subscription + " " + id)
}

// Read reads one delivery.
func Read(in event.Delivery, who func(event.Account) stemma.Ref) (*event.Reading, error) {
	body, err := event.Parse(in.Body)
	if err != nil {
		return nil, err
	}
	name := body.At("eventType").Name()
	read, ok := events[name]
	if !ok {
		return event.Skip("no room keeps what the event %.60q tells", name), nil
	}
	d := &delivery{event.New(who), body.At("resource"), body, name, body.At("createdDate").Moment()}
	if d.told == 0 {
		d.told = in.Received
	}
	read(d)
	return d.Reading, nil
}

// account is somebody as bodies show them.
func (d *delivery) account(user event.Value) stemma.Ref {
	mail := user.At("uniqueName").Name()
	if !strings.Contains(mail, "@") {
		mail = ""
	}
	return d.Account(event.Account{
		Host: "dev.azure.com", ID: user.At("id").Name(), Login: user.At("uniqueName").Name(), Name: user.At("displayName").Name(), Mail: mail,
		Bot: strings.HasPrefix(user.At("descriptor").Text(20), "svc."),
	})
}

// forge finds the repository of a resource.
func (d *delivery) forge(repo event.Value) (*event.Forge, bool) {
	f, ok := d.Forge(change.AzureDevOps, repo.At("remoteUrl"), repo.At("webUrl"))
	if !ok {
		d.Skipped = "it is about no repository that has an address"
	}
	return f, ok
}

func (d *delivery) push() {
	f, ok := d.forge(d.of.At("repository"))
	if !ok {
		return
	}
	main := d.of.At("repository", "defaultBranch").Name()
	var brought []stemma.Ref
	for c := range d.of.At("commits").Items() {
		sha := c.At("commitId").Sha()
		f.Commit(event.Commit{
			SHA: sha, Message: c.At("comment").Long(), Author: c.At("author", "name").Name(), Mail: c.At("author", "email").Name(),
			Committer: c.At("committer", "name").Name(), CommitterAt: c.At("committer", "email").Name(),
		})
		if ref := change.ShaRef(sha); ref != "" {
			brought = append(brought, ref)
		}
	}
	for u := range d.of.At("refUpdates").Items() {
		p := change.Push{
			Repository: f.Repository, Name: u.At("name").Name(), Before: u.At("oldObjectId").Sha(), After: u.At("newObjectId").Sha(),
			Count: len(brought), Pushed: d.of.At("date").Moment(), By: d.account(d.of.At("pushedBy")), Brought: brought,
		}
		if main != "" {
			p.OnDefault = new(p.Name == main)
		}
		if p.Ref() == "" {
			d.Problem("resource.refUpdates", "one of them does not say what moved")
			continue
		}
		d.State(p, max(p.Pushed, 0))
	}
}

const pullSteps = "git.pullrequest.created git.pullrequest.updated git.pullrequest.merged"

func (d *delivery) pull() {
	f, ok := d.forge(d.of.At("repository"))
	if !ok {
		return
	}
	c := change.Change{
		Repository: f.Repository, Number: d.of.At("pullRequestId").Count(), Title: d.of.At("title").Title(), Platform: f.Platform,
		Branch: strings.TrimPrefix(d.of.At("sourceRefName").Name(), "refs/heads/"), Target: strings.TrimPrefix(d.of.At("targetRefName").Name(), "refs/heads/"),
		URL: event.First(d.of.At("_links", "web", "href")).URL(), Opened: d.of.At("creationDate").Moment(), Author: d.account(d.of.At("createdBy")),
		Head: change.ShaRef(d.of.At("lastMergeSourceCommit", "commitId").Sha()),
	}
	if c.Number == 0 {
		d.Problem("resource.pullRequestId", "it is missing")
		return
	}
	if c.Head != "" {
		c.Heads = []stemma.Edge{{To: c.Head, Method: "head"}}
	}
	switch d.of.At("status").Text(20) {
	case "active":
		c.State = "open"
	case "abandoned":
		c.State, c.Closed = "closed", d.of.At("closedDate").Moment()
	case "completed":
		c.State, c.Merged, c.MergedBy = "merged", d.of.At("closedDate").Moment(), d.account(d.of.At("closedBy"))
		if c.MergeCommit = change.ShaRef(d.of.At("lastMergeCommit", "commitId").Sha()); c.MergeCommit != "" {
			c.Commits = []stemma.Ref{c.MergeCommit}
		}
	}
	c.Implements, c.Satisfies = f.Mentions(c.Title+"\n\n"+d.of.At("description").Long(), c.Branch, c.Number)
	asOf := event.Order(d.told, event.Step(d.name, pullSteps))
	d.State(c, asOf)
	d.votes(f, c, asOf)
}

// verdicts are votes in our words. Zero is no vote: one that was there is taken back.
var verdicts = map[int64]string{10: "approved", 5: "approved", -5: "rejected", -10: "rejected"}

func (d *delivery) votes(f *event.Forge, c change.Change, asOf stemma.Moment) {
	for v := range d.of.At("reviewers").Items() {
		id, vote := v.At("id").Name(), v.At("vote").Int()
		if id == "" || v.At("isContainer").Bool() {
			continue // a team votes by its members
		}
		rev := review.Review{
			ID: review.Ref(f.Host, f.Name+"#"+strconv.Itoa(c.Number)+"/"+id), Change: c.Ref(), Reviewer: d.account(v), Verdict: verdicts[vote],
			URL: c.URL, Method: "event",
		}
		if vote == 0 {
			rev.Verdict = "requested"
		}
		if v.At("isRequired").Bool() {
			rev.Role = "required"
		}
		d.State(rev, asOf)
	}
}

// results of builds and of runs, in our words.
var results = map[string]string{
	"succeeded": "success", "partiallySucceeded": "failure", "failed": "failure", "canceled": "cancelled", "stopped": "cancelled", "skipped": "skipped",
}

// builtFrom is the commit at the end of what an old build says that it got.
var builtFrom = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`:([0-9a-f]{40})$`) })

func (d *delivery) build() {
	b := d.of
	sha := b.At("sourceVersion").Sha()
	if m := builtFrom().FindStringSubmatch(b.At("sourceGetVersion").Name()); m != nil {
		sha = m[1]
	}
	conclusion := results[event.First(b.At("result"), b.At("status")).Text(40)]
	if conclusion == "" {
		conclusion = "unknown"
	}
	d.stateRun(pipeline.Run{
		Name: b.At("definition", "name").Name(), Status: "completed", Conclusion: conclusion, Commit: change.ShaRef(sha),
		Started: b.At("startTime").Moment(), Ended: b.At("finishTime").Moment(), URL: event.First(b.At("_links", "web", "href")).URL(),
		Trigger: b.At("reason").Name(), Branch: b.At("sourceBranch").Name(),
		By: d.account(event.First(b.At("requestedFor"), b.At("requests"))),
	}, b.At("id").Name(), b.At("url").URL(), max(b.At("finishTime").Moment(), 0))
}

func (d *delivery) run() {
	r := d.of.At("run")
	status, conclusion := "running", ""
	if r.At("state").Text(40) == "completed" {
		status, conclusion = "completed", results[r.At("result").Text(40)]
		if conclusion == "" {
			conclusion = "unknown"
		}
	}
	self := r.At("resources", "repositories", "self")
	d.stateRun(pipeline.Run{
		Name: d.of.At("pipeline", "name").Name(), Status: status, Conclusion: conclusion, Commit: change.ShaRef(self.At("version").Sha()),
		Started: r.At("createdDate").Moment(), Ended: r.At("finishedDate").Moment(), URL: event.First(r.At("_links", "web", "href")).URL(),
		Branch: self.At("refName").Name(),
	}, r.At("id").Name(), r.At("url").URL(), event.First(r.At("finishedDate"), r.At("createdDate")).Moment())
}

// stateRun states a run. Its id is one of the organisation, whose name is in the address.
func (d *delivery) stateRun(r pipeline.Run, id, address string, asOf stemma.Moment) {
	org := organisation(address)
	if id == "" || org == "" {
		d.Problem("resource.id", "it, or the address with the name of the organisation, is missing")
		return
	}
	r.ID, r.System = pipeline.RunRef(system, "dev.azure.com/"+org+"/"+id), system
	d.State(r, event.Order(asOf, event.Step(r.Status, "running completed")))
}

// organisation is the first part of a path at dev.azure.com, or of an older host.
func organisation(address string) string {
	host, name, _ := change.ParseRemote(address)
	if org, ok := strings.CutSuffix(host, ".visualstudio.com"); ok {
		return org
	}
	org, _, _ := strings.Cut(name, "/")
	return org
}

// release states that a stage of a release was, or is being, put into an environment.
func (d *delivery) release() {
	e := event.First(d.of.At("environment"), d.of.At("stage"))
	name := e.At("name").Name()
	dep := event.First(d.of.At("deployment", "id"), e.At("id")).Name()
	org := organisation(event.First(d.of.At("release", "url"), d.of.At("project", "url"), d.body.At("resourceContainers", "account", "baseUrl")).URL() + "/x")
	if name == "" || dep == "" {
		d.Problem("resource.environment", "its name or id is missing")
		return
	}
	status := map[string]string{
		"succeeded": "success", "rejected": "failure", "canceled": "failure", "partiallySucceeded": "failure", "inProgress": "running", "notStarted": "pending",
	}[e.At("status").Text(40)]
	if status == "" {
		status = "unknown"
	}
	r := deployment.Deployment{
		ID: deployment.Ref(name, "dev.azure.com/"+org+"/"+dep), Environment: deployment.EnvironmentRef(name), Status: status,
		Version: event.First(d.of.At("release", "name"), d.of.At("deployment", "release", "name"), e.At("release", "name")).Name(),
		At:      event.First(d.of.At("deployment", "startedOn"), e.At("createdOn")).Moment(),
	}
	if status == "success" || status == "failure" {
		r.Finished = d.told
	}
	d.Once(deployment.Environment{Name: name})
	d.State(r, event.Order(d.told, event.Step(status, "pending running failure success")))
}

// item states a work item under the name that messages give it: AB#7.
func (d *delivery) item() {
	id := event.First(d.of.At("workItemId"), d.of.At("id")).Int()
	org := organisation(event.First(d.of.At("url"), d.of.At("revision", "url")).URL())
	fields := event.First(d.of.At("revision", "fields"), d.of.At("fields"))
	if id <= 0 || org == "" {
		d.Problem("resource.id", "it, or the address with the name of the organisation, is missing")
		return
	}
	t := intent.Ticket{
		Tracker: intent.AzureBoards, Key: org + "/AB#" + strconv.FormatInt(id, 10), Title: fields.At("System.Title").Title(),
		State: fields.At("System.State").Name(), Type: fields.At("System.WorkItemType").Name(), Opened: fields.At("System.CreatedDate").Moment(),
		Closed: fields.At("Microsoft.VSTS.Common.ClosedDate").Moment(), URL: d.of.At("_links", "html", "href").URL(),
	}
	if d.name == "workitem.deleted" {
		t.State = "deleted"
	}
	asOf := event.First(fields.At("System.ChangedDate"), event.Text(d.told.String())).Moment()
	d.State(t, event.Order(asOf, event.Step(d.name, "workitem.created workitem.commented workitem.updated workitem.deleted workitem.restored")))
}
