// Package packs tells which objects the packs of a repository claim to hold, by
// their indexes alone. Git says of an object that it cannot make out in a pack
// the same as of one that was never there.
//
// Formats: "gitformat-pack", the sections on pack-*.idx, versions 1 and 2.
package packs

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// maxPacks bounds how many packs of a directory are looked into.
const maxPacks = 4096

// Packs are those of some directories of objects. What they hold is looked up as
// it is asked for, of which packs there are only once. It may be used
// concurrently.
type Packs struct {
	mu    sync.Mutex
	known map[string][]index // by directory
}

// Hold reports whether a pack in dir/pack has an object of that id by its index,
// whether or not the pack is there and whole. An index that cannot be read
// holds nothing.
func (p *Packs) Hold(dir, id string) bool {
	raw, err := hex.DecodeString(id)
	if err != nil || len(raw) == 0 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	list, ok := p.known[dir]
	if !ok {
		list = indexes(dir)
		if p.known == nil {
			p.known = map[string][]index{}
		}
		p.known[dir] = list
	}
	for i := range list {
		if list[i].has(raw) {
			return true
		}
	}
	return false
}

// indexes opens the indexes of a directory of objects.
func indexes(dir string) []index {
	files, _ := os.ReadDir(filepath.Join(dir, "pack")) // there may be none
	var list []index
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".idx") || len(list) == maxPacks {
			continue
		}
		if x, err := open(filepath.Join(dir, "pack", f.Name())); err == nil {
			list = append(list, x)
		}
	}
	return list
}

// An index lists the ids of one pack, sorted.
type index struct {
	name   string
	before [257]uint32 // how many ids begin with a smaller byte than this one
	first  int64       // where the first id lies in the file
	step   int64       // from one entry to the next; 0 if ids are all there is between
}

// The layouts: version 1 begins with the fan-out and has an offset in front of
// each id, which is a SHA-1; version 2 begins with a mark and its number.
const (
	fanOut   = 256 * 4
	headerV2 = 8
	offsetV1 = 4
	stepV1   = offsetV1 + 20
)

func open(name string) (x index, err error) {
	f, err := os.Open(name)
	if err != nil {
		return x, err
	}
	defer func() { _ = f.Close() }() // it was only read
	head := make([]byte, headerV2+fanOut)
	n, err := io.ReadFull(f, head)
	if err != nil && n < fanOut {
		return x, err
	}
	x = index{name: name, first: fanOut + offsetV1, step: stepV1}
	if fan, ok := bytes.CutPrefix(head, []byte("\xfftOc\x00\x00\x00\x02")); ok {
		head, x.first, x.step = fan, headerV2+fanOut, 0
	}
	for i := range 256 {
		x.before[i+1] = binary.BigEndian.Uint32(head[4*i:])
	}
	return x, nil
}

// has looks for an id by halving.
func (x *index) has(id []byte) bool {
	low, high := x.before[id[0]], x.before[int(id[0])+1]
	if low >= high {
		return false
	}
	f, err := os.Open(x.name)
	if err != nil { // another one has taken its place
		return false
	}
	defer func() { _ = f.Close() }() // it was only read
	step := x.step
	if step == 0 {
		step = int64(len(id))
	}
	at := make([]byte, len(id))
	for low < high {
		middle := low + (high-low)/2
		if _, err := f.ReadAt(at, x.first+int64(middle)*step); err != nil {
			return false
		}
		switch bytes.Compare(at, id) {
		case 0:
			return true
		case -1:
			low = middle + 1
		default:
			high = middle
		}
	}
	return false
}
