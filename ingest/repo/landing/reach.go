package landing

import (
	"context"
	"fmt"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/storage"
)

// stateReach states which commits of earlier scans have come onto the default
// branch since, and which have left it, with the changes that brought them.
func (d *Landings) stateReach(ctx context.Context) error {
	if d.Shown == "" || d.Shown == d.Repo.Tip {
		return nil
	}
	came, err := d.Repo.Reach(ctx, []string{d.Repo.Tip}, []string{d.Shown})
	if err != nil {
		return err
	}
	for _, id := range came {
		if !d.Reach[id] {
			if err := d.stateDefault(ctx, id, true); err != nil {
				return err
			}
		}
	}
	left, err := d.left(ctx)
	if err != nil {
		return err
	}
	gone := map[stemma.Ref]bool{}
	for _, id := range left {
		gone[d.Repo.CommitRef(id)] = true
		if err := d.stateDefault(ctx, id, false); err != nil {
			return err
		}
	}
	return d.dropChanges(ctx, gone)
}

func (d *Landings) stateDefault(ctx context.Context, id string, on bool) error {
	return d.Writer.Record(ctx, change.Commit{SHA: id, OnDefault: &on}, sourceLanding, stemma.GradeD)
}

// left are the commits that the branch reached at the last scan and does not reach
// any more. The old tip may not be in this copy: of a branch that was put elsewhere
// they also are those that the store has on it and its whole history has not.
func (d *Landings) left(ctx context.Context) ([]string, error) {
	ids, err := d.Repo.Reach(ctx, []string{d.Shown}, []string{d.Repo.Tip})
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		ids = nil
	}
	if d.onward || d.Repo.Shallow { // what is cut off is not gone
		return ids, nil
	}
	known := map[string]bool{}
	for _, id := range ids {
		known[id] = true
	}
	err = d.Space.DB.Read(ctx, func(tx *storage.Tx) error {
		rows, err := tx.Query(ctx, `SELECT c.sha FROM k_commit c JOIN node r ON r.id = c.repository WHERE r.ref = $1 AND c.on_default = 1`, string(d.Record.ID))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			if !known[id] && !d.graph.Has(id) {
				ids = append(ids, id)
			}
		}
		return rows.Err()
	})
	return ids, err
}

// dropChanges states that the changes which put one of these commits on the branch
// are not on it any more, unless this scan found that another commit has landed
// under their number.
func (d *Landings) dropChanges(ctx context.Context, gone map[stemma.Ref]bool) error {
	again := map[stemma.Ref]bool{}
	for _, ref := range d.owner {
		again[ref] = true
	}
	var dropped []change.Change
	err := storage.InChunks(gone, func(refs []any, marks string) error {
		return d.Space.DB.Read(ctx, func(tx *storage.Tx) error {
			rows, err := tx.Query(ctx, `SELECT m.ref, COALESCE(c.number, 0), r.ref, COALESCE(c.target, '') FROM node m JOIN k_change c ON c.merge_commit = m.id
				JOIN node r ON r.id = c.repository WHERE m.ref IN (`+marks+`) ORDER BY m.ref, c.id`, refs...)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var target string
				c := change.Change{Dropped: new(bool)}
				*c.Dropped = true
				if err := rows.Scan((*string)(&c.MergeCommit), &c.Number, (*string)(&c.Repository), &target); err != nil {
					return err
				}
				if c.Repository == d.Record.ID && target == d.Repo.BranchName() && !again[c.Ref()] {
					dropped = append(dropped, c)
				}
			}
			return rows.Err()
		})
	})
	if err != nil {
		return fmt.Errorf("changes of %s: %w", d.Record.ID, err)
	}
	for _, c := range dropped {
		if err := d.Writer.Record(ctx, c, sourceLanding, stemma.GradeD); err != nil {
			return err
		}
	}
	return nil
}
