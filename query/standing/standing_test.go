package standing_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/pipeline"
	"github.com/stemma-dev/stemma/query/querytest"
	"github.com/stemma-dev/stemma/query/standing"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

const prod = stemma.Ref("environment:prod")

func at(hour int) stemma.Moment {
	return stemma.At(time.Date(2026, 11, 1, hour, 0, 0, 0, time.UTC))
}

func number(n int) stemma.Ref {
	return change.Change{Repository: change.RepositoryRef("github.com", "acme/pay"), Number: n}.Ref()
}

func commit(n int) stemma.Ref { return change.CommitRef("sha1", fmt.Sprintf("%040x", n)) }

// facts are two services: pay went to v2 and back to v1, then failed to go on; web is of
// an image that a run built.
func facts(t testing.TB) (all []stemma.Fact) {
	tell := func(r interface {
		Fact(source string, grade stemma.Grade) (stemma.Fact, error)
	},
	) {
		f, err := r.Fact("test", stemma.GradeB)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	for n, l := range []change.Lines{{AI: 6, Human: 3, Unknown: 1}, {AI: 2}} {
		tell(change.Change{Repository: change.RepositoryRef("github.com", "acme/pay"), Number: n + 1, Merged: at(1), Lines: &l})
	}
	run := pipeline.Run{ID: pipeline.RunRef("gha", "1"), Commit: commit(9)}
	image := artifact.Artifact{Digest: "sha256:" + strings.Repeat("ab", 32), BuiltBy: []stemma.Edge{{To: run.ID}}}
	put := func(id, service, version, status string, hour int, ships stemma.Ref, brings ...int) deployment.Deployment {
		d := deployment.Deployment{ID: deployment.Ref("prod", id), Environment: prod, Service: service, Version: version, Status: status, At: at(hour), Ships: []stemma.Edge{{To: ships}}}
		for _, n := range brings {
			d.Brings = append(d.Brings, stemma.Edge{To: number(n), Method: "range"})
		}
		return d
	}
	tell(run)
	tell(image)
	tell(put("p1", "pay", "v1", "inactive", 1, commit(1)))
	tell(put("p2", "pay", "v2", "inactive", 2, commit(2)))
	tell(put("p3", "pay", "v1", "success", 3, commit(1)))
	tell(put("p4", "pay", "v3", "failure", 4, commit(3)))
	tell(put("w1", "web", "w1", "success", 2, image.Ref(), 1, 2))
	tell(put("a1", "api", "a1", "success", 2, commit(4)))
	tell(put("a2", "api", "a2", "success", 2, commit(5))) // at the same time: the later name stands
	return all
}

func TestTheLastThatSucceededStandsOfEachService(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		querytest.Tell(t, db, facts(t)...)
		var got []string
		err := db.Read(t.Context(), func(tx *storage.Tx) error {
			services, err := standing.In(t.Context(), tx, prod)
			for _, s := range services {
				got = append(got, fmt.Sprintf("%s %s %d %s%s %d %v", s.Name, s.Version, s.Since.Hour(), s.Artifacts, s.Commits, s.Changes, s.Lines))
			}
			return err
		})
		want := []string{
			"api a2 2 []" + fmt.Sprint([]stemma.Ref{commit(5)}) + " 0 {0 0 0}",
			"pay v1 3 []" + fmt.Sprint([]stemma.Ref{commit(1)}) + " 0 {0 0 0}",
			"web w1 2 [artifact:sha256/" + strings.Repeat("ab", 32) + "]" + fmt.Sprint([]stemma.Ref{commit(9)}) + " 2 {8 3 1}",
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}

func TestARollbackIsToldFromAStepForward(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		querytest.Tell(t, db, facts(t)...)
		for id, want := range map[string]stemma.Ref{"p3": "deployment:prod/p1", "p2": "", "p1": "", "w1": "", "none": ""} {
			err := db.Read(t.Context(), func(tx *storage.Tx) error {
				got, err := standing.Back(t.Context(), tx, deployment.Ref("prod", id))
				if got != want {
					t.Errorf("%s went back to %q, want %q", id, got, want)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
}
