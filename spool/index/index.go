// Package index reads git's index without git: which files are tracked, and what
// git knew of each when it last looked, so that one lstat tells whether a file
// still is what the index names.
//
// It reads versions 2, 3 and 4 and says so when it meets what it does not
// understand: an index that is split, or that leaves out directories, does not name
// every tracked file. Nothing is written, and no process is run.
package index

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
)

// Errors tell why an index does not name every tracked file.
var (
	ErrLarge   = errors.New("the index is larger than is read")
	ErrDamaged = errors.New("the index is damaged")
	ErrPartial = errors.New("the index is split or sparse, or has an extension that is not known")
)

// A Stamp is a time of the file system; Nano is 0 where it knows seconds only.
type Stamp struct{ Sec, Nano uint32 }

// before reports whether a time is surely before another one.
func (s Stamp) before(t Stamp) bool {
	if s.Sec != t.Sec || s.Nano == 0 || t.Nano == 0 {
		return s.Sec < t.Sec
	}
	return s.Nano < t.Nano
}

// is reports whether two times are the same, as far as both are known.
func (s Stamp) is(t Stamp) bool {
	return s.Sec == t.Sec && (s.Nano == t.Nano || s.Nano == 0 || t.Nano == 0)
}

// A Stat is what the file system, or git's index, tells of a file.
type Stat struct {
	Changed, Modified Stamp // of its inode, of its content
	Inode, Mode, Size uint32
}

// An Entry is one tracked file. It is valid until the next one is read.
type Entry struct {
	Name         []byte // its path from the root of the work tree, with slashes
	Stat         Stat
	Stage        int  // above 0: a side of a conflict
	SkipWorktree bool // git does not want it in the work tree
	Intent       bool // its content was not added yet
	id           []byte
}

// Path is its name, for keeps.
func (e *Entry) Path() string { return string(e.Name) }

// Blob is the id of its content.
func (e *Entry) Blob() string { return hex.EncodeToString(e.id) }

// Modes of entries.
const (
	typeOf    = 0o170000
	regular   = 0o100000
	submodule = 0o160000
	directory = 0o040000
)

// Regular reports whether an entry is a file, and no symbolic link or submodule.
func (e *Entry) Regular() bool { return e.Stat.Mode&typeOf == regular }

// Submodule reports whether an entry is a commit of another repository.
func (e *Entry) Submodule() bool { return e.Stat.Mode&typeOf == submodule }

// A File is an index that was read.
type File struct {
	Count   int   // of entries, as it says
	Written Stamp // when
	version uint32
	hash    int // bytes of an id
	data    []byte
}

// Limits of an entry.
const (
	maxPath  = 4096
	head     = 12
	fixed    = 40 // bytes of an entry in front of its id
	maxCount = 1 << 24
)

// Open reads an index of up to limit bytes.
func Open(file string, sha256 bool, limit int64) (*File, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("index: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("index: it is no file: %w", ErrDamaged)
	case info.Size() > limit:
		return nil, fmt.Errorf("index of %d bytes: %w", info.Size(), ErrLarge)
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	x, err := Parse(data, sha256)
	if err != nil {
		return nil, err
	}
	at := info.ModTime()
	x.Written = Stamp{uint32(at.Unix()), uint32(at.Nanosecond())}
	return x, nil
}

// Parse begins to read an index.
func Parse(data []byte, sha256 bool) (*File, error) {
	x := &File{data: data, hash: 20}
	if sha256 {
		x.hash = 32
	}
	if len(data) < head+x.hash || string(data[:4]) != "DIRC" {
		return nil, fmt.Errorf("index: %w", ErrDamaged)
	}
	x.version = binary.BigEndian.Uint32(data[4:])
	n := binary.BigEndian.Uint32(data[8:])
	if x.version < 2 || x.version > 4 || n > maxCount || int(n) > len(data)/(fixed+x.hash) {
		return nil, fmt.Errorf("index: version %d with %d entries: %w", x.version, n, ErrDamaged)
	}
	x.Count = int(n)
	return x, nil
}

// Entries are the tracked files, in the order of the index. The last value is an
// error if there may be others.
func (x *File) Entries() iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		r := reader{File: x, rest: x.data[head : len(x.data)-x.hash]}
		for range x.Count {
			if err := r.entry(); err != nil {
				yield(nil, fmt.Errorf("index: %w", err))
				return
			}
			if !yield(&r.now, nil) {
				return
			}
		}
		if err := r.extensions(); err != nil {
			yield(nil, fmt.Errorf("index: %w", err))
		}
	}
}

type reader struct {
	*File
	rest []byte
	path []byte // of the entry before
	now  Entry
}

func (r *reader) entry() error {
	e, size := &r.now, fixed+r.hash+2
	if len(r.rest) < size {
		return ErrDamaged
	}
	b := r.rest
	at := func(i int) uint32 { return binary.BigEndian.Uint32(b[i:]) }
	*e = Entry{}
	e.Stat = Stat{Changed: Stamp{at(0), at(4)}, Modified: Stamp{at(8), at(12)}, Inode: at(20), Mode: at(24), Size: at(36)}
	e.id = b[fixed : fixed+r.hash]
	flags := binary.BigEndian.Uint16(b[fixed+r.hash:])
	e.Stage = int(flags>>12) & 3
	if flags&0x4000 != 0 {
		if r.version < 3 || len(b) < size+2 {
			return ErrDamaged
		}
		more := binary.BigEndian.Uint16(b[size:])
		e.SkipWorktree, e.Intent = more&0x4000 != 0, more&0x2000 != 0
		size += 2
	}
	if err := r.name(size); err != nil {
		return err
	}
	switch e.Name = r.path; {
	case len(e.Name) == 0 || e.Stat.Mode&typeOf == directory:
		return ErrPartial // it stands for one of another index, or for many
	case !safe(e.Name):
		return ErrDamaged
	}
	return nil
}

// name reads the path of an entry, of which size bytes were read.
func (r *reader) name(size int) error {
	b := r.rest[size:]
	keep := 0
	if r.version == 4 {
		strip, n := offset(b)
		if n == 0 || strip > len(r.path) {
			return ErrDamaged
		}
		b, keep = b[n:], len(r.path)-strip
	}
	end := bytes.IndexByte(b, 0)
	if end < 0 || keep+end > maxPath {
		return ErrDamaged
	}
	r.path = append(r.path[:keep], b[:end]...)
	if r.version == 4 {
		r.rest = b[end+1:]
		return nil
	}
	whole := (size + end + 8) &^ 7 // one to eight NUL bytes
	if whole > len(r.rest) {
		return ErrDamaged
	}
	r.rest = r.rest[whole:]
	return nil
}

// offset reads a number as git writes offsets; n is how many bytes it takes, 0 if
// it is none.
func offset(b []byte) (v, n int) {
	for i, c := range b[:min(len(b), 4)] {
		if i > 0 {
			v++
		}
		v = v<<7 | int(c&0x7f)
		if c&0x80 == 0 {
			return v, i + 1
		}
	}
	return 0, 0
}

// safe reports whether a path lies in the work tree, and not in a git directory.
func safe(name []byte) bool {
	for first := true; ; first = false {
		part, rest, more := bytes.Cut(name, []byte("/"))
		switch {
		case len(part) == 0, part[0] == '.' && (len(part) == 1 || string(part) == ".."):
			return false
		case first && len(part) == 4 && bytes.EqualFold(part, []byte(".git")):
			return false
		case !more:
			return true
		}
		name = rest
	}
}

// extensions looks whether there is one without which the entries are not all.
func (r *reader) extensions() error {
	for len(r.rest) > 0 {
		if len(r.rest) < 8 {
			return ErrDamaged
		}
		n := binary.BigEndian.Uint32(r.rest[4:])
		if int64(n) > int64(len(r.rest)-8) {
			return ErrDamaged
		}
		if c := r.rest[0]; c < 'A' || c > 'Z' {
			return ErrPartial
		}
		r.rest = r.rest[8+n:]
	}
	return nil
}

// Clean reports whether a file surely is what its entry names, given what the file
// system tells of it now. A file that was written in the same moment as the index,
// or that the index does not know well, is not.
func (x *File) Clean(e *Entry, now Stat) bool {
	if e.Stage > 0 || e.Intent || e.Stat.Mode&typeOf != now.Mode&typeOf || e.Stat.Size != now.Size {
		return false
	}
	was := e.Stat
	if was.Inode != now.Inode || !was.Changed.is(now.Changed) || !was.Modified.is(now.Modified) {
		return false
	}
	return was.Changed.before(x.Written) && was.Modified.before(x.Written)
}
