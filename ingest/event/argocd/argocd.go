// Package argocd reads what a notification of Argo CD sends: an application as Argo CD
// keeps it, in the member "app", or by itself. A template that sends it is in
// docs/sources.md.
//
// A synchronisation is a deployment: of the commit that was synchronised, into the
// environment that the delivery names, or else the name space that the application
// goes to.
package argocd

import (
	"regexp"
	"strings"
	"sync"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/ingest/event"
)

// phases of a synchronisation in our words.
var phases = map[string]string{"Running": "running", "Terminating": "running", "Succeeded": "success", "Failed": "failure", "Error": "failure"}

// Read reads one delivery.
func Read(d event.Delivery, who func(event.Account) stemma.Ref) (*event.Reading, error) {
	body, err := event.Parse(d.Body)
	if err != nil {
		return nil, err
	}
	app := event.First(body.At("app"), body.At("application"), body)
	name, sync := app.At("metadata", "name").Name(), app.At("status", "operationState")
	r := event.New(who)
	if name == "" {
		r.Problem("app.metadata.name", "it is missing")
		return r, nil
	}
	if !sync.Object() {
		return event.Skip("the application was never synchronised"), nil
	}
	to := app.At("spec", "destination")
	environment := event.First(body.At("environment"), to.At("namespace"), to.At("name"), event.Text(name)).Name()
	started := sync.At("startedAt").Moment()
	sha := event.First(sync.At("syncResult", "revision"), sync.At("operation", "sync", "revision")).Sha()
	if started == 0 {
		r.Problem("app.status.operationState.startedAt", "it is missing, so nobody can tell which synchronisation this is")
		return r, nil
	}
	dep := deployment.Deployment{
		ID:          deployment.Ref(environment, "argocd/"+app.At("metadata", "namespace").Name()+"/"+name+"/"+started.String()),
		Environment: deployment.EnvironmentRef(environment), Version: version(app, sha), Status: phases[sync.At("phase").Text(40)],
		At: started, Finished: sync.At("finishedAt").Moment(), URL: event.First(body.At("url"), app.At("status", "summary", "externalURLs")).URL(), Task: "sync", Service: name,
	}
	if dep.Status == "" {
		dep.Status = "unknown"
	}
	if f, ok := r.Forge("", event.First(app.At("spec", "source", "repoURL"), sync.At("syncResult", "source", "repoURL"))); ok {
		dep.Repository = f.Repository
	}
	if by := sync.At("operation", "initiatedBy", "username").Name(); by != "" {
		dep.By = r.Account(event.Account{Host: "argocd", Login: by})
	}
	if ref := change.ShaRef(sha); ref != "" {
		dep.Ships = append(dep.Ships, stemma.Edge{To: ref, Method: "event"})
	}
	ships(r, &dep, app)
	r.Once(deployment.Environment{Name: environment})
	asOf := event.First(sync.At("finishedAt"), sync.At("startedAt")).Moment()
	r.State(dep, event.Order(asOf, event.Step(dep.Status, "running failure success")))
	return r, nil
}

// version is what was asked for, or the commit.
func version(app event.Value, sha string) string {
	if v := app.At("spec", "source", "targetRevision").Name(); v != "" && v != "HEAD" {
		return v
	}
	return sha
}

var digest = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(.+)@(sha256:[0-9a-f]{64})$`) })

// ships leads to the images that run, where they are named by digest: a tag names
// whatever is under it now. They are what runs after the synchronisation has ended.
func ships(r *event.Reading, dep *deployment.Deployment, app event.Value) {
	if dep.Status != "success" {
		return
	}
	for image := range app.At("status", "summary", "images").Items() {
		if m := digest().FindStringSubmatch(image.Name()); m != nil {
			r.Once(artifact.Artifact{Digest: m[2], Name: strings.TrimSuffix(m[1], ":latest")})
			dep.Ships = append(dep.Ships, stemma.Edge{To: artifact.Ref(m[2]), Method: "event"})
		}
	}
}
