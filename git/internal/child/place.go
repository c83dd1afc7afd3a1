package child

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// A Place says where commands run and in what environment, and counts them.
type Place struct {
	Dir string // working directory

	env      []string // whole environment
	settings []string // stand in front of every command
	started  *atomic.Int64
	ready    func() error // makes what is needed there, once; nil: nothing is
}

// Inside is the place in a directory of the repository that is read, for
// commands that ask for names and settings only. The first command makes home,
// the directory that takes the place of the user's. The commands are counted in
// started.
func Inside(dir, home string, started *atomic.Int64) Place {
	ready := sync.OnceValue(func() error {
		if err := os.Mkdir(home, 0o700); err != nil {
			return err
		}
		// Whoever reads a repository need not own it: nothing of it is run.
		return os.WriteFile(filepath.Join(home, ".gitconfig"), []byte("[safe]\n\tdirectory = *\n"), 0o600)
	})
	return Place{Dir: dir, env: base(home), started: started, ready: ready}.Guarded()
}

// Apart is the place in a repository of our own, for commands that look at
// objects. The first command makes it in dir.
func (at Place) Apart(dir, format, objects string, shallow []byte) Place {
	home := at.Ready
	at = at.With("GIT_DIR="+dir, "GIT_OBJECT_DIRECTORY="+objects)
	at.Dir, at.settings = dir, nil
	at.ready = sync.OnceValue(func() error {
		if err := errors.Join(home(), Private(dir, format)); err != nil || shallow == nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "shallow"), shallow, 0o600)
	})
	return at
}

// Ready makes what commands need at the place, unless that is done. It is called
// by the first of them.
func (at Place) Ready() error {
	if at.ready == nil {
		return nil
	}
	return at.ready()
}

// With is the place with further variables.
func (at Place) With(vars ...string) Place {
	at.env = append(at.env[:len(at.env):len(at.env)], vars...)
	return at
}

// Guarded is the place where no dangerous setting of a configuration is in force.
func (at Place) Guarded() Place {
	at.settings = guard
	return at
}

// kept are the variables of our own environment that a child may see.
var kept = []string{
	"PATH", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH", "GIT_EXEC_PATH",
	"GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM",
}

// fixed are the variables that every child sees.
var fixed = []string{
	"GIT_CONFIG_NOSYSTEM=1", "GIT_ATTR_NOSYSTEM=1", "GIT_NO_REPLACE_OBJECTS=1", "GIT_OPTIONAL_LOCKS=0",
	"GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=none", "GIT_ADVICE=0",
	"GIT_PAGER=cat", "PAGER=cat", "GIT_EDITOR=false", "GIT_ASKPASS=false", "SSH_ASKPASS=false",
	"GIT_SSH_COMMAND=false", "LC_ALL=C", "LANGUAGE=",
	// Objects and diffs come and go by the thousand: glibc is to keep the memory of one
	// for the next (mallopt(3)). Up to a third of the time of git log -p; others ignore it.
	"MALLOC_MMAP_THRESHOLD_=33554432", "MALLOC_TRIM_THRESHOLD_=67108864",
}

// base is the environment of every child; home is a directory of our own
// that takes the place of the user's.
func base(home string) []string {
	env := append([]string(nil), fixed...)
	for _, name := range kept {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return append(env, "HOME="+home, "XDG_CONFIG_HOME="+home, "GIT_CONFIG_GLOBAL="+filepath.Join(home, ".gitconfig"))
}

// guard are the settings for commands that run in the scanned repository
// itself and so load its configuration. None of those commands runs anything;
// this is the second line.
var guard = []string{
	"-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.pager=cat",
	"-c", "core.attributesFile=/dev/null", "-c", "core.quotePath=true", "-c", "core.alternateRefsCommand=false",
	"-c", "protocol.allow=never", "-c", "gpg.program=false", "-c", "log.showSignature=false", "-c", "color.ui=false",
}

// Private makes the repository of our own in dir. It borrows objects by way of
// the environment only.
func Private(dir, format string) error {
	version, extension := 0, ""
	if format == sha256 {
		version, extension = 1, "[extensions]\n\tobjectFormat = "+format+"\n"
	}
	// A commit graph file may contradict the commits; we read all commits anyway.
	config := fmt.Sprintf("[core]\n\trepositoryFormatVersion = %d\n\tbare = true\n\tcommitGraph = false\n"+
		"\thooksPath = /dev/null\n\tattributesFile = /dev/null\n\tfsmonitor = false\n\tquotePath = true\n%s"+
		"[attr]\n\ttree = %s\n", version, extension, emptyTree(format))
	if err := os.MkdirAll(filepath.Join(dir, "refs"), 0o700); err != nil { // git wants that there is one
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "HEAD"), []byte("ref: refs/heads/none\n"), 0o600)
}

const sha256 = "sha256"

// emptyTree is the id of the tree without entries.
func emptyTree(format string) string {
	if format == sha256 {
		return "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"
	}
	return "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
}
