package gather

import (
	"cmp"
	"slices"

	"github.com/stemma-dev/stemma/policy/subject"
)

// An artifactRow is something built as the tables have it.
type artifactRow struct {
	id           int64
	a            subject.Artifact
	attestations []attestationRow
	boms         []*bomRow
}

type attestationRow struct {
	id, source int64
	a          subject.Attestation
}

// readBuilt finds what was built of the commits, or of those before them, or by the runs on
// them.
func (g *gatherer) readBuilt() {
	g.links(slices.Concat(keys(g.commits), keys(g.runs), g.bases()), g.in, back, "from built-by")
}

// artifactsOf are what was built of a commit or by a run, or what a deployment ships.
func (g *gatherer) artifactsOf(id int64) []int64 {
	if g.deployments[id] != nil {
		return through(g.out[id], "ships")
	}
	return through(g.in[id], "from", "built-by")
}

// made are all of them.
func (g *gatherer) made() (ids []int64) {
	for _, of := range slices.Concat(keys(g.commits), keys(g.runs), g.bases(), keys(g.deployments)) {
		ids = append(ids, g.artifactsOf(of)...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// readSame finds their other digests.
func (g *gatherer) readSame() { g.links(g.made(), g.same, both, "same-as") }

// every are the artifacts that are looked at: those, and what else they are called.
func (g *gatherer) every() []int64 {
	ids := g.made()
	for _, id := range slices.Clone(ids) {
		ids = append(ids, through(g.same[id], "same-as")...)
	}
	return ids
}

func (g *gatherer) readArtifacts() {
	ids := g.every()
	g.each(ids, `SELECT a.id, COALESCE(a."name", ''), COALESCE(a."digest", '') FROM {ids} CROSS JOIN k_artifact a WHERE a.id = i.value`, func(scan func(...any) error) error {
		r := &artifactRow{}
		err := scan(&r.id, &r.a.Name, &r.a.Digest)
		g.need(r.id)
		g.artifacts[r.id] = r
		return err
	})
	g.links(ids, g.out, away, "from built-by")
}

// readStatements reads what others say about artifacts. Whose word it is, and what it is, only
// those who signed can say: see Verifier.
func (g *gatherer) readStatements() {
	g.each(g.every(), `SELECT e.dst, a.id, COALESCE(a."predicate_type", ''), COALESCE(a."builder", ''), COALESCE(a."source", 0),
			CASE WHEN k.owner IS NULL THEN '`+missing+`' WHEN k.wrapped IS NULL THEN '`+erased+`' WHEN EXISTS (SELECT 1 FROM body b WHERE b.owner = n.ref) THEN '' ELSE '`+missing+`' END
		FROM {ids} CROSS JOIN edge e CROSS JOIN k_attestation a CROSS JOIN node n LEFT JOIN data_key k ON k.owner = n.ref
		WHERE e.dst = i.value AND e.door IN {doors about} AND a.id = e.src AND n.id = a.id`, func(scan func(...any) error) error {
		var of int64
		var r attestationRow
		err := scan(&of, &r.id, &r.a.Predicate, &r.a.Builder, &r.source, &r.a.Signature)
		g.need(r.id, r.source)
		if a := g.artifacts[of]; a != nil {
			a.attestations = append(a.attestations, r)
		}
		return err
	})
}

// built are those of some things that are artifacts, with their other digests.
func (g *gatherer) built(ids []int64) (list []int64) {
	for _, id := range ids {
		if g.artifacts[id] != nil {
			list = append(append(list, id), through(g.same[id], "same-as")...)
		}
	}
	slices.Sort(list)
	return slices.DeleteFunc(slices.Compact(list), func(id int64) bool { return g.artifacts[id] == nil })
}

// artifactsBy are what was built of a change, and what the deployments ship that brought it.
func (g *gatherer) artifactsBy(c *changeRow) (ids []int64) {
	of := slices.Clone(g.all(c))
	runs := g.runsOf(c)
	of = append(of, runs[:min(len(runs), maxRuns)]...)
	brought := g.brought(c)
	of = append(of, brought[:min(len(brought), maxDeployments)]...)
	for _, id := range of {
		ids = append(ids, g.artifactsOf(id)...)
	}
	return g.built(ids)
}

// builtOf are those of one of them, with their other digests.
func (g *gatherer) builtOf(id int64) []int64 { return g.built(g.artifactsOf(id)) }

func (g *gatherer) putArtifacts(s *subject.Subject, c *changeRow) {
	mine, runs, ids := g.all(c), g.runsOf(c), g.artifactsBy(c)
	slices.SortFunc(ids, func(a, b int64) int { return cmp.Compare(g.ref(a), g.ref(b)) })
	s.Change.MoreBuilt = len(ids) > maxArtifacts
	ids = most(s, ids, maxArtifacts, "artifacts")
	more := g.putPackages(s, c, ids)
	for _, id := range ids {
		r := g.artifacts[id]
		a := r.a
		a.Thing = g.thing(id)
		a.Commit, a.Run = g.first(through(g.out[id], "from"), mine), g.first(through(g.out[id], "built-by"), runs)
		for _, x := range r.attestations {
			x.a.Thing, x.a.Source = g.thing(x.id), g.ref(x.source)
			a.Attestations = append(a.Attestations, x.a)
		}
		slices.SortFunc(a.Attestations, func(x, y subject.Attestation) int { return cmp.Compare(x.Ref, y.Ref) })
		a.Attestations = most(s, a.Attestations, maxAttestations, "attestations of an artifact")
		for _, x := range r.boms {
			b := x.b
			b.Thing, b.More = g.thing(x.id), x.cut || more
			if x.cut {
				s.Gaps = append(s.Gaps, subject.Gap{Source: Source, Place: b.Ref, Reason: "the bill of materials lists more than is looked at"})
			}
			a.Boms = append(a.Boms, b)
		}
		slices.SortFunc(a.Boms, func(x, y subject.Bom) int { return cmp.Compare(x.Ref, y.Ref) })
		s.Artifacts = append(s.Artifacts, a)
	}
}

// first is the name of one of some nodes: one of those that are meant, if there is one.
func (g *gatherer) first(ids, meant []int64) string {
	own := slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return !slices.Contains(meant, id) })
	if len(own) > 0 {
		ids = own
	}
	if names := g.refs(ids); len(names) > 0 {
		return names[0]
	}
	return ""
}
