package capture

import (
	"maps"
	"slices"
	"time"

	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/attribution/sight"
	"github.com/stemma-dev/stemma/ingest/hook"
	"github.com/stemma-dev/stemma/spool"
)

// How long a run may take for what changed meanwhile to be its work.
const (
	briefly = 5 * time.Second  // a file that it did not say it writes
	atMost  = 10 * time.Minute // one that it did
	forgot  = 24 * time.Hour   // after which what was not told to end is taken to have ended
)

// A run is a call of a tool that may write any file: a command, or a tool that is
// not known.
type run struct {
	event  hook.Event
	number int
	hand   edits.Hand
	at     time.Time
	place  int // in events, where it began
	files  []spool.File
	begin  []event // what its end tells of its beginning
	ended  bool

	end   int               // in events, where it ended
	wrote map[string]string // what the files that it is credited with were before
	not   map[string]bool   // files that changed meanwhile, nobody knows by whom
	was   map[string]string // what those were before, where that is known
}

// run notes that something begins to run. What is to be said of that is known
// when it ends, and put here then.
func (g *gatherer) run(e hook.Event, s *told, entry spool.Entry) {
	if r, ok := s.runs[e.Call]; ok && e.Call != "" {
		g.see(sight.Sight{Kind: sight.Seen}, entry.Files) // it is told twice, by two hooks
		return
	} else if ok {
		g.stop(r)
	}
	g.ran++
	r := &run{event: e, number: g.ran, hand: g.hand(e, s), at: entry.At, place: len(g.events), files: entry.Files}
	s.runs[e.Call] = r
	g.events = append(g.events, event{call: r})
}

// done notes that it has ended. Files that were looked at before and now are known:
// they changed or did not. Who changed them is another question, see [run.credited].
func (g *gatherer) done(e hook.Event, s *told, entry spool.Entry) {
	r, ok := s.runs[e.Call]
	if !ok {
		if !slices.Contains(s.past, e.Call) {
			g.touched()
		}
		g.see(sight.Sight{Kind: sight.Seen}, entry.Files)
		return
	}
	if r.event.Background || e.Background {
		g.see(sight.Sight{Kind: sight.Seen}, entry.Files) // it goes on
		r.event.Background = true
		return
	}
	delete(s.runs, e.Call)
	s.ended(e.Call)
	r.ended = true
	r.event.Quiet = r.event.Quiet || e.Quiet
	was := map[string]spool.File{}
	for _, f := range slices.Concat(entry.Was, r.files) {
		was[f.Path] = f
	}
	but, ends := map[string]bool{}, []event{}
	r.end, r.wrote, r.not, r.was = len(g.events), map[string]string{}, map[string]bool{}, map[string]string{}
	g.runs = append(g.runs, r)
	for _, now := range entry.Files {
		before, ok := was[now.Path]
		kinds := [2]sight.Kind{sight.Seen, sight.Seen}
		switch {
		case !ok:
			r.not[now.Path] = true
		case same(before, now) || g.others(r, before, now):
			but[now.Path] = true
		case r.credited(before, now, entry, g.left):
			g.left[now.Path], r.wrote[now.Path] = now.Blob, before.Blob
			but[now.Path], kinds = true, [2]sight.Kind{sight.Begun, sight.Ended}
		default:
			r.not[now.Path], r.was[now.Path] = true, before.Blob
		}
		if ok {
			r.begin = append(r.begin, looked(sight.Sight{Kind: kinds[0], Hand: r.hand, Call: e.Call, Ends: true}, before))
			delete(was, now.Path)
		}
		ends = append(ends, looked(sight.Sight{Kind: kinds[1], Hand: r.hand, Call: e.Call, Git: true}, now))
	}
	for _, path := range slices.Sorted(maps.Keys(was)) {
		r.begin = append(r.begin, looked(sight.Sight{Kind: sight.Seen}, was[path]))
	}
	r.begin = append(r.begin, r.noise(sight.Running, but, r.not, entry.Whole))
	g.events = append(append(g.events, r.noise(sight.Ran, but, r.not, entry.Whole)), ends...)
}

// noise is that something runs, or has run, which may have written any file but
// some; with rest, of the tracked ones only those of not.
func (r *run) noise(kind sight.Kind, but, not map[string]bool, rest bool) event {
	return event{Event: Event{Sight: sight.Sight{Kind: kind}, But: but, Rest: rest, Not: not, Run: r.number}}
}

// same reports whether a file did not change, as far as that is known.
func same(before, now spool.File) bool {
	if before.Blob == "" || now.Blob == "" {
		return before.State == spool.Missing && now.State == spool.Missing
	}
	return before.Blob == now.Blob
}

// credited reports whether a run changed a file, and nobody else. A person may type
// while something runs, so it must have said that it writes the file; or been brief,
// and been for writing, and the file as git has it, or not there, or as an agent
// left it: nobody was at it. A new one may be a person's under another name if
// something vanished that nobody had looked at.
func (r *run) credited(before, now spool.File, end spool.Entry, left map[string]string) bool {
	took := end.At.Sub(r.at)
	switch {
	case took < 0:
		return false // a clock jumped
	case now.Named:
		return took <= atMost
	case r.event.Quiet || took > briefly || before.State == spool.Missing && end.Gone:
		return false
	}
	known, ok := left[before.Path]
	return before.State == spool.Missing || before.State == spool.Tracked || ok && known == before.Blob
}

// others reports whether all that changed in a file during a run was seen to be
// done by edits of agents.
func (g *gatherer) others(r *run, before, now spool.File) bool {
	at := before.Blob
	for _, v := range g.events[r.place:] {
		looks := []event{v}
		if v.call != nil && v.call != r {
			looks = v.call.begin
		}
		for _, l := range looks {
			switch {
			case l.Path != before.Path:
			case l.Kind == sight.Ended:
				at = l.file.Blob
			case l.file.Blob != at:
				return false
			}
		}
	}
	return at != "" && at == now.Blob
}

// stop ends a run of which the end was not told: what it wrote is not known.
func (g *gatherer) stop(r *run) {
	if !r.ended {
		r.ended = true
		r.goesOn()
		g.events = append(g.events, r.noise(sight.Ran, nil, nil, false))
	}
}

// goesOn says of a run what is known before its end.
func (r *run) goesOn() {
	for _, f := range r.files {
		r.begin = append(r.begin, looked(sight.Sight{Kind: sight.Seen}, f))
	}
	r.begin = append(r.begin, r.noise(sight.Running, nil, nil, false))
}

// killed ends the runs of a session that were not told to end; those in the
// background only with the session.
func (g *gatherer) killed(s *told, all bool) {
	for _, call := range slices.Sorted(maps.Keys(s.runs)) {
		if r := s.runs[call]; all || !r.event.Background {
			delete(s.runs, call)
			g.stop(r)
		}
	}
}

// ended remembers a run, for an end that is told twice.
func (s *told) ended(call string) {
	if call != "" {
		s.past = append(s.past, call)
		s.past = s.past[max(0, len(s.past)-maxPast):]
	}
}

// maxPast is how many runs of a session are remembered.
const maxPast = 16

// expire ends what has been under way for too long to be. It looks once an hour.
func (g *gatherer) expire(now time.Time) {
	if d := now.Sub(g.expired); 0 <= d && d < time.Hour {
		return
	}
	g.expired = now
	g.expireUnnamed(now)
	for _, key := range slices.Sorted(maps.Keys(g.sessions)) {
		s := g.sessions[key]
		for _, call := range slices.Sorted(maps.Keys(s.open)) {
			if c := s.open[call]; now.Sub(c.at) > forgot {
				g.end(call, s, c, nil)
			}
		}
		for _, call := range slices.Sorted(maps.Keys(s.runs)) {
			if r := s.runs[call]; now.Sub(r.at) > forgot {
				delete(s.runs, call)
				g.stop(r)
			}
		}
	}
}

// explain takes from what changed during a run, nobody knows by whom, what is all
// another's that ended later, and had not begun to write before: from the same content
// if the first began before it. What an earlier one wrote is known when a run ends, see
// [gatherer.others].
func (g *gatherer) explain() {
	writers := map[string][]*run{}
	for _, r := range g.runs {
		for path := range r.wrote {
			writers[path] = append(writers[path], r)
		}
	}
	for _, r := range g.runs {
		maps.DeleteFunc(r.not, func(path string, _ bool) bool {
			was, known := r.was[path]
			return slices.ContainsFunc(writers[path], func(o *run) bool {
				return o.place < r.end && r.end < o.end && (o.place < r.place || known && o.wrote[path] == was)
			})
		})
	}
}

// flatten puts the beginnings of runs where they belong.
func (g *gatherer) flatten() {
	var flat []event
	for _, v := range g.events {
		if v.call == nil {
			flat = append(flat, v)
			continue
		}
		if !v.call.ended {
			v.call.goesOn()
		}
		flat = append(flat, v.call.begin...)
	}
	g.events = flat
}
