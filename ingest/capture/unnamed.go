package capture

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/attribution/sight"
	"github.com/stemma-dev/stemma/ingest/hook"
	"github.com/stemma-dev/stemma/spool"
)

// unnamed is how long an edit may take of which its beginning did not say whose it is.
const unnamed = time.Hour

// beginUnnamed notes that an edit begins, nobody says whose: the end of one will tell. One
// that began before in the same file and has not ended was refused, if only one tool
// edits it so.
func (g *gatherer) beginUnnamed(files []spool.File, now time.Time) {
	for _, f := range files {
		if len(g.unnamed[f.Path]) > 0 && g.enders(f.Path, now) < 2 {
			g.dropUnnamed(f.Path)
		}
		g.unnamed[f.Path] = append(g.unnamed[f.Path], now)
	}
}

// endUnnamed notes that an edit ended that no beginning named.
func (g *gatherer) endUnnamed(files []spool.File) {
	for _, f := range files {
		if open := g.unnamed[f.Path]; len(open) > 1 {
			g.unnamed[f.Path] = open[:len(open)-1]
		} else {
			delete(g.unnamed, f.Path)
		}
	}
}

// expireUnnamed ends what began so long ago that it was never told to end.
func (g *gatherer) expireUnnamed(now time.Time) {
	for _, path := range slices.Sorted(maps.Keys(g.unnamed)) {
		if open := g.unnamed[path]; now.Sub(open[len(open)-1]) > unnamed {
			g.dropUnnamed(path)
		}
	}
}

// dropUnnamed ends all edits of a file that nobody named. What they made of it is not known.
func (g *gatherer) dropUnnamed(path string) {
	for range g.unnamed[path] {
		g.events = append(g.events, event{Event: Event{Path: path, Sight: sight.Sight{Kind: sight.Ended, Hand: edits.Unknown}}})
	}
	delete(g.unnamed, path)
}

// enders is how many sessions tell of ends of edits of a file in the time to come in
// which what begins now may end, up to two.
func (g *gatherer) enders(path string, now time.Time) int {
	sessions := map[string]bool{}
	for _, e := range g.rest {
		if len(sessions) > 1 || e.At.Sub(now) > unnamed {
			break
		}
		var event hook.Event
		if slices.ContainsFunc(e.Files, func(f spool.File) bool { return f.Path == path }) &&
			json.Unmarshal(e.Event, &event) == nil && event.Kind == hook.AfterEdit {
			sessions[sessionKey(event.Agent, event.Session)] = true
		}
	}
	return len(sessions)
}
