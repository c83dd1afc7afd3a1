package population_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/lineage/deployed"
	"github.com/stemma-dev/stemma/query/population"
	"github.com/stemma-dev/stemma/query/querytest"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// A table is rows to be inserted.
type table struct {
	name    string
	columns []string
	rows    [][]any
}

func (t *table) add(row ...any) { t.rows = append(t.rows, row) }

// long fills a graph with a history of n commits, every fifth of them a merge, each
// with a change that was reviewed, of which the last thousand are deployed at once.
func long(b *testing.B, db *storage.DB, n int) {
	s := &story{t: b}
	s.commit(1, 0)
	s.commit(2, 0, 1)
	s.lands(1, 2)
	s.judged(1, person("bo"), "approved", false)
	querytest.Tell(b, db, s.facts...)
	doors := map[string]int64{}
	ctx := b.Context()
	err := db.Write(ctx, func(tx *storage.Tx) error {
		rows, err := tx.Query(ctx, "SELECT id, name FROM door")
		if err != nil {
			return err
		}
		for rows.Next() {
			var id int64
			var name string
			if err := rows.Scan(&id, &name); err != nil {
				return err
			}
			doors[name] = id
		}
		if err := rows.Close(); err != nil {
			return err
		}
		return fill(ctx, tx, n, doors)
	})
	if err != nil {
		b.Fatal(err)
	}
}

func fill(ctx context.Context, tx *storage.Tx, n int, doors map[string]int64) error {
	node := &table{name: "node", columns: []string{"id", "ref", "kind", "first_pos", "last_pos", "grade", "stated"}}
	commit := &table{name: "k_commit", columns: []string{"id", "sha", "title", "committed", "ai_lines", "human_lines", "unknown_lines"}}
	change := &table{name: "k_change", columns: []string{"id", "number", "method", "merged"}}
	review := &table{name: "k_review", columns: []string{"id", "change", "verdict", "reviewer"}}
	edge := &table{name: "edge", columns: []string{"src", "door", "dst", "grade", "basis", "method", "pos"}}
	deployed := &table{name: "k_deployment", columns: []string{"id", "environment", "version", "status", "at"}}
	const first, reviewers = 1000, int64(600) // ids below are of the story
	minute := time.Minute.Microseconds()
	for i := range n {
		c, h, r := int64(first+3*i), int64(first+3*i+1), int64(first+3*i+2)
		node.add(c, fmt.Sprintf("commit:sha1/%040x", i+100), "commit", 1, 1, "b", 1)
		node.add(h, fmt.Sprintf("change:github.com/acme/pay#%d", i+100), "change", 1, 1, "b", 1)
		node.add(r, fmt.Sprintf("review:github.com/%d", i+100), "review", 1, 1, "b", 1)
		commit.add(c, fmt.Sprintf("%040x", i+100), "a commit", int64(1_700_000_000_000_000)+int64(i)*minute, 0, 3, 0)
		change.add(h, i+100, "merge", int64(1_700_000_000_000_000)+int64(i)*minute)
		review.add(r, h, "approved", reviewers+int64(i%9))
		edge.add(h, doors["carries"], c, "b", "", "", 1)
		if i > 0 {
			edge.add(c, doors["parent"], c-3, "b", "", "", 1)
		}
		if i%5 == 4 {
			edge.add(c, doors["parent"], c-9, "b", "", "", 1)
		}
	}
	for i := range int64(9) {
		node.add(reviewers+i, fmt.Sprintf("person:%032x", i+1), "person", 1, 1, "b", 1)
	}
	const environment = int64(500)
	node.add(environment, "environment:prod", "environment", 1, 1, "b", 1)
	for k, at := range []int{n - 1001, n - 1} {
		id := environment + 1 + int64(k)
		node.add(id, fmt.Sprintf("deployment:prod/%d", k), "deployment", 1, 1, "b", 1)
		deployed.add(id, environment, fmt.Sprintf("v%d", k), "success", int64(1_800_000_000_000_000)+int64(k)*minute)
		edge.add(id, doors["ships"], int64(first+3*at), "b", "", "", 1)
	}
	for _, t := range []*table{node, commit, change, review, edge, deployed} {
		if _, err := tx.Insert(ctx, t.name, t.columns, iter.Seq[[]any](slices.Values(t.rows))); err != nil {
			return err
		}
	}
	if tx.Engine() == storage.Postgres { // as it does by itself, a minute after
		_, err := tx.Exec(ctx, "ANALYZE")
		return err
	}
	return nil
}

// BenchmarkPopulation measures what is promised: the population over 1,000 commits
// takes less than 200 ms in a history of 200,000, and no longer than in one of a tenth.
func BenchmarkPopulation(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *storage.DB{"sqlite": storagetest.SQLite, "postgres": storagetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			var dbs []*storage.DB
			for _, n := range []int{20_000, 200_000} {
				db := open(b)
				long(b, db, n)
				dbs = append(dbs, db)
			}
			times := make([][]time.Duration, len(dbs))
			for b.Loop() {
				for i, db := range dbs {
					from := b.Elapsed()
					p, _ := ask(b, db, deployed.Ask{Environment: "prod", From: "v0"})
					if len(p.Members) != 1000 || p.Count(population.Incomplete) > 0 {
						b.Fatalf("%d members, %v", len(p.Members), p.Orphans)
					}
					times[i] = append(times[i], b.Elapsed()-from)
				}
			}
			median := func(list []time.Duration) float64 {
				slices.Sort(list)
				return float64(list[len(list)/2].Microseconds()) / 1000
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(times[1]), "ms-1000-commits")
			b.ReportMetric(median(times[1])/median(times[0]), "x-in-a-tenth")
		})
	}
}
