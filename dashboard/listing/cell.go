package listing

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/query"
	"github.com/stemma-dev/stemma/query/filter"
)

// columns are those shown: the name of a person stands in the place of the ref.
func (q *Question) columns() []page.Column {
	cols := q.query.Columns()
	sorted, descending := order(q.asked)
	if sorted == "" {
		sorted, descending = order(q.list.Order)
	}
	var out []page.Column
	for _, c := range cols {
		if q.named(cols, c) {
			continue
		}
		col := page.Column{Name: c.Name, Title: page.Capital(page.Words(c.Name)), Doc: c.Doc}
		switch {
		case c.Name == "ref" && q.list.one != "":
			col.Title = q.list.one
		case c.Name == "author-class":
			col.Title = "Written by"
		}
		col.Num = c.Type == filter.Int || c.Type == filter.Percent
		if !c.Many {
			col.Sort = q.sortHref(c, c.Name == sorted, descending)
		}
		if c.Name == sorted {
			col.Sorted = "ascending"
			if descending {
				col.Sorted = "descending"
			}
		}
		out = append(out, col)
	}
	return out
}

// sortHref is the address of the same list by another column, or the other way
// round; empty if it cannot be sorted by it.
func (q *Question) sortHref(c query.Column, sorted, descending bool) string {
	down := c.Type == filter.Int || c.Type == filter.Percent || c.Type == filter.Time
	if sorted {
		down = !descending
	}
	next := strings.TrimSpace(unordered(q.asked) + " sort:" + c.Name)
	if down {
		next += "-desc"
	}
	if _, err := query.Parse(q.list.Kind, next, q.now); err != nil {
		return ""
	}
	return page.ListHref(q.list.Kind, next)
}

// named reports whether a column is the name of the thing in the one before it, and
// so is shown in its place.
func (q *Question) named(cols []query.Column, c query.Column) bool {
	if c.Name == q.list.called && c.Name != "" && cols[0].Name == "ref" {
		return true
	}
	base, ok := strings.CutSuffix(c.Name, "-name")
	if !ok {
		return false
	}
	for _, o := range cols {
		if o.Name == base && o.Type == filter.Ref {
			return true
		}
	}
	return false
}

// row shows one row of an answer; its numbers lead to what they count.
func (q *Question) row(cols []query.Column, values query.Row) page.Row {
	var out page.Row
	for i, c := range cols {
		if q.named(cols, c) {
			continue
		}
		v := values[i]
		name := ""
		if i+1 < len(cols) && c.Type == filter.Ref && q.named(cols, cols[i+1]) && !values[i+1].Null {
			name = values[i+1].Text
		}
		cl := cell(q.list.Kind, c, v, name, values)
		if (c.Type == filter.Int || c.Type == filter.Percent) && !v.Null {
			cl.Href = q.behind(c.Name, cols, values)
		}
		if at := q.fileHref(cols, values); c.Type == filter.Path && at != "" {
			cl.Href = at
		}
		out.Cells = append(out.Cells, cl)
	}
	return out
}

// cell shows one value of a row.
func cell(kind string, c query.Column, v query.Cell, name string, all query.Row) page.Cell {
	if c.Many {
		var parts []page.Cell
		for _, s := range v.List {
			if c.Type == filter.Ref {
				parts = append(parts, page.To(stemma.Ref(s), page.ShortName(stemma.Ref(s))))
			} else {
				parts = append(parts, page.Text(s))
			}
		}
		return page.Cell{Parts: parts, Class: "several"}
	}
	if v.Null {
		return page.Cell{}
	}
	switch c.Type {
	case filter.Ref:
		ref := stemma.Ref(v.Text)
		return page.To(ref, cmp.Or(name, page.ShortName(ref)))
	case filter.Int:
		if kind == "sessions" && v.Int == 0 && c.Name == "tokens" {
			return page.Cell{} // they were not counted: no session takes none
		}
		return page.Number(v.Int)
	case filter.Percent:
		return page.Mille(v.Int)
	case filter.Span:
		return page.Text((time.Duration(v.Int) * time.Microsecond).Round(time.Second).String())
	case filter.Time:
		return page.Moment(v.Time())
	case filter.Enum:
		if slices.Contains([]string{"author-class", "origin", "fix-author", "origin-author"}, c.Name) {
			return page.Origin(v.Text)
		}
	case filter.Hash:
		if kind == "commits" && c.Name == "sha" {
			return page.Commit(v.Text)
		}
		return page.Mono(v.Text)
	case filter.Words, filter.Text:
		return text(c, v, all[0])
	case filter.Path:
		return page.Path(v.Text).At("/files/find?path=" + url.QueryEscape(v.Text))
	}
	return page.Text(v.Text)
}

// text shows words; a title leads to the thing that it is the title of.
func text(c query.Column, v, thing query.Cell) page.Cell {
	if c.Name != "title" {
		return page.Text(v.Text)
	}
	out := page.Title(v.Text)
	switch {
	case thing.Type == filter.Ref && !thing.Null:
		return out.At(page.Href(stemma.Ref(thing.Text)))
	case thing.Type == filter.Hash:
		return out.At(page.CommitHref(thing.Text))
	}
	return out
}
