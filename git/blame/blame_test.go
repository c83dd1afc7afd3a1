package blame_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/blame"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/git/quote"
)

const five = "one\ntwo\nthree\nfour\nfive\n"

func open(t *testing.T, dir string) *git.Repo {
	t.Helper()
	r, err := git.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func read(t *testing.T, r *git.Repo, o blame.Options) []blame.Line {
	t.Helper()
	var list []blame.Line
	for l, err := range blame.Lines(t.Context(), r, o) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, l)
	}
	return list
}

func TestBlameAgreesWithGit(t *testing.T) {
	r := gittest.New(t)
	hostile := "\tauthor Evil\nfilename x\n" + strings.Repeat("0", 40) + " 1 1 1\nno\x00text\xff\n"
	r.Commit("one\n\nbody", "old\nname", five+hostile+strings.Repeat("filler\n", 10))
	r.Git("mv", "old\nname", "new \"name")
	r.Commit("two", "other", "moved along\nwith a friend\nand another friend\n")
	r.Commit("three", "new \"name", "zero\n"+five+hostile+strings.Repeat("filler\n", 10)+"moved along\nwith a friend\nand another friend\n")
	repo := open(t, r.Dir)
	for _, flags := range [][]string{nil, {"-w", "-M"}, {"-C", "-C", "-C5", "-s"}, {"-L", "2,4", "-L9,+2"}, {"--since=2023-11-14 22:15:00 +0000"}, {"--ignore-rev", "HEAD", "--porcelain"}} {
		lines := read(t, repo, blame.Options{Rev: "HEAD", Path: "new \"name", Flags: flags})
		var got []string
		for _, l := range lines {
			got = append(got, strings.Join([]string{l.Commit.ID, l.OrigPath, string(l.Text)}, "|"))
		}
		var want []string
		var id, path string
		args := append([]string{"blame", "--line-porcelain"}, flags...)
		for _, line := range strings.Split(r.Git(append(args, "HEAD", "--", "new \"name")...), "\n") {
			if text, ok := strings.CutPrefix(line, "\t"); ok {
				want = append(want, id+"|"+path+"|"+text)
			} else if form, ok := strings.CutPrefix(line, "filename "); ok {
				path, _ = quote.Raw(form)
			} else if head, _, _ := strings.Cut(line, " "); len(head) == 40 {
				id = head
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("blame %q (-want +got):\n%s", flags, d)
		}
	}
	lines := read(t, repo, blame.Options{Rev: "HEAD", Path: "new \"name"})
	first, last := lines[0].Commit, lines[1]
	if first.Summary != "three" || first.Author.Name != "Ada Author" || first.Author.Mail != "ada@example.com" || first.Author.When.Format("15:04 -0700") != "23:16 +0100" {
		t.Errorf("first line comes from %+v", first)
	}
	if last.OrigPath != "old\nname" || last.OrigLine != 1 || last.FinalLine != 2 || !last.Commit.Boundary || last.Commit != lines[2].Commit {
		t.Errorf("second line is %+v of %+v", last, last.Commit)
	}
	if lines[0].Previous != r.Git("rev-parse", "HEAD~1") || lines[0].PreviousPath != "new \"name" {
		t.Errorf("before the first line: %s %q", lines[0].Previous, lines[0].PreviousPath)
	}
}

func TestBlameSeesWhatIsNotCommitted(t *testing.T) {
	r := gittest.New(t)
	r.Commit("one", "dir/f", "a\nb\n")
	repo := open(t, filepath.Join(r.Dir, "dir"))
	id := r.Commit("two, after opening", "dir/f", "a\nb\nc\n")
	r.Write("dir/f", "a\nb\nc\nd\n")
	index, err := os.ReadFile(filepath.Join(r.Dir, ".git/index"))
	if err != nil {
		t.Fatal(err)
	}
	lines := read(t, repo, blame.Options{Path: "dir/f"})
	if len(lines) != 4 || lines[2].Commit.ID != id || lines[3].Commit.Committed() || !lines[2].Commit.Committed() {
		t.Errorf("blame of the work tree: %+v", lines)
	}
	if now, err := os.ReadFile(filepath.Join(r.Dir, ".git/index")); err != nil || string(now) != string(index) {
		t.Errorf("the index was written: %v", err)
	}
}

func TestBlameErrorsAreClear(t *testing.T) {
	r := gittest.New(t)
	r.Commit("one", "f", "a\n")
	repo := open(t, r.Dir)
	for _, o := range []blame.Options{
		{Rev: "HEAD", Path: "absent\x1b[31m"},
		{Rev: "nothing", Path: "f"},
		{Rev: "--output=x", Path: "f"},
		{Rev: "HEAD", Path: "f", Flags: []string{"--contents=/etc/passwd"}},
		{Rev: "HEAD", Path: "f", Flags: []string{"-L"}},
		{Rev: "HEAD", Path: "f", Flags: []string{"-L", "7,9"}},
		{Rev: "HEAD", Path: "f", Flags: []string{"-Mx"}},
	} {
		failed := false
		for _, err := range blame.Lines(t.Context(), repo, o) {
			if failed = err != nil; failed && (strings.ContainsRune(err.Error(), '\x1b') || !strings.HasPrefix(err.Error(), "git")) {
				t.Errorf("%+v: error %q", o, err)
			}
		}
		if !failed {
			t.Errorf("%+v: no error", o)
		}
	}
}
