package inbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
)

// leaseName is that of the one lease: who settles deliveries.
const leaseName = "settle"

// Hold takes the lease for a while, or keeps it, if nobody else holds it. A holder that
// died is waited for until its time is over.
func (b *Inbox) Hold(ctx context.Context, holder string, during time.Duration) (held bool, err error) {
	err = b.db.Write(ctx, func(tx *storage.Tx) error {
		now := b.now()
		n, err := tx.Exec(ctx, `INSERT INTO inbox_lease (name, holder, until) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
			WHERE inbox_lease.holder = excluded.holder OR inbox_lease.until < $4`,
			leaseName, holder, now.Add(during).UnixMicro(), now.UnixMicro())
		held = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("inbox: taking the lease: %w", err)
	}
	return held, nil
}

// Release gives the lease back, so that nobody has to wait.
func (b *Inbox) Release(ctx context.Context, holder string) error {
	err := b.db.Write(ctx, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM inbox_lease WHERE name = $1 AND holder = $2", leaseName, holder)
		return err
	})
	if err != nil {
		return fmt.Errorf("inbox: giving the lease back: %w", err)
	}
	return nil
}

// SettleAs is Settle by who holds the lease; it is [ErrNotHeld], and nothing is
// settled, if somebody else took it meanwhile.
func (b *Inbox) SettleAs(ctx context.Context, holder string, outcomes ...Outcome) error {
	return b.settle(ctx, holder, outcomes)
}

func (b *Inbox) holds(ctx context.Context, tx *storage.Tx, holder string) error {
	var is string
	err := tx.QueryRow(ctx, "SELECT holder FROM inbox_lease WHERE name = $1", leaseName).Scan(&is)
	switch {
	case errors.Is(err, stemma.ErrNotFound), err == nil && is != holder:
		return ErrNotHeld
	}
	return err
}
