package identity

import (
	"strings"

	"github.com/stemma-dev/stemma"
)

// Who gives mandates.
const (
	MandateMap    = "role-map"     // the organisation, in its role map
	MandateMember = "forge-member" // a forge: the permission in a repository or group
	MandateTeam   = "forge-team"   // a forge: membership of a team
)

// A Mandate is a role, or membership of a team, that somebody has from a time on.
type Mandate struct {
	Holder     stemma.Ref    `json:"holder" door:"holder"`
	Role       string        `json:"role,omitempty"` // of a forge: empty when it ends
	Team       string        `json:"team,omitempty"` // "@acme/core"
	Host       string        `json:"host,omitempty"` // whose team or permission it is; empty for all
	Repository stemma.Ref    `json:"repository,omitempty"`
	Since      stemma.Moment `json:"since,omitempty" fact:"occurred"`
	Until      stemma.Moment `json:"until,omitempty"`
	Method     string        `json:"method" fact:"authority"`
	Withdrawn  bool          `json:"withdrawn"` // the role map does not say so any more
}

// Ref names the mandate: by whom it is for what and since when, and in a role map
// also by the role, of which somebody may have several there.
func (m Mandate) Ref() stemma.Ref {
	if m.Method == "" || m.Holder == "" || m.Role == "" && m.Team == "" && m.Repository == "" {
		return ""
	}
	parts := []string{string(m.Holder), m.Team, m.Host, string(m.Repository), m.Since.String()}
	if m.Method == MandateMap {
		parts = append(parts, m.Role)
	}
	return stemma.NewRef(stemma.KindMandate, m.Method, stemma.Sum([]byte(strings.Join(parts, "\x00"))).String()[:32])
}

// Fact states the mandate.
func (m Mandate) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, m, source, grade)
}

// MandateFromFact reads what Fact wrote.
func MandateFromFact(f stemma.Fact) (Mandate, error) { return stemma.Recall[Mandate](Room, f) }

// InForce gives those of mandates that hold at a time. Of what a forge says about one
// holder, place and team the last word before that time counts.
func InForce(mandates []Mandate, at stemma.Moment) []Mandate {
	type place struct {
		method, team, host string
		holder, repository stemma.Ref
	}
	last := map[place]stemma.Moment{}
	of := func(m Mandate) place { return place{m.Method, m.Team, m.Host, m.Holder, m.Repository} }
	for _, m := range mandates {
		if m.Method != MandateMap && m.Since <= at {
			last[of(m)] = max(last[of(m)], m.Since)
		}
	}
	var held []Mandate
	for _, m := range mandates {
		switch {
		case m.Since > at, m.Until != 0 && m.Until <= at, m.Withdrawn:
		case m.Method != MandateMap && (m.Role == "" || m.Since < last[of(m)]):
		default:
			held = append(held, m)
		}
	}
	return held
}

var mandateSpec = stemma.KindSpec{
	Kind: stemma.KindMandate,
	Doc:  "a role, or membership of a team, that somebody has from a time on",
	Columns: []stemma.Column{
		{Name: "holder", Type: stemma.Link, Index: true, Doc: "who has it"},
		{Name: "role", Type: stemma.Text, Index: true, Doc: "maintainer, security-reviewer; of a forge empty when it ends"},
		{Name: "team", Type: stemma.Text, Doc: "@acme/core"},
		{Name: "host", Type: stemma.Text, Doc: "whose team or permission it is"},
		{Name: "repository", Type: stemma.Link, Doc: "where it holds; empty for everywhere"},
		{Name: "since", Type: stemma.Time, Doc: "from when on"},
		{Name: "until", Type: stemma.Time, Doc: "from when on not any more"},
		{Name: "method", Type: stemma.Text, Doc: "role-map, forge-member, forge-team"},
		{Name: "withdrawn", Type: stemma.Bool, Doc: "the role map does not say so any more"},
	},
	Doors: []stemma.Door{{Name: "holder", To: holders, Doc: "who has it"}},
}
