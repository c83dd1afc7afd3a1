package ledger_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestAboutFindsFactsOfAllSubjects(t *testing.T) {
	storagetest.Both(t, func(t *testing.T, open func() *storage.DB) {
		l := openLedger(t, open(), newKey(t))
		long := stemma.NewRef("ticket", "jira", strings.Repeat("é", 700))
		other := stemma.NewRef("ticket", "jira", strings.Repeat("é", 699)+"x") // begins like the long one
		short := stemma.NewRef("ticket", "jira", "PAY-1")
		for i, s := range []stemma.Ref{short, long, other, short, "ticket:jira/PAY-2"} {
			f, err := stemma.NewFact(s, map[string]int{"n": i}, stemma.Provenance{Source: "test", Grade: stemma.GradeD})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := l.Append(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		var got []int64
		for e, err := range l.About(t.Context(), long, short, "ticket:jira/nobody") {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, e.Pos)
		}
		if !slices.Equal(got, []int64{0, 1, 3}) {
			t.Errorf("About gave the entries %v", got)
		}
	})
}
