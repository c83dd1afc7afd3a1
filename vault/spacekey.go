package vault

import (
	"cmp"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/stemma-dev/stemma"
)

// A SpaceKey is the secret of one space. Nothing prints it. Whoever has it
// and the database can read every body that is not erased; without it no body
// can be read and no pseudonym traced to a mail address.
type SpaceKey struct{ secret *[keySize]byte }

const keySize = 32

// NewSpaceKey makes a key of 32 bytes, which it copies.
func NewSpaceKey(secret []byte) (SpaceKey, error) {
	if len(secret) != keySize {
		return SpaceKey{}, fmt.Errorf("vault: a space key of %d bytes, want %d", len(secret), keySize)
	}
	k := SpaceKey{secret: new([keySize]byte)}
	copy(k.secret[:], secret)
	return k, nil
}

// LoadSpaceKey reads the key from the file at path: 64 hexadecimal digits,
// readable by its owner only. Where there is no file it takes a key from rand
// and writes it; of several processes that do so at once, one wins.
func LoadSpaceKey(path string, rand io.Reader) (SpaceKey, error) {
	k, err := readSpaceKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if err := writeSpaceKey(path, rand); err != nil {
		return SpaceKey{}, fmt.Errorf("vault: making the space key %s: %w", path, err)
	}
	return readSpaceKey(path)
}

func readSpaceKey(path string) (SpaceKey, error) {
	f, err := os.Open(path)
	if err != nil {
		return SpaceKey{}, fmt.Errorf("vault: reading the space key: %w", err)
	}
	info, err := f.Stat()
	var b []byte
	if err == nil {
		b, err = io.ReadAll(io.LimitReader(f, 2*keySize+2))
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return SpaceKey{}, fmt.Errorf("vault: reading the space key: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return SpaceKey{}, stemma.WithHint(fmt.Errorf("vault: the space key %s can be read by others", path),
			"Run: chmod 600 %s", path)
	}
	secret, err := hex.DecodeString(strings.TrimSuffix(string(b), "\n"))
	if err != nil || len(secret) != keySize {
		// The content is not shown: it may be most of a key.
		return SpaceKey{}, stemma.WithHint(fmt.Errorf("vault: the space key %s is not %d hexadecimal digits", path, 2*keySize),
			"Restore it from a backup: bodies stored under the old key cannot be read with another one.")
	}
	return NewSpaceKey(secret)
}

// writeSpaceKey makes the file whole under another name first; linking it to
// its own name fails when another process was faster, which is as good.
func writeSpaceKey(path string, rand io.Reader) (err error) {
	secret := make([]byte, keySize)
	if _, err := io.ReadFull(rand, secret); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.WriteString(hex.EncodeToString(secret) + "\n")
	if err := cmp.Or(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncPath(filepath.Dir(path))
}

// Derive returns 32 bytes for one purpose: HKDF-SHA256 of the key. Different
// purposes give independent bytes, from which the key cannot be found.
func (k SpaceKey) Derive(purpose string) ([]byte, error) {
	if k.secret == nil {
		return nil, errors.New("vault: the space key was never set")
	}
	return hkdf.Key(sha256.New, k.secret[:], nil, purpose, keySize)
}

const hidden = "[space key]"

// String hides the key.
func (k SpaceKey) String() string { return hidden }

// Format hides the key whatever the verb.
func (k SpaceKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText hides the key.
func (k SpaceKey) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue hides the key.
func (k SpaceKey) LogValue() slog.Value { return slog.StringValue(hidden) }
