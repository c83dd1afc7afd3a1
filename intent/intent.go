package intent

import "github.com/stemma-dev/stemma"

// A Ticket is a piece of work that somebody asked for.
type Ticket struct {
	Tracker  string        `json:"tracker" fact:"authority"` // "jira", "linear", "azure-boards" or a host
	Key      string        `json:"key"`                      // its name there: "PAY-17", "acme/pay#17"
	Title    string        `json:"title,omitempty"`
	URL      string        `json:"url,omitempty"`
	State    string        `json:"state,omitempty"` // as the tracker says
	Type     string        `json:"type,omitempty"`  // as the tracker says: "Bug"
	Opened   stemma.Moment `json:"opened,omitempty"`
	Closed   stemma.Moment `json:"closed,omitempty"`
	Reporter stemma.Ref    `json:"reporter,omitempty" door:"reporter"`

	Refines  []stemma.Edge `json:"-" door:"refines"`
	PartOf   []stemma.Edge `json:"-" door:"part-of"`
	SameAs   []stemma.Edge `json:"-" door:"same-as"` // other names that it has had
	Occurred stemma.Moment `json:"-" fact:"occurred"`
}

// TicketRef names a ticket.
func TicketRef(tracker, key string) stemma.Ref {
	return stemma.NewRef(stemma.KindTicket, tracker, key)
}

// Ref names the ticket.
func (t Ticket) Ref() stemma.Ref {
	if t.Tracker == "" || t.Key == "" {
		return ""
	}
	return TicketRef(t.Tracker, t.Key)
}

// Fact states the ticket.
func (t Ticket) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, t, source, grade)
}

// TicketFromFact reads what Fact wrote.
func TicketFromFact(f stemma.Fact) (Ticket, error) { return stemma.Recall[Ticket](Room, f) }

// A Requirement is something that the software has to do.
type Requirement struct {
	Source string `json:"source" fact:"authority"` // where it is written down
	Key    string `json:"key"`                     // its name there
	Title  string `json:"title,omitempty"`
	URL    string `json:"url,omitempty"`

	Occurred stemma.Moment `json:"-" fact:"occurred"`
}

// RequirementRef names a requirement.
func RequirementRef(source, key string) stemma.Ref {
	return stemma.NewRef(stemma.KindRequirement, source, key)
}

// Ref names the requirement.
func (r Requirement) Ref() stemma.Ref {
	if r.Source == "" || r.Key == "" {
		return ""
	}
	return RequirementRef(r.Source, r.Key)
}

// Fact states the requirement.
func (r Requirement) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, r, source, grade)
}

// RequirementFromFact reads what Fact wrote.
func RequirementFromFact(f stemma.Fact) (Requirement, error) {
	return stemma.Recall[Requirement](Room, f)
}
