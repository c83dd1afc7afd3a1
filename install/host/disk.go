package host

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

// A Spot is a file that is there or is to be made, with its symbolic links
// resolved: what is written goes through them.
type Spot struct {
	Root *os.Root // beyond which nothing is written
	Rel  string   // from there
}

var errOutside = errors.New("a symbolic link leads out of the repository")

// Locate finds the Spot of a file below base. Where it is confined, no symbolic
// link may lead out of base, nor into git's own directory.
func Locate(base, rel string, confined bool) (*Spot, error) {
	at := Resolve(filepath.Join(base, filepath.FromSlash(rel)), 0)
	top := Resolve(base, 0)
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
	return &Spot{root, rel}, nil
}

// Resolve follows the symbolic links of a path, also where it ends in nothing.
func Resolve(path string, depth int) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if to, err := os.Readlink(path); err == nil && depth < 40 { // it points at nothing yet
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		return Resolve(to, depth+1)
	}
	up := filepath.Dir(path)
	if up == path {
		return path
	}
	return filepath.Join(Resolve(up, depth), filepath.Base(path))
}

// Close ends the use of it.
func (s *Spot) Close() { _ = s.Root.Close() }

// Read returns what is in the file; found is false if there is none.
func (s *Spot) Read() (content []byte, mode fs.FileMode, found bool, err error) {
	info, err := s.Root.Stat(s.Rel)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0o644, false, nil
	case err != nil:
		return nil, 0, false, Plain(err)
	case !info.Mode().IsRegular():
		return nil, 0, true, errors.New("it is no file")
	}
	f, err := s.Root.Open(s.Rel)
	if err != nil {
		return nil, 0, true, Plain(err)
	}
	defer func() { _ = f.Close() }()
	content, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(content) > maxFile {
		err = fmt.Errorf("it is longer than %d bytes", maxFile)
	}
	return content, info.Mode().Perm(), true, Plain(err)
}

// Write puts the content there at once or not at all, and returns the
// directories it made, deepest first.
func (s *Spot) Write(content []byte, mode fs.FileMode) (dirs []string, err error) {
	dir := filepath.Dir(s.Rel)
	for at := dir; at != "."; at = filepath.Dir(at) {
		if _, err := s.Root.Lstat(at); err == nil {
			break
		}
		dirs = append(dirs, at)
	}
	if err := s.Root.MkdirAll(dir, 0o755); err != nil {
		return nil, Plain(err)
	}
	temp := filepath.Join(dir, fmt.Sprintf(".stemma-%d.tmp", os.Getpid()))
	f, err := s.Root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return dirs, Plain(err)
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = s.Root.Chmod(temp, mode)
	}
	if err == nil {
		err = s.Root.Rename(temp, s.Rel)
	}
	if err != nil {
		_ = s.Root.Remove(temp)
	}
	return dirs, Plain(err)
}

// Remove takes the file away, and those of the directories that are empty then.
func (s *Spot) Remove(dirs []string) error {
	if err := s.Root.Remove(s.Rel); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Plain(err)
	}
	for _, dir := range dirs {
		if filepath.IsLocal(dir) && s.Root.Remove(dir) != nil {
			return nil // something is in it
		}
	}
	return nil
}

// Plain is an error without the name of the file, which is told with it.
func Plain(err error) error {
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

// Digest is the SHA-256 of a content, in hexadecimal digits.
func Digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
