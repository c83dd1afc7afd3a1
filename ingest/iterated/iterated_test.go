package iterated_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/ingest/iterated"
	"github.com/stemma-dev/stemma/pipeline"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

var (
	repository = change.RepositoryRef("github.com", "acme/pay")
	began      = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
)

func now() time.Time { return began.AddDate(0, 1, 0) }

func at(minute int) stemma.Moment {
	return stemma.At(began.Add(time.Duration(minute) * time.Minute))
}

func commit(name string) stemma.Ref { return change.CommitRef("sha1", strings.Repeat(name, 40)) }

func run(of, id string, attempt, minute int, conclusion, reason string) pipeline.Run {
	return pipeline.Run{
		ID: pipeline.AttemptRef("github-actions", repository, id, attempt), System: "github-actions", Name: "ci", Attempt: attempt, Commit: commit(of), Repository: repository,
		Status: "completed", Conclusion: conclusion, Reason: reason, Started: at(minute), Ended: at(minute + 5),
	}
}

// story is a change that is tried three times, beside what must not count: a lost
// runner, a run again on one commit, and a run on what landed.
func story() []ingest.Record {
	linked := run("c", "5", 1, 60, "success", "")
	linked.Changes = []stemma.Ref{change.NumberedRef(repository, 142)}
	turn := func(n, minute int, failing bool) session.Turn {
		return session.Turn{Number: n, Role: "user", At: at(minute), Typed: true, Failing: failing}
	}
	return []ingest.Record{
		change.Change{
			Repository: repository, Number: 142, State: "merged", Method: "squash", Merged: at(90), MergeCommit: commit("d"), Head: commit("c"),
			Heads: []stemma.Edge{{To: commit("a")}, {To: commit("b")}, {To: commit("c")}}, Commits: []stemma.Ref{commit("d")},
		},
		run("a", "1", 1, 10, "failure", ""),
		run("a", "1", 2, 17, "failure", ""),
		run("b", "2", 1, 30, "failure", "runner_system_failure"),
		run("b", "3", 1, 37, "failure", ""),
		run("c", "4", 1, 50, "cancelled", ""),
		linked,
		run("d", "6", 1, 95, "failure", ""),
		// A prompt, one after the first pipeline failed, one after failed tests, one after
		// the second pipeline did, and one for nothing.
		session.Session{Tool: "claude-code", ExternalID: "5c1e", Turns: []session.Turn{turn(1, 1, false), turn(2, 25, false), turn(3, 28, true), {Number: 4, Role: "user", At: at(29)}, turn(5, 45, false), turn(6, 46, false)}},
		change.Commit{SHA: strings.Repeat("a", 40), Repository: repository, Sessions: []stemma.Edge{{To: "session:claude-code/5c1e"}}},
		change.Change{Repository: repository, MergeCommit: commit("e"), Method: "direct", Merged: at(200), Commits: []stemma.Ref{commit("e")}},
		run("e", "7", 1, 201, "success", ""),
	}
}

func tell(tb testing.TB, s *ingest.Space, records ...ingest.Record) {
	tb.Helper()
	w := ingest.NewWriter(tb.Context(), s, now)
	for _, r := range records {
		if err := w.Record(tb.Context(), r, "test", stemma.GradeB); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(tb.Context()); err != nil {
		tb.Fatal(err)
	}
}

func count(tb testing.TB, s *ingest.Space) int {
	tb.Helper()
	n, err := iterated.Count(tb.Context(), s, now)
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// iterations are those that the graph has of a change.
func iterations(tb testing.TB, s *ingest.Space, ref stemma.Ref) (it change.Iterations) {
	tb.Helper()
	err := s.DB.Each(tb.Context(), func(scan func(...any) error) error {
		return scan(&it.Attempts, &it.Green, &it.Idle, &it.Reprompts)
	}, `SELECT COALESCE(c."attempts", 0), COALESCE(c."green", 0), COALESCE(c."infrastructure_failures", 0), COALESCE(c."reprompts", 0)
		FROM k_change c JOIN node n ON n.id = c.id WHERE n.ref = $1`, string(ref))
	if err != nil {
		tb.Fatal(err)
	}
	return it
}

func TestAttemptsAndRepromptsOfAChangeAreCounted(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		s := ingesttest.Must(t, open(), now)
		tell(t, s, story()...)
		if n := count(t, s); n != 2 {
			t.Errorf("%d changes", n)
		}
		want := change.Iterations{Attempts: 3, Green: true, Idle: 2, Reprompts: 3}
		if got := iterations(t, s, change.NumberedRef(repository, 142)); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		direct := change.Change{Repository: repository, MergeCommit: commit("e")}.Ref()
		if got := iterations(t, s, direct); got != (change.Iterations{Attempts: 1, Green: true}) {
			t.Errorf("a push: %+v", got)
		}
		for range 2 {
			if n := count(t, s); n != 0 {
				t.Errorf("%d changes again", n)
			}
		}
	})
}

// TestNewsInAnyOrderCountTheSame: whatever comes first, and however often it is counted
// in between.
func TestNewsInAnyOrderCountTheSame(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		first := ingesttest.Must(t, storagetest.SQLite(t), now)
		tell(t, first, story()...)
		count(t, first)
		want := ingesttest.Told(t, first)
		next := open
		for seed := range uint64(3) {
			s := ingesttest.Must(t, next(), now)
			next = func() *storage.DB { return storagetest.SQLite(t) }
			records := story()
			random := rand.New(rand.NewPCG(seed, 1))
			random.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
			for _, r := range records {
				tell(t, s, r)
				if random.IntN(2) == 0 {
					count(t, s)
				}
			}
			count(t, s)
			if got := ingesttest.Told(t, s); got != want {
				t.Errorf("seed %d: %s", seed, cmp.Diff(want, got))
			}
		}
	})
}

// TestACountThatGoesBackIsSaidAgain: a run that ends otherwise after all.
func TestACountThatGoesBackIsSaidAgain(t *testing.T) {
	s := ingesttest.Must(t, storagetest.SQLite(t), now)
	ref := change.NumberedRef(repository, 7)
	tell(t, s, change.Change{Repository: repository, Number: 7, State: "open", Head: commit("a")})
	for i, conclusion := range []string{"success", "failure", "success", "failure"} {
		tell(t, s, run("a", "1", i+1, i, conclusion, ""))
		count(t, s)
		want := change.Iterations{Attempts: 1, Green: conclusion == "success"}
		if got := iterations(t, s, ref); got != want {
			t.Errorf("%d: %+v, want %+v", i, got, want)
		}
	}
}

func TestManyChangesAreCountedInPortions(t *testing.T) {
	s := ingesttest.Must(t, storagetest.SQLite(t), now)
	const many = 700
	var records []ingest.Record
	for i := range many {
		sha := change.CommitRef("sha1", fmt.Sprintf("%040x", i+1))
		r := run("a", fmt.Sprint(i), 1, i, "success", "")
		r.Commit = sha
		records = append(records, change.Change{Repository: repository, Number: i + 1, Head: sha}, r)
	}
	tell(t, s, records...)
	if n := count(t, s); n != many {
		t.Errorf("%d changes, want %d", n, many)
	}
	b, err := s.Bookmark(t.Context(), iterated.Source)
	if err != nil || !json.Valid([]byte(b.State)) {
		t.Errorf("%+v, %v", b, err)
	}
}
