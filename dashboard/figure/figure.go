// Package figure makes the figures of how changes stand against controls, and leads each to
// the list that it counts. What it is of, how much of that is known and what was let pass
// stand beside every share: unknown counts as not passing.
package figure

import (
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/policy/tally"
)

// What a list may be asked for beside the states themselves.
const (
	Judged = "judged" // pass, fail and unknown: what shares are of
	Known  = "known"  // pass and fail
)

// States are the words for states that an address may ask for.
var States = []string{"pass", "fail", "unknown", "waived", "not-applicable", Judged, Known}

// StatesOf are those that a word in an address stands for; nil for all.
func StatesOf(word string) []string {
	switch word {
	case "":
		return nil
	case Judged:
		return []string{"pass", "fail", "unknown"}
	case Known:
		return []string{"pass", "fail"}
	}
	return []string{word}
}

// Of is how many are in the states that a word stands for.
func Of(c tally.Count, word string) int64 {
	switch word {
	case "":
		return c.Judged() + c.Waived + c.NotApplicable
	case Judged:
		return c.Judged()
	case Known:
		return c.Pass + c.Fail
	case "pass":
		return c.Pass
	case "fail":
		return c.Fail
	case "unknown":
		return c.Unknown
	case "waived":
		return c.Waived
	}
	return c.NotApplicable
}

// Nothing is said where a share would be of nothing.
const Nothing = "nothing to count"

// Percent writes a share, of which nothing is rounded to all or to none.
func Percent(part, whole int64) string {
	switch mille := page.Part(part, whole); {
	case whole == 0:
		return Nothing
	case mille == 0 && part > 0:
		return "<0.1\u00a0%"
	default:
		return page.Percent(mille)
	}
}

// Beside is what has to stand beside a share.
func Beside(c tally.Count) string {
	if c.Judged() == 0 {
		return "nothing was judged, " + page.Count(c.Waived) + " waived"
	}
	return "n " + page.Count(c.Judged()) + ", coverage " + Percent(c.Pass+c.Fail, c.Judged()) + ", " + page.Count(c.Waived) + " waived"
}

// figures are the columns of a count.
var figures = []string{"#pass", "#fail", "#unknown", "#waived", "#not applicable", "#n", "#passing", "#of what is known", "#coverage"}

// Head are the columns of these names, and those of a count.
func Head(names ...string) []page.Column { return page.Head(append(names, figures...)...) }

// Counts are the cells of a count under the columns of figures; at is where the findings of a
// state are listed.
func Counts(c tally.Count, at func(state string) string) []page.Cell {
	var out []page.Cell
	for _, state := range []string{"pass", "fail", "unknown", "waived", "not-applicable", Judged} {
		out = append(out, Number(Of(c, state), at(state)))
	}
	out = append(out, Share(c.Pass, c.Judged(), at(Judged)))
	if c.Judged() == 0 {
		return append(out, page.Cell{}, page.Cell{})
	}
	return append(out, Share(c.Pass, c.Pass+c.Fail, at(Known)), Share(c.Pass+c.Fail, c.Judged(), at(Judged)))
}

// Number leads to what it counts, also where that is nothing.
func Number(n int64, href string) page.Cell { return page.Number(n).At(href) }

// Share is a part of a whole, and leads to the list of either.
func Share(part, whole int64, href string) page.Cell {
	if whole == 0 {
		return page.Cell{Text: Nothing, Class: "gap"}
	}
	return page.Cell{Text: Percent(part, whole), Value: page.Part(part, whole), Class: "num", Href: href}
}

// Heat is a count in few words and a colour, which says nothing that the words do not.
func Heat(c tally.Count, href string) page.Cell {
	n := c.Judged()
	if n == 0 {
		return page.Cell{Text: "none", Class: "heat heat-0", Title: Nothing}
	}
	out := page.Cell{Text: Percent(c.Pass, n) + " of " + page.Count(n), Value: page.Part(c.Pass, n), Href: href, Title: Beside(c)}
	switch mille := page.Part(c.Pass, n); {
	case c.Pass == n:
		out.Class = "heat heat-4"
	case mille >= 900:
		out.Class = "heat heat-3"
	case mille >= 500:
		out.Class = "heat heat-2"
	default:
		out.Class = "heat heat-1"
	}
	if c.Unknown > 0 {
		out.Text, out.Class = out.Text+", "+page.Count(c.Unknown)+" ?", out.Class+" heat-unsure"
	}
	return out
}
