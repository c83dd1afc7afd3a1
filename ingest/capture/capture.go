// Package capture is what a hook does: it reads what the agent says, keeps the
// contents of the files that it speaks of, and appends to the spool of every
// work tree that they lie in. It runs no process, opens no store and reads no
// file but those and what tells where a work tree is.
//
// A command, or a tool that is not known, does not say what it writes. A hook then
// looks before and after, within bounds that are the same in every repository: at
// the files that the text of the command names, at those that were worked on last,
// at the tracked files that differ from git's index, and at what appeared in the
// directories where the command runs. What a tracked file was that did not differ
// need not be kept, since git has it. Commands that surely only read are no event.
//
// That a file changed while a command ran does not say who changed it: a person may
// have typed. It is the agent's if the command said that it writes this file, and
// ran for at most ten minutes; or if it ran for at most five seconds, may by its
// text write files that it does not name, and the file was new, or as git or an
// agent had left it. What else changed is nobody's. So a person who for the first
// time saves a file in those seconds in which a generator runs is taken for the
// agent; nobody is otherwise. Text that a command copied from a file that it names is
// nobody's where it came to. Files that did not change stay whose they are, all
// tracked ones if all could be compared. A command that was not seen to end, or goes
// on in the background, may write any file until its session ends.
package capture

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stemma-dev/stemma/ingest/command"
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
	run := ran(&e)
	if run.Reads && len(e.Paths) == 0 {
		return nil // it writes nothing
	}
	event, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	var failed []error
	for _, t := range trees(e, run) {
		entry := spool.Entry{At: c.At, Stand: t.place.Stand(), Event: event}
		switch e.Kind {
		case hook.BeforeShell, hook.BeforeTool:
			failed = append(failed, t.begin(&entry, callID(e)))
		case hook.AfterShell, hook.AfterTool:
			failed = append(failed, t.end(&entry, callID(e)))
		case hook.AfterEdit:
			entry.Files = t.take()
			entry.Was = t.wrote(entry.Files)
		default:
			entry.Files = t.take()
		}
		failed = append(failed, t.place.Append(entry))
	}
	return errors.Join(failed...)
}

// ran reads the text of the command that an event is about. A tool that is not
// known has none, and was not seen to be asked for anything that it changes but
// the files that it names.
func ran(e *hook.Event) (c command.Command) {
	switch e.Kind {
	case hook.BeforeShell, hook.AfterShell:
		c = command.Parse(e.Command)
		if strings.EqualFold(e.Tool, "powershell") {
			c.Reads = false
		}
		c.Reads = c.Reads && !e.Background
		e.Background = e.Background || c.Background
		e.Quiet = c.Quiet
	case hook.BeforeTool, hook.AfterTool:
		e.Quiet = true
	default:
	}
	return c
}

// callID tells calls of tools apart, as evidence does.
func callID(e hook.Event) string { return strings.Join([]string{e.Agent, e.Session, e.Call}, "\x00") }

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
	paths   []string // that the event is about, from the root
	names   []string // that the text of a command mentions
	dirs    []string // in which it runs
	unsaved map[string]string
	before  map[string]string // by path, what a file was right before an agent wrote it
}

// maxTrees is of how many files a command may write it is found out in which work
// tree they lie.
const maxTrees = 64

// trees divides the files of an event among the work trees that they lie in. The
// one in which the agent works comes first, also if it has none of them.
func trees(e hook.Event, c command.Command) []*tree {
	var list []*tree
	at := func(path string) *tree {
		p, err := spool.Find(path)
		if err != nil {
			return nil
		}
		i := slices.IndexFunc(list, func(t *tree) bool { return t.place.WorkTree == p.WorkTree })
		if i < 0 {
			i = len(list)
			list = append(list, &tree{place: p, unsaved: map[string]string{}, before: map[string]string{}})
		}
		return list[i]
	}
	for _, dir := range append([]string{"."}, c.Dirs[:min(len(c.Dirs), maxTrees)]...) {
		if t := at(from(e.Directory, dir)); t != nil {
			t.dirs = append(t.dirs, from(e.Directory, dir))
		}
	}
	before := map[string]string{}
	for path, content := range e.Before {
		before[from(e.Directory, path)] = content
	}
	for i, path := range append(slices.Clone(e.Paths), c.Targets...) {
		full := from(e.Directory, path)
		if i >= len(e.Paths)+maxTrees {
			break
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
		if content, ok := before[full]; ok {
			t.before[rel] = content
		}
	}
	for _, t := range list {
		for _, name := range c.Names {
			t.names = append(t.names, from(e.Directory, name))
		}
	}
	return list
}

// from is a path as an agent names it, which works in a directory.
func from(dir, path string) string {
	path = filepath.FromSlash(path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return path
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

// wrote keeps what files were right before an agent wrote them, as it says: what they
// were when the edit was announced, or what somebody has made of them meanwhile.
func (t *tree) wrote(files []spool.File) (was []spool.File) {
	for _, f := range files {
		told, ok := t.before[f.Path]
		if !ok {
			continue
		}
		if now, err := t.place.Content(f.Blob); err == nil {
			if before, ok := asWritten(told, now); ok {
				was = append(was, t.place.Keep(f.Path, before))
			}
		}
	}
	return was
}

// asWritten is the content of a file by the text that an agent tells it as, which has
// plain line ends and no mark of its encoding: it had those that it has now. What
// cannot be told so is not known.
func asWritten(told string, now []byte) ([]byte, bool) {
	const mark = "\uFEFF"
	if strings.ContainsRune(told, utf8.RuneError) || !utf8.Valid(now) {
		return nil, false
	}
	if bytes.HasPrefix(now, []byte(mark)) && !strings.HasPrefix(told, mark) {
		told = mark + told
	}
	ends, carriage := bytes.Count(now, []byte("\n")), bytes.Count(now, []byte("\r\n"))
	switch {
	case strings.Contains(told, "\r") || carriage == 0:
	case carriage == ends:
		told = strings.ReplaceAll(told, "\n", "\r\n")
	default:
		return nil, false // some lines end so, some so
	}
	return []byte(told), true
}
