package claims

import "testing"

func TestMemoryOfNotesIsUsedAgain(t *testing.T) {
	var m memory
	first := m.take(5000)
	m.giveBack(first)
	again := m.take(7000)
	if &again[0] != &first[0] || len(again) != 7000 {
		t.Errorf("memory of 5,000 bytes was not used for 7,000: %d at %d", len(again), cap(again))
	}
	for _, size := range []int{0, 1, 2, 4096, 4097, 1 << 20} {
		b := m.take(size)
		if len(b) != size {
			t.Errorf("%d bytes were asked for, %d given", size, len(b))
		}
		m.giveBack(b)
	}
	m.giveBack(nil) // a note of no bytes
	for range 100 {
		m.giveBack(make([]byte, 1<<20))
	}
	if m.kept > keptBytes {
		t.Errorf("%d bytes are kept, more than %d", m.kept, keptBytes)
	}
}
