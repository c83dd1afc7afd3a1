package pipeline_test

import (
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/pipeline"
	"github.com/stemma-dev/stemma/roomtest"
)

const (
	repository = stemma.Ref("repository:github.com/acme/pay")
	commit     = stemma.Ref("commit:sha1/00112233445566778899aabbccddeeff00112233")
	moment     = stemma.Moment(1767323045_678901)
)

var shapes = []roomtest.Shape{
	roomtest.Of(pipeline.RunFromFact,
		pipeline.Run{
			ID: pipeline.RunRef("github-actions", "9/1"), System: "github-actions", Name: "test", Number: 9, Attempt: 1, Status: "completed", Conclusion: "success", Reason: "script_failure",
			Commit: commit, Started: moment, Ended: moment + 1, URL: "https://ci.example.com/9",
			Trigger: "push", Branch: "main", Repository: repository, By: "bot:github.com/renovate[bot]", PartOf: pipeline.AttemptRef("github-actions", repository, "9", 1),
			Changes: []stemma.Ref{"change:github.com/acme/pay#142"}, Uses: []stemma.Ref{pipeline.ConfigRef(repository, "ci.yml", "aa")},
			Bodies: []stemma.Body{{Name: "raw", Media: "application/json", Digest: stemma.Sum([]byte("x")), Size: 1}},
			Method: "ci-environment", Fork: "repository:github.com/eve/pay",
			On:    []stemma.Edge{{To: "runner:github-actions/ubuntu24@20261101.1"}},
			Trial: []stemma.Edge{{To: "commit:sha1/11112233445566778899aabbccddeeff00112233", Method: "ci-environment"}},
		},
	),
	roomtest.Of(pipeline.TestFromFact,
		pipeline.Test{
			ID: pipeline.TestRef("github-actions", "9/1/unit"), Run: "run:github-actions/9/1", Suite: "unit", Name: "TestRefund", Status: "passed",
			Failed: 1, Passed: 2, Skipped: 3, Job: "unit", Method: "ci-environment",
			Failures: []pipeline.Failure{{Name: "TestRefund", Class: "pay", Message: "got 1"}}, Of: []stemma.Ref{commit, "run:github-actions/9/1"}, Occurred: moment,
			Bodies: []stemma.Body{{Name: "raw", Media: "application/json", Digest: stemma.Sum([]byte("x")), Size: 1}},
		},
	),
	roomtest.Of(pipeline.ScanFromFact,
		pipeline.Scan{
			ID: pipeline.ScanRef("github-actions", "9/1/codeql"), Run: "run:github-actions/9/1", Tool: "codeql", Version: "2", Rule: "go/sql", State: "open", URL: "https://ci.example.com/a/1", Findings: 10,
			Critical: 1, High: 2, Medium: 3, Low: 4, Format: "sarif", Target: ".", Job: "scan", Method: "declared",
			Found: []pipeline.Finding{{Rule: "go/sql", Severity: "high", Path: "a.go", Line: 7, Package: "p", Version: "1", FixedIn: "2"}}, Of: []stemma.Ref{commit, "run:github-actions/9/1"}, Occurred: moment,
			Bodies: []stemma.Body{{Name: "raw", Media: "application/json", Digest: stemma.Sum([]byte("x")), Size: 1}},
		},
	),
	roomtest.Of(pipeline.ConfigFromFact,
		pipeline.Config{
			Repository: repository, Path: ".github/workflows/ci.yml", Blob: "aa", System: "github-actions", Commit: commit, Since: moment,
			SHA256: "bb", Pins: []pipeline.Pin{{Uses: "actions/checkout", Ref: "v4"}, {Uses: "acme/x", Ref: "cc", Pinned: true}},
		},
	),
	roomtest.Of(pipeline.RunnerFromFact,
		pipeline.Runner{System: "github-actions", Name: "ubuntu24", Version: "20261101.1", OS: "Linux", Arch: "X64", Pinned: true},
	),
}

func TestRecordsAreWhatTheRoomDeclares(t *testing.T) {
	roomtest.Check(t, pipeline.Room, shapes...)
}

func FuzzRoundTrip(f *testing.F) {
	roomtest.FuzzRoundTrip(f, pipeline.Room, shapes...)
}

// TestRunHasOneNameForWhoStandsInItAndWhoIsToldOfIt spells the rule of the package.
func TestRunHasOneNameForWhoStandsInItAndWhoIsToldOfIt(t *testing.T) {
	for want, got := range map[stemma.Ref]stemma.Ref{
		"run:github-actions/github.com/acme/pay/123/2": pipeline.AttemptRef("github-actions", repository, "123", 2),
		"run:gitlab-ci/gitlab.com/acme/pay/eu/9/1":     pipeline.AttemptRef("gitlab-ci", "repository:gitlab.com/acme/pay/eu", "9", 0),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestLinksSayHowTheyAreKnown(t *testing.T) {
	f, err := pipeline.Scan{ID: pipeline.ScanRef("s", "1"), Method: "ci-environment", Of: []stemma.Ref{commit}}.Fact("record", stemma.GradeC)
	if err != nil || len(f.Edges) != 1 || f.Edges[0].Method != "ci-environment" {
		t.Errorf("%+v, %v", f.Edges, err)
	}
}
