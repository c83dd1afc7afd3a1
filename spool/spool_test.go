package spool_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/spool"
)

// TestMain lets the test binary be one of many hooks.
func TestMain(m *testing.M) {
	dir, ok := os.LookupEnv("SPOOL_TEST_HOOK")
	if !ok {
		os.Exit(m.Run())
	}
	p, err := spool.Find(dir)
	for i := 0; i < 50 && err == nil; i++ {
		err = p.Append(spool.Entry{Event: json.RawMessage(fmt.Sprintf(`{"who":%q,"n":%d,"fill":%q}`, os.Getenv("SPOOL_TEST_WHO"), i, strings.Repeat("x", 9000)))})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func find(t testing.TB, path string) spool.Place {
	t.Helper()
	p, err := spool.Find(path)
	must(t, err)
	return p
}

func read(t testing.TB, p spool.Place, from int64) spool.Reading {
	t.Helper()
	r, err := p.Read(from)
	must(t, err)
	return r
}

func TestEntriesComeBackInOrder(t *testing.T) {
	r := gittest.New(t)
	p := find(t, r.Dir)
	if got := read(t, p, 0); len(got.Entries) > 0 || got.Next != 0 {
		t.Errorf("before anything was written: %+v", got)
	}
	want := []spool.Entry{
		{At: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Stand: spool.Stand{Head: "refs/heads/main"}, Event: json.RawMessage(`{"a":1}`), Files: []spool.File{{Path: "a", State: spool.Missing}}},
		{At: time.Date(2025, 1, 2, 3, 4, 5, 6, time.UTC), Lost: "all of it\nfor no reason"}, // clocks jump
	}
	for _, e := range want {
		must(t, p.Append(e))
	}
	got := read(t, p, 0)
	if d := cmp.Diff(want, got.Entries, cmpopts.IgnoreFields(spool.Entry{}, "End")); d != "" || got.Damaged != 0 {
		t.Errorf("%d damaged (-want +got):\n%s", got.Damaged, d)
	}
	must(t, p.Append(spool.Entry{Stand: spool.Stand{Head: "third"}}))
	if more := read(t, p, got.Next); len(more.Entries) != 1 || more.Entries[0].Head != "third" {
		t.Errorf("from where it ended: %+v", more)
	}
}

func TestDamagedEntriesAreSkippedAndCounted(t *testing.T) {
	r := gittest.New(t)
	p := find(t, r.Dir)
	for i := range 5 {
		must(t, p.Append(spool.Entry{Stand: spool.Stand{Head: fmt.Sprint(i)}}))
	}
	journal := filepath.Join(p.Dir(), "spool")
	whole, err := os.ReadFile(journal)
	must(t, err)
	for at := range whole {
		bad := bytes.Clone(whole)
		bad[at] ^= 1
		must(t, os.WriteFile(journal, bad, 0o600))
		if got := read(t, p, 0); len(got.Entries) < 3 || len(got.Entries) > 4 || got.Damaged == 0 && len(got.Entries) == 4 && at < len(whole)-1 {
			t.Fatalf("with byte %d flipped: %d entries, %d damaged", at, len(got.Entries), got.Damaged)
		}
	}
	for end := range whole { // a hook was killed, then another one wrote
		must(t, os.WriteFile(journal, whole[:end], 0o600))
		must(t, p.Append(spool.Entry{Stand: spool.Stand{Head: "after"}}))
		got := read(t, p, 0)
		if n := len(got.Entries); n == 0 || got.Entries[n-1].Head != "after" || n-1+got.Damaged < bytes.Count(whole[:end], []byte("\n")) {
			t.Fatalf("cut at %d: %+v", end, got)
		}
	}
}

func TestManyHooksAtOnceLoseNothing(t *testing.T) {
	r := gittest.New(t)
	p := find(t, r.Dir)
	var hooks sync.WaitGroup
	for i := range 8 {
		hooks.Go(func() {
			c := exec.Command(os.Args[0])
			c.Env = append(os.Environ(), "SPOOL_TEST_HOOK="+r.Dir, fmt.Sprint("SPOOL_TEST_WHO=", i))
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("hook %d: %v\n%s", i, err, out)
			}
		})
	}
	hooks.Wait()
	got := read(t, p, 0)
	next := map[string]int{}
	for _, e := range got.Entries {
		var said struct {
			Who string
			N   int
		}
		must(t, json.Unmarshal(e.Event, &said))
		if said.N != next[said.Who] {
			t.Fatalf("hook %s says %d where %d was next", said.Who, said.N, next[said.Who])
		}
		next[said.Who]++
	}
	if len(got.Entries) != 400 || got.Damaged != 0 {
		t.Errorf("%d entries of 400, %d damaged", len(got.Entries), got.Damaged)
	}
}

func TestHookDoesNotWaitForOneThatHangs(t *testing.T) {
	r := gittest.New(t)
	p := find(t, r.Dir)
	must(t, p.Append(spool.Entry{Stand: spool.Stand{Head: "first"}}))
	f, err := os.Open(filepath.Join(p.Dir(), "spool"))
	must(t, err)
	defer func() { _ = f.Close() }()
	must(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
	must(t, p.Append(spool.Entry{Stand: spool.Stand{Head: "second"}}))
	if got := read(t, p, 0); len(got.Entries) != 2 {
		t.Errorf("%d entries while another hook holds the lock", len(got.Entries))
	}
}

func TestPlacesAreFoundAsGitFindsThem(t *testing.T) {
	r := gittest.New(t)
	r.Commit("one", "deep/er/a", "a\n")
	linked := filepath.Join(t.TempDir(), "linked tree")
	r.Git("worktree", "add", "-q", "--detach", linked)
	inner := gittest.New(t)
	inner.Commit("inner", "b", "b\n")
	r.Git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.Dir, "sub")
	must(t, os.Symlink(filepath.Join(r.Dir, "deep"), filepath.Join(r.Dir, "alias")))
	for _, path := range []string{r.Dir, r.Dir + "/deep/er/a", r.Dir + "/not/yet/there", linked, linked + "/deep", r.Dir + "/sub/b", r.Dir + "/alias/er/a"} {
		p := find(t, path)
		c := exec.Command("git", "rev-parse", "--path-format=absolute", "--show-toplevel", "--git-dir", "--git-common-dir")
		c.Dir = filepath.Dir(path)
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			c.Dir = path
		} else if err != nil {
			c.Dir = r.Dir
		}
		out, err := c.Output()
		must(t, err)
		if d := cmp.Diff(strings.Fields(strings.ReplaceAll(string(out), "linked tree", "linked_tree")), strings.Fields(strings.ReplaceAll(p.WorkTree+" "+p.GitDir+" "+p.Common, "linked tree", "linked_tree"))); d != "" {
			t.Errorf("%s (-git +ours):\n%s", path, d)
		}
	}
	logged := func(p spool.Place) int64 { return int64(len(readFile(t, filepath.Join(p.GitDir, "logs", "HEAD")))) }
	if d := cmp.Diff(spool.Stand{Head: "refs/heads/main", Commit: r.Head(), Reflog: logged(find(t, r.Dir))}, find(t, r.Dir).Stand()); d != "" {
		t.Errorf("a branch (-want +got):\n%s", d)
	}
	if d := cmp.Diff(spool.Stand{Head: "HEAD", Commit: r.Head(), Reflog: logged(find(t, linked))}, find(t, linked).Stand()); d != "" {
		t.Errorf("a detached HEAD (-want +got):\n%s", d)
	}
	for _, bad := range []string{t.TempDir(), "relative", "/"} {
		if p, err := spool.Find(bad); err == nil {
			t.Errorf("%s is in %+v", bad, p)
		}
	}
	hostile := t.TempDir()
	must(t, os.WriteFile(filepath.Join(hostile, ".git"), []byte("gitdir: "+t.TempDir()+"\n"), 0o600))
	if p, err := spool.Find(hostile); !errors.Is(err, spool.ErrNoWorkTree) {
		t.Errorf("a .git that leads to no repository is %+v, %v", p, err)
	}
}

func TestMovesOfHeadAreThoseOfItsReflog(t *testing.T) {
	r := gittest.New(t)
	first := r.Commit("one", "a", "1\n")
	second := r.Commit("two", "a", "2\n")
	r.Git("checkout", "-q", "-b", "topic")
	r.Git("reset", "-q", "--hard", first)
	p := find(t, r.Dir)
	log := filepath.Join(p.GitDir, "logs", "HEAD")
	must(t, os.WriteFile(log, append(readFile(t, log), []byte("no move\n"+first+" "+second+" <> 12 +0000\tby hand\n"+first)...), 0o600))
	got, err := p.Moves()
	must(t, err)
	want := []spool.Move{
		{To: first, What: "commit (initial): one"},
		{From: first, To: second, What: "commit: two"},
		{From: second, To: second, What: "checkout: moving from main to topic"},
		{From: second, To: first, What: "reset: moving to " + first},
		{From: first, To: second, What: "by hand"},
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(spool.Move{}, "At", "End")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got[4].At.Unix() != 12 || got[4].End <= got[3].End || got[4].End >= int64(len(readFile(t, log))) {
		t.Errorf("the last move is %+v", got[4])
	}
	must(t, os.Remove(log))
	if got, err := p.Moves(); err != nil || got != nil {
		t.Errorf("without a reflog: %v, %v", got, err)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	return b
}

func FuzzAnyReflogIsRead(f *testing.F) {
	id := strings.Repeat("a", 40)
	f.Add([]byte(id + " " + id + " A <a@x> 12 +0000\tcommit: x\n"))
	f.Add([]byte(id + " " + id + " >  \t\n\n" + id))
	f.Fuzz(func(t *testing.T, log []byte) {
		p := spool.Place{GitDir: t.TempDir()}
		must(t, os.Mkdir(filepath.Join(p.GitDir, "logs"), 0o700))
		must(t, os.WriteFile(filepath.Join(p.GitDir, "logs", "HEAD"), log, 0o600))
		moves, err := p.Moves()
		must(t, err)
		var last int64
		for _, m := range moves {
			if m.End <= last || m.End > int64(len(log)) {
				t.Errorf("a move ends at %d behind %d", m.End, last)
			}
			last = m.End
		}
	})
}

func TestWhatGitIsDoingIsSeen(t *testing.T) {
	r := gittest.New(t)
	r.Commit("one", "a", "1\n")
	r.Git("checkout", "-q", "-b", "side")
	r.Commit("two", "a", "2\n")
	r.Git("checkout", "-q", "main")
	r.Commit("three", "a", "3\n")
	p := find(t, r.Dir)
	for doing, args := range map[string][]string{"merge": {"merge", "side"}, "cherry-pick": {"cherry-pick", "side"}, "rebase": {"rebase", "side"}} {
		c := exec.Command("git", args...)
		c.Dir = r.Dir
		c.Env = append(os.Environ(), "GIT_AUTHOR_NAME=x", "GIT_AUTHOR_EMAIL=x@x.test", "GIT_COMMITTER_NAME=x", "GIT_COMMITTER_EMAIL=x@x.test")
		if out, err := c.CombinedOutput(); err == nil {
			t.Fatalf("git %s has no conflict: %s", args, out)
		}
		if got := p.Stand().Doing; got != doing {
			t.Errorf("in the middle of a %s it is %q", doing, got)
		}
		r.Git(doing, "--abort")
	}
	r.Write("a", "4\n")
	r.Git("stash", "-q")
	if got := p.Stand(); got.Stash != r.Git("rev-parse", "stash") || got.Doing != "" {
		t.Errorf("with a stash it is %+v", got)
	}
}

func TestContentsAreKeptUnderTheirIDs(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		dir := t.TempDir()
		out, err := exec.Command("git", "init", "-q", "--object-format="+format, dir).CombinedOutput()
		if err != nil {
			t.Fatalf("git init: %v\n%s", err, out)
		}
		p := find(t, dir)
		for i, content := range []string{"", "a\r\n\xff", strings.Repeat("long\n", 100_000)} {
			name := fmt.Sprintf("d/f%d", i)
			must(t, os.MkdirAll(filepath.Join(dir, "d"), 0o700))
			must(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
			id, err := exec.Command("git", "-C", dir, "hash-object", "--no-filters", name).Output()
			must(t, err)
			want := spool.File{Path: name, State: spool.Regular, Blob: strings.TrimSpace(string(id)), Size: int64(len(content))}
			for range 2 {
				if d := cmp.Diff(want, p.Take(name)); d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
			}
			if d := cmp.Diff(want, p.Keep(name, []byte(content))); d != "" {
				t.Errorf("from an editor (-want +got):\n%s", d)
			}
			got, err := p.Content(want.Blob)
			if string(got) != content || err != nil {
				t.Errorf("%d bytes come back of %d: %v", len(got), len(content), err)
			}
		}
	}
}

func TestWhatIsNoFileIsSaid(t *testing.T) {
	r := gittest.New(t)
	p := find(t, r.Dir)
	must(t, os.Symlink("/etc/passwd", filepath.Join(r.Dir, "link")))
	must(t, os.Mkdir(filepath.Join(r.Dir, "dir"), 0o700))
	must(t, syscall.Mkfifo(filepath.Join(r.Dir, "pipe"), 0o600))
	must(t, os.WriteFile(filepath.Join(r.Dir, "big"), nil, 0o600))
	must(t, os.Truncate(filepath.Join(r.Dir, "big"), 100<<20))
	got := map[string]spool.State{}
	for _, name := range []string{"link", "dir", "pipe", "big", "none", "none/below"} {
		f := p.Take(name)
		got[name] = f.State
		if f.Blob != "" {
			t.Errorf("%s is kept", name)
		}
	}
	want := map[string]spool.State{"link": spool.Link, "dir": spool.Other, "pipe": spool.Other, "big": spool.Large, "none": spool.Missing, "none/below": spool.Missing}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestOnlyFilesOfTheWorkTreeAreInside(t *testing.T) {
	r := gittest.New(t)
	p := find(t, r.Dir)
	outside := t.TempDir()
	must(t, os.Symlink(outside, filepath.Join(r.Dir, "out")))
	must(t, os.Mkdir(filepath.Join(r.Dir, "in"), 0o700))
	must(t, os.Symlink("in", filepath.Join(r.Dir, "alias")))
	for path, want := range map[string]string{
		"a": "a", "in/b c": "in/b c", "alias/x": "in/x", "not/there/yet": "not/there/yet", "..a/b": "..a/b",
		"../x": "", ".git/config": "", ".GIT/hooks/x": "", "out/x": "", "": "", "in/../../x": "",
	} {
		got, ok := p.Inside(r.Dir + "/" + path)
		if got != want || ok != (want != "") {
			t.Errorf("%q is %q, %v inside, want %q", path, got, ok, want)
		}
	}
}

func TestChangedContentsAreNotGiven(t *testing.T) {
	r := gittest.New(t)
	p := find(t, r.Dir)
	f := p.Keep("a", []byte("content\n"))
	kept, err := filepath.Glob(filepath.Join(p.Common, "stemma", "contents", "*", "*"))
	must(t, err)
	must(t, os.WriteFile(kept[0], []byte("another\n"), 0o600))
	for _, id := range []string{f.Blob, strings.Repeat("0", 40), "", "../../../../etc/passwd", strings.Repeat("../", 20)} {
		if b, err := p.Content(id); !errors.Is(err, spool.ErrNoContent) {
			t.Errorf("content %q: %q, %v", id, b, err)
		}
	}
	must(t, os.WriteFile(kept[0], []byte("cut"), 0o600))
	if p.Keep("a", []byte("content\n")); true {
		if b, err := p.Content(f.Blob); string(b) != "content\n" || err != nil {
			t.Errorf("a content that was cut is not written again: %q, %v", b, err)
		}
	}
}

func FuzzAnySpoolIsRead(f *testing.F) {
	f.Add([]byte("\n\n\n"), int64(0))
	f.Add([]byte("00000000 {}\n5a4b {\"a\":1}\n"), int64(3))
	f.Fuzz(func(t *testing.T, data []byte, from int64) {
		dir := t.TempDir()
		p := spool.Place{WorkTree: dir, GitDir: dir, Common: dir}
		must(t, os.Mkdir(p.Dir(), 0o700))
		must(t, os.WriteFile(filepath.Join(p.Dir(), "spool"), data, 0o600))
		if from < 0 || from > int64(len(data)) {
			from = 0
		}
		got := read(t, p, from)
		if end := int64(bytes.LastIndexByte(data, '\n') + 1); got.Next != max(from, end) {
			t.Fatalf("read to %d of %d", got.Next, end)
		}
		must(t, p.Append(spool.Entry{Stand: spool.Stand{Head: "x"}}))
		more := read(t, p, got.Next)
		if !slices.ContainsFunc(more.Entries, func(e spool.Entry) bool { return e.Head == "x" }) {
			t.Fatalf("an entry behind %q is not found", data)
		}
	})
}

func TestOldContentsAreForgotten(t *testing.T) {
	p := find(t, gittest.New(t).Dir)
	old, used := p.Keep("a", []byte("old\n")), p.Keep("b", []byte("used\n"))
	then := time.Now().Add(-time.Hour)
	for _, f := range []spool.File{old, used} {
		must(t, os.Chtimes(filepath.Join(p.Common, "stemma", "contents", f.Blob[:2], f.Blob[2:]), then, then))
	}
	young := p.Keep("c", []byte("young\n"))
	must(t, p.Forget(then.Add(time.Minute), map[string]bool{used.Blob: true}))
	for id, want := range map[string]bool{old.Blob: false, used.Blob: true, young.Blob: true} {
		if _, err := p.Content(id); (err == nil) != want {
			t.Errorf("content %s: %v", id, err)
		}
	}
	must(t, find(t, gittest.New(t).Dir).Forget(then, nil)) // there are none
}
