// Package review keeps who judged a change, in which role, on which head, and
// with what verdict.
//
// Refs: review:HOST/ID with the id that the forge gives, or a spelling of where
// the review is declared, such as a trailer; standing:HOST/METHOD:DIGEST for a role in
// which a review was given.
//
// Its doors lead down to the change judged, aside to the judge and to the
// commit that the judge saw; from a standing aside to the review, to who gave it and
// to the commit at which its file of owners was read.
//
// The package does no I/O and never takes an approval of one head for that of
// another.
package review

import "github.com/stemma-dev/stemma"

// Room declares the kinds of this package.
var Room = stemma.Room{Name: "review", Kinds: []stemma.KindSpec{reviewSpec, standingSpec}}

var reviewSpec = stemma.KindSpec{
	Kind: stemma.KindReview, Stage: stemma.StageReview,
	Doc: "one judgement of a change",
	Columns: []stemma.Column{
		{Name: "change", Type: stemma.Link, Index: true, Doc: "what was judged"},
		{Name: "reviewer", Type: stemma.Link, Index: true, Doc: "who judged"},
		{Name: "role", Type: stemma.Text, Doc: "as what, as the forge said with it: owner, member"},
		{Name: "verdict", Type: stemma.Text, Index: true, Doc: "approved, rejected, commented, requested"},
		{Name: "head", Type: stemma.Link, Doc: "the commit that was seen"},
		{Name: "tree", Type: stemma.Text, Doc: "hash of the tree that was seen"},
		{Name: "submitted", Type: stemma.Time, Index: true, Doc: "when"},
		{Name: "dismissed", Type: stemma.Bool, Doc: "it no longer counts"},
		{Name: "url", Type: stemma.Text, Doc: "to browse"},
		{Name: "comments", Type: stemma.Int, Doc: "how many remarks it made"},
		{Name: "method", Type: stemma.Text, Doc: "how it is known: event, trailer, attestation"},
	},
	Doors: []stemma.Door{
		{Name: "judges", To: []stemma.Kind{stemma.KindChange}, Flow: stemma.Down, Doc: "what was judged"},
		{Name: "by", To: []stemma.Kind{stemma.KindPerson, stemma.KindBot}, Doc: "who judged"},
		{Name: "saw", To: []stemma.Kind{stemma.KindCommit}, Doc: "the commit that was seen"},
	},
}

// A Review is one judgement of a change.
type Review struct {
	ID        stemma.Ref    `json:"-" fact:"subject"` // see [Ref]
	Change    stemma.Ref    `json:"change,omitempty" door:"judges"`
	Reviewer  stemma.Ref    `json:"reviewer,omitempty" door:"by"`
	Role      string        `json:"role,omitempty"` // as what the reviewer judged, when it was given
	Verdict   string        `json:"verdict,omitempty" of:"approved rejected commented requested"`
	Head      stemma.Ref    `json:"head,omitempty" door:"saw"` // empty if it is not known what was seen
	Tree      string        `json:"tree,omitempty"`
	Submitted stemma.Moment `json:"submitted,omitempty" fact:"occurred"`
	Dismissed bool          `json:"dismissed"`
	URL       string        `json:"url,omitempty"`
	Comments  int           `json:"comments,omitempty"`
	Method    string        `json:"method,omitempty"` // how it is known: "event", "trailer", "attestation"

	Bodies []stemma.Body `json:"-" fact:"bodies"` // what was said
}

// Ref names the review to which a host gave id.
func Ref(host, id string) stemma.Ref { return stemma.NewRef(stemma.KindReview, host, id) }

// Ref names the review.
func (r Review) Ref() stemma.Ref { return r.ID }

// Fact states the review.
func (r Review) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, r, source, grade)
}

// FromFact reads what Fact wrote.
func FromFact(f stemma.Fact) (Review, error) { return stemma.Recall[Review](Room, f) }
