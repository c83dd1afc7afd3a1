package page_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/dashboard/page"
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

func TestMoneyIsToldToTheCentOrFiner(t *testing.T) {
	for micro, want := range map[int64]string{0: "$0.00", 4: "$0.000004", 4200: "$0.0042", 5000: "$0.01", 24_101_561: "$24.10", 1_234_567_890: "$1,234.57"} {
		if c := page.Money(micro); c.Text != want || c.Value != micro {
			t.Errorf("%d micro-dollars are %s with the value %v, want %s", micro, c.Text, c.Value, want)
		}
	}
}
