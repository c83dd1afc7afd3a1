package agent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/stemma-dev/stemma/ingest/agent/codex"
	"github.com/stemma-dev/stemma/ingest/agent/copilot"
	"github.com/stemma-dev/stemma/ingest/agent/opencode"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// A Format is how an agent writes its transcripts down.
type Format struct {
	Name string // "claude-code", "gemini-cli document"
	New  func(Options) Reader
}

// Formats lists the formats that are known.
func Formats() []Format { return formats }

var formats = []Format{
	{"claude-code", func(o Options) Reader { return NewClaude(o) }},
	{"codex", func(o Options) Reader { return codex.New(o) }},
	{"gemini-cli", func(o Options) Reader { return NewGemini(o, false) }},
	{"gemini-cli document", func(o Options) Reader { return NewGemini(o, true) }},
	{"cursor", func(o Options) Reader { return NewCursor(o) }},
	{"github-copilot-cli events", func(o Options) Reader { return copilot.NewEvents(o, false) }},
	{"github-copilot events", func(o Options) Reader { return copilot.NewEvents(o, true) }},
	{"github-copilot chat", func(o Options) Reader { return copilot.NewChat(o, false) }},
	{"github-copilot document", func(o Options) Reader { return copilot.NewChat(o, true) }},
	{"windsurf", func(o Options) Reader { return NewWindsurf(o) }},
	{"amp document", func(o Options) Reader { return NewAmp(o) }},
	{"droid", func(o Options) Reader { return NewDroid(o) }},
	{"continue document", func(o Options) Reader { return NewContinue(o) }},
	{"opencode export", func(o Options) Reader { return opencode.New(o) }},
	{"pi", func(o Options) Reader { return NewPi(o) }},
}

func formatOf(name string) (Format, bool) {
	for _, f := range formats {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

// MaxHead is how much of the beginning of a transcript is looked at.
const MaxHead = 256 << 10

// ErrUnknown is of a transcript in no form that is known.
var ErrUnknown = errors.New("agent: a transcript in a form that is not known")

// Detect tells from how a transcript begins, whole or cut anywhere, what format
// it has. The names of files say nothing here.
func Detect(head []byte) (Format, bool) {
	head = bytes.TrimSpace(bytes.TrimPrefix(head[:min(len(head), MaxHead)], []byte("\xef\xbb\xbf")))
	rest := head
	for n := 0; n < 50 && len(rest) > 0; n++ {
		row := rest
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			row, rest = rest[:i], rest[i+1:]
		} else {
			rest = nil
		}
		if row = bytes.TrimSpace(row); len(row) == 0 {
			continue
		}
		if n == 0 && jsonwalk.Valid(row) != nil { // a document of several lines, or a head that was cut
			if f, ok := formatOf(formatOfRow(head)); ok {
				return f, true
			}
		}
		if f, ok := formatOf(formatOfRow(row)); ok {
			return f, true
		}
	}
	return Format{}, false
}

// Read reads a transcript of any agent and returns the reader that did. The
// error is the stream's, or [ErrUnknown].
func Read(r io.Reader, o Options) (Reader, error) {
	head := make([]byte, MaxHead)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("agent: reading a transcript: %w", err)
	}
	f, ok := Detect(head[:n])
	if !ok {
		return nil, ErrUnknown
	}
	reader := f.New(o)
	return reader, reader.Read(io.MultiReader(bytes.NewReader(head[:n]), r))
}

// A look is what the outermost members of an object say of its format.
type look struct {
	has                map[string]byte // names, and what their values begin with
	kind, id, producer string
	editor             bool
}

// formatOfRow returns the format of a row or of a document, which may be cut.
func formatOfRow(row []byte) string {
	r := jsonwalk.New(row)
	if r.Kind() != '{' {
		return ""
	}
	l := look{has: map[string]byte{}}
	for name := range r.Object() {
		if len(l.has) < 100 {
			l.has[name] = r.Kind()
		}
		switch name {
		case "type":
			l.kind = r.Text(60)
		case "id":
			l.id = r.Text(200)
		case "data":
			for name := range r.Object() {
				switch name {
				case "producer":
					l.producer = r.Text(60)
				case "vscodeVersion":
					l.editor = true
				}
			}
		}
	}
	if l.kind != "" {
		return l.row()
	}
	return l.document()
}

func (l look) any(names ...string) bool {
	for _, n := range names {
		if _, ok := l.has[n]; ok {
			return true
		}
	}
	return false
}

func (l look) all(names ...string) bool {
	for _, n := range names {
		if _, ok := l.has[n]; !ok {
			return false
		}
	}
	return true
}

// row tells a row that has a type.
func (l look) row() string {
	_, step := l.has[l.kind]
	switch {
	case l.has["payload"] == '{':
		return "codex"
	case l.kind == "session.start" && l.editor:
		return "github-copilot events"
	case strings.Contains(l.kind, ".") && l.has["data"] == '{':
		return "github-copilot-cli events"
	case l.any("sessionId", "isSidechain", "leafUuid", "uuid", "parentUuid"):
		return "claude-code"
	case step && l.any("status"):
		return "windsurf"
	case l.kind == "session_start":
		return "droid"
	case l.kind == "session" && l.all("version", "id"), l.kind == "model_change":
		return "pi"
	case (l.kind == "user" || l.kind == "gemini") && l.all("id", "content", "timestamp"):
		return "gemini-cli"
	case (l.kind == "message" || l.kind == "function_call") && l.any("role", "call_id"):
		return "codex"
	}
	return ""
}

// document tells an object without a type.
func (l look) document() string {
	switch {
	case l.has["kind"] == 0 && l.all("kind", "v"):
		return "github-copilot chat"
	case l.any("requests") && l.any("sessionId", "responderUsername", "requesterUsername", "inputState"):
		return "github-copilot document"
	case l.any("responderUsername"):
		return "github-copilot document"
	case l.has["message"] == '{' && l.has["role"] == '"':
		return "cursor"
	case strings.HasPrefix(l.id, "T-") && l.any("messages", "v"):
		return "amp document"
	case l.all("sessionId") && l.any("history", "workspaceDirectory"):
		return "continue document"
	case l.has["messages"] == '[' && l.has["sessionId"] == '"':
		return "gemini-cli document"
	case l.all("sessionId", "projectHash"), l.any("$set", "$rewindTo"):
		return "gemini-cli"
	case l.has["info"] == '{' && l.any("messages"):
		return "opencode export"
	case l.all("id", "timestamp") && l.any("instructions", "git"):
		return "codex"
	}
	return ""
}
