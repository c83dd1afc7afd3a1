package follow

import (
	"context"
	"slices"

	"github.com/stemma-dev/stemma/attribution/diff"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/git/patch"
)

// A Commit is one that a move of HEAD made here.
type Commit struct {
	git.Commit
	Move  int // the number of the move, from 0
	Files []File
}

// Pending are the moves that made a commit which is not settled.
func (t *Tree) Pending(settled func(commit string) bool) (list []int) {
	seen := map[string]bool{}
	for i, m := range t.Moves {
		if i < t.Evidence.Before || m.To == "" || !Makes(m) || seen[m.To] || settled(m.To) {
			continue
		}
		seen[m.To] = true
		list = append(list, i)
	}
	return list
}

// ReadCommits reads what the commits changed.
func (t *Tree) ReadCommits(ctx context.Context, pending []int) ([]Commit, error) {
	if len(pending) == 0 {
		return nil, nil
	}
	o := history.Options{Only: true, MaxLine: 1, MaxFileText: 1, MaxCommitText: 1}
	at := map[string]int{}
	var ids []string
	for _, i := range pending {
		ids = append(ids, t.Moves[i].To)
		at[t.Moves[i].To] = i
	}
	there, err := t.repo.Readable(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if there[id] { // else it was pruned: nobody can ask of it
			o.Tips = append(o.Tips, id)
		}
	}
	if len(o.Tips) == 0 {
		return nil, nil
	}
	var list []Commit
	for c, err := range history.Log(ctx, t.repo, o) {
		if err != nil {
			return nil, err
		}
		list = append(list, Commit{c.Commit, at[c.ID], t.within(Lookable(c))})
	}
	slices.SortStableFunc(list, func(a, b Commit) int { return a.Move - b.Move })
	return list, nil
}

// A File is one to which a commit added lines.
type File struct {
	Path, OldPath string
	added         []diff.Hunk // their places in the new file alone
}

// Lookable are the files of a commit that can be looked into.
func Lookable(c *history.Commit) (files []File) {
	for i := range c.Files {
		f := &c.Files[i]
		if f.Status == patch.Deleted || f.Binary || f.Missing || f.Submodule() {
			continue
		}
		out := File{Path: f.Path, OldPath: f.OldPath}
		for _, r := range f.NewLines() {
			out.added = append(out.added, diff.Hunk{NewStart: r.Start, NewLines: r.End - r.Start + 1})
		}
		if len(out.added) > 0 {
			files = append(files, out)
		}
	}
	return files
}

// maxFiles is how many files of one commit are looked into that no hook looked at,
// such as those of a library that somebody copies in: of more, nothing is known.
const maxFiles = 1000

// within are the files of a commit that are looked into.
func (t *Tree) within(files []File) []File {
	looked := map[string]bool{}
	for _, path := range t.Evidence.Paths() {
		looked[path] = true
	}
	n := 0
	return slices.DeleteFunc(files, func(f File) bool {
		if looked[f.Path] || looked[f.OldPath] || t.kept[f.Path] != nil || t.kept[f.OldPath] != nil {
			return false
		}
		n++
		return n > maxFiles
	})
}
