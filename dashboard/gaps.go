package dashboard

import (
	"net/http"
	"strings"

	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/dashboard/reading"
)

// gapsPage lists every place that could not be read.
func (d *Dashboard) gapsPage(r *http.Request) (*page.Page, error) {
	source, reason := r.FormValue("source"), r.FormValue("reason")
	t := &page.Table{
		ID: "gaps", Caption: "Places that could not be read", Columns: page.Head("source", "place", "reason", "#count", "about"), Empty: "Everything that was found could be read.",
		Command: where("SELECT * FROM v1_gap WHERE closed = 0", "source", source, "reason", reason),
	}
	p := newRows(r, "Gaps", "Whatever was found and could not be read is counted here, with its reason and place.", t)
	sum, err := d.reader.CountGaps(r.Context(), source, reason)
	if err != nil {
		return nil, err
	}
	p.count("places", sum.Places)
	p.count("records", sum.Count)
	gaps, err := d.reader.Gaps(r.Context(), source, reason, p.from, p.limit+1)
	for _, g := range gaps {
		t.Add(page.Text(g.Source), page.Text(g.Place).At(page.Href(g.Ref)), page.Text(g.Reason), page.Number(g.Count).At(page.Href(g.Ref)), page.To(g.About, ""))
	}
	return p.page("source", source, "reason", reason), err
}

// recordsPage lists records of line origin.
func (d *Dashboard) recordsPage(r *http.Request) (*page.Page, error) {
	repository, format := r.FormValue("repo"), r.FormValue("kind")
	t := &page.Table{
		ID: "records", Caption: "Records of line origin", Columns: page.Head("record", "about", "format", "basis", "#AI lines", "#human lines", "#unknown lines", "withdrawn"),
		Empty: "There is none.", Command: where("SELECT * FROM v1_attribution", "repository", repository, "format", format),
	}
	p := newRows(r, "Records of line origin", "What notes, trailers and other records say about the lines of commits.", t)
	n, err := d.reader.CountLineOrigins(r.Context(), repository, format)
	if err != nil {
		return nil, err
	}
	p.count("records", n)
	records, err := d.reader.LineOrigins(r.Context(), repository, format, p.from, p.limit+1)
	for _, o := range records {
		withdrawn := page.Text("")
		if o.Withdrawn {
			withdrawn = page.Text("yes")
		}
		at := page.Href(o.Ref)
		t.Add(page.To(o.Ref, ""), page.To(o.Commit, ""), page.Text(o.Format), page.Text(o.Basis),
			page.Number(o.Lines.AI).At(at), page.Number(o.Lines.Human).At(at), page.Number(o.Lines.Unknown).At(at), withdrawn)
	}
	return p.page("repo", repository, "kind", format), err
}

// thingsPage lists everything of a kind that the log names.
func (d *Dashboard) thingsPage(r *http.Request) (*page.Page, error) {
	kind, named := r.FormValue("kind"), r.FormValue("named")
	statement := "SELECT ref, stated FROM v1_thing WHERE kind = ?"
	if named != "" {
		statement += " AND stated = 0"
	}
	t := &page.Table{
		ID: "things", Caption: "Things of the kind " + page.Show(kind), Columns: page.Head("thing", "ref", "told by"),
		Empty: "There is none.", Command: page.SQL(statement, kind),
	}
	p := newRows(r, "Things", "Everything of one kind that the log names, also what only other things name.", t)
	n, err := d.reader.CountThings(r.Context(), kind, named != "")
	if err != nil {
		return nil, err
	}
	p.count("things", n)
	things, err := d.reader.Things(r.Context(), kind, named != "", p.from, p.limit+1)
	for _, x := range things {
		told := "facts of its own"
		if !x.Stated {
			told = "others only"
		}
		t.Add(page.To(x.Ref, ""), page.Mono(string(x.Ref)), page.Text(told))
	}
	return p.page("kind", kind, "named", named), err
}

// where is the command line of a statement with further conditions on columns: pairs of
// a name and a text, of which an empty one asks for nothing.
func where(statement string, pairs ...string) string {
	var conditions, texts []string
	for i := 0; i < len(pairs); i += 2 {
		switch pairs[i+1] {
		case "":
		case reading.NotHere:
			conditions = append(conditions, pairs[i]+" IS NULL")
		default:
			conditions, texts = append(conditions, pairs[i]+" = ?"), append(texts, pairs[i+1])
		}
	}
	for _, c := range conditions {
		if strings.Contains(statement, " WHERE ") {
			statement += " AND " + c
		} else {
			statement += " WHERE " + c
		}
	}
	return page.SQL(statement, texts...)
}
