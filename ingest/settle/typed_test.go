package settle_test

import (
	"encoding/json"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/git/blame"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/origins"
	"github.com/stemma-dev/stemma/ingest/settle"
)

// What everybody writes.
const (
	check  = "\tif err != nil {\n\t\treturn nil, err\n\t}\n"
	decode = "\tif err := json.Unmarshal(data, &v); err != nil {\n"
	begins = "package a\n\nfunc Base() int {\n\treturn 1\n}\n"
	load   = begins + "\nfunc Load(p string) ([]byte, error) {\n\tf, err := os.Open(p)\n" + check + "\tdefer f.Close()\n\treturn io.ReadAll(f)\n}\n"
	mine   = begins + "\nfunc Mine(q *Query) (*Result, error) {\n\tx, err := q.Parse()\n" + check + "\treturn q.Run(x)\n}\n"
)

// writes lets an agent make a file what it shall be.
func (d *desk) writes(session, path, content string) {
	d.calls++
	d.hook("PreToolUse", session, "Edit", path)
	d.Write(path, content)
	d.hook("PostToolUse", session, "Edit", path)
}

// newest are those who wrote the lines that HEAD added to a file: sessions, "me", or "?".
func (d *desk) newest(path string) map[string]int {
	d.T.Helper()
	d.settle()
	own, _ := settle.Own(d.Dir)
	b, err := origins.Open(d.T.Context(), d.Dir, origins.Own{Is: own}, origins.Cache{})
	must(d.T, err)
	defer func() { must(d.T, b.Close()) }()
	lines, err := b.Blame(d.T.Context(), blame.Options{Path: path, Rev: "HEAD"})
	must(d.T, err)
	who := map[string]int{}
	for _, l := range lines {
		switch {
		case l.Commit.ID != d.Head():
		case l.Mark.Origin == stemma.OriginAI:
			who[l.Mark.Session]++
		case l.Mark.Origin == stemma.OriginHuman:
			who["me"]++
		default:
			who["?"]++
		}
	}
	return who
}

// colleague commits to the main branch of a hub, with nobody watching.
func (d *desk) colleague() *gittest.Repo {
	hub := gittest.New(d.T, "--bare")
	connect(d.Repo, hub)
	d.Git("push", "-q", "origin", "main")
	c := gittest.New(d.T)
	connect(c, hub)
	c.Git("reset", "-q", "--hard", "origin/main")
	c.Commit("colleague", "a.go", mine)
	c.Git("push", "-q", "origin", "HEAD:main")
	return hub
}

func TestWhatIsPastedIntoAnAgentsNewFileLeavesItsLines(t *testing.T) {
	d := newDesk(t)
	d.writes("s1", "b.go", load)
	d.commit()
	d.writes("s2", "c.go", "package a\n\nvar settings = readSettings(defaultPlaces, os.Getenv)\n")
	d.Write("c.go", "package a\n\nvar settings = readSettings(defaultPlaces, os.Getenv)\n"+load)
	d.commit()
	if who := d.newest("c.go"); who["s2"] != 3 {
		t.Errorf("the lines are of %v", who)
	}
}

func TestUsualLinesAreOfWhoeverWritesThemHere(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(d *desk)
		want string // who wrote all that the last commit added
	}{
		"a person, where an agent wrote and deleted them": {func(d *desk) {
			d.writes("s1", "a.go", load)
			d.commit()
			d.writes("s1", "a.go", begins)
			d.commit()
			d.Write("a.go", mine)
			d.commit()
		}, "me"},
		"an agent, where a person wrote and deleted them": {func(d *desk) {
			d.Write("a.go", load)
			d.commit()
			d.Write("a.go", begins)
			d.commit()
			d.writes("s1", "a.go", mine)
			d.commit()
		}, "s1"},
		"a person, where an agent wrote them in another file": {func(d *desk) {
			d.writes("s1", "b.go", begins+decode+"\t}\n")
			d.commit()
			d.writes("s1", "b.go", begins)
			d.commit()
			d.Write("a.go", begins+decode+"\t\tpanic(err)\n\t}\n") // the same file would be a copy
			d.commit()
		}, "me"},
		"a person, where an agent has a line of them in another file": {func(d *desk) {
			d.writes("s1", "b.go", begins+decode+"\t}\n")
			d.commit()
			d.Write("a.go", begins+"\treq := newRequest()\n"+decode+"\t\tpanic(err)\n\t}\n\treturn req\n}\n")
			d.commit()
		}, "me"},
		"a person, where a licence begins every file": {func(d *desk) {
			const licence = "// Copyright of whoever wrote this, all rights reserved by them and by nobody else.\n// Use of this source is governed by terms that are in the file which is called LICENSE.\n\n"
			d.writes("s1", "b.go", licence+"package b\n")
			d.commit()
			d.Write("a.go", licence+load+"\nfunc Text() string {\n\tmustNotBeEmpty(first)\n\tmustNotBeEmpty(second)\n\treturn strings.Join(first, second)\n}\n")
			d.commit()
		}, "me"},
		"a person, from whom an agent copies them before they are committed": {func(d *desk) {
			d.hook("PreToolUse", "s1", "Edit", "a.go")
			d.hook("PostToolUse", "s1", "Edit", "a.go")
			d.Write("a.go", mine)
			d.writes("s1", "b.go", mine+"\nfunc Copied() {}\n")
			d.commit()
		}, "me"},
		"a person, where an agent wrote them and they stand there": {func(d *desk) {
			d.hook("PreToolUse", "s1", "Edit", "a.go")
			d.hook("PostToolUse", "s1", "Edit", "a.go")
			d.writes("s1", "b.go", mine+"\nfunc More() {}\n")
			d.commit()
			d.Write("a.go", mine)
			d.commit()
		}, "me"},
		"an agent, where another wrote them in another file": {func(d *desk) {
			d.writes("s1", "b.go", begins+decode+"\t}\n")
			d.commit()
			d.writes("s1", "b.go", begins)
			d.commit()
			d.writes("s2", "a.go", begins+decode+"\t}\n")
			d.commit()
		}, "s2"},
		"a person, while an agent has them on another branch": {func(d *desk) {
			d.Git("checkout", "-q", "-b", "topic")
			d.writes("s1", "a.go", load)
			d.commit()
			d.settle()
			d.Git("checkout", "-q", "main")
			d.writes("s1", "b.go", begins) // the tree is seen again
			d.hook("PreToolUse", "s1", "Edit", "a.go")
			d.hook("PostToolUse", "s1", "Edit", "a.go")
			d.Write("a.go", mine)
			d.commit()
		}, "me"},
		"a person, commit by commit within a second": {func(d *desk) {
			for _, content := range []string{mine, mine + "\nfunc B() error {\n" + check + "}\n", mine + "\nfunc B() error {\n" + check + "}\n\nfunc C() error {\n" + check + "}\n"} {
				d.Write("a.go", content)
				d.commit()
			}
		}, "me"},
		"nobody, where an edit that had begun was never seen to end": {func(d *desk) {
			d.hook("PreToolUse", "s1", "Edit", "a.go")
			d.Write("a.go", mine)
			d.commit()
		}, "?"},
		"nobody, where a colleague wrote what is pulled": {func(d *desk) {
			d.colleague()
			d.Git("checkout", "-q", "-b", "topic")
			d.writes("s1", "a.go", load)
			d.commit()
			d.Git("checkout", "-q", "main")
			d.Git("pull", "-q", "--ff-only", "origin", "main")
		}, "?"},
		"nobody, where it is pulled from an address": {func(d *desk) {
			hub := d.colleague()
			d.Git("checkout", "-q", "-b", "topic")
			d.writes("s1", "a.go", load)
			d.commit()
			d.Git("checkout", "-q", "main")
			d.Git("pull", "-q", "--ff-only", "file://"+hub.Dir, "main")
		}, "?"},
		"an agent that edits two files at once and has no ids": {func(d *desk) {
			call := func(event, path string) {
				payload, err := json.Marshal(map[string]any{"hook_event_name": event, "session_id": "s1", "tool_name": "Edit", "tool_input": map[string]any{"file_path": path}})
				must(d.T, err)
				must(d.T, capture.Keep(capture.Call{Agent: "claude-code", Payload: payload, Directory: d.Dir, At: began}))
			}
			call("PreToolUse", "a.go")
			call("PreToolUse", "b.go")
			d.Write("a.go", load)
			call("PostToolUse", "a.go")
			d.Write("b.go", mine)
			call("PostToolUse", "b.go")
			d.commit()
		}, "s1"},
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{Repo: gittest.New(t), call: map[string]string{}, counts: &counts{}}
			d.Repo.Commit("base", "a.go", begins, "b.go", begins)
			d.begin()
			c.do(d)
			if who := d.newest("a.go"); len(who) != 1 || who[c.want] == 0 {
				t.Errorf("the lines are of %v, want %s", who, c.want)
			}
		})
	}
}
