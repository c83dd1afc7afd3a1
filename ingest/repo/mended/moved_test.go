package mended

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/attribution/diff"
	"github.com/stemma-dev/stemma/attribution/weave"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/gittest"
)

func every(*git.Commit) bool { return true }

// brought says of the lines that the last commit mends how many came from which
// commit, and fails where git blame says otherwise.
func brought(t *testing.T, r *gittest.Repo) (found []string) {
	t.Helper()
	tracer, all := read(t, r.Dir, every)
	count := map[string]int{}
	for _, f := range all {
		if f.commit != r.Head() {
			continue
		}
		_, behind := f.origins(t, tracer)
		by := blame(t, r.Dir, f.parent, f.path)
		for line := range f.each() {
			if behind[line] != by[line].commit {
				t.Errorf("%s:%d comes from %.10s, git blame has %.10s", f.path, line, behind[line], by[line].commit)
			}
			count[r.Git("log", "-1", "--format=%s", behind[line])]++
		}
	}
	for _, title := range slices.Sorted(maps.Keys(count)) {
		found = append(found, fmt.Sprint(title, " ", count[title]))
	}
	return found
}

// mend replaces words in a file and commits that.
func mend(r *gittest.Repo, path string, words ...string) {
	text := r.Git("show", "HEAD:"+path) + "\n"
	r.Commit("fix", path, strings.NewReplacer(words...).Replace(text))
}

func TestFixesAreTracedBehindWhatOnlyMovedTheirLines(t *testing.T) {
	one, two, rest, more := gittest.Lines("one", 6), gittest.Lines("two", 6), gittest.Lines("rest", 30), gittest.Lines("more", 30)
	indent := func(text string) string {
		return "\t" + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n\t") + "\n"
	}
	first := func(text string, lines int) string {
		return strings.Join(strings.SplitAfter(text, "\n")[:lines], "")
	}
	mendOne := []string{"one := value(2", "one := better(2", "one := value(4", "one := better(4"}
	for name, c := range map[string]struct {
		build func(r *gittest.Repo)
		want  []string
	}{
		"moved within a file": {func(r *gittest.Repo) {
			r.Commit("write", "a.go", one+rest)
			r.Commit("move", "a.go", rest+one)
			mend(r, "a.go", mendOne...)
		}, []string{"write 2"}},
		"moved to another file": {func(r *gittest.Repo) {
			r.Commit("write", "a.go", one+rest, "b.go", more)
			r.Commit("move", "a.go", rest, "b.go", more+one)
			mend(r, "b.go", mendOne...)
		}, []string{"write 2"}},
		"moved to a new file": {func(r *gittest.Repo) {
			r.Commit("write", "a.go", one+rest)
			r.Commit("move", "a.go", rest, "b.go", two+one)
			mend(r, "b.go", append(mendOne, "two := value(1", "two := better(1")...)
		}, []string{"move 1", "write 2"}},
		"moved from a file that went away": {func(r *gittest.Repo) {
			r.Commit("write", "a.go", one+rest, "b.go", more)
			r.Git("rm", "-q", "a.go")
			r.Commit("move", "b.go", more+one)
			mend(r, "b.go", mendOne...)
		}, []string{"write 2"}},
		"moved out of a file that was renamed": {func(r *gittest.Repo) {
			r.Commit("write", "a.go", one+rest, "b.go", more)
			r.Git("mv", "a.go", "c.go")
			r.Commit("move", "c.go", rest, "b.go", more+one)
			mend(r, "b.go", mendOne...)
		}, []string{"write 2"}},
		"moved and indented": {func(r *gittest.Repo) {
			r.Commit("write", "a.go", one+rest, "b.go", more)
			r.Commit("move", "a.go", rest, "b.go", more+"for {\n"+indent(one)+"}\n")
			mend(r, "b.go", mendOne...)
		}, []string{"write 2"}},
		"moved and changed": {func(r *gittest.Repo) {
			r.Commit("write", "a.go", one+rest)
			r.Commit("move", "a.go", rest+strings.Replace(one, "one := value(2", "one := worse(2", 1))
			mend(r, "a.go", "one := worse(2", "one := better(2", "one := value(4", "one := better(4")
		}, []string{"move 1", "write 1"}},
		"moved twice": {func(r *gittest.Repo) {
			r.Commit("write", "a.go", one+rest, "b.go", more)
			r.Commit("move", "a.go", rest+one)
			r.Commit("move again", "a.go", rest, "b.go", more+one)
			mend(r, "b.go", mendOne...)
		}, []string{"write 2"}},
		"moved, and then indented": {func(r *gittest.Repo) {
			r.Commit("write", "a.go", one+rest, "b.go", more)
			r.Commit("move", "a.go", rest, "b.go", more+one)
			r.Commit("indent", "b.go", more+indent(one))
			mend(r, "b.go", mendOne...)
		}, []string{"write 2"}},
		"copied within a file": {func(r *gittest.Repo) {
			r.Commit("write", "a.go", one+rest)
			r.Commit("copy", "a.go", one+rest+two+one)
			r.Commit("fix", "a.go", one+rest+two+strings.NewReplacer(mendOne...).Replace(one))
		}, []string{"write 2"}},
		"copied from a file that the commit changed": {func(r *gittest.Repo) {
			r.Commit("write", "a.go", one+rest, "b.go", more)
			r.Commit("copy", "a.go", one+rest+two, "b.go", more+one)
			mend(r, "b.go", mendOne...)
		}, []string{"write 2"}},
		"copied from a file that the commit left alone": {func(r *gittest.Repo) {
			r.Commit("write", "a.go", one+rest, "b.go", more)
			r.Commit("copy", "b.go", more+one)
			mend(r, "b.go", mendOne...)
		}, []string{"copy 2"}},
		"enough text to be moved within a file": {func(r *gittest.Repo) {
			r.Commit("write", "a.go", first(one, 2)+rest)
			r.Commit("move", "a.go", rest+first(one, 2))
			mend(r, "a.go", "one := value(1", "one := better(1")
		}, []string{"write 1"}},
		"too little text to be moved within a file": {func(r *gittest.Repo) {
			r.Commit("write", "a.go", first(one, 1)+rest)
			r.Commit("move", "a.go", rest+first(one, 1))
			mend(r, "a.go", "one := value(0", "one := better(0")
		}, []string{"move 1"}},
		"too little text to be moved to another file": {func(r *gittest.Repo) {
			r.Commit("write", "a.go", first(one, 3)+rest, "b.go", more)
			r.Commit("move", "a.go", rest, "b.go", more+first(one, 3))
			mend(r, "b.go", "one := value(1", "one := better(1")
		}, []string{"move 1"}},
		"moved in a merge": {func(r *gittest.Repo) {
			r.Commit("write", "a.go", one+rest, "b.go", more)
			r.Git("checkout", "-q", "-b", "side")
			r.Commit("side", "c.go", "c\n")
			r.Git("checkout", "-q", "main")
			r.Commit("main", "d.go", "d\n")
			r.Merge("merge", []string{"side"}, "a.go", rest, "b.go", more+two+one)
			mend(r, "b.go", append(mendOne, "two := value(1", "two := better(1")...)
		}, []string{"merge 1", "write 2"}},
		"moved within a file on one side and merged": {func(r *gittest.Repo) {
			r.Commit("write", "a.go", one+rest)
			r.Git("checkout", "-q", "-b", "side")
			r.Commit("move", "a.go", rest+one)
			r.Git("checkout", "-q", "main")
			r.Commit("main", "a.go", one+two+rest)
			r.Merge("merge", []string{"side"}, "a.go", two+rest+one)
			mend(r, "a.go", append(mendOne, "two := value(1", "two := better(1")...)
		}, []string{"main 1", "write 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := gittest.New(t)
			c.build(r)
			if d := cmp.Diff(c.want, brought(t, r)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

func TestWhatCannotBeReadLeavesLinesWhereTheyAre(t *testing.T) {
	one, two, rest, more := gittest.Lines("one", 6), gittest.Lines("two", 6), gittest.Lines("rest", 30), gittest.Lines("more", 30)
	for _, what := range []string{"a.go before", "b.go after"} {
		for _, nonsense := range []bool{false, true} {
			r := gittest.New(t)
			write := r.Commit("write", "a.go", one+rest, "b.go", more)
			move := r.Commit("move", "a.go", rest, "b.go", more+one)
			r.Commit("write more", "b.go", more+one+two)
			mend(r, "b.go", "one := value(2", "one := better(2", "two := value(2", "two := better(2")
			id := r.Git("rev-parse", map[string]string{"a.go before": write + ":a.go", "b.go after": move + ":b.go"}[what])
			tracer, all := read(t, r.Dir, every)
			var missed []string
			tracer.Miss = func(id string) { missed = append(missed, id) }
			path := filepath.Join(r.Dir, ".git", "objects", id[:2], id[2:])
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if nonsense {
				if err := os.WriteFile(path, []byte("nonsense"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			_, behind := all[len(all)-1].origins(t, tracer)
			if behind[33] != move || len(behind) != 2 {
				t.Errorf("%s, nonsense %v: %v, want line 33 of %s", what, nonsense, behind, move)
			}
			if missed = slices.Compact(missed); !slices.Equal(missed, []string{id}) {
				t.Errorf("%s, nonsense %v: missed %v, want %s", what, nonsense, missed, id)
			}
		}
	}
}

// A mover makes a random history of blocks that are written, changed, moved, copied,
// indented and taken away, in files that are renamed, on branches that are merged.
type mover struct {
	*gittest.Repo
	*rand.Rand
	made         *gittest.Import
	files, there map[string][]string // now, and in the last commit
	lines        int
}

func (m *mover) fresh() (block []string) {
	for range 1 + m.IntN(6) {
		m.lines++
		block = append(block, fmt.Sprintf("line%d := unique(%d)", m.lines, m.lines*7919), "}")
	}
	return block
}

func (m *mover) pick() string {
	names := slices.Sorted(maps.Keys(m.files))
	return names[m.IntN(len(names))]
}

// cut is a block of a file, and what is left of the file.
func (m *mover) cut(name string) (block, left []string) {
	text := m.files[name]
	from := m.IntN(len(text) + 1)
	to := min(len(text), from+m.IntN(8))
	return slices.Clone(text[from:to]), slices.Concat(text[:from], text[to:])
}

func (m *mover) put(name string, block []string) {
	m.files[name] = slices.Insert(slices.Clone(m.files[name]), m.IntN(len(m.files[name])+1), block...)
}

func (m *mover) step() {
	for range 1 + m.IntN(3) {
		switch name := m.pick(); m.IntN(8) {
		case 0, 1:
			m.put(name, m.fresh())
		case 2, 3:
			block, left := m.cut(name)
			m.files[name] = left
			m.put(m.pick(), block)
		case 4:
			block, _ := m.cut(name)
			m.put(m.pick(), block)
		case 5:
			block, left := m.cut(name)
			for i := range block {
				block[i] = "\t" + block[i]
			}
			m.files[name] = left
			m.put(name, block)
		case 6:
			_, m.files[name] = m.cut(name)
		case 7:
			m.lines++
			m.files[fmt.Sprintf("f%d.go", m.lines)] = m.files[name]
			delete(m.files, name)
		}
	}
}

func (m *mover) commit(message string) {
	c := gittest.ImportCommit{Ref: "refs/heads/main", Message: message}
	for _, name := range slices.Sorted(maps.Keys(m.there)) {
		if m.files[name] == nil {
			c.Files = append(c.Files, gittest.ImportFile{Path: name})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.files)) {
		c.Files = append(c.Files, gittest.Set(name, strings.Join(m.files[name], "\n")+"\n"))
	}
	m.made.Commit(c)
	m.there = maps.Clone(m.files)
}

// moves makes a random history.
func moves(t *testing.T, seed uint64) *mover {
	r := gittest.New(t)
	m := &mover{Repo: r, Rand: rand.New(rand.NewPCG(seed, 7)), made: r.Import(), files: map[string][]string{}}
	for i := range 4 {
		name := fmt.Sprintf("f%d.go", i)
		for range 4 {
			m.put(name, append(m.fresh(), m.fresh()...))
		}
	}
	m.commit("begin")
	for i := range 40 {
		m.step()
		m.commit(fmt.Sprint("step ", i))
	}
	clear(m.files)
	m.commit("take everything away")
	m.made.Close()
	return m
}

func TestRandomMovesLeadWhereBlameLeads(t *testing.T) {
	var all agreement
	for seed := range uint64(4) {
		m := moves(t, seed)
		tracer, files := read(t, m.Dir, every)
		sum := agree(t, m.Dir, tracer, files)
		all.lines, all.spaced, all.behind = all.lines+sum.lines, all.spaced+sum.spaced, all.behind+sum.behind
	}
	t.Logf("%d lines: %d as git blame -w -M -C behind white space alone, %d behind moves and copies too", all.lines, all.spaced, all.behind)
	if all.lines == 0 || all.behind*100 < all.lines*95 {
		t.Errorf("%d of %d lines come from where git blame says", all.behind, all.lines)
	}
}

// TestEachCommitMovesWhatBlameSaysThatItMoved compares commit by commit: there git
// blame has whole blocks before it, as the Tracer has, and not what later commits
// have left of them.
func TestEachCommitMovesWhatBlameSaysThatItMoved(t *testing.T) {
	lines, differ := 0, 0
	for seed := range uint64(4) {
		m := moves(t, seed)
		tracer, _ := read(t, m.Dir, every)
		for _, commit := range strings.Fields(m.Git("rev-list", "HEAD", "--not", "HEAD~40")) {
			for _, path := range strings.Fields(m.Git("diff-tree", "-r", "--name-only", "--no-commit-id", "--diff-filter=d", commit)) {
				n, d := eachMoved(t, m, tracer, commit, path)
				lines, differ = lines+n, differ+d
			}
		}
	}
	t.Logf("%d of %d lines differ", differ, lines)
	if lines == 0 || differ*100 > lines {
		t.Errorf("%d of %d lines differ", differ, lines)
	}
}

// TestWhatNeedNotBeLookedForIsNotThere asks for every line that every commit added,
// each by itself, with and without what is known of repeats.
func TestWhatNeedNotBeLookedForIsNotThere(t *testing.T) {
	ctx := t.Context()
	lines, looked, found := 0, 0, 0
	for seed := range uint64(4) {
		m := moves(t, seed)
		if seed == 0 { // a file of which not all text is kept, and is copied from
			large := strings.Repeat(strings.Repeat("word ", 100)+"\n", 2500)
			m.Commit("large", "large.go", large+gittest.Lines("large", 20))
			m.Commit("copy", "large.go", "x\n"+large+gittest.Lines("large", 20), "copy.go", gittest.Lines("large", 20))
		}
		known, _ := read(t, m.Dir, every)
		whole, _ := read(t, m.Dir, every)
		whole.Known = nil
		for _, commit := range strings.Fields(m.Git("rev-list", "HEAD")) {
			for _, path := range strings.Fields(m.Git("diff-tree", "-r", "--root", "--name-only", "--no-commit-id", "--diff-filter=d", commit)) {
				made, err := whole.Weave.Made(commit, path)
				if err != nil {
					t.Fatal(err)
				}
				var each [][]weave.LineRun
				for _, own := range made.Own {
					for i := range own.Count {
						each = append(each, []weave.LineRun{{Commit: commit, Path: path, Start: own.Start + i, Line: own.Start + i, Count: 1}})
					}
				}
				want, err := whole.Behind(ctx, each)
				if err != nil {
					t.Fatal(err)
				}
				for i, question := range each {
					got, err := known.Behind(ctx, each[i:i+1])
					if err != nil {
						t.Fatal(err)
					}
					if d := cmp.Diff(want[i], got[0]); d != "" {
						t.Errorf("line %d of %s at %.10s (-want +got):\n%s", question[0].Line, path, commit, d)
					}
					far, err := known.Known.reach(question[0], func() ([]weave.FileLines, error) { return known.Weave.Before(commit) })
					if err != nil {
						t.Fatal(err)
					}
					lines++
					if far != nowhere {
						looked++
					}
					if !cmp.Equal(got[0], question) {
						found++
					}
				}
			}
		}
	}
	t.Logf("%d of %d lines were looked for, %d found", looked, lines, found)
	if found == 0 || looked == lines {
		t.Errorf("%d of %d lines were looked for, %d found", looked, lines, found)
	}
}

// eachMoved compares the lines that a commit added to a file.
func eachMoved(t *testing.T, m *mover, tracer *Tracer, commit, path string) (lines, differ int) {
	made, err := tracer.Weave.Made(commit, path)
	if unknown(err) {
		return 0, 0
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := tracer.load(t.Context(), []weave.LineRun{{Commit: commit, Path: path, Line: 1, Count: diff.MaxLines}}); err != nil {
		t.Fatal(err)
	}
	before, err := tracer.Weave.Before(commit)
	if err != nil {
		t.Fatal(err)
	}
	from := map[int]place{}
	for _, p := range tracer.looked[commit][path].passages {
		old := before[slices.IndexFunc(before, func(f weave.FileLines) bool { return f.Version == p.version })]
		for i := range p.Count {
			from[p.New+i] = place{path: old.Path, line: p.Old + i}
		}
	}
	text := strings.Split(m.Git("show", commit+":"+path), "\n")
	by := blame(t, m.Dir, commit+"^!", path)
	for _, r := range made.Own {
		for line := r.Start; line < r.Start+r.Count; line++ {
			if !strings.Contains(text[line-1], "line") {
				continue
			}
			lines++
			want := by[line]
			if want.commit == commit {
				want = place{}
			}
			if want.commit = ""; from[line] != want {
				differ++
				t.Logf("%.10s %s:%d %q: %v, git blame has %v", commit, path, line, text[line-1], from[line], want)
			}
		}
	}
	return lines, differ
}
