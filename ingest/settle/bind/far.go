package bind

import (
	"bytes"
	"context"
	"maps"
	"slices"

	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/attribution/sight"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/gitai"
	"github.com/stemma-dev/stemma/ingest/note"
)

// Far is what is known by records alone: their commits are not here any more, since a
// branch was deleted behind a squash or a tool wrote all of history anew, or they changed
// files that have other paths now. Such records tell by anchors what they speak of.
type far struct {
	byPath map[string][]farFile
	byBlob map[string][]farFile
}

// A farFile is a file of which a record tells, with the short print of its lines.
type farFile struct {
	sourceFile
	commit string
	whose  func(sourceFile) func(line int) edits.Hand
}

func newFar() far { return far{map[string][]farFile{}, map[string][]farFile{}} }

func (f far) add(file farFile) {
	f.byPath[file.path] = append(f.byPath[file.path], file)
	if file.blob != "" {
		f.byBlob[file.blob] = append(f.byBlob[file.blob], file)
	}
}

// A RecordedRun is lines next to each other of which a record tells, from the number
// of the first one, with their short marks.
type RecordedRun struct {
	Path, Blob string
	Start      int
	Text       []byte
}

// Recorded is what a record alone tells of a commit, run by run in order.
func Recorded(commit string, runs []RecordedRun) *Source {
	s := &Source{of: git.Commit{ID: commit}}
	for _, r := range runs {
		print, ok := edits.ReadShort(r.Text)
		if !ok {
			continue
		}
		n := len(s.files) - 1
		if n < 0 || s.files[n].path != r.Path {
			s.files = append(s.files, sourceFile{path: r.Path, blob: r.Blob})
			n++
		}
		f := &s.files[n]
		f.runs = append(f.runs, sourceRun{r.Start, r.Start + print.Len()})
		f.print.Append(print)
	}
	return s
}

// readFar reads the notes on commits that are not here, and on those that the ones in
// question do not stand on. What stands on what is told of these.
func (b *Finder) readFar(ctx context.Context, in Clone) (far, error) {
	f := newFar()
	if in.Notes == "" {
		return f, nil
	}
	notes, err := in.Repo.NotesAnywhere(ctx, in.Notes)
	if err != nil {
		return f, err
	}
	apart, err := in.apart(ctx, notes, b.found)
	if err != nil {
		return f, err
	}
	notes = slices.DeleteFunc(notes, func(n git.Note) bool { return !apart[n.Object] })
	var blobs []string
	for _, n := range notes {
		blobs = append(blobs, n.Blob)
	}
	if told, err := b.told(in.Cat, blobs); err != nil || !told {
		return f, err
	}
	i := 0
	for o, err := range in.Cat.Objects(blobs, note.MaxRecord) {
		if err != nil {
			return f, err
		}
		if bytes.Contains(o.Data, []byte(`"anchors"`)) {
			n := gitai.Parse(o.Data)
			for _, file := range recorded(notes[i].Object, n).files {
				f.add(farFile{file, notes[i].Object, func(f sourceFile) func(int) edits.Hand { return b.whose(n, f) }})
			}
		}
		i++
	}
	return f, nil
}

// told reports whether it is worth while to read all notes: there are lines of nobody, or
// one of the notes tells of a file that some commit has as a whole.
func (b *Finder) told(cat *git.CatFile, notes []string) (bool, error) {
	if b.lost {
		return true, nil
	}
	told := false // all of them are read: one that is not stops the process
	for o, err := range cat.Objects(notes, note.MaxRecord) {
		if err != nil {
			return false, err
		}
		for text := o.Data; ; {
			var found bool
			if _, text, found = bytes.Cut(text, []byte(`"blob"`)); !found {
				break
			}
			id, _, _ := bytes.Cut(bytes.TrimLeft(text, `: "`), []byte(`"`))
			told = told || b.whole[string(id)]
		}
	}
	return told, nil
}

// recorded is what a note tells of a commit.
func recorded(commit string, n *gitai.Authorship) *Source {
	var runs []RecordedRun
	for _, a := range n.Anchors {
		text := a.Text
		for _, r := range a.Ranges {
			size := 4 * (r.End - r.Start + 1)
			runs = append(runs, RecordedRun{a.Path, a.Blob, r.Start, text[:size]})
			text = text[size:]
		}
	}
	return Recorded(commit, runs)
}

// apart tells on which commits notes are that are not here, or that the ones in question
// do not stand on.
func (in Clone) apart(ctx context.Context, notes []git.Note, of found) (map[string]bool, error) {
	var ids []string
	for _, n := range notes {
		ids = append(ids, n.Object)
	}
	here, err := in.Repo.Commits(ctx, ids)
	if err != nil {
		return nil, err
	}
	apart := map[string]bool{}
	for _, id := range ids {
		if !here[id] {
			apart[id] = true
		}
	}
	beside, err := in.newest(ctx, slices.Collect(maps.Keys(here)), of.not, of.parents)
	for _, id := range beside {
		apart[id] = true
	}
	return apart, err
}

// isLost is of lines that may have come from where only a note tells of them.
func isLost(l edits.AddedLine) bool {
	return l.By < edits.Base && l.By != sight.Copied && l.By != edits.Mixed
}

// bindFar gives lines of nobody to whom they belong by notes alone.
func (b *Finder) bindFar(c *Commit) error {
	if !c.lost() && !c.brings() {
		return nil
	}
	f, err := b.far()
	if err != nil {
		return err
	}
	under, over := b.ancestors(c.ID, c.Parents), b.descendants(c.ID)
	f.bind(c, func(commit string) bool { return commit != c.ID && !under[commit] && !over[commit] })
	return nil
}

func (c *Commit) lost() bool {
	return slices.ContainsFunc(c.Added, func(a Added) bool { return slices.ContainsFunc(a.Lines, isLost) })
}

// brings reports whether the commit has a file that may be another's as a whole: such as
// of a library that was read into a directory.
func (c *Commit) brings() bool { return slices.ContainsFunc(c.Added, Added.whole) }

func (a Added) whole() bool {
	n := len(a.Lines)
	return n >= wholeFile && a.Lines[n-1].Number == n && slices.ContainsFunc(a.Lines, isOpen)
}

// wholeFile is how many lines a file has at least that is looked for by its content alone.
const wholeFile = 3

// bind gives lines to whom they belong by records of commits apart: in a file that is
// the same as a record tells of, line by line, else those of nobody by their text.
func (f far) bind(c *Commit, apart func(commit string) bool) {
	short := &Commit{Added: slices.Clone(c.Added)} // its lines are those of the commit
	for i := range short.Added {
		short.Added[i].Print = short.Added[i].Print.Short()
	}
	wanted, pools := newText(short).wanted, byPath{}
	pool := func(path string, as map[string]marks) *edits.Pool {
		if pools[path] == nil {
			pools[path] = &edits.Pool{}
			for _, file := range f.byPath[path] {
				if apart(file.commit) {
					pools.add(as, []sourceFile{file.sourceFile}, file.whose)
				}
			}
		}
		return pools[path]
	}
	for i := range short.Added {
		a := &short.Added[i]
		for _, file := range f.byBlob[a.Blob] {
			if apart(file.commit) {
				a.same(file.whose(file.sourceFile), pool(file.path, map[string]marks{file.path: wanted[a.Path]}))
			}
		}
	}
	clear(pools)
	for path := range wanted {
		pool(path, wanted)
	}
	back := edits.Whole
	if short.mostly(pools) {
		back = edits.Any
	}
	for i := range short.Added {
		short.Added[i].take(isLost, in(pools[short.Added[i].Path], back))
	}
}

// same gives the lines of a file to whom those with the same numbers belong in one that
// is the same, and the others to whom they belong that wrote the text there before. They
// came with it, so none is of who put the file here.
func (a *Added) same(whose func(line int) edits.Hand, there *edits.Pool) {
	for i, l := range a.Lines {
		if h := whose(l.Number); isOpen(l) && h > 0 {
			a.Lines[i].By = h
		}
	}
	a.take(isOpen, in(there, edits.Any))
	for i, l := range a.Lines {
		if l.By == capture.Person {
			a.Lines[i].By = Unrecorded
		}
	}
}
