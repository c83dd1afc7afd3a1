package git

import (
	"cmp"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/git/internal/child"
	"github.com/stemma-dev/stemma/git/internal/packs"
	"github.com/stemma-dev/stemma/git/internal/wire"
)

// maxAlternates bounds how many places of objects lead on to each other.
const maxAlternates = 16

// Stored reports whether an object lies here, as a file of its own or by the
// index of a pack. Git calls one missing of which it cannot make sense.
func (r *Repo) Stored(id string) bool {
	if !wire.IsID(id) {
		return false
	}
	dirs, _ := r.objectDirs()
	return loose(dirs, id) || slices.ContainsFunc(dirs, func(dir string) bool { return r.packs.Hold(dir, id) })
}

// Commits tells which of the ids are commits that are here. Git looks for an object
// that it lacks in every place anew, so it is asked only of those of which there is a
// file or an entry in the index of a pack.
func (r *Repo) Commits(ctx context.Context, ids []string) (map[string]bool, error) {
	here := map[string]bool{}
	list := r.perhaps(ids)
	if len(list) == 0 {
		return here, nil
	}
	for o, err := range r.Check(ctx, slices.Values(list)) {
		if err != nil {
			return nil, err
		}
		if o.Type == "commit" {
			here[o.ID] = true
		}
	}
	return here, nil
}

// perhaps are those of the ids, each once, that may be here.
func (r *Repo) perhaps(ids []string) []string {
	dirs, all := r.objectDirs()
	places, whole := packs.Places(dirs, ids)
	whole = whole && all
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		_, packed := places[id]
		again := seen[id]
		seen[id] = true
		return again || !wire.IsID(id) || !packed && whole && !loose(dirs, id)
	})
}

// loose reports whether an object lies in one of the places as a file of its own.
func loose(dirs []string, id string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool {
		_, err := os.Lstat(filepath.Join(dir, id[:2], id[2:]))
		return err == nil
	})
}

// PackOrder sorts objects, each once, as they lie in packs, so that git reads them cheaply: next to
// what they are stored as a difference from. In any other order a long chain of
// differences is followed again and again. What lies in no pack comes last.
func (r *Repo) PackOrder(ids []string) []string {
	dirs, _ := r.objectDirs()
	places, _ := packs.Places(dirs, ids)
	type placed struct {
		packs.Place
		id string
	}
	list := make([]placed, len(ids))
	for i, id := range ids {
		at, ok := places[id]
		if !ok {
			at.Pack = math.MaxInt
		}
		list[i] = placed{at, id}
	}
	slices.SortFunc(list, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.Pack, b.Pack), cmp.Compare(a.Offset, b.Offset), strings.Compare(a.id, b.id))
	})
	order := make([]string, len(list))
	for i, at := range list {
		order[i] = at.id
	}
	return slices.Compact(order)
}

// objectDirs are the places where objects lie, each once, which may lead on to
// others. Whole tells whether these are all: some may be named in quotes, or there
// are too many.
func (r *Repo) objectDirs() (dirs []string, whole bool) {
	dirs, whole = []string{filepath.Join(r.CommonDir, "objects")}, true
	add := func(dir string) {
		if dir = filepath.Clean(dir); !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	for i := 0; i < len(dirs) && i < maxAlternates; i++ {
		list, _ := os.ReadFile(filepath.Join(dirs[i], "info", "alternates")) // most have none
		for line := range strings.Lines(string(list)) {
			switch line = strings.TrimSpace(line); {
			case line == "" || line[0] == '#':
			case line[0] == '"':
				whole = false
			case filepath.IsAbs(line):
				add(line)
			default:
				add(filepath.Join(dirs[i], line))
			}
		}
	}
	if len(dirs) > maxAlternates {
		return dirs[:maxAlternates], false
	}
	return dirs, whole
}

// Lost is the object that git named when it died over it; "" if it named none.
func Lost(err error) string {
	var dead *child.Error
	if !errors.As(err, &dead) {
		return ""
	}
	return wire.IDIn(dead.Line)
}

// Readable tells which of some objects can be read.
func (r *Repo) Readable(ctx context.Context, ids []string) (map[string]bool, error) {
	readable := map[string]bool{}
	if len(ids) == 0 {
		return readable, nil
	}
	for o, err := range r.Objects(ctx, slices.Values(ids), 0) {
		if err != nil {
			return nil, err
		}
		if !o.Missing {
			readable[o.ID] = true
		}
	}
	return readable, nil
}

// LostTree is the object that was wanting when the tree of a commit could not be
// listed: the one that git named, or the root of the tree, of which it says
// only that it is no tree.
func (r *Repo) LostTree(ctx context.Context, treeish string, err error) string {
	if id := Lost(err); id != "" {
		return id
	}
	cat, err := r.CatFile(ctx, maxTag)
	if err != nil {
		return ""
	}
	defer cat.Kill()
	root, _ := cat.tree(treeish) // where it goes no further is what is wanting
	return root.ID
}
