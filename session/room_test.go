package session_test

import (
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/roomtest"
	"github.com/stemma-dev/stemma/session"
)

const (
	person = stemma.Ref("person:0f1e2d3c4b5a69788796a5b4c3d2e1f0")
	moment = stemma.Moment(1767323045_678901)
)

var shapes = []roomtest.Shape{
	roomtest.Of(session.FromFact,
		session.Session{
			Tool: "claude-code", ExternalID: "5c1e", Started: moment, Ended: moment + 5, HarnessVersion: "2.1", Title: "refunds",
			TurnCount: 4, Prompts: 1, ToolCallCount: 2, Iterations: 2, Reprompts: 1, InputTokens: 10, OutputTokens: 20, CacheReadTokens: 30, CacheWriteTokens: 40, Cost: 5, PriceTable: "2026-02-01",
			Parent: "session:claude-code/5c1d", Depth: 1, Branch: "fix/refund", OriginRecord: "refs/notes/ai",
			Models:    []session.ModelUse{{Model: "model:anthropic/claude-opus-4-6", Name: "claude-opus-4-6", Turns: 2, CacheReadTokens: 30, CacheWriteTokens: 40, Cost: 5}, {Name: "<synthetic>"}},
			Turns:     []session.Turn{{Number: 1, Role: "user", At: moment, Body: "00", Typed: true, Failing: true}},
			ToolCalls: []session.ToolCall{{Turn: 2, Call: "t1", Tool: "Edit", Path: "a.go", At: moment, Error: true}},
			Files:     []session.File{{Path: "a.go", Edits: 1}},
			Configs:   []session.Config{{Kind: session.ConfigRules, Name: "AGENTS.md", Digest: "00"}},
			Agent:     "agent:claude-code", Operator: []stemma.Edge{{To: person, Method: session.ByNote}},
			In: []stemma.Ref{"repository:github.com/acme/pay"}, At: []stemma.Ref{"commit:sha1/" + stemma.Ref(strings.Repeat("a1", 20))},
			WorksOn: []stemma.Edge{{To: "ticket:jira/PAY-17", Method: "prompt", Basis: stemma.BasisDeclared}},
			Opened:  []stemma.Edge{{To: "change:github.com/acme/pay#142"}},
			Bodies:  []stemma.Body{{Name: "raw", Media: "application/json", Digest: stemma.Sum([]byte("x")), Size: 1}},
		},
		session.Session{Tool: "codex", ExternalID: "x"},
	),
}

func TestRecordsAreWhatTheRoomDeclares(t *testing.T) {
	roomtest.Check(t, session.Room, shapes...)
}

func FuzzRoundTrip(f *testing.F) {
	roomtest.FuzzRoundTrip(f, session.Room, shapes...)
}
