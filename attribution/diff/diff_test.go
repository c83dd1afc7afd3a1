package diff

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/git/gittest"
)

func lines(s ...string) [][]byte {
	var out [][]byte
	for _, l := range s {
		out = append(out, []byte(l))
	}
	return out
}

// apply makes b from a by the hunks, taking from b only what they replace.
func apply(t testing.TB, a, b [][]byte, hunks []Hunk) [][]byte {
	t.Helper()
	if n, why := Check(hunks, len(a), len(b)); why != "" || n != len(b) {
		t.Fatalf("hunks %v from %d to %d lines: %s", hunks, len(a), len(b), why)
	}
	var out [][]byte
	end := 0
	for _, h := range hunks {
		out = append(out, a[end:h.OldAt()]...)
		out = append(out, b[h.NewAt():h.NewAt()+h.NewLines]...)
		end = h.OldAt() + h.OldLines
	}
	return append(out, a[end:]...)
}

func edits(hunks []Hunk) (n int) {
	for _, h := range hunks {
		n += h.OldLines + h.NewLines
	}
	return n
}

// shortestEdit computes the same by the textbook.
func shortestEdit(a, b [][]byte) int {
	row := make([]int, len(b)+1)
	for i := range a {
		diag := 0
		for j := range b {
			up := row[j+1]
			if bytes.Equal(a[i], b[j]) {
				row[j+1] = diag + 1
			} else {
				row[j+1] = max(row[j+1], row[j])
			}
			diag = up
		}
	}
	return len(a) + len(b) - 2*row[len(b)]
}

func randomPair(rng *rand.Rand) (a, b [][]byte) {
	letters := 1 + rng.IntN(12)
	line := func() []byte { return fmt.Appendf(nil, "l%d", rng.IntN(letters)) }
	for range rng.IntN(40) {
		a = append(a, line())
	}
	b = slices.Clone(a)
	if rng.IntN(4) == 0 {
		b = nil
	}
	for range rng.IntN(12) {
		at := rng.IntN(len(b) + 1)
		gone := min(rng.IntN(4), len(b)-at)
		var add [][]byte
		for range rng.IntN(5) {
			add = append(add, line())
		}
		b = slices.Replace(b, at, at+gone, add...)
	}
	return a, b
}

func TestDiffIsShortestAndRight(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 5000 {
		a, b := randomPair(rng)
		hunks, exact := Lines(a, b)
		if !exact {
			t.Fatalf("pair %d: not exact", i)
		}
		if got := apply(t, a, b, hunks); !slices.EqualFunc(got, b, bytes.Equal) {
			t.Fatalf("pair %d: %q to %q by %v gives %q", i, a, b, hunks, got)
		}
		if got, want := edits(hunks), shortestEdit(a, b); got != want {
			t.Fatalf("pair %d: %q to %q: %d edits, want %d: %v", i, a, b, got, want, hunks)
		}
		for j := 1; j < len(hunks); j++ {
			if hunks[j].OldAt() == hunks[j-1].OldAt()+hunks[j-1].OldLines {
				t.Fatalf("pair %d: hunks touch: %v", i, hunks)
			}
		}
	}
}

// TestDiffIsAsShortAsThatOfGit compares with git's own minimal differences.
func TestDiffIsAsShortAsThatOfGit(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var pairs [][2][][]byte
	var stream bytes.Buffer
	for range 300 {
		a, b := randomPair(rng)
		pairs = append(pairs, [2][][]byte{a, b})
	}
	for side := range 2 {
		fmt.Fprintf(&stream, "commit refs/heads/side%d\ncommitter T <t@example.org> 0 +0000\ndata 0\n", side)
		for i, p := range pairs {
			body := bytes.Join(append(slices.Clone(p[side]), nil), []byte("\n"))
			fmt.Fprintf(&stream, "M 100644 inline %d\ndata %d\n%s\n", i, len(body), body)
		}
	}
	r := gittest.New(t)
	r.GitWith(stream.Bytes(), "fast-import", "--quiet", "--date-format=raw")
	want := map[string]int{} // a pair of equal texts is not told
	for l := range strings.Lines(r.Git("diff-tree", "-r", "--numstat", "--diff-algorithm=myers", "--minimal", "side0", "side1")) {
		var added, deleted int
		var name string
		if _, err := fmt.Sscan(l, &added, &deleted, &name); err != nil {
			t.Fatal(err)
		}
		want[name] = added + deleted
	}
	if len(want) < len(pairs)/2 {
		t.Fatalf("git tells of %d of %d pairs", len(want), len(pairs))
	}
	for i, p := range pairs {
		hunks, _ := Lines(p[0], p[1])
		if got := edits(hunks); got != want[fmt.Sprint(i)] {
			t.Errorf("pair %d: %d edits, git needs %d", i, got, want[fmt.Sprint(i)])
		}
	}
}

func TestDiffThatCostsTooMuchIsNotExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var a, b [][]byte
	for range 400 {
		a = append(a, fmt.Appendf(nil, "%d", rng.IntN(20)))
		b = append(b, fmt.Appendf(nil, "%d", rng.IntN(20)))
	}
	hunks, exact := within(a, b, 100)
	if exact {
		t.Fatal("exact within 100 steps")
	}
	if got := apply(t, a, b, hunks); !slices.EqualFunc(got, b, bytes.Equal) {
		t.Error("the coarse hunks do not lead from a to b")
	}
}

func TestDiffGoesDownAsInGit(t *testing.T) {
	tests := []struct {
		a, b string
		want []Hunk
	}{
		{"a b c", "a b c", []Hunk{}},
		{"", "a b", []Hunk{{0, 0, 1, 2}}},
		{"a b", "", []Hunk{{1, 2, 0, 0}}},
		{"a x b", "a x x b", []Hunk{{2, 0, 3, 1}}},
		{"a x x b", "a x b", []Hunk{{3, 1, 2, 0}}},
		{"f { } g", "f { } h { } g", []Hunk{{3, 0, 4, 3}}},
		{"a b c", "a y c", []Hunk{{2, 1, 2, 1}}},
	}
	for _, tt := range tests {
		got, exact := Lines(lines(strings.Fields(tt.a)...), lines(strings.Fields(tt.b)...))
		if d := cmp.Diff(tt.want, got); d != "" || !exact {
			t.Errorf("Lines(%q, %q): %s", tt.a, tt.b, d)
		}
	}
}

func TestOnlySignificantOldLinesCount(t *testing.T) {
	tests := []struct {
		path, old, now string
		want           []Range
	}{
		{"a.go", "x := 1", "x := 2", []Range{{10, 1}}},
		{"a.go", "x := 1", "\tx  :=  1", nil},
		{"a.go", "if a {\n\tb()\n}", "if a {\n\t\tb()\n\t\tc()\n}", nil},
		{"a.go", "// say\nx()\n\n}\n/* more\n of it */\ny()", "", []Range{{11, 1}, {16, 1}}},
		{"a.go", "/* a */ x()\n * text\n*p = 1", "", []Range{{10, 1}, {12, 1}}},
		{"a.c", "x(); /* open\nstill\nend */ y();\n*/ z();", "", []Range{{10, 1}, {12, 2}}},
		{"a.go", "call(a,\n b)", "call(a, b)", nil},
		{"a.py", "# say\nx = 1  # say\n)", "", []Range{{11, 1}}},
		{"run.sh", "#!/bin/sh\n# say", "", []Range{{10, 1}}},
		{"a.rb", "=begin\nwords\n=end\nputs 1", "", []Range{{13, 1}}},
		{"a.sql", "-- say\nselect 1 -- say\n/* a\nb */", "", []Range{{11, 1}}},
		{"a.html", "<!-- a\nb -->\n<p>x</p>", "", []Range{{12, 1}}},
		{"a.el", ";; say\n(x)\n)", "", []Range{{11, 1}}},
		{"Makefile", "# say\nall: x", "", []Range{{11, 1}}},
		{"words.txt", "# not a comment here", "", []Range{{10, 1}}},
		{"a.go", "s := \"/*\"\nx()", "", []Range{{10, 2}}},
		{"a.go", "größe := 1\n世界()", "größe:=1", []Range{{11, 1}}},
	}
	for _, tt := range tests {
		old := lines(strings.Split(tt.old, "\n")...)
		var now [][]byte
		if tt.now != "" {
			now = lines(strings.Split(tt.now, "\n")...)
		}
		got := Significant(tt.path, Hunk{10, len(old), 10, len(now)}, old, now)
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s: %q to %q: %s", tt.path, tt.old, tt.now, d)
		}
	}
}

func FuzzDiff(f *testing.F) {
	f.Add("a\nb\nc", "a\nx\nc")
	f.Add("", "a\na\na")
	f.Fuzz(func(t *testing.T, x, y string) {
		a, b := lines(strings.Split(x, "\n")...), lines(strings.Split(y, "\n")...)
		hunks, exact := Lines(a, b)
		if got := apply(t, a, b, hunks); !slices.EqualFunc(got, b, bytes.Equal) {
			t.Fatalf("%v gives %q", hunks, got)
		}
		if want := shortestEdit(a, b); exact && edits(hunks) != want {
			t.Fatalf("%d edits, want %d", edits(hunks), want)
		}
		Significant("a.go", Hunk{1, len(a), 1, len(b)}, a, b)
	})
}

func TestLinesOfWhichOnlyTheSpaceChangedAreMatched(t *testing.T) {
	text := func(s string) (lines [][]byte) {
		for l := range strings.SplitSeq(s, "|") {
			lines = append(lines, []byte(l))
		}
		return lines
	}
	at := Hunk{OldStart: 10, NewStart: 20}
	for _, c := range []struct {
		before, after string
		want          []Match
	}{
		{"a()|b()", "\ta()|\tb()", []Match{{Old: 10, New: 20, Count: 2}}},
		{"a()|b()", "new|  a ( )|b()\r", []Match{{Old: 10, New: 21, Count: 2}}},
		{"a()|x|b()", "a() |y|z|b() ", []Match{{Old: 10, New: 20, Count: 1}, {Old: 12, New: 23, Count: 1}}},
		{"a()|", " | ", nil},
		{"a()", "b()", nil},
		{"\xff", " \xff", []Match{{Old: 10, New: 20, Count: 1}}},
	} {
		h, before, after := at, text(c.before), text(c.after)
		h.OldLines, h.NewLines = len(before), len(after)
		if d := cmp.Diff(c.want, Respaced(h, before, after)); d != "" {
			t.Errorf("%q to %q (-want +got):\n%s", c.before, c.after, d)
		}
	}
}
