package origins

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
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
// made to ask for the commit.
func (b *Repo) place(cat *lazyCatFile, o *blame.Options) place {
	commit := o.Rev
	if commit == "" {
		commit = b.Head
	}
	if commit == "" {
		return place{}
	}
	p := b.committed(cat, commit, o.Path)
	if o.Rev == "" && p.blob != "" {
		p.content = b.checkedOut(o.Path, p.blob)
		if p.content == nil {
			p.blob = ""
		}
	}
	if p.blob != "" {
		o.Rev = p.commit
	}
	return p
}

// committed asks git, once: what a commit holds never changes.
func (b *Repo) committed(cat *lazyCatFile, commit, path string) place {
	name := cacheName("place", commit, b.Head, path)
	if ids := strings.Split(string(b.cache.read(name)), " "); len(ids) == 3 {
		return place{commit: commit, blob: ids[0], mailmap: ids[1], trace: ids[2]}
	}
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
		b.cache.write(name, []byte(p.blob+" "+p.mailmap+" "+p.trace))
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
