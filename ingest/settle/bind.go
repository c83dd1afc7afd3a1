package settle

import (
	"context"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/attribution/sight"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/gitai"
)

// What somebody else wrote comes into a commit without being typed: a branch is
// squashed, commits are picked or rebased, here or where nobody watched. Such
// lines are found in the commits that they came from, by their text, and are
// whose they are by the notes of those.

// Unrecorded is the hand of text that came from a commit of which no note tells.
const unrecorded edits.Hand = -100

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

// bind gives lines of which hooks tell nothing, or only that nobody else was
// seen to write them, to whom the commits say that they came from.
func (t *tree) bind(ctx context.Context, commits []*settled) (*binder, error) {
	b := &binder{hands: len(t.evidence.Hands), number: map[bound]edits.Hand{}, notes: map[string]*gitai.Authorship{}}
	if !slices.ContainsFunc(commits, (*settled).open) {
		return b, nil
	}
	var err error
	if b.sources, err = t.sources(ctx, commits); err != nil || len(b.sources) == 0 {
		return b, err
	}
	if err := t.readNotes(b); err != nil {
		return b, err
	}
	for _, c := range commits {
		if c.open() {
			b.commit(c)
		}
	}
	return b, nil
}

// commit gives the lines of one commit to whom they came from.
func (b *binder) commit(c *settled) {
	beside, below := map[string]*edits.Pool{}, map[string]*edits.Pool{}
	wanted := map[string]bool{}
	for _, f := range c.added {
		wanted[f.Path] = true
	}
	under := b.ancestors(c.ID, c.Parents)
	for _, s := range b.sources {
		// What was made later came from here, and not the other way; the clock of a
		// forge is another one.
		if s.ID == c.ID || !c.foreign && s.Committer.When.After(c.Committer.When) {
			continue
		}
		pools := beside
		if under[s.ID] {
			pools = below
		}
		n := b.notes[s.ID]
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
	for i := range c.added {
		a := &c.added[i]
		if p := below[a.Path]; p != nil {
			a.find(p, isMoved)
		}
		if p := beside[a.Path]; p != nil {
			a.find(p, isOpen)
		}
	}
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
			lines := w.File().Glimpse(content, sight.Disturbed).Lines()
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

// find gives lines of a kind to whom the pool says that they belong.
func (a *added) find(p *edits.Pool, kind func(edits.AddedLine) bool) {
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
	for r, hands := range p.Find(runs...) {
		for k, h := range hands {
			l := &a.lines[at[r][k]]
			switch {
			case h > 0:
				l.By = h
			case h < 0 && l.By == capture.Person:
				l.By = unrecorded
			}
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
