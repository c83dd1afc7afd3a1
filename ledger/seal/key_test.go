package seal_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/stemma-dev/stemma/ledger/seal"
)

func TestKeyFileIsMadeOnceAndForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.key")
	keys := make([]*seal.Key, 8)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			var err error
			if keys[i], err = seal.LoadKey(path, rand.Reader, "log.example.com"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	for _, key := range keys[1:] {
		if key.VerifierKey() != keys[0].VerifierKey() {
			t.Errorf("two keys came out of one file: %s and %s", keys[0].VerifierKey(), key.VerifierKey())
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file has mode %v, %v; want 0600", info.Mode(), err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("beside the key there are %v, %v", left, err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.LoadKey(path, rand.Reader, "log.example.com"); err == nil || !strings.Contains(err.Error(), "0640") {
		t.Errorf("a key that others can read: %v", err)
	}
}

func TestBrokenKeyFileIsRefusedAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.key")
	for _, content := range []string{"", "nonsense", "PRIVATE+KEY+a+b+c", strings.Repeat("x", 10_000)} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := seal.LoadKey(path, rand.Reader, "log.example.com"); err == nil {
			t.Errorf("the key %.20q was accepted", content)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != content {
			t.Errorf("the file now holds %.20q, %v", b, err)
		}
	}
}

func TestVerifierKeyVerifiesWhatTheKeySigns(t *testing.T) {
	for range 50 { // some encodings hold a plus sign
		key, err := seal.NewKey(rand.Reader, "log.example.com/naïve")
		if err != nil {
			t.Fatal(err)
		}
		msg, err := note.Sign(&note.Note{Text: "a\n"}, key)
		if err != nil {
			t.Fatal(err)
		}
		verifier, err := note.NewVerifier(key.VerifierKey())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := note.Open(msg, note.VerifierList(verifier)); err != nil {
			t.Errorf("%s: %v", key.VerifierKey(), err)
		}
	}
}

func TestKeyDoesNotPrintItsSecret(t *testing.T) {
	seed := bytes.Repeat([]byte{0x5a}, 32)
	key, err := seal.NewKey(bytes.NewReader(seed), "log.example.com")
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		for _, secret := range []string{"WlpaWlpa", "5a5a5a5a", "90, 90, 90", "90 90 90", "PRIVATE"} {
			if s := fmt.Sprintf(form, key); strings.Contains(s, secret) {
				t.Errorf("%s shows the seed: %s", form, s)
			}
		}
	}
}

func TestCrookedOriginIsRefused(t *testing.T) {
	for _, origin := range []string{"", "a b", "a+b", "a\nb", "a\x00", "\xff", strings.Repeat("x", 300)} {
		if _, err := seal.NewKey(rand.Reader, origin); err == nil {
			t.Errorf("origin %q was accepted", origin)
		}
	}
	if _, err := seal.NewKey(strings.NewReader("short"), "log.example.com"); err == nil {
		t.Error("a key was made from five bytes")
	}
}
