package portrait

import (
	"context"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/dashboard/reading"
	"github.com/stemma-dev/stemma/git"
)

// Commit shows a commit of a hash. The beginning of one leads to the search.
func (g *Gallery) Commit(ctx context.Context, sha string) (*page.Page, error) {
	format := git.SHA1
	if len(sha) == 64 {
		format = git.SHA256
	}
	p := g.of(ctx, stemma.NewRef(stemma.KindCommit, format, sha), "/commits")
	if p.err != nil && len(sha) >= 4 && len(sha) < 40 {
		return &page.Page{Redirect: page.SearchHref(sha)}, nil
	}
	p.describe("author_class", "author", "authored", "committer", "committed", "repository", "sha", "tree", "parents",
		"signature", "change_id", "on_default", "merge", "files", "added", "deleted")
	p.origins()
	if m := p.n.Attrs.Text("message"); m != "" {
		p.add(page.Section{ID: "message", Title: "Message", Text: page.ShowLines(m)})
	}
	p.lineage()
	p.links()
	p.touched()
	files, _ := p.n.Attrs.Int("files")
	p.diff([]reading.Touched{{Node: p.n.ID, SHA: sha, Title: p.n.Attrs.Text("title"), Files: files}})
	p.records()
	return p.page()
}

const filesShown = 500 // of a commit

// touched adds the files that a commit changed.
func (p *portrait) touched() {
	t := &page.Table{
		ID: "files", Caption: "Files it changed", Columns: page.Head("path", "was", "status", "#added", "#deleted"), Empty: "It changed no file.",
		Command: page.SQL("SELECT * FROM v1_commit_file WHERE ref = ?", string(p.n.Ref)),
	}
	repository := p.n.Attrs.Ref("repository")
	files := p.list("file")
	for _, f := range files[:min(len(files), filesShown)] {
		added, _ := f.Int("added")
		deleted, _ := f.Int("deleted")
		path := page.Mono(f.Text("path"))
		if repository != "" {
			path = path.At(page.FileHref(repository, f.Text("path")))
		}
		t.Add(path, page.Mono(f.Text("old_path")), page.Text(f.Text("status")), page.Number(added).At("#diff"), page.Number(deleted).At("#diff"))
	}
	if rest := len(files) - filesShown; rest > 0 {
		t.Rest(page.Text("and " + page.Count(rest) + " more"))
	}
	p.add(page.Section{ID: "files", Title: "Files", Table: t})
}
