// Package jira reads the webhooks of Jira, Cloud and Data Center.
//
// An issue is a ticket by its key. A key may change when an issue moves; both are then
// names of one thing. An epic, an initiative or a requirement is a requirement too, which
// the issues below it refine.
package jira

import (
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/intent"
)

// Read reads one delivery.
func Read(d event.Delivery, who func(event.Account) stemma.Ref) (*event.Reading, error) {
	body, err := event.Parse(d.Body)
	if err != nil {
		return nil, err
	}
	name := body.At("webhookEvent").Name()
	if !strings.HasPrefix(name, "jira:issue_") {
		return event.Skip("no room keeps what the event %.60q tells", name), nil
	}
	r := event.New(who)
	issue := body.At("issue")
	key := issue.At("key").Name()
	if key == "" {
		r.Problem("issue.key", "it is missing")
		return r, nil
	}
	asOf := event.First(issue.At("fields", "updated"), body.At("timestamp")).Moment()
	t := ticket(r, issue, key, asOf)
	if name == "jira:issue_deleted" {
		t.State, asOf = "deleted", max(asOf, body.At("timestamp").Moment())
	}
	for item := range body.At("changelog", "items").Items() {
		if from := item.At("fromString").Name(); strings.EqualFold(item.At("field").Text(20), "key") && from != "" && from != key {
			t.SameAs = append(t.SameAs, stemma.Edge{To: intent.TicketRef(intent.Jira, from), Method: "moved"})
		}
	}
	r.State(t, event.Order(asOf, event.Step(name, "jira:issue_created jira:issue_updated jira:issue_deleted")))
	return r, nil
}

// requirements are the types of issues that say what the software has to do.
var requirements = map[string]bool{
	"epic": true, "initiative": true, "requirement": true, "business requirement": true, "feature": true, "theme": true, "capability": true,
}

func ticket(r *event.Reading, issue event.Value, key string, asOf stemma.Moment) intent.Ticket {
	fields := issue.At("fields")
	site := site(issue.At("self").URL())
	t := intent.Ticket{
		Tracker: intent.Jira, Key: key, Title: fields.At("summary").Title(), State: fields.At("status", "name").Name(),
		Type: fields.At("issuetype", "name").Name(), Opened: fields.At("created").Moment(), Closed: fields.At("resolutiondate").Moment(),
		Reporter: account(r, site, fields.At("reporter")),
	}
	if site != "" {
		t.URL = site + "/browse/" + key
	}
	if requirements[strings.ToLower(t.Type)] {
		t.Refines = append(t.Refines, required(r, intent.Requirement{Key: key, Title: t.Title, URL: t.URL}, asOf, "issue-type"))
	}
	if parent := fields.At("parent"); parent.At("key").Name() != "" {
		above := parent.At("key").Name()
		t.PartOf = append(t.PartOf, stemma.Edge{To: intent.TicketRef(intent.Jira, above), Method: "parent"})
		if requirements[strings.ToLower(parent.At("fields", "issuetype", "name").Name())] {
			t.Refines = append(t.Refines, required(r, intent.Requirement{Key: above}, 0, "parent"))
		}
	}
	for link := range fields.At("issuelinks").Items() {
		to := event.First(link.At("inwardIssue"), link.At("outwardIssue"))
		if requirements[strings.ToLower(to.At("fields", "issuetype", "name").Name())] && to.At("key").Name() != "" {
			t.Refines = stemma.AddEdge(t.Refines, required(r, intent.Requirement{Key: to.At("key").Name()}, 0, "link"))
		}
	}
	return t
}

// required states a requirement and leads to it.
func required(r *event.Reading, req intent.Requirement, asOf stemma.Moment, method string) stemma.Edge {
	req.Source = intent.Jira
	if asOf == 0 {
		r.Once(req)
	} else {
		r.State(req, asOf)
	}
	return stemma.Edge{To: req.Ref(), Method: method}
}

// site is where people browse, by the address of the interface.
func site(self string) string {
	at := strings.Index(self, "/rest/")
	if at < 0 {
		return ""
	}
	return self[:at]
}

// account is a user: of Cloud by an id, of Data Center by a name.
func account(r *event.Reading, site string, user event.Value) stemma.Ref {
	host, _, _ := change.ParseRemote(site + "/x")
	if host == "" {
		host = intent.Jira
	}
	return r.Account(event.Account{
		Host: host, ID: event.First(user.At("accountId"), user.At("key")).Name(), Login: user.At("name").Name(),
		Name: user.At("displayName").Name(), Mail: user.At("emailAddress").Name(), Bot: user.At("accountType").Text(20) == "app",
	})
}
