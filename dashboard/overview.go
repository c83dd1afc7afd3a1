package dashboard

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/drawn"
	"github.com/stemma-dev/stemma/dashboard/listing"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/dashboard/reading"
	"github.com/stemma-dev/stemma/query/filter"
)

// An overview is the first page. It rests on the graph at one position and
// stays true until the graph moves on or the day ends.
type overview struct {
	applied int64
	day     string

	Empty        bool
	Tiles        []tile
	Charts       []*page.Chart
	Months       *page.Table
	Models       *page.Table
	Repositories *page.Table
	Changes      *page.Table
}

// A tile is one figure with what stands behind it.
type tile struct {
	Label, Value, Href string
	Note               string
	Bar                *page.Bar
}

func (d *Dashboard) overviewPage(r *http.Request) (*page.Page, error) {
	o, err := d.overview(r)
	if err != nil {
		return nil, err
	}
	p := &page.Page{Template: "overview", Title: "Overview", Nav: "/", Body: o}
	if !o.Empty {
		p.Sections = []page.Section{
			{ID: "months-table", Title: "The same as numbers", Table: o.Months},
			{ID: "models", Title: "Models", Table: o.Models},
			{ID: "latest", Title: "Latest changes", Table: o.Changes},
			{ID: "repositories", Title: "Repositories", Table: o.Repositories},
		}
	}
	return p, nil
}

func (d *Dashboard) overview(r *http.Request) (*overview, error) {
	applied, err := d.space.Graph.Applied(r.Context())
	if err != nil {
		return nil, err
	}
	now := d.now().UTC()
	day := now.Format(time.DateOnly)
	d.mu.Lock()
	defer d.mu.Unlock() // one request makes it, the others wait for that
	if d.seen != nil && d.seen.applied == applied && d.seen.day == day {
		return d.seen, nil
	}
	o := &overview{applied: applied, day: day, Empty: applied == 0}
	if !o.Empty {
		if err := d.survey(r, o, now); err != nil {
			return nil, err
		}
	}
	d.seen = o
	return o, nil
}

// survey reads the figures and makes the tiles and tables of them.
func (d *Dashboard) survey(r *http.Request, o *overview, now time.Time) error {
	ctx := r.Context()
	since := now.Truncate(24*time.Hour).AddDate(0, 0, -30) // as true at the end of the day as at its beginning
	s, err := d.reader.Figures(ctx, since)
	if err != nil {
		return err
	}
	checked := "no checkpoint yet"
	if c, err := d.space.Ledger.Checkpoint(ctx); err == nil {
		checked = "checkpoint of " + page.Count(c.Size) + " by " + c.Origin
		if e, err := d.space.Ledger.Entry(ctx, c.Size-1); err == nil {
			checked += ", " + page.Stamp(e.Recorded)
		}
	}
	o.Tiles = tiles(s, since, checked, o.applied)
	o.Months = monthTable(s.Months)
	var bars []drawn.Month
	for _, m := range s.Months {
		bars = append(bars, drawn.Month{Name: m.Name, Href: page.ListHref("changes", "merged:"+m.Name), Lines: m.Lines})
	}
	o.Charts = drawn.Months(bars)
	if o.Models, err = d.modelTable(ctx, now); err != nil {
		return err
	}
	var refs []stemma.Ref
	for _, c := range s.Latest {
		refs = append(refs, c.Author)
	}
	called, err := d.reader.Names(ctx, refs...)
	if err != nil {
		return err
	}
	o.Changes = changeTable(s.Latest, called)
	o.Repositories = repositoryTable(s.Repositories)
	return nil
}

func tiles(s reading.Figures, since time.Time, checked string, applied int64) []tile {
	all := s.Tips.All()
	withAI := "no change in 30 days"
	if s.Recent > 0 {
		withAI = page.Percent(page.Part(s.RecentWithAI, s.Recent)) + " of " + page.Count(s.Recent) + " in 30 days"
	}
	return []tile{
		{Label: "Changes in 30 days", Value: page.Count(s.Recent), Href: page.ListHref("changes", "merged:>="+since.Format(time.DateOnly)), Note: page.Count(s.Changes) + " in all", Bar: page.Share(s.RecentLines).Bar},
		{
			Label: "AI share of lines", Value: page.Percent(page.Part(s.Tips.AI, all)), Href: page.ListHref("files", "ai-lines:>0 sort:ai-lines-desc"),
			Note: page.Percent(page.Part(s.Tips.Unknown, all)) + " unknown, of " + page.Count(all) + " lines at the tips", Bar: page.Share(s.Tips).Bar,
		},
		{Label: "Lines of known origin", Value: page.Percent(page.Part(s.Tips.AI+s.Tips.Human, all)), Href: page.ListHref("files", "unknown-lines:>0 sort:unknown-lines-desc"), Note: page.Count(s.Tips.Unknown) + " lines without a record"},
		{Label: "Changes with AI's part", Value: page.Count(s.WithAI), Href: page.ListHref("changes", "ai-lines:>0"), Note: withAI},
		{Label: "Open gaps", Value: page.Count(s.Gaps), Href: "/gaps", Note: "records that could not be read"},
		{Label: "Facts in the log", Value: page.Count(applied), Href: "/log", Note: checked},
	}
}

func monthTable(months []reading.Month) *page.Table {
	t := &page.Table{
		ID: "months", Caption: "Added lines of landed changes by month and origin", Columns: page.Head("month", "#changes", "#AI lines", "#human lines", "#unknown lines", "#AI share", "#coverage"),
		Command: page.Ask("changes", "has:merged group:merged-month"), Empty: "No change has a time.",
	}
	if n := len(months); n > 0 {
		t.Command = page.Ask("changes", "merged:"+months[0].Name+".."+months[n-1].Name+" group:merged-month sort:merged-month-desc")
	}
	for _, m := range slices.Backward(months) {
		if m.Changes == 0 {
			continue
		}
		list := func(more string) string { return page.ListHref("changes", "merged:"+m.Name+more) }
		all := m.Lines.All()
		t.Add(page.Text(m.Name).At(list("")), page.Number(m.Changes).At(list("")), page.Number(m.Lines.AI).At(list(" ai-lines:>0")),
			page.Number(m.Lines.Human).At(list(" human-lines:>0")), page.Number(m.Lines.Unknown).At(list(" unknown-lines:>0")),
			page.Mille(page.Part(m.Lines.AI, all)).At(list(" ai-lines:>0")), page.Mille(page.Part(m.Lines.AI+m.Lines.Human, all)).At(list(" unknown-lines:>0")))
	}
	return t
}

const modelsShown = 8

// modelTable is the beginning of the list of models, so that both say the same.
func (d *Dashboard) modelTable(ctx context.Context, now time.Time) (*page.Table, error) {
	q, err := listing.Of("models").Ask("sort:lines-desc limit:"+strconv.Itoa(modelsShown), now)
	if err != nil {
		return nil, err
	}
	t, err := q.Beginning(ctx, d.space.DB, modelsShown)
	if err != nil {
		return nil, err
	}
	t.Caption, t.Empty = "Models by their lines on default branches today", "No model is named by any record."
	t.Drop("first-use")
	t.Drop("last-use")
	t.Rest(page.Text("all models").At("/models"))
	return t, nil
}

func changeTable(changes []reading.Landed, called map[stemma.Ref]string) *page.Table {
	t := &page.Table{
		ID: "latest", Caption: "Changes that landed last", Columns: page.Head("change", "title", "author", "merged", "AI share"),
		Command: page.Ask("changes", "has:merged sort:merged-desc limit:8"), Empty: "No change is known.",
	}
	t.Columns[4].Num = true
	t.Rest(page.Text("all changes").At("/changes"))
	for _, c := range changes {
		t.Add(page.To(c.Ref, ""), page.Title(c.Title).At(page.Href(c.Ref)), page.To(c.Author, called[c.Author]), page.Moment(c.Merged), page.Share(c.Lines).At(page.Href(c.Ref)+"#diff"))
	}
	return t
}

func repositoryTable(all []reading.Repository) *page.Table {
	t := &page.Table{
		ID: "repositories", Caption: "Repositories and how much of them is known", Columns: page.Head("repository", "#files", "#lines", "AI share", "#coverage"),
		Empty: "No repository was read yet.",
		Command: page.SQL("SELECT r.ref, f.files, f.lines, f.ai, f.human, f.unknown FROM v1_repository r LEFT JOIN " +
			"(SELECT repository, branch, COUNT(*) AS files, SUM(lines) AS lines, SUM(ai_lines) AS ai, SUM(human_lines) AS human, SUM(unknown_lines) AS unknown " +
			"FROM v1_file WHERE deleted = 0 GROUP BY repository, branch) f ON f.repository = r.ref AND f.branch = r.default_branch ORDER BY 2 DESC NULLS LAST, 1 LIMIT 200"),
	}
	t.Columns[3].Num = true
	for _, s := range all {
		n := s.Lines.All()
		q := "repo:" + filter.Quote(string(s.Ref))
		t.Add(page.To(s.Ref, page.ShortName(s.Ref)), page.Number(s.Files).At(page.ListHref("files", q)), page.Number(n).At(page.ListHref("lines", q)),
			page.Share(s.Lines).At(page.ListHref("lines", q+" is:ai")), page.Mille(page.Part(s.Lines.AI+s.Lines.Human, n)).At(page.ListHref("lines", q+" is:unknown")))
	}
	return t
}
