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
		},
	),
	roomtest.Of(pipeline.TestFromFact,
		pipeline.Test{
			ID: pipeline.TestRef("github-actions", "9/1/unit"), Run: "run:github-actions/9/1", Suite: "unit", Name: "TestRefund", Status: "passed",
			Failed: 1, Passed: 2, Skipped: 3, Of: []stemma.Ref{commit, "run:github-actions/9/1"}, Occurred: moment,
			Bodies: []stemma.Body{{Name: "raw", Media: "application/json", Digest: stemma.Sum([]byte("x")), Size: 1}},
		},
	),
	roomtest.Of(pipeline.ScanFromFact,
		pipeline.Scan{
			ID: pipeline.ScanRef("github-actions", "9/1/codeql"), Run: "run:github-actions/9/1", Tool: "codeql", Version: "2", Rule: "go/sql", State: "open", URL: "https://ci.example.com/a/1", Findings: 10,
			Critical: 1, High: 2, Medium: 3, Low: 4, Of: []stemma.Ref{commit, "run:github-actions/9/1"}, Occurred: moment,
			Bodies: []stemma.Body{{Name: "raw", Media: "application/json", Digest: stemma.Sum([]byte("x")), Size: 1}},
		},
	),
	roomtest.Of(pipeline.ConfigFromFact,
		pipeline.Config{
			Repository: repository, Path: ".github/workflows/ci.yml", Blob: "aa", System: "github-actions", Commit: commit, Since: moment,
		},
	),
}

func TestRecordsAreWhatTheRoomDeclares(t *testing.T) {
	roomtest.Check(t, pipeline.Room, shapes...)
}

func FuzzRoundTrip(f *testing.F) {
	roomtest.FuzzRoundTrip(f, pipeline.Room, shapes...)
}
