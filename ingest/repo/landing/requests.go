package landing

import (
	"context"
	"fmt"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/repo/dag"
	"github.com/stemma-dev/stemma/storage"
)

// A request is a merge request of which the forge itself told that it came in.
type request struct {
	number, commits int // how many commits it had, as far as was told
	title           string
	head            stemma.Ref // what was merged
}

// requests are those of the repository, by the commit that they put on the branch: no
// message has to say it. Only a forge tells of a state. Of several that came with one
// commit the first counts.
func (d *Landings) requests(ctx context.Context) (map[stemma.Ref]request, error) {
	told := map[stemma.Ref]request{}
	err := d.Space.DB.Each(ctx, func(scan func(...any) error) error {
		var r request
		var merge string
		err := scan(&r.number, &merge, &r.commits, &r.title, (*string)(&r.head))
		if _, known := told[stemma.Ref(merge)]; !known {
			told[stemma.Ref(merge)] = r
		}
		return err
	}, `SELECT c.number, m.ref, COALESCE(c.commits, 0), COALESCE(c.title, ''), COALESCE(h.ref, '')
		FROM k_change c JOIN node r ON r.id = c.repository JOIN node m ON m.id = c.merge_commit LEFT JOIN node h ON h.id = c.head
		WHERE r.ref = $1 AND c.number IS NOT NULL AND c.state = 'merged' ORDER BY c.number`, string(d.Record.ID))
	if err != nil {
		return nil, fmt.Errorf("merge requests of %s: %w", d.Record.ID, err)
	}
	return told, nil
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
		r, ok := d.told[d.Repo.CommitRef(d.graph.ID(l.Commit))]
		if first := len(out) - r.commits; ok && r.commits > 1 && first >= 0 && d.oneByOne(r, out[first:]) {
			joined := dag.Landing{Commit: l.Commit}
			for _, part := range out[first:] {
				joined.Carried = append(joined.Carried, part.Carried...)
			}
			out = append(out[:first], joined)
		}
	}
	return out
}

// atOnce is within which time a forge commits all commits of one merge request anew.
const atOnce = time.Minute

// oneByOne reports whether steps are the commits of a merge request, as many as it had:
// up to its head itself, or committed anew at once. A commit with its title would be a
// squash.
func (d *Landings) oneByOne(r request, steps []dag.Landing) bool {
	last := steps[len(steps)-1]
	forwarded := d.Repo.CommitRef(d.graph.ID(last.Commit)) == r.head
	if !forwarded && d.words[last.Commit].Title == r.title {
		return false
	}
	for i, l := range steps {
		w := d.words[l.Commit]
		_, other := d.told[d.Repo.CommitRef(d.graph.ID(l.Commit))]
		switch {
		case len(l.Carried) != 1 || len(w.Landing.Numbers) > 0 || other && i < len(steps)-1:
			return false
		case !forwarded && d.words[last.Commit].Committed.Sub(w.Committed).Abs() > atOnce:
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
