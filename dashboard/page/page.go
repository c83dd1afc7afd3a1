// Package page is how the dashboard looks: what a page is made of, and how
// that is written.
//
// A [Page] is made of plain values: facts at its head, then sections with
// tables, pictures and lines. [Templates] writes it as HTML, a [Table] itself
// as CSV or JSON. Pictures are SVG, laid out here from the same values as the
// table beside them, and all of it works without scripts.
//
// What is shown comes from outside and is hostile: templates escape it, and
// [Show] makes control characters visible first. The package reads nothing: no
// store, no request, no clock. The address of every page is made here, too, so
// that whatever names a thing can lead to it.
package page

import (
	"context"
	"embed"
	"html/template"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/query/output"
)

// A Page is what a template is filled with.
type Page struct {
	Template string // name of the file without its end
	Title    string // of the document, and its heading
	Kind     string // small word above the heading
	Ref      stemma.Ref
	Nav      string // which entry of the menu it belongs to
	Facts    []Labelled
	Sections []Section
	Body     any // what only this template knows

	Status   int    // of HTTP; 200 unless set
	Redirect string // where to go instead

	// Stream, if set, writes the whole answer of which the page shows a part.
	Stream func(ctx context.Context, f output.Format, w io.Writer) error

	// What every page has.
	Menu  []Entry
	AsOf  AsOf
	Query string // what the search box holds
}

// A Labelled value is one line of the facts at the head of a page.
type Labelled struct {
	Label string
	Cells []Cell
}

// Say makes one.
func Say(label string, cells ...Cell) Labelled { return Labelled{label, cells} }

// A Section is a part of a page with a heading of its own.
type Section struct {
	ID, Title string
	Note      string // a sentence below the heading
	Table     *Table
	Way       *Way
	Tree      *Tree
	Leads     *Leads
	Events    []Event
	Lanes     *Lanes
	Diff      *Diff
	Charts    []*Chart
	Findings  *Findings
	Text      string // preformatted
	Next      Cell   // leads to the rows that follow
	Folded    string // what the table is, where it is only shown if asked for
}

// An Entry is one of the menu: a subject with its pages, or one of these.
type Entry struct {
	Href, Text, Key string
	Current         bool
	Pages           []Entry
}

// An AsOf says which state of the store a page shows.
type AsOf struct {
	Facts    int64 // in the graph
	Behind   int64 // in the log, but not yet in the graph
	Recorded time.Time
}

// Table finds a table of the page; without an id, its first. It is nil if there
// is none.
func (p *Page) Table(id string) *Table {
	for _, s := range p.Sections {
		t := s.Table
		switch {
		case s.Diff != nil:
			t = s.Diff.Table
		case s.Tree != nil:
			t = s.Tree.Table
		case s.Leads != nil:
			t = s.Leads.Table
		case s.Findings != nil:
			t = s.Findings.Table
		}
		if t != nil && (id == "" || t.ID == id) {
			return t
		}
	}
	return nil
}

//go:embed templates/*.html
var shared embed.FS

// functions are what templates may call.
var functions = template.FuncMap{
	"show": Show, "lines": ShowLines, "count": Count[int64], "stamp": Stamp, "iso": iso, "sha": Abbreviate, "words": Words,
	"originName": originName, "originMark": originMark, "cell": cellHTML, "bar": barHTML, "rows": rowsHTML,
}

// Templates are the pages' templates, by name.
type Templates map[string]*template.Template

// Parse makes templates of all files of a directory that end in .html. Each
// defines "content", and may use what all share: "heading", "facts",
// "sections", "table", "totals", "cell", "bar", "chart".
func Parse(own fs.FS) (Templates, error) {
	frame, err := template.New("").Funcs(functions).ParseFS(shared, "templates/*.html")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(own, "*.html")
	if err != nil {
		return nil, err
	}
	all := Templates{}
	for _, file := range names {
		t, err := frame.Clone()
		if err != nil {
			return nil, err
		}
		if all[strings.TrimSuffix(path.Base(file), ".html")], err = t.ParseFS(own, file); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Write writes a page as HTML. It panics if there is no template of that name.
func (t Templates) Write(w io.Writer, p *Page) error {
	return t[p.Template].ExecuteTemplate(w, "layout", p)
}
