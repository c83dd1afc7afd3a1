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
	"github.com/stemma-dev/stemma/ingest/note"
	"github.com/stemma-dev/stemma/ingest/origins"
	"github.com/stemma-dev/stemma/ingest/settle"
	"github.com/stemma-dev/stemma/ingest/settle/follow"
	"github.com/stemma-dev/stemma/spool"
)

// TestMain lets every settling go on from as near as it can, so that what is
// settled behind every commit tests that it comes out the same.
func TestMain(m *testing.M) {
	follow.MarkEvery = 1
	os.Exit(m.Run())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

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
		for _, l := range strings.Split(d.Git("show", "-U0", "-M", "-c", "--format=", commit), "\n") {
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

func TestWhatGitDoesKeepsEveryLineWhoseItIs(t *testing.T) {
	const calm, wild = true, false
	for name, c := range map[string]struct {
		calm bool
		do   func(d *desk)
	}{
		"a commit": {calm, func(d *desk) { d.commit() }},
		"a person types before and after": {calm, func(d *desk) {
			d.person("a.txt", d.inserts("me", 0, 2))
			d.commit()
			d.person("a.txt", d.inserts("me", 5, 1))
			d.commit()
		}},
		"two agents in one file": {calm, func(d *desk) {
			d.agent("s2", "a.txt", d.inserts("s2", 3, 2))
			d.commit()
		}},
		"an agent rewrites what a person wrote": {calm, func(d *desk) {
			d.person("a.txt", d.inserts("me", 0, 3))
			d.agent("s2", "a.txt", func(l []string) []string { return append([]string{d.line("s2")}, l[2:]...) })
			d.commit()
		}},
		"a person rewrites what an agent wrote": {calm, func(d *desk) {
			d.person("a.txt", func(l []string) []string { l[3] = d.line("me"); return l })
			d.commit()
		}},
		"a commit of a part by file": {calm, func(d *desk) {
			d.agent("s2", "b.txt", d.inserts("s2", 1, 2))
			d.Git("commit", "-q", "-m", "part", "b.txt")
			d.commit()
		}},
		"a commit of a part by hunk": {calm, func(d *desk) {
			d.agent("s2", "a.txt", d.inserts("s2", 9, 2))
			d.person("a.txt", d.inserts("me", 9, 2))
			d.GitWith([]byte("y\nn\n"), "add", "-p", "a.txt")
			d.Git("commit", "-q", "-m", "part")
			d.agent("s2", "a.txt", d.inserts("s2", 0, 1))
			d.commit()
		}},
		"an amended commit": {calm, func(d *desk) {
			d.commit()
			d.agent("s2", "a.txt", d.inserts("s2", 4, 2))
			d.commit("--amend")
			d.person("b.txt", d.inserts("me", 4, 2))
			d.commit("--amend")
		}},
		"an amended message": {calm, func(d *desk) { d.commit(); d.Git("commit", "-q", "--amend", "-m", "other") }},
		"a commit that is undone and made again": {wild, func(d *desk) {
			d.person("a.txt", d.inserts("me", 0, 1))
			d.commit()
			d.agent("s2", "b.txt", d.inserts("s2", 0, 1))
			d.commit()
			d.Git("reset", "-q", "--soft", "HEAD~2")
			d.commit()
		}},
		"a mixed reset": {wild, func(d *desk) {
			d.commit()
			d.Git("reset", "-q", "HEAD~1")
			d.agent("s2", "a.txt", d.inserts("s2", 0, 1))
			d.commit()
		}},
		"a hard reset and back": {wild, func(d *desk) {
			d.commit()
			d.Git("reset", "-q", "--hard", "HEAD~1")
			d.agent("s2", "a.txt", d.inserts("s2", 0, 1))
			d.Git("reset", "-q", "--hard", "ORIG_HEAD")
			d.agent("s2", "a.txt", d.inserts("s2", 0, 1))
			d.commit("--amend")
		}},
		"a rebase": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("rebase", "-q", "main", "topic")
		}},
		"a rebase that reorders": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("checkout", "-q", "topic")
			d.edit("sed -i '1{h;d};2{H;d};3{G}'", "rebase", "-q", "-i", "main")
		}},
		"a rebase that squashes": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("checkout", "-q", "topic")
			d.edit("sed -i '2,$s/^pick/squash/'", "rebase", "-q", "-i", "main")
		}},
		"a rebase that fixes up and drops": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("checkout", "-q", "topic")
			d.edit("sed -i '2s/^pick/fixup/;3s/^pick/drop/'", "rebase", "-q", "-i", "main")
		}},
		"a rebase that stops to edit": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("checkout", "-q", "topic")
			d.edit("sed -i '1s/^pick/edit/'", "rebase", "-q", "-i", "main")
			d.agent("s2", "b.txt", d.inserts("s2", 0, 2))
			d.commit("--amend")
			d.edit("true", "rebase", "--continue")
		}},
		"a rebase that splits a commit": {wild, func(d *desk) {
			d.agent("s2", "b.txt", d.inserts("s2", 0, 2))
			d.commit()
			d.edit("sed -i '1s/^pick/edit/'", "rebase", "-q", "-i", "HEAD~1")
			d.Git("reset", "-q", "HEAD~1")
			d.Git("add", "b.txt")
			d.Git("commit", "-q", "-m", "first part")
			d.commit()
			d.edit("true", "rebase", "--continue")
		}},
		"a rebase with autosquash": {wild, func(d *desk) {
			d.commit()
			d.agent("s2", "b.txt", d.inserts("s2", 0, 2))
			d.commit()
			d.agent("s2", "a.txt", d.inserts("s2", 4, 1))
			d.Git("commit", "-qa", "--fixup", "HEAD~1")
			d.edit("true", "rebase", "-q", "-i", "--autosquash", "--root")
		}},
		"a rebase with autostash": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("checkout", "-q", "topic")
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			d.Git("rebase", "-q", "--autostash", "main")
			d.commit()
		}},
		"a rebase with exec": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("checkout", "-q", "topic")
			d.edit("true", "rebase", "-q", "-i", "--exec", "true", "main")
		}},
		"a rebase of merges": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("checkout", "-q", "-b", "side", "topic~1")
			d.agent("s2", "c.txt", d.inserts("s2", 0, 2))
			d.commit()
			d.Git("checkout", "-q", "topic")
			d.Git("merge", "-q", "--no-edit", "side")
			d.Git("rebase", "-q", "--rebase-merges", "main")
		}},
		"a rebase with a conflict that an agent resolves": {wild, func(d *desk) {
			d.commit()
			d.topic(6)
			d.Git("checkout", "-q", "topic")
			d.conflicts("rebase", "main")
			d.agent("s3", "a.txt", func(l []string) []string { return append([]string{d.line("s3")}, resolve(l)...) })
			d.Git("add", "-A")
			if _, err := d.Try(nil, "-c", "core.editor=true", "rebase", "--continue"); err != nil {
				d.agent("s3", "a.txt", resolve)
				d.Git("add", "-A")
				d.edit("true", "rebase", "--continue")
			}
		}},
		"a rebase with a conflict that a person resolves": {wild, func(d *desk) {
			d.commit()
			d.topic(6)
			d.Git("checkout", "-q", "topic")
			d.conflicts("rebase", "main")
			for range 3 {
				d.person("a.txt", resolve)
				d.Git("add", "-A")
				if _, err := d.Try(nil, "-c", "core.editor=true", "rebase", "--continue"); err == nil {
					return
				}
			}
		}},
		"a rebase that is given up": {wild, func(d *desk) {
			d.commit()
			d.topic(6)
			d.Git("checkout", "-q", "topic")
			d.conflicts("rebase", "main")
			d.Git("rebase", "--abort")
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			d.commit()
		}},
		"a merge": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("merge", "-q", "--no-edit", "topic")
		}},
		"a merge with a conflict": {wild, func(d *desk) {
			d.commit()
			d.topic(6)
			d.conflicts("merge", "topic")
			d.agent("s3", "a.txt", func(l []string) []string { return append(resolve(l), d.line("s3")) })
			d.commit()
		}},
		"a merge of three": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("checkout", "-q", "-b", "side", "main~1")
			d.agent("s2", "c.txt", d.inserts("s2", 0, 2))
			d.commit()
			d.Git("checkout", "-q", "main")
			d.Git("merge", "-q", "--no-edit", "topic", "side")
		}},
		"a squashing merge": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("merge", "-q", "--squash", "topic")
			d.commit()
		}},
		"cherry-picks": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("cherry-pick", "topic~2", "topic")
			d.Git("cherry-pick", "-n", "topic~1")
			d.commit()
		}},
		"a cherry-pick with a conflict": {wild, func(d *desk) {
			d.commit()
			d.topic(6)
			d.conflicts("cherry-pick", "topic~2")
			d.person("a.txt", resolve)
			d.Git("add", "-A")
			d.edit("true", "cherry-pick", "--continue")
		}},
		"a revert and its revert": {wild, func(d *desk) {
			d.commit()
			d.Git("revert", "--no-edit", "HEAD")
			d.Git("revert", "--no-edit", "HEAD")
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			d.commit()
		}},
		"a stash": {wild, func(d *desk) {
			d.Git("stash", "-q")
			d.agent("s2", "b.txt", d.inserts("s2", 2, 2))
			d.Git("stash", "-q")
			d.Git("stash", "apply", "-q", "stash@{1}")
			d.Git("stash", "pop", "-q")
			d.commit()
		}},
		"a stash on another base": {wild, func(d *desk) {
			d.Git("stash", "-q")
			d.agent("s2", "a.txt", d.inserts("s2", 6, 2))
			d.commit()
			d.Git("stash", "pop", "-q")
			d.agent("s2", "a.txt", d.inserts("s2", 4, 2))
			d.commit()
		}},
		"a stash that becomes a branch": {wild, func(d *desk) {
			d.Git("stash", "-q")
			d.person("b.txt", d.inserts("me", 6, 2))
			d.commit()
			d.Git("stash", "branch", "stashed")
			d.commit()
		}},
		"another branch with changes that are carried over": {wild, func(d *desk) {
			d.Git("checkout", "-q", "-b", "other")
			d.agent("s2", "b.txt", d.inserts("s2", 2, 2))
			d.commit()
		}},
		"a file that is renamed": {wild, func(d *desk) {
			d.commit()
			d.Git("mv", "a.txt", "c.txt")
			d.agent("s2", "c.txt", d.inserts("s2", 2, 2))
			d.commit()
		}},
		"a file that is renamed before it is committed": {wild, func(d *desk) {
			d.agent("s2", "new.txt", d.inserts("s2", 0, 4))
			must(d.T, os.Rename(filepath.Join(d.Dir, "new.txt"), filepath.Join(d.Dir, "newer.txt")))
			d.agent("s2", "newer.txt", d.inserts("s2", 2, 2))
			d.commit()
		}},
		"a file that is copied": {wild, func(d *desk) {
			d.commit()
			d.write("copy.txt", d.read("a.txt"))
			d.agent("s2", "copy.txt", d.inserts("s2", 2, 2))
			d.commit()
		}},
		"a detached head": {wild, func(d *desk) {
			d.commit()
			d.Git("checkout", "-q", "--detach")
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			d.commit()
			d.Git("checkout", "-q", "-B", "main")
		}},
		"an orphan branch": {wild, func(d *desk) {
			d.Git("checkout", "-q", "--orphan", "root")
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			d.commit()
		}},
		"a commit that plumbing makes": {wild, func(d *desk) {
			d.Git("add", "-A")
			id := d.Git("commit-tree", "-m", "plumbing", "-p", "HEAD", d.Git("write-tree"))
			d.Git("update-ref", "refs/heads/main", id)
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			d.commit()
		}},
		"a fast-forward": {wild, func(d *desk) {
			d.commit()
			d.Git("checkout", "-q", "-b", "ahead")
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			d.commit()
			d.Git("checkout", "-q", "main")
			d.Git("merge", "-q", "--ff-only", "ahead")
		}},
		"a history that is filtered": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("checkout", "-q", "topic")
			d.Env = append(d.Env, "FILTER_BRANCH_SQUELCH_WARNING=1")
			d.Git("filter-branch", "-f", "--msg-filter", "echo changed", "main~1..HEAD")
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			d.commit()
		}},
		"branches that plumbing stacks anew": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			onto := d.Git("rev-parse", "main")
			for _, c := range strings.Fields(d.Git("rev-list", "--reverse", "main..topic")) {
				tree := d.Git("merge-tree", "--write-tree", "main", c)
				onto = d.Git("commit-tree", "-m", "stacked", "-p", onto, tree)
			}
			d.Git("update-ref", "refs/heads/topic", onto)
			d.Git("checkout", "-q", "topic")
		}},
		"a range of picks": {wild, func(d *desk) {
			d.commit()
			d.topic(0)
			d.Git("cherry-pick", "main~1..topic")
		}},
		"paths that are reset and restored": {wild, func(d *desk) {
			d.agent("s2", "b.txt", d.inserts("s2", 2, 2))
			d.Git("add", "-A")
			d.Git("reset", "-q", "--", "b.txt")
			d.Git("commit", "-q", "-m", "a")
			d.commit()
			d.Git("checkout", "-q", "HEAD~2", "--", "a.txt")
			d.agent("s2", "b.txt", d.inserts("s2", 2, 2))
			d.Git("checkout", "-q", "HEAD", "--", "a.txt")
			d.commit()
		}},
		"a dirty tree that is merged into another branch": {wild, func(d *desk) {
			d.Git("branch", "other")
			d.commit()
			d.agent("s2", "a.txt", d.inserts("s2", 9, 2))
			d.Git("checkout", "-q", "-m", "other")
			d.commit()
		}},
		"no reflog": {wild, func(d *desk) {
			d.Git("config", "core.logAllRefUpdates", "false")
			must(d.T, os.RemoveAll(filepath.Join(d.Dir, ".git/logs")))
			d.commit()
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			d.commit()
		}},
		"commits that were pruned": {wild, func(d *desk) {
			d.commit()
			d.Git("reset", "-q", "--soft", "HEAD~1")
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			log := filepath.Join(d.Dir, ".git/logs/HEAD")
			kept, err := os.ReadFile(log)
			must(d.T, err)
			d.Git("reflog", "expire", "--expire=now", "--all")
			d.Git("gc", "-q", "--prune=now")
			must(d.T, os.WriteFile(log, kept, 0o600))
			d.commit()
		}},
		"a reflog that was cleared": {wild, func(d *desk) {
			d.commit()
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			d.Git("reflog", "expire", "--expire=now", "--all")
			d.commit()
		}},
		"packed refs and objects": {calm, func(d *desk) {
			d.Git("gc", "-q")
			d.commit()
			d.Git("gc", "-q")
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			d.person("a.txt", d.inserts("me", 2, 2))
			d.Git("gc", "-q")
			d.commit()
		}},
		"white space and line ends": {calm, func(d *desk) {
			d.person("a.txt", func(l []string) []string {
				for i := range l {
					l[i] = "\t" + l[i] + "\r"
				}
				return l
			})
			d.commit()
			d.person("a.txt", func(l []string) []string {
				for i := range l {
					l[i] = strings.TrimSpace(l[i])
				}
				return l
			})
			d.commit()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, often := range []bool{false, true} {
				if often && testing.Short() {
					continue
				}
				d := newDesk(t)
				d.often = often
				d.agent("s1", "a.txt", d.inserts("s1", 2, 3))
				c.do(d)
				d.check(c.calm)
			}
		})
	}
}

func TestNotesOfTwoClonesAreJoined(t *testing.T) {
	hub := gittest.New(t, "--bare")
	d := newDesk(t)
	connect(d.Repo, hub)
	d.Git("push", "-q", "origin", "main")
	other := &desk{Repo: gittest.New(t), call: d.call, counts: d.counts}
	connect(other.Repo, hub)
	other.Git("reset", "-q", "--hard", "origin/main")

	d.agent("s1", "a.txt", d.inserts("s1", 2, 3))
	d.commit()
	d.Git("push", "-q", "origin", "main")
	d.travel()
	other.Git("fetch", "-q")
	other.Git("merge", "-q", "--ff-only", "origin/main")
	other.agent("s2", "b.txt", other.inserts("s2", 2, 3))
	other.commit()
	other.check(false) // what was written elsewhere is known here
	other.travel()
	d.agent("s3", "a.txt", d.inserts("s3", 0, 1))
	d.commit()
	d.travel()
	other.Git("push", "-q", "origin", "main")
	d.Git("pull", "-q", "--rebase", "origin", "main")
	d.check(false)

	// Two notes on one commit: what both say stands.
	head := d.Head()
	note := func(who string, line int) string {
		a := gitai.Authorship{
			Files:    []gitai.File{{Path: "a.txt", Entries: []gitai.Entry{{Key: "s_" + who, Ranges: []note.Range{{Start: line, End: line}}}}}},
			Sessions: map[string]gitai.Agent{"s_" + who: {Tool: "codex", ID: who, Model: "gpt"}},
		}
		text, err := a.Write()
		must(t, err)
		return string(text)
	}
	d.Note("ai", head, note("01", 1))
	other.Git("fetch", "-q")
	other.settle()
	other.Git("fetch", "-q", d.Dir, "main")
	other.Note("ai", head, note("02", 2))
	other.travel()
	d.Git("fetch", "-q")
	d.settle()
	joined := gitai.Parse([]byte(d.Git("notes", "--ref", "ai", "show", head)))
	if len(joined.Sessions) != 2 || len(joined.Files) != 1 || len(joined.Files[0].Entries) != 2 {
		t.Errorf("the joined note is %+v", joined)
	}
	d.Git("push", "-q", "origin", settle.Ref) // it is ahead of what was there
}

func TestProcessesDoNotGrowWithCommits(t *testing.T) {
	started := map[int]int{}
	for _, n := range []int{2, 30} {
		d := newDesk(t)
		d.Git("checkout", "-q", "-b", "topic")
		for range n {
			d.agent("s1", "a.txt", d.inserts("s1", 0, 1))
			d.person("b.txt", d.inserts("me", 0, 1))
			d.commit()
		}
		d.Git("checkout", "-q", "main")
		d.person("c.txt", d.inserts("me", 0, 1))
		d.commit()
		d.Git("rebase", "-q", "main", "topic")
		r, err := settle.Run(t.Context(), d.Dir, began)
		must(t, err)
		if r.Commits != 2*n+1 || r.Lines.AI != 2*n {
			t.Errorf("settled %+v", r)
		}
		started[n] = r.Started
		again, err := settle.Run(t.Context(), d.Dir, began)
		must(t, err)
		if again.Started != 0 || again.Commits != 0 {
			t.Errorf("where nothing is new: %+v", again)
		}
	}
	if started[2] != started[30] || started[2] > 25 {
		t.Errorf("processes by commits: %v", started)
	}
}

func TestEditorsAndSubagentsAreTold(t *testing.T) {
	d := newDesk(t)
	call := func(agent string, payload map[string]any) {
		b, err := json.Marshal(payload)
		must(t, err)
		must(t, capture.Keep(capture.Call{Agent: agent, Payload: b, Directory: d.Dir, At: began}))
	}
	edit := func(event string) map[string]any {
		return map[string]any{
			"hook_event_name": event, "session_id": "s1", "agent_id": "w7", "tool_name": "Edit", "tool_use_id": "call1", "tool_input": map[string]any{"file_path": "a.txt"},
		}
	}
	call("claude-code", edit("PreToolUse"))
	d.person("a.txt", d.inserts("s1", 0, 1))
	call("claude-code", edit("PostToolUse"))
	d.person("a.txt", d.inserts("me", 1, 1))
	call("generic", map[string]any{"type": "known_human", "edited_filepaths": []string{"a.txt"}})
	d.commit()
	d.settle()
	n := gitai.Parse([]byte(d.Git("notes", "--ref", "ai", "show")))
	if len(n.Sessions) != 1 || len(n.Problems) > 0 {
		t.Fatalf("the note is %+v", n)
	}
	bases := map[stemma.Basis]int{}
	for _, t := range n.Traces {
		bases[t.Basis]++
	}
	if bases[stemma.BasisObservedEditor] != 1 || bases[stemma.BasisObservedHook] != 1 {
		t.Errorf("the traces are %+v", n.Traces)
	}
	for _, s := range n.Sessions {
		if s.ID != "s1:w7" || s.Custom["parent_session"] != "s1" {
			t.Errorf("the session is %+v", s)
		}
	}
}

func TestEveryWorkTreeIsSettledFromAny(t *testing.T) {
	d := newDesk(t)
	linked := &desk{Repo: gittest.At(t, filepath.Join(t.TempDir(), "linked")), call: d.call, counts: d.counts}
	d.Git("worktree", "add", "-q", "-b", "topic", linked.Dir)
	linked.begin()
	linked.agent("s1", "a.txt", linked.inserts("s1", 0, 2))
	d.agent("s2", "a.txt", d.inserts("s2", 6, 2))
	linked.commit()
	d.settle() // in the other tree, the commit is no stranger
	d.commit()
	d.Git("merge", "-q", "--no-edit", "topic")
	d.check(false)
	d.checkBranch("topic")
	linked.person("b.txt", linked.inserts("me", 0, 1))
	linked.Git("rebase", "-q", "--autostash", "main~1")
	linked.commit()
	d.checkBranch("topic")
	linked.check(false)
}

func TestWhatCannotBeToldHoldsNothingUp(t *testing.T) {
	d := newDesk(t)
	hostile := "a\nb\"\n"
	d.agent("s1", hostile, d.inserts("s1", 0, 1)) // no note can name it
	d.commit()
	for i := range 1100 {
		d.write(fmt.Sprintf("vendor/%04d.txt", i), []string{d.line("me")})
	}
	d.agent("s1", "vendor/9999.txt", d.inserts("s1", 0, 1))
	d.Write("large.txt", strings.Repeat("this line is one of many that are all the same\n", 400_000), "binary", "a\x00b")
	d.agent("s2", "a.txt", d.inserts("s2", 0, 1))
	d.commit()
	r, err := settle.Run(t.Context(), d.Dir, began)
	must(t, err)
	if r.Commits != 2 || r.Lines.AI != 3 || r.Notes != 1 || len(r.Kept) != 1 {
		t.Errorf("settled %+v", r)
	}
}

func TestWhatALineReplacedAndWhyNobodyIsKnownStandsInTheNote(t *testing.T) {
	d := newDesk(t)
	d.agent("s1", "a.txt", d.inserts("s1", 0, 2))
	d.commit()
	d.person("a.txt", func(l []string) []string { l[0] = d.line("me"); return l })
	d.calls++
	d.hook("PreToolUse", "s2", "Edit", "a.txt")
	d.hook("PostToolUse", "s2", "Edit", "a.txt")
	d.Git("stash", "-q")
	d.Git("stash", "pop", "-q")
	d.person("b.txt", d.inserts("me", 0, 1))
	d.commit()
	d.settle()
	own, _ := settle.Own(d.Dir)
	b, err := origins.Open(t.Context(), d.Dir, origins.Own{Is: own}, origins.Cache{})
	must(t, err)
	defer func() { must(t, b.Close()) }()
	mark := func(path string) note.Mark {
		lines, err := b.Blame(t.Context(), blame.Options{Path: path, Rev: "HEAD"})
		must(t, err)
		return lines[0].Mark
	}
	if m := mark("a.txt"); m.Origin != stemma.OriginHuman || m.Replaced != (note.Replaced{Agent: "claude-code", Session: "s1", ModelName: "model-of-s1"}) {
		t.Errorf("a line that a person wrote anew is %+v", m)
	}
	if m := mark("b.txt"); m.Origin != stemma.OriginUnknown || m.Reason != "a command ran or git wrote meanwhile" {
		t.Errorf("a line that git may have written is %+v", m)
	}
}

func TestSubmodulesAreRepositoriesOfTheirOwn(t *testing.T) {
	d := newDesk(t)
	inner := newDesk(t)
	d.Git("-c", "protocol.file.allow=always", "submodule", "add", "-q", inner.Dir, "sub")
	d.commit()
	sub := &desk{Repo: gittest.At(t, filepath.Join(d.Dir, "sub")), call: d.call, counts: d.counts}
	sub.begin()
	d.agent("s1", "sub/a.txt", d.inserts("s1", 0, 2)) // the agent works in the outer one
	sub.agent("s2", "b.txt", d.inserts("s2", 0, 2))
	sub.commit()
	d.commit()
	sub.check(false)
	d.checkNotes()
}

func TestACommitFromElsewhereIsBoundWhenNotesCome(t *testing.T) {
	d, other, hub := twoDesks(t)

	d.Git("checkout", "-q", "-b", "topic")
	d.agent("s1", "a.txt", d.inserts("s1", 0, 3))
	d.commit()
	d.Git("push", "-q", "origin", "topic") // without its note
	forge := gittest.New(t)
	connect(forge, hub)
	forge.Git("reset", "-q", "--hard", "origin/main")
	forge.Git("merge", "-q", "--squash", "origin/topic")
	forge.Git("commit", "-q", "-m", "squashed (#1)")
	forge.Git("push", "-q", "origin", "HEAD:main")

	other.Git("fetch", "-q")
	other.Git("merge", "-q", "--ff-only", "origin/main")
	other.settle() // nothing is known of it yet
	other.agent("s2", "b.txt", other.inserts("s2", 0, 1))
	other.commit()
	other.settle()
	d.travel()
	other.Git("fetch", "-q")
	other.check(false)
}

// What somebody wrote before capture began, in the work tree of somebody else, was gone
// and is put back in place without any move of HEAD: it is not whose work tree it is.
func TestWhatIsPutBackFromHistoryIsNotWrittenHere(t *testing.T) {
	for name, putBack := range map[string]func(other *desk){
		"a file of an older commit": func(other *desk) { other.Git("checkout", "-q", "HEAD~1", "--", "a.txt") },
		"only in the work tree":     func(other *desk) { other.Git("restore", "--source", "HEAD~1", "a.txt") },
		"as a patch": func(other *desk) {
			other.GitWith([]byte(other.Git("diff", "HEAD", "HEAD~1", "--", "a.txt")+"\n"), "apply")
		},
		"with what a person adds": func(other *desk) {
			other.Git("checkout", "-q", "HEAD~1", "--", "a.txt")
			other.person("a.txt", other.inserts("me", 0, 1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			hub := gittest.New(t, "--bare")
			d := newDesk(t)
			connect(d.Repo, hub)
			d.agent("s1", "a.txt", d.inserts("s1", 1, 3))
			d.person("a.txt", d.inserts("base", 7, 3)) // of somebody
			d.commit()
			d.person("a.txt", func(lines []string) []string {
				return slices.DeleteFunc(lines, func(l string) bool { return !strings.HasPrefix(l, "base") || strings.Contains(l, "number 1") })
			})
			d.commit()
			d.Git("push", "-q", "origin", "main")
			d.travel()

			other := &desk{Repo: gittest.New(t), call: d.call, counts: d.counts}
			connect(other.Repo, hub)
			other.Git("reset", "-q", "--hard", "origin/main")
			other.begin()
			putBack(other)
			other.commit()
			other.check(true)
			for _, l := range other.blame("a.txt", "HEAD") {
				if strings.HasPrefix(string(l.Text), "base") && l.Mark.Origin == stemma.OriginHuman && l.Mark.Basis != "recovered-content" {
					t.Errorf("%q is taken for typed here", l.Text)
				}
			}
		})
	}
}

func TestWhatStoodInHistoryBeforeCaptureIsNobodysWhenItComesBack(t *testing.T) {
	d := &desk{Repo: gittest.New(t), call: map[string]string{}, counts: &counts{}}
	whole := d.inserts("base", 0, 6)(nil)
	d.write("a.txt", whole)
	d.commit()
	d.write("a.txt", whole[:2])
	d.commit()
	d.begin()
	d.Git("checkout", "-q", "HEAD~1", "--", "a.txt")
	d.person("a.txt", d.inserts("me", 0, 1))
	d.commit()
	d.check(true)
	for _, l := range d.blame("a.txt", "HEAD") {
		if strings.HasPrefix(string(l.Text), "base") && l.Mark.Origin == stemma.OriginHuman {
			t.Errorf("%q is a person's: %+v", l.Text, l.Mark)
		}
	}
}

// topicWithoutNote has an agent's commit on the branch topic, which has come to the
// other desk without its note.
func topicWithoutNote(t *testing.T) (d, other *desk) {
	d, other, _ = twoDesks(t)
	d.Git("checkout", "-q", "-b", "topic")
	d.agent("s1", "a.txt", d.inserts("s1", 0, 3))
	d.commit()
	d.Git("push", "-q", "origin", "topic")
	other.Git("fetch", "-q")
	return d, other
}

func TestANoteThatComesLaterTellsOfWhatWasMadeOfItsCommit(t *testing.T) {
	d, other := topicWithoutNote(t)
	other.Git("checkout", "-q", "topic")
	other.Git("reset", "-q", "--soft", "HEAD~1")
	other.agent("s2", "b.txt", other.inserts("s2", 0, 2))
	other.commit()
	other.settle()
	first := other.Git("notes", "--ref", "ai", "show", "HEAD")
	d.travel()
	other.Git("fetch", "-q")
	other.check(true)
	again := other.Git("notes", "--ref", "ai", "show", "HEAD")
	if !strings.HasPrefix(again, "a.txt") || strings.HasPrefix(first, "a.txt") {
		t.Errorf("the note was\n%s\nand is\n%s", first, again)
	}
	other.settle()
	if other.Git("notes", "--ref", "ai", "show", "HEAD") != again {
		t.Error("it is written again")
	}
}

// The commit was made in one work tree and is settled again from another one: its
// note stays that of the clone, which saw some of its lines.
func TestANoteThatComesLaterIsTakenUpInTheWorkTreeOfItsCommit(t *testing.T) {
	d, other := topicWithoutNote(t)
	linked := &desk{Repo: gittest.At(t, filepath.Join(t.TempDir(), "linked")), call: d.call, counts: d.counts}
	other.Git("worktree", "add", "-q", linked.Dir, "topic")
	linked.begin()
	linked.Git("reset", "-q", "--soft", "HEAD~1")
	linked.agent("s2", "b.txt", linked.inserts("s2", 0, 2))
	linked.commit()
	other.settle()
	d.travel()
	other.Git("fetch", "-q")
	other.checkOrigins("topic", true)
	note, commit := other.Git("rev-parse", "refs/notes/ai:"+other.Git("rev-parse", "topic")), other.Git("rev-parse", "topic")
	if own, _ := settle.Own(other.Dir); own == nil || !own(commit, note) {
		t.Error("the note that this clone wrote is not known as its own any more")
	}
}

func TestNotesThatAreLostAreWrittenAgain(t *testing.T) {
	d := newDesk(t)
	for range 2 {
		d.agent("s1", "a.txt", d.inserts("s1", 0, 1))
		d.commit()
	}
	d.settle()
	first := d.Git("rev-parse", settle.Ref)
	d.Git("update-ref", "-d", settle.Ref)
	d.check(true)
	d.agent("s1", "b.txt", d.inserts("s1", 0, 1))
	d.commit()
	d.settle()
	d.Git("update-ref", settle.Ref, d.Git("commit-tree", "-m", "another", d.GitWith(nil, "mktree")))
	d.check(true)
	d.Git("notes", "--ref", "ai", "remove", "HEAD") // on purpose
	d.settle()
	if _, err := d.Try(nil, "notes", "--ref", "ai", "show", "HEAD"); err == nil {
		t.Error("a note that was removed is there again")
	}
	if first == "" {
		t.Error("there were no notes")
	}
}

func TestANoteThatGitCopiedIsNoneOfTheCommit(t *testing.T) {
	d := newDesk(t)
	d.Git("config", "notes.rewriteRef", "refs/notes/*")
	d.agent("s1", "a.txt", d.inserts("s1", 0, 2))
	d.commit()
	d.settle()
	d.person("a.txt", d.inserts("me", 0, 4))
	d.commit("--amend")
	d.check(true)
}

func TestWhatWasSeenInAWorkTreeOutlivesIt(t *testing.T) {
	d := newDesk(t)
	linked := &desk{Repo: gittest.At(t, filepath.Join(t.TempDir(), "linked")), call: d.call, counts: d.counts}
	d.Git("worktree", "add", "-q", "-b", "topic", linked.Dir)
	linked.agent("s1", "a.txt", linked.inserts("s1", 0, 2))
	linked.commit()
	linked.agent("s1", "a.txt", linked.inserts("s1", 1, 2))
	linked.commit()
	linked.hook("Stop", "s1", "", "")
	d.Git("worktree", "remove", linked.Dir)
	d.Git("merge", "-q", "topic")
	d.check(false)
}

// The agent may not have said anything after its last commits: the branch tells them.
func TestLastCommitsOfAWorkTreeThatIsGoneAreTheirWriters(t *testing.T) {
	for _, how := range [][]string{{"merge", "-q", "topic"}, {"merge", "-q", "--squash", "topic"}, {"cherry-pick", "main..topic"}} {
		d := newDesk(t)
		linked := &desk{Repo: gittest.At(t, filepath.Join(t.TempDir(), "linked")), call: d.call, counts: d.counts}
		d.Git("worktree", "add", "-q", "-b", "topic", linked.Dir)
		linked.agent("s1", "a.txt", linked.inserts("s1", 0, 2))
		linked.commit()
		linked.agent("s2", "new.txt", linked.inserts("s2", 0, 4))
		linked.commit()
		linked.agent("s1", "a.txt", linked.inserts("s1", 1, 2))
		linked.commit()
		linked.person("a.txt", linked.inserts("me", 0, 2))
		linked.commit()
		d.Git("worktree", "remove", linked.Dir)
		d.Git(how...)
		if slices.Contains(how, "--squash") {
			d.commit()
		}
		d.check(false)
	}
}
