package settle

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/git/patch"
	"github.com/stemma-dev/stemma/ingest/gitai"
	"github.com/stemma-dev/stemma/ingest/note"
)

// maxSources is how many commits are searched, the newest.
const maxSources = 1000

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
func (t *tree) sources(ctx context.Context, commits []*settled) ([]source, error) {
	tips, err := t.tips(ctx)
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
	ids, err := t.repo.Newest(ctx, maxSources, tips, not)
	if err != nil {
		return nil, err
	}
	below, err := t.repo.Newest(ctx, maxSources, under, nil)
	if err != nil {
		return nil, err
	}
	ids = append(ids, below...)
	slices.Sort(ids)
	o := history.Options{Tips: slices.Compact(ids), Only: true}
	var list []source
	for c, err := range history.Log(ctx, t.repo, o) {
		if err != nil {
			return nil, err
		}
		list = append(list, source{c.Commit, addedText(c)})
	}
	return list, nil
}

// tips are the commits from which sources are looked for.
func (t *tree) tips(ctx context.Context) (tips []string, err error) {
	if len(t.from) > 0 {
		return t.from, nil
	}
	refs, err := t.repo.RefNames(ctx, "refs/heads/", "refs/remotes/")
	for _, ref := range refs {
		tips = append(tips, ref.Peeled)
	}
	seen := map[string]bool{}
	for _, m := range t.moves {
		if m.To != "" && !seen[m.To] {
			seen[m.To] = true
			tips = append(tips, m.To)
		}
	}
	return tips, err
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
func (t *tree) readNotes(b *binder) error {
	if t.notes == "" {
		return nil
	}
	var ids []string
	for _, s := range b.sources {
		ids = append(ids, s.ID)
	}
	notes, err := t.cat.NotesOn(t.notes, ids)
	if err != nil {
		return err
	}
	var blobs []string
	for _, n := range notes {
		blobs = append(blobs, n.Blob)
	}
	i := 0
	for o, err := range t.cat.Objects(blobs, note.MaxRecord) {
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

// foreign are the commits that came into the branches of the clone and were
// made elsewhere since capture began.
func (t *tree) foreign(ctx context.Context, s *state, own []commit) ([]*settled, error) {
	refs, err := t.repo.RefNames(ctx, "refs/heads/")
	if err != nil {
		return nil, err
	}
	var tips, not []string
	for _, ref := range refs {
		if !s.has(ref.ID) {
			tips = append(tips, ref.ID)
		}
	}
	if t.base != "" {
		not = append(not, t.base)
	}
	for id := range s.done {
		not = append(not, id)
	}
	ids, err := t.repo.Newest(ctx, maxSources, tips, not)
	if err != nil {
		return nil, err
	}
	ids = slices.DeleteFunc(ids, func(id string) bool {
		return slices.ContainsFunc(own, func(c commit) bool { return c.ID == id })
	})
	list, err := t.unwatched(ctx, append(ids, s.again...))
	return slices.DeleteFunc(list, func(c *settled) bool { return c.Committer.When.Before(t.since.Truncate(time.Second)) }), err
}

// unwatched reads commits of which nothing was captured.
func (t *tree) unwatched(ctx context.Context, ids []string) (list []*settled, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	for c, err := range history.Log(ctx, t.repo, history.Options{Tips: ids, Only: true}) {
		if err != nil {
			return nil, err
		}
		f := &settled{Commit: c.Commit, foreign: true}
		for _, a := range addedText(c) {
			one := added{Path: a.path}
			for _, r := range a.runs {
				for i, l := range r.text {
					one.lines = append(one.lines, edits.AddedLine{Number: r.start + i, Line: edits.Line{By: abroad}})
					one.text = append(one.text, bytes.TrimSuffix(l, []byte("\r")))
				}
			}
			f.added = append(f.added, one)
		}
		list = append(list, f)
	}
	return list, nil
}
