package brought

import (
	"context"
	"log/slog"
	"time"

	"github.com/stemma-dev/stemma/ingest"
)

// poll is how often it is looked whether something has come.
const poll = 2 * time.Second

// Run links deployments as facts come, until ctx ends. Several processes may do so on
// one space: they state the same.
func Run(ctx context.Context, space *ingest.Space, now func() time.Time, log *slog.Logger) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		if n, err := Link(ctx, space, now); err != nil && ctx.Err() == nil {
			log.Error("deployments wait to be linked", "error", err)
		} else if n > 0 {
			log.Info("deployments linked", "deployments", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
