package install

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxFile is how long a file may be that is changed.
const maxFile = 4 << 20

// A spot is a file that is there or is to be made, with its symbolic links
// resolved: what is written goes through them.
type spot struct {
	root *os.Root // beyond which nothing is written
	rel  string
}

var errOutside = errors.New("a symbolic link leads out of the repository")

// locate finds the spot of a file below base. Where it is confined, no symbolic
// link may lead out of base, nor into git's own directory.
func locate(base, rel string, confined bool) (*spot, error) {
	at := resolve(filepath.Join(base, filepath.FromSlash(rel)), 0)
	top := resolve(base, 0)
	if !confined {
		top = filepath.VolumeName(at) + string(filepath.Separator)
	}
	rel, err := filepath.Rel(top, at)
	if err != nil || !filepath.IsLocal(rel) {
		return nil, errOutside
	}
	if part, _, _ := strings.Cut(filepath.ToSlash(rel), "/"); confined && strings.EqualFold(part, ".git") {
		return nil, errOutside
	}
	root, err := os.OpenRoot(top)
	if err != nil {
		return nil, err
	}
	return &spot{root, rel}, nil
}

// resolve follows the symbolic links of a path, also where it ends in nothing.
func resolve(path string, depth int) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if to, err := os.Readlink(path); err == nil && depth < 40 { // it points at nothing yet
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		return resolve(to, depth+1)
	}
	up := filepath.Dir(path)
	if up == path {
		return path
	}
	return filepath.Join(resolve(up, depth), filepath.Base(path))
}

func (s *spot) close() { _ = s.root.Close() }

// read returns what is in the file; found is false if there is none.
func (s *spot) read() (content []byte, mode fs.FileMode, found bool, err error) {
	info, err := s.root.Stat(s.rel)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0o644, false, nil
	case err != nil:
		return nil, 0, false, plainError(err)
	case !info.Mode().IsRegular():
		return nil, 0, true, errors.New("it is no file")
	}
	f, err := s.root.Open(s.rel)
	if err != nil {
		return nil, 0, true, plainError(err)
	}
	defer func() { _ = f.Close() }()
	content, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(content) > maxFile {
		err = fmt.Errorf("it is longer than %d bytes", maxFile)
	}
	return content, info.Mode().Perm(), true, plainError(err)
}

// write puts the content there at once or not at all, and returns the
// directories it made, deepest first.
func (s *spot) write(content []byte, mode fs.FileMode) (dirs []string, err error) {
	dir := filepath.Dir(s.rel)
	for at := dir; at != "."; at = filepath.Dir(at) {
		if _, err := s.root.Lstat(at); err == nil {
			break
		}
		dirs = append(dirs, at)
	}
	if err := s.root.MkdirAll(dir, 0o755); err != nil {
		return nil, plainError(err)
	}
	temp := filepath.Join(dir, fmt.Sprintf(".stemma-%d.tmp", os.Getpid()))
	f, err := s.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return dirs, plainError(err)
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = s.root.Chmod(temp, mode)
	}
	if err == nil {
		err = s.root.Rename(temp, s.rel)
	}
	if err != nil {
		_ = s.root.Remove(temp)
	}
	return dirs, plainError(err)
}

// remove takes the file away, and those of the directories that are empty then.
func (s *spot) remove(dirs []string) error {
	if err := s.root.Remove(s.rel); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return plainError(err)
	}
	for _, dir := range dirs {
		if filepath.IsLocal(dir) && s.root.Remove(dir) != nil {
			return nil // something is in it
		}
	}
	return nil
}

// plainError is an error without the name of the file, which is told with it.
func plainError(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
