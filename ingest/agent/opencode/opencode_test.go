package opencode_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/agent/opencode"
	"github.com/stemma-dev/stemma/ingest/agent/run"
	"github.com/stemma-dev/stemma/session"
)

func export(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "export.json"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestExportBecomesASession(t *testing.T) {
	o := opencode.New(run.Options{})
	if err := o.Read(bytes.NewReader(export(t))); err != nil {
		t.Fatal(err)
	}
	at := func(second int64) stemma.Moment { return stemma.Moment(1770112800+second) * 1_000_000 }
	want := session.Session{
		Tool: opencode.Tool, ExternalID: "oc-2", Started: at(1), Ended: at(2), HarnessVersion: "1.1", Title: "Idempotent charges",
		TurnCount: 2, ToolCallCount: 1, Iterations: 1, InputTokens: 10, OutputTokens: 25, CacheReadTokens: 30, CacheWriteTokens: 40,
		Parent: "session:opencode/oc-1", Depth: 1, OriginRecord: "opencode-transcript", Agent: "agent:opencode",
		Models: []session.ModelUse{{
			Model: "model:anthropic/claude-opus-4-6", Name: "claude-opus-4-6", Turns: 1, InputTokens: 10, OutputTokens: 25, CacheReadTokens: 30, CacheWriteTokens: 40,
		}},
		Turns: []session.Turn{
			{Number: 1, Role: "user", At: at(1)},
			{Number: 2, Role: "assistant", At: at(2), Model: "claude-opus-4-6", InputTokens: 10, OutputTokens: 25, ToolCalls: 1},
		},
		ToolCalls: []session.ToolCall{{Turn: 2, Call: "t1", Tool: "edit", Path: "charge.go", At: at(2), Error: true}},
	}
	list := o.Transcripts()
	if len(list) != 1 {
		t.Fatalf("%d sessions", len(list))
	}
	if diff := cmp.Diff(want, list[0].Session); diff != "" {
		t.Error(diff)
	}
	if p := o.Problems(); len(p) != 1 {
		t.Errorf("problems %v", p)
	}
}

func TestRecordsMayComeInAnyOrder(t *testing.T) {
	parent := []byte(`{"id":"oc-1","title":"Plan","directory":"/home/ann/pay"}`)
	child := []byte(`{"id":"oc-2","parentID":"oc-1","title":"Work","directory":"/home/ann/pay"}`)
	asked := []byte(`{"role":"user","time":{"created":1770112801000}}`)
	words := []byte(`{"type":"text","text":"Do it"}`)
	one, two := opencode.New(run.Options{}), opencode.New(run.Options{})
	one.Session("", parent)
	one.Session("", child)
	one.Message("m1", "oc-1", asked)
	one.Message("m2", "oc-2", asked)
	one.Part("p1", "m1", words)
	one.Part("p2", "m2", words)
	before := one.Transcripts()
	two.Part("p2", "m2", words)
	two.Part("p1", "m1", words)
	two.Message("m2", "oc-2", asked)
	two.Transcripts() // as far as it is known
	two.Message("m1", "oc-1", asked)
	two.Session("oc-2", child)
	two.Session("oc-1", parent)
	if diff := cmp.Diff(before, two.Transcripts()); diff != "" {
		t.Error(diff)
	}
	if len(before) != 2 || before[0].Session.Prompts != 1 || before[1].Session.Prompts != 0 || before[1].Session.Parent != "session:opencode/oc-1" || before[1].Session.Depth != 1 {
		t.Errorf("%+v", before)
	}
}

func FuzzRecords(f *testing.F) {
	f.Add([]byte(`{"id":"oc-1"}`), []byte(`{"id":"m","sessionID":"oc-1","role":"assistant"}`), []byte(`{"messageID":"m","type":"tool","tool":"edit","state":{}}`))
	f.Add(export(f), []byte("x"), []byte("[1"))
	f.Fuzz(func(t *testing.T, s, m, p []byte) {
		o := opencode.New(run.Options{Say: func(stemma.Digest, string) {}})
		o.Session("", s)
		o.Message("", "oc-1", m)
		o.Part("", "m", p)
		for _, x := range o.Transcripts() {
			if _, err := x.Session.Fact("opencode-transcript", stemma.GradeD); err != nil {
				t.Fatal(err)
			}
		}
		if err := o.Read(bytes.NewReader(s)); err != nil {
			t.Fatal(err)
		}
		o.Transcripts()
	})
}
