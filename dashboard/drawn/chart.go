package drawn

import (
	"fmt"

	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/dashboard/page"
)

const (
	chartLeft, chartTop = 56, 20
	chartBase           = 232
	chartHeight         = 272
)

// A Month is what a bar stands for.
type Month struct {
	Name  string // 2026-03
	Href  string // of the changes behind it
	Lines change.Lines
}

// Months draws months in their order: all of them for wide screens, and the
// last year for narrow ones. Without months there is nothing to draw.
func Months(months []Month) []*page.Chart {
	if len(months) == 0 {
		return nil
	}
	return []*page.Chart{monthChart("wide", wideChart, months), monthChart("narrow", narrowChart, months[max(0, len(months)-12):])}
}

func monthChart(id string, width int, months []Month) *page.Chart {
	var all change.Lines
	var stacks []stack
	for i, m := range months {
		all = all.Plus(m.Lines)
		s := stack{
			Name: m.Name, Href: m.Href, Short: m.Name[5:], Share: whole(m.Lines.AI, m.Lines.All()),
			Title: fmt.Sprintf("%s: AI %s of %s added lines, human %s, unknown %s", m.Name, page.Count(m.Lines.AI), page.Count(m.Lines.All()), page.Count(m.Lines.Human), page.Count(m.Lines.Unknown)),
			Parts: []piece{{"ai", "A", m.Lines.AI}, {"human", "H", m.Lines.Human}, {"unknown", "?", m.Lines.Unknown}},
		}
		if i == 0 || s.Short == "01" {
			s.Year = m.Name[:4]
		}
		stacks = append(stacks, s)
	}
	return drawChart(id, width, "Added lines by month and origin", fmt.Sprintf("From %s to %s, changes added %s lines by AI, %s by people and %s of unknown origin.",
		months[0].Name, months[len(months)-1].Name, page.Count(all.AI), page.Count(all.Human), page.Count(all.Unknown)), stacks)
}

const (
	wideChart   = 1120
	narrowChart = 390
)

// A stack is what is known of a bar before it is drawn.
type stack struct {
	Name, Href, Title, Share string
	Short, Year              string // where there is no room for the name
	Parts                    []piece
}

// A piece is a part of a bar, the lowest first.
type piece struct {
	Class, Letter string
	N             int
}

func drawChart(id string, width int, title, desc string, stacks []stack) *page.Chart {
	c := &page.Chart{ID: id, Width: width, Height: chartHeight, Base: chartBase, Left: chartLeft, Title: title, Desc: desc}
	top := 0
	for _, s := range stacks {
		high := 0
		for _, p := range s.Parts {
			high += p.N
		}
		top = max(top, high)
	}
	top = nice(top)
	for i := range 5 {
		y := chartBase - i*(chartBase-chartTop)/4
		c.Ticks = append(c.Ticks, page.Tick{Y: y, TextY: y + 4, Text: brief(top * i / 4)})
	}
	step := min((width-chartLeft)/len(stacks), 90)
	for i, s := range stacks {
		b := page.ChartBar{X: chartLeft + i*step + step/8, W: max(step*3/4, 2), Name: s.Name, Href: s.Href, Title: s.Title, Label: s.Name}
		b.Centre = b.X + b.W/2
		if step <= len(s.Name)*7 {
			b.Label, b.Year = s.Short, s.Year
		}
		y := chartBase
		for _, p := range s.Parts {
			h := p.N * (chartBase - chartTop) / top
			if h == 0 {
				continue
			}
			y -= h
			part := page.ChartPart{Class: p.Class, Y: y, H: h}
			if h >= 16 && b.W >= 12 {
				part.Letter, part.LetterY = p.Letter, y+h/2+4
			}
			b.Parts = append(b.Parts, part)
		}
		b.Share, b.ShareY = s.Share, y-4
		c.Bars = append(c.Bars, b)
	}
	return c
}

// whole is a share in whole percents, as short as it can be said; nothing is
// rounded to none or to all.
func whole(n, all int) string {
	switch {
	case all == 0:
		return ""
	case n > 0 && n*100 < all:
		return "<1%"
	case n < all && n*100 > all*99:
		return ">99%"
	}
	return fmt.Sprintf("%d%%", (n*100+all/2)/all)
}

// nice is the next round number from n up.
func nice(n int) int {
	unit := 4
	for {
		for _, f := range []int{1, 2, 5} {
			if unit*f >= n {
				return unit * f
			}
		}
		unit *= 10
	}
}

// brief writes a number in few characters.
func brief(n int) string {
	switch {
	case n >= 10_000_000:
		return fmt.Sprintf("%d\u00a0M", n/1_000_000)
	case n >= 10_000:
		return fmt.Sprintf("%d\u00a0k", n/1000)
	}
	return page.Count(n)
}
