package query_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/query"
	"github.com/stemma-dev/stemma/query/views"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// TestWhatRunsAndWhatWasDeployedCanBeAsked on two deployments, of which one replaced the
// other, and two snapshots of what ran.
func TestWhatRunsAndWhatWasDeployedCanBeAsked(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		start := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
		at := func(minute int) stemma.Moment { return stemma.At(start.Add(time.Duration(minute) * time.Minute)) }
		s := ingesttest.Must(t, open(), func() time.Time { return start })
		w := ingest.NewWriter(t.Context(), s, func() time.Time { return start })
		image := artifact.Artifact{Name: "pay", Digest: "sha256:" + strings.Repeat("ab", 32)}
		one, two := deployment.Ref("prod", "1"), deployment.Ref("prod", "2")
		prod := deployment.EnvironmentRef("prod")
		for _, r := range []ingest.Record{
			image,
			deployment.Environment{Name: "prod"},
			deployment.Deployment{ID: one, Environment: prod, Service: "pay", Version: "v1", Status: "success", At: at(1)}, // until the next one, though nothing says so
			deployment.Deployment{ID: two, Environment: prod, Service: "pay", Version: "v2", Status: "success", At: at(2), Ships: []stemma.Edge{{To: image.Ref()}}, Replaces: []stemma.Ref{one}},
			deployment.Deployment{ID: deployment.Ref("prod", "3"), Environment: prod, Service: "web", Version: "w1", Status: "failure", At: at(3)},
			deployment.Snapshot{ID: deployment.SnapshotRef("prod", "a"), Environment: prod, Taken: at(3), Things: 1, Running: []deployment.Running{{Name: "old"}}},
			deployment.Snapshot{ID: deployment.SnapshotRef("prod", "b"), Environment: prod, Taken: at(4), Things: 2, Running: []deployment.Running{
				{Name: "pay", Image: "pay:2", Artifact: image.Ref(), Explained: true, Deployment: two}, {Name: "stranger", Why: "it is not told by its digest"},
			}},
		} {
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
		for _, c := range []struct{ kind, filter, columns, want string }{
			{"deployments", "", "version", "w1; v2; v1"},
			{"deployments", "is:live", "version,artifact", "v2 " + string(image.Ref())},
			{"deployments", "env:prod service:pay until:<2027", "version", "v1"},
			{"deployments", "replaces:v1", "version,replaces", "v2 " + string(one)},
			{"deployments", "is:failure", "service", "web"},
			{"running", "is:unexplained is:latest", "environment,name,why", string(prod) + " stranger it is not told by its digest"},
			{"running", "is:explained", "name,deployment", "pay " + string(two)},
			{"running", "deployment:v2", "name", "pay"},
			{"running", "artifact:pay", "image", "pay:2"},
			{"running", "no:artifact sort:taken,name", "name", "old; stranger"},
			{"running", "env:prod group:environment", "", string(prod) + " 3 100.0"},
		} {
			if d := cmp.Diff(c.want, answers(t, s.DB, c.kind, c.filter, c.columns, start)); d != "" {
				t.Errorf("%s %s: %s", c.kind, c.filter, d)
			}
		}
	})
}

// answers are the rows of an answer.
func answers(t *testing.T, db *storage.DB, kind, text, columns string, now time.Time) string {
	t.Helper()
	q, err := query.Parse(kind, text, now)
	if err == nil && columns != "" {
		q, err = q.Select(strings.Split(columns, ",")...)
	}
	if err != nil {
		t.Fatalf("%s %s: %v", kind, text, err)
	}
	var rows []string
	err = db.Read(context.Background(), func(tx *storage.Tx) error {
		result, err := query.Run(t.Context(), tx, q)
		if err != nil {
			return err
		}
		for row, err := range result.Rows {
			if err != nil {
				return err
			}
			var cells []string
			for _, v := range row {
				cells = append(cells, v.String())
			}
			rows = append(rows, strings.Join(cells, " "))
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%s %s: %v", kind, text, err)
	}
	return strings.Join(rows, "; ")
}
