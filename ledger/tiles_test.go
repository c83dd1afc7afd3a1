package ledger_test

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/ledger/seal"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// An outsider reads a log over HTTP and has nothing but its verifier key.
type outsider struct {
	*testing.T
	url, origin string
	verifier    note.Verifier
	fetched     []string
}

func newOutsider(t *testing.T, l *ledger.Ledger, verifierKey string) *outsider {
	t.Helper()
	server := httptest.NewServer(http.StripPrefix("/log", l.Handler()))
	t.Cleanup(server.Close)
	verifier, err := note.NewVerifier(verifierKey)
	if err != nil {
		t.Fatal(err)
	}
	return &outsider{T: t, url: server.URL + "/log", origin: verifier.Name(), verifier: verifier}
}

// An answer is what was said besides the body.
type answer struct {
	code   int
	status string
	header http.Header
}

func (o *outsider) get(path string) (answer, []byte) {
	o.Helper()
	r, err := http.Get(o.url + path)
	if err != nil {
		o.Fatal(err)
	}
	b, err := io.ReadAll(r.Body)
	if err := errors.Join(err, r.Body.Close()); err != nil {
		o.Fatal(err)
	}
	return answer{r.StatusCode, r.Status, r.Header}, b
}

func (o *outsider) checkpoint() seal.Checkpoint {
	o.Helper()
	_, b := o.get("/checkpoint")
	c, err := seal.Open(b, o.origin, o.verifier)
	if err != nil {
		o.Fatal(err)
	}
	return c
}

// Height, ReadTiles and SaveTiles make an outsider a tlog.TileReader.
func (o *outsider) Height() int { return 8 }

func (o *outsider) SaveTiles([]tlog.Tile, [][]byte) {}

func (o *outsider) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, t := range tiles {
		path := "/" + strings.Replace(t.Path(), "tile/8/", "tile/", 1)
		r, b := o.get(path)
		if r.code != http.StatusOK {
			return nil, fmt.Errorf("%s: %s", path, r.status)
		}
		o.fetched = append(o.fetched, path)
		data = append(data, b)
	}
	return data, nil
}

// leaves reads every entry bundle of a tree of that size.
func (o *outsider) leaves(size int64) []stemma.Digest {
	o.Helper()
	var leaves []stemma.Digest
	for n := int64(0); n*256 < size; n++ {
		path := strings.Replace(tlog.Tile{H: 8, L: -1, N: n, W: int(min(256, size-n*256))}.Path(), "tile/8/data", "/tile/entries", 1)
		r, b := o.get(path)
		if r.code != http.StatusOK {
			o.Fatalf("%s: %s", path, r.status)
		}
		for len(b) > 0 {
			if len(b) < 34 || binary.BigEndian.Uint16(b) != sha256.Size {
				o.Fatalf("%s: an entry begins with % x", path, b[:min(len(b), 8)])
			}
			leaves = append(leaves, stemma.Digest(b[2:34]))
			b = b[34:]
		}
	}
	return leaves
}

func TestOutsiderReproducesTheRootFromTiles(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		key := newKey(t)
		l := openLedger(t, open(), key)
		o := newOutsider(t, l, key.VerifierKey())
		var older seal.Checkpoint
		size := 0
		for _, n := range []int{1, 254, 1, 1, 400, 1200} {
			if _, err := l.Append(t.Context(), samples(size, n)...); err != nil {
				t.Fatal(err)
			}
			size += n
			c := o.checkpoint()
			if c.Size != int64(size) {
				t.Fatalf("the checkpoint covers %d, want %d", c.Size, size)
			}
			// This reader proves every tile against the signed root.
			r := tlog.TileHashReader(tlog.Tree{N: c.Size, Hash: c.Root}, o)
			if root, err := tlog.TreeHash(c.Size, r); err != nil || root != c.Root {
				t.Fatalf("root of %d from tiles: %s, %v; want %s", size, root, err, c.Root)
			}
			leaves := o.leaves(c.Size)
			naive := naiveTree{leaves: leaves}
			if len(leaves) != size || naive.hash(0, size) != c.Root {
				t.Fatalf("%d leaves from bundles give %s, want %s", len(leaves), naive.hash(0, len(leaves)), c.Root)
			}
			for _, pos := range []int{0, size / 2, size - 1} {
				h, err := r.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(pos))})
				if err != nil || h[0] != tlog.RecordHash(leaves[pos][:]) {
					t.Fatalf("leaf %d from tiles: %v, %v", pos, h, err)
				}
			}
			if older.Size > 0 {
				proof, err := tlog.ProveTree(c.Size, older.Size, r)
				if err != nil {
					t.Fatal(err)
				}
				if err := tlog.CheckTree(proof, c.Size, c.Root, older.Size, older.Root); err != nil {
					t.Fatalf("%d does not begin with %d: %v", c.Size, older.Size, err)
				}
			}
			older = c
		}
		for _, want := range []string{"/tile/0/000", "/tile/0/000.p/1", "/tile/0/001.p/1", "/tile/1/000.p/7", "/tile/0/007.p/65"} {
			if !slices.Contains(o.fetched, want) {
				t.Errorf("%s was never needed; fetched %q", want, o.fetched)
			}
		}
	})
}

func TestHandlerServesOnlyWhatTheLogHolds(t *testing.T) {
	key := newKey(t)
	l := openLedger(t, storagetest.SQLite(t), key)
	o := newOutsider(t, l, key.VerifierKey())
	if r, _ := o.get("/checkpoint"); r.code != http.StatusNotFound {
		t.Errorf("/checkpoint of an empty log: %s", r.status)
	}
	if _, err := l.Append(t.Context(), samples(0, 600)...); err != nil {
		t.Fatal(err)
	}
	const immutable = "public, max-age=31536000, immutable"
	for path, want := range map[string]struct {
		size         int
		media, cache string
	}{
		"/checkpoint":                      {-1, "text/plain; charset=utf-8", "no-cache"},
		"/tile/0/000":                      {256 * 32, "application/octet-stream", immutable},
		"/tile/0/000.p/5":                  {5 * 32, "application/octet-stream", immutable}, // although it is full by now
		"/tile/0/002.p/88":                 {88 * 32, "application/octet-stream", immutable},
		"/tile/1/000.p/2":                  {2 * 32, "application/octet-stream", immutable},
		"/tile/entries/001":                {256 * 34, "application/octet-stream", immutable},
		"/tile/entries/002.p/88":           {88 * 34, "application/octet-stream", immutable},
		"/tile/entries/002.p/003":          {0, "", ""},
		"/tile/0/002":                      {0, "", ""},
		"/tile/0/002.p/89":                 {0, "", ""},
		"/tile/0/003.p/1":                  {0, "", ""},
		"/tile/1/000":                      {0, "", ""},
		"/tile/1/000.p/3":                  {0, "", ""},
		"/tile/2/000.p/1":                  {0, "", ""},
		"/tile/63/000.p/1":                 {0, "", ""},
		"/tile/entries/003.p/1":            {0, "", ""},
		"/tile/0/000.p/0":                  {0, "", ""},
		"/tile/0/000.p/256":                {0, "", ""},
		"/tile/0/0":                        {0, "", ""},
		"/tile/00/000":                     {0, "", ""},
		"/tile/data/000":                   {0, "", ""},
		"/tile/-1/000":                     {0, "", ""},
		"/tile/0/x000/000":                 {0, "", ""},
		"/tile/0/x9223372036854775807/000": {0, "", ""},
		"/tile/0/x999/x999/x999/x999/x999/x999/x999/x999/999": {0, "", ""},
		"/tile/":  {0, "", ""},
		"/tile/0": {0, "", ""},
		"/":       {0, "", ""},
		"/fact/1": {0, "", ""},
	} {
		r, b := o.get(path)
		if want.media == "" {
			if r.code != http.StatusNotFound {
				t.Errorf("%s: %s, want 404", path, r.status)
			}
			continue
		}
		if r.code != http.StatusOK || want.size >= 0 && len(b) != want.size {
			t.Errorf("%s: %s with %d bytes, want %d", path, r.status, len(b), want.size)
		}
		if got := r.header.Get("Content-Type"); got != want.media {
			t.Errorf("%s: content type %q, want %q", path, got, want.media)
		}
		if got := r.header.Get("Cache-Control"); got != want.cache {
			t.Errorf("%s: cache control %q, want %q", path, got, want.cache)
		}
	}
	r, err := http.Post(o.url+"/checkpoint", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Body.Close(); err != nil || r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST /checkpoint: %s, %v", r.Status, err)
	}
}
