package statement

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/attest"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// maxAbout bounds the edges of one attestation.
const maxAbout = 1000

// Record makes an unverified attestation of the statement: place is where it
// was read, such as a ref and the object the note is on; seen is a time that
// the place gives. Subjects that are commits or digests of artifacts become
// edges. The bytes are a body that the caller keeps.
func (s Statement) Record(place string, seen time.Time) artifact.Attestation {
	digest := stemma.Sum(s.Raw)
	a := artifact.Attestation{
		ID: artifact.AttestationRef(digest), PredicateType: s.PredicateType, PayloadType: s.PayloadType,
		Media: s.Media, Place: jsonwalk.Clean(place, 1000), Subjects: len(s.Subjects), Occurred: stemma.At(seen),
		Bodies: []stemma.Body{{Name: "attestation", Media: cmp.Or(s.Media, "application/json"), Digest: digest, Size: int64(len(s.Raw))}},
	}
	// A key id may be a person's address, which no fact may hold.
	if i := slices.IndexFunc(s.Signed.Signatures, func(x attest.Signature) bool { return x.KeyID != "" && !strings.Contains(x.KeyID, "@") }); i >= 0 {
		a.SignerHint = jsonwalk.Clean(s.Signed.Signatures[i].KeyID, 500)
	}
	if a.Source = s.Source(); !strings.HasPrefix(s.Builder, "mailto:") { // nor may who built it by hand be in one
		a.Builder = s.Builder
	}
	for _, sub := range s.Subjects {
		for _, d := range sub.Digests {
			to := d.ref()
			if to == "" || len(a.About) >= maxAbout || slices.ContainsFunc(a.About, func(e stemma.Edge) bool { return e.To == to }) {
				continue
			}
			a.About = append(a.About, stemma.Edge{To: to, Grade: stemma.GradeD, Method: "attestation-subject"})
		}
	}
	return a
}

// InToto reports whether what was signed was signed as a statement. A key may sign texts of other
// kinds, too, and what stands in them must not be taken for its word.
func (s Statement) InToto() bool {
	kind := s.Signed.PayloadType
	return strings.HasPrefix(kind, "application/vnd.in-toto") && strings.HasSuffix(kind, "+json") && strings.HasPrefix(s.StatementType, "https://in-toto.io/Statement/")
}

// Speaks reports whether something is among the subjects.
func (s Statement) Speaks(of stemma.Ref) bool {
	return slices.ContainsFunc(s.Subjects, func(sub Subject) bool {
		return slices.ContainsFunc(sub.Digests, func(d Digest) bool { return d.ref() == of })
	})
}

// ref is the commit or the artifact that a digest names; trees and others have
// no ref.
func (d Digest) ref() stemma.Ref {
	switch d.Algorithm {
	case "gitCommit", "sha1":
		return change.ShaRef(d.Value)
	case "dirHash":
		if len(d.Value) == 64 {
			return artifact.Ref("dirhash:" + d.Value)
		}
	case "sha256", "sha512", "sha384":
		if size := map[string]int{"sha256": 64, "sha384": 96, "sha512": 128}[d.Algorithm]; len(d.Value) == size {
			return artifact.Ref(d.Algorithm + ":" + d.Value)
		}
	}
	return ""
}
