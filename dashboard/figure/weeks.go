package figure

import (
	"slices"
	"time"

	"github.com/stemma-dev/stemma/dashboard/drawn"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/policy/tally"
)

// OverTime draws days by weeks, of one control or of all, and has them as rows. at is where the
// findings are listed.
func OverTime(days []tally.Day, only string, at func(pairs ...string) string) page.Section {
	t := &page.Table{
		ID: "weeks", Caption: "How controls stand, by the week in which changes came in", Columns: Head("week from"), Command: SumsCommand("a.merged_us / 86400000000", only),
		Empty: "No change came in within a year.",
	}
	var weeks []drawn.Week
	for i := 0; i < len(days); {
		monday := days[i].Day.AddDate(0, 0, -(int(days[i].Day.Weekday())+6)%7)
		next := monday.AddDate(0, 0, 7)
		var sum tally.Count
		for ; i < len(days) && days[i].Day.Before(next); i++ {
			sum = sum.Plus(days[i].Count)
		}
		for len(weeks) > 0 && weeks[len(weeks)-1].From.AddDate(0, 0, 7).Before(monday) { // nothing came in
			weeks = append(weeks, drawn.Week{From: weeks[len(weeks)-1].From.AddDate(0, 0, 7)})
		}
		period := []string{"from", monday.Format(time.DateOnly), "to", next.AddDate(0, 0, -1).Format(time.DateOnly)}
		in := func(state string) string { return at(append([]string{"state", state}, period...)...) }
		weeks = append(weeks, drawn.Week{From: monday, Href: in(Judged), Pass: sum.Pass, Fail: sum.Fail, Unknown: sum.Unknown})
		t.Add(append([]page.Cell{page.Text(monday.Format(time.DateOnly)).At(in(Judged))}, Counts(sum, in)...)...)
	}
	slices.Reverse(t.Rows)
	t.Rest(page.Text("as a list").At(at("state", Judged)))
	for i := range weeks {
		if weeks[i].Href == "" {
			day := weeks[i].From.Format(time.DateOnly)
			weeks[i].Href = at("from", day, "to", day)
		}
	}
	return page.Section{
		ID: "time", Title: "Over time", Note: "By the week in which changes came in; those that are still open are in none. ✓ pass, × fail, ? unknown.",
		Charts: drawn.Weeks(weeks), Table: t, Folded: "The same as numbers",
	}
}
