package incident_test

import (
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/incident"
	"github.com/stemma-dev/stemma/roomtest"
)

const (
	commit = stemma.Ref("commit:sha1/00112233445566778899aabbccddeeff00112233")
	moment = stemma.Moment(1767323045_678901)
)

var shapes = []roomtest.Shape{
	roomtest.Of(incident.FromFact,
		incident.Incident{
			Source: "pagerduty", Key: "Q1", Title: "Refunds twice", Severity: "high", State: "resolved", Opened: moment, Resolved: moment + 1, URL: "https://pd.example.com/Q1", Service: "pay",
			CausedBy: []stemma.Edge{{To: "deployment:prod/7", Method: "timeline"}}, Suspects: []stemma.Edge{{To: commit, Method: "lines"}, {To: "deployment:prod/7"}},
			Where: "environment:prod", RuledOut: []stemma.Edge{{To: commit, Method: "judgement"}},
			Judgements: []incident.Judgement{{Cause: "deployment:prod/7", Verdict: incident.Confirmed, By: "person:0f1e", At: moment, Reason: "it did"}, {Cause: commit, Verdict: incident.Rejected}},
		},
	),
}

func TestRecordsAreWhatTheRoomDeclares(t *testing.T) {
	roomtest.Check(t, incident.Room, shapes...)
}

func FuzzRoundTrip(f *testing.F) {
	roomtest.FuzzRoundTrip(f, incident.Room, shapes...)
}
