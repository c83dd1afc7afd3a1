// Package replay tells from transcripts what hooks would have seen: the content of
// a file before an edit of an agent and after it, in the order of time. Nothing is
// guessed: an edit of which the transcripts do not have what was before, or what
// leads from there to one content after, is left out and counted.
package replay

import (
	"crypto/sha256"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/ingest/agent"
	"github.com/stemma-dev/stemma/ingest/local"
)

// Limits of what is replayed at once.
const (
	maxContent = 16 << 20 // of one file, as for hooks
	maxHeld    = 512 << 20
)

// Why an edit is left out.
const (
	NoTime    = "it is not said when"
	NoBefore  = "what was before is not known"
	NoWay     = "it does not lead from what was before to one content"
	Changed   = "a person changed it before it was applied"
	TooLarge  = "it is too large"
	Elsewhere = "it is of a file outside of the work trees"
)

// An Edition is what a call of an agent made of a file.
type Edition struct {
	Agent string
	agent.Edition
	root string // where its session worked, if that is no work tree of this machine
}

// A Book is what transcripts tell of edits.
type Book struct {
	Transcripts int // that were read
	Unread      int // that could not be
	Skipped     map[string]int
	editions    []Edition
	held        int
	texts       map[[sha256.Size]byte]string
	seen        map[[5]string]bool
}

// Read reads transcripts, by their paths. Of those that are strange to this
// machine, the first directory of the session is taken to be the root of the
// repository; within reports whether a directory is none of those.
func Read(paths []string, within func(dir string) bool) *Book {
	b := &Book{Skipped: map[string]int{}, texts: map[[sha256.Size]byte]string{}, seen: map[[5]string]bool{}}
	for _, path := range paths {
		if b.read(path, within) == nil {
			b.Transcripts++
		} else {
			b.Unread++
		}
	}
	slices.SortStableFunc(b.editions, func(x, y Edition) int { return x.At.Compare(y.At) })
	clear(b.texts)
	return b
}

func (b *Book) read(path string, within func(dir string) bool) error {
	f, err := local.Open(path)
	if err != nil {
		return err
	}
	from := len(b.editions)
	var told []agent.Edition
	reader, err := agent.Read(f, agent.Options{Session: local.Name(path), Growing: true, Wrote: func(e agent.Edition) {
		if b.keep(&e) {
			told = append(told, e)
		}
	}})
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	for _, e := range told {
		b.editions = append(b.editions, Edition{Agent: reader.Tool(), Edition: e})
	}
	root := rootOf(reader, within)
	for i := range b.editions[from:] {
		b.editions[from+i].root = root
	}
	return nil
}

// rootOf is where the sessions of a transcript began to work, if they worked in
// none of the directories of this machine.
func rootOf(r agent.Reader, within func(dir string) bool) (root string) {
	for _, x := range r.Transcripts() {
		for _, dir := range x.Directories {
			if within(filepath.FromSlash(dir)) {
				return ""
			}
			if root == "" {
				root = dir
			}
		}
	}
	return root
}

// keep reports whether an edition may be used, and counts one that may not. The
// same text is held once.
func (b *Book) keep(e *agent.Edition) bool {
	key := [5]string{e.Session, e.Subagent, e.Call, e.Path, e.Tool}
	if b.seen[key] {
		return false // told by the transcripts of a session and of its sub-agent
	}
	b.seen[key] = true
	switch {
	case e.At.IsZero():
		b.Skipped[NoTime]++
		return false
	case len(e.Before.Text) > maxContent || len(e.After.Text) > maxContent || b.held > maxHeld:
		b.Skipped[TooLarge]++
		return false
	}
	e.Before.Text, e.After.Text = b.intern(e.Before.Text), b.intern(e.After.Text)
	for _, s := range e.Steps {
		b.held += len(s.Old) + len(s.New)
	}
	return true
}

func (b *Book) intern(text string) string {
	sum := sha256.Sum256([]byte(text))
	if known, ok := b.texts[sum]; ok {
		return known
	}
	b.texts[sum] = text
	b.held += len(text)
	return text
}

// A Look is a file of a work tree before one edit and after it.
type Look struct {
	Edition
	File        string // from the root of the work tree
	First, Then string // contents
	Rebuilt     bool   // what was before is not in the transcript, but follows from what is known of the file
}

// A Tree is what there is to know of a work tree.
type Tree struct {
	// Inside is the path of a file from its root; false for one that lies elsewhere.
	Inside func(path string) (string, bool)
	// Strange says that what transcripts of other machines tell is about this one.
	Strange bool
	// Base is the file in the commit that was checked out at a time.
	Base func(path string, at time.Time) (string, bool)
}

// Len is how many edits there are that may be replayed.
func (b *Book) Len() int { return len(b.editions) }

// Began is when the first of them was made.
func (b *Book) Began() time.Time {
	if len(b.editions) == 0 {
		return time.Time{}
	}
	return b.editions[0].At
}

// Sessions are those whose edits there are, by agent and id.
func (b *Book) Sessions() map[[2]string]bool {
	all := map[[2]string]bool{}
	for _, e := range b.editions {
		all[[2]string{e.Agent, e.Session}] = true
	}
	return all
}

// Looks are the edits of files in a work tree, in order, and why others are left
// out.
func (b *Book) Looks(t Tree) (looks []Look, skipped map[string]int) {
	skipped = map[string]int{}
	known := map[string]string{} // contents after the last edit
	for _, e := range b.editions {
		file, ok := e.file(t)
		if !ok {
			skipped[Elsewhere]++
			continue
		}
		if e.Modified {
			delete(known, file)
			skipped[Changed]++
			continue
		}
		look, why := e.look(file, known, t)
		if why != "" {
			delete(known, file)
			skipped[why]++
			continue
		}
		known[file] = look.Then
		looks = append(looks, look)
	}
	return looks, skipped
}

// look finds what was before the edit and after it.
func (e Edition) look(file string, known map[string]string, t Tree) (Look, string) {
	if e.Before.Told {
		then, ok := e.Apply(e.Before.Text)
		if !ok {
			return Look{}, NoWay
		}
		return Look{Edition: e, File: file, First: e.Before.Text, Then: then}, ""
	}
	if e.After.Told { // what of the file is new in it, nothing tells
		return Look{}, NoBefore
	}
	found := false
	if text, ok := known[file]; ok {
		if then, ok := e.Apply(text); ok {
			return Look{Edition: e, File: file, First: text, Then: then, Rebuilt: true}, ""
		}
		found = true
	}
	if text, ok := t.Base(file, e.At); ok {
		if then, ok := e.Apply(text); ok {
			return Look{Edition: e, File: file, First: text, Then: then, Rebuilt: true}, ""
		}
		found = true
	}
	if found {
		return Look{}, NoWay
	}
	return Look{}, NoBefore
}

// file is the file of the edit, from the root of the work tree.
func (e Edition) file(t Tree) (string, bool) {
	path := filepath.FromSlash(strings.TrimPrefix(e.Path, "file://"))
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.FromSlash(e.Directory), path)
	}
	switch {
	case e.root != "" && !t.Strange:
		return "", false
	case e.root == "":
		if !filepath.IsAbs(path) {
			return "", false
		}
		return t.Inside(path)
	}
	rel, err := filepath.Rel(filepath.FromSlash(e.root), filepath.Clean(path))
	if err != nil || rel == "." || !filepath.IsLocal(rel) {
		return "", false
	}
	rel = filepath.ToSlash(rel)
	if first, _, _ := strings.Cut(rel, "/"); strings.EqualFold(first, ".git") {
		return "", false
	}
	return rel, true
}
