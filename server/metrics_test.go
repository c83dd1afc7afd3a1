package server_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/policy/announce"
	"github.com/stemma-dev/stemma/policy/tally"
	"github.com/stemma-dev/stemma/server"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// aSample is a line of the text form of Prometheus that is no comment.
var aSample = regexp.MustCompile(`^[a-z_]+(\{[a-z_]+="(\\.|[^"\\])*"(,[a-z_]+="(\\.|[^"\\])*")*\})? -?[0-9.e+-]+$`)

func TestMetricsCountWhatThePagesCount(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		clock := func() time.Time { return noon }
		space := ingesttest.Must(t, db, clock)
		told, err := announce.Open(t.Context(), announce.Config{DB: db, Ledger: space.Ledger, Now: clock})
		must(t, err)
		s, err := server.New(t.Context(), server.Config{Space: space, Now: clock, Addr: "127.0.0.1:0", Announcer: told})
		must(t, err)
		t.Cleanup(func() { must(t, s.Close()) })
		w := ask(s, http.MethodGet, "/metrics")
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "stemma_changes_blocked 0\n") || strings.Contains(w.Body.String(), "verdict_lag") {
			t.Errorf("without a verdict it answers %d: %s", w.Code, w.Body)
		}
		in := ingest.NewWriter(t.Context(), space, clock)
		hour := func(n int) stemma.Moment { return stemma.At(noon.Add(time.Duration(n) * time.Hour)) }
		for n := range 3 {
			c := change.Change{Repository: "repository:github.com/acme/pay", Number: 1 + n}
			must(t, in.Record(t.Context(), governance.Assessment{
				ID: governance.AssessmentRef(c.Ref()), Change: c.Ref(), Repository: c.Repository, Evaluated: hour(-1), Trigger: "merge", Failed: 1, Blocks: n > 0,
				Findings: []governance.Finding{{Control: "REV-01", State: []string{"pass", "fail", "unknown"}[n]}, {Control: `A"\B`, State: "waived"}},
			}, "test", stemma.GradeA))
		}
		for i, e := range []governance.Exception{
			{Opened: hour(-60), Until: hour(5)}, {Opened: hour(-3), Until: hour(5), Approver: in.Person("Bo", "bo@x.test", "")}, {Opened: hour(-90), Until: hour(-5)},
		} {
			e.ID, e.Control = governance.ExceptionRef("REV-01", fmt.Sprint(i)), "REV-01"
			must(t, in.Record(t.Context(), e, "test", stemma.GradeA))
		}
		must(t, in.Close(t.Context()))
		sums, err := tally.Open(t.Context(), db, space.Ledger)
		must(t, err)
		_, err = sums.Apply(t.Context())
		must(t, err)
		_, err = space.MoveBookmark(t.Context(), ingest.Move{Source: "policy", To: `{"log":1}`, Now: noon.Add(-90 * time.Second)})
		must(t, err)
		said := ask(s, http.MethodGet, "/metrics").Body.String()
		for _, want := range []string{
			`stemma_findings{control="REV-01",state="pass"} 1`, `stemma_findings{control="REV-01",state="fail"} 1`, `stemma_findings{control="REV-01",state="unknown"} 1`,
			`stemma_findings{control="A\"\\B",state="waived"} 3`, "stemma_changes_blocked 2", `stemma_exceptions{of="open"} 2`, `stemma_exceptions{of="overdue"} 1`, `stemma_exceptions{of="ungranted"} 1`,
			"stemma_graph_behind_entries 0", "stemma_verdict_lag_seconds 90", "# TYPE stemma_announcements_failing gauge",
		} {
			if !strings.Contains(said, want+"\n") {
				t.Errorf("it does not say %s: %s", want, said)
			}
		}
		for line := range strings.Lines(said) {
			if line = strings.TrimSuffix(line, "\n"); !strings.HasPrefix(line, "# ") && !aSample.MatchString(line) {
				t.Errorf("%q is no sample", line)
			}
		}
	})
}

func TestMetricsHaveABoundedNumberOfSeries(t *testing.T) {
	clock := func() time.Time { return noon }
	space := ingesttest.Must(t, storagetest.SQLite(t), clock)
	s, err := server.New(t.Context(), server.Config{Space: space, Now: clock, Addr: "127.0.0.1:0"})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	_, err = tally.Open(t.Context(), space.DB, space.Ledger)
	must(t, err)
	must(t, space.DB.Write(t.Context(), func(tx *storage.Tx) error {
		_, err := tx.Insert(t.Context(), "tally_repository", []string{"repository", "control", "state", "n"}, func(yield func([]any) bool) {
			for n := range 2000 {
				if !yield([]any{"repository:github.com/acme/pay", fmt.Sprintf("OWN-%04d", n), "fail", 1}) {
					return
				}
			}
		})
		return err
	}))
	said := ask(s, http.MethodGet, "/metrics").Body.String()
	if n := strings.Count(said, `state="fail"`); n != 501 || !strings.Contains(said, `stemma_findings{control="other",state="fail"} 1500`) {
		t.Errorf("there are %d series of what fails: %.400s", n, said)
	}
}
