// Package reported turns what a pipeline reports, one envelope at a time, into facts. An
// envelope is what "stemma record" sends to a server, or hands to a local store: JSON,
// described in docs/record.md, of version 1.
//
// One function does it, [Take]: whoever takes deliveries out of the inbox calls it with
// the bytes of one. It appends through ingest.Writer, states again what was stated
// before only in the same bytes, and refuses with a [BadError] what is no envelope.
//
// Whoever knows the token may report anything, so nothing is better than grade C: what
// the environment of a job told, where it was told. What somebody declared is grade D.
package reported

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/incident"
	"github.com/stemma-dev/stemma/ingest/ci"
	"github.com/stemma-dev/stemma/ingest/evidence"
	"github.com/stemma-dev/stemma/pipeline"
)

// Source is what facts of this package come from.
const Source = "record"

// Deliveries is the source of envelopes in the inbox. No address for webhooks can be
// called so.
const Deliveries = "stemma/record"

// Version is that of the envelopes which this program writes and reads.
const Version = 1

// MaxEnvelope is how many bytes an envelope may have.
const MaxEnvelope = 24 << 20

// MaxReport is how many bytes of a report go into an envelope. Of a larger one only what
// was read of it does.
const MaxReport = evidence.MaxKept + 1<<20 // marks may be longer than what they stand for

// How a link is known, beside ci.Method.
const (
	MethodDeclared = "declared"    // somebody wrote it down, in a flag
	MethodTree     = "work-tree"   // it is the HEAD of where the program stands
	methodSubject  = "bom-subject" // the bill of materials names its digest
)

// The kinds of envelopes.
const (
	KindRun         = "run"
	KindTest        = "test"
	KindScan        = "scan"
	KindBom         = "bom"
	KindArtifact    = "artifact"
	KindDeploy      = "deploy"
	KindIncident    = "incident"
	KindSnapshot    = "snapshot"
	KindAttestation = "attestation"
)

// Kinds are all of them.
var Kinds = []string{KindRun, KindTest, KindScan, KindBom, KindArtifact, KindDeploy, KindIncident, KindSnapshot, KindAttestation}

// An Envelope is one thing that a pipeline reports. Beside what every one has, it has
// what its kind is about. Records are written as their rooms keep them; what a sender
// cannot know, such as what explains a thing that runs, is not taken from it.
type Envelope struct {
	V      int           `json:"v"`
	Key    string        `json:"key"` // the same key is the same report, however often it comes
	Kind   string        `json:"kind"`
	At     stemma.Moment `json:"at"`
	Sender string        `json:"sender,omitempty"` // the program, with its version

	Run    ci.Pipeline `json:"run,omitzero"`     // where it is reported from; outside of a pipeline without a run
	Method string      `json:"method,omitempty"` // how the commit is known

	State        *State          `json:"state,omitempty"`
	File         string          `json:"file,omitempty"` // the report's, which tells apart several of one job
	Tests        []pipeline.Test `json:"tests,omitempty"`
	Scans        []pipeline.Scan `json:"scans,omitempty"`
	Bom          *artifact.Bom   `json:"bom,omitempty"`
	Subjects     []string        `json:"subjects,omitempty"` // digests that the bill of materials names
	Of           []string        `json:"of,omitempty"`       // digests that it is declared to be of
	Artifacts    []Artifact      `json:"artifacts,omitempty"`
	Attestations [][]byte        `json:"attestations,omitempty"` // of artifacts or by themselves: statements as they were signed, one each
	Deployment   *Deployment     `json:"deployment,omitempty"`
	Incident     *Incident       `json:"incident,omitempty"`
	Snapshot     *Snapshot       `json:"snapshot,omitempty"`
	Report       *Report         `json:"report,omitempty"`
}

// A State says how a run stands.
type State struct {
	Name       string        `json:"name,omitempty"`
	Status     string        `json:"status,omitempty"`
	Conclusion string        `json:"conclusion,omitempty"`
	Started    stemma.Moment `json:"started,omitempty"`
}

// An Artifact is something built, with other digests of the same thing.
type Artifact struct {
	artifact.Artifact
	Same   []string `json:"same,omitempty"`
	Method string   `json:"method,omitempty"` // how they are known to be the same
}

// A Deployment is a version put into an environment.
type Deployment struct {
	ID          string   `json:"id,omitempty"` // as its system calls it; made of the rest if it does not
	Environment string   `json:"environment"`
	Tier        string   `json:"tier,omitempty"`
	Service     string   `json:"service,omitempty"`
	Version     string   `json:"version,omitempty"`
	Status      string   `json:"status,omitempty"`
	Task        string   `json:"task,omitempty"` // deploy, rollback
	URL         string   `json:"url,omitempty"`
	Artifacts   []string `json:"artifacts,omitempty"` // digests
	Commit      string   `json:"commit,omitempty"`    // declared; without it, and without artifacts, that of the run
}

// An Incident is something that broke.
type Incident struct {
	incident.Incident
	Environment string       `json:"where,omitempty"`
	Causes      []stemma.Ref `json:"causes,omitempty"` // confirmed by whoever reports it
}

// A Snapshot is what was seen to run.
type Snapshot struct {
	Environment string               `json:"environment"`
	Format      string               `json:"format,omitempty"`
	Running     []deployment.Running `json:"running"`
	Artifacts   []Artifact           `json:"artifacts,omitempty"`
}

// A Report is the file that was read, without secrets.
type Report struct {
	Name  string `json:"name"`
	Media string `json:"media"`
	Body  []byte `json:"body"`
}

// A BadError says why something is no envelope.
type BadError struct{ Why string }

func (e *BadError) Error() string { return "reported: " + e.Why }

func bad(format string, args ...any) error { return &BadError{fmt.Sprintf(format, args...)} }

// Seal gives an envelope its version and, if it has none, the key that what it says makes.
func (e *Envelope) Seal() ([]byte, error) {
	e.V = Version
	if e.Key == "" {
		b, err := json.Marshal(e)
		if err != nil {
			return nil, fmt.Errorf("reported: writing an envelope: %w", err)
		}
		sum := stemma.Sum(b)
		e.Key = hex.EncodeToString(sum[:16])
	}
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("reported: writing an envelope: %w", err)
	}
	if len(b) > MaxEnvelope {
		return nil, bad("it has %d bytes, more than %d", len(b), MaxEnvelope)
	}
	return b, nil
}

// keyBytes are those that a key may have.
const keyBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:"

// maxList is how many results, artifacts or digests one envelope may have.
const maxList = 1000

// maxKey is how long a key may be.
const maxKey = 200

// Decode reads an envelope and checks what holds of every one.
func Decode(raw []byte) (*Envelope, error) {
	if hasZero(raw) {
		return nil, bad("one of its texts has a zero byte")
	}
	if len(raw) > MaxEnvelope {
		return nil, bad("it has %d bytes, more than %d", len(raw), MaxEnvelope)
	}
	var head struct {
		V *int `json:"v"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return nil, bad("it is not JSON of an envelope")
	}
	if head.V == nil || *head.V != Version {
		return nil, bad("its version is not %d, which this program reads", Version)
	}
	e := &Envelope{}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields() // what is not understood is not taken for said
	if err := d.Decode(e); err != nil {
		return nil, bad("it has a member that version %d does not have, or of another type", Version)
	}
	return e, e.check()
}

func (e *Envelope) check() error {
	if err := errors.Join(e.checkForm(), e.checkRefs()); err != nil {
		return err
	}
	return e.checkAttestations()
}

func (e *Envelope) checkAttestations() error {
	for i, raw := range e.Attestations {
		if _, why := attestation(raw); why != "" {
			return bad("its attestation %d is none: %s", i+1, why)
		}
	}
	return nil
}

// refs are what the envelope names by itself.
func (e *Envelope) refs() (refs []stemma.Ref) {
	if e.Incident != nil {
		refs = append(refs, e.Incident.Causes...)
	}
	if e.Snapshot != nil {
		for _, r := range e.Snapshot.Running {
			refs = append(refs, r.Artifact)
		}
	}
	return refs
}

func (e *Envelope) checkRefs() error {
	for _, ref := range e.refs() {
		if ref != "" && !ref.Valid() {
			return bad("%.100q names nothing: a ref is a kind, a colon and a key", string(ref))
		}
	}
	return nil
}

func (e *Envelope) checkForm() error {
	switch {
	case e.Key == "" || len(e.Key) > maxKey || strings.Trim(e.Key, keyBytes) != "":
		return bad("its key is empty, longer than %d bytes, or has other characters than letters, digits and -_.:", maxKey)
	case !slices.Contains(Kinds, e.Kind):
		return bad("its kind %.40q is none of %s", e.Kind, strings.Join(Kinds, ", "))
	case e.At == 0:
		return bad("it does not say when it happened")
	case !slices.Contains([]string{"", ci.Method, MethodDeclared, MethodTree}, e.Method):
		return bad("its method %.40q is not known", e.Method)
	case e.Run.Commit != "" && commitRef(e.Run.Commit) == "":
		return bad("its commit is not named whole")
	}
	has := map[string]bool{
		KindRun: e.State != nil, KindTest: len(e.Tests) > 0, KindScan: len(e.Scans) > 0, KindBom: e.Bom != nil, KindArtifact: len(e.Artifacts) > 0,
		KindDeploy: e.Deployment != nil, KindIncident: e.Incident != nil, KindSnapshot: e.Snapshot != nil,
		KindAttestation: len(e.Attestations) > 0 && e.Kind != KindArtifact,
	}
	for _, kind := range Kinds {
		if has[kind] != (kind == e.Kind) {
			return bad("it is of kind %s, and what it has is not", e.Kind)
		}
	}
	seen := 0
	if e.Snapshot != nil {
		seen = len(e.Snapshot.Artifacts)
	}
	for name, n := range map[string]int{"tests": len(e.Tests), "scans": len(e.Scans), "artifacts": len(e.Artifacts), "attestations": len(e.Attestations), "configurations": len(e.Run.Configs), "digests": len(e.Subjects) + len(e.Of)} {
		if n > maxList {
			return bad("it has more than %d %s", maxList, name)
		}
	}
	if seen > maxRunning {
		return bad("its snapshot shows more than %d artifacts", maxRunning)
	}
	for _, list := range [][]string{e.Subjects, e.Of} {
		if err := digests(list); err != nil {
			return err
		}
	}
	return nil
}

func digests(list []string) error {
	for _, d := range list {
		if artifact.Ref(d) == "" {
			return bad("%.80q is no digest", d)
		}
	}
	return nil
}

// hasZero reports whether a text of a JSON document has a zero byte, which no store
// takes. A backslash before the escape may be escaped itself.
func hasZero(raw []byte) bool {
	escape := []byte(`\u0000`)
	for from := 0; ; {
		at := bytes.Index(raw[from:], escape)
		if at < 0 {
			return false
		}
		at += from
		before := at
		for before > 0 && raw[before-1] == '\\' {
			before--
		}
		if (at-before)%2 == 0 {
			return true
		}
		from = at + len(escape)
	}
}
