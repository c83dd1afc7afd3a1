package bind

import (
	"slices"

	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/history"
)

// A text is what other commits added to the files that a commit changed.
type text struct {
	wanted  map[string]marks   // those files, with the lines that the commit added
	beside  byPath             // commits that it does not stand on
	below   byPath             // those that it stands on
	told    byPath             // of those, what was not told by who was seen to write it
	silent  byPath             // those without a note; hands number the sources, from 1
	foreign byPath             // of these the ones that were made elsewhere
	came    byPath             // of those again the ones that were checked out here, or stood below
	was     map[[2]string]bool // what files were in commits below: path, blob
	blobs   map[string]string  // what the files are in the commit
	alike   []func()           // adds what others added to files that were then as they are in it
	same    func(a, b edits.Hand) bool
}

type byPath map[string]*edits.Pool

type marks map[edits.Key]bool

func newText(c *Commit) *text {
	t := &text{
		wanted: map[string]marks{}, beside: byPath{}, below: byPath{}, told: byPath{}, silent: byPath{}, foreign: byPath{}, came: byPath{}, was: map[[2]string]bool{}, blobs: map[string]string{},
		same: func(a, b edits.Hand) bool { return a == b },
	}
	for _, f := range c.Added {
		t.blobs[f.Path] = f.Blob
		for _, path := range f.stood() {
			if t.wanted[path] == nil {
				t.wanted[path] = marks{}
			}
			for m := range f.Print.Marks {
				t.wanted[path][m] = true
			}
		}
	}
	return t
}

// add adds what a source added to the files that are wanted. Of several places of a text
// the last one counts, so what is alike as a whole waits for [text.addAlike].
func (t *text) add(pools byPath, files []sourceFile, whose func(sourceFile) func(line int) edits.Hand) {
	for i, f := range files {
		if f.blob != "" && t.blobs[f.path] == f.blob {
			t.alike = append(t.alike, func() { pools.add(t.wanted, files[i:i+1], whose) })
		} else {
			pools.add(t.wanted, files[i:i+1], whose)
		}
	}
}

// addAlike adds the rest.
func (t *text) addAlike() {
	for _, add := range t.alike {
		add()
	}
}

// stood notes what files were in a commit below.
func (t *text) stood(files []sourceFile) {
	for _, f := range files {
		t.was[[2]string{f.path, f.blob}] = true
	}
}

// add adds what a source added to the files that are wanted, but for runs that
// have no line of the commit.
func (pools byPath) add(wanted map[string]marks, files []sourceFile, whose func(sourceFile) func(line int) edits.Hand) {
	for _, f := range files {
		if wanted[f.path] == nil {
			continue
		}
		if pools[f.path] == nil {
			pools[f.path] = &edits.Pool{}
		}
		of := whose(f)
		for r, print := range f.eachRun {
			if !wanted[f.path].some(print) {
				continue
			}
			hands := make([]edits.Hand, print.Len())
			for i := range hands {
				hands[i] = of(r.start + i)
			}
			pools[f.path].Add(print, hands)
		}
	}
}

// some reports whether one of the lines is among them.
func (m marks) some(of edits.Print) bool {
	for mark := range of.Marks {
		if m[mark] {
			return true
		}
	}
	return false
}

// bind gives the lines of the commit to whom they came from.
func (t *text) bind(cat *git.CatFile, c *Commit) error {
	// Everybody writes "if err != nil": a block is only then another's if nearly all of
	// the commit is found there, as behind a squash, or if it is a whole run of some
	// length.
	enough := func(pools byPath) edits.Back {
		if c.mostly(pools) {
			return edits.Any
		}
		return edits.Whole
	}
	back, put := enough(t.beside), enough(t.below)
	for i := range c.Added {
		a := &c.Added[i]
		for _, path := range a.From { // which it is a copy of
			if p := t.below[path]; p != nil {
				a.take(isMoved, in(p, edits.Any))
			}
		}
		if p := t.below[a.Path]; p != nil {
			a.take(isMoved, in(p, edits.Any))
			if err := t.takeBack(cat, c, a, put); err != nil {
				return err
			}
		}
		if p := t.beside[a.Path]; p != nil {
			a.take(isOpen, in(p, back))
			a.take(isHidden, func(runs ...edits.Print) [][]edits.Hand {
				return p.FindTold(back, func(k edits.Key) bool { return !t.foreign.have(a, k) }, runs...)
			})
		}
		t.bindPlaced(a)
	}
	return nil
}

// takeBack gives lines that were gone and are there again, since somebody put back
// an older content, to whom they belonged. If it is not the whole file as it was, it
// takes more text to tell that. Lines that a person only moved, and that were found to be
// another's before, are that one's still.
func (t *text) takeBack(cat *git.CatFile, c *Commit, a *Added, back edits.Back) error {
	p, told := t.below[a.Path], t.told[a.Path]
	found := a.find(isOpen, in(p, edits.Any))
	if len(c.Parents) == 0 || !slices.ContainsFunc(found, func(h edits.Hand) bool { return h != edits.Base }) {
		return nil
	}
	if t.was[[2]string{a.Path, a.blobIn(cat, c.ID)}] {
		a.take(isOpen, in(p, edits.Any))
		return nil
	}
	there := map[edits.Key]bool{}
	if blob := a.blobIn(cat, c.Parents[0]); blob != "" {
		o, err := cat.Object(blob)
		if err != nil {
			return err
		}
		for _, key := range edits.Keys(o.Data) {
			there[key] = true
		}
	}
	again := func(back edits.Back) search {
		return func(runs ...edits.Print) [][]edits.Hand { return p.FindAgain(back, there, runs...) }
	}
	if back == edits.Any && a.letters(a.find(isOpen, again(edits.Git))) >= edits.AgainText {
		back = edits.Git // in pieces, but nearly all was there: nobody types that
	}
	a.take(isOpen, again(back))
	a.take(isDisturbed, again(edits.Git))
	if told != nil {
		a.take(isPersons, func(runs ...edits.Print) [][]edits.Hand {
			return told.FindPlaced(func(k edits.Key) bool { return there[k] }, runs...)
		})
	}
	return nil
}

// blobIn is the file in a commit; "" if it is not there or not in this copy.
func (a *Added) blobIn(cat *git.CatFile, commit string) string {
	found, err := cat.Find(commit, a.Path)
	if err != nil || len(found) != 1 || found[0].Type != "blob" {
		return ""
	}
	return found[0].ID
}

// bindPlaced gives lines that git put in place, or may have, to whom they came from: whose
// they are by all commits that have them and a note. One that was made elsewhere and has
// none may be where they came from: of what git put in place, one that was checked out here.
func (t *text) bindPlaced(a *Added) {
	if !slices.ContainsFunc(a.Lines, func(l edits.AddedLine) bool { return isPlaced(l) || isDisturbed(l) }) {
		return
	}
	var pools []*edits.Pool
	for _, path := range a.stood() {
		for _, p := range []*edits.Pool{t.below[path], t.beside[path]} {
			if p != nil {
				pools = append(pools, p)
			}
		}
	}
	asked := map[edits.Key]bool{}
	placed := func(p *edits.Pool, strange byPath) search {
		return func(runs ...edits.Print) [][]edits.Hand {
			return p.FindPlaced(func(k edits.Key) bool {
				if _, ok := asked[k]; !ok {
					asked[k] = t.ofOne(k, pools)
				}
				return asked[k] && !strange.have(a, k)
			}, runs...)
		}
	}
	for _, p := range pools {
		a.take(isPlaced, placed(p, t.came))
		if p != t.below[a.Path] { // of which takeBack knows what is still there
			a.take(isDisturbed, placed(p, t.foreign))
		}
	}
}

// have reports whether a text is in one of some commits, where it may have stood.
func (pools byPath) have(a *Added, k edits.Key) bool {
	return slices.ContainsFunc(a.stood(), func(path string) bool {
		p := pools[path]
		return p != nil && p.Has(k)
	})
}

// ofOne reports whether nobody but one is known for a text.
func (t *text) ofOne(k edits.Key, pools []*edits.Pool) bool {
	first := edits.Base
	for _, p := range pools {
		for h := range p.Hands(k) {
			switch {
			case h <= edits.Base:
			case first == edits.Base:
				first = h
			case !t.same(first, h):
				return false
			}
		}
	}
	return true
}

// A Source is what a commit added, in which the lines of others are looked for.
type Source struct {
	of    git.Commit
	files []sourceFile
}

// SourceOf makes one of a commit. There is nothing in a merge.
func SourceOf(c *history.Commit) *Source { return &Source{c.Commit, added(c)} }

// A Run is lines that a commit added to a file next to each other, from the number of
// the first one.
type Run struct {
	Path  string
	Start int
	Print edits.Print
}

// Runs are those that it is made of.
func (s *Source) Runs(yield func(Run) bool) {
	for i := range s.files {
		for r, print := range s.files[i].eachRun {
			if !yield(Run{s.files[i].path, r.start, print}) {
				return
			}
		}
	}
}

// Within is what of a source is in files that are wanted.
func (s *Source) Within(wanted func(path string) bool) *Source {
	part := &Source{of: s.of}
	for _, f := range s.files {
		if wanted(f.path) {
			part.files = append(part.files, f)
		}
	}
	return part
}

// Lines is how many lines were added.
func (s *Source) Lines() (n int) {
	for _, f := range s.files {
		n += f.print.Len()
	}
	return n
}

// A Place is where the lines of one commit are looked for.
type Place struct {
	*Source
	Below bool                                       // the commit stands on it
	Far   bool                                       // a record alone tells of it; see [Recorded]
	Whose func(path string, line int) (h edits.Hand) // of the lines that it added
}

// Find says whose the lines are that a commit added of which nobody knows anything,
// by the text that is in the places; of several with the same text the one in which the
// whole file was the same counts, else the last one, and those of which a record alone tells only for what is in no other. Lines
// that are found nowhere are of [Abroad].
func Find(cat *git.CatFile, of *Source, places []Place) (*Commit, error) {
	c := unwatched(of.of, of.files)
	t, f := newText(c), newFar()
	for _, s := range places {
		whose := func(f sourceFile) func(int) edits.Hand {
			return func(line int) edits.Hand { return s.Whose(f.path, line) }
		}
		switch {
		case s.Far:
			for _, file := range s.files {
				f.add(farFile{file, s.of.ID, whose})
			}
		case s.Below:
			t.stood(s.files)
			t.add(t.below, s.files, whose)
		default:
			t.add(t.beside, s.files, whose)
		}
	}
	t.addAlike()
	if err := t.bind(cat, c); err != nil {
		return nil, err
	}
	if len(f.byPath) > 0 && c.lost() {
		f.bind(c, func(string) bool { return true })
	}
	return c, nil
}
