package ingest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/intent"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

func noon() time.Time { return time.Date(2026, 9, 15, 12, 0, 0, 0, time.UTC) }

// report is what a tracker says of a ticket as of a minute.
func report(tb testing.TB, key string, minute int, title, state string, refines ...string) stemma.Fact {
	tb.Helper()
	t := intent.Ticket{Tracker: "jira", Key: key, Title: title, State: state, Occurred: stemma.At(noon().Add(time.Duration(minute) * time.Minute))}
	if minute < 0 {
		t.Occurred = 0 // it never changes
	}
	for _, r := range refines {
		t.Refines = append(t.Refines, stemma.Edge{To: intent.RequirementRef("declared", r), Method: "field"})
	}
	f, err := t.Fact("jira", stemma.GradeA)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// put puts facts in portions of at most n.
func put(tb testing.TB, s *ingest.Space, n int, facts ...stemma.Fact) {
	tb.Helper()
	for part := range slices.Chunk(facts, n) {
		w := ingest.NewWriter(tb.Context(), s, noon)
		err := w.Latest(tb.Context(), part...)
		if closing := w.Close(tb.Context()); err != nil || closing != nil {
			tb.Fatal(err, closing)
		}
	}
}

func TestReportsMayComeInAnyOrder(t *testing.T) {
	facts := []stemma.Fact{
		report(t, "PAY-1", -1, "", ""),
		report(t, "PAY-1", 1, "First <b>", "open"),
		report(t, "PAY-1", 2, "Second", "", "R-1"),
		report(t, "PAY-1", 3, "Second", "doing"),
		report(t, "PAY-1", 3, "", "done", "R-2"), // as of the same time
		report(t, "PAY-1", 4, "Third", ""),
		report(t, "PAY-2", 2, "Other", "open"),
	}
	ordered := ingesttest.Must(t, storagetest.SQLite(t), noon)
	put(t, ordered, 1, facts...)
	want := ingesttest.Told(t, ordered)
	if !strings.Contains(want, "Third") || !strings.Contains(want, `"done"`) || strings.Contains(want, "First") {
		t.Fatalf("in order, the graph says\n%s", want)
	}
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		rng := rand.New(rand.NewPCG(1, 2))
		for round := range 6 {
			rng.Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
			if round > 0 && t.Name() != "TestReportsMayComeInAnyOrder/sqlite" {
				break // one database is one space
			}
			s := ingesttest.Must(t, open(), noon)
			if round > 0 {
				s = ingesttest.Must(t, storagetest.SQLite(t), noon)
			}
			put(t, s, 1+rng.IntN(3), facts...)
			if got := ingesttest.Told(t, s); got != want {
				t.Errorf("in the order %v the graph says\n%s\nwant\n%s", orderOf(facts), got, want)
			}
			size := ingesttest.Facts(t, s)
			put(t, s, 1+rng.IntN(4), append(slices.Clone(facts), facts...)...)
			if again := ingesttest.Facts(t, s); again != size || ingesttest.Told(t, s) != want {
				t.Errorf("told again, there are %d facts instead of %d", again, size)
			}
		}
	})
}

func orderOf(facts []stemma.Fact) (order []string) {
	for _, f := range facts {
		order = append(order, fmt.Sprintf("%s %s", f.Occurred.Format("15:04"), f.Attrs))
	}
	return order
}

func TestReportThatNoRoomAcceptsIsAGap(t *testing.T) {
	s := ingesttest.Must(t, storagetest.SQLite(t), noon)
	f := report(t, "PAY-1", 1, "A", "open")
	f.Attrs = []byte(`{"tracker":"jira","key":"PAY-1","colour":"red"}`)
	put(t, s, 1, f)
	if told := ingesttest.Told(t, s); !strings.Contains(told, "colour") || !strings.Contains(told, `"gap"`) {
		t.Errorf("the graph says\n%s", told)
	}
}

func TestAccountIsKeptBesideThePerson(t *testing.T) {
	s := ingesttest.Must(t, storagetest.SQLite(t), noon)
	w := ingest.NewWriter(t.Context(), s, noon)
	one := w.Account(ingest.Account{Host: "github.com", ID: "7", Login: "ada", Mail: "ada@acme.example"})
	renamed := w.Account(ingest.Account{Host: "github.com", ID: "7", Login: "lovelace"})
	elsewhere := w.Account(ingest.Account{Host: "git.example", ID: "7", Login: "ada"})
	byLogin := w.Account(ingest.Account{Host: "github.com", Login: "ada"})
	byMail := w.Account(ingest.Account{Name: "Ada", Mail: "Ada@acme.example"})
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if one != renamed || one == elsewhere || one == byLogin || one == byMail || byMail != s.Person("ada@acme.example") {
		t.Errorf("%s %s %s %s %s", one, renamed, elsewhere, byLogin, byMail)
	}
	var host, id, login, mail string
	err := s.DB.Read(t.Context(), func(tx *storage.Tx) error {
		return tx.QueryRow(t.Context(), "SELECT host, account, login, email FROM profile WHERE ref = $1", string(one)).Scan(&host, &id, &login, &mail)
	})
	if err != nil || host != "github.com" || id != "7" || login != "ada" || mail != "ada@acme.example" {
		t.Errorf("profile %q %q %q %q, %v", host, id, login, mail, err)
	}
}
