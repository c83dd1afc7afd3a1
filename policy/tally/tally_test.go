package tally_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/policy/tally"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func now() time.Time { return noon }

var stands = []string{"pass", "fail", "unknown", "waived", "not-applicable"}

// verdict is a random one on one of some changes; what came in stays.
func verdict(rng *rand.Rand, merged map[int]stemma.Moment, number int) governance.Assessment {
	c := change.Change{Repository: stemma.Ref(fmt.Sprint("repository:github.com/acme/", number%3)), Number: number}
	a := governance.Assessment{
		ID: governance.AssessmentRef(c.Ref()), Change: c.Ref(), Repository: c.Repository, Trigger: "evidence", Evaluated: stemma.At(noon) + stemma.Moment(rng.IntN(1_000_000)),
	}
	if merged[number] == 0 && rng.IntN(4) > 0 {
		merged[number] = stemma.At(noon.AddDate(0, 0, -rng.IntN(5)))
	}
	a.Merged = merged[number]
	for i := range 1 + rng.IntN(6) { // a policy may have fewer controls than the one before
		a.Findings = append(a.Findings, governance.Finding{Control: fmt.Sprint("CON-", i), Version: 1, State: stands[rng.IntN(len(stands))]})
	}
	return a
}

func put(t testing.TB, s *ingest.Space, list ...governance.Assessment) {
	t.Helper()
	for _, a := range list {
		f, err := a.Fact("policy", stemma.GradeA)
		if err == nil {
			_, err = s.Ledger.Append(t.Context(), f)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// fully counts the graph's own rows, from the last verdict on every change.
func fully(t testing.TB, s *ingest.Space) (cells map[tally.Cell]tally.Count, days map[string]tally.Count) {
	t.Helper()
	if _, err := s.Graph.Apply(t.Context(), s.Ledger); err != nil {
		t.Fatal(err)
	}
	cells, days = map[tally.Cell]tally.Count{}, map[string]tally.Count{}
	one := map[string]tally.Count{"pass": {Pass: 1}, "fail": {Fail: 1}, "unknown": {Unknown: 1}, "waived": {Waived: 1}, "not-applicable": {NotApplicable: 1}}
	err := s.DB.Each(t.Context(), func(scan func(...any) error) error {
		var repository, control, state string
		var merged int64
		if err := scan(&repository, &control, &state, &merged); err != nil {
			return err
		}
		at := tally.Cell{Repository: stemma.Ref(repository), Control: control}
		cells[at] = cells[at].Plus(one[state])
		if merged != 0 {
			for _, of := range []string{control, tally.Every} {
				key := of + " " + time.UnixMicro(merged).UTC().Format(time.DateOnly)
				days[key] = days[key].Plus(one[state])
			}
		}
		return nil
	}, `SELECT r.ref, f."control", f."state", COALESCE(a."merged", 0) FROM k_assessment_finding f JOIN k_assessment a ON a.id = f.id JOIN node r ON r.id = a."repository"`)
	if err != nil {
		t.Fatal(err)
	}
	return cells, days
}

func TestSumsAreWhatAFullCountGives(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		s := ingesttest.Must(t, open(), now)
		sums, err := tally.Open(t.Context(), s.DB, s.Ledger)
		if err != nil {
			t.Fatal(err)
		}
		rng, merged := rand.New(rand.NewPCG(1, 2)), map[int]stemma.Moment{}
		for range 12 {
			for range rng.IntN(30) {
				put(t, s, verdict(rng, merged, 1+rng.IntN(20)))
			}
			var both sync.WaitGroup
			for range 2 { // two processes
				both.Go(func() {
					if _, err := sums.Apply(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
			same(t, s, sums)
		}
		if err := sums.Empty(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := sums.Apply(t.Context()); err != nil {
			t.Fatal(err)
		}
		same(t, s, sums)
	})
}

func same(t *testing.T, s *ingest.Space, sums *tally.Tally) {
	t.Helper()
	cells, days := fully(t, s)
	board, err := sums.Board(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(cells, board.Cells); diff != "" {
		t.Error(diff)
	}
	got := map[string]tally.Count{}
	for _, control := range slices.Concat(board.Controls(), []string{tally.Every}) {
		list, err := sums.Days(t.Context(), control, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			got[control+" "+d.Day.Format(time.DateOnly)] = d.Count
		}
	}
	maps.DeleteFunc(got, func(_ string, c tally.Count) bool { return c == tally.Count{} })
	if diff := cmp.Diff(days, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsUnknownNeverCountsAsPassed(t *testing.T) {
	c := tally.Count{Pass: 6, Fail: 2, Unknown: 2, Waived: 5, NotApplicable: 7}
	all, _ := c.Share()
	known, _ := c.ShareKnown()
	coverage, _ := c.Coverage()
	if all != 60 || known != 75 || coverage != 80 || c.Judged() != 10 {
		t.Errorf("%v %v %v of %d", all, known, coverage, c.Judged())
	}
	if _, ok := (tally.Count{Waived: 3}).Share(); ok {
		t.Error("there is a share of nothing")
	}
}
