package settle_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/gitai"
)

// A silent agent tells its hooks no model, but writes one down.
type silent struct {
	*desk
	transcript string
}

func newSilent(t testing.TB) *silent {
	return &silent{newDesk(t), filepath.Join(t.TempDir(), "s1.jsonl")}
}

// edits lets the agent, or a sub-agent, edit a file with the given call.
func (s *silent) edits(sub, call string) {
	s.T.Helper()
	hook := func(event string) {
		payload, err := json.Marshal(map[string]any{
			"hook_event_name": event, "session_id": "s1", "agent_id": sub, "cwd": s.Dir, "tool_name": "Edit", "tool_use_id": call,
			"tool_input": map[string]any{"file_path": filepath.Join(s.Dir, "a.txt")}, "transcript_path": s.transcript,
		})
		must(s.T, err)
		must(s.T, capture.Keep(capture.Call{Agent: "claude-code", Payload: payload, Directory: s.Dir, At: began}))
	}
	hook("PreToolUse")
	s.write("a.txt", s.inserts("s1", 0, 2)(s.read("a.txt")))
	hook("PostToolUse")
}

// answer is a row in which a model calls a tool.
func answer(sub, model, call string) string {
	row := map[string]any{
		"type": "assistant", "sessionId": "s1", "uuid": "u-" + call, "timestamp": "2001-09-09T01:46:40Z",
		"message": map[string]any{
			"id": "m-" + call, "role": "assistant", "model": model,
			"content": []any{map[string]any{"type": "tool_use", "id": call, "name": "Edit", "input": map[string]any{"file_path": "a.txt"}}},
		},
	}
	if sub != "" {
		row["agentId"] = sub
	}
	b, err := json.Marshal(row)
	if err != nil {
		panic(err)
	}
	return string(b) + "\n"
}

// models are those of the traces in the note of HEAD, by call.
func (s *silent) models() string {
	s.T.Helper()
	s.commit()
	s.settle()
	var list []string
	n := gitai.Parse([]byte(s.Git("notes", "--ref", "ai", "show", "HEAD")))
	for _, f := range n.Files {
		for _, e := range f.Entries {
			m, _ := n.Mark(e.Key)
			list = append(list, fmt.Sprintf("%s=%s", m.ToolCall, m.ModelName))
		}
	}
	return strings.Join(list, " ")
}

func TestTheModelOfACallIsLookedUpInTheTranscript(t *testing.T) {
	for name, c := range map[string]struct {
		rows string
		want string
	}{
		"of the call":             {answer("", "claude-a", "c0") + answer("", "claude-b", "c1"), "c1=claude-b"},
		"of the only model":       {answer("", "claude-a", "c0") + answer("", "<synthetic>", "c9"), "c1=claude-a"},
		"not guessed":             {answer("", "claude-a", "c0") + answer("", "claude-b", "c2"), "c1="},
		"behind damage":           {"{\n" + answer("", "claude-a", "c0") + "\x00\n" + answer("", "claude-b", "c1"), "c1=claude-b"},
		"not of a row half there": {answer("", "claude-a", "c0") + answer("", "claude-b", "c2") + strings.TrimSpace(answer("", "claude-c", "c1")), "c1="},
		"not of a sub-agent":      {answer("x1", "claude-b", "c2"), "c1="},
		"empty":                   {"", "c1="},
		"of no form":              {"text\n", "c1="},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSilent(t)
			must(t, os.WriteFile(s.transcript, []byte(c.rows), 0o600))
			s.edits("", "c1")
			if got := s.models(); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestASubagentsModelIsItsOwn(t *testing.T) {
	for name, c := range map[string]struct {
		parent, own string
		want        string
	}{
		"beside":                {answer("", "claude-a", "c0"), answer("x1", "claude-b", "c1"), "c1=claude-b"},
		"its only one":          {answer("", "claude-a", "c0"), answer("x1", "claude-b", "c7"), "c1=claude-b"},
		"in its parent's":       {answer("", "claude-a", "c0") + answer("x1", "claude-b", "c1"), "", "c1=claude-b"},
		"never that of another": {answer("", "claude-a", "c0"), "", "c1="},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSilent(t)
			must(t, os.WriteFile(s.transcript, []byte(c.parent), 0o600))
			if c.own != "" {
				at := filepath.Join(filepath.Dir(s.transcript), "s1", "subagents", "agent-x1.jsonl")
				must(t, os.MkdirAll(filepath.Dir(at), 0o700))
				must(t, os.WriteFile(at, []byte(c.own), 0o600))
			}
			s.edits("x1", "c1")
			if got := s.models(); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestATranscriptThatIsNoFileNamesNoModel(t *testing.T) {
	for name, put := range map[string]func(s *silent) error{
		"gone":        func(*silent) error { return nil },
		"a directory": func(s *silent) error { return os.Mkdir(s.transcript, 0o700) },
		"a link": func(s *silent) error {
			to := filepath.Join(s.T.TempDir(), "secret")
			must(s.T, os.WriteFile(to, []byte(answer("", "claude-a", "c1")), 0o600))
			return os.Symlink(to, s.transcript)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSilent(t)
			s.edits("", "c1")
			must(t, put(s))
			if got := s.models(); got != "c1=" {
				t.Errorf("%q", got)
			}
		})
	}
}

// BenchmarkModels: what a transcript of 100 MB costs whoever settles.
func BenchmarkModels(b *testing.B) {
	s := newSilent(b)
	f, err := os.Create(s.transcript)
	must(b, err)
	row := answer("", "claude-a", "c0")
	result := fmt.Sprintf(`{"type":"user","sessionId":"s1","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"c0","content":%q}]}}`+"\n",
		strings.Repeat("some text that a tool gave back, line by line\n", 200))
	for size := 0; size < 100<<20; size += len(row) + len(result) {
		_, err := f.WriteString(row + result)
		must(b, err)
	}
	must(b, f.Close())
	for b.Loop() {
		b.StopTimer()
		s.edits("", "c1")
		s.commit()
		b.StartTimer()
		s.settle()
	}
}
