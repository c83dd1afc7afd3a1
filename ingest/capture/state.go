package capture

import (
	"maps"
	"slices"
	"time"

	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/spool"
)

// A State is what was heard up to a moment in which nothing was under way. It can
// be written down, and what came behind read alone. It is not changed by that.
type State struct {
	End         int64 // how far the spool was read
	Before      int   // moves that were made before anything was captured
	Moved, Ran  int   // moves and runs so far
	Hands       []Hand
	Sessions    map[string]Told
	Transcripts map[string]string // by session
	Left        map[string]string // by path, the content that an agent left last
	Stand       spool.Stand
	Begun       bool
	Expired     time.Time // when it was looked last for what is taken to have ended
}

// Told is what was heard of a session.
type Told struct {
	Model   string
	Prompts int
	Past    []string // calls of runs that have ended
}

func newTold() *told { return &told{open: map[string]opened{}, runs: map[string]*run{}} }

// Read makes evidence of the entries behind a state, with all moves. There are at
// least as many entries from one mark to the next as is said; no marks at 0.
func (s State) Read(r spool.Reading, moves []spool.Move, content func(spool.File) ([]byte, error), marks int) *Evidence {
	g := gatherer{
		Evidence: &Evidence{
			Before: s.Before, Hands: slices.Clone(s.Hands), Damaged: r.Damaged, content: content, transcripts: maps.Clone(s.Transcripts),
		},
		hands: map[Hand]edits.Hand{}, sessions: map[string]*told{}, moves: moves, moved: s.Moved, stand: s.Stand, begun: s.Begun,
		left: maps.Clone(s.Left), ran: s.Ran, expired: s.Expired, unnamed: map[string][]time.Time{},
	}
	if s.Hands == nil {
		g.Hands, g.transcripts, g.left = []Hand{{}, {}}, map[string]string{}, map[string]string{}
	}
	for i, h := range g.Hands[2:] {
		g.hands[h] = edits.Hand(i + 3)
	}
	for key, t := range s.Sessions {
		g.sessions[key] = newTold()
		g.sessions[key].model, g.sessions[key].prompts, g.sessions[key].past = t.Model, t.Prompts, slices.Clone(t.Past)
	}
	marked := 0
	for i, e := range r.Entries {
		g.rest = r.Entries[i+1:]
		g.entry(e)
		if marks > 0 && i+1-marked >= marks && g.quiet() {
			g.Mark = g.state(e.End)
			g.events = append(g.events, event{Event: Event{Mark: g.Mark}})
			marked = i + 1
		}
	}
	for range g.moves[g.moved:] {
		g.move()
	}
	g.explain()
	g.flatten()
	return g.Evidence
}

// quiet reports whether nothing is under way.
func (g *gatherer) quiet() bool {
	for _, s := range g.sessions {
		if len(s.open)+len(s.runs) > 0 {
			return false
		}
	}
	return len(g.unnamed) == 0
}

func (g *gatherer) state(end int64) *State {
	s := &State{
		End: end, Before: g.Before, Moved: g.moved, Ran: g.ran, Hands: slices.Clone(g.Hands), Sessions: map[string]Told{},
		Transcripts: maps.Clone(g.transcripts), Left: maps.Clone(g.left), Stand: g.stand, Begun: g.begun, Expired: g.expired,
	}
	for key, t := range g.sessions {
		s.Sessions[key] = Told{t.model, t.prompts, slices.Clone(t.past)}
	}
	return s
}
