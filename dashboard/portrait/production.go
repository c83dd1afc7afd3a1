package portrait

import (
	"context"
	"fmt"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/figure"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/query/filter"
	"github.com/stemma-dev/stemma/query/standing"
	"github.com/stemma-dev/stemma/storage"
)

// Environment shows what runs in a place now, and what was put there before.
func (g *Gallery) Environment(ctx context.Context, key string) (*page.Page, error) {
	p := g.named(ctx, stemma.KindEnvironment, key, "/environments")
	p.describe()
	p.standing()
	if t := p.beginning("running", p.filter("env")+" is:latest", "What was seen to run, and which deployment explains it", "environment"); t != nil {
		t.Empty = "Nobody looked at what runs here. \"stemma record snapshot\" tells what really does, from Kubernetes, Docker or a list of digests."
		p.part(page.Section{ID: "seen", Title: "Seen to run", Note: "The last snapshot. What no deployment explains says why.", Table: t})
	}
	p.few("deployments", p.filter("env"), "What was put here, the latest first", "Nothing is known to have been put here.", "environment")
	p.few("incidents", p.filter("env"), "What broke here", "No incident is known here.", "environment")
	p.records()
	return p.page()
}

// standing adds what stands in an environment, service by service.
func (p *portrait) standing() {
	if p.err != nil {
		return
	}
	var services []standing.Service
	p.err = p.Space.DB.Read(p.ctx, func(tx *storage.Tx) (err error) {
		services, err = standing.In(p.ctx, tx, p.n.Ref)
		return err
	})
	var refs []stemma.Ref
	for _, s := range services {
		refs = append(append(append(refs, s.Actor), s.Artifacts...), s.Commits...)
	}
	called := p.names(refs...)
	t := &page.Table{
		ID: "now", Caption: "The last deployment of each service that succeeded, and who wrote the lines that it brought",
		Columns: page.Head("service", "version", "status", "since", "by", "artifact", "commit", "#changes", "#lines", "AI share", "#human", "#unknown"),
		Empty:   "Nothing is known to have been put here with success.",
		Command: page.SQL("SELECT * FROM (SELECT d.*, ROW_NUMBER() OVER (PARTITION BY COALESCE(d.service, '') ORDER BY d.at_us DESC, d.ref DESC) AS nth FROM v1_deployment d "+
			"WHERE d.environment = ? AND d.at_us IS NOT NULL AND d.status IN ('success', 'inactive')) s WHERE s.nth = 1", string(p.n.Ref)),
	}
	t.Columns[9].Num = true
	for _, s := range services {
		at := page.ListHref("changes", "deployment:"+filter.Quote(string(s.Deployment)))
		share, human, unknown := page.Share(s.Lines).At(at), page.Cell{}, page.Cell{}
		if share.Bar != nil {
			human, unknown = page.Mille(share.Bar.Human).At(at), page.Mille(share.Bar.Unknown).At(at)
		}
		t.Add(page.Text(s.Name), page.To(s.Deployment, s.Version), page.Text(s.Status), page.Moment(s.Since), page.To(s.Actor, called[s.Actor]), several(s.Artifacts, called), several(s.Commits, nil),
			page.Number(s.Changes).At(at), page.Number(s.Lines.All()).At(at+"#list"), share, human, unknown)
	}
	if len(services) > 0 {
		t.Rest(page.Text("what reached it, and what of that has no record").At(figure.Address("/population", "env", page.ShortName(p.n.Ref))))
	}
	p.add(page.Section{ID: "now", Title: "What runs now", Table: t})
}

// severalShown is how many things of a cell are named.
const severalShown = 3

// several are the first of some things in one cell, by their names.
func several(refs []stemma.Ref, called map[stemma.Ref]string) page.Cell {
	var out page.Cell
	for _, r := range refs[:min(len(refs), severalShown)] {
		out.Parts = append(out.Parts, page.To(r, called[r]))
	}
	if rest := len(refs) - severalShown; rest > 0 {
		out.Parts = append(out.Parts, page.Text("and "+page.Count(rest)+" more"))
	}
	return out
}

// Deployment shows a version put into an environment: what it brought and what it took
// the place of.
func (g *Gallery) Deployment(ctx context.Context, key string) (*page.Page, error) {
	p := g.named(ctx, stemma.KindDeployment, key, "/deployments")
	p.unasked()
	p.describe()
	p.place()
	p.way()
	p.few("changes", p.filter("deployment"), "Changes that it brought: what it ships has them, and what was there before has not", "It brought no change that was not there before, as far as the commits that it ships are known.")
	p.some("runs", p.filter("deployment"), "The pipeline that did it")
	p.few("incidents", p.filter("deployment"), "Incidents that it caused, or is suspected of", "None is known.")
	p.rest()
	return p.page()
}

// unasked says what of a deployment nobody was asked about, in words: there is no list of
// commits of no change.
func (p *portrait) unasked() {
	orphans, counted := p.n.Attrs.Int("orphans")
	direct, _ := p.n.Attrs.Int("direct")
	delete(p.n.Attrs, "orphans")
	delete(p.n.Attrs, "direct")
	if p.err == nil && counted && orphans >= 0 && orphans+direct > 0 {
		p.out.Facts = append(p.out.Facts, page.Say("Nobody was asked about", page.Text(fmt.Sprintf("%d commits of no change, %d changes that were pushed: \"stemma population\" names them", orphans, direct))))
	}
}

// place says what a deployment ships, what it replaced and what replaced it, and whether
// it went back.
func (p *portrait) place() {
	if p.err != nil {
		return
	}
	out, in, err := p.Space.Graph.Edges(p.ctx, p.n.Ref, edgesShown)
	if p.err = err; err != nil {
		return
	}
	var back stemma.Ref
	p.err = p.Space.DB.Read(p.ctx, func(tx *storage.Tx) (err error) {
		back, err = standing.Back(p.ctx, tx, p.n.Ref)
		return err
	})
	ends := map[string][]stemma.Ref{}
	refs := []stemma.Ref{back}
	for _, e := range out {
		ends[e.Door], refs = append(ends[e.Door], e.To), append(refs, e.To)
	}
	for _, e := range in {
		if e.Door == "replaces" {
			ends["replaced by"], refs = append(ends["replaced by"], e.From), append(refs, e.From)
		}
	}
	called := p.names(refs...)
	for _, label := range []struct{ door, say string }{{"ships", "Ships"}, {"run", "Done by"}, {"replaces", "Took the place of"}, {"replaced by", "Replaced by"}} {
		var cells []page.Cell
		for _, r := range ends[label.door] {
			cells = append(cells, page.To(r, called[r]))
		}
		if len(cells) > 0 {
			p.out.Facts = append(p.out.Facts, page.Say(label.say, cells...))
		}
	}
	switch {
	case back != "":
		p.out.Facts = append(p.out.Facts, page.Say("Rollback", page.Text("it went back to"), page.To(back, called[back])))
	case p.n.Attrs.Text("task") == "rollback":
		p.out.Facts = append(p.out.Facts, page.Say("Rollback", page.Text("its system calls it one, to a version that is not known here")))
	}
}
