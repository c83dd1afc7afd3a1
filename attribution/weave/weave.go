// Package weave finds out which commit brought each line of each file, from the
// diffs of a history alone.
//
// A [Weave] is told commits one by one ([Weave.Add]) and then answers as git
// blame would ([Weave.Blame], [Weave.Files]), also for lines that are gone
// ([Weave.Removed]); [Weave.Save] and [Load] keep it.
//
// The package knows object ids, paths and line numbers, nothing of people,
// agents or sessions: what a line's commit says about its origin is joined to
// these answers elsewhere. It does no I/O but by the readers and writers it is
// given, and starts no process.
package weave

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"

	"github.com/stemma-dev/stemma/attribution/diff"
	"github.com/stemma-dev/stemma/attribution/version"
)

// A Weave knows, for every commit it was told of, which commit brought each
// line of each file, and which line it was there. It follows the rules of git
// blame, from the hunks of the diffs alone: it needs neither git nor the texts.
//
// Commits are added by [Weave.Add], parents before children. What is not known
// (a shallow boundary, an object that could not be read, hunks that contradict
// each other) stays unknown in every answer; a Weave never guesses.
//
// Fed with the hunks that git makes without context lines, the answers are those
// of git blame, with these exceptions. Git blame looks for the old name of each
// path alone, so that several new files can come from one old file; the diff of
// a commit tells one of them as renamed. Git blame reads binary files by lines;
// here they are unknown. What git blame calls a boundary is unknown here.
//
// Readers may run at the same time as each other, but not as Add.
type Weave struct {
	width int // bytes of an object id; 0 until the first commit

	// Commits, numbered in the order of Add.
	ids      []byte // width bytes each
	numbers  idTable
	first    []uint32 // number of the first parent plus one; 0 for none
	flags    []uint8
	eventEnd []uint32 // where the events of the commit end
	events   []event  // in order of path number within a commit

	// Paths, numbered in order of appearance.
	paths      []string
	pathNumber map[string]uint32

	// Records, numbered from 1: one per version of a file.
	recCommit []uint32
	recPath   []uint32
	recBlob   []byte // width bytes each; zeros for not known
	versions  version.Versions

	shelf stateShelf
}

// An event says what a path is from this commit on.
type event struct {
	path uint32
	// rec > 0 is the record that the path has now. Otherwise the path is gone,
	// and -rec is the record it had, 0 if that is not known.
	rec int32
}

const (
	openBelow    uint8 = 1 << iota // what the first parent holds is not known
	ownIsUnknown                   // lines that this commit seems to bring may be older
)

// maxPath is the longest path in bytes that a Weave accepts; it bounds what
// hostile input can cost.
const maxPath = 1 << 16

// A Step is one commit, told as differences to its parents.
type Step struct {
	Commit  string   // object id: 40 or 64 lower-case hexadecimal digits
	Parents []string // all of them, in order

	// Files are the paths whose content differs from that in every parent, and
	// the paths that the first parent has and the commit has not. In a commit
	// with one parent or none that is every changed path. A path may be named once.
	Files []FileStep
	// Taken are, in a merge, the paths that differ from the first parent but
	// are as they are in another one.
	Taken []TakenPath

	// Boundary says that the parents are not to be had, as at the edge of a
	// shallow clone: Parents is ignored, Files is the whole tree, told as new,
	// and its lines are unknown.
	Boundary bool
	// Unknown says that there may be other changes, which could not be read.
	// After this commit every path is unknown until a Step says something about it.
	Unknown bool
}

// A FileStep is one changed path of a [Step].
type FileStep struct {
	Path string
	Blob string // object id of the content, "" for not known
	// Lines is the number of lines in the content, if the caller knows it; 0
	// lets the Weave work it out from the hunks. A contradiction is a [Fault].
	Lines   int
	Deleted bool
	// Unknown says that there is content, but no diff of it: a binary file, a
	// diff too large to make, an object that could not be read.
	Unknown bool
	// Old says what the file was in each parent, in the order of Step.Parents;
	// in a root commit or at a boundary it holds one OldFile without a path. It
	// may be empty if Deleted or Unknown is set.
	Old []OldFile
}

// An OldFile is what a file was in one parent.
type OldFile struct {
	Path  string      // differs from FileStep.Path after a rename or copy; "" if the file was not there
	Blob  string      // object id of the old content, "" for not told; a contradiction is a [Fault]
	Moved bool        // in the first parent: Path is gone now (a rename, not a copy)
	Hunks []diff.Hunk // differences without context lines, as of git diff -U0; may be left out without Path
}

// A TakenPath is a path that a merge took as it is in another than its first parent.
type TakenPath struct {
	Path    string
	Blob    string
	Deleted bool
}

// A Fault is a part of a [Step] that could not be used. The path is unknown
// from that commit on; an empty path means the whole tree.
type Fault struct {
	Commit, Path, Why string
}

func (f Fault) String() string {
	return fmt.Sprintf("%s at commit %s: %s", f.Path, f.Commit, f.Why)
}

// New returns a Weave that knows no commit.
func New() *Weave {
	return &Weave{pathNumber: map[string]uint32{}}
}

// Len is the number of commits that were added.
func (w *Weave) Len() int { return len(w.first) }

// Has reports whether the commit was added.
func (w *Weave) Has(commit string) bool {
	_, ok := w.number(commit)
	return ok
}

// Add takes the next commit. Parents must have been added before; one that was
// not counts as unknown and is reported as a [Fault]. Faults say what of the
// step is unknown now; the commit is added all the same. An error means that
// the step was refused and the Weave has not changed.
func (w *Weave) Add(s Step) ([]Fault, error) {
	id, err := w.acceptID(s.Commit)
	if err != nil {
		return nil, err
	}
	if err := w.check(s); err != nil {
		return nil, fmt.Errorf("weave: adding commit %s: %w", s.Commit, err)
	}
	a := adding{w: w, step: &s, number: uint32(len(w.first))}
	a.findParents()
	w.width = len(id)
	w.ids = append(w.ids, id...)
	w.numbers.insert(w.ids, w.width, a.number)
	w.first = append(w.first, a.firstParent())
	w.flags = append(w.flags, a.commitFlags())
	a.base = w.stateBelow(a.number)
	a.addAll()
	w.events = append(w.events, a.events...)
	w.eventEnd = append(w.eventEnd, uint32(len(w.events)))
	w.shelf.keep(a.number, w.advance(a.base, a.number))
	return a.faults, nil
}

var errID = errors.New("not 40 or 64 lower-case hexadecimal digits")

// rawID turns the spelling of an object id into its bytes.
func rawID(s string) ([]byte, error) {
	if len(s) != 40 && len(s) != 64 {
		return nil, errID
	}
	b, err := hex.DecodeString(s)
	if err != nil || hex.EncodeToString(b) != s {
		return nil, errID
	}
	return b, nil
}

func (w *Weave) acceptID(commit string) ([]byte, error) {
	id, err := rawID(commit)
	switch {
	case err != nil:
		return nil, fmt.Errorf("weave: commit id %.70q: %w", commit, err)
	case w.width != 0 && len(id) != w.width:
		return nil, fmt.Errorf("weave: commit id %s: other object format than the commits before", commit)
	case len(w.first) >= math.MaxInt32:
		return nil, fmt.Errorf("weave: adding commit %s: too many commits", commit)
	}
	if _, ok := w.numbers.find(w.ids, id); ok {
		return nil, fmt.Errorf("weave: commit %s was added before", commit)
	}
	return id, nil
}

// check refuses a step that makes no sense as a whole.
func (w *Weave) check(s Step) error {
	if len(s.Files)+len(s.Taken) > math.MaxInt32-len(w.events) {
		return errors.New("too many changes")
	}
	seen := make(map[string]bool, len(s.Files)+len(s.Taken))
	once := func(path string) error {
		if path == "" || len(path) > maxPath {
			return fmt.Errorf("path of %d bytes", len(path))
		}
		if seen[path] {
			return fmt.Errorf("path %.200q is named twice", path)
		}
		seen[path] = true
		return nil
	}
	for i := range s.Files {
		f := &s.Files[i]
		if err := once(f.Path); err != nil {
			return err
		}
		if want := s.olds(); len(f.Old) != want && !f.Deleted && !f.Unknown {
			return fmt.Errorf("path %.200q: %d old files, want %d", f.Path, len(f.Old), want)
		}
		for _, o := range f.Old {
			if len(o.Path) > maxPath {
				return fmt.Errorf("path of %d bytes", len(o.Path))
			}
		}
	}
	for _, t := range s.Taken {
		if err := once(t.Path); err != nil {
			return err
		}
	}
	return nil
}

// olds is how many old files a FileStep has.
func (s Step) olds() int {
	if s.Boundary {
		return 1
	}
	return max(1, len(s.Parents))
}

// number finds a commit.
func (w *Weave) number(commit string) (uint32, bool) {
	id, err := rawID(commit)
	if err != nil || len(id) != w.width {
		return 0, false
	}
	return w.numbers.find(w.ids, id)
}

func (w *Weave) commitID(n uint32) string {
	return hex.EncodeToString(w.ids[int(n)*w.width : (int(n)+1)*w.width])
}

// eventsOf are the events of one commit.
func (w *Weave) eventsOf(n uint32) []event {
	start := uint32(0)
	if n > 0 {
		start = w.eventEnd[n-1]
	}
	return w.events[start:w.eventEnd[n]]
}

// internPath returns the number of a path.
func (w *Weave) internPath(path string) uint32 {
	n, ok := w.pathNumber[path]
	if !ok {
		n = uint32(len(w.paths))
		w.paths = append(w.paths, path)
		w.pathNumber[path] = n
	}
	return n
}
