package space

import (
	"context"
	"log/slog"
	"time"

	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/brought"
	"github.com/stemma-dev/stemma/ingest/standing"
)

// poll is how often it is looked whether something has come.
const poll = 2 * time.Second

// links find out what facts of several sources say together. Each goes on where it
// stopped, and several processes may do it on one space: they state the same.
var links = []struct {
	what string
	find func(context.Context, *ingest.Space, func() time.Time) (int, error)
}{{"deployments", brought.Link}, {"standings of reviewers", standing.Link}}

// link finds out what follows from the facts that there are.
func link(ctx context.Context, space *ingest.Space, now func() time.Time) error {
	for _, l := range links {
		if _, err := l.find(ctx, space, now); err != nil {
			return err
		}
	}
	return nil
}

// keepLinking does so as facts come, until ctx ends.
func keepLinking(ctx context.Context, space *ingest.Space, now func() time.Time, log *slog.Logger) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		for _, l := range links {
			if n, err := l.find(ctx, space, now); err != nil && ctx.Err() == nil {
				log.Error("links wait", "of", l.what, "error", err)
			} else if n > 0 {
				log.Info("linked", "what", l.what, "facts", n)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
