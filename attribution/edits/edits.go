// Package edits follows who wrote each line of one file while it is edited:
// contents in, one after the other and each with the hand that made it of the
// one before; hands of lines out.
//
// A line that an exact diff says survived keeps its hand. So does one of which
// only the white space changed, text that was only wrapped anew, and a block that
// was moved. A line that was rewritten is that of the hand that rewrote it, which
// remembers whose it was. Where the diff would cost too much, the lines
// between what is equal at both ends are nobody's.
//
// Text that goes is remembered: where a block of it comes back, because git put
// back what was there, it comes back to whose it was.
//
// The package knows bytes and numbers, nothing of sessions or people, and does
// no I/O.
package edits

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"unicode"

	"github.com/stemma-dev/stemma/attribution/diff"
)

// A Hand is who wrote something, as a number above 0 that the caller gives.
type Hand int32

// Hands that are nobody's.
const (
	Base    Hand = 0  // it was there before the first edit
	Unknown Hand = -1 // somebody who is not known
	Mixed   Hand = -2 // text of several hands was joined in one line
	Costly  Hand = -3 // finding out would cost too much
	Placed  Hand = -4 // nobody wrote it here: it was put in place from elsewhere
)

// A Line says whose a line is.
type Line struct {
	By   Hand
	Over Hand // whose line it replaced; Base also where it replaced none
}

// A File is one file at one moment of its editing. It is for one goroutine.
type File struct {
	name  string
	text  [][]byte
	lines []Line
	gone  attic
	other *glimpse
	known *Memory
}

// Start begins with a content. Without hands its lines are those of [Base];
// hands may have fewer elements than the content has lines. Files with one
// memory know the contents of each other, by their names; it may be nil.
func Start(name string, content []byte, hands []Hand, known *Memory) *File {
	if known == nil {
		known = &Memory{}
	}
	f := &File{name: name, text: split(content), known: known}
	known.wrote(f.text)
	f.lines = make([]Line, len(f.text))
	for i := range min(len(hands), len(f.lines)) {
		f.lines[i].By = hands[i]
	}
	known.begin(f)
	return f
}

// Become makes the file what another one is now.
func (f *File) Become(other *File) { f.text, f.lines = other.text, slices.Clone(other.lines) }

// Like reports whether half of the text of a content, or of the file if that has more, is
// in lines that both have: as much as git takes for a copy.
func (f *File) Like(content []byte) bool {
	same, all := f.shared(content)
	return same > 0 && 2*same >= all
}

// Near reports whether a content has some text of the file.
func (f *File) Near(content []byte) bool {
	same, _ := f.shared(content)
	return same >= backText
}

// shared is how much text a content and the file have in lines that are the same, and how
// much there is in the one that has more.
func (f *File) shared(content []byte) (same, all int) {
	left, mine := map[Key]int{}, 0
	for _, line := range f.text {
		mark, letters := markOf(line)
		left[mark]++
		mine += letters
	}
	for _, line := range split(content) {
		mark, letters := markOf(line)
		if all += letters; left[mark] > 0 {
			left[mark]--
			same += letters
		}
	}
	return same, max(all, mine)
}

// Within reports whether a content has every line of the file, if these are enough text
// to be told from what somebody else writes.
func (f *File) Within(content []byte) bool {
	there := map[Key]bool{}
	for mark := range PrintOf(split(content)).Marks {
		there[mark] = true
	}
	all := 0
	for _, line := range f.text {
		mark, letters := markOf(line)
		if mark != 0 && !there[mark] {
			return false
		}
		all += letters
	}
	return all >= AgainText
}

// Lines are those of the file now; the caller must not change them.
func (f *File) Lines() []Line { return f.lines }

// Has reports whether the file, as it was seen last, has a line with a key.
func (f *File) Has(k Key) bool {
	return slices.ContainsFunc(f.text, func(l []byte) bool { return KeyOf(l) == k })
}

// Keys are those of the lines of a content.
func Keys(content []byte) []Key {
	lines := split(content)
	keys := make([]Key, len(lines))
	for i, l := range lines {
		keys[i] = KeyOf(l)
	}
	return keys
}

// Give gives the lines with these keys to whom they belonged before they came
// from elsewhere; also those of the last glimpse.
func (f *File) Give(to map[Key]Line) {
	give := func(text [][]byte, lines []Line) {
		for i := range lines {
			if by, ok := to[KeyOf(text[i])]; ok {
				lines[i] = by
			}
		}
	}
	give(f.text, f.lines)
	if f.other != nil {
		give(f.other.text, f.other.lines)
	}
}

// split divides a content into lines without their ends. An end that is missing
// at the end of the file makes no other line.
func split(content []byte) [][]byte {
	if len(content) == 0 {
		return nil
	}
	return bytes.Split(bytes.TrimSuffix(content, []byte("\n")), []byte("\n"))
}

// A Back says how much text that comes back is taken for what was there, and not
// for written again.
type Back int

// How much is taken back.
const (
	Nothing Back = iota // the hand was seen to write it
	Whole               // a run of lines that went as a whole and comes as a whole, of some length
	Any                 // any block: git may have put it there
	Git                 // any block, and what goes may come back so too: git took it
)

// Step replaces the content by what a hand made of it.
func (f *File) Step(content []byte, by Hand, back Back) {
	s := f.step(content, by, back)
	f.text, f.lines, f.other = s.now, s.lines, nil
	f.gone.take(&s.left, back == Git)
	f.known.keep(f, s)
}

func (f *File) step(content []byte, by Hand, back Back) *step {
	s := &step{old: f.text, now: split(content), before: f.lines, by: by, sum: sha256.Sum256(content), size: len(content)}
	s.lines = make([]Line, len(s.now))
	hunks, exact := diff.Lines(s.old, s.now)
	if !exact {
		s.by = Costly
	}
	old, now := 0, 0
	keep := func(until int) {
		for ; now < until; old, now = old+1, now+1 {
			s.lines[now] = s.before[old]
		}
	}
	for _, h := range hunks {
		a, b := h.OldAt(), h.NewAt()
		keep(b)
		s.replace(span{a, a + h.OldLines}, span{b, b + h.NewLines}, exact)
		old, now = a+h.OldLines, b+h.NewLines
	}
	keep(len(s.now))
	s.left.keep(s.old, s.before, s.gone)
	if exact {
		s.fresh = s.giveBack(&s.left, s.fresh, block{movedText, false, all})
	}
	s.other = s.fresh
	if back != Nothing {
		s.fresh = s.recall(f.known.seen[s.sum], s.fresh)
	}
	if f.other != nil {
		s.fresh = s.fill(f.other, s.fresh)
		f.gone.keep(f.other.text, f.other.lines, f.other.extra)
	}
	switch back {
	case Whole:
		s.fresh = s.giveBack(&f.gone, s.fresh, block{backText, true, f.known.telling})
	case Any, Git:
		s.fresh = s.giveBack(&f.gone, s.fresh, block{backText, false, f.known.telling})
	case Nothing:
	}
	return s
}

// A span is lines[from:to].
type span struct{ from, to int }

func (s span) size() int { return s.to - s.from }

// A step is what one hand made of one content.
type step struct {
	old, now [][]byte
	sum      sum // of the content of now
	size     int // in bytes
	before   []Line
	lines    []Line // of now
	by       Hand
	gone     []span // runs of old that are not there any more
	fresh    []span // runs of now that the hand wrote
	other    []span // runs of now that are not from old
	left     attic  // what is gone and was not moved elsewhere
}

// replace settles the new lines of a hunk. Lines that differ in white space only
// survive.
func (s *step) replace(a, b span, exact bool) {
	if !exact {
		s.write(a, b)
		return
	}
	hunks, exact := diff.Lines(strip(s.old[a.from:a.to]), strip(s.now[b.from:b.to]))
	if !exact {
		s.write(a, b)
		return
	}
	old, now := a.from, b.from
	keep := func(until int) {
		for ; now < until; old, now = old+1, now+1 {
			s.lines[now] = s.before[old]
		}
	}
	for _, h := range hunks {
		x := span{a.from + h.OldAt(), a.from + h.OldAt() + h.OldLines}
		y := span{b.from + h.NewAt(), b.from + h.NewAt() + h.NewLines}
		keep(y.from)
		if !s.rewrap(x, y) {
			s.write(x, y)
		}
		old, now = x.to, y.to
	}
	keep(b.to)
}

// strip takes the white space out of lines.
func strip(lines [][]byte) [][]byte {
	out := make([][]byte, len(lines))
	for i, l := range lines {
		out[i] = bytes.Map(func(r rune) rune {
			if unicode.IsSpace(r) {
				return -1
			}
			return r
		}, l)
	}
	return out
}

// rewrap settles new lines that hold the same text as the old ones, broken into
// lines elsewhere: each is of the hands whose text it holds.
func (s *step) rewrap(a, b span) bool {
	old, now := strip(s.old[a.from:a.to]), strip(s.now[b.from:b.to])
	text := bytes.Join(old, nil)
	if len(text) == 0 || !bytes.Equal(text, bytes.Join(now, nil)) {
		return false
	}
	at, left := 0, len(old[0]) // the old line that the text comes from, and how much of it is left
	for i, l := range now {
		line, first := &s.lines[b.from+i], true
		for n := len(l); n > 0; {
			for left == 0 {
				at++
				left = len(old[at])
			}
			take := min(n, left)
			from := s.before[a.from+at]
			switch {
			case first:
				*line, first = from, false
			case line.By != from.By:
				line.By = Mixed
			}
			n, left = n-take, left-take
		}
		if first { // a blank line between
			*line = Line{By: s.by}
		}
	}
	return true
}

// write gives new lines to the hand. Line by line where there are as many as
// before, they remember whose they replaced.
func (s *step) write(a, b span) {
	for i := b.from; i < b.to; i++ {
		s.lines[i] = Line{By: s.by, Over: s.replaced(a, b, i)}
	}
	if a.size() > 0 {
		s.gone = append(s.gone, a)
	}
	if b.size() > 0 {
		s.fresh = append(s.fresh, b)
	}
}

// replaced is whose lines of a the line i of b stands for: those of one hand, if
// there are not as many.
func (s *step) replaced(a, b span, i int) Hand {
	whose := func(l Line) Hand {
		if l.By == s.by {
			return l.Over // the hand corrects itself
		}
		return l.By
	}
	if a.size() == b.size() {
		return whose(s.before[a.from+i-b.from])
	}
	over := Base
	for j := a.from; j < a.to; j++ {
		h := whose(s.before[j])
		if j > a.from && h != over {
			return Base
		}
		over = h
	}
	return over
}
