package reported

import (
	"context"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/storage"
)

// maxRunning is how much may run in one snapshot.
const maxRunning = 20_000

// Why nothing explains what runs.
const (
	whyNoDigest = "it is not told by its digest"
	whyUnknown  = "no deployment into the environment is known that ships it"
	whyFailed   = "the only deployments that ship it there failed"
)

// snapshot states what runs, and what of it no deployment explains that is known now.
func (t *taker) snapshot() error {
	s := t.e.Snapshot
	switch {
	case s.Environment == "":
		return bad("the snapshot has no environment")
	case len(s.Running) > maxRunning:
		return bad("the snapshot shows more than %d things", maxRunning)
	}
	environment := deployment.Environment{Name: s.Environment}
	if err := t.latest(environment, grade(MethodDeclared), 0); err != nil {
		return err
	}
	if err := t.artifacts(s.Artifacts, false); err != nil {
		return err
	}
	if err := t.settle(); err != nil {
		return err
	}
	r := deployment.Snapshot{
		ID: SnapshotRef(s.Environment, t.e.Key), Environment: environment.Ref(), Taken: t.e.At, Format: s.Format, Things: len(s.Running), Running: s.Running,
	}
	if err := t.explain(&r); err != nil {
		return err
	}
	var err error
	if r.Bodies, err = t.body(r.ID); err != nil {
		return err
	}
	t.about(r.ID)
	t.taken.Snapshot = &r
	return t.put(r, t.grade())
}

// explain finds for each thing that runs a deployment that ships it, by any digest of
// the same thing or by a commit that it was built from.
func (t *taker) explain(r *deployment.Snapshot) error {
	known, err := t.explanations(r.Environment, r.Taken)
	if err != nil {
		return err
	}
	var all []stemma.Ref
	for _, x := range r.Running {
		if x.Artifact != "" {
			all = append(all, x.Artifact)
			r.Shows = append(r.Shows, stemma.Edge{To: x.Artifact, Method: r.Format})
		}
	}
	faces, err := t.faces(all)
	if err != nil {
		return err
	}
	for i := range r.Running {
		x := &r.Running[i]
		x.Explained, x.Deployment, x.Why = false, "", whyNoDigest
		if x.Artifact != "" {
			explainBy(x, known, faces[x.Artifact])
		}
		if !x.Explained {
			r.Unexplained++
		}
	}
	return nil
}

// An explanation is the last deployment that ships something; sound says that it, or
// an earlier one, did not fail.
type explanation struct {
	deployment stemma.Ref
	sound      bool
}

// explanations are by what is shipped: artifacts and commits.
func (t *taker) explanations(environment stemma.Ref, taken stemma.Moment) (map[stemma.Ref]explanation, error) {
	known := map[stemma.Ref]explanation{}
	err := t.space.DB.Each(t.ctx, func(scan func(...any) error) error {
		var by, what stemma.Ref
		var status string
		if err := scan((*string)(&by), (*string)(&what), &status); err != nil {
			return err
		}
		if before := known[what]; status != "failure" || !before.sound {
			known[what] = explanation{by, status != "failure"}
		}
		return nil
	}, `SELECT n.ref, x.ref, COALESCE(d."status", '') FROM k_deployment d JOIN node n ON n.id = d.id JOIN node v ON v.id = d."environment"
			JOIN edge s ON s.src = d.id JOIN door o ON o.id = s.door JOIN node x ON x.id = s.dst
		WHERE v.ref = $1 AND o.name = 'ships' AND d."at" <= $2 ORDER BY d."at", n.ref`, string(environment), int64(taken))
	return known, err
}

// maxFaces bounds how far one thing is followed from digest to digest.
const maxFaces = 16

// faces are, for each artifact, the refs by which a deployment may have shipped it: its
// other digests, and the commits that it was built from.
func (t *taker) faces(artifacts []stemma.Ref) (map[stemma.Ref][]stemma.Ref, error) {
	near := map[stemma.Ref][]stemma.Ref{}
	frontier := map[stemma.Ref]bool{}
	for _, ref := range artifacts {
		frontier[ref] = true
	}
	for range maxFaces {
		found, err := t.beyond(frontier)
		if err != nil {
			return nil, err
		}
		next := map[stemma.Ref]bool{}
		for from := range frontier {
			near[from] = found[from]
		}
		for _, list := range found {
			for _, to := range list {
				if _, seen := near[to]; !seen && to.Kind() == stemma.KindArtifact {
					next[to] = true
				}
			}
		}
		if frontier = next; len(frontier) == 0 {
			break
		}
	}
	faces := map[stemma.Ref][]stemma.Ref{}
	for _, ref := range artifacts {
		faces[ref] = reach(near, ref)
	}
	return faces, nil
}

// reach lists what can be reached from a thing, itself first.
func reach(near map[stemma.Ref][]stemma.Ref, from stemma.Ref) []stemma.Ref {
	list, seen := []stemma.Ref{from}, map[stemma.Ref]bool{from: true}
	for i := 0; i < len(list); i++ {
		for _, to := range near[list[i]] {
			if !seen[to] {
				seen[to] = true
				list = append(list, to)
			}
		}
	}
	return list
}

// beyond finds what is one step from artifacts, on either side.
func (t *taker) beyond(artifacts map[stemma.Ref]bool) (map[stemma.Ref][]stemma.Ref, error) {
	found := map[stemma.Ref][]stemma.Ref{}
	for _, side := range []string{
		`SELECT a.ref, b.ref FROM node a JOIN edge e ON e.src = a.id JOIN node b ON b.id = e.dst JOIN door d ON d.id = e.door
			WHERE d.name IN ('same-as', 'from') AND a.kind = 'artifact' AND a.ref IN `,
		`SELECT a.ref, b.ref FROM node a JOIN edge e ON e.dst = a.id JOIN node b ON b.id = e.src JOIN door d ON d.id = e.door
			WHERE d.name = 'same-as' AND a.ref IN `,
	} {
		err := storage.InChunks(artifacts, func(refs []any, marks string) error {
			return t.space.DB.Each(t.ctx, func(scan func(...any) error) error {
				var from, to stemma.Ref
				err := scan((*string)(&from), (*string)(&to))
				found[from] = append(found[from], to)
				return err
			}, side+"("+marks+") ORDER BY a.ref, b.ref", refs...)
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// explainBy takes the first of the faces of a thing that a deployment shipped.
func explainBy(x *deployment.Running, known map[stemma.Ref]explanation, faces []stemma.Ref) {
	x.Why = whyUnknown
	for _, face := range faces {
		by, shipped := known[face]
		switch {
		case shipped && by.sound:
			x.Explained, x.Deployment, x.Why = true, by.deployment, ""
			return
		case shipped:
			x.Why = whyFailed
		}
	}
}

// FindSnapshot reads the snapshot of the envelope that has a key back from the graph. If
// there is none, it is stemma.ErrNotFound.
func FindSnapshot(ctx context.Context, space *ingest.Space, environment, key string) (*deployment.Snapshot, error) {
	n, err := space.Graph.Node(ctx, SnapshotRef(environment, key))
	if err != nil {
		return nil, err
	}
	list, err := space.Graph.List(ctx, n, "running")
	if err != nil {
		return nil, err
	}
	things, _ := n.Attrs.Int("things")
	unexplained, _ := n.Attrs.Int("unexplained")
	s := &deployment.Snapshot{
		ID: n.Ref, Environment: n.Attrs.Ref("environment"), Taken: stemma.At(n.Attrs.Time("taken")), Format: n.Attrs.Text("format"),
		Things: int(things), Unexplained: int(unexplained),
	}
	for _, x := range list {
		s.Running = append(s.Running, deployment.Running{
			Name: x.Text("name"), Image: x.Text("image"), Artifact: x.Ref("artifact"), Explained: x.Bool("explained"), Deployment: x.Ref("deployment"), Why: x.Text("why"),
		})
	}
	return s, nil
}
