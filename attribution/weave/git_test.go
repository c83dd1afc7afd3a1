package weave

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/attribution/diff"
)

var (
	weaveRepo  = flag.String("weave.repo", "", "also compare every file at HEAD of this repository with git blame")
	weaveSeeds = flag.Int("weave.seeds", 210, "random histories to compare with git blame")
	weaveFirst = flag.Uint64("weave.first", 1, "seed of the first one")
)

// git runs the git command, which must succeed.
func git(t testing.TB, dir string, in []byte, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("git", append([]string{
		"-C", dir, "-c", "core.quotePath=false", "-c", "diff.renameLimit=100000", "-c", "core.attributesFile=/dev/null",
	}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	cmd.Stdin = bytes.NewReader(in)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return out
}

// weaveOf reads what the tips of a repository reach into a new Weave.
func weaveOf(t testing.TB, dir string, tips ...string) *Weave {
	t.Helper()
	w := New()
	for _, s := range stepsOf(t, dir, tips...) {
		faults, err := w.Add(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range faults {
			t.Fatal(f)
		}
	}
	return w
}

// stepsOf asks git for every commit's differences to each of its parents.
func stepsOf(t testing.TB, dir string, tips ...string) []Step {
	t.Helper()
	empty := strings.TrimSpace(string(git(t, dir, nil, "hash-object", "-t", "tree", "--stdin")))
	log := git(t, dir, nil, append([]string{"log", "--topo-order", "--reverse", "--format=%H %T %P"}, tips...)...)
	trees := map[string]string{}
	var steps []Step
	var pairs bytes.Buffer
	for line := range strings.Lines(string(log)) {
		f := strings.Fields(line)
		steps = append(steps, Step{Commit: f[0], Parents: f[2:]})
		trees[f[0]] = f[1]
		for _, p := range f[2:] {
			fmt.Fprintln(&pairs, trees[p], f[1])
		}
		if len(f) == 2 {
			fmt.Fprintln(&pairs, empty, f[1])
		}
	}
	out := git(t, dir, pairs.Bytes(), "diff-tree", "--stdin", "-r", "-M", "-U0", "--raw", "-p", "--full-index", "--no-ext-diff", "--no-textconv")
	r := &diffReader{t: t, lines: strings.Split(string(out), "\n")}
	for i := range steps {
		s := &steps[i]
		var diffs []map[string]*treeDiff
		for range max(1, len(s.Parents)) {
			diffs = append(diffs, r.pair())
		}
		s.fill(diffs)
	}
	return steps
}

// treeDiff is one path of the difference of two trees.
type treeDiff struct {
	old, blob, oldBlob string
	status             byte
	binary             bool
	hunks              []diff.Hunk
}

type diffReader struct {
	t     testing.TB
	lines []string
}

func (r *diffReader) pair() map[string]*treeDiff {
	head := strings.Fields(r.lines[0])
	if len(head) != 2 {
		r.t.Fatalf("%q, want two trees", r.lines[0])
	}
	r.lines = r.lines[1:]
	diffs := map[string]*treeDiff{}
	var cur *treeDiff
	for ; len(r.lines) > 0 && !isPair(r.lines[0]); r.lines = r.lines[1:] {
		line := r.lines[0]
		switch {
		case strings.HasPrefix(line, ":"):
			meta, paths, _ := strings.Cut(line, "\t")
			f := strings.Fields(meta)
			old, path, two := strings.Cut(paths, "\t")
			if !two {
				path = old
			}
			if f[0] == ":160000" || f[1] == "160000" {
				continue
			}
			d := &treeDiff{old: old, blob: f[3], oldBlob: f[2], status: f[4][0]}
			if d.status == 'A' || d.status == 'T' {
				d.old = ""
			}
			diffs[path] = d
		case strings.HasPrefix(line, "diff --git "):
			cur = nil
			for path, d := range diffs {
				old := d.old
				if old == "" {
					old = path
				}
				if line == "diff --git a/"+old+" b/"+path {
					cur = d
				}
			}
		case cur == nil:
		case strings.HasPrefix(line, "Binary files "):
			cur.binary = true
		case strings.HasPrefix(line, "deleted file ") && cur.status == 'T':
			cur = nil
		case strings.HasPrefix(line, "@@ "):
			f := strings.Fields(line)
			var h diff.Hunk
			h.OldStart, h.OldLines = span(r.t, f[1])
			h.NewStart, h.NewLines = span(r.t, f[2])
			cur.hunks = append(cur.hunks, h)
			for range h.OldLines + h.NewLines { // their text may look like anything
				r.lines = r.lines[1:]
				if strings.HasPrefix(r.lines[0], "\\") {
					r.lines = r.lines[1:]
				}
			}
		}
	}
	return diffs
}

// isPair reports whether a line names two trees.
func isPair(s string) bool { return len(s) > 40 && len(strings.Fields(s)) == 2 && isHex(s) }

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef ") == "" }

func span(t testing.TB, s string) (start, count int) {
	a, b, ok := strings.Cut(s[1:], ",")
	if !ok {
		b = "1"
	}
	start, err := strconv.Atoi(a)
	if err == nil {
		count, err = strconv.Atoi(b)
	}
	if err != nil {
		t.Fatalf("range %q: %v", s, err)
	}
	return start, count
}

// fill turns the differences to each parent into those of a Step.
func (s *Step) fill(diffs []map[string]*treeDiff) {
	gone := map[string]bool{}
	for path, d := range diffs[0] {
		if d.status == 'R' {
			gone[d.old] = true
		}
		if d.status == 'D' {
			gone[path] = true
			continue
		}
		f := FileStep{Path: path, Blob: d.blob}
		for i, other := range diffs {
			o := other[path]
			if o == nil {
				f.Path = ""
				break
			}
			f.Unknown = f.Unknown || o.binary
			old := OldFile{Path: o.old, Hunks: o.hunks, Moved: i == 0 && o.status == 'R'}
			if old.Path != "" {
				old.Blob = o.oldBlob
			}
			f.Old = append(f.Old, old)
		}
		if f.Path == "" {
			s.Taken = append(s.Taken, TakenPath{Path: path, Blob: d.blob})
			continue
		}
		s.Files = append(s.Files, f)
	}
	for path := range gone {
		if d := diffs[0][path]; d == nil || d.status == 'D' {
			s.Files = append(s.Files, FileStep{Path: path, Deleted: true})
		}
	}
}

// gitBlame returns the runs that git blame tells of a file.
func gitBlame(t testing.TB, dir, commit, path string) []LineRun {
	t.Helper()
	var runs []LineRun
	for line := range bytes.Lines(git(t, dir, nil, "blame", "--incremental", commit, "--", path)) {
		f := strings.Fields(string(line))
		if len(f) == 4 && len(f[0]) == 40 && isHex(f[0]) {
			var n [3]int
			for i := range n {
				n[i], _ = strconv.Atoi(f[i+1])
			}
			runs = append(runs, LineRun{Commit: f[0], Line: n[0], Start: n[1], Count: n[2]})
		} else if name, ok := strings.CutPrefix(string(line), "filename "); ok {
			runs[len(runs)-1].Path = strings.TrimSuffix(name, "\n")
		}
	}
	slices.SortFunc(runs, func(a, b LineRun) int { return a.Start - b.Start })
	return runs
}

// perLine takes runs apart, and says what the content of each line is told by.
func perLine(runs []LineRun) []string {
	var lines []string
	for _, r := range runs {
		for i := range r.Count {
			s := fmt.Sprintf("%s %s:%d", r.Commit, r.Path, r.Line+i)
			if r.Unknown {
				s += " unknown"
			}
			lines = append(lines, s)
		}
	}
	return lines
}

// TestWeaveAgreesWithGitBlame compares every line of every file at every branch
// of random histories. Where every line is unique, nothing may differ.
func TestWeaveAgreesWithGitBlame(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, nil, "init", "-q", "--bare")
	var stream bytes.Buffer
	for seed := *weaveFirst; seed < *weaveFirst+uint64(*weaveSeeds); seed++ {
		stream.Write(newHistory(seed, seed%3 != 0).grow(25))
	}
	git(t, dir, stream.Bytes(), "fast-import", "--quiet", "--date-format=raw")
	w := weaveOf(t, dir, "--all")
	var lines, differ, repeated, excused int
	for line := range strings.Lines(string(git(t, dir, nil, "for-each-ref", "--format=%(refname) %(objectname)"))) {
		ref, commit, _ := strings.Cut(strings.TrimSpace(line), " ")
		var seed uint64
		var branch int
		if _, err := fmt.Sscanf(ref, "refs/heads/s%d/b%d", &seed, &branch); err != nil {
			t.Fatal(err)
		}
		for f, err := range w.Tip(commit) {
			if err != nil {
				t.Fatal(err)
			}
			got, want := perLine(f.Runs), perLine(gitBlame(t, dir, commit, f.Path))
			bad := disagree(got, want)
			lines += len(want)
			if seed%3 == 0 {
				repeated += len(want)
			}
			differ += bad
			if bad > 0 && severalCandidates(t, dir, commit) {
				excused += bad
				t.Logf("%s: %s: %d of %d lines differ in a history where a rename has several candidates", ref, f.Path, bad, len(want))
			} else if bad > 0 {
				t.Errorf("%s: %s: %d of %d lines differ\n%s", ref, f.Path, bad, len(want), firstDifference(got, want))
			}
		}
	}
	t.Logf("%d lines in %d histories (%d among repeated lines), %d differ, of which %d for renames", lines, *weaveSeeds, repeated, differ, excused)
	if 200*excused > lines {
		t.Errorf("%d of %d lines differ from git blame where a rename has several candidates, more than 0.5 %%", excused, lines)
	}
}

// severalCandidates reports whether some commit made several new files that are
// like one old file. Of these the difference of two trees names one as the
// renamed one, but git blame, which looks for the old file of one path alone,
// finds that old file for each of them: the one difference in rules there is.
func severalCandidates(t testing.TB, dir, commit string) bool {
	t.Helper()
	out := git(t, dir, nil, "log", commit, "-m", "-C", "--raw", "--format=")
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 4 && f[4][0] == 'C' {
			return true
		}
	}
	return false
}

func disagree(got, want []string) int {
	bad := max(len(got), len(want)) - min(len(got), len(want))
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			bad++
		}
	}
	return bad
}

func firstDifference(got, want []string) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Sprintf("line %d: got %s\n      git says %s", i+1, got[i], want[i])
		}
	}
	return fmt.Sprintf("got %d lines, git says %d", len(got), len(want))
}

// TestWeaveAgreesOnGivenRepository measures a real repository: see -weave.repo.
func TestWeaveAgreesOnGivenRepository(t *testing.T) {
	dir := *weaveRepo
	if dir == "" {
		dir = t.TempDir()
		git(t, dir, nil, "init", "-q", "--bare", "-b", "main")
		git(t, dir, newHistory(7, true).grow(100), "fast-import", "--quiet", "--date-format=raw")
		git(t, dir, nil, "symbolic-ref", "HEAD", "refs/heads/s7/b0")
	}
	w := weaveOf(t, dir, "HEAD")
	commit := strings.TrimSpace(string(git(t, dir, nil, "rev-parse", "HEAD")))
	var lines, differ, files, unknown int
	for f, err := range w.Tip(commit) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Lines <= 0 {
			continue
		}
		files++
		got, want := perLine(f.Runs), perLine(gitBlame(t, dir, commit, f.Path))
		lines += len(want)
		for _, g := range got {
			if strings.HasSuffix(g, " unknown") {
				unknown++
			}
		}
		if bad := disagree(got, want); bad > 0 {
			differ += bad
			t.Logf("%s: %d of %d lines differ\n%s", f.Path, bad, len(want), firstDifference(got, want))
		}
	}
	t.Logf("%d files, %d lines, %d differ, %d unknown", files, lines, differ, unknown)
	if 1000*differ > lines {
		t.Errorf("%d of %d lines differ from git blame, more than 0.1 %%", differ, lines)
	}
}
