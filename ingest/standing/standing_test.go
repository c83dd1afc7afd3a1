package standing_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/ingest/standing"
	"github.com/stemma-dev/stemma/review"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

var (
	noon       = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	repository = change.RepositoryRef("github.com", "acme/pay")
	ada, bo    = identity.PersonRef("0a"), identity.PersonRef("0b")
	adaMail    = identity.PersonRef("0c")
)

func now() time.Time { return noon }

func at(minute int) stemma.Moment { return stemma.At(noon.Add(time.Duration(minute) * time.Minute)) }

func gave(id int, by stemma.Ref, minute int) review.Review {
	return review.Review{
		ID: review.Ref("github.com", fmt.Sprint("acme/pay#1/", id)), Change: change.NumberedRef(repository, 1), Reviewer: by, Verdict: "approved", Submitted: at(minute),
	}
}

func may(who stemma.Ref, role string, minute int) identity.Mandate {
	return identity.Mandate{Holder: who, Role: role, Host: "github.com", Repository: repository, Since: at(minute), Method: identity.MandateMember}
}

func tell(t *testing.T, s *ingest.Space, records ...ingest.Record) {
	t.Helper()
	w := ingest.NewWriter(t.Context(), s, now)
	for _, r := range records {
		if err := w.Record(t.Context(), r, "test", stemma.GradeB); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, s *ingest.Space) {
	t.Helper()
	if _, err := standing.Link(t.Context(), s, now); err != nil {
		t.Fatal(err)
	}
}

// kept are the standings that hold.
func kept(t *testing.T, s *ingest.Space) (list []string) {
	t.Helper()
	err := s.DB.Each(t.Context(), func(scan func(...any) error) error {
		var ref stemma.Ref
		var role, method string
		err := scan(&ref, &role, &method)
		list = append(list, strings.TrimPrefix(string(ref), "review:github.com/acme/pay#1/")+" "+role+" "+method)
		return err
	}, `SELECT n.ref, s."role", s."method" FROM k_standing s JOIN node n ON n.id = s."review" WHERE COALESCE(s."withdrawn", 0) = 0`)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

func TestAReviewKeepsTheRoleThatTheReviewerHadThen(t *testing.T) {
	team := identity.Mandate{Holder: bo, Role: "member", Team: "@acme/core", Host: "github.com", Since: at(5), Method: identity.MandateTeam}
	elsewhere := may(bo, "admin", 0)
	elsewhere.Repository = change.RepositoryRef("github.com", "acme/web")
	records := []ingest.Record{
		change.Change{Repository: repository, Number: 1},
		gave(1, ada, 10), gave(2, adaMail, 30), gave(3, ada, 50), gave(4, bo, 4), gave(5, bo, 10),
		may(ada, "write", 0), may(ada, "admin", 20), may(ada, "", 40), team, elsewhere,
		identity.NewTie(identity.TieNoreply, ada, adaMail),
	}
	want := []string{"1 write forge-member", "2 admin forge-member", "5 @acme/core forge-team"}
	random := rand.New(rand.NewPCG(5, 5))
	for range 4 {
		order := random.Perm(len(records))
		storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
			s := ingesttest.Must(t, open(), now)
			for i, n := range order {
				tell(t, s, records[n])
				if i%3 == 0 {
					link(t, s)
				}
			}
			link(t, s)
			if diff := cmp.Diff(want, kept(t, s)); diff != "" {
				t.Errorf("in the order %v (-want +got):\n%s", order, diff)
			}
			size := ingesttest.Facts(t, s)
			link(t, s)
			if again := ingesttest.Facts(t, s); again != size {
				t.Errorf("looking again states %d facts", again-size)
			}
		})
	}
}

func TestALaterRoleMapChangesNoEarlierReview(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		s := ingesttest.Must(t, open(), now)
		tell(t, s, change.Change{Repository: repository, Number: 1}, gave(1, ada, 10), gave(2, ada, 30))
		set := func(text string) (added, gone int) {
			t.Helper()
			entries, err := standing.ParseMap([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			added, gone, err = standing.SetMap(t.Context(), s, now, entries, func(string) (stemma.Ref, error) { return ada, nil })
			if err != nil {
				t.Fatal(err)
			}
			link(t, s)
			return added, gone
		}
		const entry = "roles:\n- {who: ada, role: security-reviewer, repository: github.com/acme/pay, from: 2026-11-27T12:20:00Z"
		for i, step := range []struct {
			text        string
			added, gone int
			want        []string
		}{
			{entry + "}\n- {who: ada, role: x, repository: github.com/acme/web}\n", 2, 0, []string{"2 security-reviewer role-map"}},
			{entry + ", until: 2026-11-27T12:25:00Z}\n", 0, 1, []string{"2 security-reviewer role-map"}},
			{"roles: []\n", 0, 1, []string{"2 security-reviewer role-map"}},
			{entry + "}\n", 1, 0, []string{"2 security-reviewer role-map", "3 security-reviewer role-map"}},
		} {
			if i == 3 {
				tell(t, s, gave(3, ada, 40))
			}
			if added, gone := set(step.text); added != step.added || gone != step.gone {
				t.Errorf("step %d: %d new and %d gone, want %d and %d", i, added, gone, step.added, step.gone)
			}
			if diff := cmp.Diff(step.want, kept(t, s)); diff != "" {
				t.Errorf("step %d (-want +got):\n%s", i, diff)
			}
			before := ingesttest.Told(t, s)
			if err := s.Graph.Rebuild(t.Context(), s.Ledger); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, ingesttest.Told(t, s)); diff != "" {
				t.Errorf("step %d: a rebuild makes another graph:\n%s", i, diff)
			}
		}
	})
}

func TestWhatIsWrongWithARoleMapIsSaidWithItsPlace(t *testing.T) {
	for text, want := range map[string]string{
		"roles:\n- {who: a, role: b, rolle: c}\n":                          "rolle",
		"roles:\n- {who: a, role: b}\n- {role: b}\n":                       "entry 2 of the role map: who is missing",
		"roles:\n- {who: a}\n":                                             "it needs a role or a team",
		"roles:\n- {who: a, role: b, team: c}\n":                           "and not both",
		"roles:\n- {who: a, role: b, from: soon}\n":                        "no day",
		"roles:\n- {who: a, role: b, from: 2026-02-02, until: 2026-01-01}": "ends before it begins",
		"roles:\n- {who: a, role: b, repository: pay}\n":                   "is no repository",
		"roles:\n- {who: \"a\\u0007\", role: b}\n":                         "control characters",
		"roles: 7\n":                     "the role map: ",
		strings.Repeat(" ", 1<<20) + "x": "more than",
	} {
		if _, err := standing.ParseMap([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q in it", text, err, want)
		}
	}
	if list, err := standing.ParseMap(nil); err != nil || len(list) != 0 {
		t.Errorf("an empty map: %v, %v", list, err)
	}
}

func FuzzParseMap(f *testing.F) {
	f.Add([]byte("roles:\n- {who: a@x, role: b, from: 2026-01-01, until: 2026-02-01T00:00:00Z, repository: github.com/a/b}\n- {who: b, team: '@a/b'}\n"))
	f.Add([]byte("a: &a [*a]\nroles: *a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := standing.ParseMap(data)
		if err != nil {
			return
		}
		for _, e := range list {
			if e.Who == "" || (e.Role == "") == (e.Team == "") || !e.From.Valid() || !e.Until.Valid() || e.Repository != "" && !e.Repository.Valid() {
				t.Fatalf("ParseMap(%q) gives %+v", data, e)
			}
		}
	})
}
