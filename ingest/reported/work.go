package reported

import (
	"context"
	"log/slog"
	"time"

	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/drain"
)

// Bad says why the bytes are refused.
func (e *BadError) Bad() string { return e.Why }

// NewWorker returns who takes envelopes out of the inbox, and does nothing yet. Holder
// names the process among those that settle deliveries, of whatever source.
func NewWorker(space *ingest.Space, box *inbox.Inbox, now func() time.Time, log *slog.Logger, holder string) *drain.Worker {
	return drain.New(drain.Source{
		Deliveries: Deliveries, Gaps: Source, About: "reports of pipelines",
		Take: func(ctx context.Context, d inbox.Delivery) error {
			_, err := Take(ctx, space, now, d.Raw)
			return err
		},
	}, space, box, now, log, holder)
}
