package posted

import (
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/chainloop"
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/records"
)

// The formats of the records that are kept here; facts made of them say that they
// come from there, too. They are not those of records in a repository: where both
// speak of a commit both stand, and lines on which they do not agree are unknown.
const (
	Format     = "git-ai-http"      // notes that clients of Git AI send
	Chainloop  = chainloop.Format   // AI coding sessions, from files
	AgentTrace = "agent-trace-file" // records of Agent Trace, from files outside of a repository
)

// A kind is what has to be known of a format.
type kind struct {
	format string
	body   stemma.Body // what the bytes of a record are, without their digest and size
	parse  records.Parser
}

var kinds = []kind{
	{Format, stemma.Body{Name: "note", Media: "text/plain; charset=utf-8"}, records.ParseGitAI},
	{Chainloop, stemma.Body{Name: "record", Media: "application/json"}, func(b []byte) note.Claims { return chainloop.Parse(b).Claims() }},
	{AgentTrace, stemma.Body{Name: "record", Media: "application/jsonl"}, parseTraces},
}

func kindOf(format string) (kind, bool) {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.format == format })
	if i < 0 {
		return kind{}, false
	}
	return kinds[i], true
}

func parseTraces(b []byte) note.Claims {
	var told []note.Claims
	for t := range note.ParseAgentTraces(b) {
		told = append(told, t.Claims())
	}
	return note.Combine(told...)
}

// Claims are what a record says about lines. Who says so is somebody else. What
// could not be read of a file was stated when it came.
func Claims(format string, body []byte) note.Claims {
	k, known := kindOf(format)
	if !known {
		c := note.Claims{Format: format}
		bad := note.Problems{}
		bad.Add("a format that this version does not read", "format %s", format)
		c.Problems = bad
		return c
	}
	c := k.parse(body)
	if c.Format = format; format != Format {
		c.Problems = nil
	}
	c.Foreign()
	return c
}

// Bodies describe the bytes of a record to a fact about it.
func Bodies(format string, body []byte) []stemma.Body {
	k, _ := kindOf(format)
	k.body.Digest, k.body.Size = stemma.Sum(body), int64(len(body))
	return []stemma.Body{k.body}
}

// Place is where a record was read from, as facts that compared it with its commit
// say.
func Place(digest stemma.Digest) string { return "posted " + digest.String() }
