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
	out          []link
	same         []int64 // other digests of it
	attestations []attestationRow
	boms         []*bomRow
}

type attestationRow struct {
	id, source int64
	a          subject.Attestation
}

// readArtifacts reads what deployments ship, and what was built of the commits or by the
// runs on them.
func (g *gatherer) readArtifacts() error {
	ids := map[int64]bool{}
	for _, d := range g.deployments {
		for _, id := range through(d.out, "ships") {
			ids[id] = true
		}
	}
	into := map[int64][]link{}
	if err := g.links(slices.Concat(keys(g.commits), keys(g.runs), g.bases()), into, back, "from built-by"); err != nil {
		return err
	}
	for of, links := range into {
		g.artifactsOf[of] = through(links, "from", "built-by")
		for _, id := range g.artifactsOf[of] {
			ids[id] = true
		}
	}
	same := map[int64][]link{}
	if err := g.links(keys(ids), same, both, "same-as"); err != nil {
		return err
	}
	for _, links := range same {
		for _, l := range links {
			ids[l.to] = true
		}
	}
	err := g.each(keys(ids), `SELECT a.id, COALESCE(a."name", ''), COALESCE(a."digest", '') FROM {ids} CROSS JOIN k_artifact a WHERE a.id = i.value`, func(scan func(...any) error) error {
		r := &artifactRow{}
		err := scan(&r.id, &r.a.Name, &r.a.Digest)
		g.need(r.id)
		g.artifacts[r.id] = r
		return err
	})
	if err != nil {
		return err
	}
	for id, links := range same {
		if r := g.artifacts[id]; r != nil {
			r.same = through(links, "same-as")
		}
	}
	out := map[int64][]link{}
	if err := g.links(keys(g.artifacts), out, away, "from built-by"); err != nil {
		return err
	}
	for id, links := range out {
		g.artifacts[id].out = links
		g.need(through(links, "from", "built-by")...)
	}
	return nil
}

// readStatements reads what others say about artifacts, and what these consist of.
func (g *gatherer) readStatements() error {
	// Whose word it is, and what it is, only those who signed can say: see Verifier.
	err := g.each(keys(g.artifacts), `SELECT e.dst, a.id, COALESCE(a."predicate_type", ''), COALESCE(a."builder", ''), COALESCE(a."source", 0),
			CASE WHEN k.owner IS NULL THEN '`+missing+`' WHEN k.wrapped IS NULL THEN '`+erased+`' WHEN EXISTS (SELECT 1 FROM body b WHERE b.owner = n.ref) THEN '' ELSE '`+missing+`' END
		FROM {ids} CROSS JOIN edge e CROSS JOIN k_attestation a CROSS JOIN node n LEFT JOIN data_key k ON k.owner = n.ref
		WHERE e.dst = i.value AND e.door IN {doors about} AND a.id = e.src AND n.id = a.id`, func(scan func(...any) error) error {
		var of int64
		var r attestationRow
		err := scan(&of, &r.id, &r.a.Predicate, &r.a.Builder, &r.source, &r.a.Signature)
		g.need(r.id, r.source)
		g.artifacts[of].attestations = append(g.artifacts[of].attestations, r)
		return err
	})
	if err != nil {
		return err
	}
	return g.readBoms()
}

// built are those of some things that are artifacts, with their other digests.
func (g *gatherer) built(ids []int64) (list []int64) {
	for _, id := range ids {
		if r := g.artifacts[id]; r != nil {
			list = append(append(list, id), r.same...)
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
		ids = append(ids, g.artifactsOf[id]...)
	}
	return g.built(ids)
}

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
		a.Commit, a.Run = g.first(through(r.out, "from"), mine), g.first(through(r.out, "built-by"), runs)
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
