// Package incidentio reads the webhooks of incident.io: incidents by their reference,
// such as INC-123. Of private incidents nothing but an id is told.
package incidentio

import (
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/incident"
	"github.com/stemma-dev/stemma/ingest/event"
)

// Source is the source of its incidents.
const Source = "incident.io"

// Read reads one delivery. What it tells of is in the member that its type names.
func Read(d event.Delivery, who func(event.Account) stemma.Ref) (*event.Reading, error) {
	body, err := event.Parse(d.Body)
	if err != nil {
		return nil, err
	}
	name := body.At("event_type").Name()
	if !strings.HasPrefix(name, "public_incident.incident_") {
		return event.Skip("no room keeps what the event %.60q tells", name), nil
	}
	told := body.At(name)
	data := told
	if inner := told.At("incident"); inner.Object() {
		data = inner
	}
	r := event.New(who)
	status := event.First(data.At("incident_status"), told.At("new_status"))
	i := incident.Incident{
		Source: Source, Key: data.At("reference").Name(), Title: data.At("name").Title(), Severity: data.At("severity", "name").Name(),
		State: status.At("name").Name(), Opened: data.At("created_at").Moment(), URL: data.At("permalink").URL(),
	}
	if i.Key == "" {
		r.Problem(name+".reference", "it is missing")
		return r, nil
	}
	asOf := event.First(data.At("updated_at"), data.At("created_at")).Moment()
	if c := status.At("category").Text(40); c == "closed" || c == "learning" {
		i.Resolved = resolved(data, asOf)
	}
	r.State(i, event.Order(asOf, event.Step(name, "public_incident.incident_created_v2 public_incident.incident_updated_v2 public_incident.incident_status_updated_v2")))
	return r, nil
}

// resolved is when an incident was over: as somebody noted it, or when that was told.
func resolved(data event.Value, told stemma.Moment) stemma.Moment {
	for v := range data.At("incident_timestamp_values").Items() {
		if strings.HasPrefix(strings.ToLower(v.At("incident_timestamp", "name").Text(60)), "resolved") {
			if at := v.At("value", "value").Moment(); at != 0 {
				return at
			}
		}
	}
	return told
}
