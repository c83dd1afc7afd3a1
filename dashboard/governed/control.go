package governed

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/figure"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/tally"
)

// stateOrder is that in which the states of a control are offered.
var stateOrder = []string{"fail", "unknown", "waived", "pass", "not-applicable", figure.Judged, figure.Known}

// Control says what a control asks for, and how changes stand against it. Without a state it
// lists what fails.
func (p *Pages) Control(ctx context.Context, id string, a figure.Asked) (*page.Page, error) {
	board, err := p.Verdicts.Board(ctx)
	if err != nil {
		return nil, err
	}
	c := p.Says(id)
	here := func(x tally.Cell) bool { return x.Control == id }
	sum := board.Sum(here)
	named, isNamed, err := p.Verdicts.Named(ctx, id)
	if err != nil {
		return nil, err
	}
	if c == nil && !isNamed && sum == (tally.Count{}) {
		return nil, stemma.ErrNotFound
	}
	if a.State == "" {
		a.State = "fail"
	}
	out := &page.Page{Template: "detail", Title: id, Kind: "control", Nav: figure.Home}
	out.Facts = p.controlFacts(id, c, sum)
	switch {
	case c != nil:
		out.Title = page.Show(id + ": " + c.Title)
		out.Sections = append(out.Sections, texts(c)...)
	case isNamed:
		out.Title = page.Show(id + ": " + named.Title)
		out.Facts = append([]page.Labelled{
			page.Say("Severity", page.Text(named.Severity)), page.Say("Version", page.Number(named.Version)),
			page.Say("What it says", page.Text("is in the policy of who judges by it, which this server was not given")),
		}, out.Facts...)
	}
	days, err := p.Verdicts.Days(ctx, id, p.Now().UTC().AddDate(-1, 0, 0))
	if err != nil {
		return nil, err
	}
	path := "/controls/" + strings.TrimPrefix(figure.ControlHref(id), figure.Home+"/controls/")
	out.Sections = append(out.Sections, figure.OverTime(days, id, func(pairs ...string) string { return figure.Address(path, pairs...) + "#findings" }))
	t := &page.Table{ID: "repositories", Caption: "How repositories stand against it", Columns: figure.Head("repository"), Command: figure.SumsCommand("a.repository", id), Empty: "No change was judged by it yet."}
	for _, ref := range board.Repositories() {
		if n := board.Cells[tally.Cell{Repository: ref, Control: id}]; n != (tally.Count{}) {
			t.Add(append([]page.Cell{page.To(ref, page.ShortName(ref))}, figure.Counts(n, func(state string) string { return figure.Behind(id, state, "repository", string(ref)) })...)...)
		}
	}
	out.Sections = append(out.Sections, page.Section{ID: "repositories", Title: "By repository", Table: t})
	l, err := p.list(ctx, a, path, []string{id})
	if err != nil {
		return nil, err
	}
	s, err := p.section(ctx, l, "Changes: "+page.Words(a.State), "No change stands so.")
	if err != nil {
		return nil, err
	}
	s.Note = "The latest verdict on each change, those judged last first. Choose another state at the head of the page."
	if a.Team != "" {
		s.Note = "Of repositories of " + figure.TeamName(a.Team) + " alone. " + s.Note
	}
	if a.Repository != "" {
		s.Note = "Of " + page.Show(a.Repository) + " alone. " + s.Note
	}
	s.Table.Drop("control")
	out.Sections = append(out.Sections, s, p.evidenceFor(id))
	return out, nil
}

func (p *Pages) controlFacts(id string, c *policy.Control, sum tally.Count) (facts []page.Labelled) {
	if c != nil {
		facts = append(facts, page.Say("Severity", page.Text(string(c.Severity))), page.Say("Version", page.Number(c.Version)), page.Say("Judged from", page.Text(string(c.Stage))))
		if c.Firm {
			facts = append(facts, page.Say("Exceptions", page.Text("none waives it")))
		}
	}
	facts = append(facts, page.Say("Passes", page.Text(figure.Percent(sum.Pass, sum.Judged())).At(figure.Behind(id, figure.Judged)), page.Text(figure.Beside(sum))))
	var cells []page.Cell
	for _, state := range stateOrder {
		n := figure.Of(sum, state)
		cells = append(cells, page.Text(page.Count(n)+"\u00a0"+page.Words(state)).At(figure.Behind(id, state)))
	}
	facts = append(facts, page.Say("Changes", cells...))
	return facts
}

// evidenceFor lists the requirements that a control is evidence for.
func (p *Pages) evidenceFor(id string) page.Section {
	t := &page.Table{ID: "evidence", Caption: "Requirements that it is evidence for", Columns: page.Head("framework", "requirement", "section"), Empty: "No framework that is known here asks for it."}
	for _, k := range p.Packs() {
		for _, r := range k.For(id) {
			t.Add(page.Text(k.Title).At(figure.FrameworkHref(k.ID)), page.Title(r.Title).At(figure.FrameworkHref(k.ID)+"#"+figure.Anchor(r.ID)), page.Text(r.Section))
		}
	}
	return page.Section{ID: "evidence", Title: "Evidence for", Table: t}
}

// texts are what a control says.
func texts(c *policy.Control) (out []page.Section) {
	say := func(id, title, text string) {
		if text = strings.TrimSpace(text); text != "" {
			out = append(out, page.Section{ID: id, Title: title, Note: page.Show(text)})
		}
	}
	say("why", "Why", c.Why)
	say("remedy", "What to do where it fails", c.Remedy)
	var b strings.Builder
	clause := func(word string, list []policy.Clause) {
		for _, x := range list {
			fmt.Fprintf(&b, "%s %s\n    else: %s\n", word, strings.TrimSpace(x.When.Text), x.Else)
		}
	}
	clause("applies when", c.Applies)
	clause("knows when", c.Knows)
	if c.Check != "" {
		fmt.Fprintf(&b, "check: the function %s\n", c.Check)
	} else {
		fmt.Fprintf(&b, "rule: %s\n", strings.TrimSpace(c.Rule.Text))
	}
	return append(out, page.Section{ID: "rule", Title: "The rule", Note: "In CEL, over the lineage of one change; it looks at " + strings.Join(slices.Sorted(slices.Values(c.Inputs)), ", ") + ".", Text: page.ShowLines(b.String())})
}
