// Package framework makes the pages about frameworks: what is evidence for each requirement,
// and reports of a period, to be printed. They never say that a framework is met.
package framework

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/dashboard/figure"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/dashboard/populated"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/tally"
)

// Pages are those of a book. They may be used concurrently.
type Pages struct {
	*figure.Book
	Populations *populated.Pages
}

// evidenceOnly is said of every framework.
const evidenceOnly = "What stands here is evidence for this framework. Whether its requirements are met is for those to say who judge by it."

// Framework says what is evidence for a framework, requirement by requirement, of all
// repositories or of those of a team.
func (p *Pages) Framework(ctx context.Context, id string, a figure.Asked) (*page.Page, error) {
	k, err := p.Pack(id)
	if err != nil {
		return nil, err
	}
	all, err := p.Verdicts.Board(ctx)
	if err != nil {
		return nil, err
	}
	board, err := p.Of(all, a.Team)
	if err != nil {
		return nil, err
	}
	counted := figure.ByControl(board)
	out := &page.Page{Template: "detail", Title: page.Show(k.Title), Kind: "framework", Nav: figure.Home, Facts: packFacts(k)}
	sum := figure.SumOf(counted, k.All())
	out.Facts = append(out.Facts,
		page.Say("Findings that pass", page.Text(figure.Percent(sum.Pass, sum.Judged())).At(figure.Address("/findings", "framework", k.ID, "team", a.Team, "state", figure.Judged)), page.Text(figure.Beside(sum))),
		page.Say("Report", page.Text("of a period and all repositories, to be printed").At(figure.FrameworkHref(k.ID)+"/report")))
	if a.Team != "" {
		out.Facts = append([]page.Labelled{page.Say("Team", page.Text(figure.TeamName(a.Team)), page.Text("all repositories").At(figure.FrameworkHref(k.ID)))}, out.Facts...)
	}
	href := func(requirement, control, state string) string {
		if control != "" {
			return figure.Behind(control, state, "team", a.Team)
		}
		return figure.Address("/findings", "framework", k.ID, "requirement", requirement, "team", a.Team, "state", state)
	}
	out.Sections = append(out.Sections, page.Section{ID: "requirements", Title: "Requirements", Note: evidenceOnly, Table: requirementTable(k, counted, href)})
	if teams := p.Teams(); teams != nil && a.Team == "" {
		out.Sections = append(out.Sections, page.Section{ID: "teams", Title: "By team", Table: p.teamTable(k, all, teams)})
	}
	out.Sections = append(out.Sections, p.requirements(k, counted, href)...)
	figure.Twins(out, "/frameworks/"+url.PathEscape(k.ID), "team", a.Team)
	return out, nil
}

// teamTable has a row for each team, which leads to the page of its part.
func (p *Pages) teamTable(k *policy.Pack, board tally.Board, teams []string) *page.Table {
	t := &page.Table{ID: "teams", Caption: "Findings of its controls, by team", Columns: figure.Head("team")}
	in := k.All()
	sums := p.ByTeam(board, func(c tally.Cell) bool { return slices.Contains(in, c.Control) })
	for _, team := range teams {
		at := func(state string) string {
			return figure.Address("/findings", "framework", k.ID, "team", team, "state", state)
		}
		t.Add(append([]page.Cell{page.Text(figure.TeamName(team)).At(figure.FrameworkHref(k.ID) + "?team=" + url.QueryEscape(team))}, figure.Counts(sums[team], at)...)...)
	}
	return t
}

func packFacts(k *policy.Pack) []page.Labelled {
	facts := []page.Labelled{
		page.Say("Status", page.Text(k.Status)), page.Say("Whom it binds", page.Text(strings.TrimSpace(k.Standing))), page.Say("Source", source(k.Source)),
		page.Say("Held against its source", page.Text(k.Dated)), page.Say("Version of the pack", page.Number(k.Version)),
	}
	for _, e := range k.Effective {
		facts = append(facts, page.Say("From "+e.From, page.Text(e.What)))
	}
	return facts
}

// source leads to the text of a framework, if it is named by an address.
func source(s string) page.Cell {
	if strings.HasPrefix(s, "https://") && !strings.ContainsAny(s, " \"") {
		return page.Text(s).At(s)
	}
	return page.Text(s)
}

// requirementTable has a row for each requirement.
func requirementTable(k *policy.Pack, counted map[string]tally.Count, href func(requirement, control, state string) string) *page.Table {
	t := &page.Table{ID: "requirements", Caption: "Findings of the controls that are evidence for each requirement", Columns: figure.Head("requirement", "section", "controls"), Empty: "It has no requirements: it only puts controls together."}
	for _, r := range k.Requirements {
		var cells []page.Cell
		for _, id := range r.Controls {
			cells = append(cells, figure.Control(id))
		}
		in := page.Cell{Text: "no control", Class: "gap"}
		if len(cells) > 0 {
			in = page.Cell{Parts: cells, Class: "several"}
		}
		t.Add(append([]page.Cell{page.Title(r.Title).At("#" + figure.Anchor(r.ID)), page.Text(r.Section), in},
			figure.Counts(figure.SumOf(counted, r.Controls), func(state string) string { return href(r.ID, "", state) })...)...)
	}
	return t
}

// requirements are a section each: what is asked for, and how each control stands.
func (p *Pages) requirements(k *policy.Pack, counted map[string]tally.Count, href func(requirement, control, state string) string) (out []page.Section) {
	for _, r := range k.Requirements {
		s := page.Section{ID: figure.Anchor(r.ID), Title: page.Show(r.Title), Note: strings.TrimSpace(r.Text) + " (" + r.Section + ")"}
		if r.Beyond != "" {
			s.Note += " What no control here can tell of it: " + strings.TrimSpace(r.Beyond)
		}
		if len(r.Controls) == 0 {
			s.Note += " No control here is evidence for it."
		} else {
			s.Table = &page.Table{ID: "t-" + figure.Anchor(r.ID), Caption: "Controls that are evidence for it", Columns: figure.Head("control", "title")}
			for _, id := range r.Controls {
				s.Table.Add(append([]page.Cell{figure.Control(id), page.Title(p.Title(id))}, figure.Counts(counted[id], func(state string) string { return href(r.ID, id, state) })...)...)
			}
		}
		s.Note = page.Show(s.Note)
		out = append(out, s)
	}
	return out
}
