package sarif_test

import (
	"fmt"
	"strings"
	"testing"

	_ "github.com/owenrumney/go-sarif/v3/pkg/report" // its samples

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/ingest/evidence/evidencetest"
	"github.com/stemma-dev/stemma/ingest/evidence/sarif"
)

const module = "github.com/owenrumney/go-sarif/v3"

func samples(tb testing.TB) map[string][]byte {
	return evidencetest.Samples(tb, module, "test/v210/testdata/*.json", "test/v22/testdata/*.json")
}

func TestPublishedSamplesAreRead(t *testing.T) {
	want := map[string]string{
		"new_report_with_empty_run.json":                     "1 scans, 0 findings",
		"new_simple_report_with_artifact.json":               "1 scans, 0 findings",
		"new_simple_report_with_duplicate_artifact.json":     "1 scans, 0 findings",
		"new_simple_report_with_propertybag.json":            "1 scans, 0 findings",
		"new_simple_report_with_single_run.json":             "1 scans, 0 findings",
		"new_simple_report_with_single_run_with_errors.json": "1 scans, 0 findings",
	}
	got := map[string]string{}
	for name, b := range samples(t) {
		scans, err := sarif.Read(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		evidencetest.Scans(t, scans)
		findings := 0
		for _, s := range scans {
			findings += s.Findings
		}
		got[name] = fmt.Sprintf("%d scans, %d findings", len(scans), findings)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// a report in which every way to say how bad a finding is occurs.
const report = `{
 "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
 "runs": [{
  "results": [
   {"ruleId": "go/sql", "message": {"text": "password=Hunter2Hunter2"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "pay/refund.go"}, "region": {"startLine": 12, "snippet": {"text": "db.Query(id)"}}}}]},
   {"ruleIndex": 1, "level": "note"},
   {"rule": {"index": 0, "toolComponent": {"index": 0}}},
   {"ruleId": "go/unknown"},
   {"ruleId": "go/sql/part", "level": "none"},
   {"ruleId": "go/log", "suppressions": [{"kind": "inSource"}]},
   {"ruleId": "go/log", "suppressions": [{"kind": "external", "status": "rejected"}]},
   {"ruleId": "go/log", "kind": "pass"},
   {"ruleId": "go/log", "baselineState": "absent"}
  ],
  "tool": {
   "driver": {"name": "CodeQL", "version": "0", "semanticVersion": "2.19.1", "rules": [
    {"id": "go/sql", "properties": {"security-severity": "9.8"}},
    {"id": "go/log", "defaultConfiguration": {"level": "error"}}]},
   "extensions": [{"name": "pack", "rules": [{"id": "x/eval", "properties": {"security-severity": 5}}]}]},
  "automationDetails": {"id": "codeql/go"}
 }, {"tool": {"driver": {"name": "gosec"}}}]
}`

func TestHowBadAFindingIs(t *testing.T) {
	scans, err := sarif.Read([]byte(report))
	if err != nil {
		t.Fatal(err)
	}
	want := `CodeQL 2.19.1 of "codeql/go": 6 findings, 2 1 2 1
  critical go/sql pay/refund.go:12   -> 
  low go/log :0   -> 
  medium x/eval :0   -> 
  medium go/unknown :0   -> 
  critical go/sql/part :0   -> 
  high go/log :0   -> 
gosec  of "": 0 findings, 0 0 0 0
`
	if d := cmp.Diff(want, evidencetest.Summary(scans)); d != "" {
		t.Error(d)
	}
	kept := string(sarif.Redacted([]byte(report)))
	for _, gone := range []string{"Hunter2", "db.Query", "snippet", "message"} {
		if strings.Contains(kept, gone) {
			t.Errorf("%s is kept: %s", gone, kept)
		}
	}
	if again, err := sarif.Read([]byte(kept)); err != nil || cmp.Diff(scans, again) != "" {
		t.Errorf("what is kept says %v, %v", again, err)
	}
}

func TestHostileReportsAreRefused(t *testing.T) {
	read := func(b []byte) error { _, err := sarif.Read(b); return err }
	evidencetest.RefuseHostile(t, read)
	if n := evidencetest.CutShort(t, []byte(report), read); n < 95 {
		t.Errorf("only %d beginnings are refused", n)
	}
	for text, want := range map[string]string{
		`{"runs": []}`:                                           "sarif: line 1: it is not of version 2",
		`{"version": "2.1.0"}`:                                   "sarif: line 1: there are no runs in it",
		`{"version": "2.1.0", "runs": null}`:                     "sarif: line 1: there are no runs in it",
		"{\"version\": \"2.1.0\",\n\"runs\": [{]}":               "sarif: line 2: it is not whole, or not JSON",
		`{"version":"2.1.0","runs":[` + strings.Repeat("[", 600): "sarif: line 1: it is nested deeper than 512",
	} {
		if err := read([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%.60s: %v, want %s", text, err, want)
		}
	}
}

// TestWhatStandsTwiceCountsTwice: a report that shows other parsers nothing.
func TestWhatStandsTwiceCountsTwice(t *testing.T) {
	scans, err := sarif.Read([]byte(`{"version":"2.1.0","runs":[{"results":[{"ruleId":"a"}],"results":[]}],"runs":[{"results":[{"ruleId":"b"}]}]}`))
	if err != nil || len(scans) != 2 || scans[0].Findings != 1 || scans[1].Findings != 1 {
		t.Errorf("%+v, %v", scans, err)
	}
}

func FuzzRead(f *testing.F) {
	seeds := samples(f)
	seeds["report"] = []byte(report)
	evidencetest.FuzzScans(f, sarif.Read, sarif.Redacted, seeds)
}
