package seal

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"unicode"

	"golang.org/x/mod/sumdb/note"

	"github.com/stemma-dev/stemma"
)

// algEd25519 is the type of a C2SP signed-note key that is plain Ed25519.
const algEd25519 = 1

// A Key signs the checkpoints of one log with Ed25519. It is a note.Signer.
type Key struct {
	note.Signer
	verifier note.Verifier
	public   string // the encoded verifier key
}

// NewKey makes a key for the log of the given origin from 32 bytes of rand.
// An origin is a URL without its scheme, in printable characters without
// spaces and "+". The key exists in memory only.
func NewKey(rand io.Reader, origin string) (*Key, error) {
	secret, err := newSecret(rand, origin)
	if err != nil {
		return nil, err
	}
	return parseKey(secret)
}

// maxOrigin bounds the name of a log in bytes.
const maxOrigin = 255

// newSecret returns a fresh key in the encoding of note.NewSigner.
func newSecret(rand io.Reader, origin string) (string, error) {
	crooked := func(r rune) bool {
		return !unicode.IsPrint(r) || unicode.IsSpace(r) || r == '+' || r == unicode.ReplacementChar
	}
	if origin == "" || len(origin) > maxOrigin || strings.ContainsFunc(origin, crooked) {
		return "", fmt.Errorf("seal: making a key: %.300q cannot name a log", origin)
	}
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(rand, seed); err != nil {
		return "", fmt.Errorf("seal: making a key: %w", err)
	}
	public, err := publicKey(origin, seed)
	if err != nil {
		return "", fmt.Errorf("seal: making a key: %w", err)
	}
	hash, _, _ := strings.Cut(strings.TrimPrefix(public, origin+"+"), "+")
	data := base64.StdEncoding.EncodeToString(append([]byte{algEd25519}, seed...))
	return "PRIVATE+KEY+" + origin + "+" + hash + "+" + data, nil
}

func publicKey(origin string, seed []byte) (string, error) {
	private := ed25519.NewKeyFromSeed(seed)
	return note.NewEd25519VerifierKey(origin, ed25519.PublicKey(private[ed25519.SeedSize:]))
}

func parseKey(secret string) (*Key, error) {
	signer, err := note.NewSigner(secret)
	if err != nil {
		return nil, errors.New("seal: not a signing key for notes")
	}
	// NewSigner found five parts and 32 bytes of seed after the type.
	data, err := base64.StdEncoding.DecodeString(strings.SplitN(secret, "+", 5)[4])
	if err != nil {
		return nil, errors.New("seal: not a signing key for notes")
	}
	public, err := publicKey(signer.Name(), data[1:])
	if err != nil {
		return nil, fmt.Errorf("seal: reading a key: %w", err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		return nil, fmt.Errorf("seal: reading a key: %w", err)
	}
	return &Key{Signer: signer, verifier: verifier, public: public}, nil
}

// LoadKey reads the key in the file path, which only its owner may read. If
// there is none, it makes one for origin and writes it there durably first; of
// two processes that do so at once, both get the same key.
func LoadKey(path string, rand io.Reader, origin string) (*Key, error) {
	key, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	secret, err := newSecret(rand, origin)
	if err != nil {
		return nil, err
	}
	if err := createKey(path, secret); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("seal: writing the key: %w", err)
	}
	return readKey(path)
}

// maxKey is longer than any key file.
const maxKey = 4096

func readKey(path string) (*Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("seal: reading the key: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("seal: reading the key: %w", err)
	}
	if open := info.Mode().Perm() & 0o077; open != 0 && runtime.GOOS != "windows" {
		err := fmt.Errorf("seal: the key %s has mode %04o: others can read or change it", path, info.Mode().Perm())
		return nil, stemma.WithHint(err, "run: chmod 600 %s", path)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxKey))
	if err != nil {
		return nil, fmt.Errorf("seal: reading the key: %w", err)
	}
	key, err := parseKey(strings.TrimSpace(string(b)))
	if err != nil {
		return nil, fmt.Errorf("%w (%s)", err, path)
	}
	return key, nil
}

// createKey writes a new file in one step: path is absent or whole, and an
// existing one is never replaced.
func createKey(path, secret string) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // its content is at path by then, or of no use
	_, err = f.WriteString(secret + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // a directory cannot be opened for that there
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// VerifierKey is the public key in the form "origin+hash+key" that C2SP signed
// notes use; it is all that an outsider needs to check a checkpoint.
func (k *Key) VerifierKey() string { return k.public }

// Verifier checks signatures of k.
func (k *Key) Verifier() note.Verifier { return k.verifier }
