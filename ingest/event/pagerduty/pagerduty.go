// Package pagerduty reads version 3 of PagerDuty's webhooks: incidents.
package pagerduty

import (
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/incident"
	"github.com/stemma-dev/stemma/ingest/event"
)

// Source is the source of its incidents.
const Source = "pagerduty"

// ID is what PagerDuty calls a delivery: its header names the subscription.
func ID(body event.Value) string { return body.At("event", "id").Name() }

// steps is the order of what happens to an incident at one time.
const steps = "triggered acknowledged delegated escalated priority_updated reassigned resolved reopened"

// Read reads one delivery.
func Read(d event.Delivery, who func(event.Account) stemma.Ref) (*event.Reading, error) {
	body, err := event.Parse(d.Body)
	if err != nil {
		return nil, err
	}
	told := body.At("event")
	name, ok := strings.CutPrefix(told.At("event_type").Name(), "incident.")
	data := told.At("data")
	if !ok || data.At("type").Text(40) != "incident" {
		return event.Skip("no room keeps what the event %.60q tells", told.At("event_type").Name()), nil
	}
	r := event.New(who)
	at := told.At("occurred_at").Moment()
	i := incident.Incident{
		Source: Source, Key: data.At("id").Name(), Title: data.At("title").Title(), State: data.At("status").Name(),
		Severity: event.First(data.At("priority", "summary"), data.At("urgency")).Name(), Service: data.At("service", "summary").Name(),
		URL: data.At("html_url").URL(), Opened: data.At("created_at").Moment(),
	}
	if i.Key == "" {
		r.Problem("event.data.id", "it is missing")
		return r, nil
	}
	if name == "triggered" && i.Opened == 0 {
		i.Opened = at
	}
	if name == "resolved" {
		i.Resolved = at
	}
	r.State(i, event.Order(at, event.Step(name, steps)))
	return r, nil
}
