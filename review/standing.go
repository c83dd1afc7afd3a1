package review

import (
	"strings"

	"github.com/stemma-dev/stemma"
)

// How it is known as what somebody reviewed.
const (
	StandingOwners  = "codeowners"   // the file of owners at the base, when the review was given
	StandingMap     = "role-map"     // the role map of the organisation
	StandingMember  = "forge-member" // the permission that the forge told of before
	StandingTeam    = "forge-team"   // the team that the forge told of before
	StandingPayload = "forge"        // what the forge said together with the review, see [Review.Role]
)

// A Standing is a role in which somebody gave a review, as it was at that moment. What
// becomes of the role later changes nothing of it.
type Standing struct {
	Review    stemma.Ref    `json:"review" door:"in"`
	Holder    stemma.Ref    `json:"holder,omitempty" door:"holder"`
	Role      string        `json:"role"`
	Method    string        `json:"method"`
	Via       string        `json:"via,omitempty"`                   // the team through which
	File      string        `json:"file,omitempty"`                  // path of the file of owners
	Commit    stemma.Ref    `json:"commit,omitempty" door:"read-at"` // at which it was read
	Owned     int           `json:"owned,omitempty"`                 // files of the change that the reviewer owns
	Files     int           `json:"files,omitempty"`                 // files of the change
	As        stemma.Moment `json:"as_of,omitempty" fact:"occurred"` // when the review was given
	Withdrawn bool          `json:"withdrawn"`                       // what it followed from turned out to be otherwise at that moment
}

// Ref names the standing: there is one for each review, method and role.
func (s Standing) Ref() stemma.Ref {
	if s.Review == "" || s.Role == "" || s.Method == "" {
		return ""
	}
	host, _ := s.Review.Split()
	sum := stemma.Sum([]byte(strings.Join([]string{string(s.Review), s.Method, s.Role}, "\x00")))
	return stemma.NewRef(stemma.KindStanding, host, s.Method+":"+sum.String()[:32])
}

// Fact states the standing.
func (s Standing) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, s, source, grade)
}

// StandingFromFact reads what Fact wrote.
func StandingFromFact(f stemma.Fact) (Standing, error) { return stemma.Recall[Standing](Room, f) }

var standingSpec = stemma.KindSpec{
	Kind: stemma.KindStanding,
	Doc:  "a role in which somebody gave a review, at that moment",
	Columns: []stemma.Column{
		{Name: "review", Type: stemma.Link, Index: true, Doc: "which review"},
		{Name: "holder", Type: stemma.Link, Index: true, Doc: "who gave it"},
		{Name: "role", Type: stemma.Text, Index: true, Doc: "owner, maintainer, security-reviewer"},
		{Name: "method", Type: stemma.Text, Doc: "how it is known: codeowners, role-map, forge-member, forge-team"},
		{Name: "via", Type: stemma.Text, Doc: "team through which"},
		{Name: "file", Type: stemma.Text, Doc: "path of the file of owners"},
		{Name: "commit", Type: stemma.Link, Doc: "at which it was read"},
		{Name: "owned", Type: stemma.Int, Doc: "files of the change that the reviewer owns"},
		{Name: "files", Type: stemma.Int, Doc: "files of the change"},
		{Name: "as_of", Type: stemma.Time, Doc: "when the review was given"},
		{Name: "withdrawn", Type: stemma.Bool, Doc: "it turned out to be otherwise at that moment"},
	},
	Doors: []stemma.Door{
		{Name: "in", To: []stemma.Kind{stemma.KindReview}, Doc: "the review"},
		{Name: "holder", To: []stemma.Kind{stemma.KindPerson, stemma.KindBot}, Doc: "who gave it"},
		{Name: "read-at", To: []stemma.Kind{stemma.KindCommit}, Doc: "the commit at which the file of owners was read"},
	},
}
