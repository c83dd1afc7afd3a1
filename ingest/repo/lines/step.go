package lines

import (
	"github.com/stemma-dev/stemma/attribution/diff"
	"github.com/stemma-dev/stemma/attribution/weave"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/git/patch"
)

// Step tells a commit to the weave.
func Step(c *history.Commit) weave.Step {
	step := weave.Step{
		Commit: c.ID, Parents: c.Parents, Boundary: c.Shallow, Unknown: c.Damage != nil,
		Files: make([]weave.FileStep, 0, len(c.Files)),
	}
	if c.Shallow {
		step.Parents = nil
	}
	for i := range c.Files {
		step.Files = append(step.Files, fileStep(&c.Files[i]))
	}
	for _, t := range c.Taken {
		gone := t.Blob == "" || t.Mode == patch.ModeSubmodule
		step.Taken = append(step.Taken, weave.TakenPath{Path: t.Path, Blob: t.Blob, Deleted: gone})
	}
	return step
}

// fileStep tells a changed file to the weave. A submodule has no lines: to the
// weave there is no file at its path.
func fileStep(f *patch.File) weave.FileStep {
	step := weave.FileStep{
		Path: f.Path, Blob: f.Blob, Deleted: f.Status == patch.Deleted || f.Mode == patch.ModeSubmodule,
		Unknown: f.Binary || f.Missing || f.Coarse,
	}
	if len(f.Parents) == 0 {
		old := weave.OldFile{}
		if f.OldBlob != "" && f.OldMode != patch.ModeSubmodule {
			old.Path, old.Blob, old.Moved = f.OldPath, f.OldBlob, f.Status == patch.Renamed
			old.Hunks = hunks(f.Hunks)
		} else if !step.Unknown {
			step.Lines = f.Added
		}
		step.Old = []weave.OldFile{old}
		return step
	}
	made := true // by the merge itself
	for _, p := range f.Parents {
		old := weave.OldFile{}
		if p.Blob != "" && p.Mode != patch.ModeSubmodule {
			old.Path, old.Blob, old.Moved = p.Path, p.Blob, p.Status == patch.Renamed
			old.Hunks = hunks(p.Hunks)
			made = false
		}
		step.Old = append(step.Old, old)
	}
	if made && !step.Unknown {
		step.Lines = f.Added
	}
	return step
}

func hunks(of []patch.Hunk) []diff.Hunk {
	out := make([]diff.Hunk, len(of))
	for i, h := range of {
		out[i] = diff.Hunk{OldStart: h.OldStart, OldLines: h.OldLines, NewStart: h.NewStart, NewLines: h.NewLines}
	}
	return out
}
