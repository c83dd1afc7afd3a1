package copilot_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/agent/copilot"
	"github.com/stemma-dev/stemma/ingest/agent/run"
)

func chat(t testing.TB, rows string, o run.Options) *copilot.Chat {
	t.Helper()
	c := copilot.NewChat(o, false)
	if err := c.Read(strings.NewReader(rows)); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestChangesOfAChatAreFollowed(t *testing.T) {
	const state = `{"kind":0,"v":{"sessionId":"c","requests":[{"message":{"text":"One"},"modelId":"copilot/gpt-4o","response":[{"value":"a"}]}]}}` + "\n"
	for _, c := range []struct{ change, want string }{
		{``, "One>a"},
		{`{"kind":2,"k":["requests",0,"response"],"v":[{"value":"b"}]}`, "One>ab"},
		{`{"kind":2,"k":["requests",0,"response"],"v":[]}`, "One>a"},
		{`{"kind":1,"k":["requests",0,"response"],"v":[{"value":"c"}]}`, "One>c"},
		{`{"kind":1,"k":["requests",0,"message"],"v":{"text":"Two"}}`, "Two>a"},
		{`{"kind":1,"k":["requests"],"v":[]}`, ""},
		{`{"kind":2,"k":["requests"],"v":[{"message":{"text":"More"},"response":[{"value":"d"}]}]}`, "One>a>More>d"},
		{`{"kind":0,"v":{"sessionId":"c","requests":[{"message":{"text":"Anew"}}]}}`, "Anew"},
		{`{"kind":1,"k":["requests",99999999999999999999,"response"],"v":[]}`, "One>a"},
		{`{"kind":1,"k":["requests","x","response"],"v":[]}`, "One>a"},
		{`{"kind":9,"k":[],"v":1}`, "One>a"},
		{`{"kind":2,"k":["requests",0,"response"],"i":0,"v":[{"value":"z"}]}`, "One>z"},
		{`{"kind":2,"k":["requests",0,"response"],"i":9,"v":[{"value":"z"}]}`, "One>az"},
		{`{"kind":2,"k":["requests"],"i":0}`, ""},
		{`{"kind":3,"k":["requests",0,"response"]}`, "One"},
		{`{"kind":3,"k":["requests"]}`, ""},
	} {
		said := map[string]string{}
		r := chat(t, state+c.change, run.Options{Say: func(d stemma.Digest, text string) { said[d.String()] = text }})
		var got []string
		for _, x := range r.Transcripts() {
			for _, turn := range x.Session.Turns {
				got = append(got, said[turn.Body])
			}
		}
		if s := strings.Join(got, ">"); s != c.want {
			t.Errorf("%s gave %q, want %q", c.change, s, c.want)
		}
	}
}

func FuzzChat(f *testing.F) {
	for _, name := range []string{"chat.jsonl", "chat.json", "cli.jsonl"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, document := range []bool{false, true} {
			c := copilot.NewChat(run.Options{Session: "c"}, document)
			if err := c.Read(bytes.NewReader(b)); err != nil {
				t.Fatal(err)
			}
			for _, x := range c.Transcripts() {
				if _, err := x.Session.Fact("chat", stemma.GradeD); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
