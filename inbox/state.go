package inbox

import (
	"context"
	"fmt"

	"github.com/stemma-dev/stemma/storage"
)

// State says how a delivery stands: "pending", "done", or "refused" with the reason. One
// that was never accepted, or is forgotten, is stemma.ErrNotFound.
func (b *Inbox) State(ctx context.Context, source, key string) (state, reason string, err error) {
	err = b.db.Read(ctx, func(tx *storage.Tx) error {
		return tx.QueryRow(ctx, "SELECT state, reason FROM inbox WHERE source = $1 AND delivery = $2", source, key).Scan(&state, &reason)
	})
	if err != nil {
		return "", "", fmt.Errorf("inbox: delivery %.200q of %s: %w", key, source, err)
	}
	return state, reason, nil
}
