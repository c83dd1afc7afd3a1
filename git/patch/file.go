// Package patch reads the differences that git diff-tree writes: of a commit
// against its parent, and of a merge against all its parents at once.
//
// It keeps the text of changed lines within limits and counts all of them. The
// readers count lines instead of guessing where a patch ends, so no content of
// a file can pass for a heading. It starts no process and opens no file.
package patch

// A Status says what happened to a file.
type Status byte

// The statuses that git tells.
const (
	Added       Status = 'A'
	Modified    Status = 'M'
	Deleted     Status = 'D'
	Renamed     Status = 'R'
	Copied      Status = 'C'
	TypeChanged Status = 'T'
)

// Modes of files that need a second look.
const (
	ModeLink      = 0o120000
	ModeSubmodule = 0o160000
)

// A File is what a commit did to one file.
//
// In a merge the file differs from every parent: Parents has one entry for
// each of them, Hunks is empty, Added counts the lines that no parent has, and
// Deleted those that every parent had. Elsewhere Parents is empty.
type File struct {
	Status         Status
	OldPath, Path  string // raw bytes; OldPath is Path unless renamed or copied
	OldBlob, Blob  string // ids; "" where there is none
	OldMode, Mode  int    // as git writes them in octal: 0o100644
	Binary         bool   // has a NUL early on, or is too big to be compared: no hunks
	Missing        bool   // an object that the comparison needs is not in this copy: no hunks
	Added, Deleted int    // lines; exact even where text was dropped
	Hunks          []Hunk
	Parents        []Parent
	TextDropped    bool // some lines were too long or too many: their text is cut or absent
	Coarse         bool // too many hunks: the last one spans all that follow
}

// Submodule reports whether the file is a submodule before or after: its one
// line of text is then the name of a commit that git made up.
func (f *File) Submodule() bool { return f.Mode == ModeSubmodule || f.OldMode == ModeSubmodule }

// A Parent is how a file of a merge differs from one parent.
type Parent struct {
	Status Status
	Path   string // its path in the parent, for a rename another one
	Blob   string // "" where the parent has no such file
	Mode   int
	Hunks  []Hunk // from that parent's file to the file of the merge
}

// A Hunk says that OldLines lines from OldStart were replaced by NewLines from
// NewStart, counted from 1. As in a unified diff, the start of an empty range
// is the line before it, 0 for the very beginning.
//
// Old and New are the lines without their line ends; they are shorter than the
// counts where text was dropped.
type Hunk struct {
	OldStart, OldLines, NewStart, NewLines int
	Old, New                               [][]byte
	OldOpen, NewOpen                       bool // the last line has no line end; not told for merges
}
