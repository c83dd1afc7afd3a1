// Package populated makes the page that says how complete the record is of what reached an
// environment within a period: how many commits, by which deployments, with which change
// behind them or none, and a sample of them that anybody can draw again.
//
// It begins at what was deployed, so that what has no record shows. Every figure leads to
// its list.
package populated

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/figure"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/lineage/deployed"
	"github.com/stemma-dev/stemma/query/population"
	"github.com/stemma-dev/stemma/storage"
)

// Pages are those of one store. They may be used concurrently.
type Pages struct {
	DB  *storage.DB
	Now func() time.Time
}

// Asked is what an address asks for; what it leaves out is "".
type Asked struct {
	Environment, Service string
	From, To             string
	Part, After          string // of the list of commits
	Seed, Size           string // of a sample
	Data                 bool   // the whole list, not a page of it
}

// A frame is what the template knows beside the sections.
type frame struct {
	figure.Period
	Environment, Service, Seed, Size string
	Empty                            bool
}

// Environments says how complete the record is of every environment, of which there may be
// none; or of the one that is asked for.
func (p *Pages) Environments(ctx context.Context, a Asked) (*page.Page, error) {
	if a.Environment != "" {
		return p.environment(ctx, a)
	}
	if a != (Asked{From: a.From, To: a.To, Data: a.Data}) {
		return nil, figure.Wrong("Of which environment is not said: the parameter env names it.")
	}
	when, err := figure.Between(a.From, a.To, p.Now())
	if err != nil {
		return nil, err
	}
	t, err := p.Table(ctx, when)
	if err != nil {
		return nil, err
	}
	out := &page.Page{Template: "population", Title: "Is everything in the record?", Nav: figure.Home + "/population", Body: frame{Period: when, Empty: len(t.Rows) == 0}}
	out.Facts = []page.Labelled{page.Say("Period", page.Text(when.From+" to "+when.To)), page.Say("Made", page.Moment(p.Now()))}
	out.Sections = []page.Section{{ID: "environments", Title: "Environments", Note: Note, Table: t}}
	figure.Twins(out, "/population", "from", when.From, "to", when.To)
	return out, nil
}

// Note says what the figures are of.
const Note = "Commits that deployments brought within the period, whatever is recorded of them. Coverage is of how many of them it is known which change carried them. " +
	"Of a deployment whose range is not known, no commit can be counted: what it brought is in no figure. What is known of a repository only by webhooks misses commits until it is scanned."

// An extent is a place, and how much of its period it has.
type extent struct {
	deployed.Ask
	name page.Cell
	all  *population.Population // nil where it was not counted
}

// ask is what is asked of an environment, or a service of it, in a period.
func ask(environment, service string, when figure.Period) deployed.Ask {
	return deployed.Ask{Environment: environment, Service: service, From: when.Start.Format(time.RFC3339), To: when.End.Format(time.RFC3339)}
}

// shown bounds how many populations a page counts, for each goes through the history.
const shown = 12

// Table has a row for each environment: the figures of production, and of those that
// changed last.
func (p *Pages) Table(ctx context.Context, when figure.Period) (*page.Table, error) {
	var list []extent
	err := p.DB.Read(ctx, func(tx *storage.Tx) error {
		places, err := population.Places(ctx, tx)
		if err != nil {
			return err
		}
		last, production := map[stemma.Ref]time.Time{}, map[stemma.Ref]int{}
		for _, at := range places {
			if at.Production {
				production[at.Environment] = 1
			}
			if at.Last.After(last[at.Environment]) {
				last[at.Environment] = at.Last
			}
		}
		var names []stemma.Ref
		for ref := range last {
			names = append(names, ref)
		}
		slices.SortFunc(names, func(a, b stemma.Ref) int {
			return cmp.Or(production[b]-production[a], last[b].Compare(last[a]), cmp.Compare(a, b))
		})
		for _, ref := range names {
			e := extent{Ask: ask(page.ShortName(ref), "", when)}
			e.name = page.Text(e.Environment).At(href(e.Ask, when))
			list = append(list, e)
		}
		return count(ctx, tx, list)
	})
	t := table("environments", "How complete the record is, by environment: production first, and what changed last", "environment", list, when)
	t.Empty = "No deployment is known. Report them with \"stemma record deploy\", or connect a forge that tells of them."
	t.Command = page.SQL("SELECT DISTINCT environment FROM v1_deployment WHERE at_us IS NOT NULL AND status IN ('success', 'inactive')")
	return t, err
}

// count finds the populations of the first places.
func count(ctx context.Context, tx *storage.Tx, list []extent) (err error) {
	for i := range list[:min(len(list), shown)] {
		if list[i].all, err = population.Between(ctx, tx, list[i].Ask); err != nil {
			return err
		}
	}
	return nil
}

// href is the page of an environment or a service in a period.
func href(of deployed.Ask, when figure.Period, pairs ...string) string {
	return figure.Address("/population", append([]string{"env", of.Environment, "service", of.Service, "from", when.From, "to", when.To}, pairs...)...)
}

// members is the list of a part.
func members(of deployed.Ask, when figure.Period, part string) string {
	return href(of, when, "of", part) + "#members"
}

// columns are the parts that have a figure, with what stands above it.
var columns = []struct{ head, part string }{
	{"#commits", ""},
	{"#with change", population.Carried},
	{"#direct", population.Direct},
	{"#no change", population.Without + population.NoChange},
	{"#no review", population.Without + population.NoReview},
	{"#no session", population.Without + population.NoSession},
	{"#unrecorded", population.Without + population.NoCommit},
	{"#complete", population.Complete},
}

// table has the figures of some places, of each a row.
func table(id, caption, of string, list []extent, when figure.Period) *page.Table {
	names := []string{of, "#deployments", "#range unknown"}
	for _, c := range columns {
		names = append(names, c.head)
	}
	t := &page.Table{ID: id, Caption: caption, Columns: page.Head(append(names, "#coverage")...)}
	for _, e := range list {
		cells := []page.Cell{e.name}
		if e.all == nil {
			t.Add(append(cells, slices.Concat([]page.Cell{page.Text("open it").At(e.name.Href)}, make([]page.Cell, len(columns)+2))...)...)
			continue
		}
		at := href(e.Ask, when)
		cells = append(cells, page.Number(len(e.all.Deployments)).At(at+"#deployments"), page.Number(unknown(e.all)).At(at+"#deployments"))
		for _, c := range columns {
			cells = append(cells, page.Number(e.all.Count(c.part)).At(members(e.Ask, when, c.part)))
		}
		n := int64(len(e.all.Members))
		t.Add(append(cells, figure.Share(int64(e.all.Count(population.Carried)), n, members(e.Ask, when, population.Carried)))...)
	}
	return t
}

// unknown is of how many deployments of the period no commit is known.
func unknown(p *population.Population) (n int) {
	for _, d := range p.Deployments {
		if len(d.Deployment.Commits) == 0 {
			n++
		}
	}
	return n
}

// environment says it of one environment, or one service of it.
func (p *Pages) environment(ctx context.Context, a Asked) (*page.Page, error) {
	when, err := figure.Between(a.From, a.To, p.Now())
	if err != nil {
		return nil, err
	}
	whole := extent{Ask: ask(a.Environment, a.Service, when)}
	var services []extent
	err = p.DB.Read(ctx, func(tx *storage.Tx) error {
		if whole.all, err = population.Between(ctx, tx, whole.Ask); err != nil {
			return err
		}
		if a.Service != "" {
			return nil
		}
		places, err := population.Places(ctx, tx)
		if err != nil {
			return err
		}
		for _, at := range places {
			if at.Environment == deployment.EnvironmentRef(a.Environment) && at.Service != "" {
				e := extent{Ask: ask(a.Environment, at.Service, when)}
				e.name = page.Text(at.Service).At(href(e.Ask, when))
				services = append(services, e)
			}
		}
		return count(ctx, tx, services)
	})
	if err != nil {
		return nil, err
	}
	out := &page.Page{
		Template: "population", Title: page.Show("What reached " + strings.Join(strings.Fields(a.Environment+" "+a.Service), ", ")), Kind: "population", Nav: figure.Home + "/population",
		Body: frame{Period: when, Environment: a.Environment, Service: a.Service, Seed: a.Seed, Size: cmp.Or(a.Size, "25")},
	}
	out.Facts = facts(whole, when, p.Now())
	out.Sections = []page.Section{{ID: "figures", Title: "Figures", Note: Note, Table: own(whole, when)}}
	if len(services) > 1 {
		t := table("services", "How complete the record is, by service", "service", services, when)
		t.Command = page.SQL("SELECT DISTINCT service FROM v1_deployment WHERE environment = ? AND service <> '' AND at_us IS NOT NULL AND status IN ('success', 'inactive')", string(deployment.EnvironmentRef(a.Environment)))
		out.Sections = append(out.Sections, page.Section{ID: "services", Title: "By service", Table: t, Note: "Each is followed by itself: a commit that several services have is in the figures of each. Deployments that name no service are in those above alone."})
	}
	list, err := listed(whole, a, when)
	if err != nil {
		return nil, err
	}
	out.Sections = append(out.Sections, deployments(whole, when), list)
	if len(whole.all.Removed) > 0 {
		out.Sections = append(out.Sections, removed(whole))
	}
	if a.Seed != "" {
		drawn, err := sample(whole, a)
		if err != nil {
			return nil, err
		}
		out.Sections = append(out.Sections, drawn)
	}
	figure.Twins(out, "/population", "env", a.Environment, "service", a.Service, "from", when.From, "to", when.To, "of", a.Part, "seed", a.Seed, "n", a.Size)
	return out, nil
}
