package patch

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/git/internal/wire"
)

func reader(in io.Reader) *Reader {
	return NewReader(bufio.NewReaderSize(in, wire.BufferSize), Limits{Line: 4 << 10, FileText: 1 << 20, CommitText: 16 << 20, Hunks: 100_000})
}

// repeat gives a text n times without ever holding it.
type repeat struct {
	text string
	n    int
	at   int
}

func (r *repeat) Read(b []byte) (int, error) {
	if r.n == 0 {
		return 0, io.EOF
	}
	k := copy(b, r.text[r.at:])
	if r.at += k; r.at == len(r.text) {
		r.at, r.n = 0, r.n-1
	}
	return k, nil
}

const zeros = "0000000000000000000000000000000000000000"

func TestHugeFilesStayInBoundedMemory(t *testing.T) {
	id := strings.Repeat("a", 40)
	head := id + "\x00:000000 100644 " + zeros + " " + id + " A\x00huge\x00\x00diff --git a/huge b/huge\nnew file mode 100644\n@@ -0,0 +1,"
	for name, body := range map[string]struct {
		lines int
		text  io.Reader
	}{
		"many lines": {5_000_000, &repeat{text: "+" + strings.Repeat("x", 19) + "\n", n: 5_000_000}},
		"one line":   {1, io.MultiReader(strings.NewReader("+"), &repeat{text: "=\ry", n: 35_000_000}, strings.NewReader("\n"))},
	} {
		in := io.MultiReader(strings.NewReader(fmt.Sprintf("%s%d @@\n", head, body.lines)), body.text, strings.NewReader("\\ No newline at end of file\n=\n"))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		files, err := reader(in).Commit(0)
		runtime.ReadMemStats(&after)
		if err != nil || len(files) != 1 || files[0].Added != body.lines || !files[0].TextDropped || !files[0].Hunks[0].NewOpen {
			t.Errorf("%s: %v, %d files", name, err, len(files))
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
			t.Errorf("%s: 100 MB took %d bytes of memory", name, used)
		}
	}
}

func TestTruncatedStreamIsAnError(t *testing.T) {
	id := strings.Repeat("a", 40)
	whole := id + "\x00:100644 100644 " + id + " " + id + " M\x00f\x00\x00diff --git a/f b/f\nindex 1..2 100644\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-x\n+y\n=\n"
	if _, err := reader(strings.NewReader(whole)).Commit(1); err != nil {
		t.Fatal(err)
	}
	for i := range len(whole) - 1 {
		if _, err := reader(strings.NewReader(whole[:i])).Commit(1); err == nil {
			t.Errorf("%q was accepted", whole[:i])
		}
	}
}

// Whatever comes in, the reader ends, keeps within its limits, and never says
// more lines than it counted.
func FuzzReader(f *testing.F) {
	id := strings.Repeat("a", 40)
	raw := id + "\x00:100644 100644 " + id + " " + id + " M\x00f\x00\x00"
	f.Add([]byte(raw+"diff --git a/f b/f\n@@ -1 +1,2 @@\n-x\n+y\n+z\n\\ No\n=\n"), 1)
	f.Add([]byte(raw+"diff --git a/f b/f\nBinary files a and b differ\n=\n"), 1)
	f.Add([]byte(id+"\x00:100644 120000 "+id+" "+id+" T\x00f\x00\x00diff --git a/f b/f\n@@ -1 +0,0 @@\n-x\ndiff --git a/f b/f\n@@ -0,0 +1 @@\n+x\n=\n"), 1)
	f.Add([]byte(id+"\x00::100644 100644 100644 "+id+" "+id+" "+id+" MR\x00f\x00g\x00f\x00\x00diff --combined f\n@@@ -1,2 -1,1 +1,2 @@@\n- a\n  b\n++c\n=\n"), 2)
	f.Add([]byte("=\n"), 0)
	f.Fuzz(func(t *testing.T, in []byte, parents int) {
		p := reader(bytes.NewReader(in))
		p.limits = Limits{Line: 10, FileText: 400, CommitText: 800, Hunks: 3}
		files, err := p.Commit(parents)
		for _, d := range files {
			lists := [][]Hunk{d.Hunks}
			for _, q := range d.Parents {
				lists = append(lists, q.Hunks)
			}
			for _, hunks := range lists {
				if len(hunks) > 3 {
					t.Errorf("%d hunks", len(hunks))
				}
				for _, h := range hunks {
					if err == nil && (len(h.Old) > h.OldLines || len(h.New) > h.NewLines) {
						t.Errorf("hunk -%d +%d has %d and %d lines", h.OldLines, h.NewLines, len(h.Old), len(h.New))
					}
				}
			}
		}
	})
}

// BenchmarkReader reads a commit that changes every other line of a file.
func BenchmarkReader(b *testing.B) {
	id := strings.Repeat("a", 40)
	var in bytes.Buffer
	in.WriteString(id + "\x00:100644 100644 " + id + " " + id + " M\x00f\x00\x00diff --git a/f b/f\n")
	for i := range 5000 {
		fmt.Fprintf(&in, "@@ -%d,2 +%d,2 @@ func context()\n-%s\n-%[3]s\n+%[3]s\n+%[3]s\n", 4*i+1, 4*i+1, strings.Repeat("text ", 8))
	}
	in.WriteString("=\n")
	b.SetBytes(int64(in.Len()))
	p := reader(nil)
	for b.Loop() {
		p.r.Reset(bytes.NewReader(in.Bytes()))
		if _, err := p.Commit(1); err != nil {
			b.Fatal(err)
		}
	}
}
