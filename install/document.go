package install

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/install/agent"
	"github.com/stemma-dev/stemma/install/githook"
	"github.com/stemma-dev/stemma/install/host"
	"github.com/stemma-dev/stemma/install/jsonc"
)

// A target is one file that init puts something into.
type target struct {
	part, name string
	base       base
	path       string
}

// agentFile installs one file of an agent.
func (j *job) agentFile(a agent.Agent, b base, f agent.File) {
	t := target{agentPart, a.Name, b, strings.TrimPrefix(f.Path, "/")}
	s, err := j.locate(t)
	if err != nil {
		j.tell(t, Failed, err.Error())
		return
	}
	defer s.Close()
	content, mode, found, err := s.Read()
	if err != nil {
		j.tell(t, Failed, err.Error())
		return
	}
	if f.Whole != "" {
		j.whole(t, s, a, f, content, found)
		return
	}
	j.document(t, s, f, content, mode, found)
}

// document puts the hooks of an agent into a document that others write too.
func (j *job) document(t target, s *host.Spot, f agent.File, content []byte, mode fs.FileMode, found bool) {
	text, err := jsonc.Open(content)
	if err != nil {
		j.tell(t, Failed, "it cannot be read, so it is left as it is: "+err.Error())
		return
	}
	old := j.rec.of(t.base, j.treeOf(t.base), t.path)
	if complete(text, f) {
		j.tell(t, Unchanged, "")
		return
	}
	e := &entry{Made: !found}
	if old != nil {
		if base, exact := exactly(content, old); exact {
			content = base
		} else {
			content = takeOut(text, old)
		}
		e.Made, e.Dirs = old.Made, old.Dirs
		if text, err = jsonc.Open(content); err != nil {
			j.tell(t, Failed, err.Error())
			return
		}
	}
	for _, v := range f.Top {
		var there any
		if text.Value(v.Path, &there) {
			continue
		}
		if err := text.Set(v.Path, v.Value); err != nil {
			j.tell(t, Failed, "it is left as it is: "+err.Error())
			return
		}
		e.Top = append(e.Top, v)
	}
	for _, v := range f.Elements {
		if text.Has(v.Path, v.Value) {
			continue // a person's own, or a colleague's
		}
		if err := text.Append(v.Path, v.Value); err != nil {
			j.tell(t, Failed, "it is left as it is: "+err.Error())
			return
		}
		e.Values = append(e.Values, v)
	}
	e.Before, e.Done, e.Paths = host.Digest(content), text.Insertions(), text.Made()
	j.write(t, s, e, text.Bytes(), mode, old != nil)
}

// complete reports whether all that has to be in a document is.
func complete(text *jsonc.Text, f agent.File) bool {
	for _, v := range f.Top {
		var there any
		if !text.Value(v.Path, &there) {
			return false
		}
	}
	return !slices.ContainsFunc(f.Elements, func(v agent.Value) bool { return !text.Has(v.Path, v.Value) })
}

// exactly is what stood in a file before, if it is as init left it.
func exactly(content []byte, e *entry) ([]byte, bool) {
	if host.Digest(content) != e.After {
		return nil, false
	}
	base, ok := jsonc.Undo(content, e.Done)
	return base, ok && host.Digest(base) == e.Before
}

// takeOut takes what is ours out of a document that was changed since.
func takeOut(text *jsonc.Text, e *entry) []byte {
	for _, v := range e.Values {
		text.Take(v.Path, v.Value)
	}
	inner := slices.Clone(e.Paths)
	slices.SortStableFunc(inner, func(a, b []string) int { return len(b) - len(a) })
	for _, at := range inner {
		text.TakeEmpty(at)
	}
	var hooks any
	if !text.Value([]string{"hooks"}, &hooks) { // without, what was put beside them says nothing
		for _, v := range e.Top {
			text.TakeValue(v.Path, v.Value)
		}
	}
	return text.Bytes()
}

// whole writes a file that is ours alone.
func (j *job) whole(t target, s *host.Spot, a agent.Agent, f agent.File, content []byte, found bool) {
	old := j.rec.of(t.base, j.treeOf(t.base), t.path)
	e := &entry{Made: true}
	switch {
	case found && string(content) == f.Whole:
		j.tell(t, Unchanged, "")
		return
	case found && old != nil && host.Digest(content) == old.After:
		e.Made, e.Dirs, e.Old, e.Before = old.Made, old.Dirs, old.Old, old.Before
	case found && a.Wrote(content): // a colleague's stemma wrote it
		e.Made, e.Old, e.Before = false, string(content), host.Digest(content)
	case found:
		j.tell(t, Failed, "there is another file of that name; it is left as it is")
		return
	}
	mode := fs.FileMode(0o644)
	if f.Exec {
		mode = 0o755
	}
	j.write(t, s, e, []byte(f.Whole), mode, found)
}

// write writes a file and keeps in the record what was done.
func (j *job) write(t target, s *host.Spot, e *entry, content []byte, mode fs.FileMode, update bool) {
	dirs, err := s.Write(content, mode)
	if err != nil {
		j.tell(t, Failed, err.Error())
		return
	}
	if t.base == inRoot && j.place.Common == "" { // for everybody, whatever the umask says
		for _, dir := range dirs {
			err = errors.Join(err, s.Root.Chmod(dir, 0o755))
		}
		if err != nil {
			j.tell(t, Failed, host.Plain(err).Error())
			return
		}
	}
	e.Part, e.Name, e.Base, e.Tree, e.Path = t.part, t.name, t.base, j.treeOf(t.base), t.path
	e.After = host.Digest(content)
	e.Dirs = append(e.Dirs, dirs...)
	j.rec.put(e)
	if update {
		j.tell(t, Updated, "")
	} else {
		j.tell(t, Added, "")
	}
}

// undo brings one file back to what it was.
func (j *job) undo(e *entry) {
	t := target{e.Part, e.Name, e.Base, e.Path}
	s, err := j.locate(t)
	if err != nil {
		j.tell(t, Failed, err.Error())
		return
	}
	defer s.Close()
	content, mode, found, err := s.Read()
	if err != nil {
		j.tell(t, Failed, err.Error())
		return
	}
	if !found {
		j.putBack(t, s, e, "it was removed already")
		return
	}
	if base, exact := exactly(content, e); exact && len(e.Done) > 0 {
		did, err := j.restore(s, e, base, mode)
		j.done(t, e, err, did, "")
		return
	}
	if len(e.Done) == 0 && host.Digest(content) == e.After {
		if !e.Made && e.Old != "" {
			did, err := j.restore(s, e, []byte(e.Old), mode)
			j.done(t, e, err, did, "")
			return
		}
		if err := s.Remove(e.Dirs); err != nil {
			j.done(t, e, err, Removed, "")
			return
		}
		j.putBack(t, s, e, "")
		return
	}
	j.undoChanged(t, s, e, content, mode)
}

// undoChanged takes what is ours out of a file that was changed since.
func (j *job) undoChanged(t target, s *host.Spot, e *entry, content []byte, mode fs.FileMode) {
	base, err := withoutOurs(e, content)
	if err != nil {
		j.rec.drop(e)
		j.tell(t, Kept, err.Error())
		return
	}
	did, err := j.restore(s, e, base, mode)
	why := ""
	if did == Restored {
		did, why = Removed, "it was changed since: only what stemma put in was taken out"
	}
	j.done(t, e, err, did, why)
}

func withoutOurs(e *entry, content []byte) ([]byte, error) {
	if e.Part == hookPart {
		return withoutHook(e, content)
	}
	if len(e.Values) == 0 && len(e.Top) == 0 {
		return nil, errors.New("it was changed since, so it is left as it is: remove it if nobody needs it")
	}
	text, err := jsonc.Open(content)
	if err != nil {
		return nil, errors.New("it cannot be read (" + err.Error() + "), so it is left as it is: take out the lines with `stemma hook`")
	}
	return takeOut(text, e), nil
}

// restore writes what was there, or removes the file if there was none and
// nothing is left.
func (j *job) restore(s *host.Spot, e *entry, content []byte, mode fs.FileMode) (Did, error) {
	if e.Made {
		if text, err := jsonc.Open(content); len(content) == 0 || err == nil && e.Part == agentPart && text.Empty() {
			return Removed, s.Remove(e.Dirs)
		}
	}
	_, err := s.Write(content, mode)
	return Restored, err
}

// putBack gives the file that was moved aside its name again.
func (j *job) putBack(t target, s *host.Spot, e *entry, why string) {
	if e.Moved != path.Base(e.Path)+githook.Before { // no hook was moved, or nothing that init has moved
		j.done(t, e, nil, Removed, why)
		return
	}
	err := s.Root.Rename(path.Join(path.Dir(s.Rel), e.Moved), s.Rel)
	if errors.Is(err, fs.ErrNotExist) {
		j.done(t, e, nil, Removed, "what was there before, "+e.Moved+", is gone")
		return
	}
	j.done(t, e, host.Plain(err), Restored, "")
}

func (j *job) done(t target, e *entry, err error, did Did, why string) {
	if err != nil {
		j.tell(t, Failed, err.Error())
		return
	}
	j.rec.drop(e)
	j.tell(t, did, why)
}
