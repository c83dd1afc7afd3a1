package sourced

import (
	"context"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/inbox"
)

// lettersShown bounds the lists of deliveries that went wrong.
const lettersShown = 100

// hookTable says how each source of webhooks fares.
func (p *Pages) hookTable(ctx context.Context) (*page.Table, error) {
	t := &page.Table{
		ID: "webhooks", Caption: "Systems that report here, and how they fare",
		Columns: page.Head("source", "system", "speaks for", "last event", "lag", "#received", "#repeated", "#pending", "#dead letters", "#turned away", "last turned away"),
		Empty:   "Nothing reports here. README.md says how to connect a forge.", Command: "stemma deliveries --only sources",
	}
	if p.Inbox == nil {
		return t, nil
	}
	sources, err := p.Inbox.Health(ctx)
	for _, s := range sources {
		lag := "none"
		if !s.Oldest.IsZero() {
			lag = page.Ago(p.Now().Sub(s.Oldest))
		}
		t.Add(page.Text(s.Source), page.Text(s.System), page.Text(host(s.Host)), page.Moment(s.Last), page.Text(lag), page.Number(s.Accepted), page.Number(s.Repeated),
			page.Number(s.Pending), page.Number(s.Refused).At("#letters"), page.Number(s.Turned).At("#turned"), page.Moment(s.LastTurn))
	}
	return t, err
}

// host says of which host a source may speak.
func host(bound string) string {
	switch bound {
	case "":
		return "any host"
	case inbox.Unlearnt:
		return "the host of its first delivery"
	}
	return bound
}

// fetchTable says what was fetched last from each place, and what webhooks had not told.
func (p *Pages) fetchTable(ctx context.Context) (*page.Table, error) {
	t := &page.Table{
		ID: "fetched", Caption: "What was fetched from forges and trackers the last time, and what had not been told before",
		Columns: page.Head("system", "place", "begun", "state", "#looked at", "#absent", "#different", "not read"),
		Empty:   "Nothing was fetched. docs/sources.md says how webhooks that got lost are made up for.", Command: "stemma deliveries --only fetched",
	}
	syncs, err := p.Space.Syncs(ctx)
	for _, s := range syncs {
		state := "complete"
		if s.Ended.IsZero() {
			state = "broken off"
		}
		t.Add(page.Text(s.System), page.Text(s.Place), page.Moment(s.Began), page.Text(state), page.Number(s.Looked), page.Number(s.Absent),
			page.Number(s.Different), page.Text(strings.Join(s.Unread(), ", ")))
	}
	return t, err
}

// letterTable lists the deliveries that could not become facts.
func (p *Pages) letterTable(ctx context.Context) (*page.Table, error) {
	t := &page.Table{
		ID: "letters", Caption: "Deliveries that were accepted and cannot be read, the latest first",
		Columns: page.Head("id", "source", "event", "received", "#bytes", "reason", "replay"),
		Empty:   "Everything that was accepted could be read.", Command: "stemma deliveries --only dead",
	}
	t.Post = p.Replay
	if p.Inbox == nil {
		return t, nil
	}
	letters, err := p.Inbox.Letters(ctx, lettersShown)
	for _, l := range letters {
		t.Add(page.Mono(strconv.FormatInt(l.ID, 10)), page.Text(l.Source), page.Text(l.Event), page.Moment(l.Received), page.Number(l.Size), page.Text(l.Reason), p.again(l.ID))
	}
	return t, err
}

// again is how a dead letter is read once more, which makes sense after an update: with a
// button, where that is allowed.
func (p *Pages) again(letter int64) page.Cell {
	id := strconv.FormatInt(letter, 10)
	cell := page.Mono("stemma deliveries replay " + id)
	if p.Replay != "" {
		cell.Text, cell.Class, cell.Press = "Read again", "", &page.Press{Name: "id", Value: id, Label: "Read dead letter " + id + " again"}
	}
	return cell
}

// turnedTable lists the deliveries that were not accepted.
func (p *Pages) turnedTable(ctx context.Context) (*page.Table, error) {
	t := &page.Table{
		ID: "turned", Caption: "Deliveries that were not accepted, the latest first: of each source, the last hundred are listed",
		Columns: page.Head("id", "source", "event", "received", "#bytes", "reason"),
		Empty:   "Nothing was turned away.", Command: "stemma deliveries --only turned",
	}
	if p.Inbox == nil {
		return t, nil
	}
	turned, err := p.Inbox.TurnedAway(ctx, lettersShown)
	for _, x := range turned {
		t.Add(page.Mono(strconv.FormatInt(x.ID, 10)), page.Text(x.Source), page.Text(x.Event), page.Moment(x.Received), page.Number(x.Size), page.Text(x.Reason))
	}
	return t, err
}
