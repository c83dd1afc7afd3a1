package edits

import (
	"iter"
	"slices"
)

// A Pool is text of known hands from anywhere, in which lines are found that came
// from there: such as those of the commits of a branch that somebody squashed.
type Pool struct {
	rows  attic
	runs  []span
	times map[Key]int
}

// Add adds lines that stood together, with whose they were. A run of more lines
// than a pool holds replaces all others.
func (p *Pool) Add(of Print, hands []Hand) {
	run := make([]row, of.Len())
	for i, m := range of.marks {
		run[i] = row{text: m, line: Line{By: hands[i]}}
	}
	if len(run) == 0 {
		return
	}
	if p.times == nil {
		p.times = map[Key]int{}
	}
	for i := range of.marks {
		if key := of.Key(i); key != 0 {
			p.times[key]++
		}
	}
	p.rows.add(run)
	end := len(p.rows.rows) - 1
	if end == len(run) { // it is the first
		p.runs = nil
	}
	p.runs = append(p.runs, span{end - len(run), end})
}

// Find says whose the lines are of runs that stand in one text: those of the
// pool, in blocks with enough text to be told, each at most once, or only in runs
// as they were added. The others are of [Base].
func (p *Pool) Find(back Back, runs ...Print) [][]Hand {
	return p.find(block{backText, back == Whole, all}, runs)
}

// FindAgain is Find of text that was gone, in longer blocks unless git may have put it
// back. Lines that are in the pool more than once, or still there, do not tell that, nor
// do short ones.
func (p *Pool) FindAgain(back Back, there map[Key]bool, runs ...Print) [][]Hand {
	least := AgainText
	if back == Git {
		least = backText
	}
	return p.find(block{least, back == Whole, func(mark Key, letters int) int {
		if letters < movedText || p.times[mark] > 1 || there[mark] {
			return 0
		}
		return letters
	}}, runs)
}

// FindPlaced is Find of text that surely came from elsewhere, in blocks of any kind. Lines
// of which it is said that they do not tell whose they are, and short ones, do not count.
func (p *Pool) FindPlaced(tells func(Key) bool, runs ...Print) [][]Hand {
	return p.find(block{backText, false, func(mark Key, letters int) int {
		if letters < movedText || !tells(mark) {
			return 0
		}
		return letters
	}}, runs)
}

// FindTold is FindPlaced in runs alone of which some lines are somebody's: others that have
// the same text hide none of those.
func (p *Pool) FindTold(back Back, tells func(Key) bool, runs ...Print) [][]Hand {
	for _, run := range p.runs {
		if !slices.ContainsFunc(p.rows.rows[run.from:run.to], func(r row) bool { return r.line.By > Base }) {
			p.spend(run, true)
		}
	}
	return p.find(block{backText, back == Whole, func(mark Key, letters int) int {
		if !tells(mark) {
			return 0
		}
		return letters
	}}, runs)
}

// Has reports whether the pool has a line with a text.
func (p *Pool) Has(k Key) bool { return p.times[k] > 0 }

// Hands are those of all lines of the pool with a text.
func (p *Pool) Hands(of Key) iter.Seq[Hand] {
	return func(yield func(Hand) bool) {
		for _, i := range p.rows.at[of] {
			if !yield(p.rows.rows[i].line.By) {
				return
			}
		}
	}
}

func (p *Pool) find(is block, runs []Print) [][]Hand {
	found := make([][]Hand, len(runs))
	for i, run := range runs {
		lines := make([]Line, run.Len())
		if len(p.rows.rows) > 0 {
			p.rows.giveBack(run, lines, is)
		}
		for _, l := range lines {
			found[i] = append(found[i], l.By)
		}
	}
	for _, run := range p.runs {
		p.spend(run, false)
	}
	return found
}

// spend says of a run whether its lines are no more to be found.
func (p *Pool) spend(run span, spent bool) {
	for i := run.from; i < run.to; i++ {
		p.rows.rows[i].back = spent
	}
}
