package diff

import (
	"bytes"
	"cmp"
	"slices"
	"unicode"
)

// How much text a block must have to count as moved or copied and not as written
// again: letters and digits, as git blame counts them by default for its -M, within
// a file, and its -C, from another one.
const (
	MovedText  = 20
	CopiedText = 40
)

// Limits of a search, for each text by itself. What they leave out is not found.
const (
	maxTimes  = 32      // that a line which leads to a block stands in the text
	maxBlocks = 4096    // that are kept to choose from, those with most text
	maxSteps  = 1 << 23 // lines compared, or not compared again
)

// A Search finds where blocks of lines of some texts came from that stand in older
// texts too, white space aside, as git blame -w -M -C finds them: the block with the
// most text first, then those in what is left on either side of it. Of equal blocks
// the one counts that was looked through last, and stands last there.
//
// Where git compares by a diff, here the block counts that really has the most text.
// What is found for a text does not depend on the texts beside it. A Search is for
// one goroutine.
type Search struct {
	least   int              // letters and digits of a block
	numbers map[string]int32 // of the lines looked for, without their white space; from 1
	at      [][]int32        // by number: the places of the line, if it may lead to a block
	weights []int32          // by number: letters and digits

	// The lines of all runs, with one behind each run that equals nothing.
	lines   []int32 // their numbers
	letters []int   // before each of them, and behind the last
	text    []int32 // of which text they are

	texts []sought
	ends  *endSet // of the lines looked for
	bare  []byte  // a line without its white space
	now   []int32 // the lines of the text looked through
}

var newLine = []byte("\n")

// sought is one text whose lines are looked for.
type sought struct {
	runs   []placed
	steps  int // left
	blocks []found
	known  map[[2]int]int // blocks by their place and size
}

// placed is a run of lines and the place of the first.
type placed struct {
	Range
	at int
}

// found is a block: size lines from a place, which stand in an older text from
// line old on, counted from 0.
type found struct{ at, size, from, old int }

// An Origin says that Count lines of a text from line New stand in the older text
// with the number From, from line Old on.
type Origin struct {
	Match
	From int
}

// NewSearch returns a Search for blocks of at least so many letters and digits.
func NewSearch(least int) *Search {
	return &Search{least: max(least, 1), numbers: map[string]int32{}, at: [][]int32{nil}, weights: []int32{0}, letters: []int{0}, ends: &endSet{}}
}

// Add takes the next text, of which runs of lines are looked for; they are in order
// and apart, and within the text. It returns its number, from 0.
func (s *Search) Add(text [][]byte, runs []Range) int {
	n := len(s.texts)
	t := sought{steps: maxSteps, known: map[[2]int]int{}}
	first := len(s.lines)
	for _, r := range runs {
		t.runs = append(t.runs, placed{r, len(s.lines)})
		for _, l := range text[r.Start-1 : r.Start-1+r.Count] {
			s.add(s.number(l), n)
		}
		s.add(0, n)
	}
	times := map[int32]int{}
	for _, k := range s.lines[first:] {
		times[k]++
	}
	for i, k := range s.lines[first:] {
		if s.weights[k] > 0 && times[k] <= maxTimes {
			s.at[k] = append(s.at[k], int32(first+i))
		}
	}
	s.texts = append(s.texts, t)
	return n
}

func (s *Search) add(number int32, text int) {
	s.lines = append(s.lines, number)
	s.letters = append(s.letters, s.letters[len(s.letters)-1]+int(s.weights[number]))
	s.text = append(s.text, int32(text))
}

// Seeks reports whether some run has enough text to be found.
func (s *Search) Seeks() bool {
	return slices.ContainsFunc(s.texts, func(t sought) bool {
		return slices.ContainsFunc(t.runs, func(r placed) bool { return s.weight(r.at, r.Count) >= s.least })
	})
}

// number gives equal lines equal numbers.
func (s *Search) number(line []byte) int32 {
	s.bare = appendSpaceless(s.bare[:0], line)
	n, ok := s.numbers[string(s.bare)]
	if !ok {
		n = int32(len(s.weights))
		s.numbers[string(s.bare)] = n
		sum, _ := endsOf(s.bare)
		s.ends.add(sum)
		s.at, s.weights = append(s.at, nil), append(s.weights, int32(letters(s.bare)))
	}
	return n
}

// In looks through an older text, which answers call by the number from. The texts
// for which except holds are not looked for in it. It does not keep the text.
func (s *Search) In(from int, old []byte, except func(text int) bool) {
	now := s.now[:0]
	some := false
	for len(old) > 0 {
		line, rest, _ := bytes.Cut(old, newLine)
		k := int32(0)
		if sum, plain := endsOf(line); !plain || s.ends.has(sum) {
			s.bare = appendSpaceless(s.bare[:0], line)
			k = s.numbers[string(s.bare)]
			some = some || s.weights[k] > 0
		}
		now, old = append(now, k), rest
	}
	s.now = now
	if !some {
		return
	}
	compared := map[int]int{} // by old line less place: up to which old line
	for j, k := range now {
		for _, at := range s.at[k] {
			i, t := int(at), &s.texts[s.text[at]]
			if t.steps <= 0 || except(int(s.text[at])) {
				continue
			}
			t.steps--
			if j < compared[j-i] {
				continue
			}
			b := s.extend(now, i, j)
			b.from = from
			compared[j-i] = b.old + b.size
			t.steps -= b.size
			if s.weight(b.at, b.size) >= s.least {
				s.keep(t, b)
			}
		}
	}
}

// extend finds the block around a line that is the same.
func (s *Search) extend(now []int32, i, j int) found {
	size := 1
	for i > 0 && j > 0 && now[j-1] != 0 && s.lines[i-1] == now[j-1] {
		i, j, size = i-1, j-1, size+1
	}
	for j+size < len(now) && now[j+size] != 0 && s.lines[i+size] == now[j+size] {
		size++
	}
	return found{at: i, size: size, old: j}
}

func (s *Search) weight(at, size int) int { return s.letters[at+size] - s.letters[at] }

// keep keeps a block to choose from; of equal ones the last.
func (s *Search) keep(t *sought, b found) {
	key := [2]int{b.at, b.size}
	if i, ok := t.known[key]; ok {
		t.blocks[i] = b
		return
	}
	if len(t.blocks) == 2*maxBlocks {
		slices.SortStableFunc(t.blocks, func(a, b found) int { return s.weight(b.at, b.size) - s.weight(a.at, a.size) })
		t.blocks = t.blocks[:maxBlocks]
		clear(t.known)
		for i, kept := range t.blocks {
			t.known[[2]int{kept.at, kept.size}] = i
		}
	}
	t.known[key] = len(t.blocks)
	t.blocks = append(t.blocks, b)
}

// Found returns where lines of a text came from, and the lines of which nothing was
// found, both in the order of the lines.
func (s *Search) Found(text int) (origins []Origin, rest []Range) {
	t := &s.texts[text]
	blocks := slices.Clone(t.blocks)
	slices.SortFunc(blocks, func(a, b found) int { return cmp.Or(a.at-b.at, a.size-b.size) })
	for _, r := range t.runs {
		n := 0 // blocks of this run
		for n < len(blocks) && blocks[n].at < r.at+r.Count {
			n++
		}
		for _, b := range s.choose(blocks[:n], r.at, r.at+r.Count) {
			origins = append(origins, Origin{Match{Old: b.old + 1, New: r.Start + b.at - r.at, Count: b.size}, b.from})
		}
		blocks = blocks[n:]
	}
	next := 0
	for _, r := range t.runs {
		start, end := r.Start, r.Start+r.Count
		for ; next < len(origins) && origins[next].New < end; next++ {
			if o := origins[next]; o.New > start {
				rest = append(rest, Range{start, o.New - start})
			}
			start = origins[next].New + origins[next].Count
		}
		if start < end {
			rest = append(rest, Range{start, end - start})
		}
	}
	return origins, rest
}

// choose picks blocks of the places from lo to hi, in their order: each time the
// one with the most text of what is left.
func (s *Search) choose(blocks []found, lo, hi int) (chosen []found) {
	open := [][2]int{{lo, hi}}
	for len(open) > 0 && len(chosen) < maxBlocks {
		lo, hi = open[len(open)-1][0], open[len(open)-1][1]
		open = open[:len(open)-1]
		best, most := found{}, s.least-1
		for _, b := range blocks {
			from, to := max(b.at, lo), min(b.at+b.size, hi)
			if from >= to {
				continue
			}
			b = found{at: from, size: to - from, from: b.from, old: b.old + from - b.at}
			switch w := s.weight(b.at, b.size); {
			case w > most, w == most && best.size > 0 && cmp.Or(b.from-best.from, b.old-best.old) > 0:
				best, most = b, w
			}
		}
		if best.size > 0 {
			chosen = append(chosen, best)
			open = append(open, [2]int{lo, best.at}, [2]int{best.at + best.size, hi})
		}
	}
	slices.SortFunc(chosen, func(a, b found) int { return a.at - b.at })
	return chosen
}

// letters counts letters and digits.
func letters(line []byte) (n int) {
	for _, r := range string(line) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			n++
		}
	}
	return n
}
