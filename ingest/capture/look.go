package capture

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/spool"
	"github.com/stemma-dev/stemma/spool/index"
)

// Bounds of what a hook looks at around a command, so that it costs the same in
// every repository. What lies beyond is not known, and the entry does not say that
// it was.
const (
	maxStats   = 1000      // tracked files that are compared with git's index
	maxIndex   = 3 << 19   // bytes of an index that is read
	maxFiles   = 64        // files of which the content is taken; twice as many afterwards
	maxBytes   = 1 << 20   // and their length together; likewise
	maxDirs    = 32        // directories that are listed
	maxListed  = 2000      // names in them
	maxMention = 200       // words of a command that are looked for
	maxNew     = 256 << 10 // length of a new file that nobody named
	recently   = 32 << 10  // bytes at the end of the spool that tell what was worked on
)

// A look takes contents within bounds.
type look struct {
	place spool.Place
	files []spool.File
	seen  map[string]bool
	dirs  map[string]bool // whether they are what they seem, and not behind a symbolic link
	bytes int64
	times int64 // how often the bounds hold
}

func (t *tree) look(times int64) *look {
	return &look{place: t.place, seen: map[string]bool{}, dirs: map[string]bool{}, times: times}
}

// inside reports whether a path is that of a file in the work tree: behind a
// symbolic link, it would be another one.
func (l *look) inside(rel string) bool {
	dir := path.Dir(rel)
	is, known := l.dirs[dir]
	if !known {
		full := filepath.Join(l.place.WorkTree, filepath.FromSlash(rel))
		at, ok := l.place.Inside(full)
		is = ok && at == rel
		l.dirs[dir] = is
	}
	return is
}

// take takes a content; false if that is beyond the bounds.
func (l *look) take(rel string, named bool) bool {
	if l.seen[rel] {
		return true
	}
	times := l.times
	if named {
		times++ // it matters more than the others, however many they are
	}
	full := filepath.Join(l.place.WorkTree, filepath.FromSlash(rel))
	if !l.inside(rel) || len(l.files) >= int(times)*maxFiles {
		return false
	}
	if info, err := os.Lstat(full); err == nil && info.Mode().IsRegular() {
		if l.bytes+info.Size() > times*maxBytes {
			return false
		}
		l.bytes += info.Size()
	}
	f := l.place.Take(rel)
	f.Named = named
	l.seen[rel] = true
	l.files = append(l.files, f)
	return true
}

// know notes what is known without taking it.
func (l *look) know(f spool.File) {
	if !l.seen[f.Path] && len(l.files) < int(l.times)*maxFiles {
		l.seen[f.Path] = true
		l.files = append(l.files, f)
	}
}

// begin looks at what a command may write: what it says, what was worked on, and
// what differs from git's index. All else that is tracked is what the index says.
func (t *tree) begin(entry *spool.Entry, id string) error {
	l := t.look(1)
	call := spool.Call{Index: spool.SealOf(t.place.Index()), Dirs: map[string][]string{}}
	named := t.named()
	files, dirs := t.mentioned()
	files = append(files, t.recent()...)
	clean := map[string]spool.File{} // what they are, of those that need not be taken
	for _, path := range append(slices.Clone(named), files...) {
		clean[path] = spool.File{}
	}
	var dirty []string
	call.Under = dirs
	call.All = t.compare(t.place.Index(), &call, func(e *index.Entry, is bool) {
		if _, ok := clean[string(e.Name)]; ok && is {
			clean[string(e.Name)] = indexed(e)
		}
		if !is {
			dirty = append(dirty, e.Path())
		}
	})
	for _, path := range named {
		if clean[path].State == "" {
			l.take(path, true)
		}
	}
	if len(dirty) > maxFiles {
		dirty, call.All, call.Under = nil, false, nil // such as in a copy of a clone that git has not looked at yet
	}
	for _, path := range dirty {
		if !l.take(path, false) {
			call.All, call.Under = false, nil // one that is not clean, and not looked at, would look as if it were
		}
	}
	for _, path := range named {
		if call.Under == nil {
			l.take(path, true) // also one that is clean, since that will not be compared
		}
	}
	for _, path := range files {
		if f := clean[path]; f.State == spool.Tracked && call.Under != nil {
			l.know(f) // a command may copy it
		} else if !secret(path) {
			l.take(path, false)
		}
	}
	t.list(dirs, func(dir string, names []string) { call.Dirs[dir] = names })
	call.Files, entry.Files = l.files, l.files
	return t.place.Begin(id, call, entry.At)
}

// end looks at the same once more, and at what else is not what it was.
func (t *tree) end(entry *spool.Entry, id string) error {
	call, before, forget, err := t.place.End(id)
	defer forget()
	if err != nil {
		return err
	}
	l, named := t.look(2), map[string]bool{}
	for _, path := range t.named() {
		named[path] = true
	}
	for _, f := range call.Files {
		call.All = l.take(f.Path, f.Named || named[f.Path]) && call.All
	}
	was := func(f spool.File, named bool) bool {
		if l.seen[f.Path] {
			return true
		}
		if !l.take(f.Path, named) {
			return false
		}
		entry.Was = append(entry.Was, f)
		return true
	}
	tracked := map[string]bool{} // of what is not as git has it
	if call.All || call.Under != nil {
		all := t.compare(before, &call, func(e *index.Entry, clean bool) {
			if !clean {
				tracked[e.Path()] = true
			}
			if !clean && !was(indexed(e), named[string(e.Name)]) {
				call.All = false
			}
		})
		entry.Whole = all && call.All
	}
	t.list(sortedKeys(call.Dirs), func(dir string, names []string) {
		for _, name := range call.Dirs[dir] {
			if _, still := slices.BinarySearch(names, name); !still && !slices.Contains(heaps, name) {
				at := path.Join(dir, name)
				entry.Gone = entry.Gone || !tracked[at] && !l.seen[at]
			}
		}
		for _, name := range names {
			if _, ok := slices.BinarySearch(call.Dirs[dir], name); !ok {
				t.appeared(path.Join(dir, name), func(path string) bool {
					return was(spool.File{Path: path, State: spool.Missing}, named[path])
				})
			}
		}
	})
	entry.Files = l.files
	return nil
}

// indexed is what a file was that was clean.
func indexed(e *index.Entry) spool.File {
	f := spool.File{Path: e.Path(), State: spool.Tracked, Blob: e.Blob(), Size: int64(e.Stat.Size)}
	if !e.Regular() {
		f = spool.File{Path: e.Path(), State: spool.Other}
	}
	return f
}

// compare compares tracked files with an index, those under directories that a
// command names if they are too many. True if it was all of them.
func (t *tree) compare(file string, c *spool.Call, tell func(e *index.Entry, clean bool)) bool {
	x, err := index.Open(file, t.place.SHA256, maxIndex)
	if err != nil || !index.Exact {
		c.Under = nil
		return false
	}
	all, stats := x.Count <= maxStats, 0
	full := append([]byte(t.place.WorkTree), '/')
	root := len(full)
	for e, err := range x.Entries() {
		switch {
		case err != nil:
			return false
		case e.Submodule() || !all && !under(e.Name, c.Under):
			continue
		case stats >= maxStats:
			return false
		}
		stats++
		full = append(full[:root], e.Name...)
		now, there, err := index.Look(string(full))
		tell(e, err == nil && (there && x.Clean(e, now) || !there && e.SkipWorktree))
	}
	return all
}

func under(name []byte, dirs []string) bool {
	for _, d := range dirs {
		if len(name) > len(d) && name[len(d)] == '/' && string(name[:len(d)]) == d {
			return true
		}
	}
	return false
}

// named are the files that are said to be written, with those that their patterns
// mean.
func (t *tree) named() (list []string) {
	for _, p := range t.paths {
		if !strings.ContainsAny(p, "*?[") {
			list = append(list, p)
			continue
		}
		dir, pattern := path.Split(p)
		t.list([]string{path.Clean("./" + dir)}, func(_ string, names []string) {
			for _, name := range names {
				if ok, err := path.Match(pattern, name); ok && err == nil {
					list = append(list, path.Join(dir, name))
				}
			}
		})
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// mentioned are files that a command mentions, and directories with that in which
// it runs.
func (t *tree) mentioned() (files, dirs []string) {
	inside := func(full string) (string, bool) {
		rel, err := filepath.Rel(t.place.WorkTree, full)
		return filepath.ToSlash(rel), err == nil && filepath.IsLocal(rel)
	}
	for _, dir := range t.dirs {
		if rel, ok := inside(dir); ok {
			dirs = append(dirs, rel)
		}
	}
	for _, full := range slices.Concat(t.absolute(t.paths), t.names[:min(len(t.names), maxMention)]) {
		rel, ok := inside(full)
		if !ok {
			continue
		}
		switch info, err := os.Lstat(full); {
		case err == nil && info.IsDir():
			dirs = append(dirs, rel)
		case err == nil && info.Mode().IsRegular(), err != nil && path.Ext(rel) != "":
			files = append(files, rel)
		}
	}
	dirs = slices.DeleteFunc(dirs, func(d string) bool { return d == ".git" || strings.HasPrefix(d, ".git/") })
	slices.Sort(dirs)
	return files, slices.Compact(dirs)
}

func (t *tree) absolute(paths []string) (list []string) {
	for _, p := range paths {
		list = append(list, filepath.Join(t.place.WorkTree, filepath.FromSlash(p)))
	}
	return list
}

// recent are the files that were looked at last.
func (t *tree) recent() (list []string) {
	for _, e := range t.place.Last(recently) {
		for _, f := range slices.Concat(e.Files, e.Was) {
			list = append(list, f.Path)
		}
	}
	slices.Reverse(list)
	return list
}

// list tells the names in directories, sorted, as far as the bounds allow.
func (t *tree) list(dirs []string, tell func(dir string, names []string)) {
	names := 0
	for _, dir := range dirs[:min(len(dirs), maxDirs)] {
		full := filepath.Join(t.place.WorkTree, filepath.FromSlash(dir))
		if at, ok := t.place.Inside(full); dir != "." && (!ok || at != dir) {
			continue
		}
		f, err := os.Open(full)
		if err != nil {
			continue
		}
		list, err := f.Readdirnames(maxListed - names + 1)
		_ = f.Close()
		if names += len(list); names > maxListed {
			return // what is not in a list that was cut would be taken for new
		}
		if err == nil || len(list) == 0 {
			slices.Sort(list)
			tell(dir, list)
		}
	}
}

// appeared tells the files of a path that was not there: itself, or what is in it.
func (t *tree) appeared(rel string, tell func(path string) bool) {
	root := filepath.Join(t.place.WorkTree, filepath.FromSlash(rel))
	left := maxFiles
	_ = filepath.WalkDir(root, func(full string, d fs.DirEntry, err error) error {
		switch left--; {
		case left < 0:
			return fs.SkipAll
		case err != nil:
			return nil
		case strings.HasPrefix(d.Name(), ".") || d.IsDir() && slices.Contains(heaps, d.Name()):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !d.Type().IsRegular() || secret(d.Name()):
			return nil
		}
		if info, err := d.Info(); err != nil || info.Size() > maxNew {
			return nil
		}
		if at, err := filepath.Rel(t.place.WorkTree, full); err == nil && !tell(filepath.ToSlash(at)) {
			return fs.SkipAll
		}
		return nil
	})
}

// heaps are directories of what is fetched or built, and never committed.
var heaps = []string{"node_modules", "__pycache__", "target", "dist", "build", "venv"}

// secret reports whether a file is likely to hold one; then it is taken only if it
// is said to be written.
func secret(name string) bool {
	base := path.Base(name)
	return strings.HasPrefix(base, ".env") || strings.HasPrefix(base, "id_") || slices.Contains([]string{".pem", ".key", ".p12", ".pfx"}, path.Ext(base))
}

func sortedKeys(m map[string][]string) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
