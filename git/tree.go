package git

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git/internal/wire"
	"github.com/stemma-dev/stemma/git/quote"
)

// A TreeEntry is one entry of a tree.
type TreeEntry struct {
	Mode int
	Type string
	ID   string
	Path string // raw bytes, from the root of the tree
}

// Tree lists a tree with one process: the entries at the path, or everything
// when it is empty, with all that lies below when recursive.
func (r *Repo) Tree(ctx context.Context, treeish, path string, recursive bool) iter.Seq2[TreeEntry, error] {
	return func(yield func(TreeEntry, error) bool) {
		ids, err := r.IDs(ctx, []string{treeish})
		if err != nil {
			yield(TreeEntry{}, err)
			return
		}
		args := []string{"--literal-pathspecs", "ls-tree", "-z", "--full-tree"}
		if recursive {
			args = append(args, "-r")
		}
		if args = append(args, ids[0]); path != "" {
			args = append(args, "--", path)
		}
		p, err := r.apart.Start(ctx, args...)
		if err != nil {
			yield(TreeEntry{}, err)
			return
		}
		defer p.Kill()
		f := wire.Fields{In: p.Out, Limit: wire.MaxField}
		for {
			line := f.Next()
			if f.Err != nil {
				if _, last := p.Out.Peek(1); errors.Is(last, io.EOF) {
					if err := p.End(); err != nil {
						yield(TreeEntry{}, err)
					}
					return
				}
				yield(TreeEntry{}, p.Fail(f.Err))
				return
			}
			meta, name, _ := strings.Cut(line, "\t")
			part := strings.Split(meta, " ")
			if len(part) != 3 {
				continue
			}
			if !yield(TreeEntry{Mode: wire.Mode([]byte(part[0])), Type: part[1], ID: part[2], Path: name}, nil) {
				return
			}
		}
	}
}

// maxTree bounds a tree that is looked into.
const maxTree = 256 << 20

// Find looks for paths in a commit or tree, given by id. What is not there is
// left out; the others come in any order.
func (c *CatFile) Find(treeish string, paths ...string) ([]TreeEntry, error) {
	root, err := c.root(treeish)
	if err != nil {
		return nil, err
	}
	var found []TreeEntry
	d := descent{c: c, step: named, found: func(_, path string, e TreeEntry) {
		e.Path = path
		found = append(found, e)
	}}
	d.into(root, walkers("", paths))
	return found, d.run()
}

// FindEach is [CatFile.Find] in many commits, each given once: git is asked once for each step
// down all of them. A commit that is not here, or a tree that is damaged, has no entries.
func (c *CatFile) FindEach(commits, paths []string) (map[string][]TreeEntry, error) {
	by := map[string][]string{} // commits by their trees
	for o, err := range c.Objects(commits, maxTree) {
		if err != nil {
			return nil, err
		}
		if line, _, _ := bytes.Cut(o.Data, []byte("\n")); o.Type == "commit" {
			tree := string(bytes.TrimPrefix(line, []byte("tree ")))
			by[tree] = append(by[tree], o.ID)
		}
	}
	found := map[string][]TreeEntry{}
	d := descent{c: c, lenient: true, step: named, next: map[string][]walker{}, found: func(tree, path string, e TreeEntry) {
		e.Path = path
		for _, commit := range by[tree] {
			found[commit] = append(found[commit], e)
		}
	}}
	for tree := range by {
		d.next[tree] = walkers(tree, paths)
	}
	return found, d.run()
}

// A walker is on its way down a tree: from which one, what for, and what is left.
type walker struct{ from, way, rest string }

func walkers(from string, paths []string) []walker {
	list := make([]walker, len(paths))
	for i, path := range paths {
		list[i] = walker{from, path, path}
	}
	return list
}

// named leads along a path.
func named(tree []TreeEntry, rest string, at func(e TreeEntry, rest string)) {
	first, below, _ := strings.Cut(rest, "/")
	if i, ok := slices.BinarySearchFunc(tree, first, func(e TreeEntry, name string) int { return strings.Compare(e.Path, name) }); ok {
		at(tree[i], below)
	}
}

// A descent follows ways down trees, all of them one step at a time so that each
// step asks git once. step says for the entries of a tree, sorted by name, and
// what is left of a way where it leads; found is told where a way ends.
type descent struct {
	c       *CatFile
	lenient bool // whether trees that cannot be read are passed over
	step    func(tree []TreeEntry, rest string, at func(e TreeEntry, rest string))
	found   func(from, way string, e TreeEntry)
	next    map[string][]walker // by the tree they come to
}

// into lets walkers take the step into a tree.
func (d *descent) into(tree []TreeEntry, ways []walker) {
	for _, w := range ways {
		d.step(tree, w.rest, func(e TreeEntry, rest string) {
			switch {
			case rest == "":
				d.found(w.from, w.way, e)
			case e.Type == "tree":
				if d.next == nil {
					d.next = map[string][]walker{}
				}
				d.next[e.ID] = append(d.next[e.ID], walker{w.from, w.way, rest})
			}
		})
	}
}

// run lets all walkers go on until their ways have ended.
func (d *descent) run() error {
	for len(d.next) > 0 {
		level := d.next
		d.next = map[string][]walker{}
		for o, err := range d.c.Objects(slices.Sorted(maps.Keys(level)), maxTree) {
			if err != nil {
				return err
			}
			tree, err := parseTree(o)
			if err != nil && !d.lenient {
				return err
			}
			d.into(tree, level[o.ID])
		}
	}
	return nil
}

// maxRoots is how many are remembered.
const maxRoots = 16

// root is the tree that an id leads to.
func (c *CatFile) root(treeish string) ([]TreeEntry, error) {
	if tree, ok := c.roots[treeish]; ok {
		return tree, nil
	}
	o, err := c.tree(treeish)
	if err != nil {
		return nil, err
	}
	tree, err := parseTree(o)
	if err == nil && len(c.roots) < maxRoots {
		c.roots[treeish] = tree
	}
	return tree, err
}

// tree reads the tree that an id leads to. With an error it is how far it led.
func (c *CatFile) tree(treeish string) (Object, error) {
	asked := treeish
	for range 16 {
		o, err := c.object(treeish, maxTree)
		if err != nil {
			return Object{ID: treeish}, err
		}
		if o.Missing && treeish == asked {
			return o, fmt.Errorf("git: %s: %w", quote.Line(treeish), stemma.ErrNotFound)
		}
		first, _, _ := bytes.Cut(o.Data, []byte("\n"))
		_, id, _ := bytes.Cut(first, []byte(" "))
		switch o.Type {
		case "tree":
			return o, nil
		case "commit", "tag": // "tree ID", "object ID"
			treeish = string(id)
		default:
			return o, fmt.Errorf("git: %s is not a tree", quote.Line(treeish))
		}
	}
	return Object{ID: treeish}, fmt.Errorf("git: %s: tags of tags without end", quote.Line(treeish))
}

// parseTree reads a tree object; its entries come sorted by name.
func parseTree(o Object) ([]TreeEntry, error) {
	bad := fmt.Errorf("git: %s is not a tree that can be read", quote.Line(o.ID))
	if o.Type != "tree" || o.TooBig {
		return nil, bad
	}
	// Ids and names are cut from one string each: trees are many and small.
	size := len(o.ID) / 2
	least := len("100644 a") + 1 + size
	tree := make([]TreeEntry, 0, len(o.Data)/least+1)
	ids := make([]byte, 0, len(o.Data)/least*2*size)
	text := string(o.Data)
	for at := 0; at < len(text); {
		space, end := strings.IndexByte(text[at:], ' '), strings.IndexByte(text[at:], 0)
		if space < 0 || end < space || len(text) < at+end+1+size {
			return nil, bad
		}
		e := TreeEntry{Mode: wire.Mode(o.Data[at : at+space]), Type: "blob", Path: text[at+space+1 : at+end]}
		switch e.Mode &^ 0o7777 {
		case 0o040000:
			e.Type = "tree"
		case 0o160000:
			e.Type = "commit"
		}
		at += end + 1 + size
		ids = hex.AppendEncode(ids, o.Data[at-size:at])
		tree = append(tree, e)
	}
	all := string(ids)
	for i := range tree {
		tree[i].ID = all[2*size*i : 2*size*(i+1)]
	}
	slices.SortFunc(tree, func(a, b TreeEntry) int { return strings.Compare(a.Path, b.Path) })
	return tree, nil
}
