package history_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/git/patch"
)

const five = "one\ntwo\nthree\nfour\nfive\n"

func TestEveryStatusIsTold(t *testing.T) {
	r := gittest.New(t)
	r.Commit("base", "mod", five, "del", "gone\n", "ren", strings.Repeat(five, 3), "exec", "x\n", "empty", "",
		"type", "text\n", "moved", strings.Repeat("same\nlines\n", 5), "open", "no end", "crlf", "a\r\nb\r\n", "bin", "\x00\x01")
	for _, step := range [][]string{
		{"rm", "-q", "del"}, {"mv", "ren", "renamed"}, {"mv", "moved", "sub"}, {"update-index", "--chmod=+x", "exec"},
	} {
		r.Git(step...)
	}
	for _, err := range []error{
		os.Chmod(filepath.Join(r.Dir, "exec"), 0o755), os.Remove(filepath.Join(r.Dir, "type")),
		os.Symlink("target", filepath.Join(r.Dir, "type")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r.Commit("all", "mod", "one\n2\nthree\nfour\nfive\nsix\n", "renamed", strings.Repeat(five, 3)+"more\n",
		"new-empty", "", "open", "with end\n", "crlf", "a\r\nc\r\n", "bin", "\x00\x02", "added", "-- \n++ b\n@@ -1 +1 @@\n=\ndiff --git a/x b/x\n")
	or := read(t, r)
	type told struct {
		Status  patch.Status
		Old     string
		Mode    int
		Hunks   int
		Add     int
		Del     int
		Binary  bool
		OldOpen bool
	}
	got := map[string]told{}
	for _, f := range or.last().Files {
		open := len(f.Hunks) > 0 && f.Hunks[0].OldOpen
		got[f.Path] = told{f.Status, f.OldPath, f.Mode, len(f.Hunks), f.Added, f.Deleted, f.Binary, open}
	}
	want := map[string]told{
		"mod":       {patch.Modified, "mod", 0o100644, 2, 2, 1, false, false},
		"del":       {patch.Deleted, "del", 0, 1, 0, 1, false, false},
		"renamed":   {patch.Renamed, "ren", 0o100644, 1, 1, 0, false, false},
		"sub":       {patch.Renamed, "moved", 0o100644, 0, 0, 0, false, false},
		"exec":      {patch.Modified, "exec", 0o100755, 0, 0, 0, false, false},
		"type":      {patch.TypeChanged, "type", patch.ModeLink, 1, 1, 1, false, false},
		"new-empty": {patch.Added, "new-empty", 0o100644, 0, 0, 0, false, false},
		"open":      {patch.Modified, "open", 0o100644, 1, 1, 1, false, true},
		"crlf":      {patch.Modified, "crlf", 0o100644, 1, 1, 1, false, false},
		"bin":       {patch.Modified, "bin", 0o100644, 0, 0, 0, true, false},
		"added":     {patch.Added, "added", 0o100644, 1, 5, 0, false, false},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("differences (-want +got):\n%s", d)
	}
	if got := string(or.file("crlf").Hunks[0].New[0]); got != "c\r" {
		t.Errorf("line with carriage return is %q", got)
	}
}

func TestCopiesAreFoundWhenAsked(t *testing.T) {
	r := gittest.New(t)
	r.Commit("base", "a", strings.Repeat(five, 4))
	r.Commit("copy", "a", strings.Repeat(five, 4)+"x\n", "b", strings.Repeat(five, 4))
	repo := open(t, r.Dir)
	or := readAll(t, repo, history.Options{Tips: []string{"main"}, Copies: true})
	if f := or.file("b"); f.Status != patch.Copied || f.OldPath != "a" || len(f.Hunks) != 0 {
		t.Errorf("copy is told as %c from %q with %d hunks", f.Status, f.OldPath, len(f.Hunks))
	}
	if f := read(t, r).file("b"); f.Status != patch.Added || f.Added != 20 {
		t.Errorf("unasked copy is told as %c with %d lines", f.Status, f.Added)
	}
}

func TestMergesAreToldAgainstEveryParent(t *testing.T) {
	r := gittest.New(t)
	r.Commit("base", "f", five, "g", five+"g\n", "left", "", "tail", five)
	r.Git("checkout", "-q", "-b", "side")
	r.Commit("side", "f", "one\nTWO\nthree\nfour\nfive\n", "only-side", "s\n", "tail", five+"side\n")
	r.Git("mv", "g", "h")
	r.Commit("rename on side")
	r.Git("checkout", "-q", "main")
	r.Commit("main", "f", "one\nDEUX\nthree\nfour\nFIVE\n", "only-main", "m\n", "tail", "zero\n"+five)
	r.Merge("conflict and evil", []string{"side"}, "f", "one\nTWO and DEUX\nthree\nFIVE", "h", five+"g\nevil\n", "evil", "new\n")
	or := read(t, r)
	c := or.last()
	if !c.Merge() || len(c.Parents) != 2 {
		t.Fatalf("last commit has parents %v", c.Parents)
	}
	f := or.file("f")
	if f.Added != 2 || f.Deleted != 1 {
		t.Errorf("merge of f: %d lines of its own, %d dropped from both, want 2 and 1", f.Added, f.Deleted)
	}
	if f := or.file("evil"); f.Status != patch.Added || f.Added != 1 || f.OldBlob != "" {
		t.Errorf("evil file is told as %+v", f)
	}
	if p := or.file("h").Parents[0]; p.Status != patch.Renamed || p.Path != "g" {
		t.Errorf("h against the first parent is %c of %q, want a rename of g", p.Status, p.Path)
	}
	if or.file("tail").Added != 0 {
		t.Error("a clean merge of both sides has lines of its own")
	}
	var taken []string
	for _, p := range c.Taken {
		taken = append(taken, string(rune(p.Status))+p.Path)
		if p.Parent != 1 {
			t.Errorf("%s is taken from parent %d", p.Path, p.Parent)
		}
	}
	if d := cmp.Diff([]string{"Dg", "Aonly-side"}, taken); d != "" {
		t.Errorf("taken paths (-want +got):\n%s", d)
	}
}

func TestOctopusMergeIsToldAgainstAllParents(t *testing.T) {
	r := gittest.New(t)
	r.Commit("base", "f", strings.Repeat("pad\n", 3)+five+strings.Repeat("pad\n", 3)+five)
	for i, b := range []string{"b1", "b2", "b3"} {
		r.Git("checkout", "-q", "-b", b, "main")
		r.Commit(b, b, b+"\n", "f", strings.Repeat("pad\n", 3+i)+five+strings.Repeat("pad\n", 3)+five)
	}
	tree := r.Git("write-tree")
	id := r.Git("commit-tree", tree, "-p", "main", "-p", "b1", "-p", "b2", "-p", "b3", "-m", "octopus")
	r.Git("reset", "-q", "--hard", id)
	r.Write("f", "new\n"+five+"pad\nother\n"+five[:len(five)-1])
	r.Git("add", "-A")
	r.Git("commit", "-q", "--amend", "-m", "evil octopus")
	or := read(t, r)
	if f := or.file("f"); len(f.Parents) != 4 || f.Added != 3 {
		t.Errorf("octopus: %d parents, %d own lines, want 4 and 3", len(f.Parents), f.Added)
	}
	if c := or.last(); len(c.Taken) != 1 || c.Taken[0].Path != "b3" || c.Taken[0].Parent != 0 {
		t.Errorf("octopus takes %+v", c.Taken)
	}
}

func TestLargeFilesAreNotCompared(t *testing.T) {
	r := gittest.New(t)
	r.Commit("base", "small", five, "large", strings.Repeat(five, 100))
	r.Git("checkout", "-q", "-b", "side")
	r.Commit("side", "large", "a\n"+strings.Repeat(five, 100))
	r.Git("checkout", "-q", "main")
	r.Commit("main", "large", strings.Repeat(five, 100)+"b\n")
	r.Git("merge", "-q", "--no-commit", "side")
	r.Write("large", strings.Repeat(five, 100)+"own\n")
	r.Git("add", "-A")
	r.Git("commit", "-qm", "evil merge")
	for c, err := range history.Log(t.Context(), open(t, r.Dir), history.Options{Tips: []string{"main"}, MaxFile: 500}) {
		if err != nil || c.Damage != nil {
			t.Fatal(err, c)
		}
		for _, f := range c.Files {
			if large := f.Path == "large" && f.Parents == nil; f.Binary != large || large != (f.Added == 0) {
				t.Errorf("%s of %q: binary %v, %d lines added", f.Path, c.Message, f.Binary, f.Added)
			}
		}
	}
}

// Every merge of a long random history is checked by the oracle.
func TestRandomMergesAddUp(t *testing.T) {
	r := gittest.New(t)
	im := r.Import()
	seed := uint32(7)
	next := func(n int) int {
		seed = seed*1664525 + 1013904223
		return int(seed>>8) % n
	}
	text := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteString(string(rune('a'+next(4))) + "\n")
		}
		return b.String()[:max(0, 2*n-next(2))]
	}
	marks := []int{im.Commit(gittest.ImportCommit{Ref: "refs/heads/x", Message: "root", Files: []gittest.ImportFile{gittest.Set("f", text(9))}})}
	for i := range 300 {
		c := gittest.ImportCommit{Ref: "refs/heads/x", Message: "c"}
		for range 1 + next(4) {
			if p := marks[len(marks)-1-next(min(len(marks), 6))]; !slices.Contains(c.Parents, p) {
				c.Parents = append(c.Parents, p)
			}
		}
		if i == 299 {
			c.Parents = marks[len(marks)-5:]
		}
		name := []string{"f", "g", "h"}[next(3)]
		c.Files = append(c.Files, gittest.Set("f", text(next(12))), gittest.Set(name, text(next(9))))
		if next(5) == 0 {
			c.Files = append(c.Files, gittest.ImportFile{Path: "g"})
		}
		marks = append(marks, im.Commit(c))
	}
	im.Close()
	or := readAll(t, open(t, r.Dir), history.Options{Tips: []string{"x"}})
	merged := 0
	for _, c := range or.order {
		if c.Merge() {
			merged += len(c.Files)
		}
		if c.Damage != nil {
			t.Errorf("commit %s: %v", c.ID, c.Damage)
		}
	}
	if merged < 100 {
		t.Errorf("only %d files of merges were compared", merged)
	}
}

func TestHostileNamesComeThrough(t *testing.T) {
	r := gittest.New(t)
	names := []string{
		"new\nline", "tab\there", `quo"te`, `"quoted"`, "-rf", "--exec=x", "caf\xe9", "\xff\xfe", " lead", "trail ", "a b/c d",
		"back\\slash", "bell\a", "ünï", "=", "diff --git a/f b/f", "a => b", "colon:name", "*", ":(glob)x", "\x1b[31mred",
	}
	var files, changed, renamed []gittest.ImportFile
	for i, n := range names {
		body := strings.Repeat(five, 2) + strings.Repeat(n, 2) + string(rune('a'+i)) + "\n"
		files = append(files, gittest.Set(n, body))
		changed = append(changed, gittest.Set(n, "first\n"+body))
		renamed = append(renamed, gittest.ImportFile{Path: n}, gittest.Set("dir/"+n, "first\n"+body))
	}
	im := r.Import()
	im.Commit(gittest.ImportCommit{Ref: "refs/heads/main", Message: "add", Files: files})
	im.Commit(gittest.ImportCommit{Ref: "refs/heads/main", Message: "change", Files: changed})
	im.Commit(gittest.ImportCommit{Ref: "refs/heads/main", Message: "rename", Files: renamed})
	im.Close()
	or := read(t, r)
	for i, c := range or.order {
		var got []string
		for _, f := range c.Files {
			got = append(got, strings.TrimPrefix(f.Path, "dir/"))
			if len(f.Hunks) != 1 && i < 2 {
				t.Errorf("%q has %d hunks", f.Path, len(f.Hunks))
			}
			if i == 2 && f.Status != patch.Renamed {
				t.Errorf("%q has status %c", f.Path, f.Status)
			}
		}
		slices.Sort(got)
		if d := cmp.Diff(slices.Sorted(slices.Values(names)), got); d != "" {
			t.Errorf("commit %d (-want +got):\n%s", i, d)
		}
	}
}

// A tree may hold names that no checkout would make.
func TestNamesThatLeaveTheTreeAreBytes(t *testing.T) {
	r := gittest.New(t)
	blob := r.GitWith([]byte("x\n"), "hash-object", "-w", "--stdin")
	tree := r.GitWith([]byte("100644 blob "+blob+"\t..\n100644 blob "+blob+"\t.git\n"), "mktree")
	outer := r.GitWith([]byte("040000 tree "+tree+"\t..\n"), "mktree")
	r.Git("update-ref", "refs/heads/main", r.Git("commit-tree", outer, "-m", "escape"))
	or := read(t, r)
	var got []string
	for _, f := range or.last().Files {
		got = append(got, f.Path)
	}
	if d := cmp.Diff([]string{"../..", "../.git"}, got); d != "" {
		t.Errorf("paths (-want +got):\n%s", d)
	}
}

func TestHostileMessagesStayMessages(t *testing.T) {
	r := gittest.New(t)
	messages := []string{
		"", "\n\nlead", "x\ncommit deadbeef\nauthor Me <me@x> 1 +0000\n", "diff --git a/f b/f\n@@ -1 +1 @@\n-x\n+y\n=\n",
		"=\n", "tail  \n\n\n", "\x1b[2J<script>", "bad \xff\xfe utf-8", "gpgsig -----BEGIN PGP SIGNATURE-----\n",
	}
	im := r.Import()
	for i, m := range messages {
		im.Commit(gittest.ImportCommit{Ref: "refs/heads/main", Message: m, Files: []gittest.ImportFile{gittest.Set("f", strings.Repeat("l\n", i))}})
	}
	im.Close()
	or := read(t, r)
	for i, c := range or.order {
		if c.Message != messages[i] {
			t.Errorf("message %d is %q, want %q", i, c.Message, messages[i])
		}
		if c.Signature != git.Unsigned {
			t.Errorf("message %d counts as a signature", i)
		}
	}
}

func TestMessageInAnotherEncodingIsDecoded(t *testing.T) {
	r := gittest.New(t)
	r.Env = []string{"GIT_AUTHOR_NAME=J\xf6rg"}
	r.Git("config", "i18n.commitEncoding", "ISO-8859-1")
	r.Commit("gr\xfc\xdfe\n", "f", "x\n")
	c := read(t, r).last()
	if c.Message != "grüße\n" || c.Author.Name != "Jörg" || c.Encoding != "ISO-8859-1" {
		t.Errorf("got message %q by %q in %q", c.Message, c.Author.Name, c.Encoding)
	}
}

func TestCommitHeadersAreRead(t *testing.T) {
	r := gittest.New(t)
	r.Commit("first", "f", "x\n")
	tree := r.Git("rev-parse", "HEAD^{tree}")
	raw := "tree " + tree + "\nparent " + r.Head() + "\nauthor A  B <a@x> 1700000000 -0530\ncommitter no mail here\n" +
		"gpgsig -----BEGIN SSH SIGNATURE-----\n abc\n -----END SSH SIGNATURE-----\nchange-id zzyx\n\nbody\x00after"
	id := r.GitWith([]byte(raw), "hash-object", "-w", "-t", "commit", "--literally", "--stdin")
	c := readAll(t, open(t, r.Dir), history.Options{Tips: []string{id}}).last()
	if c.ID != id || c.Signature != git.SSH || c.Message != "body\x00after" || c.Author.Name != "A  B" || c.Tree != tree {
		t.Errorf("read %+v", c)
	}
	if got := c.Author.When.Format("2006-01-02T15:04:05-07:00"); got != "2023-11-14T16:43:20-05:30" {
		t.Errorf("author date %s", got)
	}
	if !c.Committer.Malformed || !c.Committer.When.IsZero() || c.Committer.Name != "no mail here" {
		t.Errorf("malformed committer is %+v", c.Committer)
	}
	if d := cmp.Diff([]git.Header{{Key: "change-id", Value: "zzyx"}}, c.Extra); d != "" {
		t.Errorf("further headers (-want +got):\n%s", d)
	}
}

func TestLimitsDropTextButNoNumbers(t *testing.T) {
	r := gittest.New(t)
	r.Commit("big", "long", strings.Repeat("x", 1<<20)+"\nshort\n", "many", strings.Repeat("line\n", 5000))
	r.Commit("spread", "many", strings.Repeat("line\nline\nother\n", 1600)+strings.Repeat("line\n", 200))
	repo := open(t, r.Dir)
	or := readAll(t, repo, history.Options{Tips: []string{"HEAD"}, MaxLine: 100, MaxFileText: 10_000, MaxHunks: 50, MaxMessage: 3})
	for _, f := range or.order[0].Files {
		if !f.TextDropped || len(f.Hunks) != 1 || f.Hunks[0].NewLines != f.Added {
			t.Errorf("%s: dropped %v, %d hunks", f.Path, f.TextDropped, len(f.Hunks))
		}
	}
	if f := or.order[0].Files[0]; f.Added != 2 || len(f.Hunks[0].New[0]) != 100 || string(f.Hunks[0].New[1]) != "short" {
		t.Errorf("long: +%d, first line of %d bytes", f.Added, len(f.Hunks[0].New[0]))
	}
	if or.order[0].Message != "big" || or.order[0].Cut || or.order[1].Message != "spr" || !or.order[1].Cut {
		t.Errorf("messages %q and %q", or.order[0].Message, or.order[1].Message)
	}
	f := or.file("many")
	last := f.Hunks[len(f.Hunks)-1]
	if len(f.Hunks) != 50 || !f.Coarse || last.NewStart+last.NewLines-1 != 4800 {
		t.Errorf("many: %d hunks, coarse %v, last +%d,%d", len(f.Hunks), f.Coarse, last.NewStart, last.NewLines)
	}
	grow := 0
	for _, h := range f.Hunks {
		grow += h.NewLines - h.OldLines
	}
	if grow != 0 || f.Added != f.Deleted {
		t.Errorf("many: coarse hunks change the length by %d", grow)
	}
}

func TestLogStopsWhenAsked(t *testing.T) {
	r := gittest.New(t)
	for i := range 40 {
		r.Commit("c", "f", strings.Repeat("l\n", i))
	}
	repo := open(t, r.Dir)
	n := 0
	for _, err := range history.Log(t.Context(), repo, history.Options{Tips: []string{"HEAD"}, Not: []string{"HEAD~30"}}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 3 {
			break
		}
	}
	if all := readAll(t, repo, history.Options{Tips: []string{"HEAD"}, Not: []string{strings.Repeat("1", 40)}}); len(all.order) != 40 {
		t.Errorf("an unknown Not leaves %d commits, want 40", len(all.order))
	}
	if _, err := repo.Resolve(t.Context(), "--all"); !errors.Is(err, git.ErrBadRevision) {
		t.Errorf("an option as revision: %v", err)
	}
}

func TestOnlyGivesTheTipsInTheirOrder(t *testing.T) {
	r := gittest.New(t)
	var ids []string
	for i := range 6 {
		ids = append(ids, r.Commit("c", "f", strings.Repeat("l\n", i+1)))
	}
	tips := []string{ids[4], ids[1], ids[5]}
	var got []string
	for c, err := range history.Log(t.Context(), open(t, r.Dir), history.Options{Tips: tips, Only: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, c.ID); len(c.Files) != 1 || c.Files[0].Added != 1 {
			t.Errorf("commit %s changes %+v", c.ID, c.Files)
		}
	}
	if !slices.Equal(got, tips) {
		t.Errorf("got %v, want %v", got, tips)
	}
}

func TestProcessesDoNotGrowWithHistory(t *testing.T) {
	count := func(n int) int {
		r := gittest.New(t)
		im := r.Import()
		for i := range n {
			im.Commit(gittest.ImportCommit{Ref: "refs/heads/main", Message: "c", Files: []gittest.ImportFile{gittest.Set("f", strings.Repeat("l\n", i%50))}})
		}
		im.Close()
		repo := open(t, r.Dir)
		if got := len(readLog(t, repo, "main")); got != n {
			t.Errorf("read %d commits, want %d", got, n)
		}
		if _, err := repo.Refs(t.Context()); err != nil {
			t.Fatal(err)
		}
		return repo.Processes()
	}
	if few, many := count(3), count(2000); few != many {
		t.Errorf("%d processes for 3 commits, %d for 2000", few, many)
	}
}

func readLog(t *testing.T, r *git.Repo, tips ...string) []*history.Commit {
	t.Helper()
	var list []*history.Commit
	for c, err := range history.Log(t.Context(), r, history.Options{Tips: tips}) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	return list
}

func TestCancellingEndsTheProcesses(t *testing.T) {
	r := gittest.New(t)
	im := r.Import()
	for i := range 500 {
		im.Commit(gittest.ImportCommit{Ref: "refs/heads/main", Message: "c", Files: []gittest.ImportFile{gittest.Set("f", strings.Repeat("l\n", i))}})
	}
	im.Close()
	repo := open(t, r.Dir)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var last error
	for _, err := range history.Log(ctx, repo, history.Options{Tips: []string{"main"}}) {
		if last = err; n == 10 {
			cancel()
		}
		n++
	}
	if !errors.Is(last, context.Canceled) || n > 100 {
		t.Errorf("after cancelling: %v and %d commits", last, n)
	}
	if out, err := exec.Command("ps", "--ppid", strconv.Itoa(os.Getpid()), "-o", "comm=").CombinedOutput(); strings.Contains(string(out), "git") {
		t.Errorf("children are left: %s %v", out, err)
	}
}
