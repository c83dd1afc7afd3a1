// Package github fetches what GitHub, github.com or one's own, knows of a repository, in
// the words of its webhooks: the objects in both are the same.
//
// What it cannot fetch: which pull requests a merge queue tried, and what the rules about
// branches were before.
package github

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/ingest/sync/listing"
)

// Base is where the interface of github.com, or of a server of one's own, lies.
func Base(server string) string {
	if Web(server) == everybodys {
		return "https://api.github.com"
	}
	return strings.TrimSuffix(server, "/") + "/api/v3"
}

const everybodys = "https://github.com"

// Web is where github.com, or a server of one's own, is browsed.
func Web(server string) string {
	if u, err := url.Parse(server); server == "" || err == nil && (u.Host == "github.com" || u.Host == "api.github.com") {
		return everybodys
	}
	return server
}

// Header authorises requests.
func Header(token string) http.Header {
	h := http.Header{"Accept": {"application/vnd.github+json"}, "X-Github-Api-Version": {"2022-11-28"}}
	if token != "" {
		h.Set("Authorization", "Bearer "+token)
	}
	return h
}

const (
	// checksLate is how long after its last change a pull request is looked at again:
	// what other programs say about its head changes nothing of it.
	checksLate = 24 * time.Hour

	// runsChange is how long after its beginning a run, or a deployment, is looked at
	// again: they are listed by when they began.
	runsChange = 48 * time.Hour
)

// A repository that is fetched.
type repository struct {
	path string         // "/repos/acme/pay"
	told map[string]any // as deliveries tell it
}

// Lists are what is fetched of the repository OWNER/NAME.
func Lists(ctx context.Context, clerk *listing.Clerk, name string) ([]listing.List, error) {
	repo, err := clerk.One(ctx, "/repos/"+name)
	if err != nil {
		return nil, err
	}
	r := repository{path: "/repos/" + name, told: map[string]any{}}
	for _, member := range []string{"id", "full_name", "html_url", "clone_url", "default_branch"} {
		r.told[member] = repo.At(member)
	}
	changed := []string{"updated_at"}
	return []listing.List{
		{
			Name: "pulls", Path: r.path + "/pulls", Query: listing.Pages("state", "all", "sort", "updated", "direction", "desc"), Changed: changed, Newest: true,
			Overlap: checksLate, Below: true, Read: listing.Each(r.pull),
		},
		{Name: "pushes", Path: r.path + "/activity", Query: listing.Pages(), Changed: []string{"timestamp"}, Newest: true, Read: listing.Each(r.push)},
		{Name: "issues", Path: r.path + "/issues", Query: since("state", "all", "sort", "updated", "direction", "desc"), Changed: changed, Newest: true, Read: listing.Each(r.issue)},
		{Name: "releases", Path: r.path + "/releases", Query: listing.Pages(), Read: listing.Each(r.of("release", "release"))},
		{
			Name: "workflow runs", Path: r.path + "/actions/runs", Query: listing.Pages(), Items: []string{"workflow_runs"},
			Changed: []string{"created_at"}, Newest: true, Overlap: runsChange, Below: true, Read: listing.Each(r.run),
		},
		{
			Name: "deployments", Path: r.path + "/deployments", Query: listing.Pages(),
			Changed: []string{"created_at"}, Newest: true, Overlap: runsChange, Below: true, Read: listing.Each(r.deployment),
		},
		{
			Name: "alerts", Path: r.path + "/code-scanning/alerts", Query: listing.Pages("sort", "updated", "direction", "desc"), Changed: changed,
			Newest: true, Read: listing.Each(r.of("code_scanning_alert", "alert")),
		},
		{Name: "branch rules", Path: r.path + "/branches", Query: listing.Pages("protected", "true"), Below: true, Read: listing.Each(r.protection)},
	}, nil
}

// since is pages of what changed since a time.
func since(params ...string) func(time.Time) url.Values {
	return func(t time.Time) url.Values {
		q := listing.Pages(params...)(t)
		if !t.IsZero() {
			q.Set("since", t.UTC().Format(time.RFC3339))
		}
		return q
	}
}

// of reads items that are told as they are, under a name.
func (r repository) of(name, member string) func(context.Context, *listing.Clerk, event.Value) error {
	return func(_ context.Context, clerk *listing.Clerk, item event.Value) error {
		r.tell(clerk, name, map[string]any{"action": clerk.Action(event.First(item.At("updated_at"), item.At("published_at"))), member: item})
		return nil
	}
}

// tell tells something about the repository.
func (r repository) tell(clerk *listing.Clerk, name string, members map[string]any) {
	members["repository"] = r.told
	clerk.Tell(name, members)
}

// pull reads a pull request with its reviews and remarks, and what other programs say
// about its head and about the commit that it became.
func (r repository) pull(ctx context.Context, clerk *listing.Clerk, item event.Value) error {
	path := r.path + "/pulls/" + strconv.Itoa(item.At("number").Count())
	pr, err := clerk.One(ctx, path)
	if listing.Gone(err) {
		return nil // it was deleted meanwhile
	}
	if err != nil {
		return err
	}
	action := clerk.Action(pr.At("updated_at"))
	r.tell(clerk, "pull_request", map[string]any{"action": action, "pull_request": pr})
	for _, below := range []struct{ path, event, member string }{
		{"/reviews", "pull_request_review", "review"}, {"/comments", "pull_request_review_comment", "comment"},
	} {
		list, err := clerk.All(ctx, path+below.path+"?per_page=100")
		if err != nil {
			return err
		}
		for _, x := range list {
			if !strings.EqualFold(x.At("state").Text(20), "pending") { // which nobody but its author sees
				r.tell(clerk, below.event, map[string]any{"action": action, "pull_request": pr, below.member: x})
			}
		}
	}
	return errors.Join(r.checks(ctx, clerk, pr.At("head", "sha").Sha()), r.checks(ctx, clerk, merged(pr)))
}

// merged is the commit that a pull request became.
func merged(pr event.Value) string {
	if pr.At("merged_at").Moment() == 0 {
		return ""
	}
	return pr.At("merge_commit_sha").Sha()
}

// checks reads what other programs say about a commit.
func (r repository) checks(ctx context.Context, clerk *listing.Clerk, sha string) error {
	if sha == "" {
		return nil
	}
	runs, err := clerk.All(ctx, r.path+"/commits/"+sha+"/check-runs?per_page=100&filter=all", "check_runs")
	if err != nil {
		return err
	}
	for _, run := range runs {
		r.tell(clerk, "check_run", map[string]any{"check_run": run})
	}
	statuses, err := clerk.All(ctx, r.path+"/commits/"+sha+"/statuses?per_page=100")
	for _, s := range statuses {
		r.tell(clerk, "status", map[string]any{
			"sha": sha, "context": s.At("context"), "state": s.At("state"), "target_url": s.At("target_url"),
			"created_at": s.At("created_at"), "updated_at": s.At("updated_at"), "sender": s.At("creator"),
		})
	}
	return err
}

// push reads one movement of a ref. The listing names no commits.
func (r repository) push(_ context.Context, clerk *listing.Clerk, item event.Value) error {
	kind := item.At("activity_type").Text(40)
	repo := maps.Clone(r.told)
	repo["pushed_at"] = item.At("timestamp")
	clerk.Tell("push", map[string]any{
		"repository": repo, "ref": item.At("ref"), "before": item.At("before"), "after": item.At("after"),
		"forced": kind == "force_push", "deleted": kind == "branch_deletion", "sender": item.At("actor"),
	})
	return nil
}

// issue reads an issue. Pull requests are among them, and are told by their own listing.
func (r repository) issue(_ context.Context, clerk *listing.Clerk, item event.Value) error {
	if !item.At("pull_request").Object() {
		r.tell(clerk, "issues", map[string]any{"action": clerk.Action(item.At("updated_at")), "issue": item})
	}
	return nil
}

// maxAttempts is how many attempts of a run are asked for.
const maxAttempts = 20

// run reads a run with its jobs, of the last attempt and of those before.
func (r repository) run(ctx context.Context, clerk *listing.Clerk, item event.Value) error {
	path := r.path + "/actions/runs/" + strconv.FormatInt(item.At("id").Int(), 10)
	r.tell(clerk, "workflow_run", map[string]any{"workflow_run": item})
	for n := 1; n < min(item.At("run_attempt").Count(), maxAttempts); n++ {
		before, err := clerk.One(ctx, path+"/attempts/"+strconv.Itoa(n))
		switch {
		case listing.Gone(err): // it is kept no more
		case err != nil:
			return err
		default:
			r.tell(clerk, "workflow_run", map[string]any{"workflow_run": before})
		}
	}
	jobs, err := clerk.All(ctx, path+"/jobs?per_page=100&filter=all", "jobs")
	for _, job := range jobs {
		r.tell(clerk, "workflow_job", map[string]any{"workflow_job": job})
	}
	return err
}

// deployment reads a deployment and all that became of it.
func (r repository) deployment(ctx context.Context, clerk *listing.Clerk, item event.Value) error {
	r.tell(clerk, "deployment", map[string]any{"deployment": item})
	statuses, err := clerk.All(ctx, r.path+"/deployments/"+strconv.FormatInt(item.At("id").Int(), 10)+"/statuses?per_page=100")
	for _, s := range statuses {
		r.tell(clerk, "deployment_status", map[string]any{"deployment": item, "deployment_status": s})
	}
	return err
}

// protection reads the rule about one protected branch.
func (r repository) protection(ctx context.Context, clerk *listing.Clerk, item event.Value) error {
	name := item.At("name").Name()
	path := r.path + "/branches/" + url.PathEscape(name) + "/protection"
	rule, err := clerk.One(ctx, path)
	if listing.Missing(err) {
		clerk.Unread(path, err) // only administrators may see it
		return nil
	}
	if err != nil {
		return err
	}
	reviews := rule.At("required_pull_request_reviews")
	r.tell(clerk, "branch_protection_rule", map[string]any{"rule": map[string]any{
		"name": name, "admin_enforced": rule.At("enforce_admins", "enabled").Bool(),
		"required_status_checks_enforcement_level": level(rule.At("required_status_checks").Object()),
		"allow_force_pushes_enforcement_level":     level(rule.At("allow_force_pushes", "enabled").Bool()),
		"required_approving_review_count":          reviews.At("required_approving_review_count").Count(),
		"require_code_owner_review":                reviews.At("require_code_owner_reviews").Bool(),
		"dismiss_stale_reviews_on_push":            reviews.At("dismiss_stale_reviews").Bool(),
	}})
	return nil
}

// level is how GitHub's webhooks say that a rule is in force.
func level(on bool) string {
	if on {
		return "everyone"
	}
	return "off"
}
