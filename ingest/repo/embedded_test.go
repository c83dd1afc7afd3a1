package repo_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/transcript"
)

// talk is a Git AI note of the older form whose session said n things.
func talk(path string, n int) string {
	messages := make([]string, n)
	for i := range messages {
		messages[i] = fmt.Sprintf(`{"type":%q,"text":"word %d","timestamp":"2026-02-03T10:%02d:00Z"}`, []string{"user", "assistant"}[i%2], i, i)
	}
	messages = append(messages, `{"type":"tool_use","name":"edit","input":{"path":"a.go"}}`)
	return path + "\n  68a5978b673049fa 1-2\n---\n" + `{"schema_version":"authorship/3.0.0","base_commit_sha":"","prompts":{"68a5978b673049fa":` +
		`{"agent_id":{"tool":"claude","id":"c9","model":"claude-opus-4-6"},"messages":[` + strings.Join(messages, ",") + `]}}}`
}

func TestLongestEmbeddedTranscriptIsKept(t *testing.T) {
	r, s := gittest.New(t), newSpace(t)
	for i, n := range []int{2, 5, 3} {
		path := fmt.Sprintf("f%d.go", i)
		r.Note("ai", r.Commit("add "+path, path, gittest.Lines(path, 3)), talk(path, n))
	}
	const ref = stemma.Ref("session:claude-code/c9")
	session := `SELECT turns, prompts, tool_calls, iterations FROM k_session`
	said := func() string {
		t.Helper()
		messages, err := transcript.Of(context.Background(), s.Space, ref)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%d, last %s", len(messages), messages[len(messages)-1].Text)
	}
	s.scan(r.Dir)
	want(t, "session", s.rows(session), "5 3 1 2")
	want(t, "said", []string{said()}, "5, last word 4")

	// A note that knows less takes nothing away, one that knows more adds to it.
	r.Note("ai", r.Commit("add g.go", "g.go", gittest.Lines("g", 3)), talk("g.go", 1))
	s.scan(r.Dir)
	want(t, "session", s.rows(session), "5 3 1 2")
	r.Note("ai", r.Commit("add h.go", "h.go", gittest.Lines("h", 3)), talk("h.go", 8))
	s.scan(r.Dir)
	want(t, "session", s.rows(session), "8 4 1 4")
	want(t, "said", []string{said()}, "8, last word 7")
	s.verify()
}
