package identity_test

import (
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/roomtest"
)

const (
	repository = stemma.Ref("repository:github.com/acme/pay")
	person     = stemma.Ref("person:0f1e2d3c4b5a69788796a5b4c3d2e1f0")
	other      = stemma.Ref("bot:github.com/ci")
	moment     = stemma.Moment(1767323045_678901)
)

var shapes = []roomtest.Shape{
	roomtest.Of(identity.PersonFromFact,
		identity.Person{ID: person},
	),
	roomtest.Of(identity.BotFromFact,
		identity.Bot{Name: "dependabot[bot]", Host: "github.com"},
	),
	roomtest.Of(identity.AgentFromFact,
		identity.Agent{Name: "claude-code", Vendor: "anthropic"},
	),
	roomtest.Of(identity.ModelFromFact,
		identity.ParseModel("claude-opus-4-6"),
		identity.ParseModel("Claude Opus 4.6 (1M context)"),
	),
	roomtest.Of(identity.KeyFromFact,
		identity.Key{Fingerprint: "SHA256:abc", Type: "ssh"},
	),
	roomtest.Of(identity.RoleFromFact,
		identity.Role{
			Repository: repository, Pattern: "/src/*.go", Line: 3, Since: moment, File: ".github/CODEOWNERS", Holder: person,
		},
		identity.Role{Repository: repository, Pattern: "*", Owner: "@acme/pay", Line: 1, File: "CODEOWNERS"},
	),
	roomtest.Of(identity.TieFromFact,
		identity.Tie{One: other, Other: person, Method: "judgement", Apart: true, By: person, At: moment, Reason: "two people"},
		identity.NewTie("noreply", person, other),
	),
	roomtest.Of(identity.MandateFromFact,
		identity.Mandate{Holder: person, Role: "maintainer", Team: "@acme/pay", Host: "github.com", Repository: repository, Since: moment, Until: moment + 1, Method: "role-map", Withdrawn: true},
	),
}

func TestRecordsAreWhatTheRoomDeclares(t *testing.T) {
	roomtest.Check(t, identity.Room, shapes...)
}

func FuzzRoundTrip(f *testing.F) {
	roomtest.FuzzRoundTrip(f, identity.Room, shapes...)
}
