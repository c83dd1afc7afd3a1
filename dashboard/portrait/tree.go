package portrait

import (
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/dashboard/reading"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/query/filter"
)

// sessionTree adds the trees in which sessions stand, planners above their workers. A
// session that nothing started and that started nothing is no tree.
func (p *portrait) sessionTree(here ...stemma.Ref) {
	if p.err != nil {
		return
	}
	sessions, err := p.Reader.Trees(p.ctx, here...)
	if p.err = err; len(sessions) == 0 || !slices.ContainsFunc(sessions, func(s reading.Spawned) bool { return s.Depth > 0 }) {
		return
	}
	t := &page.Table{ID: "tree", Caption: "Sessions and those that they started", Columns: page.Head("session", "started by", "depth", "started", "turns", "tool calls")}
	out := &page.Tree{Table: t}
	branches := map[stemma.Ref]*page.Branch{}
	var roots []string
	for _, s := range sessions {
		title := lineage.Title(s.Ref, map[string]any{"title": s.Title})
		b := &page.Branch{Thing: page.To(s.Ref, title), Here: slices.Contains(here, s.Ref), Notes: notes(s)}
		if above := branches[s.Parent]; above != nil {
			above.Below = append(above.Below, b)
		} else {
			out.Roots = append(out.Roots, b)
			roots = append(roots, "tree:"+filter.Quote(string(s.Ref)))
		}
		branches[s.Ref] = b
		t.Add(page.To(s.Ref, title), page.To(s.Parent, ""), page.Number(s.Depth), page.Moment(s.Started), page.Number(s.Turns), page.Number(s.Calls))
	}
	t.Command = page.Ask("sessions", strings.Join(roots, " OR "))
	p.add(page.Section{ID: "tree", Title: "Agents and those they started", Note: "Who started whom. Marked is what this page is about.", Tree: out})
}

// notes are a few words about a session in a tree.
func notes(s reading.Spawned) []page.Cell {
	var out []page.Cell
	if s.Model != "" {
		out = append(out, page.Text(s.Model))
	}
	if s.Turns > 0 {
		out = append(out, page.Text(page.Count(s.Turns)+" turns").At(page.Href(s.Ref)+"#turns"))
	}
	if s.Calls > 0 {
		out = append(out, page.Text(page.Count(s.Calls)+" tool calls").At(page.Href(s.Ref)+"#tool-calls"))
	}
	return append(out, page.Moment(s.Started))
}
