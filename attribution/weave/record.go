package weave

import (
	"hash/maphash"

	"github.com/stemma-dev/stemma/attribution/version"
)

// record is one version of a file before it is stored.
type record struct {
	commit, path uint32
	blob         []byte
	lines        int  // -1 for not known
	ownUnknown   bool // lines that no old file has are unknown, not of this commit
	olds         []version.Old
}

// appendRecord stores r and returns its number.
func (w *Weave) appendRecord(r record) uint32 {
	w.recCommit = append(w.recCommit, r.commit)
	w.recPath = append(w.recPath, r.path)
	w.recBlob = append(w.recBlob, r.blob...)
	return w.versions.Add(r.lines, r.ownUnknown, r.olds)
}

func (w *Weave) blobOf(rec uint32) []byte {
	return w.recBlob[int(rec-1)*w.width : int(rec)*w.width]
}

// blobBytes reads the object id of a blob; "" gives zeros.
func (w *Weave) blobBytes(s string) ([]byte, error) {
	if s == "" {
		return make([]byte, w.width), nil
	}
	b, err := rawID(s)
	if err != nil {
		return nil, err
	}
	if len(b) != w.width {
		return nil, errID
	}
	return b, nil
}

func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// idTable finds the number of an object id in a flat list of ids: an open hash
// table that holds nothing but numbers.
type idTable struct {
	seed  maphash.Seed
	slots []uint32 // number plus one
	used  int
}

func (t *idTable) find(ids, id []byte) (uint32, bool) {
	if len(t.slots) == 0 {
		return 0, false
	}
	mask := uint64(len(t.slots) - 1)
	for i := maphash.Bytes(t.seed, id) & mask; t.slots[i] != 0; i = (i + 1) & mask {
		n := int(t.slots[i] - 1)
		if string(ids[n*len(id):(n+1)*len(id)]) == string(id) {
			return uint32(n), true
		}
	}
	return 0, false
}

// insert adds the n-th id, which must not be there.
func (t *idTable) insert(ids []byte, width int, n uint32) {
	if 2*(t.used+1) > len(t.slots) {
		t.grow(ids, width)
	}
	t.put(ids[int(n)*width:(int(n)+1)*width], n)
	t.used++
}

func (t *idTable) put(id []byte, n uint32) {
	mask := uint64(len(t.slots) - 1)
	i := maphash.Bytes(t.seed, id) & mask
	for t.slots[i] != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = n + 1
}

func (t *idTable) grow(ids []byte, width int) {
	old := t.slots
	if old == nil {
		t.seed = maphash.MakeSeed()
	}
	t.slots = make([]uint32, max(64, 2*len(old)))
	for _, s := range old {
		if s != 0 {
			t.put(ids[int(s-1)*width:int(s)*width], s-1)
		}
	}
}
