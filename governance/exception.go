package governance

import (
	"strings"

	"github.com/stemma-dev/stemma"
)

// An Exception is a control that does not have to be met for a while.
type Exception struct {
	ID         stemma.Ref    `json:"-" fact:"subject"` // see [ExceptionRef]
	Control    string        `json:"control,omitempty"`
	Change     stemma.Ref    `json:"change,omitempty" door:"for"`
	Repository stemma.Ref    `json:"repository,omitempty" door:"for"`
	Reason     string        `json:"reason,omitempty"`
	Emergency  bool          `json:"emergency,omitempty"`
	Owner      stemma.Ref    `json:"owner,omitempty" door:"owner"`
	Approver   stemma.Ref    `json:"approver,omitempty" door:"granted-by"`
	Opened     stemma.Moment `json:"opened,omitempty" fact:"occurred"`
	Approved   stemma.Moment `json:"approved,omitempty"`
	Until      stemma.Moment `json:"until,omitempty"`
	FollowedUp stemma.Moment `json:"followed_up,omitempty"`
	FollowUp   string        `json:"follow_up,omitempty"`
	Withdrawn  stemma.Moment `json:"withdrawn,omitempty"`
}

// ExceptionRef names an exception from a control by an id.
func ExceptionRef(control, id string) stemma.Ref {
	return stemma.NewRef(stemma.KindException, control, id)
}

// Ref names the exception.
func (e Exception) Ref() stemma.Ref { return e.ID }

// Fact states the exception.
func (e Exception) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, e, source, grade)
}

// ExceptionFromFact reads what Fact wrote.
func ExceptionFromFact(f stemma.Fact) (Exception, error) { return stemma.Recall[Exception](Room, f) }

// An Advisory says what is wrong with a model, or with packages.
type Advisory struct {
	ID        stemma.Ref    `json:"-" fact:"subject"` // see [AdvisoryRef]
	Model     string        `json:"model,omitempty"`  // pattern of names
	Malicious bool          `json:"malicious,omitempty"`
	Title     string        `json:"title,omitempty"`
	Severity  string        `json:"severity,omitempty" of:"critical high medium low"`
	URL       string        `json:"url,omitempty"`
	Since     stemma.Moment `json:"since,omitempty"`
	Published stemma.Moment `json:"published,omitempty"`
	Modified  stemma.Moment `json:"modified,omitempty" fact:"occurred"` // as of when this is said
	Withdrawn stemma.Moment `json:"withdrawn,omitempty"`
	Standing  string        `json:"standing,omitempty" of:"open withdrawn"` // by its last word

	Affects []Affected `json:"affects,omitzero"`
}

// An Affected is a step on the way to which versions of a package are affected.
type Affected struct {
	Package   string `json:"package"`             // package URL without a version
	Ecosystem string `json:"ecosystem,omitempty"` // as OSV calls it: by its rules versions are compared
	Range     int    `json:"range"`               // which steps belong together
	Event     string `json:"event" of:"introduced fixed last-affected version unknown"`
	Version   string `json:"version,omitempty"`
}

// AdvisoryRef names an advisory by who tells of it and what they call it.
func AdvisoryRef(source, key string) stemma.Ref {
	return stemma.NewRef(stemma.KindAdvisory, source, key)
}

// Ref names the advisory.
func (a Advisory) Ref() stemma.Ref { return a.ID }

// Fact states the advisory.
func (a Advisory) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, a, source, grade)
}

// AdvisoryFromFact reads what Fact wrote.
func AdvisoryFromFact(f stemma.Fact) (Advisory, error) { return stemma.Recall[Advisory](Room, f) }

// cut divides a digest written "algorithm:hex".
func cut(digest string) (algorithm, hex string) {
	algorithm, hex, _ = strings.Cut(digest, ":")
	return algorithm, hex
}
