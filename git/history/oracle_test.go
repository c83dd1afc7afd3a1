package history_test

import (
	"bytes"
	"fmt"
	"maps"
	"testing"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/git/patch"
)

// An oracle follows a log and checks that what it says is enough to make every
// tree and every file from its parents'.
type oracle struct {
	t       *testing.T
	repo    *git.Repo
	cat     *git.CatFile
	trees   map[string]map[string]string // commit, path, blob
	commits map[string]*history.Commit
	order   []*history.Commit
}

func open(t *testing.T, dir string) *git.Repo {
	t.Helper()
	r, err := git.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// readAll reads all of a history and checks each commit.
func readAll(t *testing.T, r *git.Repo, o history.Options) *oracle {
	t.Helper()
	cat, err := r.CatFile(t.Context(), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := cat.Close(); err != nil {
			t.Error(err)
		}
	}()
	or := &oracle{t: t, repo: r, cat: cat, trees: map[string]map[string]string{}, commits: map[string]*history.Commit{}}
	for c, err := range history.Log(t.Context(), r, o) {
		if err != nil {
			t.Fatal(err)
		}
		or.order = append(or.order, c)
		or.commits[c.ID] = c
		if c.Damage == nil {
			or.check(c)
		}
	}
	return or
}

func read(t *testing.T, r *gittest.Repo) *oracle {
	t.Helper()
	return readAll(t, open(t, r.Dir), history.Options{Tips: []string{"HEAD"}})
}

// last is the commit given last.
func (or *oracle) last() *history.Commit { return or.order[len(or.order)-1] }

// file is the difference of a path in the last commit.
func (or *oracle) file(path string) patch.File {
	or.t.Helper()
	for _, f := range or.last().Files {
		if f.Path == path {
			return f
		}
	}
	or.t.Fatalf("no difference of %q in the last commit: %+v", path, or.last().Files)
	return patch.File{}
}

func (or *oracle) check(c *history.Commit) {
	tree := map[string]string{}
	if len(c.Parents) > 0 && !c.Shallow {
		first, ok := or.trees[c.Parents[0]]
		if !ok {
			or.t.Errorf("commit %s comes before its parent", c.ID)
		}
		maps.Copy(tree, first)
	}
	for _, f := range c.Files {
		or.checkFile(c, f)
		if f.Status == patch.Renamed {
			delete(tree, f.OldPath)
		}
		set(tree, f.Path, f.Blob)
	}
	for _, p := range c.Taken {
		if tree[p.Path] != p.Old {
			or.t.Errorf("commit %s: %q is taken in place of %q, want %q", c.ID, p.Path, p.Old, tree[p.Path])
		}
		set(tree, p.Path, p.Blob)
	}
	or.trees[c.ID] = tree
	want := map[string]string{}
	for e, err := range or.repo.Tree(or.t.Context(), c.ID, "", true) {
		if err != nil {
			or.t.Fatal(err)
		}
		want[e.Path] = e.ID
	}
	if !maps.Equal(tree, want) {
		or.t.Errorf("commit %s: tree by differences %v\nbut it is %v", c.ID, tree, want)
	}
}

func set(tree map[string]string, path, blob string) {
	if blob == "" {
		delete(tree, path)
	} else {
		tree[path] = blob
	}
}

func (or *oracle) checkFile(c *history.Commit, f patch.File) {
	if f.Binary || f.Submodule() || f.TextDropped || f.Missing {
		return
	}
	where := fmt.Sprintf("%.10s %q", c.ID, f.Path)
	result := or.lines(f.Blob)
	if f.Parents == nil {
		or.apply(where, or.lines(f.OldBlob), result, f.Hunks)
		added, deleted := 0, 0
		for _, h := range f.Hunks {
			added, deleted = added+h.NewLines, deleted+h.OldLines
		}
		if added != f.Added || deleted != f.Deleted {
			or.t.Errorf("%s: +%d -%d, want +%d -%d", where, f.Added, f.Deleted, added, deleted)
		}
	}
	for i, p := range f.Parents {
		if p.Mode == patch.ModeSubmodule {
			return
		}
		or.apply(fmt.Sprintf("%s parent %d", where, i), or.lines(p.Blob), result, p.Hunks)
	}
}

// lines splits a blob; a last line without line end is told from one with it.
func (or *oracle) lines(id string) [][]byte {
	if id == "" {
		return nil
	}
	o, err := or.cat.Object(id)
	if err != nil {
		or.t.Fatal(err)
	}
	var lines [][]byte
	for l := range bytes.Lines(o.Data) {
		lines = append(lines, bytes.TrimSuffix(l, []byte("\n")))
	}
	return lines
}

// apply makes result from old by the hunks.
func (or *oracle) apply(where string, old, result [][]byte, hunks []patch.Hunk) {
	var made [][]byte
	at := 0 // lines of old already dealt with
	for _, h := range hunks {
		start := h.OldStart - 1
		if h.OldLines == 0 {
			start = h.OldStart
		}
		if start < at || start+h.OldLines > len(old) || len(h.Old) != h.OldLines || len(h.New) != h.NewLines {
			or.t.Errorf("%s: hunk -%d,%d +%d,%d with %d and %d lines does not fit %d lines at %d",
				where, h.OldStart, h.OldLines, h.NewStart, h.NewLines, len(h.Old), len(h.New), len(old), at)
			return
		}
		made = append(made, old[at:start]...)
		newStart := h.NewStart - 1
		if h.NewLines == 0 {
			newStart = h.NewStart
		}
		if newStart != len(made) {
			or.t.Errorf("%s: hunk +%d,%d comes at line %d", where, h.NewStart, h.NewLines, len(made))
		}
		for i, l := range h.Old {
			if !bytes.Equal(l, old[start+i]) {
				or.t.Errorf("%s: line %d was %q, not %q", where, start+i+1, old[start+i], l)
			}
		}
		made = append(made, h.New...)
		at = start + h.OldLines
	}
	made = append(made, old[at:]...)
	if !bytes.Equal(bytes.Join(made, []byte("\n")), bytes.Join(result, []byte("\n"))) || len(made) != len(result) {
		or.t.Errorf("%s: %d hunks make %d lines, want %d", where, len(hunks), len(made), len(result))
	}
}
