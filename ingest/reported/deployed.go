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

// deploy states a deployment, and of those before and after it in the same environment
// and of the same service, what takes the place of what.
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
	if r.Status != "success" {
		return t.latest(r, t.grade(), t.e.At)
	}
	return t.replace(r)
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

// A neighbour is a deployment before or after another.
type neighbour struct {
	ref stemma.Ref
	at  stemma.Moment
}

// replace states a deployment that succeeded, and what it and its neighbours replace. It
// may be told after the one that replaced it.
func (t *taker) replace(r deployment.Deployment) error {
	if err := t.settle(); err != nil {
		return err
	}
	before, err := t.next(r, `d."at" < $3 ORDER BY d."at" DESC, n.ref DESC`)
	if err != nil {
		return err
	}
	after, err := t.next(r, `d."at" > $3 ORDER BY d."at", n.ref`)
	if err != nil {
		return err
	}
	if before.ref != "" {
		r.Replaces = []stemma.Ref{before.ref}
	}
	r.Until = after.at
	if err := t.latest(r, t.grade(), t.e.At); err != nil {
		return err
	}
	if after.ref != "" {
		if err := t.supersede(after.ref, r.ID); err != nil {
			return err
		}
	}
	if before.ref == "" {
		return nil
	}
	return t.beside(deployment.Deployment{ID: before.ref, Until: r.At})
}

// beside states what this deployment means for another one.
func (t *taker) beside(d deployment.Deployment) error {
	f, err := d.Fact(Source, grade(MethodDeclared))
	if err != nil {
		return err
	}
	f.Occurred = t.e.At.Time()
	return t.w.Put(t.ctx, f)
}

// supersede states of a deployment that was told before that it replaced another one
// than was known then: whole, with all else that it leads to as it is.
func (t *taker) supersede(ref, replaced stemma.Ref) error {
	out, _, err := t.space.Graph.Edges(t.ctx, ref, maxEdges+1)
	if err != nil {
		return err
	}
	edges := []stemma.Edge{{Door: "replaces", To: replaced}}
	for _, e := range out {
		if e.Door != "replaces" && e.From == ref {
			edges = append(edges, stemma.Edge{Door: e.Door, To: e.To, Grade: e.Grade, Basis: e.Basis, Method: e.Method})
		}
	}
	if len(out) > maxEdges { // not all of them are known here
		return t.beside(deployment.Deployment{ID: ref, Replaces: []stemma.Ref{replaced}})
	}
	f, err := stemma.NewFact(ref, struct{}{}, stemma.Provenance{Source: Source, Occurred: t.e.At.Time(), Grade: t.grade(), Edges: edges, Whole: true})
	if err != nil {
		return err
	}
	return t.w.Put(t.ctx, f)
}

// maxEdges is how many edges of one deployment are stated again.
const maxEdges = 1000

// next finds the nearest deployment of the same service in the same environment.
func (t *taker) next(r deployment.Deployment, where string) (found neighbour, err error) {
	err = t.space.DB.Each(t.ctx, func(scan func(...any) error) error {
		return scan((*string)(&found.ref), (*int64)(&found.at))
	}, `SELECT n.ref, d."at" FROM k_deployment d JOIN node n ON n.id = d.id JOIN node e ON e.id = d."environment"
		WHERE e.ref = $1 AND COALESCE(d."service", '') = $2 AND d."status" = 'success' AND n.ref <> $4 AND `+where+` LIMIT 1`,
		string(r.Environment), r.Service, int64(r.At), string(r.ID))
	return found, err
}

// maxSuspects is how many deployments an incident suspects.
const maxSuspects = 20

// incident states what broke. The deployments that were last there when it did are
// suspected: that they were there is all that is known.
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
		suspects, err := t.suspects(r.Where, r.Opened)
		if err != nil {
			return err
		}
		r.Suspects = suspects
	}
	t.about(r.Ref())
	return t.latest(r, t.grade(), t.e.At)
}

func (t *taker) suspects(environment stemma.Ref, opened stemma.Moment) (list []stemma.Edge, err error) {
	if err := t.settle(); err != nil {
		return nil, err
	}
	err = t.space.DB.Each(t.ctx, func(scan func(...any) error) error {
		var ref stemma.Ref
		err := scan((*string)(&ref))
		list = stemma.AddEdge(list, edge(ref, methodOpen))
		return err
	}, `SELECT n.ref FROM k_deployment d JOIN node n ON n.id = d.id JOIN node e ON e.id = d."environment"
		WHERE e.ref = $1 AND d."at" <= $2 AND COALESCE(d."until", $2 + 1) > $2 AND d."status" = 'success'
		ORDER BY d."at" DESC, n.ref LIMIT $3`, string(environment), int64(opened), maxSuspects)
	return list, err
}

// SnapshotRef names the snapshot of the envelope that has a key.
func SnapshotRef(environment, key string) stemma.Ref {
	sum := stemma.Sum([]byte(key))
	return deployment.SnapshotRef(environment, hex.EncodeToString(sum[:12]))
}
