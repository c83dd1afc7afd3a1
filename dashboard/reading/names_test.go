package reading_test

import (
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/reading"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

func TestAnAccountIsCalledAsWhoeverHasIt(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		noon := func() time.Time { return time.Date(2026, 9, 15, 12, 0, 0, 0, time.UTC) }
		space := ingesttest.Must(t, open(), noon)
		w := ingest.NewWriter(t.Context(), space, noon)
		ann := w.Person("Ann Lee", "ann@example.com", "")
		want := map[stemma.Ref]string{
			ann: "Ann Lee",
			w.Account(ingest.Account{Host: "github.com", ID: "1", Login: "ann"}):               "Ann Lee",
			w.Account(ingest.Account{Host: "github.com", ID: "2", Login: "bo"}):                "bo",
			w.Account(ingest.Account{Host: "github.com", ID: "3", Login: "annl", Name: "Ann"}): "Ann",
		}
		var refs []stemma.Ref
		for ref, name := range want {
			refs = append(refs, ref)
			if name == "bo" || ref == ann {
				continue
			}
			if err := w.Record(t.Context(), identity.NewTie(identity.TieNoreply, ann, ref), "test", stemma.GradeA); err != nil {
				t.Fatal(err)
			}
		}
		for _, ref := range refs {
			if err := w.Record(t.Context(), identity.Person{ID: ref}, "test", stemma.GradeA); err != nil {
				t.Fatal(err)
			}
		}
		gone := w.Account(ingest.Account{Host: "github.com", ID: "4", Login: "gone"})
		for _, x := range []ingest.Record{identity.NewTie(identity.TieNoreply, ann, gone), identity.Person{ID: gone}} {
			if err := w.Record(t.Context(), x, "test", stemma.GradeA); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := space.Erase(t.Context(), noon, ingest.Erasure{What: gone, Name: "Dan", Mail: "dan@example.com", Ground: "asked"}); err != nil {
			t.Fatal(err)
		}
		want[gone], refs = lineage.Title(gone, nil), append(refs, gone)
		got, err := reading.New(space).Names(t.Context(), refs...)
		if err != nil {
			t.Fatal(err)
		}
		for ref, name := range want {
			if got[ref] != name {
				t.Errorf("%s is called %q, want %q", ref, got[ref], name)
			}
		}
	})
}
