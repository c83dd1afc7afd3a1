// Package linear reads the webhooks of Linear: issues become tickets by their
// identifier, such as ENG-12.
package linear

import (
	"strconv"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/intent"
)

// Read reads one delivery.
func Read(d event.Delivery, who func(event.Account) stemma.Ref) (*event.Reading, error) {
	body, err := event.Parse(d.Body)
	if err != nil {
		return nil, err
	}
	if kind := body.At("type").Name(); kind != "Issue" {
		return event.Skip("no room keeps what the event %.60q tells", kind), nil
	}
	r := event.New(who)
	issue := body.At("data")
	t := intent.Ticket{
		Tracker: intent.Linear, Key: identifier(issue), Title: issue.At("title").Title(),
		URL: event.First(body.At("url"), issue.At("url")).URL(), State: issue.At("state", "name").Name(), Opened: issue.At("createdAt").Moment(),
		Closed: event.First(issue.At("completedAt"), issue.At("canceledAt")).Moment(),
	}
	if t.Key == "" {
		r.Problem("data.identifier", "it is missing")
		return r, nil
	}
	if id := event.First(issue.At("creator", "id"), issue.At("creatorId")).Name(); id != "" {
		t.Reporter = r.Account(event.Account{Host: "linear.app", ID: id, Name: issue.At("creator", "name").Name(), Mail: issue.At("creator", "email").Name()})
	}
	if above := identifier(issue.At("parent")); above != "" {
		t.PartOf = []stemma.Edge{{To: intent.TicketRef(intent.Linear, above), Method: "parent"}}
	}
	for old := range issue.At("previousIdentifiers").Items() {
		if was := old.Name(); was != "" && was != t.Key {
			t.SameAs = append(t.SameAs, stemma.Edge{To: intent.TicketRef(intent.Linear, was), Method: "moved"})
		}
	}
	action := body.At("action").Text(20)
	if action == "remove" {
		t.State = "deleted"
	}
	asOf := max(issue.At("updatedAt").Moment(), body.At("createdAt").Moment())
	r.State(t, event.Order(asOf, event.Step(action, "create update remove restore")))
	return r, nil
}

// identifier is what people call an issue.
func identifier(issue event.Value) string {
	if name := issue.At("identifier").Name(); name != "" {
		return name
	}
	team, n := issue.At("team", "key").Name(), issue.At("number").Int()
	if team == "" || n <= 0 {
		return ""
	}
	return team + "-" + strconv.FormatInt(n, 10)
}
