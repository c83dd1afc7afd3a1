package ingest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/session"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
	"github.com/stemma-dev/stemma/vault"
)

func TestWhatIsErasedIsNotTakenInAgain(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		clock := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
		now := func() time.Time { return clock }
		s := ingesttest.Must(t, open(), now)
		said := session.Session{Tool: "claude-code", ExternalID: "s1"}
		other := session.Session{Tool: "claude-code", ExternalID: "s2"}
		tell := func() {
			t.Helper()
			w := ingest.NewWriter(t.Context(), s, now)
			w.Person("Ada", "ada@acme.example", "ada")
			for _, x := range []session.Session{said, other} {
				if _, err := w.Body(t.Context(), x.Ref(), "transcript", "text/plain", []byte("the password is "+x.ExternalID)); err != nil {
					t.Fatal(err)
				}
				if err := w.Record(t.Context(), x, "test", stemma.GradeC); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		called := func() int {
			t.Helper()
			list, err := s.Called(t.Context(), "ada")
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		}
		tell()
		if called() != 1 {
			t.Fatal("nobody is called Ada")
		}
		for _, what := range []stemma.Ref{said.Ref(), s.Person("ada@acme.example")} {
			gone, err := s.Erase(t.Context(), now, ingest.Erasure{What: what, Name: "Ann", Mail: "ann@x.test", Ground: "a request"})
			if err != nil || gone.Name != (what.Kind() == stemma.KindPerson) || (gone.Bodies == 1) != (what == said.Ref()) {
				t.Errorf("%+v, %v", gone, err)
			}
		}
		clock = clock.Add(time.Hour)
		tell() // a scan that meets both again
		if called() != 0 {
			t.Error("who was erased is called Ada again")
		}
		if _, err := s.Vault.Get(t.Context(), said.Ref(), stemma.Sum([]byte("the password is s1"))); !errors.Is(err, vault.ErrErased) {
			t.Errorf("a body that was erased: %v", err)
		}
		if _, err := s.Vault.Get(t.Context(), other.Ref(), stemma.Sum([]byte("the password is s2"))); err != nil {
			t.Errorf("the body of another session: %v", err)
		}
		var accounted int
		err := s.DB.Each(t.Context(), func(scan func(...any) error) error { return scan(&accounted) },
			`SELECT COUNT(*) FROM k_gap WHERE "source" = 'erasure' AND "reason" LIKE 'erased by person:%: a request'`)
		if err != nil || accounted != 2 {
			t.Errorf("%d gaps account for two erasures: %v", accounted, err)
		}
		for what, want := range map[stemma.Ref]bool{said.Ref(): true, other.Ref(): false} {
			if got, err := ingest.Accounted(t.Context(), s.DB, what); err != nil || got != want {
				t.Errorf("the erasure of %s is accounted for: %v, %v; want %v", what, got, err, want)
			}
		}
		if _, err := s.Erase(t.Context(), now, ingest.Erasure{What: "session:x/none", Name: "Ann", Mail: "ann@x.test", Ground: "x"}); !errors.Is(err, stemma.ErrNotFound) {
			t.Errorf("what was never there: %v", err)
		}
	})
}
