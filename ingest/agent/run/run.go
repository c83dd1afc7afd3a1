package run

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest/command"
	"github.com/stemma-dev/stemma/ingest/hook"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/intent"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/session/price"
)

// A Run gathers what a transcript says of one session. A reader may set what
// its rows say of the session itself: its title, parent and depth.
type Run struct {
	Session session.Session

	stream      *Stream
	sub         string // id of a sub-agent in its session
	place       workplace
	versions    []string
	branches    []string
	turns       []session.Turn
	used        []Tokens // by turn
	took        []took   // beside them
	byMessage   map[string]int
	calls       []session.ToolCall // with paths as the tool spells them
	byCall      map[string]int
	edits       map[int]bool     // calls that change files
	tests       map[string]bool  // calls that run tests
	failing     bool             // the last of these since the last prompt had failed
	more        map[int][]string // files of a call beside the first
	changes     map[string]Change
	expected    map[string][]Edition // by call, whose end is not told yet
	directory   string               // where it works now
	opens       map[string]bool      // calls that open merge requests
	tickets     []Ticket
	opened      []Proposal
	parentCall  string
	totalTokens int64
	totalTools  int64
	rows        int
	speaking    int // turn whose text is gathered, -1 for none
	said        strings.Builder
}

// Seen takes what every row carries.
func (r *Run) Seen(p Place) {
	r.rows++
	r.place.add(p.Directory)
	r.directory = cmp.Or(p.Directory, r.directory)
	r.versions = once(r.versions, p.Version)
	r.branches = once(r.branches, p.Branch)
	at := stemma.At(p.At)
	if at == 0 {
		return
	}
	if r.Session.Started == 0 || at < r.Session.Started {
		r.Session.Started = at
	}
	r.Session.Ended = max(r.Session.Ended, at)
}

func once(list []string, s string) []string {
	if s == "" || slices.Contains(list, s) || len(list) >= 100 {
		return list
	}
	return append(list, s)
}

// Answer takes a message of the model, or another part of one: each part adds
// to it, and its counts grow.
func (r *Run) Answer(m Message, at time.Time) {
	if m.Model == "" {
		m.Model = r.stream.Options.Model
	}
	i, known := r.byMessage[m.ID]
	if !known || m.ID == "" {
		i = r.turn("assistant", m, at)
		if i < 0 {
			return
		}
		r.Session.Iterations++
	}
	r.count(i, r.used[i].most(m.Tokens))
	if r.turns[i].Model == "" {
		r.turns[i].Model = m.Model
	}
	for _, c := range m.Calls {
		r.call(i, c, at)
	}
	r.say(i, m.Text)
}

// Took adds what a model took in the session as a whole, where the source does
// not say by which answer.
func (r *Run) Took(model string, t Tokens) {
	if t != (Tokens{}) && len(r.took) < 100 {
		r.took = append(r.took, took{model, t})
	}
}

// A took is tokens of no certain turn.
type took struct {
	model  string
	tokens Tokens
}

// Used adds what the answer before took.
func (r *Run) Used(t Tokens) {
	for i := len(r.turns) - 1; i >= 0; i-- {
		if r.turns[i].Role == "assistant" {
			r.count(i, r.used[i].Plus(t))
			return
		}
	}
}

func (r *Run) count(turn int, t Tokens) {
	r.used[turn] = t
	r.turns[turn].InputTokens, r.turns[turn].OutputTokens = int(t.In), int(t.Out)
}

// turn adds a turn; it returns -1 beyond the limit.
func (r *Run) turn(role string, m Message, at time.Time) int {
	i := len(r.turns)
	if i >= maxTurns {
		r.stream.Problem("a turn beyond the limit of one session")
		return -1
	}
	if m.ID != "" {
		r.byMessage[m.ID] = i
	}
	r.turns = append(r.turns, session.Turn{Number: i + 1, Role: role, At: stemma.At(at), Model: m.Model})
	r.used = append(r.used, Tokens{})
	return i
}

func (r *Run) call(turn int, c Call, at time.Time) {
	if _, known := r.byCall[c.ID]; known && c.ID != "" || c.Tool == "" {
		return
	}
	if len(r.calls) >= maxCalls {
		r.stream.Problem("a tool call beyond the limit of one session")
		return
	}
	k := len(r.calls)
	if c.ID != "" {
		r.byCall[c.ID] = k
	}
	call := session.ToolCall{Turn: turn + 1, Call: c.ID, Tool: c.Tool, At: stemma.At(at)}
	if hook.Shell(c.Tool) {
		call.Shell, call.Network = true, command.Parse(c.Command).Network
	}
	if len(c.Paths) > 0 {
		call.Path = c.Paths[0]
	}
	if len(c.Paths) > 1 {
		r.more[k] = c.Paths[1:min(len(c.Paths), 1000)]
	}
	r.calls = append(r.calls, call)
	if c.Edits {
		r.edits[k] = true
	}
	if c.Tests && c.ID != "" {
		if r.tests == nil {
			r.tests = map[string]bool{}
		}
		r.tests[c.ID] = true
	}
	if c.Opens && c.ID != "" {
		if r.opens == nil {
			r.opens = map[string]bool{}
		}
		r.opens[c.ID] = true
	}
	r.turns[turn].ToolCalls++
	if c.Ticket.Key != "" && !slices.Contains(r.tickets, c.Ticket) && len(r.tickets) < 1000 {
		r.tickets = append(r.tickets, c.Ticket)
	}
	r.serves(c.Tool)
	r.expect(c)
}

// serves notes the server behind a tool of the Model Context Protocol.
func (r *Run) serves(tool string) {
	if server := serverOf(tool); server != "" {
		r.Configure(session.Config{Kind: session.ConfigServer, Name: jsonwalk.Clean(server, 100)})
	}
}

// Configure notes what the session worked under, once.
func (r *Run) Configure(c session.Config) {
	if len(r.Session.Configs) < 200 && !slices.Contains(r.Session.Configs, c) {
		r.Session.Configs = append(r.Session.Configs, c)
	}
}

// Results takes what tools gave back.
func (r *Run) Results(list []Result, at time.Time) {
	for _, res := range list {
		if i, ok := r.byCall[res.Call]; ok && res.Error {
			r.calls[i].Error = true
		}
		if r.tests[res.Call] {
			r.failing = res.Error
		}
		if r.opens[res.Call] && !res.Error {
			r.proposedIn(string(res.Raw), at)
		}
		r.wrote(res, at)
	}
}

// Prompt takes a message on the user's side; typed says that a person wrote it.
func (r *Run) Prompt(m Message, at time.Time, typed bool) {
	i := r.turn("user", Message{ID: m.ID}, at)
	if i < 0 {
		return
	}
	if typed && r.sub == "" {
		r.Session.Prompts++
		r.turns[i].Typed = true
		if r.failing {
			r.Session.Reprompts++
			r.turns[i].Failing, r.failing = true, false
		}
	}
	r.say(i, m.Text)
}

// Changed notes how a call changed its file.
func (r *Run) Changed(call string, c Change) {
	if _, ok := r.byCall[call]; ok && call != "" {
		r.changes[call] = c
	}
}

// SpawnedBy notes that a call of another run started this one, and what it was
// told that it took.
func (r *Run) SpawnedBy(parent *Run, call string, tokens, tools int64) {
	if parent != nil && parent != r {
		r.Session.Parent, r.Session.Depth = parent.Session.Ref(), 1
	}
	r.parentCall = call
	r.totalTokens = max(r.totalTokens, tokens)
	r.totalTools = max(r.totalTools, tools)
}

// say gathers the text of a turn. The text of a turn is complete when another
// turn speaks.
func (r *Run) say(turn int, text string) {
	if r.stream.Options.Say == nil || text == "" {
		return
	}
	if r.speaking != turn {
		r.hush()
		r.speaking = turn
	}
	if r.said.Len() > MaxRow {
		return
	}
	if r.said.Len() > 0 {
		r.said.WriteByte('\n')
	}
	r.said.WriteString(text)
}

// hush ends the turn that is speaking.
func (r *Run) hush() {
	if r.speaking < 0 || r.said.Len() == 0 {
		return
	}
	text := r.said.String()
	digest := stemma.Sum([]byte(text))
	r.stream.Options.Say(digest, text)
	if r.turns[r.speaking].Body == "" {
		r.turns[r.speaking].Body = digest.String()
	} else {
		r.stream.Problem("a message that goes on after another one began")
	}
	r.said.Reset()
	r.speaking = -1
}

// Propose takes a link to a merge request; it reports whether it names one.
func (r *Run) Propose(address, repository string, number int64, at time.Time) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || number < 1 || number > 1<<31 || !isRepository(repository) {
		return false
	}
	p := Proposal{
		Repository: change.RepositoryRef(strings.ToLower(u.Host), repository), Number: int(number), URL: address, At: at,
	}
	same := func(q Proposal) bool { return q.Repository == p.Repository && q.Number == p.Number }
	if len(r.opened) < 1000 && !slices.ContainsFunc(r.opened, same) {
		r.opened = append(r.opened, p)
	}
	return true
}

// transcript makes the record of what was gathered so far.
func (r *Run) transcript() Transcript {
	r.hush()
	s := r.Session
	s.Depth = r.stream.depth(r)
	s.Configs = slices.Clone(s.Configs)
	s.Turns, s.ToolCalls = slices.Clone(r.turns), slices.Clone(r.calls)
	for i := range s.ToolCalls { // now that all directories are known
		s.ToolCalls[i].Path = r.place.relative(s.ToolCalls[i].Path)
	}
	s.TurnCount = len(r.turns)
	s.ToolCallCount = max(len(r.calls), int(r.totalTools))
	r.spend(&s)
	if n := len(r.versions); n > 0 {
		s.HarnessVersion = r.versions[n-1]
	}
	if n := len(r.branches); n > 0 {
		s.Branch = r.branches[n-1]
	}
	edits := r.allEdits()
	s.Files = files(edits)
	s.WorksOn, s.Opened = nil, nil
	for _, t := range r.tickets {
		s.WorksOn = append(s.WorksOn, stemma.Edge{
			To: intent.TicketRef(t.Tracker, t.Key), Grade: stemma.GradeD, Method: "transcript-tool-call",
		})
	}
	for _, p := range r.opened {
		s.Opened = append(s.Opened, stemma.Edge{To: change.NumberedRef(p.Repository, p.Number), Method: "transcript-pr-link"})
	}
	return Transcript{
		Session: s, Versions: r.versions, Directories: r.place.dirs, Branches: r.branches, Edits: edits,
		Opened: r.opened, Tickets: r.tickets, Subagent: r.sub, ParentCall: r.parentCall,
		TotalTokens: r.totalTokens, Rows: r.rows,
	}
}

// spend adds up what the models took and what that cost. A session in which
// some tokens have no price has no cost.
func (r *Run) spend(s *session.Session) {
	prices := r.stream.Options.Prices
	all, costs := bill{known: prices != nil}, map[string]*bill{}
	take := func(model string, at stemma.Moment, u Tokens) *session.ModelUse {
		s.InputTokens += int(u.In)
		s.OutputTokens += int(u.Out)
		s.CacheReadTokens += int(u.CacheRead)
		s.CacheWriteTokens += int(u.CacheWrite)
		cost := prices.Cost(model, at.Time(), price.Use{Input: u.In, Output: u.Out, CacheRead: u.CacheRead, CacheWrite: u.CacheWrite})
		all.add(cost)
		m := modelUse(&s.Models, model)
		if m == nil {
			return nil
		}
		m.InputTokens += int(u.In)
		m.OutputTokens += int(u.Out)
		m.CacheReadTokens += int(u.CacheRead)
		m.CacheWriteTokens += int(u.CacheWrite)
		if costs[model] == nil {
			costs[model] = &bill{known: prices != nil}
		}
		costs[model].add(cost)
		return m
	}
	for i, t := range r.turns {
		if t.Role != "assistant" {
			continue
		}
		if m := take(t.Model, t.At, r.used[i]); m != nil {
			m.Turns++
		}
	}
	for _, u := range r.took {
		take(u.model, s.Ended, u.tokens)
	}
	for i := range s.Models {
		s.Models[i].Cost = costs[s.Models[i].Name].total()
	}
	s.Cost = all.total()
	if all.known && s.InputTokens+s.OutputTokens+s.CacheReadTokens+s.CacheWriteTokens > 0 {
		s.PriceTable = prices.Date()
	}
}

// A bill is a sum of costs that is known as long as all of them are.
type bill struct {
	sum   price.Amount
	known bool
}

func (b *bill) add(a price.Amount) {
	b.known = b.known && a != price.Unknown && b.sum < 1<<62
	if b.known {
		b.sum += a
	}
}

func (b bill) total() int {
	if !b.known {
		return 0
	}
	return int(b.sum.MicroDollars())
}

// modelUse returns the entry of a model, or nil without a name and beyond the
// limit.
func modelUse(list *[]session.ModelUse, name string) *session.ModelUse {
	if name == "" {
		return nil
	}
	at := slices.IndexFunc(*list, func(m session.ModelUse) bool { return m.Name == name })
	if at < 0 {
		if len(*list) >= 100 {
			return nil
		}
		at = len(*list)
		*list = append(*list, session.ModelUse{Model: identity.ModelRef(name), Name: name})
	}
	return &(*list)[at]
}

func (r *Run) allEdits() []Edit {
	var list []Edit
	for i, c := range r.calls {
		if !r.edits[i] {
			continue
		}
		how := r.changes[c.Call]
		for _, p := range append([]string{c.Path}, r.more[i]...) {
			list = append(list, Edit{
				Call: c.Call, Tool: c.Tool, Path: r.place.relative(p), At: c.At.Time(), Failed: c.Error, Patch: how.Exact, Modified: how.Modified,
			})
		}
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
