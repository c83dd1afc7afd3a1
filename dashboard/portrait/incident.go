package portrait

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/query/causes"
	"github.com/stemma-dev/stemma/storage"
)

// Incident shows what broke, what happened around it, and what may have caused it.
func (g *Gallery) Incident(ctx context.Context, key string) (*page.Page, error) {
	p := g.named(ctx, stemma.KindIncident, key, "/incidents")
	p.describe()
	p.chronicle()
	p.leads()
	if l := p.traced(); l != nil && len(l.Nodes) > 1 {
		p.way()
		p.lineage()
	} else {
		p.add(page.Section{ID: "way", Title: "From requirement to incident", Note: "No cause is confirmed, so no step leads here yet: what is suspected is no part of a lineage."})
	}
	p.links()
	p.records()
	return p.page()
}

// The stretch of time around an incident of which deployments are shown.
const (
	before = 7 * 24 * time.Hour
	after  = 24 * time.Hour
)

// chronicle adds what happened around the incident, in order: deployments, that it was
// noticed, what people found out, that it was over.
func (p *portrait) chronicle() {
	if p.err != nil {
		return
	}
	opened, over := p.n.Attrs.Time("opened"), p.n.Attrs.Time("resolved")
	var events []page.Event
	if !opened.IsZero() {
		events = append(events, page.Event{At: opened, Kind: "noticed", Note: p.n.Attrs.Text("title")})
		placed, err := p.Reader.Placed(p.ctx, p.n.Attrs.Ref("environment"), opened.Add(-before), later(opened, over).Add(after))
		p.err = err
		for _, d := range placed {
			things := []page.Cell{page.Text(d.Service), page.To(d.Ref, d.Version)}
			if d.Status != "success" && d.Status != "inactive" { // the latter succeeded, and something took its place
				things = append(things, page.Text(d.Status))
			}
			events = append(events, page.Event{At: d.At, Kind: "deployed", Things: things})
		}
	}
	if !over.IsZero() {
		events = append(events, page.Event{At: over, Kind: "over"})
	}
	events = append(events, p.judgements()...)
	slices.SortStableFunc(events, func(a, b page.Event) int { return a.At.Compare(b.At) })
	if len(events) > 0 {
		p.add(page.Section{ID: "chronicle", Title: "What happened", Events: events})
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// judgements are what people found out about causes.
func (p *portrait) judgements() []page.Event {
	rows := p.list("judgement")
	var refs []stemma.Ref
	for _, j := range rows {
		refs = append(refs, j.Ref("cause"), j.Ref("by"))
	}
	called := p.names(refs...)
	var events []page.Event
	for _, j := range rows {
		cause, by := j.Ref("cause"), j.Ref("by")
		things := []page.Cell{page.To(cause, called[cause])}
		if by != "" {
			things = append(things, page.Text("as a cause, by"), page.To(by, called[by]))
		}
		events = append(events, page.Event{At: j.Time("at"), Kind: cmp.Or(j.Text("verdict"), "judged"), Things: things, Note: j.Text("reason")})
	}
	return events
}

// leadsShown is how many candidates a page has; the command has all.
const leadsShown = 25

// leads adds what may have caused the incident, and takes what a person found.
func (p *portrait) leads() {
	if p.err != nil {
		return
	}
	var i *causes.Incident
	p.err = p.Space.DB.Read(p.ctx, func(tx *storage.Tx) (err error) {
		i, err = causes.Of(p.ctx, tx, p.n.Ref)
		return err
	})
	if p.err != nil {
		return
	}
	t := &page.Table{ID: "causes", Caption: "Changes that may have caused it", Columns: page.Head("points", "change", "title", "deployment", "verdict", "reasons"), Command: "stemma incident " + page.Shell(p.n.Ref.Key()) + " --json"}
	out := &page.Leads{Table: t}
	shown := i.Candidates[:min(len(i.Candidates), leadsShown)]
	if len(shown) < len(i.Candidates) {
		t.Rest(page.Text("and " + page.Count(len(i.Candidates)-len(shown)) + " more"))
	}
	var deployments []stemma.Ref
	for _, c := range shown {
		deployments = append(deployments, c.Deployment, c.Change)
	}
	called := p.names(deployments...)
	for _, c := range shown {
		lead := page.Lead{Ref: string(c.Change), Points: c.Points, Thing: page.To(c.Change, called[c.Change]), By: page.To(c.Deployment, called[c.Deployment]), Verdict: c.Verdict}
		why := page.Cell{Class: "several"}
		for _, r := range c.Reasons {
			lead.Reasons = append(lead.Reasons, page.Reason(r))
			why.Parts = append(why.Parts, page.Text(r.Why))
		}
		out.List = append(out.List, lead)
		t.Add(page.Number(c.Points), page.To(c.Change, ""), page.Text(c.Title), page.To(c.Deployment, ""), page.Text(c.Verdict), why)
	}
	switch {
	case p.Judge:
		out.Post = page.Href(p.n.Ref)
	case len(shown) > 0:
		out.Closed = "This server can be reached from elsewhere and does not know who asks, so it takes no decisions. Where the store is: stemma incident confirm, or reject."
	}
	p.add(page.Section{ID: "causes", Title: "What may have caused it", Note: "Points are a lead where to look first, and each says why. A person decides, and the last word about a cause stands; all of them are kept.", Leads: out})
}
