package capture

import (
	"cmp"
	"encoding/json"
	"maps"
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

// Evidence is what a spool tells, file by file.
type Evidence struct {
	Hands   []Hand // Hands[n-1] is hand n; the first is the person's
	Files   map[string][]Look
	Lost    []string // why something could not be kept, each time
	Damaged int      // entries that could not be read
}

// A Look is one sight of a file.
type Look struct {
	Entry int // number of the entry, from 0
	sight.Sight
}

// Read makes evidence of the entries of a spool. Their order is that in which
// they were written: clocks jump. content gives what was kept.
func Read(r spool.Reading, content func(blob string) ([]byte, error)) Evidence {
	g := gatherer{
		content: content, hands: map[Hand]edits.Hand{}, sessions: map[string]*told{},
		evidence: Evidence{Hands: []Hand{{}}, Files: map[string][]Look{}, Damaged: r.Damaged},
	}
	g.hands[Hand{}] = Person
	for i, e := range r.Entries {
		g.entry(i, e)
	}
	g.spread()
	return g.evidence
}

// A gatherer reads entries one after the other.
type gatherer struct {
	evidence Evidence
	content  func(string) ([]byte, error)
	hands    map[Hand]edits.Hand
	sessions map[string]*told
	stand    spool.Stand
	noise    []noise
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

// noise is something that may have written any file but some.
type noise struct {
	entry int
	kind  sight.Kind
	but   map[string]bool
}

func (g *gatherer) entry(i int, e spool.Entry) {
	if i > 0 && e.Stand != g.stand { // git wrote files, or may have
		g.touched(i)
	}
	g.stand = e.Stand
	if e.Lost != "" {
		g.evidence.Lost = append(g.evidence.Lost, e.Lost)
		g.touched(i)
	}
	var event hook.Event
	if len(e.Event) == 0 {
		return
	}
	if json.Unmarshal(e.Event, &event) != nil {
		g.evidence.Damaged++
		g.touched(i)
		return
	}
	s := g.session(event)
	look := Look{Entry: i, Sight: sight.Sight{Call: event.Call}}
	switch event.Kind {
	case hook.BeforeEdit, hook.BeforeShell, hook.BeforeTool:
		look.Kind, look.Hand = sight.Begun, g.hand(event, s)
		g.begin(i, event, s, opened{look.Hand, named(e.Files), event.Kind != hook.BeforeEdit})
	case hook.AfterEdit, hook.AfterShell, hook.AfterTool:
		look.Kind, look.Hand = sight.Ended, g.hand(event, s)
		if c, ok := s.open[event.Call]; ok {
			g.end(i, event.Call, s, c, named(e.Files))
		} else if event.Kind != hook.AfterEdit {
			g.touched(i)
		}
	case hook.HumanEdit:
		look.Kind, look.Hand = sight.Typed, Person
	case hook.Prompt, hook.Stop, hook.SessionEnd, hook.SessionStart:
		for _, call := range slices.Sorted(maps.Keys(s.open)) { // refused, killed, or its end was not told
			g.end(i, call, s, s.open[call], nil)
		}
		if event.Kind == hook.Prompt {
			s.prompts++
		}
	}
	g.look(look, e.Files)
}

// touched: something may have written any file before this entry.
func (g *gatherer) touched(entry int) {
	g.noise = append(g.noise, noise{entry: entry, kind: sight.Touched})
}

// begin remembers a call. One that is told twice has begun once.
func (g *gatherer) begin(entry int, e hook.Event, s *told, c opened) {
	if before, ok := s.open[e.Call]; ok {
		g.end(entry, e.Call, s, before, c.files)
	}
	s.open[e.Call] = c
	if c.any {
		g.noise = append(g.noise, noise{entry, sight.Running, c.files})
	}
}

// end forgets a call. Of the files that were looked at when it began and are not
// now, what it made of them is not known.
func (g *gatherer) end(entry int, call string, s *told, c opened, now map[string]bool) {
	delete(s.open, call)
	if c.any {
		g.noise = append(g.noise, noise{entry, sight.Ran, c.files})
	}
	for _, path := range slices.Sorted(maps.Keys(c.files)) {
		if !now[path] {
			g.evidence.Files[path] = append(g.evidence.Files[path], Look{entry, sight.Sight{Kind: sight.Ended, Hand: c.hand, Call: call}})
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
func (g *gatherer) look(look Look, files []spool.File) {
	for _, f := range files {
		at := look
		switch f.State {
		case spool.Missing:
			at.Kept = true // an empty content
		case spool.Regular:
			content, err := g.content(f.Blob)
			at.Content, at.Kept = content, err == nil
		case spool.Link, spool.Other, spool.Large, spool.Unreadable:
		}
		g.evidence.Files[f.Path] = append(g.evidence.Files[f.Path], at)
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
		g.evidence.Hands = append(g.evidence.Hands, h)
		n = edits.Hand(len(g.evidence.Hands))
		g.hands[h] = n
	}
	return n
}

// spread puts what may have written any file among the sights of each.
func (g *gatherer) spread() {
	for path, looks := range g.evidence.Files {
		all := make([]Look, 0, len(looks)+len(g.noise))
		for _, n := range g.noise {
			if !n.but[path] {
				all = append(all, Look{Entry: n.entry, Sight: sight.Sight{Kind: n.kind}})
			}
		}
		all = append(all, looks...) // of one entry, noise comes first
		slices.SortStableFunc(all, func(a, b Look) int { return cmp.Compare(a.Entry, b.Entry) })
		g.evidence.Files[path] = all
	}
}
