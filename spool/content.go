package spool

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// A State says what a path was when a hook looked.
type State string

// The states of a path.
const (
	Regular    State = "file"       // its content is kept
	Missing    State = "missing"    // there is nothing
	Link       State = "link"       // a symbolic link, which is not followed
	Other      State = "other"      // a directory, a device
	Large      State = "large"      // longer than [MaxContent]
	Unreadable State = "unreadable" // it is there and cannot be read or kept
	Tracked    State = "tracked"    // its content is the blob that git's index names, and not kept here
)

// A File is one path as a hook saw it.
type File struct {
	Path  string `json:"path"` // from the root of the work tree, with slashes
	State State  `json:"state"`
	Blob  string `json:"blob,omitempty"` // the id that git gives its content
	Size  int64  `json:"size,omitempty"`
	Why   string `json:"why,omitempty"`   // it is unreadable
	Named bool   `json:"named,omitempty"` // what was about to happen was said to write it
}

// MaxContent is how long a file may be of which the content is kept.
const MaxContent = 16 << 20

// Take keeps the content of a file, by its path from the root of the work tree.
// Nothing is an error: what cannot be kept is said in the File.
func (p Place) Take(rel string) File {
	f := File{Path: rel}
	at := filepath.Join(p.WorkTree, filepath.FromSlash(rel))
	info, err := os.Lstat(at)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.State = Missing
		return f
	case err != nil:
		return f.unreadable(err)
	case info.Mode()&fs.ModeSymlink != 0:
		f.State = Link
		return f
	case !info.Mode().IsRegular():
		f.State = Other
		return f
	}
	if f.Size = info.Size(); f.Size > MaxContent {
		f.State = Large
		return f
	}
	content, err := readFile(at)
	switch {
	case err != nil:
		return f.unreadable(err)
	case len(content) > MaxContent:
		f.State, f.Size = Large, int64(len(content))
		return f
	}
	return p.keep(f, content)
}

// Keep keeps a content that an editor has not written to the file yet.
func (p Place) Keep(rel string, content []byte) File {
	f := File{Path: rel, Size: int64(len(content))}
	if len(content) > MaxContent {
		f.State = Large
		return f
	}
	return p.keep(f, content)
}

func (p Place) keep(f File, content []byte) File {
	f.State, f.Size, f.Blob = Regular, int64(len(content)), p.ID(content)
	if err := p.store(f.Blob, content); err != nil {
		return f.unreadable(err)
	}
	return f
}

func (f File) unreadable(err error) File {
	var where *fs.PathError
	if errors.As(err, &where) {
		err = where.Err // the path is ours and says nothing
	}
	f.State, f.Why, f.Blob = Unreadable, err.Error(), ""
	return f
}

// readFile reads a file that may be growing, up to a byte more than is kept.
// One that became a pipe meanwhile does not hold it.
func readFile(at string) ([]byte, error) {
	f, err := os.OpenFile(at, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, errors.New("it is no file any more"))
	}
	return io.ReadAll(io.LimitReader(f, MaxContent+1))
}

// ID is that of git for a file with this content.
func (p Place) ID(content []byte) string {
	var h hash.Hash = sha1.New()
	if p.SHA256 {
		h = sha256.New()
	}
	fmt.Fprintf(h, "blob %d\x00", len(content))
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}

func (p Place) content(id string) string {
	return filepath.Join(p.Common, "stemma", "contents", id[:2], id[2:])
}

// store writes a content, once.
func (p Place) store(id string, content []byte) error {
	at := p.content(id)
	if info, err := os.Lstat(at); err == nil && info.Size() == int64(len(content)) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		return err
	}
	return Replace(at, content)
}

// ErrNoContent means: a content is not kept, or what is kept is another one.
var ErrNoContent = errors.New("the content is not kept")

// Content gives a content back by its id.
func (p Place) Content(id string) ([]byte, error) {
	if len(id) < 40 {
		return nil, fmt.Errorf("spool: content %q: %w", id, ErrNoContent)
	}
	if _, err := hex.DecodeString(id); err != nil {
		return nil, fmt.Errorf("spool: content %q: %w", id, ErrNoContent)
	}
	b, err := os.ReadFile(p.content(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("spool: content %s: %w", id, ErrNoContent)
	}
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	if !bytes.Equal([]byte(p.ID(b)), []byte(id)) {
		return nil, fmt.Errorf("spool: content %s: it was changed: %w", id, ErrNoContent)
	}
	return b, nil
}

// Forget removes the contents that were kept first before a time, but for some, by
// their ids. It is no error if one goes meanwhile.
func (p Place) Forget(since time.Time, but map[string]bool) error {
	root := filepath.Join(p.Common, "stemma", "contents")
	err := filepath.WalkDir(root, func(at string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil || !info.ModTime().Before(since) || but[filepath.Base(filepath.Dir(at))+d.Name()] {
			return err
		}
		return os.Remove(at)
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("spool: %w", err)
	}
	return nil
}
