package assess_test

import (
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// However it came into the log: the pseudonym of an address says nothing of whose it is.
func TestAnExceptionThatAProgramGrantedDoesNotHold(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		h := newHouse(t, open())
		j := h.judge("")
		w := ingest.NewWriter(t.Context(), h.space, h.now)
		for number, mail := range []string{
			1: "bo@acme.example", 2: "noreply@anthropic.com", 3: "41898282+github-actions[bot]@users.noreply.github.com", 4: "support@dependabot.com",
		} {
			if number == 0 {
				continue
			}
			h.put(merged(number), governance.Exception{
				ID: governance.ExceptionRef("REV-01", mail), Control: "REV-01", Change: merged(number).Ref(), Reason: "the site was down", Owner: ada,
				Approver: w.Person("Somebody", mail, ""), Opened: stemma.At(noon), Approved: stemma.At(noon), Until: stemma.At(noon.Add(24 * time.Hour)),
			})
		}
		h.must(w.Close(t.Context()))
		h.follow(j)
		for number, want := range map[int][2]string{1: {"waived", "pass"}, 2: {"fail", "fail"}, 3: {"fail", "fail"}, 4: {"fail", "fail"}} {
			if got := [2]string{h.stands(number, "REV-01"), h.stands(number, "EXC-01")}; got != want {
				t.Errorf("#%d is %v, want %v", number, got, want)
			}
		}
	})
}
