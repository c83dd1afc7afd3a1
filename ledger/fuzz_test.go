package ledger

import (
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/stemma-dev/stemma/ledger/seal"
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
		if size < 0 || size > seal.MaxSize || !within(tile, size) {
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
