package brought_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
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
	"github.com/stemma-dev/stemma/ingest/brought"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

var (
	repository = change.RepositoryRef("github.com", "acme/pay")
	began      = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
)

func now() time.Time { return began.AddDate(0, 1, 0) }

func at(hour int) stemma.Moment { return stemma.At(began.Add(time.Duration(hour) * time.Hour)) }

func commit(n int) stemma.Ref { return change.CommitRef("sha1", fmt.Sprintf("%040x", n)) }

// A story is facts, which may be told in any order.
type story struct {
	t     testing.TB
	facts []stemma.Fact
}

func (s *story) tell(r ingest.Record) {
	s.t.Helper()
	f, err := r.Fact("test", stemma.GradeB)
	if err != nil {
		s.t.Fatal(err)
	}
	s.facts = append(s.facts, f)
}

func (s *story) lands(number, n int, parents ...int) {
	c := change.Commit{SHA: fmt.Sprintf("%040x", n), Committed: at(n)}
	for _, p := range parents {
		c.Parents = append(c.Parents, commit(p))
	}
	s.tell(c)
	s.tell(change.Change{Repository: repository, Number: number, Method: "squash", Merged: at(n), Commits: []stemma.Ref{commit(n)}})
}

func (s *story) deployed(id, service, status string, hour int, ships stemma.Ref) {
	d := deployment.Deployment{
		ID: deployment.Ref("prod", id), Environment: deployment.EnvironmentRef("prod"), Service: service, Status: status, At: at(hour),
	}
	if ships != "" {
		d.Ships = []stemma.Edge{{To: ships, Method: "declared"}}
	}
	s.tell(d)
}

func told(t testing.TB) *story {
	s := &story{t: t}
	for n := 1; n <= 6; n++ {
		if n == 1 {
			s.lands(n, n)
		} else {
			s.lands(n, n, n-1)
		}
	}
	image := artifact.Ref("sha256:" + strings.Repeat("a", 64))
	s.tell(artifact.Artifact{Digest: "sha256:" + strings.Repeat("a", 64), From: []stemma.Edge{{To: commit(4), Method: "declared"}}})
	s.tell(deployment.Environment{Name: "prod"})
	s.deployed("d1", "pay", "success", 20, commit(2))
	s.deployed("d2", "pay", "success", 21, image)
	s.deployed("d3", "pay", "failure", 22, commit(5))
	s.deployed("d4", "pay", "success", 23, commit(6))
	s.deployed("d5", "pay", "success", 24, commit(4)) // a rollback
	s.deployed("d6", "pay", "success", 25, commit(6)) // and there again
	s.deployed("e1", "shop", "success", 22, commit(1))
	s.deployed("e2", "shop", "success", 23, commit(3))
	s.deployed("n1", "none", "success", 23, "")
	s.tell(incident.Incident{Source: "pager", Key: "P1", Opened: at(24) - 1, Where: deployment.EnvironmentRef("prod")})
	s.tell(incident.Incident{Source: "pager", Key: "P2", Opened: at(1), Where: deployment.EnvironmentRef("prod")})
	return s
}

var want = []string{
	"d1 #1 range", "d1 #2 range", "d2 #3 range", "d2 #4 range", "d2 d1 order", "d4 #5 range", "d4 #6 range", "d4 d2 order", "d5 d4 order",
	"d6 #5 range", "d6 #6 range", "d6 d5 order", "e1 #1 range", "e2 #2 range", "e2 #3 range", "e2 e1 order",
	"P1 d4 ran-when-it-opened", "P1 e2 ran-when-it-opened", "P1 n1 ran-when-it-opened",
}

// links are what deployments are known to have brought and replaced, and what incidents
// suspect.
func links(t testing.TB, s *ingest.Space) (list []string) {
	t.Helper()
	err := s.DB.Each(t.Context(), func(scan func(...any) error) error {
		var from, to stemma.Ref
		var method string
		if err := scan((*string)(&from), (*string)(&to), &method); err != nil {
			return err
		}
		_, id := from.Split()
		_, number := to.Split()
		list = append(list, id+" "+strings.TrimPrefix(number, "acme/pay")+" "+method)
		return nil
	}, `SELECT n.ref, t.ref, e.method FROM edge e JOIN door o ON o.id = e.door JOIN node n ON n.id = e.src JOIN node t ON t.id = e.dst
		WHERE o.name IN ('brings', 'replaces', 'suspects') ORDER BY n.ref, o.name, t.ref`)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func put(t testing.TB, s *ingest.Space, facts ...stemma.Fact) {
	t.Helper()
	if _, err := s.Ledger.Append(t.Context(), facts...); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Graph.Apply(t.Context(), s.Ledger); err != nil {
		t.Fatal(err)
	}
}

func link(t testing.TB, s *ingest.Space) int {
	t.Helper()
	n, err := brought.Link(t.Context(), s, now)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDeploymentsAreLinkedInWhateverOrderTheyAreTold(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		var first string
		for seed := range uint64(4) {
			rng := rand.New(rand.NewPCG(seed, 1))
			s, facts := ingesttest.Must(t, open(), now), told(t).facts
			if seed > 0 {
				rng.Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
			}
			for _, f := range facts {
				put(t, s, f)
				if seed > 0 && rng.IntN(3) == 0 {
					link(t, s)
				}
			}
			link(t, s)
			if diff := cmp.Diff(want, links(t, s)); diff != "" {
				t.Errorf("seed %d (-want +got):\n%s", seed, diff)
			}
			if n := link(t, s); n > 0 {
				t.Errorf("seed %d: %d facts of what is known", seed, n)
			}
			if dump := links(t, s); first == "" {
				first = strings.Join(dump, "\n")
			} else if first != strings.Join(dump, "\n") {
				t.Errorf("seed %d: another graph", seed)
			}
		}
	})
}

func TestWhatDidNotSucceedBroughtNothing(t *testing.T) {
	s := ingesttest.Must(t, storagetest.SQLite(t), now)
	put(t, s, told(t).facts...)
	link(t, s)
	failed := &story{t: t}
	failed.deployed("d4", "pay", "failure", 23, commit(6))
	failed.facts[0].Occurred = began.Add(30 * time.Hour)
	put(t, s, failed.facts...)
	link(t, s)
	for _, line := range links(t, s) {
		if slices.Contains(strings.Fields(line), "d4") {
			t.Errorf("%s, and d4 failed", line)
		}
	}
	out, _, err := s.Graph.Edges(t.Context(), deployment.Ref("prod", "d4"), 10)
	if err != nil || len(out) < 2 {
		t.Errorf("what else it leads to: %+v, %v", out, err)
	}
}

func TestAnEnvironmentMayHaveASlashInItsName(t *testing.T) {
	s := ingesttest.Must(t, storagetest.SQLite(t), now)
	y := told(t)
	const name = "review/feature-1"
	y.tell(deployment.Environment{Name: name})
	for i, hour := range []int{30, 31} {
		y.tell(deployment.Deployment{
			ID: deployment.Ref(name, fmt.Sprint(i)), Environment: deployment.EnvironmentRef(name), Status: "success", At: at(hour),
			Ships: []stemma.Edge{{To: commit(5 + i), Method: "declared"}},
		})
	}
	put(t, s, y.facts...)
	link(t, s)
	got := links(t, s)
	if !slices.Contains(got, "1 #6 range") || !slices.Contains(got, "1 0 order") || len(got) != len(want)+7 {
		t.Errorf("%v", got)
	}
	if deployment.Ref("review", "x/1") == deployment.Ref("review/x", "1") || deployment.Where(deployment.Ref(name, "1")) != name {
		t.Error("two deployments have one name")
	}
}

// counts are those that were stated of each deployment: commits that no change carried, and
// changes that were pushed.
func counts(t testing.TB, s *ingest.Space) map[string]deployment.Brought {
	t.Helper()
	of := map[string]deployment.Brought{}
	err := s.DB.Each(t.Context(), func(scan func(...any) error) error {
		var ref stemma.Ref
		var b deployment.Brought
		err := scan((*string)(&ref), &b.Orphans, &b.Direct)
		_, id := ref.Split()
		of[id] = b
		return err
	}, `SELECT n.ref, d."orphans", d."direct" FROM k_deployment d JOIN node n ON n.id = d.id WHERE d."orphans" IS NOT NULL`)
	if err != nil {
		t.Fatal(err)
	}
	return of
}

func TestWhatNobodyWasAskedAboutIsCountedWithADeployment(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		s, y := ingesttest.Must(t, open(), now), &story{t: t}
		parent := func(n int) []stemma.Ref { return []stemma.Ref{commit(n - 1)} }
		y.lands(1, 1)
		y.tell(change.Commit{SHA: fmt.Sprintf("%040x", 2), Committed: at(2), Parents: parent(2)}) // nothing carries it
		y.tell(change.Commit{SHA: fmt.Sprintf("%040x", 3), Committed: at(3), Parents: parent(3)})
		y.tell(change.Change{Repository: repository, MergeCommit: commit(3), Method: "direct", Merged: at(3), Commits: []stemma.Ref{commit(3)}})
		y.lands(4, 4, 3) // and somebody pushed what was merged
		y.tell(change.Change{Repository: repository, MergeCommit: commit(4), Method: "direct", Merged: at(4), Commits: []stemma.Ref{commit(4)}})
		y.tell(deployment.Environment{Name: "prod"})
		y.deployed("d1", "pay", "success", 20, commit(1))
		y.deployed("d2", "pay", "success", 21, commit(4))
		y.deployed("d3", "pay", "success", 22, commit(4))
		y.deployed("d4", "pay", "failure", 23, commit(4))
		y.deployed("n1", "none", "success", 23, "")
		put(t, s, y.facts...)
		link(t, s)
		want := map[string]deployment.Brought{"d1": {}, "d2": {Orphans: 1, Direct: 1}, "d3": {}}
		if d := cmp.Diff(want, counts(t, s)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}

		later := &story{t: t}
		later.lands(2, 2, 1)
		later.deployed("d3", "pay", "failure", 22, commit(4))
		later.facts[2].Occurred = began.Add(30 * time.Hour)
		put(t, s, later.facts...)
		link(t, s)
		want["d2"], want["d3"] = deployment.Brought{Direct: 1}, deployment.Brought{Orphans: -1, Direct: -1}
		if d := cmp.Diff(want, counts(t, s)); d != "" {
			t.Errorf("when the merge request was told, and that it failed (-want +got):\n%s", d)
		}
		if n := link(t, s); n > 0 {
			t.Errorf("%d facts of what is known", n)
		}
	})
}

func TestWhatAForcePushTookAwayIsWhatTheDeploymentBroughtAllTheSame(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		s, y := ingesttest.Must(t, open(), now), &story{t: t}
		pushed := change.Change{Repository: repository, MergeCommit: commit(2), Method: "direct", Merged: at(2), Commits: []stemma.Ref{commit(2)}}
		y.lands(1, 1)
		y.tell(change.Commit{SHA: fmt.Sprintf("%040x", 2), Committed: at(2), Parents: []stemma.Ref{commit(1)}})
		y.tell(pushed)
		y.tell(deployment.Environment{Name: "prod"})
		y.deployed("d1", "pay", "success", 20, commit(1))
		y.deployed("d2", "pay", "success", 21, commit(2))
		put(t, s, y.facts...)
		link(t, s)

		later := &story{t: t}
		later.tell(change.Change{Repository: repository, MergeCommit: commit(2), Dropped: new(true)})
		put(t, s, later.facts...)
		if n := link(t, s); n > 0 {
			t.Errorf("%d facts of what was deployed before it was taken away", n)
		}
		if b := counts(t, s)["d2"]; b != (deployment.Brought{Direct: 1}) {
			t.Errorf("%+v", b)
		}

		later = &story{t: t}
		later.lands(7, 2, 1) // the same commit came in again, and was asked about
		put(t, s, later.facts...)
		link(t, s)
		if b := counts(t, s)["d2"]; b != (deployment.Brought{}) {
			t.Errorf("carried again: %+v", b)
		}
	})
}
