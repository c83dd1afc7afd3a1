package inbox

import (
	"context"
	"fmt"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
)

// A Health says how a source fares.
type Health struct {
	Source   string    `json:"source"`
	System   string    `json:"system,omitempty"` // what it is
	Host     string    `json:"host,omitempty"`   // of which alone it may speak, see Source
	Accepted int64     `json:"accepted"`
	Repeated int64     `json:"repeated"` // deliveries that came again
	Turned   int64     `json:"turned"`   // deliveries that were turned away at the door
	Pending  int64     `json:"pending"`
	Refused  int64     `json:"refused"`              // dead letters
	Last     time.Time `json:"last,omitzero"`        // when the last one was accepted
	LastTurn time.Time `json:"last_turned,omitzero"` // when the last one was turned away
	Oldest   time.Time `json:"oldest,omitzero"`      // since when the oldest waits
}

// Health tells of every source, in order of their names.
func (b *Inbox) Health(ctx context.Context) ([]Health, error) {
	var list []Health
	err := b.db.Each(ctx, func(scan func(...any) error) error {
		var h Health
		var last, turned, oldest int64
		err := scan(&h.Source, &h.System, &h.Host, &h.Accepted, &h.Repeated, &h.Turned, &last, &turned, &h.Pending, &oldest, &h.Refused)
		h.Last, h.LastTurn, h.Oldest = moment(last), moment(turned), moment(oldest)
		list = append(list, h)
		return err
	}, `SELECT s.source, s.system, s.host, s.accepted, s.repeated, s.turned, s.last, s.last_turned,
			COALESCE(p.n, 0), COALESCE(p.oldest, 0), (SELECT COUNT(*) FROM inbox i WHERE i.source = s.source AND i.state = 'refused')
		FROM inbox_source s LEFT JOIN
			(SELECT source, COUNT(*) AS n, MIN(received) AS oldest FROM inbox WHERE state = 'pending' GROUP BY source) p ON p.source = s.source
		ORDER BY s.source`)
	if err != nil {
		return nil, fmt.Errorf("inbox: how the sources fare: %w", err)
	}
	return list, nil
}

func moment(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// A Letter is a dead one: a delivery that was accepted and could not become facts.
type Letter struct {
	ID       int64     `json:"id"`
	Source   string    `json:"source"`
	Key      string    `json:"delivery"`
	Event    string    `json:"event,omitempty"`
	Received time.Time `json:"received"`
	Size     int64     `json:"size"`
	Reason   string    `json:"reason"`
}

// Letters are the dead ones, the last first.
func (b *Inbox) Letters(ctx context.Context, limit int) ([]Letter, error) {
	var list []Letter
	err := b.db.Each(ctx, func(scan func(...any) error) error {
		var l Letter
		var received int64
		err := scan(&l.ID, &l.Source, &l.Key, &l.Event, &received, &l.Size, &l.Reason)
		l.Received = moment(received)
		list = append(list, l)
		return err
	}, `SELECT id, source, delivery, event, received, size, reason FROM inbox WHERE state = 'refused' ORDER BY id DESC LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("inbox: dead letters: %w", err)
	}
	return list, nil
}

// Replay makes a refused delivery pending again, or all of them if id is 0, and
// returns how many.
func (b *Inbox) Replay(ctx context.Context, id int64) (n int64, err error) {
	err = b.db.Write(ctx, func(tx *storage.Tx) error {
		n, err = tx.Exec(ctx, "UPDATE inbox SET state = $1 WHERE state = $2 AND ($3 = 0 OR id = $3)", statePending, stateRefused, id)
		if err == nil && n == 0 && id != 0 {
			return stemma.WithHint(fmt.Errorf("delivery %d is no dead letter: %w", id, stemma.ErrNotFound), "stemma deliveries lists them")
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("inbox: replaying: %w", err)
	}
	return n, nil
}

// Forget drops the keys of deliveries that were done before a time: whoever sends one
// of them again tells nothing new, but it is read once more. It takes some at a time,
// and returns how many.
func (b *Inbox) Forget(ctx context.Context, before time.Time) (n int64, err error) {
	const most = 5000
	err = b.db.Write(ctx, func(tx *storage.Tx) error {
		n, err = tx.Exec(ctx, `DELETE FROM inbox WHERE id IN (SELECT id FROM inbox WHERE state = $1 AND settled > 0 AND settled < $2 ORDER BY id LIMIT $3)
			AND id < (SELECT MAX(id) FROM inbox)`, stateDone, before.UnixMicro(), most)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("inbox: forgetting: %w", err)
	}
	return n, nil
}
