package install

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/install/agent"
	"github.com/stemma-dev/stemma/install/host"
	"github.com/stemma-dev/stemma/install/jsonc"
)

// A state is what was found out about the hooks of one agent.
type state struct {
	in    []string // the files they are in
	part  string   // a file that has some of them
	off   string   // why they do not run
	wrong string   // a file that cannot be read, and why
}

// agent says whether an agent that is used here tells what it does.
func (x *exam) agent(a agent.Agent) {
	about := "agent " + a.Name
	sign := x.m.Detects(a, x.place.WorkTree)
	var st state
	if x.place.WorkTree != "" {
		x.look(&st, a, agent.Project, inTree)
	}
	x.look(&st, a, agent.System, inRoot)
	x.look(&st, a, agent.User, inHome)
	if a.Name == "codex" {
		st.off = cmp.Or(st.off, x.codexOff(inHome), x.codexOff(inTree))
	}
	again := "stemma init --agents " + a.Name
	switch {
	case st.wrong != "":
		x.say(Broken, about, st.wrong, "stemma's hooks are not seen in it, and the agent may not read it either", "mend the file, then "+again)
	case st.off != "":
		x.say(Warning, about, st.off, "it calls no hooks, and what it writes is nobody's", "switch them on again unless that is meant")
	case len(st.in) > 0:
		what := "hooks in " + strings.Join(st.in, ", ")
		if a.Note != "" { // what cannot be seen from here
			what += " (" + a.Note + ")"
		}
		x.say(Fine, about, what, "", "")
	case st.part != "":
		x.say(Warning, about, st.part+" has some of stemma's hooks only", "not all that it does is told", again)
	case sign != "" || a.Name == "claude-code":
		x.say(Warning, about, "its hooks are not installed ("+cmp.Or(sign, "it is always expected")+")", "what it writes is nobody's", again)
	}
}

// look looks at the files of an agent in one scope.
func (x *exam) look(st *state, a agent.Agent, scope agent.Scope, b base) {
	good, files := 0, a.Files(scope, x.m.OS)
	for _, f := range files {
		t := target{agentPart, a.Name, b, strings.TrimPrefix(f.Path, "/")}
		s, err := x.locate(t)
		if err != nil {
			st.wrong = x.shown(t) + ": " + err.Error()
			continue
		}
		content, _, found, err := s.Read()
		s.Close()
		switch {
		case err != nil:
			st.wrong = x.shown(t) + ": " + err.Error()
		case !found:
		case f.Whole != "":
			if a.Wrote(content) {
				good++
			}
		default:
			text, err := jsonc.Open(content)
			if err != nil {
				st.wrong = x.shown(t) + ": " + err.Error()
				continue
			}
			st.off = cmp.Or(st.off, switchedOff(text, x.shown(t)))
			if complete(text, f) {
				good++
			} else if strings.Contains(string(content), "stemma hook "+a.Name) {
				st.part = x.shown(t)
			}
		}
	}
	if good > 0 && good == len(files) {
		where := x.shown(target{base: b, path: strings.TrimPrefix(files[0].Path, "/")})
		if good > 1 {
			where = filepath.Dir(where)
		}
		st.in = append(st.in, where)
	} else if good > 0 {
		st.part = a.Name + " files"
	}
}

// switchedOff says by which member of a document hooks do not run.
func switchedOff(text *jsonc.Text, where string) string {
	var yes bool
	var names []string
	switch {
	case text.Value([]string{"disableAllHooks"}, &yes) && yes:
		return where + " has disableAllHooks"
	case text.Value([]string{"hooksConfig", "enabled"}, &yes) && !yes:
		return where + " has hooksConfig.enabled = false"
	case text.Value([]string{"hooksConfig", "disabled"}, &names) && slices.Contains(names, "stemma"):
		return where + " has stemma among hooksConfig.disabled"
	}
	return ""
}

// codexOff says whether Codex is told in its own configuration to run no hooks.
// The file is not changed by us, so its lines are enough.
func (x *exam) codexOff(b base) string {
	t := target{base: b, path: ".codex/config.toml"}
	if b == inTree && x.place.WorkTree == "" {
		return ""
	}
	s, err := x.locate(t)
	if err != nil {
		return ""
	}
	defer s.Close()
	content, _, _, err := s.Read()
	if err != nil {
		return ""
	}
	table := ""
	for line := range strings.Lines(string(content)) {
		line, _, _ = strings.Cut(line, "#")
		line = strings.Join(strings.Fields(line), "")
		if name, ok := strings.CutPrefix(line, "["); ok {
			table = strings.TrimSuffix(name, "]") + "."
			continue
		}
		if key, no := strings.CutSuffix(table+line, "=false"); no && (key == "features.hooks" || key == "features.codex_hooks") {
			return x.shown(t) + " has " + key + " = false"
		}
	}
	return ""
}

// spool says whether what hooks see can be kept, and whether any was.
func (x *exam) spool(now time.Time) {
	dir := x.place.Dir()
	at := dir
	if _, err := os.Stat(dir); err != nil {
		at = x.place.GitDir
	}
	f, err := os.CreateTemp(at, ".doctor-")
	if err != nil {
		x.say(Broken, "spool", dir+": "+host.Plain(err).Error(), "what hooks see cannot be kept", "make it writable for you")
		return
	}
	_ = f.Close()
	_ = os.Remove(f.Name())
	info, err := os.Stat(filepath.Join(dir, "spool"))
	if err != nil {
		x.say(Warning, "spool", "no agent has told anything yet", "agents read their hooks when they start", "start an agent here, let it change a file, and look again")
		return
	}
	x.say(Fine, "spool", "an agent last told something "+ago(now.Sub(info.ModTime())), "", "")
}

func ago(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return "just now"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(d.Hours()/24))
}

// refspecs says whether notes come with a fetch, and do no harm.
func (x *exam) refspecs() {
	names, fetch, err := x.remotes()
	if err != nil {
		x.say(Broken, "notes", err.Error(), "", "")
		return
	}
	for _, name := range names {
		about := "notes of " + name
		if slices.Contains(fetch[name], notesRefspec(name)) {
			x.say(Fine, about, "fetched to "+notesOf(name), "", "")
		} else {
			x.say(Warning, about, "a fetch does not bring them", "what colleagues' agents wrote is unknown here", "stemma init")
		}
		for _, spec := range fetch[name] {
			_, to, _ := strings.Cut(spec, ":")
			if overNotes(to) {
				x.say(Warning, about, "remote."+name+".fetch has "+spec, "a fetch throws away what was noted here and not pushed yet", "git config --fixed-value --unset remote."+name+".fetch "+shown(spec))
			}
		}
	}
}

// overNotes reports whether a pattern of refs covers refs/notes/ai.
func overNotes(pattern string) bool {
	head, tail, star := strings.Cut(pattern, "*")
	const ai = "refs/notes/ai"
	if !star {
		return pattern == ai
	}
	return len(head)+len(tail) <= len(ai) && strings.HasPrefix(ai, head) && strings.HasSuffix(ai, tail)
}

// rewriting warns where git itself would copy notes to rewritten commits.
func (x *exam) rewriting() {
	out, err := x.m.Git(x.ctx, x.place.WorkTree, "config", "--null", "--get-all", "notes.rewriteRef")
	if errors.Is(err, host.ErrNo) {
		return
	} else if err != nil {
		x.say(Broken, "notes.rewriteRef", err.Error(), "", "")
		return
	}
	for ref := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
		if overNotes(ref) {
			x.say(Warning, "notes.rewriteRef", "it is "+ref, "git copies notes to a rewritten commit as they are, also where the lines have changed", "git config --fixed-value --unset notes.rewriteRef "+shown(ref)+" (with --global if it is set there)")
		}
	}
}

// others tells of tools that do the same work.
func (x *exam) others() {
	if at := x.m.Program("git-ai"); at != "" {
		x.say(Warning, "git-ai", at+" is installed", "both write refs/notes/ai, and the later one adds to what the other wrote", "keep one: git-ai uninstall-hooks, or stemma deinit")
	}
	if x.place.WorkTree == "" {
		return
	}
	if info, err := os.Stat(filepath.Join(x.place.WorkTree, ".entire")); err == nil && info.IsDir() {
		x.say(Fine, "entire", "it is used here too; it keeps its records on a branch of its own", "", "")
	}
}
