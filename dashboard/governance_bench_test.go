package dashboard_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/policy/catalogue"
	"github.com/stemma-dev/stemma/policy/tally"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// What the benchmark is of: 200,000 changes against 41 controls are 8.2 million findings.
const (
	benchChanges      = 200_000
	benchRepositories = 20
	benchDays         = 365
)

// BenchmarkGovernanceOverview asks for the overview of 200,000 changes and 8.2 million
// findings. The sums and the verdicts are written as rows; of the findings themselves, which
// no sum looks at, only those of the latest verdicts are there.
func BenchmarkGovernanceOverview(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *storage.DB{"sqlite": storagetest.SQLite, "postgres": storagetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			s := empty(b, open(b))
			s.fill()
			if w := s.get("/governance"); w.Code != http.StatusOK {
				b.Fatalf("it answers %d: %.300s", w.Code, text(w))
			}
			var took []time.Duration
			for b.Loop() {
				start := time.Now()
				s.get("/governance")
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
			b.ReportMetric(float64(s.get("/governance").Body.Len())/1024, "KiB")
		})
	}
}

// fill writes the sums of the benchmark, and its verdicts.
func (s *site) fill() {
	s.t.Helper()
	controls, err := catalogue.Controls()
	must(s.t, err)
	_, err = tally.Open(s.t.Context(), s.space.DB, s.space.Ledger)
	must(s.t, err)
	share := []int{70, 9, 11, 1, 9} // of a hundred changes, so many stand so
	states := []string{"pass", "fail", "unknown", "waived", "not-applicable"}
	var repositories, days, nodes, verdicts, findings [][]any
	for _, c := range controls {
		for i, state := range states {
			for r := range benchRepositories {
				repositories = append(repositories, []any{fmt.Sprintf("repository:github.com/acme/r%02d", r), c.ID, state, benchChanges / benchRepositories * share[i] / 100})
			}
			for d := range benchDays {
				n, day := benchChanges/benchDays*share[i]/100, int(now.Unix()/86400)-d
				days = append(days, []any{c.ID, day, state, n})
			}
		}
	}
	for i, state := range states {
		for d := range benchDays {
			days = append(days, []any{tally.Every, int(now.Unix()/86400) - d, state, len(controls) * (benchChanges / benchDays * share[i] / 100)})
		}
	}
	for r := range benchRepositories {
		nodes = append(nodes, []any{1 + r, fmt.Sprintf("repository:github.com/acme/r%02d", r), "repository", 0, 0, "A", 1})
	}
	for n := range benchChanges {
		change, verdict, at := 1000+2*n, 1001+2*n, now.Add(-time.Duration(n)*2*time.Minute).UnixMicro()
		nodes = append(nodes, []any{change, fmt.Sprintf("change:github.com/acme/r%02d#%d", n%benchRepositories, n), "change", 0, 0, "A", 1},
			[]any{verdict, fmt.Sprintf("assessment:github.com/acme/r%02d#%d", n%benchRepositories, n), "assessment", 0, 0, "A", 1})
		blocks := 0
		if n%100 == 0 {
			blocks = 1
		}
		verdicts = append(verdicts, []any{verdict, change, 1 + n%benchRepositories, at, at, 2, blocks})
		for i, c := range controls {
			if n < 500 {
				findings = append(findings, []any{verdict, i, c.ID, "fail", "pass"})
			}
		}
	}
	must(s.t, s.space.DB.Write(s.t.Context(), func(tx *storage.Tx) error {
		for _, x := range []struct {
			table   string
			columns []string
			rows    [][]any
		}{
			{"tally_repository", []string{"repository", "control", "state", "n"}, repositories},
			{"tally_day", []string{"control", "day", "state", "n"}, days},
			{"node", []string{"id", "ref", "kind", "first_pos", "last_pos", "grade", "stated"}, nodes},
			{"k_assessment", []string{"id", "change", "repository", "evaluated", "merged", "turned", "blocks"}, verdicts},
			{"k_assessment_finding", []string{"id", "seq", "control", "state", "before"}, findings},
		} {
			if _, err := tx.Upsert(s.t.Context(), x.table, x.columns, "ON CONFLICT DO NOTHING", slices.Values(x.rows)); err != nil {
				return err
			}
		}
		_, err := tx.Exec(s.t.Context(), "ANALYZE")
		return err
	}))
}
