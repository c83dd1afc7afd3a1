// Package diff compares texts line by line: which hunks lead from one to the other
// ([Lines]), which of the lines they replace may matter ([Significant]), and which
// blocks of lines of one stand in others too ([Search]).
//
// The package knows bytes and line numbers, nothing of files, commits or people,
// and does no I/O.
package diff

import (
	"bytes"
	"cmp"
	"slices"
)

// maxCost bounds the steps that Lines takes for one pair of texts, which then
// last some tenths of a second.
const maxCost = 1 << 26

// Lines returns the shortest hunks that turn lines a into lines b. If finding
// the shortest would cost too much, exact is false and the hunks, although
// they do lead from a to b, say nothing about which lines survived.
func Lines(a, b [][]byte) (hunks []Hunk, exact bool) {
	return within(a, b, maxCost)
}

func within(a, b [][]byte, cost int) (hunks []Hunk, exact bool) {
	lo, endA, endB := trim(a, b)
	x, y := numberLines(a[lo:endA], b[lo:endB])
	d := differ{a: x, b: y, goneA: make([]bool, len(x)), newB: make([]bool, len(y)), cost: cost}
	d.shortest()
	if d.cost < 0 {
		return []Hunk{makeHunk(lo, endA, lo, endB)}, false
	}
	return d.hunks(a, b, lo), true
}

// numberLines gives equal lines equal numbers.
func numberLines(a, b [][]byte) (x, y []int32) {
	numbers := make(map[string]int32, len(a))
	number := func(lines [][]byte) []int32 {
		out := make([]int32, len(lines))
		for i, l := range lines {
			n, ok := numbers[string(l)]
			if !ok {
				n = int32(len(numbers))
				numbers[string(l)] = n
			}
			out[i] = n
		}
		return out
	}
	return number(a), number(b)
}

// trim returns the part of a and b, a[lo:endA] and b[lo:endB], between what is
// equal at both ends.
func trim(a, b [][]byte) (lo, endA, endB int) {
	endA, endB = len(a), len(b)
	for lo < endA && lo < endB && bytes.Equal(a[lo], b[lo]) {
		lo++
	}
	for lo < endA && lo < endB && bytes.Equal(a[endA-1], b[endB-1]) {
		endA--
		endB--
	}
	return lo, endA, endB
}

// differ finds a shortest edit in linear space (Myers 1986): it looks for the
// middle of a shortest way from both ends and goes on in the two halves.
type differ struct {
	a, b        []int32
	goneA, newB []bool // the result: lines that only one side has
	cost        int    // steps left; negative when they did not suffice

	keptA, keptB []int32 // lines that are on both sides
	posA, posB   []int32 // where those were
	fore, back   []int32 // how far each diagonal was reached from either end
}

// shortest marks the lines of a and b that change.
func (d *differ) shortest() {
	in := make(map[int32]uint8, len(d.a))
	for _, n := range d.a {
		in[n] |= 1
	}
	for _, n := range d.b {
		in[n] |= 2
	}
	// A line that the other side has nowhere changes in any case.
	pick := func(lines []int32, changed []bool) (kept, pos []int32) {
		for i, n := range lines {
			if in[n] != 3 {
				changed[i] = true
				continue
			}
			kept, pos = append(kept, n), append(pos, int32(i))
		}
		return kept, pos
	}
	d.keptA, d.posA = pick(d.a, d.goneA)
	d.keptB, d.posB = pick(d.b, d.newB)
	size := len(d.keptA) + len(d.keptB) + 3
	d.fore, d.back = make([]int32, size), make([]int32, size)
	todo := []box{{0, len(d.keptA), 0, len(d.keptB)}}
	for len(todo) > 0 && d.cost >= 0 {
		x := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for x.loA < x.hiA && x.loB < x.hiB && d.keptA[x.loA] == d.keptB[x.loB] {
			x.loA, x.loB = x.loA+1, x.loB+1
		}
		for x.loA < x.hiA && x.loB < x.hiB && d.keptA[x.hiA-1] == d.keptB[x.hiB-1] {
			x.hiA, x.hiB = x.hiA-1, x.hiB-1
		}
		if x.loA == x.hiA || x.loB == x.hiB {
			for _, i := range d.posA[x.loA:x.hiA] {
				d.goneA[i] = true
			}
			for _, i := range d.posB[x.loB:x.hiB] {
				d.newB[i] = true
			}
			continue
		}
		midA, midB := d.middle(x)
		todo = append(todo, box{midA, x.hiA, midB, x.hiB}, box{x.loA, midA, x.loB, midB})
	}
}

// box is a part of both sides that is still to be compared.
type box struct{ loA, hiA, loB, hiB int }

// middle finds a point on a shortest way through the box, not a corner of it.
func (d *differ) middle(x box) (midA, midB int) {
	n, m := x.hiA-x.loA, x.hiB-x.loB
	delta := n - m
	zero := len(d.fore) / 2
	a, b := d.keptA[x.loA:x.hiA], d.keptB[x.loB:x.hiB]
	for step := 0; d.cost >= 0; step++ {
		d.cost -= 2*step + 1
		for k := -step; k <= step; k += 2 {
			i := reach(d.fore, zero, k, step, n, m)
			from := i
			for i >= 0 && i < n && i-k < m && a[i] == b[i-k] {
				i++
			}
			d.cost -= i - from
			d.fore[zero+k] = int32(i)
			if other := delta - k; i >= 0 && delta&1 != 0 && -step < other && other < step {
				if far := int(d.back[zero+other]); far >= 0 && i+far >= n {
					return x.loA + from, x.loB + from - k
				}
			}
		}
		for k := -step; k <= step; k += 2 {
			i := reach(d.back, zero, k, step, n, m)
			from := i
			for i >= 0 && i < n && i-k < m && a[n-1-i] == b[m-1-i+k] {
				i++
			}
			d.cost -= i - from
			d.back[zero+k] = int32(i)
			if other := delta - k; i >= 0 && delta&1 == 0 && -step <= other && other <= step {
				if far := int(d.fore[zero+other]); far >= 0 && i+far >= n {
					return x.loA + n - from, x.loB + m - (from - k)
				}
			}
		}
	}
	return x.loA, x.loB
}

// reach is how far diagonal k can be entered with one step from its
// neighbours, without leaving the n by m box; -1 if it cannot.
func reach(v []int32, zero, k, step, n, m int) int {
	if step == 0 {
		return 0
	}
	best := -1
	if k > -step {
		if i := int(v[zero+k-1]); i >= 0 && i < n {
			best = i + 1
		}
	}
	if k < step {
		if i := int(v[zero+k+1]); i > best && i-k <= m {
			best = i
		}
	}
	return best
}

// hunks gathers the marked lines, which are those of a and b from lo on. Where a
// hunk that only adds or only removes could as well be further down, it goes as far
// down as it can, as in git.
func (d *differ) hunks(a, b [][]byte, lo int) []Hunk {
	var spans []box
	for i, j := 0, 0; i < len(d.a) || j < len(d.b); {
		s := box{lo + i, lo + i, lo + j, lo + j}
		for ; i < len(d.a) && d.goneA[i]; i++ {
			s.hiA++
		}
		for ; j < len(d.b) && d.newB[j]; j++ {
			s.hiB++
		}
		if s.hiA > s.loA || s.hiB > s.loB {
			spans = append(spans, s)
		}
		i, j = i+1, j+1 // a line that both have, or the end
	}
	down := make([]box, 0, len(spans)) // last one first
	for _, s := range slices.Backward(spans) {
		endA, endB := len(a), len(b)
		if len(down) > 0 {
			endA, endB = down[len(down)-1].loA, down[len(down)-1].loB
		}
		for s.hiA < endA && s.hiB < endB &&
			(s.loB == s.hiB && bytes.Equal(a[s.loA], a[s.hiA]) || s.loA == s.hiA && bytes.Equal(b[s.loB], b[s.hiB])) {
			s = box{s.loA + 1, s.hiA + 1, s.loB + 1, s.hiB + 1}
		}
		if len(down) > 0 && s.hiA == endA && s.hiB == endB {
			down[len(down)-1].loA, down[len(down)-1].loB = s.loA, s.loB
			continue
		}
		down = append(down, s)
	}
	hunks := make([]Hunk, 0, len(down))
	for _, s := range slices.Backward(down) {
		hunks = append(hunks, makeHunk(s.loA, s.hiA, s.loB, s.hiB))
	}
	return hunks
}

// makeHunk makes the hunk that replaces lines loA to hiA by loB to hiB.
func makeHunk(loA, hiA, loB, hiB int) Hunk {
	h := Hunk{loA, hiA - loA, loB, hiB - loB}
	h.OldStart += cmp.Compare(h.OldLines, 0)
	h.NewStart += cmp.Compare(h.NewLines, 0)
	return h
}
