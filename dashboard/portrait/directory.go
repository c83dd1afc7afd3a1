package portrait

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/blamed"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/dashboard/reading"
	"github.com/stemma-dev/stemma/query/filter"
	"github.com/stemma-dev/stemma/storage"
)

// File shows a repository, or with "/-/" and a path behind its key a directory
// or a file. A file is shown line by line from a line on.
func (g *Gallery) File(ctx context.Context, key string, from int) (*page.Page, error) {
	key, path, _ := strings.Cut(key, "/-/")
	p := g.named(ctx, stemma.KindRepository, strings.TrimSuffix(key, "/-"), "/files")
	if p.err != nil {
		return nil, p.err
	}
	in := reading.Tree{Repository: p.n.Ref, Node: p.n.ID, Branch: p.n.Attrs.Text("default_branch")}
	if path = strings.TrimSuffix(path, "/"); path == "" {
		p.out.Title = page.Show(p.n.Ref.Key())
		p.directory(in, "")
		p.describe()
		p.records()
		return p.page()
	}
	f, err := g.Reader.File(ctx, in, path)
	if err == nil {
		return blamed.Page(ctx, g.Reader, g.Log, in, f, from)
	} else if !errors.Is(err, stemma.ErrNotFound) {
		return nil, err
	}
	p.out.Title, p.out.Kind, p.out.Ref = page.Show(path), "directory", ""
	p.out.Facts = []page.Labelled{page.Say("Path", blamed.Crumbs(in, path)...)}
	if !p.directory(in, path) {
		p.gone(in, path)
	}
	return p.page()
}

// FindFile leads to a file of which only the path is known.
func (g *Gallery) FindFile(ctx context.Context, path string) (*page.Page, error) {
	places, err := g.Reader.RepositoriesWith(ctx, path)
	if err != nil {
		return nil, err
	}
	switch len(places) {
	case 0:
		return nil, stemma.ErrNotFound
	case 1:
		return &page.Page{Redirect: page.FileHref(places[0], path)}, nil
	}
	t := &page.Table{ID: "places", Caption: "Repositories that have this path", Columns: page.Head("repository", "file"), Command: page.SQL("SELECT DISTINCT repository FROM v1_file WHERE path = ? AND deleted = 0", path)}
	for _, p := range places {
		t.Add(page.To(p, p.Key()), page.Text(path).At(page.FileHref(p, path)))
	}
	return &page.Page{Template: "detail", Title: page.Show(path), Kind: "path", Nav: "/files", Sections: []page.Section{{Table: t}}}, nil
}

// directory adds what lies in a directory, and reports whether anything does.
// Only the root of a repository is one without.
func (p *portrait) directory(in reading.Tree, dir string) bool {
	entries, err := p.Reader.Directory(p.ctx, in, dir)
	if p.err = err; err != nil || len(entries) == 0 && dir != "" {
		return false
	}
	here := p.filter("repo")
	if dir != "" {
		here += " path:" + filter.Quote("/"+dir+"/")
	}
	t := &page.Table{
		ID: "directory", Caption: "Files at the tip of " + page.Show(in.Branch), Columns: page.Head("name", "#files", "#lines", "#AI lines", "#human lines", "#unknown lines", "AI share"),
		Empty: "No file is known.", Command: p.entries(in, dir),
	}
	t.Columns[6].Num = true
	for _, e := range entries {
		name, files := page.Path(e.Path).At(page.FileHref(in.Repository, e.Path)), page.Cell{}
		name.Text = page.Show(e.Name)
		of := p.filter("repo") + " path:" + filter.Quote("/"+e.Path)
		if e.Files > 0 {
			of = p.filter("repo") + " path:" + filter.Quote("/"+e.Path+"/")
			name.Text += "/"
			files = page.Number(e.Files).At(page.ListHref("files", of))
		}
		lines := page.ListHref("lines", of)
		by := func(origin string) string { return page.ListHref("lines", of+" is:"+origin) }
		t.Add(name, files, page.Number(e.Lines.All()).At(lines), page.Number(e.Lines.AI).At(by("ai")), page.Number(e.Lines.Human).At(by("human")),
			page.Number(e.Lines.Unknown).At(by("unknown")), page.Share(e.Lines).At(by("ai")))
	}
	t.Rest(page.Text("as a list").At(page.ListHref("files", here)))
	p.add(page.Section{ID: "files", Title: "Files", Table: t})
	return true
}

// entries is the command line that adds up what lies in a directory.
func (p *portrait) entries(in reading.Tree, dir string) string {
	find := "instr"
	if p.Space.DB.Engine() == storage.Postgres {
		find = "strpos"
	}
	statement, texts := " FROM v1_file WHERE repository = ? AND branch = ? AND deleted = 0", []string{string(in.Repository), in.Branch}
	rest := "path"
	if dir != "" {
		rest = "substr(path, " + strconv.Itoa(utf8.RuneCountInString(dir)+2) + ")"
		statement += " AND path >= ? AND path < ?"
		texts = append(texts, dir+"/", dir+"0")
	}
	slash := find + "(" + rest + ", '/')"
	return page.SQL("SELECT CASE WHEN "+slash+" > 0 THEN substr("+rest+", 1, "+slash+") ELSE "+rest+" END AS name, COUNT(*) AS files, "+
		"SUM(lines) AS lines, SUM(ai_lines) AS ai, SUM(human_lines) AS human, SUM(unknown_lines) AS unknown"+statement+" GROUP BY 1 ORDER BY 1", texts...)
}

// gone is about a path that is not at the tip of the branch, but was once
// changed by some commit.
func (p *portrait) gone(in reading.Tree, path string) {
	p.out.Kind = "path"
	t := p.beginning("commits", p.filter("repo")+" (path:"+filter.Quote("/"+path)+" OR path:"+filter.Quote("/"+path+"/")+")", "Commits that touched it")
	if p.err != nil {
		return
	}
	if len(t.Rows) == 0 {
		p.err = stemma.ErrNotFound
	}
	note := "This path is not at the tip of " + page.Show(in.Branch) + ": it was deleted, renamed, or is on another branch only."
	p.part(page.Section{ID: "commits", Title: "Commits", Note: note, Table: t})
}
