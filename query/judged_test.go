package query_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/query/querytest"
	"github.com/stemma-dev/stemma/query/views"
	"github.com/stemma-dev/stemma/review"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

var told = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)

// space puts records into a new space, told at one moment.
func space(t *testing.T, db *storage.DB, records ...ingest.Record) {
	t.Helper()
	clock := func() time.Time { return told }
	s := ingesttest.Must(t, db, clock)
	w := ingest.NewWriter(t.Context(), s, clock)
	for _, r := range records {
		if err := w.Record(t.Context(), r, "test", stemma.GradeC); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := views.Ensure(t.Context(), s.DB); err != nil {
		t.Fatal(err)
	}
}

type asked struct{ kind, filter, columns, want string }

func check(t *testing.T, db *storage.DB, list []asked) {
	t.Helper()
	for _, c := range list {
		if d := cmp.Diff(c.want, answers(t, db, c.kind, c.filter, c.columns, told)); d != "" {
			t.Errorf("%s %s: %s", c.kind, c.filter, d)
		}
	}
}

// TestChangesAreFoundByHowTheyWereApproved, and by where they stand: one whose approval saw
// an older head, one that only who drove its agent approved, one that both did.
func TestChangesAreFoundByHowTheyWereApproved(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		repo := change.RepositoryRef("github.com", "acme/pay")
		ada, bo, cy := querytest.Person(0), querytest.Person(1), querytest.Person(2)
		commit := func(n int) stemma.Ref { return change.CommitRef("sha1", querytest.SHA(n)) }
		driven := session.Session{Tool: "codex", ExternalID: "c1", Operator: []stemma.Edge{{To: ada}}}
		land := func(number int) change.Change {
			return change.Change{
				Repository: repo, Number: number, State: "merged", Head: commit(10 + number), Commits: []stemma.Ref{commit(number)},
				Credits: []change.Credit{{Origin: "ai", Session: driven.Ref(), Lines: 3}},
			}
		}
		merge := func(n, own int, by stemma.Ref) change.Commit {
			return change.Commit{Repository: repo, SHA: querytest.SHA(n), Author: by, Merge: true, Parents: []stemma.Ref{commit(0), commit(1)}, ParentCount: 2, Size: &change.Size{Added: own}}
		}
		merged := change.Change{Repository: repo, Number: 5, State: "merged", Head: commit(15), Commits: []stemma.Ref{commit(20), commit(21)}}
		judge := func(id string, number, head int, by stemma.Ref, more func(*review.Review)) review.Review {
			r := review.Review{ID: review.Ref("github.com", id), Change: change.NumberedRef(repo, number), Reviewer: by, Verdict: "approved", Head: commit(head)}
			if more != nil {
				more(&r)
			}
			return r
		}
		prod := deployment.EnvironmentRef("prod")
		deploy := func(id string, n, minute int) deployment.Deployment {
			return deployment.Deployment{
				ID: deployment.Ref("prod", id), Environment: prod, Version: id, Status: "success", At: stemma.At(told.Add(time.Duration(minute) * time.Minute)),
				Ships: []stemma.Edge{{To: commit(n)}},
			}
		}
		records := []ingest.Record{
			merge(20, 0, bo), merge(21, 2, cy),
			driven, land(1), land(2), land(3), land(4), merged,
			judge("a", 1, 5, bo, nil),   // an older head
			judge("b", 2, 12, ada, nil), // who drove
			judge("c", 3, 13, ada, nil), judge("d", 3, 13, bo, nil),
			judge("e", 4, 14, bo, func(r *review.Review) { r.Dismissed = true }),
			judge("f", 5, 15, bo, nil), judge("g", 5, 15, cy, nil), // who merged, and who wrote in a merge
			deployment.Environment{Name: "prod"},
			deploy("v1", 3, -30), deploy("v2", 4, -20), deploy("v1-again", 2, -10),
		}
		for n := range 5 {
			c := change.Commit{Repository: repo, SHA: querytest.SHA(n)}
			if n > 0 {
				c.Parents, c.ParentCount = []stemma.Ref{commit(n - 1)}, 1
			}
			records = append(records, c)
		}
		space(t, db, records...)
		check(t, db, []asked{
			{"changes", "is:stale-approved", "number", "1"},
			{"changes", "is:driver-approved", "number", "2"},
			{"changes", "approvals:0 sort:number", "number", "1; 2; 4"},
			{
				"changes", "approvals:1 sort:number", "number,approver",
				"3 " + strings.Join([]string{string(ada), string(bo)}, " ") + "; 5 " + strings.Join([]string{string(bo), string(cy)}, " "),
			},
			{"reviews", "is:self", "reviewer,verdict", string(cy) + "  approved"},
			{"changes", "no:approver", "number", "4"},
			{"changes", "live:prod sort:number", "number", "1; 2"},
			{"changes", "-live:prod sort:number", "number", "3; 4; 5"},
		})
	})
}

// TestCallsOfShellsAreFoundInATreeOfSessions, by whether a program of theirs talks to others.
func TestCallsOfShellsAreFoundInATreeOfSessions(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		planner := session.Session{Tool: "claude-code", ExternalID: "p", ToolCalls: []session.ToolCall{{Call: "1", Tool: "Bash", Shell: true}, {Call: "2", Tool: "Task"}}}
		worker := session.Session{Tool: "claude-code", ExternalID: "w", Parent: planner.Ref(), ToolCalls: []session.ToolCall{
			{Call: "3", Tool: "Bash", Shell: true, Network: true}, {Call: "4", Tool: "Write", Path: "auth/a.go"}, {Call: "5", Tool: "Bash", Shell: true, Error: true},
		}}
		other := session.Session{Tool: "claude-code", ExternalID: "x", ToolCalls: []session.ToolCall{{Call: "6", Tool: "Bash", Shell: true, Network: true}}}
		space(t, db, planner, worker, other)
		check(t, db, []asked{
			{"toolcalls", "tree:p is:network", "session,call", string(worker.Ref()) + " 3"},
			{"toolcalls", "tree:p is:shell sort:call", "call", "1; 3; 5"},
			{"toolcalls", "ancestor:p is:failed", "call", "5"},
			{"toolcalls", "path:auth/", "call,tool", "4 Write"},
			{"toolcalls", "session:p -is:shell", "call", "2"},
		})
	})
}

// TestRecordsThatCameLateAreFound by how much later they were told than they were so.
func TestRecordsThatCameLateAreFound(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		repo := change.RepositoryRef("github.com", "acme/pay")
		space(t, db,
			change.Release{Repository: repo, Name: "late", Tagged: stemma.At(told.Add(-2 * time.Hour))},
			change.Release{Repository: repo, Name: "soon", Tagged: stemma.At(told.Add(-time.Minute))},
			change.Release{Repository: repo, Name: "timeless"},
		)
		check(t, db, []asked{
			{"records", "kind:release lag:>1h", "ref,lag", "release:github.com/acme/pay:late 7200"},
			{"records", "kind:release lag:<=1h", "ref,lag", "release:github.com/acme/pay:soon 60"},
			{"records", "kind:release lag:1min..2d sort:lag-desc", "lag", "7200; 60"},
			{"records", "kind:release no:lag", "ref,occurred", "release:github.com/acme/pay:timeless "},
			{"records", "kind:release occurred:<2026-11-27T08:00 group:kind", "", "release 1 100.0"},
		})
	})
}
