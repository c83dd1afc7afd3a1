// Package inbox keeps what arrived from outside, as it came, until it has become
// facts: a sender may be told that its delivery is safe before anybody has
// looked into it, and nothing is lost or taken twice when a process dies.
//
// Its table is inbox: id, source, delivery, event, grade, received, raw, state,
// reason, settled. A delivery is pending, and then done, without its raw bytes, or
// refused, with them and the reason; a refused one may be made pending again.
// Beside it, inbox_source counts what each source sent, inbox_turned lists the last
// deliveries that were turned away at the door, and inbox_lease says which process
// settles them. The package does not know what a delivery says and never reads a
// clock.
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
	"github.com/stemma-dev/stemma/storage/turn"
)

// A Delivery is something that arrived from outside and is kept, as it came,
// until it has become facts.
type Delivery struct {
	ID       int64        // given by Accept; later deliveries have greater ones
	Source   string       // who sent it: "github"
	Key      string       // what the sender calls it; the same key is the same delivery
	Event    string       // what the sender says it is: "pull_request"
	Grade    stemma.Grade // how good the evidence is that it comes from there
	Raw      []byte
	Received time.Time // by our clock
	Reason   string    // of one that was refused before: why
}

const (
	// MaxDelivery bounds the raw bytes of one delivery.
	MaxDelivery = 32 << 20

	maxSource    = 100
	maxKeyLength = 500
	maxReason    = 4000

	pageRows  = 500     // of one answer of Pending
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
	db    *storage.DB
	now   func() time.Time
	queue *turn.Queue[*call] // of Accept
}

// Open returns the inbox in db and makes its tables where they are missing. Now
// tells when a delivery is received.
func Open(ctx context.Context, db *storage.DB, now func() time.Time) (*Inbox, error) {
	if err := db.Migrate(ctx, "inbox", migrations); err != nil {
		return nil, fmt.Errorf("inbox: opening: %w", err)
	}
	b := &Inbox{db: db, now: now}
	b.queue = turn.New(b.commit, fits)
	return b, nil
}

// check refuses what cannot be kept.
func check(d Delivery) error {
	for _, part := range []struct {
		name, text string
		least      int
		most       int
	}{{"source", d.Source, 1, maxSource}, {"key", d.Key, 1, maxKeyLength}, {"event", d.Event, 0, maxKeyLength}} {
		if len(part.text) < part.least || len(part.text) > part.most || !utf8.ValidString(part.text) || strings.ContainsRune(part.text, 0) {
			return fmt.Errorf("inbox: accepting: %s %.100q: empty, longer than %d bytes or not text", part.name, part.text, part.most)
		}
	}
	if len(d.Raw) > MaxDelivery {
		return fmt.Errorf("inbox: accepting %q from %s: %d bytes, more than %d", d.Key, d.Source, len(d.Raw), MaxDelivery)
	}
	return nil
}

// Pending returns the oldest deliveries after the given id that are neither
// done nor refused, a bounded number of them; none means that there are none.
func (b *Inbox) Pending(ctx context.Context, after int64) ([]Delivery, error) {
	var page []Delivery
	err := b.db.Read(ctx, func(tx *storage.Tx) (err error) {
		rows, err := tx.Query(ctx, "SELECT id, source, delivery, event, grade, raw, packed, received, reason FROM inbox WHERE state = $1 AND id > $2 ORDER BY id LIMIT $3",
			statePending, after, pageRows)
		if err != nil {
			return err
		}
		defer func() { err = cmp.Or(err, rows.Close()) }()
		for size := 0; size < pageBytes && rows.Next(); {
			var d Delivery
			var received, packed int64
			if err := rows.Scan(&d.ID, &d.Source, &d.Key, &d.Event, (*string)(&d.Grade), &d.Raw, &packed, &received, &d.Reason); err != nil {
				return err
			}
			if d.Raw, err = unpack(d.Raw, packed == 1); err != nil {
				return fmt.Errorf("delivery %d from %s: %w", d.ID, d.Source, err)
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
	return b.Settle(ctx, Outcome{ID: id})
}

// Refuse says why a delivery cannot become facts. Its raw bytes are kept for
// whoever looks into it.
func (b *Inbox) Refuse(ctx context.Context, id int64, reason string) error {
	return b.Settle(ctx, Outcome{ID: id, Refused: true, Reason: reason})
}

// An Outcome says what became of a delivery.
type Outcome struct {
	ID      int64
	Refused bool
	Reason  string // why it was refused, or why nothing of it was kept
}

// Settle says what became of pending deliveries, of all or of none.
func (b *Inbox) Settle(ctx context.Context, outcomes ...Outcome) error {
	return b.settle(ctx, "", outcomes)
}

// settle is Settle by the holder of the lease, if one is named.
func (b *Inbox) settle(ctx context.Context, holder string, outcomes []Outcome) error {
	err := b.db.Write(ctx, func(tx *storage.Tx) error {
		if holder != "" {
			if err := b.holds(ctx, tx, holder); err != nil {
				return err
			}
		}
		for _, o := range outcomes {
			if err := b.settleOne(ctx, tx, o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("inbox: %w", err)
	}
	return nil
}

func (b *Inbox) settleOne(ctx context.Context, tx *storage.Tx, o Outcome) error {
	state, also := stateDone, ", raw = NULL"
	if o.Refused {
		state, also = stateRefused, ""
	}
	var was string
	err := tx.QueryRow(ctx, "SELECT state FROM inbox WHERE id = $1", o.ID).Scan(&was)
	if err == nil && was != statePending && was != state {
		err = fmt.Errorf("it is %s already", was)
	}
	if err == nil {
		_, err = tx.Exec(ctx, "UPDATE inbox SET state = $1, reason = $2, settled = $3"+also+" WHERE id = $4", state, fitReason(o.Reason), b.now().UnixMicro(), o.ID)
	}
	if err != nil {
		return fmt.Errorf("marking delivery %d as %s: %w", o.ID, state, err)
	}
	return nil
}

func fitReason(reason string) string {
	reason = strings.ReplaceAll(reason, "\x00", "\uFFFD")
	if len(reason) > maxReason {
		reason = reason[:maxReason]
	}
	return strings.ToValidUTF8(reason, "\uFFFD")
}

// ErrNotHeld says that another process settles deliveries now.
var ErrNotHeld = errors.New("the lease is held by another process")
