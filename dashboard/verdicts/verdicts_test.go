package verdicts_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/dashboard/verdicts"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// judged is a reader of verdicts on some changes, several of which were made at one moment.
func judged(t *testing.T, db *storage.DB, changes int) *verdicts.Reader {
	t.Helper()
	clock := func() time.Time { return noon }
	space := ingesttest.Must(t, db, clock)
	w := ingest.NewWriter(t.Context(), space, clock)
	for n := range changes {
		c := change.Change{Repository: stemma.Ref(fmt.Sprint("repository:github.com/acme/", n%2)), Number: 1 + n}
		a := governance.Assessment{
			ID: governance.AssessmentRef(c.Ref()), Change: c.Ref(), Repository: c.Repository, Evaluated: stemma.At(noon.Add(-time.Duration(n/5) * time.Minute)),
			Merged: stemma.At(noon.AddDate(0, 0, -n)), Trigger: "merge", Failed: 2, Unknown: 1, Turned: n % 2, Blocks: n%3 == 0,
			Findings: []governance.Finding{{Control: "A-1", State: "fail"}, {Control: "A-2", State: "unknown"}, {Control: "A-3", State: "fail", Blocks: n%3 == 0}},
		}
		if n%2 == 1 {
			a.Findings[0].Before = "pass"
		}
		must(t, w.Record(t.Context(), a, "test", stemma.GradeA))
	}
	must(t, w.Close(t.Context()))
	r, err := verdicts.New(t.Context(), space)
	must(t, err)
	return r
}

func TestPagesOfAListMeetWhateverTheirSize(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		r := judged(t, open(), 23)
		for name, c := range map[string]struct {
			ask  verdicts.Ask
			want int
		}{
			"all":             {verdicts.Ask{}, 69},
			"one state":       {verdicts.Ask{States: []string{"fail"}}, 46},
			"two states":      {verdicts.Ask{States: []string{"fail", "unknown"}}, 69},
			"no state":        {verdicts.Ask{States: []string{"pass"}}, 0},
			"one control":     {verdicts.Ask{Controls: []string{"A-2"}}, 23},
			"no control":      {verdicts.Ask{Controls: []string{}}, 0},
			"one repository":  {verdicts.Ask{Repository: "repository:github.com/acme/1"}, 33},
			"no repository":   {verdicts.Ask{Repository: "repository:github.com/acme/none"}, 0},
			"what turned":     {verdicts.Ask{Turned: true}, 11},
			"what blocks":     {verdicts.Ask{Blocks: true}, 8},
			"of three days":   {verdicts.Ask{From: noon.AddDate(0, 0, -4), To: noon.AddDate(0, 0, -1)}, 9},
			"of two minutes":  {verdicts.Ask{Since: noon.Add(-time.Minute)}, 30},
			"several at once": {verdicts.Ask{States: []string{"fail"}, Controls: []string{"A-1", "A-2"}, Repository: "repository:github.com/acme/1", Turned: true, Since: noon.Add(-time.Minute)}, 5},
		} {
			c.ask.Limit = 1000
			whole, err := r.Findings(t.Context(), c.ask)
			must(t, err)
			if len(whole) != c.want {
				t.Errorf("%s: %d findings, want %d", name, len(whole), c.want)
			}
			if !slices.IsSortedFunc(whole, func(a, b verdicts.Finding) int { return b.Evaluated.Compare(a.Evaluated) }) {
				t.Errorf("%s: the latest verdicts are not first", name)
			}
			for _, size := range []int{1, 2, 7} {
				var parts []verdicts.Finding
				for ask := c.ask; ; {
					ask.Limit = size
					part, err := r.Findings(t.Context(), ask)
					must(t, err)
					if len(part) == 0 {
						break
					}
					var ok bool
					parts = append(parts, part...)
					if ask.After, ok = verdicts.ParsePlace(part[len(part)-1].Place.String()); !ok {
						t.Fatalf("the place %s cannot be read", part[len(part)-1].Place)
					}
				}
				if !slices.Equal(parts, whole) {
					t.Errorf("%s: in pages of %d it is another list: %d findings, want %d", name, size, len(parts), len(whole))
				}
			}
		}
		blocked, err := r.Blocked(t.Context(), verdicts.Place{}, 3)
		must(t, err)
		rest, err := r.Blocked(t.Context(), blocked[2].Place, 100)
		must(t, err)
		n, err := r.CountBlocked(t.Context())
		must(t, err)
		if len(blocked)+len(rest) != 8 || n != 8 {
			t.Errorf("%d and %d changes are held up, and counted %d", len(blocked), len(rest), n)
		}
	})
}

func TestHistoryIsTheLastVerdictsAndHowManyCameBefore(t *testing.T) {
	clock := func() time.Time { return noon }
	space := ingesttest.Must(t, storagetest.SQLite(t), clock)
	c := change.Change{Repository: "repository:github.com/acme/pay", Number: 1}
	for n := range 40 {
		a := governance.Assessment{ID: governance.AssessmentRef(c.Ref()), Change: c.Ref(), Evaluated: stemma.At(noon.Add(time.Duration(n) * time.Minute)), Trigger: "time", Score: n}
		f, err := a.Fact("policy", stemma.GradeA)
		must(t, err)
		_, err = space.Ledger.Append(t.Context(), f)
		must(t, err)
	}
	r, err := verdicts.New(t.Context(), space)
	must(t, err)
	list, more, err := r.History(t.Context(), c.Ref())
	must(t, err)
	if len(list) != 30 || more != 10 || list[0].Score != 39 || list[29].Score != 10 {
		t.Errorf("%d verdicts and %d before, from score %d to %d", len(list), more, list[0].Score, list[len(list)-1].Score)
	}
}

func TestClocksOfExceptions(t *testing.T) {
	at := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
	for name, c := range map[string]struct {
		e              verdicts.Exception
		ended, overdue string
	}{
		"fresh":                      {verdicts.Exception{Until: at(1), Due: at(1)}, "", ""},
		"its last moment":            {verdicts.Exception{Until: at(0)}, "expired", ""},
		"taken back":                 {verdicts.Exception{Until: at(1), Withdrawn: at(-1), Due: at(-1)}, "withdrawn", ""},
		"forgotten":                  {verdicts.Exception{Until: at(1), Due: at(-1)}, "", "not followed up"},
		"followed up":                {verdicts.Exception{Until: at(1), Due: at(-1), FollowedUp: at(-2)}, "", ""},
		"an emergency, not approved": {verdicts.Exception{Until: at(1), Due: at(-1), FollowedUp: at(-2), Emergency: true}, "", "emergency that nobody approved"},
		"without end":                {verdicts.Exception{Due: at(1)}, "", ""},
	} {
		if got := c.e.Ended(noon); got != c.ended {
			t.Errorf("%s: it ended %q, want %q", name, got, c.ended)
		}
		if got := c.e.Overdue(noon); got != c.overdue {
			t.Errorf("%s: overdue %q, want %q", name, got, c.overdue)
		}
	}
}

// FuzzPlace reads places from addresses: what can be read is written the same.
func FuzzPlace(f *testing.F) {
	for _, s := range []string{"", "1-2-3", "-1-2-3", "1-2", "01-2-3", "9223372036854775807-1-1", "a-b-c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, ok := verdicts.ParsePlace(s)
		if !ok {
			return
		}
		if again, ok := verdicts.ParsePlace(p.String()); !ok || again != p {
			t.Errorf("%q is %v, which is written %q and read as %v", s, p, p, again)
		}
	})
}

func TestAPolicyStandsAtEachTimeThatItWasPutInForce(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		clock := func() time.Time { return noon }
		space := ingesttest.Must(t, open(), clock)
		w := ingest.NewWriter(t.Context(), space, clock)
		digests := []string{"a", "b", "a"}
		for i, of := range digests {
			must(t, w.Record(t.Context(), governance.Policy{
				ID: governance.PolicyRef(stemma.Sum([]byte(of)).String()), Since: stemma.At(noon.AddDate(0, i, 0)), Count: 1, Packs: of,
				Controls: []governance.PolicyControl{{Control: "A-1", Version: 1}},
			}, "policy", stemma.GradeA))
		}
		must(t, w.Close(t.Context()))
		r, err := verdicts.New(t.Context(), space)
		must(t, err)
		all, err := r.Policies(t.Context(), 10)
		must(t, err)
		var got []string
		for _, p := range all {
			got = append(got, fmt.Sprint(p.Since.Format("01 "), p.Packs, len(p.Controls)))
		}
		if want := []string{"01 a1", "12 b1", "11 a1"}; !slices.Equal(got, want) {
			t.Errorf("in force were %q, want %q", got, want)
		}
		if all, err := r.Policies(t.Context(), 2); err != nil || len(all) != 2 || all[1].Packs != "b" {
			t.Errorf("the latest two are %+v, %v", all, err)
		}
	})
}

func TestAnExceptionSaysWhyItWaivesNothing(t *testing.T) {
	ann, bob := stemma.Ref("person:a"), stemma.Ref("person:b")
	at := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
	for _, c := range []struct {
		name string
		e    verdicts.Exception
		want string
	}{
		{"granted", verdicts.Exception{Owner: ann, Approver: bob, Opened: at(-1), Due: at(47)}, ""},
		{"not granted", verdicts.Exception{Owner: ann, Opened: at(-1), Due: at(47)}, "until it is granted"},
		{"granted by who asked", verdicts.Exception{Owner: ann, Approver: ann, Opened: at(-1), Due: at(47)}, "who asked for it"},
		{"in an emergency", verdicts.Exception{Owner: ann, Emergency: true, Opened: at(-1), Due: at(47)}, ""},
		{"in an emergency that is over", verdicts.Exception{Owner: ann, Emergency: true, Opened: at(-49), Due: at(-1)}, "until it is granted"},
	} {
		if got := c.e.Idle(noon); got != c.want && (c.want == "" || !strings.Contains(got, c.want)) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
