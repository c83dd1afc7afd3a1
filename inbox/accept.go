package inbox

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/storage"
)

// How much goes into one transaction of Accept.
const (
	groupRows  = 1000
	groupBytes = 16 << 20
)

// A call is one delivery on its way into a transaction.
type call struct {
	d     Delivery
	raw   []byte // as it is stored
	pack  bool
	id    int64
	fresh bool
}

// Accept keeps a delivery durably and returns its id; fresh is false if it was
// accepted before, whatever became of it. ID and Received of d are ignored.
// Callers who wait share one transaction.
func (b *Inbox) Accept(ctx context.Context, d Delivery) (id int64, fresh bool, err error) {
	if err := check(d); err != nil {
		return 0, false, err
	}
	c := &call{d: d}
	c.raw, c.pack = pack(d.Raw)
	if err := b.queue.Do(ctx, c); err != nil {
		return 0, false, fmt.Errorf("inbox: accepting %q from %s: %w", d.Key, d.Source, err)
	}
	return c.id, c.fresh, nil
}

// fits says how many calls go into one transaction.
func fits(calls []*call) int {
	size := 0
	for n, c := range calls {
		if size += len(c.raw); n > 0 && (n == groupRows || size > groupBytes) {
			return n
		}
	}
	return len(calls)
}

func (b *Inbox) commit(ctx context.Context, calls []*call) error {
	return b.db.Write(ctx, func(tx *storage.Tx) error { return b.write(ctx, tx, calls) })
}

type slot struct{ source, key string }

// write inserts those deliveries of a group that are new, and sets their ids.
func (b *Inbox) write(ctx context.Context, tx *storage.Tx, calls []*call) error {
	known, err := knownSlots(ctx, tx, calls)
	if err != nil {
		return err
	}
	var next int64
	if err := tx.QueryRow(ctx, "SELECT COALESCE(MAX(id), 0) + 1 FROM inbox").Scan(&next); err != nil {
		return err
	}
	var fresh []*call
	counts := map[string]*counted{}
	for _, c := range calls {
		n := counts[c.d.Source]
		if n == nil {
			n = &counted{}
			counts[c.d.Source] = n
		}
		c.id, c.fresh = known[slot{c.d.Source, c.d.Key}], false
		if c.id != 0 {
			n.repeated++
			continue
		}
		c.id, c.fresh = next, true
		known[slot{c.d.Source, c.d.Key}] = next
		next++
		n.accepted++
		fresh = append(fresh, c)
	}
	received := b.now().UnixMicro()
	_, err = tx.Insert(ctx, "inbox", []string{"id", "source", "delivery", "event", "grade", "received", "raw", "packed", "size", "state", "reason"}, func(yield func([]any) bool) {
		for _, c := range fresh {
			if !yield([]any{c.id, c.d.Source, c.d.Key, c.d.Event, string(c.d.Grade), received, c.raw, c.pack, len(c.d.Raw), statePending, ""}) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	return b.count(ctx, tx, counts, received)
}

// knownSlots finds which deliveries of a group were accepted before.
func knownSlots(ctx context.Context, tx *storage.Tx, calls []*call) (map[slot]int64, error) {
	bySource := map[string][]string{}
	for _, c := range calls {
		bySource[c.d.Source] = append(bySource[c.d.Source], c.d.Key)
	}
	known := map[slot]int64{}
	for source, keys := range bySource {
		for part := range slices.Chunk(keys, 200) {
			if err := knownKeys(ctx, tx, source, part, known); err != nil {
				return nil, err
			}
		}
	}
	return known, nil
}

func knownKeys(ctx context.Context, tx *storage.Tx, source string, keys []string, known map[slot]int64) (err error) {
	args := []any{source}
	marks := make([]string, len(keys))
	for i, k := range keys {
		args = append(args, k)
		marks[i] = fmt.Sprintf("$%d", i+2)
	}
	rows, err := tx.Query(ctx, "SELECT delivery, id FROM inbox WHERE source = $1 AND delivery IN ("+strings.Join(marks, ",")+")", args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err tells of a failure
	for rows.Next() {
		var key string
		var id int64
		if err := rows.Scan(&key, &id); err != nil {
			return err
		}
		known[slot{source, key}] = id
	}
	return rows.Err()
}

// counted is what a group adds to the counts of a source.
type counted struct{ accepted, repeated int64 }

func (b *Inbox) count(ctx context.Context, tx *storage.Tx, counts map[string]*counted, now int64) error {
	for source, n := range counts {
		if _, err := tx.Exec(ctx, `INSERT INTO inbox_source (source, accepted, repeated, last) VALUES ($1, $2, $3, $4)
			ON CONFLICT (source) DO UPDATE SET accepted = inbox_source.accepted + excluded.accepted,
				repeated = inbox_source.repeated + excluded.repeated, last = excluded.last`, source, n.accepted, n.repeated, now); err != nil {
			return err
		}
	}
	return nil
}
