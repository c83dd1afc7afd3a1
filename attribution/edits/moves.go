package edits

import "unicode"

// movedText is how many letters and digits a block must have to count as moved
// and not as written again, as git diff --color-moved has it.
const movedText = 20

// backText is how many it must have to count as text that came back, and not as
// written again: more, since time has passed. The usual lines of error handling
// have less.
const backText = 30

// againText is how many it must have to count as what a commit of long ago added, which
// somebody put back, and not as written by who commits it.
const againText = 90

// A block says which blocks of lines count as the same again.
type block struct {
	text  int                   // letters and digits that it must have at least
	whole bool                  // it must be a whole run
	weigh func(line []byte) int // how many a line has that tell where it comes from
}

// Limits of what is remembered.
const (
	maxPlaces = 32      // that are tried for a line, the last ones first
	maxGone   = 200_000 // lines of one file
)

// An attic keeps lines that are gone, in runs as they stood together.
type attic struct {
	rows []row
	at   map[Key][]int // rows by their text, in the order in which they went
}

// A row is one line that is gone.
type row struct {
	text Key // 0 if it is blank
	line Line
	back bool // it is there again, or the row is no line but the end of a run
	end  bool
}

// keep adds runs of lines.
func (a *attic) keep(text [][]byte, lines []Line, runs []span) {
	for _, run := range runs {
		rows := make([]row, run.size())
		for i, l := range strip(text[run.from:run.to]) {
			rows[i] = row{text: markOf(l), line: lines[run.from+i]}
		}
		a.add(rows)
	}
}

// take moves over what has not come back.
func (a *attic) take(from *attic) {
	begin := 0
	for i, r := range from.rows {
		if r.back {
			a.add(from.rows[begin:i])
			begin = i + 1
		}
	}
}

// add adds a run. When there are too many rows, all older ones are given up.
func (a *attic) add(run []row) {
	if len(run) == 0 {
		return
	}
	if a.at == nil || len(a.rows)+len(run) > maxGone {
		a.rows, a.at = nil, map[Key][]int{}
	}
	for _, r := range run {
		a.at[r.text] = append(a.at[r.text], len(a.rows))
		a.rows = append(a.rows, r)
	}
	a.rows = append(a.rows, row{back: true, end: true})
}

// giveBack gives the blocks of fresh lines that are in the attic to whom they
// belonged, also if they were indented anew; every row comes back once. It returns
// the lines that are still fresh.
func (s *step) giveBack(a *attic, fresh []span, is block) (still []span) {
	if len(a.rows) == 0 {
		return fresh
	}
	for _, run := range fresh {
		now := marksOf(s.now[run.from:run.to])
		begin, next := 0, -1 // of what is still fresh; the row behind the last block
		for i := 0; i < len(now); {
			from, size := a.longest(now[i:], s.now[run.from+i:run.to], is)
			if size == 0 && next >= 0 && !is.whole { // less text will do where a block goes on behind a new line
				from, size = next, a.equal(next, now[i:])
			}
			if size == 0 {
				i++
				continue
			}
			if begin < i {
				still = append(still, span{run.from + begin, run.from + i})
			}
			for k := range size {
				s.lines[run.from+i+k] = a.rows[from+k].line
				a.rows[from+k].back = true
			}
			i += size
			begin, next = i, from+size
		}
		if begin < len(now) {
			still = append(still, span{run.from + begin, run.to})
		}
	}
	return still
}

// longest finds the longest block of rows that is the beginning of now, the keys of
// lines; of several the one that went last.
func (a *attic) longest(now []Key, lines [][]byte, is block) (from, size int) {
	places := a.at[now[0]]
	for tried := 0; tried < maxPlaces && tried < len(places); tried++ {
		p := places[len(places)-1-tried]
		n, text := a.equal(p, now), 0
		for _, l := range lines[:n] {
			text += is.weigh(l)
		}
		if text >= is.text && n > size && (!is.whole || a.isRun(p, n)) {
			from, size = p, n
		}
	}
	return from, size
}

// marksOf are the keys of lines.
func marksOf(lines [][]byte) []Key {
	keys := make([]Key, len(lines))
	for i, l := range strip(lines) {
		keys[i] = markOf(l)
	}
	return keys
}

// equal is how many of the lines are those of the rows from p on.
func (a *attic) equal(p int, now []Key) (n int) {
	for n < len(now) && p+n < len(a.rows) && !a.rows[p+n].back && a.rows[p+n].text == now[n] {
		n++
	}
	return n
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

// isRun reports whether n rows from p on are a whole run.
func (a *attic) isRun(p, n int) bool {
	end := func(i int) bool { return i < 0 || i == len(a.rows) || a.rows[i].end }
	return end(p-1) && end(p+n)
}
