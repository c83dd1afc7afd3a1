package exempted_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/exempted"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/ingest/judged"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

var (
	noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	ada  = exempted.Person{Name: "Ada", Mail: "ada@acme.example"}
	bo   = exempted.Person{Name: "Bo", Mail: "bo@acme.example"}
	cy   = exempted.Person{Name: "Cy", Mail: "cy@acme.example"}
	pay  = change.Change{Repository: "repository:github.com/acme/pay", Number: 7}
)

func now() time.Time { return noon }

func house(t *testing.T, db *storage.DB) *ingest.Space {
	t.Helper()
	s := ingesttest.Must(t, db, now)
	f, err := pay.Fact("test", stemma.GradeA)
	must(t, err)
	_, err = s.Ledger.Append(t.Context(), f)
	must(t, err)
	_, err = s.Graph.Apply(t.Context(), s.Ledger)
	must(t, err)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func request() exempted.Request {
	return exempted.Request{Control: "REV-01", For: pay.Ref(), Reason: "the site is down", Until: noon.Add(24 * time.Hour), By: ada}
}

func attrs(t *testing.T, s *ingest.Space, ref stemma.Ref) graph.Attrs {
	t.Helper()
	nodes, err := s.Graph.Nodes(t.Context(), ref)
	must(t, err)
	must(t, s.Graph.Fill(t.Context(), nodes))
	return nodes[0].Attrs
}

func TestSomebodyElseGrantsAnException(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		s := house(t, open())
		ref, err := exempted.Ask(t.Context(), s, noon, request())
		must(t, err)
		if err := exempted.Grant(t.Context(), s, noon, ref, ada, exempted.Standing{}); err == nil || !strings.Contains(err.Error(), "asked for it") {
			t.Errorf("who asked for it granted it: %v", err)
		}
		must(t, exempted.Grant(t.Context(), s, noon.Add(time.Hour), ref, bo, exempted.Standing{}))
		must(t, exempted.FollowUp(t.Context(), s, noon.Add(2*time.Hour), ref, "it was reviewed afterwards", bo))
		must(t, exempted.Withdraw(t.Context(), s, noon.Add(3*time.Hour), ref))
		a := attrs(t, s, ref)
		if a.Text("control") != "REV-01" || a.Ref("change") != pay.Ref() || a.Ref("owner") != s.Person(ada.Mail) || a.Ref("approver") != s.Person(bo.Mail) ||
			!a.Time("approved").Equal(noon.Add(time.Hour)) || !a.Time("followed_up").Equal(noon.Add(2*time.Hour)) || !a.Time("withdrawn").Equal(noon.Add(3*time.Hour)) {
			t.Errorf("%v", a)
		}
		for what, err := range map[string]error{
			"granted":     exempted.Grant(t.Context(), s, noon, ref, cy, exempted.Standing{}),
			"followed up": exempted.FollowUp(t.Context(), s, noon, ref, "again", bo),
			"taken back":  exempted.Withdraw(t.Context(), s, noon, ref),
		} {
			if err == nil || !strings.Contains(err.Error(), "already") {
				t.Errorf("it was %s twice: %v", what, err)
			}
		}
	})
}

func TestAProgramGrantsNoException(t *testing.T) {
	s := house(t, storagetest.SQLite(t))
	ref, err := exempted.Ask(t.Context(), s, noon, request())
	must(t, err)
	for _, by := range []exempted.Person{
		{Name: "Claude", Mail: "noreply@anthropic.com"},
		{Name: "dependabot[bot]", Mail: "49699333+dependabot[bot]@users.noreply.github.com"},
		{Name: "github-actions[bot]", Mail: "41898282+github-actions[bot]@users.noreply.github.com"},
		{Name: "GitHub", Mail: "noreply@github.com"},
		{Name: "Claude Code", Mail: "bo@acme.example"},
	} {
		if err := exempted.Grant(t.Context(), s, noon, ref, by, exempted.Standing{}); err == nil || !strings.Contains(err.Error(), "is no person") {
			t.Errorf("%s granted it: %v", by.Mail, err)
		}
	}
	must(t, exempted.Grant(t.Context(), s, noon, ref, bo, exempted.Standing{}))
}

func TestWhoMadeTheChangeDoesNotGrantAndStopsNobody(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		s := house(t, open())
		ref, err := exempted.Ask(t.Context(), s, noon, request())
		must(t, err)
		made := exempted.Standing{Makers: []stemma.Ref{s.Person(bo.Mail)}}
		if err := exempted.Grant(t.Context(), s, noon, ref, bo, made); err == nil || !strings.Contains(err.Error(), "made the change") {
			t.Errorf("who made it granted it: %v", err)
		}
		must(t, exempted.Grant(t.Context(), s, noon, ref, bo, exempted.Standing{})) // before it was known
		made.Void = true
		must(t, exempted.Grant(t.Context(), s, noon.Add(time.Hour), ref, cy, made))
		if a := attrs(t, s, ref); a.Ref("approver") != s.Person(cy.Mail) || !a.Time("approved").Equal(noon.Add(time.Hour)) {
			t.Errorf("%v", a)
		}
	})
}

func TestWhatIsWithdrawnOrOverIsNotGrantedUnlessItWasTaken(t *testing.T) {
	s := house(t, storagetest.SQLite(t))
	for name, c := range map[string]struct {
		emergency, withdrawn bool
		at                   time.Duration
		want                 string
	}{
		"withdrawn":            {false, true, time.Hour, "it was withdrawn"},
		"over":                 {false, false, 24 * time.Hour, "it ended"},
		"an emergency, over":   {true, false, 30 * time.Hour, ""},
		"an emergency, undone": {true, true, time.Hour, ""},
	} {
		r := request()
		r.Emergency, r.Reason = c.emergency, name
		ref, err := exempted.Ask(t.Context(), s, noon.Add(time.Duration(len(name))*time.Second), r)
		must(t, err)
		if c.withdrawn {
			must(t, exempted.Withdraw(t.Context(), s, noon.Add(time.Minute), ref))
		}
		err = exempted.Grant(t.Context(), s, noon.Add(c.at), ref, bo, exempted.Standing{})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnotherAccountOfWhoAskedDoesNotGrant(t *testing.T) {
	s := house(t, storagetest.SQLite(t))
	ref, err := exempted.Ask(t.Context(), s, noon, request())
	must(t, err)
	other := exempted.Person{Name: "Ada", Mail: "ada@home.example"}
	f, err := change.Change{Repository: pay.Repository, Number: 9, Author: s.Person(other.Mail)}.Fact("test", stemma.GradeA)
	must(t, err)
	_, err = s.Ledger.Append(t.Context(), f)
	must(t, err)
	_, err = s.Graph.Apply(t.Context(), s.Ledger)
	must(t, err)
	must(t, tie(t, s, s.Person(ada.Mail), s.Person(other.Mail)))
	if err := exempted.Grant(t.Context(), s, noon, ref, other, exempted.Standing{}); err == nil {
		t.Error("another account of the same person granted it")
	}
}

func TestWhatIsNoRequestIsRefused(t *testing.T) {
	s := house(t, storagetest.SQLite(t))
	for name, spoil := range map[string]func(*exempted.Request){
		"no reason":        func(r *exempted.Request) { r.Reason = " " },
		"a long reason":    func(r *exempted.Request) { r.Reason = strings.Repeat("x", 5000) },
		"no control":       func(r *exempted.Request) { r.Control = "" },
		"over already":     func(r *exempted.Request) { r.Until = noon },
		"longer than ever": func(r *exempted.Request) { r.Until = noon.AddDate(5, 0, 0) },
		"for a person":     func(r *exempted.Request) { r.For = s.Person(ada.Mail) },
		"for nothing":      func(r *exempted.Request) { r.For = "change:github.com/acme/pay#8" },
	} {
		r := request()
		spoil(&r)
		if ref, err := exempted.Ask(t.Context(), s, noon, r); err == nil {
			t.Errorf("%s: %s", name, ref)
		}
	}
	if err := exempted.Grant(t.Context(), s, noon, governance.ExceptionRef("REV-01", "none"), bo, exempted.Standing{}); !errors.Is(err, stemma.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

func TestAdvisoriesOfAFeedAreStatedOnce(t *testing.T) {
	s := house(t, storagetest.SQLite(t))
	feed := `[{"id":"A-1","model":"m-1*","title":"leaves secrets in tests","severity":"high","published":"2026-11-01T00:00:00Z"},
		{"id":"A-2","model":"m-2","title":"old","published":"2026-10-01T00:00:00Z","withdrawn":"2026-10-02T00:00:00Z"}]`
	for i, want := range []int{2, 0} {
		list, err := exempted.ParseFeed("acme", []byte(feed))
		must(t, err)
		n, err := exempted.Advise(t.Context(), s, now, list...)
		must(t, err)
		if n != want {
			t.Errorf("at time %d, %d were stated, want %d", i, n, want)
		}
	}
	if a := attrs(t, s, governance.AdvisoryRef("acme", "A-1")); a.Text("model") != "m-1*" || a.Text("severity") != "high" {
		t.Errorf("%v", a)
	}
}

func TestAFeedThatGoesOnAfterItsEndIsRefused(t *testing.T) {
	feed := `[{"id":"A-1","model":"m-1*","title":"t","published":"2026-11-01T00:00:00Z"}]`
	for _, body := range []string{feed + feed, feed + "\n" + `{"id":"A-2"}`, feed + "x", feed + "]", "null", "", feed[:20]} {
		if list, err := exempted.ParseFeed("acme", []byte(body)); err == nil {
			t.Errorf("of %q %d are read", body, len(list))
		}
	}
	if list, err := exempted.ParseFeed("acme", []byte(feed+" \n")); err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
	told := `{"asked":"2026-11-01T00:00:00Z","packages":[{"purl":"pkg:npm/pay"}]}`
	for _, body := range []string{told + told, told + "}", told + "]", told + "x"} {
		if list, err := exempted.ParsePackages([]byte(body)); err == nil {
			t.Errorf("of %q %d are read", body, len(list))
		}
	}
}

func FuzzAnyFeedIsReadOrRefused(f *testing.F) {
	f.Add([]byte(`[{"id":"A-1","model":"m-1*","title":"t","severity":"high","published":"2026-11-01T00:00:00Z"}]`))
	f.Add([]byte(`[{"id":"\u0000","model":"[","title":"` + "\xff" + `","severity":"awful","published":"9999-12-31T23:59:59Z"}]`))
	f.Add([]byte(`[null]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := exempted.ParseFeed("acme", body)
		if err != nil {
			return
		}
		for _, a := range list {
			if _, err := a.Fact("test", stemma.GradeD); err != nil {
				t.Errorf("%+v was read and cannot be stated: %v", a, err)
			}
		}
	})
}

// tie says that two accounts are one person.
func tie(t *testing.T, s *ingest.Space, a, b stemma.Ref) error {
	t.Helper()
	_, err := judged.Tell(t.Context(), s, now, judged.Sameness{One: a, Other: b, Name: "Cy", Mail: "cy@acme.example", Reason: "both are hers"})
	return err
}
