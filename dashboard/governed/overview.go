package governed

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/drawn"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/policy/tally"
)

// A tile is one figure with what stands behind it.
type tile struct{ Label, Value, Note, Href string }

// An overview is what its template knows beside the sections.
type overview struct {
	Empty bool
	Tiles []tile
}

// Bounds of what the overview shows; the rest has pages of its own.
const (
	repositoriesShown = 100
	turnsShown        = 10
)

// Overview says how everything stands, and what is other than at the last visit; without
// one, than a week ago.
func (p *Pages) Overview(ctx context.Context, visit time.Time) (*page.Page, error) {
	board, err := p.verdicts.Board(ctx)
	if err != nil {
		return nil, err
	}
	body := &overview{Empty: len(board.Cells) == 0}
	out := &page.Page{Template: "governance", Title: "Governance", Nav: home, Body: body}
	exceptions, err := p.openExceptions(ctx, turnsShown)
	if err != nil {
		return nil, err
	}
	if body.Empty {
		if len(exceptions.Table.Rows) > 0 {
			out.Sections = append(out.Sections, exceptions)
		}
		return out, nil
	}
	if body.Tiles, err = p.tiles(ctx, board); err != nil {
		return nil, err
	}
	days, err := p.verdicts.Days(ctx, tally.Every, p.now().UTC().AddDate(-1, 0, 0))
	if err != nil {
		return nil, err
	}
	news, err := p.news(ctx, visit)
	if err != nil {
		return nil, err
	}
	counted := byControl(board)
	out.Sections = append(out.Sections, overTime(days, "", func(pairs ...string) string { return address("/findings", pairs...) }))
	out.Sections = append(out.Sections, news...)
	out.Sections = append(out.Sections, exceptions,
		page.Section{ID: "frameworks", Title: "By framework", Note: "What the findings are evidence for. Whether somebody meets a framework is for others to say.", Table: p.frameworkTable(counted)},
		page.Section{ID: "controls", Title: "By control", Table: p.controlTable(counted)})
	return out, p.repositories(ctx, out, board, repositoriesShown)
}

func (p *Pages) tiles(ctx context.Context, board tally.Board) ([]tile, error) {
	all := board.Sum(func(tally.Cell) bool { return true })
	held, err := p.verdicts.CountBlocked(ctx)
	at := func(state string) string { return address("/findings", "state", state) }
	return []tile{
		{"Pass, of all that was judged", percent(all.Pass, all.Judged()), beside(all) + "; unknown counts as not passing", at(judged)},
		{"Pass, of what is known", percent(all.Pass, all.Pass+all.Fail), "n " + page.Count(all.Pass+all.Fail) + " known, " + page.Count(all.Unknown) + " unknown left out, " + page.Count(all.Waived) + " waived", at(known)},
		{"Fail", page.Count(all.Fail), "findings", at("fail")},
		{"Unknown", page.Count(all.Unknown), "findings without the evidence that decides them", at("unknown")},
		{"Waived", page.Count(all.Waived), "findings that an exception lets pass for a while", at("waived")},
		{"Changes held up", page.Count(held), "by controls that are enforced", address("/blocked")},
	}, err
}

// overTime draws days by weeks, of one control or of all, and has them as rows. at is where the
// findings are listed.
func overTime(days []tally.Day, only string, at func(pairs ...string) string) page.Section {
	t := &page.Table{
		ID: "weeks", Caption: "How controls stand, by the week in which changes came in", Columns: head("week from"), Command: sumsCommand("a.merged_us / 86400000000", only),
		Empty: "No change came in within a year.",
	}
	var weeks []drawn.Week
	for i := 0; i < len(days); {
		monday := days[i].Day.AddDate(0, 0, -(int(days[i].Day.Weekday())+6)%7)
		next := monday.AddDate(0, 0, 7)
		var sum tally.Count
		for ; i < len(days) && days[i].Day.Before(next); i++ {
			sum = sum.Plus(days[i].Count)
		}
		for len(weeks) > 0 && weeks[len(weeks)-1].From.AddDate(0, 0, 7).Before(monday) { // nothing came in
			weeks = append(weeks, drawn.Week{From: weeks[len(weeks)-1].From.AddDate(0, 0, 7)})
		}
		period := []string{"from", monday.Format(time.DateOnly), "to", next.AddDate(0, 0, -1).Format(time.DateOnly)}
		in := func(state string) string { return at(append([]string{"state", state}, period...)...) }
		weeks = append(weeks, drawn.Week{From: monday, Href: in(judged), Pass: sum.Pass, Fail: sum.Fail, Unknown: sum.Unknown})
		t.Add(append([]page.Cell{page.Text(monday.Format(time.DateOnly)).At(in(judged))}, counts(sum, in)...)...)
	}
	slices.Reverse(t.Rows)
	t.Rest(page.Text("as a list").At(at("state", judged)))
	for i := range weeks {
		if weeks[i].Href == "" {
			day := weeks[i].From.Format(time.DateOnly)
			weeks[i].Href = at("from", day, "to", day)
		}
	}
	return page.Section{
		ID: "time", Title: "Over time", Note: "By the week in which changes came in; those that are still open are in none. ✓ pass, × fail, ? unknown.",
		Charts: drawn.Weeks(weeks), Table: t, Folded: "The same as numbers",
	}
}

// news is what is other than at the last visit.
func (p *Pages) news(ctx context.Context, visit time.Time) ([]page.Section, error) {
	note := "What was judged since your last visit with this browser and stands otherwise than before."
	if visit.IsZero() {
		visit = p.now().UTC().AddDate(0, 0, -7)
		note = "This browser remembers no earlier visit: what stands otherwise than before, of the last week."
	}
	since := strconv.FormatInt(visit.Unix(), 10)
	l, err := p.list(Asked{Since: since}, "/turned", nil)
	if err != nil {
		return nil, err
	}
	l.ask.Turned, l.ask.Limit = true, turnsShown
	turned, err := p.section(ctx, l, "Since your last visit", "Everything stands as it did.")
	if err != nil {
		return nil, err
	}
	turned.ID, turned.Table.ID, turned.Note, turned.Next = "news", "news", note, page.Cell{}
	turned.Table.Rest(page.Text("all that turned since " + page.Stamp(visit)).At(address("/turned", "since", since)))
	rounds, err := p.verdicts.Rounds(ctx, visit, placeOf(""), turnsShown)
	if err != nil || len(rounds) == 0 {
		return []page.Section{turned}, err
	}
	t := roundTable(rounds)
	t.ID, t.Caption = "new-rounds", "Rounds in which changes were judged again since then"
	t.Command = page.SQL("SELECT ref, trigger, started, judged, turned FROM v1_round WHERE started_us >= " + micro(visit) + " ORDER BY started DESC")
	t.Rest(page.Text("all rounds").At(address("/rounds")))
	return []page.Section{turned, {ID: "new-rounds", Table: t}}, nil
}

func (p *Pages) controlTable(counted map[string]tally.Count) *page.Table {
	t := &page.Table{ID: "controls", Caption: "How each control stands", Columns: head("control", "title", "severity"), Command: sumsCommand("f.control", ""), Empty: "No control was judged yet."}
	for _, id := range slices.Sorted(maps.Keys(counted)) {
		t.Add(append([]page.Cell{control(id), page.Title(p.title(id)), page.Text(p.severity(id))},
			counts(counted[id], func(state string) string { return behind(id, state) })...)...)
	}
	return t
}

func (p *Pages) frameworkTable(counted map[string]tally.Count) *page.Table {
	t := &page.Table{ID: "frameworks", Caption: "How the controls stand that are evidence for a framework", Columns: head("framework", "title", "status"), Empty: "No framework is known."}
	for _, k := range p.frameworks() {
		sum := sumOf(counted, k.All())
		t.Add(append([]page.Cell{page.Text(k.ID).At(frameworkHref(k.ID)), page.Title(k.Title), page.Text(k.Status)},
			counts(sum, func(state string) string { return address("/findings", "framework", k.ID, "state", state) })...)...)
	}
	return t
}

// repositories adds how repositories stand, and each against each control.
func (p *Pages) repositories(_ context.Context, out *page.Page, board tally.Board, most int) error {
	all := board.Repositories()
	sums := map[stemma.Ref]tally.Count{}
	for at, c := range board.Cells {
		sums[at.Repository] = sums[at.Repository].Plus(c)
	}
	slices.SortStableFunc(all, func(a, b stemma.Ref) int { return worse(sums[a], sums[b]) })
	shown := all[:min(most, len(all))]
	t := &page.Table{ID: "repositories", Caption: "How repositories stand, what passes least first", Columns: head("repository"), Command: sumsCommand("a.repository", ""), Empty: "No repository was judged yet."}
	controls := board.Controls()
	h := &page.Table{ID: "heat", Caption: "Share that passes by repository and control; ? is unknown", Columns: page.Head("repository"), Command: t.Command, Empty: t.Empty}
	for _, id := range controls {
		h.Columns = append(h.Columns, page.Column{Name: id, Title: id})
	}
	for _, ref := range shown {
		name := page.To(ref, page.ShortName(ref))
		in := func(state string) string { return address("/findings", "repository", string(ref), "state", state) }
		t.Add(append([]page.Cell{name}, counts(sums[ref], in)...)...)
		row := []page.Cell{name}
		for _, id := range controls {
			row = append(row, heat(board.Cells[tally.Cell{Repository: ref, Control: id}], behind(id, judged, "repository", string(ref))))
		}
		h.Add(row...)
	}
	if len(all) > len(shown) {
		t.Rest(page.Text("all " + page.Count(len(all)) + " repositories").At(address("/repositories")))
	}
	out.Sections = append(out.Sections,
		page.Section{ID: "repositories", Title: "By repository", Table: t},
		page.Section{ID: "heat", Title: "Repositories and controls", Note: "The colour says what the text says: how many of those that were judged pass. A line below a share means that some of them are unknown.", Table: h},
		p.population(board))
	return nil
}

// worse orders counts: by the share that passes, and those of which there is nothing last.
func worse(a, b tally.Count) int {
	x, judgedX := a.Share()
	y, judgedY := b.Share()
	switch {
	case judgedX != judgedY && judgedX, x < y && judgedX:
		return -1
	case judgedX != judgedY, x > y:
		return 1
	}
	return 0
}

// populationControls say whether the record has everything that it should.
var populationControls = []string{"POP-01", "CAP-03", "CAP-08", "DEP-02", "INT-01", "INT-03"}

// population leads to what says whether everything is in the record.
func (p *Pages) population(board tally.Board) page.Section {
	t := &page.Table{
		ID: "population", Caption: "Controls that say whether the record is complete", Columns: head("control", "title"), Empty: "None of them was judged.",
	}
	for _, id := range populationControls {
		if c := board.Sum(func(c tally.Cell) bool { return c.Control == id }); c != (tally.Count{}) {
			t.Add(append([]page.Cell{control(id), page.Title(p.title(id))}, counts(c, func(state string) string { return behind(id, state) })...)...)
		}
	}
	t.Rest(page.Text("environments").At("/environments"))
	return page.Section{
		ID: "population", Title: "Is everything counted?", Table: t,
		Note: "Figures can only be of what is in the record. The population of an environment begins at what was deployed, so that what has no record shows: \"stemma population --env NAME\" lists it.",
	}
}

// Repositories says how all repositories stand.
func (p *Pages) Repositories(ctx context.Context) (*page.Page, error) {
	board, err := p.verdicts.Board(ctx)
	if err != nil {
		return nil, err
	}
	out := &page.Page{Template: "detail", Title: "Repositories and controls", Nav: home}
	return out, p.repositories(ctx, out, board, rowsAsData)
}
