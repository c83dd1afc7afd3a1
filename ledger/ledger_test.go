package ledger_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/ledger/seal"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// at is the clock of the tests.
func at() time.Time { return time.Date(2026, 11, 24, 9, 0, 0, 123456000, time.UTC) }

func newKey(t testing.TB) *seal.Key {
	t.Helper()
	key, err := seal.NewKey(rand.Reader, "log.example.com/acme")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func openLedger(t testing.TB, db *storage.DB, key *seal.Key) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(context.Background(), db, ledger.Config{Signer: key, Now: at, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// sample returns the n-th fact of the tests.
func sample(n int) stemma.Fact {
	f, err := stemma.NewFact(stemma.NewRef(stemma.KindTicket, "jira", fmt.Sprintf("PAY-%d", n%1000)),
		map[string]any{"title": fmt.Sprintf("ticket number %d, with a title of a usual length", n), "state": "open", "number": n},
		stemma.Provenance{Source: "test", Grade: stemma.GradeD, Occurred: at().Add(time.Duration(n) * time.Second)})
	if err != nil {
		panic(err)
	}
	return f
}

func samples(from, n int) []stemma.Fact {
	facts := make([]stemma.Fact, n)
	for i := range facts {
		facts[i] = sample(from + i)
	}
	return facts
}

func TestMain(m *testing.M) {
	if dsn := os.Getenv(childEnv); dsn != "" {
		os.Exit(appendForEver(dsn))
	}
	storagetest.Main(m)
}
