package version

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/stemma-dev/stemma/attribution/diff"
)

// piece says that count lines behind the first at lines of some version are
// those behind the first out lines of the file asked for.
type piece struct{ at, count, out uint32 }

// source is a piece at the end of its way.
type source struct {
	piece
	version uint32
	unknown bool
}

// A Run says where a run of lines came from: line Start of the version asked for
// was line Line of Version, and so on for Count lines. If Unknown is set, the
// lines are at least as old as Version, and what came before is not known.
type Run struct {
	Start, Count int
	Version      uint32
	Line         int
	Unknown      bool
}

// A Tracer follows lines from version to version. It may be used again, but by
// one goroutine at a time.
//
// A version only ever comes from versions with lower numbers, so that taking the
// highest first meets each once.
type Tracer struct {
	v       *Versions
	waiting map[uint32][]piece
	heap    []uint32 // the keys of waiting, highest first
	done    []source
	spare   [][]piece
	hunks   []change // of the old version at hand
	runs    []Run    // the last answer
}

// Tracer returns a Tracer through v.
func (v *Versions) Tracer() *Tracer { return &Tracer{v: v, waiting: map[uint32][]piece{}} }

// Runs returns where ranges of lines of a version came from, in the order of the
// lines; the answer holds until the next call. The ranges are in order and apart,
// and within the version if it is known how many lines that has.
func (t *Tracer) Runs(version uint32, ranges []diff.Range) []Run {
	t.done = t.done[:0]
	start := t.fresh()
	for _, r := range ranges {
		start = append(start, piece{uint32(r.Start - 1), uint32(r.Count), uint32(r.Start - 1)})
	}
	t.pass(version, start)
	for len(t.heap) > 0 {
		next := t.pop()
		pieces := t.waiting[next]
		delete(t.waiting, next)
		byLine := func(a, b piece) int { return cmp.Compare(a.at, b.at) }
		if !slices.IsSortedFunc(pieces, byLine) {
			slices.SortStableFunc(pieces, byLine)
		}
		t.step(next, pieces)
	}
	return t.collect()
}

// step hands the pieces of a version on to the versions it came from.
func (t *Tracer) step(version uint32, pieces []piece) {
	v := varints{t.v.Encoded(version)}
	ownUnknown := v.next()&1 != 0
	for olds := v.next(); olds > 0 && len(pieces) > 0; olds-- {
		from := v.next()
		if from == fromNothing {
			continue
		}
		same, rest := t.split(&v, pieces, from != fromUnknown)
		t.release(pieces)
		pieces = rest
		if from == fromUnknown {
			// Where these lines were before is not known: they stop here.
			t.finish(version, same, true)
			continue
		}
		old := version - 1 - uint32(from-fromVersion)
		if k := len(same) - 1; k >= 0 && same[k].at > diff.MaxLines-same[k].count {
			// Only of files of unknown length can lines be asked for that are not there.
			t.finish(old, same, true)
			continue
		}
		t.pass(old, same)
	}
	t.finish(version, pieces, ownUnknown)
}

// Own returns the lines of a version that are in none of the versions it was made
// of, in order and apart, and these versions. No line is its own if it may be older,
// or if it is not known how many there are.
func (t *Tracer) Own(version uint32) (own []diff.Range, olds []uint32) {
	pieces := t.fresh()
	if n := t.v.Lines(version); n > 0 {
		pieces = append(pieces, piece{0, uint32(n), 0})
	}
	v := varints{t.v.Encoded(version)}
	if v.next()&1 != 0 {
		pieces = pieces[:0]
	}
	for n := v.next(); n > 0; n-- {
		from := v.next()
		if from == fromNothing {
			continue
		}
		if from != fromUnknown {
			olds = append(olds, version-1-uint32(from-fromVersion))
		}
		same, rest := t.split(&v, pieces, false)
		t.release(same)
		t.release(pieces)
		pieces = rest
	}
	for _, p := range pieces {
		own = append(own, diff.Range{Start: int(p.at) + 1, Count: int(p.count)})
	}
	t.release(pieces)
	return own, olds
}

// split reads the hunks of one old version and divides pieces into those that
// the old version has, at its lines if move is set, and the rest. Pieces may
// overlap, where a merge took a line of an old file twice.
func (t *Tracer) split(v *varints, pieces []piece, move bool) (same, rest []piece) {
	t.readHunks(v)
	same, rest = t.fresh(), t.fresh()
	i := 0 // the first hunk that ends behind the place reached
	for _, p := range pieces {
		if i > 0 && t.hunks[i-1].newEnd > p.at {
			i, _ = slices.BinarySearchFunc(t.hunks, p.at, func(h change, at uint32) int {
				if h.newEnd <= at {
					return -1
				}
				return 1
			})
		}
		for p.count > 0 {
			for t.hunks[i].newEnd <= p.at {
				i++
			}
			h := t.hunks[i]
			if p.at < h.newAt {
				n := min(p.count, h.newAt-p.at)
				q := piece{p.at, n, p.out}
				if move {
					q.at += h.shift
				}
				same = join(same, q)
				p = piece{p.at + n, p.count - n, p.out + n}
				continue
			}
			n := min(p.count, h.newEnd-p.at)
			rest = join(rest, piece{p.at, n, p.out})
			p = piece{p.at + n, p.count - n, p.out + n}
		}
	}
	return same, rest
}

// change is a hunk as split needs it.
type change struct {
	newAt, newEnd uint32
	shift         uint32 // from new to old lines before the hunk, modulo 2^32
}

// readHunks decodes hunks, with one behind all lines at the end.
func (t *Tracer) readHunks(v *varints) {
	t.hunks = t.hunks[:0]
	var oldEnd, newEnd uint32
	for n := v.next(); n > 0; n-- {
		gap, oldLines, newLines := uint32(v.next()), uint32(v.next()), uint32(v.next())
		t.hunks = append(t.hunks, change{newEnd + gap, newEnd + gap + newLines, oldEnd - newEnd})
		oldEnd, newEnd = oldEnd+gap+oldLines, newEnd+gap+newLines
	}
	t.hunks = append(t.hunks, change{math.MaxUint32, math.MaxUint32, oldEnd - newEnd})
}

// join appends a piece, to the last one if it goes on there.
func join(to []piece, p piece) []piece {
	if k := len(to) - 1; k >= 0 && to[k].at+to[k].count == p.at && to[k].out+to[k].count == p.out {
		to[k].count += p.count
		return to
	}
	return append(to, p)
}

// pass lets pieces wait for a version.
func (t *Tracer) pass(version uint32, pieces []piece) {
	if len(pieces) == 0 {
		t.release(pieces)
		return
	}
	if there, ok := t.waiting[version]; ok {
		t.waiting[version] = append(there, pieces...)
		t.release(pieces)
		return
	}
	t.waiting[version] = pieces
	t.heap = append(t.heap, version)
	for i := len(t.heap) - 1; i > 0 && t.heap[(i-1)/2] < t.heap[i]; i = (i - 1) / 2 {
		t.heap[i], t.heap[(i-1)/2] = t.heap[(i-1)/2], t.heap[i]
	}
}

// pop takes the highest waiting version.
func (t *Tracer) pop() uint32 {
	top, last := t.heap[0], len(t.heap)-1
	t.heap[0] = t.heap[last]
	t.heap = t.heap[:last]
	for i := 0; ; {
		big := i
		for _, c := range [2]int{2*i + 1, 2*i + 2} {
			if c < last && t.heap[c] > t.heap[big] {
				big = c
			}
		}
		if big == i {
			return top
		}
		t.heap[i], t.heap[big] = t.heap[big], t.heap[i]
		i = big
	}
}

func (t *Tracer) finish(version uint32, pieces []piece, unknown bool) {
	for _, p := range pieces {
		t.done = append(t.done, source{p, version, unknown})
	}
	t.release(pieces)
}

func (t *Tracer) fresh() []piece {
	if n := len(t.spare) - 1; n >= 0 {
		s := t.spare[n]
		t.spare = t.spare[:n]
		return s[:0]
	}
	return nil
}

func (t *Tracer) release(pieces []piece) {
	if cap(pieces) > 0 {
		t.spare = append(t.spare, pieces)
	}
}

// collect brings what is done into the order of the lines asked for.
func (t *Tracer) collect() []Run {
	slices.SortFunc(t.done, func(a, b source) int { return cmp.Compare(a.out, b.out) })
	runs := t.runs[:0]
	for _, s := range t.done {
		r := Run{Start: int(s.out) + 1, Count: int(s.count), Version: s.version, Line: int(s.at) + 1, Unknown: s.unknown}
		if k := len(runs) - 1; k >= 0 && goesOn(runs[k], r) {
			runs[k].Count += r.Count
			continue
		}
		runs = append(runs, r)
	}
	t.runs = runs
	return runs
}

// goesOn reports whether b is the continuation of a.
func goesOn(a, b Run) bool {
	return a.Version == b.Version && a.Unknown == b.Unknown && a.Line+a.Count == b.Line && a.Start+a.Count == b.Start
}

// varints reads unsigned varints that were checked when they were written.
type varints struct{ b []byte }

func (v *varints) next() uint64 {
	if len(v.b) > 0 && v.b[0] < 0x80 {
		x := uint64(v.b[0])
		v.b = v.b[1:]
		return x
	}
	x, n := binary.Uvarint(v.b)
	if n <= 0 {
		panic("version: a version is cut short")
	}
	v.b = v.b[n:]
	return x
}
