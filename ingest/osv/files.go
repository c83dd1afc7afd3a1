package osv

import (
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/stemma-dev/stemma/governance"
)

// Bounds of what is read at once.
const (
	MaxFile  = 64 << 20 // bytes
	maxFiles = 1_000_000
	maxBytes = 8 << 30 // of all files together

	maxUnread = 20 // that are told
)

// Read reads a file with records, a zip of such files as OSV offers for each ecosystem, or a
// directory with files and zips. What is wrong with a file is told like what is wrong with a
// record; the error says that some were not read, and that they may be another time.
func Read(source, name string, take func(governance.Advisory, error) error) error {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return ReadAll(source, os.DirFS(name), take)
	}
	r := &reading{source: source, take: take}
	open := func() (io.ReadCloser, error) { return os.Open(name) }
	if isZip(name) {
		err = r.packed(name, open)
	} else {
		err = r.file(name, open)
	}
	return r.end(err)
}

// ReadAll reads all files of a tree whose names end in .json, and the zips in it. One that
// cannot be read holds up no other.
func ReadAll(source string, tree fs.FS, take func(governance.Advisory, error) error) error {
	r := &reading{source: source, take: take}
	return r.end(fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		open := func() (io.ReadCloser, error) { return tree.Open(name) }
		switch {
		case err != nil:
			return r.failed(name, err)
		case d.IsDir():
			return nil
		case isZip(name):
			return r.packed(name, open)
		case isRecord(name):
			return r.file(name, open)
		}
		return nil
	}))
}

func isZip(name string) bool    { return strings.EqualFold(path.Ext(name), ".zip") }
func isRecord(name string) bool { return strings.EqualFold(path.Ext(name), ".json") }

// A reading is how much was read of many files.
type reading struct {
	source string
	take   func(governance.Advisory, error) error
	files  int
	bytes  int64
	unread []error
}

// end is what came of it.
func (r *reading) end(err error) error {
	if errors.Is(err, fs.SkipAll) {
		err = nil
	}
	return errors.Join(append(r.unread, err)...)
}

// failed tells what is wrong with a file, and remembers one that may be read another time.
func (r *reading) failed(name string, err error) error {
	if !isUnread(err) {
		return r.take(governance.Advisory{}, fmt.Errorf("%s: %w", name, err))
	}
	if len(r.unread) < maxUnread {
		r.unread = append(r.unread, err)
	}
	return nil
}

// isUnread reports whether it is the machine that could not read a file, and not the file
// that is wrong.
func isUnread(err error) bool {
	var failed *fs.PathError
	return errors.As(err, &failed)
}

// packed reads the files of a zip. It goes by its list and makes no tree of it, in which a name
// that is there twice would hide all beside it.
func (r *reading) packed(name string, open func() (io.ReadCloser, error)) error {
	f, err := open()
	if err != nil {
		return r.failed(name, err)
	}
	z, err := unpack(f)
	if err != nil {
		return errors.Join(r.failed(name, err), f.Close())
	}
	for _, one := range z.File {
		at := name + "/" + one.Name
		switch {
		case isZip(one.Name):
			err = r.take(governance.Advisory{}, fmt.Errorf("%s: a zip in a zip is not read", at))
		case isRecord(one.Name):
			err = r.file(at, one.Open)
		}
		if err != nil {
			break
		}
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

func unpack(f io.Reader) (*zip.Reader, error) {
	file, ok := f.(interface {
		io.ReaderAt
		Stat() (fs.FileInfo, error)
	})
	if !ok {
		return nil, errors.New("a zip is not read here")
	}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	return zip.NewReader(file, info.Size())
}

// file reads one of several files, while they are not too many.
func (r *reading) file(name string, open func() (io.ReadCloser, error)) error {
	f, err := open()
	if err != nil {
		return r.failed(name, err)
	}
	n, err := readFile(r.source, name, f, r.take)
	r.files, r.bytes = r.files+1, r.bytes+n
	switch err = errors.Join(err, f.Close()); {
	case isUnread(err):
		return r.failed(name, err)
	case err != nil:
		return err
	case r.files > maxFiles:
		return cmp.Or(r.take(governance.Advisory{}, fmt.Errorf("there are more than %d files", maxFiles)), fs.SkipAll)
	case r.bytes > maxBytes:
		return cmp.Or(r.take(governance.Advisory{}, fmt.Errorf("there are more than %d bytes in all", int64(maxBytes))), fs.SkipAll)
	}
	return nil
}

// readFile reads one file, and says how long it is. What is wrong in it is told to take,
// whose own error ends the reading.
func readFile(source, name string, f io.Reader, take func(governance.Advisory, error) error) (int64, error) {
	body, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	size := int64(len(body))
	switch {
	case isUnread(err):
		return size, err
	case err == nil && size > MaxFile:
		err = fmt.Errorf("it has more than %d bytes", MaxFile)
	}
	if err != nil {
		return size, take(governance.Advisory{}, fmt.Errorf("%s: %w", name, err))
	}
	var ended error
	err = Parse(source, body, func(a governance.Advisory, err error) error {
		if err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
		ended = take(a, err)
		return ended
	})
	if ended == nil && err != nil {
		return size, take(governance.Advisory{}, fmt.Errorf("%s: %w", name, err))
	}
	return size, ended
}
