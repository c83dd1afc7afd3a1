package intent_test

import (
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/intent"
	"github.com/stemma-dev/stemma/roomtest"
)

const (
	moment = stemma.Moment(1767323045_678901)
)

var shapes = []roomtest.Shape{
	roomtest.Of(intent.RequirementFromFact,
		intent.Requirement{Source: "polarion", Key: "REQ-7", Title: "Refunds", URL: "https://req.example.com/7", Occurred: moment},
	),
	roomtest.Of(intent.TicketFromFact,
		intent.Ticket{
			Tracker: "jira", Key: "PAY-17", Title: "Refund twice", URL: "https://acme.atlassian.net/browse/PAY-17", State: "open",
			Type: "Bug", Opened: moment - 9, Closed: moment + 9, Reporter: "person:0f1e", PartOf: []stemma.Edge{{To: "ticket:jira/PAY-1"}}, SameAs: []stemma.Edge{{To: "ticket:jira/OLD-3", Method: "moved"}},
			Refines: []stemma.Edge{{To: "requirement:polarion/REQ-7", Method: "field", Grade: stemma.GradeC}}, Occurred: moment,
		},
		intent.Ticket{Tracker: "github.com", Key: "acme/pay#17"},
	),
}

func TestRecordsAreWhatTheRoomDeclares(t *testing.T) {
	roomtest.Check(t, intent.Room, shapes...)
}

func FuzzRoundTrip(f *testing.F) {
	roomtest.FuzzRoundTrip(f, intent.Room, shapes...)
}
