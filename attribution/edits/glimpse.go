package edits

import "github.com/stemma-dev/stemma/attribution/diff"

// A glimpse is the last other content that was seen beside the file.
type glimpse struct {
	text  [][]byte
	lines []Line
	extra []span // runs that the file has not
}

// Glimpse is another content that a hand made of what is there, beside it and
// not instead: such as the part of it that somebody committed. The file stays as
// it is, but remembers the text it did not know.
func (f *File) Glimpse(content []byte, by Hand, back Back) *File {
	s := f.step(content, by, back)
	f.other = &glimpse{s.now, s.lines, s.other}
	f.known.keep(f, s)
	return &File{text: s.now, lines: s.lines}
}

// fill gives fresh lines that survive from a glimpse to whom they belonged. It
// returns those that are still fresh; what is extra in the glimpse is then what
// did not survive.
func (s *step) fill(g *glimpse, fresh []span) (still []span) {
	hunks, exact := diff.Lines(g.text, s.now)
	if !exact {
		return fresh
	}
	from := make([]int, len(s.now)) // the line of the glimpse, from 1
	kept := make([]bool, len(g.text))
	old, now := 0, 0
	keep := func(until int) {
		for ; now < until; old, now = old+1, now+1 {
			from[now], kept[old] = old+1, true
		}
	}
	for _, h := range hunks {
		keep(h.NewAt())
		old, now = h.OldAt()+h.OldLines, h.NewAt()+h.NewLines
	}
	keep(len(s.now))
	for _, run := range fresh {
		for i := run.from; i < run.to; i++ {
			if from[i] > 0 {
				s.lines[i] = g.lines[from[i]-1]
			} else {
				still = extend(still, i)
			}
		}
	}
	var extra []span
	for _, run := range g.extra {
		for i := run.from; i < run.to; i++ {
			if !kept[i] {
				extra = extend(extra, i)
			}
		}
	}
	g.extra = extra
	return still
}

// extend adds a line behind runs.
func extend(runs []span, i int) []span {
	if n := len(runs); n > 0 && runs[n-1].to == i {
		runs[n-1].to++
		return runs
	}
	return append(runs, span{i, i + 1})
}
