package run

import (
	"path"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// maxDirectories bounds how many working directories of a session are kept.
const maxDirectories = 32

// A workplace is the directories that a session worked in, first one first.
type workplace struct{ dirs []string }

func (w *workplace) add(dir string) {
	if dir = slash(dir); dir == "" || len(dir) > 4096 || len(w.dirs) >= maxDirectories {
		return
	}
	if dir = path.Clean(dir); !slices.Contains(w.dirs, dir) {
		w.dirs = append(w.dirs, dir)
	}
}

// relative spells a path of a tool call for a record: relative to the first
// directory that holds it, or with the home directory as "~".
func (w *workplace) relative(p string) string {
	p = jsonwalk.Clean(slash(strings.TrimPrefix(p, "file://")), 1000)
	if p == "" {
		return ""
	}
	p = path.Clean(p)
	for _, dir := range w.dirs {
		if p == dir {
			return "."
		}
		if rest, ok := strings.CutPrefix(p, strings.TrimSuffix(dir, "/")+"/"); ok {
			return rest
		}
	}
	return withoutHome(p)
}

// withoutHome replaces the directory of an account by "~".
func withoutHome(p string) string {
	rest := p
	if len(rest) > 2 && rest[1] == ':' { // a drive
		rest = rest[2:]
	}
	for _, homes := range []string{"/Users/", "/home/", "/var/home/"} {
		if after, ok := strings.CutPrefix(rest, homes); ok {
			_, inside, ok := strings.Cut(after, "/")
			if !ok {
				return "~"
			}
			return "~/" + inside
		}
	}
	if after, ok := strings.CutPrefix(rest, "/root/"); ok {
		return "~/" + after
	}
	return p
}

// slash gives paths of Windows the slashes of the others.
func slash(p string) string {
	if len(p) > 2 && p[1] == ':' || strings.HasPrefix(p, `\\`) {
		return strings.ReplaceAll(p, `\`, "/")
	}
	return p
}
