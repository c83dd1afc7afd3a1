package query_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/graph/walk"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/query"
	"github.com/stemma-dev/stemma/query/views"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// sizes are the worlds to compare: one of STEMMA_BENCH_NODES nodes (a million
// unless set) and one of a tenth; with STEMMA_BENCH_BIG=1 also one of tenfold.
func sizes(b *testing.B) []int {
	nodes := 1_000_000
	if s := os.Getenv("STEMMA_BENCH_NODES"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1000 {
			b.Fatalf("STEMMA_BENCH_NODES=%s: want a number from 1000 on", s)
		}
		nodes = n
	}
	list := []int{nodes / 10, nodes}
	if os.Getenv("STEMMA_BENCH_BIG") == "1" {
		list = append(list, 10*nodes)
	}
	return list
}

// BenchmarkLookUps measures what is promised of a large graph: the upstream of
// an incident takes less than a millisecond, a model's changes in 30 days less
// than 25, and in a graph ten times as large at most half as long again. The worlds
// take turns, so that whatever else the machine does slows all of them alike.
// It reports medians in microseconds (p50-µs) and, for every world but the
// smallest, the ratio to the world a tenth its size.
func BenchmarkLookUps(b *testing.B) {
	for _, engine := range []struct {
		name string
		open func(testing.TB) *storage.DB
	}{{"sqlite", storagetest.SQLite}, {"postgres", storagetest.Postgres}} {
		b.Run(engine.name, func(b *testing.B) {
			worlds := sizes(b)
			all := make([][]lookUp, len(worlds))
			for i, n := range worlds {
				db := engine.open(b)
				g, w := load(b, db, n)
				if err := views.Ensure(b.Context(), db); err != nil {
					b.Fatal(err)
				}
				all[i] = lookUps(b, g, db, w)
			}
			for k, l := range all[0] {
				b.Run(l.name, func(b *testing.B) {
					turns := make([]func(int) (int, error), len(worlds))
					for i := range worlds {
						turns[i] = all[i][k].run
					}
					report(b, worlds, medians(b, turns))
				})
			}
		})
	}
}

func report(b *testing.B, worlds []int, p50 []float64) {
	b.Helper()
	b.ReportMetric(0, "ns/op")
	for i, n := range worlds {
		b.ReportMetric(p50[i], fmt.Sprintf("p50-µs-at-%d", n))
		if i > 0 {
			b.ReportMetric(p50[i]/p50[i-1], fmt.Sprintf("ratio-to-tenth-at-%d", n))
		}
	}
}

// medians lets the functions take turns until the benchmark is long enough,
// and returns the median time of each in microseconds.
func medians(b *testing.B, turns []func(i int) (int, error)) []float64 {
	b.Helper()
	times := make([][]time.Duration, len(turns))
	const warm = 50
	for i := range warm {
		for _, f := range turns {
			if _, err := f(i); err != nil {
				b.Fatal(err)
			}
		}
	}
	for i := warm; b.Loop(); i++ {
		for k, f := range turns {
			from := b.Elapsed()
			n, err := f(i)
			if err != nil || n == 0 {
				b.Fatalf("found %d things, %v", n, err)
			}
			times[k] = append(times[k], b.Elapsed()-from)
		}
	}
	out := make([]float64, len(turns))
	for k, t := range times {
		slices.Sort(t)
		out[k] = float64(t[len(t)/2].Nanoseconds()) / 1000
	}
	return out
}

type lookUp struct {
	name string
	run  func(i int) (found int, err error)
}

func lookUps(b *testing.B, g *graph.Graph, db *storage.DB, w *world) []lookUp {
	b.Helper()
	ctx := context.Background()
	incident := func(i int) stemma.Ref { return w.incidents[(i*7919)%len(w.incidents)] }
	list := []lookUp{
		{"upstream", func(i int) (int, error) {
			reach, err := walk.From(ctx, g, incident(i), walk.Up, walk.Limits{})
			return len(reach.Nodes), err
		}},
		{"trace", func(i int) (int, error) {
			l, err := lineage.Trace(ctx, g, incident(i), lineage.Up, walk.Limits{})
			return len(l.Nodes), err
		}},
		{"find", func(i int) (int, error) {
			_, key := incident(i).Split()
			found, err := lineage.Find(ctx, g, key)
			return len(found), err
		}},
		{"changes30d", func(i int) (int, error) {
			until := w.clock.AddDate(0, 0, -(i % 10))
			return changesOf(ctx, db, w.models[i%len(w.models)].id, until.AddDate(0, 0, -30), until)
		}},
	}
	for _, c := range []struct{ name, text string }{
		{"often", "model:claude-m1 merged:>-30d"},
		{"seldom", "model:claude-m39 merged:>-30d"},
		{"family", "model:claude-m1* merged:>-30d"},
		{"class", "is:ai merged:>-30d"},
		{"weeks", "merged:>-30d group:merged-week,model"},
		{"first", "limit:50"},
	} {
		q, err := query.Parse("changes", c.text, w.clock)
		if err != nil {
			b.Fatal(err)
		}
		list = append(list, lookUp{"query/" + c.name, func(int) (int, error) { return answer(ctx, db, q) }})
	}
	return list
}

// changesOf asks by time first, then by model. The model is a scalar subquery:
// PostgreSQL turns EXISTS into a join that reads all that the model ever wrote,
// which grows with the world; this stays one step into an index for each change.
func changesOf(ctx context.Context, db *storage.DB, model int64, from, to time.Time) (found int, err error) {
	err = db.Read(ctx, func(tx *storage.Tx) error {
		rows, err := tx.Query(ctx, `SELECT n.ref, c.title, c.merged FROM k_change c JOIN node n ON n.id = c.id
			WHERE c.merged >= $1 AND c.merged < $2
			AND (SELECT 1 FROM k_change_credit cr WHERE cr.id = c.id AND cr.model = $3 LIMIT 1) = 1 ORDER BY c.merged DESC, n.ref`,
			from.UnixMicro(), to.UnixMicro(), model)
		if err != nil {
			return err
		}
		found = 0
		for rows.Next() {
			var ref, title string
			var merged int64
			if err := rows.Scan(&ref, &title, &merged); err != nil {
				return errors.Join(err, rows.Close())
			}
			found++
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	return found, err
}

// answer reads all rows of q, each with all columns of its kind.
func answer(ctx context.Context, db *storage.DB, q *query.Query) (n int, err error) {
	err = db.Read(ctx, func(tx *storage.Tx) error {
		r, err := query.Run(ctx, tx, q)
		if err != nil {
			return err
		}
		n = 0
		for _, err := range r.Rows {
			if err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}
