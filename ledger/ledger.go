// Package ledger is the truth: an append-only log of facts with an RFC 6962
// Merkle tree and signed C2SP checkpoints, all three written in one
// transaction.
//
// Its tables are
//
//   - fact: pos, id, subject, canonical, salt, leaf, recorded, tombstone. The
//     leaf is SHA-256("stemma/leaf/v1" || salt || canonical), which is the leaf
//     data of the tree, so that the log tells nothing about a fact without its
//     salt. An erased entry keeps pos, leaf and recorded, and names the position
//     of a tombstone; see [TombstoneRef].
//   - tree: block, hashes. Row b holds the hashes 32b to 32b+31 in the order of
//     tlog.StoredHashIndex, 32 bytes each; the last row may be shorter.
//   - checkpoint: size, note. One row for every transaction that appended.
//   - cursor: name, pos. How many entries a named reader has consumed.
//
// Positions begin at 0 and have no holes. One process at a time appends, by the
// lock of storage.DB.Write; each notices what others appended.
//
// The package reads no clock and knows no room. It never changes or deletes an
// entry, and it refuses to extend a log that its own last checkpoint denies.
package ledger

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ledger/seal"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/turn"
)

//go:embed migrations/*.sql
var migrations embed.FS

// A Config is what a ledger needs besides its database.
type Config struct {
	// Signer signs checkpoints, usually a *seal.Key. Without one the ledger can be
	// read but not appended to.
	Signer note.Signer
	// Verifiers know every key that ever signed a checkpoint of this log. The
	// verifier of a Signer that is a *seal.Key is added to them.
	Verifiers []note.Verifier
	// Origin names the log in its checkpoints; empty means the Signer's name.
	Origin string
	// Now tells when a fact is recorded and Rand gives salts. Append needs both.
	Now  func() time.Time
	Rand io.Reader
	// Bodies, if set, lets Verify check what is kept beside the ledger: it is
	// called for every fact with bodies, from one goroutine, and an error is a
	// problem of that fact.
	Bodies func(stemma.Fact) error
	// Log receives what a handler cannot tell its client; nil drops it.
	Log *slog.Logger
}

// A Ledger is one log. Its methods may be called concurrently.
type Ledger struct {
	db        *storage.DB
	signer    note.Signer
	verifiers []note.Verifier
	origin    string
	now       func() time.Time
	rand      io.Reader
	bodies    func(stemma.Fact) error
	log       *slog.Logger

	queue *turn.Queue[*call]
	edge  edge // of the last commit; owned by who has the turn
}

// Open returns the ledger in db and makes its tables where they are missing.
func Open(ctx context.Context, db *storage.DB, c Config) (*Ledger, error) {
	l := &Ledger{
		db: db, signer: c.Signer, verifiers: c.Verifiers, origin: c.Origin,
		now: c.Now, rand: c.Rand, bodies: c.Bodies, log: c.Log,
	}
	l.queue = turn.New(l.commit, fits)
	if key, ok := c.Signer.(*seal.Key); ok {
		l.verifiers = append(l.verifiers[:len(l.verifiers):len(l.verifiers)], key.Verifier())
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if l.origin == "" && c.Signer != nil {
		l.origin = c.Signer.Name()
	}
	if l.origin == "" || len(l.verifiers) == 0 {
		return nil, errors.New("ledger: opening: neither a key nor an origin and its verifier were given")
	}
	if c.Signer != nil && (c.Now == nil || c.Rand == nil) {
		return nil, errors.New("ledger: opening: a ledger that can be appended to needs a clock and a source of salts")
	}
	if err := db.Migrate(ctx, "ledger", migrations); err != nil {
		return nil, fmt.Errorf("ledger: opening: %w", err)
	}
	return l, nil
}

// Origin is the name of the log.
func (l *Ledger) Origin() string { return l.origin }

// Cursor returns how many entries the reader of that name has consumed, which
// is the position that it reads next; 0 if it never was set.
func Cursor(ctx context.Context, tx *storage.Tx, name string) (int64, error) {
	var pos int64
	err := tx.QueryRow(ctx, "SELECT pos FROM cursor WHERE name = $1", name).Scan(number{&pos})
	if errors.Is(err, stemma.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("ledger: reading cursor %q: %w", name, err)
	}
	return pos, nil
}

// SetCursor moves the cursor of that name, in the transaction that also writes
// what was derived from the entries before pos.
func SetCursor(ctx context.Context, tx *storage.Tx, name string, pos int64) error {
	_, err := tx.Exec(ctx, "INSERT INTO cursor (name, pos) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET pos = excluded.pos", name, pos)
	if err != nil {
		return fmt.Errorf("ledger: moving cursor %q: %w", name, err)
	}
	return nil
}

// A number is where an integer is scanned to, 0 for none. SQLite keeps other
// values in such a column too, but we have written none.
type number struct{ to *int64 }

// Scan implements [sql.Scanner].
func (n number) Scan(v any) error {
	i, ok := v.(int64)
	if !ok && v != nil {
		return fmt.Errorf("%.200q is no integer: %w", fmt.Sprint(v), stemma.ErrTampered)
	}
	*n.to = i
	return nil
}

// query streams the rows of a query; each element scans one row. Whoever stops
// early need not fear for an error: it spoils the transaction, which reports it.
func query(ctx context.Context, tx *storage.Tx, text string, args ...any) iter.Seq2[func(...any) error, error] {
	return func(yield func(func(...any) error, error) bool) {
		rows, err := tx.Query(ctx, text, args...)
		if err != nil {
			yield(nil, err)
			return
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			if !yield(rows.Scan, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// perQuery bounds the arguments of one list.
const perQuery = 500

// list returns "($1, $2, …)" and the arguments for it. There are a few lengths
// only, so that few statements are prepared; the last value fills the rest.
func list(values []any) (string, []any) {
	n := 1
	for n < len(values) {
		n = min(4*n, max(perQuery, len(values)))
	}
	args := make([]any, n)
	copy(args, values)
	var b strings.Builder
	for i := range n {
		if i >= len(values) {
			args[i] = values[len(values)-1]
		}
		fmt.Fprintf(&b, ", $%d", i+1)
	}
	return "(" + strings.TrimPrefix(b.String(), ", ") + ")", args
}
