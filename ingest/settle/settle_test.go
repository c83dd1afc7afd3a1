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
	"github.com/stemma-dev/stemma/ingest/origins"
	"github.com/stemma-dev/stemma/ingest/settle"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A desk is a clone in which agents and a person work. Every line that somebody
// writes begins with the name of who does and is written once, so that its text
// tells whose it is.
type desk struct {
	*gittest.Repo
	calls, lines int
	call         map[string]string // by line
}

func newDesk(t testing.TB) *desk {
	d := &desk{Repo: gittest.New(t), call: map[string]string{}}
	d.Repo.Commit("base", "a.txt", gittest.Lines("old", 6), "b.txt", gittest.Lines("more", 6))
	return d
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
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

func (d *desk) write(path string, lines []string) {
	d.Write(path, strings.Join(append(slices.Clone(lines), ""), "\n"))
}

// hook is called by an agent.
func (d *desk) hook(event, session, tool, path string) {
	d.T.Helper()
	payload, err := json.Marshal(map[string]any{
		"hook_event_name": event, "session_id": session, "cwd": d.Dir, "tool_name": tool, "tool_use_id": fmt.Sprint("call", d.calls),
		"tool_input": map[string]any{"file_path": filepath.Join(d.Dir, path)}, "model": "model-of-" + session,
	})
	must(d.T, err)
	must(d.T, capture.Keep(capture.Call{Agent: "claude-code", Payload: payload, Directory: d.Dir, At: time.Now()}))
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
}

// check settles and compares the origin of every line at HEAD with its text:
// what an agent wrote is that agent's, with session, model and call; what a
// person wrote is no agent's, and a person's if calm.
func (d *desk) check(calm bool) {
	d.T.Helper()
	_, err := settle.Run(d.T.Context(), d.Dir, time.Unix(1_700_000_000, 0))
	must(d.T, err)
	for _, path := range strings.Fields(d.Git("ls-files")) {
		b, err := origins.Open(d.T.Context(), d.Dir, origins.Cache{})
		must(d.T, err)
		lines, err := b.Blame(d.T.Context(), blame.Options{Path: path, Rev: "HEAD"})
		must(d.T, err)
		must(d.T, b.Close())
		for _, l := range lines {
			text := string(l.Text)
			who, _, _ := strings.Cut(text, " ")
			m := l.Mark
			switch {
			case strings.HasPrefix(who, "s"):
				if m.Origin != stemma.OriginAI || m.Session != who || m.ModelName != "model-of-"+who || m.ToolCall != d.call[text] {
					d.T.Errorf("%s:%d %q of call %s is %+v", path, l.FinalLine, text, d.call[text], m)
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

func TestWhatGitDoesKeepsEveryLineWhoseItIs(t *testing.T) {
	for name, c := range map[string]struct {
		calm bool
		do   func(d *desk)
	}{
		"a commit": {true, func(d *desk) { d.commit() }},
		"a person types before and after": {true, func(d *desk) {
			d.person("a.txt", d.inserts("me", 0, 2))
			d.commit()
			d.person("a.txt", d.inserts("me", 5, 1))
			d.commit()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.agent("s1", "a.txt", d.inserts("s1", 2, 3))
			c.do(d)
			d.check(c.calm)
		})
	}
}
