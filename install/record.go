package install

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/stemma-dev/stemma/install/agent"
	"github.com/stemma-dev/stemma/install/host"
	"github.com/stemma-dev/stemma/install/jsonc"
)

// A record is what init did, so that deinit can undo exactly that. It holds
// nothing of what was in the files before: what was put in is cut out again.
type record struct {
	at      string
	changed bool
	mode    fs.FileMode // of the directory it lies in, if that is made for it

	Version  int       `json:"version"`
	Files    []*entry  `json:"files,omitempty"`
	Settings []setting `json:"settings,omitempty"`
}

// An entry is about one file.
type entry struct {
	Part string `json:"part"` // what it belongs to, as in [Change]
	Name string `json:"name"`
	Base base   `json:"base"`
	Tree string `json:"tree,omitempty"` // of [inTree]: which work tree, "" for the first
	Path string `json:"path"`

	Made  bool     `json:"made,omitempty"`  // there was none before
	Dirs  []string `json:"dirs,omitempty"`  // that were made for it, deepest first
	Moved string   `json:"moved,omitempty"` // the file beside it that stood there before

	Before string            `json:"before,omitempty"` // digest of what was there
	After  string            `json:"after"`            // digest of what init left
	Done   []jsonc.Insertion `json:"done,omitempty"`
	Values []agent.Value     `json:"values,omitempty"` // elements that were put into lists
	Top    []agent.Value     `json:"top,omitempty"`    // members that were put in
	Paths  [][]string        `json:"paths,omitempty"`  // all members that were made
	Old    string            `json:"old,omitempty"`    // what was there, if an older stemma had written it
}

// A base is where paths begin.
type base string

const (
	inTree   base = "tree"    // the work tree, which nothing may lead out of
	inCommon base = "git-dir" // the git directory that all work trees share
	inHome   base = "home"
	inRoot   base = "root" // the machine
)

var bases = []base{inTree, inCommon, inHome, inRoot}

// A setting is a value in a git configuration.
type setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	Was   string `json:"was,omitempty"` // that it took the place of
}

func loadRecord(at string) (*record, error) {
	r := &record{at: at, Version: 1, mode: 0o700}
	content, err := os.ReadFile(at)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	} else if err != nil {
		return nil, fmt.Errorf("install: %w", err)
	}
	if err := json.Unmarshal(content, r); err != nil || r.Version != 1 {
		return nil, fmt.Errorf("install: %s: it is damaged or of a later stemma", at)
	}
	r.Files = slices.DeleteFunc(r.Files, func(e *entry) bool { return e == nil })
	for _, e := range r.Files {
		if !slices.Contains(bases, e.Base) {
			return nil, fmt.Errorf("install: %s: it is damaged or of a later stemma: it has a file of %q, and where that begins is not known", at, e.Base)
		}
	}
	return r, nil
}

// save writes the record, or takes it away when there is nothing in it.
func (r *record) save() error {
	if !r.changed {
		return nil
	}
	if len(r.Files) == 0 && len(r.Settings) == 0 {
		if err := os.Remove(r.at); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("install: %w", err)
		}
		_ = os.Remove(filepath.Dir(r.at)) // unless something else is in it
		return nil
	}
	content, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("install: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(r.at), r.mode); err != nil {
		return fmt.Errorf("install: %w", err)
	}
	s, err := host.Locate(filepath.Dir(r.at), filepath.Base(r.at), false)
	if err != nil {
		return fmt.Errorf("install: %w", err)
	}
	defer s.Close()
	if _, err := s.Write(append(content, '\n'), 0o600); err != nil {
		return fmt.Errorf("install: writing %s: %w", r.at, err)
	}
	return nil
}

// of finds the entry of a file, or nil.
func (r *record) of(b base, tree, path string) *entry {
	for _, e := range r.Files {
		if e.Base == b && e.Tree == tree && e.Path == path {
			return e
		}
	}
	return nil
}

func (r *record) put(e *entry) {
	r.drop(r.of(e.Base, e.Tree, e.Path))
	r.Files = append(r.Files, e)
	r.changed = true
}

func (r *record) drop(e *entry) {
	r.changed = true
	r.Files = slices.DeleteFunc(r.Files, func(other *entry) bool { return other == e })
}
