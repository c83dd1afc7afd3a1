package governed

import (
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/policy/tally"
)

// What a list may be asked for beside the states themselves.
const (
	judged = "judged" // pass, fail and unknown: what shares are of
	known  = "known"  // pass and fail
)

// States are the words for states that an address may ask for.
var States = []string{"pass", "fail", "unknown", "waived", "not-applicable", judged, known}

// states are those that a word in an address stands for; nil for all.
func states(word string) []string {
	switch word {
	case "":
		return nil
	case judged:
		return []string{"pass", "fail", "unknown"}
	case known:
		return []string{"pass", "fail"}
	}
	return []string{word}
}

// of is how many are in the states that a word stands for.
func of(c tally.Count, word string) int64 {
	switch word {
	case "":
		return c.Judged() + c.Waived + c.NotApplicable
	case judged:
		return c.Judged()
	case known:
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

// nothing is said where a share would be of nothing.
const nothing = "nothing to count"

// percent writes a share, of which nothing is rounded to all or to none.
func percent(part, whole int64) string {
	switch mille := page.Part(part, whole); {
	case whole == 0:
		return nothing
	case mille == 0 && part > 0:
		return "<0.1\u00a0%"
	default:
		return page.Percent(mille)
	}
}

// beside is what has to stand beside a share.
func beside(c tally.Count) string {
	if c.Judged() == 0 {
		return "nothing was judged, " + page.Count(c.Waived) + " waived"
	}
	return "n " + page.Count(c.Judged()) + ", coverage " + percent(c.Pass+c.Fail, c.Judged()) + ", " + page.Count(c.Waived) + " waived"
}

// figures are the columns of a count.
var figures = []string{"#pass", "#fail", "#unknown", "#waived", "#not applicable", "#n", "#passing", "#of what is known", "#coverage"}

func head(names ...string) []page.Column { return page.Head(append(names, figures...)...) }

// counts are the cells of a count under the columns of figures; at is where the findings of a
// state are listed.
func counts(c tally.Count, at func(state string) string) []page.Cell {
	var out []page.Cell
	for _, state := range []string{"pass", "fail", "unknown", "waived", "not-applicable", judged} {
		out = append(out, number(of(c, state), at(state)))
	}
	out = append(out, share(c.Pass, c.Judged(), at(judged)))
	if c.Judged() == 0 {
		return append(out, page.Cell{}, page.Cell{})
	}
	return append(out, share(c.Pass, c.Pass+c.Fail, at(known)), share(c.Pass+c.Fail, c.Judged(), at(judged)))
}

// number leads to what it counts, also where that is nothing.
func number(n int64, href string) page.Cell { return page.Number(n).At(href) }

func share(part, whole int64, href string) page.Cell {
	if whole == 0 {
		return page.Cell{Text: nothing, Class: "gap"}
	}
	return page.Cell{Text: percent(part, whole), Value: page.Part(part, whole), Class: "num", Href: href}
}

// heat is a count in few words and a colour, which says nothing that the words do not.
func heat(c tally.Count, href string) page.Cell {
	n := c.Judged()
	if n == 0 {
		return page.Cell{Text: "none", Class: "heat heat-0", Title: nothing}
	}
	out := page.Cell{Text: percent(c.Pass, n) + " of " + page.Count(n), Value: page.Part(c.Pass, n), Href: href, Title: beside(c)}
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
