package sight_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/attribution/sight"
)

// Hands of the tests.
const (
	ann edits.Hand = iota + 1
	ai
	bot
	cal
)

func begun(h edits.Hand, content string) sight.Sight {
	return sight.Sight{Kind: sight.Begun, Hand: h, Content: []byte(content), Kept: true}
}

func ended(h edits.Hand, content string) sight.Sight {
	return sight.Sight{Kind: sight.Ended, Hand: h, Content: []byte(content), Kept: true}
}

func seen(content string) sight.Sight { return sight.Sight{Content: []byte(content), Kept: true} }

var (
	running = sight.Sight{Kind: sight.Running}
	ran     = sight.Sight{Kind: sight.Ran}
	touched = sight.Sight{Kind: sight.Touched}
)

func TestWhoIsCreditedForWhatChanged(t *testing.T) {
	typed := sight.Sight{Kind: sight.Typed, Hand: cal, Content: []byte("a\nt\n"), Kept: true}
	unkept := sight.Sight{Kind: sight.Ended, Hand: ai}
	calls := func(k sight.Kind, call, content string) sight.Sight {
		return sight.Sight{Kind: k, Hand: ai, Call: call, Content: []byte(content), Kept: true}
	}
	for name, c := range map[string]struct {
		watched bool
		sights  []sight.Sight
		want    string // hands of the lines behind the first, which is there before
	}{
		"an agent, between begin and end":                     {true, []sight.Sight{begun(ai, "a\n"), ended(ai, "a\nx\n")}, "2"},
		"a person, between two edits":                         {true, []sight.Sight{begun(ai, "a\n"), ended(ai, "a\nx\n"), begun(ai, "a\nx\ny\n"), ended(ai, "a\nx\ny\nz\n")}, "2 1 2"},
		"a person, before the commit":                         {true, []sight.Sight{begun(ai, "a\n"), ended(ai, "a\nx\n"), seen("a\nx\ny\n")}, "2 1"},
		"a person, who never asked an agent":                  {true, []sight.Sight{seen("a\nx\n")}, "1"},
		"nobody, before anything was watched":                 {false, []sight.Sight{seen("a\nx\n"), seen("a\nx\ny\n")}, fmt.Sprint(sight.Unwatched, " 1")},
		"nobody, before the first edit":                       {false, []sight.Sight{begun(ai, "a\nx\n"), ended(ai, "a\nx\ny\n")}, fmt.Sprint(sight.Unwatched, " 2")},
		"an agent, that nothing was seen before of":           {false, []sight.Sight{begun(ai, "a\n"), ended(ai, "a\nx\n")}, "2"},
		"nobody, where a command ran":                         {true, []sight.Sight{running, ran, seen("a\nx\n"), seen("a\nx\ny\n")}, fmt.Sprint(sight.Disturbed, " 1")},
		"nobody, while a command goes on":                     {true, []sight.Sight{running, seen("a\nx\n"), seen("a\nx\ny\n"), ran, seen("a\nx\ny\nz\n")}, fmt.Sprint(sight.Disturbed, " ", sight.Disturbed, " ", sight.Disturbed)},
		"nobody, where something else wrote at once":          {true, []sight.Sight{touched, seen("a\nx\n"), seen("a\nx\ny\n")}, fmt.Sprint(sight.Disturbed, " 1")},
		"nobody, while a command outlasts what else wrote":    {true, []sight.Sight{running, touched, seen("a\nx\n"), seen("a\nx\ny\n")}, fmt.Sprint(sight.Disturbed, " ", sight.Disturbed)},
		"nobody, where a command ran within an edit":          {true, []sight.Sight{begun(ai, "a\n"), running, ran, ended(ai, "a\nx\n")}, fmt.Sprint(sight.Disturbed)},
		"an agent, after a command":                           {true, []sight.Sight{running, ran, begun(ai, "a\n"), ended(ai, "a\nx\n")}, "2"},
		"nobody, between edits of two agents":                 {true, []sight.Sight{begun(ai, "a\n"), begun(bot, "a\n"), ended(ai, "a\nx\n"), ended(bot, "a\nx\ny\n")}, fmt.Sprint(sight.Crowded, " 3")},
		"nobody, if the edit is not seen to end":              {true, []sight.Sight{begun(ai, "a\n"), seen("a\nx\n"), seen("a\nx\ny\n")}, fmt.Sprint(sight.Unended, " ", sight.Unended)},
		"nobody, when a second begins":                        {true, []sight.Sight{begun(ai, "a\n"), begun(bot, "a\nx\n"), ended(bot, "a\nx\n"), ended(ai, "a\nx\ny\n")}, fmt.Sprint(sight.Unended, " 2")},
		"nobody, if the beginning was not seen":               {true, []sight.Sight{ended(ai, "a\nx\n")}, fmt.Sprint(sight.Unpaired)},
		"who typed, as the editor says":                       {true, []sight.Sight{typed}, "4"},
		"nobody, if it was typed while an edit was under way": {true, []sight.Sight{begun(ai, "a\n"), typed, ended(ai, "a\nt\nx\n")}, fmt.Sprint(sight.Unended, " 2")},
		"nobody, if the typing was not watched":               {false, []sight.Sight{typed}, fmt.Sprint(sight.Unwatched)},
		"nobody, after a content that was not kept":           {true, []sight.Sight{begun(ai, "a\n"), unkept, seen("a\nx\n"), seen("a\nx\ny\n")}, fmt.Sprint(sight.Unkept, " 1")},
		"calls of one agent are told apart":                   {true, []sight.Sight{calls(sight.Begun, "1", "a\n"), calls(sight.Begun, "2", "a\n"), calls(sight.Ended, "1", "a\n"), calls(sight.Ended, "2", "a\nx\n"), seen("a\nx\ny\n")}, "2 1"},
		"a person, while an edit waited":                      {true, []sight.Sight{calls(sight.Begun, "1", "a\n"), calls(sight.Begun, "1", "a\nx\n"), calls(sight.Ended, "1", "a\nx\ny\n"), seen("a\nx\ny\nz\n")}, "1 2 1"},
		"who ends what nobody began":                          {true, []sight.Sight{begun(edits.Unknown, "a\n"), ended(ai, "a\nx\n"), seen("a\nx\ny\n")}, "2 1"},
		"an end of another call ends the last":                {true, []sight.Sight{calls(sight.Begun, "1", "a\n"), calls(sight.Ended, "", "a\nx\n"), seen("a\nx\ny\n")}, "2 1"},
	} {
		t.Run(name, func(t *testing.T) {
			w := sight.Start("f", []byte("a\n"), nil, ann, sight.State{Seen: c.watched})
			for _, s := range c.sights {
				w.See(s)
			}
			var got []string
			for _, l := range w.File().Lines()[1:] {
				got = append(got, fmt.Sprint(l.By))
			}
			if strings.Join(got, " ") != c.want || w.File().Lines()[0].By != edits.Base {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestACommitOfAPartLeavesTheRestWhoseItWas(t *testing.T) {
	hands := func(f *edits.File) string {
		var list []string
		for _, l := range f.Lines() {
			list = append(list, fmt.Sprint(l.By))
		}
		return strings.Join(list, " ")
	}
	w := sight.Start("f", []byte("a\n"), nil, ann, sight.State{Seen: true})
	w.See(begun(ai, "a\n"))
	w.See(ended(ai, "a\n1\n2\n"))
	if got := hands(w.Glimpse([]byte("a\n1\nx\n"))); got != "0 2 1" {
		t.Errorf("the commit has lines of %s", got)
	}
	w.See(seen("a\n1\nx\n2\n"))
	if got := hands(w.File()); got != "0 2 1 2" {
		t.Errorf("behind the commit there are lines of %s", got)
	}
	w.See(touched)
	if got := hands(w.Glimpse([]byte("a\n2\ny\n"))); got != fmt.Sprint("0 2 ", sight.Disturbed) {
		t.Errorf("behind what was touched there are lines of %s", got)
	}
}

func TestWhatGitPutInPlaceIsNobodysButKnownForThat(t *testing.T) {
	w := sight.Start("f", []byte("a\n"), nil, ann, sight.State{Seen: true})
	w.See(touched)
	put := seen("a\nanother line that somebody wrote elsewhere\n")
	put.Likely = true
	w.See(put)
	w.See(seen("a\nanother line that somebody wrote elsewhere\nb\n"))
	if l := w.File().Lines(); l[0].By != edits.Base || l[1].By != edits.Placed || l[2].By != ann {
		t.Errorf("the lines are %+v", l)
	}
}

// A story is a file that agents and people edit, where every line is written
// once, so that its text tells whose it is.
type story struct {
	rng   *rand.Rand
	watch *sight.Watch
	by    map[string]edits.Hand
	lines []string
	open  []edits.Hand
	next  int
	calm  bool // nothing has happened that makes hands unknown
}

func (s *story) write(h edits.Hand) {
	for range 1 + s.rng.IntN(3) {
		s.next++
		line := fmt.Sprintf("this is line %d and no other has this text %d", s.next, s.next)
		s.by[line] = h
		at := s.rng.IntN(len(s.lines) + 1)
		if at < len(s.lines) && s.rng.IntN(2) == 0 {
			s.lines[at] = line
		} else {
			s.lines = slices.Insert(s.lines, at, line)
		}
	}
}

func (s *story) text() string {
	if len(s.lines) == 0 {
		return ""
	}
	return strings.Join(s.lines, "\n") + "\n"
}

func (s *story) begin(h edits.Hand) {
	s.watch.See(begun(h, s.text()))
	s.open = append(s.open, h)
	s.calm = s.calm && len(s.open) == 1
}

func (s *story) finish(h edits.Hand) {
	s.watch.See(ended(h, s.text()))
	s.open = slices.DeleteFunc(s.open, func(o edits.Hand) bool { return o == h })
}

// step lets one thing happen.
func (s *story) step() {
	agent := ai + edits.Hand(s.rng.IntN(2))
	switch s.rng.IntN(8) {
	case 0, 1, 2:
		if !slices.Contains(s.open, agent) {
			s.begin(agent)
		} else {
			s.write(agent)
			s.finish(agent)
		}
	case 3, 4:
		if len(s.open) == 0 { // an agent's edit lasts for milliseconds
			s.write(ann)
		}
	case 5:
		s.watch.See(seen(s.text()))
	case 6:
		if s.rng.IntN(4) == 0 { // a command of an agent writes
			s.watch.See(running)
			s.write(bot)
			s.watch.See(ran)
			s.calm = false
		}
	case 7:
		if len(s.open) > 1 {
			s.write(s.open[s.rng.IntN(len(s.open))])
		}
	}
}

// Whatever happens, no line is given to somebody who did not write it; and if
// nothing made it doubtful, every line is given to who did.
func FuzzNobodyIsCreditedForWhatOthersWrote(f *testing.F) {
	for seed := range uint64(400) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		s := &story{rng: rand.New(rand.NewPCG(seed, 3)), by: map[string]edits.Hand{}, calm: true}
		for range s.rng.IntN(5) {
			s.write(edits.Base)
		}
		s.watch = sight.Start("f", []byte(s.text()), nil, ann, sight.State{Seen: true})
		for n := range 30 {
			s.step()
			if n%5 != 4 {
				continue
			}
			s.watch.See(seen(s.text()))
			for i, l := range s.watch.File().Lines() {
				want := s.by[s.lines[i]]
				if l.By != want && (s.calm || l.By >= 0) {
					t.Fatalf("seed %d, step %d: line %d %q is given to %d, want %d (calm: %v)", seed, n, i+1, s.lines[i], l.By, want, s.calm)
				}
			}
		}
	})
}
