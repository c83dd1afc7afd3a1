package decided

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/figure"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/dashboard/verdicts"
)

// Exceptions says what does not have to be met for a while, and what did not.
func (p *Pages) Exceptions(ctx context.Context) (*page.Page, error) {
	open, err := OpenExceptions(ctx, p.Book, figure.RowsAsData)
	if err != nil {
		return nil, err
	}
	ended, err := p.Verdicts.Exceptions(ctx, p.Now(), false)
	if err != nil {
		return nil, err
	}
	t, err := ExceptionTable(ctx, p.Book, ended, "Exceptions that ended, the latest first")
	t.ID, t.Empty, t.Command = "ended", "None has ended.", exceptionsCommand(false, p.Now())
	return &page.Page{Template: "detail", Title: "Exceptions", Nav: figure.Home + "/exceptions", Sections: []page.Section{open, {ID: "ended", Title: "Ended", Table: t}}}, err
}

// OpenExceptions are those that are open, what is overdue first.
func OpenExceptions(ctx context.Context, b *figure.Book, most int) (page.Section, error) {
	open, err := b.Verdicts.Exceptions(ctx, b.Now(), true)
	if err != nil {
		return page.Section{}, err
	}
	now := b.Now()
	slices.SortStableFunc(open, func(a, b verdicts.Exception) int {
		switch x, y := a.Overdue(now) != "", b.Overdue(now) != ""; {
		case x && !y:
			return -1
		case y && !x:
			return 1
		}
		return 0
	})
	all := len(open)
	t, err := ExceptionTable(ctx, b, open[:min(most, all)], "Exceptions that are open, what is overdue first")
	t.Empty, t.Command = "No exception is open. \"stemma exception\" asks for one.", exceptionsCommand(true, now)
	if all > most {
		t.Rest(page.Text("all " + page.Count(all) + " that are open").At(figure.Address("/exceptions")))
	}
	return page.Section{ID: "exceptions", Title: "Open exceptions", Note: "Each is looked at again within 48 hours, and ends on its day: then what it let pass fails again.", Table: t}, err
}

// ExceptionTable lists exceptions with their clocks.
func ExceptionTable(ctx context.Context, b *figure.Book, list []verdicts.Exception, caption string) (*page.Table, error) {
	t := &page.Table{ID: "exceptions", Caption: caption, Columns: page.Head("exception", "control", "for", "reason", "asked for by", "granted by", "opened", "ends", "time left", "follow up", "stands")}
	var refs []stemma.Ref
	for _, e := range list {
		refs = append(refs, e.For, e.Owner, e.Approver)
	}
	called, err := b.Called(ctx, refs...)
	now := b.Now()
	for _, e := range list {
		on := page.Text("all controls")
		if e.Control != "*" {
			on = figure.Control(e.Control)
		}
		granted := page.To(e.Approver, called[e.Approver])
		if granted.Text == "" {
			granted = page.Cell{Text: "nobody yet", Class: "gap"}
		}
		t.Add(page.To(e.Ref, e.Ref.Key()), on, page.To(e.For, called[e.For]), page.Title(page.Short(400, e.Reason)), page.To(e.Owner, called[e.Owner]), granted,
			page.Moment(e.Opened), page.Moment(e.Until), left(e, now), followUp(e, now), stands(e, now))
	}
	return t, err
}

// left is the clock of the end of an exception.
func left(e verdicts.Exception, now time.Time) page.Cell {
	switch {
	case e.Ended(now) != "":
		return page.Text(e.Ended(now))
	case e.Until.IsZero():
		return page.Text("no end: it waives nothing")
	}
	return page.Text(page.Ago(e.Until.Sub(now)))
}

// followUp is the clock of looking at an exception again.
func followUp(e verdicts.Exception, now time.Time) page.Cell {
	switch {
	case !e.FollowedUp.IsZero():
		if e.FollowUp == "" {
			return page.Moment(e.FollowedUp)
		}
		return page.Cell{Parts: []page.Cell{page.Moment(e.FollowedUp), page.Text(page.Short(400, e.FollowUp))}, Class: "title"}
	case e.Due.IsZero():
		return page.Text("since when it stands is not known")
	case now.After(e.Due):
		return page.Text("overdue by " + page.Ago(now.Sub(e.Due)))
	}
	return page.Text("within " + page.Ago(e.Due.Sub(now)))
}

func stands(e verdicts.Exception, now time.Time) page.Cell {
	var words []string
	if e.Emergency {
		words = append(words, "emergency")
	}
	if why := e.Overdue(now); why != "" {
		words = append(words, "overdue: "+why)
	}
	if why := e.Idle(now); why != "" {
		words = append(words, why)
	}
	return page.Text(strings.Join(words, "; "))
}

// exceptionsCommand is the command that lists exceptions, open or ended.
func exceptionsCommand(open bool, now time.Time) string {
	var s figure.Statement
	s.Say("SELECT ref, control, owner, until FROM v1_exception WHERE ")
	if open {
		s.Say("withdrawn IS NULL AND (until IS NULL OR until_us > " + figure.Micro(now) + ")")
	} else {
		s.Say("(withdrawn IS NOT NULL OR until_us <= " + figure.Micro(now) + ")")
	}
	return s.Say(" ORDER BY until").Command()
}
