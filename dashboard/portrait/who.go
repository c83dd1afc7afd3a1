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
	p.few("changes", p.filter("model"), "Changes it has a part in")
	files, err := g.Reader.LinesOfModel(p.ctx, p.n.ID)
	p.results(p.filter("model"), files, err)
	p.few("sessions", p.filter("model"), "Sessions it was used in")
	p.records()
	return p.page()
}

// Person shows a person by the key of the pseudonym, or a bot by its whole ref.
func (g *Gallery) Person(ctx context.Context, key string) (*page.Page, error) {
	kind := stemma.KindPerson
	if rest, ok := strings.CutPrefix(key, "bot:"); ok {
		kind, key = stemma.KindBot, rest
	}
	p := g.named(ctx, kind, key, "/people")
	p.describe()
	p.profile()
	p.few("changes", p.filter("author"), "Changes of this author")
	p.few("commits", p.filter("author"), "Commits of this author")
	if kind == stemma.KindBot {
		p.records()
	}
	return p.page()
}

// profile adds who a pseudonym stands for, as far as that is known.
func (p *portrait) profile() {
	if p.err != nil {
		return
	}
	known, err := p.Reader.Profiles(p.ctx, p.n.Ref)
	if p.err = err; len(known) == 0 {
		return
	}
	who := known[0]
	if who.Name != "" {
		p.out.Title = page.Show(who.Name)
	}
	for _, l := range []struct{ label, value string }{{"Name", who.Name}, {"Login", who.Login}, {"Mail", who.Email}} {
		if l.value != "" {
			p.out.Facts = append(p.out.Facts, page.Say(l.label, page.Text(l.value)))
		}
	}
	p.out.Facts = append(p.out.Facts, page.Say("Pseudonym", page.Mono(string(p.n.Ref))))
}
