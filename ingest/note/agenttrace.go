package note

import (
	"bytes"
	"iter"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// FormatAgentTrace is the format of Claims made from Agent Trace records.
const FormatAgentTrace = "agent-trace"

// AgentTrace is one record of Agent Trace 0.1.0.
type AgentTrace struct {
	Version, ID string
	At          time.Time
	VCS         string // "git", "jj", "hg", "svn"
	Revision    string
	Tool        string
	ToolVersion string
	Files       []AgentTraceFile
	Pseudo      int // files that stand for shell runs and sessions, dropped
	Extra       []string
	Problems    []Problem
}

// AgentTraceFile is what a record says about one path.
type AgentTraceFile struct {
	Path          string
	Conversations []AgentTraceConversation
}

// AgentTraceConversation gives ranges to a contributor.
type AgentTraceConversation struct {
	URL         string
	Contributor AgentTraceContributor
	Ranges      []AgentTraceRange
	Related     []AgentTraceRelated
}

// AgentTraceRange may name a contributor of its own.
type AgentTraceRange struct {
	Range
	Hash        string
	Contributor *AgentTraceContributor
}

// AgentTraceContributor is who wrote: human, ai, mixed or unknown.
type AgentTraceContributor struct{ Type, Model string }

// AgentTraceRelated is a link to something else, such as a ticket.
type AgentTraceRelated struct{ Type, URL string }

// ParseAgentTraces reads the file .agent-trace/traces.jsonl, or one record as
// JSON over several lines. Lines that are not records are problems of a record
// of their own that has nothing else.
func ParseAgentTraces(b []byte) iter.Seq[*AgentTrace] {
	return func(yield func(*AgentTrace) bool) {
		if trimmed := bytes.TrimSpace(b); len(b) <= MaxRecord && jsonwalk.Valid(trimmed) == nil {
			yield(parseAgentTrace(trimmed, 1))
			return
		}
		n := 0
		for line := range bytes.SplitSeq(b, []byte("\n")) {
			n++
			if line = bytes.TrimSpace(line); len(line) == 0 {
				continue
			}
			if !yield(parseAgentTrace(line, n)) {
				return
			}
		}
	}
}

func parseAgentTrace(b []byte, line int) *AgentTrace {
	t := &AgentTrace{}
	var bad Problems
	r := jsonwalk.New(b)
	switch {
	case len(b) > MaxRecord:
		bad.Add("the record is too large", "line %d", line)
	case r.Kind() != '{':
		bad.Add("not a JSON object", "line %d", line)
	default:
		t.read(r, line, &bad)
		if err := r.End(); err != nil {
			bad.Add("damaged JSON", "line %d: %v", line, err)
		} else if !strings.HasPrefix(t.Version, "0.1.") {
			bad.Add("a version that is not 0.1", "line %d: version %q", line, t.Version)
		}
	}
	t.Problems = bad
	return t
}

func (t *AgentTrace) read(r *jsonwalk.Reader, line int, bad *Problems) {
	for name := range r.Object() {
		switch name {
		case "version":
			t.Version = r.Text(40)
		case "id":
			t.ID = r.Text(100)
		case "timestamp":
			t.At = r.Time()
		case "vcs":
			t.VCS, t.Revision = readPair(r, "type", "revision", 200)
		case "tool":
			t.Tool, t.ToolVersion = readPair(r, "name", "version", 100)
		case "files":
			for range r.Array() {
				f := readTraceFile(r, line, bad)
				switch base := f.Path[strings.LastIndexByte(f.Path, '/')+1:]; {
				case base == ".shell-history" || base == ".sessions":
					t.Pseudo++
				case f.Path == "":
					bad.Add("a file without a path", "line %d", line)
				default:
					t.Files = append(t.Files, f)
				}
			}
		case "metadata":
		default:
			t.Extra = jsonwalk.Remember(t.Extra, name)
		}
	}
}

// readPair reads two strings of an object.
func readPair(r *jsonwalk.Reader, a, b string, limit int) (x, y string) {
	for name := range r.Object() {
		switch name {
		case a:
			x = r.Text(limit)
		case b:
			y = r.Text(limit)
		}
	}
	return x, y
}

func readTraceFile(r *jsonwalk.Reader, line int, bad *Problems) AgentTraceFile {
	var f AgentTraceFile
	for name := range r.Object() {
		switch name {
		case "path":
			f.Path = r.String()
		case "conversations":
			for range r.Array() {
				f.Conversations = append(f.Conversations, readConversation(r, line, bad))
			}
		}
	}
	return f
}

func readConversation(r *jsonwalk.Reader, line int, bad *Problems) AgentTraceConversation {
	var c AgentTraceConversation
	for name := range r.Object() {
		switch name {
		case "url":
			c.URL = r.Text(2000)
		case "contributor":
			c.Contributor.Type, c.Contributor.Model = readPair(r, "type", "model_id", 250)
		case "ranges":
			for range r.Array() {
				one := readTraceRange(r)
				if one.Start < 1 || one.End < one.Start || one.End > MaxLine {
					bad.Add("a range that is not ascending line numbers", "line %d", line)
					continue
				}
				c.Ranges = append(c.Ranges, one)
			}
		case "related":
			for range r.Array() {
				var l AgentTraceRelated
				l.Type, l.URL = readPair(r, "type", "url", 2000)
				c.Related = append(c.Related, l)
			}
		}
	}
	return c
}

func readTraceRange(r *jsonwalk.Reader) AgentTraceRange {
	var one AgentTraceRange
	for name := range r.Object() {
		switch name {
		case "start_line":
			one.Start = int(r.Int())
		case "end_line":
			one.End = int(r.Int())
		case "content_hash":
			one.Hash = r.Text(200)
		case "contributor":
			one.Contributor = &AgentTraceContributor{}
			one.Contributor.Type, one.Contributor.Model = readPair(r, "type", "model_id", 250)
		}
	}
	return one
}

// SessionURL is the address of a session in records that stemma writes; "" for none.
func SessionURL(of stemma.Ref) string {
	if of == "" {
		return ""
	}
	return "stemma:" + string(of)
}

// sessionAt is the session that an address stands for: the agent's own id in
// records of stemma, else the address itself.
func sessionAt(url string) string {
	if ref, ok := strings.CutPrefix(url, "stemma:"); ok {
		if r, err := stemma.ParseRef(ref); err == nil && r.Kind() == stemma.KindSession {
			_, id := r.Split()
			return id
		}
	}
	return url
}

// Claims lowers the record. A range's own contributor stands before that of
// its conversation; the conversation's address serves as session id.
func (t *AgentTrace) Claims() Claims {
	c := Claims{Format: FormatAgentTrace, Writer: strings.TrimSpace(t.Tool + " " + t.ToolVersion), Revision: t.Revision, Problems: t.Problems}
	known := map[string]bool{}
	for _, f := range t.Files {
		var list []claim
		for _, conv := range f.Conversations {
			for _, r := range conv.Ranges {
				by := conv.Contributor
				if r.Contributor != nil {
					by = *r.Contributor
				}
				mark := by.mark(identity.AgentName(t.Tool), sessionAt(conv.URL))
				list = append(list, claim{ClaimedSpan: ClaimedSpan{r.Range, &mark}})
			}
			if conv.URL == "" || known[conv.URL] || conv.Contributor.Type == "human" {
				continue
			}
			known[conv.URL] = true
			s := ClaimedSession{Agent: identity.AgentName(t.Tool), Session: sessionAt(conv.URL), Started: t.At}
			if conv.Contributor.Model != "" {
				s.Models = []string{conv.Contributor.Model}
			}
			c.Sessions = append(c.Sessions, s)
		}
		c.addFile(f.Path, list)
	}
	return c
}

func (by AgentTraceContributor) mark(agent, session string) Mark {
	m := Mark{Agent: agent, ModelName: by.Model, Session: session}
	switch by.Type {
	case "ai":
		m.Origin = stemma.OriginAI
		return m
	case "human":
		return Mark{Origin: stemma.OriginHuman}
	case "mixed":
		m.Origin, m.Reason = stemma.OriginUnknown, ReasonMixed
		return m
	case "unknown":
		return Mark{Origin: stemma.OriginUnknown, Reason: ReasonUnresolved}
	}
	return Mark{Origin: stemma.OriginUnknown, Reason: ReasonNotStated}
}
