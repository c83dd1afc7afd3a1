package dashboard

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/query"
)

// A logState is what the page of the log knows.
type logState struct {
	Note, Key string
	Empty     bool
}

func (d *Dashboard) logPage(r *http.Request) (*page.Page, error) {
	body := &logState{Key: d.key}
	p := &page.Page{Template: "log", Title: "Log", Nav: "/log", Body: body}
	size, err := d.space.Ledger.Size(r.Context())
	if err != nil {
		return nil, err
	}
	p.Facts = append(p.Facts, page.Say("Origin", page.Mono(d.space.Ledger.Origin())), page.Say("Facts", page.Number(size)))
	c, err := d.space.Ledger.Checkpoint(r.Context())
	if errors.Is(err, stemma.ErrNotFound) {
		body.Empty = true
		return p, nil
	} else if err != nil {
		return nil, err
	}
	body.Note = page.ShowLines(string(c.Note))
	last, err := d.space.Ledger.Entry(r.Context(), c.Size-1)
	if err != nil {
		return nil, err
	}
	p.Facts = append(p.Facts, page.Say("Checkpoint covers", page.Number(c.Size)), page.Say("Root", page.Mono(c.Root.String())),
		page.Say("Latest fact", page.Text(strconv.FormatInt(c.Size-1, 10)).At(page.FactHref(c.Size-1)), page.Moment(last.Recorded)))
	return p, nil
}

// A keyHelp says what keys do.
type keyHelp struct{ Keys, Does string }

var keys = []keyHelp{
	{"/", "go to the search"},
	{"g o", "overview"},
	{"g c", "changes"},
	{"g s", "sessions"},
	{"g m", "models"},
	{"g f", "files"},
	{"g t", "tickets"},
	{"g e", "environments"},
	{"g d", "deployments"},
	{"g p", "pipelines"},
	{"g i", "incidents"},
	{"g v", "governance"},
	{"g q", "sources"},
	{"j, k", "next and previous row"},
	{"Enter", "open the row"},
	{"?", "show these keys"},
}

// helpPage lists the fields of every kind of the query language.
func (d *Dashboard) helpPage(*http.Request) (*page.Page, error) {
	p := &page.Page{Template: "help", Title: "Help", Nav: "/help", Body: keys}
	for _, k := range query.Kinds() {
		t := &page.Table{ID: "fields-" + k.Name, Caption: "Fields of " + k.Name, Columns: page.Head("field", "type", "what it is", "values"), Command: "stemma query " + k.Name + " --help"}
		for _, f := range k.Fields {
			kind := string(f.Type)
			if f.Many {
				kind += ", several"
			}
			t.Add(page.Mono(f.Name), page.Text(kind), page.Text(f.Doc), page.Text(strings.Join(f.Values, " ")))
		}
		p.Sections = append(p.Sections, page.Section{ID: k.Name, Title: k.Name, Note: k.Doc, Table: t})
	}
	return p, nil
}
