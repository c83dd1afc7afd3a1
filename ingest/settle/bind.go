package settle

import (
	"context"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/gitai"
)

// What somebody else wrote comes into a commit without being typed: a branch is
// squashed, commits are picked or rebased, here or where nobody watched. Such
// lines are found in the commits that they came from, by their text, and are
// whose they are by the notes of those.

// Hands that are nobody's, besides those of package sight.
const (
	unrecorded edits.Hand = -100 - iota // text that came from a commit of which no note tells
	abroad                              // of a commit that was made where nobody watched
)

// A bound is what a note says of lines found elsewhere.
type bound struct {
	note *gitai.Authorship
	key  string
}

// binder finds lines in other commits.
type binder struct {
	sources []source
	notes   map[string]*gitai.Authorship // by commit
	hands   int                          // that are somebody's already
	bound   []bound
	number  map[bound]edits.Hand
}

// newBinder finds nothing.
func newBinder(t *tree) *binder {
	return &binder{hands: len(t.evidence.Hands), number: map[bound]edits.Hand{}, notes: map[string]*gitai.Authorship{}}
}

// binder reads the commits from which lines of the given ones may have come, if
// there are any of which hooks tell nothing, or only that nobody else was seen to
// write them.
func (t *tree) binder(ctx context.Context, commits []*settled) (*binder, error) {
	b := newBinder(t)
	if !slices.ContainsFunc(commits, (*settled).open) {
		return b, nil
	}
	var err error
	if b.sources, err = t.sources(ctx, commits); err != nil || len(b.sources) == 0 {
		return b, err
	}
	return b, t.readNotes(b)
}

// commit gives the lines of one commit to whom they came from.
func (b *binder) commit(c *settled) {
	if len(b.sources) == 0 || !c.open() {
		return
	}
	beside, below := map[string]*edits.Pool{}, map[string]*edits.Pool{}
	wanted := map[string]bool{}
	for _, f := range c.added {
		wanted[f.Path] = true
	}
	under, over := b.ancestors(c.ID, c.Parents), b.descendants(c.ID)
	for _, s := range b.sources {
		// What was made later came from here, and not the other way; the clock of a
		// forge is another one.
		if s.ID == c.ID || over[s.ID] || !c.foreign && s.Committer.When.After(c.Committer.When) {
			continue
		}
		n := b.notes[s.ID]
		if n == nil && s.Committer.Mail == c.Committer.Mail {
			continue // nothing is known of one's own commit, or not yet
		}
		pools := beside
		if under[s.ID] {
			pools = below
		}
		for _, f := range s.files {
			if !wanted[f.path] {
				continue
			}
			if pools[f.path] == nil {
				pools[f.path] = &edits.Pool{}
			}
			whose := b.whose(n, f)
			for _, r := range f.runs {
				hands := make([]edits.Hand, len(r.text))
				for i := range hands {
					hands[i] = whose(r.start + i)
				}
				pools[f.path].Add(r.text, hands)
			}
		}
	}
	// Everybody writes "if err != nil": a block is only then another's if nearly all of
	// the commit is found there, as behind a squash, or if it is a whole run of some
	// length.
	back := edits.Whole
	if c.mostly(beside) {
		back = edits.Any
	}
	for i := range c.added {
		a := &c.added[i]
		if p := below[a.Path]; p != nil {
			a.take(p, edits.Any, isMoved)
		}
		if p := beside[a.Path]; p != nil {
			a.take(p, back, isOpen)
		}
	}
}

// mostly reports whether most of the lines that a commit adds, and that can be
// told from others, are in the pools.
func (c *settled) mostly(pools map[string]*edits.Pool) bool {
	found, all := 0, 0
	for i := range c.added {
		a := &c.added[i]
		var hands []edits.Hand
		if p := pools[a.Path]; p != nil {
			hands = a.find(p, edits.Any, isOpen)
		}
		for k, l := range a.lines {
			if edits.KeyOf(a.text[k]) == 0 {
				continue
			}
			if all++; !isOpen(l) || hands != nil && hands[k] != edits.Base {
				found++
			}
		}
	}
	return found*10 >= all*7
}

// descendants are the sources that stand on a commit.
func (b *binder) descendants(of string) map[string]bool {
	children := map[string][]string{}
	for _, s := range b.sources {
		for _, p := range s.Parents {
			children[p] = append(children[p], s.ID)
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
func (b *binder) whose(n *gitai.Authorship, f sourceFile) func(line int) edits.Hand {
	keys := map[int]string{}
	if n != nil {
		for _, file := range n.Files {
			if file.Path != f.path {
				continue
			}
			for _, e := range file.Entries {
				for _, r := range f.runs {
					for _, of := range e.Ranges {
						for line := max(r.start, of.Start); line <= min(r.start+len(r.text)-1, of.End); line++ {
							if keys[line] != "" && keys[line] != e.Key {
								keys[line] = "?"
							} else {
								keys[line] = e.Key
							}
						}
					}
				}
			}
		}
	}
	return func(line int) edits.Hand {
		key := keys[line]
		if key == "" || key == "?" {
			return unrecorded
		}
		if _, ok := n.Mark(key); !ok {
			return unrecorded
		}
		of := bound{n, key}
		if b.number[of] == 0 {
			b.bound = append(b.bound, of)
			b.number[of] = edits.Hand(b.hands + len(b.bound))
		}
		return b.number[of]
	}
}

// ancestors are the sources that a commit stands on.
func (b *binder) ancestors(of string, parents []string) map[string]bool {
	by := map[string][]string{}
	for _, s := range b.sources {
		by[s.ID] = s.Parents
	}
	under := map[string]bool{}
	for next := slices.Clone(parents); len(next) > 0; {
		id := next[len(next)-1]
		next = next[:len(next)-1]
		if p, known := by[id]; known && !under[id] && id != of {
			under[id] = true
			next = append(next, p...)
		}
	}
	return under
}

// recognise finds what agents wrote here in commits that no move of HEAD made, such
// as one of which the reflog was cleared. A person is not recognised by text.
func (t *tree) recognise(foreign []*settled) error {
	for _, c := range foreign {
		for i := range c.added {
			a := &c.added[i]
			w := t.watches[a.Path]
			if w == nil || !w.seen {
				continue
			}
			found, err := t.cat.Find(c.ID, a.Path)
			if err != nil || len(found) != 1 {
				continue // it is not in this copy
			}
			content, err := t.content(found[0].ID)
			if err != nil {
				return err
			}
			lines := t.known.Lines(content) // of just this content: a difference to it may be of anybody
			for k, l := range a.lines {
				if l.Number <= len(lines) && lines[l.Number-1].By > capture.Typist {
					a.lines[k].Line = lines[l.Number-1]
				}
			}
		}
	}
	return nil
}

// open reports whether lines of the commit may have come from elsewhere.
func (c *settled) open() bool {
	return slices.ContainsFunc(c.added, func(a added) bool { return slices.ContainsFunc(a.lines, isOpen) })
}

func isOpen(l edits.AddedLine) bool { return l.By == capture.Person || l.By <= edits.Base }

// moves reports whether lines of the commit were there before it.
func (c *settled) moves() bool {
	return !c.foreign && slices.ContainsFunc(c.added, func(a added) bool { return slices.ContainsFunc(a.lines, isMoved) })
}

func isMoved(l edits.AddedLine) bool { return l.By == edits.Base }

// find says of the lines of a kind whose they are by the pool; of the others, and
// where it does not know, [edits.Base].
func (a *added) find(p *edits.Pool, back edits.Back, kind func(edits.AddedLine) bool) []edits.Hand {
	var runs [][][]byte
	var at [][]int
	for i, l := range a.lines {
		if !kind(l) {
			continue
		}
		n := len(at)
		if n == 0 || i == 0 || at[n-1][len(at[n-1])-1] != i-1 || a.lines[i-1].Number != l.Number-1 {
			runs, at = append(runs, nil), append(at, nil)
			n++
		}
		runs[n-1], at[n-1] = append(runs[n-1], a.text[i]), append(at[n-1], i)
	}
	hands := make([]edits.Hand, len(a.lines))
	for r, found := range p.Find(back, runs...) {
		for k, h := range found {
			hands[at[r][k]] = h
		}
	}
	return hands
}

// take gives lines of a kind to whom the pool says that they belong.
func (a *added) take(p *edits.Pool, back edits.Back, kind func(edits.AddedLine) bool) {
	for i, h := range a.find(p, back, kind) {
		switch {
		case h > 0:
			a.lines[i].By = h
		case h < 0 && a.lines[i].By == capture.Person:
			a.lines[i].By = unrecorded
		}
	}
}

// keyOfBound copies what stands for a hand in another note into this one.
func (b *noteBuilder) keyOfBound(of bound) string {
	id, trace, _ := strings.Cut(of.key, "::")
	t := of.note.Traces[trace]
	t.Basis = recovered
	switch gitai.FormOf(of.key) {
	case gitai.KeyHuman:
		b.note.Humans[id] = of.note.Humans[id]
		b.note.Traces[id] = gitai.Trace{Basis: recovered}
	case gitai.KeySession:
		b.note.Sessions[id] = of.note.Sessions[id]
		if trace != "" {
			b.note.Traces[trace] = t
		}
	default:
		if b.note.Prompts == nil {
			b.note.Prompts = map[string]gitai.Agent{}
		}
		b.note.Prompts[id] = of.note.Prompts[id]
	}
	return of.key
}

// recovered is the basis of lines that were found by their text.
const recovered = "recovered-content"
