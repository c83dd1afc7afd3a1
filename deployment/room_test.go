package deployment_test

import (
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/roomtest"
)

const (
	commit = stemma.Ref("commit:sha1/00112233445566778899aabbccddeeff00112233")
	moment = stemma.Moment(1767323045_678901)
)

var shapes = []roomtest.Shape{
	roomtest.Of(deployment.FromFact,
		deployment.Deployment{
			ID: deployment.Ref("prod", "7"), Environment: "environment:prod", Version: "v1.0.0", Status: "success", At: moment, Until: moment + 9, URL: "https://cd.example.com/7",
			Repository: "repository:github.com/acme/pay", Task: "rollback", By: "person:0f1e", Finished: moment + 3, Runs: []stemma.Edge{{To: "run:github-actions/9/1", Method: "event"}},
			Ships: []stemma.Edge{{To: commit}}, Brings: []stemma.Edge{{To: "change:github.com/acme/pay#142"}}, Replaces: []stemma.Ref{"deployment:prod/6"},
			Service: "pay",
		},
	),
	roomtest.Of(deployment.SnapshotFromFact,
		deployment.Snapshot{
			ID: deployment.SnapshotRef("prod", "k1"), Environment: "environment:prod", Taken: moment, Format: "kubernetes", Things: 2, Unexplained: 1,
			Running: []deployment.Running{
				{Name: "pay/api", Image: "r.example.com/pay:1", Artifact: "artifact:sha256/00ff", Explained: true, Deployment: "deployment:prod/7"},
				{Name: "pay/old", Image: "r.example.com/pay:0", Why: "no digest is told"},
			},
			Shows:  []stemma.Edge{{To: "artifact:sha256/00ff", Method: "kubernetes"}},
			Bodies: []stemma.Body{{Name: "raw", Media: "application/json", Digest: stemma.Sum([]byte("x")), Size: 1}},
		},
	),
	roomtest.Of(deployment.EnvironmentFromFact,
		deployment.Environment{Name: "prod", Tier: "production"},
	),
}

func TestRecordsAreWhatTheRoomDeclares(t *testing.T) {
	roomtest.Check(t, deployment.Room, shapes...)
}

func FuzzRoundTrip(f *testing.F) {
	roomtest.FuzzRoundTrip(f, deployment.Room, shapes...)
}
