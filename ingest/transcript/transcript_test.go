package transcript_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/transcript"
)

func TestWhatWasSaidIsReadBackWhateverTheForm(t *testing.T) {
	for _, c := range []struct {
		media string
		ref   stemma.Ref
		data  string
		want  []transcript.Message
	}{
		{transcript.MediaGitAI, "session:codex/1", `[{"type":"user","text":"make it so"},{"type":"tool_use","name":"edit","input":{}},` +
			`{"type":"assistant","text":"","timestamp":"2026-01-02T03:04:05Z"},{"type":"user","text":"again\nplease"}]`, []transcript.Message{
			{Turn: 1, Role: "user", Text: "make it so"}, {Turn: 3, Role: "user", Text: "again\nplease"},
		}},
		{
			transcript.MediaRows, "session:claude-code/5e-1",
			`{"sessionId":"5e-1","type":"user","uuid":"a","message":{"role":"user","content":"Make charges idempotent"}}` + "\n" +
				`{"sessionId":"5e-2","type":"user","uuid":"b","message":{"role":"user","content":"another session"}}` + "\n" +
				`{"sessionId":"5e-1","type":"assistant","uuid":"c","message":{"role":"assistant","id":"m","model":"claude-opus-4-6","content":[{"type":"text","text":"Done."}]}}` + "\n",
			[]transcript.Message{{Turn: 1, Role: "user", Text: "Make charges idempotent"}, {Turn: 2, Role: "assistant", Text: "Done."}},
		},
		{
			transcript.MediaDocument, "session:amp/T-1",
			`{"v":1,"id":"T-1","messages":[{"role":"user","messageId":0,"content":[{"type":"text","text":"Make it so"}]}]}`,
			[]transcript.Message{{Turn: 1, Role: "user", Text: "Make it so"}},
		},
		{
			transcript.MediaRows, "session:cursor/of-its-file", `{"role":"user","message":{"content":[{"type":"text","text":"Make it so"}]}}`,
			[]transcript.Message{{Turn: 1, Role: "user", Text: "Make it so"}},
		},
		{transcript.MediaGitAI, "session:codex/1", `[{"type":"user","text":"whole"},{"type":"us`, []transcript.Message{{Turn: 1, Role: "user", Text: "whole"}}},
	} {
		got, err := transcript.Read(c.media, c.ref, []byte(c.data))
		if err != nil {
			t.Errorf("%s: %v", c.media, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s of %s:\n%s", c.media, c.ref, diff)
		}
	}
}

func TestUnknownFormIsAnError(t *testing.T) {
	if said, err := transcript.Read("text/plain", "session:codex/1", []byte("hello")); err == nil {
		t.Errorf("read %v of a form that is not known", said)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(transcript.MediaGitAI, []byte(`[{"type":"user","text":"a"}]`))
	f.Add(transcript.MediaRows, []byte(`{"sessionId":"1","type":"user","message":{"role":"user","content":"a"}}`+"\n"))
	f.Fuzz(func(t *testing.T, media string, data []byte) {
		said, err := transcript.Read(media, "session:claude-code/1", data)
		if err != nil {
			return
		}
		last := 0
		for _, m := range said {
			if m.Turn < last || m.Text == "" || m.Role == "" {
				t.Fatalf("%+v after turn %d", m, last)
			}
			last = m.Turn
		}
	})
}
