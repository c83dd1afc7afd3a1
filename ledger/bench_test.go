package ledger_test

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ledger"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// BenchmarkAppend measures durable appends to SQLite in a real directory, with
// tree and signed checkpoint. x-yardstick is how many times as long that takes
// as the yardstick in the same run: as many durable transactions that insert
// the same canonical bytes, made before, into a bare table.
func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct {
		name string
		size int
	}{{"one-by-one", 1}, {"batch-500", 500}, {"batch-1000", 1000}} {
		b.Run(c.name, func(b *testing.B) {
			l := openLedger(b, storagetest.SQLite(b), newKey(b))
			yardstick := newYardstick(b, storagetest.SQLite(b))
			next := 0
			for b.Loop() {
				b.StopTimer()
				facts := samples(next, c.size)
				next += c.size
				yardstick.insert(b, facts)
				b.StartTimer()
				if _, err := l.Append(b.Context(), facts...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(next)/b.Elapsed().Seconds(), "facts/s")
			b.ReportMetric(b.Elapsed().Seconds()/yardstick.spent.Seconds(), "x-yardstick")
		})
	}
}

// BenchmarkAppendConcurrent is one fact a call from many callers at once.
func BenchmarkAppendConcurrent(b *testing.B) {
	l := openLedger(b, storagetest.SQLite(b), newKey(b))
	facts := make(chan stemma.Fact)
	go func() {
		defer close(facts)
		for i := range b.N {
			facts <- sample(i)
		}
	}()
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := l.Append(b.Context(), <-facts); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "facts/s")
}

func BenchmarkVerify(b *testing.B) {
	const size = 20_000
	l := openLedger(b, storagetest.SQLite(b), newKey(b))
	if _, err := l.Append(b.Context(), samples(0, size)...); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := l.Verify(b.Context(), func(p ledger.Problem) { b.Error(p) }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(size*float64(b.N)/b.Elapsed().Seconds(), "facts/s")
}

// A yardstick is a table without any of what a ledger adds.
type yardstick struct {
	db    *storage.DB
	rows  int64
	spent time.Duration
}

func newYardstick(b *testing.B, db *storage.DB) *yardstick {
	const ddl = "-- +goose Up\nCREATE TABLE bare (pos BIGINT NOT NULL PRIMARY KEY, canonical BYTEA NOT NULL);\n"
	if err := db.Migrate(b.Context(), "bare", fstest.MapFS{"migrations/00001_bare.sql": {Data: []byte(ddl)}}); err != nil {
		b.Fatal(err)
	}
	return &yardstick{db: db}
}

func (y *yardstick) insert(b *testing.B, facts []stemma.Fact) {
	canonical := make([][]byte, len(facts))
	for i, f := range facts {
		var err error
		if canonical[i], err = f.Canonical(); err != nil {
			b.Fatal(err)
		}
	}
	start := time.Now()
	err := y.db.Write(b.Context(), func(tx *storage.Tx) error {
		_, err := tx.Insert(b.Context(), "bare", []string{"pos", "canonical"}, func(yield func([]any) bool) {
			for _, c := range canonical {
				y.rows++
				if !yield([]any{y.rows, c}) {
					return
				}
			}
		})
		return err
	})
	y.spent += time.Since(start)
	if err != nil {
		b.Fatal(err)
	}
}
