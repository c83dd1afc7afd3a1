package edits

import (
	"bytes"
	"maps"
	"slices"
)

// What is known of files and contents can be written down and taken up again, so
// that a history is not gone through from its beginning each time. Texts are kept
// by whoever keeps it.

// A Stretch is lines in a row that are somebody's.
type Stretch struct {
	N int
	Line
}

// A Kept is a file that can be written down, but for its texts.
type Kept struct {
	Lines []Stretch
	Gone  []KeptRow
	Other []Stretch // of the last glimpse
	Extra []int     // where runs of it begin and end that the file has not
}

// A KeptRow is a line that is gone, or the end of a run of them.
type KeptRow struct {
	Text Key
	Line
	Back, End bool
	Git       bool
}

// maxRows is how many lines that are gone are written down of a file, the last ones.
const maxRows = 20_000

// Keep gives what can be written down of a file, its text, and that of the last
// glimpse; nil without one.
func (f *File) Keep() (k Kept, text, other []byte) {
	k.Lines = stretches(f.lines)
	for _, r := range f.gone.rows[max(0, len(f.gone.rows)-maxRows):] {
		k.Gone = append(k.Gone, KeptRow{r.text, r.line, r.back, r.end, r.git})
	}
	if f.other == nil {
		return k, join(f.text), nil
	}
	k.Other = stretches(f.other.lines)
	for _, run := range f.other.extra {
		k.Extra = append(k.Extra, run.from, run.to)
	}
	return k, join(f.text), join(f.other.text)
}

// Restore takes up a file again; false if it does not fit the texts.
func Restore(name string, k Kept, text, other []byte, known *Memory) (*File, bool) {
	f := &File{name: name, text: split(text), known: known}
	var ok bool
	if f.lines, ok = lines(k.Lines, len(f.text)); !ok {
		return nil, false
	}
	f.gone.restore(k.Gone)
	if other == nil {
		return f, true
	}
	f.other = &glimpse{text: split(other)}
	if f.other.lines, ok = lines(k.Other, len(f.other.text)); !ok {
		return nil, false
	}
	for pair := range slices.Chunk(k.Extra, 2) {
		if len(pair) < 2 || pair[0] < 0 || pair[0] > pair[1] || pair[1] > len(f.other.text) {
			return nil, false
		}
		f.other.extra = append(f.other.extra, span{pair[0], pair[1]})
	}
	return f, true
}

func (a *attic) restore(rows []KeptRow) {
	if len(rows) == 0 {
		return
	}
	a.at = map[Key][]int{}
	for i, r := range rows {
		a.rows = append(a.rows, row{r.Text, r.Line, r.Back, r.End, r.Git})
		if !r.End {
			a.at[r.Text] = append(a.at[r.Text], i)
		}
	}
}

func join(text [][]byte) []byte {
	if len(text) == 0 {
		return []byte{}
	}
	return append(bytes.Join(text, []byte("\n")), '\n')
}

func stretches(list []Line) (out []Stretch) {
	for i, l := range list {
		if i == 0 || l != list[i-1] {
			out = append(out, Stretch{Line: l})
		}
		out[len(out)-1].N++
	}
	return out
}

// lines is what stretches stand for; false if it is not n lines.
func lines(list []Stretch, n int) ([]Line, bool) {
	out := make([]Line, 0, n)
	for _, s := range list {
		if s.N < 0 || s.N > n-len(out) {
			return nil, false
		}
		for range s.N {
			out = append(out, s.Line)
		}
	}
	return out, len(out) == n
}

// A KeptMemory is a memory that can be written down.
type KeptMemory struct {
	Names []string // of files
	Seen  []KeptContent
	Texts []KeptText
}

// A KeptContent is whose the lines of a content were.
type KeptContent struct {
	Sum   []byte
	Lines []Stretch
}

// A KeptText is what is known of the text of single lines. Files are numbered
// from 1.
type KeptText struct {
	Key
	Times int
	First int // the file in which it was written first
	By    Line
	Stood int // the file in which it was before anybody edited that
}

// maxStretches is how many stretches of whole contents are written down, those of
// the last ones.
const maxStretches = 200_000

// Keep gives what can be written down.
func (m *Memory) Keep() (k KeptMemory) {
	left := maxStretches
	for _, of := range slices.Backward(m.order) {
		c := KeptContent{of[:], stretches(m.seen[of])}
		if left -= len(c.Lines); left < 0 {
			break
		}
		k.Seen = append(k.Seen, c)
	}
	slices.Reverse(k.Seen)
	numbers := map[string]int{}
	number := func(name string) int {
		if numbers[name] == 0 {
			k.Names = append(k.Names, name)
			numbers[name] = len(k.Names)
		}
		return numbers[name]
	}
	keys := map[Key]bool{}
	for key := range m.times {
		keys[key] = true
	}
	for key := range m.first {
		keys[key] = true
	}
	for key := range m.stood {
		keys[key] = true
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		t := KeptText{Key: key, Times: m.times[key]}
		if first, ok := m.first[key]; ok {
			t.First, t.By = number(first.In), first.By
		}
		if stood, ok := m.stood[key]; ok {
			t.Stood = number(stood)
		}
		k.Texts = append(k.Texts, t)
	}
	return k
}

// RestoreMemory takes up a memory again; false if it does not fit.
func RestoreMemory(k KeptMemory) (*Memory, bool) {
	m := &Memory{first: map[Key]First{}, times: map[Key]int{}, stood: map[Key]string{}}
	for _, c := range k.Seen {
		n := 0
		for _, s := range c.Lines {
			n += max(0, min(s.N, maxSeen))
		}
		if n > maxSeen || len(c.Sum) != len(sum{}) {
			return nil, false
		}
		list, ok := lines(c.Lines, n)
		if !ok {
			return nil, false
		}
		m.see(sum(c.Sum), list)
	}
	name := func(n int) (string, bool) {
		if n < 1 || n > len(k.Names) {
			return "", false
		}
		return k.Names[n-1], true
	}
	for _, t := range k.Texts {
		if t.Times > 0 {
			m.times[t.Key] = t.Times
		}
		if in, ok := name(t.First); ok {
			m.first[t.Key] = First{in, t.By}
		}
		if in, ok := name(t.Stood); ok {
			m.stood[t.Key] = in
		}
	}
	return m, true
}
