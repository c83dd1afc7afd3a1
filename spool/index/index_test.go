package index_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/spool/index"
)

const limit = 1 << 20

// read tells an index as git ls-files -s does, with the two flags that git keeps
// apart.
func read(t *testing.T, r *gittest.Repo, sha256 bool) (list []string, x *index.File, err error) {
	t.Helper()
	x, err = index.Open(filepath.Join(r.Dir, ".git", "index"), sha256, limit)
	if err != nil {
		return nil, nil, err
	}
	for e, err := range x.Entries() {
		if err != nil {
			return list, x, err
		}
		list = append(list, fmt.Sprintf("%o %s %d\t%s", e.Stat.Mode, e.Blob(), e.Stage, e.Path()))
	}
	return list, x, nil
}

// wide has paths that share beginnings, a long one, links, a program and names
// that git quotes.
func wide(t *testing.T, flags ...string) *gittest.Repo {
	t.Helper()
	r := gittest.New(t, flags...)
	for i := range 300 {
		r.Write(fmt.Sprintf("dir%d/sub/file%d.txt", i%7, i), fmt.Sprintln("text", i))
	}
	r.Write(strings.Repeat("long/", 40)+"file", "x\n", "ä\tb", "y\n", "dir1/sub2", "z\n", "run.sh", "#!/bin/sh\n")
	if err := os.Symlink("run.sh", filepath.Join(r.Dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(r.Dir, "run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.Git("add", "-A")
	r.Commit("wide")
	return r
}

func TestIndexIsReadAsGitReadsIt(t *testing.T) {
	conflict := func(r *gittest.Repo) {
		r.Git("checkout", "-q", "-b", "side")
		r.Commit("side", "run.sh", "side\n")
		r.Git("checkout", "-q", "main")
		r.Commit("main", "run.sh", "main\n")
		if _, err := r.Try(nil, "merge", "side"); err == nil {
			t.Error("no conflict")
		}
	}
	for name, c := range map[string]struct {
		flags []string
		do    func(*gittest.Repo)
	}{
		"version 2": {nil, func(r *gittest.Repo) { r.Git("update-index", "--index-version", "2") }},
		"version 3": {nil, func(r *gittest.Repo) { r.Write("new", "x"); r.Git("add", "-N", "new") }},
		"version 4": {nil, func(r *gittest.Repo) { r.Git("update-index", "--index-version", "4") }},
		"version 4 flagged": {nil, func(r *gittest.Repo) {
			r.Git("update-index", "--index-version", "4")
			r.Git("update-index", "--skip-worktree", "run.sh")
		}},
		"sha256":          {[]string{"--object-format=sha256"}, func(*gittest.Repo) {}},
		"a conflict":      {nil, conflict},
		"untracked cache": {nil, func(r *gittest.Repo) { r.Git("update-index", "--force-untracked-cache"); r.Git("status") }},
		"nothing":         {nil, func(r *gittest.Repo) { r.Git("rm", "-rq", "--cached", ".") }},
	} {
		t.Run(name, func(t *testing.T) {
			r := wide(t, c.flags...)
			c.do(r)
			got, x, err := read(t, r, len(c.flags) > 0)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.FieldsFunc(r.Git("ls-files", "-s", "-z"), func(r rune) bool { return r == 0 })
			if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" || x.Count != len(want) {
				t.Errorf("%d entries: %s", x.Count, d)
			}
		})
	}
}

func TestIndexThatDoesNotNameEveryFileSaysSo(t *testing.T) {
	for name, do := range map[string]func(*gittest.Repo){
		"split": func(r *gittest.Repo) { r.Git("update-index", "--split-index"); r.Commit("more", "more", "x") },
		"sparse": func(r *gittest.Repo) {
			r.Git("sparse-checkout", "init", "--cone", "--sparse-index")
			r.Git("sparse-checkout", "set", "dir1")
		},
	} {
		r := wide(t)
		do(r)
		if _, _, err := read(t, r, false); !errors.Is(err, index.ErrPartial) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := wide(t)
	if _, err := index.Open(filepath.Join(r.Dir, ".git", "index"), false, 1000); !errors.Is(err, index.ErrLarge) {
		t.Errorf("large: %v", err)
	}
}

func TestSparseCheckoutNamesFilesThatAreNotThere(t *testing.T) {
	r := wide(t)
	r.Git("sparse-checkout", "set", "dir1")
	x, err := index.Open(filepath.Join(r.Dir, ".git", "index"), false, limit)
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range x.Entries() {
		if err != nil {
			t.Fatal(err)
		}
		if _, there, err := index.Look(filepath.Join(r.Dir, e.Path())); err != nil || there == e.SkipWorktree {
			t.Errorf("%s is there: %v, skipped: %v, %v", e.Path(), there, e.SkipWorktree, err)
		}
	}
}

// dirty are the files that are not surely what the index names.
func dirty(t *testing.T, r *gittest.Repo) (list []string) {
	t.Helper()
	x, err := index.Open(filepath.Join(r.Dir, ".git", "index"), false, limit)
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range x.Entries() {
		if err != nil {
			t.Fatal(err)
		}
		now, _, err := index.Look(filepath.Join(r.Dir, e.Path()))
		if err != nil {
			t.Fatal(err)
		}
		if !x.Clean(e, now) {
			list = append(list, e.Path())
		}
	}
	return list
}

func TestAFileThatWasWrittenIsNotClean(t *testing.T) {
	at := func(r *gittest.Repo, path string) string { return filepath.Join(r.Dir, path) }
	old := time.Unix(1_600_000_000, 5000)
	settled := func() *gittest.Repo {
		r := gittest.New(t)
		r.Write("a", "one\n", "b", "two\n", "c", "six\n")
		for _, path := range []string{"a", "b", "c"} {
			if err := os.Chtimes(at(r, path), old, old); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(20 * time.Millisecond) // more than the clock of a file system ticks
		r.Git("add", "-A")
		return r
	}
	r := settled()
	if d := dirty(t, r); d != nil {
		t.Fatalf("nothing was written, but %v", d)
	}
	for name, do := range map[string]func(r *gittest.Repo) error{
		"another content": func(r *gittest.Repo) error { return os.WriteFile(at(r, "b"), []byte("three\n"), 0o600) },
		"the same length": func(r *gittest.Repo) error { return os.WriteFile(at(r, "b"), []byte("ten\n"), 0o600) },
		"it is gone":      func(r *gittest.Repo) error { return os.Remove(at(r, "b")) },
		"a link":          func(r *gittest.Repo) error { return errors.Join(os.Remove(at(r, "b")), os.Symlink("a", at(r, "b"))) },
		"the time was set back": func(r *gittest.Repo) error {
			return errors.Join(os.WriteFile(at(r, "b"), []byte("ten\n"), 0o600), os.Chtimes(at(r, "b"), old, old))
		},
		"another took its place": func(r *gittest.Repo) error {
			return errors.Join(os.Rename(at(r, "c"), at(r, "b")), os.WriteFile(at(r, "c"), []byte("six\n"), 0o600))
		},
		"in the same moment": func(r *gittest.Repo) error {
			r.Git("add", "-A")
			now := time.Now()
			return errors.Join(os.Chtimes(at(r, "b"), now, now), os.Chtimes(at(r, ".git/index"), now, now))
		},
	} {
		r := settled()
		if err := do(r); err != nil {
			t.Fatal(err)
		}
		if d := strings.Join(dirty(t, r), " "); !strings.Contains(d, "b") || strings.Contains(d, "a") {
			t.Errorf("%s: what is not clean is %q", name, d)
		}
	}
}

func FuzzAnyIndexIsReadWithinItself(f *testing.F) {
	seed := func(do func(*gittest.Repo)) {
		r := gittest.New(f)
		r.Commit("one", "a/b", "1\n", "a/c", "2\n", "d", "3\n")
		do(r)
		data, err := os.ReadFile(filepath.Join(r.Dir, ".git", "index"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, false)
	}
	seed(func(*gittest.Repo) {})
	seed(func(r *gittest.Repo) { r.Git("update-index", "--index-version", "4") })
	seed(func(r *gittest.Repo) { r.Git("update-index", "--skip-worktree", "d") })
	seed(func(r *gittest.Repo) { r.Git("update-index", "--split-index") })
	f.Fuzz(func(t *testing.T, data []byte, sha256 bool) {
		x, err := index.Parse(data, sha256)
		if err != nil {
			return
		}
		n := 0
		for e, err := range x.Entries() {
			if err != nil {
				return
			}
			n++
			if !filepath.IsLocal(e.Path()) || strings.HasPrefix(strings.ToLower(e.Path()), ".git/") {
				t.Errorf("a path leads to %q", e.Path())
			}
			x.Clean(e, e.Stat)
		}
		if n != x.Count {
			t.Errorf("%d entries of %d", n, x.Count)
		}
	})
}
