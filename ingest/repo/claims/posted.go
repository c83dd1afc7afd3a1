package claims

import (
	"context"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/posted"
)

// readPosted reads, of the records that came from outside of the repository, those
// about commits of which the records must be read.
func (r *Reader) readPosted(ctx context.Context, sent map[string][]stemma.Digest, wanted map[string]bool) error {
	var commits []string
	for commit := range sent {
		if wanted[commit] {
			commits = append(commits, commit)
		}
	}
	for k, err := range r.Posted.About(ctx, commits) {
		if err != nil {
			return err
		}
		r.Notes++
		one := Record{
			Claims: posted.Claims(k.Format, k.Body), Place: posted.Place(stemma.Sum(k.Body)), Source: k.Format, Bodies: posted.Bodies(k.Format, k.Body),
		}
		if err := r.name(ctx, one); err != nil {
			return err
		}
		r.claims[k.Commit] = append(r.claims[k.Commit], one)
	}
	return nil
}
