// Package causes ranks what may have caused an incident: the changes that deployments
// brought which were there when it was noticed, each with the reasons for its place.
//
// A rank is a lead and no finding: every reason is told with its points, and a change
// becomes a cause only when a person says so. The package reads the tables of package
// graph and writes nothing.
package causes

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/incident"
	"github.com/stemma-dev/stemma/lineage/deployed"
	"github.com/stemma-dev/stemma/storage"
)

// A Reason is why a candidate stands where it stands.
type Reason struct {
	Points int    `json:"points"`
	Why    string `json:"why"`
}

// A Candidate is a change that may be a cause, or what else a person judged.
type Candidate struct {
	Change     stemma.Ref `json:"change"` // or the deployment, or the commit that no change carries
	Title      string     `json:"title,omitempty"`
	Deployment stemma.Ref `json:"deployment"` // that brought it last before the incident; empty if none is known
	Points     int        `json:"points"`
	Reasons    []Reason   `json:"reasons"` // the heaviest first
	Verdict    string     `json:"verdict,omitempty"`

	id, deployment int64
	merged         time.Time
}

// An Incident is what broke, with what may have caused it.
type Incident struct {
	Ref         stemma.Ref   `json:"incident"`
	Title       string       `json:"title,omitempty"`
	Opened      time.Time    `json:"opened"`
	Service     string       `json:"service,omitempty"`
	Environment stemma.Ref   `json:"environment,omitempty"`
	Deployments []stemma.Ref `json:"deployments"` // that were looked at, the last one first
	Candidates  []Candidate  `json:"candidates"`  // the likeliest first

	id, environment int64
}

// Bounds of what is looked at.
const (
	maxDeployments = 20
	maxAge         = 30 * 24 * time.Hour // of a deployment when the incident was noticed
)

// Of ranks what may have caused an incident.
func Of(ctx context.Context, tx *storage.Tx, ref stemma.Ref) (*Incident, error) {
	s, err := deployed.In(ctx, tx)
	if err != nil {
		return nil, err
	}
	r := ranker{s: s, Incident: &Incident{Ref: ref, Deployments: []stemma.Ref{}, Candidates: []Candidate{}}}
	for _, step := range []func(context.Context) error{r.read, r.deployments, r.changes, r.judged, r.judge, r.verdicts} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	for _, c := range r.byChange {
		for _, reason := range c.Reasons {
			c.Points += reason.Points
		}
		slices.SortFunc(c.Reasons, func(a, b Reason) int { return cmp.Or(cmp.Compare(b.Points, a.Points), cmp.Compare(a.Why, b.Why)) })
		r.Candidates = append(r.Candidates, *c)
	}
	slices.SortFunc(r.Candidates, func(a, b Candidate) int {
		out := func(c Candidate) bool { return c.Verdict == incident.Rejected }
		switch {
		case out(a) != out(b) && out(a):
			return 1
		case out(a) != out(b):
			return -1
		}
		return cmp.Or(cmp.Compare(b.Points, a.Points), b.merged.Compare(a.merged), cmp.Compare(a.Change, b.Change))
	})
	return r.Incident, nil
}

// A ranker gathers what is known of one incident.
type ranker struct {
	*Incident
	s        *deployed.Store
	at       map[int64]time.Time // of the deployments
	list     []int64             // the deployments, the last one first
	byChange map[int64]*Candidate
}

func (r *ranker) read(ctx context.Context) error {
	err := r.s.Each(ctx, func(scan func(...any) error) error {
		var opened int64
		err := scan(&r.id, &r.Title, &opened, &r.Service, &r.environment, (*string)(&r.Environment))
		r.Opened = time.UnixMicro(opened).UTC()
		return err
	}, `SELECT i.id, COALESCE(i."title", ''), COALESCE(i."opened", 0), COALESCE(i."service", ''), COALESCE(i."environment", 0), COALESCE(e.ref, '')
		FROM k_incident i JOIN node n ON n.id = i.id LEFT JOIN node e ON e.id = i."environment" WHERE n.ref = $1`, string(r.Ref))
	if err == nil && r.id == 0 {
		return fmt.Errorf("incident %s: %w", r.Ref, stemma.ErrNotFound)
	}
	return err
}

// deployments are those that the incident suspects, and those that were made before it
// where it broke, or anywhere if that is not told.
func (r *ranker) deployments(ctx context.Context) error {
	r.at = map[int64]time.Time{}
	return r.s.Each(ctx, func(scan func(...any) error) error {
		var id, at int64
		var ref stemma.Ref
		if err := scan(&id, (*string)(&ref), &at); err != nil {
			return err
		}
		r.at[id], r.list, r.Deployments = time.UnixMicro(at).UTC(), append(r.list, id), append(r.Deployments, ref)
		return nil
	}, `SELECT d.id, n.ref, d."at" FROM k_deployment d JOIN node n ON n.id = d.id WHERE d."at" IS NOT NULL AND d."at" <= $1 AND (
			d.id IN (SELECT e.dst FROM edge e WHERE e.src = $2 AND e.door IN (`+r.s.Doors("suspects", "caused-by")+`))
			OR d."status" IN ('success', 'inactive') AND d."at" >= $3 AND ($4 = 0 OR d."environment" = $4))
		ORDER BY d."at" DESC, n.ref LIMIT $5`, r.Opened.UnixMicro(), r.id, r.Opened.Add(-maxAge).UnixMicro(), r.environment, maxDeployments)
}

// changes are those that the deployments brought, each by the last one that did, and
// those that the incident itself suspects.
func (r *ranker) changes(ctx context.Context) error {
	r.byChange = map[int64]*Candidate{}
	for i, deployment := range r.list {
		err := r.s.Each(ctx, func(scan func(...any) error) error {
			c := &Candidate{Deployment: r.Deployments[i], deployment: deployment, Reasons: []Reason{}}
			if err := r.candidate(scan, c); err != nil || r.byChange[c.id] != nil {
				return err
			}
			r.byChange[c.id] = c
			before := r.Opened.Sub(r.at[deployment])
			switch {
			case i == 0:
				c.add(30, "the last deployment before it brought it")
			case before < 24*time.Hour:
				c.add(15, "a deployment of the day before brought it")
			default:
				c.add(5, "a deployment of the month before brought it")
			}
			return nil
		}, columns+` JOIN edge e ON e.dst = c.id WHERE e.src = $1 AND e.door IN (`+r.s.Doors("brings")+`)`, deployment)
		if err != nil {
			return err
		}
	}
	return r.s.Each(ctx, func(scan func(...any) error) error {
		c := &Candidate{Reasons: []Reason{}}
		if err := r.candidate(scan, c); err != nil {
			return err
		}
		if r.byChange[c.id] == nil {
			r.byChange[c.id] = c
		}
		r.byChange[c.id].add(40, "its source names it")
		return nil
	}, columns+` JOIN edge e ON e.dst = c.id WHERE e.src = $1 AND e.door IN (`+r.s.Doors("suspects", "caused-by")+`) AND e.method <> 'judgement' `, r.id)
}

const columns = `SELECT c.id, n.ref, COALESCE(c."title", ''), COALESCE(c."merged", 0), COALESCE(c."method", ''), COALESCE(c."added", 0) + COALESCE(c."deleted", 0),
	(SELECT COUNT(*) FROM k_review v LEFT JOIN same sv ON sv.id = v."reviewer" LEFT JOIN same sa ON sa.id = c."author"
		WHERE v."change" = c.id AND v."verdict" = 'approved' AND COALESCE(v."dismissed", 0) = 0
			AND (v."reviewer" IS NULL OR c."author" IS NULL OR COALESCE(sv.self, v."reviewer") <> COALESCE(sa.self, c."author")))
	FROM k_change c JOIN node n ON n.id = c.id`

// candidate reads a change, and what speaks against it by itself.
func (r *ranker) candidate(scan func(...any) error, c *Candidate) error {
	var merged, lines, approvals int64
	var method string
	if err := scan(&c.id, (*string)(&c.Change), &c.Title, &merged, &method, &lines, &approvals); err != nil {
		return err
	}
	c.merged = time.UnixMicro(merged).UTC()
	switch {
	case method == "direct":
		c.add(10, "it was pushed without a merge request")
	case approvals == 0:
		c.add(8, "nobody but its author is known to have approved it")
	}
	if lines >= large {
		c.add(5, fmt.Sprintf("it is large: %d lines", lines))
	}
	return nil
}

// large is how many lines a change has that is hard to see through.
const large = 400

func (c *Candidate) add(points int, why string) { c.Reasons = append(c.Reasons, Reason{points, why}) }

// judged adds what people judged although nothing leads to it now: a cause that was
// rejected is no edge any more.
func (r *ranker) judged(ctx context.Context) error {
	const carried = `SELECT COALESCE(e.src, j."cause") AS id FROM k_incident_judgement j LEFT JOIN edge e ON e.dst = j."cause" AND e.door IN `
	list := carried + `(` + r.s.Doors("carries") + `) WHERE j.id = $1`
	add := func(c *Candidate) {
		if r.byChange[c.id] == nil {
			r.byChange[c.id] = c
		}
	}
	err := r.s.Each(ctx, func(scan func(...any) error) error {
		c := &Candidate{Reasons: []Reason{}}
		err := r.candidate(scan, c)
		add(c)
		return err
	}, columns+` WHERE c.id IN (`+list+`)`, r.id)
	if err != nil {
		return err
	}
	return r.s.Each(ctx, func(scan func(...any) error) error {
		c := &Candidate{Reasons: []Reason{}}
		err := scan(&c.id, (*string)(&c.Change))
		add(c)
		return err
	}, `SELECT n.id, n.ref FROM node n WHERE n.kind <> 'change' AND n.id IN (`+list+`)`, r.id)
}

// judge adds what happened to the changes afterwards, and which touch what broke.
func (r *ranker) judge(ctx context.Context) error {
	if len(r.byChange) == 0 {
		return nil
	}
	var ids []int64
	for id := range r.byChange {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	list, opened := deployed.List(ids), r.Opened.UnixMicro()
	for _, q := range []struct {
		points int
		why    string
		query  string
	}{
		{40, "%s took it back afterwards", `SELECT e.dst, MIN(n.ref) FROM edge e JOIN k_change h ON h.id = e.src JOIN node n ON n.id = h.id
			WHERE e.dst IN (` + list + `) AND e.door IN (` + r.s.Doors("reverts") + `) AND h."merged" >= $1 GROUP BY e.dst`},
		{35, "%s mended it afterwards", `SELECT f."change", MIN(n.ref) FROM k_change_fixes f JOIN k_change h ON h.id = f.id JOIN node n ON n.id = h.id
			WHERE f."change" IN (` + list + `) AND h."merged" >= $1 GROUP BY f."change"`},
	} {
		err := r.s.Each(ctx, func(scan func(...any) error) error {
			var id int64
			var by string
			if err := scan(&id, &by); err != nil {
				return err
			}
			r.byChange[id].add(q.points, fmt.Sprintf(q.why, by))
			return nil
		}, q.query, opened)
		if err != nil {
			return err
		}
	}
	return r.touching(ctx, list)
}

// touching finds the changes that touch files named like the service that broke.
func (r *ranker) touching(ctx context.Context, list string) error {
	service := strings.ToLower(r.Service)
	if len(service) < 3 {
		return nil
	}
	files := map[int64]string{}
	err := r.s.Each(ctx, func(scan func(...any) error) error {
		var id int64
		var path string
		if err := scan(&id, &path); err != nil {
			return err
		}
		if files[id] == "" && strings.Contains(strings.ToLower(path), service) {
			files[id] = path
		}
		return nil
	}, `SELECT e.src, f.path FROM edge e JOIN k_commit_file f ON f.id = e.dst WHERE e.src IN (`+list+`) AND e.door IN (`+r.s.Doors("carries")+`) ORDER BY e.src, f.path`)
	for id, path := range files {
		r.byChange[id].add(20, fmt.Sprintf("it touches %s, and %s broke", path, r.Service))
	}
	return err
}

// verdicts are what people said of the candidates or of their commits, the last word of
// each.
func (r *ranker) verdicts(ctx context.Context) error {
	return r.s.Each(ctx, func(scan func(...any) error) error {
		var cause int64
		var verdict string
		if err := scan(&cause, &verdict); err != nil {
			return err
		}
		if c := r.byChange[cause]; c != nil {
			c.Verdict = verdict
		}
		return nil
	}, `SELECT COALESCE(e.src, j."cause"), j."verdict" FROM k_incident_judgement j LEFT JOIN edge e ON e.dst = j."cause" AND e.door IN (`+r.s.Doors("carries")+`)
		WHERE j.id = $1 ORDER BY j.seq`, r.id)
}
