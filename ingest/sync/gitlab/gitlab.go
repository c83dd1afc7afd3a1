// Package gitlab fetches what GitLab knows of a project, in the words of its webhooks.
//
// The objects of its interface are not those of its webhooks, so they are written anew.
// Approvals, with those that were taken back, are found in the notes that GitLab writes
// itself; the heads that a merge request had, in its versions. What it cannot fetch: the
// commits that a push brought, but for their number.
package gitlab

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/ingest/sync/listing"
)

// Base is where the interface of gitlab.com, or of a server of one's own, lies.
func Base(server string) string {
	return strings.TrimSuffix(Web(server), "/") + "/api/v4"
}

// Web is where gitlab.com, or a server of one's own, is browsed.
func Web(server string) string { return cmp.Or(server, "https://gitlab.com") }

// Header authorises requests.
func Header(token string) http.Header {
	h := http.Header{"Accept": {"application/json"}}
	if token != "" {
		h.Set("Authorization", "Bearer "+token) // a token of a person, a project or OAuth
	}
	return h
}

// slack is taken off a time since which something is asked for: it is not among it.
const slack = time.Second

// A project that is fetched.
type project struct {
	path string // "/projects/7"
	web  string
	told map[string]any
}

// Lists are what is fetched of the project GROUP/NAME.
func Lists(ctx context.Context, clerk *listing.Clerk, name string) ([]listing.List, error) {
	v, err := clerk.One(ctx, "/projects/"+url.PathEscape(name))
	if err != nil {
		return nil, err
	}
	p := project{path: "/projects/" + strconv.FormatInt(v.At("id").Int(), 10), web: v.At("web_url").URL(), told: map[string]any{"git_http_url": v.At("http_url_to_repo")}}
	for _, member := range []string{"id", "web_url", "default_branch", "path_with_namespace"} {
		p.told[member] = v.At(member)
	}
	updated := []string{"updated_at"}
	return []listing.List{
		{
			Name: "merge requests", Path: p.path + "/merge_requests", Query: since("scope", "all", "state", "all", "order_by", "updated_at", "sort", "desc"),
			Changed: updated, Newest: true, Below: true, Read: listing.Each(p.mergeRequest),
		},
		{Name: "pushes", Path: p.path + "/events", Query: listing.Pages("action", "pushed"), Changed: []string{"created_at"}, Newest: true, Read: listing.Each(p.push)},
		{
			Name: "issues", Path: p.path + "/issues", Query: since("scope", "all", "state", "all", "order_by", "updated_at", "sort", "desc"),
			Changed: updated, Newest: true, Read: listing.Each(p.issue),
		},
		{
			Name: "pipelines", Path: p.path + "/pipelines", Query: since("order_by", "updated_at", "sort", "desc"),
			Changed: updated, Newest: true, Below: true, Read: listing.Each(p.pipeline),
		},
		{
			Name: "deployments", Path: p.path + "/deployments", Query: since("order_by", "updated_at", "sort", "desc"),
			Changed: updated, Newest: true, Read: listing.Each(p.deployment),
		},
		{Name: "releases", Path: p.path + "/releases", Query: listing.Pages(), Read: listing.Each(p.release)},
	}, nil
}

// since is pages of what changed since a time.
func since(params ...string) func(time.Time) url.Values {
	return func(t time.Time) url.Values {
		q := listing.Pages(params...)(t)
		if !t.IsZero() {
			q.Set("updated_after", t.Add(-slack).UTC().Format(time.RFC3339))
		}
		return q
	}
}

// tell tells something about the project. The kind stands in the body.
func (p project) tell(clerk *listing.Clerk, kind string, members map[string]any) {
	members["object_kind"], members["project"] = kind, p.told
	clerk.Tell("", members)
}

// picked are members of an object, under other names where a pair names two.
func picked(v event.Value, members ...string) map[string]any {
	m := map[string]any{}
	for _, name := range members {
		to, from, renamed := strings.Cut(name, "=")
		if !renamed {
			from = to
		}
		m[to] = v.At(strings.Split(from, ".")...)
	}
	return m
}

// with is a copy of members with some more.
func with(members map[string]any, more ...any) map[string]any {
	m := make(map[string]any, len(members)+len(more)/2)
	for name, v := range members {
		m[name] = v
	}
	for i := 0; i+1 < len(more); i += 2 {
		m[more[i].(string)] = more[i+1]
	}
	return m
}

func (p project) mergeRequest(ctx context.Context, clerk *listing.Clerk, mr event.Value) error {
	path := p.path + "/merge_requests/" + strconv.Itoa(mr.At("iid").Count())
	attributes := picked(mr, "iid", "title", "description", "state", "created_at", "updated_at", "source_branch", "target_branch", "source_project_id",
		"target_project_id", "merge_commit_sha", "squash_commit_sha", "url=web_url", "author_id=author.id")
	attributes["last_commit"] = picked(mr, "id=sha")
	if mr.At("merged_at").Has() && !event.First(mr.At("merge_commit_sha"), mr.At("squash_commit_sha")).Has() {
		attributes["merge_commit_sha"] = mr.At("sha") // a fast-forward, also in what is told of earlier heads
		commits, err := clerk.All(ctx, path+"/commits?per_page=100")
		if err != nil {
			return err
		}
		attributes["commits_count"] = len(commits)
	}
	if from := mr.At("source_project_id").Int(); from != 0 && from != mr.At("target_project_id").Int() {
		source, err := clerk.One(ctx, "/projects/"+strconv.FormatInt(from, 10))
		if err != nil && !listing.Missing(err) {
			return err
		}
		attributes["source"] = picked(source, "path_with_namespace")
	}
	p.tell(clerk, "merge_request", map[string]any{"object_attributes": with(attributes, "action", clerk.Action(mr.At("updated_at")))})
	if mr.At("merged_at").Has() {
		p.tell(clerk, "merge_request", map[string]any{
			"object_attributes": with(attributes, "action", "merge", "updated_at", mr.At("merged_at")), "user": event.First(mr.At("merge_user"), mr.At("merged_by")),
		})
	} else if mr.At("closed_at").Has() {
		p.tell(clerk, "merge_request", map[string]any{"object_attributes": with(attributes, "action", "close", "updated_at", mr.At("closed_at"))})
	}
	versions, err := clerk.All(ctx, path+"/versions?per_page=100")
	if err != nil {
		return err
	}
	for _, v := range versions {
		if head := v.At("head_commit_sha").Sha(); head != mr.At("sha").Sha() {
			p.tell(clerk, "merge_request", map[string]any{"object_attributes": with(attributes, "action", "update", "oldrev", head)})
		}
	}
	notes, err := clerk.All(ctx, path+"/notes?per_page=100&order_by=created_at&sort=asc")
	for _, n := range notes {
		p.note(clerk, attributes, versions, n)
	}
	return err
}

// said are the notes that GitLab writes about approvals, as what its webhooks tell.
var said = map[string]string{"approved this merge request": "approved", "unapproved this merge request": "unapproved"}

// note reads a remark, or an approval with the head that was seen.
func (p project) note(clerk *listing.Clerk, attributes map[string]any, versions []event.Value, n event.Value) {
	if n.At("system").Bool() {
		if action := said[n.At("body").Text(100)]; action != "" {
			then := with(attributes, "action", action, "updated_at", n.At("created_at"))
			if head := shown(versions, n.At("created_at")); head != "" {
				then["last_commit"] = map[string]any{"id": head}
			}
			p.tell(clerk, "merge_request", map[string]any{"object_attributes": then, "user": n.At("author")})
		}
		return
	}
	of := picked(n, "id", "created_at", "updated_at", "system", "position", "commit_id")
	if web, ok := attributes["url"].(event.Value); ok {
		of["url"] = web.URL() + "#note_" + n.At("id").Name()
	}
	p.tell(clerk, "note", map[string]any{"object_attributes": of, "merge_request": attributes, "user": n.At("author")})
}

// shown is the head that a merge request had at a time.
func shown(versions []event.Value, at event.Value) string {
	head, last := "", event.Value{}.Moment()
	for _, v := range versions {
		if made := v.At("created_at").Moment(); made <= at.Moment() && made >= last {
			head, last = v.At("head_commit_sha").Sha(), made
		}
	}
	return head
}

func (p project) push(_ context.Context, clerk *listing.Clerk, item event.Value) error {
	data := item.At("push_data")
	kind, prefix := "push", "refs/heads/"
	if data.At("ref_type").Text(20) == "tag" {
		kind, prefix = "tag_push", "refs/tags/"
	}
	ref := data.At("ref").Name()
	if ref == "" {
		return nil // many refs at once: GitLab says only how many
	}
	clerk.Tell("", map[string]any{
		"object_kind": kind, "project": p.told, "ref": prefix + ref, "before": data.At("commit_from"), "after": data.At("commit_to"),
		"checkout_sha": data.At("commit_to"), "total_commits_count": data.At("commit_count"), "user_id": item.At("author", "id"),
		"user_username": item.At("author", "username"), "user_name": item.At("author", "name"), "pushed_at": item.At("created_at"),
	})
	return nil
}

func (p project) issue(_ context.Context, clerk *listing.Clerk, item event.Value) error {
	of := picked(item, "iid", "title", "description", "state", "created_at", "updated_at", "closed_at", "url=web_url", "author_id=author.id")
	of["action"] = clerk.Action(item.At("updated_at"))
	if kind := item.At("issue_type").Text(40); kind != "" {
		of["type"] = strings.ToUpper(kind[:1]) + kind[1:]
	}
	p.tell(clerk, "issue", map[string]any{"object_attributes": of})
	return nil
}

// pipeline reads a pipeline with all its jobs.
func (p project) pipeline(ctx context.Context, clerk *listing.Clerk, item event.Value) error {
	path := p.path + "/pipelines/" + strconv.FormatInt(item.At("id").Int(), 10)
	whole, err := clerk.One(ctx, path)
	if listing.Gone(err) {
		return nil // it was deleted meanwhile
	}
	if err != nil {
		return err
	}
	jobs, err := clerk.All(ctx, path+"/jobs?per_page=100&include_retried=true")
	if err != nil {
		return err
	}
	p.tell(clerk, "pipeline", map[string]any{
		"object_attributes": picked(whole, "id", "iid", "name", "source", "status", "sha", "ref", "created_at", "finished_at", "url=web_url"),
		"user":              whole.At("user"), "builds": jobs,
	})
	return nil
}

func (p project) deployment(_ context.Context, clerk *listing.Clerk, item event.Value) error {
	told := picked(item, "deployment_id=id", "environment=environment.name", "environment_tier=environment.tier",
		"environment_external_url=environment.external_url", "status", "status_changed_at=updated_at", "ref", "user", "deployable_id=deployable.id")
	if sha := item.At("sha").Sha(); sha != "" && p.web != "" {
		told["commit_url"] = p.web + "/-/commit/" + sha
	}
	p.tell(clerk, "deployment", told)
	return nil
}

func (p project) release(_ context.Context, clerk *listing.Clerk, item event.Value) error {
	told := picked(item, "tag=tag_name", "name", "url=_links.self", "released_at", "created_at")
	if c := item.At("commit"); c.Object() {
		told["commit"] = with(picked(c, "id", "message"), "author", picked(c, "name=author_name", "email=author_email"))
	}
	p.tell(clerk, "release", told)
	return nil
}
