// Package landing derives from commits what landed on a branch as one decision:
// the change, who wrote how much of it, what it was meant for, which earlier
// changes it mends, and whether the branch still has it. It rests on the commits
// in the graph and on what their messages say.
package landing

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/attribution/weave"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/git/history"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/repo/clone"
	"github.com/stemma-dev/stemma/ingest/repo/dag"
	"github.com/stemma-dev/stemma/ingest/repo/lines"
	"github.com/stemma-dev/stemma/ingest/repo/mended"
	"github.com/stemma-dev/stemma/ingest/repo/names"
	"github.com/stemma-dev/stemma/ingest/words"
	"github.com/stemma-dev/stemma/intent"
	"github.com/stemma-dev/stemma/storage"
)

// sourceLanding is what facts derived from several commits say they come from.
const sourceLanding = "git-landing"

// landingsAtOnce is how many changes are derived with one set of queries.
const landingsAtOnce = 400

// A Branch is the default branch of a repository, of which it is to be stated
// what landed.
type Branch struct {
	Space    *ingest.Space
	Writer   *names.Writer
	Repo     *clone.Repo
	Record   change.Repository
	Names    intent.Context // where short names of tickets lead
	Weave    *weave.Weave
	Repeats  *mended.Repeats // of the history, if this scan read all of it
	Origins  *lines.Origins
	Heard    []Heard             // of the commits read now that the branch reaches
	Reach    map[string]bool     // which these are
	Late     map[string]bool     // commits of earlier scans whose records came now
	Requests map[stemma.Ref]bool // and those of which the forge told since, see LateRequests
	Known    string              // up to where changes are known
	Shown    string              // the tip when the branch was read last
	Lags     bool                // this clone's tip is no news
	Progress func(stage string, done, total int64)
}

// Landings are what is to be stated of a branch. They rest on the commits in the
// graph and on their messages.
type Landings struct {
	*Branch
	graph *dag.Graph
	steps []dag.Landing
	words []words.Message        // by commit number
	owner map[int32]stemma.Ref   // the change that carried a commit
	taken map[int]stemma.Ref     // numbers of merge requests already given to a commit
	told  map[stemma.Ref]request // what the forge told to have come in, by the commit with which it did
	stand map[int]stemma.Ref     // with which commit each merge request came in of which the forge told, \"\" for none
	moved map[string]string      // where the branch stood before, by where the forge moved it
	trace *trace                 // where the lines came from that the steps mend

	onward bool // the branch went on from where it was, so graph holds what is new of it
}

// Begin finds out what landed since the last scan, and which earlier landings are to
// be stated again, since records of their commits came late. Of a branch that was put
// elsewhere that is everything. What is known of the commits must be in the graph.
//
// From then on the lines that fixes mend are traced beside what the caller does, until
// [Landings.State] has taken all or [Landings.Close].
func (b *Branch) Begin(ctx context.Context) (*Landings, error) {
	d := &Landings{Branch: b, graph: dag.New(), owner: map[int32]stemma.Ref{}, taken: map[int]stemma.Ref{}}
	before, err := b.landedBefore(ctx)
	if err != nil {
		return nil, err
	}
	if b.Lags {
		// Nothing lands; what it has news of may be records of what did.
		on, err := b.onDefault(ctx, b.Repo.Tip)
		if err != nil || !on {
			return nil, err
		}
		before = b.Repo.Tip
	}
	again := len(b.Late)+len(b.Requests) > 0
	if before == b.Repo.Tip && !again {
		return nil, nil
	}
	if d.told, d.stand, err = d.requests(ctx); err != nil {
		return nil, err
	}
	if d.moved, err = d.pushes(ctx); err != nil {
		return nil, err
	}
	d.onward = before != ""
	var not []string
	if before != "" {
		not = []string{before}
		if d.taken, err = d.knownNumbers(ctx); err != nil {
			return nil, err
		}
	}
	if again && before != "" {
		if err := d.readMessages(ctx, nil); err != nil {
			return nil, err
		}
		if d.steps, err = d.landingsAgain(ctx, before); err != nil {
			return nil, err
		}
	} else if err := d.readMessages(ctx, not); err != nil {
		return nil, err
	}
	d.steps = append(d.steps, d.join(d.graph.Landings(b.Repo.Tip, not))...)
	d.trace = d.begin(ctx)
	return d, nil
}

// State states the changes.
func (d *Landings) State(ctx context.Context) error {
	for part := range slices.Chunk(d.steps, landingsAtOnce) {
		if err := d.derive(ctx, part); err != nil {
			return err
		}
		d.Progress("changes", int64(len(d.owner)), 0)
	}
	if err := d.supersede(ctx); err != nil || d.Lags {
		return err
	}
	return d.stateReach(ctx)
}

// Close ends what goes on beside the caller.
func (d *Landings) Close() { d.trace.stop() }

// onDefault reports whether the default branch reaches a commit of an earlier scan.
func (b *Branch) onDefault(ctx context.Context, id string) (bool, error) {
	n := 0
	err := b.Space.DB.Read(ctx, func(tx *storage.Tx) error {
		return tx.QueryRow(ctx, `SELECT COUNT(*) FROM node n JOIN k_commit c ON c.id = n.id
			WHERE n.ref = $1 AND c.on_default = 1`, string(b.Repo.CommitRef(id))).Scan(&n)
	})
	return n > 0, err
}

// landedBefore is up to where changes are known, or nothing if that is not a
// part of the branch any more.
func (b *Branch) landedBefore(ctx context.Context) (string, error) {
	before := b.Known
	if before == "" || before == b.Repo.Tip {
		return before, nil
	}
	part, err := b.Repo.Ancestor(ctx, before, b.Repo.Tip)
	if err != nil && ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if err != nil || !part {
		return "", nil // put elsewhere, or not in this copy
	}
	return before, nil
}

// landingsAgain are those of earlier scans that rest on commits which were stated
// again, or of whose merge request the forge told since: they carry one, or mend lines
// of one.
func (d *Landings) landingsAgain(ctx context.Context, before string) ([]dag.Landing, error) {
	landings := d.join(d.graph.Landings(before, nil))
	again := map[int32]bool{}
	late := map[stemma.Ref]bool{}
	for _, l := range landings {
		if d.isLate(l) {
			for _, n := range l.Carried {
				late[d.Repo.CommitRef(d.graph.ID(n))], again[n] = true, true
			}
		}
	}
	for id := range d.Late {
		late[d.Repo.CommitRef(id)] = true
		if n, ok := d.graph.Find(id); ok {
			again[n] = true
		}
	}
	err := storage.InChunks(late, func(refs []any, marks string) error {
		return d.Space.DB.Read(ctx, func(tx *storage.Tx) error {
			rows, err := tx.Query(ctx, `SELECT DISTINCT m.ref FROM node n JOIN k_change_fixes f ON f."commit" = n.id
				JOIN k_change c ON c.id = f.id JOIN node m ON m.id = c.merge_commit WHERE n.ref IN (`+marks+`)`, refs...)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var merge stemma.Ref
				if err := rows.Scan((*string)(&merge)); err != nil {
					return err
				}
				_, id := merge.Split()
				if n, ok := d.graph.Find(id); ok {
					again[n] = true
				}
			}
			return rows.Err()
		})
	})
	if err != nil {
		return nil, fmt.Errorf("changes of %s: %w", d.Record.ID, err)
	}
	return slices.DeleteFunc(landings, func(l dag.Landing) bool {
		return !slices.ContainsFunc(l.Carried, func(n int32) bool { return again[n] })
	}), nil
}

// Heard is what a commit says, kept until it is known how it landed.
type Heard struct {
	id      string
	parents []string
	words   words.Message
}

// Hear keeps what a commit says.
func Hear(c *history.Commit, said words.Message) Heard { return Heard{c.ID, parents(c), said} }

// parents are those that a commit has in this copy of the history.
func parents(c *history.Commit) []string {
	if c.Shallow {
		return nil
	}
	return c.Parents
}

// readMessages fills the graph of the default branch with words: those of the
// commits read now, and of what comes before them since not.
func (d *Landings) readMessages(ctx context.Context, not []string) error {
	tips := map[string]bool{d.Repo.Tip: true}
	for _, t := range d.Heard {
		for _, p := range t.parents {
			tips[p] = true
		}
	}
	for _, t := range d.Heard {
		d.add(t)
		delete(tips, t.id)
	}
	for _, id := range not {
		delete(tips, id)
	}
	before := history.Options{Tips: slices.Sorted(maps.Keys(tips)), Not: not, NoDiff: true}
	for c, err := range history.Log(ctx, d.Repo.Repo, before) {
		if err != nil {
			return err
		}
		d.add(Hear(c, words.Of(&c.Commit, d.Names)))
	}
	return nil
}

// add adds a commit to the graph.
func (d *Landings) add(t Heard) {
	n := d.graph.Add(t.id, t.parents)
	for len(d.words) < d.graph.Len() {
		d.words = append(d.words, words.Message{})
	}
	d.words[n] = t.words
}

// knownNumbers are the merge requests that earlier scans have found.
func (d *Landings) knownNumbers(ctx context.Context) (map[int]stemma.Ref, error) {
	known := map[int]stemma.Ref{}
	err := d.Space.DB.Read(ctx, func(tx *storage.Tx) error {
		rows, err := tx.Query(ctx, `SELECT c.number, m.ref FROM k_change c JOIN node r ON r.id = c.repository JOIN node m ON m.id = c.merge_commit
			WHERE r.ref = $1 AND c.number IS NOT NULL AND COALESCE(c.dropped, 0) = 0`, string(d.Record.ID))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var number int
			var merge string
			if err := rows.Scan(&number, &merge); err != nil {
				return err
			}
			known[number] = stemma.Ref(merge)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("changes of %s: %w", d.Record.ID, err)
	}
	return known, nil
}

// derive states some landings.
func (d *Landings) derive(ctx context.Context, steps []dag.Landing) error {
	traced, err := d.trace.next(ctx)
	if err != nil {
		return err
	}
	for _, id := range traced.missed {
		d.Writer.Miss(id)
	}
	changes := make([]change.Change, len(steps))
	for i, l := range steps {
		changes[i] = d.assemble(l, traced.stats)
		for _, n := range l.Carried {
			d.owner[n] = changes[i].Ref()
		}
	}
	if err := d.findFixes(ctx, steps, changes, traced.runs); err != nil {
		return err
	}
	for i := range changes {
		if err := d.stateChange(ctx, changes[i], steps[i]); err != nil {
			return err
		}
	}
	return nil
}
