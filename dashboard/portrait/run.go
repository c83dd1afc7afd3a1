package portrait

import (
	"context"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/query/filter"
)

// Run shows one attempt of a pipeline: what it ran on, what it found, what it built.
func (g *Gallery) Run(ctx context.Context, key string) (*page.Page, error) {
	p := g.named(ctx, stemma.KindRun, key, "/runs")
	p.describe()
	p.way()
	p.attempts()
	p.tests()
	p.scans()
	p.built()
	if t := p.beginning("runs", p.filter("part-of")+" sort:number", "Jobs of this run"); t != nil && len(t.Rows) > 0 {
		p.part(page.Section{ID: "jobs", Title: "Jobs", Table: t})
	}
	p.some("deployments", p.filter("run"), "Deployments that it did")
	p.rest()
	return p.page()
}

// attempts adds all runs of the same pipeline on the same commit, if there are others.
func (p *portrait) attempts() {
	commit, name := p.n.Attrs.Ref("commit"), p.n.Attrs.Text("name")
	if commit == "" || name == "" {
		return
	}
	asked := "commit:" + filter.Quote(string(commit)) + " name:" + filter.Quote(name) + " sort:attempt"
	if t := p.beginning("runs", asked, "This pipeline on the same commit: a new attempt is no new work"); t != nil && len(t.Rows) > 1 {
		p.part(page.Section{ID: "attempts", Title: "Attempts", Table: t})
	}
}

func (p *portrait) tests() {
	if p.err != nil {
		return
	}
	tests, err := p.Reader.Tests(p.ctx, p.n.ID)
	p.err = err
	t := &page.Table{
		ID: "tests", Caption: "Results of its tests, by suite", Columns: page.Head("suite", "job", "status", "#passed", "#failed", "#skipped", "first that failed"),
		Empty:   "It reported no results of tests. \"stemma record test\" reports JUnit's XML.",
		Command: page.SQL("SELECT * FROM v1_test WHERE run = ? LIMIT 200", string(p.n.Ref)),
	}
	for _, x := range tests {
		at := page.Href(x.Ref)
		t.Add(page.To(x.Ref, x.Suite), page.Text(x.Job), page.Text(x.Status), page.Number(x.Passed).At(at), page.Number(x.Failed).At(at), page.Number(x.Skipped).At(at), page.Mono(x.First))
	}
	p.add(page.Section{ID: "tests", Title: "Tests", Table: t})
}

func (p *portrait) scans() {
	if p.err != nil {
		return
	}
	scans, err := p.Reader.Scans(p.ctx, p.n.ID)
	p.err = err
	t := &page.Table{
		ID: "scans", Caption: "What scanners found: rules and places, never what they show of it",
		Columns: page.Head("scanner", "version", "target", "rule", "state", "#findings", "#critical", "#high", "#medium", "#low"),
		Empty:   "It reported no scan. \"stemma record scan\" reports SARIF, and what gitleaks, Trivy and Grype write.",
		Command: page.SQL("SELECT * FROM v1_scan WHERE run = ? LIMIT 200", string(p.n.Ref)),
	}
	for _, x := range scans {
		at := page.Href(x.Ref)
		t.Add(page.To(x.Ref, x.Tool), page.Text(x.Version), page.Text(x.Target), page.Text(x.Rule), page.Text(x.State), page.Number(x.Findings).At(at),
			page.Number(x.Critical).At(at), page.Number(x.High).At(at), page.Number(x.Medium).At(at), page.Number(x.Low).At(at))
	}
	p.add(page.Section{ID: "scans", Title: "Scans", Table: t})
}

func (p *portrait) built() {
	if p.err != nil {
		return
	}
	built, err := p.Reader.Built(p.ctx, p.n.ID)
	p.err = err
	t := &page.Table{
		ID: "built", Caption: "What it built", Columns: page.Head("artifact", "digest", "form", "#deployments"), Empty: "It is not known to have built anything.",
		Command: page.SQL("SELECT a.* FROM v1_artifact a JOIN v1_edge e ON e.effect = a.ref AND e.door = 'built-by' WHERE e.cause = ? LIMIT 200", string(p.n.Ref)),
	}
	for _, x := range built {
		t.Add(page.To(x.Ref, x.Name), page.Mono(x.Digest), page.Text(x.Form), page.Number(x.Deployments).At(page.ListHref("deployments", "artifact:"+filter.Quote(string(x.Ref)))))
	}
	p.add(page.Section{ID: "built", Title: "Artifacts", Table: t})
}
