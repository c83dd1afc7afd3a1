package capture

import (
	"cmp"
	"encoding/json"
	"iter"
	"maps"
	"math"
	"slices"

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
}

// Person is the hand of the person whose work tree it is.
const Person edits.Hand = 1

// Evidence is what the spool of a work tree tells, with the moves of its HEAD.
type Evidence struct {
	Hands   []Hand   // Hands[n-1] is hand n; the first is the person's
	Began   int      // when the first entry was written, as [Look.When] counts
	Moves   []int    // when each move was made
	Lost    []string // why something could not be kept, each time
	Damaged int      // entries that could not be read

	looks   map[string][]look
	noise   []noise
	content func(blob string) ([]byte, error)
}

// A Look is one sight of a file. What was seen and what was moved is one order,
// in which every time has a number.
type Look struct {
	When int
	sight.Sight
}

// A look is one whose content is not at hand yet.
type look struct {
	Look
	blob string // "" for no content, or an empty one
}

// noise is something that may have written any file but some.
type noise struct {
	when int
	kind sight.Kind
	but  map[string]bool
}

// Read makes evidence of the entries of a spool. Their order is that in which
// they were written: clocks jump. content gives what was kept.
func Read(r spool.Reading, moves []spool.Move, content func(blob string) ([]byte, error)) *Evidence {
	g := gatherer{
		Evidence: &Evidence{Hands: []Hand{{}}, looks: map[string][]look{}, Damaged: r.Damaged, content: content},
		hands:    map[Hand]edits.Hand{{}: Person}, sessions: map[string]*told{}, moves: moves,
	}
	for _, e := range r.Entries {
		g.entry(e)
	}
	for range g.moves[len(g.Moves):] {
		g.move()
	}
	return g.Evidence
}

// Paths are the files that were looked at, sorted.
func (e *Evidence) Paths() []string { return slices.Sorted(maps.Keys(e.looks)) }

// Looks are the sights of a file, and what may have written it between them.
func (e *Evidence) Looks(path string) iter.Seq[Look] {
	return func(yield func(Look) bool) {
		rest := e.noise
		loud := func(until int) bool {
			for len(rest) > 0 && rest[0].when <= until { // of one time, noise comes first
				n := rest[0]
				if rest = rest[1:]; !n.but[path] && !yield(Look{n.when, sight.Sight{Kind: n.kind}}) {
					return false
				}
			}
			return true
		}
		for _, l := range e.looks[path] {
			if !loud(l.When) {
				return
			}
			if l.blob != "" {
				content, err := e.content(l.blob)
				l.Content, l.Kept = content, err == nil
			}
			if !yield(l.Look) {
				return
			}
		}
		loud(math.MaxInt)
	}
}

// A gatherer reads entries one after the other.
type gatherer struct {
	*Evidence
	hands    map[Hand]edits.Hand
	sessions map[string]*told
	moves    []spool.Move
	stand    spool.Stand
	begun    bool // there was an entry before
	now      int
}

// told is what was heard of a session so far.
type told struct {
	model   string
	prompts int
	open    map[string]opened // calls of tools that have begun and not ended, by their ids
}

// opened is what was looked at when a call began.
type opened struct {
	hand  edits.Hand
	files map[string]bool
	any   bool // it may write other files too
}

// entry reads one entry.
func (g *gatherer) entry(e spool.Entry) {
	before := len(g.Moves)
	for range g.arrived(e.Stand, e.At) {
		g.move()
	}
	g.now++
	if g.begun && !g.explains(e.Stand, before) {
		g.touched() // git wrote files, or may have
	}
	if !g.begun {
		g.Began = g.now
	}
	g.stand, g.begun = e.Stand, true
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
	g.event(event, e.Files)
}

func (g *gatherer) event(event hook.Event, files []spool.File) {
	s := g.session(event)
	l := Look{When: g.now, Sight: sight.Sight{Call: event.Call}}
	switch event.Kind {
	case hook.BeforeEdit, hook.BeforeShell, hook.BeforeTool:
		l.Kind, l.Hand = sight.Begun, g.hand(event, s)
		g.begin(event, s, opened{l.Hand, named(files), event.Kind != hook.BeforeEdit})
	case hook.AfterEdit, hook.AfterShell, hook.AfterTool:
		l.Kind, l.Hand = sight.Ended, g.hand(event, s)
		if c, ok := s.open[event.Call]; ok {
			g.end(event.Call, s, c, named(files))
		} else if event.Kind != hook.AfterEdit {
			g.touched()
		}
	case hook.HumanEdit:
		l.Kind, l.Hand = sight.Typed, Person
	case hook.Prompt, hook.Stop, hook.SessionEnd, hook.SessionStart:
		for _, call := range slices.Sorted(maps.Keys(s.open)) { // refused, killed, or its end was not told
			g.end(call, s, s.open[call], nil)
		}
		if event.Kind == hook.Prompt {
			s.prompts++
		}
	}
	g.look(l, files)
}

// touched: something may have written any file before now.
func (g *gatherer) touched() {
	g.noise = append(g.noise, noise{when: g.now, kind: sight.Touched})
}

// begin remembers a call. One that is told twice has begun once.
func (g *gatherer) begin(e hook.Event, s *told, c opened) {
	if before, ok := s.open[e.Call]; ok {
		g.end(e.Call, s, before, c.files)
	}
	s.open[e.Call] = c
	if c.any {
		g.noise = append(g.noise, noise{g.now, sight.Running, c.files})
	}
}

// end forgets a call. Of the files that were looked at when it began and are not
// now, what it made of them is not known.
func (g *gatherer) end(call string, s *told, c opened, now map[string]bool) {
	delete(s.open, call)
	if c.any {
		g.noise = append(g.noise, noise{g.now, sight.Ran, c.files})
	}
	for _, path := range slices.Sorted(maps.Keys(c.files)) {
		if !now[path] {
			g.looks[path] = append(g.looks[path], look{Look: Look{g.now, sight.Sight{Kind: sight.Ended, Hand: c.hand, Call: call}}})
		}
	}
}

func (g *gatherer) session(e hook.Event) *told {
	key := e.Agent + "\x00" + e.Session
	s := g.sessions[key]
	if s == nil {
		s = &told{open: map[string]opened{}}
		g.sessions[key] = s
	}
	s.model = cmp.Or(e.Model, s.model)
	return s
}

func named(files []spool.File) map[string]bool {
	set := map[string]bool{}
	for _, f := range files {
		set[f.Path] = true
	}
	return set
}

// look adds the sights of one entry.
func (g *gatherer) look(l Look, files []spool.File) {
	for _, f := range files {
		at := look{Look: l, blob: f.Blob}
		at.Kept = f.State == spool.Missing // an empty content
		g.looks[f.Path] = append(g.looks[f.Path], at)
	}
}

// hand numbers the hand of an event.
func (g *gatherer) hand(e hook.Event, s *told) edits.Hand {
	if e.Agent == "" {
		return edits.Unknown
	}
	h := Hand{
		Agent: e.Agent, Version: e.Version, Session: e.Session, Subagent: e.Subagent, Model: s.model, Prompt: s.prompts, Tool: e.Tool, Call: e.Call,
	}
	n, ok := g.hands[h]
	if !ok {
		g.Hands = append(g.Hands, h)
		n = edits.Hand(len(g.Hands))
		g.hands[h] = n
	}
	return n
}
