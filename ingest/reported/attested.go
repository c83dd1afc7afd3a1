package reported

import (
	"cmp"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/statement"
)

// attestation reads the one statement that bytes hold; why says what is wrong with them.
func attestation(raw []byte) (s statement.Statement, why string) {
	list, problems := statement.Parse(raw)
	switch {
	case len(problems) > 0:
		return s, problems[0].Reason
	case len(list) != 1:
		return s, "there are several"
	}
	return list[0], ""
}

// attestations states what others say of what was built, with the bytes that they signed.
// What it says is read from these and from nowhere else. Who signed is left to whoever judges:
// whom an organisation trusts may change.
func (t *taker) attestations() error {
	for i, raw := range t.e.Attestations {
		s, why := attestation(raw)
		if why != "" {
			return bad("its attestation %d is none: %s", i+1, why)
		}
		a := s.Record(cmp.Or(stemma.CleanText(t.e.File, 300), "report"), time.Time{}) // the same bytes are the same attestation
		a.Bodies = nil
		erased, err := t.w.Erased(t.ctx, a.Ref())
		if err != nil {
			return err
		}
		if !erased {
			body, err := t.w.Body(t.ctx, a.Ref(), "attestation", "application/json", s.Raw)
			if err != nil {
				return err
			}
			a.Bodies = []stemma.Body{body}
		}
		if err := t.latest(a, t.grade(), 0); err != nil {
			return err
		}
		t.about(a.Ref())
	}
	return nil
}
