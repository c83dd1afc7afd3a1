package storage_test

import (
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func file(up string) *fstest.MapFile { return &fstest.MapFile{Data: []byte("-- +goose Up\n" + up)} }

func TestMigrationsRunOnce(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		ctx := t.Context()
		one := fstest.MapFS{"migrations/00001_a.sql": file("CREATE TABLE a (id BIGINT);\nINSERT INTO a (id) VALUES (1);")}
		two := fstest.MapFS{"migrations/00001_a.sql": one["00001_a.sql"], "migrations/00002_b.sql": file("INSERT INTO a (id) VALUES (2);")}
		other := fstest.MapFS{"migrations/00001_c.sql": file("CREATE TABLE c (id BIGINT);")}
		// Several handles at once, as several processes would.
		var wg sync.WaitGroup
		for range 4 {
			db := open()
			wg.Go(func() {
				for range 2 {
					if err := db.Migrate(ctx, "one", one); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		db := open()
		must(t, db.Migrate(ctx, "one", two))
		must(t, db.Migrate(ctx, "other", other))
		must(t, open().Migrate(ctx, "one", two))
		if n := count(t, db, "SELECT sum(id) FROM a"); n != 3 {
			t.Errorf("sum = %d, want 3: each migration once", n)
		}
		if err := db.Migrate(ctx, "one", one); err == nil || !strings.Contains(err.Error(), "version is 2") {
			t.Errorf("a space of a newer program was accepted: %v", err)
		}
	})
}

func TestFailedMigrationLeavesNothing(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		db, ctx := open(), t.Context()
		bad := fstest.MapFS{"migrations/00001_a.sql": file("CREATE TABLE a (id BIGINT);\nINSERT INTO nothing (id) VALUES (1);")}
		if err := db.Migrate(ctx, "one", bad); err == nil {
			t.Fatal("a bad migration was accepted")
		}
		good := fstest.MapFS{"migrations/00001_a.sql": file("CREATE TABLE a (id BIGINT);")}
		must(t, db.Migrate(ctx, "one", good))
	})
}

func TestMigrationNamesAreChecked(t *testing.T) {
	db := storagetest.SQLite(t)
	for _, name := range []string{"", "A", "a b", "a;drop", "1a", strings.Repeat("a", 60)} {
		if err := db.Migrate(t.Context(), name, schema); err == nil {
			t.Errorf("%q was accepted", name)
		}
	}
	if err := db.Migrate(t.Context(), "none", fstest.MapFS{}); err == nil {
		t.Error("no migrations were accepted")
	}
}
