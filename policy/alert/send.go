package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
)

const (
	atOnce   = 50               // messages that a receiver is told in one go
	enough   = 20 * time.Second // for one delivery
	claimed  = time.Minute      // within which another process leaves a message alone: longer than a delivery
	longest  = 10 * time.Minute // between two tries
	hopeless = time.Hour        // likewise, of what the receiver refuses
)

// A waiting is a message that is being told.
type waiting struct {
	Message
	receiver      string
	serial, tries int64
}

// drain tells one receiver what is due, one message after the other, until it fails.
func (a *Alerter) drain(ctx context.Context, receiver string) error {
	for range atOnce {
		w, err := a.next(ctx, receiver)
		if err != nil || w == nil {
			return err
		}
		failed := a.deliver(ctx, receiver, w.Message)
		if failed != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := a.settle(ctx, w, failed); err != nil || failed != nil {
			return err
		}
	}
	return nil
}

// idle reports whether a receiver is to be told nothing now, without holding up who
// writes.
func (a *Alerter) idle(ctx context.Context, receiver string, now time.Time) (idle bool, err error) {
	return idle, a.c.DB.Read(ctx, func(tx *storage.Tx) error {
		var n int64
		err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM alert_message WHERE receiver = $1 AND due > 0 AND (due <= $2 OR due > $3)`,
			receiver, now.UnixMicro(), now.Add(hopeless).UnixMicro()).Scan(&n)
		idle = n == 0
		return err
	})
}

// next claims a message that is due. One that is due later than it can be was put off by a
// clock that was wrong.
func (a *Alerter) next(ctx context.Context, receiver string) (w *waiting, err error) {
	now := a.c.Now()
	if idle, err := a.idle(ctx, receiver, now); err != nil || idle {
		return nil, err
	}
	err = a.c.DB.Write(ctx, func(tx *storage.Tx) error {
		var body string
		x := waiting{receiver: receiver}
		err := tx.QueryRow(ctx, `SELECT rule, serial, tries, body FROM alert_message WHERE receiver = $1 AND due > 0 AND (due <= $2 OR due > $3) ORDER BY due, rule LIMIT 1`,
			receiver, now.UnixMicro(), now.Add(hopeless).UnixMicro()).Scan(&x.Rule, &x.serial, &x.tries, &body)
		if errors.Is(err, stemma.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(body), &x.Message); err != nil {
			return fmt.Errorf("alert: what %s is to be told of %s: %w", receiver, x.Rule, err)
		}
		w = &x
		_, err = tx.Exec(ctx, `UPDATE alert_message SET due = $1 WHERE rule = $2 AND receiver = $3`, now.Add(claimed).UnixMicro(), x.Rule, receiver)
		return err
	})
	return w, err
}

func (a *Alerter) deliver(ctx context.Context, receiver string, m Message) error {
	ctx, stop := context.WithTimeout(ctx, enough)
	defer stop()
	return a.senders[receiver].send(ctx, m)
}

// settle notes what became of a message. One that was overtaken by another is due again.
func (a *Alerter) settle(ctx context.Context, w *waiting, failed error) error {
	now := a.c.Now()
	if failed != nil {
		a.c.Log.Warn("an alert could not be told", "rule", w.Rule, "receiver", w.receiver, "try", w.tries+1, "error", failed)
	}
	return a.c.DB.Write(ctx, func(tx *storage.Tx) error {
		if failed != nil {
			_, err := tx.Exec(ctx, `UPDATE alert_message SET tries = tries + 1, error = $1, due = $2 WHERE rule = $3 AND receiver = $4`,
				stemma.CleanText(failed.Error(), 500), now.Add(wait(w.tries, failed)).UnixMicro(), w.Rule, w.receiver)
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE alert_message SET tries = 0, error = '', sent = $1, due = CASE WHEN serial = $2 THEN 0 ELSE CAST($1 AS BIGINT) END WHERE rule = $3 AND receiver = $4`,
			now.UnixMicro(), w.serial, w.Rule, w.receiver)
		return err
	})
}

// wait is how long a message waits after it could not be told for one time more.
func wait(tries int64, failed error) time.Duration {
	var no refusal
	if errors.As(failed, &no) {
		return hopeless
	}
	return min(time.Second<<min(tries, 20), longest)
}
