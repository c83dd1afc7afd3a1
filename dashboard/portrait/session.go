package portrait

import (
	"context"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/lineage"
)

// Session shows a run of an agent. What was said in it is not shown: only
// how long it is, and its digest.
func (g *Gallery) Session(ctx context.Context, key string) (*page.Page, error) {
	p := g.named(ctx, stemma.KindSession, key, "/sessions")
	p.describe()
	p.unpriced()
	p.sessionTree(p.n.Ref)
	p.way()
	files, err := g.Reader.LinesOfSession(p.ctx, p.n.ID)
	p.results(p.filter("session"), files, err)
	p.ownList("model", "models", "Models", "Models it used", "No model of it is known.")
	p.ownList("file", "files", "Files", "Files it touched", "No file that it touched is known.")
	p.ownList("config", "config", "What it worked under", "System prompts, files of rules and servers of tools, by their digests", "It was not told what it worked under.")
	p.ownList("turn", "turns", "Turns", "Its turns; what was said is kept sealed and is not shown here, only its digest", "None of its turns was recorded by itself; at most they were counted.")
	p.ownList("tool_call", "tool-calls", "Tool calls", "Its tool calls", "None of its tool calls was recorded by itself; at most they were counted.")
	p.lineage()
	p.links()
	p.records()
	return p.page()
}

// unpriced says of a session whose tokens were counted why no cost is shown.
func (p *portrait) unpriced() {
	_, in := p.n.Attrs.Int("input_tokens")
	_, out := p.n.Attrs.Int("output_tokens")
	if _, priced := p.n.Attrs.Int("cost_micro_usd"); !priced && (in || out) {
		p.out.Facts = append(p.out.Facts, page.Say("Cost", page.Text("not known: not all of its tokens have a price")))
	}
}

// ownList adds a list of the thing with the columns that its room declares.
func (p *portrait) ownList(name, id, title, caption, empty string) {
	rows := p.list(name)
	spec, _ := lineage.Spec(p.n.Kind)
	for _, l := range spec.Lists {
		if l.Name != name {
			continue
		}
		t := p.listTable(l, rows)
		t.ID, t.Caption, t.Empty = id, caption, empty
		t.Command = page.SQL("SELECT * FROM v1_session_"+name+" WHERE ref = ? ORDER BY seq", string(p.n.Ref))
		p.add(page.Section{ID: id, Title: title, Table: t})
	}
}

const listShown = 200 // rows of a list inside a page

func (p *portrait) listTable(l stemma.List, rows []graph.Attrs) *page.Table {
	t := &page.Table{}
	for _, c := range l.Columns {
		t.Columns = append(t.Columns, page.Column{Name: c.Name, Title: page.Capital(page.Words(c.Name)), Num: c.Type == stemma.Int, Doc: c.Doc})
	}
	for _, row := range rows[:min(len(rows), listShown)] {
		var cells []page.Cell
		for _, c := range l.Columns {
			var v page.Cell
			if _, known := row[c.Name]; known {
				v = attribute(row, c.Name, c.Type, nil)
				if c.Type == stemma.Int {
					v.Href = p.behind(c.Name)
				}
			}
			if c.Name == "body" && v.Text != "" {
				v = page.Cell{Text: page.Short(16, v.Text), Title: v.Text, Value: v.Value, Class: "mono"}
			}
			cells = append(cells, v)
		}
		t.Add(cells...)
	}
	if rest := len(rows) - listShown; rest > 0 {
		t.Rest(page.Text("and " + page.Count(rest) + " more"))
	}
	return t
}
