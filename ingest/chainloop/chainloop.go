// Package chainloop reads AI coding sessions as Chainloop writes them: the material
// CHAINLOOP_AI_CODING_SESSION, a JSON file with one session of one agent, schema 0.1.
// Bytes go in, small structs, claims and a record of the room session come out; it
// runs no git, opens no file and reads no clock.
//
// What such a file can tell of lines is little, and nothing is added to it:
//
//   - Its ranges are those of the file just after each edit of the agent, all that
//     the session ever made, one behind the other. They are not moved to where the
//     lines stand in a commit. They are taken for those of the commit only where it
//     is the only one, and nothing in the file speaks against it: see File.fits.
//   - Its "ai" and "human" say of a file whether this session wrote in it. What
//     another session wrote is "human" too, so that nobody's lines are taken for a
//     person's.
//   - Its counts of lines are of files and not of lines, and are used only to tell
//     that ranges are not of the commit.
//
// The conversation in it is stepped over.
package chainloop

import (
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/ingest/note"
)

// Format is the format of claims made from such a session.
const Format = "chainloop"

// Material is how the file says what it is, in the member [materialMember].
const Material = "CHAINLOOP_AI_CODING_SESSION"

const (
	materialMember = "chainloop.material.evidence.id"
	schemaPart     = "/aicodingsession/"
	schemaVersion  = "0.1"
)

// How much is read of what a file lists.
const (
	MaxCommits = 64
	maxModels  = 64
)

// Session is what a file says.
type Session struct {
	Schema  string
	Agent   string // as written: "claude-code"
	Version string // of the agent
	ID      string // the agent's own
	Slug    string // what the agent calls it
	Branch  string
	Started time.Time
	Ended   time.Time
	Models  []string // as written, the chief one first

	Input, Output, CacheRead, CacheWrite int64 // tokens

	Commits  []string // that are named whole, each once
	Several  bool     // there are more than one, named whole or not
	Files    []File   // that have ranges
	Problems note.Problems
}

// File is what a session says about one path.
type File struct {
	Path        string
	Status      string // "created", "modified", "deleted", "renamed"
	Attribution string // "ai", "human"
	Added       int64  // lines that the commits added to it; 0 if it is not said
	Ranges      []note.Range
	Sessions    []string // ids
}

// Is reports whether a file says that it is such a session, damaged or not.
func Is(b []byte) bool {
	is := false
	r := jsonwalk.New(b)
	for name := range r.Object() {
		if name == materialMember {
			is = r.Text(len(Material)+1) == Material
		}
	}
	return is
}

// Parse reads a file. Of one that is damaged nothing is kept but that: what is
// missing may be what the rest depends upon.
func Parse(b []byte) *Session {
	s := &Session{}
	r := jsonwalk.New(b)
	switch {
	case len(b) > note.MaxRecord:
		s.Problems.Add("the record is too large", "record of %d bytes", len(b))
		return s
	case r.Kind() != '{':
		s.Problems.Add("not a JSON object", "start of record")
		return s
	}
	var context gitContext
	for name := range r.Object() {
		switch name {
		case "schema":
			s.Schema = r.Text(200)
		case "data":
			s.readData(r, &context)
		}
	}
	if err := r.End(); err != nil {
		damaged := &Session{}
		damaged.Problems.Add("damaged JSON", "%v", err)
		return damaged
	}
	if _, version, _ := strings.Cut(s.Schema, schemaPart); !strings.HasPrefix(version, schemaVersion+"/") {
		s.Problems.Add("a schema that is not version "+schemaVersion, "schema %q", s.Schema)
	}
	s.settleCommits(context)
	return s
}

func (s *Session) readData(r *jsonwalk.Reader, context *gitContext) {
	for name := range r.Object() {
		switch name {
		case "agent":
			for part := range r.Object() {
				switch part {
				case "name":
					s.Agent = r.Text(100)
				case "version":
					s.Version = r.Text(100)
				}
			}
		case "session":
			s.readSession(r)
		case "git_context":
			context.read(r)
			s.Branch = context.branch
		case "code_changes":
			for part := range r.Object() {
				if part == "files" {
					for n := range r.Array() {
						s.readFile(r, n)
					}
				}
			}
		case "model":
			s.readModels(r)
		case "usage":
			s.readUsage(r)
		}
	}
}

func (s *Session) readSession(r *jsonwalk.Reader) {
	for name := range r.Object() {
		switch name {
		case "id":
			s.ID = r.Text(500)
		case "slug":
			s.Slug = r.Text(200)
		case "started_at":
			s.Started = r.Time()
		case "ended_at":
			s.Ended = r.Time()
		}
	}
}

func (s *Session) readModels(r *jsonwalk.Reader) {
	var chief string
	var used []string
	for name := range r.Object() {
		switch name {
		case "primary":
			chief = r.Text(200)
		case "models_used":
			for range r.Array() {
				if m := r.Text(200); m != "" && len(used) < maxModels {
					used = append(used, m)
				}
			}
		}
	}
	s.Models = nil
	for _, m := range append([]string{chief}, used...) {
		if m != "" && !slices.Contains(s.Models, m) {
			s.Models = append(s.Models, m)
		}
	}
}

func (s *Session) readUsage(r *jsonwalk.Reader) {
	for name := range r.Object() {
		switch name {
		case "input_tokens":
			s.Input = r.Int()
		case "output_tokens":
			s.Output = r.Int()
		case "cache_read_input_tokens":
			s.CacheRead = r.Int()
		case "cache_creation_input_tokens":
			s.CacheWrite = r.Int()
		}
	}
}

// readFile reads the file of number n in the list. One without ranges says nothing
// about lines.
func (s *Session) readFile(r *jsonwalk.Reader, n int) {
	var f File
	for name := range r.Object() {
		switch name {
		case "path":
			f.Path = r.String()
		case "status":
			f.Status = r.Text(40)
		case "attribution":
			f.Attribution = r.Text(40)
		case "lines_added":
			f.Added = r.Int()
		case "session_ids":
			for range r.Array() {
				if id := r.Text(500); len(f.Sessions) < 2 && !slices.Contains(f.Sessions, id) {
					f.Sessions = append(f.Sessions, id) // a second one says that there are several
				}
			}
		case "line_ranges":
			for range r.Array() {
				one := readRange(r)
				if one.Start < 1 || one.End < one.Start || one.End > note.MaxLine {
					s.Problems.Add("a range that is not ascending line numbers", "file %d", n)
					continue
				}
				f.Ranges = append(f.Ranges, one)
			}
		}
	}
	switch {
	case f.Path == "":
		s.Problems.Add("a file without a path", "file %d", n)
	case len(f.Ranges) > 0:
		s.Files = append(s.Files, f)
	}
}

func readRange(r *jsonwalk.Reader) (one note.Range) {
	for name := range r.Object() {
		switch name {
		case "start":
			one.Start = int(r.Int())
		case "end":
			one.End = int(r.Int())
		}
	}
	return one
}
