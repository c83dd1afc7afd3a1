// Package plain finds a repository, and what its refs name, in its files, where
// these are so plain that git cannot say anything else. Starting git takes longer
// than all else that a short question needs.
//
// It knows the ordinary forms only: a checked out work tree, also a linked one,
// with refs in files and ids of SHA-1. Where anything else stands, a setting or a
// file that could have a say or that git might read in another way, it says
// nothing, and git has to be asked. It writes nothing, starts nothing and holds
// no lock; refs that move meanwhile are seen as before or as after.
package plain

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/git/internal/wire"
)

// A Repository is what was found. Paths are absolute and without symbolic links.
type Repository struct {
	WorkTree string // root of the checked out files
	GitDir   string // of this work tree: HEAD, index
	Common   string // of all work trees: refs, objects, config
	Head     string // id of the commit that is checked out
	Branch   string // branch that HEAD names; "" when detached
	Refs     []Ref  // below the prefixes, sorted by name
}

// A Ref is a name and what it names, which need not be there.
type Ref struct{ Name, ID string }

// Sizes up to which files are read. Whatever is larger is for git.
const (
	maxWord   = 8 << 10 // a file with one path or one id
	maxConfig = 64 << 10
	maxPacked = 8 << 20
)

// discovery are the variables that change where git looks.
var discovery = []string{"GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM"}

// Find finds the repository that dir, an absolute path, lies in, with its refs
// below the prefixes, each with a slash at its end: "refs/notes/". It is false if
// git has to be asked.
func Find(dir string, prefixes ...string) (Repository, bool) {
	if slices.ContainsFunc(discovery, func(name string) bool { return os.Getenv(name) != "" }) ||
		slices.ContainsFunc(prefixes, func(p string) bool { return !isName(strings.TrimSuffix(p, "/")) || !strings.HasSuffix(p, "/") }) {
		return Repository{}, false
	}
	r, ok := find(dir)
	if !ok || !r.isRepository() {
		return Repository{}, false
	}
	if config, ok := read(filepath.Join(r.Common, "config"), maxConfig); !ok || !isOrdinary(config) {
		return Repository{}, false
	}
	return r, r.readRefs(prefixes)
}

// find looks for .git in a directory and those above it, on one device.
func find(dir string) (r Repository, ok bool) {
	if !isReal(dir) {
		return r, false
	}
	device, ok := deviceOf(dir)
	for ; ok; dir = filepath.Dir(dir) {
		if on, known := deviceOf(dir); !known || on != device {
			return r, false
		}
		switch info, err := os.Lstat(filepath.Join(dir, ".git")); {
		case err == nil && info.IsDir():
			r = Repository{WorkTree: dir, GitDir: filepath.Join(dir, ".git")}
			r.Common = r.GitDir
			return r, isAbsent(filepath.Join(r.GitDir, "commondir"))
		case err == nil:
			return linked(dir)
		case !os.IsNotExist(err), !isAbsent(filepath.Join(dir, "HEAD")), dir == filepath.Dir(dir):
			return r, false // there is no way on, or this may be a bare repository
		}
	}
	return r, false
}

// linked reads the file .git of a linked work tree, or of a submodule.
func linked(dir string) (r Repository, ok bool) {
	r.WorkTree = dir
	if r.GitDir, ok = pathIn(filepath.Join(dir, ".git"), "gitdir: ", dir); !ok {
		return r, false
	}
	r.Common = r.GitDir
	if common := filepath.Join(r.GitDir, "commondir"); !isAbsent(common) {
		r.Common, ok = pathIn(common, "", r.GitDir)
	}
	return r, ok
}

// pathIn reads the path of a directory, which may be one from base on, out of a file.
func pathIn(file, before, base string) (string, bool) {
	b, ok := read(file, maxWord)
	if !ok {
		return "", false
	}
	path, ok := strings.CutPrefix(strings.TrimSuffix(string(b), "\n"), before)
	if !ok || path == "" || strings.ContainsAny(path, "\r\n\x00") {
		return "", false
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(base, path)
	}
	path = filepath.Clean(path)
	return path, isReal(path)
}

// isRepository reports whether everything is there that makes a repository, and
// nothing that cuts its history off.
func (r Repository) isRepository() bool {
	for _, needed := range []string{r.GitDir, filepath.Join(r.Common, "objects"), filepath.Join(r.Common, "refs")} {
		// The dot is seen only by who may go into the directory.
		if info, err := os.Lstat(needed + string(filepath.Separator) + "."); err != nil || !info.IsDir() {
			return false
		}
	}
	return isAbsent(filepath.Join(r.Common, "shallow"))
}

// isReal reports whether a path leads where it says: through no symbolic link.
func isReal(path string) bool {
	real, err := filepath.EvalSymlinks(path)
	return err == nil && real == path
}

// isAbsent reports whether nothing is there, not even something out of reach.
func isAbsent(path string) bool {
	_, err := os.Lstat(path)
	return os.IsNotExist(err)
}

// read reads an ordinary file of at most limit bytes.
func read(path string, limit int64) ([]byte, bool) {
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() || info.Size() > limit {
		return nil, false
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, false
	}
	defer func() { _ = f.Close() }()
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(f, limit+1))
	return b.Bytes(), err == nil && n <= limit
}

// idIn is the one id that a text consists of, with its line end.
func idIn(text []byte) (string, bool) {
	id := strings.TrimSuffix(string(text), "\n")
	return id, isID(id)
}

// isID reports whether s is an id of SHA-1 that names something.
func isID(s string) bool {
	return len(s) == 40 && wire.IsID(s) && strings.Trim(s, "0") != ""
}
