package landing

import (
	"context"
	"fmt"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/repo/dag"
	"github.com/stemma-dev/stemma/storage"
)

// A request is a merge request of which the forge itself told.
type request struct {
	number, commits int        // how many commits it had, as far as was told
	head            stemma.Ref // what was merged
	opened          bool       // by whom is known
}

// requests reads what the forge told of the merge requests of the repository: which came
// in, by the commit that they put on the branch, so that no message has to say it; of
// several that came with one commit the first counts. And of each that it knows, with
// which commit it came in, "" if it did not. Only a forge tells of a state.
func (d *Landings) requests(ctx context.Context) (told map[stemma.Ref]request, stand map[int]stemma.Ref, err error) {
	told, stand = map[stemma.Ref]request{}, map[int]stemma.Ref{}
	err = d.Space.DB.Each(ctx, func(scan func(...any) error) error {
		var r request
		var state, merge string
		if err := scan(&r.number, &state, &merge, &r.commits, (*string)(&r.head), &r.opened); err != nil {
			return err
		}
		if stand[r.number] = ""; state != "merged" || merge == "" {
			return nil
		}
		stand[r.number] = stemma.Ref(merge)
		if _, known := told[stemma.Ref(merge)]; !known {
			told[stemma.Ref(merge)] = r
		}
		return nil
	}, `SELECT c.number, c.state, COALESCE(m.ref, ''), COALESCE(c.commits, 0), COALESCE(h.ref, ''), CASE WHEN c.author IS NULL THEN 0 ELSE 1 END
		FROM k_change c JOIN node r ON r.id = c.repository LEFT JOIN node m ON m.id = c.merge_commit LEFT JOIN node h ON h.id = c.head
		WHERE r.ref = $1 AND c.number IS NOT NULL AND c.state IS NOT NULL ORDER BY c.number`, string(d.Record.ID))
	if err != nil {
		return nil, nil, fmt.Errorf("merge requests of %s: %w", d.Record.ID, err)
	}
	return told, stand, nil
}

// pushes are the moves of the branch that the forge told, as where it stood before, by
// where it stood afterwards.
func (d *Landings) pushes(ctx context.Context) (map[string]string, error) {
	before := map[string]string{}
	if len(d.told) == 0 {
		return before, nil
	}
	err := d.Space.DB.Each(ctx, func(scan func(...any) error) error {
		var from, to string
		err := scan(&from, &to)
		before[to] = from
		return err
	}, `SELECT p."before", p."after" FROM k_push p JOIN node r ON r.id = p.repository WHERE r.ref = $1 AND p.name = $2
		AND p."before" IS NOT NULL AND p."after" IS NOT NULL ORDER BY p.id`, string(d.Record.ID), "refs/heads/"+d.Repo.BranchName())
	if err != nil {
		return nil, fmt.Errorf("pushes of %s: %w", d.Record.ID, err)
	}
	return before, nil
}

// LateRequests are the commits with which merge requests of a repository came in that
// landed as changes without a number, since the forge told of them later.
func LateRequests(ctx context.Context, space *ingest.Space, repository stemma.Ref) (map[stemma.Ref]bool, error) {
	late := map[stemma.Ref]bool{}
	err := space.DB.Each(ctx, func(scan func(...any) error) error {
		var merge string
		err := scan(&merge)
		late[stemma.Ref(merge)] = true
		return err
	}, `SELECT DISTINCT m.ref FROM k_change t JOIN node r ON r.id = t.repository JOIN node m ON m.id = t.merge_commit JOIN k_change c ON c.merge_commit = t.merge_commit
		WHERE r.ref = $1 AND t.number IS NOT NULL AND t.state = 'merged' AND c.number IS NULL AND COALESCE(c.dropped, 0) = 0`, string(repository))
	if err != nil {
		return nil, fmt.Errorf("merge requests of %s: %w", repository, err)
	}
	return late, nil
}

// isLate reports whether the forge told of a landing only after it was stated.
func (d *Landings) isLate(l dag.Landing) bool {
	return d.Requests[d.Repo.CommitRef(d.graph.ID(l.Commit))]
}

// join makes one step of those in which the commits of one merge request came one by
// one, as a rebase or a fast-forward of a forge puts them on the branch.
func (d *Landings) join(steps []dag.Landing) []dag.Landing {
	var out []dag.Landing
	for _, l := range steps {
		out = append(out, l)
		first, ok := d.first(out)
		if !ok || !d.oneByOne(out[first:]) {
			continue
		}
		joined := dag.Landing{Commit: l.Commit}
		for _, part := range out[first:] {
			joined.Carried = append(joined.Carried, part.Carried...)
		}
		out = append(out[:first], joined)
	}
	return out
}

// first is the step with which the merge request began that came in with the last one:
// the forge told from where it moved the branch then, or the last commit is the head of
// the merge request itself, of whose commits it told how many there are.
func (d *Landings) first(steps []dag.Landing) (int, bool) {
	last := d.graph.ID(steps[len(steps)-1].Commit)
	r, ok := d.told[d.Repo.CommitRef(last)]
	if !ok {
		return 0, false
	}
	if before, moved := d.moved[last]; moved {
		for i := len(steps) - 2; i >= 0 && i >= len(steps)-maxJoined; i-- {
			if d.graph.ID(steps[i].Commit) == before {
				return i + 1, i+1 < len(steps)-1
			}
		}
	}
	first := len(steps) - r.commits
	return first, r.commits > 1 && first >= 0 && d.Repo.CommitRef(last) == r.head
}

// maxJoined is how many commits of one merge request are put together.
const maxJoined = 1000

// oneByOne reports whether steps are single commits of which nothing says that they came
// in by themselves.
func (d *Landings) oneByOne(steps []dag.Landing) bool {
	for i, l := range steps {
		_, other := d.told[d.Repo.CommitRef(d.graph.ID(l.Commit))]
		if len(l.Carried) != 1 || len(d.words[l.Commit].Landing.Numbers) > 0 || other && i < len(steps)-1 {
			return false
		}
	}
	return true
}

// supersede takes back the changes without a number as which commits of merge requests
// had landed before the forge told of those.
func (d *Landings) supersede(ctx context.Context) error {
	carried := map[stemma.Ref]bool{}
	for _, l := range d.steps {
		if _, ok := d.told[d.Repo.CommitRef(d.graph.ID(l.Commit))]; ok {
			for _, n := range l.Carried {
				carried[d.Repo.CommitRef(d.graph.ID(n))] = true
			}
		}
	}
	var gone []change.Change
	err := storage.InChunks(carried, func(refs []any, marks string) error {
		return d.Space.DB.Each(ctx, func(scan func(...any) error) error {
			c := change.Change{Dropped: new(bool)}
			*c.Dropped = true
			err := scan((*string)(&c.MergeCommit), (*string)(&c.Repository))
			gone = append(gone, c)
			return err
		}, `SELECT m.ref, r.ref FROM node m JOIN k_change c ON c.merge_commit = m.id JOIN node r ON r.id = c.repository
			WHERE m.ref IN (`+marks+`) AND c.number IS NULL AND COALESCE(c.dropped, 0) = 0 ORDER BY m.ref`, refs...)
	})
	if err != nil {
		return fmt.Errorf("changes of %s: %w", d.Record.ID, err)
	}
	for _, c := range gone {
		if err := d.Writer.Record(ctx, c, sourceLanding, stemma.GradeD); err != nil {
			return err
		}
	}
	return nil
}
