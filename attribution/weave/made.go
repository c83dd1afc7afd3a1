package weave

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution/diff"
)

// A Made is a file as a commit made it.
type Made struct {
	FileLines              // without runs
	Own       []diff.Range // its lines that it has in no parent, under the name it had there
	Old       []FileLines  // what it was in the parents where it was known, without runs
}

// Made returns what a commit made of a file. One that it does not change, or does
// not have, is [stemma.ErrNotFound].
func (w *Weave) Made(commit, path string) (Made, error) {
	n, p, err := w.locate(commit, path)
	if err != nil {
		return Made{}, err
	}
	if p != nil {
		if rec, ok := w.eventAt(n, *p); ok && rec > 0 && w.recCommit[rec-1] == n {
			own, olds := w.versions.Tracer().Own(uint32(rec))
			return Made{FileLines: w.fileLines(uint32(rec)), Own: own, Old: w.filesOf(olds)}, nil
		}
	}
	return Made{}, fmt.Errorf("weave: what %s made of %.200q: %w", commit, path, stemma.ErrNotFound)
}

// Before lists the files that a commit changed or took away as they were in its
// parents, as far as they are known, in order of path and without runs. In a merge
// they are those that differ from every parent, and what the first parent had of
// those taken from another one.
func (w *Weave) Before(commit string) ([]FileLines, error) {
	n, ok := w.number(commit)
	if !ok {
		return nil, fmt.Errorf("weave: files before commit %.70q: %w", commit, stemma.ErrNotFound)
	}
	var recs []uint32
	var below *treeState // made once it is asked
	t := w.versions.Tracer()
	for _, e := range w.eventsOf(n) {
		switch {
		case e.rec < 0:
			recs = append(recs, uint32(-e.rec))
		case e.rec == 0:
		case w.recCommit[e.rec-1] == n:
			_, olds := t.Own(uint32(e.rec))
			recs = append(recs, olds...)
		case w.first[n] != 0:
			if below == nil {
				s := w.stateAt(w.first[n] - 1)
				below = &s
			}
			if rec, _ := below.find(e.path); rec != 0 {
				recs = append(recs, rec)
			}
		}
	}
	slices.Sort(recs)
	return w.filesOf(slices.Compact(recs)), nil
}

// filesOf are the files of records, in order of path.
func (w *Weave) filesOf(recs []uint32) []FileLines {
	files := make([]FileLines, 0, len(recs))
	for _, rec := range recs {
		files = append(files, w.fileLines(rec))
	}
	slices.SortStableFunc(files, func(a, b FileLines) int { return strings.Compare(a.Path, b.Path) })
	return files
}

func (w *Weave) fileLines(rec uint32) FileLines {
	f := FileLines{Path: w.paths[w.recPath[rec-1]], Lines: w.versions.Lines(rec), Version: rec}
	if blob := w.blobOf(rec); !isZero(blob) {
		f.Blob = fmt.Sprintf("%x", blob)
	}
	return f
}
