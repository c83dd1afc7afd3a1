package page_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/query/output"
)

func TestSheetHasNoFormulasAndNoCommands(t *testing.T) {
	table := page.Table{ID: "x", Columns: page.Head("name", "#lines left", "who")}
	table.Add(page.Text("\x1b]0;x\a"), page.Cell{}, page.Cell{Parts: []page.Cell{page.Text("a\u202e"), page.Text("b\u009b")}})
	table.Add(page.Text("=1+1"), page.Number(-3), page.Cell{Parts: []page.Cell{page.Text("@a"), page.Text("b")}})
	table.Add(page.Cell{}, page.Number(1200), page.Moment(time.Unix(0, 0)))
	var b bytes.Buffer
	must(t, table.Write(&b, output.CSV))
	want := "name,lines_left,who\n\uFFFD]0;x\uFFFD,,a\uFFFD; b\uFFFD\n'=1+1,-3,'@a; b\n,1200,1970-01-01T00:00:00Z\n"
	if b.String() != want {
		t.Errorf("the sheet is %q, want %q", b.String(), want)
	}
}

func TestTableAsJSONHasValuesNotTexts(t *testing.T) {
	table := page.Table{ID: "x", Columns: page.Head("#lines", "AI share", "thing", "nothing")}
	ref := stemma.Ref("commit:sha1/00112233445566778899aabbccddeeff00112233")
	table.Add(page.Number(1200), page.Share(change.Lines{AI: 1, Unknown: 2}), page.To(ref, ""), page.Cell{})
	var b bytes.Buffer
	must(t, table.Write(&b, output.JSON))
	var got struct {
		Table string
		Count int
		Rows  []map[string]any
	}
	must(t, json.Unmarshal(b.Bytes(), &got))
	row := got.Rows[0]
	if got.Table != "x" || got.Count != 1 || row["lines"] != 1200.0 || row["AI_share"] != 333.0 || row["thing"] != string(ref) || row["nothing"] != nil {
		t.Errorf("%+v", got)
	}
}

func TestDroppedColumnTakesItsCellsAlong(t *testing.T) {
	table := page.Table{Columns: page.Head("a", "b", "c")}
	table.Add(page.Text("1"), page.Text("2"), page.Text("3"))
	table.Drop("b")
	table.Drop("no such")
	if len(table.Columns) != 2 || len(table.Rows[0].Cells) != 2 || table.Rows[0].Cells[1].Text != "3" {
		t.Errorf("%+v", table)
	}
}

func TestWhatABrowserWouldObeyIsShown(t *testing.T) {
	for in, want := range map[string]string{
		"plain é 漢": "plain é 漢", "a\x1b[31mb": "a\u241b[31mb", "a\nb\tc": "a b c", "\u202etxt": "⟨U+202E⟩txt", "\xff": "\uFFFD",
		"\u200d\u00ad": "\u200d\u00ad", "\x7f": "\u2421", "\u2028": "⟨U+2028⟩",
	} {
		if got := page.Show(in); got != want || page.Show(got) != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
	if got := page.ShowLines("a\n\tb\r"); got != "a\n\tb\u240d" {
		t.Errorf("lines are shown as %q", got)
	}
}

// TestAddressesSurviveABrowser looks at keys that a browser or a server would
// tidy up on the way.
func TestAddressesSurviveABrowser(t *testing.T) {
	for ref, want := range map[stemma.Ref]string{
		"change:github.com/acme/pay#7":         "/changes/github.com/acme/pay%237",
		"session:codex/child%2F..%2Fx":         "/sessions/codex/child%252F..%252Fx",
		"session:codex/../x":                   "/sessions/codex%2F..%2Fx",
		"bot:github.com/dependabot":            "/people/bot:github.com/dependabot",
		"commit:sha1/ab":                       "/commits/ab",
		"release:github.com/acme/pay@v1.0+rc1": "/things/release:github.com/acme/pay@v1.0%2Brc1",
	} {
		if got := page.Href(ref); got != want {
			t.Errorf("%s leads to %s, want %s", ref, got, want)
		}
	}
	if got := page.FileHref("repository:h/r", "a b/#x?"); got != "/files/h/r/-/a%20b/%23x%3F" {
		t.Errorf("the file is at %s", got)
	}
}

// TestBarsStandOnEachOther adds up the parts of each month.
func TestBarsStandOnEachOther(t *testing.T) {
	if page.Months(nil) != nil {
		t.Error("there is a picture of nothing")
	}
	charts := page.Months([]page.Month{{Name: "2026-01", Lines: change.Lines{AI: 30, Human: 20, Unknown: 50}}, {Name: "2026-02"}, {Name: "2026-03", Lines: change.Lines{Unknown: 10}}})
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
		if got := page.Months([]page.Month{{Name: "2026-01", Lines: l}})[0].Bars[0].Share; got != want {
			t.Errorf("%+v is told as %s, want %s", l, got, want)
		}
	}
}

func TestEveryMonthIsToldOfItsYear(t *testing.T) {
	var months []page.Month
	for i := range 24 {
		months = append(months, page.Month{Name: fmt.Sprintf("%d-%02d", 2024+(i+8)/12, (i+8)%12+1)})
	}
	for _, c := range page.Months(months) {
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

func TestMoneyIsToldToTheCentOrFiner(t *testing.T) {
	for micro, want := range map[int64]string{0: "$0.00", 4: "$0.000004", 4200: "$0.0042", 5000: "$0.01", 24_101_561: "$24.10", 1_234_567_890: "$1,234.57"} {
		if c := page.Money(micro); c.Text != want || c.Value != micro {
			t.Errorf("%d micro-dollars are %s with the value %v, want %s", micro, c.Text, c.Value, want)
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
	d := page.Lineage(l)[0].Lanes.Wide
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
