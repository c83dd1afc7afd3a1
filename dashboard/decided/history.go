package decided

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/figure"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/dashboard/verdicts"
	"github.com/stemma-dev/stemma/governance"
)

const policiesShown = 20

// CameBack is said of versions of the policy beside what a command lists.
const CameBack = "A version that came back stands here each time. The command names it once, with the last time that it was put in force."

// Policies says by what changes were judged, and what each version made other than the one
// before.
func (p *Pages) Policies(ctx context.Context) (*page.Page, error) {
	all, err := p.Verdicts.Policies(ctx, policiesShown+1)
	if err != nil {
		return nil, err
	}
	out := &page.Page{Template: "detail", Title: "Policies", Nav: figure.Home + "/policies"}
	t := &page.Table{ID: "versions", Caption: "Versions, the newest first", Columns: page.Head("version", "since", "#controls", "packs", "#differences"), Command: page.SQL("SELECT ref, since, controls, packs FROM v1_policy ORDER BY since DESC LIMIT " + strconv.Itoa(policiesShown)), Empty: "It is not known yet by what changes are judged: \"stemma serve\" states it when it starts."}
	var sections []page.Section
	for i, v := range all[:min(policiesShown, len(all))] {
		cells := []page.Cell{PolicyCell(v), page.Moment(v.Since), page.Number(len(v.Controls)).At(page.Href(v.Ref)), page.Text(v.Packs)}
		if i+1 == len(all) {
			t.Add(append(cells, page.Text("the first one"))...)
			continue
		}
		id := fmt.Sprint("version-", i+1)
		d := differences(id, all[i+1], v)
		t.Add(append(cells, page.Number(len(d.Rows)).At("#"+id))...)
		sections = append(sections, page.Section{ID: id, Title: "Since " + page.Stamp(v.Since), Table: d})
	}
	if len(all) > policiesShown {
		t.Rest(page.Text("all versions").At("/things?kind=policy"))
	}
	out.Sections = append([]page.Section{{ID: "versions", Table: t, Note: CameBack}}, sections...)
	return out, nil
}

// PolicyCell leads to a version of the policy.
func PolicyCell(v verdicts.Policy) page.Cell {
	c := page.To(v.Ref, page.Short(13, v.Ref.Key()))
	c.Class = "mono"
	return c
}

// differences are what a version of the policy made other than the one before.
func differences(id string, before, after verdicts.Policy) *page.Table {
	t := &page.Table{ID: "t-" + id, Caption: "What is other than in the version before", Columns: page.Head("control", "what", "was", "is", "title"), Empty: "Its controls are the same."}
	was := map[string]governance.PolicyControl{}
	for _, c := range before.Controls {
		was[c.Control] = c
	}
	row := func(id, what, old, now, title string) {
		t.Add(figure.Control(id), page.Text(what), page.Text(old), page.Text(now), page.Title(title))
	}
	for _, c := range after.Controls {
		old, known := was[c.Control]
		delete(was, c.Control)
		switch {
		case !known:
			row(c.Control, "added", "", fmt.Sprint("version ", c.Version), c.Title)
			continue
		case old.Version != c.Version:
			row(c.Control, "version", fmt.Sprint(old.Version), fmt.Sprint(c.Version), c.Title)
		case old.Digest != c.Digest:
			row(c.Control, "rules, in the same version", page.Short(16, old.Digest), page.Short(16, c.Digest), c.Title)
		}
		if old.Severity != c.Severity {
			row(c.Control, "severity", old.Severity, c.Severity, c.Title)
		}
	}
	for _, c := range before.Controls {
		if _, gone := was[c.Control]; gone {
			row(c.Control, "removed", fmt.Sprint("version ", c.Version), "", c.Title)
		}
	}
	if before.Packs != after.Packs {
		t.Add(page.Cell{}, page.Text("packs"), page.Text(before.Packs), page.Text(after.Packs), page.Cell{})
	}
	if before.Decided != after.Decided {
		t.Add(page.Cell{}, page.Text("modes, scopes or settings"), page.Text(page.Short(16, before.Decided)), page.Text(page.Short(16, after.Decided)), page.Cell{})
	}
	return t
}

// Rounds says when changes were judged again, and why.
func (p *Pages) Rounds(ctx context.Context, a figure.Asked) (*page.Page, error) {
	after, ok := verdicts.ParsePlace(a.After)
	if !ok {
		return nil, figure.Wrong("The place after which the list goes on cannot be read: begin at its first page.")
	}
	limit := figure.PageSize
	if a.Data {
		limit = figure.RowsAsData
	}
	list, err := p.Verdicts.Rounds(ctx, time.Time{}, after, limit+1)
	if err != nil {
		return nil, err
	}
	s := page.Section{ID: "rounds", Title: "Rounds", Note: "Changes are judged again when late evidence comes, what they are judged by is another, an advisory is out, an exception begins or ends, and every night. The verdicts before stay in the log."}
	if len(list) > limit {
		list = list[:limit]
		s.Next = page.Text("next →").At(figure.Address("/rounds", "after", list[limit-1].Place.String()))
	}
	s.Table = RoundTable(list)
	s.Table.Data = figure.Home + "/rounds?format="
	return &page.Page{Template: "detail", Title: "Judged again", Nav: figure.Home + "/rounds", Sections: []page.Section{s}}, nil
}

// RoundTable has a row for each round.
func RoundTable(list []verdicts.Round) *page.Table {
	t := &page.Table{ID: "rounds", Caption: "Rounds in which changes were judged again, the latest first", Columns: page.Head("round", "because of", "policy", "#changes judged", "#changes that turned"), Command: page.SQL("SELECT ref, trigger, started, judged, turned FROM v1_round ORDER BY started DESC"), Empty: "No change was judged again yet for a reason that concerns many."}
	for _, r := range list {
		at := roundHref(r.Ref)
		when := page.Moment(r.Started)
		t.Add(when.At(at), page.Text(r.Trigger), page.To(r.Policy, page.Short(13, r.Policy.Key())), page.Number(r.Judged).At(at), figure.Number(r.Turned, at))
	}
	return t
}

func roundHref(ref stemma.Ref) string {
	return figure.Home + "/rounds/" + strings.TrimPrefix(page.ThingHref(ref), page.ThingHref(""))
}

// Round says what a round turned.
func (p *Pages) Round(ctx context.Context, key string) (*page.Page, error) {
	ref, err := stemma.ParseRef(key)
	if err != nil {
		return nil, err
	}
	r, turns, err := p.Verdicts.Round(ctx, ref)
	if err != nil {
		return nil, err
	}
	out := &page.Page{Template: "detail", Title: "Judged again, " + page.Stamp(r.Started), Kind: "round", Ref: ref, Nav: figure.Home + "/rounds"}
	out.Facts = []page.Labelled{
		page.Say("Because of", page.Text(r.Trigger)), page.Say("Judged by", page.To(r.Policy, page.Short(13, r.Policy.Key()))),
		page.Say("Changes judged", page.Text(page.Count(r.Judged))), page.Say("Of these, stand otherwise", page.Number(r.Turned).At("#turns")),
	}
	changes := map[stemma.Ref]bool{}
	t := &page.Table{ID: "turns", Caption: "Controls that stand otherwise than before, by change", Columns: page.Head("change", "control", "was", "is"), Command: page.SQL("SELECT change, control, was, state FROM v1_round_turn WHERE ref = ? ORDER BY seq", string(ref)), Empty: "Everything stood as before."}
	for _, x := range turns {
		changes[x.Change] = true
		was := page.State(x.Was)
		if x.Was == "" {
			was = page.Cell{Text: "not judged", Class: "gap"}
		}
		t.Add(figure.Change(x.Change), figure.Control(x.Control), was, page.State(x.State))
	}
	s := page.Section{ID: "turns", Title: "What turned", Table: t}
	if int64(len(changes)) < r.Turned {
		s.Note = "The round names the first of them: " + page.Count(len(changes)) + " of " + page.Count(r.Turned) + " changes. The pages of the others say what turned, too."
	}
	out.Sections = []page.Section{s}
	return out, nil
}

// Advisories says what is known to be wrong with models.
func (p *Pages) Advisories(ctx context.Context) (*page.Page, error) {
	list, err := p.Verdicts.Advisories(ctx)
	t := &page.Table{ID: "advisories", Caption: "Advisories about models, the latest first", Columns: page.Head("advisory", "model", "what", "severity", "uses since", "published", "taken back"), Command: page.SQL("SELECT ref, model, title, severity FROM v1_advisory ORDER BY published DESC"), Empty: "No advisory is known. \"stemma advisory add\" tells of one."}
	for _, a := range list {
		what := page.Title(page.Short(400, a.Title))
		if strings.HasPrefix(a.URL, "https://") || strings.HasPrefix(a.URL, "http://") {
			what.Href = a.URL
		}
		t.Add(page.To(a.Ref, a.Ref.Key()), page.Mono(a.Model), what, page.Text(a.Severity), page.Moment(a.Since), page.Moment(a.Published), page.Moment(a.Withdrawn))
	}
	t.Rest(page.Text("changes made with such a model").At(figure.Behind("MOD-02", "fail")))
	return &page.Page{Template: "detail", Title: "Advisories", Nav: figure.Home + "/advisories", Sections: []page.Section{{
		ID: "advisories", Table: t, Note: "Changes in which a model had a part are judged again when an advisory about it comes.",
	}}}, err
}
