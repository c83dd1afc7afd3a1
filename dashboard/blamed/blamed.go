// Package blamed makes the page of a file, line by line: who wrote each, and which
// commit brought it.
package blamed

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/dashboard/reading"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/query/filter"
)

// A body is a file line by line, in runs of one commit and origin.
type body struct {
	Runs       []stretch
	Absent     string // why there is no text
	Prev, Next string
	First      int
	Last       int
	All        int
}

type stretch struct {
	Mark    page.Mark
	Commit  page.Cell
	Author  string
	Session page.Cell
	By      page.Cell // nobody, if that is unknown
	Lines   []line
}

type line struct {
	Number int
	Text   string
}

const linesShown = 1000 // of a file, on one page

// Page shows a file from a line on. What of it cannot be read here is told to log.
func Page(ctx context.Context, r *reading.Reader, log *slog.Logger, in reading.Tree, f reading.File, from int) (*page.Page, error) {
	from = max(from, 1)
	runs, err := r.Runs(ctx, f.Node)
	if err != nil {
		return nil, err
	}
	out := &body{First: from, Last: min(from+linesShown-1, f.Lines), All: f.Lines}
	lines, err := r.Text(ctx, in.Repository, f.Blob)
	switch {
	case errors.Is(err, reading.ErrElsewhere):
		out.Absent = "The repository is not on this machine, so only the origins of lines are shown, not their text."
	case errors.Is(err, reading.ErrUnreadable):
		log.Warn("reading a file", "error", err)
		out.Absent = "The text of this file cannot be read here now; the origins of its lines are known all the same."
	case err != nil:
		return nil, err
	}
	var authors []stemma.Ref
	for _, run := range runs {
		authors = append(authors, run.Author)
	}
	called, err := r.Names(ctx, authors...)
	if err != nil {
		return nil, err
	}
	for _, run := range runs {
		out.add(run, lines, called[run.Author])
	}
	at := page.FileHref(in.Repository, f.Path) + "?from="
	if from > 1 {
		out.Prev = at + strconv.Itoa(max(from-linesShown, 1))
	}
	if out.Last < f.Lines {
		out.Next = at + strconv.Itoa(out.Last+1)
	}
	here := "repo:" + filter.Quote(string(in.Repository)) + " path:" + filter.Quote("/"+f.Path)
	if f.Branch != in.Branch {
		here += " at:" + filter.Quote(f.Branch)
	}
	by := func(origin string) string { return page.ListHref("lines", here+" is:"+origin) }
	return &page.Page{
		Template: "file", Title: page.Show(f.Path), Kind: "file", Ref: f.Ref, Nav: "/files", Body: out,
		Facts: []page.Labelled{
			page.Say("Path", Crumbs(in, f.Path)...),
			page.Say("Lines by origin", append(page.Origins(f.Origins, by), page.Text("as a list").At(page.ListHref("lines", here)))...),
			page.Say("At the tip of", page.Text(f.Branch), page.To(f.Commit, "")),
			page.Say("Record", page.Text("all that is known of this file").At(page.ThingHref(f.Ref))),
		},
		Sections: []page.Section{{ID: "runs", Table: runTable(runs, here)}},
	}, nil
}

// add shows the lines of a run that are on this page.
func (b *body) add(f reading.Run, lines [][]byte, author string) {
	if f.Start > b.Last || f.Start+f.Count <= b.First {
		return
	}
	_, sha := f.Commit.Split()
	out := stretch{
		Mark:    page.Mark{Origin: f.Origin, Reason: f.Reason, Agent: f.Agent, ModelName: f.ModelName, Session: f.Session},
		Commit:  page.Cell{Text: page.Abbreviate(sha), Href: page.Href(f.Commit), Title: f.Title},
		Author:  page.Show(author),
		Session: page.To(f.Session, ""),
	}
	switch stemma.Origin(f.Origin) {
	case stemma.OriginAI:
		out.By = page.To(f.Model, f.ModelName)
		if f.Model == "" {
			out.By = page.Text(cmp.Or(f.ModelName, f.Agent, "AI"))
		}
		if f.ModelName != "" && !identity.ParseModel(f.ModelName).Named { // "unknown" beside a line of known origin
			out.By.Text = "model not named"
		}
	case stemma.OriginHuman:
		out.By = page.To(f.Author, author)
	default:
		out.By = page.Cell{Text: "unknown"}
	}
	for n := max(f.Start, b.First); n < f.Start+f.Count && n <= b.Last; n++ {
		l := line{Number: n}
		if n <= len(lines) {
			l.Text = page.ShowLines(page.Short(2000, string(lines[n-1])))
		}
		out.Lines = append(out.Lines, l)
	}
	b.Runs = append(b.Runs, out)
}

func runTable(runs []reading.Run, here string) *page.Table {
	t := &page.Table{
		ID: "runs", Caption: "Its lines, in runs of one commit and origin", Columns: page.Head("#start", "#count", "origin", "agent", "model", "session", "commit", "reason"),
		Command: page.Ask("lines", here),
	}
	for _, run := range runs {
		t.Add(page.Number(run.Start), page.Number(run.Count), page.Origin(run.Origin), page.Text(run.Agent), page.Text(run.ModelName),
			page.To(run.Session, ""), page.To(run.Commit, ""), page.Text(run.Reason))
	}
	return t
}

// Crumbs lead to the directories above a path.
func Crumbs(in reading.Tree, path string) []page.Cell {
	out := []page.Cell{page.To(in.Repository, in.Repository.Key()), page.Text("/")}
	at := ""
	for _, s := range strings.Split(path, "/") {
		at += s
		if len(out) > 2 {
			out = append(out, page.Text("/"))
		}
		out = append(out, page.Text(s).At(page.FileHref(in.Repository, at)))
		at += "/"
	}
	return out
}
