package ledger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
)

const (
	// tileHeight and tileWidth are those of C2SP tlog-tiles.
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	// maxTileLevel is the highest level of a tree of at most seal.MaxSize leaves.
	maxTileLevel = 7
	// maxTilePath is longer than any path of a tile.
	maxTilePath = 100
)

// parseTilePath reads what follows "/tile/" in a C2SP path: "0/x001/067",
// "1/000.p/3", "entries/000". Level -1 stands for entries. Every tile has one
// spelling; all others are refused.
func parseTilePath(path string) (tlog.Tile, error) {
	fault := func(why string) (tlog.Tile, error) {
		return tlog.Tile{}, fmt.Errorf("tile path %.*q: %s", maxTilePath, path, why)
	}
	level, rest, ok := strings.Cut(path, "/")
	if len(path) > maxTilePath || !ok {
		return fault("malformed")
	}
	switch level {
	case "data": // how package tlog spells it
		return fault("malformed")
	case "entries":
		level = "data"
	}
	t, err := tlog.ParseTilePath("tile/" + strconv.Itoa(tileHeight) + "/" + level + "/" + rest)
	if err != nil {
		return fault("malformed")
	}
	if t.L > maxTileLevel {
		return fault("no log is that high")
	}
	return t, nil
}

// within reports whether a tree of that size has all hashes of t.
func within(t tlog.Tile, size int64) bool {
	have := size >> (tileHeight * max(t.L, 0))
	return t.N >= 0 && t.N <= have/tileWidth && t.N*tileWidth+int64(t.W) <= have
}

// Handler serves the log to the public in C2SP tlog-tiles form: /checkpoint,
// /tile/<level>/<number>[.p/<width>] and /tile/entries/<number>[.p/<width>],
// whose entries are the commitments of facts, never facts. What lies beyond the
// log is 404. Mount it under any prefix with http.StripPrefix.
func (l *Ledger) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /checkpoint", l.serveCheckpoint)
	mux.HandleFunc("GET /tile/{path...}", l.serveTile)
	return mux
}

func (l *Ledger) serveCheckpoint(w http.ResponseWriter, r *http.Request) {
	c, err := l.Checkpoint(r.Context())
	if err != nil {
		l.refuse(w, r, err)
		return
	}
	serve(w, "text/plain; charset=utf-8", "no-cache", c.Note)
}

func (l *Ledger) serveTile(w http.ResponseWriter, r *http.Request) {
	t, err := parseTilePath(r.PathValue("path"))
	if err != nil {
		l.refuse(w, r, stemma.ErrNotFound)
		return
	}
	data, err := l.tile(r.Context(), t)
	if err != nil {
		l.refuse(w, r, err)
		return
	}
	// A tile of one width never changes, not even by an erasure.
	serve(w, "application/octet-stream", "public, max-age=31536000, immutable", data)
}

func serve(w http.ResponseWriter, media, cache string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", cache)
	h.Set("X-Content-Type-Options", "nosniff")
	// The client has gone if this fails; there is nobody to tell.
	_, _ = w.Write(body)
}

func (l *Ledger) refuse(w http.ResponseWriter, r *http.Request, err error) {
	w.Header().Set("Cache-Control", "no-store")
	if errors.Is(err, stemma.ErrNotFound) {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	if r.Context().Err() == nil {
		l.log.ErrorContext(r.Context(), "ledger: serving the log", "path", r.URL.Path, "error", err)
	}
	http.Error(w, "the log cannot be read", http.StatusInternalServerError)
}

// tile returns the bytes of one tile or bundle of entries.
func (l *Ledger) tile(ctx context.Context, t tlog.Tile) ([]byte, error) {
	var data []byte
	err := l.db.Read(ctx, func(tx *storage.Tx) error {
		size, _, err := lastCheckpoint(ctx, tx)
		if err != nil {
			return err
		}
		if !within(t, size) {
			return stemma.ErrNotFound
		}
		if t.L < 0 {
			data, err = entryBundle(ctx, tx, t.N*tileWidth, t.W)
		} else {
			data, err = tlog.ReadTileData(t, hashReader(ctx, tx))
		}
		return err
	})
	return data, err
}

// entryBundle returns the leaf data of n entries from pos on, each with its
// length in two bytes before it.
func entryBundle(ctx context.Context, tx *storage.Tx, pos int64, n int) ([]byte, error) {
	var bundle []byte
	found := 0
	for scan, err := range query(ctx, tx, "SELECT leaf FROM fact WHERE pos >= $1 AND pos < $2 ORDER BY pos", pos, pos+int64(n)) {
		if err != nil {
			return nil, err
		}
		var leaf []byte
		if err := scan(&leaf); err != nil {
			return nil, err
		}
		if len(leaf) != len(stemma.Digest{}) {
			return nil, fmt.Errorf("leaf %d has %d bytes: %w", pos+int64(found), len(leaf), stemma.ErrTampered)
		}
		bundle = binary.BigEndian.AppendUint16(bundle, uint16(len(leaf)))
		bundle = append(bundle, leaf...)
		found++
	}
	if found != n {
		return nil, fmt.Errorf("%d of %d leaves from %d on: %w", found, n, pos, stemma.ErrTampered)
	}
	return bundle, nil
}
