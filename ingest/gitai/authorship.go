// Package gitai reads and writes Git AI authorship logs: the notes of the Git AI
// Standard 3.0.0, those of earlier versions, and the older store of one ref per
// commit. Bytes go in, an [Authorship] comes out; [Authorship.Claims] lowers it
// to what it says about lines, and [Authorship.Write] gives the canonical note.
// The package runs no git, opens no file and reads no clock.
//
// A key that leads to no record, a key that is only a word, and a person's key
// with an agent's identity are unknown with their reason, and never AI.
package gitai

import (
	"bytes"
	"strings"

	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/ingest/note"
)

// Authorship is a Git AI authorship log: the note of one commit.
type Authorship struct {
	Schema  string // "authorship/3.0.0"
	Writer  string // version of git-ai that wrote it
	Base    string // base_commit_sha; a hint, it may name another commit
	Logical string // logical_commit_id, undocumented

	Files    []File
	Sessions map[string]Agent  // by "s_" key without the trace
	Prompts  map[string]Agent  // by legacy key
	Humans   map[string]string // by "h_" key: "Name <mail>"
	Traces   map[string]Trace  // by "t_" key, or a person's
	Details  []Detail
	Tree     string        // of the commit
	Anchors  []note.Anchor // one for a path

	Unordered int      // entries whose ranges were not ascending; they were put in order
	Extra     []string // members of the metadata that no specification names
	Problems  []note.Problem

	old bool // from refs/ai/authorship: keys are names
}

// File is the attestation about one path. The path is raw bytes.
type File struct {
	Path    string
	Entries []Entry
}

// Entry gives lines to a key. The ranges are ascending and disjoint.
type Entry struct {
	Key    string
	Ranges []note.Range
}

// Agent is a session record, or a legacy prompt record.
type Agent struct {
	Tool, ID, Model string
	HumanAuthor     string
	MessagesURL     string
	Custom          map[string]string

	// Counters of a prompt record.
	Additions, Deletions, Accepted, Overridden int64

	// Messages is the embedded transcript as it stands in the note, read by
	// [Messages]; it shares the memory of the note. MessageCount is its length.
	Messages     []byte
	MessageCount int

	Extra []string // members that no specification names
}

// Parse reads a Git AI note of any version, or a file of the older
// store refs/ai/authorship. It always returns what could be read.
func Parse(b []byte) *Authorship {
	a := &Authorship{}
	var bad note.Problems
	if len(b) > note.MaxRecord {
		bad.Add("the note is too large", "note of %d bytes", len(b))
		a.Problems = bad
		return a
	}
	text, meta, ok := cutSeparator(b)
	switch {
	case ok:
		a.readAttestation(text, &bad)
		a.readMetadata(meta, &bad)
	case bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("{")):
		a.readOldStore(b, &bad)
	default:
		a.readAttestation(b, &bad)
		bad.Add("no line --- and no metadata", "end of note")
	}
	a.Problems = bad
	return a
}

// cutSeparator splits a note at its first line "---".
func cutSeparator(b []byte) (text, meta []byte, ok bool) {
	for at := 0; at <= len(b); {
		line := b[at:]
		end := bytes.IndexByte(line, '\n')
		next := len(b)
		if end >= 0 {
			line, next = line[:end], at+end+1
		}
		if string(line) == "---" || string(line) == "---\r" {
			return b[:at], b[next:], true
		}
		if end < 0 {
			break
		}
		at = next
	}
	return nil, nil, false
}

// maxPathLines bounds a quoted path that contains newlines.
const maxPathLines = 8

func (a *Authorship) readAttestation(b []byte, bad *note.Problems) {
	file := -1 // no path yet
	n := 0
	next := func() (string, bool) {
		if len(b) == 0 {
			return "", false
		}
		line, rest, _ := bytes.Cut(b, []byte("\n"))
		b = rest
		n++
		return string(line), true
	}
	for line, ok := next(); ok; line, ok = next() {
		switch {
		case line == "" || line == "\r":
		case line[0] != ' ':
			place := n
			path, closed := line, true
			if line[0] == '"' {
				path, closed = quotedPath(line, next)
			}
			if !closed || path == "" {
				bad.Add("a path that is empty or whose quote is not closed", "line %d", place)
				file = -1
				continue
			}
			a.Files = append(a.Files, File{Path: path})
			file = len(a.Files) - 1
		case file < 0:
			bad.Add("an entry without a path", "line %d", n)
		default:
			e, unordered, why := readEntry(line)
			if why != "" {
				bad.Add(why, "line %d", n)
			}
			if unordered {
				a.Unordered++
			}
			if len(e.Ranges) > 0 {
				a.Files[file].Entries = append(a.Files[file].Entries, e)
			}
		}
	}
}

// quotedPath reads a path in quotes: nothing inside is escaped, so the quote
// that ends a line ends the path.
func quotedPath(line string, next func() (string, bool)) (string, bool) {
	path := line[1:]
	for range maxPathLines {
		if inner, ok := strings.CutSuffix(path, `"`); ok {
			return inner, true
		}
		more, ok := next()
		if !ok {
			return "", false
		}
		path += "\n" + more
	}
	return "", false
}

// readEntry reads "  key ranges". What is wrong with the line is returned
// beside whatever of it could be read.
func readEntry(line string) (e Entry, unordered bool, why string) {
	rest, ok := strings.CutPrefix(strings.TrimSuffix(line, "\r"), "  ")
	key, ranges, two := strings.Cut(rest, " ")
	if !ok || !two || key == "" {
		return e, false, "an entry that is not two spaces, key, space, ranges"
	}
	e.Key = key
	e.Ranges = make([]note.Range, 0, 1+strings.Count(ranges, ","))
	last := 0
	for part := range strings.SplitSeq(ranges, ",") {
		r, ok := readRange(part)
		if !ok {
			why = "a range that is not one or two line numbers"
			continue
		}
		unordered = unordered || r.Start <= last
		last = max(last, r.End)
		e.Ranges = append(e.Ranges, r)
	}
	if unordered {
		e.Ranges = note.Union(e.Ranges)
	}
	return e, unordered, why
}

func readRange(s string) (note.Range, bool) {
	from, to, two := strings.Cut(s, "-")
	start, ok := lineNumber(from)
	if !ok {
		return note.Range{}, false
	}
	if !two {
		return note.Range{Start: start, End: start}, true
	}
	end, ok := lineNumber(to)
	return note.Range{Start: start, End: end}, ok && end >= start
}

func lineNumber(s string) (int, bool) {
	if s == "" || len(s) > 10 {
		return 0, false
	}
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, n >= 1 && n <= note.MaxLine
}

func (a *Authorship) readMetadata(b []byte, bad *note.Problems) {
	r := jsonwalk.New(b)
	if r.Kind() != '{' {
		bad.Add("metadata that is not a JSON object", "after ---")
		return
	}
	for name := range r.Object() {
		switch name {
		case "schema_version":
			a.Schema = r.Text(100)
		case "git_ai_version":
			a.Writer = r.Text(100)
		case "base_commit_sha":
			a.Base = r.Text(100)
		case "logical_commit_id":
			a.Logical = r.Text(100)
		case "sessions":
			a.Sessions = readAgents(r, a.Sessions)
		case "prompts":
			a.Prompts = readAgents(r, a.Prompts)
		case "humans":
			a.readHumans(r)
		case ownMember:
			a.readOwn(r)
		default:
			a.Extra = jsonwalk.Remember(a.Extra, name)
		}
	}
	if err := r.End(); err != nil {
		bad.Add("metadata: damaged JSON", "%v", err)
	}
	if !strings.HasPrefix(a.Schema, "authorship/") {
		bad.Add("a schema version that is not authorship/…", "schema_version %q", a.Schema)
	}
}

func readAgents(r *jsonwalk.Reader, into map[string]Agent) map[string]Agent {
	for key := range r.Object() {
		if r.Kind() != '{' {
			continue
		}
		if into == nil {
			into = map[string]Agent{}
		}
		into[key] = readAgent(r)
	}
	return into
}

func readAgent(r *jsonwalk.Reader) Agent {
	var a Agent
	for name := range r.Object() {
		switch name {
		case "agent_id":
			for part := range r.Object() {
				switch part {
				case "tool":
					a.Tool = r.Text(100)
				case "id":
					a.ID = r.Text(500)
				case "model":
					a.Model = r.Text(200)
				}
			}
		case "human_author":
			a.HumanAuthor = r.Text(500)
		case "messages_url":
			a.MessagesURL = r.Text(2000)
		case "custom_attributes":
			for key := range r.Object() {
				if a.Custom == nil {
					a.Custom = map[string]string{}
				}
				if key, value := jsonwalk.Clean(key, 100), r.Text(500); len(a.Custom) < 64 {
					a.Custom[key] = value
				}
			}
		case "total_additions":
			a.Additions = r.Int()
		case "total_deletions":
			a.Deletions = r.Int()
		case "accepted_lines":
			a.Accepted = r.Int()
		case "overriden_lines", "overridden_lines":
			a.Overridden = r.Int()
		case "messages":
			a.Messages, a.MessageCount = readList(r)
		default:
			a.Extra = jsonwalk.Remember(a.Extra, name)
		}
	}
	return a
}

// readList steps over an array and counts it.
func readList(r *jsonwalk.Reader) (raw []byte, n int) {
	if r.Kind() != '[' {
		return nil, 0
	}
	from := r.Offset()
	for range r.Array() {
		n++
	}
	if n == 0 || r.Err() != nil {
		return nil, 0
	}
	return r.Since(from), n
}

func (a *Authorship) readHumans(r *jsonwalk.Reader) {
	for key := range r.Object() {
		if r.Kind() != '{' {
			continue
		}
		for name := range r.Object() {
			if name == "author" {
				if a.Humans == nil {
					a.Humans = map[string]string{}
				}
				a.Humans[key] = r.Text(500)
			}
		}
	}
}
