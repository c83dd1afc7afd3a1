package agent

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// ClaudeCode is the name of the agent in refs of its sessions.
const ClaudeCode = "claude-code"

// Limits of one stream.
const (
	maxSessions = 10_000
	maxTurns    = 200_000
	maxCalls    = 500_000
	maxKinds    = 64
)

// Options are what a reader may be told.
type Options struct {
	// Say is given what was said, with the digest that the turn's record has.
	// Without it turns have no digest and no text is held.
	Say func(stemma.Digest, string)

	// Directory is where the repository is checked out, if known: paths are
	// relative to it before they are relative to where the session worked.
	Directory string

	// Growing says that the stream may be read while its last row is being
	// written: a row without its newline is then left for later.
	Growing bool
}

// Claude reads a transcript of Claude Code. Several sessions may be in one
// stream: a resumed one repeats rows of the one before, and a sub-agent is a
// session of its own whose parent is known. It is for one goroutine.
type Claude struct {
	opts     Options
	runs     map[string]*run
	order    []*run
	main     string // session id of the last row that had one
	kinds    map[string]int
	titles   map[string]string // by the id of the row that a summary speaks of
	problems problems
	offset   int64
	line     int64
	rows     int
}

// NewClaude returns a reader that has read nothing.
func NewClaude(o Options) *Claude {
	return &Claude{opts: o, runs: map[string]*run{}, kinds: map[string]int{}, titles: map[string]string{}}
}

// Read reads rows to the end of the stream. It may be called again with what
// was appended since, beginning at [Claude.Offset]. The error is the stream's.
func (c *Claude) Read(r io.Reader) error {
	lines := newLineReader(r)
	before := c.offset
	for {
		line, whole, tooLong, err := lines.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if c.opts.Growing && !whole {
			return nil
		}
		c.line++
		c.offset = before + lines.offset
		switch {
		case tooLong:
			c.problems.add(c.line, "a row that is too long")
		default:
			if line = bytes.TrimSpace(line); len(line) > 0 {
				c.read(line)
			}
		}
	}
}

// Offset is how many bytes of the stream were used: where to go on.
func (c *Claude) Offset() int64 { return c.offset }

// Rows is how many rows were read, and Kinds how many of each type.
func (c *Claude) Rows() int { return c.rows }

// Kinds is how many rows there were of each type.
func (c *Claude) Kinds() map[string]int { return c.kinds }

// Problems lists what could not be read.
func (c *Claude) Problems() []Problem { return c.problems }

// Transcripts returns the sessions in the order in which they appeared.
func (c *Claude) Transcripts() []Transcript {
	list := make([]Transcript, 0, len(c.order))
	for _, r := range c.order {
		list = append(list, r.transcript())
	}
	return list
}

// A row is the members of a row that are used. Raw members share the line.
type row struct {
	kind, session, agent, id        string
	version, cwd, branch            string
	at                              time.Time
	message, result, data           []byte
	side, meta, apiError, compacted bool
	title, leaf                     string
	number                          int64
	url, repository                 string
	line                            int64
}

func (c *Claude) read(line []byte) {
	r := jsonwalk.New(line)
	if r.Kind() != '{' {
		c.problems.add(c.line, "a row that is not a JSON object")
		return
	}
	w := row{line: c.line}
	for name := range r.Object() {
		w.member(name, r)
	}
	if r.End() != nil {
		c.problems.add(c.line, "damaged JSON")
		return
	}
	if w.kind == "" {
		c.problems.add(c.line, "a row without a type")
		return
	}
	c.rows++
	if len(c.kinds) < maxKinds || c.kinds[w.kind] > 0 {
		c.kinds[w.kind]++
	}
	c.use(w)
}

func (w *row) member(name string, r *jsonwalk.Reader) {
	switch name {
	case "type":
		w.kind = r.Text(60)
	case "sessionId":
		w.session = r.Text(200)
	case "agentId":
		w.agent = r.Text(100)
	case "uuid":
		w.id = r.Text(100)
	case "version":
		w.version = r.Text(60)
	case "cwd":
		w.cwd = r.String()
	case "gitBranch":
		w.branch = r.Text(500)
	case "timestamp":
		w.at = r.Time()
	case "message":
		w.message = r.Raw()
	case "toolUseResult":
		w.result = r.Raw()
	case "data":
		w.data = r.Raw()
	case "isSidechain":
		w.side = r.Bool()
	case "isMeta":
		w.meta = r.Bool()
	case "isApiErrorMessage":
		w.apiError = r.Bool()
	case "isCompactSummary", "isVisibleInTranscriptOnly":
		w.compacted = r.Bool() || w.compacted
	case "summary":
		w.title = r.Text(500)
	case "leafUuid":
		w.leaf = r.Text(100)
	case "prNumber":
		w.number = r.Int()
	case "prUrl":
		w.url = r.Text(1000)
	case "prRepository":
		w.repository = r.Text(200)
	}
}

// use gives a row to the session that it belongs to.
func (c *Claude) use(w row) {
	if w.kind == "summary" {
		// It stands before the rows of the conversation that it names.
		if w.leaf != "" && len(c.titles) < 1000 {
			c.titles[w.leaf] = w.title
		}
		return
	}
	if w.session != "" {
		c.main = w.session
	} else if w.session = c.main; w.session == "" {
		return // a snapshot of files before the first message
	}
	s := c.run(w.session, w.agent)
	if s == nil {
		return
	}
	s.seen(w)
	if title := c.titles[w.id]; title != "" && w.id != "" {
		s.session.Title = title
	}
	switch w.kind {
	case "assistant":
		if !w.apiError {
			s.answer(parseMessage(w.message), w.at)
		}
	case "user":
		s.input(parseMessage(w.message), w)
		c.result(s, w)
	case "progress":
		c.progress(w)
	case "pr-link":
		s.propose(w)
	}
}

// run returns the session, or the sub-agent in it, and nil beyond the limit.
func (c *Claude) run(id, agent string) *run {
	key := id
	if agent != "" {
		key = id + ":" + agent
	}
	if s := c.runs[key]; s != nil {
		return s
	}
	if len(c.runs) >= maxSessions {
		c.problems.add(c.line, "a session beyond the limit of one stream")
		return nil
	}
	s := newRun(c, id, agent)
	c.runs[key] = s
	c.order = append(c.order, s)
	return s
}

// progress reads what a sub-agent says while it works: its messages pass
// through the transcript of its parent.
func (c *Claude) progress(w row) {
	var kind, agent string
	var inner []byte
	r := jsonwalk.New(w.data)
	for name := range r.Object() {
		switch name {
		case "type":
			kind = r.String()
		case "agentId":
			agent = r.Text(100)
		case "message":
			inner = r.Raw()
		}
	}
	if kind != "agent_progress" || agent == "" {
		return
	}
	s := c.run(w.session, agent)
	if s == nil {
		return
	}
	sub := row{at: w.at, side: true, version: w.version, cwd: w.cwd, branch: w.branch, line: w.line}
	r = jsonwalk.New(inner)
	for name := range r.Object() {
		switch name {
		case "type", "message", "timestamp", "uuid", "isApiErrorMessage", "toolUseResult":
			sub.member(name, r)
		}
	}
	s.seen(sub)
	switch {
	case sub.kind == "assistant" && !sub.apiError:
		s.answer(parseMessage(sub.message), sub.at)
	case sub.kind == "user":
		s.input(parseMessage(sub.message), sub)
	}
}

// result reads what a tool gave back: an edit with its patch, or a sub-agent
// that came to an end.
func (c *Claude) result(s *run, w row) {
	res, ok := parseResult(w.result)
	if !ok {
		return
	}
	call := s.lastResult
	if res.path != "" {
		s.edited(call, res)
	}
	if res.agent == "" || w.agent != "" {
		return
	}
	if sub := c.run(w.session, res.agent); sub != nil {
		sub.parentCall = call
		sub.totalTokens = max(sub.totalTokens, res.tokens)
		sub.totalTools = max(sub.totalTools, res.tools)
	}
}

// machineText begins what stands in a person's place but was not typed by one.
var machineText = []string{
	"<local-command-", "<system-reminder>", "<task-notification>", "<teammate-message", "<bash-stdout>", "<bash-stderr>",
	"<user-memory-input>", "<ide_", "Caveat: The messages below", "[Request interrupted by user",
	"This session is being continued from a previous conversation",
}

func typed(text string) bool {
	text = strings.TrimSpace(text)
	for _, m := range machineText {
		if strings.HasPrefix(text, m) {
			return false
		}
	}
	return text != ""
}
