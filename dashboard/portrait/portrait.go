// Package portrait makes the pages about one thing: a change, a commit, a
// session, a model, a person, a ticket, a file or a directory, and whatever else
// the store knows.
//
// A portrait says what is known of the thing and what is not: its attributes,
// what it led to, its lineage with the stages that are missing, and the records
// that all of it rests on, each with a way to verify it. Tables in it are
// bounded and lead to the whole.
package portrait

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/dashboard/decided"
	"github.com/stemma-dev/stemma/dashboard/drawn"
	"github.com/stemma-dev/stemma/dashboard/listing"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/dashboard/reading"
	"github.com/stemma-dev/stemma/graph"
	"github.com/stemma-dev/stemma/graph/walk"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/query/filter"
)

// A Gallery has the portraits of everything in a space. It may be used
// concurrently. What is not known fails with stemma.ErrNotFound, a key that
// names nothing with a stemma.InvalidError.
type Gallery struct {
	Space  *ingest.Space
	Reader *reading.Reader
	Judged *decided.Pages
	Now    func() time.Time // relative times in queries count from it
	Log    *slog.Logger     // receives what a page cannot tell its reader
	Judge  bool             // people may say here what caused an incident
}

// A portrait is a page while it is made: each method adds a section, or nothing
// once an error has come.
type portrait struct {
	*Gallery
	ctx context.Context
	n   graph.Node
	out *page.Page
	err error

	trace *lineage.Lineage // once it was asked for
}

// of begins the portrait of a thing, or of what bears its name now.
func (g *Gallery) of(ctx context.Context, ref stemma.Ref, nav string) *portrait {
	p := &portrait{Gallery: g, ctx: ctx, out: &page.Page{Template: "detail", Nav: nav}}
	if p.n, p.err = g.Space.Graph.Node(ctx, ref); p.err == nil {
		p.n, p.err = lineage.Bearer(ctx, g.Space.Graph, p.n)
	}
	if p.err == nil {
		p.out.Title, p.out.Kind, p.out.Ref = lineage.Title(p.n.Ref, p.n.Attrs), string(p.n.Kind), p.n.Ref
	}
	return p
}

// named is of for a thing of a kind, of which the address has the key.
func (g *Gallery) named(ctx context.Context, kind stemma.Kind, key, nav string) *portrait {
	ref, err := stemma.ParseRef(string(kind) + ":" + key)
	if err != nil {
		return &portrait{Gallery: g, ctx: ctx, out: &page.Page{}, err: err}
	}
	return g.of(ctx, ref, nav)
}

// page is what became of it.
func (p *portrait) page() (*page.Page, error) { return p.out, p.err }

// filter is the question for what a field leads from to the thing.
func (p *portrait) filter(field string) string { return field + ":" + filter.Quote(string(p.n.Ref)) }

// names are those of things.
func (p *portrait) names(refs ...stemma.Ref) map[stemma.Ref]string {
	if p.err != nil {
		return nil
	}
	var names map[stemma.Ref]string
	names, p.err = p.Reader.Names(p.ctx, refs...)
	return names
}

// list is one of the thing's own lists.
func (p *portrait) list(name string) []graph.Attrs {
	if p.err != nil {
		return nil
	}
	var rows []graph.Attrs
	rows, p.err = p.Space.Graph.List(p.ctx, p.n, name)
	return rows
}

func (p *portrait) add(sections ...page.Section) {
	if p.err == nil {
		p.out.Sections = append(p.out.Sections, sections...)
	}
}

// describe adds attributes to the facts at the head, in the order of names, or
// all in that of the kind's declaration.
func (p *portrait) describe(names ...string) {
	spec, ok := lineage.Spec(p.n.Kind)
	if !ok {
		return
	}
	types := map[string]stemma.ColumnType{}
	all := names == nil
	for _, c := range spec.Columns {
		types[c.Name] = c.Type
		if all {
			names = append(names, c.Name)
		}
	}
	var refs []stemma.Ref
	for _, name := range names {
		if ref := p.n.Attrs.Ref(name); ref != "" {
			refs = append(refs, ref)
		}
	}
	called := p.names(refs...)
	for _, name := range names {
		if _, known := p.n.Attrs[name]; !known {
			continue
		}
		if c := attribute(p.n.Attrs, name, types[name], called); c.Text != "" {
			if at := p.behind(name); at != "" && types[name] == stemma.Int {
				c.Href = at
			}
			p.out.Facts = append(p.out.Facts, page.Say(page.Capital(page.Words(name)), c))
		}
	}
}

// sections are where what an attribute counts is seen on the page of a thing.
var sections = map[stemma.Kind]map[string]string{
	stemma.KindChange: {"files": "#diff", "added": "#diff", "deleted": "#diff"},
	stemma.KindCommit: {"parents": "#links", "files": "#files", "added": "#diff", "deleted": "#diff"},
	stemma.KindSession: {
		"turns": "#turns", "prompts": "#turns", "iterations": "#turns", "reprompts": "#turns", "tool_calls": "#tool-calls",
		"input_tokens": "#turns", "output_tokens": "#turns", "cache_read_tokens": "#turns", "cache_write_tokens": "#turns",
		"cost_micro_usd": "#models",
		"turn":           "#turns", "edits": "#tool-calls", // of its lists
	},
}

// behind is the address of what an attribute counts; empty if it counts nothing
// that can be seen.
func (p *portrait) behind(name string) string {
	if p.n.Kind == stemma.KindChange && name == "commits" {
		return page.ListHref("commits", p.filter("change"))
	}
	return sections[p.n.Kind][name]
}

func attribute(a graph.Attrs, name string, kind stemma.ColumnType, called map[stemma.Ref]string) page.Cell {
	switch kind {
	case stemma.Int:
		n, _ := a.Int(name)
		if strings.HasSuffix(name, "_micro_usd") {
			return page.Money(n)
		}
		return page.Number(n)
	case stemma.Bool:
		if a.Bool(name) {
			return page.Text("yes")
		}
		return page.Text("no")
	case stemma.Time:
		return page.Moment(a.Time(name))
	case stemma.Link:
		ref := a.Ref(name)
		return page.To(ref, called[ref])
	}
	s := a.Text(name)
	switch name {
	case "author_class", "fix_author", "origin_author":
		return page.Origin(s)
	case "url":
		if strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") {
			return page.Text(s).At(s)
		}
	case "sha", "tree", "blob", "digest", "tag_object":
		return page.Mono(s)
	}
	return page.Text(s)
}

// origins puts the counts of added lines before the other facts.
func (p *portrait) origins() {
	var l change.Lines
	for name, to := range map[string]*int{"ai_lines": &l.AI, "human_lines": &l.Human, "unknown_lines": &l.Unknown} {
		n, _ := p.n.Attrs.Int(name)
		*to = int(n)
	}
	p.out.Facts = slices.Insert(p.out.Facts, 0, page.Say("Lines by origin", page.Origins(l, func(string) string { return "#diff" })...))
}

// traced is the lineage of the thing; nil after an error.
func (p *portrait) traced() *lineage.Lineage {
	if p.trace == nil && p.err == nil {
		l, err := lineage.Trace(p.ctx, p.Space.Graph, p.n.Ref, lineage.Both, walk.Limits{Nodes: 400})
		if p.err = err; err == nil {
			p.trace = &l
		}
	}
	return p.trace
}

// lineage adds the lineage, as picture and as table.
func (p *portrait) lineage() {
	if l := p.traced(); l != nil {
		p.add(drawn.Lineage(*l)...)
	}
}

// way adds the steps from requirement to incident, and which of them are missing.
func (p *portrait) way() {
	l := p.traced()
	if l == nil {
		return
	}
	var refs []stemma.Ref
	for _, n := range l.Nodes {
		refs = append(refs, n.Ref)
	}
	beside, err := p.Reader.Beside(p.ctx, refs...)
	if p.err = err; err != nil {
		return
	}
	called := p.names(beside...)
	heard, err := p.Reader.Heard(p.ctx)
	if p.err = err; err != nil {
		return
	}
	w := drawn.NewWay(*l, called, heard)
	note := "Every step from requirement to incident is known."
	if w.Missing > 0 {
		note = "What is known of every step, and why something is not. The lineage below has all of it, with the evidence."
	}
	p.add(page.Section{ID: "way", Title: "From requirement to incident", Note: note, Way: w})
}

const edgesShown = 100

// links adds all edges, either way.
func (p *portrait) links() {
	if p.err != nil {
		return
	}
	out, in, err := p.Space.Graph.Edges(p.ctx, p.n.Ref, edgesShown)
	if p.err = err; err != nil {
		return
	}
	var refs []stemma.Ref
	for _, e := range out {
		refs = append(refs, e.To)
	}
	for _, e := range in {
		refs = append(refs, e.From)
	}
	called := p.names(refs...)
	t := &page.Table{
		ID: "links", Caption: "What it is linked to", Columns: page.Head("door", "direction", "kind", "thing", "grade", "method", "evidence"),
		Empty: "It is linked to nothing.", Command: page.SQL("SELECT * FROM v1_edge WHERE effect = ? UNION ALL SELECT * FROM v1_edge WHERE cause = ?", string(p.n.Ref), string(p.n.Ref)),
	}
	add := func(e graph.Edge, direction string, far stemma.Ref) {
		t.Add(page.Text(page.Words(e.Door)), page.Text(direction), page.Text(string(far.Kind())), page.To(far, called[far]), page.Grade(e.Grade), page.Text(page.Words(e.Method)), page.Evidence(e.Pos))
	}
	for _, e := range out {
		add(e, "from here", e.To)
	}
	for _, e := range in {
		add(e, "to here", e.From)
	}
	if len(out) == edgesShown || len(in) == edgesShown {
		t.Rest(page.Text("There are more than are shown."))
	}
	p.add(page.Section{ID: "links", Title: "Links", Table: t})
}

// records adds the raw records, each with a way to verify it.
func (p *portrait) records() {
	if p.err != nil {
		return
	}
	records, err := p.Reader.Records(p.ctx, p.n.ID)
	if p.err = err; err != nil {
		return
	}
	t := &page.Table{
		ID: "records", Caption: "Facts about this in the log, the latest first", Columns: page.Head("#position", "grade", "source", "occurred", "recorded", "id", "#bytes", "check"),
		Empty: "No fact is about this itself: others name it.", Command: page.SQL("SELECT pos FROM v1_fact WHERE ref = ? ORDER BY pos DESC LIMIT 20", string(p.n.Ref)),
	}
	for _, f := range records {
		at := page.FactHref(f.Pos)
		t.Add(page.Number(f.Pos).At(at), page.Grade(f.Fact.Grade), page.Text(f.Fact.Source), page.Moment(f.Fact.Occurred), page.Moment(f.Recorded),
			page.Cell{Text: page.Short(13, f.ID), Title: f.ID, Value: f.ID, Class: "mono"}, page.Number(f.Size), page.Text("verify").At(at+"?verify=1"))
	}
	p.add(page.Section{ID: "raw", Title: "Raw records", Table: t})
}

// few adds the beginning of a list, which leads to the whole, without columns that would
// say the same in each row. Where there is nothing, it says what that means.
func (p *portrait) few(kind, asked, caption, empty string, without ...string) {
	t := p.beginning(kind, asked, caption, without...)
	if t != nil {
		t.Empty = empty
	}
	p.part(page.Section{ID: kind, Title: page.Capital(kind), Table: t})
}

// some is few, unless there is nothing.
func (p *portrait) some(kind, asked, caption string, without ...string) {
	if t := p.beginning(kind, asked, caption, without...); t != nil && len(t.Rows) > 0 {
		p.part(page.Section{ID: kind, Title: page.Capital(kind), Table: t})
	}
}

// part adds a section with a table under an id of its own.
func (p *portrait) part(s page.Section) {
	if s.Table != nil {
		s.Table.ID = s.ID
		p.add(s)
	}
}

// beginning is that of a list; nil after an error.
func (p *portrait) beginning(kind, asked, caption string, without ...string) *page.Table {
	if p.err != nil {
		return nil
	}
	q, err := listing.Of(kind).Ask(asked, p.Now())
	if p.err = err; err != nil {
		return nil
	}
	t, err := q.Beginning(p.ctx, p.Space.DB, 10)
	if p.err = err; err != nil {
		return nil
	}
	for _, name := range without {
		t.Drop(name)
	}
	t.Caption = caption
	return t
}

// results adds the lines at the tips that are of the thing, by file.
func (p *portrait) results(which string, files []reading.LinesIn, err error) {
	if p.err == nil {
		p.err = err
	}
	t := &page.Table{
		ID: "results", Caption: "Lines at the tips of branches, by file", Columns: page.Head("file", "#lines"), Empty: "No line of it is at the tip of a branch now.",
		Command: page.Ask("lines", which+" group:repo,path limit:50"),
	}
	for _, f := range files {
		t.Add(page.Path(f.Path).At(page.FileHref(f.Repository, f.Path)), page.Number(f.Lines).At(page.ListHref("lines", which+" repo:"+filter.Quote(string(f.Repository))+" path:"+filter.Quote("/"+f.Path))))
	}
	if len(files) > 0 {
		t.Rest(page.Text("as a list").At(page.ListHref("lines", which)))
	}
	p.add(page.Section{ID: "results", Title: "Lines that are still there", Table: t})
}
