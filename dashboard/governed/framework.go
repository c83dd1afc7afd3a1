package governed

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/tally"
)

func frameworkHref(id string) string { return address("/frameworks/" + url.PathEscape(id)) }

// anchor is the id of the section about a requirement.
func anchor(requirement string) string { return "r-" + url.PathEscape(requirement) }

func requirement(k *policy.Pack, id string) (policy.Requirement, bool) {
	i := slices.IndexFunc(k.Requirements, func(r policy.Requirement) bool { return r.ID == id })
	if i < 0 {
		return policy.Requirement{}, false
	}
	return k.Requirements[i], true
}

// evidenceOnly is said of every framework.
const evidenceOnly = "What stands here is evidence for this framework. Whether its requirements are met is for those to say who judge by it."

// Framework says what is evidence for a framework, requirement by requirement.
func (p *Pages) Framework(ctx context.Context, id string) (*page.Page, error) {
	k, err := p.pack(id)
	if err != nil {
		return nil, err
	}
	board, err := p.verdicts.Board(ctx)
	if err != nil {
		return nil, err
	}
	counted := byControl(board)
	out := &page.Page{Template: "detail", Title: page.Show(k.Title), Kind: "framework", Nav: home, Facts: packFacts(k)}
	sum := sumOf(counted, k.All())
	out.Facts = append(out.Facts,
		page.Say("Findings that pass", page.Text(percent(sum.Pass, sum.Judged())).At(address("/findings", "framework", k.ID, "state", judged)), page.Text(beside(sum))),
		page.Say("Report", page.Text("of a period, to be printed").At(frameworkHref(k.ID)+"/report")))
	href := func(requirement, control, state string) string {
		if control != "" {
			return behind(control, state)
		}
		return address("/findings", "framework", k.ID, "requirement", requirement, "state", state)
	}
	out.Sections = append(out.Sections, page.Section{ID: "requirements", Title: "Requirements", Note: evidenceOnly, Table: requirementTable(k, counted, href)})
	out.Sections = append(out.Sections, p.requirements(k, counted, href)...)
	return out, nil
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

// byControl are the counts of each control.
func byControl(board tally.Board) map[string]tally.Count {
	counted := map[string]tally.Count{}
	for at, c := range board.Cells {
		counted[at.Control] = counted[at.Control].Plus(c)
	}
	return counted
}

func sumOf(counted map[string]tally.Count, controls []string) (sum tally.Count) {
	for _, id := range controls {
		sum = sum.Plus(counted[id])
	}
	return sum
}

// requirementTable has a row for each requirement.
func requirementTable(k *policy.Pack, counted map[string]tally.Count, href func(requirement, control, state string) string) *page.Table {
	t := &page.Table{ID: "requirements", Caption: "Findings of the controls that are evidence for each requirement", Columns: head("requirement", "section", "controls"), Empty: "It has no requirements: it only puts controls together."}
	for _, r := range k.Requirements {
		var cells []page.Cell
		for _, id := range r.Controls {
			cells = append(cells, control(id))
		}
		in := page.Cell{Text: "no control", Class: "gap"}
		if len(cells) > 0 {
			in = page.Cell{Parts: cells, Class: "several"}
		}
		t.Add(append([]page.Cell{page.Title(r.Title).At("#" + anchor(r.ID)), page.Text(r.Section), in},
			counts(sumOf(counted, r.Controls), func(state string) string { return href(r.ID, "", state) })...)...)
	}
	return t
}

// requirements are a section each: what is asked for, and how each control stands.
func (p *Pages) requirements(k *policy.Pack, counted map[string]tally.Count, href func(requirement, control, state string) string) (out []page.Section) {
	for _, r := range k.Requirements {
		s := page.Section{ID: anchor(r.ID), Title: page.Show(r.Title), Note: strings.TrimSpace(r.Text) + " (" + r.Section + ")"}
		if r.Beyond != "" {
			s.Note += " What no control here can tell of it: " + strings.TrimSpace(r.Beyond)
		}
		if len(r.Controls) == 0 {
			s.Note += " No control here is evidence for it."
		} else {
			s.Table = &page.Table{ID: "t-" + anchor(r.ID), Caption: "Controls that are evidence for it", Columns: head("control", "title")}
			for _, id := range r.Controls {
				s.Table.Add(append([]page.Cell{control(id), page.Title(p.title(id))}, counts(counted[id], func(state string) string { return href(r.ID, id, state) })...)...)
			}
		}
		s.Note = page.Show(s.Note)
		out = append(out, s)
	}
	return out
}
