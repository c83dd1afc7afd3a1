//go:build linux || darwin

package storage_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestMain(m *testing.M) { children.Main(m) }

var children = storagetest.Children{
	// hold keeps the write lock until its input ends.
	"hold": func(ctx context.Context, dsn string) error {
		db, err := storage.Open(ctx, dsn)
		if err != nil {
			return err
		}
		return db.Write(ctx, func(tx *storage.Tx) error {
			if _, err := tx.Exec(ctx, "INSERT INTO item (id, word) VALUES (99, 'held')"); err != nil {
				return err
			}
			fmt.Println("held")
			_, err := io.ReadAll(os.Stdin)
			return errors.Join(err, errors.New("let go"))
		})
	},
	"open": func(ctx context.Context, dsn string) error {
		db, err := storage.Open(ctx, dsn)
		if err != nil {
			return err
		}
		return db.Write(ctx, func(tx *storage.Tx) error {
			_, err := tx.Exec(ctx, "INSERT INTO item (id) VALUES (1)")
			return err
		})
	},
	// fill writes until no file may grow further.
	"fill": func(ctx context.Context, dsn string) error {
		db, err := storage.Open(ctx, dsn)
		if err != nil {
			return err
		}
		if err := storagetest.LimitFiles(); err != nil {
			return err
		}
		for i := range 1000 {
			if err := db.Write(ctx, func(tx *storage.Tx) error {
				_, err := tx.Insert(ctx, "item", []string{"id", "raw"}, seq(10, func(j int) []any { return []any{i*10 + j, make([]byte, 5000)} }))
				return err
			}); err != nil {
				fmt.Println("batches:", i)
				return err
			}
		}
		return nil
	},
}

func hint(err error) string {
	var h *stemma.HintError
	if !errors.As(err, &h) {
		return ""
	}
	return h.Hint
}

func TestLockOfAnotherProcessIsSaidPlainly(t *testing.T) {
	for engine, dsn := range map[string]func(testing.TB) string{"sqlite": storagetest.SQLiteDSN, "postgres": storagetest.PostgresDSN} {
		t.Run(engine, func(t *testing.T) {
			dsn := dsn(t)
			db, err := storage.Open(t.Context(), dsn)
			must(t, err)
			t.Cleanup(func() { must(t, db.Close()) })
			db.SetPatience(50 * time.Millisecond)
			must(t, db.Migrate(t.Context(), "test", schema))
			for _, end := range []string{"let go", "killed"} {
				child := storagetest.Start(t, "hold", dsn)
				if got := child.Line(); got != "held" {
					t.Fatalf("the other process says %q", got)
				}
				err = do1(t, db)
				if !errors.Is(err, storage.ErrLocked) || !strings.Contains(err.Error(), "storage: the database is locked by another process") || hint(err) == "" {
					t.Errorf("writing: %v, hint %q", err, hint(err))
				}
				if n := count(t, db, "SELECT count(*) FROM item"); n != 0 {
					t.Errorf("reading meanwhile: %d rows, want 0", n)
				}
				must(t, db.Migrate(t.Context(), "test", schema)) // nothing to do, so no lock is needed
				other, err := storage.Open(t.Context(), dsn)
				must(t, err)
				must(t, other.Close())
				if end == "killed" {
					must(t, child.Cmd.Process.Kill())
				}
				must(t, child.In.Close())
				_ = child.Cmd.Wait() // it was killed
				db.SetPatience(time.Minute)
				reopened, err := storage.Open(t.Context(), dsn)
				must(t, err)
				must(t, do1(t, reopened))
				if n := count(t, reopened, "SELECT count(*) FROM item"); n != 1 {
					t.Errorf("%s: %d rows, want the one written afterwards", end, n)
				}
				must(t, do(t, reopened, "DELETE FROM item"))
				must(t, reopened.Close())
				db.SetPatience(50 * time.Millisecond)
			}
		})
	}
}

func do1(t *testing.T, db *storage.DB) error {
	t.Helper()
	return do(t, db, "INSERT INTO item (id) VALUES (1)")
}

func TestReadOnlyPlacesAreSaidPlainly(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "space.db")
	db, err := storage.Open(t.Context(), "file:"+path)
	must(t, err)
	must(t, db.Migrate(t.Context(), "test", schema))
	must(t, db.Close())
	must(t, os.Chmod(path, 0o666)) // the file may be written, but nothing beside it
	must(t, os.Chmod(dir, 0o555))
	t.Cleanup(func() { must(t, os.Chmod(dir, 0o755)) })
	out := storagetest.AsOrdinaryUser(t, "open", "file:"+path)
	if !strings.Contains(out, "storage:") || !strings.Contains(out, dir) || !strings.Contains(out, "read-only") || !strings.Contains(out, "hint: ") {
		t.Errorf("a file in a read-only directory: %s", out)
	}
	out = storagetest.AsOrdinaryUser(t, "open", "file:"+filepath.Join(dir, "new.db"))
	if !strings.Contains(out, "read-only") || !strings.Contains(out, "hint: ") {
		t.Errorf("a new file in a read-only directory: %s", out)
	}
	if _, err := os.Stat(filepath.Join(dir, "new.db")); err == nil {
		t.Error("something was left")
	}
}

func TestFullDiskLeavesWholeBatches(t *testing.T) {
	dsn := storagetest.SQLiteDSN(t)
	db, err := storage.Open(t.Context(), dsn)
	must(t, err)
	must(t, db.Migrate(t.Context(), "test", schema))
	must(t, db.Close())
	child := storagetest.Start(t, "fill", dsn)
	var batches int64
	if _, err := fmt.Sscanf(child.Line(), "batches: %d", &batches); err != nil {
		t.Fatal(err)
	}
	if got := child.Line(); !strings.HasPrefix(got, "storage: writing to /") && !strings.HasPrefix(got, "storage: using /") {
		t.Errorf("the error is %q", got)
	}
	if got := child.Line(); !strings.HasPrefix(got, "hint: ") || !strings.Contains(got, "full") && !strings.Contains(got, "space") {
		t.Errorf("the hint is %q", got)
	}
	db, err = storage.Open(t.Context(), dsn)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	if n := count(t, db, "SELECT count(*) FROM item"); n != batches*10 || n == 0 {
		t.Errorf("%d rows of %d acknowledged batches", n, batches)
	}
	checkFile(t, db)
}

func checkFile(t *testing.T, db *storage.DB) {
	t.Helper()
	var verdict string
	must(t, db.Read(t.Context(), func(tx *storage.Tx) error {
		return tx.QueryRow(t.Context(), "PRAGMA integrity_check").Scan(&verdict)
	}))
	if verdict != "ok" {
		t.Errorf("the file is damaged: %s", verdict)
	}
}

func TestFullDatabaseIsErrFullAndUsableAfter(t *testing.T) {
	db, ctx := storagetest.SQLite(t), t.Context()
	must(t, db.Migrate(ctx, "test", schema))
	limit := func(pages int) { must(t, do(t, db, fmt.Sprintf("PRAGMA max_page_count = %d", pages))) }
	fill := func(from int) error {
		return db.Write(ctx, func(tx *storage.Tx) error {
			_, err := tx.Insert(ctx, "item", []string{"id", "raw"}, seq(100, func(i int) []any { return []any{from + i, make([]byte, 3000)} }))
			return err
		})
	}
	must(t, fill(0))
	limit(150)
	err := fill(100)
	if !errors.Is(err, storage.ErrFull) || !strings.Contains(err.Error(), "space.db") || hint(err) == "" {
		t.Errorf("writing to a full database: %v, hint %q", err, hint(err))
	}
	if n := count(t, db, "SELECT count(*) FROM item"); n != 100 {
		t.Errorf("%d rows, want the 100 from before", n)
	}
	limit(100_000)
	must(t, fill(100))
	checkFile(t, db)
}

func TestOpeningWhatIsNoSpaceIsSaidPlainly(t *testing.T) {
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk")
	must(t, os.WriteFile(junk, []byte(strings.Repeat("not a database\n", 1000)), 0o600))
	foreign := filepath.Join(dir, "foreign.db")
	makeForeign(t, foreign)
	for dsn, want := range map[string]string{
		"file:" + filepath.Join(dir, "no/such/dir.db"): "no such",
		"file:" + junk:                        "not a database",
		"file:" + foreign:                     "another program",
		"file:" + dir:                         "directory",
		"file:":                               "file:PATH",
		"":                                    "file:PATH",
		"mysql://root:hunter2@host/db":        "file:PATH",
		"postgres://u:hunter2@localhost:1/db": "",
		"postgres://u:hunter2@h/db?schema=A%22;drop":       "schema",
		"postgres://u:hunter2@h/db?schema=pg_catalog":      "schema",
		"postgres://u:hunter2@h/%zz":                       "not a URL",
		"postgres://u:hunter2@h/db?sslmode=nonsense":       "",
		"postgres:///postgres?host=" + dir + "&user=nobod": dir,
	} {
		for _, open := range []func(context.Context, string) (*storage.DB, error){storage.Open, storage.OpenReadOnly} {
			db, err := open(t.Context(), dsn)
			if err == nil {
				if dsn != "file:"+foreign { // reading the file of another program harms nobody
					t.Errorf("%s was opened", dsn)
				}
				must(t, db.Close())
				continue
			}
			if !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "storage: ") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("opening %s: %v, want %q and no password", dsn, err, want)
			}
		}
	}
}

func makeForeign(t *testing.T, path string) {
	t.Helper()
	db, err := storage.Open(t.Context(), "file:"+path)
	must(t, err)
	must(t, do(t, db, "CREATE TABLE theirs (id BIGINT)"))
	must(t, do(t, db, "PRAGMA application_id = 0"))
	must(t, db.Close())
}

func TestOddPathsAreTakenAsTheyAre(t *testing.T) {
	for _, name := range []string{"a b.db", "a?mode=memory", "50%25.db", "#x", "ü.db", "-x", ":memory:"} {
		path := filepath.Join(t.TempDir(), name)
		db, err := storage.Open(t.Context(), "file:"+path)
		must(t, err)
		must(t, db.Migrate(t.Context(), "test", schema))
		must(t, do1(t, db))
		must(t, db.Close())
		info, err := os.Stat(path)
		must(t, err)
		if info.Size() == 0 || info.Mode().Perm() != 0o600 {
			t.Errorf("%q: %d bytes, mode %o", name, info.Size(), info.Mode().Perm())
		}
		ro, err := storage.OpenReadOnly(t.Context(), "file:"+path)
		must(t, err)
		if n := count(t, ro, "SELECT count(*) FROM item"); n != 1 {
			t.Errorf("%q: %d rows", name, n)
		}
		must(t, ro.Close())
	}
}
