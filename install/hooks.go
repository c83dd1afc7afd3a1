package install

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/install/githook"
	"github.com/stemma-dev/stemma/install/host"
)

// A hooksPath is where git looks for the hooks of a repository.
type hooksPath struct {
	dir   string // absolute
	scope string // where that is set: "" nowhere, "local", "worktree", "global", "system", …
	tree  string // the directory from the root of the work tree, if it lies in it
}

func (j *job) hooksPath() (hooksPath, error) {
	out, err := j.m.Git(j.ctx, j.place.WorkTree, "config", "--show-scope", "--null", "--type=path", "--get", "core.hooksPath")
	if errors.Is(err, host.ErrNo) {
		return hooksPath{dir: filepath.Join(j.place.Common, "hooks")}, nil
	} else if err != nil {
		return hooksPath{}, err
	}
	scope, dir, ok := strings.Cut(strings.TrimSuffix(out, "\x00"), "\x00")
	if !ok || dir == "" {
		return hooksPath{dir: filepath.Join(j.place.Common, "hooks")}, nil
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(j.place.WorkTree, dir)
	}
	p := hooksPath{dir: filepath.Clean(dir), scope: scope}
	if rel, ok := j.place.Inside(filepath.Join(host.Resolve(dir, 0), "x")); ok {
		p.tree = strings.TrimSuffix(strings.TrimSuffix(rel, "x"), "/")
	}
	return p, nil
}

// everywhere reports whether the directory is set for more than one repository.
func (p hooksPath) everywhere() bool {
	return p.scope == "global" || p.scope == "system"
}

// gitHooks installs the git hooks where git looks for them.
//
// A directory in the work tree belongs to the project: a hook that is missing
// there is written, and may be committed, since it does nothing where there is
// no stemma; one that is committed already is not changed, a person has to put
// the call into it. Husky's own directory, .husky/_, is written anew with every
// installation of packages and calls the scripts in .husky, so what is missing
// is written to these. A directory that a person has set for all repositories
// is theirs: this repository gets one of its own, whose hooks run those.
func (j *job) gitHooks() {
	p, err := j.hooksPath()
	if err != nil {
		j.tell(target{part: hookPart, name: "core.hooksPath"}, Failed, err.Error())
		return
	}
	if p.everywhere() {
		j.hooksEverywhere(p)
		return
	}
	if p.dir == filepath.Join(j.place.Common, filepath.FromSlash(chains)) {
		j.tell(target{hookPart, "core.hooksPath", inCommon, chains}, Unchanged, "")
		return
	}
	for _, name := range githook.Names {
		j.gitHook(j.hookAt(p, name))
	}
}

// hookAt is the file in which a hook of ours belongs.
func (j *job) hookAt(p hooksPath, name string) target {
	t := target{hookPart, name, inCommon, "hooks/" + name}
	switch {
	case p.tree != "":
		t.base, t.path = inTree, p.tree+"/"+name
		if up, ok := strings.CutSuffix(p.tree, "/_"); ok && j.free(target{base: inTree, path: up + "/" + name}) {
			t.path = up + "/" + name
		}
	case p.dir != filepath.Join(j.place.Common, "hooks"):
		t.base, t.path = inRoot, j.fromRoot(filepath.Join(p.dir, name))
	}
	return t
}

func (j *job) hooksEverywhere(p hooksPath) {
	t := target{hookPart, "core.hooksPath", inRoot, j.fromRoot(p.dir)}
	if relayed(p) {
		j.tell(t, Unchanged, "the hooks of the whole machine call stemma")
		return
	}
	from := len(j.report.Changes)
	for _, name := range slices.Concat(githook.Relayed, githook.NotRelayed) {
		if slices.Contains(githook.NotRelayed, name) {
			if _, err := os.Stat(filepath.Join(p.dir, name)); err != nil {
				continue
			}
		}
		t := target{hookPart, name, inCommon, chains + "/" + name}
		s, err := j.locate(t)
		if err != nil {
			j.tell(t, Failed, err.Error())
			return
		}
		j.write(t, s, &entry{Made: true}, githook.Chain(name, p.dir), 0o755, false)
		s.Close()
	}
	if (&Report{Changes: j.report.Changes[from:]}).Failed() { // without all of them, somebody's hook would not run any more
		return
	}
	j.set(target{hookPart, "core.hooksPath", inCommon, "config"}, setting{Key: "core.hooksPath", Value: filepath.Join(j.place.Common, filepath.FromSlash(chains))}, false)
	j.note("core.hooksPath is " + p.dir + " for all repositories (" + p.scope + " configuration): this repository has hooks of its own now, which run those first")
}

// chains is the directory of the hooks that run those of a person, from the git
// directory.
const chains = "stemma/hooks"

// relayed reports whether the hooks of a directory are relays of ours.
func relayed(p hooksPath) bool {
	s, err := host.Locate(p.dir, githook.Names[0], false)
	if err != nil {
		return false
	}
	defer s.Close()
	content, _, _, err := s.Read()
	return err == nil && githook.Look(content) == githook.Ours
}

// free reports whether a hook is not there, or calls stemma.
func (j *job) free(t target) bool {
	s, err := j.locate(t)
	if err != nil {
		return false
	}
	defer s.Close()
	content, _, found, err := s.Read()
	return err == nil && (!found || calls(content, filepath.Base(t.path)))
}

// calls reports whether a hook calls stemma, by whomever that was put there.
func calls(content []byte, name string) bool {
	return bytes.Contains(content, []byte("stemma githook "+name))
}

// gitHook installs one hook beside what is there.
func (j *job) gitHook(t target) {
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
		j.write(t, s, &entry{Made: true}, githook.Script(t.name), 0o755, false)
		return
	}
	kind := githook.Look(content)
	old := j.rec.of(t.base, j.treeOf(t.base), t.path)
	switch {
	case kind == githook.Ours && (old == nil || bytes.Equal(content, githook.Script(t.name))):
		j.tell(t, Unchanged, "")
	case kind == githook.Ours:
		j.write(t, s, &entry{Made: old.Made, Dirs: old.Dirs, Moved: old.Moved}, githook.Script(t.name), 0o755, true)
	case kind == githook.Carries:
		j.again(t, s, old, content, mode)
	case calls(content, t.name):
		j.tell(t, Unchanged, "")
	case t.base == inTree && j.tracked(t.path):
		j.tell(t, Failed, "it is a committed file of the project and left as it is: put the line `command -v stemma >/dev/null 2>&1 && stemma githook "+t.name+" \"$@\" || :` into it")
	case kind == githook.Shell && (mode&0o111 != 0 || j.m.OS == "windows") && !j.linked(t):
		at, text := githook.Lines(t.name, content)
		j.lines(t, s, content, mode, at, text, false)
	default:
		j.moveAside(t, s)
	}
	if m := githook.Managed(content); m.Name != "" && kind != githook.Ours {
		j.note("git hooks: " + m.Mend)
	}
}

// again brings our lines in somebody's hook up to date.
func (j *job) again(t target, s *host.Spot, old *entry, content []byte, mode fs.FileMode) {
	base, ok := githook.Without(content)
	if !ok {
		j.tell(t, Failed, "stemma's lines in it were changed: take them out and run `stemma init` again")
		return
	}
	at, text := githook.Lines(t.name, base)
	if old == nil || bytes.Equal(slices.Insert(slices.Clone(base), at, []byte(text)...), content) {
		j.tell(t, Unchanged, "")
		return
	}
	j.lines(t, s, base, mode, at, text, true)
}

func (j *job) lines(t target, s *host.Spot, base []byte, mode fs.FileMode, at int, text string, update bool) {
	e := &entry{Before: host.Digest(base)}
	e.Done = append(e.Done, insertion(at, text))
	j.write(t, s, e, slices.Insert(slices.Clone(base), at, []byte(text)...), mode, update)
}

// moveAside gives a hook that nothing can be put into another name, under which
// ours runs it.
func (j *job) moveAside(t target, s *host.Spot) {
	// Not the spot the symbolic link leads to: the link itself is moved.
	dir, name := filepath.Split(filepath.Join(j.dir(t.base), filepath.FromSlash(t.path)))
	here, err := host.Locate(dir, ".", t.base == inTree)
	if err != nil {
		j.tell(t, Failed, err.Error())
		return
	}
	defer here.Close()
	from, to := filepath.Join(here.Rel, name), filepath.Join(here.Rel, name+githook.Before)
	if _, err := here.Root.Lstat(to); err == nil {
		j.tell(t, Failed, name+githook.Before+" is there already: somebody has replaced stemma's hook, so move that file away and run `stemma init` again")
		return
	}
	if err := here.Root.Rename(from, to); err != nil {
		j.tell(t, Failed, host.Plain(err).Error())
		return
	}
	here.Rel = from
	before := len(j.report.Changes)
	j.write(t, here, &entry{Made: true, Moved: name + githook.Before}, githook.Script(t.name), 0o755, false)
	if last := &j.report.Changes[before]; last.Did == Failed {
		if err := here.Root.Rename(to, from); err != nil {
			last.Why += "; the hook that was there is now " + name + githook.Before
		}
	} else {
		last.Why = "runs the hook that was there, now " + name + githook.Before + ", first"
	}
}

// linked reports whether a hook is a symbolic link: the file it leads to may be
// somebody else's, or a committed one.
func (j *job) linked(t target) bool {
	at := filepath.Join(j.dir(t.base), filepath.FromSlash(t.path))
	return host.Resolve(at, 0) != filepath.Join(host.Resolve(filepath.Dir(at), 0), filepath.Base(at))
}

// tracked reports whether a file of the work tree is committed or staged.
func (j *job) tracked(rel string) bool {
	_, err := j.m.Git(j.ctx, j.place.WorkTree, "-c", "core.fsmonitor=false", "ls-files", "--error-unmatch", "--", ":(literal)"+rel)
	return err == nil
}

// withoutHook takes our lines out of a hook that was changed since.
func withoutHook(e *entry, content []byte) ([]byte, error) {
	if base, ok := githook.Without(content); ok {
		return base, nil
	}
	if githook.Look(content) == githook.Ours {
		return nil, errors.New("it was changed since, so it is left as it is: remove it if nobody needs it")
	}
	if e.Moved != "" {
		return nil, errors.New("somebody has replaced it, so it is left as it is; what was there before stemma is " + e.Moved)
	}
	return nil, errors.New("somebody has replaced it, so there is nothing to take out")
}
