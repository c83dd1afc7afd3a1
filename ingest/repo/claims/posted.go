package claims

import (
	"context"
	"maps"
	"slices"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/posted"
)

// bodiesAtOnce is how many notes that were sent are in memory at a time.
const bodiesAtOnce = 16

// readPosted reads, of the notes that were sent over HTTP, those about commits of
// which the records must be read.
func (r *Reader) readPosted(ctx context.Context, sent map[string]stemma.Digest, wanted map[string]bool) error {
	var commits []string
	for commit := range sent {
		if wanted[commit] {
			commits = append(commits, commit)
		}
	}
	slices.Sort(commits)
	for some := range slices.Chunk(commits, bodiesAtOnce) {
		bodies, err := r.Posted.Get(ctx, some)
		if err != nil {
			return err
		}
		for _, commit := range slices.Sorted(maps.Keys(bodies)) {
			body := bodies[commit]
			r.Notes++
			r.claims[commit] = append(r.claims[commit], Record{
				Claims: posted.Claims(body), Place: posted.Place(stemma.Sum(body)), Source: posted.Source, Bodies: posted.Bodies(body),
			})
		}
	}
	return nil
}
