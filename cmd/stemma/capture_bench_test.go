package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/git/gittest"
)

// filesRepo makes a repository with one commit of n files.
func filesRepo(b *testing.B, n int) *gittest.Repo {
	b.Helper()
	r := gittest.New(b)
	im := r.Import()
	var set []gittest.ImportFile
	for i := range n {
		set = append(set, gittest.Set(fmt.Sprintf("dir%03d/file%05d.go", i%300, i), gittest.Lines(fmt.Sprint("line", i), 20)))
	}
	im.Commit(gittest.ImportCommit{Ref: "refs/heads/main", Files: set, Message: "files"})
	im.Close()
	r.Git("reset", "-q", "--hard")
	// Files as young as the index are read again and again by git, until a second
	// has passed: which of two repositories is younger is not what is measured.
	old := time.Now().Add(-time.Hour)
	for _, f := range set {
		if err := os.Chtimes(filepath.Join(r.Dir, f.Path), old, old); err != nil {
			b.Fatal(err)
		}
	}
	r.Git("update-index", "-q", "--refresh")
	return r
}

// BenchmarkCommit: a commit is not slower for capture being on, as no hook of
// git waits for it: at most 1.15x a plain one, in a small and in a large
// repository.
func BenchmarkCommit(b *testing.B) {
	bin := built(b)
	for _, n := range []int{50, 10_000} {
		plain, captured := filesRepo(b, n), filesRepo(b, n)
		set := exec.Command(bin, "init", "--agents", "claude-code")
		set.Dir, set.Env = captured.Dir, append(os.Environ(), "HOME="+b.TempDir(), "PATH="+filepath.Dir(bin)+":"+os.Getenv("PATH"))
		if out, err := set.CombinedOutput(); err != nil {
			b.Fatalf("init: %v\n%s", err, out)
		}
		var without, with measured
		for i := range 30 {
			for _, c := range []struct {
				r    *gittest.Repo
				into *measured
			}{{plain, &without}, {captured, &with}} {
				c.r.Write("dir000/file00000.go", fmt.Sprintln("change", i))
				commit := exec.Command("git", "-C", c.r.Dir, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-a", "-m", "x")
				if m := measure(b, commit); i > 0 { // the first finds an index that is as young as the files
					c.into.add(m)
				}
			}
		}
		b.ReportMetric(float64(with.wall)/float64(without.wall), fmt.Sprintf("x-plain-%d-files", n))
		b.ReportMetric(float64(with.cpu)/float64(without.cpu), fmt.Sprintf("x-plain-cpu-%d-files", n))
	}
}

// BenchmarkHook: an agent's hook takes at most 10 ms of CPU, whatever the
// size of the repository and of the transcript: at most 1.2x that of a small one.
// Of shell commands the slowest tenth counts, before them and after them; one
// command only reads, of the other nobody knows.
func BenchmarkHook(b *testing.B) {
	bin := built(b)
	small, large := filesRepo(b, 50), filesRepo(b, 10_000)
	transcript := filepath.Join(b.TempDir(), "session.jsonl")
	if err := os.WriteFile(transcript, nil, 0o600); err != nil {
		b.Fatal(err)
	}
	if err := os.Truncate(transcript, 100<<20); err != nil {
		b.Fatal(err)
	}
	call := func(payload string) measured {
		c := exec.Command(bin, "hook", "claude-code")
		c.Stdin = strings.NewReader(payload)
		return measure(b, c)
	}
	hook := func(r *gittest.Repo, transcript string) measured {
		return call(fmt.Sprintf(`{"hook_event_name":"PreToolUse","session_id":"s","cwd":%q,"transcript_path":%q,"tool_name":"Edit","tool_use_id":"t","tool_input":{"file_path":"dir000/file00000.go"}}`, r.Dir, transcript))
	}
	const runs = 40
	var base, files, long measured
	for range runs {
		base.add(hook(small, ""))
		files.add(hook(large, ""))
		long.add(hook(small, transcript))
	}
	b.ReportMetric(float64(base.cpu)/runs/float64(time.Millisecond), "ms-cpu")
	b.ReportMetric(float64(files.cpu)/float64(base.cpu), "x-10000-files")
	b.ReportMetric(float64(long.cpu)/float64(base.cpu), "x-100MB-transcript")
	for name, command := range map[string]string{"reading": "ls -la", "unknown": "go test ./..."} {
		var took []time.Duration
		for i := range runs {
			for _, event := range []string{"PreToolUse", "PostToolUse"} {
				took = append(took, call(fmt.Sprintf(`{"hook_event_name":%q,"session_id":"s","cwd":%q,"tool_name":"Bash","tool_use_id":"%s%d","tool_input":{"command":%q},"tool_response":{}}`,
					event, small.Dir, name, i, command)).cpu)
			}
		}
		slices.Sort(took)
		b.ReportMetric(took[len(took)/2].Seconds()*1000, "ms-cpu-"+name+"-p50")
		b.ReportMetric(took[len(took)*9/10].Seconds()*1000, "ms-cpu-"+name+"-p90")
	}
}
