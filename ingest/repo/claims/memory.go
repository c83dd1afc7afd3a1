package claims

import (
	"math/bits"
	"sync"
)

// keptBytes is how much is kept for notes to come, and roomier how many sizes
// larger than it must be the memory of one may be.
const (
	keptBytes = 32 << 20
	roomier   = 2
)

// A memory is where notes are read to, and is used again: most of what a note
// costs before it is parsed is new memory. It may be used by several goroutines.
type memory struct {
	mu    sync.Mutex
	spare [bits.UintSize][][]byte // by the logarithm of their capacity
	kept  int
}

// take gives memory of that size, with whatever is in it.
func (m *memory) take(size int) []byte {
	class := bits.Len(uint(max(size, 1) - 1))
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := class; i <= class+roomier && i < len(m.spare); i++ {
		if n := len(m.spare[i]); n > 0 {
			b := m.spare[i][n-1]
			m.spare[i] = m.spare[i][:n-1]
			m.kept -= cap(b)
			return b[:size]
		}
	}
	return make([]byte, size, 1<<class)
}

// giveBack takes memory back that nobody looks at any more.
func (m *memory) giveBack(b []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if cap(b) == 0 || m.kept+cap(b) > keptBytes {
		return
	}
	if class := bits.Len(uint(cap(b) - 1)); cap(b) == 1<<class {
		m.spare[class] = append(m.spare[class], b)
		m.kept += cap(b)
	}
}
