package page

import "time"

// Leads are what may have caused something, the likeliest first.
type Leads struct {
	List  []Lead
	Table *Table // the same as rows
	// Post is where a form sends what a person found out; where it is empty, Closed says
	// why there is no form.
	Post, Closed string
}

// A Lead is one of them.
type Lead struct {
	Ref     string
	Points  int
	Thing   Cell
	By      Cell // the deployment that brought it
	Reasons []Reason
	Verdict string // confirmed, rejected, or nothing yet
}

// A Reason is why a lead stands where it stands.
type Reason struct {
	Points int
	Why    string
}

// An Event is one entry of a chronicle.
type Event struct {
	At     time.Time
	Kind   string // a word for what it is: "noticed", "deployed", …
	Things []Cell
	Note   string
}
