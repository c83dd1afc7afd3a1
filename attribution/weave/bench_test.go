package weave

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func BenchmarkAdd200k(b *testing.B) {
	for b.Loop() {
		w := New()
		for _, s := range tangle(200_000, 2000, 5000) {
			if _, err := w.Add(s); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(w.size())/float64(len(w.recCommit)), "B/record")
	}
}

// size is what the columns of the Weave hold.
func (w *Weave) size() int {
	return len(w.ids) + 4*len(w.numbers.slots) + 4*len(w.first) + len(w.flags) + 4*len(w.eventEnd) + 8*len(w.events) +
		8*len(w.recCommit) + len(w.recBlob) + w.versions.Size()
}

// deep is a Weave of one file that every one of n commits changes.
func deep(b *testing.B, n int) *Weave {
	w := New()
	add(b, w, Step{Commit: id(1), Files: []FileStep{created("a", 1, 5000)}})
	rng := rand.New(rand.NewPCG(1, 1))
	for i := 2; i <= n; i++ {
		at := 1 + rng.IntN(4990)
		add(b, w, Step{Commit: id(i), Parents: []string{id(i - 1)}, Files: []FileStep{edited("a", i, hunk(at, 1, at, 1))}})
	}
	return w
}

func BenchmarkBlameDeep100k(b *testing.B) {
	w := deep(b, 100_000)
	for b.Loop() {
		if _, err := w.Blame(id(100_000), "a"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTip(b *testing.B) {
	w := New()
	for _, s := range tangle(10_000, 1, 2000) {
		add(b, w, s)
	}
	for b.Loop() {
		for _, err := range w.Tip(id(10_000)) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	w := New()
	for _, s := range tangle(50_000, 100, 5000) {
		add(b, w, s)
	}
	_, saved := saveAndLoad(b, w)
	b.SetBytes(int64(len(saved)))
	for b.Loop() {
		if _, _, err := Load(bytes.NewReader(saved)); err != nil {
			b.Fatal(err)
		}
	}
}
