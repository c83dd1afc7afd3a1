package announce

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/ingest/sync/api"
	"github.com/stemma-dev/stemma/storage"
)

// A Forge is one that is told.
type Forge struct {
	Host   string // as in the names of changes
	System string // github, github-checks, gitlab, gitea, forgejo
	Base   string // address of its interface
	Token  string
	Check  int // of GitLab: number of an external status check that is answered too
}

// Systems are those that can be told.
var Systems = []string{"github", "github-checks", "gitlab", "gitea", "forgejo"}

// Base is the address of the interface of a system at a host, which may be an address
// itself.
func Base(system, host string) string {
	if host == "github.com" {
		return "https://api.github.com"
	}
	if !strings.Contains(host, "://") {
		host = "https://" + host
	}
	host = strings.TrimSuffix(host, "/")
	switch {
	case strings.HasPrefix(system, "github"):
		return host + "/api/v3"
	case system == "gitlab":
		return host + "/api/v4"
	}
	return host + "/api/v1"
}

// A sender tells one forge.
type sender struct {
	Forge
	client *api.Client
}

func newSender(f Forge, now func() time.Time) (*sender, error) {
	header := http.Header{"Accept": {"application/json"}, "Authorization": {"Bearer " + f.Token}}
	switch f.System {
	case "github", "github-checks":
		header.Set("Accept", "application/vnd.github+json")
		header.Set("X-GitHub-Api-Version", "2022-11-28")
	case "gitlab":
		header.Del("Authorization")
		header.Set("PRIVATE-TOKEN", f.Token)
	case "gitea", "forgejo":
		header.Set("Authorization", "token "+f.Token)
	default:
		return nil, fmt.Errorf("%q is none of %v", f.System, Systems)
	}
	client, err := api.Open(api.Config{Base: f.Base, Header: header, Secret: f.Token, Now: now, Sleep: func(context.Context, time.Duration) error { return nil }})
	return &sender{f, client}, err
}

// A request is one that tells a forge something.
type request struct {
	path string
	body map[string]any
}

// requests are those that tell a forge of a message.
func (s *sender) requests(m message, link string) []request {
	repository := name(m.Change)
	status := map[string]any{"state": string(m.State), "description": cut(m.Title, 140), "context": Context}
	if link != "" {
		status["target_url"] = link
	}
	switch s.System {
	case "github-checks":
		check := map[string]any{"name": Context, "head_sha": m.SHA, "output": map[string]any{"title": cut(m.Title, 255), "summary": m.Text}}
		if link != "" {
			check["details_url"] = link
		}
		if m.State == Pending {
			check["status"] = "in_progress"
		} else {
			check["status"], check["conclusion"] = "completed", string(m.State)
		}
		return []request{{"/repos/" + repository + "/check-runs", check}}
	case "gitlab":
		delete(status, "context")
		status["name"] = Context
		if m.State == Failure {
			status["state"] = "failed"
		}
		project := "/projects/" + url.PathEscape(repository)
		list := []request{{project + "/statuses/" + m.SHA, status}}
		if s.Check > 0 && m.Number > 0 && m.State != Pending {
			passed := "passed"
			if m.State == Failure {
				passed = "failed"
			}
			list = append(list, request{
				fmt.Sprintf("%s/merge_requests/%d/status_check_responses", project, m.Number),
				map[string]any{"sha": m.SHA, "external_status_check_id": s.Check, "status": passed},
			})
		}
		return list
	}
	return []request{{"/repos/" + repository + "/statuses/" + m.SHA, status}}
}

// name is OWNER/NAME of the repository of a change.
func name(change stemma.Ref) string {
	_, key := change.Split()
	if i := strings.LastIndexAny(key, "#@"); i >= 0 {
		key = key[:i]
	}
	return key
}

// cut bounds a text in bytes, at a character.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most-len("…")], "") + "…"
}

const (
	atOnce   = 20               // messages that are sent in one go
	claimed  = time.Minute      // within which another process leaves a message alone
	longest  = 10 * time.Minute // between two tries
	hopeless = time.Hour        // likewise, of what the forge says it will never take
)

// Send tells what is due, and says how much it could.
func (a *Announcer) Send(ctx context.Context) (sent int, err error) {
	list, err := a.due(ctx)
	if err != nil {
		return 0, err
	}
	for _, m := range list {
		told, failed := a.worst(ctx, m)
		if failed == nil {
			failed = a.tell(ctx, told)
		}
		if failed == nil {
			sent++
		} else if ctx.Err() != nil {
			return sent, ctx.Err()
		}
		if err := a.settle(ctx, m, told, failed); err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// due claims messages that are to be sent.
func (a *Announcer) due(ctx context.Context) (list []message, err error) {
	now := a.c.Now()
	return list, a.c.DB.Write(ctx, func(tx *storage.Tx) error {
		rows, err := tx.Query(ctx, fmt.Sprintf(`SELECT change, sha, host, number, state, title, summary, sent, tries FROM announcement
			WHERE due > 0 AND due <= $1 ORDER BY due, change, sha LIMIT %d`, atOnce), now.UnixMicro())
		if err != nil {
			return err
		}
		for rows.Next() {
			var m message
			if err := rows.Scan((*string)(&m.Change), &m.SHA, &m.Host, &m.Number, (*string)(&m.State), &m.Title, &m.Text, &m.sent, &m.tries); err != nil {
				return err
			}
			list = append(list, m)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		for _, m := range list {
			if _, err := tx.Exec(ctx, `UPDATE announcement SET due = $1 WHERE change = $2 AND sha = $3`, now.Add(claimed).UnixMicro(), string(m.Change), m.SHA); err != nil {
				return err
			}
		}
		return nil
	})
}

// worst is what is told of the commit of a message: of all changes that show it, that which stands
// worst. A status belongs to a commit, and one that may be merged by one of them only may not be
// merged.
func (a *Announcer) worst(ctx context.Context, m message) (message, error) {
	order := []State{Success, Pending, Failure}
	err := a.c.DB.Each(ctx, func(scan func(...any) error) error {
		var o message
		if err := scan((*string)(&o.Change), &o.Number, (*string)(&o.State), &o.Title, &o.Text); err != nil {
			return err
		}
		if slices.Index(order, o.State) > slices.Index(order, m.State) {
			m.Change, m.Number, m.State, m.Title, m.Text = o.Change, o.Number, o.State, o.Title, o.Text
		}
		return nil
	}, `SELECT change, number, state, title, summary FROM announcement WHERE host = $1 AND sha = $2 ORDER BY change`, m.Host, m.SHA)
	return m, err
}

// tell sends one message, unless the forge took the same before.
func (a *Announcer) tell(ctx context.Context, m message) error {
	s := a.forges[m.Host]
	if s == nil {
		return fmt.Errorf("no token is given for %s any more", m.Host)
	}
	if m.sent == m.digest() {
		return nil
	}
	link := ""
	if a.c.Link != nil {
		link = a.c.Link(m.Change)
	}
	for _, r := range s.requests(m, link) {
		if err := s.client.Post(ctx, r.path, r.body); err != nil {
			return err
		}
	}
	return nil
}

// settle notes what became of a message, in the place of which something was told. One that was
// overtaken by another meanwhile is told again, whichever of the two the forge took last.
func (a *Announcer) settle(ctx context.Context, m, told message, failed error) error {
	now := a.c.Now()
	return a.c.DB.Write(ctx, func(tx *storage.Tx) error {
		var err error
		if failed == nil {
			if _, err = tx.Exec(ctx, `UPDATE announcement SET sent = $1, told = $2, tries = 0, error = '', due = $2 WHERE change = $3 AND sha = $4`,
				told.digest(), now.UnixMicro(), string(m.Change), m.SHA); err == nil {
				_, err = tx.Exec(ctx, `UPDATE announcement SET due = 0 WHERE change = $1 AND sha = $2 AND state = $3 AND title = $4 AND summary = $5`,
					string(m.Change), m.SHA, string(m.State), m.Title, m.Text)
			}
			return err
		}
		a.c.Log.Warn("a forge could not be told how a change stands", "host", m.Host, "change", string(m.Change), "try", m.tries+1, "error", failed)
		_, err = tx.Exec(ctx, `UPDATE announcement SET tries = tries + 1, error = $1, due = $2 WHERE change = $3 AND sha = $4`,
			stemma.CleanText(failed.Error(), 500), now.Add(wait(m.tries, failed)).UnixMicro(), string(m.Change), m.SHA)
		return err
	})
}

// wait is how long a message waits after it could not be told for one time more.
func wait(tries int, failed error) time.Duration {
	var status *api.StatusError
	if errors.As(failed, &status) && status.Code < 500 && status.Code != http.StatusRequestTimeout && !status.Limited {
		return hopeless
	}
	return min(time.Second<<min(tries, 20), longest)
}

// Trouble is what a forge was not told.
type Trouble struct {
	Host    string
	Waiting int64
	Error   string // the last one
}

// Troubles are the forges that wait to be told something, which failed.
func (a *Announcer) Troubles(ctx context.Context) (list []Trouble, err error) {
	return list, a.c.DB.Each(ctx, func(scan func(...any) error) error {
		var t Trouble
		err := scan(&t.Host, &t.Waiting, &t.Error)
		list = append(list, t)
		return err
	}, `SELECT host, count(*), max(error) FROM announcement WHERE due > 0 AND tries > 0 GROUP BY host ORDER BY host`)
}

// poll is how often it is looked whether there is something to tell.
const poll = 300 * time.Millisecond

// Run tells forges of verdicts as they come, until ctx ends.
func (a *Announcer) Run(ctx context.Context) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		err := a.Collect(ctx)
		if err == nil {
			_, err = a.Send(ctx)
		}
		if err != nil && ctx.Err() == nil {
			a.c.Log.Error("forges wait to be told", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
