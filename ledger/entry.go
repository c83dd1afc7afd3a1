package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
)

// An Entry is one fact in its place in the log.
type Entry struct {
	Pos       int64
	Fact      stemma.Fact // zero if the entry is erased
	ID        stemma.Digest
	Canonical []byte // of the fact; nil if the entry is erased
	Salt      []byte // nil if the entry is erased
	Leaf      stemma.Digest
	Recorded  time.Time // when we appended it, by our clock
	Tombstone int64     // if the entry is erased, the position of the fact that says why
}

// Erased reports whether only the place and the leaf of the fact are left.
func (e Entry) Erased() bool { return e.Canonical == nil }

// KindTombstone is the kind of a fact that accounts for an erased entry.
const KindTombstone stemma.Kind = "tombstone"

// TombstoneRef is the subject of the fact that accounts for the erasure of the
// entry with that leaf. Its attributes say on what ground and by whom.
func TombstoneRef(leaf stemma.Digest) stemma.Ref {
	return stemma.NewRef(KindTombstone, "leaf", leaf.String())
}

const (
	pageEntries = 1000    // read in one transaction
	pageBytes   = 4 << 20 // likewise; a single entry may be larger
)

const entryColumns = "pos, id, canonical, salt, leaf, recorded, tombstone"

// Entries streams the log from a position to its end as it is when reached;
// erased entries are among them. No transaction stays open while the caller
// works, and it may append meanwhile.
func (l *Ledger) Entries(ctx context.Context, from int64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for {
			page, err := l.page(ctx, from)
			if err != nil {
				yield(Entry{}, fmt.Errorf("ledger: reading entries from %d on: %w", from, err))
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
			}
			if len(page) == 0 {
				return
			}
			from = page[len(page)-1].Pos + 1
		}
	}
}

// page reads entries from a position on; none means the end.
func (l *Ledger) page(ctx context.Context, from int64) ([]Entry, error) {
	var page []Entry
	err := l.db.Read(ctx, func(tx *storage.Tx) error {
		size := 0
		for scan, err := range query(ctx, tx, "SELECT "+entryColumns+" FROM fact WHERE pos >= $1 ORDER BY pos LIMIT $2", from, pageEntries) {
			if err != nil {
				return err
			}
			e, err := scanEntry(scan)
			if err != nil {
				return err
			}
			page = append(page, e)
			if size += len(e.Canonical); size >= pageBytes {
				break
			}
		}
		return nil
	})
	return page, err
}

// scanEntry reads the entryColumns of one row.
func scanEntry(scan func(...any) error) (Entry, error) {
	var e Entry
	var id, leaf []byte
	var recorded int64
	if err := scan(number{&e.Pos}, &id, &e.Canonical, &e.Salt, &leaf, number{&recorded}, number{&e.Tombstone}); err != nil {
		return Entry{}, fmt.Errorf("entry %d: %w", e.Pos, err)
	}
	e.Recorded = time.UnixMicro(recorded).UTC()
	if len(leaf) != len(e.Leaf) || len(id) != len(e.ID) && e.Canonical != nil {
		return Entry{}, fmt.Errorf("entry %d: id or leaf is not a digest: %w", e.Pos, stemma.ErrTampered)
	}
	e.Leaf = stemma.Digest(leaf)
	if e.Canonical == nil {
		return e, nil
	}
	e.ID = stemma.Digest(id)
	var err error
	if e.Fact, err = stemma.DecodeFact(e.Canonical); err != nil {
		return Entry{}, fmt.Errorf("entry %d: %w", e.Pos, errors.Join(err, stemma.ErrTampered))
	}
	return e, nil
}

// Entry returns the entry at pos, or ErrNotFound.
func (l *Ledger) Entry(ctx context.Context, pos int64) (Entry, error) {
	e, err := l.entry(ctx, "pos = $1", pos)
	if err != nil {
		return Entry{}, fmt.Errorf("ledger: reading entry %d: %w", pos, err)
	}
	return e, nil
}

// EntryByID returns the entry of the fact with that id, or ErrNotFound; an
// erased fact has no id any more.
func (l *Ledger) EntryByID(ctx context.Context, id stemma.Digest) (Entry, error) {
	e, err := l.entry(ctx, "id = $1", id[:])
	if err != nil {
		return Entry{}, fmt.Errorf("ledger: reading fact %s: %w", id, err)
	}
	return e, nil
}

func (l *Ledger) entry(ctx context.Context, where string, arg any) (Entry, error) {
	var e Entry
	err := l.db.Read(ctx, func(tx *storage.Tx) error {
		var err error
		e, err = scanEntry(tx.QueryRow(ctx, "SELECT "+entryColumns+" FROM fact WHERE "+where, arg).Scan)
		return err
	})
	return e, err
}

// Positions streams the positions of all facts about a subject, in order.
func (l *Ledger) Positions(ctx context.Context, subject stemma.Ref) iter.Seq2[int64, error] {
	return func(yield func(int64, error) bool) {
		from := int64(0)
		for {
			page, err := l.positions(ctx, subject, from)
			if err != nil {
				yield(0, fmt.Errorf("ledger: finding facts about %s: %w", subject, err))
				return
			}
			for _, pos := range page {
				if !yield(pos, nil) {
					return
				}
			}
			if len(page) < pageEntries {
				return
			}
			from = page[len(page)-1] + 1
		}
	}
}

func (l *Ledger) positions(ctx context.Context, subject stemma.Ref, from int64) ([]int64, error) {
	var page []int64
	err := l.db.Read(ctx, func(tx *storage.Tx) error {
		// The first condition is that of the index.
		for scan, err := range query(ctx, tx, `SELECT pos FROM fact WHERE substr(subject, 1, 500) = substr($1, 1, 500)
			AND subject = $2 AND pos >= $3 ORDER BY pos LIMIT $4`, subject, subject, from, pageEntries) {
			if err != nil {
				return err
			}
			var pos int64
			if err := scan(number{&pos}); err != nil {
				return err
			}
			page = append(page, pos)
		}
		return nil
	})
	return page, err
}
