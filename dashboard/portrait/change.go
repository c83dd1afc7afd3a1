package portrait

import (
	"context"
	"errors"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/dashboard/reading"
	"github.com/stemma-dev/stemma/git/quote"
)

// Change shows what landed as one decision.
func (g *Gallery) Change(ctx context.Context, key string) (*page.Page, error) {
	p := g.named(ctx, stemma.KindChange, key, "/changes")
	if p.n.Attrs.Bool("dropped") {
		p.describe("dropped")
	}
	p.describe("author_class", "author", "state", "merged", "merged_by", "repository", "method", "platform", "branch", "target", "intent", "intent_method",
		"fix_author", "origin_author", "fix_method", "breaking", "commits", "files", "added", "deleted", "url")
	p.origins()
	p.compared()
	p.evidence()
	p.way()
	p.controls()
	p.workers()
	p.some("reviews", p.filter("change"), "Who judged it; a review is stale if it saw another head than the last", "change")
	p.some("runs", p.filter("change"), "What pipelines ran for it")
	p.some("deployments", p.filter("change"), "Deployments that brought it")
	commits := p.landed()
	p.credits()
	p.commits(commits)
	var shown []reading.Touched
	for _, c := range commits {
		if !c.Merge || len(commits) == 1 {
			shown = append(shown, c.Touched)
		}
	}
	p.diff(shown)
	p.lineage()
	p.records()
	return p.page()
}

// compared adds whether what landed is what was shown for review, if somebody found out.
func (p *portrait) compared() {
	head := p.n.Attrs.Ref("compared")
	if head == "" {
		return
	}
	says := "what the head and the branch make together"
	switch n, _ := p.n.Attrs.Int("altered"); {
	case n == 1:
		says = "differs in one file from " + says
	case n > 1:
		says = "differs in " + page.Count(n) + " files from " + says
	}
	p.out.Facts = append(p.out.Facts, page.Say("What landed", page.Text(says), page.To(head, p.names(head)[head])))
}

// controls adds how the change stands against the controls.
func (p *portrait) controls() {
	if p.err != nil {
		return
	}
	sections, err := p.Judged.Change(p.ctx, p.n.Ref)
	p.err = err
	p.add(sections...)
}

// workers adds the trees of the sessions that the change came from.
func (p *portrait) workers() {
	l := p.traced()
	if l == nil {
		return
	}
	var sessions []stemma.Ref
	for _, n := range l.Nodes {
		if n.Kind == stemma.KindSession && len(sessions) < treesShown {
			sessions = append(sessions, n.Ref)
		}
	}
	p.sessionTree(sessions...)
}

const treesShown = 50 // sessions of which the trees are drawn on one page

// evidence adds why the change is taken for what it is.
func (p *portrait) evidence() {
	var cells []page.Cell
	for _, e := range p.list("evidence") {
		cells = append(cells, page.Text(e.Text("intent")+" by "+page.Words(e.Text("method"))+": "+page.Short(160, e.Text("text"))))
	}
	if len(cells) > 0 {
		p.out.Facts = append(p.out.Facts, page.Say("Evidence for intent", cells...))
	}
}

// landed adds what the change mends and what mended it, and returns its commits.
func (p *portrait) landed() []reading.Commit {
	if p.err != nil {
		return nil
	}
	fixes, err := p.Reader.Fixes(p.ctx, p.n.ID)
	if err != nil {
		p.err = err
		return nil
	}
	mended, err := p.Reader.FixedBy(p.ctx, p.n.ID)
	if err != nil {
		p.err = err
		return nil
	}
	mends := func(reading.Fix) string { return "#diff" }
	p.fixes("fixes", "What it fixes", "Changes whose lines this one mends", "ref", fixes, mends)
	mends = func(f reading.Fix) string { return page.Href(f.Other) + "#diff" }
	p.fixes("fixed-by", "What fixed it", "Later changes that mend lines of this one", "change", mended, mends)
	commits, err := p.Reader.Commits(p.ctx, p.n.ID)
	p.err = err
	return commits
}

// fixes adds one side of pairs of changes: this one is in a column of the view,
// and the lines are seen where mends says.
func (p *portrait) fixes(id, title, caption, column string, fixes []reading.Fix, mends func(reading.Fix) string) {
	if len(fixes) == 0 {
		return
	}
	var refs []stemma.Ref
	for _, f := range fixes {
		refs = append(refs, f.Other, f.Commit)
	}
	called := p.names(refs...)
	t := &page.Table{
		ID: id, Caption: caption, Columns: page.Head("change", "written by", "commit", "#lines", "#AI lines", "#human lines", "#unknown lines", "method"),
		Command: page.SQL("SELECT * FROM v1_change_fix WHERE "+column+" = ? ORDER BY lines DESC LIMIT 100", string(p.n.Ref)),
	}
	for _, f := range fixes {
		at := mends(f)
		t.Add(page.To(f.Other, called[f.Other]), page.Origin(f.Class), page.To(f.Commit, called[f.Commit]), page.Number(f.Mended).At(at),
			page.Number(f.Lines.AI).At(at), page.Number(f.Lines.Human).At(at), page.Number(f.Lines.Unknown).At(at), page.Text(page.Words(f.Method)))
	}
	p.add(page.Section{ID: id, Title: title, Table: t})
}

// credits adds who wrote how many of the lines.
func (p *portrait) credits() {
	t := &page.Table{
		ID: "credit", Caption: "Who wrote its lines, by model and session", Columns: page.Head("origin", "agent", "model", "session", "#lines"),
		Empty: "No record of origin speaks of its lines.", Command: page.SQL("SELECT * FROM v1_change_credit WHERE ref = ?", string(p.n.Ref)),
	}
	for _, c := range p.list("credit") {
		lines, _ := c.Int("lines")
		model := page.To(c.Ref("model"), c.Text("model_name"))
		if model.Text == "" {
			model = page.Text(c.Text("model_name"))
		}
		t.Add(page.Origin(c.Text("origin")), page.Text(c.Text("agent")), model, page.To(c.Ref("session"), ""), page.Number(lines).At("#diff"))
	}
	p.add(page.Section{ID: "credit", Title: "Credit", Table: t})
}

func (p *portrait) commits(commits []reading.Commit) {
	var refs []stemma.Ref
	for _, c := range commits {
		refs = append(refs, c.Author)
	}
	called := p.names(refs...)
	t := &page.Table{
		ID: "commits", Caption: "The commits that landed with it", Columns: page.Head("commit", "title", "author", "committed", "written by", "#added", "#deleted", "AI share"),
		Command: page.Ask("commits", p.filter("change")), Empty: "None of its commits is known.",
	}
	t.Columns[7].Num = true
	if len(commits) > 0 {
		t.Rest(page.Text("as a list").At(page.ListHref("commits", p.filter("change"))))
	}
	for _, c := range commits {
		at := page.CommitHref(c.SHA) + "#diff"
		t.Add(page.Commit(c.SHA), page.Title(c.Title), page.To(c.Author, called[c.Author]), page.Moment(c.Committed),
			page.Origin(c.Class), page.Number(c.Added).At(at), page.Number(c.Deleted).At(at), page.Share(c.Lines).At(at))
	}
	p.add(page.Section{ID: "commits", Title: "Commits", Table: t})
}

const diffCommits = 20 // on one page

// diff adds what commits changed, with the origin of each line. That their
// repository is not on this machine is no error: the section then says so.
func (p *portrait) diff(commits []reading.Touched) {
	if p.err != nil {
		return
	}
	shown := commits[:min(len(commits), diffCommits)]
	out := page.NewDiff(p.show(shown))
	if len(shown) < len(commits) {
		out.Leave()
	}
	patches, err := p.Reader.Patches(p.ctx, p.n.Attrs.Ref("repository"), shown)
	switch {
	case errors.Is(err, reading.ErrElsewhere):
		out.Absent = "The repository is not on this machine, so its lines cannot be shown. Their counts and origins are known all the same."
	case errors.Is(err, reading.ErrUnreadable):
		p.Log.Warn("reading differences", "error", err)
		out.Absent = "The repository that was read is not where it was, or cannot be read now, so its lines cannot be shown."
	case err != nil:
		p.err = err
	default:
		for _, c := range shown {
			addPatch(out, c, patches[c.SHA])
		}
	}
	p.add(page.Section{ID: "diff", Title: "Lines", Note: "Added lines have a mark: A for AI, H for a human, ? where nobody knows.", Diff: out})
}

// show is the command line that shows what commits changed; none if they are not
// on this machine.
func (p *portrait) show(commits []reading.Touched) string {
	path, err := p.Reader.Place(p.ctx, p.n.Attrs.Ref("repository"))
	if err != nil || len(commits) == 0 {
		return "" // Patches tells why
	}
	command := "git -C " + page.Shell(path) + " show --format= --unified=0"
	for _, c := range commits {
		command += " " + c.SHA
	}
	return command
}

func addPatch(d *page.Diff, c reading.Touched, patch reading.Patch) {
	p := d.Add(c.SHA, c.Title)
	if c.Files > reading.MaxFiles {
		p.Absent = "It changed " + page.Count(c.Files) + " files, which is too many to show here."
	}
	for i := range patch.Files {
		f := &patch.Files[i]
		path := quote.Path(f.Path)
		d.AddFile(f, func(line int) page.Mark {
			s := patch.Origins.At(path, line)
			return page.Mark{Origin: s.Origin, Reason: s.Reason, Agent: s.Agent, ModelName: s.ModelName, Session: s.Session}
		})
	}
}
