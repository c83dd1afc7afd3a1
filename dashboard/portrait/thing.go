package portrait

import (
	"context"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/lineage"
)

// Thing shows anything that has no page of its own: its attributes, lists,
// edges and facts.
func (g *Gallery) Thing(ctx context.Context, name string) (*page.Page, error) {
	ref, err := stemma.ParseRef(name)
	if err != nil {
		return nil, err
	}
	p := g.of(ctx, ref, "")
	if at := page.Href(ref); p.err == nil && at != page.ThingHref(ref) {
		return &page.Page{Redirect: at}, nil
	}
	p.whole()
	if repo, path := p.n.Attrs.Ref("repository"), p.n.Attrs.Text("path"); p.n.Kind == stemma.KindFile && repo != "" && path != "" {
		p.out.Facts = append(p.out.Facts, page.Say("Lines", page.Text("line by line").At(page.FileHref(repo, path))))
	}
	return p.page()
}

// Ticket shows a ticket and what was done for it.
func (g *Gallery) Ticket(ctx context.Context, key string) (*page.Page, error) {
	p := g.named(ctx, stemma.KindTicket, key, "/tickets")
	p.describe()
	p.way()
	p.few("changes", p.filter("ticket"), "Changes for this ticket", "No change is known that names it: in its branch, its title, its commits or on the forge.")
	p.some("commits", p.filter("ticket"), "Commits that name it")
	p.some("sessions", p.filter("ticket"), "Sessions that were asked to do it")
	p.some("deployments", p.filter("ticket"), "Deployments that brought a change for it")
	p.rest()
	return p.page()
}

// Requirement shows what the software has to do, and what does it.
func (g *Gallery) Requirement(ctx context.Context, key string) (*page.Page, error) {
	p := g.named(ctx, stemma.KindRequirement, key, "/requirements")
	p.describe()
	p.way()
	p.few("tickets", p.filter("requirement"), "Tickets that serve it", "No ticket is known to serve it.")
	p.few("changes", p.filter("requirement"), "Changes that satisfy it, themselves or by a ticket", "No change is known to satisfy it yet.")
	p.some("deployments", p.filter("requirement"), "Deployments that brought such a change")
	p.rest()
	return p.page()
}

// rest adds what ends every page about a thing on the way to production.
func (p *portrait) rest() {
	p.lineage()
	p.links()
	p.records()
}

// whole adds what is known of anything.
func (p *portrait) whole() {
	p.describe()
	if spec, ok := lineage.Spec(p.n.Kind); ok && spec.Stage != "" {
		p.lineage()
	}
	p.links()
	p.records()
}
