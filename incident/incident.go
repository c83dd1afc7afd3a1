// Package incident keeps what broke, and which changes and deployments are its
// confirmed or suspected causes.
//
// Refs: incident:SOURCE/KEY.
//
// Its doors: "caused-by" leads up to a confirmed cause; "suspects" leads aside,
// so that a suspicion never becomes part of a trace, and so does "ruled-out"; "in" leads
// aside to where it broke. Who confirmed a cause or ruled it out stands in its list of
// judgements.
//
// The package does no I/O and never confirms a suspicion by itself.
package incident

import "github.com/stemma-dev/stemma"

// Room declares the kinds of this package.
var Room = stemma.Room{Name: "incident", Kinds: []stemma.KindSpec{{
	Kind: stemma.KindIncident, Stage: stemma.StageIncident,
	Doc: "something that broke",
	Columns: []stemma.Column{
		{Name: "source", Type: stemma.Text, Index: true, Doc: "where it is kept: pagerduty"},
		{Name: "key", Type: stemma.Text, Index: true, Doc: "its name there"},
		{Name: "title", Type: stemma.Text, Doc: "its title"},
		{Name: "severity", Type: stemma.Text, Index: true, Doc: "as its source says"},
		{Name: "state", Type: stemma.Text, Index: true, Doc: "as its source says"},
		{Name: "opened", Type: stemma.Time, Index: true, Doc: "when it was noticed"},
		{Name: "resolved", Type: stemma.Time, Doc: "when it was over"},
		{Name: "url", Type: stemma.Text, Doc: "to browse"},
		{Name: "service", Type: stemma.Text, Index: true, Doc: "what broke"},
		{Name: "environment", Type: stemma.Link, Index: true, Doc: "where it broke"},
	},
	Lists: []stemma.List{
		{Name: "judgement", Doc: "what people found out about its causes, the last word last", Columns: []stemma.Column{
			{Name: "cause", Type: stemma.Link, Index: true, Doc: "what was judged"},
			{Name: "verdict", Type: stemma.Text, Doc: "confirmed or rejected"},
			{Name: "by", Type: stemma.Link, Doc: "who judged"},
			{Name: "at", Type: stemma.Time, Doc: "when"},
			{Name: "reason", Type: stemma.Text, Doc: "why, in their words"},
		}},
	},
	Doors: []stemma.Door{
		{Name: "caused-by", To: causes, Flow: stemma.Up, Doc: "confirmed causes"},
		{Name: "suspects", To: causes, Doc: "suspected causes"},
		{Name: "ruled-out", To: causes, Doc: "what a person found not to be a cause"},
		{Name: "in", To: []stemma.Kind{stemma.KindEnvironment}, Doc: "where it broke"},
	},
}}}

var causes = []stemma.Kind{stemma.KindDeployment, stemma.KindChange, stemma.KindCommit}

// An Incident is something that broke.
type Incident struct {
	Source   string        `json:"source" fact:"authority"` // where it is kept: "pagerduty"
	Key      string        `json:"key"`                     // its name there
	Title    string        `json:"title,omitempty"`
	Severity string        `json:"severity,omitempty"` // as its source says
	State    string        `json:"state,omitempty"`    // as its source says
	Opened   stemma.Moment `json:"opened,omitempty" fact:"occurred"`
	Resolved stemma.Moment `json:"resolved,omitempty"`
	URL      string        `json:"url,omitempty"`
	Service  string        `json:"service,omitempty"` // what broke
	Where    stemma.Ref    `json:"environment,omitempty" door:"in"`

	Judgements []Judgement `json:"judgement,omitzero"`

	CausedBy []stemma.Edge `json:"-" door:"caused-by"`
	Suspects []stemma.Edge `json:"-" door:"suspects"`
	RuledOut []stemma.Edge `json:"-" door:"ruled-out"`
}

// A Judgement is what a person found out about one cause.
type Judgement struct {
	Cause   stemma.Ref    `json:"cause"`
	Verdict string        `json:"verdict" of:"confirmed rejected"`
	By      stemma.Ref    `json:"by,omitempty"`
	At      stemma.Moment `json:"at,omitempty"`
	Reason  string        `json:"reason,omitempty"`
}

// The verdicts.
const (
	Confirmed = "confirmed"
	Rejected  = "rejected"
)

// Ref names the incident that source calls key.
func Ref(source, key string) stemma.Ref { return stemma.NewRef(stemma.KindIncident, source, key) }

// Ref names the incident.
func (i Incident) Ref() stemma.Ref {
	if i.Source == "" || i.Key == "" {
		return ""
	}
	return Ref(i.Source, i.Key)
}

// Fact states the incident.
func (i Incident) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, i, source, grade)
}

// FromFact reads what Fact wrote.
func FromFact(f stemma.Fact) (Incident, error) { return stemma.Recall[Incident](Room, f) }
