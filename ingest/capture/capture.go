// Package capture is what a hook does: it reads what the agent says, keeps the
// contents of the files that it speaks of, and appends to the spool of every
// work tree that they lie in. It runs no process, opens no store and reads no
// file but those and what tells where a work tree is.
package capture

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/stemma-dev/stemma/ingest/hook"
	"github.com/stemma-dev/stemma/spool"
)

// A Call is one call of a hook.
type Call struct {
	Agent     string    // whose hook it is
	Payload   []byte    // what the agent wrote
	Directory string    // where it was called; for payloads that do not say
	At        time.Time // when
}

// Keep does what a hook does. What cannot be kept is said in the spool, if there
// is one; the error is for the log of the hook, never for the agent.
func Keep(c Call) error {
	e, err := hook.Parse(c.Agent, c.Payload)
	if err == nil && e.Kind == hook.Nothing {
		return nil
	}
	if e.Directory == "" || !filepath.IsAbs(e.Directory) {
		e.Directory = filepath.Join(c.Directory, filepath.FromSlash(e.Directory))
	}
	if err != nil {
		return errors.Join(err, lost(e.Directory, c, err))
	}
	event, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	var failed []error
	for _, t := range trees(e) {
		entry := spool.Entry{At: c.At, Stand: t.place.Stand(), Event: event, Files: t.take()}
		if err := t.place.Append(entry); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// Begin says in the spool of a work tree that capture begins: its files are what
// is checked out, but for the given ones, by their paths from its root, which are
// looked at.
func Begin(p spool.Place, changed []string, at time.Time) error {
	event, err := json.Marshal(hook.Event{Kind: hook.Present})
	if err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	t := tree{place: p, paths: slices.Clone(changed)}
	return p.Append(spool.Entry{At: at, Stand: p.Stand(), Event: event, Files: t.take()})
}

// lost says in the spool that a payload could not be read.
func lost(dir string, c Call, why error) error {
	p, err := spool.Find(dir)
	if err != nil {
		return nil // there is nothing it could be about
	}
	return p.Append(spool.Entry{At: c.At, Stand: p.Stand(), Lost: why.Error()})
}

// A tree is a work tree with the files of an event that lie in it.
type tree struct {
	place   spool.Place
	paths   []string
	unsaved map[string]string
}

// trees divides the files of an event among the work trees that they lie in. The
// one in which the agent works comes first, also if it has none of them.
func trees(e hook.Event) []*tree {
	var list []*tree
	at := func(path string) *tree {
		p, err := spool.Find(path)
		if err != nil {
			return nil
		}
		i := slices.IndexFunc(list, func(t *tree) bool { return t.place.WorkTree == p.WorkTree })
		if i < 0 {
			i = len(list)
			list = append(list, &tree{place: p, unsaved: map[string]string{}})
		}
		return list[i]
	}
	at(e.Directory)
	for _, path := range e.Paths {
		full := filepath.FromSlash(path)
		if !filepath.IsAbs(full) {
			full = filepath.Join(e.Directory, full)
		}
		t := at(filepath.Dir(full))
		if t == nil {
			continue // no work tree's
		}
		rel, ok := t.place.Inside(full)
		if !ok {
			continue
		}
		t.paths = append(t.paths, rel)
		if content, ok := e.Unsaved[path]; ok {
			t.unsaved[rel] = content
		}
	}
	return list
}

// take keeps the contents.
func (t *tree) take() []spool.File {
	slices.Sort(t.paths)
	var files []spool.File
	for _, rel := range slices.Compact(t.paths) {
		if content, ok := t.unsaved[rel]; ok {
			files = append(files, t.place.Keep(rel, []byte(content)))
		} else {
			files = append(files, t.place.Take(rel))
		}
	}
	return files
}
