package git

import (
	"encoding/binary"
	"io"
	"math/bits"
	"os"
	"path/filepath"
)

// AbbrevLength is how many digits of an id git shows by default: with that many,
// two of the packed objects are unlikely to share them (abbrev_auto in git's
// object-name.c). It asks the indexes of the packs, not git.
func (r *Repo) AbbrevLength() int {
	const fewest = 7
	dir := filepath.Join(r.CommonDir, "objects", "pack")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fewest
	}
	count := uint64(0)
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".idx" {
			count += packed(filepath.Join(dir, e.Name()))
		}
	}
	return max(fewest, (bits.Len64(count)+1)/2)
}

// packed is how many objects an index lists: the last number of its fan-out,
// behind the heading that version 2 has.
func packed(index string) uint64 {
	f, err := os.Open(index)
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }()
	var table [8 + 256*4]byte
	if _, err := io.ReadFull(f, table[:]); err != nil {
		return 0
	}
	at := 255 * 4
	if string(table[:4]) == "\377tOc" {
		at += 8
	}
	return uint64(binary.BigEndian.Uint32(table[at:]))
}
