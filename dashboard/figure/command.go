package figure

import (
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/dashboard/verdicts"
)

// A Statement is SQL over the public views while it is made, and the texts in it.
type Statement struct {
	strings.Builder
	texts []string
}

// Say adds SQL, and the texts that its question marks stand for.
func (s *Statement) Say(sql string, texts ...string) *Statement {
	s.WriteString(sql)
	s.texts = append(s.texts, texts...)
	return s
}

// In adds that a column is one of some texts.
func In[S ~string](s *Statement, column string, values []S) {
	if len(values) == 0 {
		s.Say(" AND 1 = 0")
		return
	}
	s.Say(" AND " + column + " IN (?" + strings.Repeat(", ?", len(values)-1) + ")")
	for _, v := range values {
		s.texts = append(s.texts, string(v))
	}
}

// Command is the command line that asks the statement.
func (s *Statement) Command() string { return page.SQL(s.String(), s.texts...) }

// Micro is a moment as the views have it in the columns that end in _us.
func Micro(t time.Time) string { return strconv.FormatInt(t.UnixMicro(), 10) }

const joined = " FROM v1_assessment_finding f JOIN v1_assessment a ON a.ref = f.ref WHERE 1 = 1"

// FindingsCommand is the command that lists the findings that are asked for.
func FindingsCommand(ask verdicts.Ask) string {
	var s Statement
	s.Say("SELECT a.change, f.control, f.state, f.reason, a.evaluated" + joined)
	if ask.Controls != nil {
		In(&s, "f.control", ask.Controls)
	}
	if len(ask.States) > 0 {
		In(&s, "f.state", ask.States)
	}
	if ask.Repository != "" {
		s.Say(" AND a.repository = ?", string(ask.Repository))
	}
	if ask.Among != nil {
		In(&s, "a.repository", ask.Among)
	}
	for _, x := range []struct {
		condition string
		at        time.Time
	}{{" AND a.merged_us >= ", ask.From}, {" AND a.merged_us < ", ask.To}, {" AND a.evaluated_us >= ", ask.Since}} {
		if !x.at.IsZero() {
			s.Say(x.condition + Micro(x.at))
		}
	}
	if ask.Turned {
		s.Say(" AND f.before <> ''")
	}
	return s.Say(" ORDER BY a.evaluated DESC").Command()
}

// SumsCommand is the command that counts findings by a column, of one control or, if that is
// "", of all.
func SumsCommand(by, control string, among ...stemma.Ref) string {
	var s Statement
	s.Say("SELECT " + by)
	for _, state := range []string{"pass", "fail", "unknown", "waived", "not-applicable"} {
		s.Say(", SUM(CASE WHEN f.state = ? THEN 1 ELSE 0 END)", state)
	}
	s.Say(joined)
	if control != "" {
		s.Say(" AND f.control = ?", control)
	}
	if len(among) > 0 {
		In(&s, "a.repository", among)
	}
	return s.Say(" GROUP BY " + by + " ORDER BY 1").Command()
}
