package spdx_test

import (
	"testing"

	_ "github.com/spdx/tools-golang/spdx/v2/common" // samples of its module

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/ingest/evidence/evidencetest"
	"github.com/stemma-dev/stemma/ingest/evidence/spdx"
)

const module = "github.com/spdx/tools-golang"

func samples(tb testing.TB) map[string][]byte {
	return evidencetest.Samples(tb, module, "examples/sample-docs/json/*.json", "json/test_fixtures/*.json")
}

// glibc is what the samples of version 2 are about.
const glibc = "[sha256:11b6d3ee554eedf79299905a98f9b9a04e498210b59f15094c916c91d150efcd]"

func TestPublishedSamplesAreRead(t *testing.T) {
	want := map[string]string{
		"SPDXJSONExample-v2.2.spdx.json": `spdx 2.2 "SPDX-Tools-v2.0" by "LicenseFind-1.0": 3, 1 unresolved; of ` + glibc + `
  Apache Commons Lang   
  Jena 3.12.0 pkg:maven/org.apache.jena/apache-jena@3.12.0 
  Saxon 8.8  MPL-1.0
`,
		"SPDXJSONExample-v2.3.spdx.json": `spdx 2.3 "SPDX-Tools-v2.0" by "LicenseFind-1.0": 4, 1 unresolved; of ` + glibc + `
  Apache Commons Lang   
  Jena 3.12.0 pkg:maven/org.apache.jena/apache-jena@3.12.0 
  Saxon 8.8  MPL-1.0
  centos centos7.9.2009  
`,
		"spdx2_3.json": `spdx 2.3 "tools-java" by "spdx-maven-plugin": 8, 1 unresolved; of []
  json-schema-validator 2.2.14  Apache-2.0
  spdx-jackson-store 1.1.6  Apache-2.0
  XmlSchema Core   
  spdx-spreadsheet-store 1.1.6  Apache-2.0
  spdx-tagvalue-store 1.1.6  Apache-2.0
  JUnit 4.13.1  EPL-1.0
  java-spdx-library 1.1.6  Apache-2.0
  spdx-rdf-store 1.1.6  Apache-2.0
`,
	}
	got := map[string]string{}
	for name, b := range samples(t) {
		bom, subjects, err := spdx.Read(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		evidencetest.Bom(t, bom, subjects)
		got[name] = evidencetest.BomSummary(bom, subjects)
		if n := evidencetest.CutShort(t, b, read); n < 90 {
			t.Errorf("%s: only %d beginnings are refused", name, n)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func read(b []byte) error {
	_, _, err := spdx.Read(b)
	return err
}

// ofImage is as Syft writes it of an image: the image is a package that the document
// describes.
const ofImage = `{"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "registry.example.com/pay", "documentNamespace": "https://example.com/1",
 "creationInfo": {"creators": ["Person: Ada", "Tool: syft-1.57.1"]},
 "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relatedSpdxElement": "SPDXRef-image", "relationshipType": "DESCRIBES"}, {"spdxElementId": "SPDXRef-image", "relatedSpdxElement": "SPDXRef-a", "relationshipType": "CONTAINS"}],
 "packages": [
  {"name": "pay", "SPDXID": "SPDXRef-image", "versionInfo": "sha256:00000000000000000000000000000000000000000000000000000000000000aa", "checksums": [{"algorithm": "SHA256", "checksumValue": "00000000000000000000000000000000000000000000000000000000000000AA"}, {"algorithm": "MD5", "checksumValue": "aa"}]},
  {"name": "zlib", "SPDXID": "SPDXRef-a", "versionInfo": "1.2", "licenseConcluded": "NOASSERTION", "licenseDeclared": "Zlib", "externalRefs": [{"referenceCategory": "SECURITY", "referenceType": "cpe23Type", "referenceLocator": "cpe"}, {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:deb/debian/zlib@1.2"}]},
  {"name": "odd", "SPDXID": "SPDXRef-b"}]}`

// version3 has what a document of version 3.0 consists of.
const version3 = `{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": [
 {"type": "CreationInfo", "@id": "_:c", "specVersion": "3.0.1", "createdBy": ["https://example.com/ada"]},
 {"type": "Person", "spdxId": "https://example.com/ada", "name": "Ada"},
 {"type": "Tool", "spdxId": "https://example.com/t", "name": "maker 2"},
 {"type": "software_Package", "spdxId": "https://example.com/p", "name": "pay", "verifiedUsing": [{"type": "Hash", "algorithm": "sha256", "hashValue": "00000000000000000000000000000000000000000000000000000000000000aa"}]},
 {"type": "software_Package", "spdxId": "https://example.com/q", "name": "zlib", "software_packageVersion": "1.2", "externalIdentifier": [{"type": "ExternalIdentifier", "externalIdentifierType": "packageUrl", "identifier": "pkg:generic/zlib@1.2"}]},
 {"type": "software_Package", "name": "x", "software_packageVersion": "3", "software_packageUrl": "pkg:generic/x@3"},
 {"type": "software_File", "name": "a.c"},
 {"type": "SpdxDocument", "spdxId": "https://example.com/d", "name": "the document", "rootElement": ["https://example.com/p"]}]}`

func TestWhatADocumentIsAboutIsNoPartOfIt(t *testing.T) {
	const image = "sha256:00000000000000000000000000000000000000000000000000000000000000aa"
	for text, want := range map[string]string{
		ofImage:  `spdx 2.3 "registry.example.com/pay" by "syft-1.57.1": 2, 1 unresolved; of [` + image + "]\n  zlib 1.2 pkg:deb/debian/zlib@1.2 Zlib\n  odd   \n",
		version3: `spdx 3.0.1 "the document" by "maker 2": 2, 0 unresolved; of [` + image + "]\n  zlib 1.2 pkg:generic/zlib@1.2 \n  x 3 pkg:generic/x@3 \n",
	} {
		bom, subjects, err := spdx.Read([]byte(text))
		if d := cmp.Diff(want, evidencetest.BomSummary(bom, subjects)); err != nil || d != "" {
			t.Errorf("%v\n%s", err, d)
		}
	}
}

func TestHostileDocumentsAreRefused(t *testing.T) {
	evidencetest.RefuseHostile(t, read)
	for text, want := range map[string]string{
		`{"packages": []}`:                                 "spdx: line 1: it names no version of SPDX",
		`{"spdxVersion": "SPDX-9.0"}`:                      "spdx: line 1: it is of a version that is not read here",
		"{\"spdxVersion\": \"SPDX-2.3\",\n\"packages\": [": "spdx: line 2: it is not whole, or not JSON",
	} {
		if err := read([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	seeds := samples(f)
	seeds["image"], seeds["3"] = []byte(ofImage), []byte(version3)
	evidencetest.FuzzBom(f, spdx.Read, seeds)
}
