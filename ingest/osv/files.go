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
	"path/filepath"
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

// Read reads a file with records, a directory with such files, or a zip of them, as OSV
// offers for each ecosystem. What is wrong with a file is told like what is wrong with a
// record; the error says that some were not read, and that they may be another time.
func Read(source, name string, take func(governance.Advisory, error) error) error {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return ReadAll(source, os.DirFS(name), take)
	case strings.EqualFold(filepath.Ext(name), ".zip"):
		z, err := zip.OpenReader(name)
		switch {
		case isUnread(err):
			return err
		case err != nil:
			return take(governance.Advisory{}, fmt.Errorf("%s: %w", name, err))
		}
		return errors.Join(ReadAll(source, z, take), z.Close())
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	_, err = readFile(source, name, f, take)
	return errors.Join(err, f.Close())
}

// ReadAll reads all files of a tree whose names end in .json. One that cannot be read holds
// up no other.
func ReadAll(source string, tree fs.FS, take func(governance.Advisory, error) error) error {
	files, bytes := 0, int64(0)
	var unread []error
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err == nil && (d.IsDir() || path.Ext(name) != ".json"):
			return nil
		case err == nil:
			files++
			var n int64
			n, err = readOne(source, tree, name, take)
			bytes += n
		}
		switch {
		case isUnread(err):
			if len(unread) < maxUnread {
				unread = append(unread, err)
			}
		case err != nil:
			return err
		case files > maxFiles:
			return cmp.Or(take(governance.Advisory{}, fmt.Errorf("there are more than %d files", maxFiles)), fs.SkipAll)
		case bytes > maxBytes:
			return cmp.Or(take(governance.Advisory{}, fmt.Errorf("there are more than %d bytes in all", int64(maxBytes))), fs.SkipAll)
		}
		return nil
	})
	return errors.Join(append(unread, err)...)
}

// isUnread reports whether it is the machine that could not read a file, and not the file
// that is wrong.
func isUnread(err error) bool {
	var failed *fs.PathError
	return errors.As(err, &failed)
}

func readOne(source string, tree fs.FS, name string, take func(governance.Advisory, error) error) (int64, error) {
	f, err := tree.Open(name)
	switch {
	case isUnread(err):
		return 0, err
	case err != nil:
		return 0, take(governance.Advisory{}, fmt.Errorf("%s: %w", name, err))
	}
	n, err := readFile(source, name, f, take)
	return n, errors.Join(err, f.Close())
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
