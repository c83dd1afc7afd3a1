package diff

import "math"

// MaxLines is the most lines that a text may have.
const MaxLines = math.MaxInt32 - 1

// A Hunk replaces OldLines lines from OldStart by NewLines lines from NewStart,
// as the header of a git diff without context says it: lines count from 1, and
// the start of an empty range is the line before it.
type Hunk struct {
	OldStart, OldLines, NewStart, NewLines int
}

// A Range is Count lines from line Start, which counts from 1.
type Range struct{ Start, Count int }

// OldAt is the number of old lines before the hunk.
func (h Hunk) OldAt() int {
	if h.OldLines == 0 {
		return h.OldStart
	}
	return h.OldStart - 1
}

// NewAt is the number of new lines before the hunk.
func (h Hunk) NewAt() int {
	if h.NewLines == 0 {
		return h.NewStart
	}
	return h.NewStart - 1
}

// Check reports what is wrong with hunks that lead from a file of
// oldLines to one of newLines, where -1 stands for not known, and returns the
// new number of lines as far as it is known.
func Check(hunks []Hunk, oldLines, newLines int) (lines int, why string) {
	oldEnd, newEnd := 0, 0
	for _, h := range hunks {
		if max(h.OldStart, h.OldLines, h.NewStart, h.NewLines) > MaxLines ||
			min(h.OldStart, h.OldLines, h.NewStart, h.NewLines) < 0 || h.OldLines+h.NewLines == 0 {
			return 0, "impossible hunk"
		}
		gap := h.OldAt() - oldEnd
		if gap < 0 || h.NewAt()-newEnd != gap {
			return 0, "hunks contradict each other"
		}
		oldEnd, newEnd = oldEnd+gap+h.OldLines, newEnd+gap+h.NewLines
	}
	switch {
	case oldEnd > MaxLines || newEnd > MaxLines:
		return 0, "too many lines"
	case oldLines >= 0 && oldEnd > oldLines:
		return 0, "hunks reach behind the end of the old file"
	case newLines >= 0 && newEnd > newLines:
		return 0, "hunks reach behind the end of the new file"
	case oldLines < 0:
		return newLines, ""
	}
	n := oldLines + newEnd - oldEnd
	if n > MaxLines || newLines >= 0 && n != newLines {
		return 0, "hunks do not lead to the number of lines"
	}
	return n, ""
}
