package weave

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma/attribution/diff"
)

// FuzzLoad gives payloads a right checksum, so that only the decoder stands
// between them and the readers.
func FuzzLoad(f *testing.F) {
	for seed := range uint64(4) {
		w := New()
		for _, s := range randomSteps(seed, 20) {
			if _, err := w.Add(s); err != nil {
				f.Fatal(err)
			}
		}
		_, saved := saveAndLoad(f, w)
		f.Add(saved[segmentHead : len(saved)-sha256.Size])
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		segment := append([]byte(segmentMagic), make([]byte, sha256.Size)...)
		segment = binary.BigEndian.AppendUint64(segment, uint64(len(payload)))
		segment = append(segment, payload...)
		sum := sha256.Sum256(segment)
		w, mark, err := Load(bytes.NewReader(append(segment, sum[:]...)))
		if err != nil {
			if !errors.Is(err, ErrSegment) {
				t.Fatal(err)
			}
			return
		}
		if mark.commits != w.Len() {
			t.Fatalf("mark %v after %d commits", mark, w.Len())
		}
		for n := range w.first {
			c := w.commitID(uint32(n))
			for file, err := range w.Tip(c) {
				if err != nil && !errors.Is(err, ErrIncomplete) {
					t.Fatal(err)
				}
				checkRuns(t, file)
			}
			for _, path := range w.paths {
				_, _ = w.Blame(c, path, lines(1, diff.MaxLines))
				_, _ = w.Removed(c, path)
				checkMade(t, w, c, path)
			}
		}
		if _, err := w.Add(Step{Commit: strings.Repeat("ef", max(20, w.width))}); err != nil && w.Len() < 1 {
			t.Fatal(err)
		}
	})
}

// checkMade checks that what a commit made is in the file, and that what it made it
// of was there before.
func checkMade(t *testing.T, w *Weave, commit, path string) {
	t.Helper()
	made, err := w.Made(commit, path)
	if err != nil {
		return
	}
	end := 1
	for _, r := range made.Own {
		if r.Start < end || r.Count < 1 || r.Start+r.Count > made.Lines+1 {
			t.Fatalf("own lines %v of %d", made.Own, made.Lines)
		}
		end = r.Start + r.Count
	}
	before, err := w.Before(commit)
	if err != nil {
		t.Fatal(err)
	}
	for _, old := range made.Old {
		if !slices.ContainsFunc(before, func(f FileLines) bool { return f.Version == old.Version }) {
			t.Fatalf("%s was made of %v, which was not before %v", path, old, before)
		}
	}
}

// checkRuns checks that the runs of a file cover each line once.
func checkRuns(t *testing.T, f FileLines) {
	t.Helper()
	next := 1
	for _, r := range f.Runs {
		if r.Start != next || r.Count < 1 || r.Line < 1 {
			t.Fatalf("%s: runs %v", f.Path, f.Runs)
		}
		next += r.Count
	}
	if f.Lines > 0 && next != f.Lines+1 {
		t.Fatalf("%s: %d lines, runs %v", f.Path, f.Lines, f.Runs)
	}
}

// FuzzAdd makes steps out of bytes; whatever they are, every line has one origin.
func FuzzAdd(f *testing.F) {
	f.Add([]byte("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a"))
	f.Add(bytes.Repeat([]byte{3, 1, 4, 1, 5, 9, 2, 6}, 40))
	f.Fuzz(func(t *testing.T, in []byte) {
		next := func(n int) int {
			if len(in) == 0 {
				return 0
			}
			x := int(in[0])
			in = in[1:]
			return x % n
		}
		w := New()
		for i := 1; len(in) > 0 && i < 60; i++ {
			s := Step{Commit: id(i), Unknown: next(32) == 1, Boundary: next(32) == 1}
			for range next(4) {
				s.Parents = append(s.Parents, id(next(i+1)))
			}
			for range next(4) {
				file := FileStep{Path: []string{"a", "b", "c"}[next(3)], Blob: id(next(20)), Deleted: next(9) == 1, Lines: next(3) * next(9)}
				for range s.olds() {
					o := OldFile{Path: []string{"a", "b", "c", ""}[next(4)], Moved: next(3) == 1}
					shift := 0
					for at := next(9); next(3) > 0; at += 1 + next(3) {
						gone, come := next(3), next(3)
						o.Hunks = append(o.Hunks, hunkAt(at, gone, at+shift, come))
						at, shift = at+gone, shift+come-gone
					}
					file.Old = append(file.Old, o)
				}
				s.Files = append(s.Files, file)
			}
			if next(3) == 1 {
				s.Taken = append(s.Taken, TakenPath{Path: "d", Blob: id(next(20)), Deleted: next(4) == 1})
			}
			_, _ = w.Add(s)
		}
		again, _ := saveAndLoad(t, w)
		for n := range w.first {
			c := w.commitID(uint32(n))
			for file, err := range w.Tip(c) {
				if err != nil && !errors.Is(err, ErrIncomplete) {
					t.Fatal(err)
				}
				checkRuns(t, file)
				checkMade(t, w, c, file.Path)
			}
		}
		if d := cmp.Diff(everything(t, w), everything(t, again)); d != "" {
			t.Error(d)
		}
	})
}

// hunkAt is the hunk that replaces gone lines behind the first from by come
// lines behind the first to.
func hunkAt(from, gone, to, come int) diff.Hunk {
	return hunk(from+min(gone, 1), gone, to+min(come, 1), come)
}
