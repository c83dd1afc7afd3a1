package portrait

import (
	"context"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/page"
)

// Model shows a model and what is known to be of it.
func (g *Gallery) Model(ctx context.Context, key string) (*page.Page, error) {
	p := g.named(ctx, stemma.KindModel, key, "/models")
	p.describe()
	p.few("changes", p.filter("model"), "Changes it has a part in", "None is known.")
	files, err := g.Reader.LinesOfModel(p.ctx, p.n.ID)
	p.results(p.filter("model"), files, err)
	p.few("sessions", p.filter("model"), "Sessions it was used in", "None is known.")
	p.records()
	return p.page()
}

// Person shows a person by the key of the pseudonym, or a bot by its whole ref: what
// they took part in, by kind of part. Nothing here counts or compares people.
func (g *Gallery) Person(ctx context.Context, key string) (*page.Page, error) {
	kind := stemma.KindPerson
	if rest, ok := strings.CutPrefix(key, "bot:"); ok {
		kind, key = stemma.KindBot, rest
	}
	p := g.named(ctx, kind, key, "/people")
	p.describe()
	p.profile()
	p.roles()
	p.few("changes", p.filter("author"), "Changes of this author, the latest", "None is known.")
	p.some("commits", p.filter("author"), "Commits of this author, the latest")
	p.some("reviews", p.filter("reviewer"), "Changes that they judged, the latest")
	if t := p.beginning("changes", p.filter("merged-by"), "Changes that they let in, the latest"); t != nil && len(t.Rows) > 0 {
		p.part(page.Section{ID: "merged", Title: "Merged", Table: t})
	}
	p.some("sessions", p.filter("operator"), "Sessions of agents that they started, the latest")
	p.some("deployments", p.filter("actor"), "Deployments that they made, the latest")
	if kind == stemma.KindBot {
		p.records()
	}
	return p.page()
}

// roles adds what files of owners make of the person, if any does.
func (p *portrait) roles() {
	if p.err != nil {
		return
	}
	roles, err := p.Reader.Roles(p.ctx, p.n.ID)
	if p.err = err; len(roles) == 0 {
		return
	}
	t := &page.Table{
		ID: "roles", Caption: "What files of owners name them for", Columns: page.Head("paths", "repository", "since"),
		Command: page.SQL("SELECT cause, effect FROM v1_edge WHERE door = 'holder' AND cause = ? LIMIT 100", string(p.n.Ref)),
	}
	for _, r := range roles {
		t.Add(page.Mono(r.Pattern).At(page.Href(r.Ref)), page.To(r.Repository, page.ShortName(r.Repository)), page.Moment(r.Since))
	}
	p.add(page.Section{ID: "roles", Title: "Roles", Table: t})
}

// profile adds who a pseudonym stands for, as far as that is known.
func (p *portrait) profile() {
	if p.err != nil {
		return
	}
	if name := p.names(p.n.Ref)[p.n.Ref]; name != "" {
		p.out.Title = page.Show(name)
	}
	if p.err != nil {
		return
	}
	known, err := p.Reader.Profiles(p.ctx, p.n.Ref)
	if p.err = err; len(known) == 0 {
		return
	}
	who := known[0]
	for _, l := range []struct{ label, value string }{{"Name", who.Name}, {"Login", who.Login}, {"Mail", who.Email}} {
		if l.value != "" {
			p.out.Facts = append(p.out.Facts, page.Say(l.label, page.Text(l.value)))
		}
	}
	p.out.Facts = append(p.out.Facts, page.Say("Pseudonym", page.Mono(string(p.n.Ref))))
}
