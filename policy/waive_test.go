package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/policy/subject"
)

func TestWhyAnExceptionDoesNotHoldIsSaidAsItIs(t *testing.T) {
	now := time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)
	ada, bo := subject.Person{Ref: "person:a", Human: true}, subject.Person{Ref: "person:b", Human: true}
	for name, c := range map[string]struct {
		edit func(e *subject.Exception)
		want string
		void bool
	}{
		"granted by who made it":  {func(e *subject.Exception) { e.Approver = ada }, "was not granted by somebody else", false},
		"that, withdrawn":         {func(e *subject.Exception) { e.Approver, e.Withdrawn = ada, now }, "was withdrawn 2026-11-03", true},
		"that, after it let pass": {func(e *subject.Exception) { e.Approver, e.Withdrawn, e.Waived = ada, now, true }, "was withdrawn 2026-11-03", false},
		"asked for, withdrawn":    {func(e *subject.Exception) { e.Withdrawn = now }, "was withdrawn 2026-11-03", true},
		"granted, withdrawn":      {func(e *subject.Exception) { e.Approver, e.Withdrawn = bo, now }, "was withdrawn 2026-11-03", false},
		"withdrawn, granted": {func(e *subject.Exception) {
			e.Approver, e.Withdrawn, e.Approved = bo, now.Add(-2*time.Hour), now.Add(-time.Hour)
		}, "was withdrawn", true},
		"an emergency, withdrawn":    {func(e *subject.Exception) { e.Emergency, e.Withdrawn = true, now }, "was withdrawn", false},
		"over":                       {func(e *subject.Exception) { e.Approver, e.Until = bo, now }, "ended 2026-11-03", false},
		"withdrawn, and over by now": {func(e *subject.Exception) { e.Approver, e.Withdrawn, e.Until = bo, now.Add(-time.Hour), now }, "was withdrawn", false},
	} {
		x := &subject.Subject{Now: now, Change: subject.Change{Author: ada}, Exceptions: []subject.Exception{{
			Thing: subject.Thing{Ref: "exception:REV-01/1"}, Control: "REV-01", Reason: "r", Owner: subject.Person{Ref: "person:c", Human: true},
			Opened: now.Add(-24 * time.Hour), Until: now.Add(24 * time.Hour),
		}}}
		c.edit(&x.Exceptions[0])
		x.Derive()
		f := Finding{Control: "REV-01", State: Fail, Reason: "nobody approved"}
		waive(&f, x)
		if f.State != Fail || !strings.Contains(f.Reason, c.want) || x.Exceptions[0].Void != c.void {
			t.Errorf("%s: %s, %s, void %v", name, f.State, f.Reason, x.Exceptions[0].Void)
		}
	}
}
