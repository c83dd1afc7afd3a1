// Package bound finds whose the lines are of commits of which no record tells, by
// their text: a forge squashed or rebased a branch, somebody picked a commit where
// nobody watched, an older content was put back. The commits that they came from
// are in the same clone, under a branch or the head of a merge request, and records
// tell of those.
//
// What is found of a commit depends on the commit, on the history and on the
// records in it, not on when they came: a repository that is read in one go and one
// that is read commit by commit and note by note come out the same. So a commit is
// looked at again when something has come, or went, that may have a say in it:
//
//   - it is new itself, or its own record was taken away;
//   - a record is new, or was changed or taken away, of a commit that changed one
//     of its files and was written before it was committed.
//
// All that is asked of the store. What the commits that matter have added is kept from
// when the scan read them ([Seen]); for those of earlier scans, git is asked in a number
// of processes that does not grow.
package bound

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/ingest/repo/clone"
	"github.com/stemma-dev/stemma/ingest/settle/bind"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/storage"
)

// Source is what facts about lines that were found by their text say they come from.
const Source = "line-content"

// Bounds of one scan. Of more, the newest count.
const (
	maxHistory = 250_000   // commits of which it is known what they stand on
	maxCommits = 20_000    // of which lines are looked for
	maxLines   = 5_000_000 // that their sources added
)

// skew is how much later, in seconds, the clock may be of who wrote a commit than
// that of who copied it.
const skew = 7 * 24 * 60 * 60

// A Reader looks for the lines of commits that one clone has.
type Reader struct {
	DB       *storage.DB
	Ledger   *ledger.Ledger
	Repo     *clone.Repo
	Has      func(commit string) bool // of the repository, as far as it was read
	Seen     *Seen                    // what was read before
	Since    int64                    // length of the log when it was looked last; 0 for never
	Progress func(stage string, done, total int64)

	commits map[string]*commit
	shape   *shape
}

// A Found is whose lines of a commit are. Without spans nothing is known of any more.
type Found struct {
	Spans   []attribution.Span
	Sources []string // commits that the lines came from
}

// Read tells of those commits of which something else is found than is known, and
// how long the log was that this rests on.
func (r *Reader) Read(ctx context.Context) (found map[string]Found, until int64, err error) {
	if until, err = r.Ledger.Size(ctx); err != nil {
		return nil, 0, err
	}
	found, err = r.read(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("lines by content: %w", err)
	}
	return found, until, nil
}

func (r *Reader) read(ctx context.Context) (map[string]Found, error) {
	if err := r.loadRecords(ctx); err != nil {
		return nil, err
	}
	if !r.anyTells() {
		return nil, nil
	}
	todo, err := r.candidates(ctx)
	if err != nil || len(todo) == 0 {
		return nil, err
	}
	if r.shape, err = r.readShape(ctx); err != nil {
		return nil, err
	}
	tasks, err := r.here(ctx, r.tasks(todo))
	if err != nil || len(tasks) == 0 {
		return nil, err
	}
	if err := r.loadSpans(ctx, tasks); err != nil {
		return nil, err
	}
	return r.bind(ctx, tasks)
}

// A task is a commit of which lines are looked for, and where. Without sources,
// what was found before is not there any more.
type task struct {
	*commit
	beside, below []*commit // the newest first
}

// tasks are the commits among those to be looked at whose lines may be found.
func (r *Reader) tasks(todo []*commit) (tasks []task) {
	byPath, byBlob := map[string][]*commit{}, map[string][]*commit{}
	for _, c := range r.commits {
		if c.source && (c.far || r.shape.has(c.id)) {
			for path := range c.files {
				byPath[path] = append(byPath[path], c)
			}
		}
		for _, run := range c.runs {
			if list := byBlob[run.Blob]; run.Blob != "" && (len(list) == 0 || list[len(list)-1] != c) {
				byBlob[run.Blob] = append(list, c)
			}
		}
	}
	slices.SortFunc(todo, newestFirst)
	for _, c := range todo {
		if len(tasks) == maxCommits {
			break
		}
		if !r.shape.has(c.id) {
			continue
		}
		if t := r.task(c, byPath, byBlob); len(t.beside)+len(t.below) > 0 || c.recovered {
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// sources are the commits in which the lines are looked for.
func (t task) sources() iter.Seq[*commit] {
	return func(yield func(*commit) bool) {
		for _, list := range [][]*commit{t.beside, t.below} {
			for _, c := range list {
				if !yield(c) {
					return
				}
			}
		}
	}
}

// here leaves of tasks what is in this clone, by one process. A commit whose lines came
// from one that is not here any more, such as of a branch that was deleted, is none:
// what is known of it is more than can be found.
func (r *Reader) here(ctx context.Context, tasks []task) (left []task, err error) {
	ids := map[string]bool{}
	for _, t := range tasks {
		ids[t.id] = true
		for c := range t.sources() {
			ids[c.id] = true
		}
		for _, id := range t.from {
			ids[id] = true
		}
	}
	here, err := r.Repo.Commits(ctx, slices.Collect(maps.Keys(ids)))
	if err != nil {
		return nil, err
	}
	for _, t := range tasks {
		lost := func(id string) bool {
			return !here[id] && r.commits[id] != nil && r.commits[id].source && !r.commits[id].far
		}
		if !here[t.id] || slices.ContainsFunc(t.from, lost) {
			continue
		}
		gone := func(c *commit) bool { return !here[c.id] && !c.far }
		t.beside, t.below = slices.DeleteFunc(t.beside, gone), slices.DeleteFunc(t.below, gone)
		left = append(left, t)
	}
	return left, nil
}

func newestFirst(a, b *commit) int {
	return cmp.Or(cmp.Compare(b.committed, a.committed), cmp.Compare(a.id, b.id))
}

// task finds the sources of a commit: those that it does not stand on, which are
// enough; and those that it stands on if it puts back what they added.
func (r *Reader) task(c *commit, byPath, byBlob map[string][]*commit) task {
	var beside, below []*commit
	seen := map[*commit]bool{}
	for _, blob := range c.files {
		for _, s := range byBlob[blob] {
			if !seen[s] {
				seen[s], beside = true, append(beside, s)
			}
		}
	}
	again := c.reverts
	var under, over func(id string) bool
	for path, blob := range c.files {
		for _, s := range byPath[path] {
			if s.far {
				if !seen[s] {
					seen[s], beside = true, append(beside, s)
				}
				continue
			}
			if under == nil {
				under = r.shape.ancestors(c.id)
			}
			if seen[s] {
				again = again || s.files[path] == blob && under(s.id)
				continue
			}
			seen[s] = true
			switch {
			case under(s.id):
				below = append(below, s)
				again = again || s.files[path] == blob
			case s.authored > c.committed+skew:
			default:
				if over == nil {
					over = r.shape.descendants(c.id)
				}
				if !over(s.id) {
					beside = append(beside, s)
				}
			}
		}
	}
	tells := func(c *commit) bool { return c.tells }
	if !slices.ContainsFunc(beside, tells) {
		beside = nil
	}
	if !again || !slices.ContainsFunc(below, tells) {
		below = nil
	}
	slices.SortFunc(beside, newestFirst)
	slices.SortFunc(below, newestFirst)
	return task{c, beside[:min(len(beside), bind.MaxSources)], below[:min(len(below), bind.MaxSources)]}
}
