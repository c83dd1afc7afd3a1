package install

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/stemma-dev/stemma/install/host"
	"github.com/stemma-dev/stemma/install/jsonc"
)

func insertion(at int, text string) jsonc.Insertion { return jsonc.Insertion{At: at, Text: text} }

// Where the notes of a remote are kept: under a ref of their own, which may be
// forced, since it only says what the remote has. Fetching onto refs/notes/ai
// would throw away what was noted here. The star lets a remote without notes be
// fetched from.
func notesRefspec(remote string) string {
	return "+refs/notes/ai*:" + notesOf(remote) + "*"
}

func notesOf(remote string) string { return "refs/notes/stemma-remote/" + remote + "/ai" }

// A remote that git would not take as a part of a ref has no notes of its own.
var remoteName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_+-]*(\.?[A-Za-z0-9_+-]+)*(/[A-Za-z0-9_][A-Za-z0-9_+-]*(\.?[A-Za-z0-9_+-]+)*)*$`)
})

// remotes are the remotes with what is fetched from each.
func (j *job) remotes() (names []string, fetch map[string][]string, err error) {
	out, err := j.m.Git(j.ctx, j.place.WorkTree, "config", "--null", "--get-regexp", `^remote\..*\.(url|fetch)$`)
	if errors.Is(err, host.ErrNo) {
		return nil, nil, nil
	} else if err != nil {
		return nil, nil, err
	}
	fetch = map[string][]string{}
	for line := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
		key, value, _ := strings.Cut(line, "\n")
		key = strings.TrimPrefix(key, "remote.")
		if name, ok := strings.CutSuffix(key, ".url"); ok && !slices.Contains(names, name) {
			names = append(names, name)
		} else if name, ok := strings.CutSuffix(key, ".fetch"); ok {
			fetch[name] = append(fetch[name], value)
		}
	}
	return names, fetch, nil
}

// notes makes git fetch the notes of each remote. What is pushed is left to the
// hook pre-push: a push refspec in the configuration would take the place of
// push.default, and a plain `git push` would push nothing but notes.
func (j *job) notes() {
	names, fetch, err := j.remotes()
	if err != nil {
		j.tell(target{part: notesPart}, Failed, err.Error())
		return
	}
	for _, name := range names {
		t := target{part: notesPart, name: name, base: inCommon, path: "config"}
		switch spec := notesRefspec(name); {
		case strings.HasSuffix(name, ".lock") || !remoteName().MatchString(name):
			j.tell(t, Failed, "its name cannot be a part of a ref, so its notes are not fetched")
		case slices.Contains(fetch[name], spec):
			j.tell(t, Unchanged, "")
		default:
			j.set(t, setting{Key: "remote." + name + ".fetch", Value: spec}, true)
		}
	}
}

// CheckServer says what is wrong with the address of a server.
func CheckServer(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New("install: the address of a server is https://HOST or http://HOST")
	case u.User != nil:
		return errors.New("install: the address of a server has no name and no password in it")
	}
	return nil
}

const serverKey = "stemma.server"

func (j *job) server(address string) {
	t := target{part: settingPart, name: serverKey, base: inCommon, path: "config"}
	was, err := j.m.Git(j.ctx, j.place.WorkTree, "config", "--local", "--get", serverKey)
	was = strings.TrimSuffix(was, "\n")
	switch {
	case err != nil && !errors.Is(err, host.ErrNo):
		j.tell(t, Failed, err.Error())
	case was == address:
		j.tell(t, Unchanged, "")
	default:
		s := setting{Key: serverKey, Value: address, Was: was}
		if i := slices.IndexFunc(j.rec.Settings, func(o setting) bool { return o.Key == serverKey }); i >= 0 {
			s.Was = j.rec.Settings[i].Was
			j.rec.Settings = slices.Delete(j.rec.Settings, i, i+1)
		}
		j.set(t, s, false)
	}
}

// set changes git's configuration by way of git, and keeps what that put in.
func (j *job) set(t target, s setting, add bool) {
	spot, err := j.locate(t)
	if err != nil {
		j.tell(t, Failed, err.Error())
		return
	}
	defer spot.Close()
	before, _, found, err := spot.Read()
	if err != nil {
		j.tell(t, Failed, err.Error())
		return
	}
	args := []string{"config", "--file", filepath.Join(j.dir(t.base), filepath.FromSlash(t.path))}
	if add {
		args = append(args, "--add")
	}
	if _, err := j.m.Git(j.ctx, "", append(args, s.Key, s.Value)...); err != nil {
		j.tell(t, Failed, fmt.Sprintf("git cannot write it: %v", err))
		return
	}
	j.rec.Settings, j.rec.changed = append(j.rec.Settings, s), true
	after, _, _, err := spot.Read()
	if err == nil && !found && t.base == inRoot {
		err = host.Plain(spot.Root.Chmod(spot.Rel, 0o644)) // git follows the umask, and everybody has to read it
	}
	if err != nil {
		j.tell(t, Failed, err.Error())
		return
	}
	e := j.rec.of(t.base, j.treeOf(t.base), t.path)
	if e == nil || e.After != host.Digest(before) {
		e = &entry{Part: settingPart, Name: "git", Base: t.base, Tree: j.treeOf(t.base), Path: t.path, Before: host.Digest(before), Made: !found}
	}
	e.Done = append(e.Done, between(before, after))
	e.After = host.Digest(after)
	j.rec.put(e)
	j.tell(t, Added, "")
}

// between is the piece that was put into a text, if it was one piece.
func between(before, after []byte) jsonc.Insertion {
	at := 0
	for at < len(before) && at < len(after) && before[at] == after[at] {
		at++
	}
	grown := len(after) - len(before)
	if grown < 0 || !bytes.Equal(before[at:], after[at+grown:]) {
		return jsonc.Insertion{At: -1} // more was changed: deinit takes out the setting instead
	}
	return insertion(at, string(after[at:at+grown]))
}

// undoSettings brings the configuration back: to its bytes if nothing else has
// changed in it, else setting by setting.
func (j *job) undoSettings(b base, path string) {
	t := target{settingPart, "git", b, path}
	e := j.rec.of(b, j.treeOf(b), path)
	if e == nil && len(j.rec.Settings) == 0 {
		return
	}
	s, err := j.locate(t)
	if err != nil {
		j.tell(t, Failed, err.Error())
		return
	}
	defer s.Close()
	content, mode, _, err := s.Read()
	if err != nil {
		j.tell(t, Failed, err.Error())
		return
	}
	if e != nil {
		if base, exact := exactly(content, e); exact {
			if _, err := j.restore(s, e, base, mode); err != nil {
				j.tell(t, Failed, err.Error())
				return
			}
		}
		j.rec.drop(e)
	}
	file := filepath.Join(j.dir(b), filepath.FromSlash(path))
	for _, set := range j.rec.Settings {
		if err := j.unset(file, set); err != nil {
			j.tell(t, Failed, err.Error())
			return
		}
	}
	j.rec.Settings, j.rec.changed = nil, true
	j.tell(t, Restored, "")
}

// unset takes one setting out, if it still says what init made it say.
func (j *job) unset(file string, s setting) error {
	_, err := j.m.Git(j.ctx, "", "config", "--file", file, "--fixed-value", "--get", s.Key, s.Value)
	switch {
	case errors.Is(err, host.ErrNo):
		return nil // a person has changed it
	case err != nil:
		return err
	case s.Was != "":
		_, err = j.m.Git(j.ctx, "", "config", "--file", file, s.Key, s.Was)
	default:
		_, err = j.m.Git(j.ctx, "", "config", "--file", file, "--fixed-value", "--unset-all", s.Key, s.Value)
	}
	return err
}
