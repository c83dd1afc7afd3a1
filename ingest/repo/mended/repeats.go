package mended

import (
	"slices"

	"github.com/stemma-dev/stemma/attribution/diff"
	"github.com/stemma-dev/stemma/attribution/edits"
	"github.com/stemma-dev/stemma/attribution/weave"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/git/patch"
	"github.com/stemma-dev/stemma/ingest/settle/bind"
)

// Repeats knows of the lines that commits added which ones have a text that stood
// somewhere in the history before, and so may have been moved or copied. Most have
// not: their files need not be looked at. It learns a history from its beginning,
// parents before children, and is only read afterwards.
type Repeats struct {
	seen    map[edits.Key]struct{} // all texts
	commits map[string][]repeat    // those that it can judge
	opaque  map[string]bool        // files of which it does not know all text
	blind   bool                   // to whatever comes from now on
}

// A repeat is a block of lines in a file whose texts stood somewhere before, each by
// itself.
type repeat struct {
	path string
	diff.Range
	letters int
}

// How much of a history it knows. What comes behind is looked at.
const (
	maxTexts  = 4_000_000
	maxJudged = 250_000
)

// Add learns the next commit, of which it is known what it added unless it is a merge.
func (r *Repeats) Add(c *history.Commit, added *bind.Source) {
	if r.seen == nil {
		r.seen, r.commits, r.opaque = map[edits.Key]struct{}{}, map[string][]repeat{}, map[string]bool{}
	}
	r.blind = r.blind || c.Damage != nil || len(r.seen) > maxTexts || len(r.commits) > maxJudged
	if r.blind {
		return
	}
	runs := slices.Collect(added.Runs)
	for i := range c.Files {
		f := &c.Files[i]
		if f.Status == patch.Deleted || f.Submodule() {
			continue
		}
		if f.Binary || f.Missing || f.TextDropped || f.Coarse || r.opaque[f.OldPath] {
			r.opaque[f.Path] = true
		}
		if len(f.Parents) == 0 {
			continue
		}
		for _, h := range f.Parents[0].Hunks { // what no parent has, and more
			runs = append(runs, bind.Run{Path: f.Path, Start: h.NewStart, Print: edits.PrintOf(h.New)})
		}
	}
	if !c.Merge() {
		var found []repeat
		for _, run := range runs {
			found = r.repeats(found, run)
		}
		r.commits[c.ID] = found
	}
	for _, run := range runs {
		for mark := range run.Print.Marks {
			r.seen[mark] = struct{}{}
		}
	}
}

// repeats finds those of a run of lines.
func (r *Repeats) repeats(found []repeat, run bind.Run) []repeat {
	block := repeat{path: run.Path, Range: diff.Range{Start: run.Start}}
	end := func(next int) {
		if block.letters >= diff.MovedText {
			found = append(found, block)
		}
		block = repeat{path: run.Path, Range: diff.Range{Start: next}}
	}
	for i := range run.Print.Len() {
		mark, letters := run.Print.Line(i)
		if _, is := r.seen[mark]; !is && mark != 0 {
			end(run.Start + i + 1)
			continue
		}
		block.Count++
		block.letters += letters
	}
	end(0)
	return found
}

// A reach is how far lines have to be looked for.
type reach int

const (
	nowhere reach = iota // only the white space may have changed
	within               // in the file itself
	across               // in the other files of the commit too
)

// reach is that of lines that a commit added, of which before are the files that it
// changed, as they were.
func (r *Repeats) reach(lines weave.LineRun, before func() ([]weave.FileLines, error)) (far reach, err error) {
	if r == nil {
		return across, nil
	}
	blocks, known := r.commits[lines.Commit]
	if !known {
		return across, nil
	}
	if len(r.opaque) > 0 {
		files, err := before()
		if err != nil {
			return 0, err
		}
		for _, f := range files {
			if r.opaque[f.Path] {
				return across, nil
			}
		}
	}
	for _, b := range blocks {
		switch {
		case b.path != lines.Path || b.Start >= lines.Line+lines.Count || b.Start+b.Count <= lines.Line:
		case b.letters >= diff.CopiedText:
			return across, nil
		default:
			far = within
		}
	}
	return far, nil
}
