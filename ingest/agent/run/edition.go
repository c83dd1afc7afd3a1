package run

import (
	"strings"
	"time"

	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// An Edition is what one call made of one file, as far as its transcript tells
// exactly: the whole file after it, or what was put in the place of what.
type Edition struct {
	Session, Subagent string // the agent's own ids
	Call, Tool        string
	Model             string // that called, "" if it is not said
	Prompt            int    // number in the session, from 1; 0 if it is not known
	At                time.Time

	Path      string // as the tool spells it
	Directory string // where the session worked then

	Before, After Content
	Steps         []Step // from the one to the other, where After is not told
	Modified      bool   // a person changed it before it was applied: whose it is, is not told
}

// Content is that of a whole file; of one that is not there it is empty.
type Content struct {
	Text string
	Told bool
}

// A Step puts one text in the place of another.
type Step struct {
	Old, New string
	All      bool   // wherever it stands; else it stands there once
	Lines    bool   // whole lines, the first that match behind the step before
	Behind   string // and behind this line, if it is not empty
}

// maxEditions bounds how many calls are remembered whose end is not told yet.
const maxEditions = 1000

// Apply gives the file that the edition made of a content. It is false where the
// steps do not lead from that content to one other.
func (e Edition) Apply(before string) (after string, ok bool) {
	if e.After.Told {
		return e.After.Text, true
	}
	at := 0
	for _, s := range e.Steps {
		if s.Lines {
			before, at, ok = s.lines(before, at)
		} else {
			before, ok = s.replace(before)
		}
		if !ok {
			return "", false
		}
	}
	return before, len(e.Steps) > 0
}

func (s Step) replace(text string) (string, bool) {
	n := 0
	if s.Old != "" {
		n = strings.Count(text, s.Old)
	}
	switch {
	case s.Old == "" && text == "": // a file that is made
		return s.New, true
	case n == 0, n > 1 && !s.All, n*(len(s.New)-len(s.Old)) > MaxRow:
		return "", false
	case s.New == "" && !strings.HasSuffix(s.Old, "\n") && strings.Contains(text, s.Old+"\n"):
		return strings.ReplaceAll(text, s.Old+"\n", ""), true // the line goes as a whole
	}
	return strings.ReplaceAll(text, s.Old, s.New), true
}

// lines replaces whole lines behind a place, and tells where to go on.
func (s Step) lines(text string, from int) (string, int, bool) {
	if s.Old == "" {
		return "", 0, false // where it goes is not told
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	if s.Behind != "" {
		i := lineIndex(text[from:], s.Behind+"\n")
		if i < 0 {
			return "", 0, false
		}
		from += i + len(s.Behind) + 1
	}
	i := lineIndex(text[from:], s.Old)
	if i < 0 {
		return "", 0, false
	}
	at := from + i
	return text[:at] + s.New + text[at+len(s.Old):], at + len(s.New), true
}

// lineIndex is where lines stand in a text that begins with a line.
func lineIndex(text, lines string) int {
	for at := 0; at < len(text); {
		i := strings.Index(text[at:], lines)
		if i < 0 {
			return -1
		}
		if at += i; at == 0 || text[at-1] == '\n' {
			return at
		}
		at++
	}
	return -1
}

// wholeTools are those whose call has the whole file.
var wholeTools = map[string]bool{
	"Write": true, "mcp__acp__Write": true, "write": true, "write_file": true, "save_file": true, "create_file": true, "Create": true, "create": true,
	"write_to_file": true, "copilot_createFile": true,
}

// editions are what a call is about to make of files, by its input alone.
func editions(c Call) []Edition {
	if !c.Edits {
		return nil
	}
	if patch := strings.Index(c.Command, "*** Begin Patch"); patch >= 0 {
		if strings.Contains(c.Command[:patch], "cd ") {
			return nil // it works somewhere else
		}
		return patchEditions(c.Command[patch:])
	}
	r := jsonwalk.New(c.Input)
	if len(c.Input) == 0 || r.Kind() != '{' || len(c.Paths) != 1 {
		return nil
	}
	e, odd := Edition{Path: c.Paths[0]}, false
	var one Step
	for name := range r.Object() {
		switch name {
		case "content", "contents", "file_text", "fileText":
			if r.Kind() == '"' {
				e.After = Content{r.String(), wholeTools[c.Tool]}
			}
		case "edits", "replacements":
			for range r.Array() {
				e.Steps = append(e.Steps, ReadStep(r))
			}
		case "append", "insert_line", "mode", "position":
			odd = true
		case "modified_by_user":
			e.Modified = r.Bool()
		default:
			one.Member(name, r)
		}
	}
	if one != (Step{}) {
		e.Steps = append(e.Steps, one)
	}
	if odd || r.Err() != nil || !e.After.Told && len(e.Steps) == 0 {
		return nil
	}
	return []Edition{e}
}

// ReadStep reads what an edit puts in the place of what, by the names that tools
// give it.
func ReadStep(r *jsonwalk.Reader) (s Step) {
	for name := range r.Object() {
		s.Member(name, r)
	}
	return s
}

// Member reads one member of what is put in the place of what.
func (s *Step) Member(name string, r *jsonwalk.Reader) {
	switch name {
	case "old_string", "oldString", "old_str", "oldText", "old_text":
		s.Old = r.String()
	case "new_string", "newString", "new_str", "newText", "new_text":
		s.New = r.String()
	case "replace_all", "replaceAll":
		s.All = r.Bool()
	case "expected_replacements":
		s.All = r.Int() > 1
	}
}

// patchEditions reads a patch in the form of apply_patch. A file that it moves has
// an edition without steps.
func patchEditions(patch string) (list []Edition) {
	var e *Edition
	var step *Step
	for line := range strings.Lines(patch) {
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if kind, path, ok := patchHead(line); ok {
			if len(list) >= maxEditions {
				return nil
			}
			list = append(list, Edition{Path: path})
			e, step = &list[len(list)-1], nil
			switch kind {
			case "Add":
				e.Before.Told, e.After.Told = true, true
			case "Delete":
				e.After.Told = true
			}
			continue
		}
		switch {
		case line == "*** End Patch":
			return list
		case e == nil || line == "*** End of File":
		case strings.HasPrefix(line, "*** Move to: "):
			return nil // of all its files, what was before in the second is not told
		case e.After.Told:
			if text, ok := strings.CutPrefix(line, "+"); ok {
				e.After.Text += text + "\n"
			}
		case strings.HasPrefix(line, "@@"):
			e.Steps = append(e.Steps, Step{Lines: true, Behind: strings.TrimPrefix(strings.TrimPrefix(line, "@@"), " ")})
			step = &e.Steps[len(e.Steps)-1]
		default:
			if step == nil {
				e.Steps = append(e.Steps, Step{Lines: true})
				step = &e.Steps[len(e.Steps)-1]
			}
			step.line(line)
		}
	}
	return nil // it was cut
}

func patchHead(line string) (kind, path string, ok bool) {
	for _, kind := range []string{"Add", "Delete", "Update"} {
		if path, ok := strings.CutPrefix(line, "*** "+kind+" File: "); ok {
			return kind, strings.TrimSpace(path), true
		}
	}
	return "", "", false
}

// line adds a line of a hunk.
func (s *Step) line(line string) {
	switch {
	case line == "":
		s.Old, s.New = s.Old+"\n", s.New+"\n"
	case line[0] == ' ':
		s.Old, s.New = s.Old+line[1:]+"\n", s.New+line[1:]+"\n"
	case line[0] == '-':
		s.Old += line[1:] + "\n"
	case line[0] == '+':
		s.New += line[1:] + "\n"
	}
}

// expect remembers what a call is about to make of files.
func (r *Run) expect(c Call) {
	if r.stream.Options.Wrote == nil || c.ID == "" || len(r.expected) >= maxEditions {
		return
	}
	if list := editions(c); list != nil {
		if r.expected == nil {
			r.expected = map[string][]Edition{}
		}
		r.expected[c.ID] = list
	}
}

// Told replaces what was expected of a call by what the harness says that it did.
func (r *Run) Told(call string, e Edition) {
	if r.stream.Options.Wrote == nil || call == "" || len(r.expected) >= maxEditions {
		return
	}
	if r.expected == nil {
		r.expected = map[string][]Edition{}
	}
	r.expected[call] = []Edition{e}
}

// wrote hands over what a call has made of files.
func (r *Run) wrote(res Result, at time.Time) {
	list, ok := r.expected[res.Call]
	if !ok {
		return
	}
	delete(r.expected, res.Call)
	i, known := r.byCall[res.Call]
	if res.Error || !known {
		return
	}
	session, _, _ := strings.Cut(r.Session.ExternalID, ":"+r.sub)
	if r.sub == "" {
		session = r.Session.ExternalID
	}
	for _, e := range list {
		e.Session, e.Subagent, e.Call, e.Tool, e.At = session, r.sub, res.Call, r.calls[i].Tool, at
		e.Model, e.Directory = r.turns[r.calls[i].Turn-1].Model, r.directory
		if r.sub == "" {
			e.Prompt = r.Session.Prompts
		}
		r.stream.Options.Wrote(e)
	}
}
