// Package storagetest lends tests a space, on every engine, and other processes
// to share it with.
//
// A test that should hold on both engines is written as
//
//	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) { … })
//
// and runs on SQLite and on a real PostgreSQL server, which the test binary
// starts itself once and which ends with it, whatever way it ends.
package storagetest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stemma-dev/stemma/storage"
)

// Engines runs f as a subtest on each engine, with -short on SQLite alone: the race
// detector looks at our code, which is the same on both. Every call of open returns
// another handle of the same space, which is new for the subtest; handles are closed
// at its end.
func Engines(t *testing.T, f func(t *testing.T, open func() *storage.DB)) {
	t.Helper()
	if testing.Short() {
		t.Run("sqlite", func(t *testing.T) { f(t, opener(t, SQLiteDSN(t))) })
		return
	}
	Both(t, f)
}

// Both is Engines for what processes and goroutines do to each other: also with -short
// it runs on both engines.
func Both(t *testing.T, f func(t *testing.T, open func() *storage.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, opener(t, SQLiteDSN(t))) })
	t.Run("postgres", func(t *testing.T) { f(t, opener(t, PostgresDSN(t))) })
}

// SQLite lends a new space in a SQLite file.
func SQLite(tb testing.TB) *storage.DB {
	tb.Helper()
	return opener(tb, SQLiteDSN(tb))()
}

// Postgres lends a new space in a PostgreSQL schema.
func Postgres(tb testing.TB) *storage.DB {
	tb.Helper()
	return opener(tb, PostgresDSN(tb))()
}

// SQLiteDSN names a file that does not exist yet.
func SQLiteDSN(tb testing.TB) string {
	tb.Helper()
	return "file:" + filepath.Join(tb.TempDir(), "space.db")
}

// Main runs the tests of a package and waits until the server they used, if
// any, is gone. It is optional: without it the server ends just after the
// test binary.
func Main(m *testing.M) {
	code := m.Run()
	stop()
	os.Exit(code)
}

func opener(tb testing.TB, dsn string) func() *storage.DB {
	return func() *storage.DB {
		tb.Helper()
		db, err := storage.Open(tb.Context(), dsn)
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() {
			if err := db.Close(); err != nil {
				tb.Error(err)
			}
		})
		return db
	}
}
