package governed

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/figure"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/policy/tally"
)

// Colours of badges. Each says what its text says.
const (
	green = "#2a7a4b" // all passes, and figure.Nothing is unknown
	amber = "#8a5a00" // some of it does not
	red   = "#b03030" // much of it does not
	grey  = "#56606f" // there is figure.Nothing to say
)

// colour is green only where everything is known and passes.
func colour(c tally.Count) string {
	n := c.Judged()
	switch {
	case n == 0:
		return grey
	case c.Pass == n:
		return green
	case c.Pass*10 >= n*9:
		return amber
	}
	return red
}

// Badge is a picture of how things stand: of all, where the name is "governance.svg", of a
// repository or a change, by its key. What is not known fails with stemma.ErrNotFound.
func (p *Pages) Badge(ctx context.Context, kind stemma.Kind, key string) ([]byte, error) {
	key, named := strings.CutSuffix(key, ".svg")
	if !named {
		return nil, stemma.ErrNotFound
	}
	if kind == stemma.KindChange {
		ref, err := stemma.ParseRef(string(kind) + ":" + key)
		if err != nil {
			return nil, err
		}
		c, ok, err := p.Verdicts.Count(ctx, ref)
		if err == nil && !ok {
			err = stemma.ErrNotFound
		}
		return badge("controls", inWords(c), colour(c)), err
	}
	board, err := p.Verdicts.Board(ctx)
	if err != nil {
		return nil, err
	}
	of := func(tally.Cell) bool { return true }
	if kind == stemma.KindRepository {
		ref, err := stemma.ParseRef(string(kind) + ":" + key)
		if err != nil {
			return nil, err
		}
		of = func(c tally.Cell) bool { return c.Repository == ref }
	}
	sum := board.Sum(of)
	if kind == stemma.KindRepository && sum == (tally.Count{}) {
		return nil, stemma.ErrNotFound
	}
	return badge("governance", asShare(sum), colour(sum)), nil
}

func asShare(c tally.Count) string {
	s := figure.Percent(c.Pass, c.Judged())
	if c.Judged() > 0 {
		s += " of " + page.Count(c.Judged()) + " pass"
	}
	return s + apart(c)
}

func inWords(c tally.Count) string {
	s := fmt.Sprintf("%d of %d pass", c.Pass, c.Judged())
	if c.Judged() == 0 {
		s = figure.Nothing
	}
	if c.Fail > 0 {
		s += fmt.Sprintf(", %d fail", c.Fail)
	}
	return s + apart(c)
}

func apart(c tally.Count) (s string) {
	if c.Unknown > 0 {
		s += ", " + page.Count(c.Unknown) + " unknown"
	}
	if c.Waived > 0 {
		s += ", " + page.Count(c.Waived) + " waived"
	}
	return s
}

const letter = 6.6 // width of one, about; the text is fitted to it

// badge draws two words side by side.
func badge(label, says, fill string) []byte {
	width := func(s string) int { return int(float64(utf8.RuneCountInString(s))*letter) + 12 }
	text := func(s string) string {
		var b bytes.Buffer
		_ = xml.EscapeText(&b, []byte(page.Show(s))) // a buffer takes everything
		return b.String()
	}
	left, right := width(label), width(says)
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="20" role="img" aria-label="%s: %s"><title>%[2]s: %[3]s</title>`, left+right, text(label), text(says))
	fmt.Fprintf(&b, `<rect width="%d" height="20" fill="#3a424d"/><rect x="%[1]d" width="%d" height="20" fill="%s"/>`, left, right, fill)
	b.WriteString(`<g fill="#ffffff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">`)
	for _, t := range []struct {
		at, wide int
		says     string
	}{{left / 2, left - 10, label}, {left + right/2, right - 10, says}} {
		fmt.Fprintf(&b, `<text x="%d" y="14" textLength="%d" lengthAdjust="spacingAndGlyphs">%s</text>`, t.at, t.wide, text(t.says))
	}
	b.WriteString(`</g></svg>` + "\n")
	return b.Bytes()
}
