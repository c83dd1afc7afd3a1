package reported

import (
	"cmp"
	"encoding/hex"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/ingest/ci"
)

// deploy states a deployment. What it replaced and brought is found by package brought.
func (t *taker) deploy() error {
	d := t.e.Deployment
	if d.Environment == "" {
		return bad("the deployment has no environment")
	}
	if err := digests(d.Artifacts); err != nil {
		return err
	}
	environment := deployment.Environment{Name: d.Environment, Tier: d.Tier}
	if err := t.latest(environment, grade(MethodDeclared), 0); err != nil {
		return err
	}
	r := deployment.Deployment{
		Environment: environment.Ref(), Version: d.Version, Status: cmp.Or(d.Status, "success"), At: t.e.At, URL: d.URL, Task: d.Task,
		Repository: ci.RepositoryRef(t.e.Run.Repository), Service: d.Service,
	}
	r.Service = cmp.Or(r.Service, deployment.ServiceOf(r.Repository))
	r.ID = deployment.Ref(d.Environment, t.deploymentID(r))
	r.Ships = t.ships()
	if t.run != "" {
		r.Runs = []stemma.Edge{edge(t.run, ci.Method)}
	}
	t.about(r.ID)
	return t.latest(r, t.grade(), t.e.At)
}

// deploymentID is what the system calls a deployment. One that has no name there is
// called by its run and by the report: a job that is run again, as for a rollback, deploys
// again.
func (t *taker) deploymentID(r deployment.Deployment) string {
	if t.e.Deployment.ID != "" {
		return t.e.Deployment.ID
	}
	if t.run != "" {
		system, id := t.run.Split()
		return strings.Join([]string{system, id, r.Service, r.Version, t.e.Key[:min(len(t.e.Key), 12)]}, "/")
	}
	return "local/" + t.e.Key
}

// ships is what a deployment puts there: what it names, and only if it names nothing,
// what its run ran on. Who deploys an old version does so from a new commit.
func (t *taker) ships() (list []stemma.Edge) {
	d := t.e.Deployment
	for _, digest := range d.Artifacts {
		list = stemma.AddEdge(list, edge(artifact.Ref(digest), MethodDeclared))
	}
	if commit := commitRef(d.Commit); commit != "" {
		list = stemma.AddEdge(list, edge(commit, MethodDeclared))
	}
	if len(list) == 0 && t.commit != "" {
		list = append(list, edge(t.commit, t.e.Method))
	}
	return list
}

// incident states what broke. What was there when it did is found by package brought.
func (t *taker) incident() error {
	r := t.e.Incident.Incident
	r.CausedBy, r.Suspects, r.Where = nil, nil, ""
	r.Source = cmp.Or(r.Source, Source)
	r.Opened = cmp.Or(r.Opened, t.e.At)
	if r.Key == "" {
		return bad("the incident has no key")
	}
	for _, ref := range t.e.Incident.Causes {
		r.CausedBy = stemma.AddEdge(r.CausedBy, edge(ref, MethodDeclared))
	}
	if name := t.e.Incident.Environment; name != "" {
		environment := deployment.Environment{Name: name}
		if err := t.latest(environment, grade(MethodDeclared), 0); err != nil {
			return err
		}
		r.Where = environment.Ref()
	}
	t.about(r.Ref())
	return t.latest(r, t.grade(), t.e.At)
}

// SnapshotRef names the snapshot of the envelope that has a key.
func SnapshotRef(environment, key string) stemma.Ref {
	sum := stemma.Sum([]byte(key))
	return deployment.SnapshotRef(environment, hex.EncodeToString(sum[:12]))
}
