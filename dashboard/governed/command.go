package governed

import (
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/dashboard/verdicts"
)

// A statement is SQL over the public views while it is made, and the texts in it.
type statement struct {
	strings.Builder
	texts []string
}

func (s *statement) say(sql string, texts ...string) *statement {
	s.WriteString(sql)
	s.texts = append(s.texts, texts...)
	return s
}

// in adds that a column is one of some texts.
func (s *statement) in(column string, values []string) {
	if len(values) == 0 {
		s.say(" AND 1 = 0")
		return
	}
	s.say(" AND "+column+" IN (?"+strings.Repeat(", ?", len(values)-1)+")", values...)
}

func (s *statement) command() string { return page.SQL(s.String(), s.texts...) }

// micro is a moment as the views have it in the columns that end in _us.
func micro(t time.Time) string { return strconv.FormatInt(t.UnixMicro(), 10) }

const joined = " FROM v1_assessment_finding f JOIN v1_assessment a ON a.ref = f.ref WHERE 1 = 1"

// findingsCommand is the command that lists the findings that are asked for.
func findingsCommand(ask verdicts.Ask) string {
	var s statement
	s.say("SELECT a.change, f.control, f.state, f.reason, a.evaluated" + joined)
	if ask.Controls != nil {
		s.in("f.control", ask.Controls)
	}
	if len(ask.States) > 0 {
		s.in("f.state", ask.States)
	}
	if ask.Repository != "" {
		s.say(" AND a.repository = ?", string(ask.Repository))
	}
	for _, x := range []struct {
		condition string
		at        time.Time
	}{{" AND a.merged_us >= ", ask.From}, {" AND a.merged_us < ", ask.To}, {" AND a.evaluated_us >= ", ask.Since}} {
		if !x.at.IsZero() {
			s.say(x.condition + micro(x.at))
		}
	}
	if ask.Turned {
		s.say(" AND f.before <> ''")
	}
	return s.say(" ORDER BY a.evaluated DESC").command()
}

// sumsCommand is the command that counts findings by a column, of one control or, if that is
// "", of all.
func sumsCommand(by, control string) string {
	var s statement
	s.say("SELECT " + by)
	for _, state := range []string{"pass", "fail", "unknown", "waived", "not-applicable"} {
		s.say(", SUM(CASE WHEN f.state = ? THEN 1 ELSE 0 END)", state)
	}
	s.say(joined)
	if control != "" {
		s.say(" AND f.control = ?", control)
	}
	return s.say(" GROUP BY " + by + " ORDER BY 1").command()
}

// exceptionsCommand is the command that lists exceptions, open or ended.
func exceptionsCommand(open bool, now time.Time) string {
	var s statement
	s.say("SELECT ref, control, owner, until FROM v1_exception WHERE ")
	if open {
		s.say("withdrawn IS NULL AND (until IS NULL OR until_us > " + micro(now) + ")")
	} else {
		s.say("(withdrawn IS NOT NULL OR until_us <= " + micro(now) + ")")
	}
	return s.say(" ORDER BY until").command()
}
