package bind

import (
	"context"
	"maps"
	"slices"

	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/git/patch"
	"github.com/stemma-dev/stemma/ingest/gitai"
	"github.com/stemma-dev/stemma/ingest/note"
)

// MaxSources is how many commits are searched, the newest, on either side.
const MaxSources = 1000

// Of how many it is found out first whether they changed the files in question, and
// of how many files that is asked; of more, all are searched.
const (
	maxAsked = 5000
	maxPaths = 200
)

// A source is a commit in which lines may be found.
type source struct {
	git.Commit
	files []sourceFile
}

// found are sources, and what stands on what.
type found struct {
	sources []source
	parents map[string][]string
	not     []string // what the commits in question stand on
}

// A sourceFile is what a commit added to one file, run by run.
type sourceFile struct {
	path  string
	blob  string // what the file was then
	runs  []sourceRun
	print edits.Print // of all their lines
}

// A sourceRun is some lines of a file, by their numbers from 1.
type sourceRun struct{ start, end int }

// eachRun goes through the runs of a file.
func (f *sourceFile) eachRun(yield func(sourceRun, edits.Print) bool) {
	at := 0
	for _, r := range f.runs {
		next := at + r.end - r.start
		if !yield(r, f.print.Slice(at, next)) {
			return
		}
		at = next
	}
}

// eachIn goes through the lines that are in ranges; those are ascending, as the runs are.
func (f *sourceFile) eachIn(ranges []note.Range, tell func(line int)) {
	at := 0
	for _, of := range ranges {
		for at < len(f.runs) && f.runs[at].end <= of.Start {
			at++
		}
		for i := at; i < len(f.runs) && f.runs[i].start <= of.End; i++ {
			for line := max(f.runs[i].start, of.Start); line <= min(f.runs[i].end-1, of.End); line++ {
				tell(line)
			}
		}
	}
}

// sources are commits that changed the same files: those that the commits do not
// stand on, of other branches, of remotes, and those that were there before history
// was written anew; and those that they stand on, for what they moved or put back.
func (in Clone) sources(ctx context.Context, commits []*Commit) (f found, err error) {
	tips, err := in.Tips(ctx)
	if err != nil {
		return f, err
	}
	var under []string
	listed, open := map[string]bool{}, map[string]bool{}
	for _, c := range commits {
		listed[c.ID] = true
	}
	for _, c := range commits {
		for _, a := range c.Added {
			if slices.ContainsFunc(a.Lines, isOpen) {
				for _, path := range a.stood() {
					open[path] = true
				}
			}
		}
		if !c.open() {
			continue
		}
		under = append(under, c.Parents...)
		for _, p := range c.Parents {
			if !listed[p] { // one of them may be where another came from
				f.not = append(f.not, p)
			}
		}
	}
	paths := slices.Sorted(maps.Keys(open))
	f.parents = map[string][]string{}
	ids, err := in.newest(ctx, tips, f.not, f.parents)
	if err != nil {
		return f, err
	}
	ids = in.touching(ctx, ids, paths)
	below, err := in.newest(ctx, under, nil, f.parents)
	if err != nil {
		return f, err
	}
	ids = append(ids, in.touching(ctx, below, paths)...)
	slices.Sort(ids)
	for c, err := range history.Log(ctx, in.Repo, history.Options{Tips: slices.Compact(ids), Only: true}) {
		if err != nil {
			return f, err
		}
		f.sources = append(f.sources, source{c.Commit, added(c)})
	}
	return f, nil
}

// newest are the newest commits below tips. What stands on what is told of them.
func (in Clone) newest(ctx context.Context, tips, not []string, parents map[string][]string) ([]string, error) {
	ids, lineage, err := in.Repo.Lineage(ctx, maxAsked, tips, not)
	maps.Copy(parents, lineage)
	return ids, err
}

// touching are the newest of the commits that changed one of the paths.
func (in Clone) touching(ctx context.Context, ids, paths []string) []string {
	if len(paths) <= maxPaths {
		if touching, err := in.Repo.Touching(ctx, ids, paths); err == nil { // else trees are missing
			ids = touching
		}
	}
	return ids[:min(len(ids), MaxSources)]
}

// added is what a commit added. There is nothing in a merge.
func added(c *history.Commit) (files []sourceFile) {
	for i := range c.Files {
		f := &c.Files[i]
		if f.Status == patch.Deleted || f.Binary || f.Missing || f.Submodule() || f.TextDropped || len(f.Parents) > 0 {
			continue
		}
		out := sourceFile{path: f.Path, blob: f.Blob}
		var text [][]byte
		for _, h := range f.Hunks {
			if h.NewLines > 0 && len(h.New) == h.NewLines {
				out.runs = append(out.runs, sourceRun{h.NewStart, h.NewStart + h.NewLines})
				text = append(text, h.New...)
			}
		}
		if len(out.runs) > 0 {
			out.print = edits.PrintOf(text)
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
		list = append(list, unwatched(c.Commit, added(c)))
	}
	return list, nil
}

// unwatched is a commit of which nothing was captured, with what it added.
func unwatched(of git.Commit, files []sourceFile) *Commit {
	c := &Commit{Commit: of, Foreign: true}
	for _, f := range files {
		a := Added{Path: f.path, Blob: f.blob, Print: f.print}
		for _, r := range f.runs {
			for n := r.start; n < r.end; n++ {
				a.Lines = append(a.Lines, edits.AddedLine{Number: n, Line: edits.Line{By: Abroad}})
			}
		}
		c.Added = append(c.Added, a)
	}
	return c
}
