package drawn_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/dashboard/drawn"
	"github.com/stemma-dev/stemma/lineage"
)

// TestBarsStandOnEachOther adds up the parts of each month.
func TestBarsStandOnEachOther(t *testing.T) {
	if drawn.Months(nil) != nil {
		t.Error("there is a picture of nothing")
	}
	charts := drawn.Months([]drawn.Month{{Name: "2026-01", Lines: change.Lines{AI: 30, Human: 20, Unknown: 50}}, {Name: "2026-02"}, {Name: "2026-03", Lines: change.Lines{Unknown: 10}}})
	for _, c := range charts {
		if len(c.Bars) != 3 || len(c.Bars[1].Parts) != 0 || len(c.Bars[2].Parts) != 1 {
			t.Fatalf("%s: %+v", c.ID, c.Bars)
		}
		if b := c.Bars; b[0].Share != "30%" || b[1].Share != "" || b[2].Share != "0%" || b[0].ShareY >= b[0].Parts[2].Y {
			t.Errorf("%s: AI's share is told as %q, %q and %q, at %d", c.ID, b[0].Share, b[1].Share, b[2].Share, b[0].ShareY)
		}
		at := c.Base
		for _, p := range c.Bars[0].Parts {
			if p.Y+p.H != at {
				t.Errorf("%s: the part of %s ends at %d, the one below begins at %d", c.ID, p.Class, p.Y+p.H, at)
			}
			at = p.Y
		}
		if c.Bars[0].X < c.Left || c.Bars[2].X+c.Bars[2].W > c.Width {
			t.Errorf("%s: bars from %d to %d in %d", c.ID, c.Bars[0].X, c.Bars[2].X+c.Bars[2].W, c.Width)
		}
	}
}

func TestSharesAreNotRoundedAway(t *testing.T) {
	for want, l := range map[string]change.Lines{
		"<1%": {AI: 1, Unknown: 999}, ">99%": {AI: 999, Human: 1}, "100%": {AI: 7}, "33%": {AI: 1, Human: 2}, "1%": {AI: 1, Unknown: 99},
	} {
		if got := drawn.Months([]drawn.Month{{Name: "2026-01", Lines: l}})[0].Bars[0].Share; got != want {
			t.Errorf("%+v is told as %s, want %s", l, got, want)
		}
	}
}

func TestEveryMonthIsToldOfItsYear(t *testing.T) {
	var months []drawn.Month
	for i := range 24 {
		months = append(months, drawn.Month{Name: fmt.Sprintf("%d-%02d", 2024+(i+8)/12, (i+8)%12+1)})
	}
	for _, c := range drawn.Months(months) {
		year := ""
		for i, b := range c.Bars {
			if b.Year != "" {
				year = b.Year
			}
			if m := months[24-len(c.Bars)+i].Name; year+"-"+b.Label != m {
				t.Errorf("%s: the bar of %s is labelled %s of %s", c.ID, m, b.Label, year)
			}
		}
	}
}

// TestArrowsOfABoxDoNotMeet draws a ticket that many commits name, and the change
// that carries them.
func TestArrowsOfABoxDoNotMeet(t *testing.T) {
	ticket := lineage.Node{Ref: "ticket:jira/PAY-1", Kind: stemma.KindTicket, Stage: stemma.StageTicket, Side: "start", Title: "PAY-1"}
	l := lineage.Lineage{Start: ticket.Ref, Nodes: []lineage.Node{ticket}}
	for i := range 4 {
		ref := stemma.Ref(fmt.Sprintf("commit:sha1/%040d", i))
		l.Nodes = append(l.Nodes, lineage.Node{Ref: ref, Kind: stemma.KindCommit, Stage: stemma.StageCommit, Title: strings.Repeat("MW", 40)})
		l.Edges = append(l.Edges, lineage.Edge{From: ref, To: ticket.Ref, Door: "names", Grade: stemma.GradeD})
	}
	d := drawn.Lineage(l)[0].Lanes.Wide
	starts := map[string]bool{}
	for _, a := range d.Arrows {
		start, _, _ := strings.Cut(a.Path, "C")
		starts[start] = true
	}
	if len(starts) != 4 {
		t.Errorf("four arrows leave a box at %d places", len(starts))
	}
	for _, b := range d.Boxes {
		if n := len(b.Text); strings.HasPrefix(b.Text, "MW") && (n < 10 || n > 20) {
			t.Errorf("a box of %d units is to hold %q", b.W, b.Text)
		}
	}
}
