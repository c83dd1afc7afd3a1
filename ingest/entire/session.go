package entire

import (
	"time"

	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/ingest/note"
)

// Tokens is what a checkpoint says a session used.
type Tokens struct {
	Input, CacheWrite, CacheRead, Output, Calls int64
	Subagents                                   *Tokens
}

// Checkpoint is the metadata.json at the root of a checkpoint.
type Checkpoint struct {
	ID          string
	Strategy    string
	Branch      string
	Source      string // commit it was migrated from
	Checkpoints int
	Files       []string
	Sessions    int
	Tokens      Tokens
	Extra       []string
	Problems    []note.Problem
}

// Session is the metadata.json of one session in a checkpoint.
type Session struct {
	Checkpoint string
	Session    string // the agent's own id
	Writer     string // version of the command line program
	Strategy   string
	Created    time.Time
	Branch     string
	Agent      string // as written: "Claude Code"
	Turn       string
	Task       bool
	ToolCall   string
	Files      []string
	Tokens     Tokens
	Lines      *Lines // initial attribution
	HasSummary bool
	FromLine   int64 // where in the transcript the checkpoint begins
	Extra      []string
	Problems   []note.Problem
}

// Lines is how many lines Entire counted for whom, without saying which.
type Lines struct {
	At                                                time.Time
	Agent, HumanAdded, HumanModified, HumanRemoved, N int64
}

// ParseCheckpoint reads the metadata at the root of a checkpoint.
func ParseCheckpoint(b []byte) *Checkpoint {
	c := &Checkpoint{}
	c.Problems = parseObject(b, func(name string, r *jsonwalk.Reader) {
		switch name {
		case "checkpoint_id":
			c.ID = r.Text(40)
		case "strategy":
			c.Strategy = r.Text(40)
		case "branch":
			c.Branch = r.Text(500)
		case "migration_source_commit":
			c.Source = r.Text(64)
		case "checkpoints_count":
			c.Checkpoints = int(r.Int())
		case "files_touched":
			c.Files = readStrings(r)
		case "sessions":
			for range r.Array() {
				c.Sessions++
			}
		case "token_usage":
			c.Tokens = readTokens(r, 0)
		default:
			c.Extra = jsonwalk.Remember(c.Extra, name)
		}
	})
	return c
}

// ParseSession reads the metadata of one session in a checkpoint.
func ParseSession(b []byte) *Session {
	s := &Session{}
	s.Problems = parseObject(b, func(name string, r *jsonwalk.Reader) {
		switch name {
		case "checkpoint_id":
			s.Checkpoint = r.Text(40)
		case "session_id":
			s.Session = r.Text(500)
		case "cli_version":
			s.Writer = r.Text(100)
		case "strategy":
			s.Strategy = r.Text(40)
		case "created_at":
			s.Created = r.Time()
		case "branch":
			s.Branch = r.Text(500)
		case "agent":
			s.Agent = r.Text(100)
		case "turn_id":
			s.Turn = r.Text(100)
		case "is_task":
			s.Task = r.Bool()
		case "tool_use_id":
			s.ToolCall = r.Text(200)
		case "files_touched":
			s.Files = readStrings(r)
		case "token_usage":
			s.Tokens = readTokens(r, 0)
		case "initial_attribution":
			s.Lines = readLines(r)
		case "summary":
			s.HasSummary = r.Kind() == '{'
		case "checkpoint_transcript_start", "transcript_lines_at_start":
			s.FromLine = max(s.FromLine, r.Int())
		case "agents", "checkpoints_count", "transcript_identifier_at_start", "transcript_path":
		default:
			s.Extra = jsonwalk.Remember(s.Extra, name)
		}
	})
	return s
}

// parseObject walks one JSON object and returns what was wrong with it.
func parseObject(b []byte, member func(string, *jsonwalk.Reader)) []note.Problem {
	var bad note.Problems
	r := jsonwalk.New(b)
	switch {
	case len(b) > note.MaxRecord:
		bad.Add("the record is too large", "record of %d bytes", len(b))
	case r.Kind() != '{':
		bad.Add("not a JSON object", "start of record")
	default:
		for name := range r.Object() {
			member(name, r)
		}
		if err := r.End(); err != nil {
			bad.Add("damaged JSON", "%v", err)
		}
	}
	return bad
}

func readStrings(r *jsonwalk.Reader) []string {
	var list []string
	for range r.Array() {
		list = append(list, r.String())
	}
	return list
}

func readTokens(r *jsonwalk.Reader, depth int) Tokens {
	var t Tokens
	for name := range r.Object() {
		switch name {
		case "input_tokens":
			t.Input = r.Int()
		case "cache_creation_tokens":
			t.CacheWrite = r.Int()
		case "cache_read_tokens":
			t.CacheRead = r.Int()
		case "output_tokens":
			t.Output = r.Int()
		case "api_call_count":
			t.Calls = r.Int()
		case "subagent_tokens":
			if r.Kind() == '{' && depth < 4 {
				sub := readTokens(r, depth+1)
				t.Subagents = &sub
			}
		}
	}
	return t
}

func readLines(r *jsonwalk.Reader) *Lines {
	if r.Kind() != '{' {
		return nil
	}
	l := &Lines{}
	for name := range r.Object() {
		switch name {
		case "calculated_at":
			l.At = r.Time()
		case "agent_lines":
			l.Agent = r.Int()
		case "human_added":
			l.HumanAdded = r.Int()
		case "human_modified":
			l.HumanModified = r.Int()
		case "human_removed":
			l.HumanRemoved = r.Int()
		case "total_committed":
			l.N = r.Int()
		}
	}
	return l
}
