package populated

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/figure"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/lineage/deployed"
	"github.com/stemma-dev/stemma/query/population"
)

// facts are those at the head of the page of one place.
func facts(e extent, when figure.Period, now time.Time) []page.Labelled {
	n, carried := int64(len(e.all.Members)), int64(e.all.Count(population.Carried))
	of := page.Text(e.Environment).At(page.Href(deployment.EnvironmentRef(e.Environment)))
	out := []page.Labelled{page.Say("Environment", of)}
	if e.Service != "" {
		out = append(out, page.Say("Service", page.Text(e.Service), page.Text("all services").At(href(deployed.Ask{Environment: e.Environment}, when))))
	}
	before := page.Text("nothing is known to have been there")
	if len(e.all.From) > 0 {
		before = page.Cell{Class: "several"}
		for _, d := range e.all.From[:min(len(e.all.From), shown)] {
			before.Parts = append(before.Parts, page.To(d.Ref, d.Version))
		}
		if rest := len(e.all.From) - shown; rest > 0 {
			before.Parts = append(before.Parts, page.Text("and "+page.Count(rest)+" more"))
		}
	}
	return append(out,
		page.Say("Period", page.Text(when.From+" to "+when.To)), page.Say("Made", page.Moment(now)), page.Say("There before", before),
		page.Say("With a change", page.Text(figure.Percent(carried, n)).At(members(e.Ask, when, population.Carried)), page.Text("n "+page.Count(n)+" commits of "+page.Count(len(e.all.Deployments))+" deployments, "+page.Count(unknown(e.all))+" of unknown range")))
}

// own are the figures of one place, of each a row.
func own(e extent, when figure.Period) *page.Table {
	t := &page.Table{
		ID: "population", Caption: "How many commits reached it, and what the record has of them", Columns: page.Head("of the commits", "#how many", "#part of all"),
	}
	n := int64(len(e.all.Members))
	for _, f := range parts {
		at, k := members(e.Ask, when, f.part), int64(e.all.Count(f.part))
		t.Add(page.Text(f.says).At(at), page.Number(k).At(at), figure.Share(k, n, at))
	}
	return t
}

// A part is one of a population, with what is said of it.
type part struct{ part, says, empty string }

var parts = []part{
	{"", "all", "Nothing reached it within the period, as far as is known."},
	{population.Carried, "it is known which change carried them", "Of none it is known which change carried it."},
	{population.Direct, "of these, pushed without a merge request", "None was pushed without a merge request."},
	{population.Without + population.NoChange, "no change carried them: nothing says how they came in", "Of every commit it is known how it came in."},
	{population.Without + population.NoReview, "nobody but their makers judged them", "Somebody judged every one."},
	{population.Without + population.NoSession, "AI wrote lines of them, and no session is known", "The session of every line of AI is known."},
	{population.Without + population.NoCommit, "nothing is known of them but that others stand on them", "Of every commit more is known than its name."},
	{population.Complete, "nothing is missing", "Of every commit something is missing."},
	{population.Incomplete, "something is missing", "Nothing is missing of any."},
	{population.Gone, "not there any more at the end", "All of them are there at the end."},
}

// command is the command line of a verb about a population.
func command(verb string, of deployed.Ask) string {
	verb += " --env " + page.Shell(of.Environment)
	if of.Service != "" {
		verb += " --service " + page.Shell(of.Service)
	}
	return verb + " --from " + of.From + " --to " + of.To
}

// deployments lists those of the period.
func deployments(e extent, when figure.Period) page.Section {
	t := &page.Table{
		ID: "deployments", Caption: "Deployments of the period that succeeded, the first one first", Columns: page.Head("deployment", "service", "at", "#commits that it brought", "range"),
		Empty: "Nothing was put here within the period.",
	}
	s := "SELECT ref, service, version, at FROM v1_deployment WHERE environment = ? AND status IN ('success', 'inactive') AND at_us > " + figure.Micro(when.Start) + " AND at_us <= " + figure.Micro(when.End)
	texts := []string{string(deployment.EnvironmentRef(e.Environment))}
	if e.Service != "" {
		s, texts = s+" AND service = ?", append(texts, e.Service)
	}
	t.Command = page.SQL(s+" ORDER BY at", texts...)
	for _, d := range e.all.Deployments {
		known := page.Text("known")
		if len(d.Deployment.Commits) == 0 {
			known = page.Cell{Text: "unknown: no commit of it is known", Class: "gap"}
		}
		t.Add(page.To(d.Ref, d.Version), page.Text(d.Service), page.Moment(d.At), page.Number(d.Commits).At(page.Href(d.Ref)), known)
	}
	return page.Section{
		ID: "deployments", Title: "Deployments", Table: t,
		Note: "A deployment leads to its commits by itself, by the artifact that it ships, the run that built that, or a tag.",
	}
}

// listed is a page of the commits of a part.
func listed(e extent, a Asked, when figure.Period) (page.Section, error) {
	i := slices.IndexFunc(parts, func(f part) bool { return f.part == a.Part })
	if i < 0 {
		return page.Section{}, figure.Wrong("The parameter of can be " + strings.Join(population.Parts, ", ") + ".")
	}
	out := page.Section{ID: "members", Title: "Commits: " + parts[i].says}
	t := &page.Table{
		ID: "members", Caption: "Commits that reached it, the newest first", Empty: parts[i].empty, Command: command("stemma population", e.Ask),
		Columns: page.Head("commit", "title", "committed", "change", "missing", "landed by", "brought by", "#reviews", "#approvals", "#sessions", "#AI lines", "#unknown lines", "at the end"),
	}
	if a.Part != "" {
		t.Command += " --only " + a.Part
	}
	all := e.all.Part(a.Part)
	if a.After != "" {
		at := slices.IndexFunc(all, func(m population.Member) bool { return string(m.Commit) == a.After })
		if at < 0 {
			return out, figure.Wrong("The place after which the list goes on is not in it: begin at its first page.")
		}
		all = all[at+1:]
	}
	if !a.Data && len(all) > figure.PageSize {
		all = all[:figure.PageSize]
		out.Next = page.Text("next →").At(href(e.Ask, when, "of", a.Part, "after", string(all[len(all)-1].Commit)) + "#members")
	}
	called := versions(e.all)
	for _, m := range all {
		t.Add(row(m, called)...)
	}
	out.Table = t
	return out, nil
}

// versions are what deployments are called.
func versions(p *population.Population) map[stemma.Ref]string {
	called := map[stemma.Ref]string{}
	for _, d := range p.Deployments {
		called[d.Ref] = d.Version
	}
	return called
}

func row(m population.Member, called map[stemma.Ref]string) []page.Cell {
	commit, carried := page.Href(m.Commit), page.Href(m.Commit)
	if m.Change != "" {
		carried = page.Href(m.Change)
	}
	end := page.Text("there")
	if m.Gone {
		end = page.Cell{Text: "gone", Class: "gap"}
	}
	return []page.Cell{
		page.To(m.Commit, ""), page.Title(page.Short(160, m.Title)), page.Moment(m.Committed), change(m), missing(m), page.Text(m.Method), page.To(m.Deployment, called[m.Deployment]), page.Number(m.Reviews).At(carried), page.Number(m.Approvals).At(carried),
		page.Number(m.Sessions).At(carried), page.Number(m.AI).At(commit), page.Number(m.Unknown).At(commit), end,
	}
}

func change(m population.Member) page.Cell {
	if m.Change == "" {
		return page.Cell{Text: "none", Class: "gap"}
	}
	return figure.Change(m.Change)
}

func missing(m population.Member) page.Cell {
	if len(m.Missing) == 0 {
		return page.Text("nothing")
	}
	return page.Cell{Text: strings.Join(m.Missing, ", "), Value: strings.Join(m.Missing, " "), Class: "gap"}
}

// removed are the commits that were there before.
func removed(e extent) page.Section {
	t := &page.Table{
		ID: "removed", Caption: "Commits that were there before the period and are not at its end", Columns: page.Head("commit"), Command: command("stemma population", e.Ask) + " --json | jq -r '.removed[]'",
	}
	for _, ref := range e.all.Removed {
		t.Add(page.To(ref, ""))
	}
	return page.Section{ID: "removed", Title: "Taken away", Table: t, Note: "They are no part of the population: an earlier period has them."}
}

// Bounds of a sample.
const (
	maxSeed   = 200
	maxSample = 1000
)

// sample is one that anybody can draw again.
func sample(e extent, a Asked) (page.Section, error) {
	n := 25
	if a.Size != "" {
		var err error
		if n, err = strconv.Atoi(a.Size); err != nil || n < 1 || n > maxSample {
			return page.Section{}, figure.Wrong("A sample has from 1 to " + page.Count(maxSample) + " commits.")
		}
	}
	if len(a.Seed) > maxSeed || page.Show(a.Seed) != a.Seed {
		return page.Section{}, figure.Wrong("A seed has at most " + page.Count(maxSeed) + " bytes, and all of it can be seen.")
	}
	of := map[string]population.Member{}
	var names []string
	for _, m := range e.all.Members {
		of[string(m.Commit)], names = m, append(names, string(m.Commit))
	}
	drawn := population.Draw(a.Seed, n, names)
	t := &page.Table{
		ID: "sample", Caption: page.Count(len(drawn)) + " of " + page.Count(len(names)) + " commits, in the order of their lots", Columns: page.Head("lot", "commit", "title", "change", "brought by", "missing"),
		Command: command("stemma sample --n "+strconv.Itoa(n)+" --seed "+page.Shell(a.Seed), e.Ask), Empty: "There is nothing to draw from.",
	}
	called := versions(e.all)
	for _, d := range drawn {
		m := of[d.Name]
		t.Add(page.Mono(d.Lot[:16]), page.To(m.Commit, ""), page.Title(page.Short(160, m.Title)), change(m), page.To(m.Deployment, called[m.Deployment]), missing(m))
	}
	return page.Section{
		ID: "sample", Title: "Sample with the seed " + page.Show(strconv.Quote(a.Seed)), Table: t,
		Note: "A lot is the SHA-256 of the seed, a line feed and the ref of the commit; the smallest are drawn. Whoever has the list and the seed draws the same, also without stemma. Take a seed that nobody chose who is looked at.",
	}, nil
}
