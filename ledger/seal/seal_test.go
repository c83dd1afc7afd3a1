package seal

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// FuzzCheckpoint holds that nothing is accepted but what was signed, in the
// one spelling in which it was.
func FuzzCheckpoint(f *testing.F) {
	key, err := NewKey(bytes.NewReader(make([]byte, 32)), "log.example.com/fuzz")
	if err != nil {
		f.Fatal(err)
	}
	signed := map[string]bool{}
	for size := range int64(3) {
		msg, err := Checkpoint{Origin: key.Name(), Size: size, Root: tlog.Hash{byte(size)}}.Sign(key)
		if err != nil {
			f.Fatal(err)
		}
		signed[string(msg)] = true
		f.Add(msg)
		f.Add(bytes.Replace(msg, []byte("fuzz\n"), []byte("fuzz2\n"), 1))
		f.Add(append(bytes.Clone(msg), "— other.example.com AAAAAAAA\n"...))
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		if c, err := parseCheckpoint(string(msg)); err == nil && !strings.HasPrefix(string(msg), c.text()) {
			t.Fatalf("%q was read as %q", msg, c.text())
		}
		c, err := Open(msg, key.Name(), key.Verifier())
		if err != nil {
			return
		}
		n, err := note.Open(msg, note.VerifierList(key.Verifier()))
		if err != nil || n.Text != c.text() {
			t.Fatalf("%q was read as %q", msg, c.text())
		}
		n.UnverifiedSigs = nil // others may sign too
		bare, err := note.Sign(n)
		if err != nil || !signed[string(bare)] {
			t.Fatalf("%q was never signed", msg)
		}
	})
}
