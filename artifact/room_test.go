package artifact_test

import (
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/roomtest"
)

const (
	commit = stemma.Ref("commit:sha1/00112233445566778899aabbccddeeff00112233")
	moment = stemma.Moment(1767323045_678901)
)

var shapes = []roomtest.Shape{
	roomtest.Of(artifact.FromFact,
		artifact.Artifact{
			Name: "registry.example.com/pay", Digest: "sha256:00ff", Media: "application/vnd.oci.image.manifest.v1+json", Size: 3,
			BuiltBy: []stemma.Edge{{To: "run:github-actions/9/1", Grade: stemma.GradeB}}, From: []stemma.Edge{{To: commit}}, Occurred: moment,
			Form: "image", Files: 2, Same: []stemma.Edge{{To: "artifact:sha256/11ff", Method: "image-inspect"}},
		},
	),
	roomtest.Of(artifact.BomFromFact,
		artifact.Bom{
			ID: artifact.BomRef(stemma.Sum([]byte("x"))), Format: "cyclonedx", Version: "1.6", Name: "pay", Serial: "urn:uuid:1", Tool: "syft 1", Count: 2, Unresolved: 1,
			Components: []artifact.Component{{Name: "log4j", Version: "2.14", PURL: "pkg:maven/log4j@2.14", Package: "pkg:maven/log4j", Source: "pkg:deb/debian/log4j", License: "Apache-2.0"}, {Name: "x"}},
			Of:         []stemma.Edge{{To: "artifact:sha256/00ff", Method: "declared"}}, BuiltBy: []stemma.Edge{{To: "run:github-actions/9/1"}}, Occurred: moment,
			Bodies: []stemma.Body{{Name: "bom", Media: "application/json", Digest: stemma.Sum([]byte("x")), Size: 1}},
		},
	),
	roomtest.Of(artifact.PackageFromFact,
		artifact.Package{
			ID: artifact.PackageRef("npm", "@acme/cart"), PURL: "pkg:npm/%40acme/cart", Missing: true, First: moment, Downloads: 7, Registry: "npm", Asked: moment,
		},
	),
	roomtest.Of(artifact.AttestationFromFact,
		artifact.Attestation{
			ID: artifact.AttestationRef(stemma.Sum([]byte("x"))), PredicateType: "https://slsa.dev/provenance/v1", PayloadType: "application/vnd.in-toto+json",
			Media: "application/vnd.dsse.envelope.v1+json", Place: "refs/notes/commits", Subjects: 1, SignerHint: "key 1", Builder: "https://ci.example.com", Source: commit,
			About: []stemma.Edge{{To: commit}}, Occurred: moment,
			Bodies: []stemma.Body{{Name: "raw", Media: "application/json", Digest: stemma.Sum([]byte("x")), Size: 1}},
		},
	),
}

func TestRecordsAreWhatTheRoomDeclares(t *testing.T) {
	roomtest.Check(t, artifact.Room, shapes...)
}

func FuzzRoundTrip(f *testing.F) {
	roomtest.FuzzRoundTrip(f, artifact.Room, shapes...)
}
