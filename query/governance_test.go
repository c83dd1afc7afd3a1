package query_test

import (
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/query/querytest"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// judgement is how a change stands, by three controls.
func judgement(c change.Change, score int, minute int, review, tests string) governance.Assessment {
	found := func(control, state string) governance.Finding {
		return governance.Finding{Control: control, Version: 1, Severity: "high", Mode: "enforce", State: state, Grade: "B", Reason: "because of " + state, Blocks: state == "fail"}
	}
	return governance.Assessment{
		ID: governance.AssessmentRef(c.Ref()), Change: c.Ref(), Repository: c.Repository, Evaluated: stemma.At(told.Add(time.Duration(minute) * time.Minute)), Merged: c.Merged,
		Trigger: "merge", Score: score, Blocks: review == "fail" || tests == "fail", Findings: []governance.Finding{found("REV-01", review), found("CI-02", tests), found("MOD-01", "not-applicable")},
	}
}

// TestChangesAreFoundByHowTheyWereJudged, and what was found by the control, the state and
// the change; one that nobody judged is neither held up nor not.
func TestChangesAreFoundByHowTheyWereJudged(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		land := func(number int) change.Change {
			return change.Change{Repository: change.RepositoryRef("github.com", "acme/pay"), Number: number, State: "merged", Merged: stemma.At(told.Add(time.Duration(number) * time.Hour))}
		}
		one, two, three, four := land(1), land(2), land(3), land(4)
		again := judgement(two, 71, 5, "fail", "pass")
		again.Findings[0].Before = "unknown"
		space(t, db, one, two, three, four,
			judgement(one, 70, 0, "pass", "unknown"), judgement(two, 20, 1, "unknown", "pass"), judgement(three, 90, 2, "waived", "fail"), again)
		check(t, db, []asked{
			{"changes", "risk:>70 sort:number", "number,risk", "2 71; 3 90"},
			{"changes", "no:risk", "number", "4"},
			{"changes", "blocked:true sort:number", "number", "2; 3"},
			{"changes", "blocked:false", "number", "1"},
			{"changes", "-blocked:true sort:number", "number", "1; 4"},
			{"changes", "failing:REV-01", "number", "2"},
			{"changes", "failing:* merged:>-30d sort:number", "number,failing", "2 REV-01; 3 CI-02"},
			{"changes", "unknown:CI-?2", "number", "1"},
			{"changes", "waived:rev-01", "number", ""},
			{"changes", "waived:REV-01", "number", "3"},
			{"findings", "state:fail", "change,control,reason", "change:github.com/acme/pay#2 REV-01 because of fail; change:github.com/acme/pay#3 CI-02 because of fail"},
			{"findings", "control:REV-* limit:2", "control,state,blocks,grade", "REV-01 fail true b; REV-01 waived false b"},
			{"findings", "before:unknown", "control,state,before", "REV-01 fail unknown"},
			{"findings", "repository:repository:github.com/acme/pay severity:high mode:enforce blocks:true evaluated:>=2026-11-27T09:05", "control", "REV-01"},
			{"findings", "change:change:github.com/acme/pay#1 -state:not-applicable merged:2026-11-27 sort:control", "control,state", "CI-02 unknown; REV-01 pass"},
			{"findings", "control:REV-01 group:state sort:findings-desc,state", "", "fail 1 33.3; pass 1 33.3; waived 1 33.3"},
		})
	})
}

// TestExceptionsStandAsTheyDoWhenTheyAreAskedFor: the same question gives another answer
// when one is over, or nobody looked at it in time.
func TestExceptionsStandAsTheyDoWhenTheyAreAskedFor(t *testing.T) {
	storagetest.Engines(t, func(t *testing.T, open func() *storage.DB) {
		db := open()
		pay := change.RepositoryRef("github.com", "acme/pay")
		at := func(hours int) stemma.Moment { return stemma.At(told.Add(time.Duration(hours) * time.Hour)) }
		exception := func(id string, more func(*governance.Exception)) ingest.Record {
			e := governance.Exception{
				ID: governance.ExceptionRef("REV-01", id), Control: "REV-01", Change: change.NumberedRef(pay, 7), Reason: "the site is down",
				Owner: querytest.Person(0), Opened: at(-1), Until: at(20),
			}
			more(&e)
			return e
		}
		space(t, db,
			exception("asked", func(*governance.Exception) {}),
			exception("granted", func(e *governance.Exception) { e.Approver, e.Approved = querytest.Person(1), at(0) }),
			exception("emergency", func(e *governance.Exception) { e.Emergency, e.Until = true, at(30) }),
			exception("withdrawn", func(e *governance.Exception) { e.Withdrawn, e.Approved = at(0), at(0) }),
			exception("old", func(e *governance.Exception) {
				e.Control, e.Opened, e.Until, e.Approved = "*", at(-72), at(-1), at(-72)
			}),
			exception("seen", func(e *governance.Exception) { e.Opened, e.FollowedUp = at(-72), at(-50) }),
		)
		check(t, db, []asked{
			{"exceptions", "group:state sort:state", "", "asked 2 33.3; emergency 1 16.6; granted 1 16.6; over 1 16.6; withdrawn 1 16.6"},
			{"exceptions", "state:granted", "ref,control", "exception:REV-01/granted REV-01"},
			{"exceptions", "(state:granted OR state:emergency) until:now..+24h", "ref", "exception:REV-01/granted"},
			{"exceptions", "overdue:true", "ref,state", "exception:REV-01/old over"},
			{"exceptions", `control:"*"`, "ref", "exception:REV-01/old"},
			{"exceptions", "change:change:github.com/acme/pay#7 opened:<-48h sort:ref", "ref,overdue", "exception:REV-01/old true; exception:REV-01/seen false"},
		})
		for _, c := range []struct {
			later time.Duration
			want  string
		}{{20*time.Hour - time.Microsecond, "granted"}, {20 * time.Hour, "over"}, {-time.Hour, "granted"}} {
			if got := answers(t, db, "exceptions", "ref:exception:REV-01/granted", "state", told.Add(c.later)); got != c.want {
				t.Errorf("after %s it is %q, want %q", c.later, got, c.want)
			}
		}
		if got := answers(t, db, "exceptions", "overdue:true -state:withdrawn group:control sort:control", "", told.Add(48*time.Hour)); got != "* 1 25.0; REV-01 3 75.0" {
			t.Errorf("two days later %q", got)
		}
	})
}
