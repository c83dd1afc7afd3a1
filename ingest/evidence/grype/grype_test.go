package grype_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/ingest/evidence/evidencetest"
	"github.com/stemma-dev/stemma/ingest/evidence/grype"
)

// report is written after the struct models.Document of Grype's source.
const report = `{
 "matches": [
  {"vulnerability": {"id": "GHSA-jfh8", "dataSource": "https://example.com", "severity": "Critical", "cvss": [], "fix": {"versions": ["2.15.0", "2.12.2"], "state": "fixed"}},
   "relatedVulnerabilities": [{"id": "CVE-2021-44228", "severity": "Low"}], "matchDetails": [],
   "artifact": {"id": "a", "name": "log4j-core", "version": "2.14.1", "type": "java-archive", "locations": [{"path": "/app/pay.jar"}, {"path": "/other"}], "purl": "pkg:maven/x"}},
  {"vulnerability": {"id": "CVE-1", "severity": "Negligible", "fix": {"versions": [], "state": "wont-fix"}}, "artifact": {"name": "zlib", "version": "1.2"}}],
 "ignoredMatches": [{"vulnerability": {"id": "CVE-2", "severity": "High"}, "artifact": {"name": "x"}}],
 "source": {"type": "image", "target": {"userInput": "registry.example.com/pay:1.4", "imageID": "sha256:00", "manifestDigest": "sha256:11"}},
 "distro": {"name": "debian"}, "descriptor": {"name": "grype", "version": "0.121.2"}
}`

func TestMatchesAreRead(t *testing.T) {
	scans, err := grype.Read([]byte(report))
	if err != nil {
		t.Fatal(err)
	}
	want := `grype 0.121.2 of "registry.example.com/pay:1.4": 2 findings, 1 0 0 1
  critical GHSA-jfh8 /app/pay.jar:0 log4j-core 2.14.1 -> 2.15.0, 2.12.2
  low CVE-1 :0 zlib 1.2 -> 
`
	if d := cmp.Diff(want, evidencetest.Summary(scans)); d != "" {
		t.Error(d)
	}
	if again, err := grype.Read(grype.Redacted([]byte(report))); err != nil || cmp.Diff(scans, again) != "" {
		t.Errorf("what is kept says %v, %v", again, err)
	}
	scans, err = grype.Read([]byte(`{"matches": [], "source": {"type": "directory", "target": "/src"}}`))
	if err != nil || evidencetest.Summary(scans) != "grype  of \"/src\": 0 findings, 0 0 0 0\n" {
		t.Errorf("%v, %v", scans, err)
	}
}

func TestHostileReportsAreRefused(t *testing.T) {
	read := func(b []byte) error { _, err := grype.Read(b); return err }
	evidencetest.RefuseHostile(t, read)
	if n := evidencetest.CutShort(t, []byte(report), read); n < 95 {
		t.Errorf("only %d beginnings are refused", n)
	}
	if err := read([]byte(`{"descriptor": {}}`)); err == nil || err.Error() != "grype: line 1: there are no matches in it" {
		t.Errorf("%v", err)
	}
}

func FuzzRead(f *testing.F) {
	evidencetest.FuzzScans(f, grype.Read, grype.Redacted, map[string][]byte{"report": []byte(report)})
}
