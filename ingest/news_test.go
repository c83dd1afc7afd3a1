package ingest_test

import (
	"slices"
	"testing"

	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestOnlyWhatWasNotSaidIsNews(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, openDB func() *storage.DB) {
		space := ingesttest.Must(t, openDB(), noon)
		put(t, space, 1, report(t, "PAY-1", 1, "First", "open", "R-1"), report(t, "PAY-1", 3, "Second", "", "R-2"))
		before := ingesttest.Facts(t, space)
		other := report(t, "PAY-1", 3, "Second", "")
		other.Source = "linear"
		news, err := space.News(t.Context(),
			report(t, "PAY-1", 3, "Second", ""), report(t, "PAY-1", 5, "Second", "open", "R-1", "R-2"), report(t, "PAY-1", 2, "Between", ""), // said, said later, overtaken
			report(t, "PAY-1", 6, "Third", ""), report(t, "PAY-1", 3, "", "", "R-3"), // another title, another requirement
			report(t, "PAY-1", 6, "Third", ""), report(t, "PAY-2", 1, "Other", ""), report(t, "PAY-2", 1, "Other", ""), other,
		)
		want := []ingest.Novelty{
			ingest.Known, ingest.Known, ingest.Known, ingest.Different, ingest.Different, ingest.Known, ingest.Absent, ingest.Known, ingest.Absent,
		}
		if err != nil || !slices.Equal(news, want) {
			t.Errorf("%v, %v, want %v", news, err, want)
		}
		if after := ingesttest.Facts(t, space); after != before {
			t.Errorf("%d facts were stated", after-before)
		}
	})
}
