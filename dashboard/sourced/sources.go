// Package sourced makes the page about what stemma knows its facts from: repositories that
// were read, systems that report, what was fetched, and what could not be read.
package sourced

import (
	"context"
	"time"

	"github.com/stemma-dev/stemma/dashboard/listing"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/dashboard/reading"
	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/ingest"
	"github.com/stemma-dev/stemma/query/filter"
)

// Pages are those of one space. They may be used concurrently.
type Pages struct {
	Space  *ingest.Space
	Reader *reading.Reader
	Inbox  *inbox.Inbox // nil if there are no webhooks
	Now    func() time.Time
	Replay string // where a dead letter is sent to be read again; "" if nobody may
}

// Sources says what was read, how far, and what could not be read.
func (p *Pages) Sources(ctx context.Context) (*page.Page, error) {
	out := &page.Page{Template: "sources", Title: "Sources", Nav: "/sources"}
	for _, part := range []struct {
		id, title string
		table     func(context.Context) (*page.Table, error)
	}{
		{"read", "Read", p.sourceTable},
		{"webhooks", "Webhooks", p.hookTable},
		{"fetched", "Fetched", p.fetchTable},
		{"letters", "Dead letters", p.letterTable},
		{"turned", "Turned away", p.turnedTable},
		{"records", "Records of line origin", p.originTable},
		{"unread", "Gaps", p.gapTable},
		{"things", "Things", p.kindTable},
		{"skipped", "Left out of the graph", p.skipTable},
	} {
		t, err := part.table(ctx)
		if err != nil {
			return nil, err
		}
		out.Sections = append(out.Sections, page.Section{ID: part.id, Title: part.title, Table: t})
	}
	return out, nil
}

func (p *Pages) sourceTable(ctx context.Context) (*page.Table, error) {
	t := &page.Table{
		ID: "sources", Caption: "What was read, and how far", Columns: page.Head("source", "last read", "branch", "#commits", "place"),
		Empty: listing.Unread, Command: page.SQL("SELECT ref, default_branch, tip FROM v1_repository"),
	}
	sources, err := p.Reader.Sources(ctx)
	for _, s := range sources {
		t.Add(page.To(s.Ref, s.Ref.Key()), page.Moment(s.Read), page.Text(s.Branch),
			page.Number(s.Commits).At(page.ListHref("commits", "repo:"+filter.Quote(string(s.Ref)))), page.Mono(s.Path))
	}
	return t, err
}

func (p *Pages) originTable(ctx context.Context) (*page.Table, error) {
	t := &page.Table{
		ID: "records", Caption: "Records of line origin, by repository and format", Columns: page.Head("repository", "format", "#records"),
		Empty: "No record of line origin was found.", Command: page.SQL("SELECT repository, format, COUNT(*) FROM v1_attribution GROUP BY repository, format"),
	}
	groups, err := p.Reader.OriginGroups(ctx)
	for _, g := range groups {
		repository, of := page.To(g.Repository, ""), string(g.Repository)
		if of == "" {
			repository, of = page.Text("about commits that are not here"), reading.NotHere
		}
		t.Add(repository, page.Text(g.Format), page.Number(g.Records).At(page.Address("/records", "repo", of, "kind", g.Format)))
	}
	return t, err
}

func (p *Pages) gapTable(ctx context.Context) (*page.Table, error) {
	t := &page.Table{
		ID: "gaps", Caption: "What could not be read, by reason", Columns: page.Head("source", "reason", "#places", "#records"), Empty: "Everything that was found could be read.",
		Command: page.SQL("SELECT source, reason, COUNT(*), SUM(count) FROM v1_gap WHERE closed = 0 GROUP BY source, reason ORDER BY 4 DESC, 1, 2 LIMIT 200"),
	}
	groups, err := p.Reader.GapGroups(ctx)
	for _, g := range groups {
		at := page.Address("/gaps", "source", g.Source, "reason", g.Reason)
		t.Add(page.Text(g.Source), page.Text(g.Reason), page.Number(g.Places).At(at), page.Number(g.Count).At(at))
	}
	return t, err
}

func (p *Pages) kindTable(ctx context.Context) (*page.Table, error) {
	t := &page.Table{
		ID: "kinds", Caption: "Things that the log names, by kind", Columns: page.Head("kind", "#things", "#only named"),
		Empty: "The log names nothing.", Command: page.SQL("SELECT kind, COUNT(*), SUM(1 - stated) FROM v1_thing GROUP BY kind"),
	}
	kinds, err := p.Reader.Kinds(ctx)
	for _, k := range kinds {
		kind := string(k.Kind)
		t.Add(page.Text(kind), page.Number(k.Things).At(page.Address("/things", "kind", kind)), page.Number(k.Named).At(page.Address("/things", "kind", kind, "named", "only")))
	}
	return t, err
}

const skipsShown = 50

func (p *Pages) skipTable(ctx context.Context) (*page.Table, error) {
	t := &page.Table{
		ID: "skipped", Caption: "Parts of facts that have no place in the graph, the latest first", Columns: page.Head("fact", "reason"),
		Empty: "Every part of every fact has its place.", Command: page.SQL("SELECT pos, reason FROM v1_skip ORDER BY pos DESC, reason LIMIT 50"),
	}
	skips, err := p.Space.Graph.Skips(ctx, skipsShown)
	for _, s := range skips {
		t.Add(page.Evidence(s.Pos), page.Text(s.Reason))
	}
	return t, err
}
