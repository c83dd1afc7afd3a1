package query_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/incident"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/intent"
	"github.com/stemma-dev/stemma/pipeline"
	"github.com/stemma-dev/stemma/query/views"
	"github.com/stemma-dev/stemma/review"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// passage is a change on its whole way, and another that names its requirement itself.
func passage(at func(minute int) stemma.Moment, ann stemma.Ref) []ingest.Record {
	repository := change.RepositoryRef("github.com", "acme/pay")
	commit := func(c string) stemma.Ref { return change.CommitRef("sha1", strings.Repeat(c, 40)) }
	seven := change.Change{Repository: repository, Number: 7, Merged: at(5), Head: commit("b"), MergedBy: ann, Implements: []stemma.Edge{{To: "ticket:jira/PAY-17"}}}
	eight := change.Change{Repository: repository, Number: 8, Merged: at(6), Satisfies: []stemma.Edge{{To: "requirement:jira/PAY-1"}}}
	build := pipeline.Run{ID: pipeline.RunRef("gha", "1/2"), System: "gha", Name: "build", Attempt: 2, Conclusion: "success", Commit: commit("b"), Started: at(7), Changes: []stemma.Ref{seven.Ref()}}
	job := pipeline.Run{ID: pipeline.RunRef("gha", "1/2/unit"), System: "gha", Name: "unit", Conclusion: "failure", Started: at(8), PartOf: build.ID}
	image := artifact.Artifact{Name: "pay", Digest: "sha256:" + strings.Repeat("ab", 32), BuiltBy: []stemma.Edge{{To: build.ID}}}
	live := deployment.Deployment{
		ID: deployment.Ref("prod", "1"), Environment: "environment:prod", Version: "v1", Status: "success", At: at(9), Ships: []stemma.Edge{{To: image.Ref()}},
		Brings: []stemma.Edge{{To: seven.Ref()}}, Runs: []stemma.Edge{{To: build.ID}},
	}
	return []ingest.Record{
		intent.Requirement{Source: "jira", Key: "PAY-1", Title: "Pay back"},
		intent.Requirement{Source: "jira", Key: "PAY-2", Title: "Nothing yet"},
		intent.Ticket{Tracker: "jira", Key: "PAY-17", Refines: []stemma.Edge{{To: "requirement:jira/PAY-1"}}},
		seven, eight, build, job, image, live,
		review.Review{ID: review.Ref("github.com", "1"), Change: seven.Ref(), Reviewer: ann, Verdict: "approved", Head: commit("a"), Submitted: at(2)},
		review.Review{ID: review.Ref("github.com", "2"), Change: seven.Ref(), Reviewer: ann, Verdict: "approved", Head: commit("b"), Submitted: at(3)},
		review.Review{ID: review.Ref("github.com", "3"), Change: seven.Ref(), Verdict: "rejected", Submitted: at(4), Dismissed: true},
		pipeline.Test{ID: pipeline.TestRef("gha", "1"), Run: build.ID, Suite: "a", Passed: 3, Failed: 1},
		pipeline.Test{ID: pipeline.TestRef("gha", "2"), Run: build.ID, Suite: "b", Passed: 4},
		pipeline.Scan{ID: pipeline.ScanRef("gha", "1"), Run: build.ID, Tool: "semgrep", Findings: 2},
		deployment.Environment{Name: "staging", Tier: "staging"}, // prod is only named
		deployment.Snapshot{ID: deployment.SnapshotRef("prod", "a"), Environment: "environment:prod", Taken: at(10), Things: 3, Unexplained: 3},
		deployment.Snapshot{ID: deployment.SnapshotRef("prod", "b"), Environment: "environment:prod", Taken: at(11), Things: 3, Unexplained: 1},
		incident.Incident{Source: "pagerduty", Key: "Q1", Title: "Refunds twice", Where: "environment:prod", Opened: at(12), Resolved: at(13), CausedBy: []stemma.Edge{{To: live.ID}}},
		incident.Incident{Source: "pagerduty", Key: "Q2", Title: "Slow", Opened: at(14), Suspects: []stemma.Edge{{To: live.ID}}},
	}
}

func TestEveryStepToProductionCanBeAsked(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		start := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
		now := func() time.Time { return start }
		s := ingesttest.Must(t, open(), now)
		w := ingest.NewWriter(t.Context(), s, now)
		ann := w.Person("Ann", "ann@x.test", "")
		for _, r := range passage(func(minute int) stemma.Moment { return stemma.At(start.Add(time.Duration(minute) * time.Minute)) }, ann) {
			if err := w.Record(t.Context(), r, "test", stemma.GradeB); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := views.Ensure(t.Context(), s.DB); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct{ kind, filter, columns, want string }{
			{"requirements", "sort:key", "key,tickets,changes", "PAY-1 1 2; PAY-2 0 0"},
			{"requirements", "change:change:github.com/acme/pay#7", "key", "PAY-1"},
			{"requirements", "no:change", "key", "PAY-2"},
			{"changes", "requirement:PAY-1 sort:number", "number", "7; 8"},
			{"changes", "merged-by:ann", "number", "7"},
			{"reviews", "sort:submitted", "verdict,standing", "approved stale; approved counts; rejected dismissed"},
			{"reviews", "reviewer:ann standing:counts", "head", "commit:sha1/" + strings.Repeat("b", 40)},
			{"runs", "is:whole", "name,attempt,passed,failed,findings", "build 2 7 1 2"},
			{"runs", "part-of:run:gha/1/2", "name,conclusion,passed", "unit failure "},
			{"runs", "is:repeated artifact:pay deployment:v1", "change", "change:github.com/acme/pay#7"},
			{"deployments", "ticket:PAY-17", "version,requirement", "v1 requirement:jira/PAY-1"},
			{"deployments", "change:change:github.com/acme/pay#8", "version", ""},
			{"environments", "sort:ref", "ref,live,deployments,incidents,unexplained", "environment:prod 1 1 1 1; environment:staging 0 0 0 "},
			{"environments", "no:seen tier:staging", "deployments", "0"},
			{"incidents", "is:over is:explained", "key,cause", "Q1 deployment:prod/1"},
			{"incidents", "is:open", "key,suspect", "Q2 deployment:prod/1"},
			{"incidents", "deployment:v1 sort:key", "key", "Q1; Q2"},
		} {
			if d := cmp.Diff(c.want, answers(t, s.DB, c.kind, c.filter, c.columns, start)); d != "" {
				t.Errorf("%s %s: %s", c.kind, c.filter, d)
			}
		}
	})
}
