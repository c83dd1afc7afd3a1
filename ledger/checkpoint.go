package ledger

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ledger/seal"
	"github.com/stemma-dev/stemma/storage"
)

// sign returns the checkpoint of e as a signed note.
func (l *Ledger) sign(e edge) ([]byte, error) {
	return seal.Checkpoint{Origin: l.origin, Size: e.size, Root: e.root()}.Sign(l.signer)
}

// Checkpoint returns the newest signed checkpoint; it covers every fact that
// was acknowledged. An empty log has none: ErrNotFound.
func (l *Ledger) Checkpoint(ctx context.Context) (seal.Checkpoint, error) {
	var c seal.Checkpoint
	err := l.db.Read(ctx, func(tx *storage.Tx) error {
		_, msg, err := lastCheckpoint(ctx, tx)
		if err != nil {
			return err
		}
		if msg == nil {
			return stemma.ErrNotFound
		}
		c, err = seal.Open(msg, l.origin, l.verifiers...)
		return err
	})
	if err != nil {
		return seal.Checkpoint{}, fmt.Errorf("ledger: reading the checkpoint: %w", err)
	}
	return c, nil
}

// lastCheckpoint returns size and note of the newest one, or zeros.
func lastCheckpoint(ctx context.Context, tx *storage.Tx) (int64, []byte, error) {
	var size int64
	var msg []byte
	err := tx.QueryRow(ctx, "SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1").Scan(number{&size}, &msg)
	if errors.Is(err, stemma.ErrNotFound) {
		return 0, nil, nil
	}
	return size, msg, err
}

// Size returns the number of entries; they have the positions 0 to Size-1.
func (l *Ledger) Size(ctx context.Context) (int64, error) {
	var size int64
	err := l.db.Read(ctx, func(tx *storage.Tx) error {
		var err error
		size, _, err = lastCheckpoint(ctx, tx)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("ledger: reading the size: %w", err)
	}
	return size, nil
}

// Inclusion proves that the entry at pos is in the tree of the given size;
// check it with tlog.CheckRecord against the checkpoint of that size.
// ErrNotFound means that the log is not that long.
func (l *Ledger) Inclusion(ctx context.Context, pos, size int64) (tlog.RecordProof, error) {
	var proof tlog.RecordProof
	err := l.prove(ctx, size, func(r tlog.HashReader) (err error) {
		if pos < 0 || pos >= size {
			return stemma.ErrNotFound
		}
		proof, err = tlog.ProveRecord(size, pos, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ledger: proving entry %d of %d: %w", pos, size, err)
	}
	return proof, nil
}

// Consistency proves that the tree of size newer begins with that of size
// older; check it with tlog.CheckTree. ErrNotFound means that the log is not
// that long or that there is nothing to prove for these sizes.
func (l *Ledger) Consistency(ctx context.Context, older, newer int64) (tlog.TreeProof, error) {
	var proof tlog.TreeProof
	err := l.prove(ctx, newer, func(r tlog.HashReader) (err error) {
		if older < 1 || older > newer {
			return stemma.ErrNotFound
		}
		proof, err = tlog.ProveTree(newer, older, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ledger: proving %d to begin with %d: %w", newer, older, err)
	}
	return proof, nil
}

// prove calls f with the hashes of a log that is at least size long.
func (l *Ledger) prove(ctx context.Context, size int64, f func(tlog.HashReader) error) error {
	return l.db.Read(ctx, func(tx *storage.Tx) error {
		have, _, err := lastCheckpoint(ctx, tx)
		if err != nil {
			return err
		}
		if size > have {
			return stemma.ErrNotFound
		}
		return f(hashReader(ctx, tx))
	})
}
