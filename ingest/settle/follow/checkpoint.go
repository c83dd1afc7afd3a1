package follow

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/attribution/sight"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/spool"
)

// What happened in a work tree is not gone through from its beginning each time. Of a
// moment in which nothing was under way all that is known is written down, and the
// next time goes on from there. It may be deleted: then it is found out again, and
// comes out the same, as long as the spool is there.

// checkpointForm changes whenever what is written down does, or what it means. In
// front of it stands its SHA-256.
const checkpointForm = 3

// MarkEvery is how many looks of hooks are gone through at least until that is
// written down again; tests let it be fewer.
var MarkEvery = 500

// A checkpoint is what is known of a work tree at one moment.
type checkpoint struct {
	Form    int
	Tail    string     // the end of what was read of the spool
	Last    spool.Move // the last move that was gone through
	Since   time.Time  // when capture began
	Base    string     // the commit that was checked out then
	Heard   *capture.State
	Fresh   [2]sight.State
	Watches map[string]*keptWatch
	Known   edits.KeptMemory
}

// A keptWatch is a watch that was written down. Texts are kept as contents.
type keptWatch struct {
	State sight.State
	Blob  string // of the file in the commit that HEAD was at last
	Seen  bool
	Text  string // id of what the file was
	Other string // id of what was there beside it, "" for nothing
	File  edits.Kept
}

// errNoCheckpoint means: one must begin at the beginning.
var errNoCheckpoint = errors.New("there is no place to go on from")

func checkpointOf(place spool.Place) string { return filepath.Join(place.Dir(), "checkpoint") }

func readCheckpoint(place spool.Place) (c checkpoint, err error) {
	body, err := os.ReadFile(checkpointOf(place))
	if err != nil {
		return c, errNoCheckpoint
	}
	if len(body) < sha256.Size || sha256.Sum256(body[sha256.Size:]) != [sha256.Size]byte(body[:sha256.Size]) {
		return c, errNoCheckpoint
	}
	if err := gob.NewDecoder(bytes.NewReader(body[sha256.Size:])).Decode(&c); err != nil || c.Form != checkpointForm || c.Heard == nil {
		return c, errNoCheckpoint // an older version's, or a damaged one
	}
	return c, nil
}

// resume goes on from where the work tree was left, unless older commits are to be
// settled, or spool and reflog are not those that were read.
func (t *Tree) resume(settled func(commit string) bool) error {
	c, err := readCheckpoint(t.Place)
	if err != nil {
		return err
	}
	n := c.Heard.Moved
	if c.Heard.Before > n || n > len(t.Moves) || n > 0 && t.Moves[n-1] != c.Last || t.Place.Tail(c.Heard.End) != c.Tail || c.Tail == "" {
		return errNoCheckpoint
	}
	t.Evidence = &capture.Evidence{Before: c.Heard.Before}
	for _, i := range t.Pending(settled) {
		if i < n {
			return errNoCheckpoint
		}
	}
	known, ok := edits.RestoreMemory(c.Known)
	if !ok {
		return errNoCheckpoint
	}
	t.known, t.kept, t.fresh, t.Since, t.Base = known, c.Watches, c.Fresh, c.Since, c.Base
	t.heard = *c.Heard
	return nil
}

// keep writes down all that is known where nothing is under way.
func (t *Tree) keep(at *capture.State) error {
	c := checkpoint{
		Form: checkpointForm, Tail: t.Place.Tail(at.End), Since: t.Since, Base: t.Base, Heard: at, Watches: map[string]*keptWatch{}, Known: t.known.Keep(),
	}
	if at.Moved > 0 {
		c.Last = t.Moves[at.Moved-1]
	}
	for path, k := range t.kept {
		if !t.hears(path, k) {
			c.Watches[path] = k
		} else if _, err := t.watch(path); err != nil {
			return err
		}
	}
	for path := range t.watches {
		w, err := t.watch(path) // it hears of the rest
		if err != nil {
			return err
		}
		if c.Watches[path], err = t.write(path, w); err != nil {
			return nil // a full disk: the next time begins where this one did
		}
	}
	for i := range t.fresh {
		for _, n := range t.noise {
			if !n.Concerns(nowhere, i == 1) {
				continue
			}
			if n.Kind == sight.Clean {
				t.fresh[i] = sight.State{Seen: true, Running: t.fresh[i].Running, Ran: t.fresh[i].Running > 0}
			}
			t.fresh[i].Hear(n.Sight)
		}
	}
	c.Fresh = t.fresh
	t.noise, t.began, t.start = nil, map[int]int{}, at.Moved
	for _, w := range t.watches {
		w.heard = 0
	}
	var body bytes.Buffer
	if err := gob.NewEncoder(&body).Encode(c); err != nil {
		panic("settle: a checkpoint cannot be written: " + err.Error()) // its types are all plain
	}
	sum := sha256.Sum256(body.Bytes())
	t.mark = append(sum[:], body.Bytes()...)
	return nil
}

// nowhere is no path.
const nowhere = "\x00"

// hears tells a watch that was kept of what may have written its file; true if that
// needs its content.
func (t *Tree) hears(path string, k *keptWatch) (more bool) {
	s := k.State
	for _, n := range t.noise {
		blob, _ := t.blobAt(path, n.moves)
		if !n.Concerns(path, blob != "") {
			continue
		}
		if n.Kind == sight.Clean {
			return true
		}
		s.Hear(n.Sight)
	}
	k.State = s
	return false
}

// write makes a watch one that can be written down.
func (t *Tree) write(path string, w *watch) (*keptWatch, error) {
	file, text, other := w.File().Keep()
	k := &keptWatch{State: w.State, Blob: w.blob, Seen: w.seen, File: file}
	var err error
	if k.Text, err = t.contentOf(path, text, w.blob); err == nil && other != nil {
		k.Other, err = t.contentOf(path, other, w.blob)
	}
	return k, err
}

// contentOf is the id of a text, which git has in a blob or which is kept here.
func (t *Tree) contentOf(path string, text []byte, blob string) (string, error) {
	if id := t.Place.ID(text); id == blob {
		return id, nil
	}
	if f := t.Place.Keep(path, text); f.State == spool.Regular {
		return f.Blob, nil
	}
	return "", fmt.Errorf("settling: the text of %q is not kept", path)
}

// restore takes up a watch again. One of which the text is gone begins anew.
func (t *Tree) restore(path string, k *keptWatch) (*watch, error) {
	read := func(id string) ([]byte, error) {
		if id == k.Blob {
			return t.Content(id)
		}
		return t.Place.Content(id)
	}
	w := &watch{seen: k.Seen, blob: k.Blob}
	text, err := read(k.Text)
	var other []byte
	if err == nil && k.Other != "" {
		if other, err = read(k.Other); other == nil {
			other = []byte{}
		}
	}
	file, ok := edits.Restore(path, k.File, text, other, t.known)
	if err != nil || !ok {
		content, err := t.Content(k.Blob)
		w.Watch = sight.Start(path, content, t.known, capture.Person, sight.State{Lost: true})
		return w, err
	}
	w.Watch = sight.Resume(file, capture.Person, k.State)
	return w, nil
}

// Leave writes the place to go on from.
func (t *Tree) Leave() error {
	if t.mark == nil || t.Place.GitDir == "" {
		return nil
	}
	if err := spool.Replace(checkpointOf(t.Place), t.mark); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("settling: %w", err)
	}
	return nil
}

// Contents that were gone through are kept for a while, for a clone that loses its
// notes; once a day those are forgotten that are older.
const (
	keepContents = 14 * 24 * time.Hour
	forgetEvery  = 24 * time.Hour
)

// Forget removes contents that are of no use any more.
func Forget(place spool.Place, trees []spool.Place, now time.Time) error {
	mark := filepath.Join(place.Common, "stemma", "forgot")
	if info, err := os.Stat(mark); err == nil && now.Sub(info.ModTime()).Abs() < forgetEvery {
		return nil
	}
	since, used := now.Add(-keepContents), map[string]bool{}
	for _, tree := range trees {
		if tree.Tail(1) == "" {
			continue
		}
		c, err := readCheckpoint(tree)
		if err != nil {
			return nil // all of it is of use
		}
		for _, k := range c.Watches {
			used[k.Text], used[k.Other] = true, true
		}
		reading, err := tree.Read(0)
		if err != nil {
			return err
		}
		for _, e := range reading.Entries {
			if e.End <= c.Heard.End && e.At.Before(since) {
				continue
			}
			for _, f := range slices.Concat(e.Files, e.Was) {
				used[f.Blob] = true
			}
		}
	}
	return errors.Join(place.Forget(since, used), spool.Replace(mark, nil))
}
