package cyclonedx_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	_ "github.com/CycloneDX/cyclonedx-go" // its samples

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/ingest/evidence/cyclonedx"
	"github.com/stemma-dev/stemma/ingest/evidence/evidencetest"
)

const module = "github.com/CycloneDX/cyclonedx-go"

func samples(tb testing.TB) map[string][]byte {
	return evidencetest.Samples(tb, module, "testdata/valid-*.json", "testdata/valid-*.xml")
}

func read(b []byte) error {
	_, _, err := cyclonedx.Read(b)
	return err
}

// differ are the samples whose two forms do not say the same, by what stands in them.
var differ = []string{
	"valid-bom", "valid-component-ref", "valid-compositions", "valid-dependency", "valid-license-expression", "valid-license-id", "valid-license-name",
}

// TestBothFormsOfASampleSayTheSame: the published samples, most of which there are as
// JSON and as XML.
func TestBothFormsOfASampleSayTheSame(t *testing.T) {
	all, pairs, components := samples(t), 0, 0
	var odd []string
	for name, b := range all {
		bom, subjects, err := cyclonedx.Read(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		evidencetest.Bom(t, bom, subjects)
		components += bom.Count
		stem, isJSON := strings.CutSuffix(name, ".json")
		twin, there := all[stem+".xml"]
		if !isJSON || !there {
			continue
		}
		pairs++
		xml, _, err := cyclonedx.Read(twin)
		bom.Version, xml.Version, bom.Serial, xml.Serial = "", "", "", ""
		if d := cmp.Diff(bom, xml); err != nil || d != "" {
			odd = append(odd, stem)
		}
	}
	slices.Sort(odd)
	if d := cmp.Diff(differ, odd); d != "" {
		t.Error(d)
	}
	if got := fmt.Sprintf("%d samples, %d pairs, %d components", len(all), pairs, components); got != "84 samples, 42 pairs, 88 components" {
		t.Error(got)
	}
}

const image = "sha256:00000000000000000000000000000000000000000000000000000000000000aa"

const document = `{"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": "urn:uuid:1", "version": 1,
 "metadata": {"tools": {"components": [{"type": "application", "name": "syft", "version": "1.57.1"}]}, "authors": [{"name": "Ada"}],
  "component": {"type": "container", "name": "registry.example.com/pay", "version": "` + image + `"}},
 "components": [
  {"type": "library", "group": "org.apache", "name": "log4j", "version": "2.14", "purl": "pkg:maven/org.apache/log4j@2.14", "licenses": [{"license": {"id": "Apache-2.0"}}, {"license": {"name": "Other"}}],
   "pedigree": {"ancestors": [{"type": "library", "name": "log4j", "version": "2.13"}]},
   "components": [{"type": "library", "name": "inner"}]},
  {"type": "operating-system", "name": "debian", "version": "12"}, {"type": "file", "name": "/etc/passwd"},
  {"type": "library", "name": "zlib", "version": "1.2", "licenses": [{"expression": "Zlib OR MIT"}]}]}`

const documentXML = `<?xml version="1.0"?><bom serialNumber="urn:uuid:1" version="1" xmlns="http://cyclonedx.org/schema/bom/1.6">
 <metadata><tools><components><component type="application"><name>syft</name><version>1.57.1</version></component></components></tools><authors><author><name>Ada</name></author></authors>
  <component type="container"><name>registry.example.com/pay</name><version>` + image + `</version></component></metadata>
 <components>
  <component type="library"><group>org.apache</group><name>log4j</name><version>2.14</version><licenses><license><id>Apache-2.0</id></license><license><name>Other</name></license></licenses><purl>pkg:maven/org.apache/log4j@2.14</purl>
   <pedigree><ancestors><component type="library"><name>log4j</name><version>2.13</version></component></ancestors></pedigree>
   <components><component type="library"><name>inner</name></component></components></component>
  <component type="operating-system"><name>debian</name><version>12</version></component><component type="file"><name>/etc/passwd</name></component>
  <component type="library"><name>zlib</name><version>1.2</version><licenses><expression>Zlib OR MIT</expression></licenses></component></components></bom>`

func TestComponentsInsideOfOthersCount(t *testing.T) {
	want := `cyclonedx 1.6 "registry.example.com/pay ` + image + `" by "syft 1.57.1": 3, 1 unresolved; of [` + image + `]
  inner   
  org.apache/log4j 2.14 pkg:maven/org.apache/log4j@2.14 Apache-2.0, Other
  zlib 1.2  Zlib OR MIT
`
	for _, text := range []string{document, documentXML} {
		bom, subjects, err := cyclonedx.Read([]byte(text))
		if d := cmp.Diff(want, evidencetest.BomSummary(bom, subjects)); err != nil || d != "" {
			t.Errorf("%v\n%s", err, d)
		}
		if n := evidencetest.CutShort(t, []byte(text), read); n < 95 {
			t.Errorf("only %d beginnings are refused", n)
		}
	}
	withMail := strings.Replace(documentXML, "<name>Ada</name>", "<name>Ada</name><email>ada@corp.internal</email>", 1)
	if kept := string(cyclonedx.Redacted([]byte(withMail))); strings.Contains(kept, "corp.internal") || read([]byte(kept)) != nil {
		t.Errorf("%s", kept)
	}
	if kept := string(cyclonedx.Redacted([]byte(document))); strings.Contains(kept, "Ada") || read([]byte(kept)) != nil {
		t.Errorf("%s", kept)
	}
}

func TestHostileDocumentsAreRefused(t *testing.T) {
	evidencetest.RefuseHostile(t, read)
	const space = `xmlns="http://cyclonedx.org/schema/bom/1.6"`
	for text, want := range map[string]string{
		`{"components": []}`: "cyclonedx: line 1: it does not say that it is CycloneDX, of which version",
		`<x ` + space + `/>`: "cyclonedx: line 1: its root is no bom of a version",
		`<!DOCTYPE b [<!ENTITY x SYSTEM "file:///etc/passwd">]><bom ` + space + `><components><component><name>&x;</name></component></components></bom>`: "cyclonedx: line 1: it is not whole, or not XML that can be read here",
	} {
		if err := read([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	seeds := samples(f)
	seeds["json"], seeds["xml"] = []byte(document), []byte(documentXML)
	evidencetest.FuzzBom(f, cyclonedx.Read, seeds)
}
