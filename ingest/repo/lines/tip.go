package lines

import (
	"bytes"
	"context"
	"fmt"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution/diff"
	"github.com/stemma-dev/stemma/attribution/weave"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/quote"
)

// maxCounted bounds a file whose lines are counted for want of a history.
const maxCounted = 64 << 20

// binaryWithin is how far git looks for a NUL to call a file binary.
const binaryWithin = 8000

// Why the lines of a file at the tip cannot be told.
const (
	reasonAbsent  = "the content of the file is not in this copy of the repository"
	reasonDamaged = "the content of the file is damaged in this copy of the repository"
)

// listTip adds to the files that the weave knows those that only the tree at the
// tip tells, where the history is not fully known.
func (b *Branch) listTip(ctx context.Context, files []weave.FileLines) (all []weave.FileLines, complete bool, err error) {
	known := map[string]bool{}
	for _, f := range files {
		known[f.Path] = true
	}
	for e, err := range b.Repo.Tree(ctx, b.Commit, "", true) {
		if err != nil && ctx.Err() != nil {
			return nil, false, context.Cause(ctx)
		}
		if err != nil {
			return files, false, b.Writer.Gap(ctx, stemma.Gap{
				Source: source, Place: "files of " + b.Repo.BranchName(), Reason: "they cannot be listed: " + err.Error(),
				About: b.Repo.CommitRef(b.Commit), Object: b.Repo.LostTree(ctx, b.Commit, err),
			})
		}
		if e.Type == "blob" && !known[e.Path] {
			files = append(files, weave.FileLines{Path: e.Path, Blob: e.ID, Lines: -1})
		}
	}
	return files, true, nil
}

// countLines counts the lines of the files whose length no history tells, with
// one process. Where they come from is unknown, as far as the weave does not know
// it all the same. A binary file has no lines.
func (b *Branch) countLines(ctx context.Context, files []weave.FileLines) error {
	var at []int
	for i, f := range files {
		if f.Lines < 0 && f.Blob != "" && !b.Binary[f.Blob] {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return nil
	}
	cat, err := b.Repo.CatFile(ctx, 0)
	if err != nil {
		return err
	}
	defer func() { cat.Kill() }()
	absent := stemma.Gap{Source: source, Place: "files of " + b.Repo.BranchName(), Reason: reasonAbsent, About: b.Repository}
	for len(at) > 0 {
		ids := make([]string, len(at))
		for i, n := range at {
			ids[i] = files[n].Blob
		}
		for o, err := range cat.Beginnings(ids, maxCounted) {
			f := &files[at[0]]
			at = at[1:]
			if err != nil && ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err != nil { // git died of this object
				o = git.Object{ID: f.Blob, Missing: true, Broken: true}
			}
			if o.Missing && !o.Broken && b.Repo.Partial {
				absent.Count, absent.Object = absent.Count+1, o.ID
				b.Writer.Miss(o.ID)
			} else if err := b.countFile(ctx, f, o); err != nil {
				return err
			}
			if err != nil {
				again, err := b.Repo.CatFile(ctx, 0)
				if err != nil {
					return err
				}
				cat = again
				break // ask again for the rest
			}
		}
	}
	if absent.Count == 0 {
		return nil
	}
	return b.Writer.Gap(ctx, absent)
}

// countFile counts the lines of one file, or says why they cannot be counted.
func (b *Branch) countFile(ctx context.Context, f *weave.FileLines, o git.Object) error {
	gap := stemma.Gap{Source: source, Place: quote.Path(f.Path), About: b.fileRecord(*f).Ref()}
	switch {
	case o.Broken:
		gap.Reason, gap.Object = reasonDamaged, o.ID
	case o.Missing:
		gap.Reason, gap.Object = reasonAbsent, o.ID
	case bytes.IndexByte(o.Data[:min(len(o.Data), binaryWithin)], 0) >= 0:
		return nil
	case o.TooBig:
		gap.Reason = fmt.Sprintf("%d bytes, more than %d: the lines are not counted", o.Size, maxCounted)
	default:
		return b.length(f, o.Data)
	}
	return b.Writer.Gap(ctx, gap)
}

// length tells of a file how many lines it has and where they come from.
func (b *Branch) length(f *weave.FileLines, content []byte) (err error) {
	f.Lines = bytes.Count(content, []byte("\n"))
	if n := len(content); n > 0 && content[n-1] != '\n' {
		f.Lines++
	}
	switch {
	case f.Lines == 0:
	case f.Version == 0:
		f.Runs = []weave.LineRun{{Start: 1, Count: f.Lines, Commit: b.Commit, Path: f.Path, Line: 1, Unknown: true}}
	default:
		f.Runs, err = b.Weave.Version(f.Version, diff.Range{Start: 1, Count: f.Lines})
	}
	return err
}
