// Package listing asks the query language for lists and shows the answers as
// tables.
//
// There is one [List] for each kind of the language. A [Question] is a filter
// asked of it; filter and order are in the address of the page, the same text
// that stemma query takes.
package listing

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/query"
	"github.com/stemma-dev/stemma/query/output"
	"github.com/stemma-dev/stemma/storage"
)

// A List is the page of one kind of the query language.
type List struct {
	Kind, Title string
	Order       string   // unless the question says how
	Empty       string   // said when there is nothing at all
	Examples    []string // questions

	one       string // what a row is, the head of its first column
	called    string // the column behind the first that names it
	columns   []string
	uncounted bool // counting all of them would read too much
}

// Unread is said where nothing was read yet.
const Unread = "Nothing was read yet. Run stemma scan in a repository, then look again."

var lists = []*List{
	{
		Kind: "changes", Title: "Changes", one: "Change", Empty: Unread, Order: "sort:merged-desc",
		columns:  []string{"ref", "title", "repo", "merged", "author", "intent", "author-class", "ai-share", "added", "deleted", "model"},
		Examples: []string{"merged:>-30d", "is:ai merged:>-90d", "type:security-fix", "type:fix fix-author:ai origin-author:human", "ai-share:>=50% sort:ai-lines-desc", "no:ticket is:ai", "group:merged-month,author-class sort:merged-month-desc", "group:model"},
	},
	{
		Kind: "commits", Title: "Commits", one: "Commit", Empty: Unread, Order: "sort:committed-desc",
		Examples: []string{"committed:>-30d", "is:ai", "trailer:Co-Authored-By=*Claude*", "group:author-class"},
	},
	{
		Kind: "sessions", Title: "Sessions", one: "Session", Order: "sort:started-desc",
		Empty:    "No session is known. Records of origin in notes and trailers name them, and so do the transcripts of agents on this machine.",
		Examples: []string{"has:change", "group:tool", "group:model"},
	},
	{
		Kind: "models", Title: "Models", one: "Model", Empty: "No model is named by any record.", Order: "sort:changes-desc",
		Examples: []string{"lines:>0 sort:lines-desc", "group:family", "provider:anthropic"},
	},
	{
		// People are not ranked and their work is not counted here: who is looked for is found by name.
		Kind: "people", Title: "People", one: "Person", called: "name", Empty: Unread, Order: "sort:name,ref",
		columns:  []string{"ref", "name", "login", "repo", "first-active", "last-active"},
		Examples: []string{"is:person", "is:bot", "last-active:>-30d"},
	},
	{
		Kind: "tickets", Title: "Tickets", one: "Ticket", Empty: "No ticket is named in branch names, messages or trailers, and no tracker reports here.", Order: "sort:changes-desc",
		columns:  []string{"ref", "title", "state", "requirement", "changes", "commits", "sessions"},
		Examples: []string{"no:change", "no:requirement", "has:requirement", "group:state"},
	},
	{
		Kind: "requirements", Title: "Requirements", one: "Requirement", Order: "sort:ref",
		Empty:    "No requirement is known. Epics and initiatives of trackers are requirements, and so is what tickets and trailers name as one; docs/sources.md says how to connect a tracker.",
		Examples: []string{"no:change", "changes:>0 no:ticket"},
	},
	{
		Kind: "reviews", Title: "Reviews", one: "Verdict", called: "verdict", Order: "sort:submitted-desc",
		columns:  []string{"ref", "verdict", "change", "reviewer", "role", "head", "submitted", "standing"},
		Empty:    "No review is known. Forges report them by webhook (docs/sources.md), and trailers such as Reviewed-by name them.",
		Examples: []string{"verdict:approved standing:stale", "verdict:rejected", "submitted:>-30d", "group:verdict"},
	},
	{
		Kind: "runs", Title: "Pipelines", one: "Run", called: "name", Order: "sort:started-desc",
		columns:  []string{"ref", "name", "repo", "branch", "commit", "started", "attempt", "conclusion", "passed", "failed", "findings", "artifact"},
		Empty:    "No run of a pipeline is known. \"stemma record run\" reports one from inside of it, and so do the webhooks of forges.",
		Examples: []string{"is:whole", "is:failure started:>-30d", "is:repeated", "failed:>0", "findings:>0", "group:conclusion"},
	},
	{
		Kind: "releases", Title: "Releases", one: "Release", Empty: "No tag was found.", Order: "sort:tagged-desc",
		Examples: []string{"tagged:>-1y"},
	},
	{
		Kind: "files", Title: "Files", Empty: Unread,
		columns:  []string{"repo", "path", "lines", "ai-lines", "human-lines", "unknown-lines", "ai-share"},
		Examples: []string{"ai-share:>=50% sort:lines-desc", "unknown-lines:>100", "path:src/**"},
	},
	{
		Kind: "environments", Title: "Environments", one: "Environment", Order: "sort:last-deployed-desc",
		Empty:    "No environment is known. \"stemma record deployment --env prod\" reports what was put there, and so do the webhooks of forges and of Argo CD.",
		Examples: []string{"tier:production", "unexplained:>0", "no:seen"},
	},
	{
		Kind: "deployments", Title: "Deployments", one: "Version", called: "version", Order: "sort:at-desc",
		Empty:    "No deployment is known. \"stemma record deployment --env prod\" reports one from a pipeline, and so do the webhooks of forges and of Argo CD.",
		columns:  []string{"ref", "version", "environment", "service", "status", "at", "until", "actor"},
		Examples: []string{"is:live", "is:failure", "at:>-30d", "task:rollback", "group:environment,status"},
	},
	{
		Kind: "running", Title: "What was seen to run", Order: "sort:taken-desc",
		Empty:    "Nobody looked at what runs. \"stemma record snapshot\" tells what really does, from Kubernetes, Docker or a list of digests.",
		Examples: []string{"is:latest", "is:latest is:unexplained", "group:environment"},
	},
	{
		Kind: "incidents", Title: "Incidents", one: "Incident", Order: "sort:opened-desc",
		Empty:    "No incident is known. PagerDuty and incident.io report them by webhook (docs/sources.md); \"stemma record incident\" reports one by hand.",
		Examples: []string{"is:open", "-is:explained", "opened:>-90d", "group:severity"},
	},
	{
		Kind: "findings", Title: "Findings", Empty: "No change was judged yet. \"stemma serve\" judges changes as facts about them come.", uncounted: true,
		Examples: []string{"state:fail", "state:unknown severity:critical", "blocks:true", "control:REV-01 merged:>-30d group:state", "group:control,state"},
	},
	{
		Kind: "exceptions", Title: "Exceptions", one: "Exception", Order: "sort:opened-desc",
		Empty:    "Nobody asked for an exception. \"stemma exception ask\" does.",
		Examples: []string{"state:asked", "state:granted until:now..+24h", "overdue:true", "group:control,state"},
	},
	{
		Kind: "lines", Title: "Lines", Empty: Unread, uncounted: true,
		columns:  []string{"repo", "path", "start", "count", "origin", "basis", "agent", "model", "session", "commit"},
		Examples: []string{"origin:ai", "is:unknown group:reason", "group:model"},
	},
}

// All are the lists, in the order of the menu. They must not be changed.
func All() []*List { return lists }

// Of is the list of a kind, which must be one of the query language.
func Of(kind string) *List {
	for _, l := range lists {
		if l.Kind == kind {
			return l
		}
	}
	panic("listing: there is no list of " + kind)
}

// A Question is a filter asked of a list.
type Question struct {
	list  *List
	asked string
	now   time.Time
	query *query.Query
}

// Ask reads a question; relative times in it count from now. Where it says
// nothing else, a list has its own order and columns. What cannot be read is a
// filter.Error.
func (l *List) Ask(asked string, now time.Time) (*Question, error) {
	q, err := query.Parse(l.Kind, asked, now)
	if err != nil {
		return nil, err
	}
	if sorted, _ := order(asked); sorted == "" && l.Order != "" && !q.Grouped() {
		if o, err := query.Parse(l.Kind, strings.TrimSpace(asked+" "+l.Order), now); err == nil {
			q = o
		}
	}
	if l.columns != nil && !q.Grouped() {
		if q, err = q.Select(l.columns...); err != nil {
			return nil, err
		}
	}
	return &Question{l, asked, now, q}, nil
}

// Stream writes the whole answer.
func (q *Question) Stream(ctx context.Context, db *storage.DB, f output.Format, w io.Writer) error {
	return db.Read(ctx, func(tx *storage.Tx) error {
		result, err := query.Run(ctx, tx, q.query)
		if err != nil {
			return err
		}
		return output.Write(w, f, result)
	})
}

// A Listing is a part of an answer.
type Listing struct {
	Table  *page.Table
	More   bool          // whether rows follow
	Rows   int64         // of the whole answer, if they were counted
	Totals []query.Total // of all rows, if they were added up
}

// Page reads rows of the answer from an offset on, and adds all of them up if
// the list can do that in good time.
func (q *Question) Page(ctx context.Context, db *storage.DB, offset, rows int64) (out Listing, err error) {
	err = db.Read(ctx, func(tx *storage.Tx) error {
		if !q.list.uncounted || q.asked != "" {
			if out.Totals, err = query.Totals(ctx, tx, q.query); err != nil {
				return err
			}
		}
		if !q.list.uncounted {
			out.Rows = out.Totals[0].Sum
		}
		if out.Table, out.More, err = q.read(ctx, tx, offset, rows); err != nil {
			return err
		}
		var repositories int64
		err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM k_repository`).Scan(&repositories)
		if repositories == 1 && !q.query.Grouped() {
			out.Table.Drop("repo") // it would say the same in each row
		}
		return err
	})
	return out, err
}

// Beginning reads the first rows, as a table that leads to the rest and cannot
// be sorted.
func (q *Question) Beginning(ctx context.Context, db *storage.DB, rows int64) (t *page.Table, err error) {
	err = db.Read(ctx, func(tx *storage.Tx) error {
		var more bool
		t, more, err = q.read(ctx, tx, 0, rows)
		if more {
			t.Rest(page.Text("all of them").At(page.ListHref(q.list.Kind, q.asked)))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range t.Columns {
		t.Columns[i].Sort, t.Columns[i].Sorted = "", ""
	}
	t.Empty = "There are none."
	return t, nil
}

func (q *Question) read(ctx context.Context, tx *storage.Tx, offset, rows int64) (t *page.Table, more bool, err error) {
	kind := q.list.Kind
	t = &page.Table{ID: kind, Caption: q.list.Title, Columns: q.columns(), Empty: q.list.Empty, Command: page.Ask(kind, q.asked), Data: page.DataHref(kind, q.asked)}
	if q.asked != "" {
		t.Empty = "Nothing matches. Take a word out of the filter, or see what there is without it."
	}
	result, err := query.Run(ctx, tx, q.query.Page(offset, rows+1))
	if err != nil {
		return nil, false, err
	}
	for values, err := range result.Rows {
		if err != nil {
			return nil, false, err
		}
		if int64(len(t.Rows)) == rows {
			return t, true, nil
		}
		t.Rows = append(t.Rows, q.row(result.Columns, values))
	}
	return t, false, nil
}
