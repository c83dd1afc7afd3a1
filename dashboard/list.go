package dashboard

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/stemma-dev/stemma/dashboard/listing"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/query"
	"github.com/stemma-dev/stemma/query/filter"
	"github.com/stemma-dev/stemma/query/output"
)

const pageSize = 50

// An answer is what the template of a list knows besides its table.
type answer struct {
	Kind, Query string
	Default     string
	Examples    []example
	Fault       *fault
	Rows        int64 // in all; 0 if they were not counted
	Totals      []query.Total
	First, Last int64
	Prev, Next  string
}

// An example is a question that may be asked.
type example struct{ Text, Href string }

// A fault shows where a question is wrong.
type fault struct{ Msg, Hint, Caret string }

func (d *Dashboard) listPage(l *listing.List) view {
	return func(r *http.Request) (*page.Page, error) {
		asked := r.FormValue("q")
		body := &answer{Kind: l.Kind, Query: asked, Default: l.Order}
		for _, e := range l.Examples {
			body.Examples = append(body.Examples, example{e, page.ListHref(l.Kind, e)})
		}
		p := &page.Page{Template: "list", Title: l.Title, Nav: "/" + l.Kind, Body: body}
		if l.Kind == "lines" {
			p.Nav = "/files"
		}
		q, err := l.Ask(asked, d.now())
		var wrong *filter.Error
		if errors.As(err, &wrong) && r.FormValue("format") == "" {
			body.Fault = &fault{Msg: wrong.Msg, Hint: wrong.Hint, Caret: wrong.Caret()}
			p.Status = http.StatusBadRequest
			return p, nil
		} else if err != nil {
			return nil, err
		}
		if r.FormValue("format") == "" {
			return p, d.fill(r, q, p, body)
		}
		p.Stream = func(ctx context.Context, f output.Format, w io.Writer) error {
			return q.Stream(ctx, d.space.DB, f, w)
		}
		return p, nil
	}
}

// fill reads one page of the answer.
func (d *Dashboard) fill(r *http.Request, q *listing.Question, p *page.Page, body *answer) error {
	offset := from(r)
	found, err := q.Page(r.Context(), d.space.DB, offset, pageSize)
	if err != nil {
		return err
	}
	body.Rows, body.Totals = found.Rows, found.Totals
	body.First, body.Last = offset+1, offset+int64(len(found.Table.Rows))
	at := func(from int64) string {
		v := url.Values{}
		if body.Query != "" {
			v.Set("q", body.Query)
		}
		if from > 0 {
			v.Set("from", strconv.FormatInt(from, 10))
		}
		return "?" + v.Encode()
	}
	if offset > 0 {
		body.Prev = at(max(offset-pageSize, 0))
	}
	if found.More {
		body.Next = at(offset + pageSize)
	}
	p.Sections = []page.Section{{Table: found.Table}}
	return nil
}
