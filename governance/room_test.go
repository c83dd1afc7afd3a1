package governance_test

import (
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/roomtest"
)

const (
	pay    = stemma.Ref("change:github.com/acme/pay#142")
	home   = stemma.Ref("repository:github.com/acme/pay")
	person = stemma.Ref("person:0f1e2d3c4b5a69788796a5b4c3d2e1f0")
	commit = stemma.Ref("commit:sha1/00112233445566778899aabbccddeeff00112233")
	moment = stemma.Moment(1767323045_678901)
)

var (
	half      = 50
	policy    = governance.PolicyRef("sha256:00ff")
	exception = governance.ExceptionRef("REV-01", "7")
)

var shapes = []roomtest.Shape{
	roomtest.Of(governance.PolicyFromFact, governance.Policy{
		ID: policy, Since: moment, Count: 1, Packs: "default", Decided: "sha256:11",
		Controls: []governance.PolicyControl{{Control: "REV-01", Version: 2, Severity: "critical", Title: "Human approval", Digest: "sha256:22"}},
	}),
	roomtest.Of(governance.AssessmentFromFact, governance.Assessment{
		ID: governance.AssessmentRef(pay), Change: pay, Repository: home, State: "merged", Head: commit, Queued: commit, Landed: commit, Policy: policy, Evaluated: moment, Merged: moment, Trigger: "merge", Score: 73,
		Passed: 1, Failed: 2, Unknown: 3, Waived: 1, Blocks: true, Due: 1767323045, Turned: 1, Log: 7, Digest: "00ff",
		Findings: []governance.Finding{{
			Control: "REV-01", Version: 2, Severity: "critical", Mode: "enforce", State: "waived", Before: "fail", Reason: "nobody approved it",
			Rests: string(pay), Grade: "A", Exception: exception, Blocks: true, Waits: true,
		}},
		Factors:  []governance.Factor{{Name: "size", Weight: 20, Signal: &half, Text: "400 lines"}, {Name: "tests", Weight: 10}},
		WaivedBy: []stemma.Ref{exception},
	}),
	roomtest.Of(governance.RoundFromFact, governance.Round{
		ID: governance.RoundRef("advisory", "1"), Trigger: "advisory", Started: moment, Policy: policy, Judged: 10, Turned: 1,
		Turns: []governance.Turn{{Change: pay, Control: "MOD-02", Was: "pass", State: "fail"}},
	}),
	roomtest.Of(governance.ExceptionFromFact,
		governance.Exception{
			ID: exception, Control: "REV-01", Change: pay, Reason: "the site was down", Emergency: true, Owner: person, Approver: person, Opened: moment,
			Approved: moment, Until: moment, FollowedUp: moment, FollowUp: "it was looked at", Withdrawn: moment,
		},
		governance.Exception{ID: exception, Control: "*", Repository: home},
	),
	roomtest.Of(governance.AdvisoryFromFact, governance.Advisory{
		ID: governance.AdvisoryRef("acme", "A-1"), Model: "claude-opus-4*", Title: "leaves secrets in tests", Severity: "high", URL: "https://acme.example/a-1",
		Since: moment, Published: moment, Modified: moment, Withdrawn: moment,
	}, governance.Advisory{
		ID: governance.AdvisoryRef("osv", "MAL-1"), Malicious: true, Published: moment, Standing: "open",
		Affects: []governance.Affected{{Package: "pkg:npm/pay", Ecosystem: "npm", Range: 1, Event: "introduced", Version: "0"}, {Package: "pkg:npm/pay", Event: "version", Version: "1.0"}},
	}),
}

func TestRecordsAreWhatTheRoomDeclares(t *testing.T) {
	roomtest.Check(t, governance.Room, shapes...)
}

func FuzzRoundTrip(f *testing.F) {
	roomtest.FuzzRoundTrip(f, governance.Room, shapes...)
}
