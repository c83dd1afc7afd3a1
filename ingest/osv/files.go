package osv

import (
	"archive/zip"
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
)

// Read reads a file with records, a directory with such files, or a zip of them, as OSV
// offers for each ecosystem. A file that cannot be read is told like a record that cannot;
// the error says that reading ended before all was read.
func Read(source, name string, take func(governance.Advisory, error) error) error {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return ReadAll(source, os.DirFS(name), take)
	case strings.EqualFold(filepath.Ext(name), ".zip"):
		z, err := zip.OpenReader(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return errors.Join(ReadAll(source, z, take), z.Close())
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(readFile(source, name, f, take, new(int64)), f.Close())
}

// ReadAll reads all files of a tree whose names end in .json.
func ReadAll(source string, tree fs.FS, take func(governance.Advisory, error) error) error {
	files, bytes := 0, int64(0)
	return fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".json" {
			return err
		}
		if files++; files > maxFiles {
			return fmt.Errorf("there are more than %d files", maxFiles)
		}
		f, err := tree.Open(name)
		if err != nil {
			return err
		}
		err = errors.Join(readFile(source, name, f, take, &bytes), f.Close())
		if err == nil && bytes > maxBytes {
			err = fmt.Errorf("there are more than %d bytes in all", int64(maxBytes))
		}
		return err
	})
}

// readFile reads one file and adds its size to that of all. What is wrong in it is told to
// take, whose own error ends the reading.
func readFile(source, name string, f io.Reader, take func(governance.Advisory, error) error, bytes *int64) error {
	body, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if *bytes += int64(len(body)); err == nil && len(body) > MaxFile {
		err = fmt.Errorf("it has more than %d bytes", MaxFile)
	}
	if err != nil {
		return take(governance.Advisory{}, fmt.Errorf("%s: %w", name, err))
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
		return take(governance.Advisory{}, fmt.Errorf("%s: %w", name, err))
	}
	return ended
}
