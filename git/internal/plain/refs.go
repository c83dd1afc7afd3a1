package plain

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxLoose is how many entries of directories are looked at for refs.
const maxLoose = 10_000

// readRefs reads what is checked out and the refs below the prefixes. The files
// of refs come before the packed ones: git packs in the other order.
func (r *Repository) readRefs(prefixes []string) bool {
	head, ok := read(filepath.Join(r.GitDir, "HEAD"), maxWord)
	if !ok {
		return false
	}
	found := map[string]string{}
	left := maxLoose
	for _, prefix := range prefixes {
		if !r.loose(prefix, found, &left) {
			return false
		}
	}
	if branch, named := strings.CutPrefix(string(head), "ref: "); named {
		r.Branch = strings.TrimSuffix(branch, "\n")
		if !strings.HasPrefix(r.Branch, "refs/heads/") || !isName(r.Branch) {
			return false
		}
		if r.Head, ok = r.branch(); !ok {
			return false
		}
	} else if r.Head, ok = idIn(head); !ok {
		return false
	}
	packed, ok := r.packed(prefixes)
	if !ok {
		return false
	}
	if r.Head == "" {
		r.Head = packed[r.Branch]
	}
	for name, id := range packed {
		if _, loose := found[name]; !loose && below(name, prefixes) {
			found[name] = id
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		r.Refs = append(r.Refs, Ref{name, found[name]})
	}
	return r.Head != "" // what has no commit yet is for git
}

// branch is the id that the file of the branch names, "" if there is no file.
func (r *Repository) branch() (string, bool) {
	file := filepath.Join(r.Common, filepath.FromSlash(r.Branch))
	if isAbsent(file) {
		return "", true
	}
	text, ok := read(file, maxWord)
	if !ok {
		return "", false
	}
	return idIn(text)
}

func below(name string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// loose reads the refs that are files below a prefix, a directory.
func (r *Repository) loose(prefix string, found map[string]string, left *int) bool {
	dir := filepath.Join(r.Common, filepath.FromSlash(prefix))
	switch info, err := os.Lstat(dir); {
	case os.IsNotExist(err):
		return true
	case err != nil || !info.IsDir():
		return false
	}
	entries, err := os.ReadDir(dir)
	if *left -= len(entries); err != nil || *left < 0 {
		return false
	}
	for _, e := range entries {
		name := prefix + e.Name()
		switch {
		case !isName(name):
			return false
		case e.IsDir():
			if !r.loose(name+"/", found, left) {
				return false
			}
		default:
			text, ok := read(filepath.Join(dir, e.Name()), maxWord)
			if !ok {
				return false
			}
			if found[name], ok = idIn(text); !ok {
				return false
			}
		}
	}
	return true
}

// packed reads the branch and what is below the prefixes out of the file of
// packed refs (gitrepository-layout(5); lines of "id name", in order, each with
// a line "^id" behind it where it names a tag).
func (r *Repository) packed(prefixes []string) (map[string]string, bool) {
	file := filepath.Join(r.Common, "packed-refs")
	if isAbsent(file) {
		return nil, true
	}
	text, ok := read(file, maxPacked)
	if !ok {
		return nil, false
	}
	return packedRefs(text, func(name []byte) bool { return string(name) == r.Branch || below(string(name), prefixes) })
}

// packedRefs are those of the packed refs that are wanted; false if a line is not
// as git writes it.
func packedRefs(text []byte, wanted func(name []byte) bool) (map[string]string, bool) {
	found := map[string]string{}
	var before []byte
	for len(text) > 0 {
		line, rest, whole := bytes.Cut(text, []byte("\n"))
		first := before == nil
		text = rest
		switch {
		case !whole:
			return nil, false
		case first && bytes.HasPrefix(line, []byte("# pack-refs with:")):
			before = []byte{}
			continue
		case len(line) == 41 && line[0] == '^' && !first:
			continue
		case len(line) < 42 || line[40] != ' ' || bytes.Compare(line[41:], before) <= 0:
			return nil, false
		}
		before = line[41:]
		if !wanted(before) {
			continue
		}
		id := string(line[:40])
		if !isID(id) || !isName(string(before)) {
			return nil, false
		}
		found[string(before)] = id
	}
	return found, true
}

// isName reports whether a ref may have that name for sure: by the rules of
// git-check-ref-format(1), and without anything that stands on their edge.
func isName(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part[0] == '.' || part[0] == '-' || strings.HasSuffix(part, ".lock") || strings.HasSuffix(part, ".") {
			return false
		}
	}
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("~^:?*[\\@{", c) >= 0 {
			return false
		}
	}
	return !strings.Contains(name, "..")
}
