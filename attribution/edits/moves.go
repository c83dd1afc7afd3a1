package edits

// movedText is how many letters and digits a block must have to count as moved
// and not as written again, as git diff --color-moved has it.
const movedText = 20

// backText is how many it must have to count as text that came back, and not as
// written again: more, since time has passed. The usual lines of error handling
// have less.
const backText = 30

// AgainText is how many it must have to count as what a commit of long ago added, which
// somebody put back, and not as written by who commits it.
const AgainText = 90

// A block says which blocks of lines count as the same again.
type block struct {
	text  int                             // letters and digits that it must have at least
	whole bool                            // it must be a whole run, unless git took it
	weigh func(mark Key, letters int) int // how many of a line's tell where it comes from
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
	git  bool // git took it
}

// keep adds runs of lines.
func (a *attic) keep(text [][]byte, lines []Line, runs []span) {
	for _, run := range runs {
		rows := make([]row, run.size())
		for i, l := range text[run.from:run.to] {
			mark, _ := markOf(l)
			rows[i] = row{text: mark, line: lines[run.from+i]}
		}
		a.add(rows)
	}
}

// take moves over what has not come back.
func (a *attic) take(from *attic, git bool) {
	begin := 0
	for i, r := range from.rows {
		from.rows[i].git = git
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
// belonged. It returns the lines that are still fresh.
func (s *step) giveBack(a *attic, fresh []span, is block) (still []span) {
	if len(a.rows) == 0 {
		return fresh
	}
	for _, run := range fresh {
		for _, left := range a.giveBack(PrintOf(s.now[run.from:run.to]), s.lines[run.from:run.to], is) {
			still = append(still, span{run.from + left.from, run.from + left.to})
		}
	}
	return still
}

// giveBack gives the blocks of a run that are in the attic to whom they belonged, also
// if they were indented anew; every row comes back once. It returns what is left.
func (a *attic) giveBack(now Print, lines []Line, is block) (left []span) {
	begin, next := 0, -1 // of what is still fresh; the row behind the last block
	for i := 0; i < now.Len(); {
		from, size := a.longest(now, i, is)
		if size == 0 && next >= 0 && (!is.whole || a.rows[next].git) { // less text will do where a block goes on behind a new line
			from, size = next, a.equal(next, now.marks[i:])
		}
		if size == 0 {
			i++
			continue
		}
		if begin < i {
			left = append(left, span{begin, i})
		}
		for k := range size {
			lines[i+k] = a.rows[from+k].line
			a.rows[from+k].back = true
		}
		i += size
		begin, next = i, from+size
	}
	if begin < now.Len() {
		left = append(left, span{begin, now.Len()})
	}
	return left
}

// Went tells whose lines were that are not in this file any more and stand in another
// text: of blocks with enough text to be told, that was written once besides. The other
// lines are of [Unknown].
func (f *File) Went(to Print, back Back) []Line {
	lines := make([]Line, to.Len())
	for i := range lines {
		lines[i].By = Unknown
	}
	f.gone.giveBack(to, lines, block{backText, back == Whole, f.known.tellingOnce})
	return lines
}

// longest finds the longest block of rows that stands in now at a line; of several the
// one that went last.
func (a *attic) longest(now Print, at int, is block) (from, size int) {
	places := a.at[now.marks[at]]
	for tried := 0; tried < maxPlaces && tried < len(places); tried++ {
		p := places[len(places)-1-tried]
		n, text := a.equal(p, now.marks[at:]), 0
		for i := at; i < at+n; i++ {
			text += is.weigh(now.marks[i], int(now.letters[i]))
		}
		if text >= is.text && n > size && (!is.whole || a.rows[p].git || a.isRun(p, n)) {
			from, size = p, n
		}
	}
	return from, size
}

// all counts every letter.
func all(_ Key, letters int) int { return letters }

// equal is how many of the lines are those of the rows from p on.
func (a *attic) equal(p int, now []Key) (n int) {
	for n < len(now) && p+n < len(a.rows) && !a.rows[p+n].back && a.rows[p+n].text == now[n] {
		n++
	}
	return n
}

// isRun reports whether n rows from p on are a whole run.
func (a *attic) isRun(p, n int) bool {
	end := func(i int) bool { return i < 0 || i == len(a.rows) || a.rows[i].end }
	return end(p-1) && end(p+n)
}
