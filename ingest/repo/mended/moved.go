package mended

import (
	"bytes"
	"context"
	"maps"
	"slices"

	"github.com/stemma-dev/stemma/attribution/diff"
	"github.com/stemma-dev/stemma/attribution/weave"
	"github.com/stemma-dev/stemma/git"
)

// Limits of the search for lines that a commit moved or copied. They hold for each
// file by itself, so that it does not matter which others are asked for with it.
const (
	maxContent  = 16 << 20 // bytes of a file in which lines are looked for, or of which
	maxSearched = 64 << 20 // bytes of older files looked through
	maxTogether = 16 << 20 // bytes of files for which the older ones are read once
	atOnce      = 64       // older files that are asked for at once
)

// A page is a file as a commit made it, with what is still to be found of its lines.
type page struct {
	weave.Made
	path     string
	text     [][]byte
	fresh    []diff.Range // lines that are still the commit's own
	passages []passage
}

// look finds where the lines of some files stood before their commit: those of
// which it changed the white space only; those that it moved or copied within the
// file, as git blame -M finds them; those from other files that it changed, as -C does.
// Each file tells how far it is to be looked for its lines.
func (t *Tracer) look(ctx context.Context, commit string, paths map[string]reach) error {
	if t.looked[commit] == nil {
		t.looked[commit] = map[string]looked{}
	}
	before, err := t.Weave.Before(commit)
	if err != nil {
		return err
	}
	var together []*page
	size := 0
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		t.looked[commit][path] = looked{reach: across} // nothing is to be found
		p, err := t.page(commit, path)
		if err != nil {
			return err
		}
		if p == nil || len(before) == 0 {
			continue
		}
		far, n := paths[path], 0
		if far >= within {
			if n, err = t.within(ctx, p); err != nil {
				return err
			}
		}
		if far < across {
			t.keep(commit, far, p)
			continue
		}
		if together, size = append(together, p), size+n; size > maxTogether {
			if err := t.across(ctx, before, together); err != nil {
				return err
			}
			t.keep(commit, across, together...)
			together, size = nil, 0
		}
	}
	if len(together) == 0 {
		return nil
	}
	if err := t.across(ctx, before, together); err != nil {
		return err
	}
	t.keep(commit, across, together...)
	return nil
}

func (t *Tracer) keep(commit string, far reach, pages ...*page) {
	for _, p := range pages {
		slices.SortFunc(p.passages, func(a, b passage) int { return a.New - b.New })
		t.looked[commit][p.path] = looked{far, p.passages}
	}
}

// page begins with what the line history and the record of the commit tell. It is
// nil if there is nothing to be found.
func (t *Tracer) page(commit, path string) (*page, error) {
	made, err := t.Weave.Made(commit, path)
	if unknown(err) || err == nil && len(made.Own) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p := &page{Made: made, path: path, fresh: made.Own}
	spaced, ok := t.space[commit][path]
	if !ok {
		return p, nil
	}
	old := slices.IndexFunc(made.Old, func(f weave.FileLines) bool { return f.Path == spaced.oldPath })
	for _, m := range spaced.matches {
		if old < 0 {
			p.passages = append(p.passages, passage{m, 0})
		} else if f := made.Old[old]; f.Lines < 0 || m.Old+m.Count-1 <= f.Lines {
			p.passages = append(p.passages, passage{m, f.Version})
		}
		p.fresh = without(p.fresh, diff.Range{Start: m.New, Count: m.Count})
	}
	return p, nil
}

// without takes a range out of others.
func without(ranges []diff.Range, gone diff.Range) (left []diff.Range) {
	for _, r := range ranges {
		if head := min(r.Count, gone.Start-r.Start); head > 0 {
			left = append(left, diff.Range{Start: r.Start, Count: head})
		}
		end := r.Start + r.Count
		if from := max(r.Start, gone.Start+gone.Count); from < end {
			left = append(left, diff.Range{Start: from, Count: end - from})
		}
	}
	return left
}

// within looks for the lines in what the file was before. It returns how many bytes
// of content are kept to be looked for elsewhere.
func (t *Tracer) within(ctx context.Context, p *page) (size int, err error) {
	olds := slices.DeleteFunc(slices.Clone(p.Old), func(f weave.FileLines) bool { return !readable(f) })
	if !readable(p.FileLines) {
		p.fresh = nil
		return 0, nil
	}
	search := diff.NewSearch(diff.MovedText)
	texts := append([]weave.FileLines{p.FileLines}, olds...)
	err = t.read(ctx, texts, func(i int, text []byte, n int) {
		switch {
		case i == 0 && text != nil:
			p.text, size = split(text), n
			search.Add(p.text, p.fresh)
		case i > 0 && p.text != nil && search.Seeks():
			search.In(i-1, text, func(int) bool { return false })
		}
	})
	if err != nil || p.text == nil {
		p.fresh = nil // it cannot be looked for
		return 0, err
	}
	p.found(search, 0, olds)
	return size, nil
}

// across looks for the lines of pages in the other files that their commit changed,
// as these were before.
func (t *Tracer) across(ctx context.Context, before []weave.FileLines, pages []*page) error {
	search := diff.NewSearch(diff.CopiedText)
	for _, p := range pages {
		search.Add(p.text, p.fresh)
		p.text = nil
	}
	before = slices.DeleteFunc(slices.Clone(before), func(f weave.FileLines) bool { return !readable(f) })
	searched := 0
	for at := 0; at < len(before) && search.Seeks() && searched < maxSearched; at += atOnce {
		err := t.read(ctx, before[at:min(at+atOnce, len(before))], func(i int, text []byte, n int) {
			if searched += n; searched > maxSearched {
				return
			}
			search.In(at+i, text, func(page int) bool {
				return slices.ContainsFunc(pages[page].Old, func(f weave.FileLines) bool { return f.Version == before[at+i].Version })
			})
		})
		if err != nil {
			return err
		}
	}
	for i, p := range pages {
		p.found(search, i, before)
	}
	return nil
}

// found takes over what a search found of a page.
func (p *page) found(search *diff.Search, text int, in []weave.FileLines) {
	origins, rest := search.Found(text)
	for _, o := range origins {
		p.passages = append(p.passages, passage{o.Match, in[o.From].Version})
	}
	p.fresh = rest
}

// readable: there are lines, and it is known which.
func readable(f weave.FileLines) bool { return f.Blob != "" && f.Lines > 0 }

// read tells the content and the size in bytes of files, each in its turn. One that is
// too large, or is not here, or has not the lines that the line history says, is told
// without its content.
func (t *Tracer) read(ctx context.Context, files []weave.FileLines, tell func(i int, text []byte, size int)) error {
	ids := make([]string, len(files))
	for i, f := range files {
		ids[i] = f.Blob
	}
	for next := 0; next < len(ids); {
		if t.cat == nil {
			cat, err := t.Repo.CatFile(ctx, maxContent)
			if err != nil {
				return err
			}
			t.cat = cat
		}
		for o, err := range t.cat.Objects(ids[next:], maxContent) {
			if err != nil && ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err != nil { // git died of this object
				o = git.Object{ID: ids[next], Missing: true}
			}
			if o.Missing {
				t.Miss(o.ID)
			}
			if countLines(o.Data) != files[next].Lines {
				o.Data = nil
			}
			tell(next, o.Data, int(o.Size))
			next++
			if err != nil {
				t.cat.Kill()
				t.cat = nil
				break
			}
		}
	}
	return nil
}

// countLines counts lines as git does.
func countLines(content []byte) int {
	n := bytes.Count(content, []byte("\n"))
	if len(content) > 0 && content[len(content)-1] != '\n' {
		n++
	}
	return n
}

// split divides a content into its lines.
func split(content []byte) [][]byte {
	if len(content) == 0 {
		return nil
	}
	return bytes.Split(bytes.TrimSuffix(content, []byte("\n")), []byte("\n"))
}
