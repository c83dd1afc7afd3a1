// Package inbox keeps what arrived from outside, as it came, until it has become
// facts: a sender may be told that its delivery is safe before anybody has
// looked into it, and nothing is lost or taken twice when a process dies.
//
// Its table is inbox: id, source, delivery, received, raw, state, reason. A
// delivery is pending, and then for ever done, without its raw bytes, or
// refused, with them and the reason. The package does not know what a delivery
// says and never reads a clock.
package inbox

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
)

// A Delivery is something that arrived from outside and is kept, as it came,
// until it has become facts.
type Delivery struct {
	ID       int64  // given by Accept; later deliveries have greater ones
	Source   string // who sent it: "github"
	Key      string // what the sender calls it; the same key is the same delivery
	Raw      []byte
	Received time.Time // by our clock
}

const (
	// MaxDelivery bounds the raw bytes of one delivery.
	MaxDelivery = 32 << 20

	maxSource    = 100
	maxKeyLength = 500
	maxReason    = 4000

	pageRows  = 100     // of one answer of Pending
	pageBytes = 4 << 20 // after which it ends
)

// The states of a delivery.
const (
	statePending = "pending"
	stateDone    = "done"
	stateRefused = "refused"
)

//go:embed migrations/*.sql
var migrations embed.FS

// An Inbox is the inbox of one space. Its methods may be called concurrently
// and by several processes.
type Inbox struct {
	db  *storage.DB
	now func() time.Time
}

// Open returns the inbox in db and makes its table where it is missing. Now
// tells when a delivery is received.
func Open(ctx context.Context, db *storage.DB, now func() time.Time) (*Inbox, error) {
	if err := db.Migrate(ctx, "inbox", migrations); err != nil {
		return nil, fmt.Errorf("inbox: opening: %w", err)
	}
	return &Inbox{db: db, now: now}, nil
}

// Accept keeps a delivery durably and returns its id; fresh is false if it was
// accepted before, whatever became of it. ID and Received of d are ignored.
func (b *Inbox) Accept(ctx context.Context, d Delivery) (id int64, fresh bool, err error) {
	for _, part := range []struct {
		name, text string
		most       int
	}{{"source", d.Source, maxSource}, {"key", d.Key, maxKeyLength}} {
		if part.text == "" || len(part.text) > part.most || !utf8.ValidString(part.text) || strings.ContainsRune(part.text, 0) {
			return 0, false, fmt.Errorf("inbox: accepting: %s %.100q: empty, longer than %d bytes or not text", part.name, part.text, part.most)
		}
	}
	if len(d.Raw) > MaxDelivery {
		return 0, false, fmt.Errorf("inbox: accepting %q from %s: %d bytes, more than %d", d.Key, d.Source, len(d.Raw), MaxDelivery)
	}
	raw := d.Raw
	if raw == nil {
		raw = []byte{}
	}
	err = b.db.Write(ctx, func(tx *storage.Tx) error {
		err := tx.QueryRow(ctx, "SELECT id FROM inbox WHERE source = $1 AND delivery = $2", d.Source, d.Key).Scan(&id)
		if !errors.Is(err, stemma.ErrNotFound) {
			return err
		}
		fresh = true
		if err := tx.QueryRow(ctx, "SELECT COALESCE(MAX(id), 0) + 1 FROM inbox").Scan(&id); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "INSERT INTO inbox (id, source, delivery, received, raw, state, reason) VALUES ($1, $2, $3, $4, $5, $6, '')",
			id, d.Source, d.Key, b.now().UnixMicro(), raw, statePending)
		return err
	})
	if err != nil {
		return 0, false, fmt.Errorf("inbox: accepting %q from %s: %w", d.Key, d.Source, err)
	}
	return id, fresh, nil
}

// Pending returns the oldest deliveries after the given id that are neither
// done nor refused, a bounded number of them; none means that there are none.
func (b *Inbox) Pending(ctx context.Context, after int64) ([]Delivery, error) {
	var page []Delivery
	err := b.db.Read(ctx, func(tx *storage.Tx) (err error) {
		rows, err := tx.Query(ctx, "SELECT id, source, delivery, raw, received FROM inbox WHERE state = $1 AND id > $2 ORDER BY id LIMIT $3",
			statePending, after, pageRows)
		if err != nil {
			return err
		}
		defer func() { err = cmp.Or(err, rows.Close()) }()
		for size := 0; size < pageBytes && rows.Next(); {
			var d Delivery
			var received int64
			if err := rows.Scan(&d.ID, &d.Source, &d.Key, &d.Raw, &received); err != nil {
				return err
			}
			d.Received = time.UnixMicro(received).UTC()
			page = append(page, d)
			size += len(d.Raw)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("inbox: reading: %w", err)
	}
	return page, nil
}

// Done says that a delivery has become facts, which are appended before: if
// the process dies in between, the delivery comes again and its facts are found
// to be there. Its raw bytes are dropped, its key is remembered.
func (b *Inbox) Done(ctx context.Context, id int64) error {
	return b.settle(ctx, id, stateDone, "", ", raw = NULL")
}

// Refuse says why a delivery cannot become facts. Its raw bytes are kept for
// whoever looks into it.
func (b *Inbox) Refuse(ctx context.Context, id int64, reason string) error {
	reason = strings.ReplaceAll(reason, "\x00", "\uFFFD")
	if len(reason) > maxReason {
		reason = reason[:maxReason]
	}
	return b.settle(ctx, id, stateRefused, strings.ToValidUTF8(reason, "\uFFFD"), "")
}

// settle moves a pending delivery to another state.
func (b *Inbox) settle(ctx context.Context, id int64, state, reason, also string) error {
	err := b.db.Write(ctx, func(tx *storage.Tx) error {
		var was string
		err := tx.QueryRow(ctx, "SELECT state FROM inbox WHERE id = $1", id).Scan(&was)
		switch {
		case err != nil:
			return err
		case was != statePending && was != state:
			return fmt.Errorf("it is %s already", was)
		}
		_, err = tx.Exec(ctx, "UPDATE inbox SET state = $1, reason = $2"+also+" WHERE id = $3", state, reason, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("inbox: marking delivery %d as %s: %w", id, state, err)
	}
	return nil
}
