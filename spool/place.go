package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// A Place is a work tree and where git keeps what belongs to it.
type Place struct {
	WorkTree string // with its symbolic links resolved, as all of them
	GitDir   string // of this work tree: its HEAD and index
	Common   string // shared by all work trees of the repository
	SHA256   bool   // the format of its objects
}

// ErrNoWorkTree means: a path lies in no work tree of git.
var ErrNoWorkTree = errors.New("not in a work tree of git")

// Find looks for the work tree that a path lies in, without git: the path itself
// need not exist.
func Find(path string) (Place, error) {
	if !filepath.IsAbs(path) {
		return Place{}, fmt.Errorf("spool: %q: not an absolute path", path)
	}
	dir := resolve(filepath.Clean(path))
	for {
		if p, ok := placeAt(dir); ok {
			return p, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return Place{}, fmt.Errorf("spool: %q: %w", path, ErrNoWorkTree)
		}
		dir = up
	}
}

// resolve follows the symbolic links of as much of a path as there is.
func resolve(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	up := filepath.Dir(path)
	if up == path {
		return path
	}
	return filepath.Join(resolve(up), filepath.Base(path))
}

// placeAt reports whether a directory is a work tree: .git is a directory, or a
// file that names one.
func placeAt(dir string) (Place, bool) {
	at := filepath.Join(dir, ".git")
	info, err := os.Lstat(at)
	if err != nil {
		return Place{}, false
	}
	if info.Mode().IsRegular() {
		to, ok := strings.CutPrefix(string(head(at, 8<<10)), "gitdir:")
		if !ok {
			return Place{}, false
		}
		if at = strings.TrimSpace(to); !filepath.IsAbs(at) {
			at = filepath.Join(dir, at)
		}
	}
	p := Place{WorkTree: dir, GitDir: resolve(filepath.Clean(at))}
	p.Common = p.GitDir
	if to := strings.TrimSpace(string(head(filepath.Join(p.GitDir, "commondir"), 8<<10))); to != "" {
		if !filepath.IsAbs(to) {
			to = filepath.Join(p.GitDir, to)
		}
		p.Common = resolve(filepath.Clean(to))
	}
	for _, needed := range []string{filepath.Join(p.GitDir, "HEAD"), filepath.Join(p.Common, "objects"), filepath.Join(p.Common, "refs")} {
		if _, err := os.Lstat(needed); err != nil {
			return Place{}, false // what is here is no repository
		}
	}
	p.SHA256 = sha256Format().Match(head(filepath.Join(p.Common, "config"), 64<<10))
	return p, true
}

var sha256Format = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?im)^\s*objectformat\s*=\s*"?sha256"?\s*$`) })

// head is the beginning of a file; nothing of one that cannot be read.
func head(path string, limit int64) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return nil
	}
	return b
}

// Trees are all work trees of the repository, as far as they can be found, and those
// that are gone but left a spool: these have no WorkTree, and stand nowhere.
func (p Place) Trees() []Place {
	list := []Place{p}
	add := func(dir string) {
		at, err := Find(dir)
		if err == nil && at.Common == p.Common && !slices.ContainsFunc(list, func(q Place) bool { return q.GitDir == at.GitDir }) {
			list = append(list, at)
		}
	}
	add(filepath.Dir(p.Common))
	linked, _ := filepath.Glob(filepath.Join(p.Common, "worktrees", "*", "gitdir"))
	for _, l := range linked {
		if to := strings.TrimSpace(string(head(l, 8<<10))); filepath.IsAbs(to) {
			add(filepath.Dir(to))
		}
	}
	spooled, _ := filepath.Glob(filepath.Join(p.Common, "stemma", "trees", "*"))
	for _, dir := range spooled {
		gone := Place{GitDir: filepath.Join(p.Common, "worktrees", filepath.Base(dir)), Common: p.Common, SHA256: p.SHA256}
		if !slices.ContainsFunc(list, func(q Place) bool { return q.GitDir == gone.GitDir }) {
			list = append(list, gone)
		}
	}
	return list
}

// Inside returns the path of a file from the root of the work tree, with
// slashes; false if it lies elsewhere, or in git's own directory.
func (p Place) Inside(path string) (string, bool) {
	path = filepath.Clean(path)
	rel, err := filepath.Rel(p.WorkTree, filepath.Join(resolve(filepath.Dir(path)), filepath.Base(path)))
	if err != nil || rel == "." || !filepath.IsLocal(rel) {
		return "", false
	}
	rel = filepath.ToSlash(rel)
	if first, _, _ := strings.Cut(rel, "/"); strings.EqualFold(first, ".git") {
		return "", false
	}
	return rel, true
}

// A Stand is where git stands: when it moves, git itself may have written files.
type Stand struct {
	Head   string `json:"head,omitempty"`   // the ref that is checked out, or HEAD
	Commit string `json:"commit,omitempty"` // its commit, if that was cheaply known
	Stash  string `json:"stash,omitempty"`  // the last stash
	Doing  string `json:"doing,omitempty"`  // what git is in the middle of: "merge", "rebase", "cherry-pick", "revert"
	Draft  int64  `json:"draft,omitempty"`  // when git last wrote down what it had brought and not committed; 0 for never since the last commit
	Reflog int64  `json:"reflog,omitempty"` // how long the reflog of HEAD is: the moves before were made before
}

// Stand tells where git stands now.
func (p Place) Stand() Stand {
	s := Stand{Head: "HEAD", Commit: string(bytes.TrimSpace(head(filepath.Join(p.GitDir, "HEAD"), 4<<10)))}
	if ref, ok := strings.CutPrefix(s.Commit, "ref: "); ok {
		s.Head, s.Commit = ref, ""
		if filepath.IsLocal(filepath.FromSlash(ref)) {
			s.Commit = string(bytes.TrimSpace(head(filepath.Join(p.Common, filepath.FromSlash(ref)), 4<<10)))
		}
	}
	s.Stash = string(bytes.TrimSpace(head(filepath.Join(p.Common, "refs", "stash"), 4<<10)))
	if info, err := os.Lstat(p.reflog()); err == nil {
		s.Reflog = info.Size()
	}
	for _, w := range []struct{ file, doing string }{
		{"rebase-merge", "rebase"}, {"rebase-apply", "rebase"}, {"MERGE_HEAD", "merge"}, {"CHERRY_PICK_HEAD", "cherry-pick"}, {"REVERT_HEAD", "revert"},
	} {
		if _, err := os.Lstat(filepath.Join(p.GitDir, w.file)); err == nil {
			s.Doing = w.doing
			break
		}
	}
	for _, file := range drafts {
		if info, err := os.Lstat(filepath.Join(p.GitDir, file)); err == nil {
			s.Draft = max(s.Draft, info.ModTime().UnixNano())
		}
	}
	return s
}

// drafts are the files that a pick, a revert or a squash that is not to be committed, or
// anything that meets a conflict, leaves until the next commit, and no other trace.
var drafts = []string{"MERGE_MSG", "SQUASH_MSG", "AUTO_MERGE"}
