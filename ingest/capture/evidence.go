package capture

import (
	"bytes"
	"cmp"
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/attribution/sight"
	"github.com/stemma-dev/stemma/ingest/hook"
	"github.com/stemma-dev/stemma/spool"
)

// A Hand is who wrote lines, as far as hooks tell: one call of a tool in one
// session, or a person.
type Hand struct {
	Agent    string // "" for a person
	Version  string
	Session  string
	Subagent string
	Model    string // as the agent named it last
	Prompt   int    // number in the session, from 1; 0 if none was seen
	Tool     string
	Call     string
	Replayed bool // a transcript tells it afterwards, and no hook did
	Run      bool // by a command, or a tool that is not known: the text may be another's
}

// Person is the hand of the person whose work tree it is.
const (
	Person edits.Hand = 1 // since nothing else could have written it
	Typist edits.Hand = 2 // as an editor says
)

// Evidence is what the spool of a work tree tells, with the moves of its HEAD.
type Evidence struct {
	Before  int      // moves that were made before anything was captured
	Hands   []Hand   // Hands[n-1] is hand n; the first two are the person's
	Lost    []string // why something could not be kept, each time
	Damaged int      // entries that could not be read
	Mark    *State   // the last one among the events, if there is any

	events      []event
	content     func(spool.File) ([]byte, error)
	transcripts map[string]string // by session
}

// Transcript is the file in which the agent writes down the session of a hand, as
// its hooks said last; "" if they did not.
func (e *Evidence) Transcript(h Hand) string { return e.transcripts[sessionKey(h.Agent, h.Session)] }

func sessionKey(agent, session string) string { return agent + "\x00" + session }

// An Event is one of what happened in a work tree, in the order in which it did:
// a sight of a file, something that may have written any file but some, or a
// move of HEAD.
type Event struct {
	Path string // of what was seen; "" for what may have written any file
	sight.Sight
	But  map[string]bool // files that are known not to be written, or are seen themselves
	Rest bool            // so are all other files that were tracked when the run began
	Not  map[string]bool // but for these, which changed meanwhile
	Run  int             // number of the run that begins or ends
	Move int             // number of the move, from 1; 0 for no move
	Mark *State          // nothing was under way: from here one can go on
}

// An event is one whose content is not at hand yet.
type event struct {
	Event
	file spool.File // whose content it is; without a blob there is none, or an empty one
	call *run       // in whose place stands what its end tells of its beginning
}

// Events are what happened, in order. Contents are read as they come.
func (e *Evidence) Events() iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for _, v := range e.events {
			if v.file.Blob != "" {
				content, err := e.content(v.file)
				v.Content, v.Kept = content, err == nil && isText(content)
			}
			if !yield(v.Event) {
				return
			}
		}
	}
}

// isText reports whether git would compare a content line by line. Of one that it
// would not, as in UTF-16, what is committed is another content.
func isText(content []byte) bool {
	return bytes.IndexByte(content[:min(len(content), 8000)], 0) < 0
}

// Paths are the files that were looked at, sorted.
func (e *Evidence) Paths() []string {
	seen := map[string]bool{}
	for _, v := range e.events {
		if v.Path != "" {
			seen[v.Path] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// Concerns reports whether an event may have to do with a file, which is tracked or
// is not.
func (e Event) Concerns(path string, tracked bool) bool {
	return e.Move == 0 && e.Mark == nil && (e.Path == path || e.Path == "" && !e.But[path] && !(e.Rest && tracked && !e.Not[path]))
}

// Read makes evidence of the entries of a spool. Their order is that in which
// they were written: clocks jump. content gives what a file was.
func Read(r spool.Reading, moves []spool.Move, content func(spool.File) ([]byte, error)) *Evidence {
	return State{}.Read(r, moves, content, 0)
}

// A gatherer reads entries one after the other.
type gatherer struct {
	*Evidence
	hands    map[Hand]edits.Hand
	sessions map[string]*told
	moves    []spool.Move
	moved    int // moves that were made so far
	stand    spool.Stand
	begun    bool                   // there was an entry before
	left     map[string]string      // by path, the content that an agent left last
	ran      int                    // runs so far
	unnamed  map[string][]time.Time // when edits began of which it is not said whose they are, by path
	expired  time.Time              // when it was looked last for what is taken to have ended
	rest     []spool.Entry          // those behind the one that is read
	runs     []*run                 // those that have ended
}

// told is what was heard of a session so far.
type told struct {
	model   string
	prompts int
	open    map[string]opened // edits that have begun and not ended, by the ids of their calls
	runs    map[string]*run   // the same of what may write any file
	past    []string          // the last runs that have ended
}

// opened is what was looked at when an edit began.
type opened struct {
	hand  edits.Hand
	files map[string]string // what they were, by path
	from  int               // its first event
	at    time.Time
}

// entry reads one entry.
func (g *gatherer) entry(e spool.Entry) {
	before := g.moved
	for range g.arrived(e.Stand, e.At) {
		g.move()
	}
	if g.begun && !g.explains(e.Stand, before) {
		g.gitTouched()
	}
	g.stand, g.begun = e.Stand, true
	g.expire(e.At)
	if e.Lost != "" {
		g.Lost = append(g.Lost, e.Lost)
		g.touched()
	}
	var event hook.Event
	if len(e.Event) == 0 {
		return
	}
	if json.Unmarshal(e.Event, &event) != nil {
		g.Damaged++
		g.touched()
		return
	}
	g.event(event, e)
}

func (g *gatherer) event(event hook.Event, e spool.Entry) {
	s, files := g.session(event), e.Files
	l := sight.Sight{Call: event.Call}
	switch event.Kind {
	case hook.BeforeShell, hook.BeforeTool:
		g.run(event, s, e)
		return
	case hook.AfterShell, hook.AfterTool:
		g.done(event, s, e)
		return
	case hook.BeforeEdit:
		l.Kind, l.Hand = sight.Begun, g.hand(event, s)
		if l.Hand == edits.Unknown {
			g.beginUnnamed(files, e.At)
			break
		}
		g.refused(event, s, files)
		g.begin(callOf(event, files), s, opened{hand: l.Hand, files: blobs(files), at: e.At})
	case hook.AfterEdit:
		l.Kind, l.Hand = sight.Ended, g.hand(event, s)
		begun := sight.Sight{Kind: sight.Begun, Hand: l.Hand, Call: l.Call, Ends: true}
		c, ok := s.open[callOf(event, files)]
		if ok {
			begun.Hand = c.hand
		}
		for _, f := range e.Was {
			if c.files[f.Path] != f.Blob {
				g.see(begun, []spool.File{f}) // it wrote nothing until then
			}
		}
		if ok {
			for i := c.from; i < len(g.events) && i < c.from+len(c.files); i++ {
				g.events[i].Ends = true
			}
			g.end(callOf(event, files), s, c, blobs(files))
		} else {
			g.endUnnamed(files)
		}
		for _, f := range files {
			g.left[f.Path] = f.Blob
			if event.Modified { // which of it is the person's is not said
				g.events = append(g.events, written(f.Path))
			}
		}
	case hook.HumanEdit:
		l.Kind, l.Hand = sight.Typed, Typist
	case hook.Present:
		g.noise(sight.Clean, named(files))
	case hook.Prompt, hook.Stop, hook.SessionEnd, hook.SessionStart:
		for _, call := range slices.Sorted(maps.Keys(s.open)) { // refused, killed, or its end was not told
			g.end(call, s, s.open[call], nil)
		}
		g.killed(s, event.Kind == hook.SessionEnd || event.Kind == hook.SessionStart)
		if event.Kind == hook.Prompt {
			s.prompts++
		}
	}
	g.see(l, files)
}

// noise is something that may have written any file but some.
func (g *gatherer) noise(kind sight.Kind, but map[string]bool) {
	g.events = append(g.events, event{Event: Event{Sight: sight.Sight{Kind: kind}, But: but}})
}

// touched: something may have written any file before now.
func (g *gatherer) touched() { g.noise(sight.Touched, nil) }

// gitTouched: git may have.
func (g *gatherer) gitTouched() {
	g.events = append(g.events, event{Event: Event{Sight: sight.Sight{Kind: sight.Touched, Git: true}}})
}

// begin remembers a call. One that is told twice has begun once.
func (g *gatherer) begin(call string, s *told, c opened) {
	if before, ok := s.open[call]; ok {
		g.end(call, s, before, c.files)
	}
	c.from = len(g.events)
	s.open[call] = c
}

// refused ends edits of the same files by the same agent that are never told to end:
// it goes on with another, so they were refused, or what told their end is lost.
func (g *gatherer) refused(e hook.Event, s *told, files []spool.File) {
	for _, call := range slices.Sorted(maps.Keys(s.open)) {
		c := s.open[call]
		if call == callOf(e, files) || idOf(call) == "" || g.Hands[max(1, c.hand)-1].Subagent != e.Subagent {
			continue
		}
		if slices.ContainsFunc(files, func(f spool.File) bool { _, ok := c.files[f.Path]; return ok }) && !g.willEnd(e, call) {
			g.end(call, s, c, nil)
		}
	}
}

// willEnd reports whether a call of the session of an event is told to end later.
func (g *gatherer) willEnd(of hook.Event, call string) bool {
	return slices.ContainsFunc(g.rest, func(e spool.Entry) bool {
		var event hook.Event
		return bytes.Contains(e.Event, []byte(call)) && json.Unmarshal(e.Event, &event) == nil &&
			event.Kind == hook.AfterEdit && event.Call == call && sessionKey(event.Agent, event.Session) == sessionKey(of.Agent, of.Session)
	})
}

// idOf is the id of a call, "" if it has none.
func idOf(call string) string {
	if strings.HasPrefix(call, "\x00") {
		return ""
	}
	return call
}

// callOf tells calls apart: by their ids or, for an agent that has none, by the
// files they are about.
func callOf(e hook.Event, files []spool.File) string {
	if e.Call != "" {
		return e.Call
	}
	return "\x00" + strings.Join(slices.Sorted(maps.Keys(named(files))), "\x00")
}

// end forgets a call. Of the files that were looked at when it began and are not
// now, what it made of them is not known.
func (g *gatherer) end(call string, s *told, c opened, now map[string]string) {
	delete(s.open, call)
	for _, path := range slices.Sorted(maps.Keys(c.files)) {
		if _, looked := now[path]; !looked {
			g.events = append(g.events, event{Event: Event{Path: path, Sight: sight.Sight{Kind: sight.Ended, Hand: c.hand, Call: idOf(call)}}})
		}
	}
}

func (g *gatherer) session(e hook.Event) *told {
	key := sessionKey(e.Agent, e.Session)
	if e.Transcript != "" {
		g.transcripts[key] = e.Transcript
	}
	s := g.sessions[key]
	if s == nil {
		s = newTold()
		g.sessions[key] = s
	}
	s.model = cmp.Or(e.Model, s.model)
	return s
}

func blobs(files []spool.File) map[string]string {
	set := map[string]string{}
	for _, f := range files {
		set[f.Path] = f.Blob
	}
	return set
}

func named(files []spool.File) map[string]bool {
	set := map[string]bool{}
	for _, f := range files {
		set[f.Path] = true
	}
	return set
}

// see adds the sights of one entry.
func (g *gatherer) see(s sight.Sight, files []spool.File) {
	for _, f := range files {
		g.events = append(g.events, looked(s, f))
	}
}

// written says that a file may have been written, nobody knows by whom.
func written(path string) event {
	return event{Event: Event{Path: path, Sight: sight.Sight{Kind: sight.Touched}}}
}

// looked is the sight of one file.
func looked(s sight.Sight, f spool.File) event {
	s.Kept = f.State == spool.Missing // an empty content
	return event{Event: Event{Path: f.Path, Sight: s}, file: f}
}

// hand numbers the hand of an event.
func (g *gatherer) hand(e hook.Event, s *told) edits.Hand {
	if e.Agent == "" {
		return edits.Unknown
	}
	h := Hand{
		Agent: e.Agent, Version: e.Version, Session: e.Session, Subagent: e.Subagent, Model: s.model, Prompt: s.prompts, Tool: e.Tool, Call: e.Call,
		Run: e.Kind == hook.BeforeShell || e.Kind == hook.BeforeTool, Replayed: e.Replayed,
	}
	n, ok := g.hands[h]
	if !ok {
		g.Hands = append(g.Hands, h)
		n = edits.Hand(len(g.Hands))
		g.hands[h] = n
	}
	return n
}
