package page_test

import (
	"bytes"
	"testing"

	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/git/patch"
)

// TestNoLineOfADiffIsLostInSilence counts what is shown and what is said to be
// hidden, of one file that is too long and of many.
func TestNoLineOfADiffIsLostInSilence(t *testing.T) {
	file := func(lines int) *patch.File {
		text := bytes.Split(bytes.Repeat([]byte("x\n"), lines), []byte("\n"))[:lines]
		return &patch.File{Path: "a", Status: patch.Added, Added: lines, Hunks: []patch.Hunk{
			{NewStart: 1, NewLines: lines / 2, New: text[:lines/2]},
			{NewStart: 1 + lines/2, NewLines: lines - lines/2, New: text[lines/2:]},
		}}
	}
	for _, c := range []struct {
		files, lines, shown int
		cut                 bool
	}{{1, 20, 20, false}, {1, 1000, 300, true}, {9, 200, 800, true}} {
		d := page.NewDiff("")
		d.Add("ab", "many")
		asked := 0
		for range c.files {
			d.AddFile(file(c.lines), func(int) page.Mark { asked++; return page.Mark{Origin: "ai"} })
		}
		shown, hidden := 0, 0
		for _, f := range d.Commits[0].Files {
			hidden += f.Hidden
			for _, l := range f.Lines {
				if l.Hunk == "" {
					shown++
				}
			}
		}
		if shown != c.shown || shown+hidden != c.files*c.lines || d.Cut != c.cut {
			t.Errorf("%d files of %d lines: %d shown, %d hidden, cut %v", c.files, c.lines, shown, hidden, d.Cut)
		}
	}
}
