package git

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/git/internal/child"
)

// Reach lists the commits that the tips reach and not does not, newest first,
// with one process. Tips and not are ids; those unknown here are ignored.
func (r *Repo) Reach(ctx context.Context, tips, not []string) ([]string, error) {
	return r.Newest(ctx, math.MaxInt32, tips, not)
}

// Newest is [Repo.Reach] for at most n of the commits.
func (r *Repo) Newest(ctx context.Context, n int, tips, not []string) ([]string, error) {
	if len(tips) == 0 {
		return nil, nil
	}
	in := strings.Join(tips, "\n") + "\n"
	for _, id := range not {
		in += "^" + id + "\n"
	}
	out, err := r.apart.Output(ctx, []byte(in), 1<<30, "rev-list", "--max-count="+strconv.Itoa(n), "--ignore-missing", "--stdin")
	return strings.Fields(string(out)), err
}

// Lineage is [Repo.Newest] with the parents of each commit.
func (r *Repo) Lineage(ctx context.Context, n int, tips, not []string) (ids []string, parents map[string][]string, err error) {
	parents = map[string][]string{}
	if len(tips) == 0 {
		return nil, parents, nil
	}
	in := strings.Join(tips, "\n") + "\n"
	for _, id := range not {
		in += "^" + id + "\n"
	}
	out, err := r.apart.Output(ctx, []byte(in), 1<<30, "rev-list", "--max-count="+strconv.Itoa(n), "--ignore-missing", "--parents", "--stdin")
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		if len(words) > 0 {
			ids = append(ids, words[0])
			parents[words[0]] = words[1:]
		}
	}
	return ids, parents, err
}

// Since is [Repo.Newest] of commits that were committed since a time. Where clocks
// were wrong, what lies behind an older commit may be left out.
func (r *Repo) Since(ctx context.Context, n int, tips []string, since time.Time) ([]string, error) {
	if len(tips) == 0 {
		return nil, nil
	}
	in := []byte(strings.Join(tips, "\n") + "\n")
	out, err := r.apart.Output(ctx, in, 1<<30, "rev-list", "--max-count="+strconv.Itoa(n), "--ignore-missing",
		"--since="+strconv.FormatInt(max(since.Unix(), 1), 10), "--stdin")
	return strings.Fields(string(out)), err
}

// Touching lists those of the commits that changed one of the paths, in their order,
// with one process; merges are none of them.
func (r *Repo) Touching(ctx context.Context, ids, paths []string) (list []string, err error) {
	if len(ids) == 0 || len(paths) == 0 {
		return nil, nil
	}
	args := []string{"--literal-pathspecs", "diff-tree", "--stdin", "-r", "-z", "--root", "--name-only", "--no-relative", "--"}
	out, err := r.apart.Output(ctx, []byte(strings.Join(ids, "\n")+"\n"), 1<<30, append(args, paths...)...)
	if err != nil {
		return nil, err
	}
	asked := map[string]bool{}
	for _, id := range ids {
		asked[id] = true
	}
	for word := range strings.SplitSeq(string(out), "\x00") {
		if asked[word] { // the others are paths
			list = append(list, word)
			delete(asked, word)
		}
	}
	return list, nil
}

// Count tells how many commits the tips reach and not does not.
func (r *Repo) Count(ctx context.Context, tips, not []string) (int, error) {
	ids, err := r.IDs(ctx, tips, not)
	if err != nil || len(tips) == 0 {
		return 0, err
	}
	for i := len(tips); i < len(ids); i++ {
		ids[i] = "^" + ids[i]
	}
	in := []byte(strings.Join(ids, "\n") + "\n")
	out, err := r.apart.Output(ctx, in, 1<<10, "rev-list", "--count", "--ignore-missing", "--stdin")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(out)))
}

// FirstParents lists the commits from tip down its first parents, newest first,
// and stops before the first that not reaches.
func (r *Repo) FirstParents(ctx context.Context, tip string, not ...string) ([]string, error) {
	ids, err := r.IDs(ctx, []string{tip}, not)
	if err != nil {
		return nil, err
	}
	for i := 1; i < len(ids); i++ {
		ids[i] = "^" + ids[i]
	}
	in := []byte(strings.Join(ids, "\n") + "\n")
	out, err := r.apart.Output(ctx, in, 1<<30, "rev-list", "--first-parent", "--ignore-missing", "--stdin")
	return strings.Fields(string(out)), err
}

// Ancestor reports whether the commit old is tip or one of its ancestors.
func (r *Repo) Ancestor(ctx context.Context, old, tip string) (bool, error) {
	ids, err := r.IDs(ctx, []string{old, tip})
	if err != nil {
		return false, err
	}
	_, err = r.apart.Output(ctx, nil, 1<<10, "merge-base", "--is-ancestor", ids[0], ids[1])
	var no *child.Error
	if errors.As(err, &no) && no.Code == 1 {
		return false, nil
	}
	return err == nil, err
}

// MergeBase is the best common ancestor of two commits, or "" if they have none.
func (r *Repo) MergeBase(ctx context.Context, a, b string) (string, error) {
	ids, err := r.IDs(ctx, []string{a, b})
	if err != nil {
		return "", err
	}
	out, err := r.apart.Output(ctx, nil, 1<<10, "merge-base", ids[0], ids[1])
	var no *child.Error
	if errors.As(err, &no) && no.Code == 1 {
		return "", nil
	}
	return strings.TrimSpace(string(out)), err
}

// Untouched reports whether old is tip or one of its ancestors and no commit
// between them touches the path. Then whatever follows from the history of the
// path up to old also holds at tip.
func (r *Repo) Untouched(ctx context.Context, path, old, tip string) (bool, error) {
	if ancestor, err := r.Ancestor(ctx, old, tip); err != nil || !ancestor {
		return false, err
	}
	out, err := r.apart.Guarded().Output(ctx, nil, 1<<10,
		"rev-list", "--max-count=1", "--full-history", old+".."+tip, "--", ":(top,literal)"+path)
	return err == nil && len(bytes.TrimSpace(out)) == 0, err
}
