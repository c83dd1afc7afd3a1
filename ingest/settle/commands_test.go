package settle_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/ingest/capture"
)

// A command is one that an agent runs at a desk.
type command struct {
	*desk
	session, text string
	call          int
	began         time.Time
}

// says is what the hook hears of a command.
func (c *command) says(event string, at time.Time) {
	c.T.Helper()
	payload, err := json.Marshal(map[string]any{
		"hook_event_name": event, "session_id": c.session, "cwd": c.Dir, "tool_name": "Bash", "tool_use_id": fmt.Sprint("call", c.call),
		"tool_input": map[string]any{"command": c.text}, "model": "model-of-" + c.session,
	})
	must(c.T, err)
	must(c.T, capture.Keep(capture.Call{Agent: "claude-code", Payload: payload, Directory: c.Dir, At: at}))
}

// begins lets an agent begin to run a command, in whose text LINE stands for a line
// of its own and TOOLS for a directory that is not in the clone.
func (d *desk) begins(session, text string) *command {
	d.T.Helper()
	d.calls++
	for strings.Contains(text, "LINE") {
		line := d.line(session)
		d.call[line] = fmt.Sprint("call", d.calls)
		text = strings.Replace(text, "LINE", line, 1)
	}
	c := &command{desk: d, session: session, text: text, call: d.calls, began: time.Now()}
	c.says("PreToolUse", c.began)
	return c
}

// runs does what the command does.
func (c *command) runs() *command {
	c.T.Helper()
	sh := exec.CommandContext(c.T.Context(), "bash", "-e", "-c", c.text)
	sh.Dir, sh.Env = c.Dir, append(os.Environ(), "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com")
	if out, err := sh.CombinedOutput(); err != nil {
		c.T.Fatalf("%s: %v: %s", c.text, err, out)
	}
	return c
}

// ends lets it end, a while after it began.
func (c *command) ends(after time.Duration) {
	c.T.Helper()
	c.says("PostToolUse", c.began.Add(after))
}

func (d *desk) shell(session, text string) {
	d.T.Helper()
	d.begins(session, text).runs().ends(time.Second)
}

// tool is a program that is not in the clone, and writes without saying where.
func (d *desk) tool(text string) string {
	d.T.Helper()
	path := filepath.Join(d.T.TempDir(), "tool")
	must(d.T, os.WriteFile(path, []byte(text), 0o700))
	return path
}

// rested lets the files of a clone be older than git's index.
func (d *desk) rested() {
	d.T.Helper()
	time.Sleep(20 * time.Millisecond)
	d.Git("update-index", "--refresh", "--really-refresh")
	d.Git("update-index", "--force-write-index")
}

func TestWhatACommandWritesIsItsAgents(t *testing.T) {
	for i, text := range []string{
		"echo 'LINE' >> a.txt",
		"sed -i '2a LINE' a.txt b.txt",
		"cat > new.txt <<'E'\nLINE\nLINE\nE",
		"mkdir -p x/y && printf '%s\\n' 'LINE' > x/y/z.txt",
		"python3 -c \"open('b.txt','a').write('LINE\\n')\"",
		"python3 - <<'E'\nfrom pathlib import Path\np = Path('a.txt')\np.write_text('LINE\\n' + p.read_text())\nE",
		"echo 'LINE' | tee -a a.txt b.txt >/dev/null",
		"perl -pi -e 's/^base wrote this line as number 2 .*/LINE/' a.txt",
		"for f in a.txt b.txt; do sed -i '$a LINE' $f; done",
		"awk 'NR==2{print \"LINE\"}{print}' a.txt > a.new && mv a.new a.txt",
		"mv a.txt moved.txt && echo 'LINE' >> moved.txt",
		"git mv a.txt moved.txt && sed -i '1i LINE' moved.txt",
		"echo 'LINE' >> a.txt && git commit -qam 'by the command'",
		"echo 'LINE' >> a.txt && git add a.txt",
		"cd sub && echo 'LINE' > in-sub.txt",
		"F=a.txt; echo 'LINE' >> $F",
		"git apply --unidiff-zero <<'E'\n--- a/b.txt\n+++ b/b.txt\n@@ -0,0 +1 @@\n+LINE\nE",
		"TOOL a.txt 'LINE'", "TOOL new.txt 'LINE'", "TOOL sub/new.txt 'LINE'", "TOOL fresh/dir/new.txt 'LINE'",
		"rm a.txt; echo 'LINE' > a.txt",
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			for _, rested := range []bool{false, true} {
				d := newDesk(t)
				d.write("sub/s.txt", d.inserts("base", 0, 3)(nil))
				d.commit()
				if rested {
					d.rested()
				}
				d.shell("s1", strings.ReplaceAll(text, "TOOL", d.tool("#!/bin/sh\nmkdir -p \"$(dirname \"$1\")\"; echo \"$2\" >> \"$1\"\n")))
				d.commit("--allow-empty")
				d.check(false)
				if t.Failed() {
					t.Fatalf("%s, rested: %v", text, rested)
				}
			}
		})
	}
}

func TestWhatAPersonTypesIsNoCommands(t *testing.T) {
	const calm, wild = true, false
	for name, c := range map[string]struct {
		calm bool
		do   func(d *desk)
	}{
		"in another file, before and after": {calm, func(d *desk) {
			d.person("b.txt", d.inserts("me", 2, 2))
			d.shell("s1", "echo 'LINE' >> a.txt")
			d.person("b.txt", d.inserts("me", 4, 2))
		}},
		"in another file, after a command that wrote nothing": {calm, func(d *desk) {
			d.shell("s1", "true; make --version > /dev/null")
			d.person("b.txt", d.inserts("me", 2, 2))
		}},
		"in the same file, before and after": {calm, func(d *desk) {
			d.person("a.txt", d.inserts("me", 2, 2))
			d.shell("s1", "sed -i '1i LINE' a.txt")
			d.person("a.txt", d.inserts("me", 5, 2))
		}},
		"in a file that the agent only reads": {calm, func(d *desk) {
			d.person("a.txt", d.inserts("me", 2, 2))
			d.shell("s1", "grep -n wrote a.txt | head -3")
			d.person("a.txt", d.inserts("me", 4, 2))
		}},
		"while a test runs": {wild, func(d *desk) {
			c := d.begins("s1", "true || go test ./... a.txt").runs()
			d.person("a.txt", d.inserts("me", 2, 2))
			c.ends(time.Second)
		}},
		"while something long runs": {wild, func(d *desk) {
			c := d.begins("s1", "make --version a.txt b.txt").runs()
			d.person("b.txt", d.inserts("me", 2, 2))
			c.ends(time.Minute)
		}},
		"while a command writes another file": {wild, func(d *desk) {
			c := d.begins("s1", "echo 'LINE' >> a.txt")
			d.person("b.txt", d.inserts("me", 2, 2))
			c.runs().ends(time.Second)
		}},
		"in a file at which the person was, while a tool runs": {wild, func(d *desk) {
			d.person("b.txt", d.inserts("me", 2, 2))
			c := d.begins("s1", "make --version > /dev/null; true").runs()
			d.person("b.txt", d.inserts("me", 3, 2))
			c.ends(time.Second)
		}},
		"while a command goes on in the background": {wild, func(d *desk) {
			d.begins("s1", "sleep 0 &").runs().ends(time.Second)
			d.person("b.txt", d.inserts("me", 2, 2))
		}},
		"while a command does not end": {wild, func(d *desk) {
			d.begins("s1", "echo 'LINE' >> a.txt").runs()
			d.lines++
			d.write("a.txt", d.read("a.txt")[:6]) // the agent's line is nobody's
			d.person("b.txt", d.inserts("me", 2, 2))
			d.person("a.txt", d.inserts("me", 2, 2))
		}},
		"a new file, while a test runs": {wild, func(d *desk) {
			c := d.begins("s1", "true || pytest").runs()
			d.person("mine.txt", d.inserts("me", 0, 2))
			c.ends(time.Second)
		}},
		"and git brings back": {wild, func(d *desk) {
			d.person("a.txt", d.inserts("me", 2, 2))
			d.commit()
			d.Git("checkout", "-q", "-b", "side", "HEAD~1")
			d.shell("s1", "git checkout -q main -- a.txt")
			d.commit()
			d.Git("reset", "-q", "--hard", "HEAD~1")
			d.shell("s1", "git cherry-pick -n main; git stash -q; git stash pop -q")
			d.commit()
			d.shell("s1", "git merge -q --no-edit main")
		}},
		"and a command copies": {wild, func(d *desk) {
			d.person("b.txt", d.inserts("me", 2, 2))
			d.shell("s1", "cp b.txt c.txt; head -3 b.txt > d.txt")
			d.shell("s1", "cat b.txt d.txt > e.txt; git show HEAD:b.txt > f.txt")
			d.shell("s1", "sort -r b.txt > t; mv t b.txt")
		}},
		"and a command moves": {wild, func(d *desk) {
			d.person("a.txt", d.inserts("me", 2, 2))
			d.shell("s1", "mv a.txt c.txt")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.rested()
			d.agent("s2", "a.txt", d.inserts("s2", 1, 1))
			c.do(d)
			d.commit("--allow-empty")
			d.check(c.calm)
		})
	}
}

func TestAgentsDoNotTakeEachOthersLines(t *testing.T) {
	for name, do := range map[string]func(d *desk){
		"an edit while a long command runs": func(d *desk) {
			c := d.begins("s1", "make --version > /dev/null; true").runs()
			d.agent("s2", "a.txt", d.inserts("s2", 2, 2))
			c.ends(time.Minute)
		},
		"a command while another runs": func(d *desk) {
			c := d.begins("s1", "make --version > /dev/null; true").runs()
			d.shell("s2", "echo 'LINE' >> a.txt")
			c.ends(2 * time.Second)
		},
		"commands that write at once, other files": func(d *desk) {
			c := d.begins("s1", "echo 'LINE' >> a.txt")
			e := d.begins("s2", "echo 'LINE' >> b.txt")
			c.runs()
			e.runs().ends(time.Second)
			c.ends(time.Second)
		},
		"one after the other in one file": func(d *desk) {
			d.shell("s1", "echo 'LINE' >> a.txt")
			d.shell("s2", "sed -i '1i LINE' a.txt")
			d.agent("s3", "a.txt", d.inserts("s3", 3, 2))
			d.shell("s1", "sed -i '3i LINE' a.txt")
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.rested()
			do(d)
			d.commit()
			d.check(true)
		})
	}
}

func TestInALargeRepositoryWhatIsNamedIsFound(t *testing.T) {
	d := newDesk(t)
	for i := range 1100 {
		d.Write(fmt.Sprintf("many/d%d/f%d.txt", i%9, i), "")
	}
	d.commit()
	d.rested()
	d.shell("s1", "echo 'LINE' >> a.txt")
	d.shell("s1", "sed -i '1i LINE' a.txt && echo 'LINE' > many/new.txt")
	d.shell("s2", d.tool("#!/bin/sh\necho \"$2\" >> \"$1/f1.txt\"\n")+" many/d1 'LINE'")
	c := d.begins("s3", "make --version > /dev/null").runs()
	d.person("b.txt", d.inserts("me", 2, 2))
	c.ends(time.Second)
	d.commit()
	d.check(false)
}
