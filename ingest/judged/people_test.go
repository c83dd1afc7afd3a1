package judged_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/ingest/judged"
	"github.com/stemma-dev/stemma/query"
	"github.com/stemma-dev/stemma/query/people"
	"github.com/stemma-dev/stemma/query/views"
	"github.com/stemma-dev/stemma/review"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

var (
	mail, account, tracker = identity.PersonRef("0a"), identity.PersonRef("0b"), identity.PersonRef("0c")
	stranger               = identity.PersonRef("0d")
	repository             = change.RepositoryRef("github.com", "acme/pay")
	noon                   = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
)

// house is what is known of Ada, who has three accounts, and of somebody else.
func house() []ingest.Record {
	brought := func(number int, author stemma.Ref) change.Change {
		return change.Change{Repository: repository, Number: number, Author: author, Merged: stemma.At(noon)}
	}
	gave := func(id string, by stemma.Ref) review.Review {
		return review.Review{ID: review.Ref("github.com", id), Change: brought(1, "").Ref(), Reviewer: by, Verdict: "approved", Submitted: stemma.At(noon)}
	}
	driven := brought(1, mail)
	driven.Drivers = []stemma.Edge{{To: stranger, Method: "assignee"}}
	return []ingest.Record{
		driven, brought(2, account), brought(3, stranger),
		gave("1", account), gave("2", stranger), gave("3", tracker),
		identity.NewTie(identity.TieNoreply, mail, account),
		identity.NewTie(identity.TieAccountMail, mail, tracker),
	}
}

// told is a space that was told records in an order.
func told(t *testing.T, db *storage.DB, records []ingest.Record, order []int) *ingest.Space {
	t.Helper()
	s := ingesttest.Must(t, db, func() time.Time { return noon })
	w := ingest.NewWriter(t.Context(), s, func() time.Time { return noon })
	for _, i := range order {
		if err := w.Record(t.Context(), records[i], "test", stemma.GradeC); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			if err := w.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := views.Ensure(t.Context(), s.DB); err != nil {
		t.Fatal(err)
	}
	return s
}

// answer is what a question gives, its cells in a row.
func answer(t *testing.T, s *ingest.Space, kind, text string) string {
	t.Helper()
	q, err := query.Parse(kind, text, noon)
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	err = s.DB.Read(t.Context(), func(tx *storage.Tx) error {
		r, err := query.Run(t.Context(), tx, q)
		if err != nil {
			return err
		}
		for row, err := range r.Rows {
			if err != nil {
				return err
			}
			rows = append(rows, row[0].String()+cells(row[1:]))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(rows, "; ")
}

func cells(row query.Row) string {
	var b strings.Builder
	for _, c := range row[:min(len(row), 1)] {
		b.WriteString(" " + c.String())
	}
	return b.String()
}

func TestAccountsOfOnePersonCountAsOneInAnyOrder(t *testing.T) {
	records := house()
	random := rand.New(rand.NewPCG(3, 9))
	var first string
	for range 4 {
		order := random.Perm(len(records))
		storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
			s := told(t, open(), records, order)
			for _, c := range []struct{ kind, text, want string }{
				{"changes", "author:" + string(tracker) + " sort:number", "change:github.com/acme/pay#1 ; change:github.com/acme/pay#2 "},
				{"changes", "group:author", string(mail) + " 2; " + string(stranger) + " 1"},
				{"people", "changes:2 accounts:3", string(mail) + " "},
				{"reviews", "is:self sort:ref", "review:github.com/1 change:github.com/acme/pay#1; review:github.com/3 change:github.com/acme/pay#1"},
				{"reviews", "is:driver", "review:github.com/2 change:github.com/acme/pay#1"},
				{"changes", "driver:" + string(stranger), "change:github.com/acme/pay#1 "},
				{"reviews", "-is:self", "review:github.com/2 change:github.com/acme/pay#1"},
				{"reviews", "group:reviewer", string(mail) + " 2; " + string(stranger) + " 1"},
			} {
				if got := answer(t, s, c.kind, c.text); got != c.want {
					t.Errorf("in the order %v: %s %s gives %q, want %q", order, c.kind, c.text, got, c.want)
				}
			}
			if dump := ingesttest.Told(t, s); first == "" {
				first = dump
			} else if diff := cmp.Diff(first, dump); diff != "" {
				t.Errorf("in the order %v the graph is another one:\n%s", order, diff)
			}
		})
	}
}

func TestTheLastWordAboutTwoAccountsStandsBeforeEvidence(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		records := house()
		s := told(t, open(), records, []int{0, 1, 2, 3, 4, 5, 6, 7})
		clock := noon
		tell := func(one, other stemma.Ref, apart bool) bool {
			clock = clock.Add(time.Minute)
			same, err := judged.Tell(t.Context(), s, func() time.Time { return clock }, judged.Sameness{
				One: one, Other: other, Apart: apart, Name: "Ann", Mail: "ann@x.test", Reason: fmt.Sprint("word ", clock.Minute()),
			})
			if err != nil {
				t.Fatal(err)
			}
			return same
		}
		same := func(want ...stemma.Ref) {
			t.Helper()
			got, err := s.Graph.Same(t.Context(), want[0])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
		same(mail, account, tracker)
		if tell(account, mail, true) {
			t.Error("what a person splits is still one")
		}
		same(mail, tracker)
		same(account)
		if !tell(mail, account, false) {
			t.Error("what a person merges again is two")
		}
		same(mail, account, tracker)
		if !tell(stranger, tracker, false) {
			t.Error("what a person merges without evidence is two")
		}
		same(mail, account, tracker, stranger)
		tell(stranger, mail, true)
		same(tracker, stranger) // the person said that they are one: the evidence about the mail gives way
		same(mail, account)
		_, err := judged.Tell(t.Context(), s, func() time.Time { return clock }, judged.Sameness{One: account, Other: tracker, Name: "Ann", Mail: "ann@x.test"})
		if err == nil || !strings.Contains(err.Error(), "are kept apart") {
			t.Errorf("two of whom others are kept apart become one: %v", err)
		}

		list, _, err := people.Of(t.Context(), s.DB, people.Ask{Of: []stemma.Ref{account}, Names: true})
		if err != nil || len(list) != 1 || list[0].Ref != mail || len(list[0].Accounts) != 2 || len(list[0].Ties) != 4 {
			t.Fatalf("people %+v, %v", list, err)
		}
		for _, tie := range list[0].Ties {
			if followed := tie.Method != identity.TieAccountMail; tie.Followed != followed {
				t.Errorf("%+v: want followed %v", tie, followed)
			}
		}
		before := ingesttest.Told(t, s)
		if err := s.Graph.Rebuild(context.Background(), s.Ledger); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, ingesttest.Told(t, s)); diff != "" {
			t.Errorf("a rebuild makes another graph:\n%s", diff)
		}
	})
}

func TestAWordThatIsTakenBackLeavesEvidenceAlone(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		s := told(t, open(), house(), []int{0, 1, 2, 3, 4, 5, 6, 7})
		clock := noon
		for _, step := range []struct {
			one, other stemma.Ref
			word       judged.Sameness
			same       bool
		}{
			{mail, stranger, judged.Sameness{}, true},
			{mail, stranger, judged.Sameness{Apart: true}, false},
			{mail, stranger, judged.Sameness{Open: true}, false},
			{account, stranger, judged.Sameness{}, true}, // nothing stands between them any more
			{account, mail, judged.Sameness{Apart: true}, false},
			{account, mail, judged.Sameness{Open: true}, true}, // the evidence says so
		} {
			clock = clock.Add(time.Minute)
			w := step.word
			w.One, w.Other, w.Name, w.Mail, w.Reason = step.one, step.other, "Ann", "ann@x.test", "said"
			same, err := judged.Tell(t.Context(), s, func() time.Time { return clock }, w)
			if err != nil || same != step.same {
				t.Errorf("%+v: they are one %v, %v; want %v", w, same, err, step.same)
			}
		}
		w := judged.Sameness{One: tracker, Other: stranger, Open: true, Name: "Ann", Mail: "ann@x.test"}
		if _, err := judged.Tell(t.Context(), s, func() time.Time { return clock }, w); !errors.Is(err, stemma.ErrNotFound) {
			t.Errorf("a word that nobody said is taken back: %v", err)
		}
	})
}

func TestAnEarlierWordThatComesLaterChangesNothing(t *testing.T) {
	s := told(t, storagetest.SQLite(t), house(), []int{0, 1, 2, 6, 7})
	for _, word := range []struct {
		minute int
		apart  bool
	}{{9, true}, {5, false}} {
		at := noon.Add(time.Duration(word.minute) * time.Minute)
		one, err := judged.Tell(t.Context(), s, func() time.Time { return at }, judged.Sameness{
			One: mail, Other: account, Apart: word.apart, Name: "Ann", Mail: "ann@x.test", Reason: "word",
		})
		if err != nil || one {
			t.Errorf("after the word of minute %d they are one: %v, %v", word.minute, one, err)
		}
	}
}

func TestNobodyCanSpeakOfAccountsThatAreNotThere(t *testing.T) {
	s := told(t, storagetest.SQLite(t), house(), []int{0, 1})
	for _, other := range []stemma.Ref{identity.PersonRef("99"), repository} {
		_, err := judged.Tell(t.Context(), s, func() time.Time { return noon }, judged.Sameness{One: mail, Other: other, Name: "Ann", Mail: "ann@x.test"})
		if !errors.Is(err, stemma.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", other, err)
		}
	}
	if _, err := judged.Tell(t.Context(), s, func() time.Time { return noon }, judged.Sameness{One: mail, Other: mail}); err == nil {
		t.Error("an account is one with itself")
	}
}
