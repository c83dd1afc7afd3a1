package govern

import (
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

func TestAControlThatChangesWereJudgedByCanBeWaived(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		t.Chdir(t.TempDir()) // outside a clone
		now := func() time.Time { return time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC) }
		space := ingesttest.Must(t, open(), now)
		f, err := governance.Policy{
			ID: governance.PolicyRef("sha256:ab"), Since: stemma.At(now()), Controls: []governance.PolicyControl{{Control: "PAY-01", Version: 1}},
		}.Fact("test", stemma.GradeA)
		if err == nil {
			_, err = space.Ledger.Append(t.Context(), f)
		}
		if err == nil {
			_, err = space.Graph.Apply(t.Context(), space.Ledger)
		}
		if err != nil {
			t.Fatal(err)
		}
		for text, want := range map[string]string{"pay-01": "PAY-01", "REV-01": "REV-01", "*": "*", "PAY-02": "", "PAY-*": "", "EXC-01": "", "": ""} {
			if got, err := waivable(t.Context(), &program.Store{Space: space}, "", text); got != want || (err == nil) != (want != "") {
				t.Errorf("%q is %q, %v", text, got, err)
			}
		}
	})
}
