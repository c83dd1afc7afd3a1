package storage_test

import (
	"fmt"
	"testing"

	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func benchmarkEngines(b *testing.B, f func(b *testing.B, db *storage.DB)) {
	b.Helper()
	b.Run("sqlite", func(b *testing.B) { f(b, prepared(b, storagetest.SQLite(b))) })
	b.Run("postgres", func(b *testing.B) { f(b, prepared(b, storagetest.Postgres(b))) })
}

func prepared(b *testing.B, db *storage.DB) *storage.DB {
	b.Helper()
	if err := db.Migrate(b.Context(), "test", schema); err != nil {
		b.Fatal(err)
	}
	return db
}

func BenchmarkOneRowWrite(b *testing.B) {
	benchmarkEngines(b, func(b *testing.B, db *storage.DB) {
		ctx, raw := b.Context(), make([]byte, 300)
		id := 0
		for b.Loop() {
			id++
			if err := db.Write(ctx, func(tx *storage.Tx) error {
				_, err := tx.Exec(ctx, "INSERT INTO item (id, word, raw, n) VALUES ($1, $2, $3, $4)", id, "word", raw, 1)
				return err
			}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkInsert(b *testing.B) {
	for _, rows := range []int{300, 10_000} {
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			benchmarkEngines(b, func(b *testing.B, db *storage.DB) {
				ctx, raw := b.Context(), make([]byte, 300)
				id := 0
				for b.Loop() {
					if err := db.Write(ctx, func(tx *storage.Tx) error {
						_, err := tx.Insert(ctx, "item", []string{"id", "word", "raw", "n"}, seq(rows, func(int) []any {
							id++
							return []any{id, "word", raw, 1}
						}))
						return err
					}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(id)/b.Elapsed().Seconds(), "rows/s")
			})
		})
	}
}

func BenchmarkReadByKey(b *testing.B) {
	benchmarkEngines(b, func(b *testing.B, db *storage.DB) {
		ctx := b.Context()
		if err := db.Write(ctx, func(tx *storage.Tx) error {
			_, err := tx.Insert(ctx, "item", []string{"id", "word"}, seq(100_000, func(i int) []any { return []any{i, "word"} }))
			return err
		}); err != nil {
			b.Fatal(err)
		}
		id := 0
		for b.Loop() {
			id = (id + 7919) % 100_000
			if err := db.Read(ctx, func(tx *storage.Tx) error {
				var word string
				return tx.QueryRow(ctx, "SELECT word FROM item WHERE id = $1", id).Scan(&word)
			}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
