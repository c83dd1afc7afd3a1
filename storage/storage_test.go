package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

var schema = fstest.MapFS{"migrations/00001_item.sql": {Data: []byte(`-- +goose Up
CREATE TABLE item (id BIGINT NOT NULL PRIMARY KEY, word TEXT, raw BYTEA, n INTEGER);
`)}}

// engines runs f on a space with a table item on each engine.
func engines(t *testing.T, f func(t *testing.T, open func() *storage.DB)) {
	t.Helper()
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		if err := open().Migrate(t.Context(), "test", schema); err != nil {
			t.Fatal(err)
		}
		f(t, open)
	})
}

func do(t *testing.T, db *storage.DB, query string, args ...any) error {
	t.Helper()
	return db.Write(t.Context(), func(tx *storage.Tx) error {
		_, err := tx.Exec(t.Context(), query, args...)
		return err
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, db *storage.DB, query string, args ...any) (n int64) {
	t.Helper()
	must(t, db.Read(t.Context(), func(tx *storage.Tx) error {
		return tx.QueryRow(t.Context(), query, args...).Scan(&n)
	}))
	return n
}

func seq(n int, row func(i int) []any) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for i := range n {
			if !yield(row(i)) {
				return
			}
		}
	}
}

type item struct {
	ID   int64
	Word *string
	Raw  []byte
	N    *int64
}

func items(t *testing.T, db *storage.DB) (out []item) {
	t.Helper()
	ctx := t.Context()
	must(t, db.Read(ctx, func(tx *storage.Tx) error {
		rows, err := tx.Query(ctx, "SELECT id, word, raw, n FROM item ORDER BY id")
		if err != nil {
			return err
		}
		for rows.Next() {
			var it item
			if err := rows.Scan(&it.ID, &it.Word, &it.Raw, &it.N); err != nil {
				return errors.Join(err, rows.Close())
			}
			out = append(out, it)
		}
		return rows.Err()
	}))
	return out
}

func ptr[T any](v T) *T { return &v }

func TestValuesComeBackAsTheyWere(t *testing.T) {
	long := strings.Repeat("långer Text 🙂\n", 100_000)
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	want := []item{
		{1, ptr("plain"), []byte("raw"), ptr[int64](7)},
		{2, nil, nil, nil},
		{3, ptr(""), []byte{}, ptr[int64](0)},
		{math.MaxInt64, ptr(long), every, ptr[int64](math.MaxInt32)},
		{math.MinInt64, ptr("\u0001\t'\"\\;--%_$1?\U0010FFFF"), bytes.Repeat([]byte{0}, 1000), ptr[int64](math.MinInt32)},
	}
	engines(t, func(t *testing.T, open func() *storage.DB) {
		db, ctx := open(), t.Context()
		put := map[string]func(*storage.Tx, []item) error{
			"one by one": func(tx *storage.Tx, list []item) error {
				for _, it := range list {
					if _, err := tx.Exec(ctx, "INSERT INTO item (id, word, raw, n) VALUES ($1, $2, $3, $4)", it.ID, it.Word, it.Raw, it.N); err != nil {
						return err
					}
				}
				return nil
			},
			"insert": func(tx *storage.Tx, list []item) error {
				_, err := tx.Insert(ctx, "item", []string{"id", "word", "raw", "n"},
					seq(len(list), func(i int) []any { return []any{list[i].ID, list[i].Word, list[i].Raw, list[i].N} }))
				return err
			},
			"many": func(tx *storage.Tx, list []item) error { // takes the way of a bulk insertion
				if _, err := tx.Insert(ctx, "item", []string{"id", "word", "raw", "n"}, seq(500, func(i int) []any {
					if i < len(list) {
						return []any{list[i].ID, list[i].Word, list[i].Raw, list[i].N}
					}
					return []any{1000 + i, nil, nil, nil}
				})); err != nil {
					return err
				}
				_, err := tx.Exec(ctx, "DELETE FROM item WHERE id >= $1 AND id < $2", 1000, 2000)
				return err
			},
		}
		sorted := append([]item{want[4]}, want[:4]...)
		for name, put := range put {
			must(t, do(t, db, "DELETE FROM item"))
			must(t, db.Write(ctx, func(tx *storage.Tx) error { return put(tx, want) }))
			if diff := cmp.Diff(sorted, items(t, db), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: %.2000s", name, diff)
			}
		}
		if n := count(t, db, "SELECT count(*) FROM item WHERE raw IS NULL"); n != 1 {
			t.Errorf("%d rows with NULL bytes, want 1: empty bytes are not NULL", n)
		}
	})
}

func TestNamedTypesAreTheirValues(t *testing.T) {
	engines(t, func(t *testing.T, open func() *storage.DB) {
		db, ctx := open(), t.Context()
		ref, digest := stemma.NewRef(stemma.KindCommit, "sha1", "12"), stemma.Sum([]byte("x"))
		must(t, do(t, db, "INSERT INTO item (id, word, raw, n) VALUES ($1, $2, $3, $4)", uint8(1), ref, digest, true))
		must(t, db.Write(ctx, func(tx *storage.Tx) error {
			_, err := tx.Insert(ctx, "item", []string{"id", "word", "raw", "n"},
				seq(100, func(i int) []any { return []any{int32(i + 2), ref.Kind(), digest, i%2 == 0} }))
			return err
		}))
		must(t, db.Read(ctx, func(tx *storage.Tx) error {
			var r stemma.Ref
			var raw []byte
			var yes bool
			if err := tx.QueryRow(ctx, "SELECT word, raw, n FROM item WHERE id = 1").Scan(&r, &raw, &yes); err != nil {
				return err
			}
			if r != ref || stemma.Digest(raw) != digest || !yes {
				t.Errorf("got %s %x %v", r, raw, yes)
			}
			return nil
		}))
		if n := count(t, db, "SELECT sum(n) FROM item WHERE word = $1 AND raw = $2", stemma.KindCommit, digest); n != 50 {
			t.Errorf("sum of truths = %d, want 50", n)
		}
	})
}

func TestWhatOnlyOneEngineWouldKeepIsRefused(t *testing.T) {
	engines(t, func(t *testing.T, open func() *storage.DB) {
		db, ctx := open(), t.Context()
		for value, why := range map[any]string{
			"a\x00b": "zero byte", "a\xffb": "not UTF-8", time.Unix(0, 0): "microseconds",
			stemma.Ref("commit:\x00"): "zero byte", uint64(math.MaxUint64): "uint64",
		} {
			for _, n := range []int{1, 100} {
				err := db.Write(ctx, func(tx *storage.Tx) error {
					_, err := tx.Insert(ctx, "item", []string{"id", "word"}, seq(n, func(i int) []any { return []any{i, value} }))
					return err
				})
				if err == nil || !strings.Contains(err.Error(), why) {
					t.Errorf("inserting %d of %q: %v, want an error with %q", n, value, err, why)
				}
			}
		}
		if n := count(t, db, "SELECT count(*) FROM item"); n != 0 {
			t.Errorf("%d rows were kept", n)
		}
	})
}

func TestWritersAreSerialised(t *testing.T) {
	engines(t, func(t *testing.T, open func() *storage.DB) {
		first, second, ctx := open(), open(), t.Context()
		must(t, do(t, first, "INSERT INTO item (id, n) VALUES (1, 0)"))
		const workers, rounds = 4, 25
		var wg sync.WaitGroup
		for i := range 2 * workers {
			db := first
			if i%2 == 1 {
				db = second
			}
			wg.Go(func() {
				for range rounds {
					if err := db.Write(ctx, func(tx *storage.Tx) error {
						var n int64
						if err := tx.QueryRow(ctx, "SELECT n FROM item WHERE id = 1").Scan(&n); err != nil {
							return err
						}
						_, err := tx.Exec(ctx, "UPDATE item SET n = $1 WHERE id = 1", n+1)
						return err
					}); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		if n := count(t, first, "SELECT n FROM item WHERE id = 1"); n != 2*workers*rounds {
			t.Errorf("counted to %d, want %d: writers ran at the same time", n, 2*workers*rounds)
		}
	})
}

func TestReaderSeesOneState(t *testing.T) {
	engines(t, func(t *testing.T, open func() *storage.DB) {
		db, ctx := open(), t.Context()
		must(t, do(t, db, "INSERT INTO item (id) VALUES (1)"))
		must(t, db.Read(ctx, func(tx *storage.Tx) error {
			for i := range 3 {
				var n int64
				if err := tx.QueryRow(ctx, "SELECT count(*) FROM item").Scan(&n); err != nil {
					return err
				}
				if n != 1 {
					t.Errorf("look %d: %d rows, want 1", i, n)
				}
				if err := do(t, db, "INSERT INTO item (id) VALUES ($1)", i+10); err != nil {
					return err
				}
			}
			return nil
		}))
		if n := count(t, db, "SELECT count(*) FROM item"); n != 4 {
			t.Errorf("%d rows afterwards, want 4", n)
		}
	})
}

func TestReaderCannotWrite(t *testing.T) {
	engines(t, func(t *testing.T, open func() *storage.DB) {
		db, ctx := open(), t.Context()
		err := db.Read(ctx, func(tx *storage.Tx) error {
			_, err := tx.Exec(ctx, "INSERT INTO item (id) VALUES (1)")
			return err
		})
		if !errors.Is(err, storage.ErrReadOnly) {
			t.Errorf("writing in a Read: %v, want ErrReadOnly", err)
		}
	})
}

func TestFailedWriteLeavesNothing(t *testing.T) {
	boom := errors.New("boom")
	add := func(ctx context.Context, tx *storage.Tx) error {
		_, err := tx.Insert(ctx, "item", []string{"id"}, seq(200, func(i int) []any { return []any{i} }))
		return err
	}
	cases := map[string]func(ctx context.Context, cancel func(), tx *storage.Tx) error{
		"error": func(ctx context.Context, _ func(), tx *storage.Tx) error { return errors.Join(add(ctx, tx), boom) },
		"swallowed failure": func(ctx context.Context, _ func(), tx *storage.Tx) error {
			err := add(ctx, tx)
			if _, bad := tx.Exec(ctx, "INSERT INTO item (id) VALUES (1)"); bad == nil {
				t.Error("the same key twice was accepted")
			}
			return err
		},
		"cancelled": func(ctx context.Context, cancel func(), tx *storage.Tx) error {
			err := add(ctx, tx)
			cancel()
			return err
		},
		"panic": func(ctx context.Context, _ func(), tx *storage.Tx) error {
			panic(errors.Join(add(ctx, tx), boom))
		},
		"open result": func(ctx context.Context, _ func(), tx *storage.Tx) error {
			if err := add(ctx, tx); err != nil {
				return err
			}
			if _, err := tx.Query(ctx, "SELECT id FROM item"); err != nil {
				return err
			}
			return boom
		},
	}
	engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		for name, f := range cases {
			ctx, cancel := context.WithCancel(t.Context())
			err := func() (err error) {
				defer func() {
					if p := recover(); p != nil {
						err = p.(error)
					}
				}()
				return db.Write(ctx, func(tx *storage.Tx) error { return f(ctx, cancel, tx) })
			}()
			cancel()
			if err == nil {
				t.Errorf("%s: no error", name)
			}
			if n := count(t, db, "SELECT count(*) FROM item"); n != 0 {
				t.Errorf("%s: %d rows were kept", name, n)
			}
			must(t, do(t, db, "INSERT INTO item (id) VALUES (-1)")) // the space is as usable as before
			must(t, do(t, db, "DELETE FROM item"))
		}
	})
}

func TestWriteSurvivesAnotherHandle(t *testing.T) {
	engines(t, func(t *testing.T, open func() *storage.DB) {
		must(t, do(t, open(), "INSERT INTO item (id, word) VALUES (1, 'kept')"))
		if n := count(t, open(), "SELECT count(*) FROM item WHERE word = 'kept'"); n != 1 {
			t.Errorf("another handle sees %d rows, want 1", n)
		}
	})
}

func TestInsertOfManyRows(t *testing.T) {
	engines(t, func(t *testing.T, open func() *storage.DB) {
		db, ctx := open(), t.Context()
		for _, n := range []int{0, 1, 15, 16, 17, 18, 63, 64, 65, 100_000} {
			must(t, do(t, db, "DELETE FROM item"))
			var got int64
			row := make([]any, 2)
			must(t, db.Write(ctx, func(tx *storage.Tx) (err error) {
				got, err = tx.Insert(ctx, "item", []string{"id", "word"}, seq(n, func(i int) []any {
					row[0], row[1] = i, fmt.Sprintf("w%d", i) // reused on purpose
					return row
				}))
				return err
			}))
			if got != int64(n) {
				t.Errorf("Insert of %d rows says %d", n, got)
			}
			sum := int64(n) * int64(n-1) / 2
			if s := count(t, db, "SELECT coalesce(sum(id), 0) FROM item WHERE word = 'w' || id"); s != sum {
				t.Errorf("of %d rows the keys add up to %d, want %d", n, s, sum)
			}
		}
	})
}

func TestUpsertChangesWhatIsThere(t *testing.T) {
	engines(t, func(t *testing.T, open func() *storage.DB) {
		db, ctx := open(), t.Context()
		must(t, do(t, db, "INSERT INTO item (id, word, n) VALUES (3, 'old', 1)"))
		must(t, db.Write(ctx, func(tx *storage.Tx) error {
			n, err := tx.Upsert(ctx, "item", []string{"id", "word", "n"},
				"ON CONFLICT (id) DO UPDATE SET word = excluded.word, n = item.n + excluded.n",
				seq(1000, func(i int) []any { return []any{i, "new", 1} }))
			if n != 1000 {
				t.Errorf("Upsert says %d rows, want 1000", n)
			}
			return err
		}))
		if n := count(t, db, "SELECT sum(n) FROM item WHERE word = 'new'"); n != 1001 {
			t.Errorf("sum = %d, want 1001", n)
		}
	})
}

func TestRowsOfTheWrongLengthAreRefused(t *testing.T) {
	engines(t, func(t *testing.T, open func() *storage.DB) {
		db, ctx := open(), t.Context()
		for _, n := range []int{3, 300} {
			err := db.Write(ctx, func(tx *storage.Tx) error {
				_, err := tx.Insert(ctx, "item", []string{"id", "word"}, seq(n, func(i int) []any { return []any{i} }))
				return err
			})
			if err == nil || !strings.Contains(err.Error(), "1 values for 2 columns") {
				t.Errorf("%d short rows: %v", n, err)
			}
		}
	})
}

func TestTextSortsByItsBytes(t *testing.T) {
	words := []string{"", "#", "A", "B", "Z", "_", "a", "a b", "a-b", "aa", "ab", "b", "z", "Ä", "é", "😀"}
	engines(t, func(t *testing.T, open func() *storage.DB) {
		db, ctx := open(), t.Context()
		must(t, db.Write(ctx, func(tx *storage.Tx) error {
			if _, err := tx.Exec(ctx, "CREATE TABLE made (word TEXT NOT NULL, again TEXT, PRIMARY KEY (word))"); err != nil {
				return err
			}
			for _, table := range []string{"item (id, word)", "made (again, word)"} {
				for i, w := range words {
					var id any = (i * 7) % len(words)
					if strings.HasPrefix(table, "made") {
						id = w
					}
					if _, err := tx.Exec(ctx, "INSERT INTO "+table+" VALUES ($1, $2)", id, w); err != nil {
						return err
					}
				}
			}
			return nil
		}))
		for _, table := range []string{"item", "made"} {
			var got []string
			must(t, db.Read(ctx, func(tx *storage.Tx) error {
				rows, err := tx.Query(ctx, "SELECT word FROM "+table+" ORDER BY word")
				if err != nil {
					return err
				}
				for rows.Next() {
					var w string
					if err := rows.Scan(&w); err != nil {
						return errors.Join(err, rows.Close())
					}
					got = append(got, w)
				}
				return rows.Err()
			}))
			if diff := cmp.Diff(words, got); diff != "" {
				t.Errorf("order of %s: %s", table, diff)
			}
			if n := count(t, db, "SELECT count(*) FROM "+table+" WHERE word >= 'a' AND word < 'b'"); n != 5 {
				t.Errorf("%s: %d words from a to b, want 5", table, n)
			}
			if n := count(t, db, "SELECT count(*) FROM "+table+" WHERE word LIKE 'a%'"); n != 5 {
				t.Errorf("%s: %d words like a%%, want 5", table, n)
			}
		}
	})
}

func TestOneResultAtATime(t *testing.T) {
	engines(t, func(t *testing.T, open func() *storage.DB) {
		db, ctx := open(), t.Context()
		must(t, do(t, db, "INSERT INTO item (id) VALUES (1), (2)"))
		must(t, db.Write(ctx, func(tx *storage.Tx) error {
			rows, err := tx.Query(ctx, "SELECT id FROM item")
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "DELETE FROM item"); err == nil {
				t.Error("a statement ran while a result was being read")
			}
			if err := rows.Close(); err != nil {
				return err
			}
			_, err = tx.Exec(ctx, "DELETE FROM item")
			return err
		}))
	})
}

func TestMissingRowIsNotFound(t *testing.T) {
	engines(t, func(t *testing.T, open func() *storage.DB) {
		db, ctx := open(), t.Context()
		err := db.Read(ctx, func(tx *storage.Tx) error {
			var n int64
			return tx.QueryRow(ctx, "SELECT id FROM item WHERE id = 5").Scan(&n)
		})
		if !errors.Is(err, stemma.ErrNotFound) {
			t.Errorf("got %v, want ErrNotFound", err)
		}
	})
}

func TestTransactionEndsWithItsFunction(t *testing.T) {
	engines(t, func(t *testing.T, open func() *storage.DB) {
		db, ctx := open(), t.Context()
		var kept *storage.Tx
		must(t, db.Write(ctx, func(tx *storage.Tx) error { kept = tx; return nil }))
		if _, err := kept.Exec(ctx, "DELETE FROM item"); err == nil {
			t.Error("a transaction was used after its end")
		}
	})
}

func TestClosedDatabaseSaysSo(t *testing.T) {
	engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		must(t, db.Close())
		must(t, db.Close())
		if err := do(t, db, "DELETE FROM item"); err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("writing to a closed database: %v", err)
		}
	})
}

func TestLostConnectionIsReplaced(t *testing.T) {
	db, ctx := storagetest.Postgres(t), t.Context()
	must(t, do(t, db, "CREATE TABLE a (id BIGINT)"))
	must(t, db.Read(ctx, func(tx *storage.Tx) error {
		// Every connection but the one that asks, as a restart would.
		rows, err := tx.Query(ctx, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name = 'stemma'")
		if err != nil {
			return err
		}
		for rows.Next() {
		}
		return rows.Err()
	}))
	must(t, do(t, db, "INSERT INTO a (id) VALUES (1)"))
	if n := count(t, db, "SELECT count(*) FROM a"); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

// A Read after another finds the pages and statements of that one at hand.
func TestReadsInTurnShareOneConnection(t *testing.T) {
	db, ctx := storagetest.SQLite(t), t.Context()
	must(t, db.Read(ctx, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, "PRAGMA cache_size = -777")
		return err
	}))
	for range 10 {
		var size int
		must(t, db.Read(ctx, func(tx *storage.Tx) error { return tx.QueryRow(ctx, "PRAGMA cache_size").Scan(&size) }))
		if size != -777 {
			t.Fatalf("the cache of this connection has the size %d, that of the one before -777", size)
		}
	}
}

// The driver closes a connection whose context is over, and what comes next fails by that.
func TestFailureAfterTheContextIsOverSaysSo(t *testing.T) {
	db := storagetest.Postgres(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Write(ctx, func(tx *storage.Tx) error {
		cancel()
		_, err := tx.Exec(context.WithoutCancel(ctx), "SELECT pg_terminate_backend(pg_backend_pid())")
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := db.Write(t.Context(), func(tx *storage.Tx) error { return stemma.ErrNotFound }); !errors.Is(err, stemma.ErrNotFound) {
		t.Errorf("%v", err)
	}
}
