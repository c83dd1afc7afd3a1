package agent

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/intent"
	"github.com/stemma-dev/stemma/session"
)

// A Transcript is one session, or one sub-agent in it.
type Transcript struct {
	Session     session.Session
	Versions    []string // of the harness, in order of appearance
	Directories []string // where it worked; may name an account, so never for a fact
	Branches    []string
	Edits       []Edit
	Opened      []Proposal
	Tickets     []Ticket
	Subagent    string // the id of a sub-agent in its session
	ParentCall  string // the tool call that started it, as far as told
	TotalTokens int64  // what the parent was told that it used
	Rows        int
}

// An Edit is one call that changed a file.
type Edit struct {
	Call, Tool string
	Path       string // as in the record
	At         time.Time
	Patch      bool // the transcript has the exact change
	Modified   bool // a person changed it before it was applied
	Failed     bool
}

// A Proposal is a merge request that a session opened.
type Proposal struct {
	Repository stemma.Ref
	Number     int
	URL        string
	At         time.Time
}

// editTools are the tools whose call changes the file that it names.
var editTools = []string{"Edit", "Write", "MultiEdit", "NotebookEdit", "mcp__acp__Edit", "mcp__acp__Write"}

// A run gathers the rows of one session.
type run struct {
	reader      *Claude
	session     session.Session
	agent       string // sub-agent
	place       workplace
	versions    []string
	branches    []string
	turns       []session.Turn
	used        []tokens // by turn
	byMessage   map[string]int
	calls       []session.ToolCall
	byCall      map[string]int
	patches     map[string]toolResult
	lastResult  string // call of the last tool result
	tickets     []Ticket
	opened      []Proposal
	parentCall  string
	totalTokens int64
	totalTools  int64
	rows        int
	speaking    int // turn whose text is gathered, -1 for none
	said        strings.Builder
}

func newRun(c *Claude, id, agent string) *run {
	s := &run{
		reader: c, agent: agent, speaking: -1,
		byMessage: map[string]int{}, byCall: map[string]int{}, patches: map[string]toolResult{},
	}
	s.session = session.Session{
		Tool: ClaudeCode, ExternalID: id, OriginRecord: "claude-code-transcript", Agent: identity.AgentRef(ClaudeCode),
	}
	if agent != "" {
		s.session.ExternalID = id + ":" + agent
		s.session.Parent = session.Ref(ClaudeCode, id)
		s.session.Depth = 1
	}
	s.place.add(c.opts.Directory)
	return s
}

// seen takes what every row carries.
func (s *run) seen(w row) {
	s.rows++
	s.place.add(w.cwd)
	if w.version != "" && !slices.Contains(s.versions, w.version) && len(s.versions) < 100 {
		s.versions = append(s.versions, w.version)
	}
	if w.branch != "" && !slices.Contains(s.branches, w.branch) && len(s.branches) < 100 {
		s.branches = append(s.branches, w.branch)
	}
	at := stemma.At(w.at)
	if at == 0 {
		return
	}
	if s.session.Started == 0 || at < s.session.Started {
		s.session.Started = at
	}
	s.session.Ended = max(s.session.Ended, at)
}

// answer takes one row of a message of the model: each row has another block
// of it, and counts that grow.
func (s *run) answer(m message, at time.Time) {
	if m.model == "<synthetic>" {
		return // written by the harness, not by a model
	}
	i, known := s.byMessage[m.id]
	if !known || m.id == "" {
		i = s.turn("assistant", m, at)
		if i < 0 {
			return
		}
		s.session.Iterations++
	}
	s.used[i] = s.used[i].most(m.tokens)
	s.turns[i].InputTokens, s.turns[i].OutputTokens = int(s.used[i].in), int(s.used[i].out)
	if s.turns[i].Model == "" {
		s.turns[i].Model = m.model
	}
	for _, c := range m.calls {
		s.call(i, c, at)
	}
	s.say(i, m.text)
}

// turn adds a turn; it returns -1 beyond the limit.
func (s *run) turn(role string, m message, at time.Time) int {
	i := len(s.turns)
	if i >= maxTurns {
		s.reader.problems.add(s.reader.line, "a turn beyond the limit of one session")
		return -1
	}
	if m.id != "" {
		s.byMessage[m.id] = i
	}
	s.turns = append(s.turns, session.Turn{Number: i + 1, Role: role, At: stemma.At(at), Model: m.model})
	s.used = append(s.used, tokens{})
	return i
}

func (s *run) call(turn int, c call, at time.Time) {
	if _, known := s.byCall[c.id]; known && c.id != "" {
		return
	}
	if len(s.calls) >= maxCalls {
		s.reader.problems.add(s.reader.line, "a tool call beyond the limit of one session")
		return
	}
	if c.id != "" {
		s.byCall[c.id] = len(s.calls)
	}
	s.calls = append(s.calls, session.ToolCall{
		Turn: turn + 1, Call: c.id, Tool: c.tool, Path: s.place.relative(c.path), At: stemma.At(at),
	})
	s.turns[turn].ToolCalls++
	if c.ticket.Key != "" && !slices.Contains(s.tickets, c.ticket) && len(s.tickets) < 1000 {
		s.tickets = append(s.tickets, c.ticket)
	}
}

// input takes a row that stands on the user's side: results of tools, or what
// a person typed. What the harness or a parent wrote there is no prompt.
func (s *run) input(m message, w row) {
	s.lastResult = ""
	for _, r := range m.results {
		s.lastResult = r.call
		if i, ok := s.byCall[r.call]; ok && r.error {
			s.calls[i].Error = true
		}
	}
	if len(m.results) > 0 || w.meta || w.compacted || !typed(m.text) {
		return
	}
	i := s.turn("user", message{id: m.id}, w.at)
	if i < 0 {
		return
	}
	if !w.side && s.agent == "" {
		s.session.Prompts++
	}
	s.say(i, m.text)
}

// edited notes that a tool told which file it changed.
func (s *run) edited(call string, res toolResult) {
	if _, ok := s.byCall[call]; ok && call != "" {
		s.patches[call] = res
	}
}

// say gathers the text of a turn. The text of a turn is complete when another
// turn speaks.
func (s *run) say(turn int, text string) {
	if s.reader.opts.Say == nil || text == "" {
		return
	}
	if s.speaking != turn {
		s.hush()
		s.speaking = turn
	}
	if s.said.Len() > MaxRow {
		return
	}
	if s.said.Len() > 0 {
		s.said.WriteByte('\n')
	}
	s.said.WriteString(text)
}

// hush ends the turn that is speaking.
func (s *run) hush() {
	if s.speaking < 0 || s.said.Len() == 0 {
		return
	}
	text := s.said.String()
	digest := stemma.Sum([]byte(text))
	s.reader.opts.Say(digest, text)
	if s.turns[s.speaking].Body == "" {
		s.turns[s.speaking].Body = digest.String()
	} else {
		s.reader.problems.add(s.reader.line, "a message that goes on after another one began")
	}
	s.said.Reset()
	s.speaking = -1
}

// propose takes a row that links the session to a merge request.
func (s *run) propose(w row) {
	u, err := url.Parse(w.url)
	if err != nil || u.Host == "" || w.number < 1 || w.number > 1<<31 || !isRepository(w.repository) {
		s.reader.problems.add(w.line, "a link to a merge request that does not name one")
		return
	}
	p := Proposal{
		Repository: change.RepositoryRef(strings.ToLower(u.Host), w.repository), Number: int(w.number), URL: w.url, At: w.at,
	}
	same := func(q Proposal) bool { return q.Repository == p.Repository && q.Number == p.Number }
	if len(s.opened) < 1000 && !slices.ContainsFunc(s.opened, same) {
		s.opened = append(s.opened, p)
	}
}

// transcript makes the record of what was gathered so far.
func (s *run) transcript() Transcript {
	s.hush()
	r := s.session
	r.Turns, r.ToolCalls = slices.Clone(s.turns), slices.Clone(s.calls)
	r.TurnCount = len(s.turns)
	r.ToolCallCount = max(len(s.calls), int(s.totalTools))
	r.Models = s.models()
	for _, u := range s.used {
		r.InputTokens += int(u.in)
		r.OutputTokens += int(u.out)
		r.CacheReadTokens += int(u.cacheRead)
		r.CacheWriteTokens += int(u.cacheWrite)
	}
	if n := len(s.versions); n > 0 {
		r.HarnessVersion = s.versions[n-1]
	}
	if n := len(s.branches); n > 0 {
		r.Branch = s.branches[n-1]
	}
	edits := s.edits()
	r.Files = files(edits)
	for _, t := range s.tickets {
		r.WorksOn = append(r.WorksOn, stemma.Edge{
			To: intent.TicketRef(t.Tracker, t.Key), Grade: stemma.GradeD, Method: "transcript-tool-call",
		})
	}
	for _, p := range s.opened {
		r.Opened = append(r.Opened, stemma.Edge{To: change.NumberedRef(p.Repository, p.Number), Method: "transcript-pr-link"})
	}
	return Transcript{
		Session: r, Versions: s.versions, Directories: s.place.dirs, Branches: s.branches, Edits: edits,
		Opened: s.opened, Tickets: s.tickets, Subagent: s.agent, ParentCall: s.parentCall,
		TotalTokens: s.totalTokens, Rows: s.rows,
	}
}

func (s *run) models() []session.ModelUse {
	var list []session.ModelUse
	for i, t := range s.turns {
		if t.Role != "assistant" {
			continue
		}
		at := slices.IndexFunc(list, func(m session.ModelUse) bool { return m.Name == t.Model })
		if at < 0 {
			if len(list) >= 100 {
				continue
			}
			at = len(list)
			list = append(list, session.ModelUse{Model: identity.ModelRef(t.Model), Name: t.Model})
		}
		list[at].Turns++
		list[at].InputTokens += int(s.used[i].in)
		list[at].OutputTokens += int(s.used[i].out)
	}
	return list
}

func (s *run) edits() []Edit {
	var list []Edit
	for _, c := range s.calls {
		res, told := s.patches[c.Call]
		if !slices.Contains(editTools, c.Tool) {
			continue
		}
		e := Edit{Call: c.Call, Tool: c.Tool, Path: c.Path, At: c.At.Time(), Failed: c.Error}
		if told {
			e.Patch, e.Modified = res.patch || res.kind == "create", res.modified
		}
		list = append(list, e)
	}
	return list
}

// files counts the edits that did not fail, by path.
func files(edits []Edit) []session.File {
	n := map[string]int{}
	for _, e := range edits {
		if !e.Failed && e.Path != "" {
			n[e.Path]++
		}
	}
	var list []session.File
	for p, edits := range n {
		list = append(list, session.File{Path: p, Edits: edits})
	}
	slices.SortFunc(list, func(x, y session.File) int { return cmp.Compare(x.Path, y.Path) })
	return list
}
