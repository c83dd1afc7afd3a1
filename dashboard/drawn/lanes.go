package drawn

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/lineage"
)

// A form says how a drawing is laid out.
type form struct {
	id              string
	width, left     int // left is the room for the names of lanes; 0 puts them above
	perRow, maxRows int
	boxH, gap, pad  int
}

var (
	wideForm   = form{id: "wide", width: 1120, left: 128, perRow: 4, maxRows: 3, boxH: 34, gap: 12, pad: 10}
	narrowForm = form{id: "narrow", width: 340, left: 0, perRow: 1, maxRows: 4, boxH: 34, gap: 8, pad: 8}
)

// stageDoc says what would have to be connected for a stage to be seen.
var stageDoc = map[stemma.Stage]string{
	stemma.StageRequirement: "no requirement is named",
	stemma.StageTicket:      "no ticket is named",
	stemma.StageSession:     "no session is recorded",
	stemma.StageCommit:      "no commit is known",
	stemma.StageChange:      "no change is known",
	stemma.StageReview:      "no review was captured",
	stemma.StagePipeline:    "no pipeline run was captured",
	stemma.StageArtifact:    "no artifact was captured",
	stemma.StageDeployment:  "no deployment was captured",
	stemma.StageIncident:    "no incident is linked",
}

// Lineage shows a lineage twice: as a picture, and as a table with the evidence
// for each step.
func Lineage(l lineage.Lineage) []page.Section {
	byStage := map[stemma.Stage][]lineage.Node{}
	for _, n := range l.Nodes {
		byStage[n.Stage] = append(byStage[n.Stage], n)
	}
	known, desc := 0, "Stages from requirement to incident."
	for _, s := range stemma.Stages {
		desc += fmt.Sprintf(" %s: %d.", page.Capital(string(s)), len(byStage[s]))
		if len(byStage[s]) > 0 {
			known++
		}
	}
	note := fmt.Sprintf("%d of %d stages are known. What is empty was not captured, or never was.", known, len(stemma.Stages))
	if l.Grade != "" {
		note += " The weakest evidence that any of this rests on is of grade " + string(l.Grade) + ": " + page.Grade(l.Grade).Title + "."
	}
	if l.Truncated != "" {
		note += " More is connected than is shown here."
	}
	title := "Lineage of " + l.Nodes[0].Title
	return []page.Section{
		{ID: "lineage", Title: "Lineage", Note: note, Lanes: &page.Lanes{
			Wide:   wideForm.draw(l, byStage, title, desc),
			Narrow: narrowForm.draw(l, byStage, title, desc),
		}},
		{ID: "lineage-table", Title: "Lineage as a table", Table: lineageTable(l, byStage)},
	}
}

func (f form) draw(l lineage.Lineage, byStage map[stemma.Stage][]lineage.Node, title, desc string) page.Drawing {
	out := page.Drawing{ID: f.id, Width: f.width, Title: title, Desc: desc}
	at := map[stemma.Ref]page.Box{}
	for _, stage := range stemma.Stages {
		gap := stageDoc[stage]
		if !slices.Contains(l.Missing, stage) {
			gap = "nothing leads there from here"
		}
		f.lane(&out, stage, gap, byStage[stage], at)
	}
	out.Arrows = arrows(l.Edges, at)
	return out
}

// lane draws the next lane below the last, and notes where the boxes are.
func (f form) lane(d *page.Drawing, stage stemma.Stage, gap string, nodes []lineage.Node, at map[stemma.Ref]page.Box) {
	x0, y0 := f.left+f.pad, d.Height+f.pad
	ln := page.Lane{Stage: page.Capital(string(stage)), Y: d.Height, TextX: f.pad, TextY: y0 + f.boxH/2 + 4}
	if f.left == 0 { // the name stands above
		y0 += 20
		ln.TextY = d.Height + 17
	}
	if len(nodes) == 0 {
		ln.Empty, ln.Gap = true, gap
		ln.GapX, ln.GapY, ln.GapW, ln.GapTxt = x0, y0, f.width-x0-f.pad, y0+f.boxH/2+4
	}
	shown := nodes
	if most := f.perRow * f.maxRows; len(shown) > most {
		shown = shown[:most-1]
	}
	for i, n := range shown {
		b := f.place(i, x0, y0)
		b.Text, b.Title, b.Href = fitting(b.W-36, page.Show(n.Title)), page.Show(n.Title)+" ("+string(n.Ref)+")", page.Href(n.Ref)
		b.Number = len(at) + 1
		b.Grade, b.Start, b.Named = string(n.Grade), n.Side == "start", !n.Stated
		at[n.Ref] = b
		d.Boxes = append(d.Boxes, b)
	}
	boxes := len(shown)
	if rest := len(nodes) - len(shown); rest > 0 {
		b := f.place(boxes, x0, y0)
		b.Text, b.Title, b.Href = fmt.Sprintf("and %d more", rest), fmt.Sprintf("%d more, see the table", rest), "#lineage-table"
		d.Boxes = append(d.Boxes, b)
		boxes++
	}
	rows := max(1, (boxes+f.perRow-1)/f.perRow)
	ln.Height = y0 - d.Height + f.pad + rows*f.boxH + (rows-1)*f.gap
	d.Height += ln.Height
	d.Lanes = append(d.Lanes, ln)
}

// fitting cuts text to a width, given that nobody knows the font: in the usual
// ones of 12.5 units no letter is wider than is reckoned here.
func fitting(width int, s string) string {
	tenths := 0
	for i, r := range []rune(s) {
		switch {
		case strings.ContainsRune("ijlI.,:;'|!()[]/ ", r):
			tenths += 50
		case strings.ContainsRune("mwMW@%", r):
			tenths += 118
		case r > 0x2e80: // as wide as high
			tenths += 130
		default:
			tenths += 81
		}
		if tenths > width*10 {
			return page.Short(i, s)
		}
	}
	return s
}

func (f form) place(i, x0, y0 int) page.Box {
	w := (f.width - f.left - f.pad*2 - f.gap*(f.perRow-1)) / f.perRow
	b := page.Box{X: x0 + i%f.perRow*(w+f.gap), Y: y0 + i/f.perRow*(f.boxH+f.gap), W: w, H: f.boxH}
	b.TextX, b.TextY, b.GradeX = b.X+10, b.Y+f.boxH/2+4, b.X+b.W-16
	return b
}

// A line is an arrow while its ends are found.
type line struct {
	from, to page.Box
	x1, x2   int
	edge     lineage.Edge
}

// arrows lead from cause to effect between the boxes that are shown. Those at
// one side of a box stand beside each other, in the order of where they lead.
func arrows(edges []lineage.Edge, at map[stemma.Ref]page.Box) []page.Arrow {
	var lines []*line
	below, above := map[page.Box][]*line{}, map[page.Box][]*line{}
	for _, e := range edges {
		to, ok1 := at[e.From]
		from, ok2 := at[e.To]
		if !ok1 || !ok2 {
			continue
		}
		if from.Y > to.Y { // the picture reads downwards
			from, to = to, from
		}
		l := &line{from, to, from.X + from.W/2, to.X + to.W/2, e}
		lines = append(lines, l)
		if from.Y != to.Y {
			below[from], above[to] = append(below[from], l), append(above[to], l)
		}
	}
	for b, side := range below {
		slices.SortStableFunc(side, func(x, y *line) int { return cmp.Compare(x.to.X, y.to.X) })
		for i, l := range side {
			l.x1 = b.X + b.W*(i+1)/(len(side)+1)
		}
	}
	for b, side := range above {
		slices.SortStableFunc(side, func(x, y *line) int { return cmp.Compare(x.from.X, y.from.X) })
		for i, l := range side {
			l.x2 = b.X + b.W*(i+1)/(len(side)+1)
		}
	}
	out := make([]page.Arrow, 0, len(lines))
	for _, l := range lines {
		out = append(out, l.arrow())
	}
	return out
}

func (l *line) arrow() page.Arrow {
	y1, y2 := l.from.Y+l.from.H, l.to.Y
	if l.from.Y == l.to.Y {
		y1 = l.from.Y + l.from.H/2
		y2 = y1
	}
	mid := (y1 + y2) / 2
	return page.Arrow{
		From: l.from.Number, To: l.to.Number,
		Path:  fmt.Sprintf("M%d %dC%d %d %d %d %d %d", l.x1, y1, l.x1, mid, l.x2, mid, l.x2, y2),
		Title: l.edge.Door + ", grade " + string(l.edge.Grade), Weak: l.edge.Grade == stemma.GradeD,
	}
}

// lineageTable says the same as the picture, with the evidence for each step.
func lineageTable(l lineage.Lineage, byStage map[stemma.Stage][]lineage.Node) *page.Table {
	t := &page.Table{
		ID: "lineage", Caption: "What this rests on and what rests on it, in causal order; missing stages on its way are listed too",
		Columns: page.Head("stage", "thing", "linked by", "grade", "basis", "method", "evidence"),
		Command: "stemma trace " + page.Shell(string(l.Start)),
	}
	edges := map[stemma.Ref]lineage.Edge{} // by the end that is farther away
	depth := map[stemma.Ref]int{}
	for _, n := range l.Nodes {
		depth[n.Ref] = n.Depth
	}
	for _, e := range l.Edges {
		far := e.From
		if depth[e.To] > depth[e.From] {
			far = e.To
		}
		if have, ok := edges[far]; !ok || e.Grade < have.Grade {
			edges[far] = e
		}
	}
	for _, s := range l.Stages {
		stage := s.Stage
		name := page.Text(page.Capital(string(stage)))
		if s.Nodes == 0 {
			t.Add(slices.Insert(make([]page.Cell, 5), 0, name, page.Cell{Text: stageDoc[stage], Class: "gap"})...)
		}
		for _, n := range byStage[stage] {
			e, linked := edges[n.Ref]
			if !linked || n.Side == "start" {
				t.Add(name, page.To(n.Ref, n.Title), page.Cell{Text: "this page"}, page.Grade(n.Grade), page.Cell{}, page.Cell{}, page.Evidence(n.Last))
				continue
			}
			t.Add(name, page.To(n.Ref, n.Title), page.Text(page.Words(e.Door)), page.Grade(e.Grade), page.Text(string(e.Basis)), page.Text(page.Words(e.Method)), page.Evidence(e.Pos))
		}
	}
	return t
}
