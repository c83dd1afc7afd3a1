package governed

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/decided"
	"github.com/stemma-dev/stemma/dashboard/figure"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/dashboard/verdicts"
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
	board, err := p.Verdicts.Board(ctx)
	if err != nil {
		return nil, err
	}
	body := &overview{Empty: len(board.Cells) == 0}
	out := &page.Page{Template: "governance", Title: "Governance", Nav: figure.Home, Body: body}
	exceptions, err := decided.OpenExceptions(ctx, p.Book, turnsShown)
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
	days, err := p.Verdicts.Days(ctx, tally.Every, p.Now().UTC().AddDate(-1, 0, 0))
	if err != nil {
		return nil, err
	}
	news, err := p.news(ctx, visit)
	if err != nil {
		return nil, err
	}
	counted := figure.ByControl(board)
	out.Sections = append(out.Sections, figure.OverTime(days, "", func(pairs ...string) string { return figure.Address("/findings", pairs...) }))
	out.Sections = append(out.Sections, news...)
	out.Sections = append(out.Sections, exceptions,
		page.Section{ID: "frameworks", Title: "By framework", Note: "What the findings are evidence for. Whether somebody meets a framework is for others to say.", Table: p.frameworkTable(counted)},
		page.Section{ID: "controls", Title: "By control", Table: p.controlTable(counted)})
	if teams := p.Teams(); teams != nil {
		out.Sections = append(out.Sections, page.Section{ID: "teams", Title: "By team", Note: "Each is the sum of its repositories, which the policy names.", Table: p.teamTable(board, teams)})
	}
	p.repositories(out, board, repositoriesShown, "")
	return out, nil
}

func (p *Pages) tiles(ctx context.Context, board tally.Board) ([]tile, error) {
	all := board.Sum(func(tally.Cell) bool { return true })
	held, err := p.Verdicts.CountBlocked(ctx)
	at := func(state string) string { return figure.Address("/findings", "state", state) }
	return []tile{
		{"Pass, of all judged", figure.Percent(all.Pass, all.Judged()), figure.Beside(all) + "; unknown counts as not passing", at(figure.Judged)},
		{"Pass, of what is known", figure.Percent(all.Pass, all.Pass+all.Fail), "n " + page.Count(all.Pass+all.Fail) + " known, " + page.Count(all.Unknown) + " unknown left out, " + page.Count(all.Waived) + " waived", at(figure.Known)},
		{"Fail", page.Count(all.Fail), "findings", at("fail")},
		{"Unknown", page.Count(all.Unknown), "findings without the evidence that decides them", at("unknown")},
		{"Waived", page.Count(all.Waived), "findings that an exception lets pass for a while", at("waived")},
		{"Changes held up", page.Count(held), "by controls that are enforced", figure.Address("/blocked")},
	}, err
}

// news is what is other than at the last visit.
func (p *Pages) news(ctx context.Context, visit time.Time) ([]page.Section, error) {
	note := "What was judged since your last visit with this browser and stands otherwise than before."
	if visit.IsZero() {
		visit = p.Now().UTC().AddDate(0, 0, -7)
		note = "This browser remembers no earlier visit: what stands otherwise than before, of the last week."
	}
	since := strconv.FormatInt(visit.Unix(), 10)
	l, err := p.list(ctx, figure.Asked{Since: since}, "/turned", nil)
	if err != nil {
		return nil, err
	}
	l.ask.Turned, l.ask.Limit = true, turnsShown
	turned, err := p.section(ctx, l, "Since your last visit", "Everything stands as it did.")
	if err != nil {
		return nil, err
	}
	turned.ID, turned.Table.ID, turned.Note, turned.Next = "news", "news", note, page.Cell{}
	turned.Table.Rest(page.Text("all that turned since " + page.Stamp(visit)).At(figure.Address("/turned", "since", since)))
	rounds, err := p.Verdicts.Rounds(ctx, visit, verdicts.Place{}, turnsShown)
	if err != nil || len(rounds) == 0 {
		return []page.Section{turned}, err
	}
	t := decided.RoundTable(rounds)
	t.ID, t.Caption = "new-rounds", "Rounds in which changes were judged again since then"
	t.Command = page.SQL("SELECT ref, trigger, started, judged, turned FROM v1_round WHERE started_us >= " + figure.Micro(visit) + " ORDER BY started DESC")
	t.Rest(page.Text("all rounds").At(figure.Address("/rounds")))
	return []page.Section{turned, {ID: "new-rounds", Table: t}}, nil
}

func (p *Pages) controlTable(counted map[string]tally.Count) *page.Table {
	t := &page.Table{ID: "controls", Caption: "How each control stands", Columns: figure.Head("control", "title", "severity"), Command: figure.SumsCommand("f.control", ""), Empty: "No control was judged yet."}
	for _, id := range slices.Sorted(maps.Keys(counted)) {
		t.Add(append([]page.Cell{figure.Control(id), page.Title(p.Title(id)), page.Text(p.Severity(id))},
			figure.Counts(counted[id], func(state string) string { return figure.Behind(id, state) })...)...)
	}
	return t
}

func (p *Pages) frameworkTable(counted map[string]tally.Count) *page.Table {
	t := &page.Table{ID: "frameworks", Caption: "How the controls stand that are evidence for a framework", Columns: figure.Head("framework", "title", "status"), Empty: "No framework is known."}
	for _, k := range p.Frameworks() {
		sum := figure.SumOf(counted, k.All())
		t.Add(append([]page.Cell{page.Text(k.ID).At(figure.FrameworkHref(k.ID)), page.Title(k.Title), page.Text(k.Status)},
			figure.Counts(sum, func(state string) string { return figure.Address("/findings", "framework", k.ID, "state", state) })...)...)
	}
	return t
}

func (p *Pages) teamTable(board tally.Board, teams []string) *page.Table {
	t := &page.Table{ID: "teams", Caption: "How the repositories of each team stand", Columns: figure.Head("team", "repositories")}
	sums := p.ByTeam(board, func(tally.Cell) bool { return true })
	has := map[string]int{}
	for _, ref := range board.Repositories() {
		has[p.TeamOf(ref)]++
	}
	for _, team := range teams {
		at := func(state string) string { return figure.Address("/findings", "team", team, "state", state) }
		t.Add(append([]page.Cell{page.Text(figure.TeamName(team)).At(at("")), page.Text(page.Count(has[team]) + " of " + page.Count(len(board.Repositories()))).At(figure.Address("/repositories", "team", team))}, figure.Counts(sums[team], at)...)...)
	}
	return t
}

// repositories adds how repositories stand, and each against each control.
func (p *Pages) repositories(out *page.Page, board tally.Board, most int, team string) {
	all := board.Repositories()
	sums := map[stemma.Ref]tally.Count{}
	for at, c := range board.Cells {
		sums[at.Repository] = sums[at.Repository].Plus(c)
	}
	slices.SortStableFunc(all, func(a, b stemma.Ref) int { return worse(sums[a], sums[b]) })
	shown := all[:min(most, len(all))]
	t := &page.Table{ID: "repositories", Caption: "How repositories stand, what passes least first", Columns: figure.Head("repository"), Command: figure.SumsCommand("a.repository", ""), Empty: "No repository was judged yet."}
	if team != "" {
		t.Command = figure.SumsCommand("a.repository", "", all...)
	}
	controls := board.Controls()
	h := &page.Table{ID: "heat", Caption: "Share that passes by repository and control; ? is unknown", Columns: page.Head("repository"), Command: t.Command, Empty: t.Empty}
	for _, id := range controls {
		h.Columns = append(h.Columns, page.Column{Name: id, Title: id})
	}
	for _, ref := range shown {
		name := page.To(ref, page.ShortName(ref))
		in := func(state string) string {
			return figure.Address("/findings", "repository", string(ref), "state", state)
		}
		t.Add(append([]page.Cell{name}, figure.Counts(sums[ref], in)...)...)
		row := []page.Cell{name}
		for _, id := range controls {
			row = append(row, figure.Heat(board.Cells[tally.Cell{Repository: ref, Control: id}], figure.Behind(id, figure.Judged, "repository", string(ref))))
		}
		h.Add(row...)
	}
	if len(all) > len(shown) {
		t.Rest(page.Text("all " + page.Count(len(all)) + " repositories").At(figure.Address("/repositories")))
	}
	out.Sections = append(out.Sections,
		page.Section{ID: "repositories", Title: "By repository", Note: p.namesTeams(), Table: t},
		page.Section{ID: "heat", Title: "Repositories and controls", Note: "The colour says what the text says: how many of those that were judged pass. A line below a share means that some of them are unknown.", Table: h},
		p.population(board, team))
}

// namesTeams says how repositories are added up by team, where they are not.
func (p *Pages) namesTeams() string {
	if p.Teams() != nil {
		return ""
	}
	return "The policy names no team: \"teams:\" in .stemma/policy.yaml adds repositories up by team."
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

// population leads to what says whether everything is in the record.
func (p *Pages) population(board tally.Board, team string) page.Section {
	t := &page.Table{
		ID: "population", Caption: "Controls that say whether the record is complete", Columns: figure.Head("control", "title"), Empty: "None of them was judged.",
	}
	for _, id := range figure.PopulationControls {
		if c := board.Sum(func(c tally.Cell) bool { return c.Control == id }); c != (tally.Count{}) {
			t.Add(append([]page.Cell{figure.Control(id), page.Title(p.Title(id))}, figure.Counts(c, func(state string) string { return figure.Behind(id, state, "team", team) })...)...)
		}
	}
	t.Rest(page.Text("the population of each environment").At(figure.Address("/population")))
	return page.Section{
		ID: "population", Title: "Is everything counted?", Table: t,
		Note: "Figures can only be of what is in the record. The population of an environment begins at what was deployed, so that what has no record shows.",
	}
}

// Repositories says how all repositories stand, or those of a team.
func (p *Pages) Repositories(ctx context.Context, a figure.Asked) (*page.Page, error) {
	board, err := p.Verdicts.Board(ctx)
	if err == nil {
		board, err = p.Of(board, a.Team)
	}
	if err != nil {
		return nil, err
	}
	out := &page.Page{Template: "detail", Title: "Repositories and controls", Nav: figure.Home}
	if a.Team != "" {
		out.Facts = []page.Labelled{page.Say("Team", page.Text(figure.TeamName(a.Team)))}
	}
	p.repositories(out, board, figure.RowsAsData, a.Team)
	figure.Twins(out, "/repositories", "team", a.Team)
	return out, nil
}
