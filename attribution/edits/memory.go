package edits

import "crypto/sha256"

// A Memory knows whose the lines of whole contents were, of one file or of many:
// when git puts a content back, in the same place or under another name, its
// lines are whose they were, however short.
type Memory struct {
	seen map[[sha256.Size]byte][]Line
	size int // lines
}

// maxSeen bounds a memory. When it is full, all is forgotten.
const maxSeen = 4 << 20

// minSeen is how long a content must be to be told from others: what is nearly
// empty looks alike whoever wrote it.
const minSeen = movedText

func (m *Memory) keep(content []byte, lines []Line) {
	if len(content) < minSeen {
		return
	}
	if m.seen == nil || m.size+len(lines) > maxSeen {
		m.seen, m.size = map[[sha256.Size]byte][]Line{}, 0
	}
	key := sha256.Sum256(content)
	if before, ok := m.seen[key]; ok {
		m.size -= len(before)
	}
	m.seen[key] = lines
	m.size += len(lines)
}

// lines are those of a content, nil if it is not known.
func (m *Memory) lines(content []byte) []Line { return m.seen[sha256.Sum256(content)] }

// recall gives fresh lines to whom they belonged when the same content was seen
// before, and returns those that nobody is known for.
func (s *step) recall(before []Line, fresh []span) (still []span) {
	if len(before) != len(s.lines) {
		return fresh
	}
	for _, run := range fresh {
		for i := run.from; i < run.to; i++ {
			if by := before[i].By; by > Base || by == s.by {
				s.lines[i] = before[i]
			} else {
				still = extend(still, i)
			}
		}
	}
	return still
}
