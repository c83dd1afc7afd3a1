// Package blame runs git blame and tells for every line of a file which commit
// it comes from. Nothing of the repository runs with it and nothing is written
// there: where the work tree is looked at, its index is read from a repository of
// our own.
package blame

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/internal/child"
	"github.com/stemma-dev/stemma/git/quote"
)

// Options says what [Lines] reads.
type Options struct {
	Rev   string   // revision; "" for the file in the work tree, with what is not committed
	Not   []string // revisions that Rev is none of: the blame stops at them and what is behind them
	Path  string   // raw bytes, from the root of the repository
	Flags []string // flags of git blame, as [Flags] lets them pass
}

// A Commit is a commit that lines come from; its lines share it.
type Commit struct {
	ID        string    // all zeros for what is not committed
	Author    git.Ident // after the mailmap, as git blame shows it
	Committer git.Ident
	Summary   string // first line of the message, at most 16 KiB
	Boundary  bool   // where the blame stops: the line may be older
}

// Committed is false for changes in the work tree.
func (c *Commit) Committed() bool { return strings.Trim(c.ID, "0") != "" }

// A Line is one line of a file with where it comes from.
type Line struct {
	Commit       *Commit
	OrigLine     int    // its number in the file of that commit
	FinalLine    int    // its number now
	OrigPath     string // the path of the file in that commit
	Previous     string // the commit before that had the file, "" when there is none
	PreviousPath string
	Text         []byte // without the line end, at most [MaxText]; the caller's to keep
}

// MaxText is how much of a line is kept.
const MaxText = 1 << 20

// A Group is lines that stand together, in the file and in that of the commit
// they come from: the first of them without its text, and how many there are.
type Group struct {
	Line
	Lines int
}

// Lines streams the lines of a file in order with one process, two when Rev or
// a flag names a revision other than by its id. Filters of the repository are
// not run: in the work tree, a file that one would change on its way to a commit
// counts as changed.
func Lines(ctx context.Context, r *git.Repo, o Options) iter.Seq2[Line, error] {
	return read(ctx, r, o, "--porcelain", (*reader).line)
}

// Groups is [Lines] without texts, and as git finds them: in no order, while it
// is still looking for the rest.
func Groups(ctx context.Context, r *git.Repo, o Options) iter.Seq2[Group, error] {
	return read(ctx, r, o, "--incremental", (*reader).group)
}

func read[T any](ctx context.Context, r *git.Repo, o Options, form string, next func(*reader) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		args, at, done, err := command(ctx, r, o, form)
		if err != nil {
			yield(none, err)
			return
		}
		defer done()
		// Git would hand over each group by itself, and each costs a waking.
		p, err := at.With("GIT_FLUSH=0").Start(ctx, args...)
		if err != nil {
			yield(none, err)
			return
		}
		defer p.Kill()
		b := newReader(p.Out)
		for {
			found, err := next(b)
			if errors.Is(err, io.EOF) {
				if err := p.End(); err != nil {
					yield(none, err)
				}
				return
			} else if err != nil {
				yield(none, p.Fail(err))
				return
			}
			if !yield(found, nil) {
				return
			}
		}
	}
}

func command(ctx context.Context, r *git.Repo, o Options, form string) (args []string, at child.Place, done func(), err error) {
	done = func() {}
	flags, err := Flags(o.Flags)
	if err != nil {
		return nil, at, done, err
	}
	for i, f := range flags {
		if rev, ok := strings.CutPrefix(f, ignoreRev); ok {
			id, err := r.IDs(ctx, []string{rev})
			if err != nil {
				return nil, at, done, err
			}
			flags[i] = ignoreRev + id[0]
		}
	}
	at = r.Apart()
	if args, err = mailmapFlags(r); err != nil {
		return nil, at, done, err
	}
	var tip []string
	if o.Rev != "" {
		tip = []string{o.Rev}
	}
	ids, err := r.IDs(ctx, tip, o.Not)
	if err != nil {
		return nil, at, done, err
	}
	for i := len(tip); i < len(ids); i++ {
		ids[i] = "^" + ids[i]
	}
	switch {
	case o.Rev != "":
	case r.Bare:
		return nil, at, done, fmt.Errorf("git: blame of %s: a bare repository has no work tree: name a revision", quote.Path(o.Path))
	default:
		if at, done, err = checkedOut(ctx, r); err != nil {
			return nil, at, done, err
		}
		ends, err := r.LineEnds(ctx)
		if err != nil {
			return nil, at, done, err
		}
		for _, setting := range ends {
			args = append(args, "-c", setting)
		}
	}
	args = append(args, "blame", form, "--encoding=UTF-8", "--no-progress")
	args = append(args, flags...)
	return append(append(args, ids...), "--", o.Path), at, done, nil
}

// checkedOut makes a repository of our own whose HEAD is the one of the work
// tree now, and returns the place in which it stands for the work tree's own.
func checkedOut(ctx context.Context, r *git.Repo) (child.Place, func(), error) {
	done := func() {}
	head, err := r.Resolve(ctx, "HEAD")
	if err != nil {
		return child.Place{}, done, err
	}
	dir, err := os.MkdirTemp(r.Apart().Dir, "tree-")
	if err != nil {
		return child.Place{}, done, fmt.Errorf("git: blame: %w", err)
	}
	done = func() { _ = os.RemoveAll(dir) }
	if err := child.Private(dir, r.Format); err != nil {
		return child.Place{}, done, err
	}
	keep := []string{"MERGE_HEAD", "shallow"}
	if shared, err := filepath.Glob(filepath.Join(r.GitDir, "sharedindex.*")); err == nil {
		for _, s := range shared {
			keep = append(keep, filepath.Base(s))
		}
	}
	for _, name := range keep {
		from := r.GitDir
		if name == "shallow" {
			from = r.CommonDir
		}
		if b, err := os.ReadFile(filepath.Join(from, name)); err == nil {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				return child.Place{}, done, err
			}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "HEAD"), []byte(head+"\n"), 0o600); err != nil {
		return child.Place{}, done, err
	}
	at := r.Apart().With("GIT_DIR="+dir, "GIT_WORK_TREE="+r.WorkTree, "GIT_INDEX_FILE="+filepath.Join(r.GitDir, "index"))
	at.Dir = r.WorkTree
	return at, done, nil
}
