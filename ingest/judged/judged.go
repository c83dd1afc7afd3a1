// Package judged states what people find out: about the causes of incidents, and about
// which accounts are one person.
package judged

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/incident"
	"github.com/stemma-dev/stemma/ingest"
)

// Source is what the facts say they come from.
const Source = "judgement"

// A Verdict is what a person says about one cause of an incident.
type Verdict struct {
	Incident, Cause stemma.Ref
	Confirmed       bool // else it is rejected
	Name, Mail      string
	Reason          string
}

// maxEdges bounds the edges of an incident that are stated again.
const maxEdges = 5000

// Judge states a verdict. The last one about a cause stands: a cause that is rejected is
// none any more, one that is confirmed is not ruled out any more.
func Judge(ctx context.Context, space *ingest.Space, now func() time.Time, v Verdict) error {
	nodes, err := space.Graph.Nodes(ctx, v.Incident, v.Cause)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(nodes, func(n graph.Node) bool { return n.Ref == v.Incident })
	if at < 0 || v.Incident.Kind() != stemma.KindIncident {
		return fmt.Errorf("judging %s: there is no such incident: %w", v.Incident, stemma.ErrNotFound)
	}
	if !slices.ContainsFunc(nodes, func(n graph.Node) bool { return n.Ref == v.Cause }) {
		return fmt.Errorf("judging %s: there is no %s that may have caused it: %w", v.Incident, v.Cause, stemma.ErrNotFound)
	}
	w := ingest.NewWriter(ctx, space, now)
	by := w.Person(v.Name, v.Mail, "")
	if err := w.Close(ctx); err != nil {
		return err
	}
	return space.Revise(ctx, v.Incident, func() (stemma.Fact, error) {
		list, err := judgements(ctx, space, nodes[at])
		if err != nil {
			return stemma.Fact{}, err
		}
		j := incident.Judgement{Cause: v.Cause, Verdict: incident.Rejected, By: by, At: stemma.At(now()), Reason: v.Reason}
		if v.Confirmed {
			j.Verdict = incident.Confirmed
		}
		return fact(ctx, space, nodes[at], append(list, j), now())
	})
}

// judgements are those that were stated before.
func judgements(ctx context.Context, space *ingest.Space, n graph.Node) (list []incident.Judgement, err error) {
	rows, err := space.Graph.List(ctx, n, "judgement")
	for _, a := range rows {
		list = append(list, incident.Judgement{
			Cause: a.Ref("cause"), Verdict: a.Text("verdict"), By: a.Ref("by"), At: stemma.At(a.Time("at")), Reason: a.Text("reason"),
		})
	}
	return list, err
}

// fact states the judgements, and the edges of the incident as they are with them:
// whole, since one of them may go.
func fact(ctx context.Context, space *ingest.Space, n graph.Node, list []incident.Judgement, now time.Time) (stemma.Fact, error) {
	out, _, err := space.Graph.Edges(ctx, n.Ref, maxEdges)
	if err != nil {
		return stemma.Fact{}, err
	}
	last := list[len(list)-1]
	edges := []stemma.Edge{{Door: "ruled-out", To: last.Cause, Method: Source}}
	if last.Verdict == incident.Confirmed {
		edges[0].Door = "caused-by"
	}
	for _, e := range out {
		if e.From == n.Ref && (e.To != last.Cause || e.Door != "ruled-out" && e.Door != "caused-by") {
			edges = append(edges, stemma.Edge{Door: e.Door, To: e.To, Grade: e.Grade, Basis: e.Basis, Method: e.Method})
		}
	}
	attrs := struct {
		Judgements []incident.Judgement `json:"judgement"`
	}{list}
	return stemma.NewFact(n.Ref, attrs, stemma.Provenance{Source: Source, Occurred: now, Grade: stemma.GradeD, Edges: edges, Whole: true})
}
