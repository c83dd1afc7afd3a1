package settle_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git/blame"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/gitai"
	"github.com/stemma-dev/stemma/ingest/origins"
	"github.com/stemma-dev/stemma/ingest/settle"
	"github.com/stemma-dev/stemma/spool"
)

// began is before all commits: clocks of tests and of git are not the same.
var began = time.Unix(1_000_000_000, 0)

// A desk is a clone in which agents and a person work. Every line that somebody
// writes begins with the name of who does and is written once, so that its text
// tells whose it is.
type desk struct {
	*gittest.Repo
	*counts
	call  map[string]string // by line
	often bool              // everything is settled behind every commit
}

// Counts number what happens at all desks.
type counts struct{ calls, lines int }

func newDesk(t testing.TB) *desk {
	d := &desk{Repo: gittest.New(t), call: map[string]string{}, counts: &counts{}}
	d.write("a.txt", d.inserts("base", 0, 6)(nil))
	d.write("b.txt", d.inserts("base", 0, 6)(nil))
	d.Repo.Commit("base")
	d.begin()
	return d
}

// begin is what stemma init does.
func (d *desk) begin() {
	place, err := spool.Find(d.Dir)
	must(d.T, err)
	must(d.T, capture.Begin(place, nil, began))
}

// twoDesks are two clones of one repository.
func twoDesks(t *testing.T) (d, other *desk, hub *gittest.Repo) {
	hub = gittest.New(t, "--bare")
	d = newDesk(t)
	connect(d.Repo, hub)
	d.Git("push", "-q", "origin", "main")
	other = &desk{Repo: gittest.New(t), call: d.call, counts: d.counts}
	connect(other.Repo, hub)
	other.Git("reset", "-q", "--hard", "origin/main")
	other.begin()
	return d, other, hub
}

// travel lets notes travel, as a push and a fetch do.
func (d *desk) travel() {
	d.T.Helper()
	for range 3 {
		d.settle()
		d.Git("fetch", "-q", "--prune")
		d.settle()
		if _, err := d.Try(nil, "rev-parse", "-q", "--verify", settle.Ref); err != nil {
			return
		}
		if _, err := d.Try(nil, "push", "-q", "origin", settle.Ref); err == nil {
			return
		}
	}
	d.T.Error("the notes cannot be pushed")
}

// line is a new line of somebody.
func (d *desk) line(who string) string {
	d.lines++
	return fmt.Sprintf("%s wrote this line as number %d of all lines", who, d.lines)
}

func (d *desk) read(path string) []string {
	b, err := os.ReadFile(filepath.Join(d.Dir, path))
	if os.IsNotExist(err) {
		return nil
	}
	must(d.T, err)
	return strings.FieldsFunc(string(b), func(r rune) bool { return r == '\n' })
}

func (d *desk) write(path string, lines []string) {
	var text strings.Builder
	for _, l := range lines {
		text.WriteString(l + "\n")
	}
	d.Write(path, text.String())
}

// hook is called by an agent.
func (d *desk) hook(event, session, tool, path string) {
	d.T.Helper()
	payload, err := json.Marshal(map[string]any{
		"hook_event_name": event, "session_id": session, "cwd": d.Dir, "tool_name": tool, "tool_use_id": fmt.Sprint("call", d.calls),
		"tool_input": map[string]any{"file_path": filepath.Join(d.Dir, path)}, "model": "model-of-" + session,
	})
	must(d.T, err)
	must(d.T, capture.Keep(capture.Call{Agent: "claude-code", Payload: payload, Directory: d.Dir, At: began}))
}

// agent lets an agent edit a file.
func (d *desk) agent(session, path string, edit func([]string) []string) {
	d.T.Helper()
	d.calls++
	d.hook("PreToolUse", session, "Edit", path)
	before := d.read(path)
	after := edit(slices.Clone(before))
	for _, l := range after {
		if strings.HasPrefix(l, session) && d.call[l] == "" {
			d.call[l] = fmt.Sprint("call", d.calls)
		}
	}
	d.write(path, after)
	d.hook("PostToolUse", session, "Edit", path)
}

// inserts is an edit that puts new lines of somebody at a place.
func (d *desk) inserts(who string, at, n int) func([]string) []string {
	return func(lines []string) []string {
		var fresh []string
		for range n {
			fresh = append(fresh, d.line(who))
		}
		return slices.Insert(lines, min(at, len(lines)), fresh...)
	}
}

// person edits without anybody being told.
func (d *desk) person(path string, edit func([]string) []string) {
	d.write(path, edit(d.read(path)))
}

func (d *desk) commit(args ...string) {
	d.T.Helper()
	d.Git("add", "-A")
	d.Git(append([]string{"commit", "-q", "-m", "work"}, args...)...)
	if d.often {
		d.settle()
	}
}

func (d *desk) settle() {
	d.T.Helper()
	_, err := settle.Run(d.T.Context(), d.Dir, time.Unix(1_700_000_000, 0))
	must(d.T, err)
}

// check settles and compares the origin of every line at HEAD with its text:
// what an agent wrote is that agent's, with session, model and call; what a
// person wrote is no agent's, and a person's if calm.
func (d *desk) check(calm bool) {
	d.T.Helper()
	d.checkOrigins("HEAD", calm)
	d.checkNotes()
}

// checkBranch is check for any branch, and does not ask who else wrote a line.
func (d *desk) checkBranch(rev string) { d.T.Helper(); d.checkOrigins(rev, false) }

func (d *desk) checkOrigins(rev string, calm bool) {
	d.T.Helper()
	d.settle()
	for _, path := range strings.Fields(d.Git("ls-tree", "-r", "--name-only", rev)) {
		lines := d.blame(path, rev)
		times := map[string]int{}
		for _, l := range lines {
			times[string(l.Text)]++
		}
		for _, l := range lines {
			text := string(l.Text)
			who, _, _ := strings.Cut(text, " ")
			m := l.Mark
			switch {
			case times[text] > 1 && m.Origin != stemma.OriginAI: // git doubled it, or a person did
			case strings.HasPrefix(who, "s"):
				if m.Origin != stemma.OriginAI || m.Session != who || m.ModelName != "model-of-"+who || m.ToolCall != d.call[text] {
					d.T.Errorf("%s:%s:%d %q of %.8s, call %s, is %+v", rev, path, l.FinalLine, text, l.Commit.ID, d.call[text], m)
				}
			case who == "me" && calm:
				if m.Origin != stemma.OriginHuman {
					d.T.Errorf("%s:%d %q is %+v", path, l.FinalLine, text, m)
				}
			case m.Origin == stemma.OriginAI:
				d.T.Errorf("%s:%d %q is an agent's: %+v", path, l.FinalLine, text, m)
			}
		}
	}
}

// blame asks for the origins of the lines of a file.
func (d *desk) blame(path, rev string) []origins.Line {
	d.T.Helper()
	own, _ := settle.Own(d.Dir)
	b, err := origins.Open(d.T.Context(), d.Dir, origins.Own{Is: own}, origins.Cache{})
	must(d.T, err)
	lines, err := b.Blame(d.T.Context(), blame.Options{Path: path, Rev: rev})
	must(d.T, err)
	must(d.T, b.Close())
	return lines
}

// edit runs git with an editor that is a shell command.
func (d *desk) edit(editor string, args ...string) {
	d.T.Helper()
	d.Git(append([]string{"-c", "sequence.editor=" + editor, "-c", "core.editor=true"}, args...)...)
}

// conflicts runs a git command that ends in a conflict.
func (d *desk) conflicts(args ...string) {
	d.T.Helper()
	if _, err := d.Try(nil, args...); err == nil {
		d.T.Fatalf("git %q met no conflict", args)
	}
}

// resolve keeps all lines of both sides.
func resolve(lines []string) []string {
	return slices.DeleteFunc(lines, func(l string) bool {
		return strings.HasPrefix(l, "<<<<<<<") || strings.HasPrefix(l, "=======") || strings.HasPrefix(l, ">>>>>>>")
	})
}

// topic makes a branch with three commits of agents and a person, beside a main
// branch that went on.
func (d *desk) topic(at int) {
	d.Git("checkout", "-q", "-b", "topic")
	d.agent("s1", "a.txt", d.inserts("s1", at, 2))
	d.commit()
	d.agent("s2", "a.txt", d.inserts("s2", at+1, 2))
	d.person("a.txt", d.inserts("me", at+4, 1))
	d.commit()
	d.agent("s1", "b.txt", d.inserts("s1", 3, 2))
	d.commit()
	d.Git("checkout", "-q", "main")
	d.person("a.txt", d.inserts("me", 6, 2))
	d.commit()
}

// checkNotes compares every note with git's own differences: a line that it
// attributes was added by its commit.
func (d *desk) checkNotes() {
	d.T.Helper()
	if _, err := d.Try(nil, "rev-parse", "-q", "--verify", settle.Ref); err != nil {
		return
	}
	for _, listed := range strings.Split(d.Git("notes", "--ref", "ai", "list"), "\n") {
		blob, commit, _ := strings.Cut(listed, " ")
		if _, err := d.Try(nil, "cat-file", "-e", commit); err != nil {
			continue // it is only in another clone
		}
		added := map[string]bool{}
		path, line, parents := "", 0, 1
		// With -U0 git begins some hunks of merges a line too early.
		for _, l := range strings.Split(d.Git("show", "-U1", "-M", "-c", "--format=", commit), "\n") {
			switch {
			case strings.HasPrefix(l, "+++ "):
				path = strings.TrimPrefix(strings.TrimPrefix(l, "+++ "), "b/")
			case strings.HasPrefix(l, "@@"):
				parents = strings.Index(l, " ") - 1
				from, _, _ := strings.Cut(strings.Fields(l)[parents+1], ",")
				_, err := fmt.Sscan(from, &line)
				must(d.T, err)
			case line == 0 || len(l) < parents || strings.ContainsAny(l[:parents], "-\\"):
			default:
				added[fmt.Sprintf("%s:%d", path, line)] = !strings.Contains(l[:parents], " ")
				line++
			}
			if strings.HasPrefix(l, "diff ") {
				line = 0
			}
		}
		note := gitai.Parse([]byte(d.Git("cat-file", "blob", blob)))
		if len(note.Problems) > 0 {
			d.T.Errorf("the note of %s: %+v", commit, note.Problems)
		}
		for _, f := range note.Files {
			for _, e := range f.Entries {
				for _, r := range e.Ranges {
					for n := r.Start; n <= r.End; n++ {
						if !added[fmt.Sprintf("%s:%d", f.Path, n)] {
							d.T.Errorf("the note of %s attributes %s:%d, which that did not add", commit, f.Path, n)
						}
					}
				}
			}
		}
	}
}
