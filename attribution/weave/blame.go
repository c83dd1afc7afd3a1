package weave

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution/diff"
	"github.com/stemma-dev/stemma/attribution/version"
)

var (
	// ErrLength says that the number of lines of the file is not known, so that
	// only ranges of it can be asked for, or that a range reaches beyond it.
	ErrLength = errors.New("the number of lines is not known, or another")
	// ErrIncomplete says that the tree may hold more files than are known.
	ErrIncomplete = errors.New("the history is not fully known")
)

// A LineRun says where a run of lines came from: line Start of the file asked
// for was line Line of Path at Commit, and so on for Count lines.
//
// If Unknown is set, the lines are at least as old as Commit, and what came
// before is not known.
type LineRun struct {
	Start, Count int
	Commit, Path string
	Line         int
	Unknown      bool
}

// FileLines is one file at a commit.
type FileLines struct {
	Path    string
	Blob    string // "" for not known
	Lines   int    // -1 for not known
	Version uint32 // equal numbers mean equal content and equal origins; stays the same after Save and Load
	Runs    []LineRun
}

// Blame returns the origin of every line of a file at a commit, or of the
// given ranges of it, in the order of the lines. A file or commit that is not
// there is [stemma.ErrNotFound].
func (w *Weave) Blame(commit, path string, ranges ...diff.Range) ([]LineRun, error) {
	n, p, err := w.locate(commit, path)
	if err != nil {
		return nil, err
	}
	rec, known := uint32(0), !w.openAt(n)
	if p != nil {
		rec, known = w.find(n, *p)
	}
	runs, err := w.blame(rec, known, LineRun{Commit: commit, Path: path}, ranges)
	if err != nil {
		return nil, fmt.Errorf("weave: lines of %.200q at %s: %w", path, commit, err)
	}
	return runs, nil
}

// Removed returns the origins of lines that a commit removed or replaced: path
// and ranges are those of its first parent. Without ranges it answers for the
// whole old file.
func (w *Weave) Removed(commit, path string, ranges ...diff.Range) ([]LineRun, error) {
	n, p, err := w.locate(commit, path)
	if err != nil {
		return nil, err
	}
	if w.first[n] == 0 && w.flags[n]&openBelow == 0 {
		return nil, fmt.Errorf("weave: lines before %s, which has no parent: %w", commit, stemma.ErrNotFound)
	}
	rec, known := uint32(0), false
	switch {
	case w.first[n] == 0:
	case p == nil:
		known = !w.openAt(w.first[n] - 1)
	default:
		rec, known = w.findBefore(n, *p)
	}
	runs, err := w.blame(rec, known, LineRun{Commit: commit, Path: path}, ranges)
	if err != nil {
		return nil, fmt.Errorf("weave: lines of %.200q before %s: %w", path, commit, err)
	}
	return runs, nil
}

// findBefore finds the record of a path in the first parent of n.
func (w *Weave) findBefore(n, path uint32) (rec uint32, known bool) {
	if rec, ok := w.eventAt(n, path); ok && rec < 0 {
		return uint32(-rec), true
	}
	return w.find(w.first[n]-1, path)
}

// Version answers like Blame for a file that Files named.
func (w *Weave) Version(version uint32, ranges ...diff.Range) ([]LineRun, error) {
	if version == 0 || int(version) > len(w.recCommit) {
		return nil, fmt.Errorf("weave: version %d of a file: %w", version, stemma.ErrNotFound)
	}
	runs, err := w.blame(version, true, LineRun{}, ranges)
	if err != nil {
		return nil, fmt.Errorf("weave: version %d of %.200q: %w", version, w.paths[w.recPath[version-1]], err)
	}
	return runs, nil
}

// Files lists the files of a commit in order of path, without their runs. If
// there may be more files than are known, the last error is [ErrIncomplete].
func (w *Weave) Files(commit string) iter.Seq2[FileLines, error] {
	return func(yield func(FileLines, error) bool) {
		n, ok := w.number(commit)
		if !ok {
			yield(FileLines{}, fmt.Errorf("weave: files of commit %.70q: %w", commit, stemma.ErrNotFound))
			return
		}
		var files []FileLines
		t := w.stateAt(n)
		t.each(func(path, rec uint32) bool {
			f := w.fileLines(rec)
			f.Path = w.paths[path]
			files = append(files, f)
			return true
		})
		slices.SortFunc(files, func(a, b FileLines) int { return strings.Compare(a.Path, b.Path) })
		for _, f := range files {
			if !yield(f, nil) {
				return
			}
		}
		if t.open {
			yield(FileLines{}, fmt.Errorf("weave: files of commit %s: %w", commit, ErrIncomplete))
		}
	}
}

// Tip lists the files of a commit like Files, with the runs of every file. A
// file whose length is not known has none.
func (w *Weave) Tip(commit string) iter.Seq2[FileLines, error] {
	return func(yield func(FileLines, error) bool) {
		t := w.tracer()
		for f, err := range w.Files(commit) {
			if err == nil && f.Lines > 0 {
				f.Runs = t.runs(f.Version, []diff.Range{{Start: 1, Count: f.Lines}})
			}
			if !yield(f, err) {
				return
			}
		}
	}
}

// locate finds commit and path; the path is nil if no commit ever had it.
func (w *Weave) locate(commit, path string) (uint32, *uint32, error) {
	n, ok := w.number(commit)
	if !ok {
		return 0, nil, fmt.Errorf("weave: lines at commit %.70q: %w", commit, stemma.ErrNotFound)
	}
	if p, ok := w.pathNumber[path]; ok {
		return n, &p, nil
	}
	return n, nil, nil
}

// blame answers for a record, or for a file that is unknown (as asked) or absent.
func (w *Weave) blame(rec uint32, known bool, asked LineRun, ranges []diff.Range) ([]LineRun, error) {
	if rec == 0 && known {
		return nil, stemma.ErrNotFound
	}
	lines := -1
	if rec != 0 {
		lines = w.versions.Lines(rec)
	}
	ranges, err := tidy(ranges, lines)
	if err != nil {
		return nil, err
	}
	if rec != 0 {
		return w.tracer().runs(rec, ranges), nil
	}
	var runs []LineRun
	for _, r := range ranges {
		asked.Start, asked.Count, asked.Line, asked.Unknown = r.Start, r.Count, r.Start, true
		runs = append(runs, asked)
	}
	return runs, nil
}

// tidy returns the ranges in order and without overlap, or the whole file if there are none.
func tidy(ranges []diff.Range, lines int) ([]diff.Range, error) {
	if len(ranges) == 0 {
		switch {
		case lines < 0:
			return nil, ErrLength
		case lines == 0:
			return nil, nil
		}
		return []diff.Range{{Start: 1, Count: lines}}, nil
	}
	limit := lines
	if lines < 0 {
		limit = diff.MaxLines
	}
	sorted := slices.Clone(ranges)
	slices.SortFunc(sorted, func(a, b diff.Range) int { return cmp.Compare(a.Start, b.Start) })
	out := sorted[:0]
	for _, r := range sorted {
		if r.Start < 1 || r.Count < 1 || r.Start > limit || r.Count > limit-r.Start+1 {
			return nil, fmt.Errorf("range of %d lines from line %d in a file of %d: %w", r.Count, r.Start, lines, ErrLength)
		}
		if k := len(out) - 1; k >= 0 && r.Start <= out[k].Start+out[k].Count {
			out[k].Count = max(out[k].Count, r.Start+r.Count-out[k].Start)
			continue
		}
		out = append(out, r)
	}
	return out, nil
}

// A tracer asks where lines came from, and names the commits and paths.
type tracer struct {
	w     *Weave
	t     *version.Tracer
	names map[uint32]string // ids of commits already spelled
}

func (w *Weave) tracer() tracer { return tracer{w, w.versions.Tracer(), map[uint32]string{}} }

// runs returns where the ranges of a record came from.
func (t tracer) runs(rec uint32, ranges []diff.Range) []LineRun {
	from := t.t.Runs(rec, ranges)
	runs := make([]LineRun, len(from))
	for i, r := range from {
		commit := t.w.recCommit[r.Version-1]
		name, ok := t.names[commit]
		if !ok {
			name = t.w.commitID(commit)
			t.names[commit] = name
		}
		runs[i] = LineRun{
			Start: r.Start, Count: r.Count,
			Commit: name, Path: t.w.paths[t.w.recPath[r.Version-1]], Line: r.Line, Unknown: r.Unknown,
		}
	}
	return runs
}
