package weave

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution/diff"
)

// id is the object id with that number.
func id(n int) string { return fmt.Sprintf("%040x", n) }

// hunk is short for tables.
func hunk(oldStart, oldLines, newStart, newLines int) diff.Hunk {
	return diff.Hunk{OldStart: oldStart, OldLines: oldLines, NewStart: newStart, NewLines: newLines}
}

// lines are count lines from line start.
func lines(start, count int) diff.Range { return diff.Range{Start: start, Count: count} }

// edited is a file changed by hunks since the first parent.
func edited(path string, blob int, hunks ...diff.Hunk) FileStep {
	return FileStep{Path: path, Blob: id(blob), Old: []OldFile{{Path: path, Hunks: hunks}}}
}

// created is a new file of n lines.
func created(path string, blob, n int) FileStep {
	return FileStep{Path: path, Blob: id(blob), Lines: n, Old: []OldFile{{}}}
}

// add adds a step that must be accepted, and returns how many faults it has.
func add(t testing.TB, w *Weave, s Step) int {
	t.Helper()
	faults, err := w.Add(s)
	if err != nil {
		t.Fatal(err)
	}
	return len(faults)
}

// story tells runs briefly: "1+3 1:a@1" is three lines from line 1, which are
// those of commit 1 from line 1 of a.
func story(runs []LineRun) string {
	var b strings.Builder
	for _, r := range runs {
		unknown := ""
		if r.Unknown {
			unknown = "?"
		}
		fmt.Fprintf(&b, "%d+%d %s:%s@%d%s; ", r.Start, r.Count, strings.TrimLeft(r.Commit, "0"), r.Path, r.Line, unknown)
	}
	return strings.TrimSuffix(b.String(), "; ")
}

func wantBlame(t *testing.T, w *Weave, commit int, path, want string, ranges ...diff.Range) {
	t.Helper()
	runs, err := w.Blame(id(commit), path, ranges...)
	if err != nil {
		t.Errorf("Blame(%d, %s): %v", commit, path, err)
	} else if got := story(runs); got != want {
		t.Errorf("Blame(%d, %s) = %s, want %s", commit, path, got, want)
	}
}

func TestLinesKeepTheirOriginThroughEditsAndRenames(t *testing.T) {
	w := New()
	add(t, w, Step{Commit: id(1), Files: []FileStep{created("a", 11, 4)}})
	add(t, w, Step{Commit: id(2), Parents: []string{id(1)}, Files: []FileStep{edited("a", 12, hunk(2, 1, 2, 2))}})
	add(t, w, Step{Commit: id(3), Parents: []string{id(2)}, Files: []FileStep{{
		Path: "b", Blob: id(13), Old: []OldFile{{Path: "a", Blob: id(12), Moved: true, Hunks: []diff.Hunk{hunk(5, 1, 4, 0)}}},
	}}})
	add(t, w, Step{Commit: id(4), Parents: []string{id(3)}, Files: []FileStep{{Path: "b", Deleted: true}, created("a", 14, 1)}})
	wantBlame(t, w, 2, "a", "1+1 1:a@1; 2+2 2:a@2; 4+2 1:a@3")
	wantBlame(t, w, 3, "b", "1+1 1:a@1; 2+2 2:a@2; 4+1 1:a@3")
	wantBlame(t, w, 3, "b", "1+1 1:a@1; 3+1 2:a@3", lines(3, 1), lines(1, 1))
	wantBlame(t, w, 4, "a", "1+1 4:a@1")
	for _, gone := range []struct {
		commit int
		path   string
	}{{3, "a"}, {4, "b"}, {1, "never"}, {9, "a"}} {
		if _, err := w.Blame(id(gone.commit), gone.path); !errors.Is(err, stemma.ErrNotFound) {
			t.Errorf("Blame(%d, %s): error %v, want not found", gone.commit, gone.path, err)
		}
	}
	if _, err := w.Blame(id(1), "a", lines(4, 2)); err == nil {
		t.Error("a range behind the end of the file was accepted")
	}
}

func TestRemovedLinesAreTracedInTheFirstParent(t *testing.T) {
	w := New()
	add(t, w, Step{Commit: id(1), Files: []FileStep{created("a", 11, 4), created("keep", 12, 2)}})
	add(t, w, Step{Commit: id(2), Parents: []string{id(1)}, Files: []FileStep{edited("a", 13, hunk(2, 1, 2, 2))}})
	add(t, w, Step{Commit: id(3), Parents: []string{id(2)}, Files: []FileStep{
		{Path: "b", Blob: id(14), Old: []OldFile{{Path: "a", Moved: true, Hunks: []diff.Hunk{hunk(1, 3, 0, 0)}}}},
	}})
	add(t, w, Step{Commit: id(4), Parents: []string{id(3)}, Files: []FileStep{{Path: "b", Deleted: true}}})
	tests := []struct {
		commit int
		path   string
		ranges []diff.Range
		want   string
	}{
		{2, "a", []diff.Range{lines(2, 1)}, "2+1 1:a@2"},
		{3, "a", []diff.Range{lines(1, 3)}, "1+1 1:a@1; 2+2 2:a@2"},
		{3, "keep", []diff.Range{lines(2, 1)}, "2+1 1:keep@2"},
		{4, "b", nil, "1+2 1:a@3"},
	}
	for _, tt := range tests {
		runs, err := w.Removed(id(tt.commit), tt.path, tt.ranges...)
		if err != nil || story(runs) != tt.want {
			t.Errorf("Removed(%d, %s) = %s, %v, want %s", tt.commit, tt.path, story(runs), err, tt.want)
		}
	}
	for path, commit := range map[string]int{"a": 1, "b": 3} {
		if _, err := w.Removed(id(commit), path); !errors.Is(err, stemma.ErrNotFound) {
			t.Errorf("Removed(%d, %s): error %v, want not found", commit, path, err)
		}
	}
}

func TestMergeTakesLinesFromTheFirstParentThatHasThem(t *testing.T) {
	w := New()
	add(t, w, Step{Commit: id(1), Files: []FileStep{created("a", 11, 3), created("t", 12, 1)}})
	add(t, w, Step{Commit: id(2), Parents: []string{id(1)}, Files: []FileStep{edited("a", 13, hunk(1, 1, 1, 1))}})
	add(t, w, Step{Commit: id(3), Parents: []string{id(1)}, Files: []FileStep{
		edited("a", 14, hunk(3, 0, 4, 2)), edited("t", 15, hunk(1, 1, 1, 1)), created("new", 16, 1),
	}})
	add(t, w, Step{
		Commit: id(4), Parents: []string{id(2), id(3)},
		Files: []FileStep{{Path: "a", Blob: id(17), Old: []OldFile{
			{Path: "a", Hunks: []diff.Hunk{hunk(3, 0, 4, 3)}}, {Path: "a", Hunks: []diff.Hunk{hunk(1, 1, 1, 1), hunk(5, 0, 6, 1)}},
		}}},
		Taken: []TakenPath{{Path: "t", Blob: id(15)}, {Path: "new", Blob: id(16)}},
	})
	wantBlame(t, w, 4, "a", "1+1 2:a@1; 2+2 1:a@2; 4+2 3:a@4; 6+1 4:a@6")
	wantBlame(t, w, 4, "t", "1+1 3:t@1")
	wantBlame(t, w, 4, "new", "1+1 3:new@1")
	wantBlame(t, w, 2, "t", "1+1 1:t@1")
}

// TestMergeThatTakesLinesTwice: lines may come from one old line by two ways.
func TestMergeThatTakesLinesTwice(t *testing.T) {
	w := New()
	add(t, w, Step{Commit: id(1), Files: []FileStep{created("a", 11, 6)}})
	add(t, w, Step{Commit: id(2), Parents: []string{id(1)}, Files: []FileStep{edited("a", 12, hunk(5, 1, 5, 1))}})
	add(t, w, Step{Commit: id(3), Parents: []string{id(2)}, Files: []FileStep{edited("a", 13, hunk(6, 1, 6, 1))}})
	add(t, w, Step{Commit: id(4), Parents: []string{id(2)}, Files: []FileStep{edited("a", 14, hunk(1, 1, 1, 1))}})
	add(t, w, Step{Commit: id(5), Parents: []string{id(3), id(4)}, Files: []FileStep{{Path: "a", Blob: id(15), Old: []OldFile{
		{Path: "a", Hunks: []diff.Hunk{hunk(6, 0, 7, 6)}}, {Path: "a", Hunks: []diff.Hunk{hunk(0, 0, 1, 6)}},
	}}}})
	wantBlame(t, w, 5, "a", "1+4 1:a@1; 5+1 2:a@5; 6+1 3:a@6; 7+1 4:a@1; 8+3 1:a@2; 11+1 2:a@5; 12+1 1:a@6")
}

func TestWhatIsNotKnownStaysUnknown(t *testing.T) {
	base := func() *Weave {
		w := New()
		add(t, w, Step{Commit: id(1), Files: []FileStep{created("a", 11, 4), created("b", 12, 2)}})
		return w
	}
	next := func(files ...FileStep) Step {
		return Step{Commit: id(2), Parents: []string{id(1)}, Files: files}
	}
	tests := []struct {
		name   string
		step   Step
		faults int
		path   string
		ranges []diff.Range
		want   string
	}{
		{"boundary", Step{Commit: id(2), Parents: []string{id(9)}, Boundary: true, Files: []FileStep{created("a", 21, 3)}}, 0, "a", nil, "1+3 2:a@1?"},
		{"lost parent, untouched path", Step{Commit: id(2), Parents: []string{id(9)}}, 1, "a", []diff.Range{lines(1, 2)}, "1+2 2:a@1?"},
		{"lost parent, path never seen", Step{Commit: id(2), Parents: []string{id(9)}}, 1, "z", []diff.Range{lines(1, 2)}, "1+2 2:z@1?"},
		{"lost parent, changed path", Step{Commit: id(2), Parents: []string{id(9)}, Files: []FileStep{edited("a", 21, hunk(2, 1, 2, 1))}}, 1, "a", []diff.Range{lines(1, 3)}, "1+1 2:a@1?; 2+1 2:a@2; 3+1 2:a@3?"},
		{"lost parent, new path", Step{Commit: id(2), Parents: []string{id(9)}, Files: []FileStep{created("n", 21, 2)}}, 1, "n", nil, "1+2 2:n@1"},
		{"unreadable changes", Step{Commit: id(2), Parents: []string{id(1)}, Unknown: true}, 0, "a", []diff.Range{lines(1, 4)}, "1+4 2:a@1?"},
		{"unreadable changes but one", Step{Commit: id(2), Parents: []string{id(1)}, Unknown: true, Files: []FileStep{edited("a", 21, hunk(2, 1, 2, 1))}}, 0, "a", nil, "1+1 1:a@1; 2+1 2:a@2; 3+2 1:a@3"},
		{"binary", next(FileStep{Path: "a", Blob: id(21), Unknown: true}), 0, "a", []diff.Range{lines(7, 1)}, "7+1 2:a@7?"},
		{"binary with known length", next(FileStep{Path: "a", Blob: id(21), Unknown: true, Lines: 3}), 0, "a", nil, "1+3 2:a@1?"},
		{"behind the end", next(edited("a", 21, hunk(4, 2, 4, 1))), 1, "a", []diff.Range{lines(1, 2)}, "1+2 2:a@1?"},
		{"overlap", next(edited("a", 21, hunk(1, 2, 1, 2), hunk(2, 1, 2, 1))), 1, "a", []diff.Range{lines(1, 1)}, "1+1 2:a@1?"},
		{"uneven gap", next(edited("a", 21, hunk(1, 1, 1, 1), hunk(3, 1, 4, 1))), 1, "a", []diff.Range{lines(1, 1)}, "1+1 2:a@1?"},
		{"empty hunk", next(edited("a", 21, hunk(1, 0, 1, 0))), 1, "a", []diff.Range{lines(1, 1)}, "1+1 2:a@1?"},
		{"negative", next(edited("a", 21, hunk(-1, 1, 1, 1))), 1, "a", []diff.Range{lines(1, 1)}, "1+1 2:a@1?"},
		{"huge", next(edited("a", 21, hunk(1, 1<<40, 1, 1<<40))), 1, "a", []diff.Range{lines(1, 1)}, "1+1 2:a@1?"},
		{"other length than told", next(FileStep{Path: "a", Blob: id(21), Lines: 9, Old: []OldFile{{Path: "a", Hunks: []diff.Hunk{hunk(1, 1, 1, 1)}}}}), 1, "a", nil, "1+9 2:a@1?"},
		{"other old blob", next(FileStep{Path: "a", Blob: id(21), Old: []OldFile{{Path: "a", Blob: id(99), Hunks: []diff.Hunk{hunk(1, 1, 1, 1)}}}}), 1, "a", []diff.Range{lines(1, 2)}, "1+1 2:a@1; 2+1 2:a@2?"},
		{"old file that was not there", next(FileStep{Path: "c", Blob: id(21), Old: []OldFile{{Path: "x", Hunks: []diff.Hunk{hunk(1, 1, 1, 1)}}}}), 1, "c", []diff.Range{lines(1, 2)}, "1+1 2:c@1; 2+1 2:c@2?"},
		{"bad blob id", next(edited("a", -1, hunk(1, 1, 1, 1))), 1, "a", []diff.Range{lines(1, 2)}, "1+2 2:a@1?"},
		{"taken from nowhere", Step{Commit: id(2), Parents: []string{id(1)}, Taken: []TakenPath{{Path: "a", Blob: id(77)}}}, 1, "a", []diff.Range{lines(1, 1)}, "1+1 2:a@1?"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := base()
			if got := add(t, w, tt.step); got != tt.faults {
				t.Errorf("%d faults, want %d", got, tt.faults)
			}
			wantBlame(t, w, 2, tt.path, tt.want, tt.ranges...)
			again, _ := saveAndLoad(t, w)
			wantBlame(t, again, 2, tt.path, tt.want, tt.ranges...)
			if _, err := w.Blame(id(1), "b"); err != nil {
				t.Errorf("another commit suffers: %v", err)
			}
		})
	}
}

func TestLinesAfterAnUnknownOneAreKnownAgain(t *testing.T) {
	w := New()
	add(t, w, Step{Commit: id(1), Files: []FileStep{{Path: "a", Blob: id(11), Unknown: true}}})
	add(t, w, Step{Commit: id(2), Parents: []string{id(1)}, Files: []FileStep{edited("a", 12, hunk(2, 0, 3, 2))}})
	wantBlame(t, w, 2, "a", "1+2 1:a@1?; 3+2 2:a@3; 5+1 1:a@3?", lines(1, 5))
	if _, err := w.Blame(id(2), "a"); !errors.Is(err, ErrLength) {
		t.Errorf("whole file: error %v, want %v", err, ErrLength)
	}
	add(t, w, Step{Commit: id(9), Files: []FileStep{{Path: "a", Blob: id(19), Lines: 3, Old: []OldFile{{}}}}})
	if _, err := w.Blame(id(9), "a", lines(2, 3)); !errors.Is(err, ErrLength) {
		t.Errorf("a range beyond the end: error %v, want %v", err, ErrLength)
	}
	add(t, w, Step{Commit: id(3), Parents: []string{id(2)}, Unknown: true})
	var last error
	for _, err := range w.Files(id(3)) {
		last = err
	}
	if !errors.Is(last, ErrIncomplete) {
		t.Errorf("files of an unknown tree: error %v, want %v", last, ErrIncomplete)
	}
}

func TestStepsThatMakeNoSenseAreRefused(t *testing.T) {
	w := New()
	add(t, w, Step{Commit: id(1), Files: []FileStep{created("a", 11, 4)}})
	bad := []Step{
		{Commit: id(1)},
		{Commit: "abc"},
		{Commit: strings.ToUpper(fmt.Sprintf("%040x", 0xabc))},
		{Commit: strings.Repeat("0", 64)},
		{Commit: id(2), Files: []FileStep{created("a", 1, 1), created("a", 1, 1)}},
		{Commit: id(2), Files: []FileStep{created("", 1, 1)}},
		{Commit: id(2), Files: []FileStep{created(strings.Repeat("x", maxPath+1), 1, 1)}},
		{Commit: id(2), Parents: []string{id(1), id(1)}, Files: []FileStep{created("a", 1, 1)}},
	}
	for i, s := range bad {
		if _, err := w.Add(s); err == nil {
			t.Errorf("step %d was accepted", i)
		}
	}
	if w.Len() != 1 || w.Has(id(2)) {
		t.Error("a refused step left something behind")
	}
	wantBlame(t, w, 1, "a", "1+4 1:a@1")
}

// saveAndLoad returns the Weave as saved, and the bytes.
func saveAndLoad(t testing.TB, w *Weave) (*Weave, []byte) {
	t.Helper()
	var buf bytes.Buffer
	if _, err := w.Save(&buf, Mark{}); err != nil {
		t.Fatal(err)
	}
	saved := bytes.Clone(buf.Bytes())
	again, _, err := Load(&buf)
	if err != nil {
		t.Fatal(err)
	}
	return again, saved
}

// everything tells all runs of all files at all commits.
func everything(t testing.TB, w *Weave) string {
	t.Helper()
	var b strings.Builder
	for n := range w.first {
		c := w.commitID(uint32(n))
		fmt.Fprintln(&b, c)
		for f, err := range w.Tip(c) {
			fmt.Fprintln(&b, f, err)
		}
	}
	return b.String()
}

func TestIncrementalEqualsAllAtOnce(t *testing.T) {
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 9))
		steps := randomSteps(seed, 120)
		whole, parts := New(), New()
		var saved bytes.Buffer
		var mark Mark
		for _, s := range steps {
			faultsA, errA := whole.Add(s)
			faultsB, errB := parts.Add(s)
			if d := cmp.Diff(faultsA, faultsB); d != "" || errA != nil || errB != nil {
				t.Fatalf("seed %d: %v, %v: %s", seed, errA, errB, d)
			}
			if rng.IntN(20) > 0 {
				continue
			}
			if _, err := parts.Save(&saved, mark); err != nil {
				t.Fatal(err)
			}
			var err error
			if parts, mark, err = Load(bytes.NewReader(saved.Bytes())); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		if d := cmp.Diff(everything(t, whole), everything(t, parts)); d != "" {
			t.Errorf("seed %d: %s", seed, d)
		}
		one, _ := saveAndLoad(t, whole)
		if d := cmp.Diff(everything(t, whole), everything(t, one)); d != "" {
			t.Errorf("seed %d, saved at once: %s", seed, d)
		}
	}
}

// randomSteps makes steps of every sort, good ones and bad ones.
func randomSteps(seed uint64, n int) []Step {
	rng := rand.New(rand.NewPCG(seed, 3))
	var steps []Step
	for i := range n {
		s := Step{Commit: id(i + 1), Unknown: rng.IntN(50) == 0}
		for range min(i, 1+rng.IntN(2)*rng.IntN(3)) {
			s.Parents = append(s.Parents, id(max(1, i-rng.IntN(6))))
		}
		if rng.IntN(60) == 0 && i > 0 {
			s.Parents[0] = id(1 << 20)
		}
		for _, path := range []string{"a", "b", "c/d", "e"} {
			f := FileStep{Path: path, Blob: id(1000 + rng.IntN(40)), Unknown: rng.IntN(40) == 0, Deleted: rng.IntN(12) == 0}
			for j := range max(1, len(s.Parents)) {
				o := OldFile{Path: []string{path, path, path, "a", ""}[rng.IntN(5)], Moved: rng.IntN(4) == 0}
				if i == 0 || rng.IntN(8) == 0 || j > 0 && rng.IntN(2) == 0 {
					o = OldFile{Hunks: []diff.Hunk{hunk(0, 0, 1, 20)}}
				} else if at := 1 + rng.IntN(20); rng.IntN(5) > 0 {
					o.Hunks = []diff.Hunk{hunk(at, 1, at, 1)}
				}
				f.Old = append(f.Old, o)
			}
			switch rng.IntN(5) {
			case 0, 1:
				s.Files = append(s.Files, f)
			case 2:
				s.Taken = append(s.Taken, TakenPath{Path: path, Blob: f.Blob, Deleted: rng.IntN(9) == 0})
			}
		}
		steps = append(steps, s)
	}
	return steps
}

func TestDamagedSegmentIsFound(t *testing.T) {
	w := New()
	for _, s := range randomSteps(5, 30) {
		if _, err := w.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	_, saved := saveAndLoad(t, w)
	for i := range saved {
		bad := bytes.Clone(saved)
		bad[i] ^= 0x40
		if _, _, err := Load(bytes.NewReader(bad)); !errors.Is(err, ErrSegment) {
			t.Fatalf("byte %d of %d flipped: error %v, want %v", i, len(saved), err, ErrSegment)
		}
		if i == 0 {
			continue
		}
		if _, _, err := Load(bytes.NewReader(saved[:i])); !errors.Is(err, ErrSegment) {
			t.Fatalf("cut after %d of %d bytes: error %v, want %v", i, len(saved), err, ErrSegment)
		}
	}
	if _, _, err := Load(bytes.NewReader(slices.Concat(saved, saved))); !errors.Is(err, ErrSegment) {
		t.Errorf("a segment twice: error %v, want %v", err, ErrSegment)
	}
	if _, _, err := Load(io.MultiReader(bytes.NewReader(saved), failing{})); !errors.Is(err, errDisk) {
		t.Errorf("error %v, want that of the reader", err)
	}
}

var errDisk = errors.New("the disk is gone")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errDisk }

// TestOldStatesAreMadeAgain drops all states and compares.
func TestOldStatesAreMadeAgain(t *testing.T) {
	w := New()
	for _, s := range randomSteps(8, 300) {
		if _, err := w.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	want := everything(t, w)
	w.shelf = stateShelf{}
	if d := cmp.Diff(want, everything(t, w)); d != "" {
		t.Error(d)
	}
	for n := range w.first {
		state := w.stateAt(uint32(n))
		for p := range w.paths {
			rec, known := w.find(uint32(n), uint32(p))
			if r, k := state.find(uint32(p)); r != rec || k != known {
				t.Fatalf("commit %d, path %s: %d %v by walking, %d %v by state", n, w.paths[p], rec, known, r, k)
			}
		}
	}
}

// TestManyBranchesKeepFewStates walks many branches at once over a shelf that
// cannot hold them all.
func TestManyBranchesKeepFewStates(t *testing.T) {
	w := New()
	const branches = maxKept + 500
	for i, s := range tangle(3*branches, branches, 50) {
		if _, err := w.Add(s); err != nil {
			t.Fatal(err)
		}
		if len(w.shelf.kept) > maxKept || len(w.shelf.marks) > maxMarks {
			t.Fatalf("step %d: %d states kept, %d marks", i, len(w.shelf.kept), len(w.shelf.marks))
		}
	}
	state := w.stateAt(uint32(w.Len() - 1))
	for p := range w.paths {
		want, _ := state.find(uint32(p))
		w.shelf = stateShelf{}
		if got, _ := w.find(uint32(w.Len()-1), uint32(p)); got != want {
			t.Fatalf("path %s: record %d, want %d", w.paths[p], got, want)
		}
	}
}

// tangle makes n commits on many branches; each changes three of the files.
func tangle(n, branches, files int) func(func(int, Step) bool) {
	return func(yield func(int, Step) bool) {
		rng := rand.New(rand.NewPCG(4, 4))
		first := Step{Commit: id(1)}
		for f := range files {
			first.Files = append(first.Files, created(fmt.Sprintf("dir%d/file%d", f%40, f), f, 200))
		}
		if !yield(0, first) {
			return
		}
		tips := make([]string, branches)
		for i := range tips {
			tips[i] = first.Commit
		}
		for i := 1; i < n; i++ {
			b := rng.IntN(branches)
			s := Step{Commit: id(i + 1), Parents: []string{tips[b]}}
			start := rng.IntN(files - 2)
			for f := start; f < start+3; f++ {
				at := 1 + rng.IntN(190)
				s.Files = append(s.Files, edited(fmt.Sprintf("dir%d/file%d", f%40, f), 1<<30+3*i+f-start, hunk(at, 2, at, 1), hunk(at+4, 0, at+4, 1)))
			}
			tips[b] = s.Commit
			if !yield(i, s) {
				return
			}
		}
	}
}

func TestVersionStaysTheSameAfterLoad(t *testing.T) {
	w := New()
	add(t, w, Step{Commit: id(1), Files: []FileStep{created("a", 11, 3), created("b", 12, 0)}})
	add(t, w, Step{Commit: id(2), Parents: []string{id(1)}, Files: []FileStep{edited("a", 13, hunk(3, 0, 4, 1))}})
	again, _ := saveAndLoad(t, w)
	for f, err := range again.Tip(id(2)) {
		if err != nil {
			t.Fatal(err)
		}
		runs, err := w.Version(f.Version)
		if err != nil || story(runs) != story(f.Runs) {
			t.Errorf("version %d of %s: %s, %v, want %s", f.Version, f.Path, story(runs), err, story(f.Runs))
		}
	}
	if _, err := w.Version(99); !errors.Is(err, stemma.ErrNotFound) {
		t.Errorf("version that is not there: error %v", err)
	}
}

func TestLongObjectIDs(t *testing.T) {
	long := func(n int) string { return fmt.Sprintf("%064x", n) }
	w := New()
	add(t, w, Step{Commit: long(1), Files: []FileStep{{Path: "a", Blob: long(11), Lines: 2, Old: []OldFile{{}}}}})
	add(t, w, Step{Commit: long(2), Parents: []string{long(1)}, Files: []FileStep{
		{Path: "a", Blob: long(12), Old: []OldFile{{Path: "a", Blob: long(11), Hunks: []diff.Hunk{hunk(2, 0, 3, 1)}}}},
	}})
	again, _ := saveAndLoad(t, w)
	runs, err := again.Blame(long(2), "a")
	if want := "1+2 1:a@1; 3+1 2:a@3"; err != nil || story(runs) != want {
		t.Errorf("got %s, %v, want %s", story(runs), err, want)
	}
	if _, err := w.Add(Step{Commit: id(3)}); err == nil {
		t.Error("a commit of the other object format was accepted")
	}
}
