package framework

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/dashboard/decided"
	"github.com/stemma-dev/stemma/dashboard/figure"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/dashboard/populated"
	"github.com/stemma-dev/stemma/dashboard/verdicts"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/tally"
)

// Report is what can be printed about a framework and a period.
func (p *Pages) Report(ctx context.Context, id string, a figure.Asked) (*page.Page, error) {
	k, err := p.Pack(id)
	if err != nil {
		return nil, err
	}
	when, err := figure.Between(a.From, a.To, p.Now())
	if err != nil {
		return nil, err
	}
	counted, err := p.countedIn(ctx, slices.Concat(k.All(), figure.PopulationControls), when)
	if err != nil {
		return nil, err
	}
	out := &page.Page{Template: "report", Title: page.Show("Report: " + k.Title), Kind: "evidence for " + k.ID, Nav: figure.Home, Body: when}
	sum := figure.SumOf(counted, k.All())
	out.Facts = append([]page.Labelled{
		page.Say("Period", page.Text(when.From+" to "+when.To)), page.Say("Made", page.Moment(p.Now())),
		page.Say("Findings that pass", page.Text(figure.Percent(sum.Pass, sum.Judged())).At(inPeriod(k.ID, "", "", figure.Judged, when)), page.Text(figure.Beside(sum))),
	}, packFacts(k)...)
	href := func(requirement, control, state string) string {
		return inPeriod(k.ID, requirement, control, state, when)
	}
	out.Sections = append(out.Sections, page.Section{
		ID: "requirements", Title: "Requirements", Table: requirementTable(k, counted, href),
		Note: evidenceOnly + " Findings are counted for the changes that came in within the period, by the last verdict on each. A share is of n findings: those that pass, fail or are unknown; unknown counts as not passing. Coverage is of how many of them it is known how they stand.",
	})
	out.Sections = append(out.Sections, p.requirements(k, counted, href)...)
	inForce, err := p.inForce(ctx, when)
	if err != nil {
		return nil, err
	}
	excepted, err := p.exceptionsIn(ctx, k, when)
	if err != nil {
		return nil, err
	}
	reached, err := p.Populations.Table(ctx, when)
	if err != nil {
		return nil, err
	}
	out.Sections = append(out.Sections, inForce, excepted, p.completeness(counted, when),
		page.Section{ID: "environments", Title: "Population", Note: populated.Note, Table: reached}, uncovered(k, counted))
	figure.Twins(out, "/frameworks/"+url.PathEscape(k.ID)+"/report", "from", when.From, "to", when.To)
	return out, nil
}

// inPeriod is the list of the findings of a period.
func inPeriod(framework, requirement, control, state string, when figure.Period) string {
	return figure.Address("/findings", "framework", framework, "requirement", requirement, "control", control, "state", state, "from", when.From, "to", when.To)
}

// countedIn counts the changes that came in within a period, by control.
func (p *Pages) countedIn(ctx context.Context, controls []string, when figure.Period) (map[string]tally.Count, error) {
	counted := map[string]tally.Count{}
	for _, id := range controls {
		if _, done := counted[id]; done {
			continue
		}
		days, err := p.Verdicts.Days(ctx, id, when.Start)
		if err != nil {
			return nil, err
		}
		sum := tally.Count{}
		for _, d := range days {
			if d.Day.Before(when.End) {
				sum = sum.Plus(d.Count)
			}
		}
		counted[id] = sum
	}
	return counted, nil
}

// policiesRead bounds how many versions of a policy are looked at.
const policiesRead = 200

// inForce are the versions of the policy that were in force at some time of a period: those
// that began in it, and the last one before.
func (p *Pages) inForce(ctx context.Context, when figure.Period) (page.Section, error) {
	all, err := p.Verdicts.Policies(ctx, policiesRead)
	t := &page.Table{ID: "policies", Caption: "Versions of the policy that were in force in the period", Columns: page.Head("version", "since", "#controls", "packs"), Empty: "It is not known by what changes were judged then."}
	for _, v := range all {
		if !v.Since.Before(when.End) {
			continue
		}
		t.Add(decided.PolicyCell(v), page.Moment(v.Since), page.Number(len(v.Controls)).At(page.Href(v.Ref)), page.Text(v.Packs))
		if v.Since.Before(when.Start) {
			break
		}
	}
	t.Command = page.SQL("SELECT ref, since, controls, packs FROM v1_policy ORDER BY since DESC")
	return page.Section{ID: "policies", Title: "Policy in force", Table: t, Note: decided.CameBack}, err
}

// exceptionsIn are the exceptions of a period that have to do with a framework.
func (p *Pages) exceptionsIn(ctx context.Context, k *policy.Pack, when figure.Period) (page.Section, error) {
	all, err := p.Verdicts.ExceptionsIn(ctx, when.Start, when.End)
	if err != nil {
		return page.Section{}, err
	}
	in := k.All()
	all = slices.DeleteFunc(all, func(e verdicts.Exception) bool { return e.Control != "*" && !slices.Contains(in, e.Control) })
	t, err := decided.ExceptionTable(ctx, p.Book, all, "Exceptions from its controls that stood in the period")
	t.Empty = "None of its controls was waived in the period."
	var s figure.Statement
	start := figure.Micro(when.Start)
	s.Say("SELECT ref, control, opened, until FROM v1_exception WHERE opened_us < " + figure.Micro(when.End) + " AND (until IS NULL OR until_us > " + start + ") AND (withdrawn IS NULL OR withdrawn_us > " + start + ")")
	figure.In(&s, "control", append([]string{"*"}, in...))
	t.Command = s.Command()
	return page.Section{ID: "exceptions", Title: "Exceptions", Table: t}, err
}

// completeness says how far the record of a period has everything.
func (p *Pages) completeness(counted map[string]tally.Count, when figure.Period) page.Section {
	t := &page.Table{ID: "population", Caption: "Controls that say whether the record of the period is complete", Columns: figure.Head("control", "title"), Empty: "None of them was judged in the period: nothing says whether the record is complete."}
	for _, id := range figure.PopulationControls {
		if c := counted[id]; c != (tally.Count{}) {
			t.Add(append([]page.Cell{figure.Control(id), page.Title(p.Title(id))}, figure.Counts(c, func(state string) string { return inPeriod("", "", id, state, when) })...)...)
		}
	}
	return page.Section{
		ID: "population", Title: "Completeness", Table: t,
		Note: "Figures are of changes that are in the record. What reached an environment, also what has no record, is counted below.",
	}
}

// uncovered is what the report cannot tell.
func uncovered(k *policy.Pack, counted map[string]tally.Count) page.Section {
	t := &page.Table{ID: "uncovered", Caption: "What this report does not cover", Columns: page.Head("requirement", "what"), Empty: "Every requirement has a control that was judged in the period."}
	for _, r := range k.Requirements {
		at := page.Title(r.Title).At("#" + figure.Anchor(r.ID))
		if len(r.Controls) == 0 {
			t.Add(at, page.Title("no control is evidence for it"))
		}
		if r.Beyond != "" {
			t.Add(at, page.Title("no control can tell: "+strings.TrimSpace(r.Beyond)))
		}
		for _, id := range r.Controls {
			if c := counted[id]; c.Judged() == 0 {
				t.Add(at, page.Title(id+": no change of the period was judged by it to which it applies"))
			}
		}
	}
	return page.Section{ID: "uncovered", Title: "What is not covered", Table: t, Note: "Beside this: whatever no control here looks at, and changes of repositories that nobody reports."}
}
