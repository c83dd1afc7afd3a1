package capture_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/ingest/capture"
	"github.com/stemma-dev/stemma/ingest/hook"
	"github.com/stemma-dev/stemma/spool"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var at = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func entries(t testing.TB, dir string) []spool.Entry {
	t.Helper()
	p, err := spool.Find(dir)
	must(t, err)
	r, err := p.Read(0)
	must(t, err)
	if r.Damaged > 0 {
		t.Errorf("%d damaged entries", r.Damaged)
	}
	return r.Entries
}

// say describes an entry with the contents that it names.
func say(t testing.TB, dir string, e spool.Entry) string {
	t.Helper()
	p, err := spool.Find(dir)
	must(t, err)
	var event hook.Event
	if e.Event != nil {
		must(t, json.Unmarshal(e.Event, &event))
	}
	s := fmt.Sprintf("%s %s %s", event.Agent, event.Session, event.Kind)
	for _, f := range e.Files {
		s += fmt.Sprintf(" %s=%s", f.Path, f.State)
		if f.Blob != "" {
			content, err := p.Content(f.Blob)
			must(t, err)
			s += fmt.Sprintf("%q", content)
		}
	}
	return s
}

func TestEditIsKeptBeforeAndAfter(t *testing.T) {
	r := gittest.New(t)
	r.Commit("one", "a.go", "old\n", "sub/b.go", "b\n")
	call := func(event, tool, input string) {
		payload := fmt.Sprintf(`{"session_id":"5c1e","cwd":%q,"hook_event_name":%q,"tool_name":%q,"tool_input":%s}`, r.Dir+"/sub", event, tool, input)
		must(t, capture.Keep(capture.Call{Agent: "claude-code", Payload: []byte(payload), Directory: "/", At: at}))
	}
	call("PreToolUse", "Edit", `{"file_path":"../a.go"}`)
	must(t, os.WriteFile(filepath.Join(r.Dir, "a.go"), []byte("new\n"), 0o600))
	call("PostToolUse", "Edit", fmt.Sprintf(`{"file_path":%q}`, r.Dir+"/a.go"))
	call("PostToolUse", "Read", `{"file_path":"b.go"}`)
	call("PreToolUse", "Write", `{"file_path":"fresh/c.go"}`)
	call("PreToolUse", "Bash", `{"command":"make"}`)
	call("PreToolUse", "Write", `{"file_path":"/etc/hosts"}`)
	call("PreToolUse", "Write", `{"file_path":"../.git/config"}`)
	want := []string{
		`claude-code 5c1e before-edit a.go=file"old\n"`, `claude-code 5c1e after-edit a.go=file"new\n"`,
		`claude-code 5c1e before-edit sub/fresh/c.go=missing`, `claude-code 5c1e before-shell a.go=file"new\n" sub/fresh/c.go=missing`, `claude-code 5c1e before-edit`, `claude-code 5c1e before-edit`,
	}
	var got []string
	for _, e := range entries(t, r.Dir) {
		got = append(got, say(t, r.Dir, e))
		if e.Head != "refs/heads/main" || e.Commit != r.Head() || !e.At.Equal(at) {
			t.Errorf("an entry is at %s, %s of %s", e.At, e.Commit, e.Head)
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("kept\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// What Claude Code says of a file when it writes it is kept where it is text that
// it tells as it was.
func TestWhatAFileWasWhenItWasWrittenIsKept(t *testing.T) {
	r := gittest.New(t)
	r.Commit("one", "a.go", "old\n")
	for _, c := range []struct{ now, before, want string }{
		{"typed\nnew\n", `"typed\n"`, "typed\n"},
		{"new\n", `null`, ""},
		{"typed\r\nnew\r\n", `"typed\n"`, "typed\r\n"},
		{"typed\r\nnew\r\n", `"typed\r\n"`, "typed\r\n"},
		{"typed\nnew\r\n", `"typed\n"`, ""},
		{"\uFEFFnew\n", `"typed\n"`, "\uFEFFtyped\n"},
		{"new\xff\n", `"typed\n"`, ""},
		{"new\n", `"typed\ufffd\n"`, ""},
	} {
		r.Write("a.go", c.now)
		payload := fmt.Sprintf(`{"session_id":"5c1e","cwd":%q,"hook_event_name":"PostToolUse","tool_name":"Edit","tool_input":{"file_path":"a.go"},
			"tool_response":{"filePath":%q,"originalFile":%s,"structuredPatch":[{"lines":[" a"]}],"userModified":false}}`, r.Dir, r.Dir+"/a.go", c.before)
		must(t, capture.Keep(capture.Call{Agent: "claude-code", Payload: []byte(payload), Directory: "/", At: at}))
		all := entries(t, r.Dir)
		got := ""
		for _, f := range all[len(all)-1].Was {
			p, err := spool.Find(r.Dir)
			must(t, err)
			content, err := p.Content(f.Blob)
			must(t, err)
			got += string(content)
		}
		if got != c.want {
			t.Errorf("%q, before %s: kept %q, want %q", c.now, c.before, got, c.want)
		}
	}
}

func TestFilesOfSeveralWorkTreesGoToTheirOwnSpools(t *testing.T) {
	one, two := gittest.New(t), gittest.New(t)
	one.Commit("one", "a", "1\n")
	two.Commit("two", "b", "2\n")
	payload := fmt.Sprintf(`{"type":"ai_agent","agent_name":"mytool","conversation_id":"c","repo_working_dir":%q,"edited_filepaths":["a",%q],"dirty_files":{%q:"typed\n"}}`, one.Dir, two.Dir+"/b", two.Dir+"/b")
	must(t, capture.Keep(capture.Call{Agent: hook.Generic, Payload: []byte(payload), Directory: one.Dir, At: at}))
	for dir, want := range map[string]string{one.Dir: `mytool c after-edit a=file"1\n"`, two.Dir: `mytool c after-edit b=file"typed\n"`} {
		e := entries(t, dir)
		if len(e) != 1 || say(t, dir, e[0]) != want {
			t.Errorf("%s has %d entries; want %s", dir, len(e), want)
		}
	}
}

func TestBadPayloadIsSaidToBeLost(t *testing.T) {
	r := gittest.New(t)
	r.Commit("one", "a", "1\n")
	if err := capture.Keep(capture.Call{Agent: "codex", Payload: []byte(`{"session_id":"s","too`), Directory: r.Dir, At: at}); err == nil {
		t.Error("a payload that is cut is no error")
	}
	e := entries(t, r.Dir)
	if len(e) != 1 || !strings.Contains(e[0].Lost, "hook of codex") {
		t.Errorf("the spool has %+v", e)
	}
}

func TestOutsideOfAWorkTreeNothingHappens(t *testing.T) {
	dir := t.TempDir()
	payload := fmt.Sprintf(`{"session_id":"s","cwd":%q,"hook_event_name":"PostToolUse","tool_name":"Write","tool_input":{"file_path":"x"}}`, dir)
	must(t, capture.Keep(capture.Call{Agent: "claude-code", Payload: []byte(payload), Directory: dir, At: at}))
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v in an empty directory, %v", left, err)
	}
}

func TestPromptsAndContentsOfToolsAreNotInTheSpool(t *testing.T) {
	r := gittest.New(t)
	r.Commit("one", "a", "1\n")
	payload := fmt.Sprintf(`{"session_id":"s","cwd":%q,"hook_event_name":"UserPromptSubmit","prompt":"SECRET","tool_input":{"command":"SECRET","content":"SECRET"}}`, r.Dir)
	must(t, capture.Keep(capture.Call{Agent: "claude-code", Payload: []byte(payload), Directory: r.Dir, At: at}))
	e := entries(t, r.Dir)
	if len(e) != 1 || strings.Contains(string(e[0].Event), "SECRET") {
		t.Errorf("the spool has %+v", e)
	}
}
