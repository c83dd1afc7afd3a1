package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/git/gittest"
)

// byHand notes that a person wrote the first lines of a file in a commit.
func byHand(r *gittest.Repo, commit, path string, lines int) {
	r.T.Helper()
	r.GitWith(fmt.Appendf(nil, "%s\n  h_99887766554433 1-%d\n---\n"+
		`{"schema_version":"authorship/3.0.0","base_commit_sha":"","prompts":{},"humans":{"h_99887766554433":{"author":"Ada <ada@x.test>"}}}`,
		path, lines), "notes", "--ref", "ai", "add", "-F", "-", commit)
}

// stemmaBlame runs the verb in the repository's directory.
func stemmaBlame(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(t.Context(), append([]string{"blame", "--data", filepath.Join(t.TempDir(), "data")}, args...), strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("stemma blame %q: code %d: %s", args, code, errs.String())
	}
	return out.String()
}

// Where a person wrote every line there is nothing to add to git's own look.
func TestColumnsAreThoseOfGitBlame(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	r := gittest.New(t)
	r.Env = []string{"GIT_AUTHOR_NAME=Grace Øster", "GIT_AUTHOR_DATE=1700100000 -0330"}
	byHand(r, r.Commit("one", "old name", strings.Repeat("first\n", 8)), "old name", 8)
	r.Git("mv", "old name", "b.go")
	r.Env = nil
	r.Git("commit", "-qm", "moved")
	byHand(r, r.Commit("two", "b.go", strings.Repeat("second\n", 103)+strings.Repeat("first\n", 8)), "b.go", 103)
	byHand(r, r.Commit("three", "c.go", "only\nthe root is older\n"), "c.go", 2)
	t.Chdir(r.Dir)
	for _, path := range []string{"b.go", "c.go"} {
		for _, flags := range []string{
			"", "-b", "--root", "-b --root", "-c", "-c -b", "-c -l -e", "-c -t", "-c -n -f -s", "-l", "-s", "-s -f", "-n", "-f -n -e", "-t",
			"--abbrev=12", "--abbrev=2", "--abbrev=0", "-b -l", "-b --abbrev=9 -s", "--date=iso", "--date=iso8601", "--date iso-strict", "--date=iso8601-strict", "--date=rfc",
			"--date=rfc2822 -c", "--date=short", "--date=short -n", "--date=default", "--date=raw", "--date=unix", "--date=unix -c", "-L2,+1", "-L2,+1 -n -b", "-wM", "-sn", "-lwC", "-nfL2,+1", "-wM30",
		} {
			asGit(t, r, append(strings.Fields(flags), "HEAD", "--", path)...)
		}
	}
}

// asGit compares with what git blame prints in the directory that the test stands in.
func asGit(t *testing.T, r *gittest.Repo, args ...string) {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(r.Git(append([]string{"-C", dir, "blame"}, args...)...), strings.TrimSuffix(stemmaBlame(t, args...), "\n")); d != "" {
		t.Errorf("blame %q (-git +stemma):\n%s", args, d)
	}
}

// refused runs stemma, which must fail with this code and say so.
func refused(t *testing.T, code int, why string, args ...string) {
	t.Helper()
	var out, errs bytes.Buffer
	if got := run(t.Context(), args, strings.NewReader(""), &out, &errs); got != code || !strings.Contains(errs.String(), why) {
		t.Errorf("stemma %q: code %d: %s", args, got, errs.String())
	}
}

func TestPathsAreReadAsGitReadsThem(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	r := gittest.New(t)
	byHand(r, r.Commit("one", "src/deep/a.go", "a\n", "top.go", "1\n2\n"), "top.go", 2)
	byHand(r, r.Commit("two", "src/a.go", "a\nb\n"), "src/a.go", 2)
	top, deep := filepath.Join(t.TempDir(), "top"), filepath.Join(t.TempDir(), "src")
	if err := errors.Join(os.Symlink(r.Dir, top), os.Symlink(filepath.Join(r.Dir, "src"), deep)); err != nil {
		t.Fatal(err)
	}
	for dir, names := range map[string][]string{
		r.Dir:                       {"./top.go", "src/../top.go", "src//a.go"},
		filepath.Join(r.Dir, "src"): {"a.go", "./a.go", "../top.go", "./nowhere/../a.go", "../src/a.go"},
		top:                         {"top.go", "./src/a.go"},
		deep:                        {"a.go", "../top.go"},
	} {
		t.Chdir(dir)
		for _, name := range append(names, filepath.Join(r.Dir, "src/a.go"), top+"/top.go", top+"/src/.././/top.go") {
			asGit(t, r, "--", name)
		}
	}
	t.Chdir(filepath.Join(r.Dir, "src"))
	for name, why := range map[string]string{
		"../../top.go": "outside of the repository", "/etc/passwd": "outside of the repository", r.Dir + "x/top.go": "outside of the repository",
		deep + "/a.go": "outside of the repository", "a.go/": "names a directory", "..": "names a directory", r.Dir: "names a directory", ".": "no such path",
		"deep": "no such path",
	} {
		refused(t, 1, why, "blame", "--", name)
		refused(t, 1, why, "explain", name+":1")
	}
	bare := r.Clone("--mirror")
	t.Chdir(bare.Dir)
	asGit(t, bare, "HEAD", "src/../top.go")
	refused(t, 1, "without a work tree", "blame", "HEAD", filepath.Join(r.Dir, "top.go"))
	refused(t, 1, "outside of the repository", "blame", "HEAD", "../top.go")
}

// bySteps is a file that each of some commits made a line longer, two on a branch.
func bySteps(t *testing.T) *gittest.Repo {
	r := gittest.New(t)
	text, branch := "", ""
	step := func(word string) {
		text += word + "\n"
		byHand(r, r.Commit(word, "a.go", text, "b.go", word), "a.go", strings.Count(text, "\n"))
	}
	step("one")
	step("two")
	r.Git("tag", "-a", "-m", "v", "v1")
	r.Git("branch", "side")
	step("three")
	branch = text
	r.Git("checkout", "-q", "side")
	byHand(r, r.Commit("left", "a.go", "left\none\ntwo\n"), "a.go", 1)
	r.Git("checkout", "-q", "main")
	text = "left\n" + branch
	byHand(r, r.Merge("merged", []string{"side"}, "a.go", text), "a.go", 4)
	step("four")
	return r
}

func TestRangesAreThoseOfGitBlame(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	r := bySteps(t)
	t.Chdir(r.Dir)
	for _, args := range []string{
		"HEAD~1..HEAD -- a.go", "v1.. a.go", "^v1 -- a.go", "^side a.go", "^side HEAD -- a.go", "HEAD ^v1 ^side a.go", "v1..side -- a.go", "HEAD^! -- a.go", "HEAD~1^! a.go",
		"HEAD~1^- a.go", "HEAD~1^-2 a.go", "HEAD^@ a.go", "v1^! a.go", "HEAD~2...HEAD a.go", "HEAD..HEAD -- a.go", "HEAD..v1 -- a.go", "v1 -- a.go", "a.go v1", "a.go HEAD",
		"-- a.go v1", "-- a.go ^v1", "-b v1..HEAD a.go", "-c v1..HEAD a.go", "--root v1..HEAD a.go", "-l v1..HEAD a.go", "-L2,4 v1..HEAD a.go", "--first-parent v1..HEAD a.go",
	} {
		asGit(t, r, strings.Fields(args)...)
	}
	for _, revs := range []string{"v1..HEAD", "^side", "HEAD~1^!"} {
		var lines []string
		for line := range strings.Lines(stemmaBlame(t, "--porcelain", revs, "--", "a.go")) {
			if !strings.HasPrefix(line, "stemma-") {
				lines = append(lines, line)
			}
		}
		got := strings.TrimSuffix(strings.Join(lines, ""), "\n")
		if d := cmp.Diff(r.Git("blame", "--porcelain", revs, "--", "a.go"), got); d != "" || !strings.Contains(got, "\nboundary\n") {
			t.Errorf("blame --porcelain %s (-git +stemma):\n%s", revs, d)
		}
	}
	r.Write("a.go", "new\nleft\none\ntwo\nthree\nfour\n")
	for _, args := range []string{"^v1 -- a.go", "HEAD..HEAD -- a.go"} { // what is not committed has the time of day
		asGit(t, r, append([]string{"-s"}, strings.Fields(args)...)...)
	}
	for args, why := range map[string]string{
		"v1..nothing -- a.go": "no such revision", "^nothing a.go": "no such revision", "nothing a.go": "revision nothing: no such revision", "HEAD v1 -- a.go": "more than one commit",
		"HEAD~1^@ -- a.go": "more than one commit", "-- a.go --all": "no such revision", "-- a.go ^--all": "no such revision", "-- a.go v1..--all": "no such revision",
		"-- a.go --output=x": "no such revision",
	} {
		refused(t, 1, why, append([]string{"blame"}, strings.Fields(args)...)...)
	}
	refused(t, 2, "takes a path", "blame", "v1", "--", "a.go", "b.go")
	refused(t, 2, "takes a path", "blame", "v1", "--")
	bare := r.Clone("--mirror")
	t.Chdir(bare.Dir)
	asGit(t, bare, "v1..HEAD", "a.go")
	refused(t, 1, "name a revision", "blame", "^v1", "a.go")
}

func TestShortenedIDsAreAsLongAsInGitBlame(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	r := bySteps(t)
	t.Chdir(r.Dir)
	for _, value := range []string{"4", "39", "40", "no", "auto"} {
		r.Git("config", "core.abbrev", value)
		for _, flags := range []string{"", "-b", "-c", "-l", "--abbrev=9", "--abbrev=39", "--abbrev=40", "--abbrev=0"} {
			asGit(t, r, append(strings.Fields(flags), "v1..HEAD", "--", "a.go")...)
		}
	}
}

// A file may have millions of lines.
func TestALineOfBlameCostsLittle(t *testing.T) {
	const lines = 50_000
	r := gittest.New(t)
	id := r.Commit("one", "a.go", strings.Repeat("a line\n", lines))
	byHand(r, id, "a.go", lines)
	t.Chdir(r.Dir)
	limit := uint64(700) // half of it for what is printed
	if testing.Short() {
		limit *= 2 // the race detector throws away what is kept to be used again
	}
	for _, look := range []string{"--porcelain", "-l"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		stemmaBlame(t, look, "a.go")
		runtime.ReadMemStats(&after)
		if n, size := (after.Mallocs-before.Mallocs)/lines, (after.TotalAlloc-before.TotalAlloc)/lines; n > 0 || size > limit {
			t.Errorf("blame %s: %d pieces of memory a line, %d bytes", look, n, size)
		}
	}
}

func TestUnknownLooksAreRefused(t *testing.T) {
	r := gittest.New(t)
	r.Commit("one", "a.go", "a\n")
	t.Chdir(r.Dir)
	for _, flags := range []string{"--date=relative", "--date=human", "--date=format:%Y", "--date", "--date=iso-local", "--incremental", "--show-stats", "--abbrev=x", "--contents=a.go"} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"blame", flags, "HEAD", "a.go"}, strings.NewReader(""), &out, &errs); code != 2 {
			t.Errorf("blame %s: code %d, %s", flags, code, out.String())
		}
	}
}

func TestTwoLooksAtOnceAreRefused(t *testing.T) {
	r := gittest.New(t)
	r.Commit("one", "a", "1\n")
	t.Chdir(r.Dir)
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"blame", "--json", "--porcelain", "a"}, strings.NewReader(""), &out, &errs)
	if code != 2 || !strings.Contains(errs.String(), "already asked for as json") {
		t.Errorf("code %d, %s", code, errs.String())
	}
}

func TestSubjectOfAnyLengthIsNoTrouble(t *testing.T) {
	r := gittest.New(t)
	r.GitWith([]byte(strings.Repeat("long ", 1<<19)+"\n"), "commit", "-q", "--allow-empty", "-F", "-")
	r.Write("a.go", "a\n")
	r.Git("add", "a.go")
	r.GitWith([]byte(strings.Repeat("long ", 1<<19)+"\n"), "commit", "-q", "-F", "-")
	t.Chdir(r.Dir)
	if got := stemmaBlame(t, "HEAD", "a.go"); !strings.HasSuffix(got, "1) a\n") {
		t.Errorf("blame: %.200q", got)
	}
	if got := stemmaBlame(t, "--porcelain", "HEAD", "a.go"); !strings.Contains(got, "summary long long ") || len(got) > 20<<10 {
		t.Errorf("porcelain of %d bytes: %.300q", len(got), got)
	}
}
