package git

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/git/internal/wire"
)

// A Note hangs on an object.
type Note struct {
	Object string // what it annotates
	Blob   string // its text
	Path   string // in the tree of the notes; only [Repo.Notes] tells it
}

// Notes lists the notes below a notes ref, given by name or id, sorted by the
// object they annotate, whatever the depth of the fan-out. Entries that are no
// notes are left out and counted.
func (r *Repo) Notes(ctx context.Context, ref string) (notes []Note, others int, err error) {
	for e, err := range r.Tree(ctx, ref, "", true) {
		if err != nil {
			return nil, others, err
		}
		id := strings.ReplaceAll(e.Path, "/", "")
		if e.Type != "blob" || !wire.IsID(id) || len(id) != len(e.ID) {
			others++
			continue
		}
		notes = append(notes, Note{id, e.ID, e.Path})
	}
	// Listed in that order unless the fan-out is uneven; of two on one object the
	// last counts.
	slices.SortStableFunc(notes, func(a, b Note) int { return strings.Compare(a.Object, b.Object) })
	kept := notes[:0]
	for i, n := range notes {
		if i+1 == len(notes) || notes[i+1].Object != n.Object {
			kept = append(kept, n)
		}
	}
	notes = kept
	return notes, others, nil
}

// NotesAnywhere lists the notes as [Repo.Notes] does, and those that were put below
// another directory, as tools do that move all files of all commits.
func (r *Repo) NotesAnywhere(ctx context.Context, ref string) (notes []Note, err error) {
	for e, err := range r.Tree(ctx, ref, "", true) {
		if err != nil {
			return nil, err
		}
		id := ""
		for rest := e.Path; e.Type == "blob" && len(id) < len(e.ID) && rest != ""; {
			at := strings.LastIndexByte(rest, '/') + 1
			id, rest = rest[at:]+id, rest[:max(at-1, 0)]
		}
		if wire.IsID(id) && len(id) == len(e.ID) {
			notes = append(notes, Note{id, e.ID, e.Path})
		}
	}
	return notes, nil
}

// NotesOn finds the notes on some objects below a notes ref, given by id,
// whatever the depth of the fan-out: those of [Repo.Notes] that hang on them.
// It looks only into the trees that may hold one. It errs with
// stemma.ErrNotFound if what ref names is not here.
func (c *CatFile) NotesOn(ref string, objects []string) ([]Note, error) {
	root, err := c.root(ref)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	d := descent{c: c, step: fannedOut, found: func(_, object string, e TreeEntry) {
		if found[object] == "" { // the one less deep counts
			found[object] = e.ID
		}
	}}
	d.into(root, walkers("", objects))
	err = d.run()
	var notes []Note
	for _, id := range slices.Sorted(maps.Keys(found)) {
		notes = append(notes, Note{Object: id, Blob: found[id]})
	}
	return notes, err
}

// fannedOut leads along the name of a note, which may be cut anywhere.
func fannedOut(tree []TreeEntry, rest string, at func(e TreeEntry, rest string)) {
	for n := len(rest); n > 0; n-- {
		i, ok := slices.BinarySearchFunc(tree, rest[:n], func(e TreeEntry, name string) int { return strings.Compare(e.Path, name) })
		if ok && (n == len(rest)) == (tree[i].Type == "blob") {
			at(tree[i], rest[n:])
		}
	}
}
