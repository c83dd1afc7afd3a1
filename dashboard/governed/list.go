package governed

import (
	"context"
	"strconv"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/figure"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/dashboard/verdicts"
)

// A list is a question about findings, while it is answered.
type list struct {
	ask    verdicts.Ask
	path   string   // of the page, and
	pairs  []string // what is asked of it
	asData bool
}

// list reads what an address asks for; the controls are those it may be about, nil for all.
func (p *Pages) list(ctx context.Context, a figure.Asked, path string, controls []string, pairs ...string) (*list, error) {
	l := &list{path: path, asData: a.Data, pairs: append(pairs, "state", a.State, "repository", a.Repository, "team", a.Team, "from", a.From, "to", a.To, "since", a.Since)}
	l.ask = verdicts.Ask{Controls: controls, States: figure.StatesOf(a.State), Limit: figure.PageSize}
	if a.Data {
		l.ask.Limit = figure.RowsAsData
	}
	var err error
	if l.ask.From, err = figure.Day(a.From); err != nil {
		return nil, err
	}
	if l.ask.To, err = figure.Day(a.To); err != nil {
		return nil, err
	}
	if !l.ask.To.IsZero() {
		l.ask.To = l.ask.To.AddDate(0, 0, 1) // the day itself is in
	}
	if l.ask.Since, err = seconds(a.Since); err != nil {
		return nil, err
	}
	if a.Repository != "" {
		if l.ask.Repository, err = stemma.ParseRef(a.Repository); err != nil {
			return nil, figure.Wrong("A repository is named like repository:github.com/acme/pay.")
		}
	}
	if a.Team != "" {
		board, err := p.Verdicts.Board(ctx)
		if err == nil {
			board, err = p.Of(board, a.Team)
		}
		if err != nil {
			return nil, err
		}
		l.ask.Among = append([]stemma.Ref{}, board.Repositories()...)
	}
	var ok bool
	if l.ask.After, ok = verdicts.ParsePlace(a.After); !ok {
		return nil, figure.Wrong("The place after which the list goes on cannot be read: begin at its first page.")
	}
	return l, nil
}

func seconds(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > 1<<40 {
		return time.Time{}, figure.Wrong("The parameter since is a number of seconds since 1970.")
	}
	return time.Unix(n, 0).UTC(), nil
}

// section is a page of the list.
func (p *Pages) section(ctx context.Context, l *list, title, empty string) (page.Section, error) {
	ask := l.ask
	ask.Limit++
	found, err := p.Verdicts.Findings(ctx, ask)
	if err != nil {
		return page.Section{}, err
	}
	out := page.Section{ID: "findings", Title: title}
	if len(found) > l.ask.Limit {
		found = found[:l.ask.Limit]
		out.Next = page.Text("next →").At(figure.Address(l.path, append(l.pairs, "after", found[len(found)-1].Place.String())...) + "#findings")
	}
	names, turned := []string{"control", "change", "title", "repository", "state"}, l.ask.Turned
	if turned {
		names = append(names, "was")
	}
	t := &page.Table{
		ID: "findings", Caption: "Findings, those of the latest verdicts first", Empty: empty, Data: dataAddress(l.path, l.pairs), Command: figure.FindingsCommand(l.ask),
		Columns: page.Head(append(names, "reason", "severity", "mode", "grade", "judged", "came in")...),
	}
	for _, f := range found {
		cells := []page.Cell{figure.Control(f.Control), figure.Change(f.Change), page.Title(page.Short(160, f.Title)), page.To(f.Repository, page.ShortName(f.Repository)), page.State(f.State)}
		if turned {
			cells = append(cells, page.State(f.Before))
		}
		t.Add(append(cells, page.Title(page.Short(400, f.Reason)), page.Text(f.Severity), figure.Mode(f.Mode, f.Blocks), page.Grade(stemma.Grade(f.Grade)), page.Moment(f.Evaluated), page.Moment(f.Merged))...)
	}
	out.Table = t
	return out, nil
}

// dataAddress is that of a whole list as data, up to "format=".
func dataAddress(path string, pairs []string) string {
	at := figure.Address(path, pairs...)
	if at == figure.Home+path {
		return at + "?format="
	}
	return at + "&format="
}

// Findings lists the findings that an address asks for.
func (p *Pages) Findings(ctx context.Context, a figure.Asked) (*page.Page, error) {
	out := &page.Page{Template: "detail", Title: "Findings", Nav: figure.Home}
	var controls []string
	if a.Control != "" {
		controls = []string{a.Control}
		out.Facts = append(out.Facts, page.Say("Control", figure.Control(a.Control), page.Text(p.Title(a.Control))))
	}
	if a.Requirement != "" && a.Framework == "" {
		return nil, figure.Wrong("A requirement is one of a framework: name that, too.")
	}
	if a.Framework != "" {
		pack, err := p.Pack(a.Framework)
		if err != nil {
			return nil, err
		}
		out.Facts = append(out.Facts, page.Say("Evidence for", page.Text(pack.Title).At(figure.FrameworkHref(pack.ID))))
		controls = pack.All()
		if a.Requirement != "" {
			r, ok := figure.Requirement(pack, a.Requirement)
			if !ok {
				return nil, stemma.ErrNotFound
			}
			controls = append([]string{}, r.Controls...)
			out.Facts = append(out.Facts, page.Say("Requirement", page.Text(r.Title).At(figure.FrameworkHref(pack.ID)+"#"+figure.Anchor(r.ID))))
		}
	}
	l, err := p.list(ctx, a, "/findings", controls, "control", a.Control, "framework", a.Framework, "requirement", a.Requirement)
	if err != nil {
		return nil, err
	}
	out.Facts = append(out.Facts, asked(a)...)
	s, err := p.section(ctx, l, "What was found", "Nothing was found that is asked for here.")
	out.Sections = []page.Section{s}
	return out, err
}

// asked says what a list was asked for.
func asked(a figure.Asked) (out []page.Labelled) {
	for _, x := range []struct{ label, value string }{{"State", a.State}, {"Repository", a.Repository}, {"Team", figure.TeamName(a.Team)}, {"Came in from", a.From}, {"Came in until", a.To}} {
		if x.value != "" {
			out = append(out, page.Say(x.label, page.Text(page.Words(x.value))))
		}
	}
	return out
}

// Turned lists what stands otherwise than before since a time.
func (p *Pages) Turned(ctx context.Context, a figure.Asked) (*page.Page, error) {
	l, err := p.list(ctx, a, "/turned", nil)
	if err != nil {
		return nil, err
	}
	l.ask.Turned = true
	out := &page.Page{Template: "detail", Title: "What stands otherwise than before", Nav: figure.Home}
	if !l.ask.Since.IsZero() {
		out.Facts = append(out.Facts, page.Say("Judged since", page.Moment(l.ask.Since)))
	}
	s, err := p.section(ctx, l, "What turned", "Everything stands as before.")
	out.Sections = []page.Section{s}
	return out, err
}

// Blocked lists changes that controls hold up.
func (p *Pages) Blocked(ctx context.Context, a figure.Asked) (*page.Page, error) {
	after, ok := verdicts.ParsePlace(a.After)
	if !ok {
		return nil, figure.Wrong("The place after which the list goes on cannot be read: begin at its first page.")
	}
	limit := figure.PageSize
	if a.Data {
		limit = figure.RowsAsData
	}
	found, err := p.Verdicts.Blocked(ctx, after, limit+1)
	if err != nil {
		return nil, err
	}
	s := page.Section{ID: "blocked", Title: "Changes"}
	if len(found) > limit {
		found = found[:limit]
		s.Next = page.Text("next →").At(figure.Address("/blocked", "after", found[limit-1].Place.String()))
	}
	s.Table = &page.Table{
		ID: "blocked", Caption: "Changes that an enforced control does not let pass, the latest verdicts first", Data: figure.Home + "/blocked?format=",
		Columns: page.Head("change", "title", "repository", "#fail", "#unknown", "#waived", "#pass", "judged", "because of", "came in"), Command: page.SQL("SELECT change, failed, unknown, waived FROM v1_assessment WHERE blocks = 1 ORDER BY evaluated DESC"), Empty: "No change is held up. Controls hold changes up where the policy enforces them.",
	}
	for _, v := range found {
		at := page.Href(v.Change) + "#controls"
		s.Table.Add(figure.Change(v.Change), page.Title(page.Short(160, v.Title)), page.To(v.Repository, page.ShortName(v.Repository)), page.Number(v.Failed).At(at), page.Number(v.Unknown).At(at),
			page.Number(v.Waived).At(at), page.Number(v.Passed).At(at), page.Moment(v.Evaluated), page.Text(v.Trigger), page.Moment(v.Merged))
	}
	return &page.Page{Template: "detail", Title: "Changes that are held up", Nav: figure.Home, Sections: []page.Section{s}}, nil
}
