// Package compared finds out whether what came onto a branch is what was shown for
// review. A forge says with which commit a merge request came in, and who was let in may
// let it say so of any commit; a squash or a rebase has neither the head nor its tree. So
// the head is merged anew with what the branch was before, and the tree of that is held
// against the one that landed.
package compared

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/git"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/repo/clone"
	"github.com/stemma-dev/stemma/storage"
)

// source is what facts that follow from a comparison say they come from.
const source = "git-comparison"

// maxLandings is how many landings are looked for in a clone, the newest, and atOnce how
// many of those that are there are compared with one set of processes.
const (
	maxLandings = 5000
	atOnce      = 100
)

// maxCommits is how many commits of a landing are followed to what it stands on.
const maxCommits = 1000

// A landing is a merge request that came in, as far as it takes to compare it.
type landing struct {
	id      int64
	number  int
	head    string          // id of the commit that was shown for review last
	landed  string          // of the one that it put on the branch
	carried map[string]bool // those that it brought
	base    string          // what the branch was before
}

// A Clone is where the landings of a repository may be compared.
type Clone struct {
	Space      *ingest.Space
	Repo       *clone.Repo
	Repository stemma.Ref
	Now        func() time.Time
	Log        *slog.Logger
	Progress   func(stage string, done, total int64)
}

// State compares those landings of which that was not done yet and whose commits are all in
// this clone.
func (c *Clone) State(ctx context.Context) (err error) {
	if c.Repo.Partial || c.Repo.Shallow { // what is wanting cannot be merged
		return nil
	}
	list, err := c.pending(ctx)
	if err != nil || len(list) == 0 {
		return err
	}
	w := ingest.NewWriter(ctx, c.Space, c.Now)
	defer func() {
		if closed := w.Close(ctx); err == nil {
			err = closed
		}
	}()
	done := 0
	for part := range slices.Chunk(list, atOnce) {
		if err := c.state(ctx, w, part); err != nil {
			return err
		}
		done += len(part)
		c.Progress("landings compared", int64(done), int64(len(list)))
	}
	return nil
}

// state compares some landings.
func (c *Clone) state(ctx context.Context, w *ingest.Writer, list []*landing) error {
	if err := readCarried(ctx, c.Space.DB, list); err != nil {
		return fmt.Errorf("merge requests of %s: %w", c.Repository, err)
	}
	found, err := c.compareAll(ctx, list)
	if err != nil {
		return err
	}
	for _, x := range found {
		x.Repository = c.Repository
		f, err := x.Fact(source, stemma.GradeD)
		if err != nil {
			return err
		}
		f.Occurred = c.Now()
		if err := w.Put(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// compareAll compares all that can be: one at which git dies, since an object is broken or
// was made so, holds up no other.
func (c *Clone) compareAll(ctx context.Context, list []*landing) ([]change.Change, error) {
	found, err := compare(ctx, c.Repo.Repo, slices.Clone(list))
	switch n := len(list) / 2; {
	case err == nil:
		return found, nil
	case ctx.Err() != nil:
		return nil, err
	case n > 0:
		first, err := c.compareAll(ctx, list[:n])
		if err != nil {
			return nil, err
		}
		rest, err := c.compareAll(ctx, list[n:])
		return append(first, rest...), err
	}
	c.Log.Info("a landing could not be compared", "repository", c.Repository, "number", list[0].number, "why", err)
	return nil, nil
}

// pending are the landings that are to be compared, and of which the head is in this clone.
func (c *Clone) pending(ctx context.Context) (list []*landing, err error) {
	var heads []string
	err = c.Space.DB.Each(ctx, func(scan func(...any) error) error {
		l := &landing{carried: map[string]bool{}}
		var head, landed stemma.Ref
		err := scan(&l.id, &l.number, (*string)(&head), (*string)(&landed))
		_, l.head = head.Split()
		_, l.landed = landed.Split()
		list, heads = append(list, l), append(heads, l.head)
		return err
	}, `SELECT c.id, c.number, h.ref, m.ref FROM k_change c JOIN node r ON r.id = c.repository JOIN node h ON h.id = c.head JOIN node m ON m.id = c.merge_commit
		WHERE r.ref = $1 AND c.number IS NOT NULL AND c.state = 'merged' AND c.head <> c.merge_commit AND (c.compared IS NULL OR c.compared <> c.head) AND COALESCE(c.dropped, 0) = 0
		ORDER BY c.merged DESC, c.number DESC LIMIT $2`, string(c.Repository), maxLandings)
	if err != nil {
		return nil, fmt.Errorf("merge requests of %s: %w", c.Repository, err)
	}
	here, err := c.Repo.Commits(ctx, heads)
	return slices.DeleteFunc(list, func(l *landing) bool { return !here[l.head] }), err
}

// readCarried reads what landings brought.
func readCarried(ctx context.Context, db *storage.DB, list []*landing) error {
	at := map[int64]*landing{}
	var ids []string
	for _, l := range list {
		at[l.id] = l
		ids = append(ids, strconv.FormatInt(l.id, 10))
	}
	return db.Each(ctx, func(scan func(...any) error) error {
		var id int64
		var commit stemma.Ref
		err := scan(&id, (*string)(&commit))
		_, sha := commit.Split()
		at[id].carried[sha] = true
		return err
	}, `SELECT e.src, n.ref FROM edge e JOIN door d ON d.id = e.door JOIN node n ON n.id = e.dst WHERE d.name = 'carries' AND e.src IN (`+strings.Join(ids, ",")+`)`)
}

// compare says of landings in how many files they are not what git makes of their head and
// of what the branch was before. Those of which a commit is not in this clone are left out.
func compare(ctx context.Context, r *git.Repo, list []*landing) (found []change.Change, err error) {
	commits, err := read(ctx, r, list)
	if err != nil {
		return nil, err
	}
	var pairs [][2]string
	list = slices.DeleteFunc(list, func(l *landing) bool { return !l.settle(commits) })
	for _, l := range list {
		pairs = append(pairs, [2]string{l.base, l.head})
	}
	unions, err := r.Unite(ctx, pairs)
	if err != nil {
		return nil, err
	}
	var trees [][2]string
	for i, u := range unions {
		trees = append(trees, [2]string{u.Tree, commits[list[i].landed].Tree})
	}
	differing, err := r.Differing(ctx, trees)
	if err != nil {
		return nil, err
	}
	for i, l := range list {
		n := max(differing[i], len(unions[i].Conflicts)) // of which somebody made something
		found = append(found, change.Change{Number: l.number, Compared: &change.Compared{With: change.ShaRef(l.head), Altered: n}})
	}
	return found, nil
}

// read reads the commits of landings that are in this clone, with the roots of their trees:
// some versions of git take a tree that is wanting for an empty one.
func read(ctx context.Context, r *git.Repo, list []*landing) (map[string]git.Commit, error) {
	ids := map[string]bool{}
	for _, l := range list {
		ids[l.head], ids[l.landed] = true, true
		maps.Copy(ids, l.carried)
	}
	here, err := r.Readable(ctx, slices.Sorted(maps.Keys(ids)))
	if err != nil {
		return nil, err
	}
	commits := map[string]git.Commit{}
	for c, err := range history.Log(ctx, r, history.Options{Tips: slices.Sorted(maps.Keys(here)), Only: true, NoDiff: true}) {
		if err != nil {
			return nil, err
		}
		commits[c.ID] = c.Commit
	}
	var roots []string
	for _, c := range commits {
		roots = append(roots, c.Tree)
	}
	slices.Sort(roots)
	whole, err := r.Readable(ctx, slices.Compact(roots))
	maps.DeleteFunc(commits, func(_ string, c git.Commit) bool { return !whole[c.Tree] })
	return commits, err
}

// settle finds what the branch was before, along the commits that the landing brought. It
// is not ok if one of them is not in this clone, or nothing was before.
func (l *landing) settle(commits map[string]git.Commit) (ok bool) {
	if _, ok := commits[l.head]; !ok {
		return false
	}
	at := l.landed
	for range maxCommits {
		c, ok := commits[at]
		if !ok || len(c.Parents) == 0 {
			return false
		}
		if at = c.Parents[0]; !l.carried[at] {
			l.base = at
			return true
		}
	}
	return false
}
