// Package artifact keeps what was built, by digest, what it consists of, and what
// others attest about it.
//
// Refs: artifact:sha256/DIGEST (or another algorithm), bom:sha256/DIGEST of the
// document, attestation:sha256/DIGEST of the envelope's bytes, package:TYPE/PATH of what
// a registry offers.
//
// An artifact's doors lead up to the run and the commit it came from, and both ways
// to the other digests of the same thing: an image has one in its registry and
// another, of its configuration, where it runs. A bill of materials leads up to what
// it lists, an attestation aside to what it speaks of.
//
// A file's digest is the SHA-256 of its bytes. That of a directory is its dirHash, as
// in-toto calls it, and as Go's modules compute it (h1): the SHA-256 of the lines
// "HEX  PATH\n", one for each file, where HEX is the file's SHA-256 and PATH its path
// inside with slashes, in the order of the paths; a symbolic link counts with the text
// that it holds. It is written artifact:dirhash/HEX.
//
// The package does no I/O and verifies nothing: whether the signature of an attestation
// holds depends on whom one trusts, and is found when that is asked.
package artifact

import (
	"strings"

	"github.com/stemma-dev/stemma"
)

// Room declares the kinds of this package.
var Room = stemma.Room{
	Name:  "artifact",
	Kinds: []stemma.KindSpec{artifactSpec, bomSpec, attestationSpec, packageSpec},
}

var artifactSpec = stemma.KindSpec{
	Kind: stemma.KindArtifact, Stage: stemma.StageArtifact,
	Doc: "something built, by digest",
	Columns: []stemma.Column{
		{Name: "name", Type: stemma.Text, Index: true, Doc: "where it is published"},
		{Name: "digest", Type: stemma.Text, Index: true, Doc: "algorithm:hex"},
		{Name: "media", Type: stemma.Text, Doc: "media type"},
		{Name: "size", Type: stemma.Int, Doc: "bytes"},
		{Name: "form", Type: stemma.Text, Doc: "file, directory or image"},
		{Name: "files", Type: stemma.Int, Doc: "of a directory: how many files"},
	},
	Doors: []stemma.Door{
		{Name: "built-by", To: []stemma.Kind{stemma.KindRun}, Flow: stemma.Up, Doc: "run that built it"},
		{Name: "from", To: []stemma.Kind{stemma.KindCommit}, Flow: stemma.Up, Doc: "commit it was built from"},
		{Name: "same-as", To: []stemma.Kind{stemma.KindArtifact}, Flow: stemma.Both, Doc: "another digest of the same thing"},
	},
}

var bomSpec = stemma.KindSpec{
	Kind: stemma.KindBom,
	Doc:  "a bill of materials: what something consists of",
	Columns: []stemma.Column{
		{Name: "format", Type: stemma.Text, Index: true, Doc: "spdx or cyclonedx"},
		{Name: "version", Type: stemma.Text, Doc: "of the format"},
		{Name: "name", Type: stemma.Text, Doc: "what it says it is about"},
		{Name: "serial", Type: stemma.Text, Doc: "what it is called by itself"},
		{Name: "tool", Type: stemma.Text, Doc: "what made it, as it says"},
		{Name: "components", Type: stemma.Int, Doc: "how many parts it lists"},
		{Name: "unresolved", Type: stemma.Int, Doc: "of these, without a version"},
	},
	Lists: []stemma.List{
		{Name: "component", Doc: "what it lists, the first of it", Columns: []stemma.Column{
			{Name: "name", Type: stemma.Text, Index: true, Doc: "as it is called where it comes from"},
			{Name: "version", Type: stemma.Text, Doc: "its version"},
			{Name: "purl", Type: stemma.Text, Index: true, Doc: "its package URL"},
			{Name: "package", Type: stemma.Text, Index: true, Doc: "its package URL without the version, in one spelling"},
			{Name: "source", Type: stemma.Text, Index: true, Doc: "of a package of a distribution, the package URL of what it was built of, in one spelling"},
			{Name: "license", Type: stemma.Text, Doc: "as the document says"},
		}},
	},
	Doors: []stemma.Door{
		{Name: "of", To: []stemma.Kind{stemma.KindArtifact, stemma.KindCommit}, Flow: stemma.Up, Doc: "what consists of it"},
		{Name: "built-by", To: []stemma.Kind{stemma.KindRun}, Flow: stemma.Up, Doc: "run that made it"},
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
		{Name: "subjects", Type: stemma.Int, Doc: "how many things it speaks of"},
		{Name: "signer_hint", Type: stemma.Text, Doc: "who it says signed, unverified"},
		{Name: "builder", Type: stemma.Text, Index: true, Doc: "of provenance: who it says built them, unverified"},
		{Name: "source", Type: stemma.Link, Index: true, Doc: "of provenance: the commit it says they were built of, unverified"},
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
	Form   string `json:"form,omitempty" of:"file directory image"`
	Files  int    `json:"files,omitempty"` // of a directory

	BuiltBy  []stemma.Edge `json:"-" door:"built-by"`
	From     []stemma.Edge `json:"-" door:"from"`
	Same     []stemma.Edge `json:"-" door:"same-as"`
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

// A Bom is a bill of materials. Its bytes may be a body.
type Bom struct {
	ID         stemma.Ref `json:"-" fact:"subject"` // see [BomRef]
	Format     string     `json:"format" of:"spdx cyclonedx"`
	Version    string     `json:"version,omitempty"` // of the format
	Name       string     `json:"name,omitempty"`    // what it says it is about
	Serial     string     `json:"serial,omitempty"`  // what it is called by itself
	Tool       string     `json:"tool,omitempty"`    // what made it, as it says
	Count      int        `json:"components"`
	Unresolved int        `json:"unresolved"` // of these, without a version

	Components []Component `json:"component,omitzero"` // the first of them

	Of       []stemma.Edge `json:"-" door:"of"`
	BuiltBy  []stemma.Edge `json:"-" door:"built-by"`
	Occurred stemma.Moment `json:"-" fact:"occurred"`
	Bodies   []stemma.Body `json:"-" fact:"bodies"` // the document
}

// A Component is one part that a bill of materials lists.
type Component struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	PURL    string `json:"purl,omitempty"`
	Package string `json:"package,omitempty"` // package URL without the version, in one spelling
	Source  string `json:"source,omitempty"`  // likewise, of what a package of a distribution was built of
	License string `json:"license,omitempty"`
}

// BomRef names the bill of materials whose bytes have the given digest.
func BomRef(d stemma.Digest) stemma.Ref { return stemma.NewRef(stemma.KindBom, "sha256", d.String()) }

// Ref names the bill of materials.
func (b Bom) Ref() stemma.Ref { return b.ID }

// Fact states the bill of materials.
func (b Bom) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, b, source, grade)
}

// BomFromFact reads what Fact wrote.
func BomFromFact(f stemma.Fact) (Bom, error) { return stemma.Recall[Bom](Room, f) }

// An Attestation is a statement by somebody else. Its bytes are a body.
type Attestation struct {
	ID            stemma.Ref `json:"-" fact:"subject"` // see [AttestationRef]
	PredicateType string     `json:"predicate_type,omitempty"`
	PayloadType   string     `json:"payload_type,omitempty"`
	Media         string     `json:"media,omitempty"` // of the envelope
	Place         string     `json:"place,omitempty"` // where it was read: a ref, a note, a path
	Subjects      int        `json:"subjects,omitempty"`
	SignerHint    string     `json:"signer_hint,omitempty"` // who it says signed, unverified
	Builder       string     `json:"builder,omitempty"`     // of provenance: who it says built them, unverified
	Source        stemma.Ref `json:"source,omitempty"`      // of provenance: the commit it says they were built of

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
