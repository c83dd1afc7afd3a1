package weave

import (
	"maps"
	"slices"

	"github.com/stemma-dev/stemma/attribution/diff"
	"github.com/stemma-dev/stemma/attribution/version"
)

// adding is the work of one call of Add.
type adding struct {
	w       *Weave
	step    *Step
	number  uint32
	parents []uint32 // number plus one; 0 for a parent that is not known
	base    treeState
	events  []event
	faults  []Fault
}

func (a *adding) fault(path, why string) {
	a.faults = append(a.faults, Fault{Commit: a.step.Commit, Path: path, Why: why})
}

func (a *adding) findParents() {
	if a.step.Boundary {
		return
	}
	for _, p := range a.step.Parents {
		n, ok := a.w.number(p)
		if !ok {
			a.parents = append(a.parents, 0)
			if !a.step.Unknown {
				a.fault("", "parent "+clip(p)+" is not known")
			}
			continue
		}
		a.parents = append(a.parents, n+1)
	}
}

func clip(s string) string {
	if len(s) > 64 {
		return s[:64]
	}
	return s
}

func (a *adding) firstParent() uint32 {
	if len(a.parents) == 0 || a.step.Unknown {
		return 0
	}
	return a.parents[0]
}

func (a *adding) commitFlags() uint8 {
	var f uint8
	if a.step.Unknown || len(a.parents) > 0 && a.parents[0] == 0 {
		f |= openBelow
	}
	if a.step.Boundary {
		f |= ownIsUnknown
	}
	return f
}

// addAll turns the step into events and records, both in order of path number.
// What goes away comes first, so that a path can be moved from and be made anew
// in the same commit.
func (a *adding) addAll() {
	todo := map[uint32]func() int32{}
	gone := func(path string) {
		p := a.w.internPath(path)
		todo[p] = func() int32 {
			rec, _ := a.base.find(p)
			return -int32(rec)
		}
	}
	for i := range a.step.Files {
		f := &a.step.Files[i]
		if f.Deleted {
			gone(f.Path)
		}
		if len(f.Old) > 0 && f.Old[0].Moved && f.Old[0].Path != "" && f.Old[0].Path != f.Path {
			gone(f.Old[0].Path)
		}
	}
	for _, t := range a.step.Taken {
		if t.Deleted {
			gone(t.Path)
			continue
		}
		todo[a.w.internPath(t.Path)] = func() int32 { return int32(a.taken(t)) }
	}
	for i := range a.step.Files {
		if f := &a.step.Files[i]; !f.Deleted {
			todo[a.w.internPath(f.Path)] = func() int32 { return int32(a.file(f)) }
		}
	}
	for _, p := range slices.Sorted(maps.Keys(todo)) {
		rec := todo[p]()
		if had, known := a.base.find(p); !known || rec != int32(had) {
			a.events = append(a.events, event{p, rec})
		}
	}
}

// oldRecord finds what the path is in the i-th parent: its record, or 0 and
// whether it is known to be absent.
func (a *adding) oldRecord(i int, path string) (rec uint32, known bool) {
	if i >= len(a.parents) || a.parents[i] == 0 {
		return 0, false
	}
	p, ok := a.w.pathNumber[path]
	if !ok {
		return 0, !a.w.openAt(a.parents[i] - 1)
	}
	if i == 0 && !a.step.Unknown {
		return a.base.find(p)
	}
	return a.w.find(a.parents[i]-1, p)
}

// taken finds the record that a merge took over.
func (a *adding) taken(t TakenPath) uint32 {
	blob, err := a.w.blobBytes(t.Blob)
	if err != nil || isZero(blob) {
		a.fault(t.Path, "taken from a parent without a good object id")
		return a.unknownFile(t.Path, make([]byte, a.w.width), 0)
	}
	for i := range a.parents {
		if rec, _ := a.oldRecord(i, t.Path); rec != 0 && string(a.w.blobOf(rec)) == string(blob) {
			return rec
		}
	}
	a.fault(t.Path, "taken from a parent, but no parent is known to have "+t.Blob)
	return a.unknownFile(t.Path, blob, 0)
}

// file makes the record of a changed file and returns its number; if the file
// is in fact as it is in a parent, it returns the record of that.
func (a *adding) file(f *FileStep) uint32 {
	blob, err := a.w.blobBytes(f.Blob)
	if err != nil {
		a.fault(f.Path, "object id "+clip(f.Blob)+": "+err.Error())
		return a.unknownFile(f.Path, make([]byte, a.w.width), f.Lines)
	}
	olds := a.olds(f)
	if rec, ok := a.identical(f, blob, olds); ok {
		return rec
	}
	if f.Unknown {
		return a.unknownFile(f.Path, blob, f.Lines)
	}
	lines, why := a.measure(f, olds)
	if why != "" {
		a.fault(f.Path, why)
		return a.unknownFile(f.Path, blob, f.Lines)
	}
	return a.w.appendRecord(record{
		commit: a.number, path: a.w.internPath(f.Path), blob: blob,
		lines: lines, ownUnknown: a.step.Boundary, olds: olds,
	})
}

// olds finds the record of every old file.
func (a *adding) olds(f *FileStep) []version.Old {
	olds := make([]version.Old, 0, len(f.Old))
	for i, o := range f.Old {
		r := version.Old{Hunks: o.Hunks}
		if o.Path != "" {
			rec, known := a.oldRecord(i, o.Path)
			r.Version, r.Unknown = rec, rec == 0
			if rec == 0 && known {
				a.fault(f.Path, "was not in the parent as "+clip(o.Path))
			}
			if rec != 0 && !a.sameBlob(rec, o.Blob) {
				a.fault(f.Path, "was not "+clip(o.Blob)+" in the parent")
				r.Version, r.Unknown = 0, true
			}
		}
		olds = append(olds, r)
	}
	return olds
}

// sameBlob reports whether the record can be of that blob; not told is equal.
func (a *adding) sameBlob(rec uint32, blob string) bool {
	have := a.w.blobOf(rec)
	told, err := a.w.blobBytes(blob)
	return err == nil && (isZero(told) || isZero(have) || string(told) == string(have))
}

// identical finds a parent in which the file is the same: under its own name
// first, then under another.
func (a *adding) identical(f *FileStep, blob []byte, olds []version.Old) (uint32, bool) {
	if isZero(blob) {
		return 0, false
	}
	for i, o := range olds {
		if o.Version != 0 && f.Old[i].Path == f.Path && string(a.w.blobOf(o.Version)) == string(blob) {
			return o.Version, true
		}
	}
	for i, o := range olds {
		if o.Version != 0 && f.Old[i].Path != f.Path && string(a.w.blobOf(o.Version)) == string(blob) {
			return a.w.appendRecord(record{
				commit: a.number, path: a.w.internPath(f.Path), blob: blob,
				lines: a.w.versions.Lines(o.Version), olds: []version.Old{{Version: o.Version}},
			}), true
		}
	}
	return 0, false
}

// measure checks the hunks against each other and the known lengths, and
// returns the number of lines, -1 if it is not known.
func (a *adding) measure(f *FileStep, olds []version.Old) (lines int, why string) {
	if f.Lines < 0 || f.Lines > diff.MaxLines {
		return 0, "impossible number of lines"
	}
	lines = -1
	if f.Lines > 0 {
		lines = f.Lines
	}
	allNew := true // and no hunks say how much: an empty file if nothing else is told
	// The second time the length is known that the first old files may have lacked.
	for range 2 {
		for _, o := range olds {
			length := 0
			switch {
			case o.Unknown:
				length = -1
			case o.Version != 0:
				length = a.w.versions.Lines(o.Version)
			case len(o.Hunks) == 0:
				continue
			}
			allNew = false
			n, why := diff.Check(o.Hunks, length, lines)
			if why != "" {
				return 0, why
			}
			lines = max(lines, n)
		}
	}
	if lines < 0 && allNew {
		lines = 0
	}
	return lines, ""
}

// unknownFile makes the record of a file of which nothing is known.
func (a *adding) unknownFile(path string, blob []byte, lines int) uint32 {
	if lines <= 0 || lines > diff.MaxLines {
		lines = -1
	}
	return a.w.appendRecord(record{
		commit: a.number, path: a.w.internPath(path), blob: blob, lines: lines, ownUnknown: true,
	})
}
