package claims

import (
	"math/bits"
	"sync"
)

// keptRoom is how many bytes are kept for notes to come, and roomier how many sizes
// larger than it must be the memory of one may be.
const (
	keptRoom = 32 << 20
	roomier  = 2
)

// A room is memory in which notes are read and that is used again: most of what a note
// costs before it is parsed is new memory. It may be used by several goroutines.
type room struct {
	mu    sync.Mutex
	spare [bits.UintSize][][]byte // by the logarithm of their capacity
	kept  int
}

// take gives memory of that size, with whatever is in it.
func (r *room) take(size int) []byte {
	class := bits.Len(uint(max(size, 1) - 1))
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := class; i <= class+roomier && i < len(r.spare); i++ {
		if n := len(r.spare[i]); n > 0 {
			b := r.spare[i][n-1]
			r.spare[i] = r.spare[i][:n-1]
			r.kept -= cap(b)
			return b[:size]
		}
	}
	return make([]byte, size, 1<<class)
}

// giveBack takes memory back that nobody looks at any more.
func (r *room) giveBack(b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if cap(b) == 0 || r.kept+cap(b) > keptRoom {
		return
	}
	if class := bits.Len(uint(cap(b) - 1)); cap(b) == 1<<class {
		r.spare[class] = append(r.spare[class], b)
		r.kept += cap(b)
	}
}
