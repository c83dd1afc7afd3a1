package settle

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/attribution/diff"
	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/attribution/sight"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/git/patch"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/settle/bind"
	"github.com/stemma-dev/stemma/spool"
)

// A tree is a work tree with what was captured in it.
type tree struct {
	repo     *git.Repo
	place    spool.Place
	cat      *git.CatFile
	moves    []spool.Move
	heard    capture.State // before what is read
	evidence *capture.Evidence
	since    time.Time         // when capture began
	base     string            // the commit that was checked out then, if it is known
	from     []string          // commits to look for sources from; else all that the clone knows
	written  map[string]string // commits by the notes that were written here
	notes    string            // where the notes of the clone stand, "" if there are none

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

// A file is one to which a commit added lines.
type file struct {
	Path, OldPath string
	added         []diff.Hunk // their places in the new file alone
}

// lookable are the files of a commit that can be looked into.
func lookable(c *history.Commit) (files []file) {
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

// maxFiles is how many files of one commit are looked into that no hook looked at,
// such as those of a library that somebody copies in: of more, nothing is known.
const maxFiles = 1000

// within are the files of a commit that are looked into.
func (t *tree) within(files []file) []file {
	looked := map[string]bool{}
	for _, path := range t.evidence.Paths() {
		looked[path] = true
	}
	n := 0
	return slices.DeleteFunc(files, func(f file) bool {
		if looked[f.Path] || looked[f.OldPath] || t.kept[f.Path] != nil || t.kept[f.OldPath] != nil {
			return false
		}
		n++
		return n > maxFiles
	})
}

// findBlobs finds what the files that matter were in the commit of every move,
// up to the last that is gone through: those that the commits changed, and those
// that were looked at.
func (t *tree) findBlobs(commits []commit, toTheEnd bool) error {
	want := func(path string) {
		if path != "" && t.blobs[path] == nil {
			t.blobs[path] = make([]string, len(t.moves))
		}
	}
	last := -1
	for _, c := range commits {
		last = max(last, c.move)
		for _, f := range c.files {
			want(f.Path)
			want(f.OldPath)
		}
	}
	for _, path := range t.evidence.Paths() {
		want(path)
	}
	for path := range t.kept {
		want(path)
	}
	if m := t.evidence.Mark; m != nil {
		last = max(last, m.Moved-1)
	}
	if toTheEnd {
		last = len(t.moves) - 1
	}
	paths := slices.Sorted(maps.Keys(t.blobs))
	t.paths = paths
	at := map[string][]git.TreeEntry{}
	for i := max(0, t.start-1); i <= last && len(paths) > 0; i++ {
		id := t.moves[i].To
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

// replay goes through all that happened, and tells of each commit, when HEAD
// comes to it, whose the lines are that it added to its files. It ends with the
// last commit, and where one can go on the next time, or goes to the end.
func (t *tree) replay(commits []commit, toTheEnd bool, tell func(commit, bind.Added)) error {
	moves, marked := t.start, t.evidence.Mark == nil
	for v := range t.evidence.Events() {
		switch {
		case len(commits) == 0 && marked && !toTheEnd:
			return nil
		case v.Mark != nil:
			if v.Mark != t.evidence.Mark {
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
			for made < len(commits) && commits[made].move == v.Move-1 {
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
func (t *tree) watch(path string) (*watch, error) {
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
			content, err := t.content(blob)
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
func (t *tree) blobAt(path string, moves int) (blob string, followed bool) {
	if moves <= 0 || t.blobs[path] == nil {
		return "", false
	}
	return t.blobs[path][moves-1], true
}

// begin makes the watch of a path, or takes it up where it was kept.
func (t *tree) begin(path string) (*watch, error) {
	if k := t.kept[path]; k != nil {
		delete(t.kept, path)
		return t.restore(path, k)
	}
	w := &watch{}
	w.blob, _ = t.blobAt(path, t.start)
	content, err := t.content(w.blob)
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
func (t *tree) captured(f spool.File) ([]byte, error) {
	if f.State != spool.Tracked {
		return t.place.Content(f.Blob)
	}
	content, err := t.content(f.Blob)
	if err == nil && int64(len(content)) != f.Size {
		err = spool.ErrNoContent
	}
	return content, err
}

// content is that of a blob; nothing of one that cannot be looked into.
func (t *tree) content(blob string) ([]byte, error) {
	if blob == "" {
		return nil, nil
	}
	o, err := t.cat.Object(blob)
	return o.Data, err
}

// move shows the files that are others in the commit to which HEAD moved.
func (t *tree) move(to int) error {
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
		content, err := t.content(blobs[to])
		if err != nil {
			return err
		}
		w.blob = blobs[to]
		if putsInPlace(t.moves[to]) {
			w.See(sight.Sight{Kind: sight.Seen, Content: content, Kept: true})
		} else {
			w.Glimpse(content)
		}
	}
	return nil
}

// putsInPlace reports whether the files that differ between two commits are
// in the work tree as they are in the second, since git went from one to the
// other and would not have lost changes.
func putsInPlace(m spool.Move) bool {
	return strings.HasPrefix(m.What, "checkout:") || forwards(m)
}

// forwards reports whether a move went ahead to a commit that was there.
func forwards(m spool.Move) bool {
	return strings.HasSuffix(strings.ToLower(m.What), ": fast-forward")
}

// commit tells whose the lines are that a commit added.
func (t *tree) commit(c commit, tell func(commit, bind.Added)) error {
	for _, f := range c.files {
		w, err := t.watch(f.Path)
		if err != nil {
			return err
		}
		w.blob = t.blobs[f.Path][c.move]
		from := w
		if f.OldPath != f.Path && f.OldPath != "" && !w.seen {
			if from, err = t.watch(f.OldPath); err != nil {
				return err
			}
		}
		content, err := t.content(w.blob)
		if err != nil {
			return err
		}
		part := from.Glimpse(content)
		if err := t.moved(c, f, part, content, w, from); err != nil {
			return err
		}
		a := bind.Added{Path: f.Path, Lines: part.Added(f.added)}
		text := bytes.Split(content, []byte("\n"))
		for _, l := range a.Lines {
			a.Text = append(a.Text, text[l.Number-1])
		}
		if err := t.there(c, f, a); err != nil {
			return err
		}
		tell(c, a)
	}
	return nil
}

// moved gives lines that came from another file, which has them no more, to whom
// they belonged there, unless an agent was seen to write them here. Other text of
// somebody else is nobody's here, if a command put it here.
func (t *tree) moved(c commit, f file, part *edits.File, content []byte, here ...*watch) error {
	to := map[edits.Key]edits.Line{}
	keys := edits.Keys(content)
	isHere := func(path string) bool { return path == f.Path || path == f.OldPath && here[0] != here[len(here)-1] }
	for _, l := range part.Added(f.added) {
		key := keys[l.Number-1]
		first, known := t.known.First(key)
		run := l.By > 0 && t.evidence.Hands[l.By-1].Run
		if stood, ok := t.known.Stood(key); ok && run && !isHere(stood) {
			first, known = edits.First{In: stood}, true
		}
		if !known || first.By.By == l.By || run && t.same(l.By, first.By.By) {
			continue
		}
		gone, err := t.left(key, first.In, isHere, c.move)
		if err != nil {
			return err
		}
		switch {
		case gone && (l.By <= edits.Base || l.By == capture.Person || run):
			to[key] = first.By
		case run && !isHere(first.In): // copied by git or by a command: who wrote it is another
			to[key] = edits.Line{By: sight.Copied, Over: l.Over}
		}
	}
	if len(to) > 0 {
		for _, w := range here {
			w.File().Give(to)
		}
	}
	return nil
}

// left reports whether a text was in another file when the commit before was made,
// or was seen there since, and is not in that of this commit: then it was moved, and
// not written again.
func (t *tree) left(key edits.Key, from string, isHere func(string) bool, move int) (bool, error) {
	if isHere(from) {
		return false, nil
	}
	blobs := t.blobs[from]
	if blobs == nil {
		return false, nil
	}
	now, err := t.keys(blobs[move])
	if err != nil || now[key] {
		return false, err
	}
	w, err := t.watch(from)
	if err != nil || w.File().Has(key) {
		return err == nil, err
	}
	if move == 0 {
		return false, nil
	}
	before, err := t.keys(blobs[move-1])
	return before[key], err
}

// there finds lines of nobody that were in the file before the commit, which only
// moved them: they are of who wrote them then.
func (t *tree) there(c commit, f file, a bind.Added) error {
	var before map[edits.Key]bool
	for i, l := range a.Lines {
		key := edits.KeyOf(a.Text[i])
		if l.By >= edits.Base || key == 0 || len(c.Parents) == 0 {
			continue
		}
		if before == nil {
			before = map[edits.Key]bool{}
			found, err := t.cat.Find(c.Parents[0], cmp.Or(f.OldPath, f.Path))
			if err == nil && len(found) == 1 && found[0].Type == "blob" { // else it is not in this copy
				if before, err = t.keys(found[0].ID); err != nil {
					return err
				}
			}
		}
		if before[key] {
			a.Lines[i].By = edits.Base
		}
	}
	return nil
}

// same reports whether two hands are of one session.
func (t *tree) same(a, b edits.Hand) bool {
	if a <= 0 || b <= 0 {
		return a == b
	}
	x, y := t.evidence.Hands[a-1], t.evidence.Hands[b-1]
	return x.Agent != "" && x.Agent == y.Agent && x.Session == y.Session
}

// keys are those of the lines of a blob.
func (t *tree) keys(blob string) (map[edits.Key]bool, error) {
	if keys, ok := t.keysOf[blob]; ok {
		return keys, nil
	}
	content, err := t.content(blob)
	if err != nil {
		return nil, err
	}
	keys := map[edits.Key]bool{}
	for _, k := range edits.Keys(content) {
		keys[k] = true
	}
	if len(t.keysOf) >= maxKeys {
		clear(t.keysOf)
	}
	t.keysOf[blob] = keys
	return keys, nil
}

// maxKeys is of how many blobs the keys are remembered.
const maxKeys = 256
