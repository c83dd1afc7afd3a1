package drawn

import (
	"fmt"
	"time"

	"github.com/stemma-dev/stemma/dashboard/page"
)

// A Week adds up how controls stand for the changes that came in from a Monday on.
type Week struct {
	From                time.Time
	Href                string // of what is behind it
	Pass, Fail, Unknown int64
}

// Weeks draws weeks in their order: the last year for wide screens, a third of that for
// narrow ones. Without weeks there is nothing to draw.
func Weeks(weeks []Week) []*page.Chart {
	if len(weeks) == 0 {
		return nil
	}
	return []*page.Chart{weekChart("wide", wideChart, weeks[max(0, len(weeks)-53):]), weekChart("narrow", narrowChart, weeks[max(0, len(weeks)-16):])}
}

const roomForShare = 32 // of a step, for a share above each bar

func weekChart(id string, width int, weeks []Week) *page.Chart {
	var stacks []stack
	var pass, fail, unknown int64
	month := time.Month(0)
	for _, w := range weeks {
		pass, fail, unknown = pass+w.Pass, fail+w.Fail, unknown+w.Unknown
		all := w.Pass + w.Fail + w.Unknown
		s := stack{
			Name: w.From.Format(time.DateOnly), Href: w.Href,
			Parts: []piece{{"pass", "\u2713", int(w.Pass)}, {"unknown", "?", int(w.Unknown)}, {"fail", "\u00d7", int(w.Fail)}},
		}
		s.Title = fmt.Sprintf("Week from %s: %s pass, %s fail, %s unknown", s.Name, page.Count(w.Pass), page.Count(w.Fail), page.Count(w.Unknown))
		if all > 0 {
			s.Title += ": " + page.Percent(page.Part(w.Pass, all)) + " of " + page.Count(all)
		}
		if (width-chartLeft)/len(weeks) >= roomForShare {
			s.Share = whole(int(w.Pass), int(all))
		}
		if w.From.Month() != month {
			s.Short = w.From.Format("01")
			if month == 0 || w.From.Month() == time.January {
				s.Year = w.From.Format("2006")
			}
			month = w.From.Month()
		}
		stacks = append(stacks, s)
	}
	return drawChart(id, width, "How controls stand, by the week in which changes came in", fmt.Sprintf("From %s to %s, %s findings pass, %s fail, and of %s it is not known.",
		stacks[0].Name, stacks[len(stacks)-1].Name, page.Count(pass), page.Count(fail), page.Count(unknown)), stacks)
}
