package bind

import (
	"bytes"
	"context"
	"slices"

	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/attribution/sight"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/ingest/gitai"
	"github.com/stemma-dev/stemma/ingest/note"
)

// Far is what is known by notes alone: their commits are not here any more, since a
// branch was deleted behind a squash or a tool wrote all of history anew, or they changed
// files that have other paths now. Such notes tell by anchors what they speak of.
type far struct {
	byPath map[string][]farFile
	byBlob map[string][]farFile
}

// A farFile is a file of which a note tells, with the short print of its lines.
type farFile struct {
	sourceFile
	commit string
	note   *gitai.Authorship
}

// readFar reads the notes on commits that are not here, and on those that the ones in
// question do not stand on. What stands on what is told of these.
func (in Clone) readFar(ctx context.Context, of found) (far, error) {
	f := far{map[string][]farFile{}, map[string][]farFile{}}
	if in.Notes == "" {
		return f, nil
	}
	notes, err := in.Repo.NotesAnywhere(ctx, in.Notes)
	if err != nil {
		return f, err
	}
	apart, err := in.apart(ctx, notes, of)
	if err != nil {
		return f, err
	}
	notes = slices.DeleteFunc(notes, func(n git.Note) bool { return !apart[n.Object] })
	var blobs []string
	for _, n := range notes {
		blobs = append(blobs, n.Blob)
	}
	i := 0
	for o, err := range in.Cat.Objects(blobs, note.MaxRecord) {
		if err != nil {
			return f, err
		}
		if bytes.Contains(o.Data, []byte(`"anchors"`)) {
			f.add(notes[i].Object, gitai.Parse(o.Data))
		}
		i++
	}
	return f, nil
}

// apart tells on which commits notes are that are not here, or that the ones in question
// do not stand on.
func (in Clone) apart(ctx context.Context, notes []git.Note, of found) (map[string]bool, error) {
	var ids, here []string
	for _, n := range notes {
		ids = append(ids, n.Object)
	}
	apart := map[string]bool{}
	for o, err := range in.Repo.Objects(ctx, slices.Values(ids), 0) {
		if err != nil {
			return nil, err
		}
		if o.Type == "commit" {
			here = append(here, o.ID)
		} else if o.Missing {
			apart[o.ID] = true
		}
	}
	beside, err := in.newest(ctx, here, of.not, of.parents)
	for _, id := range beside {
		apart[id] = true
	}
	return apart, err
}

// add adds what the note of a commit tells.
func (f *far) add(commit string, n *gitai.Authorship) {
	for _, a := range n.Anchors {
		print, ok := edits.ReadShort(a.Text)
		if !ok {
			continue
		}
		file := farFile{sourceFile{path: a.Path, blob: a.Blob, print: print}, commit, n}
		for _, r := range a.Ranges {
			file.runs = append(file.runs, sourceRun{r.Start, r.End + 1})
		}
		f.byPath[a.Path] = append(f.byPath[a.Path], file)
		f.byBlob[a.Blob] = append(f.byBlob[a.Blob], file)
	}
}

// isLost is of lines that may have come from where only a note tells of them.
func isLost(l edits.AddedLine) bool {
	return l.By < edits.Base && l.By != sight.Copied && l.By != edits.Mixed
}

// bindFar gives lines of nobody to whom they belong by notes alone: in a file that is
// the same as a note tells of, line by line, else by their text.
func (b *Finder) bindFar(c *Commit) error {
	if !slices.ContainsFunc(c.Added, func(a Added) bool { return slices.ContainsFunc(a.Lines, isLost) }) {
		return nil
	}
	f, err := b.far()
	if err != nil {
		return err
	}
	under, over := b.ancestors(c.ID, c.Parents), b.descendants(c.ID)
	apart := func(file farFile) bool { return file.commit != c.ID && !under[file.commit] && !over[file.commit] }
	short := &Commit{Added: slices.Clone(c.Added)} // its lines are those of the commit
	for i := range short.Added {
		a := &short.Added[i]
		a.Print = a.Print.Short()
		for _, file := range f.byBlob[a.Blob] {
			if apart(file) {
				a.same(b.whose(file.note, file.sourceFile))
			}
		}
	}
	wanted, pools := newText(short).wanted, byPath{}
	for path := range wanted {
		for _, file := range f.byPath[path] {
			if apart(file) {
				pools.add(wanted, []sourceFile{file.sourceFile}, func(f sourceFile) func(int) edits.Hand { return b.whose(file.note, f) })
			}
		}
	}
	back := edits.Whole
	if short.mostly(pools) {
		back = edits.Any
	}
	for i := range short.Added {
		if p := pools[short.Added[i].Path]; p != nil {
			short.Added[i].take(isLost, in(p, back))
		}
	}
	return nil
}

// same gives lines of nobody to whom those with the same numbers belong.
func (a *Added) same(whose func(line int) edits.Hand) {
	for i, l := range a.Lines {
		if h := whose(l.Number); isLost(l) && h > 0 {
			a.Lines[i].By = h
		}
	}
}
