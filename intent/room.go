// Package intent keeps why something was done: requirements and tickets.
//
// Refs: ticket:TRACKER/KEY, where TRACKER is "jira", "linear", "azure-boards"
// or the host of a forge, as in ticket:github.com/acme/pay#17; and
// requirement:SOURCE/KEY.
//
// A ticket's doors lead up to the requirement it serves and the ticket it is a part
// of; a ticket that was given another key is one thing under both.
//
// The package also finds tickets and requirements in text: branch names,
// messages, trailers. It is a pure function of that text and never asks a
// tracker whether a ticket exists; what it finds is a claim with its method.
package intent

import "github.com/stemma-dev/stemma"

// Room declares the kinds of this package.
var Room = stemma.Room{Name: "intent", Kinds: []stemma.KindSpec{requirementSpec, ticketSpec}}

var requirementSpec = stemma.KindSpec{
	Kind: stemma.KindRequirement, Stage: stemma.StageRequirement,
	Doc: "something that the software has to do",
	Columns: []stemma.Column{
		{Name: "source", Type: stemma.Text, Index: true, Doc: "where it is written down"},
		{Name: "key", Type: stemma.Text, Index: true, Doc: "its name there"},
		{Name: "title", Type: stemma.Text, Doc: "its title"},
		{Name: "url", Type: stemma.Text, Doc: "to browse"},
	},
}

var ticketSpec = stemma.KindSpec{
	Kind: stemma.KindTicket, Stage: stemma.StageTicket,
	Doc: "a piece of work that somebody asked for",
	Columns: []stemma.Column{
		{Name: "tracker", Type: stemma.Text, Index: true, Doc: "jira, linear, or the host of a forge"},
		{Name: "key", Type: stemma.Text, Index: true, Doc: "its name there: PAY-17, acme/pay#17"},
		{Name: "title", Type: stemma.Text, Doc: "its title"},
		{Name: "url", Type: stemma.Text, Doc: "to browse"},
		{Name: "state", Type: stemma.Text, Doc: "as the tracker says"},
		{Name: "type", Type: stemma.Text, Index: true, Doc: "as the tracker says: Bug, Story"},
		{Name: "opened", Type: stemma.Time, Doc: "when it was asked for"},
		{Name: "closed", Type: stemma.Time, Doc: "when it was done with"},
		{Name: "reporter", Type: stemma.Link, Doc: "who asked for it"},
	},
	Doors: []stemma.Door{
		{Name: "refines", To: []stemma.Kind{stemma.KindRequirement}, Flow: stemma.Up, Doc: "requirements it serves"},
		{Name: "part-of", To: []stemma.Kind{stemma.KindTicket}, Flow: stemma.Up, Doc: "the larger piece of work that it belongs to"},
		{Name: "same-as", To: []stemma.Kind{stemma.KindTicket}, Flow: stemma.Both, Doc: "other names that it has had"},
		{Name: "reporter", To: []stemma.Kind{stemma.KindPerson, stemma.KindBot}, Doc: "who asked for it"},
	},
}
