package statement

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/stemma-dev/stemma/attest"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/ingest/note"
)

// A Statement is an attestation as far as it can be told without verifying it.
// It was found, not believed: no signature was checked. An envelope whose
// payload is no statement has a payload type and no predicate type.
type Statement struct {
	Form          string // "bundle", "dsse" or "statement", from the outside in
	Media         string // media type of a bundle
	PayloadType   string // of the envelope
	StatementType string // "https://in-toto.io/Statement/v1"
	PredicateType string
	Subjects      []Subject
	Certificate   bool     // a bundle that carries a signer's certificate
	Builder       string   // of provenance: who says that it built the subjects
	Sources       []Source // of provenance: the commits that it says they were built of
	Signed        attest.Envelope

	Line int    // where it begins in the note
	Raw  []byte // its bytes, sharing the memory of the note
}

// Subject is one thing that a statement is about.
type Subject struct {
	Name, URI string
	Digests   []Digest
}

// Digest is a digest under the name of its algorithm: "gitCommit",
// "gitTree", "sha256", "sha1".
type Digest struct{ Algorithm, Value string }

// Limits of one statement.
const (
	maxSubjects   = 10_000
	maxSignatures = 100
	maxFailures   = 8 // multi-line values that may be damaged before lines are read one by one
)

// NoAttestation is the reason of the one problem of a note that holds none.
const NoAttestation = "no attestation in the note"

// Parse reads a note that holds attestations: envelopes, bundles or
// bare statements, one on a line, or written over several lines. A note that
// holds none, such as what a person wrote, has one problem that says so.
func Parse(b []byte) ([]Statement, []note.Problem) {
	var list []Statement
	var bad note.Problems
	if len(b) > note.MaxRecord {
		bad.Add("the note is too large", "note of %d bytes", len(b))
		return nil, bad
	}
	line, failures := 1, 0
	for len(b) > 0 {
		if c := b[0]; c == '\n' || c == ' ' || c == '\t' || c == '\r' {
			if c == '\n' {
				line++
			}
			b = b[1:]
			continue
		}
		raw, multi := nextValue(b, failures < maxFailures)
		switch {
		case raw == nil:
			if b[0] == '{' {
				failures++
				bad.Add("damaged JSON", "line %d", line)
			} else {
				bad.Add("text that is not JSON", "line %d", line)
			}
			raw, _, _ = bytes.Cut(b, []byte("\n"))
		default:
			s, why := parseStatement(raw, line)
			if why != "" {
				bad.Add(why, "line %d", line)
			}
			if s.Form != "" {
				list = append(list, s)
			}
		}
		if multi {
			line += bytes.Count(raw, []byte("\n"))
		}
		b = b[len(raw):]
	}
	if len(list) == 0 {
		return nil, note.Problems{{Place: "line 1", Reason: NoAttestation, Count: 1}}
	}
	return list, bad
}

// nextValue returns the JSON object at the start of b: on its line, or, if
// allowed, over several.
func nextValue(b []byte, several bool) (raw []byte, multi bool) {
	if b[0] != '{' {
		return nil, false
	}
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		end = len(b)
	}
	r := jsonwalk.New(b[:end])
	if raw = r.Raw(); r.Err() == nil {
		return raw, false
	}
	if !several || end == len(b) {
		return nil, false
	}
	r = jsonwalk.New(b)
	if raw = r.Raw(); r.Err() != nil {
		return nil, false
	}
	return raw, true
}

func parseStatement(raw []byte, line int) (s Statement, why string) {
	s.Raw, s.Line = raw, line
	why = s.readOutside(raw)
	return s, why
}

// readOutside reads the members that tell a bundle, an envelope and a bare
// statement apart.
func (s *Statement) readOutside(raw []byte) (why string) {
	var payload string
	var envelope, certificate []byte
	inside := false
	r := jsonwalk.New(raw)
	for name := range r.Object() {
		switch name {
		case "mediaType":
			s.Media = r.Text(200)
		case "verificationMaterial":
			certificate = readMaterial(r)
		case "dsseEnvelope":
			envelope = r.Raw()
		case "media_type", "verification_material", "Content":
			// A program once wrote its own names of a bundle's members.
			s.oldMember(name, r, &envelope)
		case "payloadType":
			s.Signed.PayloadType = r.String()
			s.PayloadType = jsonwalk.Clean(s.Signed.PayloadType, 200)
		case "payload":
			payload = r.String()
		case "signatures":
			s.readSignatures(r)
		case "_type", "predicateType", "predicate_type":
			inside = true
		}
	}
	switch {
	case r.Err() != nil:
		return "damaged JSON"
	case envelope != nil && s.Form == "":
		// What stands beside the envelope is not signed.
		s.Form, s.PayloadType, s.Signed = "bundle", "", attest.Envelope{Certificate: certificate, Bundle: raw}
		return s.readOutside(envelope)
	case payload != "":
		if s.Form == "" {
			s.Form = "dsse"
		}
		body, ok := decodeBase64(payload)
		if !ok {
			return "a payload that is not base64"
		}
		s.Signed.Payload = body
		return s.readInside(body)
	case inside && s.Form == "":
		s.Form = "statement"
		return s.readInside(raw)
	}
	return "neither an envelope nor a statement"
}

func (s *Statement) oldMember(name string, r *jsonwalk.Reader, envelope *[]byte) {
	if name == "media_type" {
		s.Media = r.Text(200)
		return
	}
	for part := range r.Object() {
		if part == "DsseEnvelope" {
			*envelope = r.Raw()
		}
	}
}

// readMaterial reads the certificate of who signed, which is the first of a chain.
func readMaterial(r *jsonwalk.Reader) (der []byte) {
	one := func() {
		for name := range r.Object() {
			if name == "rawBytes" && der == nil {
				der, _ = decodeBase64(r.String()) // what cannot be read is none
			}
		}
	}
	for part := range r.Object() {
		switch part {
		case "certificate":
			one()
		case "x509CertificateChain":
			for name := range r.Object() {
				if name != "certificates" {
					continue
				}
				for range r.Array() {
					one()
				}
			}
		}
	}
	return der
}

func (s *Statement) readSignatures(r *jsonwalk.Reader) {
	s.Signed.Signatures = nil
	for range r.Array() {
		var one attest.Signature
		for name := range r.Object() {
			switch name {
			case "keyid":
				one.KeyID = r.String()
			case "sig":
				one.Sig, _ = decodeBase64(r.String()) // what cannot be read does not hold
			}
		}
		if len(s.Signed.Signatures) < maxSignatures {
			s.Signed.Signatures = append(s.Signed.Signatures, one)
		}
	}
}

// decodeBase64 accepts both alphabets, with and without padding, as DSSE demands.
func decodeBase64(s string) ([]byte, bool) {
	s = strings.NewReplacer("-", "+", "_", "/", "\n", "", "\r", "").Replace(strings.TrimRight(s, "="))
	b, err := base64.RawStdEncoding.DecodeString(s)
	return b, err == nil
}

// readInside reads a statement. gittuf spells its members type and
// predicate_type.
func (s *Statement) readInside(b []byte) (why string) {
	r := jsonwalk.New(b)
	if r.Kind() != '{' {
		return "a payload that is not a JSON object"
	}
	var predicate []byte
	for name := range r.Object() {
		switch name {
		case "_type", "type":
			s.StatementType = r.Text(200)
		case "predicateType", "predicate_type":
			s.PredicateType = r.Text(300)
		case "subject":
			s.Subjects = nil
			for n := range r.Array() {
				if n < maxSubjects {
					s.Subjects = append(s.Subjects, readSubject(r))
				}
			}
		case "predicate":
			predicate = r.Raw()
		}
	}
	if r.End() != nil {
		return "a payload with damaged JSON"
	}
	if IsProvenance(s.PredicateType) && predicate != nil {
		s.readProvenance(predicate)
	}
	if s.PredicateType == "" {
		return "a statement without a predicate type"
	}
	return ""
}

func readSubject(r *jsonwalk.Reader) Subject {
	var s Subject
	for name := range r.Object() {
		switch name {
		case "name":
			s.Name = r.Text(1000)
		case "uri":
			s.URI = r.Text(2000)
		case "digest":
			s.Digests = readDigests(r)
		}
	}
	return s
}

func readDigests(r *jsonwalk.Reader) (list []Digest) {
	for algorithm := range r.Object() {
		d := Digest{jsonwalk.Clean(algorithm, 40), r.Text(200)}
		if len(list) < 16 {
			list = append(list, d)
		}
	}
	return list
}
