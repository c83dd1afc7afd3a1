package spool

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A Call is what has to be known, when a call of a tool ends, of when it began.
type Call struct {
	Files []File              `json:"files,omitempty"` // that were looked at
	Under []string            `json:"under,omitempty"` // directories of which the tracked files were compared
	All   bool                `json:"all,omitempty"`   // all tracked files were, and those that differed are among Files
	Dirs  map[string][]string `json:"dirs,omitempty"`  // names of what was in directories
	Index Seal                `json:"index"`           // of git's index, as it was
}

// A Seal tells whether a file was changed.
type Seal struct {
	Size int64 `json:"size"`
	Nano int64 `json:"nano"` // when it was written
}

// Calls that did not end are forgotten.
const (
	maxCalls = 64
	maxAge   = 24 * time.Hour
	maxCall  = 1 << 20
)

func (p Place) calls() string { return filepath.Join(p.Dir(), "calls") }

// Index is git's index of the work tree.
func (p Place) Index() string { return filepath.Join(p.GitDir, "index") }

// SealOf seals a file; that of none is zero.
func SealOf(file string) Seal {
	info, err := os.Lstat(file)
	if err != nil {
		return Seal{}
	}
	return Seal{info.Size(), info.ModTime().UnixNano()}
}

// Begin remembers a call by its id, and git's index by a link: git never writes to
// an index but puts another in its place.
func (p Place) Begin(id string, c Call, now time.Time) error {
	if err := os.MkdirAll(p.calls(), 0o700); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	p.forget(now)
	at := p.call(id)
	body, err := json.Marshal(c)
	if err == nil {
		err = os.WriteFile(at+".json", body, 0o600)
	}
	if err == nil && c.Index != (Seal{}) {
		_ = os.Remove(at + ".index") // of the same call, begun before
		err = os.Link(p.Index(), at+".index")
	}
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	return nil
}

// End gives back what was remembered of a call, with where git's index of then is,
// and a function that forgets both. It is an error if nothing is remembered.
func (p Place) End(id string) (c Call, index string, forget func(), err error) {
	at := p.call(id)
	forget = func() { _, _ = os.Remove(at+".json"), os.Remove(at+".index") }
	body := head(at+".json", maxCall)
	if err := json.Unmarshal(body, &c); err != nil {
		return Call{}, "", forget, fmt.Errorf("spool: what was looked at before is not known: %w", err)
	}
	if SealOf(at+".index") != c.Index {
		c.All, c.Under = false, nil
	}
	return c, at + ".index", forget, nil
}

// call is where a call is remembered; ids are foreign text.
func (p Place) call(id string) string {
	name := p.ID([]byte(id))
	return filepath.Join(p.calls(), name[:32])
}

// forget removes calls that did not end.
func (p Place) forget(now time.Time) {
	list, err := os.ReadDir(p.calls())
	if err != nil || len(list) == 0 {
		return
	}
	for _, e := range list {
		name, _, _ := strings.Cut(e.Name(), ".")
		if _, err := hex.DecodeString(name); err != nil {
			continue // not ours
		}
		info, err := os.Lstat(filepath.Join(p.calls(), name+".json"))
		if err != nil || now.Sub(info.ModTime()) > maxAge || len(list) > 2*maxCalls {
			_ = os.Remove(filepath.Join(p.calls(), e.Name()))
		}
	}
}
