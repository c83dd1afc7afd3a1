// Package ingesttest opens spaces for tests, and writes down what a graph says whatever
// the order in which it was told.
package ingesttest

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/ledger/seal"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/vault"
)

// Open completes a space over a database; bodies lie in dir.
func Open(ctx context.Context, db *storage.DB, dir string, now func() time.Time) (*ingest.Space, error) {
	secret, err := vault.NewSpaceKey(make([]byte, 32))
	if err != nil {
		return nil, err
	}
	blobs, err := vault.Dir(dir)
	if err != nil {
		return nil, err
	}
	bodies, err := vault.Open(ctx, db, blobs, secret)
	if err != nil {
		return nil, err
	}
	key, err := seal.NewKey(rand.NewChaCha8([32]byte{7}), "log.example/test")
	if err != nil {
		return nil, err
	}
	l, err := ledger.Open(ctx, db, ledger.Config{Signer: key, Now: now, Rand: rand.NewChaCha8([32]byte{8})})
	if err != nil {
		return nil, err
	}
	g, err := graph.Open(ctx, db, lineage.Specs())
	if err != nil {
		return nil, err
	}
	return ingest.Open(ctx, ingest.Space{DB: db, Ledger: l, Graph: g, Vault: bodies}, secret)
}

// Must is Open for a test.
func Must(tb testing.TB, db *storage.DB, now func() time.Time) *ingest.Space {
	tb.Helper()
	s, err := Open(tb.Context(), db, tb.TempDir(), now)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// Told is the canonical dump of a graph without what says in which order it was told:
// numbers of nodes, positions in the log, and how many facts there are about a thing.
func Told(tb testing.TB, s *ingest.Space) string {
	tb.Helper()
	var dump bytes.Buffer
	if err := s.Graph.Dump(tb.Context(), &dump); err != nil {
		tb.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(dump.String()) {
		var row []any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			tb.Fatal(err)
		}
		switch row[0] {
		case "cursor", "fact", "skip", "door":
			continue
		case "node":
			if len(row) > 1 {
				row = append(row[:2:2], row[3], row[6], row[7])
			}
		case "edge":
			if len(row) > 1 {
				row = row[:len(row)-1]
			}
		}
		b, err := json.Marshal(row)
		if err != nil {
			tb.Fatal(err)
		}
		lines = append(lines, string(b))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// Facts counts the facts of a space.
func Facts(tb testing.TB, s *ingest.Space) int64 {
	tb.Helper()
	n, err := s.Ledger.Size(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return n
}
