package agent_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/agent"
	"github.com/stemma-dev/stemma/session"
)

func sample(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "claude.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readAll(t testing.TB, b []byte, o agent.Options) *agent.Claude {
	t.Helper()
	c := agent.NewClaude(o)
	if err := c.Read(bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	return c
}

func moment(second int) stemma.Moment {
	return stemma.At(time.Date(2026, 2, 3, 10, 0, second, 0, time.UTC))
}

func TestTranscriptBecomesOneSession(t *testing.T) {
	list := readAll(t, sample(t), agent.Options{}).Transcripts()
	if len(list) != 2 {
		t.Fatalf("%d sessions, want the session and its sub-agent", len(list))
	}
	got := list[0].Session
	want := session.Session{
		Tool: agent.ClaudeCode, ExternalID: "5e-1", Started: moment(0), Ended: stemma.At(time.Date(2026, 2, 3, 10, 31, 22, 223e6, time.UTC)),
		HarnessVersion: "2.1.42", Title: "Pay with tokens", TurnCount: 4, Prompts: 2, ToolCallCount: 4, Iterations: 2,
		InputTokens: 15, OutputTokens: 57, CacheReadTokens: 1000, CacheWriteTokens: 100, Branch: "idem",
		OriginRecord: "claude-code-transcript", Agent: "agent:claude-code",
		Models: []session.ModelUse{
			{Model: "model:anthropic/claude-opus-4-6", Name: "claude-opus-4-6", Turns: 1, InputTokens: 10, OutputTokens: 50, CacheReadTokens: 1000, CacheWriteTokens: 100},
			{Model: "model:anthropic/claude-sonnet-4-5-20250929", Name: "claude-sonnet-4-5-20250929", Turns: 1, InputTokens: 5, OutputTokens: 7},
		},
		Turns: []session.Turn{
			{Number: 1, Role: "user", At: moment(0), Typed: true},
			{Number: 2, Role: "assistant", At: moment(5), Model: "claude-opus-4-6", InputTokens: 10, OutputTokens: 50, ToolCalls: 1},
			{Number: 3, Role: "assistant", At: moment(8), Model: "claude-sonnet-4-5-20250929", InputTokens: 5, OutputTokens: 7, ToolCalls: 3},
			{Number: 4, Role: "user", At: moment(13), Typed: true},
		},
		ToolCalls: []session.ToolCall{
			{Turn: 2, Call: "toolu_1", Tool: "Edit", Path: "charge.go", At: moment(6)},
			{Turn: 3, Call: "toolu_2", Tool: "Write", Path: "~/other/x.go", At: moment(8), Error: true},
			{Turn: 3, Call: "toolu_3", Tool: "Task", At: moment(8)},
			{Turn: 3, Call: "toolu_4", Tool: "mcp__linear-server__get_issue", At: moment(8)},
		},
		Files:   []session.File{{Path: "charge.go", Edits: 1}},
		Configs: []session.Config{{Kind: session.ConfigServer, Name: "linear-server"}},
		WorksOn: []stemma.Edge{{To: "ticket:linear/PAY-17", Grade: stemma.GradeD, Method: "transcript-tool-call"}},
		Opened:  []stemma.Edge{{To: "change:github.com/acme/pay#139", Method: "transcript-pr-link"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	wantEdits := []agent.Edit{
		{Call: "toolu_1", Tool: "Edit", Path: "charge.go", At: moment(6).Time(), Patch: true, Modified: true},
		{Call: "toolu_2", Tool: "Write", Path: "~/other/x.go", At: moment(8).Time(), Failed: true},
	}
	if diff := cmp.Diff(wantEdits, list[0].Edits); diff != "" {
		t.Error(diff)
	}
	if p := list[0].Opened; len(p) != 1 || p[0].Number != 139 || p[0].URL != "https://github.com/acme/pay/pull/139" {
		t.Errorf("opened %+v", p)
	}
	if diff := cmp.Diff([]string{"2.1.29", "2.1.42"}, list[0].Versions); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"/home/ann/pay"}, list[0].Directories); diff != "" {
		t.Error(diff)
	}
}

func TestSubAgentIsASessionWithAParent(t *testing.T) {
	sub := readAll(t, sample(t), agent.Options{}).Transcripts()[1]
	s := sub.Session
	if s.ExternalID != "5e-1:a0853aa" || s.Parent != "session:claude-code/5e-1" || s.Depth != 1 || s.Prompts != 0 {
		t.Errorf("%+v", s)
	}
	if sub.ParentCall != "toolu_3" || sub.TotalTokens != 94819 || s.ToolCallCount != 16 || len(s.ToolCalls) != 1 || s.OutputTokens != 4 {
		t.Errorf("called by %q, %d tokens, %d calls", sub.ParentCall, sub.TotalTokens, s.ToolCallCount)
	}
	// The file that a newer version keeps for a sub-agent says the same.
	own := readAll(t, []byte(`{"isSidechain":true,"agentId":"a0853aa","sessionId":"5e-1","type":"user","message":{"role":"user","content":"look"}}`), agent.Options{}).Transcripts()
	if len(own) != 1 || own[0].Session.ExternalID != s.ExternalID || own[0].Session.Parent != s.Parent || own[0].Session.Prompts != 0 {
		t.Errorf("%+v", own)
	}
}

func TestBadRowsAreCountedWithTheirLine(t *testing.T) {
	c := readAll(t, sample(t), agent.Options{})
	want := []agent.Problem{
		{Line: 16, Reason: "a row that is not a JSON object", Count: 2},
		{Line: 17, Reason: "damaged JSON", Count: 1},
		{Line: 19, Reason: "a row without a type", Count: 1},
		{Line: 22, Reason: "a link to a merge request that does not name one", Count: 1},
	}
	if diff := cmp.Diff(want, c.Problems()); diff != "" {
		t.Error(diff)
	}
	if c.Rows() != 18 || c.Kinds()["pr-link"] != 3 {
		t.Errorf("%d rows, kinds %v", c.Rows(), c.Kinds())
	}
}

func TestRowsThatAreTooLongAreSkipped(t *testing.T) {
	long := append(bytes.Repeat([]byte("x"), agent.MaxRow+1), '\n')
	c := readAll(t, append(long, `{"type":"user","sessionId":"s","message":{"content":"hello"}}`...), agent.Options{})
	if p := c.Problems(); len(p) != 1 || p[0].Reason != "a row that is too long" || len(c.Transcripts()) != 1 {
		t.Errorf("problems %v, %d sessions", p, len(c.Transcripts()))
	}
}

func TestAGrowingStreamIsReadOnceInAnyPieces(t *testing.T) {
	b := sample(t)
	whole := readAll(t, b, agent.Options{})
	for _, step := range []int{61, 1000, 4096} {
		c := agent.NewClaude(agent.Options{Growing: true})
		for end := step; ; end += step {
			end = min(end, len(b))
			if err := c.Read(iotest.OneByteReader(bytes.NewReader(b[c.Offset():end]))); err != nil {
				t.Fatal(err)
			}
			if end == len(b) {
				break
			}
		}
		if c.Offset() != int64(len(b)) {
			t.Errorf("step %d: offset %d of %d", step, c.Offset(), len(b))
		}
		if diff := cmp.Diff(whole.Transcripts(), c.Transcripts()); diff != "" {
			t.Errorf("step %d: %s", step, diff)
		}
		if diff := cmp.Diff(whole.Problems(), c.Problems()); diff != "" {
			t.Errorf("step %d: %s", step, diff)
		}
	}
}

func TestAStreamThatFailsSaysSo(t *testing.T) {
	broken := errors.New("broken")
	if err := agent.NewClaude(agent.Options{}).Read(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}

func TestWhatWasSaidIsHandedOverWithItsDigest(t *testing.T) {
	said := map[string]string{}
	c := readAll(t, sample(t), agent.Options{Say: func(d stemma.Digest, text string) { said[d.String()] = text }})
	var got []string
	for _, s := range c.Transcripts() {
		for _, turn := range s.Session.Turns {
			got = append(got, turn.Role+": "+said[turn.Body])
		}
	}
	want := []string{"user: Make charges idempotent", "assistant: I will edit.", "assistant: ", "user: Go on", "user: look", "assistant: "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNoAccountNameIsInAFact(t *testing.T) {
	for _, s := range readAll(t, sample(t), agent.Options{}).Transcripts() {
		f, err := s.Session.Fact("claude-code-transcript", stemma.GradeD)
		if err != nil {
			t.Fatal(err)
		}
		b, err := f.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "ann") {
			t.Errorf("the account is named in %s", b)
		}
	}
}

func TestPathsAreRelativeToWhereTheSessionWorked(t *testing.T) {
	for _, c := range []struct{ directory, cwd, path, want string }{
		{"", "/home/ann/pay", "/home/ann/pay/a/../b.go", "b.go"},
		{"/home/ann/pay", "/home/ann/pay/sub", "/home/ann/pay/x.go", "x.go"},
		{"", "/home/ann/pay", "/home/ann/payday/x.go", "~/payday/x.go"},
		{"", "/home/ann/pay", "rel/x.go", "rel/x.go"},
		{"", `C:\Users\ann\pay`, `C:\Users\ann\pay\x.go`, "x.go"},
		{"", `C:\Users\ann\pay`, `C:\Users\ann\y.go`, "~/y.go"},
		{"", "/srv/pay", "/etc/hosts", "/etc/hosts"},
		{"", "/srv/pay", "/Users/ann", "~"},
	} {
		row := fmt.Sprintf(`{"type":"assistant","sessionId":"s","cwd":%q,"message":{"id":"m","model":"x","content":[{"type":"tool_use","id":"t","name":"Read","input":{"file_path":%q}}]}}`, c.cwd, c.path)
		list := readAll(t, []byte(row), agent.Options{Directory: c.directory}).Transcripts()
		if got := list[0].Session.ToolCalls[0].Path; got != c.want {
			t.Errorf("%s in %s is %q, want %q", c.path, c.cwd, got, c.want)
		}
	}
}

func TestTicketsAreTakenFromCallsThatNameOne(t *testing.T) {
	for _, c := range []struct{ tool, input, want string }{
		{"mcp__linear-server__update_issue", `{"id":"ENT-95"}`, "linear ENT-95"},
		{"mcp__claude_ai_Linear__get_issue", `{"id":"0b1c2d3e-0000-4000-8000-000000000000"}`, ""},
		{"mcp__atlassian__getJiraIssue", `{"issueIdOrKey":"pay-1"}`, "jira PAY-1"},
		{"mcp__github__get_issue", `{"owner":"acme","repo":"pay","issue_number":7}`, "github.com acme/pay#7"},
		{"mcp__gitlab__get_issue", `{"project_id":"acme/pay","issue_iid":"8"}`, "gitlab.com acme/pay#8"},
		{"mcp__github__get_issue", `{"issue_number":7}`, ""},
		{"mcp__linear-server__list_teams", `{"id":"ENT-95"}`, ""},
		{"mcp__weather__get_issue", `{"id":"ENT-95"}`, ""},
		{"Bash", `{"id":"ENT-95"}`, ""},
	} {
		row := fmt.Sprintf(`{"type":"assistant","sessionId":"s","message":{"id":"m","model":"x","content":[{"type":"tool_use","id":"t","name":%q,"input":%s}]}}`, c.tool, c.input)
		got := ""
		for _, ticket := range readAll(t, []byte(row), agent.Options{}).Transcripts()[0].Tickets {
			got += ticket.Tracker + " " + ticket.Key
		}
		if got != c.want {
			t.Errorf("%s %s gave %q, want %q", c.tool, c.input, got, c.want)
		}
	}
}

func FuzzClaude(f *testing.F) {
	f.Add(sample(f), 100)
	f.Add([]byte(`{"type":"assistant","sessionId":"s","message":{"content":[{"type":"tool_use","name":"Edit","input":{"path":"/"}}],"usage":{"input_tokens":1e99}}}`), 3)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		c := readAll(t, b, agent.Options{Say: func(stemma.Digest, string) {}})
		if c.Offset() != int64(len(b)) {
			t.Fatalf("read %d bytes of %d", c.Offset(), len(b))
		}
		for _, s := range c.Transcripts() {
			fact, err := s.Session.Fact("claude-code-transcript", stemma.GradeD)
			if err != nil {
				t.Fatal(err)
			}
			if back, err := session.FromFact(fact); err != nil || back.Ref() != s.Session.Ref() {
				t.Fatalf("%v, %v", back, err)
			}
		}
		if cut < 0 || cut > len(b) {
			return
		}
		grown := agent.NewClaude(agent.Options{Growing: true, Say: func(stemma.Digest, string) {}})
		for _, end := range []int{cut, len(b)} {
			if err := grown.Read(bytes.NewReader(b[grown.Offset():end])); err != nil {
				t.Fatal(err)
			}
		}
		if last := bytes.LastIndexByte(b, '\n') + 1; last == len(b) {
			if diff := cmp.Diff(c.Transcripts(), grown.Transcripts()); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func BenchmarkClaude(b *testing.B) {
	text := bytes.Repeat(sample(b), 200)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		readAll(b, text, agent.Options{})
	}
}
