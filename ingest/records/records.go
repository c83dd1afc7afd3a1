// Package records says where tools keep their records of line origin in a
// repository, and which parser reads what lies there. Reading a history and
// asking about one file go by the same table.
//
// Bytes go in, claims come out; the package runs no git.
package records

import (
	"fmt"
	"strings"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/ingest/gitai"
	"github.com/stemma-dev/stemma/ingest/note"
)

// Source is what facts read from records of line origin say they come from.
const Source = "git-note"

// AuthorshipRefs is the older store of Git AI: one ref per commit, which is the
// rest of its name.
const AuthorshipRefs = "refs/ai/authorship/"

// Fetched is where the notes of remotes are fetched to: the name of the remote and
// that of the notes follow. They are joined with those of the clone, and so no
// records beside them.
const Fetched = "refs/notes/stemma-remote/"

// AgentTraceFile is where Agent Trace's reference hook appends its records.
const AgentTraceFile = ".agent-trace/traces.jsonl"

// A Parser makes claims of a record. They hold no transcripts, which would
// share the memory of the record.
type Parser func([]byte) note.Claims

// ParseGitAI reads a note of Git AI.
func ParseGitAI(b []byte) note.Claims { return withoutText(gitai.Parse(b).Claims()) }

func parseWhogitit(b []byte) note.Claims { return withoutText(note.ParseWhogitit(b).Claims()) }

// noteRefs are the refs under which tools keep notes, by prefix.
var noteRefs = []struct {
	prefix string
	parse  Parser
}{
	{"refs/notes/ai-blame", parseWhogitit},
	{"refs/notes/ai-stash", nil}, // about stashes, which are no history
	{"refs/notes/ai", ParseGitAI},
	{"refs/notes/whogitit", parseWhogitit},
}

// ParserOf is what reads the notes under a ref; nil if it holds no records.
func ParserOf(ref string) Parser {
	for _, k := range noteRefs {
		if strings.HasPrefix(ref, k.prefix) {
			return k.parse
		}
	}
	return nil
}

// Unread says why nothing reads the notes under a ref, of which [ParserOf] knows
// no reader.
func Unread(ref string) string {
	if strings.HasPrefix(ref, "refs/notes/ai-stash") {
		return "notes about stashes, which are no history"
	}
	return "notes that nothing here can read"
}

// FormatOf is the format of the records under a ref that holds some.
func FormatOf(ref string) string {
	if strings.HasPrefix(ref, "refs/notes/whogitit") || strings.HasPrefix(ref, "refs/notes/ai-blame") {
		return note.FormatWhogitit
	}
	return gitai.Format
}

func withoutText(c note.Claims) note.Claims {
	for i := range c.Sessions {
		c.Sessions[i].Messages = nil
	}
	return c
}

// Unreadable says why the object of a record has no content.
func Unreadable(o git.Object) string {
	switch {
	case o.Broken:
		return "the object is damaged"
	case o.Missing:
		return "the object is missing"
	case o.TooBig:
		return fmt.Sprintf("%d bytes, more than %d", o.Size, note.MaxRecord)
	}
	return "the object cannot be read"
}

// Lost is the id of an object that is missing or damaged; "" if it is only too big.
func Lost(o git.Object) string {
	if o.TooBig {
		return ""
	}
	return o.ID
}
