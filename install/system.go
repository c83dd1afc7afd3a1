package install

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/install/agent"
	"github.com/stemma-dev/stemma/install/githook"
	"github.com/stemma-dev/stemma/install/host"
)

// machineDir is where the relays and the record of a whole machine lie.
func machineDir(m host.Machine) string {
	switch m.OS {
	case "darwin":
		return "Library/Application Support/stemma"
	case "windows":
		return "ProgramData/stemma"
	}
	return "etc/stemma"
}

func machine(ctx context.Context, m host.Machine) (*job, error) {
	j := &job{ctx: ctx, m: m, report: &Report{Changes: []Change{}}}
	rec, err := loadRecord(filepath.Join(j.dir(inRoot), filepath.FromSlash(machineDir(m)), "install.json"))
	if err != nil {
		return nil, err
	}
	j.rec, rec.mode = rec, 0o755
	return j, nil
}

// InitSystem sets the whole machine up, so that no repository has to be
// touched: the managed settings of the agents that have some, the settings of
// this person for the others, and a directory of hooks for all repositories.
func InitSystem(ctx context.Context, m host.Machine, o Options) (*Report, error) {
	list, err := choose(m, o.Agents, "")
	if err != nil {
		return &Report{}, err
	}
	j, err := machine(ctx, m)
	if err != nil {
		return &Report{}, err
	}
	for _, a := range list {
		before := len(j.report.Changes)
		files, b := a.Files(agent.System, m.OS), inRoot
		if len(files) == 0 {
			files, b = a.Files(agent.User, m.OS), inHome
			j.note(a.Name + ": knows no settings for a whole machine, so this is for this person only")
		}
		for _, f := range files {
			j.agentFile(a, b, f)
		}
		if b == inHome { // nobody is asked about what is managed
			j.noteOf(a, before)
		}
	}
	j.relays()
	return j.report, j.rec.save()
}

// DeinitSystem takes back what InitSystem did.
func DeinitSystem(ctx context.Context, m host.Machine) (*Report, error) {
	j, err := machine(ctx, m)
	if err != nil {
		return &Report{}, err
	}
	j.takeBack(inRoot, j.fromRoot(j.systemConfig()))
	return j.report, j.rec.save()
}

// relays writes the hooks for all repositories and tells git where they are. A
// directory that is set already stays.
func (j *job) relays() {
	dir := filepath.Join(j.dir(inRoot), filepath.FromSlash(machineDir(j.m)), "githooks")
	t := target{hookPart, "core.hooksPath", inRoot, j.fromRoot(j.systemConfig())}
	out, err := j.m.Git(j.ctx, "", "config", "--system", "--type=path", "--get", "core.hooksPath")
	set := strings.TrimSuffix(out, "\n")
	switch {
	case err != nil && !errors.Is(err, host.ErrNo) && j.exists(t):
		j.tell(t, Failed, err.Error())
		return
	case set != "" && set != dir:
		j.tell(t, Failed, "git is told already to look for the hooks of all repositories in "+set+", which is left as it is: call `stemma githook NAME \"$@\"` from the hooks "+strings.Join(githook.Names, ", ")+" there")
		return
	}
	for _, name := range githook.Relayed {
		t := target{hookPart, name, inRoot, j.fromRoot(filepath.Join(dir, name))}
		s, err := j.locate(t)
		if err != nil {
			j.tell(t, Failed, err.Error())
			continue
		}
		j.relay(t, s)
		s.Close()
	}
	if set == dir {
		j.tell(t, Unchanged, "")
		return
	}
	j.set(t, setting{Key: "core.hooksPath", Value: dir}, false)
}

func (j *job) relay(t target, s *host.Spot) {
	content, _, found, err := s.Read()
	old := j.rec.of(t.base, "", t.path)
	want := githook.Relay(t.name)
	switch {
	case err != nil:
		j.tell(t, Failed, err.Error())
	case found && slices.Equal(content, want):
		j.tell(t, Unchanged, "")
	case found && githook.Look(content) != githook.Ours:
		j.tell(t, Failed, "there is another file of that name; it is left as it is")
	default:
		e := &entry{Made: true}
		if old != nil {
			e.Dirs = old.Dirs
		}
		j.write(t, s, e, want, fs.FileMode(0o755), found)
	}
}

func (j *job) exists(t target) bool {
	s, err := j.locate(t)
	if err != nil {
		return false
	}
	defer s.Close()
	_, _, found, _ := s.Read()
	return found
}

// systemConfig is the file of git's configuration for the whole machine.
func (j *job) systemConfig() string {
	if j.m.Root == "" {
		if out, err := j.m.Git(j.ctx, "", "var", "GIT_CONFIG_SYSTEM"); err == nil && strings.TrimSpace(out) != "" {
			all := strings.Split(strings.TrimSpace(out), "\n")
			return all[len(all)-1]
		}
		return "/etc/gitconfig"
	}
	return j.m.SystemConfig()
}
