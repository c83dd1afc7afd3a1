package dashboard

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/lineage"
	"github.com/stemma-dev/stemma/query"
	"github.com/stemma-dev/stemma/query/filter"
)

// A found is what the page of the search knows.
type found struct {
	Asked   string
	Nothing bool
	Tries   []example // the same words asked of the lists
}

// searchPage finds what a text may name. If that is one thing only, it goes
// there.
func (d *Dashboard) searchPage(r *http.Request) (*page.Page, error) {
	asked := strings.TrimSpace(r.FormValue("q"))
	body := &found{Asked: asked}
	p := &page.Page{Template: "search", Title: "Search", Body: body}
	if asked == "" {
		return p, nil
	}
	if len(asked) > 4096 {
		return nil, problem{Status: http.StatusBadRequest, What: "This is too long to search for", Why: "Names have at most 4096 bytes."}
	}
	called, err := d.space.Called(r.Context(), asked)
	if err != nil {
		return nil, err
	}
	all, err := lineage.Find(r.Context(), d.space.Graph, asked, called...)
	if err != nil {
		return nil, err
	}
	hrefs, err := d.hrefs(r.Context(), all)
	if err != nil {
		return nil, err
	}
	if len(all) == 1 && r.FormValue("format") == "" {
		p.Redirect = hrefs[0]
		return p, nil
	}
	names, err := d.reader.Names(r.Context(), called...)
	if err != nil {
		return nil, err
	}
	t := &page.Table{ID: "found", Caption: "What may be meant", Columns: page.Head("thing", "kind", "taken for", "match", "ref"), Command: "stemma find " + page.Shell(asked), Data: page.Address("/search", "q", asked, "format", "")}
	for i, c := range all {
		match := "beginning"
		if c.Exact {
			match = "whole"
		}
		t.Add(page.To(c.Ref, cmp.Or(names[c.Ref], c.Title)).At(hrefs[i]), page.Text(string(c.Kind)), page.Text(c.Match), page.Text(match), page.Mono(string(c.Ref)))
	}
	body.Nothing = len(all) == 0
	p.Sections = []page.Section{{Table: t}}
	for _, kind := range []string{"changes", "commits", "sessions", "files", "people"} {
		q := filter.Quote(asked)
		if _, err := query.Parse(kind, q, d.now()); err == nil {
			body.Tries = append(body.Tries, example{kind, page.ListHref(kind, q)})
		}
	}
	return p, nil
}

// hrefs are the addresses of what was found: of a file that of its lines.
func (d *Dashboard) hrefs(ctx context.Context, all []lineage.Candidate) ([]string, error) {
	var out []string
	for _, c := range all {
		at := page.Href(c.Ref)
		if c.Kind == stemma.KindFile {
			n, err := d.space.Graph.Node(ctx, c.Ref)
			if err != nil {
				return nil, err
			}
			if repository, path := n.Attrs.Ref("repository"), n.Attrs.Text("path"); repository != "" && path != "" {
				at = page.FileHref(repository, path)
			}
		}
		out = append(out, at)
	}
	return out, nil
}

// filePage shows a file or a directory, or finds the one that has a path.
func (d *Dashboard) filePage(r *http.Request) (*page.Page, error) {
	if r.PathValue("key") == "find" {
		return d.portraits.FindFile(r.Context(), r.FormValue("path"))
	}
	return d.portraits.File(r.Context(), r.PathValue("key"), int(from(r)))
}
