// Package mended tells which lines a commit mends, and which commits brought those:
// behind the commits that only spaced them anew, moved or copied them ([Tracer]).
package mended

import (
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma/attribution/diff"
	"github.com/stemma-dev/stemma/git/patch"
	"github.com/stemma-dev/stemma/ingest/words"
)

// maxMended is how many bytes of ranges become an attribute.
const maxMended = 32 << 10

// Lines are the lines of the old file that a commit mends, as a record of the
// commit keeps them.
func Lines(f *patch.File) string { return words.Short(formatRanges(significant(f)), maxMended) }

// significant are the lines of the old file that a diff replaces or takes away,
// without those that are blank, comment, or only differently spaced.
func significant(f *patch.File) []diff.Range {
	var ranges []diff.Range
	for _, h := range f.Hunks {
		if h.OldLines == 0 {
			continue
		}
		if f.TextDropped && len(h.Old) < h.OldLines {
			ranges = append(ranges, diff.Range{Start: h.OldStart, Count: h.OldLines})
			continue
		}
		ranges = append(ranges, diff.Significant(f.OldPath, diff.Hunk{
			OldStart: h.OldStart, OldLines: h.OldLines, NewStart: h.NewStart, NewLines: h.NewLines,
		}, h.Old, h.New)...)
	}
	return ranges
}

// formatRanges writes ranges as "12-14,20".
func formatRanges(ranges []diff.Range) string {
	var b strings.Builder
	for i, r := range ranges {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(r.Start))
		if r.Count > 1 {
			b.WriteByte('-')
			b.WriteString(strconv.Itoa(r.Start + r.Count - 1))
		}
	}
	return b.String()
}

// parseRanges reads what formatRanges wrote; it leaves out what it did not.
func parseRanges(s string) []diff.Range {
	var ranges []diff.Range
	for part := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err1 := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err1 == nil && err2 == nil && from > 0 && to >= from {
			ranges = append(ranges, diff.Range{Start: from, Count: to - from + 1})
		}
	}
	return ranges
}
