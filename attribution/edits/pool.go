package edits

// A Pool is text of known hands from anywhere, in which lines are found that came
// from there: such as those of the commits of a branch that somebody squashed.
type Pool struct {
	rows  attic
	runs  []span
	times map[Key]int
}

// A Print is lines that stood together, of which no more is kept than it takes to find
// them.
type Print struct {
	marks []Key  // of the lines without their white space; 0 of those with nothing else
	long  []bool // there is enough in a line to be told from others
}

// PrintOf is that of some lines.
func PrintOf(text [][]byte) Print {
	p := Print{marksOf(text), make([]bool, len(text))}
	for i, l := range text {
		p.long[i] = letters(l) >= movedText
	}
	return p
}

// Len is how many lines it is of.
func (p Print) Len() int { return len(p.marks) }

// Marks are those of its lines that are not blank.
func (p Print) Marks(yield func(Key) bool) {
	for _, m := range p.marks {
		if m != 0 && !yield(m) {
			return
		}
	}
}

// Add adds lines that stood together, with whose they were. A run of more lines
// than a pool holds replaces all others.
func (p *Pool) Add(text [][]byte, hands []Hand) { p.AddPrint(PrintOf(text), hands) }

// AddPrint is Add of lines whose text is not at hand any more.
func (p *Pool) AddPrint(of Print, hands []Hand) {
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
	for i, m := range of.marks {
		if of.long[i] {
			p.times[m]++
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
func (p *Pool) Find(back Back, runs ...[][]byte) [][]Hand {
	return p.find(block{backText, back == Whole, letters}, runs)
}

// FindAgain is Find of text that was gone, in longer blocks. Lines that are in the pool
// more than once, or still there, do not tell that, nor do short ones.
func (p *Pool) FindAgain(back Back, there map[Key]bool, runs ...[][]byte) [][]Hand {
	return p.find(block{againText, back == Whole, func(line []byte) int {
		if key := KeyOf(line); key == 0 || p.times[key] > 1 || there[key] {
			return 0
		}
		return letters(line)
	}}, runs)
}

func (p *Pool) find(is block, runs [][][]byte) [][]Hand {
	var all [][]byte
	var fresh []span
	for _, r := range runs {
		fresh = append(fresh, span{len(all), len(all) + len(r)})
		all = append(all, r...)
	}
	s := &step{now: all, lines: make([]Line, len(all))}
	s.giveBack(&p.rows, fresh, is)
	for _, run := range p.runs {
		for i := run.from; i < run.to; i++ {
			p.rows.rows[i].back = false
		}
	}
	out := make([][]Hand, len(runs))
	for i, run := range fresh {
		for _, l := range s.lines[run.from:run.to] {
			out[i] = append(out[i], l.By)
		}
	}
	return out
}
