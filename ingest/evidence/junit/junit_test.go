package junit_test

import (
	"fmt"
	"strings"
	"testing"

	_ "github.com/joshdk/go-junit" // its samples

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/evidence"
	"github.com/stemma-dev/stemma/ingest/evidence/evidencetest"
	"github.com/stemma-dev/stemma/ingest/evidence/junit"
	"github.com/stemma-dev/stemma/pipeline"
)

const module = "github.com/joshdk/go-junit"

// TestSamplesOfAllRunnersAreRead counts what samples of eleven runners tell: suites, and
// in all of them what failed, passed and was skipped.
func TestSamplesOfAllRunnersAreRead(t *testing.T) {
	want := map[string]string{
		"catchsoftware.xml":           "2 suites: 1 failed, 1 passed, 1 skipped",
		"cubic.xml":                   "1 suites: 1 failed, 0 passed, 0 skipped",
		"fastlane-trainer.xml":        "1 suites: 2 failed, 2 passed, 0 skipped",
		"go-junit-report-skipped.xml": "1 suites: 0 failed, 1 passed, 1 skipped",
		"go-junit-report.xml":         "2 suites: 1 failed, 3 passed, 0 skipped",
		"ibm.xml":                     "1 suites: 1 failed, 0 passed, 0 skipped",
		"jenkinsci.xml":               "1 suites: 0 failed, 6 passed, 0 skipped",
		"nose2.xml":                   "1 suites: 6 failed, 18 passed, 1 skipped",
		"phpunit.xml":                 "3 suites: 3 failed, 4 passed, 0 skipped",
		"python-junit-xml.xml":        "1 suites: 0 failed, 1 passed, 0 skipped",
		"surefire.xml":                "1 suites: 1 failed, 0 passed, 0 skipped",
	}
	got := map[string]string{}
	for name, b := range evidencetest.Samples(t, module, "testdata/*.xml") {
		suites, err := junit.Read(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		check(t, suites)
		var sum pipeline.Test
		for _, s := range suites {
			sum.Failed, sum.Passed, sum.Skipped = sum.Failed+s.Failed, sum.Passed+s.Passed, sum.Skipped+s.Skipped
		}
		got[name] = fmt.Sprintf("%d suites: %d failed, %d passed, %d skipped", len(suites), sum.Failed, sum.Passed, sum.Skipped)
		if n := evidencetest.CutShort(t, b, func(b []byte) error { _, err := junit.Read(b); return err }); n < 50 {
			t.Errorf("%s: only %d of its beginnings are refused", name, n)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestWhatAReportSays(t *testing.T) {
	for name, c := range map[string]struct {
		xml  string
		want []pipeline.Test
	}{
		"a failure by its message": {
			`<testsuite name="pay"><testcase name="refund" classname="Pay"><failure message="got 1">trace</failure></testcase></testsuite>`,
			[]pipeline.Test{{Suite: "pay", Status: "failed", Failed: 1, Failures: []pipeline.Failure{{Name: "refund", Class: "Pay", Message: "got 1"}}}},
		},
		"an error and a failure are one case": {
			`<testsuite name="s"><testcase name="a"><error>first
line</error><failure message="b"/></testcase></testsuite>`,
			[]pipeline.Test{{Suite: "s", Status: "failed", Failed: 1, Failures: []pipeline.Failure{{Name: "a", Message: "first line"}}}},
		},
		"tried again until it passed": {
			`<testsuite name="s"><testcase name="a"><flakyFailure message="x"/></testcase></testsuite>`,
			[]pipeline.Test{{Suite: "s", Status: "passed", Passed: 1}},
		},
		"counts alone": {
			`<testsuites><testsuite name="s" tests="5" failures="1" errors="1" skipped="1"/></testsuites>`,
			[]pipeline.Test{{Suite: "s", Status: "failed", Failed: 2, Passed: 2, Skipped: 1}},
		},
		"counts are not believed over cases": {
			`<testsuite name="s" tests="900" failures="0"><testcase name="a"><failure/></testcase></testsuite>`,
			[]pipeline.Test{{Suite: "s", Status: "failed", Failed: 1, Failures: []pipeline.Failure{{Name: "a"}}}},
		},
		"no suite around": {`<testsuites><testcase name="a"/></testsuites>`, []pipeline.Test{{Status: "passed", Passed: 1}}},
		"no tests":        {`<testsuite name="s" tests="0"/>`, []pipeline.Test{{Suite: "s", Status: "unknown"}}},
		"negative counts": {`<testsuite name="s" tests="-4" failures="99999999999"/>`, []pipeline.Test{{Suite: "s", Status: "unknown"}}},
		"all skipped":     {`<testsuite name="s"><testcase name="a" status="notrun"/></testsuite>`, []pipeline.Test{{Suite: "s", Status: "skipped", Skipped: 1}}},
		"colours of a terminal, and bytes of another encoding": {
			"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><testsuite name=\"caf\xe9\"><testcase name=\"a\"><failure message=\"\x1b[31m&#27;no&#x1b;\"/></testcase></testsuite>",
			[]pipeline.Test{{Suite: "caf\uFFFD", Status: "failed", Failed: 1, Failures: []pipeline.Failure{{Name: "a", Message: "\uFFFD[31m\uFFFDno\uFFFD"}}}},
		},
		"a secret in what a test said": {
			`<testsuite name="s"><testcase name="a"><failure message="token ghp_` + strings.Repeat("aB3", 12) + ` refused"/></testcase></testsuite>`,
			[]pipeline.Test{{Suite: "s", Status: "failed", Failed: 1, Failures: []pipeline.Failure{{Name: "a", Message: "token [redacted:github-token] refused"}}}},
		},
	} {
		got, err := junit.Read([]byte(c.xml))
		if d := cmp.Diff(c.want, got); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", name, err, d)
		}
	}
}

func TestHostileReportsAreRefused(t *testing.T) {
	for name, text := range evidencetest.Hostile {
		if suites, err := junit.Read([]byte(text)); evidencetest.Fault(t, err) {
			t.Errorf("%s gives %v", name, suites)
		}
	}
	for text, want := range map[string]string{
		"":                           "junit: it is empty",
		"<html/>":                    "junit: line 1: there is no testsuite in it",
		"<testsuite>\n<testcase>\n":  "junit: line 3: it is not whole, or not XML that can be read here",
		"<testsuite>\n</testcase>\n": "junit: line 2: it is not whole, or not XML that can be read here",
	} {
		if _, err := junit.Read([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestManySuitesAreAddedUp(t *testing.T) {
	const n = evidence.MaxListed + 7
	suites, err := junit.Read([]byte("<testsuites>" + strings.Repeat(`<testsuite name="s"><testcase name="a"/></testsuite>`, n) + "</testsuites>"))
	if err != nil || len(suites) != evidence.MaxListed || suites[evidence.MaxListed-1].Passed != 8 {
		t.Errorf("%d suites, %v", len(suites), err)
	}
}

func TestSecretsAreNotKeptInTheReport(t *testing.T) {
	secret := "ghp_" + strings.Repeat("aB3", 12)
	if kept := junit.Redacted([]byte("<testsuite><system-out>" + secret + "</system-out></testsuite>")); strings.Contains(string(kept), secret) {
		t.Errorf("%s", kept)
	}
}

// check holds of every reading: it can be stated.
func check(t *testing.T, suites []pipeline.Test) {
	t.Helper()
	for _, s := range suites {
		evidencetest.Text(t, s.Suite)
		s.ID = pipeline.TestRef("test", "1")
		if _, err := s.Fact("test", stemma.GradeD); err != nil {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, b := range evidencetest.Samples(f, module, "testdata/*.xml") {
		f.Add(b)
	}
	for _, text := range evidencetest.Hostile {
		if len(text) < 1000 {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		suites, err := junit.Read(b)
		if evidencetest.Fault(t, err) {
			check(t, suites)
		}
	})
}
