package patch

// A Range is lines, from 1 and with both ends.
type Range struct{ Start, End int }

// NewLines are the lines that the commit added to the file. In a merge they are
// those that no parent has.
func (f *File) NewLines() []Range {
	ranges := newLines(f.Hunks)
	for i, p := range f.Parents {
		if of := newLines(p.Hunks); i == 0 {
			ranges = of
		} else {
			ranges = intersect(ranges, of)
		}
	}
	return ranges
}

func newLines(hunks []Hunk) (ranges []Range) {
	for _, h := range hunks {
		if h.NewLines > 0 {
			ranges = append(ranges, Range{h.NewStart, h.NewStart + h.NewLines - 1})
		}
	}
	return ranges
}

// intersect returns the lines that are in both; ranges ascend.
func intersect(a, b []Range) (both []Range) {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		if start, end := max(a[i].Start, b[j].Start), min(a[i].End, b[j].End); start <= end {
			both = append(both, Range{start, end})
		}
		if a[i].End < b[j].End {
			i++
		} else {
			j++
		}
	}
	return both
}
