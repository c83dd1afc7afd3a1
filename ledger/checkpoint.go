package ledger

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
)

// A Checkpoint is a signed statement of how long the log is and what it holds.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   tlog.Hash
	Note   []byte // the C2SP signed note that says so
}

const (
	maxNote = 64 << 10
	// maxSize keeps the arithmetic of trees within 64 bits.
	maxSize = 1 << 60
)

// OpenCheckpoint reads a signed note as the checkpoint of the log of the given
// origin. It returns ErrTampered if the note is crooked, is about another log or
// carries no signature of one of the verifiers. It needs nothing but its
// arguments: this is how an outsider reads what /checkpoint serves.
func OpenCheckpoint(msg []byte, origin string, verifiers ...note.Verifier) (Checkpoint, error) {
	fault := func(format string, args ...any) (Checkpoint, error) {
		return Checkpoint{}, fmt.Errorf("checkpoint: "+format+": %w", append(args, stemma.ErrTampered)...)
	}
	if len(msg) > maxNote {
		return fault("%d bytes, more than %d", len(msg), maxNote)
	}
	n, err := note.Open(msg, note.VerifierList(verifiers...))
	if err != nil {
		return fault("%s", err)
	}
	for _, sig := range n.Sigs {
		if _, err := base64.StdEncoding.Strict().DecodeString(sig.Base64); err != nil {
			return fault("a second spelling of the signature of %s", sig.Name)
		}
	}
	c, err := parseCheckpoint(n.Text)
	if err != nil {
		return fault("%w", err)
	}
	if c.Origin != origin {
		return fault("of the log %.200q, not %.200q", c.Origin, origin)
	}
	c.Note = bytes.Clone(msg)
	return c, nil
}

// parseCheckpoint reads the text of a note: origin, size and root, each on a
// line, then any extension lines.
func parseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) < 4 || lines[0] == "" {
		return Checkpoint{}, errors.New("not three lines")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || size > maxSize || strconv.FormatInt(size, 10) != lines[1] {
		return Checkpoint{}, fmt.Errorf("size %.40q", lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return Checkpoint{}, fmt.Errorf("root %.60q", lines[2])
	}
	return Checkpoint{Origin: lines[0], Size: size, Root: tlog.Hash(root)}, nil
}

func (c Checkpoint) text() string {
	return c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + c.Root.String() + "\n"
}

// sign returns the checkpoint of e as a signed note.
func (l *Ledger) sign(e edge) ([]byte, error) {
	c := Checkpoint{Origin: l.origin, Size: e.size, Root: e.root()}
	return note.Sign(&note.Note{Text: c.text()}, l.signer)
}

// Checkpoint returns the newest signed checkpoint; it covers every fact that
// was acknowledged. An empty log has none: ErrNotFound.
func (l *Ledger) Checkpoint(ctx context.Context) (Checkpoint, error) {
	var c Checkpoint
	err := l.db.Read(ctx, func(tx *storage.Tx) error {
		_, msg, err := lastCheckpoint(ctx, tx)
		if err != nil {
			return err
		}
		if msg == nil {
			return stemma.ErrNotFound
		}
		c, err = OpenCheckpoint(msg, l.origin, l.verifiers...)
		return err
	})
	if err != nil {
		return Checkpoint{}, fmt.Errorf("ledger: reading the checkpoint: %w", err)
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
