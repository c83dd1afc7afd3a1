package alert

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/query"
	"github.com/stemma-dev/stemma/storage"
)

// builtIn is the name of what needs no rule.
const builtIn = "exceptions"

// urgent are the exceptions that somebody is reminded of.
const urgent = "(state:granted OR state:emergency) until:now..+24h OR overdue:true"

// Bounds of what is read of them, and of what one message lists.
const (
	maxPressing = 1000
	maxListed   = 50
)

// pressing are the exceptions that somebody has to look at, those that end first first.
func pressing(ctx context.Context, db *storage.DB, now time.Time) (list []Reminder, err error) {
	q, err := query.Parse("exceptions", urgent+fmt.Sprintf(" sort:until limit:%d", maxPressing), now)
	if err != nil {
		return nil, err
	}
	if q, err = q.Select("ref", "control", "change", "repo", "until", "overdue"); err != nil {
		return nil, err
	}
	return list, db.Read(ctx, func(tx *storage.Tx) error {
		result, err := query.Run(ctx, tx, q)
		if err != nil {
			return err
		}
		for row, err := range result.Rows {
			if err != nil {
				return err
			}
			r := Reminder{Exception: stemma.Ref(row[0].Text), Control: row[1].Text, For: stemma.Ref(row[2].Text), Until: row[4].Time(), Overdue: row[5].Text == "true"}
			if row[2].Null {
				r.For = stemma.Ref(row[3].Text)
			}
			list = append(list, r)
		}
		return nil
	})
}

// remind is what is told of exceptions: all that press when another one does, and all
// again after a day.
func (a *Alerter) remind(s standing, list []Reminder, now time.Time) verdict {
	if len(list) == 0 {
		return verdict{}
	}
	before, state := map[string]bool{}, ""
	for k := range strings.SplitSeq(s.known, "\n") {
		before[k] = true
	}
	var known []string
	overdue := 0
	for _, r := range list {
		key := fmt.Sprintf("%s %t", r.Exception, r.Overdue)
		known = append(known, key)
		if !before[key] {
			state = firing
		}
		if r.Overdue {
			overdue++
		}
	}
	at := now.UnixMicro()
	if s.since == 0 {
		s.since = at
	}
	if state == firing {
		s.told = at
	} else {
		s, state = s.lasts(at, usualRemind)
	}
	s.known = strings.Join(known, "\n")
	if state == "" {
		return verdict{standing: s}
	}
	m := Message{
		Rule: builtIn, State: state, Kind: "exceptions", Filter: urgent, Since: time.UnixMicro(s.since).UTC(), At: now.UTC(), Exceptions: list[:min(len(list), maxListed)],
		Text: fmt.Sprintf("stemma: exceptions need somebody to look at them: %d end within 24 hours, %d were not looked at again within 48 hours", len(list)-overdue, overdue),
	}
	if a.c.Link != nil {
		m.Link = a.c.Link(m.Kind, m.Filter)
	}
	return verdict{s, a.c.File.Exceptions, &m}
}
