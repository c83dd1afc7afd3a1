package query

import (
	"strconv"

	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/query/filter"
)

// Values of verdicts.
const (
	states     = "pass fail unknown not-applicable waived"
	severities = "critical high medium low"
	truths     = "true false"
)

// truth is a condition as a value to group by and to show.
func truth(name, cond, doc string) *field {
	return enum(name, `CASE WHEN `+cond+` THEN 'true' ELSE 'false' END`, doc, truths)
}

// standingSo are the controls that stand in a state for a change c, by their ids.
func standingSo(name, state, doc string) *field {
	return value(filter.Text, name, `jf."control"`, doc).
		many(`k_assessment_finding jf JOIN k_assessment ja ON ja.id = jf.id`, `ja."change"`, `jf."state" = '`+state+`'`)
}

// verdicts are the fields of changes about how they were judged.
func verdicts() []*field {
	return []*field{
		value(filter.Int, "risk", `(SELECT MAX(ja."score") FROM k_assessment ja WHERE ja."change" = c.id)`, "how much may go wrong, 0 to 100; nothing if it was not judged"),
		choice("blocked", "true: a control that is enforced holds it up; false: it was judged, and none does", map[string]string{
			"true":  `c.id IN (SELECT ja."change" FROM k_assessment ja WHERE ja."blocks" = 1)`,
			"false": `EXISTS (SELECT 1 FROM k_assessment ja WHERE ja."change" = c.id) AND NOT EXISTS (SELECT 1 FROM k_assessment ja WHERE ja."change" = c.id AND ja."blocks" = 1)`,
		}),
		standingSo("failing", "fail", "controls that it does not meet: REV-01"),
		standingSo("unknown", "unknown", "controls of which it is not known whether it meets them"),
		standingSo("waived", "waived", "controls that it does not have to meet for a while"),
	}
}

func findings() *kind {
	return &kind{
		Kind: filter.Kind{
			Name: "findings", Doc: "how controls stand for changes, by the last judgement of each change",
			Search:  []string{"control", "reason", "change"},
			Columns: []string{"change", "control", "state", "severity", "mode", "blocks", "reason", "evaluated"},
			Order:   []filter.Order{{Name: "evaluated", Desc: true}},
		},
		from: `k_assessment c JOIN k_assessment_finding f ON f.id = c.id`, id: "c.id", key: "c.id, f.seq", tie: "f.seq", driver: "evaluated",
		walk: walk{from: `k_assessment c CROSS JOIN k_assessment_finding f`, where: `f.id = c.id`},
		fields: []*field{
			ref("change", `c."change"`, toChange, "what was judged"),
			ref("repo", `c."repository"`, toRepository, "repository").alias("repository"),
			value(filter.Text, "control", `f."control"`, "the control: REV-01"),
			value(filter.Int, "version", `f."version"`, "of the control"),
			enum("state", `f."state"`, "how it stands", states),
			enum("before", `f."before"`, "how it stood the time before, if that was otherwise", states),
			enum("severity", `f."severity"`, "of the control", severities),
			enum("mode", `f."mode"`, "what comes of it", "enforce warn observe"),
			truth("blocks", `COALESCE(f."blocks", 0) = 1`, "whether it holds the change up"),
			value(filter.Words, "reason", `f."reason"`, "why"),
			enum("grade", `lower(f."grade")`, "the least of the evidence that it rests on", "a b c d"),
			ref("exception", `f."exception"`, toException, "what waives it"),
			value(filter.Time, "evaluated", `c."evaluated"`, "when the change was judged"),
			value(filter.Time, "merged", `c."merged"`, "when the change came in; nothing if it did not yet"),
			value(filter.Text, "trigger", `c."trigger"`, "why it was judged then: head, merge, evidence, policy, advisory, vulnerability, exception, repository, time, asked"),
			ref("policy", `c."policy"`, toPolicy, "what it was judged by"),
		},
	}
}

// Conditions of an exception c, at the time of the question.
var (
	over    = `COALESCE(c."until", 0) <= {now}`
	overdue = `COALESCE(c."followed_up", 0) = 0 AND COALESCE(c."withdrawn", 0) = 0 AND COALESCE(c."opened", 0) < {now} - ` + strconv.FormatInt(subject.FollowUp.Microseconds(), 10)
)

func exceptions() *kind {
	return &kind{
		Kind: filter.Kind{
			Name: "exceptions", Doc: "controls that do not have to be met for a while",
			Search:  []string{"control", "reason", "change", "ref"},
			Columns: []string{"ref", "control", "change", "repo", "state", "opened", "until", "overdue", "owner", "reason"},
			Order:   []filter.Order{{Name: "opened", Desc: true}},
		},
		from: `k_exception c`, id: "c.id", key: "c.id", driver: "opened",
		fields: []*field{
			ref("ref", "c.id", toException, "the exception itself: exception:REV-01/…"),
			value(filter.Text, "control", `c."control"`, "the control: REV-01; * for all, which is written in quotes here"),
			ref("change", `c."change"`, toChange, "the change that it is for"),
			ref("repo", `c."repository"`, toRepository, "or the repository, for all of its changes").alias("repository"),
			enum("state", `CASE WHEN COALESCE(c."withdrawn", 0) <> 0 THEN 'withdrawn' WHEN `+over+` THEN 'over' WHEN COALESCE(c."approved", 0) <> 0 THEN 'granted'
				WHEN c."emergency" = 1 THEN 'emergency' ELSE 'asked' END`, "how it stands now; emergency: it was taken, and nobody granted it yet", "asked granted emergency over withdrawn"),
			value(filter.Words, "reason", `c."reason"`, "why, in their words"),
			ref("owner", `c."owner"`, toPerson, "who asked for it"),
			ref("approver", `c."approver"`, toPerson, "who granted it"),
			value(filter.Time, "opened", `c."opened"`, "when it was asked for"),
			value(filter.Time, "approved", `c."approved"`, "when it was granted"),
			value(filter.Time, "until", `c."until"`, "when it ends"),
			value(filter.Time, "followed-up", `c."followed_up"`, "when it was looked at again"),
			truth("overdue", overdue, "whether 48 hours went by and nobody looked at it again"),
		},
	}
}
