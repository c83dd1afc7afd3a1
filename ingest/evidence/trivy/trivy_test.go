package trivy_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/ingest/evidence/evidencetest"
	"github.com/stemma-dev/stemma/ingest/evidence/trivy"
)

// report has every list that Trivy writes, after the struct types.Report of its source.
const report = `{
 "SchemaVersion": 2, "Trivy": {"Version": "0.74.0"}, "CreatedAt": "2026-11-01T00:00:00Z",
 "ArtifactName": "registry.example.com/pay:1.4", "ArtifactType": "container_image",
 "Metadata": {"ImageID": "sha256:00", "RepoDigests": ["registry.example.com/pay@sha256:11"]},
 "Results": [
  {"Target": "registry.example.com/pay:1.4 (debian 12.7)", "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": [
   {"VulnerabilityID": "CVE-2026-0001", "PkgName": "openssl", "InstalledVersion": "3.0.1", "FixedVersion": "3.0.2", "Status": "fixed", "Severity": "CRITICAL", "Title": "x"},
   {"VulnerabilityID": "CVE-2026-0002", "PkgName": "zlib", "InstalledVersion": "1.2", "Status": "affected", "Severity": "LOW"}]},
  {"Vulnerabilities": [{"VulnerabilityID": "GHSA-x", "PkgName": "log4j", "InstalledVersion": "2.14", "PkgPath": "app/pay.jar", "Severity": "HIGH"}], "Target": "Java"},
  {"Target": "Dockerfile", "Class": "config", "Misconfigurations": [
   {"Type": "Dockerfile Security Check", "ID": "DS002", "AVDID": "AVD-DS-0002", "Severity": "MEDIUM", "Status": "FAIL", "CauseMetadata": {"StartLine": 3, "Code": {"Lines": [{"Content": "ENV KEY=Hunter2Hunter2"}]}}},
   {"ID": "DS026", "Severity": "LOW", "Status": "PASS"}]},
  {"Target": "/app/.env", "Class": "secret", "Secrets": [
   {"RuleID": "aws-secret", "Severity": "CRITICAL", "StartLine": 2, "EndLine": 2, "Code": {"Lines": [{"Content": "KEY=Hunter2Hunter2"}]}, "Match": "KEY=Hunter2Hunter2"}]},
  {"Target": "OS", "Class": "license", "Licenses": [{"Severity": "UNKNOWN", "Category": "restricted", "PkgName": "readline", "Name": "GPL-3.0"}]},
  {"Target": "clean"}]
}`

func TestEveryListIsRead(t *testing.T) {
	scans, err := trivy.Read([]byte(report))
	if err != nil {
		t.Fatal(err)
	}
	want := `trivy 0.74.0 of "registry.example.com/pay:1.4": 6 findings, 2 1 1 1
  critical CVE-2026-0001 registry.example.com/pay:1.4 (debian 12.7):0 openssl 3.0.1 -> 3.0.2
  low CVE-2026-0002 registry.example.com/pay:1.4 (debian 12.7):0 zlib 1.2 -> 
  high GHSA-x app/pay.jar:0 log4j 2.14 -> 
  medium DS002 Dockerfile:3   -> 
  critical aws-secret /app/.env:2   -> 
  unknown GPL-3.0 OS:0 readline  -> 
`
	if d := cmp.Diff(want, evidencetest.Summary(scans)); d != "" {
		t.Error(d)
	}
	evidencetest.Scans(t, scans)
	kept := trivy.Redacted([]byte(report))
	if strings.Contains(string(kept), "Hunter2") {
		t.Errorf("a secret is kept: %s", kept)
	}
	if again, err := trivy.Read(kept); err != nil || cmp.Diff(scans, again) != "" {
		t.Errorf("what is kept says %v, %v", again, err)
	}
}

func TestHostileReportsAreRefused(t *testing.T) {
	read := func(b []byte) error { _, err := trivy.Read(b); return err }
	evidencetest.RefuseHostile(t, read)
	if n := evidencetest.CutShort(t, []byte(report), read); n < 95 {
		t.Errorf("only %d beginnings are refused", n)
	}
	if err := read([]byte(`{"SchemaVersion": 1}`)); err == nil || err.Error() != "trivy: line 1: it is not of SchemaVersion 2" {
		t.Errorf("%v", err)
	}
}

func FuzzRead(f *testing.F) {
	evidencetest.FuzzScans(f, trivy.Read, trivy.Redacted, map[string][]byte{"report": []byte(report)})
}
