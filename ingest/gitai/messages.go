package gitai

import (
	"iter"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/session"
)

// A Message is one entry of a transcript that a Git AI note embeds. Its text is
// what a person or an agent wrote: a body, never an attribute of a fact.
type Message struct {
	Role string // "user", "assistant", "tool_use", …
	Tool string // name of the tool of a tool use
	At   time.Time
	Text string
	Size int // bytes of the text, or of the tool's input
}

// MediaMessages is the media type of an embedded transcript that is kept apart
// from its note.
const MediaMessages = "application/vnd.git-ai.messages+json"

// Messages reads the embedded transcript of an [Agent]. It ends at
// the first damage, which a parsed note does not have.
func Messages(raw []byte) iter.Seq[Message] {
	return func(yield func(Message) bool) {
		r := jsonwalk.New(raw)
		for range r.Array() {
			var m Message
			for name := range r.Object() {
				switch name {
				case "type":
					m.Role = r.Text(40)
				case "name":
					m.Tool = r.Text(100)
				case "text":
					m.Text = r.String()
					m.Size = len(m.Text)
				case "input":
					m.Size = len(r.Raw())
				case "timestamp":
					m.At = r.Time()
				}
			}
			if r.Err() != nil || !yield(m) {
				return
			}
		}
	}
}

// Turns makes turns and tool calls of an embedded transcript, and none of what
// was said: that stays in the transcript itself.
func Turns(raw []byte) (turns []session.Turn, calls []session.ToolCall) {
	for m := range Messages(raw) {
		switch m.Role {
		case "user", "assistant":
			turns = append(turns, session.Turn{Number: len(turns) + 1, Role: m.Role, At: stemma.At(m.At)})
		case "tool_use":
			if m.Tool == "" {
				continue
			}
			calls = append(calls, session.ToolCall{Turn: len(turns), Tool: m.Tool, At: stemma.At(m.At)})
			if n := len(turns); n > 0 {
				turns[n-1].ToolCalls++
			}
		}
	}
	return turns, calls
}
