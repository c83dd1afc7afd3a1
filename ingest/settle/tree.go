package settle

import (
	"iter"
	"strings"

	"github.com/stemma-dev/stemma/attribution/diff"
	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/attribution/sight"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/git/patch"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/spool"
)

// A tree is a work tree with what was captured in it.
type tree struct {
	repo     *git.Repo
	place    spool.Place
	cat      *git.CatFile
	moves    []spool.Move
	evidence *capture.Evidence
	spooled  int64 // how much of the spool was read
	logged   int64 // how much of the reflog

	blobs   map[string][]string // by path, of the file in the commit of each move
	watches map[string]*watch
	known   edits.Memory
}

func (t *tree) close() {
	for _, w := range t.watches {
		w.stop()
	}
	t.cat.Kill()
}

// A file is one to which a commit added lines.
type file struct {
	Path, OldPath string
	added         []diff.Hunk // their places in the new file alone
}

// changed are the files of a commit that can be looked into.
func changed(c *history.Commit) (files []file) {
	for i := range c.Files {
		f := &c.Files[i]
		if f.Status == patch.Deleted || f.Binary || f.Missing || f.Submodule() {
			continue
		}
		out := file{Path: f.Path, OldPath: f.OldPath}
		for _, r := range f.NewLines() {
			out.added = append(out.added, diff.Hunk{NewStart: r.Start, NewLines: r.End - r.Start + 1})
		}
		if len(out.added) > 0 {
			files = append(files, out)
		}
	}
	return files
}

// findBlobs finds what the files that the commits changed were in the commit of
// every move, up to the last that is asked for.
func (t *tree) findBlobs(commits []commit) error {
	last := -1
	for _, c := range commits {
		last = max(last, c.move)
		for _, f := range c.files {
			for _, path := range []string{f.Path, f.OldPath} {
				if path != "" && t.blobs[path] == nil {
					t.blobs[path] = make([]string, len(t.moves))
				}
			}
		}
	}
	var paths []string
	for path := range t.blobs {
		paths = append(paths, path)
	}
	if len(paths) == 0 {
		return nil
	}
	at := map[string][]git.TreeEntry{}
	for i := range last + 1 {
		id := t.moves[i].To
		if t.evidence.Moves[i] < t.evidence.Began && i+1 < len(t.moves) && t.evidence.Moves[i+1] < t.evidence.Began {
			continue // only the last move before anything was captured matters
		}
		found, known := at[id]
		if !known && id != "" {
			var err error
			if found, err = t.cat.Find(id, paths...); err != nil {
				found = nil // such as a commit that was pruned
			}
			at[id] = found
		}
		for _, e := range found {
			if e.Type == "blob" {
				t.blobs[e.Path][i] = e.ID
			}
		}
	}
	return nil
}

// A watch follows one path through what was seen of it and what HEAD was.
type watch struct {
	*sight.Watch
	looks func() (capture.Look, bool)
	stop  func()
	next  capture.Look
	more  bool
	seen  bool // a hook looked at it
	moved int  // moves that are behind it
	blob  string
}

// watch begins to follow a path where capture began.
func (t *tree) watch(path string) (*watch, error) {
	if w := t.watches[path]; w != nil {
		return w, nil
	}
	w := &watch{}
	for w.moved < len(t.moves) && t.evidence.Moves[w.moved] < t.evidence.Began {
		w.moved++
	}
	if w.moved > 0 {
		w.blob = t.blobs[path][w.moved-1]
	}
	content, err := t.content(w.blob)
	if err != nil {
		return nil, err
	}
	w.Watch = sight.Start(content, nil, &t.known, capture.Person, false)
	w.looks, w.stop = iter.Pull(t.evidence.Looks(path))
	w.next, w.more = w.looks()
	t.watches[path] = w
	return w, nil
}

// content is that of a blob; nothing of one that cannot be looked into.
func (t *tree) content(blob string) ([]byte, error) {
	if blob == "" {
		return nil, nil
	}
	o, err := t.cat.Object(blob)
	return o.Data, err
}

// advance follows a path up to a move, which it leaves to come.
func (t *tree) advance(path string, w *watch, move int) error {
	for ; w.moved < move; w.moved++ {
		w.look(t.evidence.Moves[w.moved])
		blob := t.blobs[path][w.moved]
		if blob == w.blob {
			continue
		}
		w.blob = blob
		content, err := t.content(blob)
		if err != nil {
			return err
		}
		if putsInPlace(t.moves[w.moved]) {
			w.See(sight.Sight{Kind: sight.Seen, Content: content, Kept: true})
		} else {
			w.Glimpse(content)
		}
	}
	w.look(t.evidence.Moves[move])
	return nil
}

// look takes the sights up to a time.
func (w *watch) look(until int) {
	for w.more && w.next.When <= until {
		w.seen = w.seen || w.next.Kept
		w.See(w.next.Sight)
		w.next, w.more = w.looks()
	}
}

// putsInPlace reports whether the files that differ between two commits are
// in the work tree as they are in the second, since git went from one to the
// other and would not have lost changes.
func putsInPlace(m spool.Move) bool {
	what, rest, _ := strings.Cut(m.What, ":")
	return what == "checkout" || strings.EqualFold(strings.TrimSpace(rest), "fast-forward")
}

// lines tells whose the lines are that a commit added to a file.
func (t *tree) lines(c commit, f file) ([]edits.AddedLine, error) {
	w, err := t.watch(f.Path)
	if err != nil {
		return nil, err
	}
	if err := t.advance(f.Path, w, c.move); err != nil {
		return nil, err
	}
	from := w
	if f.OldPath != f.Path && f.OldPath != "" && !w.seen {
		if from, err = t.watch(f.OldPath); err != nil {
			return nil, err
		}
		if err := t.advance(f.OldPath, from, c.move); err != nil {
			return nil, err
		}
	}
	content, err := t.content(t.blobs[f.Path][c.move])
	if err != nil {
		return nil, err
	}
	if from == w {
		w.moved, w.blob = c.move+1, t.blobs[f.Path][c.move]
	}
	return from.Glimpse(content).Added(f.added), nil
}
