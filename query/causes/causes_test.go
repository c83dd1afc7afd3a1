package causes_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/incident"
	"github.com/stemma-dev/stemma/query/causes"
	"github.com/stemma-dev/stemma/query/querytest"
	"github.com/stemma-dev/stemma/review"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

var repository = change.RepositoryRef("github.com", "acme/pay")

type record interface {
	Fact(source string, grade stemma.Grade) (stemma.Fact, error)
}

type story struct {
	t     testing.TB
	facts []stemma.Fact
}

func (s *story) tell(r record) {
	s.t.Helper()
	f, err := r.Fact("test", stemma.GradeB)
	if err != nil {
		s.t.Fatal(err)
	}
	s.facts = append(s.facts, f)
}

func at(hour int) stemma.Moment {
	return stemma.At(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(hour) * time.Hour))
}

func commit(n int) stemma.Ref { return change.CommitRef("sha1", fmt.Sprintf("%040x", n)) }

func number(n int) stemma.Ref { return change.Change{Repository: repository, Number: n}.Ref() }

// lands is change n with one commit, which touches a file.
func (s *story) lands(n, hour, lines int, path, method string, approved bool) *change.Change {
	s.tell(change.Commit{SHA: fmt.Sprintf("%040x", n), Committed: at(hour), Files: []change.File{{Path: path, Status: "M", Added: lines}}})
	c := &change.Change{
		Repository: repository, Number: n, Title: fmt.Sprint("change ", n), Method: method, Merged: at(hour), Commits: []stemma.Ref{commit(n)},
		Size: &change.Size{FileCount: 1, Added: lines},
	}
	if approved {
		s.tell(review.Review{ID: review.Ref("github.com", fmt.Sprint(n)), Change: number(n), Verdict: "approved", Submitted: at(hour)})
	}
	return c
}

func (s *story) deployed(id string, hour int, status string, brings ...int) {
	d := deployment.Deployment{ID: deployment.Ref("prod", id), Environment: deployment.EnvironmentRef("prod"), Status: status, At: at(hour)}
	for _, n := range brings {
		d.Brings = append(d.Brings, stemma.Edge{To: number(n), Method: "range"})
	}
	s.tell(d)
}

func told(t testing.TB, judged ...incident.Judgement) *story {
	s := &story{t: t}
	for _, c := range []*change.Change{
		s.lands(1, 1, 3, "refunds/refund.go", "squash", true),
		s.lands(2, 2, 900, "go.mod", "direct", false),
		s.lands(3, 3, 3, "docs/a.md", "squash", true),
		s.lands(4, 4, 3, "a.go", "squash", true),
		s.lands(5, 90, 3, "a.go", "squash", true), // after the incident
	} {
		switch c.Number {
		case 5:
			c.Reverts = []stemma.Edge{{To: number(4), Method: "message"}}
			c.Fixes = []change.Fix{{Change: number(2), Commit: commit(2), Lines: 1, Method: "lines"}}
		}
		s.tell(*c)
	}
	s.tell(deployment.Environment{Name: "prod"})
	s.deployed("d1", 10, "success", 1, 4)
	s.deployed("d2", 60, "failure", 3)
	s.deployed("d3", 70, "success", 2)
	s.deployed("d4", 95, "success", 5)
	s.tell(incident.Incident{
		Source: "pagerduty", Key: "Q1", Title: "Refunds twice", Opened: at(72), Service: "refunds", Where: deployment.EnvironmentRef("prod"), Judgements: judged,
	})
	return s
}

func rank(t testing.TB, db *storage.DB) (lines []string) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *storage.Tx) error {
		i, err := causes.Of(t.Context(), tx, incident.Ref("pagerduty", "Q1"))
		if err != nil {
			return err
		}
		for _, c := range i.Candidates {
			_, name := c.Change.Split()
			line := fmt.Sprintf("%d %s", c.Points, strings.TrimPrefix(name, "acme/pay"))
			for _, r := range c.Reasons {
				line += fmt.Sprintf("; %d %s", r.Points, r.Why)
			}
			lines = append(lines, line+" "+c.Verdict)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

var ranked = []string{
	"80 #2; 35 change:github.com/acme/pay#5 mended it afterwards; 30 the last deployment before it brought it; 10 it was pushed without a merge request; 5 it is large: 900 lines ",
	"45 #4; 40 change:github.com/acme/pay#5 took it back afterwards; 5 a deployment of the month before brought it ",
	"25 #1; 20 it touches refunds/refund.go, and refunds broke; 5 a deployment of the month before brought it ",
}

func TestCausesAreRankedWithTheirReasons(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		querytest.Tell(t, db, told(t).facts...)
		if diff := cmp.Diff(ranked, rank(t, db)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestWhatWasJudgedIsListedWhereverItIs(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		later := deployment.Ref("prod", "d4")
		querytest.Tell(t, db, told(t,
			incident.Judgement{Cause: number(3), Verdict: incident.Rejected}, // no deployment that succeeded brought it
			incident.Judgement{Cause: later, Verdict: incident.Confirmed},
		).facts...)
		_, name := later.Split()
		want := append(slices.Clone(ranked), "0 "+name+" "+incident.Confirmed, "0 #3 "+incident.Rejected)
		if diff := cmp.Diff(want, rank(t, db)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestWhatAPersonFoundOutIsTold(t *testing.T) {
	db := storagetest.SQLite(t)
	querytest.Tell(t, db, told(t,
		incident.Judgement{Cause: number(4), Verdict: incident.Rejected}, incident.Judgement{Cause: number(4), Verdict: incident.Confirmed},
		incident.Judgement{Cause: commit(2), Verdict: incident.Rejected},
	).facts...)
	want := []string{ranked[1] + incident.Confirmed, ranked[2], ranked[0] + incident.Rejected}
	if diff := cmp.Diff(want, rank(t, db)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	err := db.Read(t.Context(), func(tx *storage.Tx) error {
		_, err := causes.Of(t.Context(), tx, incident.Ref("pagerduty", "Q2"))
		return err
	})
	if !errors.Is(err, stemma.ErrNotFound) {
		t.Errorf("an incident that is not there: %v", err)
	}
}
