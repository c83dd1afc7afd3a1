package ledger

import (
	"context"
	"fmt"
	"math/bits"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
)

// saltSize is the length of the salt of a leaf in bytes.
const saltSize = 32

// perBlock is how many tree hashes one row of the table tree keeps. The order
// is that of tlog.StoredHashIndex, which only ever grows at its end, so a row
// is rewritten until it is full and then never again.
const perBlock = 32

// A block is one row of the table tree.
type block struct {
	number int64
	hashes []byte
}

// An edge is the right edge of the tree: all that the next leaf depends on.
type edge struct {
	size  int64
	peaks []tlog.Hash // roots of the complete subtrees, the largest first
	tail  []byte      // hashes of the last block while it is not full
	note  []byte      // the signed checkpoint of this size; nil for an empty log
}

// grow returns the edge after the given leaves, without its note, and the
// blocks that are new or longer than before. It leaves e as it was.
func (e edge) grow(leaves []stemma.Digest) (edge, []block) {
	next := edge{size: e.size, peaks: slices.Clone(e.peaks)}
	number := tlog.StoredHashCount(e.size) / perBlock
	buf := make([]byte, 0, len(e.tail)+2*(len(leaves)+1)*tlog.HashSize)
	buf = append(buf, e.tail...)
	for _, leaf := range leaves {
		for _, h := range next.add(tlog.RecordHash(leaf[:])) {
			buf = append(buf, h[:]...)
		}
	}
	var blocks []block
	for len(buf) >= perBlock*tlog.HashSize {
		blocks = append(blocks, block{number, buf[:perBlock*tlog.HashSize]})
		buf = buf[perBlock*tlog.HashSize:]
		number++
	}
	if len(buf) > 0 {
		blocks = append(blocks, block{number, buf})
	}
	next.tail = slices.Clone(buf)
	return next, blocks
}

// add puts one record hash at the end and returns the hashes that are to be
// stored for it: itself and the roots of the subtrees that it completes.
func (e *edge) add(h tlog.Hash) []tlog.Hash {
	stored := []tlog.Hash{h}
	for n := e.size; n&1 == 1; n >>= 1 {
		last := len(e.peaks) - 1
		h = tlog.NodeHash(e.peaks[last], h)
		e.peaks = e.peaks[:last]
		stored = append(stored, h)
	}
	e.peaks = append(e.peaks, h)
	e.size++
	return stored
}

// root returns the hash of the whole tree.
func (e edge) root() tlog.Hash {
	if len(e.peaks) == 0 {
		return tlog.Hash(stemma.Sum(nil))
	}
	last := len(e.peaks) - 1
	h := e.peaks[last]
	for _, left := range slices.Backward(e.peaks[:last]) {
		h = tlog.NodeHash(left, h)
	}
	return h
}

// peakIndexes returns where the peaks of a tree of that size are stored.
func peakIndexes(size int64) []int64 {
	var at []int64
	for level := bits.Len64(uint64(size)) - 1; level >= 0; level-- {
		if size>>level&1 == 1 {
			at = append(at, tlog.StoredHashIndex(level, size>>level-1))
		}
	}
	return at
}

// hashReader reads stored hashes inside a transaction. It believes what it
// reads: whoever receives a proof or a tile checks it against a checkpoint.
func hashReader(ctx context.Context, tx *storage.Tx) tlog.HashReaderFunc {
	return func(indexes []int64) ([]tlog.Hash, error) {
		numbers := make([]int64, len(indexes))
		for i, index := range indexes {
			numbers[i] = index / perBlock
		}
		blocks, err := readBlocks(ctx, tx, numbers)
		if err != nil {
			return nil, err
		}
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			h, ok := blocks.hash(index)
			if !ok {
				return nil, fmt.Errorf("tree hash %d is missing: %w", index, stemma.ErrTampered)
			}
			hashes[i] = h
		}
		return hashes, nil
	}
}

// blockSet is some rows of the table tree by their number.
type blockSet map[int64][]byte

func (s blockSet) hash(index int64) (tlog.Hash, bool) {
	b, at := s[index/perBlock], int(index%perBlock)*tlog.HashSize
	if len(b) < at+tlog.HashSize {
		return tlog.Hash{}, false
	}
	return tlog.Hash(b[at : at+tlog.HashSize]), true
}

func readBlocks(ctx context.Context, tx *storage.Tx, numbers []int64) (blockSet, error) {
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	set := make(blockSet, len(numbers))
	for some := range slices.Chunk(numbers, perQuery) {
		values := make([]any, len(some))
		for i, n := range some {
			values[i] = n
		}
		in, args := list(values)
		if err := set.read(ctx, tx, "block IN "+in, args); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// read adds the blocks for which the condition holds.
func (s blockSet) read(ctx context.Context, tx *storage.Tx, where string, args []any) error {
	for scan, err := range query(ctx, tx, "SELECT block, hashes FROM tree WHERE "+where, args...) {
		if err != nil {
			return err
		}
		var block int64
		var hashes []byte
		if err := scan(number{&block}, &hashes); err != nil {
			return err
		}
		s[block] = hashes
	}
	return nil
}
