package edits

import "crypto/sha256"

// A Memory knows whose the lines of whole contents were, of one file or of many:
// when git puts a content back, in the same place or under another name, its
// lines are whose they were, however short. And it knows where a text was seen
// first.
type Memory struct {
	seen  map[sum][]Line
	order []sum // in which contents were seen
	size  int   // lines
	first map[Key]First
	times map[Key]int // how often a text was written, by whomever
	stood map[Key]string
}

// A sum tells contents apart.
type sum = [sha256.Size]byte

// A First is where somebody wrote a text first, or where it was put in place.
type First struct {
	In string // the name of the file
	By Line
}

// First tells where the text with a key was seen first.
func (m *Memory) First(k Key) (First, bool) {
	at, ok := m.first[k]
	return at, ok
}

// wrote counts lines that somebody wrote, or that were there at the beginning.
func (m *Memory) wrote(lines [][]byte) {
	if m.times == nil || len(m.times) >= maxSeen {
		m.times = map[Key]int{}
	}
	for _, l := range lines {
		if key := KeyOf(l); key != 0 {
			m.times[key]++
		}
	}
}

// telling counts the letters of a line if they tell where it comes from: not of one
// that was written more than once.
func (m *Memory) telling(mark Key, letters int) int {
	if letters < movedText || m.times[mark] <= 1 {
		return letters
	}
	return 0
}

// tellingOnce is telling of a line that was also written where it is now.
func (m *Memory) tellingOnce(mark Key, letters int) int {
	if letters < movedText || m.times[mark] <= 2 {
		return letters
	}
	return 0
}

// Stood tells in which file a text was before anybody edited that.
func (m *Memory) Stood(k Key) (string, bool) {
	f, ok := m.stood[k]
	return f, ok
}

// begin remembers what a file is before it is edited.
func (m *Memory) begin(f *File) {
	if m.stood == nil || len(m.stood) >= maxSeen {
		m.stood = map[Key]string{}
	}
	for _, line := range f.text {
		key := KeyOf(line)
		if _, known := m.stood[key]; key != 0 && !known {
			m.stood[key] = f.name
		}
	}
}

// maxSeen bounds a memory. When it is full, the oldest contents are forgotten, and all
// that is known of single lines.
const maxSeen = 1 << 20

// minSeen is how long a content must be to be told from others: what is nearly
// empty looks alike whoever wrote it.
const minSeen = movedText

// keep remembers what a step made of a file.
func (m *Memory) keep(f *File, s *step) {
	if m.first == nil || len(m.first) >= maxSeen {
		m.first = map[Key]First{}
	}
	for _, run := range s.fresh {
		m.wrote(s.now[run.from:run.to])
		for i := run.from; i < run.to; i++ {
			if key := KeyOf(s.now[i]); key != 0 && (s.lines[i].By > Base || s.lines[i].By == Placed) {
				if _, known := m.first[key]; !known {
					m.first[key] = First{f.name, s.lines[i]}
				}
			}
		}
	}
	lines := s.lines
	if s.size < minSeen {
		return
	}
	m.see(s.sum, lines)
}

// see remembers a content.
func (m *Memory) see(of sum, lines []Line) {
	if m.seen == nil {
		m.seen = map[sum][]Line{}
	}
	if before, ok := m.seen[of]; ok {
		m.size -= len(before)
	} else {
		m.order = append(m.order, of)
	}
	m.seen[of] = lines
	for m.size += len(lines); m.size > maxSeen && len(m.order) > 1; m.order = m.order[1:] {
		m.size -= len(m.seen[m.order[0]])
		delete(m.seen, m.order[0])
	}
}

// Lines are those of a content that was seen before; nil if it was not.
func (m *Memory) Lines(content []byte) []Line { return m.seen[sha256.Sum256(content)] }

// recall gives fresh lines to whom they belonged when the same content was seen
// before, and returns those that nobody is known for.
func (s *step) recall(before []Line, fresh []span) (still []span) {
	if len(before) != len(s.lines) {
		return fresh
	}
	for _, run := range fresh {
		for i := run.from; i < run.to; i++ {
			if by := before[i].By; by > Base || by == s.by || by == Placed {
				s.lines[i] = before[i]
			} else {
				still = extend(still, i)
			}
		}
	}
	return still
}
