package local_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/ingest/local"
	"github.com/stemma-dev/stemma/spool"
)

func TestOnlyRegularFilesAreOpened(t *testing.T) {
	dir := t.TempDir()
	file, link, long := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "long")
	for _, err := range []error{os.WriteFile(file, []byte("x"), 0o600), os.Symlink(file, link), os.WriteFile(long, nil, 0o600), os.Truncate(long, local.MaxSize+1)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	f, err := local.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	for _, path := range []string{link, dir, long, filepath.Join(dir, "none"), "file", "", os.DevNull} {
		f, err := local.Open(path)
		if err == nil {
			t.Errorf("%q was opened", path)
			_ = f.Close()
		} else if path != "" && strings.Contains(err.Error(), dir) {
			t.Errorf("the error names the path: %v", err)
		}
	}
}

func TestASubagentLiesBesideItsParentAndNowhereElse(t *testing.T) {
	at := filepath.Join(string(filepath.Separator), "p", "s1.jsonl")
	if got, want := local.Subagent(at, "s1", "a7"), filepath.Join(filepath.Dir(at), "s1", "subagents", "agent-a7.jsonl"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, ids := range [][2]string{{"..", "a"}, {"s1", "../x"}, {"s1", `a\b`}, {"", "a"}, {"s1", ""}, {"/s", "a"}} {
		if got := local.Subagent(at, ids[0], ids[1]); got != "" {
			t.Errorf("%q gives %q", ids, got)
		}
	}
}

func TestTranscriptsBelongWhereTheySayTheyWorked(t *testing.T) {
	home, work := t.TempDir(), t.TempDir()
	for _, dir := range []string{"repo/.git/objects", "repo/.git/refs", "repo/sub", "repo-other"} {
		must(t, os.MkdirAll(filepath.Join(work, dir), 0o700))
	}
	must(t, os.WriteFile(filepath.Join(work, "repo", ".git", "HEAD"), []byte("ref: refs/heads/main\n"), 0o600))
	place, err := spool.Find(filepath.Join(work, "repo"))
	must(t, err)
	slug := strings.NewReplacer("/", "-", ".", "-", "_", "-").Replace(place.WorkTree)
	sum := sha256.Sum256([]byte(place.WorkTree))
	claude := func(dir string) string { return `{"type":"user","sessionId":"s","cwd":"` + dir + `"}` + "\n" }
	codex := func(dir string) string {
		return `{"type":"session_meta","timestamp":"2026-01-02T03:04:05Z","payload":{"id":"s","cwd":"` + dir + `"}}` + "\n"
	}
	gemini := `{"sessionId":"s","projectHash":"h","startTime":"2026-01-02T03:04:05Z"}` + "\n" + `{"id":"1","type":"user","content":"x","timestamp":"2026-01-02T03:04:05Z"}` + "\n"
	want := map[string]bool{}
	put := func(belongs bool, path, content string) {
		at := filepath.Join(home, path)
		want[at] = belongs
		must(t, os.MkdirAll(filepath.Dir(at), 0o700))
		must(t, os.WriteFile(at, []byte(content), 0o600))
	}
	put(true, ".claude/projects/"+slug+"/a.jsonl", claude(place.WorkTree))
	put(true, ".claude/projects/"+slug+"/a/subagents/agent-x.jsonl", claude(place.WorkTree))
	put(true, ".claude/projects/"+slug+"-sub/b.jsonl", claude(filepath.Join(place.WorkTree, "sub")))
	put(false, ".claude/projects/"+slug+"-other/c.jsonl", claude(place.WorkTree+"-other"))
	put(false, ".claude/projects/"+slug+"/silent.jsonl", `{"type":"user","sessionId":"s"}`+"\n")
	put(false, ".claude/projects/"+slug+"/text.jsonl", "no transcript\n")
	put(false, ".claude/projects/"+slug+"/relative.jsonl", claude("repo"))
	put(true, ".codex/sessions/2026/01/02/rollout-1.jsonl", codex(place.WorkTree))
	put(false, ".codex/sessions/2026/01/02/rollout-2.jsonl", codex(home))
	put(true, ".gemini/tmp/"+hex.EncodeToString(sum[:])+"/chats/session-1.jsonl", gemini)
	put(false, ".gemini/tmp/"+strings.Repeat("0", 64)+"/chats/session-1.jsonl", gemini)
	must(t, os.Symlink(filepath.Join(home, ".claude", "projects", slug, "a.jsonl"), filepath.Join(home, ".claude", "projects", slug, "link.jsonl")))

	// What a spool names is not taken for the repository's where it says otherwise.
	foreign := filepath.Join(work, "foreign.jsonl")
	named := filepath.Join(work, "named.jsonl")
	must(t, os.WriteFile(foreign, []byte(claude(home)), 0o600))
	must(t, os.WriteFile(named, []byte(`{"type":"user","sessionId":"s"}`+"\n"), 0o600))
	for _, path := range []string{foreign, named, filepath.Join(work, "gone.jsonl"), "relative.jsonl"} {
		must(t, place.Append(spool.Entry{Event: []byte(`{"agent":"claude-code","session":"s","kind":"prompt","transcript":"` + path + `"}`)}))
	}
	want[named] = true

	got := map[string]bool{}
	for _, f := range local.Find(local.Machine{Home: home}, []spool.Place{place}, func(string) bool { return false }) {
		got[f.Path] = true
		if !want[f.Path] {
			t.Errorf("%s was found", f.Path)
		}
		if f.Named != (f.Path == named) {
			t.Errorf("%s: named is %t", f.Path, f.Named)
		}
	}
	for path, belongs := range want {
		if belongs && !got[path] {
			t.Errorf("%s was not found", path)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
