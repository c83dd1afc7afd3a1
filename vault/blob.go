package vault

import (
	"context"
	"fmt"
	"iter"
	"strings"
)

// Blobs keeps bytes by name. All methods may be called concurrently, also by
// several processes on the same place. Names are checked by [CheckName].
type Blobs interface {
	// Put stores every item, and all of them are durable when it returns nil.
	// A name that is there already is replaced as a whole; a reader sees the
	// old bytes or the new ones. On an error some items may have been stored.
	Put(ctx context.Context, items ...Blob) error
	// Get returns the bytes, or an error that wraps stemma.ErrNotFound.
	Get(ctx context.Context, name string) ([]byte, error)
	// Delete removes a name; one that is not there is no error.
	Delete(ctx context.Context, name string) error
	// Names yields every name in the order of its bytes.
	Names(ctx context.Context) iter.Seq2[string, error]
}

// A Blob is bytes with their name.
type Blob struct {
	Name string
	Data []byte
}

const (
	minBlobName = 3
	maxBlobName = 128
	// MaxBlob is how many bytes one Blob may have.
	MaxBlob = 1 << 30
)

// CheckName refuses what is not a plain name in every directory and
// bucket: 3 to 128 lower-case letters, digits, dashes, underscores and dots,
// the first and the last of them a letter or digit.
func CheckName(name string) error {
	if len(name) < minBlobName || len(name) > maxBlobName {
		return fmt.Errorf("vault: blob name %.140q: want %d to %d bytes", name, minBlobName, maxBlobName)
	}
	for i, c := range []byte(name) {
		plain := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		inner := i > 0 && i < len(name)-1 && strings.IndexByte("-_.", c) >= 0
		if !plain && !inner {
			return fmt.Errorf("vault: blob name %q: character %q at %d", name, c, i)
		}
	}
	return nil
}

func (b Blob) check() error {
	if len(b.Data) > MaxBlob {
		return fmt.Errorf("vault: blob %s: %d bytes, more than %d", b.Name, len(b.Data), MaxBlob)
	}
	return CheckName(b.Name)
}
