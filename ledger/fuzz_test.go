package ledger

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func FuzzTilePath(f *testing.F) {
	for _, s := range []string{
		"0/000", "0/x001/x234/067", "0/x001/x234/067.p/255", "7/000.p/1", "8/000", "entries/000", "entries/x001/000.p/3",
		"data/000", "0/000.p/256", "0/999999", "-1/000", "+0/000", "0/x/000", "0/xx00/000", "",
	} {
		f.Add(s, int64(600))
	}
	f.Fuzz(func(t *testing.T, path string, size int64) {
		tile, err := parseTilePath(path)
		if err != nil {
			return
		}
		if tile.H != tileHeight || tile.L < -1 || tile.L > maxTileLevel || tile.N < 0 || tile.W < 1 || tile.W > tileWidth {
			t.Fatalf("%q is %+v", path, tile)
		}
		spelled := strings.Replace(strings.TrimPrefix(tile.Path(), "tile/8/"), "data/", "entries/", 1)
		if spelled != path {
			t.Fatalf("%q is a second spelling of %q", path, spelled)
		}
		if size < 0 || size > maxSize || !within(tile, size) {
			return
		}
		// The last hash of the tile is one that a log of this size stores.
		level := max(tile.L, 0) * tileHeight
		last := tile.N*tileWidth + int64(tile.W) - 1
		if (last+1)<<level > size || tlog.StoredHashIndex(level, last) >= tlog.StoredHashCount(size) {
			t.Fatalf("%q is said to be within %d", path, size)
		}
	})
}

// FuzzCheckpoint holds that nothing is accepted but what was signed, in the
// one spelling in which it was.
func FuzzCheckpoint(f *testing.F) {
	key, err := NewKey(bytes.NewReader(make([]byte, 32)), "log.example.com/fuzz")
	if err != nil {
		f.Fatal(err)
	}
	l := &Ledger{origin: key.Name(), signer: key}
	e, _ := edge{}.grow(nil)
	signed := map[string]bool{}
	for range 3 {
		msg, err := l.sign(e)
		if err != nil {
			f.Fatal(err)
		}
		signed[string(msg)] = true
		f.Add(msg)
		f.Add(bytes.Replace(msg, []byte("fuzz\n"), []byte("fuzz2\n"), 1))
		f.Add(append(bytes.Clone(msg), "— other.example.com AAAAAAAA\n"...))
		e.add(tlog.Hash{1})
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		if c, err := parseCheckpoint(string(msg)); err == nil && !strings.HasPrefix(string(msg), c.text()) {
			t.Fatalf("%q was read as %q", msg, c.text())
		}
		c, err := OpenCheckpoint(msg, key.Name(), key.Verifier())
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
