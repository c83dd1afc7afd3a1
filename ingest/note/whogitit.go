package note

import (
	"fmt"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// FormatWhogitit is the format of Claims made from a whogitit note.
const FormatWhogitit = "whogitit"

// Whogitit is a whogitit note, version 2 or 3. It gives every line of a file a
// source, also those the commit did not touch; the text of the lines, which the
// note repeats, is not kept.
type Whogitit struct {
	Version   int64
	Session   string
	Model     string
	Provider  string
	Started   time.Time
	Prompts   []WhogititPrompt
	PlanMode  bool
	Subagents int
	Files     []WhogititFile
	Extra     []string
	Problems  []Problem
}

// WhogititPrompt is one prompt; its text is a body, never an attribute.
type WhogititPrompt struct {
	Index int
	Text  string
	At    time.Time
	Files []string
}

// WhogititFile is what a note says about one path.
type WhogititFile struct {
	Path  string
	Lines []WhogititLine // without those whose source is Original
	Kept  int            // lines whose source is Original
}

// WhogititLine is one line of the file at the commit.
type WhogititLine struct {
	Line   int
	Source string // "AI", "AIModified", "Human", "Unknown"
	Edit   string
	Prompt int // index of the prompt, -1 if none
}

// ParseWhogitit reads a note of refs/notes/whogitit or refs/notes/ai-blame. It
// always returns what could be read.
func ParseWhogitit(b []byte) *Whogitit {
	w := &Whogitit{}
	var bad Problems
	r := jsonwalk.New(b)
	switch {
	case len(b) > MaxRecord:
		bad.Add("the note is too large", "note of %d bytes", len(b))
	case r.Kind() != '{':
		bad.Add("not a JSON object", "start of note")
	default:
		w.read(r, &bad)
		if err := r.End(); err != nil {
			bad.Add("damaged JSON", "%v", err)
		}
		if w.Version != 2 && w.Version != 3 {
			bad.Add("a version that is not 2 or 3", "version %d", w.Version)
		}
	}
	w.Problems = bad
	return w
}

func (w *Whogitit) read(r *jsonwalk.Reader, bad *Problems) {
	for name := range r.Object() {
		switch name {
		case "version":
			w.Version = r.Int()
		case "session":
			w.readSession(r)
		case "prompts":
			for range r.Array() {
				w.Prompts = append(w.Prompts, readWhogititPrompt(r))
			}
		case "files":
			for range r.Array() {
				w.readFile(r, bad)
			}
		default:
			w.Extra = jsonwalk.Remember(w.Extra, name)
		}
	}
}

func (w *Whogitit) readSession(r *jsonwalk.Reader) {
	for name := range r.Object() {
		switch name {
		case "session_id":
			w.Session = r.Text(500)
		case "model":
			for part := range r.Object() {
				switch part {
				case "id":
					w.Model = r.Text(200)
				case "provider":
					w.Provider = r.Text(100)
				}
			}
		case "started_at":
			w.Started = r.Time()
		case "used_plan_mode":
			w.PlanMode = r.Bool()
		case "subagent_count":
			w.Subagents = int(r.Int())
		case "prompt_count": // the list of prompts says it better
		default:
			w.Extra = jsonwalk.Remember(w.Extra, name)
		}
	}
}

func readWhogititPrompt(r *jsonwalk.Reader) WhogititPrompt {
	var p WhogititPrompt
	for name := range r.Object() {
		switch name {
		case "index":
			p.Index = int(r.Int())
		case "text":
			p.Text = r.String()
		case "timestamp":
			p.At = r.Time()
		case "affected_files":
			for range r.Array() {
				p.Files = append(p.Files, r.String())
			}
		}
	}
	return p
}

func (w *Whogitit) readFile(r *jsonwalk.Reader, bad *Problems) {
	var f WhogititFile
	for name := range r.Object() {
		switch name {
		case "path":
			f.Path = r.String()
		case "lines":
			for n := range r.Array() {
				l := readWhogititLine(r)
				switch {
				case l.Line < 1 || l.Line > MaxLine:
					bad.Add("a line number out of range", "file %d, entry %d", len(w.Files), n)
				case l.Source == "Original":
					f.Kept++
				default:
					f.Lines = append(f.Lines, l)
				}
			}
		}
	}
	if f.Path == "" {
		bad.Add("a file without a path", "file %d", len(w.Files))
		return
	}
	w.Files = append(w.Files, f)
}

func readWhogititLine(r *jsonwalk.Reader) WhogititLine {
	l := WhogititLine{Prompt: -1}
	for name := range r.Object() {
		switch name {
		case "line_number":
			l.Line = int(r.Int())
		case "source":
			if r.Kind() == '"' {
				l.Source = r.Text(40)
				continue
			}
			for part := range r.Object() {
				switch part {
				case "type":
					l.Source = r.Text(40)
				case "edit_id":
					l.Edit = r.Text(100)
				}
			}
		case "prompt_index":
			if r.Kind() == 0 {
				l.Prompt = int(r.Int())
			}
		}
	}
	return l
}

// Claims lowers the note. A line of the agent that a person changed is unknown,
// because the note does not say whose words it holds now. An Original line is
// no claim: the commit did not add it.
func (w *Whogitit) Claims() Claims {
	c := Claims{Format: FormatWhogitit, Writer: fmt.Sprintf("whogitit note %d", w.Version), Problems: w.Problems}
	// whogitit captures Claude Code and no other agent.
	agent := identity.AgentName("claude-code")
	for _, f := range w.Files {
		list := make([]claim, 0, 64)
		for _, l := range f.Lines {
			m := Mark{Agent: agent, ModelName: w.Model, Session: w.Session, Prompt: l.Prompt + 1}
			switch l.Source {
			case "AI":
				m.Origin = stemma.OriginAI
			case "AIModified":
				m.Origin, m.Reason = stemma.OriginUnknown, ReasonModified
			case "Human":
				m = Mark{Origin: stemma.OriginHuman}
			case "Unknown":
				m = Mark{Origin: stemma.OriginUnknown, Reason: ReasonUnresolved}
			default:
				m = Mark{Origin: stemma.OriginUnknown, Reason: ReasonNotStated}
			}
			list = append(list, claim{ClaimedSpan: ClaimedSpan{Range{l.Line, l.Line}, &m}})
		}
		c.addFile(f.Path, list)
	}
	if w.Session != "" {
		s := ClaimedSession{Agent: agent, Session: w.Session, Started: w.Started, Prompts: len(w.Prompts)}
		if w.Model != "" {
			s.Models = []string{w.Model}
		}
		c.Sessions = []ClaimedSession{s}
	}
	return c
}
