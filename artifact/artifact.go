// Package artifact keeps what was built, by digest, and what others attest
// about it.
//
// Refs: artifact:sha256/DIGEST (or another algorithm), attestation:sha256/DIGEST
// of the envelope's bytes.
//
// An artifact's doors lead up to the run and the commit it came from; an
// attestation's lead aside to what it speaks of.
//
// The package does no I/O and verifies nothing: an attestation is unverified
// until whoever verified it says so.
package artifact

import (
	"strings"

	"github.com/stemma-dev/stemma"
)

// Room declares the kinds of this package.
var Room = stemma.Room{
	Name:  "artifact",
	Kinds: []stemma.KindSpec{artifactSpec, attestationSpec},
}

var artifactSpec = stemma.KindSpec{
	Kind: stemma.KindArtifact, Stage: stemma.StageArtifact,
	Doc: "something built, by digest",
	Columns: []stemma.Column{
		{Name: "name", Type: stemma.Text, Index: true, Doc: "where it is published"},
		{Name: "digest", Type: stemma.Text, Index: true, Doc: "algorithm:hex"},
		{Name: "media", Type: stemma.Text, Doc: "media type"},
		{Name: "size", Type: stemma.Int, Doc: "bytes"},
	},
	Doors: []stemma.Door{
		{Name: "built-by", To: []stemma.Kind{stemma.KindRun}, Flow: stemma.Up, Doc: "run that built it"},
		{Name: "from", To: []stemma.Kind{stemma.KindCommit}, Flow: stemma.Up, Doc: "commit it was built from"},
	},
}

var attestationSpec = stemma.KindSpec{
	Kind: stemma.KindAttestation,
	Doc:  "a statement by somebody else, kept with its bytes",
	Columns: []stemma.Column{
		{Name: "predicate_type", Type: stemma.Text, Index: true, Doc: "what it states"},
		{Name: "payload_type", Type: stemma.Text, Doc: "media type of what is signed"},
		{Name: "media", Type: stemma.Text, Doc: "media type of the envelope"},
		{Name: "place", Type: stemma.Text, Doc: "where it was read"},
		{Name: "verified", Type: stemma.Bool, Doc: "its signature was checked and holds"},
		{Name: "subjects", Type: stemma.Int, Doc: "how many things it speaks of"},
		{Name: "signer_hint", Type: stemma.Text, Doc: "who it says signed, unverified"},
	},
	Doors: []stemma.Door{
		{Name: "about", To: []stemma.Kind{stemma.KindCommit, stemma.KindArtifact, stemma.KindRelease}, Doc: "what it speaks of"},
	},
}

// An Artifact is something built.
type Artifact struct {
	Name   string `json:"name,omitempty"` // where it is published
	Digest string `json:"digest"`         // "sha256:…", lower-case
	Media  string `json:"media,omitempty"`
	Size   int    `json:"size,omitempty"` // bytes

	BuiltBy  []stemma.Edge `json:"-" door:"built-by"`
	From     []stemma.Edge `json:"-" door:"from"`
	Occurred stemma.Moment `json:"-" fact:"occurred"`
}

// Ref names what has the given digest, written "algorithm:hex". It is empty if
// digest is not of that form.
func Ref(digest string) stemma.Ref {
	algorithm, hex, ok := strings.Cut(digest, ":")
	if !ok || algorithm == "" || hex == "" || strings.Trim(hex, "0123456789abcdef") != "" ||
		strings.Trim(algorithm, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return ""
	}
	return stemma.NewRef(stemma.KindArtifact, algorithm, hex)
}

// Ref names the artifact.
func (a Artifact) Ref() stemma.Ref { return Ref(a.Digest) }

// Fact states the artifact.
func (a Artifact) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, a, source, grade)
}

// FromFact reads what Fact wrote.
func FromFact(f stemma.Fact) (Artifact, error) { return stemma.Recall[Artifact](Room, f) }

// An Attestation is a statement by somebody else. Its bytes are a body.
type Attestation struct {
	ID            stemma.Ref `json:"-" fact:"subject"` // see [AttestationRef]
	PredicateType string     `json:"predicate_type,omitempty"`
	PayloadType   string     `json:"payload_type,omitempty"`
	Media         string     `json:"media,omitempty"` // of the envelope
	Place         string     `json:"place,omitempty"` // where it was read: a ref, a note, a path
	Verified      bool       `json:"verified"`
	Subjects      int        `json:"subjects,omitempty"`
	SignerHint    string     `json:"signer_hint,omitempty"` // who it says signed, unverified

	About    []stemma.Edge `json:"-" door:"about"`
	Occurred stemma.Moment `json:"-" fact:"occurred"`
	Bodies   []stemma.Body `json:"-" fact:"bodies"` // the envelope
}

// AttestationRef names the attestation whose bytes have the given digest.
func AttestationRef(d stemma.Digest) stemma.Ref {
	return stemma.NewRef(stemma.KindAttestation, "sha256", d.String())
}

// Ref names the attestation.
func (a Attestation) Ref() stemma.Ref { return a.ID }

// Fact states the attestation.
func (a Attestation) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, a, source, grade)
}

// AttestationFromFact reads what Fact wrote.
func AttestationFromFact(f stemma.Fact) (Attestation, error) {
	return stemma.Recall[Attestation](Room, f)
}
