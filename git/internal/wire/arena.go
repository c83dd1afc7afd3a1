package wire

// An Arena keeps many small texts in few pieces.
type Arena struct {
	free []byte
	size int
}

// Copy returns a copy of b for the caller to keep.
func (a *Arena) Copy(b []byte) []byte {
	if len(b) > len(a.free) || a.free == nil {
		a.size = min(max(a.size*2, 2<<10), 64<<10)
		a.free = make([]byte, max(a.size, len(b)))
	}
	n := copy(a.free, b)
	out := a.free[:n:n]
	a.free = a.free[n:]
	return out
}
