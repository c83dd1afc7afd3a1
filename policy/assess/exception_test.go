package assess_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
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

// Who granted it may turn out to have made the change. What it let pass stays passed over.
func TestAnExceptionThatWasWithdrawnIsVoidOnlyIfNothingRestedOnIt(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		h := newHouse(t, open())
		j := h.judge("")
		of := func(number int) governance.Exception {
			return governance.Exception{
				ID: governance.ExceptionRef("REV-01", fmt.Sprint(number)), Control: "REV-01", Change: merged(number).Ref(), Reason: "the site was down", Owner: ada,
				Approver: bo, Opened: stemma.At(noon), Approved: stemma.At(noon), Until: stemma.At(noon.Add(24 * time.Hour)),
			}
		}
		driven := func(number int) change.Change {
			c := merged(number)
			c.Drivers = []stemma.Edge{{To: bo}}
			return c
		}
		h.put(merged(1), of(1), driven(2), of(2))
		h.follow(j)
		if got := [2]string{h.stands(1, "REV-01"), h.stands(2, "REV-01")}; got != [2]string{"waived", "fail"} {
			t.Errorf("at first they are %v", got)
		}
		for number := 1; number <= 2; number++ {
			e := of(number)
			e.Withdrawn = stemma.At(noon.Add(time.Hour))
			h.put(driven(number), e)
		}
		h.follow(j)
		if got := [2]string{h.stands(1, "EXC-01"), h.stands(2, "EXC-01")}; got != [2]string{"pass > fail", "fail > not-applicable"} {
			t.Errorf("withdrawn they are %v", got)
		}
	})
}
