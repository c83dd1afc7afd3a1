package bind

import (
	"bytes"
	"context"
	"slices"

	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/git/patch"
	"github.com/stemma-dev/stemma/ingest/gitai"
	"github.com/stemma-dev/stemma/ingest/note"
)

// MaxSources is how many commits are searched, the newest.
const MaxSources = 1000

// A source is a commit in which lines may be found.
type source struct {
	git.Commit
	files []sourceFile
}

// A sourceFile is what a commit added to one file, run by run.
type sourceFile struct {
	path string
	runs []sourceRun
}

type sourceRun struct {
	start int // the first line, from 1
	text  [][]byte
}

// sources are the commits that the commits do not stand on: of other branches,
// of remotes, and those that were there before history was written anew. Those
// that a commit stands on are sources for lines that it only moved.
func (in Clone) sources(ctx context.Context, commits []*Commit) ([]source, error) {
	tips, err := in.Tips(ctx)
	if err != nil {
		return nil, err
	}
	var not, under []string
	listed := map[string]bool{}
	for _, c := range commits {
		listed[c.ID] = true
	}
	for _, c := range commits {
		for _, p := range c.Parents {
			if c.open() && !listed[p] { // one of them may be where another came from
				not = append(not, p)
			}
		}
		if c.moves() {
			under = append(under, c.Parents...)
		}
	}
	ids, err := in.Repo.Newest(ctx, MaxSources, tips, not)
	if err != nil {
		return nil, err
	}
	below, err := in.Repo.Newest(ctx, MaxSources, under, nil)
	if err != nil {
		return nil, err
	}
	ids = append(ids, below...)
	slices.Sort(ids)
	o := history.Options{Tips: slices.Compact(ids), Only: true}
	var list []source
	for c, err := range history.Log(ctx, in.Repo, o) {
		if err != nil {
			return nil, err
		}
		list = append(list, source{c.Commit, addedText(c)})
	}
	return list, nil
}

// addedText is what a commit added, with its text.
func addedText(c *history.Commit) (files []sourceFile) {
	for i := range c.Files {
		f := &c.Files[i]
		if f.Status == patch.Deleted || f.Binary || f.Missing || f.Submodule() || f.TextDropped || len(f.Parents) > 0 {
			continue
		}
		out := sourceFile{path: f.Path}
		for _, h := range f.Hunks {
			if h.NewLines > 0 && len(h.New) == h.NewLines {
				out.runs = append(out.runs, sourceRun{h.NewStart, h.New})
			}
		}
		if len(out.runs) > 0 {
			files = append(files, out)
		}
	}
	return files
}

// readNotes reads the notes of the sources.
func (in Clone) readNotes(b *Finder) error {
	if in.Notes == "" {
		return nil
	}
	var ids []string
	for _, s := range b.sources {
		ids = append(ids, s.ID)
	}
	notes, err := in.Cat.NotesOn(in.Notes, ids)
	if err != nil {
		return err
	}
	var blobs []string
	for _, n := range notes {
		blobs = append(blobs, n.Blob)
	}
	i := 0
	for o, err := range in.Cat.Objects(blobs, note.MaxRecord) {
		if err != nil {
			return err
		}
		if o.Data != nil {
			b.notes[notes[i].Object] = gitai.Parse(o.Data)
		}
		i++
	}
	return nil
}

// Unwatched reads commits of which nothing was captured.
func Unwatched(ctx context.Context, repo *git.Repo, ids []string) (list []*Commit, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	for c, err := range history.Log(ctx, repo, history.Options{Tips: ids, Only: true}) {
		if err != nil {
			return nil, err
		}
		f := &Commit{Commit: c.Commit, Foreign: true}
		for _, a := range addedText(c) {
			one := Added{Path: a.path}
			for _, r := range a.runs {
				for i, l := range r.text {
					one.Lines = append(one.Lines, edits.AddedLine{Number: r.start + i, Line: edits.Line{By: Abroad}})
					one.Text = append(one.Text, bytes.TrimSuffix(l, []byte("\r")))
				}
			}
			f.Added = append(f.Added, one)
		}
		list = append(list, f)
	}
	return list, nil
}
