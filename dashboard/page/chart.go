package page

import (
	"fmt"

	"github.com/stemma-dev/stemma/change"
)

// A Chart is stacked bars, month by month, in its own units. The table beside
// it has the same numbers.
type Chart struct {
	ID            string
	Width, Height int
	Base, Left    int
	Bars          []monthBar
	Ticks         []tick
	Title, Desc   string
}

type monthBar struct {
	X, W           int
	Parts          []barPart
	Name, Href     string
	Label, Year    string // below the bar; the year where one begins
	Share          string // AI's, above the bar; empty if nothing was added
	ShareY, Centre int
	Title          string
}

type barPart struct {
	Class   string
	Y, H    int
	Letter  string // inside, if there is room
	LetterY int
}

type tick struct {
	Y, TextY int
	Text     string
}

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
func Months(months []Month) []*Chart {
	if len(months) == 0 {
		return nil
	}
	return []*Chart{drawChart("wide", 1120, months), drawChart("narrow", 390, months[max(0, len(months)-12):])}
}

func drawChart(id string, width int, months []Month) *Chart {
	c := &Chart{ID: id, Width: width, Height: chartHeight, Base: chartBase, Left: chartLeft, Title: "Added lines by month and origin"}
	var all change.Lines
	top := 0
	for _, m := range months {
		top = max(top, m.Lines.All())
		all = all.Plus(m.Lines)
	}
	top = nice(top)
	c.Desc = fmt.Sprintf("From %s to %s, changes added %s lines by AI, %s by people and %s of unknown origin.",
		months[0].Name, months[len(months)-1].Name, Count(all.AI), Count(all.Human), Count(all.Unknown))
	for i := range 5 {
		y := chartBase - i*(chartBase-chartTop)/4
		c.Ticks = append(c.Ticks, tick{Y: y, TextY: y + 4, Text: brief(top * i / 4)})
	}
	step := (width - chartLeft) / len(months)
	step = min(step, 90)
	for i, m := range months {
		b := monthBar{X: chartLeft + i*step + step/8, W: max(step*3/4, 2), Name: m.Name, Href: m.Href}
		b.Centre = b.X + b.W/2
		b.Title = fmt.Sprintf("%s: AI %s of %s added lines, human %s, unknown %s", m.Name, Count(m.Lines.AI), Count(m.Lines.All()), Count(m.Lines.Human), Count(m.Lines.Unknown))
		if room := len(m.Name) * 7; step > room {
			b.Label = m.Name
		} else {
			b.Label = m.Name[5:]
			if i == 0 || b.Label == "01" {
				b.Year = m.Name[:4]
			}
		}
		y := chartBase
		for _, p := range []struct {
			class, letter string
			n             int
		}{{"ai", "A", m.Lines.AI}, {"human", "H", m.Lines.Human}, {"unknown", "?", m.Lines.Unknown}} {
			h := p.n * (chartBase - chartTop) / top
			if h == 0 {
				continue
			}
			y -= h
			part := barPart{Class: p.class, Y: y, H: h}
			if h >= 16 && b.W >= 12 {
				part.Letter, part.LetterY = p.letter, y+h/2+4
			}
			b.Parts = append(b.Parts, part)
		}
		b.Share, b.ShareY = whole(m.Lines.AI, m.Lines.All()), y-4
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
	return Count(n)
}
