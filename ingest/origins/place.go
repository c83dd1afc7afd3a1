package origins

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/blame"
	"github.com/stemma-dev/stemma/ingest/records"
)

// A place is the committed file that an answer is about, with two files
// at what is checked out that have a say in it. What is not there is "".
type place struct {
	commit, blob, mailmap, trace string

	content []byte // of the blob, if it was read already
}

// text is the content of the file; false if it is not committed, or too large to
// be held.
func (p place) text(cat *git.CatFile) ([]byte, bool) {
	if p.blob == "" || p.content != nil {
		return p.content, p.content != nil
	}
	o, err := cat.Object(p.blob)
	return o.Data, err == nil && o.Type == "blob" && o.Data != nil
}

// place finds it. Where the file in the work tree is as it was committed, o is
// made to ask for the commit. What was never asked for at that commit is most
// likely not known, so git blame begins to search it meanwhile; the search is nil
// otherwise, and where the work tree is to be looked at.
func (b *Repo) place(ctx context.Context, cat *lazyCatFile, o *blame.Options) (place, *search) {
	commit := o.Rev
	if commit == "" {
		commit = b.Head
	}
	if commit == "" {
		return place{}, nil
	}
	var ahead *search
	stops := slices.Contains(o.Not, commit) // what is not committed alone is asked for
	p, known := b.known(commit, o.Path)
	if !known {
		if !stops {
			ahead = b.search(ctx, blame.Options{Rev: commit, Not: o.Not, Path: o.Path, Flags: o.Flags})
		}
		p = b.committed(cat, commit, o.Path)
	}
	if o.Rev == "" && p.blob != "" {
		p.content = b.checkedOut(o.Path, p.blob)
		if p.content == nil || stops {
			p.blob = ""
		}
	}
	if p.blob == "" {
		ahead.stop()
		return p, nil
	}
	o.Rev = p.commit
	return p, ahead
}

// known is the place if it was asked for before: what a commit holds never changes.
func (b *Repo) known(commit, path string) (place, bool) {
	ids := strings.Split(string(b.cache.read(b.placeName(commit, path))), " ")
	if len(ids) != 3 {
		return place{}, false
	}
	return place{commit: commit, blob: ids[0], mailmap: ids[1], trace: ids[2]}, true
}

func (b *Repo) placeName(commit, path string) string {
	return cacheName("place", commit, b.Head, path)
}

// committed asks git, and keeps the answer.
func (b *Repo) committed(cat *lazyCatFile, commit, path string) place {
	p, none := place{commit: commit}, place{commit: commit} // git blame will say it better
	objects, err := cat.get()
	if err != nil {
		return none
	}
	found, err := objects.Find(commit, path)
	if err != nil {
		return none
	}
	for _, entry := range found {
		if entry.Type == "blob" {
			p.blob = entry.ID
		}
	}
	if found = nil; b.Head != "" {
		if found, err = objects.Find(b.Head, records.AgentTraceFile, mailmapFile); err != nil {
			return none
		}
	}
	for _, entry := range found {
		switch {
		case entry.Type != "blob":
		case entry.Path == records.AgentTraceFile:
			p.trace = entry.ID
		case entry.Path == mailmapFile:
			p.mailmap = entry.ID
		}
	}
	if p.blob != "" {
		b.cache.write(b.placeName(commit, path), []byte(p.blob+" "+p.mailmap+" "+p.trace))
	}
	return p
}

// checkedOut is the content of a file in the work tree if it is the blob.
func (b *Repo) checkedOut(path, blob string) []byte {
	content, err := os.ReadFile(filepath.Join(b.WorkTree, filepath.FromSlash(path)))
	if err != nil {
		return nil
	}
	h := sha1.New()
	if b.Format == git.SHA256 {
		h = sha256.New()
	}
	fmt.Fprintf(h, "blob %d\x00", len(content))
	h.Write(content)
	if hex.EncodeToString(h.Sum(nil)) != blob {
		return nil
	}
	return content
}

const mailmapFile = ".mailmap"
