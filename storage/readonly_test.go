package storage_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// attempts to write, each a list of statements tried in one Read.
func attempts(dir string) [][]string {
	file := filepath.Join(dir, "evil")
	var list [][]string
	for i, evil := range []string{
		"DELETE FROM item",
		"SELECT 1; COMMIT; DELETE FROM item",
		"INSERT INTO item (id) VALUES (666)",
		"UPDATE item SET word = 'evil'",
		"DROP TABLE item",
		"CREATE TABLE evil (id BIGINT)",
		"CREATE TEMP TABLE evil (id BIGINT)",
		"WITH x AS (DELETE FROM item RETURNING id) SELECT * FROM x",
		"WITH x AS (INSERT INTO item (id) VALUES (666) RETURNING id) SELECT * FROM x",
		"SELECT 1; DELETE FROM item",
		"EXPLAIN ANALYZE DELETE FROM item",
	} {
		list = append(list, []string{evil})
		if i > 1 {
			continue
		}
		for _, before := range []string{
			"COMMIT", "ROLLBACK", "SET TRANSACTION READ WRITE", "BEGIN READ WRITE",
			"SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", "PRAGMA query_only = 0", "PRAGMA writable_schema = 1",
			"SELECT set_config('transaction_read_only', 'off', false)",
			"SELECT set_config('default_transaction_read_only', 'off', false)",
		} {
			list = append(list, []string{before, evil}, []string{before + "; " + evil}, []string{before, "COMMIT", "BEGIN", evil, "COMMIT"})
		}
	}
	return append(list,
		[]string{"ATTACH DATABASE '" + file + "' AS e", "CREATE TABLE e.x (id BIGINT)"},
		[]string{"VACUUM INTO '" + file + "'"},
		[]string{"PRAGMA journal_mode = delete"},
		[]string{"PRAGMA application_id = 1"},
		[]string{"SELECT load_extension('" + file + "')"},
		[]string{"SELECT writefile('" + file + "', 'x')"},
		[]string{"COPY item TO '" + file + "'"},
		[]string{"COPY (SELECT 1) TO PROGRAM 'touch " + file + "'"},
		[]string{"DO $$ BEGIN DELETE FROM item; END $$"},
		[]string{"SELECT lo_from_bytea(0, 'x')"},
		[]string{"SELECT query_to_xml('DELETE FROM item', true, true, '')"},
		[]string{"PREPARE TRANSACTION 'x'"},
		[]string{"LISTEN x"},
		[]string{"LOCK TABLE item"},
		[]string{"SELECT * FROM item FOR UPDATE"},
	)
}

func TestUncheckedStatementsCannotWrite(t *testing.T) {
	for engine, dsn := range map[string]func(testing.TB) string{"sqlite": storagetest.SQLiteDSN, "postgres": storagetest.PostgresDSN} {
		t.Run(engine, func(t *testing.T) {
			dsn, ctx := dsn(t), t.Context()
			db, err := storage.Open(ctx, dsn)
			must(t, err)
			must(t, db.Migrate(ctx, "test", schema))
			must(t, do(t, db, "INSERT INTO item (id, word) VALUES (1, 'kept')"))
			ro, err := storage.OpenReadOnly(ctx, dsn)
			must(t, err)
			dir := t.TempDir()
			must(t, os.Chmod(dir, 0o777)) // also the server may write there
			before := fingerprint(t, db)
			for _, statements := range attempts(dir) {
				_ = ro.Read(ctx, func(tx *storage.Tx) error { return run(t, tx, statements) }) // may fail or not
				for _, s := range statements {
					_ = ro.Read(ctx, func(tx *storage.Tx) error { return run(t, tx, []string{s}) })
				}
				if after := fingerprint(t, db); after != before {
					t.Fatalf("%q changed the space from %q to %q", statements, before, after)
				}
			}
			left, err := os.ReadDir(dir)
			must(t, err)
			if len(left) != 0 {
				t.Errorf("a file was written: %v", left)
			}
			if err := do(t, ro, "DELETE FROM item"); !errors.Is(err, storage.ErrReadOnly) {
				t.Errorf("Write: %v", err)
			}
			if err := ro.Migrate(ctx, "test", schema); !errors.Is(err, storage.ErrReadOnly) {
				t.Errorf("Migrate: %v", err)
			}
			must(t, ro.Close())
			must(t, db.Close())
		})
	}
}

// run tries every statement both ways and goes on after a failure.
func run(t *testing.T, tx *storage.Tx, statements []string) error {
	t.Helper()
	var all error
	for _, s := range statements {
		rows, err := tx.Query(t.Context(), s)
		if err == nil {
			for rows.Next() {
			}
			err = rows.Close()
		}
		if err != nil {
			_, again := tx.Exec(t.Context(), s)
			err = errors.Join(err, again)
		}
		all = errors.Join(all, err)
	}
	return all
}

// fingerprint is what the space holds.
func fingerprint(t *testing.T, db *storage.DB) string {
	t.Helper()
	query := "SELECT (SELECT count(*) FROM item) || ' ' || (SELECT coalesce(min(word), '-') FROM item) || ' ' || count(*) FROM sqlite_schema"
	if db.Engine() == storage.Postgres {
		query = "SELECT (SELECT count(*) FROM item) || ' ' || (SELECT coalesce(min(word), '-') FROM item) || ' ' || count(*) FROM pg_class"
	}
	var s string
	must(t, db.Read(t.Context(), func(tx *storage.Tx) error { return tx.QueryRow(t.Context(), query).Scan(&s) }))
	return s
}

func TestReadOnlyAnswersQueries(t *testing.T) {
	for engine, dsn := range map[string]func(testing.TB) string{"sqlite": storagetest.SQLiteDSN, "postgres": storagetest.PostgresDSN} {
		t.Run(engine, func(t *testing.T) {
			dsn, ctx := dsn(t), t.Context()
			db, err := storage.Open(ctx, dsn)
			must(t, err)
			must(t, db.Migrate(ctx, "test", schema))
			must(t, do(t, db, "INSERT INTO item (id, word) VALUES (1, 'a'), (2, 'b')"))
			must(t, do(t, db, "CREATE VIEW v AS SELECT id, upper(word) AS w FROM item"))
			ro, err := storage.OpenReadOnly(ctx, dsn)
			must(t, err)
			for _, query := range []string{
				"SELECT count(*) FROM v WHERE w <> $1",
				"-- a comment\nWITH RECURSIVE r(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 2) SELECT count(*) FROM r WHERE CAST(n AS TEXT) <> $1",
				"SELECT count(*) FROM (SELECT id, row_number() OVER (ORDER BY id) FROM item WHERE word <> $1) x",
			} {
				if n := count(t, ro, query, "zz"); n != 2 {
					t.Errorf("%s: %d, want 2", query, n)
				}
			}
			err = ro.Read(ctx, func(tx *storage.Tx) error {
				_, err := tx.Query(ctx, "SELECT nonsense FROM item")
				return err
			})
			if err == nil || !strings.Contains(err.Error(), "nonsense") {
				t.Errorf("a wrong query: %v", err)
			}
			must(t, ro.Close())
			must(t, db.Close())
		})
	}
}
