package decided

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/figure"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/dashboard/verdicts"
	"github.com/stemma-dev/stemma/governance"
)

// Change are the sections of the page of a change that say how it stands.
func (p *Pages) Change(ctx context.Context, ref stemma.Ref) ([]page.Section, error) {
	history, more, err := p.Verdicts.History(ctx, ref)
	if errors.Is(err, stemma.ErrNotFound) {
		return []page.Section{{ID: "controls", Title: "Controls", Note: "This change was not judged yet. \"stemma serve\" judges every change as facts come; \"stemma check\" judges one at once."}}, nil
	}
	if err != nil {
		return nil, err
	}
	last := history[0]
	findings, err := p.findings(ctx, last)
	if err != nil {
		return nil, err
	}
	return []page.Section{
		{ID: "controls", Title: "Controls", Note: saysVerdict(last), Findings: findings},
		risk(last.Assessment),
		p.verdictHistory(history, more),
	}, nil
}

func saysVerdict(v verdicts.Stated) string {
	s := fmt.Sprintf("Judged %s UTC because of %s: %d pass, %d fail, %d unknown, %d waived.", page.Stamp(v.Evaluated.Time()), v.Trigger, v.Passed, v.Failed, v.Unknown, v.Waived)
	if v.Blocks {
		s += " A control that is enforced holds it up."
	}
	if v.Due > 0 {
		s += " It is judged again by " + page.Stamp(stemma.Moment(int64(v.Due)*1_000_000).Time()) + " UTC, whatever comes."
	}
	return s
}

// weight is in which order findings are shown.
var weight = map[string]int{"fail": 0, "unknown": 1, "waived": 2, "pass": 3, "not-applicable": 4}

func (p *Pages) findings(ctx context.Context, v verdicts.Stated) (*page.Findings, error) {
	all := slices.Clone(v.Findings)
	slices.SortStableFunc(all, func(a, b governance.Finding) int { return weight[a.State] - weight[b.State] })
	var refs []stemma.Ref
	for _, f := range all {
		refs = append(append(refs, rests(f)...), f.Exception)
	}
	called, err := p.Called(ctx, refs...)
	if err != nil {
		return nil, err
	}
	out := &page.Findings{Table: &page.Table{
		ID: "all-findings", Caption: "How every control stands", Columns: page.Head("control", "title", "state", "was", "reason", "severity", "mode", "grade", "rests on"), Empty: "No control was judged.",
		Command: page.SQL("SELECT control, state, reason FROM v1_assessment_finding WHERE ref = ? ORDER BY seq", string(v.ID)),
	}}
	counted := map[string]int{}
	for _, f := range all {
		counted[f.State]++
		var evidence []page.Cell
		for _, ref := range rests(f) {
			evidence = append(evidence, page.To(ref, called[ref]))
		}
		out.Table.Add(figure.Control(f.Control), page.Title(p.Title(f.Control)), page.State(f.State), page.State(f.Before), page.Title(page.Short(400, f.Reason)), page.Text(f.Severity),
			figure.Mode(f.Mode, f.Blocks), page.Grade(stemma.Grade(f.Grade)), page.Cell{Parts: evidence, Class: "several"})
		if weight[f.State] > weight["waived"] {
			continue
		}
		one := page.Finding{
			State: page.State(f.State), Control: figure.Control(f.Control), Title: p.Title(f.Control), Reason: page.Short(2000, f.Reason), Rests: evidence, Grade: page.Grade(stemma.Grade(f.Grade)),
			Exception: page.To(f.Exception, called[f.Exception]), Blocks: f.Blocks, Before: f.Before,
			Notes: []page.Cell{page.Text(f.Severity), page.Text(f.Mode)},
		}
		if c := p.Says(f.Control); c != nil && f.State != "waived" {
			one.Remedy = strings.TrimSpace(c.Remedy)
		}
		out.List = append(out.List, one)
	}
	out.Says = fmt.Sprintf("%d pass, %d do not apply: all %d as a table", counted["pass"], counted["not-applicable"], len(all))
	return out, nil
}

// rests are the things that a finding names as its evidence.
func rests(f governance.Finding) (refs []stemma.Ref) {
	for word := range strings.FieldsSeq(f.Rests) {
		if ref, err := stemma.ParseRef(word); err == nil {
			refs = append(refs, ref)
		}
	}
	return refs
}

// risk is the score with what it is made of.
func risk(a governance.Assessment) page.Section {
	t := &page.Table{ID: "risk", Caption: fmt.Sprintf("What makes the score of %d of 100", a.Score), Columns: page.Head("factor", "#weight", "#how much of it is there", "#adds at most", "why"), Command: page.SQL("SELECT name, weight, signal, text FROM v1_assessment_factor WHERE ref = ? ORDER BY seq", string(a.ID)), Empty: "Nothing was weighed."}
	for _, f := range a.Factors {
		signal, adds := page.Cell{Text: "not known", Class: "gap"}, page.Cell{Text: "not known", Class: "gap"}
		if f.Signal != nil {
			signal, adds = page.Mille(int64(*f.Signal)*10), page.Mille(int64(*f.Signal)*int64(f.Weight)/10)
		}
		t.Add(page.Text(f.Name), page.Mille(int64(f.Weight)*10), signal, adds, page.Title(f.Text))
	}
	return page.Section{
		ID: "risk", Title: fmt.Sprintf("Risk score: %d of 100, by what", a.Score), Table: t,
		Note: "An order of what to look at first, and no probability. Each factor takes its part of what the others leave, so that the parts do not add up.",
	}
}

// turnsPerVerdict bounds what a row of the history names.
const turnsPerVerdict = 12

func (p *Pages) verdictHistory(history []verdicts.Stated, more int) page.Section {
	t := &page.Table{ID: "verdicts", Caption: "Verdicts on this change, the latest first", Columns: page.Head("judged", "because of", "#pass", "#fail", "#unknown", "#waived", "what turned", "policy", "evidence")}
	t.Command = page.SQL("SELECT pos FROM v1_fact WHERE ref = ? ORDER BY pos DESC LIMIT "+strconv.Itoa(len(history)), string(history[0].ID))
	for _, v := range history {
		var turned []page.Cell
		for _, f := range v.Findings {
			if f.Before != "" && len(turned) < turnsPerVerdict {
				c := figure.Control(f.Control)
				c.Text += ": " + page.Words(f.Before) + " → " + page.Words(f.State)
				turned = append(turned, c)
			}
		}
		if v.Turned > len(turned) {
			turned = append(turned, page.Text(fmt.Sprintf("%d in all", v.Turned)))
		}
		at := page.FactHref(v.Pos)
		t.Add(page.Moment(v.Evaluated.Time()), page.Text(v.Trigger), page.Number(v.Passed).At(at), page.Number(v.Failed).At(at), page.Number(v.Unknown).At(at), page.Number(v.Waived).At(at),
			page.Cell{Parts: turned, Class: "several"}, page.To(v.Policy, page.Short(13, v.Policy.Key())), page.Evidence(v.Pos))
	}
	s := page.Section{ID: "verdicts", Title: "How it was judged before", Note: "Earlier verdicts stay as they were; each takes the place of the one before.", Table: t}
	if more > 0 {
		s.Note += fmt.Sprintf(" There are %d more before these, in the log.", more)
	}
	return s
}
