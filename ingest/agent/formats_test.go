package agent_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/agent"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/session/price"
)

// samples are the transcripts of every format, by its name.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string]string{
		"claude-code": "claude.jsonl", "codex": "codex.jsonl", "gemini-cli": "gemini.jsonl", "gemini-cli document": "gemini.json", "cursor": "cursor.jsonl",
		"windsurf": "windsurf.jsonl", "amp document": "amp.json", "droid": "droid.jsonl", "pi": "pi.jsonl", "continue document": "continue.json",
		"github-copilot-cli events": "../copilot/testdata/cli.jsonl", "github-copilot events": "../copilot/testdata/editor.jsonl",
		"github-copilot chat": "../copilot/testdata/chat.jsonl", "github-copilot document": "../copilot/testdata/chat.json", "opencode export": "../opencode/testdata/export.json",
	}
	all := map[string][]byte{}
	for name, file := range files {
		b, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = b
	}
	return all
}

// read reads one transcript of any agent, whose session is said to be s-1.
func read(t testing.TB, b []byte, o agent.Options) agent.Reader {
	t.Helper()
	if o.Session == "" {
		o.Session = "s-1"
	}
	r, err := agent.Read(bytes.NewReader(b), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEveryFormatIsToldByItsContent(t *testing.T) {
	all := samples(t)
	damage := map[bool]string{false: "{broken\n"} // before a document nothing may stand
	for _, f := range agent.Formats() {
		b, ok := all[f.Name]
		if !ok {
			t.Errorf("%s has no sample", f.Name)
		}
		for _, text := range [][]byte{b, bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")), append([]byte("\n \n"), b...), b[:len(b)*3/4], append([]byte(damage[strings.Contains(f.Name, " document") || strings.Contains(f.Name, "export")]), b...)} {
			if got, ok := agent.Detect(text); !ok || got.Name != f.Name {
				t.Errorf("%s is taken for %q: %.60q", f.Name, got.Name, text)
			}
		}
		if r := f.New(agent.Options{}); r.Tool() == "" || len(r.Transcripts()) != 0 {
			t.Errorf("%s has sessions before it was read", f.Name)
		}
	}
	for _, text := range []string{"", "{}", "[]", "words", `{"type":"x"}`, `{"a":1}`, `{"type":"object","properties":{}}`, `{"name":"pay","version":"1.0.0"}`, "\x00\x01"} {
		if got, ok := agent.Detect([]byte(text)); ok {
			t.Errorf("%q is taken for %s", text, got.Name)
		}
		if _, err := agent.Read(strings.NewReader(text), agent.Options{}); !errors.Is(err, agent.ErrUnknown) {
			t.Errorf("%q: %v", text, err)
		}
	}
	broken := errors.New("broken")
	if _, err := agent.Read(iotest.ErrReader(broken), agent.Options{}); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}

func TestCodexRolloutBecomesASession(t *testing.T) {
	r := read(t, samples(t)["codex"], agent.Options{})
	want := session.Session{
		Tool: "codex", ExternalID: "cx-2", Started: moment(0), Ended: moment(12), HarnessVersion: "0.99.1", ToolCallCount: 4, Iterations: 4,
		InputTokens: 1400, OutputTokens: 150, CacheReadTokens: 1600, Parent: "session:codex/cx-1", Depth: 2, Branch: "idem",
		OriginRecord: "codex-transcript", Agent: "agent:codex",
		Models: []session.ModelUse{
			{Model: "model:openai/gpt-5.1-codex", Name: "gpt-5.1-codex", Turns: 3, InputTokens: 400, OutputTokens: 50, CacheReadTokens: 600},
			{Model: "model:openai/gpt-5-mini", Name: "gpt-5-mini", Turns: 1, InputTokens: 1000, OutputTokens: 100, CacheReadTokens: 1000},
		},
		Turns: []session.Turn{
			{Number: 1, Role: "user", At: moment(2)}, // not what Codex itself wrote in the person's place
			{Number: 2, Role: "assistant", At: moment(4), Model: "gpt-5.1-codex", InputTokens: 400, OutputTokens: 50, ToolCalls: 1},
			{Number: 3, Role: "assistant", At: moment(7), Model: "gpt-5.1-codex", ToolCalls: 1},
			{Number: 4, Role: "assistant", At: moment(9), Model: "gpt-5.1-codex", ToolCalls: 2},
			{Number: 5, Role: "assistant", At: moment(12), Model: "gpt-5-mini", InputTokens: 1000, OutputTokens: 100},
		},
		ToolCalls: []session.ToolCall{
			{Turn: 2, Call: "c1", Tool: "apply_patch", Path: "charge.go", At: moment(5)},
			{Turn: 3, Call: "c2", Tool: "shell", At: moment(7), Shell: true, Network: true},
			{Turn: 4, Call: "c3", Tool: "mcp__linear__get_issue", At: moment(9)},
			{Turn: 4, Call: "c4", Tool: "shell_command", At: moment(9), Error: true, Shell: true},
		},
		Files: []session.File{{Path: "charge.go", Edits: 1}, {Path: "key.go", Edits: 1}},
		Configs: []session.Config{
			{Kind: session.ConfigPrompt, Digest: stemma.Sum([]byte("You are careful.")).String()},
			{Kind: session.ConfigRules, Name: "AGENTS.md", Digest: stemma.Sum([]byte("# AGENTS.md instructions for /home/ann/pay\n\nTabs, not spaces.")).String()},
			{Kind: session.ConfigServer, Name: "linear"},
		},
		WorksOn: []stemma.Edge{{To: "ticket:linear/PAY-17", Grade: stemma.GradeD, Method: "transcript-tool-call"}},
		Opened:  []stemma.Edge{{To: "change:github.com/acme/pay#139", Method: "transcript-pr-link"}},
	}
	want.TurnCount = len(want.Turns)
	list := r.Transcripts()
	if len(list) != 1 {
		t.Fatalf("%d sessions", len(list))
	}
	if diff := cmp.Diff(want, list[0].Session); diff != "" {
		t.Error(diff)
	}
	if p := r.Problems(); len(p) != 1 || p[0] != (agent.Problem{Line: 23, Reason: "damaged JSON", Count: 1}) {
		t.Errorf("problems %v", p)
	}
	old, err := os.ReadFile(filepath.Join("testdata", "codex-old.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	s := read(t, old, agent.Options{}).Transcripts()[0]
	if s.Session.ExternalID != "cx-0" || s.Session.Prompts != 1 || s.Session.Iterations != 2 || s.Session.Depth != 0 || s.Session.Files != nil ||
		len(s.Edits) != 2 || s.Edits[0].Path != "a.go" || s.Edits[1].Path != "b.go" || !s.Edits[1].Failed {
		t.Errorf("an old rollout: %+v", s)
	}
}

// TestEveryAgentsTranscriptBecomesASession has what the samples have in common:
// one prompt, one edit of charge.go, what was said.
func TestEveryAgentsTranscriptBecomesASession(t *testing.T) {
	type brief struct {
		Ref                                 stemma.Ref
		Title, Model                        string
		Prompts, Turns, Iterations, Calls   int
		In, Out, Read, Write                int
		Files, Failed, Said, Version, Depth string
	}
	const prompt, answer = "Make charges idempotent", "I will edit."
	for name, want := range map[string]brief{
		"gemini-cli": {
			Ref: "session:gemini-cli/gm-1", Model: "gemini-2.5-pro", Prompts: 1, Turns: 2, Iterations: 1, Calls: 2, In: 610, Out: 25, Read: 400,
			Files: "~/pay/charge.go", Failed: "write_file", Said: "Make charges\nidempotent|" + answer,
		},
		"gemini-cli document": {
			Ref: "session:gemini-cli/gm-0", Model: "gemini-2.5-flash", Prompts: 1, Turns: 2, Iterations: 1, In: 10, Out: 2, Said: "Look at it|It is short.",
		},
		"cursor": {Ref: "session:cursor/s-1", Prompts: 1, Turns: 3, Iterations: 2, Calls: 2, Files: "~/pay/charge.go", Said: prompt + "|" + answer + "|Done."},
		"windsurf": {
			Ref: "session:windsurf/s-1", Prompts: 1, Turns: 3, Iterations: 2, Calls: 4, Files: "charge.go", Failed: "code_action run_command",
			Said: prompt + "|" + answer + "|It fails.",
		},
		"amp document": {
			Ref: "session:amp/T-01", Title: "Idempotent charges", Model: "claude-opus-4-6", Prompts: 1, Turns: 2, Iterations: 1, Calls: 1,
			In: 10, Out: 20, Read: 40, Write: 30, Failed: "edit_file", Said: prompt + "|" + answer,
		},
		"droid": {
			Ref: "session:droid/dr-1", Title: "Idempotent charges", Prompts: 1, Turns: 2, Iterations: 1, Calls: 1, Files: "charge.go", Said: prompt + "|",
		},
		"pi": {
			Ref: "session:pi/pi-1", Model: "gpt-5", Prompts: 1, Turns: 2, Iterations: 1, Calls: 1, In: 10, Out: 20, Read: 30, Failed: "edit", Said: prompt + "|" + answer,
		},
		"continue document": {
			Ref: "session:continue/cn-1", Title: "Idempotent charges", Prompts: 1, Turns: 3, Iterations: 2, Calls: 1, In: 100, Out: 20, Read: 30, Write: 4,
			Failed: "MultiEdit", Said: prompt + "|" + answer + "|Done.",
		},
		"github-copilot-cli events": {
			Ref: "session:github-copilot-cli/cp-1", Model: "gpt-4.1", Version: "1.0.45", Prompts: 1, Turns: 2, Iterations: 1, Calls: 2, In: 10, Out: 20, Read: 30,
			Files: "key.go", Failed: "bash", Said: prompt + "|" + answer,
		},
		"github-copilot events": {
			Ref: "session:github-copilot/cp-2", Version: "0.47.0", Turns: 1, Iterations: 1, Calls: 1, Files: "~/pay/charge.go",
		},
		"github-copilot chat": {
			Ref: "session:github-copilot/cp-3", Title: "Idempotent charges", Model: "claude-sonnet-4-5 gpt-4o", Version: "0.37.1", Prompts: 2, Turns: 5, Iterations: 3, Calls: 2,
			Files: "~/pay/charge.go ~/pay/key.go", Said: prompt + "|" + answer + "|Done.|And a key|Here.",
		},
		"github-copilot document": {Ref: "session:github-copilot/cp-4", Model: "gpt-4o", Prompts: 1, Turns: 2, Iterations: 1, Said: "What is it?|A charge."},
		"opencode export": {
			Ref: "session:opencode/oc-2", Title: "Idempotent charges", Model: "claude-opus-4-6", Version: "1.1", Turns: 2, Iterations: 1, Calls: 1,
			In: 10, Out: 25, Read: 30, Write: 40, Failed: "edit", Said: prompt + "|" + answer, Depth: "session:opencode/oc-1",
		},
	} {
		said := map[string]string{}
		list := read(t, samples(t)[name], agent.Options{Say: func(d stemma.Digest, text string) { said[d.String()] = text }}).Transcripts()
		if len(list) != 1 {
			t.Errorf("%s: %d sessions", name, len(list))
			continue
		}
		s := list[0].Session
		got := brief{
			Ref: s.Ref(), Title: s.Title, Version: s.HarnessVersion, Prompts: s.Prompts, Turns: s.TurnCount, Iterations: s.Iterations, Calls: s.ToolCallCount,
			In: s.InputTokens, Out: s.OutputTokens, Read: s.CacheReadTokens, Write: s.CacheWriteTokens, Depth: string(s.Parent),
		}
		var models, paths, failed, texts []string
		for _, m := range s.Models {
			models = append(models, m.Name)
		}
		for _, f := range s.Files {
			paths = append(paths, f.Path)
		}
		for _, c := range s.ToolCalls {
			if c.Error {
				failed = append(failed, c.Tool)
			}
		}
		for _, turn := range s.Turns {
			texts = append(texts, said[turn.Body])
		}
		got.Model, got.Files, got.Failed, got.Said = strings.Join(models, " "), strings.Join(paths, " "), strings.Join(failed, " "), strings.Join(texts, "|")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestWhatATranscriptDoesNotSayIsToldByTheOptions(t *testing.T) {
	b := samples(t)["cursor"]
	s := read(t, b, agent.Options{Session: "of-its-file", Model: "claude-opus-4-6", Directory: "/home/ann/pay"}).Transcripts()[0].Session
	if s.Ref() != "session:cursor/of-its-file" || len(s.Models) != 1 || s.Models[0].Turns != 2 || s.Files[0].Path != "charge.go" {
		t.Errorf("%+v", s)
	}
	nameless := agent.NewCursor(agent.Options{})
	if err := nameless.Read(bytes.NewReader(b)); err != nil || len(nameless.Transcripts()) != 0 || nameless.Problems()[0].Reason != "a row of a session that has no id" {
		t.Errorf("%v, %v", err, nameless.Problems())
	}
	droid := agent.NewDroid(agent.Options{})
	droid.Settings([]byte(`{"model":"gpt-5-mini","tokenUsage":{"inputTokens":100,"outputTokens":20,"cacheCreationTokens":0,"cacheReadTokens":30,"thinkingTokens":9}}`))
	if err := droid.Read(bytes.NewReader(samples(t)["droid"])); err != nil {
		t.Fatal(err)
	}
	want := []session.ModelUse{{Model: "model:openai/gpt-5-mini", Name: "gpt-5-mini", Turns: 1, InputTokens: 100, OutputTokens: 20, CacheReadTokens: 30}}
	if diff := cmp.Diff(want, droid.Transcripts()[0].Session.Models); diff != "" {
		t.Error(diff)
	}
}

func TestCostIsByModelAndDayAndNeverAGuess(t *testing.T) {
	prices, err := price.Parse([]byte(`{"date":"2026-02-01","models":[
		{"model":"claude-opus-4-6","input":5000000,"output":25000000,"cache_read":500000,"cache_write":6250000},
		{"model":"claude-sonnet-4-5","from":"2026-01-01","input":3000000,"output":15000000,"cache_read":300000,"cache_write":3750000},
		{"model":"gpt-5.1-codex","input":1000000,"output":10000000,"cache_read":100000,"cache_write":0}]}`))
	if err != nil {
		t.Fatal(err)
	}
	s := read(t, samples(t)["claude-code"], agent.Options{Prices: prices}).Transcripts()[0].Session
	opus, sonnet := 10*5+50*25+1000/2+100*25/4, 5*3+7*15
	if s.Cost != opus+sonnet || s.PriceTable != "2026-02-01" || s.Models[0].Cost != opus || s.Models[1].Cost != sonnet {
		t.Errorf("cost %d by %s, %+v; want %d and %d", s.Cost, s.PriceTable, s.Models, opus, sonnet)
	}
	// One model of two has no price: the session has none, the other model has.
	s = read(t, samples(t)["codex"], agent.Options{Prices: prices}).Transcripts()[0].Session
	if s.Cost != 0 || s.PriceTable != "" || s.Models[0].Cost != 400+500+60 || s.Models[1].Cost != 0 {
		t.Errorf("cost %d by %q, %+v", s.Cost, s.PriceTable, s.Models)
	}
	// No tokens are told: nothing is known of the cost.
	s = read(t, samples(t)["github-copilot document"], agent.Options{Prices: prices}).Transcripts()[0].Session
	if s.Cost != 0 || s.PriceTable != "" {
		t.Errorf("cost %d by %q", s.Cost, s.PriceTable)
	}
}

func TestAWorkerOfAWorkerIsDeeper(t *testing.T) {
	rows := `{"type":"assistant","sessionId":"s","message":{"id":"m","model":"x","content":[{"type":"tool_use","id":"t1","name":"Task","input":{}}]}}
{"type":"assistant","sessionId":"s","agentId":"a","isSidechain":true,"message":{"id":"n","model":"x","content":[{"type":"tool_use","id":"t2","name":"Task","input":{}}]}}
{"type":"user","sessionId":"s","agentId":"a","isSidechain":true,"message":{"content":[{"type":"tool_result","tool_use_id":"t2"}]},"toolUseResult":{"agentId":"b","totalTokens":5}}
{"type":"user","sessionId":"s","message":{"content":[{"type":"tool_result","tool_use_id":"t1"}]},"toolUseResult":{"agentId":"a"}}
{"type":"user","sessionId":"s","agentId":"b","message":{"content":[]},"toolUseResult":{"agentId":"b"}}`
	got := map[stemma.Ref]int{}
	for _, x := range read(t, []byte(rows), agent.Options{}).Transcripts() {
		got[x.Session.Ref()] = x.Session.Depth
		if x.Subagent == "b" && (x.Session.Parent != "session:claude-code/s:a" || x.ParentCall != "t2") {
			t.Errorf("%+v", x)
		}
	}
	want := map[stemma.Ref]int{"session:claude-code/s": 0, "session:claude-code/s:a": 1, "session:claude-code/s:b": 2}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAMergeRequestThatACommandOpenedIsFound(t *testing.T) {
	for _, c := range []struct{ tool, input, result, want string }{
		{"Bash", `{"command":"gh pr create --fill"}`, `"Creating\nhttps://github.com/acme/pay/pull/139\n"`, "https://github.com/acme/pay/pull/139"},
		{"Bash", `{"command":"git push && glab mr create"}`, `[{"type":"text","text":"https://gitlab.com/acme/team/pay/-/merge_requests/8."}]`, ""},
		{"Bash", `{"command":"glab mr create"}`, `"https://gitlab.com/acme/team/pay/-/merge_requests/8"`, "https://gitlab.com/acme/team/pay/-/merge_requests/8"},
		{"mcp__github__create_pull_request", `{"owner":"acme"}`, `"{\"url\":\"https://api.github.com/x\",\"html_url\":\"https://github.com/acme/pay/pull/7\"}"`, "https://github.com/acme/pay/pull/7"},
		{"Bash", `{"command":"gh pr view 139"}`, `"https://github.com/acme/pay/pull/139"`, ""},
		{"Bash", `{"command":"gh pr create"}`, `"https://github.com/acme/pay/issues/3 https://github.com/pull/1 https://"`, ""},
	} {
		rows := `{"type":"assistant","sessionId":"s","message":{"id":"m","model":"x","content":[{"type":"tool_use","id":"t","name":"` + c.tool + `","input":` + c.input + `}]}}
{"type":"user","sessionId":"s","message":{"content":[{"type":"tool_result","tool_use_id":"t","content":` + c.result + `}]}}`
		got := ""
		for _, p := range read(t, []byte(rows), agent.Options{}).Transcripts()[0].Opened {
			got += p.URL
		}
		if got != c.want {
			t.Errorf("%s %s gave %q, want %q", c.input, c.result, got, c.want)
		}
	}
}

func TestRowsAreReadOnceInAnyPieces(t *testing.T) {
	for name, b := range samples(t) {
		f, _ := agent.Detect(b)
		if strings.HasSuffix(name, "document") || strings.HasSuffix(name, "export") {
			r := f.New(agent.Options{Session: "s-1"})
			for _, part := range [][]byte{b[:len(b)/2], b, b} { // written anew each time
				if err := r.Read(bytes.NewReader(part)); err != nil || r.Offset() != 0 {
					t.Errorf("%s: %v, offset %d", name, err, r.Offset())
				}
			}
			if diff := cmp.Diff(read(t, b, agent.Options{}).Transcripts(), r.Transcripts()); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			continue
		}
		grown := f.New(agent.Options{Session: "s-1", Growing: true})
		whole := f.New(agent.Options{Session: "s-1"})
		for end := 0; end < len(b); {
			end = min(end+97, len(b))
			if err := grown.Read(bytes.NewReader(b[grown.Offset():end])); err != nil {
				t.Fatal(err)
			}
			grown.Transcripts() // asking changes nothing
		}
		if err := whole.Read(bytes.NewReader(b)); err != nil || grown.Offset() != int64(len(b)) {
			t.Fatalf("%s: %v, offset %d of %d", name, err, grown.Offset(), len(b))
		}
		if diff := cmp.Diff(whole.Transcripts(), grown.Transcripts()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(whole.Problems(), grown.Problems()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestADocumentThatIsTooLongIsAProblem(t *testing.T) {
	r := agent.NewAmp(agent.Options{})
	if err := r.Read(io.LimitReader(spaces{}, agent.MaxRow+10)); err != nil || len(r.Problems()) != 1 {
		t.Errorf("%v, %v", err, r.Problems())
	}
}

type spaces struct{}

func (spaces) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

func FuzzRead(f *testing.F) {
	for _, b := range samples(f) {
		f.Add(b)
	}
	prices := price.Default()
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := agent.Read(bytes.NewReader(b), agent.Options{
			Session: "s-1", Prices: prices, Say: func(stemma.Digest, string) {},
			Wrote: func(e agent.Edition) {
				if _, ok := e.Apply("x\n"); ok && e.Path == "" || e.Call == "" || e.Session == "" {
					t.Fatalf("%+v", e)
				}
			},
		})
		if err != nil {
			if !errors.Is(err, agent.ErrUnknown) {
				t.Fatal(err)
			}
			return
		}
		for _, x := range r.Transcripts() {
			if x.Session.Started > x.Session.Ended || x.Session.Cost < 0 || x.Session.Depth > 200 {
				t.Fatalf("%+v", x.Session)
			}
			fact, err := x.Session.Fact("transcript", stemma.GradeD)
			if err != nil {
				t.Fatal(err)
			}
			if back, err := session.FromFact(fact); err != nil || back.Ref() != x.Session.Ref() {
				t.Fatalf("%v, %v", back, err)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	all := samples(b)
	for _, f := range agent.Formats() {
		if strings.Contains(f.Name, "document") || f.Name == "opencode export" {
			continue
		}
		text := bytes.Repeat(all[f.Name], 200)
		b.Run(f.Name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if err := f.New(agent.Options{Session: "s-1"}).Read(bytes.NewReader(text)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
