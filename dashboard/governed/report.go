package governed

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/dashboard/verdicts"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/tally"
)

// A period is the days of a report, the first and the last one in it.
type period struct {
	From, To string
	start    time.Time
	end      time.Time // where the day after the last one begins
}

// usualPeriod is how many days a report is of if nothing else is asked for.
const usualPeriod = 90

// period reads the days that are asked for.
func (p *Pages) period(a Asked) (out period, err error) {
	if out.start, err = day(a.From); err != nil {
		return out, err
	}
	last, err := day(a.To)
	if err != nil {
		return out, err
	}
	if last.IsZero() {
		last = p.now().UTC().Truncate(24 * time.Hour)
	}
	if out.start.IsZero() {
		out.start = last.AddDate(0, 0, 1-usualPeriod)
	}
	if out.start.After(last) {
		return out, &AskedError{"The period ends before it begins."}
	}
	out.end = last.AddDate(0, 0, 1)
	out.From, out.To = out.start.Format(time.DateOnly), last.Format(time.DateOnly)
	return out, nil
}

// Report is what can be printed about a framework and a period.
func (p *Pages) Report(ctx context.Context, id string, a Asked) (*page.Page, error) {
	k, err := p.pack(id)
	if err != nil {
		return nil, err
	}
	when, err := p.period(a)
	if err != nil {
		return nil, err
	}
	counted, err := p.countedIn(ctx, slices.Concat(k.All(), populationControls), when)
	if err != nil {
		return nil, err
	}
	out := &page.Page{Template: "report", Title: page.Show("Report: " + k.Title), Kind: "evidence for " + k.ID, Nav: home, Body: when}
	sum := sumOf(counted, k.All())
	out.Facts = append([]page.Labelled{
		page.Say("Period", page.Text(when.From+" to "+when.To)), page.Say("Made", page.Moment(p.now())),
		page.Say("Findings that pass", page.Text(percent(sum.Pass, sum.Judged())).At(inPeriod(k.ID, "", "", judged, when)), page.Text(beside(sum))),
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
	out.Sections = append(out.Sections, inForce, excepted, p.completeness(counted, when), uncovered(k, counted))
	return out, nil
}

// inPeriod is the list of the findings of a period.
func inPeriod(framework, requirement, control, state string, when period) string {
	return address("/findings", "framework", framework, "requirement", requirement, "control", control, "state", state, "from", when.From, "to", when.To)
}

// countedIn counts the changes that came in within a period, by control.
func (p *Pages) countedIn(ctx context.Context, controls []string, when period) (map[string]tally.Count, error) {
	counted := map[string]tally.Count{}
	for _, id := range controls {
		if _, done := counted[id]; done {
			continue
		}
		days, err := p.verdicts.Days(ctx, id, when.start)
		if err != nil {
			return nil, err
		}
		sum := tally.Count{}
		for _, d := range days {
			if d.Day.Before(when.end) {
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
func (p *Pages) inForce(ctx context.Context, when period) (page.Section, error) {
	all, err := p.verdicts.Policies(ctx, policiesRead)
	t := &page.Table{ID: "policies", Caption: "Versions of the policy that were in force in the period", Columns: page.Head("version", "since", "#controls", "packs"), Empty: "It is not known by what changes were judged then."}
	for _, v := range all {
		if !v.Since.Before(when.end) {
			continue
		}
		t.Add(policyCell(v), page.Moment(v.Since), page.Number(len(v.Controls)).At(page.Href(v.Ref)), page.Text(v.Packs))
		if v.Since.Before(when.start) {
			break
		}
	}
	t.Command = page.SQL("SELECT ref, since, controls, packs FROM v1_policy WHERE since_us < " + micro(when.end) + " ORDER BY since DESC LIMIT " + strconv.Itoa(len(t.Rows)))
	return page.Section{ID: "policies", Title: "Policy in force", Table: t}, err
}

// exceptionsIn are the exceptions of a period that have to do with a framework.
func (p *Pages) exceptionsIn(ctx context.Context, k *policy.Pack, when period) (page.Section, error) {
	all, err := p.verdicts.ExceptionsIn(ctx, when.start, when.end)
	if err != nil {
		return page.Section{}, err
	}
	in := k.All()
	all = slices.DeleteFunc(all, func(e verdicts.Exception) bool { return e.Control != "*" && !slices.Contains(in, e.Control) })
	t, err := p.exceptionTable(ctx, all, "Exceptions from its controls that stood in the period")
	t.Empty = "None of its controls was waived in the period."
	var s statement
	start := micro(when.start)
	s.say("SELECT ref, control, opened, until FROM v1_exception WHERE opened_us < " + micro(when.end) + " AND (until IS NULL OR until_us > " + start + ") AND (withdrawn IS NULL OR withdrawn_us > " + start + ")")
	s.in("control", append([]string{"*"}, in...))
	t.Command = s.command()
	return page.Section{ID: "exceptions", Title: "Exceptions", Table: t}, err
}

// completeness says how far the record of a period has everything.
func (p *Pages) completeness(counted map[string]tally.Count, when period) page.Section {
	t := &page.Table{ID: "population", Caption: "Controls that say whether the record of the period is complete", Columns: head("control", "title"), Empty: "None of them was judged in the period: nothing says whether the record is complete."}
	for _, id := range populationControls {
		if c := counted[id]; c != (tally.Count{}) {
			t.Add(append([]page.Cell{control(id), page.Title(p.title(id))}, counts(c, func(state string) string { return inPeriod("", "", id, state, when) })...)...)
		}
	}
	return page.Section{
		ID: "population", Title: "Completeness", Table: t,
		Note: "Figures are of changes that are in the record. \"stemma population --env NAME --from " + when.From + " --to " + when.To + "\" lists what reached an environment, also what has no record.",
	}
}

// uncovered is what the report cannot tell.
func uncovered(k *policy.Pack, counted map[string]tally.Count) page.Section {
	t := &page.Table{ID: "uncovered", Caption: "What this report does not cover", Columns: page.Head("requirement", "what"), Empty: "Every requirement has a control that was judged in the period."}
	for _, r := range k.Requirements {
		at := page.Title(r.Title).At("#" + anchor(r.ID))
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
