package gitleaks_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/ingest/evidence/evidencetest"
	"github.com/stemma-dev/stemma/ingest/evidence/gitleaks"
)

const module = "github.com/zricethezav/gitleaks/v8"

func samples(tb testing.TB) map[string][]byte {
	return evidencetest.Samples(tb, module, "testdata/expected/report/*.json", "testdata/baseline/baseline.json")
}

func TestPublishedSamplesAreRead(t *testing.T) {
	want := map[string]string{
		"json_simple.json":        "gitleaks  of \"\": 1 findings, 0 0 0 0\n  unknown test-rule auth.py:1   -> \n",
		"template_jsonextra.json": "gitleaks  of \"\": 1 findings, 0 0 0 0\n  unknown test-rule auth.py:1   -> \n",
		"empty.json":              "gitleaks  of \"\": 0 findings, 0 0 0 0\n",
	}
	for name, b := range samples(t) {
		scans, err := gitleaks.Read(b)
		switch summary, known := want[name]; {
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case known && summary != evidencetest.Summary(scans):
			t.Errorf("%s: %s", name, evidencetest.Summary(scans))
		}
		evidencetest.Scans(t, scans)
	}
}

// secret is one that no rule knows by its form.
const secret = "Xy<7\\\"quite&private"

func leak() string {
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(secret)
	return `[{"RuleID":"generic-api-key","StartLine":7,"Match":"key = '` + quoted + `'","Secret":"` + quoted + `","File":"conf/` + quoted + `.env",` +
		`"Author":"Ada Author","Email":"ada@corp.example.org","Message":"add key","Fingerprint":"9f2c:conf:` + quoted + `:7"}]`
}

// TestSecretsAreNowhere: not in the record, not in what is kept of the report, not in
// an error about it.
func TestSecretsAreNowhere(t *testing.T) {
	scans, err := gitleaks.Read([]byte(leak()))
	if err != nil || len(scans) != 1 || scans[0].Findings != 1 || scans[0].Found[0].Rule != "generic-api-key" {
		t.Fatalf("%+v, %v", scans, err)
	}
	kept := string(gitleaks.Redacted([]byte(leak())))
	for _, gone := range []string{"quite", "private", "Ada", "ada@", "add key"} {
		if strings.Contains(kept, gone) {
			t.Errorf("%s is kept: %s", gone, kept)
		}
	}
	if !strings.Contains(kept, "generic-api-key") {
		t.Errorf("nothing is left: %q", kept)
	}
	_, err = gitleaks.Read([]byte(leak()[:len(leak())-1]))
	if err == nil || strings.Contains(err.Error(), "quite") {
		t.Errorf("%v", err)
	}
}

func TestHostileReportsAreRefused(t *testing.T) {
	read := func(b []byte) error { _, err := gitleaks.Read(b); return err }
	evidencetest.RefuseHostile(t, read)
	for text, want := range map[string]string{
		`{}`:               "gitleaks: line 1: it is no list of findings",
		"[\n{\"File\":1}]": "gitleaks: line 2: a finding has no RuleID",
		`[7]`:              "gitleaks: line 1: a finding has no RuleID",
		`[{"RuleID":"a"},`: "gitleaks: line 1: it is not whole, or not JSON",
	} {
		if err := read([]byte(text)); err == nil || cmp.Diff(want, err.Error()) != "" {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	seeds := samples(f)
	seeds["leak"] = []byte(leak())
	evidencetest.FuzzScans(f, gitleaks.Read, gitleaks.Redacted, seeds)
}
