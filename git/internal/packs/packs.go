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
	"slices"
	"sort"
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
		list, _ = indexes(dir)
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

// A Place is where an object lies: behind how many packs, and how far into its own.
type Place struct {
	Pack   int
	Offset uint64
}

// maxWhole is how long an index may be that is read as a whole: that of a pack of
// some two million objects.
const maxWhole = 64 << 20

// Places tells where objects lie in the packs of some directories. That is the whole
// truth unless there are too many packs, or the index of one cannot be read.
func Places(dirs, ids []string) (found map[string]Place, whole bool) {
	found, whole = map[string]Place{}, true
	packs := 0
	for _, dir := range dirs {
		list, all := indexes(dir)
		whole = whole && all
		for _, x := range list {
			packs++
			file := x.read()
			if file == nil {
				whole = false
				continue
			}
			for _, id := range ids {
				raw, err := hex.DecodeString(id)
				if _, known := found[id]; known || err != nil || len(raw) == 0 {
					continue
				}
				if offset, ok := x.offset(file, raw); ok {
					found[id] = Place{packs, offset}
				}
			}
		}
	}
	return found, whole
}

// read reads the file of an index; nil if it is too long or cannot be read.
func (x *index) read() []byte {
	info, err := os.Stat(x.name)
	if err != nil || info.Size() > maxWhole {
		return nil
	}
	whole, err := os.ReadFile(x.name)
	if err != nil {
		return nil
	}
	return whole
}

// offset looks an id up in the file of an index.
func (x *index) offset(whole, id []byte) (uint64, bool) {
	step := x.entry(id)
	low, high := int64(x.before[id[0]]), int64(x.before[int(id[0])+1])
	if low > high || x.first+high*step > int64(len(whole)) {
		return 0, false // damaged
	}
	at := low + int64(sort.Search(int(high-low), func(i int) bool {
		from := x.first + (low+int64(i))*step
		return bytes.Compare(whole[from:from+int64(len(id))], id) >= 0
	}))
	from := x.first + at*step
	if at == high || !bytes.Equal(whole[from:from+int64(len(id))], id) {
		return 0, false
	}
	if x.step != 0 {
		return uint64(binary.BigEndian.Uint32(whole[from-offsetV1:])), true
	}
	// Behind the ids come sums, then offsets, then those that need eight bytes.
	n := int64(x.before[256])
	offsets := x.first + n*(step+4)
	if at >= n || offsets+n*4 > int64(len(whole)) {
		return 0, false
	}
	offset := binary.BigEndian.Uint32(whole[offsets+at*4:])
	if offset&far == 0 {
		return uint64(offset), true
	}
	if from := offsets + n*4 + int64(offset&^far)*8; from+8 <= int64(len(whole)) {
		return binary.BigEndian.Uint64(whole[from:]), true
	}
	return 0, false
}

// far marks an offset that stands in eight bytes elsewhere.
const far = 1 << 31

// Alike tells how many objects the packs of some directories list, and how many leading
// digits an id, of those given, shares at most with another object there.
func Alike(dirs, ids []string) (objects uint64, digits int) {
	for _, dir := range dirs {
		list, _ := indexes(dir)
		for _, x := range list {
			objects += uint64(x.before[256])
			digits = max(digits, x.alike(ids))
		}
	}
	return objects, digits
}

// near is how many entries of an index are read at once.
const near = 256

// alike is how many digits one of the ids shares at most with another in the index. Only
// those with the same first byte are looked at.
func (x *index) alike(ids []string) (most int) {
	f, err := os.Open(x.name)
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }() // it was only read
	var part []byte
	for _, id := range ids {
		raw, err := hex.DecodeString(id)
		if err != nil || len(raw) < 20 {
			continue
		}
		part = x.around(f, raw, part)
		step := int(x.entry(raw))
		entry := func(i int) []byte { return part[i*step:][:len(raw)] }
		n := (len(part) + step - len(raw)) / step
		at := sort.Search(n, func(i int) bool { return bytes.Compare(entry(i), raw) >= 0 })
		for i := max(at-1, 0); i < min(at+2, n); i++ {
			if shared := sharedDigits(entry(i), raw); shared < 2*len(raw) {
				most = max(most, shared)
			}
		}
	}
	return most
}

// around reads the entries about the place where an id stands, or would stand, into what
// it read before. As ids are spread evenly, it is mostly where one would expect it.
func (x *index) around(f io.ReaderAt, id, into []byte) []byte {
	step := x.entry(id)
	read := func(from, to int64) []byte {
		into = slices.Grow(into[:0], near*int(step))[:max(to-from, 0)*step]
		n, _ := f.ReadAt(into, x.first+from*step)
		return into[:n]
	}
	first, last := int64(x.before[id[0]]), int64(x.before[int(id[0])+1])
	expected := first + (last-first)*int64(binary.BigEndian.Uint16(id[1:]))>>16
	from := max(first, expected-near/2)
	to := min(last, from+near)
	part := read(from, to)
	end := int64(len(part)) - step
	if end < 0 || len(part) < len(id) || (from == first || bytes.Compare(part[:len(id)], id) < 0) && (to == last || bytes.Compare(part[end:end+20], id[:20]) > 0) {
		return part
	}
	low, high := x.halve(f, id, near-3)
	return read(max(first, int64(low)-1), min(last, int64(high)+2))
}

// sharedDigits is how many hexadecimal digits two ids begin with alike.
func sharedDigits(a, b []byte) int {
	n := 0
	for n < len(b) && a[n] == b[n] {
		n++
	}
	if n < len(b) && a[n]>>4 == b[n]>>4 {
		return 2*n + 1
	}
	return 2 * n
}

// indexes opens the indexes of a directory of objects: all of them unless there are too
// many, or one cannot be read.
func indexes(dir string) (list []index, all bool) {
	files, _ := os.ReadDir(filepath.Join(dir, "pack")) // there may be none
	all = true
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".idx") {
			continue
		}
		x, err := open(filepath.Join(dir, "pack", f.Name()))
		if err != nil || len(list) == maxPacks {
			all = false
			continue
		}
		list = append(list, x)
	}
	return list, all
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

// has looks for an id.
func (x *index) has(id []byte) bool {
	f, err := os.Open(x.name)
	if err != nil { // another one has taken its place
		return false
	}
	defer func() { _ = f.Close() }() // it was only read
	at, _ := x.halve(f, id, 0)
	entry := make([]byte, len(id))
	_, err = f.ReadAt(entry, x.first+int64(at)*x.entry(id))
	return err == nil && at < x.before[int(id[0])+1] && bytes.Equal(entry, id)
}

// entry is how long an entry is in an index of ids like this one.
func (x *index) entry(id []byte) int64 {
	if x.step == 0 {
		return int64(len(id))
	}
	return x.step
}

// halve looks for where an id stands, or would stand, until it is one of few places:
// from low to high. Low is above high where the index cannot be read.
func (x *index) halve(f io.ReaderAt, id []byte, few uint32) (low, high uint32) {
	low, high = x.before[id[0]], x.before[int(id[0])+1]
	at := make([]byte, len(id))
	for low < high && high-low > few {
		middle := low + (high-low)/2
		if _, err := f.ReadAt(at, x.first+int64(middle)*x.entry(id)); err != nil {
			return 1, 0
		}
		if bytes.Compare(at, id) < 0 {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, high
}
