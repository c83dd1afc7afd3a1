package install

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stemma-dev/stemma/install/agent"
	"github.com/stemma-dev/stemma/install/githook"
	"github.com/stemma-dev/stemma/install/host"
	"github.com/stemma-dev/stemma/spool"
)

// A Level says how bad a finding is.
type Level string

// The levels of findings.
const (
	Fine    Level = "ok"
	Warning Level = "warning" // something is missing, the rest works
	Broken  Level = "broken"
)

// A Finding is what was found out about one part of an installation.
type Finding struct {
	Level Level  `json:"level"`
	About string `json:"about"`
	What  string `json:"what"`
	Why   string `json:"why,omitempty"` // it matters
	Do    string `json:"do,omitempty"`  // to mend it
}

// exam is an examination.
type exam struct {
	*job
	found []Finding
}

// Examine says what is wrong with an installation, and what is right. Without
// a work tree only the machine is looked at.
func Examine(ctx context.Context, m host.Machine, p *spool.Place, now time.Time) []Finding {
	x := &exam{job: &job{ctx: ctx, m: m, rec: &record{}, report: &Report{}}}
	x.programs()
	if p == nil {
		x.say(Warning, "repository", "this is no work tree of git", "only the machine was looked at", "run it in a repository")
	} else {
		x.place = *p
		x.installed(m, *p)
		x.hooks()
	}
	for _, a := range agent.All {
		x.agent(a)
	}
	if p != nil {
		x.spool(now)
		x.refspecs()
		x.rewriting()
	}
	x.others()
	return x.found
}

func (x *exam) say(l Level, about, what, why, do string) {
	x.found = append(x.found, Finding{l, about, what, why, do})
}

func (x *exam) installed(m host.Machine, p spool.Place) {
	j, err := at(x.ctx, m, p)
	if err != nil {
		x.say(Broken, "record", strings.TrimPrefix(err.Error(), "install: "), "without it `stemma deinit` does not know what to take back", "move the file away and run `stemma init` again")
		return
	}
	x.job = j
}

var gitVersion = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^git version (\d+)\.(\d+)`) })

func (x *exam) programs() {
	out, err := x.m.Git(x.ctx, "", "version")
	v := gitVersion().FindStringSubmatch(out)
	switch {
	case err != nil:
		x.say(Broken, "git", err.Error(), "nothing of a repository can be read", "install git 2.30 or later")
	case v == nil:
		x.say(Warning, "git", "its version is not understood", "", "")
	default:
		major, _ := strconv.Atoi(v[1])
		minor, _ := strconv.Atoi(v[2])
		if major < 2 || major == 2 && minor < 30 {
			x.say(Broken, "git", strings.TrimSpace(out)+" is too old", "stemma needs what came with 2.30", "install git 2.30 or later")
		} else {
			x.say(Fine, "git", strings.TrimSpace(out), "", "")
		}
	}
	if at := x.m.Program("stemma"); at != "" {
		x.say(Fine, "stemma", at, "", "")
	} else {
		x.say(Broken, "stemma", "it is not in PATH", "hooks call it by its name, and do nothing where they do not find it", "put the program into a directory of PATH, such as /usr/local/bin")
	}
}

// hooks says whether git reaches our hooks.
func (x *exam) hooks() {
	p, err := x.hooksPath()
	if err != nil {
		x.say(Broken, "git hooks", err.Error(), "", "")
		return
	}
	if p.everywhere() {
		x.hooksOfAll(p)
		return
	}
	if p.dir == filepath.Join(x.place.Common, filepath.FromSlash(chains)) {
		x.say(Fine, "git hooks", "in "+p.dir+", which run those of the person first", "", "")
		return
	}
	type trouble struct{ what, do string }
	var good []string
	var order []trouble
	bad := map[trouble][]string{}
	for _, name := range githook.Names {
		what, do := x.hook(x.hookAt(p, name))
		if what == "" {
			good = append(good, name)
			continue
		}
		t := trouble{what, do}
		if bad[t] == nil {
			order = append(order, t)
		}
		bad[t] = append(bad[t], name)
	}
	if len(good) > 0 {
		x.say(Fine, "git hooks", strings.Join(good, ", ")+" in "+p.dir, "", "")
	}
	for _, t := range order {
		why := "commits are not told of, and wait until something else is"
		if bad[t][0] == "pre-push" {
			why = "notes do not travel with a push"
		}
		x.say(Broken, "git hooks", strings.Join(bad[t], ", ")+" in "+p.dir+": "+t.what, why, t.do)
	}
}

func (x *exam) hooksOfAll(p hooksPath) {
	if !relayed(p) {
		x.say(Broken, "git hooks", "core.hooksPath is "+p.dir+" for all repositories ("+p.scope+" configuration)", "git does not look for hooks in this one", "stemma init")
		return
	}
	x.say(Fine, "git hooks", "those of the whole machine, in "+p.dir, "", "")
	for _, name := range githook.NotRelayed {
		if info, err := os.Stat(filepath.Join(x.place.Common, "hooks", name)); err == nil && info.Mode()&0o111 != 0 {
			x.say(Warning, "git hook "+name, "the one of this repository does not run", "hooks of a whole machine take its place, and this one costs too much to be run for all", "git config core.hooksPath "+shown(filepath.Join(x.place.Common, "hooks"))+", then stemma init")
		}
	}
}

// hook says what is wrong with one hook.
func (x *exam) hook(t target) (what, do string) {
	s, err := x.locate(t)
	if err != nil {
		return err.Error(), ""
	}
	defer s.Close()
	content, mode, found, err := s.Read()
	switch {
	case err != nil:
		return err.Error(), ""
	case !found:
		return "not there", "stemma init"
	case calls(content, t.name):
		if x.m.OS == "windows" || mode&0o111 != 0 || strings.HasPrefix(t.path, ".husky/") {
			return "", ""
		}
		return "not executable, so git does not run it", "chmod +x " + shown(filepath.Join(x.dir(t.base), filepath.FromSlash(t.path)))
	}
	do = "stemma init"
	if t.base == inTree && x.tracked(t.path) {
		do = "put the line `command -v stemma >/dev/null 2>&1 && stemma githook " + t.name + " \"$@\" || :` into it: it is a committed file"
	}
	what = "it does not call stemma"
	if m := githook.Managed(content); m.Name != "" {
		what, do = "it was written by "+m.Name+" and does not call stemma", do+" ("+m.Mend+")"
	} else if x.rec.of(t.base, x.treeOf(t.base), t.path) != nil {
		what = "it was replaced by somebody and does not call stemma"
	}
	return what, do
}
