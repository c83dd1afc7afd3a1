package origins

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stemma-dev/stemma/git"
)

// A Cache keeps answers of Blame as files in a directory; the zero value
// keeps nothing. It may be deleted at any time, and what is wrong with it only
// costs time.
type Cache struct{ Dir string }

// maxCached is how many files are kept: answers, and where they are about.
const maxCached = 1000

// A answerKey is what an answer depends on. The commit may be another one, as
// long as nothing between the two touches the path.
type answerKey struct {
	name   string // of the file: digest of path, content, flags and records; "" if nothing may be kept
	path   string
	commit string
}

// key says what an answer depends on, for a path, what else git goes by, and
// the refs of records.
func (p place) key(path, basis string, refs []git.Ref) answerKey {
	if p.blob == "" || basis == "" {
		return answerKey{}
	}
	parts := []string{"answer", path, p.blob, p.mailmap, basis}
	for _, ref := range refs {
		parts = append(parts, ref.Name, ref.ID)
	}
	return answerKey{cacheName(parts...), path, p.commit}
}

// cacheName is the name of a file of the cache. The number counts the forms
// that files had.
func cacheName(parts ...string) string {
	h := sha256.New()
	fmt.Fprint(h, "6")
	for _, p := range parts {
		fmt.Fprintf(h, "\x00%d %s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// get finds an answer. One from another commit is kept under this one from
// now on.
func (c Cache) get(ctx context.Context, r *git.Repo, key answerKey) ([]Line, bool) {
	if key.name == "" {
		return nil, false
	}
	commit, lines, ok := unpack(c.read(key.name))
	if !ok {
		return nil, false
	}
	if commit != key.commit {
		if same, err := r.Untouched(ctx, key.path, commit, key.commit); err != nil || !same {
			return nil, false
		}
		c.put(key, lines)
	}
	return lines, true
}

// put keeps an answer.
func (c Cache) put(key answerKey, lines []Line) {
	if key.name != "" {
		c.write(key.name, pack(key.commit, lines))
	}
}

// read gives the content of a file as it was written, or nothing.
func (c Cache) read(name string) []byte {
	if c.Dir == "" {
		return nil
	}
	raw, err := os.ReadFile(filepath.Join(c.Dir, name))
	if err != nil || len(raw) < sha256.Size || sha256.Sum256(raw[sha256.Size:]) != [sha256.Size]byte(raw) {
		return nil
	}
	return raw[sha256.Size:]
}

// write keeps a file; that it could not be kept is no error.
func (c Cache) write(name string, content []byte) {
	if c.Dir == "" || os.MkdirAll(c.Dir, 0o700) != nil {
		return
	}
	c.makeRoom()
	temp, err := os.CreateTemp(c.Dir, "new-*")
	if err != nil {
		return
	}
	sum := sha256.Sum256(content)
	_, err = temp.Write(append(sum[:], content...))
	if closed := temp.Close(); err != nil || closed != nil || os.Rename(temp.Name(), filepath.Join(c.Dir, name)) != nil {
		_ = os.Remove(temp.Name())
	}
}

// makeRoom empties the cache when it is full: what is asked for comes back.
func (c Cache) makeRoom() {
	kept, err := os.ReadDir(c.Dir)
	if err != nil || len(kept) < maxCached {
		return
	}
	for _, entry := range kept {
		_ = os.Remove(filepath.Join(c.Dir, entry.Name()))
	}
}
