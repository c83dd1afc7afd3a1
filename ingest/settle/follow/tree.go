// Package follow goes through what was seen in a work tree and what git did there,
// and says whose the lines are that commits added. What it found out is written
// down, so that it goes on from there.
package follow

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/attribution/sight"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/settle/bind"
	"github.com/stemma-dev/stemma/spool"
)

// A Tree is a work tree with what was captured in it. It is for one goroutine.
type Tree struct {
	Place    spool.Place
	Cat      *git.CatFile
	Moves    []spool.Move
	Evidence *capture.Evidence
	Since    time.Time // when capture began
	Base     string    // the commit that was checked out then, if it is known

	repo    *git.Repo
	heard   capture.State       // before what is read
	paths   []string            // that matter, sorted
	blobs   map[string][]string // by path, of the file in the commit of each move
	watches map[string]*watch
	kept    map[string]*keptWatch         // those that were not needed again
	keysOf  map[string]map[edits.Key]bool // of the lines of a blob
	known   *edits.Memory
	noise   []noise
	began   map[int]int    // by the number of a run, the moves before it
	start   int            // the moves before those that are gone through
	fresh   [2]sight.State // of files that have no watch yet: not tracked, tracked
	mark    []byte         // from where one can go on the next time
}

// New is a work tree of which nothing was read.
func New(repo *git.Repo, place spool.Place) *Tree {
	return &Tree{
		repo: repo, Place: place, watches: map[string]*watch{}, blobs: map[string][]string{}, known: &edits.Memory{},
		keysOf: map[string]map[edits.Key]bool{}, began: map[int]int{},
	}
}

// Open reads what was captured in a work tree, from where it was left if the commits
// before that are settled; nil if there is nothing. Close it.
func Open(ctx context.Context, repo *git.Repo, place spool.Place, settled func(commit string) bool) (*Tree, error) {
	t := New(repo, place)
	var err error
	if t.Moves, err = place.Moves(); err != nil {
		return nil, err
	}
	logged := len(t.Moves) > 0
	resumed := logged && t.resume(settled) == nil
	reading, err := place.Read(t.heard.End)
	if err != nil || len(reading.Entries) == 0 && !resumed {
		return nil, err
	}
	marks := MarkEvery
	if !logged {
		if t.Moves, err = movesWithout(place, reading.Entries); err != nil {
			return nil, err
		}
		marks = 0 // there is no telling where one was
	}
	if !resumed {
		t.Since, t.Base = reading.Entries[0].At, reading.Entries[0].Commit
	}
	t.Take(t.heard.Read(reading, t.Moves, t.captured, marks))
	t.Cat, err = repo.CatFile(ctx, spool.MaxContent)
	return t, err
}

// Take sets what happened.
func (t *Tree) Take(e *capture.Evidence) {
	t.Evidence, t.start = e, max(e.Before, t.heard.Moved)
}

// Close ends the process that reads objects.
func (t *Tree) Close() { t.Cat.Kill() }

// Follow goes through all that happened, and says of each commit whose the lines
// are that it added. It ends with the last commit, and where one can go on the next
// time, or goes to the end.
func (t *Tree) Follow(commits []Commit, toTheEnd bool) ([]*bind.Commit, error) {
	if err := t.findBlobs(commits, toTheEnd); err != nil {
		return nil, err
	}
	var list []*bind.Commit
	at := map[string]*bind.Commit{}
	for _, c := range commits {
		list = append(list, &bind.Commit{Commit: c.Commit})
		at[c.ID] = list[len(list)-1]
	}
	return list, t.replay(commits, toTheEnd, func(c Commit, a bind.Added) { at[c.ID].Added = append(at[c.ID].Added, a) })
}

// WasSeen reports whether a hook looked at a file.
func (t *Tree) WasSeen(path string) bool {
	if w := t.watches[path]; w != nil {
		return w.seen
	}
	k := t.kept[path]
	return k != nil && k.Seen
}

// Lines are those of a content that was seen before; nil if it was not.
func (t *Tree) Lines(content []byte) []edits.Line { return t.known.Lines(content) }

// noise is an event that is about any file but some, with the moves before it, or
// before the run began that it ends.
type noise struct {
	capture.Event
	moves int
}

// A watch follows one path through what was seen of it and what HEAD was.
type watch struct {
	*sight.Watch
	heard int // noise that it knows of
	seen  bool
	blob  string // of the file in the commit that HEAD was at last
}

// findBlobs finds what the files that matter were in the commit of every move,
// up to the last that is gone through: those that the commits changed, and those
// that were looked at.
func (t *Tree) findBlobs(commits []Commit, toTheEnd bool) error {
	want := func(path string) {
		if path != "" && t.blobs[path] == nil {
			t.blobs[path] = make([]string, len(t.Moves))
		}
	}
	last := -1
	for _, c := range commits {
		last = max(last, c.Move)
		for _, f := range c.Files {
			want(f.Path)
			want(f.OldPath)
		}
	}
	for _, path := range t.Evidence.Paths() {
		want(path)
	}
	for path := range t.kept {
		want(path)
	}
	if m := t.Evidence.Mark; m != nil {
		last = max(last, m.Moved-1)
	}
	if toTheEnd {
		last = len(t.Moves) - 1
	}
	paths := slices.Sorted(maps.Keys(t.blobs))
	t.paths = paths
	if len(paths) == 0 {
		return nil
	}
	moves := t.Moves[:last+1]
	for from := max(0, t.start-1); from < len(moves); from += movesAtOnce {
		part := moves[from:min(from+movesAtOnce, len(moves))]
		var ids []string
		for _, m := range part {
			if m.To != "" && !slices.Contains(ids, m.To) {
				ids = append(ids, m.To)
			}
		}
		found, err := t.Cat.FindEach(ids, paths)
		if err != nil {
			return err
		}
		for i, m := range part {
			for _, e := range found[m.To] {
				if e.Type == "blob" {
					t.blobs[e.Path][from+i] = e.ID
				}
			}
		}
	}
	return nil
}

// movesAtOnce is into how many commits git is asked at once.
const movesAtOnce = 256

// replay goes through all that happened, and tells of each commit, when HEAD
// comes to it, whose the lines are that it added to its files. It ends with the
// last commit, and where one can go on the next time, or goes to the end.
func (t *Tree) replay(commits []Commit, toTheEnd bool, tell func(Commit, bind.Added)) error {
	moves, marked := t.start, t.Evidence.Mark == nil
	for v := range t.Evidence.Events() {
		switch {
		case len(commits) == 0 && marked && !toTheEnd:
			return nil
		case v.Mark != nil:
			if v.Mark != t.Evidence.Mark {
				continue
			}
			marked = true
			if err := t.keep(v.Mark); err != nil {
				return err
			}
		case v.Path != "":
			w, err := t.watch(v.Path)
			if err != nil {
				return err
			}
			w.seen = w.seen || v.Kept
			w.See(v.Sight)
		case v.Move == 0:
			at := moves
			if v.Kind == sight.Running {
				t.began[v.Run] = moves
			} else if n, ok := t.began[v.Run]; ok && v.Kind == sight.Ran {
				at = n
			}
			t.noise = append(t.noise, noise{v, at})
		case v.Move > t.start:
			made := 0
			for made < len(commits) && commits[made].Move == v.Move-1 {
				if err := t.commit(commits[made], tell); err != nil {
					return err
				}
				made++
			}
			commits = commits[made:]
			moves = v.Move
			if err := t.move(v.Move - 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// watch is that of a path, which began where capture did.
func (t *Tree) watch(path string) (*watch, error) {
	w := t.watches[path]
	if w == nil {
		var err error
		if w, err = t.begin(path); err != nil {
			return nil, err
		}
		t.watches[path] = w
	}
	for ; w.heard < len(t.noise); w.heard++ {
		n := t.noise[w.heard]
		blob, followed := t.blobAt(path, n.moves)
		if !n.Concerns(path, blob != "") {
			continue
		}
		if n.Kind == sight.Clean && followed {
			content, err := t.Content(blob)
			if err != nil {
				return nil, err
			}
			n.Sight = sight.Sight{Kind: sight.Seen, Content: content, Kept: true}
		}
		w.See(n.Sight)
	}
	return w, nil
}

// blobAt is what a file was in HEAD after some moves, if that is followed.
func (t *Tree) blobAt(path string, moves int) (blob string, followed bool) {
	if moves <= 0 || t.blobs[path] == nil {
		return "", false
	}
	return t.blobs[path][moves-1], true
}

// begin makes the watch of a path, or takes it up where it was kept.
func (t *Tree) begin(path string) (*watch, error) {
	if k := t.kept[path]; k != nil {
		delete(t.kept, path)
		return t.restore(path, k)
	}
	w := &watch{}
	w.blob, _ = t.blobAt(path, t.start)
	content, err := t.Content(w.blob)
	w.Watch = sight.Start(path, content, t.known, capture.Person, t.fresh[tracked(w.blob)])
	return w, err
}

// tracked is the place in fresh of a file that HEAD has as a blob, or has not.
func tracked(blob string) int {
	if blob == "" {
		return 0
	}
	return 1
}

// captured is the content of a file that was seen, as far as it is kept. That of one
// which git keeps is it only if git stores files as they are.
func (t *Tree) captured(f spool.File) ([]byte, error) {
	if f.State != spool.Tracked {
		return t.Place.Content(f.Blob)
	}
	content, err := t.Content(f.Blob)
	if err == nil && int64(len(content)) != f.Size {
		err = spool.ErrNoContent
	}
	return content, err
}

// Content is that of a blob; nothing of one that cannot be looked into.
func (t *Tree) Content(blob string) ([]byte, error) {
	if blob == "" {
		return nil, nil
	}
	o, err := t.Cat.Object(blob)
	return o.Data, err
}

// move shows the files that are others in the commit to which HEAD moved.
func (t *Tree) move(to int) error {
	for _, path := range t.paths {
		before, blobs := "", t.blobs[path]
		if to > 0 {
			before = blobs[to-1]
		}
		if blobs[to] == before && t.watches[path] == nil {
			continue
		}
		w, err := t.watch(path)
		if err != nil {
			return err
		}
		if w.blob == blobs[to] {
			continue
		}
		content, err := t.Content(blobs[to])
		if err != nil {
			return err
		}
		w.blob = blobs[to]
		if capture.PutsInPlace(t.Moves[to]) {
			w.See(sight.Sight{Kind: sight.Touched, Git: true})
			w.See(sight.Sight{Kind: sight.Seen, Content: content, Kept: true, Likely: true}) // not with checkout -m
			if capture.Merges(t.Moves[to]) {                                                 // as of all other files: what is picked then leaves no trace
				w.See(sight.Sight{Kind: sight.Touched, Git: true})
			}
		} else {
			w.Glimpse(content)
		}
	}
	return nil
}
