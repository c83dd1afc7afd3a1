// Package seal is what an outsider needs to check a log, without the log: its
// public key, its signed C2SP checkpoints, and what it commits to for a fact.
// The proofs between these are those of golang.org/x/mod/sumdb/tlog.
package seal

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/stemma-dev/stemma"
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
	// MaxSize keeps the arithmetic of trees within 64 bits.
	MaxSize = 1 << 60
)

// Open reads a signed note as the checkpoint of the log of the given
// origin. It returns ErrTampered if the note is crooked, is about another log or
// carries no signature of one of the verifiers. It needs nothing but its
// arguments: this is how an outsider reads what /checkpoint serves.
func Open(msg []byte, origin string, verifiers ...note.Verifier) (Checkpoint, error) {
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
	if err != nil || size < 0 || size > MaxSize || strconv.FormatInt(size, 10) != lines[1] {
		return Checkpoint{}, fmt.Errorf("size %.40q", lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return Checkpoint{}, fmt.Errorf("root %.60q", lines[2])
	}
	return Checkpoint{Origin: lines[0], Size: size, Root: tlog.Hash(root)}, nil
}

// Sign returns a checkpoint of c's origin, size and root as a signed note.
func (c Checkpoint) Sign(signer note.Signer) ([]byte, error) {
	return note.Sign(&note.Note{Text: c.text()}, signer)
}

func (c Checkpoint) text() string {
	return c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + c.Root.String() + "\n"
}

// leafPrefix separates leaf commitments from every other SHA-256 of ours.
const leafPrefix = "stemma/leaf/v1"

// Commitment returns what the log commits to for a fact: the leaf data of the
// RFC 6962 tree. Without the salt it tells nothing about the fact.
func Commitment(salt, canonical []byte) stemma.Digest {
	b := make([]byte, 0, len(leafPrefix)+len(salt)+len(canonical))
	b = append(b, leafPrefix...)
	b = append(b, salt...)
	return stemma.Sum(append(b, canonical...))
}
