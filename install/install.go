// Package install sets a repository or a machine up for stemma, takes that back,
// and says what is wrong with it.
//
// What belongs to others is changed by putting pieces of text in, never by
// reading and writing it anew. A record says what was put where, so that
// [Deinit] can give back the same bytes, or, where somebody has changed a file
// since, take out what is stemma's and no more. Doing either twice changes
// nothing. A file that cannot be read or written is left as it is and told of;
// the rest goes on. No symbolic link of a repository leads a write out of it.
package install

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/install/agent"
	"github.com/stemma-dev/stemma/install/host"
	"github.com/stemma-dev/stemma/spool"
)

// A Did says what became of one thing.
type Did string

// What may become of a thing.
const (
	Added     Did = "added"
	Updated   Did = "updated"
	Unchanged Did = "unchanged" // it was there already
	Restored  Did = "restored"  // it is what it was before init
	Removed   Did = "removed"
	Kept      Did = "kept"   // what is there is not stemma's any more
	Failed    Did = "failed" // and why
)

// The parts of an installation.
const (
	agentPart   = "agent"
	hookPart    = "git hook"
	notesPart   = "notes"
	settingPart = "setting"
)

// A Change is what became of one thing.
type Change struct {
	Part string `json:"part"`           // "agent", "git hook", "notes", "setting"
	Name string `json:"name,omitempty"` // which of them
	Path string `json:"path,omitempty"` // of the file, as a person would write it
	Did  Did    `json:"did"`
	Why  string `json:"why,omitempty"`
}

// A Report says what was done.
type Report struct {
	Changes []Change `json:"changes"`
	Notes   []string `json:"notes,omitempty"` // what a person should know or has to do
}

// Failed reports whether something could not be done.
func (r *Report) Failed() bool {
	return slices.ContainsFunc(r.Changes, func(c Change) bool { return c.Did == Failed })
}

// Options say what to install.
type Options struct {
	Agents []string // their names; nil for those that are used here, and Claude Code
	Server string   // where to send facts; "" leaves that as it is
}

// A job is one run.
type job struct {
	ctx    context.Context
	m      host.Machine
	place  spool.Place // zero for a machine
	tree   string      // which work tree of the repository; "" for the first
	rec    *record
	report *Report
}

func at(ctx context.Context, m host.Machine, p spool.Place) (*job, error) {
	rec, err := loadRecord(filepath.Join(p.Common, "stemma", "install.json"))
	if err != nil {
		return nil, err
	}
	j := &job{ctx: ctx, m: m, place: p, rec: rec, report: &Report{Changes: []Change{}}}
	if p.GitDir != p.Common {
		j.tree = filepath.Base(p.GitDir)
	}
	return j, nil
}

// Init sets the repository of a work tree up: hooks of agents, hooks of git,
// notes of remotes. The report says what was done even if there is an error.
func Init(ctx context.Context, m host.Machine, p spool.Place, o Options) (*Report, error) {
	list, err := choose(m, o.Agents, p.WorkTree)
	if err != nil {
		return &Report{}, err
	}
	j, err := at(ctx, m, p)
	if err != nil {
		return &Report{}, err
	}
	for _, a := range list {
		before := len(j.report.Changes)
		for _, f := range a.Files(agent.Project, m.OS) {
			j.agentFile(a, inTree, f)
		}
		j.noteOf(a, before)
	}
	if slices.ContainsFunc(j.report.Changes, func(c Change) bool { return c.Did == Added }) {
		j.note("commit what is new in the repository, and the agents of everybody who works on it report; where there is no stemma it does nothing. Agents that are running read it when they start again")
	}
	j.gitHooks()
	j.notes()
	if o.Server != "" {
		j.server(o.Server)
	}
	return j.report, j.rec.save()
}

// noteOf tells what a person has to know of an agent, once.
func (j *job) noteOf(a agent.Agent, from int) {
	if a.Note != "" && slices.ContainsFunc(j.report.Changes[from:], func(c Change) bool { return c.Did == Added || c.Did == Updated }) {
		j.note(a.Name + ": " + a.Note)
	}
}

// choose finds the agents to install for.
func choose(m host.Machine, names []string, tree string) ([]agent.Agent, error) {
	if names == nil {
		return slices.DeleteFunc(slices.Clone(agent.All), func(a agent.Agent) bool {
			return a.Name != "claude-code" && m.Detects(a, tree) == ""
		}), nil
	}
	list, unknown := agent.Named(names)
	if unknown != "" {
		return nil, fmt.Errorf("install: no agent %q is known", unknown)
	}
	return list, nil
}

// Deinit takes back what Init did in this work tree and in what it shares with
// the others.
func Deinit(ctx context.Context, m host.Machine, p spool.Place) (*Report, error) {
	j, err := at(ctx, m, p)
	if err != nil {
		return &Report{}, err
	}
	j.takeBack(inCommon, "config")
	for _, e := range j.rec.Files {
		if e.Base == inTree && e.Tree != j.tree {
			j.note("the work tree " + cmp.Or(e.Tree, "that the repository began with") + " has files of its own: run `stemma deinit` there too")
		}
	}
	return j.report, j.rec.save()
}

// takeBack undoes all that the record has for this work tree.
func (j *job) takeBack(b base, config string) {
	for _, e := range slices.Backward(slices.Clone(j.rec.Files)) {
		if e.Part != settingPart && (e.Base != inTree || e.Tree == j.tree) {
			j.undo(e)
		}
	}
	j.undoSettings(b, config)
	slices.Reverse(j.report.Changes)
}

// locate finds the file of a target.
func (j *job) locate(t target) (*host.Spot, error) {
	return host.Locate(j.dir(t.base), t.path, t.base == inTree)
}

func (j *job) dir(b base) string {
	switch b {
	case inTree:
		return j.place.WorkTree
	case inCommon:
		return j.place.Common
	case inHome:
		return j.m.Home
	}
	return cmp.Or(j.m.Root, string(filepath.Separator))
}

func (j *job) treeOf(b base) string {
	if b == inTree {
		return j.tree
	}
	return ""
}

// fromRoot is an absolute path as one of [inRoot].
func (j *job) fromRoot(at string) string {
	at = strings.TrimPrefix(at, filepath.VolumeName(at))
	if rel, err := filepath.Rel(cmp.Or(j.m.Root, string(filepath.Separator)), at); err == nil {
		return filepath.ToSlash(rel)
	}
	return filepath.ToSlash(at)
}

func (j *job) tell(t target, did Did, why string) {
	j.report.Changes = append(j.report.Changes, Change{t.part, t.name, j.shown(t), did, why})
}

func (j *job) note(text string) {
	if !slices.Contains(j.report.Notes, text) {
		j.report.Notes = append(j.report.Notes, text)
	}
}

// shown is where a file lies, as a person would write it.
func (j *job) shown(t target) string {
	if t.path == "" {
		return ""
	}
	switch t.base {
	case inTree:
		return t.path
	case inHome:
		return "~/" + t.path
	case inCommon:
		if at, ok := strings.CutPrefix(filepath.Join(j.place.Common, filepath.FromSlash(t.path)), j.place.WorkTree+string(filepath.Separator)); ok {
			return filepath.ToSlash(at)
		}
	}
	return filepath.Join(j.dir(t.base), filepath.FromSlash(t.path))
}

// shown quotes a path for a shell where it must be.
func shown(path string) string {
	if strings.ContainsAny(path, " '\"\\$`!*?[](){}<>|&;#~\t\n") {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}
