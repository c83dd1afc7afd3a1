package listing

import (
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/query"
	"github.com/stemma-dev/stemma/query/filter"
)

// behind is the address of what a number of a row counts: a list with exactly
// that many or, where there is none, the place at which they are seen.
func (q *Question) behind(name string, cols []query.Column, values query.Row) string {
	if q.query.Grouped() {
		return page.ListHref(q.list.Kind, q.query.Behind(values))
	}
	first := values[0].Text
	switch q.list.Kind {
	case "changes":
		return page.Href(stemma.Ref(first)) + "#diff"
	case "commits":
		return page.CommitHref(first) + "#diff"
	case "sessions":
		if name == "tool-calls" {
			return page.Href(stemma.Ref(first)) + "#tool-calls"
		}
		return page.Href(stemma.Ref(first)) + "#turns"
	case "runs":
		return runHref(stemma.Ref(first), name)
	case "environments":
		return inEnvironment(name, "env:"+filter.Quote(first))
	case "files":
		return page.ListHref("lines", q.linesOf(name, cols, values))
	case "lines":
		return q.fileHref(cols, values) + "?from=" + values[at(cols, "start")].String() + "#L" + values[at(cols, "start")].String()
	}
	if field := asks[q.list.Kind]; field != "" {
		return page.ListHref(name, field+":"+filter.Quote(first))
	}
	return ""
}

// asks are the fields that lead from other lists back to a row, whose numbers are
// called like those lists.
var asks = map[string]string{"models": "model", "people": "author", "tickets": "ticket", "requirements": "requirement"}

// runHref is where the page of a run shows what a number of it counts.
func runHref(run stemma.Ref, name string) string {
	switch name {
	case "passed", "failed":
		return page.Href(run) + "#tests"
	case "findings":
		return page.Href(run) + "#scans"
	}
	return ""
}

func inEnvironment(name, here string) string {
	switch name {
	case "live":
		return page.ListHref("deployments", here+" is:live")
	case "unexplained":
		return page.ListHref("running", here+" is:latest is:unexplained")
	}
	return page.ListHref(name, here)
}

// linesOf asks for the lines that a column of a file counts.
func (q *Question) linesOf(name string, cols []query.Column, values query.Row) string {
	terms := []string{"repo:" + filter.Quote(values[at(cols, "repo")].Text), "path:" + filter.Quote("/"+values[at(cols, "path")].Text)}
	origin, _, _ := strings.Cut(name, "-") // of ai-lines and ai-share
	if origin != name {
		terms = append(terms, "is:"+origin)
	}
	if branch := q.query.At(); branch != "" {
		terms = append(terms, "at:"+filter.Quote(branch))
	}
	return strings.Join(terms, " ")
}

// fileHref is the address of the file that a row is about; empty if it does not
// say which that is.
func (q *Question) fileHref(cols []query.Column, values query.Row) string {
	repo, path := at(cols, "repo"), at(cols, "path")
	if q.query.Grouped() || min(repo, path) < 0 || cols[path].Many {
		return ""
	}
	return page.FileHref(stemma.Ref(values[repo].Text), values[path].Text)
}

// at is where a column is.
func at(cols []query.Column, name string) int {
	return slices.IndexFunc(cols, func(c query.Column) bool { return c.Name == name })
}
