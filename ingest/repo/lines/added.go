package lines

import (
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/git/patch"
	"github.com/stemma-dev/stemma/ingest/note"
)

// Added are the lines that a commit added, by path. In a merge they are those
// that no parent has.
func Added(c *history.Commit) map[string][]note.Range {
	added := map[string][]note.Range{}
	for i := range c.Files {
		f := &c.Files[i]
		if f.Status == patch.Deleted || f.Binary || f.Missing || f.Submodule() {
			continue
		}
		ranges := hunkRanges(f.Hunks)
		for i, p := range f.Parents {
			if of := hunkRanges(p.Hunks); i == 0 {
				ranges = of
			} else {
				ranges = intersect(ranges, of)
			}
		}
		if len(ranges) > 0 {
			added[f.Path] = ranges
		}
	}
	return added
}

func hunkRanges(hunks []patch.Hunk) []note.Range {
	var ranges []note.Range
	for _, h := range hunks {
		if h.NewLines > 0 {
			ranges = append(ranges, note.Range{Start: h.NewStart, End: h.NewStart + h.NewLines - 1})
		}
	}
	return ranges
}

// intersect returns the lines that are in both; ranges ascend.
func intersect(a, b []note.Range) []note.Range {
	var both []note.Range
	for i, j := 0, 0; i < len(a) && j < len(b); {
		if start, end := max(a[i].Start, b[j].Start), min(a[i].End, b[j].End); start <= end {
			both = append(both, note.Range{Start: start, End: end})
		}
		if a[i].End < b[j].End {
			i++
		} else {
			j++
		}
	}
	return both
}
