package mended

import (
	"bufio"
	"bytes"
	"cmp"
	"flag"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/attribution/weave"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/ingest/repo/clone"
	"github.com/stemma-dev/stemma/ingest/repo/lines"
	"github.com/stemma-dev/stemma/ingest/settle/bind"
)

var (
	mendedRepo  = flag.String("mended.repo", "", "also compare what the fixes of this repository mend with git blame")
	mendedFiles = flag.Int("mended.files", 200, "how many of the files that they mend")
)

// A fixed is a file of which a commit mends lines.
type fixed struct{ commit, parent, title, path, lines string }

// read reads a repository as a scan does, without a store: the Tracer, and what is
// mended by the commits for which mends holds.
func read(t testing.TB, dir string, mends func(*git.Commit) bool) (*Tracer, []fixed) {
	t.Helper()
	r, err := git.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	c, err := clone.Open(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	tracer := &Tracer{
		Repo: c, Weave: weave.New(), space: map[string]respacings{}, looked: map[string]map[string]looked{}, Known: &Repeats{},
		Miss: func(id string) { t.Logf("%s is not to be had", id) },
	}
	t.Cleanup(tracer.Close)
	var all []fixed
	for h, err := range history.Log(t.Context(), r, history.Options{Tips: c.Tips()}) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tracer.Weave.Add(lines.Step(h)); err != nil {
			t.Fatal(err)
		}
		tracer.Known.Add(h, bind.SourceOf(h))
		tracer.space[h.ID] = respacings{}
		for i := range h.Files {
			f := &h.Files[i]
			if s := Respaced(f); len(f.Parents) == 0 && s != "" {
				tracer.space[h.ID][f.Path] = respacing{cmp.Or(f.OldPath, f.Path), parseRespaced(s)}
			}
			if len(h.Parents) == 1 && f.OldBlob != "" && !f.Submodule() && mends(&h.Commit) {
				if m := Lines(f); m != "" {
					title, _, _ := strings.Cut(h.Message, "\n")
					all = append(all, fixed{h.ID, h.Parents[0], title, cmp.Or(f.OldPath, f.Path), m})
				}
			}
		}
	}
	return tracer, all
}

// origins are the commits that brought the mended lines of a file, by line: behind
// what only spaced them anew, and behind what moved and copied them too. What is not
// known is missing.
func (f fixed) origins(t testing.TB, tracer *Tracer) (spaced, behind map[int]string) {
	t.Helper()
	blind := &Tracer{Weave: tracer.Weave, space: tracer.space, looked: map[string]map[string]looked{}}
	spaced, behind = map[int]string{}, map[int]string{}
	for line := range f.each() {
		runs, err := tracer.Removed(f.commit, f.path, strconv.Itoa(line))
		if err != nil {
			t.Fatal(err)
		}
		answers, err := tracer.Behind(t.Context(), [][]weave.LineRun{runs})
		if err != nil {
			t.Fatal(err)
		}
		for into, runs := range map[*map[int]string][]weave.LineRun{&spaced: blind.behindSpace(t, runs), &behind: answers[0]} {
			if len(runs) == 1 && !runs[0].Unknown {
				(*into)[line] = runs[0].Commit
			}
		}
	}
	return spaced, behind
}

// behindSpace follows lines without looking for blocks.
func (t *Tracer) behindSpace(tb testing.TB, open []weave.LineRun) (settled []weave.LineRun) {
	tb.Helper()
	for len(open) > 0 {
		r := open[0]
		if t.looked[r.Commit] == nil {
			t.looked[r.Commit] = map[string]looked{}
		}
		p, err := t.page(r.Commit, r.Path)
		if err != nil {
			tb.Fatal(err)
		}
		if p != nil {
			t.keep(r.Commit, nowhere, p)
		}
		older, rest, err := t.divide(r)
		if err != nil {
			tb.Fatal(err)
		}
		open, settled = append(open[1:], older...), append(settled, rest...)
	}
	return settled
}

// each are the mended lines.
func (f fixed) each() map[int]bool {
	all := map[int]bool{}
	for _, r := range parseRanges(f.lines) {
		for i := range r.Count {
			all[r.Start+i] = true
		}
	}
	return all
}

// A place is a line of a file at a commit.
type place struct {
	commit, path string
	line         int
}

// blame asks git where every line of a file comes from.
func blame(t testing.TB, dir, rev, path string) map[int]place {
	t.Helper()
	cmd := exec.Command("git", "-C", dir, "blame", "-w", "-M", "-C", "--line-porcelain", rev, "--", path)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git blame %s %s: %v", rev, path, err)
	}
	by := map[int]place{}
	for told, line := bufio.NewReader(bytes.NewReader(out)), 0; ; {
		s, err := told.ReadString('\n')
		if err != nil {
			return by
		}
		s = strings.TrimSuffix(s, "\n")
		head := strings.Fields(s)
		switch name, isName := strings.CutPrefix(s, "filename "); {
		case strings.HasPrefix(s, "\t"):
			line = 0
		case isName:
			at := by[line]
			at.path = name
			by[line] = at
		case line == 0:
			old, err1 := strconv.Atoi(head[1])
			now, err2 := strconv.Atoi(head[2])
			if err := cmp.Or(err1, err2); err != nil {
				t.Fatal(err)
			}
			line = now
			by[line] = place{commit: head[0], line: old}
		}
	}
}

// An agreement counts mended lines whose origin is known.
type agreement struct{ lines, spaced, behind int }

// agree compares what was found with git blame, and says where they differ.
func agree(t testing.TB, dir string, tracer *Tracer, files []fixed) (sum agreement) {
	t.Helper()
	for _, f := range files {
		spaced, behind := f.origins(t, tracer)
		by := blame(t, dir, f.parent, f.path)
		for line := range f.each() {
			if by[line].commit == "" || behind[line] == "" {
				continue
			}
			sum.lines++
			if spaced[line] == by[line].commit {
				sum.spaced++
			}
			if behind[line] == by[line].commit {
				sum.behind++
			} else {
				t.Logf("%.10s %s:%d: %.10s, behind white space %.10s, git blame has %.10s", f.commit, f.path, line, behind[line], spaced[line], by[line].commit)
			}
		}
	}
	return sum
}

// TestRealFixesLeadWhereBlameLeads compares a sample of the fixes of a repository.
func TestRealFixesLeadWhereBlameLeads(t *testing.T) {
	if *mendedRepo == "" {
		return
	}
	tracer, all := read(t, *mendedRepo, func(c *git.Commit) bool {
		intent := change.ReadPurpose(c.Message, "").Intent
		return intent == "fix" || intent == "security-fix" || intent == "revert"
	})
	slices.SortFunc(all, func(a, b fixed) int {
		return cmp.Or(strings.Compare(a.commit, b.commit), strings.Compare(a.path, b.path))
	})
	all = all[:min(len(all), *mendedFiles)]
	sum := agree(t, *mendedRepo, tracer, all)
	t.Logf("%d files, %d lines: %d as git blame -w -M -C behind white space alone, %d behind moves and copies too", len(all), sum.lines, sum.spaced, sum.behind)
}
