package judged_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/incident"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/ingest/judged"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestTheLastWordAboutACauseStands(t *testing.T) {
	clock := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	now := func() time.Time { clock = clock.Add(time.Minute); return clock }
	s := ingesttest.Must(t, storagetest.SQLite(t), now)
	cause := change.Change{Repository: change.RepositoryRef("github.com", "acme/pay"), Number: 7, Method: "squash", Merged: stemma.At(clock)}
	other := stemma.Ref("deployment:prod/9")
	broke := incident.Incident{Source: "pagerduty", Key: "Q1", Opened: stemma.At(clock), Suspects: []stemma.Edge{{To: other, Method: "ran-when-it-opened"}}}
	for _, r := range []interface {
		Fact(string, stemma.Grade) (stemma.Fact, error)
	}{cause, broke} {
		f, err := r.Fact("test", stemma.GradeB)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Ledger.Append(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Graph.Apply(t.Context(), s.Ledger); err != nil {
		t.Fatal(err)
	}
	edges := func() (list []string) {
		out, _, err := s.Graph.Edges(t.Context(), broke.Ref(), 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range out {
			list = append(list, fmt.Sprint(e.Door, " ", e.To, " ", e.Method))
		}
		return list
	}
	suspected := "suspects deployment:prod/9 ran-when-it-opened"
	for i, step := range []struct {
		confirmed bool
		want      []string
	}{
		{true, []string{"caused-by " + string(cause.Ref()) + " judgement", suspected}},
		{false, []string{"ruled-out " + string(cause.Ref()) + " judgement", suspected}},
		{true, []string{"caused-by " + string(cause.Ref()) + " judgement", suspected}},
	} {
		v := judged.Verdict{Incident: broke.Ref(), Cause: cause.Ref(), Confirmed: step.confirmed, Name: "Ann", Mail: "ann@example.com", Reason: fmt.Sprint("reason ", i)}
		if err := judged.Judge(t.Context(), s, now, v); err != nil {
			t.Fatal(err)
		}
		got := edges()
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("step %d (-want +got):\n%s", i, diff)
		}
	}
	n, err := s.Graph.Node(t.Context(), broke.Ref())
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.Graph.List(t.Context(), n, "judgement")
	if err != nil || len(list) != 3 || list[2].Text("reason") != "reason 2" || list[1].Text("verdict") != incident.Rejected || list[0].Ref("by") == "" {
		t.Errorf("judgements %+v, %v", list, err)
	}
	for _, v := range []judged.Verdict{{Incident: "incident:x/1", Cause: cause.Ref()}, {Incident: broke.Ref(), Cause: "change:x/y#1"}, {Incident: cause.Ref(), Cause: cause.Ref()}} {
		if err := judged.Judge(t.Context(), s, now, v); !errors.Is(err, stemma.ErrNotFound) {
			t.Errorf("%+v: %v", v, err)
		}
	}
}

func TestOfThoseWhoJudgeAtOnceNoWordIsLost(t *testing.T) {
	const judges = 6
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		broke := incident.Incident{Source: "pagerduty", Key: "Q1", Opened: stemma.At(noon)}
		records, order := []ingest.Record{broke}, []int{0}
		for n := range judges {
			records = append(records, change.Change{Repository: repository, Number: n + 1, Merged: stemma.At(noon)})
			order = append(order, n+1)
		}
		s := told(t, open(), records, order)
		var all sync.WaitGroup
		for n := range judges {
			all.Go(func() {
				err := judged.Judge(t.Context(), s, func() time.Time { return noon }, judged.Verdict{
					Incident: broke.Ref(), Cause: change.Change{Repository: repository, Number: n + 1}.Ref(), Confirmed: true, Name: "Ann", Mail: "ann@x.test",
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		node, err := s.Graph.Node(t.Context(), broke.Ref())
		if err != nil {
			t.Fatal(err)
		}
		list, err := s.Graph.List(t.Context(), node, "judgement")
		if err != nil || len(list) != judges {
			t.Errorf("of %d judgements %d are listed: %v", judges, len(list), err)
		}
		edges, _, err := s.Graph.Edges(t.Context(), broke.Ref(), 100)
		if err != nil || len(edges) != judges {
			t.Errorf("of %d causes %d are edges: %v", judges, len(edges), err)
		}
	})
}
