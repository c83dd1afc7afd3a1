package inbox

import (
	"context"
	"fmt"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
)

// What is kept of deliveries that were turned away: of each source the last MaxTurned,
// with their bytes where these are not more than MaxTurnedBytes. So nobody without the
// secret makes the store grow.
const (
	MaxTurned      = 100
	MaxTurnedBytes = 64 << 10
)

// A Turned delivery was not accepted: it was not signed, or could not be one at all.
type Turned struct {
	ID       int64
	Source   string
	Key      string // what its sender says that it calls it
	Event    string
	Received time.Time
	Size     int64
	Raw      []byte // nil if it is not kept
	Reason   string
}

// Turn keeps deliveries that were turned away, and counts them. Others, of which
// nothing is kept, are only counted: more says how many by source.
func (b *Inbox) Turn(ctx context.Context, list []Turned, more map[string]int64) error {
	err := b.db.Write(ctx, func(tx *storage.Tx) error {
		counts, last := map[string]int64{}, map[string]int64{}
		for source, n := range more {
			counts[source] += n
			last[source] = b.now().UnixMicro()
		}
		var next int64
		if err := tx.QueryRow(ctx, "SELECT COALESCE(MAX(id), 0) + 1 FROM inbox_turned").Scan(&next); err != nil {
			return err
		}
		for i, t := range list {
			counts[t.Source]++
			last[t.Source] = max(last[t.Source], t.Received.UnixMicro())
			if err := t.insert(ctx, tx, next+int64(i)); err != nil {
				return err
			}
		}
		for source, n := range counts {
			if _, err := tx.Exec(ctx, `INSERT INTO inbox_source (source, turned, last_turned) VALUES ($1, $2, $3)
				ON CONFLICT (source) DO UPDATE SET turned = inbox_source.turned + excluded.turned, last_turned = excluded.last_turned`,
				source, n, last[source]); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `DELETE FROM inbox_turned WHERE source = $1 AND id <= COALESCE(
				(SELECT id FROM inbox_turned WHERE source = $1 ORDER BY id DESC LIMIT 1 OFFSET $2), 0)`, source, MaxTurned); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("inbox: keeping what was turned away: %w", err)
	}
	return nil
}

func (t Turned) insert(ctx context.Context, tx *storage.Tx, id int64) error {
	raw := t.Raw
	if len(raw) > MaxTurnedBytes {
		raw = nil
	}
	_, err := tx.Exec(ctx, "INSERT INTO inbox_turned (id, source, delivery, event, received, size, raw, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		id, t.Source, stemma.CleanText(t.Key, maxKeyLength), stemma.CleanText(t.Event, maxKeyLength), t.Received.UnixMicro(), t.Size, raw, fitReason(t.Reason))
	return err
}

// TurnedAway lists deliveries that were turned away, the last first, with their bytes
// if they are asked for.
func (b *Inbox) TurnedAway(ctx context.Context, limit int) ([]Turned, error) {
	var list []Turned
	err := b.db.Each(ctx, func(scan func(...any) error) error {
		var t Turned
		var received int64
		err := scan(&t.ID, &t.Source, &t.Key, &t.Event, &received, &t.Size, &t.Raw, &t.Reason)
		t.Received = time.UnixMicro(received).UTC()
		list = append(list, t)
		return err
	}, "SELECT id, source, delivery, event, received, size, raw, reason FROM inbox_turned ORDER BY id DESC LIMIT $1", limit)
	if err != nil {
		return nil, fmt.Errorf("inbox: what was turned away: %w", err)
	}
	return list, nil
}

// Admit accepts a delivery that was turned away, on the word of whoever asks for it: it
// is declared and nothing better. It reports false if it was accepted meanwhile.
func (b *Inbox) Admit(ctx context.Context, id int64) (fresh bool, err error) {
	list, err := b.TurnedAway(ctx, 1<<20)
	if err != nil {
		return false, err
	}
	for _, t := range list {
		if t.ID != id {
			continue
		}
		if t.Raw == nil {
			return false, stemma.WithHint(fmt.Errorf("inbox: admitting delivery %d from %s: its %d bytes were not kept", id, t.Source, t.Size),
				"have the sender send it again, once its secret is right")
		}
		_, fresh, err := b.Accept(ctx, Delivery{Source: t.Source, Key: t.Key, Event: t.Event, Grade: stemma.GradeD, Raw: t.Raw})
		if err != nil {
			return false, err
		}
		return fresh, b.db.Write(ctx, func(tx *storage.Tx) error {
			_, err := tx.Exec(ctx, "DELETE FROM inbox_turned WHERE id = $1", id)
			return err
		})
	}
	return false, fmt.Errorf("inbox: admitting delivery %d: %w", id, stemma.ErrNotFound)
}
