// Package bind finds where the lines of a commit came from that nobody typed in it:
// a branch was squashed, commits were picked or rebased, here or where nobody
// watched. Such lines are found by their text in the commits that they came from,
// and are whose they are by the notes of those.
package bind

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/attribution/sight"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/gitai"
)

// Hands that are nobody's, besides those of package sight.
const (
	Unrecorded edits.Hand = -100 - iota // text that came from a commit of which no note tells
	Abroad                              // of a commit that was made where nobody watched
)

// A Commit is one with whose the lines are that it added.
type Commit struct {
	git.Commit
	Foreign bool // it was made elsewhere
	Added   []Added
	Waits   []string // commits without a note in which lines of nobody were found
}

// An Added is what a commit added to one file.
type Added struct {
	Path  string
	Blob  string // what the file is in the commit
	Lines []edits.AddedLine
	Print edits.Print // of the lines
	From  []string    // other files in which git put some of them in place
}

// stood are the files in which the lines may have stood.
func (a *Added) stood() []string { return append([]string{a.Path}, a.From...) }

// A Found is what a note says of lines found elsewhere.
type Found struct {
	Note *gitai.Authorship
	Key  string
}

// A Finder finds lines in other commits. It is for one goroutine.
type Finder struct {
	Found []Found // the hands behind those that are somebody's already

	cat *git.CatFile
	found
	far    func() (far, error)          // read when it is asked for first
	lost   bool                         // some commit has lines of nobody
	whole  map[string]bool              // contents that some have as a whole and that may be another's
	notes  map[string]*gitai.Authorship // by commit
	hands  int                          // that are somebody's already
	here   map[string]bool              // commits that were made here
	came   map[string]bool              // from which git may have put lines in place
	number map[Found]edits.Hand
}

// Nowhere is where nothing is found. Hands up to the given one are somebody's.
func Nowhere(hands int) *Finder {
	return &Finder{hands: hands, whole: map[string]bool{}, number: map[Found]edits.Hand{}, notes: map[string]*gitai.Authorship{}}
}

// A Clone is where lines are looked for.
type Clone struct {
	Repo  *git.Repo
	Cat   *git.CatFile
	Notes string                                  // where its notes stand, "" if it has none
	Tips  func(context.Context) ([]string, error) // commits to look in, with what they stand on
	Here  map[string]bool                         // commits that were made here
	Stood []string                                // commits that were checked out in the work tree
}

// Finder reads the commits from which lines of the given ones may have come, if
// there are any of which hooks tell nothing, or only that nobody else was seen to
// write them.
func (c Clone) Finder(ctx context.Context, commits []*Commit, hands int) (*Finder, error) {
	b := Nowhere(hands)
	b.cat, b.here = c.Cat, c.Here
	b.far = sync.OnceValues(func() (far, error) { return b.readFar(ctx, c) })
	if !slices.ContainsFunc(commits, (*Commit).open) {
		return b, nil
	}
	for _, c := range commits {
		b.lost = b.lost || c.lost()
		for _, a := range c.Added {
			if a.whole() {
				b.whole[a.Blob] = true
			}
		}
	}
	var err error
	if b.found, err = c.sources(ctx, commits); err != nil {
		return b, err
	}
	b.came = b.ancestors("", c.Stood)
	return b, c.readNotes(b)
}

// Know tells the note that a commit gets: what comes behind may come from it.
func (b *Finder) Know(commit string, n *gitai.Authorship) { b.notes[commit] = n }

// Bind gives the lines of a commit to whom they came from.
func (b *Finder) Bind(c *Commit) error {
	if b.cat == nil || !c.open() {
		return nil
	}
	t := b.textFor(c)
	if err := t.bind(b.cat, c); err != nil {
		return err
	}
	if err := b.bindFar(c); err != nil {
		return err
	}
	for i := range c.Added {
		a := &c.Added[i]
		for _, path := range a.stood() {
			p := t.silent[path]
			if p == nil {
				continue
			}
			for k, h := range a.find(isNobodys, in(p, edits.Any)) {
				if h == edits.Base {
					continue
				}
				b.waitFor(c, h)
				if key := a.Print.Key(k); key != 0 {
					for h := range p.Hands(key) { // one of them may tell
						b.waitFor(c, h)
					}
				}
			}
		}
	}
	return nil
}

// maxWaits is for how many notes a commit waits.
const maxWaits = 100

// waitFor lets a commit wait for the note of a source.
func (b *Finder) waitFor(c *Commit, source edits.Hand) {
	if id := b.sources[source-1].ID; len(c.Waits) < maxWaits && !slices.Contains(c.Waits, id) {
		c.Waits = append(c.Waits, id)
	}
}

// textFor gathers the text in which lines of a commit are looked for.
func (b *Finder) textFor(c *Commit) *text {
	t := newText(c)
	t.same = func(x, y edits.Hand) bool { return b.Found[int(x)-b.hands-1].Key == b.Found[int(y)-b.hands-1].Key }
	under, over := b.ancestors(c.ID, c.Parents), b.descendants(c.ID)
	for at, s := range b.sources {
		if s.ID == c.ID || over[s.ID] {
			continue
		}
		n := b.notes[s.ID]
		if n == nil {
			t.add(t.silent, s.files, func(sourceFile) func(int) edits.Hand {
				return func(int) edits.Hand { return edits.Hand(at + 1) }
			})
			nobody := func(sourceFile) func(int) edits.Hand { return func(int) edits.Hand { return Unrecorded } }
			if !b.here[s.ID] {
				t.add(t.foreign, s.files, nobody)
			}
			if !b.here[s.ID] && b.came[s.ID] {
				t.add(t.came, s.files, nobody)
			}
		}
		if under[s.ID] {
			t.stood(s.files)
			t.add(t.below, s.files, func(f sourceFile) func(int) edits.Hand { return b.whose(n, f) })
			if n != nil && b.here[s.ID] {
				t.add(t.told, s.files, func(f sourceFile) func(int) edits.Hand {
					whose := b.whose(n, f)
					return func(line int) edits.Hand { return b.recovered(whose(line)) }
				})
			}
			continue
		}
		// What was made later came from here, and not the other way. But clocks differ: what
		// its note tells of counts. Of one's own commit nothing may be known yet.
		later := !c.Foreign && s.Committer.When.After(c.Committer.When)
		if n == nil && (later || s.Committer.Mail == c.Committer.Mail) {
			continue
		}
		t.add(t.beside, s.files, func(f sourceFile) func(int) edits.Hand {
			whose := b.whose(n, f)
			if !later {
				return whose
			}
			return func(line int) edits.Hand { return max(whose(line), edits.Base) }
		})
	}
	t.addAlike()
	return t
}

// mostly reports whether most of the lines that a commit adds, and that can be
// told from others, are in the pools.
func (c *Commit) mostly(pools byPath) bool {
	found, all := 0, 0
	for i := range c.Added {
		a := &c.Added[i]
		var hands []edits.Hand
		if p := pools[a.Path]; p != nil {
			hands = a.find(isOpen, in(p, edits.Any))
		}
		for k, l := range a.Lines {
			if a.Print.Key(k) == 0 {
				continue
			}
			if all++; !isOpen(l) || hands != nil && hands[k] != edits.Base {
				found++
			}
		}
	}
	return found*10 >= all*7
}

// descendants are the commits that stand on one, of those that are known.
func (b *Finder) descendants(of string) map[string]bool {
	children := map[string][]string{}
	for id, parents := range b.parents {
		for _, p := range parents {
			children[p] = append(children[p], id)
		}
	}
	over := map[string]bool{}
	for next := children[of]; len(next) > 0; {
		id := next[len(next)-1]
		next = next[:len(next)-1]
		if !over[id] {
			over[id] = true
			next = append(next, children[id]...)
		}
	}
	return over
}

// whose tells the hand of a line of a file by the note of its commit.
func (b *Finder) whose(n *gitai.Authorship, f sourceFile) func(line int) edits.Hand {
	keys := map[int]string{}
	if n != nil {
		for _, file := range n.Files {
			if file.Path != f.path {
				continue
			}
			for _, e := range file.Entries {
				f.eachIn(e.Ranges, func(line int) {
					if keys[line] != "" && keys[line] != e.Key {
						keys[line] = "?"
					} else {
						keys[line] = e.Key
					}
				})
			}
		}
	}
	return func(line int) edits.Hand {
		key := keys[line]
		if key == "" || key == "?" {
			return Unrecorded
		}
		if _, ok := n.Mark(key); !ok {
			return Unrecorded
		}
		of := Found{n, key}
		if b.number[of] == 0 {
			b.Found = append(b.Found, of)
			b.number[of] = edits.Hand(b.hands + len(b.Found))
		}
		return b.number[of]
	}
}

// recovered is a hand whose lines were found by their text, else [edits.Base].
func (b *Finder) recovered(h edits.Hand) edits.Hand {
	if int(h) <= b.hands {
		return edits.Base
	}
	of := b.Found[int(h)-b.hands-1]
	if _, trace, ok := strings.Cut(of.Key, "::"); !ok || !of.Note.Traces[trace].Recovered() {
		return edits.Base
	}
	return h
}

// ancestors are the commits that one stands on, of those that are known.
func (b *Finder) ancestors(of string, parents []string) map[string]bool {
	under := map[string]bool{}
	for next := slices.Clone(parents); len(next) > 0; {
		id := next[len(next)-1]
		next = next[:len(next)-1]
		if p, known := b.parents[id]; known && !under[id] && id != of {
			under[id] = true
			next = append(next, p...)
		}
	}
	return under
}

// open reports whether lines of the commit may have come from elsewhere.
func (c *Commit) open() bool {
	return slices.ContainsFunc(c.Added, func(a Added) bool { return slices.ContainsFunc(a.Lines, isOpen) })
}

func isOpen(l edits.AddedLine) bool { return l.By == capture.Person || l.By <= edits.Base }

func isPersons(l edits.AddedLine) bool { return l.By == capture.Person }

func isMoved(l edits.AddedLine) bool { return l.By == edits.Base }

func isPlaced(l edits.AddedLine) bool { return l.By == edits.Placed }

func isDisturbed(l edits.AddedLine) bool { return l.By == sight.Disturbed }

// isHidden is of lines that were found where nobody is told, if anywhere.
func isHidden(l edits.AddedLine) bool { return l.By == Unrecorded || isDisturbed(l) }

func isNobodys(l edits.AddedLine) bool { return l.By <= edits.Base }

// A search says whose lines are that stand together in runs.
type search func(runs ...edits.Print) [][]edits.Hand

func in(p *edits.Pool, back edits.Back) search {
	return func(runs ...edits.Print) [][]edits.Hand { return p.Find(back, runs...) }
}

// find says of the lines of a kind whose they are; of the others, and where it does
// not know, [edits.Base].
func (a *Added) find(kind func(edits.AddedLine) bool, look search) []edits.Hand {
	var runs []edits.Print
	var starts []int
	for i := 0; i < len(a.Lines); {
		if !kind(a.Lines[i]) {
			i++
			continue
		}
		end := i + 1
		for end < len(a.Lines) && kind(a.Lines[end]) && a.Lines[end].Number == a.Lines[end-1].Number+1 {
			end++
		}
		runs, starts = append(runs, a.Print.Slice(i, end)), append(starts, i)
		i = end
	}
	hands := make([]edits.Hand, len(a.Lines))
	for r, found := range look(runs...) {
		copy(hands[starts[r]:], found)
	}
	return hands
}

// take gives lines of a kind to whom they are found to belong.
func (a *Added) take(kind func(edits.AddedLine) bool, look search) {
	for i, h := range a.find(kind, look) {
		a.give(i, h)
	}
}

// letters is how many letters and digits the lines have of which it was found whose they are.
func (a *Added) letters(found []edits.Hand) (n int) {
	for i, h := range found {
		if h != edits.Base {
			_, letters := a.Print.Line(i)
			n += letters
		}
	}
	return n
}

// give gives a line to a hand that was found.
func (a *Added) give(i int, h edits.Hand) {
	switch {
	case h > 0:
		a.Lines[i].By = h
	case h < 0 && a.Lines[i].By == capture.Person:
		a.Lines[i].By = Unrecorded
	}
}
