// Package deduced keeps what follows from the graph up with it: which changes deployments
// brought, how often changes were tried, in which roles reviews were given.
package deduced

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/brought"
	"github.com/stemma-dev/stemma/ingest/iterated"
	"github.com/stemma-dev/stemma/ingest/standing"
)

// All states all that follows and is not known yet, and says about how many things that
// was.
func All(ctx context.Context, space *ingest.Space, now func() time.Time) (int, error) {
	linked, err := brought.Link(ctx, space, now)
	counted, failed := iterated.Count(ctx, space, now)
	kept, also := standing.Link(ctx, space, now)
	return linked + counted + kept, errors.Join(err, failed, also)
}

// poll is how often it is looked whether something has come.
const poll = 2 * time.Second

// Run states what follows as facts come, until ctx ends. Several processes may do so on
// one space: they state the same.
func Run(ctx context.Context, space *ingest.Space, now func() time.Time, log *slog.Logger) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		if n, err := All(ctx, space, now); err != nil && ctx.Err() == nil {
			log.Error("what follows from the facts waits", "error", err)
		} else if n > 0 {
			log.Info("stated what follows from the facts", "things", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
