package format_test

import (
	"testing"

	"github.com/stemma-dev/stemma/ingest/evidence/evidencetest"
	"github.com/stemma-dev/stemma/ingest/evidence/format"
)

func TestReportsAreKnownByWhatTheySay(t *testing.T) {
	for text, want := range map[string]string{
		`{"$schema": "x", "version": "2.1.0", "runs": [{}]}`: "sarif",
		`{"SchemaVersion": 2, "ArtifactName": "a"}`:          "trivy",
		`{"matches": [], "descriptor": {"name": "grype"}}`:   "grype",
		"\ufeff[]": "gitleaks",
	} {
		scans, kept, err := format.Scans("", []byte(text))
		if err != nil || len(scans) != 1 || scans[0].Format != want || kept.Bytes == nil || kept.Media == "" {
			t.Errorf("%s: %+v, %v", text, scans, err)
		}
	}
	for text, want := range map[string]string{
		`{"bomFormat": "CycloneDX", "specVersion": "1.6"}`:    "cyclonedx",
		`<bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>`:  "cyclonedx",
		`{"spdxVersion": "SPDX-2.3", "packages": []}`:         "spdx",
		`{"@graph": [{"type": "X", "specVersion": "3.0.1"}]}`: "spdx",
	} {
		bom, _, kept, err := format.Bom([]byte(text))
		if err != nil || bom.Format != want || kept.Bytes == nil {
			t.Errorf("%s: %+v, %v", text, bom, err)
		}
	}
	for text, want := range map[string]string{
		`[]`:                                "inspect",
		`{"kind": "List"}`:                  "kubernetes",
		"apiVersion: v1\nkind: List\n":      "kubernetes",
		"a@sha256:" + evidencetest.Hex("a"): "digests",
	} {
		if _, got, err := format.Running([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
}

func TestWhatIsKnownAsNothingIsRefused(t *testing.T) {
	const scanner, bom = "scan: line 1: it is no report of sarif, trivy, grype, gitleaks", "bom: line 1: it is neither SPDX in JSON nor CycloneDX in JSON or XML"
	for _, c := range []struct {
		err  func([]byte) error
		text string
		want string
	}{
		{scan(""), `{"a": 1}`, scanner},
		{scan(""), "<xml/>", scanner},
		{scan(""), `{"runs": `, "scan: line 1: it is not whole, or not JSON"},
		{scan("nessus"), `[]`, `scan: "nessus" is no format: there are sarif, trivy, grype, gitleaks`},
		{scan("trivy"), `[]`, "trivy: line 1: it is not of SchemaVersion 2"},
		{boms, `{"a": 1}`, bom},
		{boms, "<bom/>", bom},
		{boms, "SPDXVersion: SPDX-2.3", bom},
		{running, " ", "snapshot: it is empty"},
	} {
		if err := c.err([]byte(c.text)); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.text, err, c.want)
		}
	}
	evidencetest.RefuseHostile(t, scan(""))
	evidencetest.RefuseHostile(t, boms)
	evidencetest.RefuseHostile(t, running)
}

func scan(name string) func([]byte) error {
	return func(b []byte) error { _, _, err := format.Scans(name, b); return err }
}

func boms(b []byte) error { _, _, _, err := format.Bom(b); return err }

func running(b []byte) error { _, _, err := format.Running(b); return err }

func FuzzAll(f *testing.F) {
	for _, text := range []string{"[]", `{"kind": "List"}`, `{"runs": []}`, "<bom", "kind: Pod"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, read := range []func([]byte) error{scan(""), boms, running} {
			evidencetest.Fault(t, read(b))
		}
	})
}
