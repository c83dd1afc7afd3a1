package dashboard

import (
	"net/http"
	"strconv"

	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/query"
)

// A rowsBody is what the template of a plain list knows besides its table.
type rowsBody struct {
	Note       string
	Totals     []query.Total
	Prev, Next string
}

// A rowsPage is a part of a plain list, from an offset on, while it is made. As
// data it is whole.
type rowsPage struct {
	out         *page.Page
	body        *rowsBody
	table       *page.Table
	path        string
	from, limit int64
}

const rowsAsData = 100_000

func newRows(r *http.Request, title, note string, t *page.Table) *rowsPage {
	p := &rowsPage{body: &rowsBody{Note: note}, table: t, path: r.URL.Path, from: from(r), limit: pageSize}
	if r.FormValue("format") != "" {
		p.limit = rowsAsData
	}
	p.out = &page.Page{Template: "rows", Title: title, Nav: "/sources", Body: p.body, Sections: []page.Section{{Table: t}}}
	return p
}

// count says how much there is in all.
func (p *rowsPage) count(name string, n int64) {
	p.body.Totals = append(p.body.Totals, query.Total{Name: name, Sum: n})
}

// page is what became of it; the pairs choose the same rows in an address.
func (p *rowsPage) page(pairs ...string) *page.Page {
	at := func(from int64) string {
		return page.Address(p.path, append(pairs, "from", strconv.FormatInt(from, 10))...)
	}
	if int64(len(p.table.Rows)) > p.limit {
		p.table.Rows = p.table.Rows[:p.limit]
		p.body.Next = at(p.from + p.limit)
	}
	if p.from > 0 {
		p.body.Prev = at(max(p.from-p.limit, 0))
	}
	p.table.Data = page.Address(p.path, append(pairs, "format", "")...)
	return p.out
}
