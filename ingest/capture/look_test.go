package capture_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/spool"
)

// says calls the hook of an agent that runs a command.
func says(t *testing.T, r *gittest.Repo, event, call, command string) {
	t.Helper()
	payload, err := json.Marshal(map[string]any{
		"session_id": "s", "cwd": r.Dir, "hook_event_name": event, "tool_name": "Bash", "tool_use_id": call, "tool_input": map[string]any{"command": command},
	})
	must(t, err)
	must(t, capture.Keep(capture.Call{Agent: "claude-code", Payload: payload, Directory: r.Dir, At: at}))
}

// around is what is kept of a command that does something.
func around(t *testing.T, r *gittest.Repo, command string, does func()) (before, after spool.Entry) {
	t.Helper()
	says(t, r, "PreToolUse", "c", command)
	does()
	says(t, r, "PostToolUse", "c", command)
	e := entries(t, r.Dir)
	return e[len(e)-2], e[len(e)-1]
}

// rested is a repository whose files are older than its index.
func rested(t *testing.T, files ...string) *gittest.Repo {
	t.Helper()
	r := gittest.New(t)
	r.Write(files...)
	time.Sleep(20 * time.Millisecond)
	r.Git("add", "-A")
	r.Git("commit", "-q", "-m", "rested")
	return r
}

func write(t *testing.T, r *gittest.Repo, files ...string) func() {
	return func() { t.Helper(); r.Write(files...) }
}

// paths are the files that were looked at: * if it was said that a command writes
// them, and what they were before if that was found afterwards.
func paths(e spool.Entry) string {
	var list []string
	for _, f := range e.Files {
		s := f.Path
		if f.Named {
			s += "*"
		}
		for _, w := range e.Was {
			if w.Path == f.Path {
				s += "<" + string(w.State)
			}
		}
		list = append(list, s)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func TestWhatACommandChangedIsFound(t *testing.T) {
	files := []string{"a.txt", "a\n", "b.txt", "b\n", "sub/c.txt", "c\n"}
	for command, c := range map[string]struct {
		does          func(t *testing.T, r *gittest.Repo)
		before, after string
		whole         bool
	}{
		"make": {func(t *testing.T, r *gittest.Repo) {
			r.Write("sub/c.txt", "x\n", "new.txt", "n\n", "dir/deep/d.txt", "d\n")
		}, "", "dir/deep/d.txt<missing new.txt<missing sub/c.txt<tracked", true},
		"make all":            {func(t *testing.T, r *gittest.Repo) {}, "", "", true},
		"sed -i s/a/b/ a.txt": {func(t *testing.T, r *gittest.Repo) { r.Write("a.txt", "b\n") }, "a.txt", "a.txt*", true},
		"cat > fresh.txt":     {func(t *testing.T, r *gittest.Repo) { r.Write("fresh.txt", "b\n") }, "fresh.txt*", "fresh.txt*", true},
		"rm a.txt":            {func(t *testing.T, r *gittest.Repo) { must(t, os.Remove(filepath.Join(r.Dir, "a.txt"))) }, "a.txt", "a.txt*", true},
		"make commit":         {func(t *testing.T, r *gittest.Repo) { r.Commit("more", "a.txt", "x\n", "z.txt", "z\n") }, "", "a.txt<tracked z.txt<missing", true},
		"make secrets": {func(t *testing.T, r *gittest.Repo) {
			r.Write(".env", "x\n", "id_rsa", "y\n", "k.pem", "z\n", "node_modules/m/i.js", "m\n")
		}, "", "", true},
		"python3 gen.py sub": {func(t *testing.T, r *gittest.Repo) { r.Write("sub/n.txt", "x\n") }, "gen.py", "gen.py sub/n.txt<missing", true},
		"make split":         {func(t *testing.T, r *gittest.Repo) { r.Git("update-index", "--split-index"); r.Write("b.txt", "x\n") }, "", "b.txt<tracked", true},
		"make big":           {func(t *testing.T, r *gittest.Repo) { r.Write("b.txt", strings.Repeat("x", 3<<20)) }, "", "", false},
		"make many": {func(t *testing.T, r *gittest.Repo) {
			for i := range 200 {
				r.Write(fmt.Sprintf("many%03d.txt", i), "x\n")
			}
		}, "", "128", true},
	} {
		t.Run(command, func(t *testing.T) {
			r := rested(t, files...)
			before, after := around(t, r, command, func() { c.does(t, r) })
			got := paths(after)
			if n := len(after.Files); n > 100 {
				got = fmt.Sprint(n)
			}
			if paths(before) != c.before || got != c.after || after.Whole != c.whole || before.Whole {
				t.Errorf("before: %s\nafter: %s, whole: %v\nwant %s and %s, %v", paths(before), got, after.Whole, c.before, c.after, c.whole)
			}
			if left, err := os.ReadDir(filepath.Join(r.Dir, ".git", "stemma", "calls")); err != nil || len(left) > 0 {
				t.Errorf("what was remembered is still there: %v, %v", left, err)
			}
		})
	}
}

// A file that nobody had looked at may be there under another name.
func TestWhatVanishedUnseenIsSaid(t *testing.T) {
	for command, want := range map[string]bool{"make names": true, "mv mine.txt x.txt": false, "make tracked": false, "make nothing": false} {
		r := rested(t, "a.txt", "a\n", "b.txt", "b\n")
		r.Write("mine.txt", "a person's\n")
		_, after := around(t, r, command, func() {
			switch command {
			case "make names", "mv mine.txt x.txt":
				must(t, os.Rename(filepath.Join(r.Dir, "mine.txt"), filepath.Join(r.Dir, "x.txt")))
			case "make tracked":
				must(t, os.Rename(filepath.Join(r.Dir, "a.txt"), filepath.Join(r.Dir, "x.txt")))
			}
		})
		if after.Gone != want {
			t.Errorf("%s: %v, want %v", command, after.Gone, want)
		}
	}
}

func TestWhatIsNotCleanIsKeptBefore(t *testing.T) {
	r := rested(t, "a.txt", "a\n", "b.txt", "b\n")
	r.Write("a.txt", "typed\n")
	before, after := around(t, r, "make", write(t, r, "a.txt", "made\n"))
	if before, after := say(t, r.Dir, before), say(t, r.Dir, after); !strings.HasSuffix(before, `before-shell a.txt=file"typed\n"`) || !strings.HasSuffix(after, `after-shell a.txt=file"made\n"`) {
		t.Errorf("%s, %s", before, after)
	}
	if !after.Whole {
		t.Error("it is not said that no other file changed")
	}
}

func TestWhatCouldNotBeComparedIsNotSaidToBeTheSame(t *testing.T) {
	many := func(n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprintf("d/f%04d.txt", i), "x\n")
		}
		return list
	}
	for name, c := range map[string]struct {
		files []string
		do    func(t *testing.T, r *gittest.Repo)
		named int // files that are looked at afterwards
	}{
		"a split index": {[]string{"a.txt", "a\n"}, func(t *testing.T, r *gittest.Repo) {
			r.Git("update-index", "--split-index")
			r.Commit("more", "c.txt", "c\n")
		}, 1},
		"a damaged index": {[]string{"a.txt", "a\n"}, func(t *testing.T, r *gittest.Repo) {
			must(t, os.WriteFile(filepath.Join(r.Dir, ".git", "index"), []byte("DIRC nonsense"), 0o600))
		}, 1},
		"no index":   {[]string{"a.txt", "a\n"}, func(t *testing.T, r *gittest.Repo) { must(t, os.Remove(filepath.Join(r.Dir, ".git", "index"))) }, 1},
		"many files": {append(many(1200), "a.txt", "a\n"), func(*testing.T, *gittest.Repo) {}, 1},
		"many files that were changed": {append(many(300), "a.txt", "a\n"), func(t *testing.T, r *gittest.Repo) {
			for i := range 100 {
				r.Write(fmt.Sprintf("d/f%04d.txt", i), "y\n")
			}
		}, 1},
		"a directory that is a link": {[]string{"a.txt", "a\n", "dir/x.txt", "x\n"}, func(t *testing.T, r *gittest.Repo) {
			outside := t.TempDir()
			must(t, os.WriteFile(filepath.Join(outside, "x.txt"), []byte("SECRET\n"), 0o600))
			must(t, os.RemoveAll(filepath.Join(r.Dir, "dir")))
			must(t, os.Symlink(outside, filepath.Join(r.Dir, "dir")))
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := rested(t, c.files...)
			c.do(t, r)
			_, after := around(t, r, "sed -i s/a/b/ a.txt", write(t, r, "a.txt", "b\n"))
			if after.Whole || len(after.Files) < c.named || len(after.Files) > 3*64 || !strings.Contains(paths(after), "a.txt*") {
				t.Errorf("whole: %v, %d files: %.200s", after.Whole, len(after.Files), paths(after))
			}
		})
	}
}

func TestNothingOutsideAndNoCommandIsKept(t *testing.T) {
	r := rested(t, "a.txt", "a\n")
	outside := t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "x.txt"), []byte("SECRET\n"), 0o600))
	must(t, os.Symlink(outside, filepath.Join(r.Dir, "link")))
	must(t, os.Symlink(filepath.Join(outside, "x.txt"), filepath.Join(r.Dir, "x.txt")))
	r.Write(".env", "SECRET\n")
	command := "python3 gen.py link/x.txt x.txt .env .git/config --token=SECRET > link/x.txt; cat ../*/x.txt > x.txt; cp .env " + outside + "/x.txt"
	around(t, r, command, func() {})
	must(t, filepath.WalkDir(filepath.Join(r.Dir, ".git", "stemma"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if strings.Contains(string(content), "SECRET") || strings.Contains(string(content), "token") {
			t.Errorf("%s has %q", path, content)
		}
		return err
	}))
}

func TestCommandThatOnlyReadsIsNoEvent(t *testing.T) {
	r := rested(t, "a.txt", "a\n")
	for _, event := range []string{"PreToolUse", "PostToolUse"} {
		says(t, r, event, "c", "grep -rn a . | head -5 && git status")
	}
	if e := entries(t, r.Dir); len(e) > 0 {
		t.Errorf("%+v", e)
	}
}

func TestCommandThatGoesElsewhereIsToldThere(t *testing.T) {
	r, other := rested(t, "a.txt", "a\n"), rested(t, "b.txt", "b\n")
	around(t, r, "cd "+other.Dir+" && make", write(t, other, "b.txt", "made\n"))
	e := entries(t, other.Dir)
	if len(e) != 2 || paths(e[1]) != "b.txt<tracked" || !e[1].Whole {
		t.Errorf("the other has %+v", e)
	}
}

func TestCallsThatDoNotEndAreForgotten(t *testing.T) {
	r := rested(t, "a.txt", "a\n")
	for i := range 300 {
		says(t, r, "PreToolUse", fmt.Sprint("call", i), "make")
	}
	left, err := os.ReadDir(filepath.Join(r.Dir, ".git", "stemma", "calls"))
	if err != nil || len(left) > 200 {
		t.Errorf("%d are remembered, %v", len(left), err)
	}
	says(t, r, "PostToolUse", "call299", "make")
	e := entries(t, r.Dir)
	if !e[len(e)-1].Whole {
		t.Error("the last one is forgotten")
	}
}
