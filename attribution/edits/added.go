package edits

import (
	"bytes"

	"github.com/stemma-dev/stemma/attribution/diff"
)

// An AddedLine is a line that a commit added, by its number from 1.
type AddedLine struct {
	Number int
	Line
}

// Added says whose the lines are that a diff of others adds, such as git's
// between a commit and its parent; hunks lead to the content of now. What this
// diff does not add is not told, whoever wrote it.
//
// Two shortest diffs may differ in which of several equal lines is the new
// one. A run of added lines is therefore slid to where it fits the edits best,
// as far as the lines around it are equal.
func (f *File) Added(hunks []diff.Hunk) []AddedLine {
	var added []AddedLine
	for _, h := range hunks {
		at := span{h.NewAt(), min(h.NewAt()+h.NewLines, len(f.lines))}
		if at.size() <= 0 {
			continue
		}
		best := f.slide(at)
		for i := at.from; i < at.to; i++ {
			// The line of the slid run that is equal to this one.
			j := best + ((i-best)%at.size()+at.size())%at.size()
			added = append(added, AddedLine{i + 1, f.lines[j]})
		}
	}
	return added
}

// slide returns where the run would begin if it had as many lines that were
// written during the edits as possible.
func (f *File) slide(at span) (best int) {
	written := func(i int) int {
		if f.lines[i].By != Base {
			return 1
		}
		return 0
	}
	n := 0
	for i := at.from; i < at.to; i++ {
		n += written(i)
	}
	best = at.from
	most := n
	for up, n := at, n; up.from > 0 && most < at.size() && bytes.Equal(f.text[up.from-1], f.text[up.to-1]); {
		up = span{up.from - 1, up.to - 1}
		if n += written(up.from) - written(up.to); n > most {
			best, most = up.from, n
		}
	}
	for down, n := at, n; down.to < len(f.text) && most < at.size() && bytes.Equal(f.text[down.from], f.text[down.to]); {
		if n += written(down.to) - written(down.from); n > most {
			best, most = down.from+1, n
		}
		down = span{down.from + 1, down.to + 1}
	}
	return best
}
