// Package gitea fetches what Gitea or Forgejo knows of a repository, in the words of its
// webhooks.
//
// Pushes are found in the feed of activities, which names the commits that a push
// brought; the heads that a pull request had before, in its time line. What it cannot
// fetch: that a branch or a tag was deleted, and where it pointed then.
package gitea

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/ingest/sync/listing"
)

// Base is where the interface of a server lies.
func Base(server string) string { return strings.TrimSuffix(server, "/") + "/api/v1" }

// Header authorises requests.
func Header(token string) http.Header {
	h := http.Header{"Accept": {"application/json"}}
	if token != "" {
		h.Set("Authorization", "token "+token)
	}
	return h
}

const (
	// checksLate is how long after its last change a pull request is looked at again:
	// what other programs say about its head changes nothing of it.
	checksLate = 24 * time.Hour

	pageSize = 30 // of a server that does not tell
	maxPages = 1000
)

// A repository that is fetched.
type repository struct {
	path string // "/repos/acme/pay"
	told map[string]any
	size int // of a page

	newer *[]event.Value // entries of the feed on the page before
}

// Lists are what is fetched of the repository OWNER/NAME.
func Lists(ctx context.Context, clerk *listing.Clerk, name string) ([]listing.List, error) {
	repo, err := clerk.One(ctx, "/repos/"+name)
	if err != nil {
		return nil, err
	}
	r := repository{path: "/repos/" + name, told: map[string]any{}, size: pageSize, newer: new([]event.Value)}
	for _, member := range []string{"id", "full_name", "html_url", "clone_url", "default_branch"} {
		r.told[member] = repo.At(member)
	}
	settings, err := clerk.One(ctx, "/settings/api")
	if err != nil && !listing.Missing(err) {
		return nil, err
	}
	r.size = min(cmp.Or(settings.At("max_response_items").Count(), pageSize), 100)
	return []listing.List{
		r.list(listing.List{
			Name: "pulls", Path: "/pulls", Query: r.pages("state", "all", "sort", "recentupdate"), Changed: []string{"updated_at"}, Newest: true,
			Overlap: checksLate, Below: true, Read: listing.Each(r.pull),
		}),
		r.list(listing.List{Name: "pushes", Path: "/activities/feeds", Query: r.pages(), Changed: []string{"created"}, Newest: true, Read: r.pushes}),
		r.list(listing.List{Name: "issues", Path: "/issues", Query: r.since("state", "all", "type", "issues"), Changed: []string{"updated_at"}, Read: listing.Each(r.issue)}),
		r.list(listing.List{Name: "releases", Path: "/releases", Query: r.pages(), Read: listing.Each(r.release)}),
		r.list(listing.List{Name: "workflow runs", Path: "/actions/runs", Query: r.pages(), Items: []string{"workflow_runs"}, Below: true, Read: listing.Each(r.run)}),
		r.list(listing.List{Name: "branch rules", Path: "/branch_protections", Read: listing.Each(r.protection)}),
	}, nil
}

// list completes a listing: pages are counted, since not every listing tells of the next.
func (r repository) list(l listing.List) listing.List {
	l.Path = r.path + l.Path
	if l.Query == nil {
		return l
	}
	l.Next = func(answer event.Value, asked url.Values) url.Values {
		if answer.At(l.Items...).Len() < r.size {
			return nil
		}
		page, _ := strconv.Atoi(asked.Get("page")) // it is ours
		asked.Set("page", strconv.Itoa(page+1))
		return asked
	}
	return l
}

// pages asks for large pages, in a certain way.
func (r repository) pages(params ...string) func(time.Time) url.Values {
	return func(time.Time) url.Values {
		q := url.Values{"limit": {strconv.Itoa(r.size)}, "page": {"1"}}
		for i := 0; i+1 < len(params); i += 2 {
			q.Set(params[i], params[i+1])
		}
		return q
	}
}

// since is pages of what changed since a time.
func (r repository) since(params ...string) func(time.Time) url.Values {
	return func(t time.Time) url.Values {
		q := r.pages(params...)(t)
		if !t.IsZero() {
			q.Set("since", t.Add(-time.Second).UTC().Format(time.RFC3339))
		}
		return q
	}
}

// all are the items of a listing below an item.
func (r repository) all(ctx context.Context, clerk *listing.Clerk, path string) ([]event.Value, error) {
	var all []event.Value
	for page := 1; page <= maxPages; page++ {
		some, err := clerk.All(ctx, r.path+path+"?limit="+strconv.Itoa(r.size)+"&page="+strconv.Itoa(page))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if len(some) != r.size {
			return all, nil
		}
	}
	return nil, errors.New("gitea: there is no end to the pages of " + path)
}

// tell tells something about the repository.
func (r repository) tell(clerk *listing.Clerk, name string, members map[string]any) {
	members["repository"] = r.told
	clerk.Tell(name, members)
}

// pull reads a pull request with its reviews and the heads that it had, and what other
// programs say about its head and about the commit that it became.
func (r repository) pull(ctx context.Context, clerk *listing.Clerk, item event.Value) error {
	path := "/pulls/" + strconv.Itoa(item.At("number").Count())
	pr, err := clerk.One(ctx, r.path+path)
	if listing.Gone(err) {
		return nil // it was deleted meanwhile
	}
	if err != nil {
		return err
	}
	r.tell(clerk, "pull_request", map[string]any{"action": clerk.Action(pr.At("updated_at")), "pull_request": pr})
	earlier, err := r.heads(ctx, clerk, pr)
	if err != nil {
		return err
	}
	for _, sha := range slices.Concat(earlier, []string{pr.At("head", "sha").Sha(), pr.At("merge_commit_sha").Sha()}) {
		if err := r.statuses(ctx, clerk, sha); err != nil {
			return err
		}
	}
	return r.reviews(ctx, clerk, path, pr)
}

// reviews reads the verdicts, each with the pull request as it was then, as webhooks tell
// them.
func (r repository) reviews(ctx context.Context, clerk *listing.Clerk, path string, pr event.Value) error {
	list, err := r.all(ctx, clerk, path+"/reviews")
	if err != nil {
		return err
	}
	for _, review := range list {
		kind := verdicts[review.At("state").Text(40)]
		if kind == "" || !review.At("user").Object() {
			continue // it is not given yet, or only asked for
		}
		then := map[string]any{}
		for name, value := range pr.Members() {
			then[name] = value
		}
		then["updated_at"] = review.At("submitted_at")
		if saw := review.At("commit_id").Sha(); saw != "" {
			then["head"] = map[string]any{"ref": pr.At("head", "ref"), "label": pr.At("head", "label"), "sha": saw}
		}
		action := "submitted"
		if review.At("dismissed").Bool() {
			action = "dismissed"
		}
		r.tell(clerk, "pull_request_review", map[string]any{
			"action": action, "pull_request": then, "sender": review.At("user"), "commit_id": review.At("commit_id"), "review": map[string]any{"type": kind},
		})
	}
	return nil
}

// verdicts are the states of reviews in the words of webhooks.
var verdicts = map[string]string{
	"APPROVED": "pull_request_review_approved", "REQUEST_CHANGES": "pull_request_review_rejected", "COMMENT": "pull_request_review_comment",
}

// heads tells the heads that a pull request had before, as its time line knows them, and
// gives them.
func (r repository) heads(ctx context.Context, clerk *listing.Clerk, pr event.Value) ([]string, error) {
	number := strconv.Itoa(pr.At("number").Count())
	line, err := r.all(ctx, clerk, "/issues/"+number+"/timeline")
	if err != nil {
		return nil, err
	}
	pushes := pushed(line)
	if len(pushes) == 0 {
		return nil, nil
	}
	commits, err := r.all(ctx, clerk, "/pulls/"+number+"/commits")
	if err != nil {
		return nil, err
	}
	var now []string // its commits, the head first
	for _, c := range commits {
		now = append(now, c.At("sha").Sha())
	}
	head := pr.At("head", "sha").Sha()
	earlier := slices.DeleteFunc(before(now, pushes), func(sha string) bool { return sha == head || sha == "" })
	for _, sha := range earlier {
		r.tell(clerk, "pull_request", map[string]any{"action": "synchronize", "before": sha, "pull_request": pr})
	}
	return earlier, nil
}

// pushed are the commits of each push to a pull request, the new head last.
func pushed(line []event.Value) (pushes [][]string) {
	for _, entry := range line {
		if entry.At("type").Text(20) != "pull_push" {
			continue
		}
		var ids []string
		for id := range entry.At("body").Inner().At("commit_ids").Items() {
			ids = append(ids, id.Sha())
		}
		if len(ids) > 0 {
			pushes = append(pushes, ids)
		}
	}
	return pushes
}

// before are the heads of a pull request, of which the pushes to it are known and the
// commits that it has now, the head first. The time line does not say which pushes were
// forced: the first head is only known where nothing was rewritten after it, or by the
// one push that did.
func before(now []string, pushes [][]string) []string {
	var heads []string
	first := slices.IndexFunc(now, func(sha string) bool {
		return !slices.ContainsFunc(pushes, func(ids []string) bool { return slices.Contains(ids, sha) })
	})
	rewritten := slices.ContainsFunc(pushes, func(ids []string) bool {
		return slices.ContainsFunc(ids, func(sha string) bool { return !slices.Contains(now, sha) })
	})
	switch {
	case !rewritten && first >= 0:
		heads = append(heads, now[first])
	case rewritten && len(pushes) == 1 && len(pushes[0]) == 2:
		heads = append(heads, pushes[0][0])
	}
	for _, ids := range pushes {
		heads = append(heads, ids[len(ids)-1])
	}
	return heads
}

// statuses reads what other programs say about a commit.
func (r repository) statuses(ctx context.Context, clerk *listing.Clerk, sha string) error {
	if sha == "" {
		return nil
	}
	list, err := r.all(ctx, clerk, "/commits/"+sha+"/statuses")
	for _, s := range list {
		r.tell(clerk, "status", map[string]any{
			"sha": sha, "context": s.At("context"), "state": s.At("status"), "target_url": s.At("target_url"),
			"created_at": s.At("created_at"), "updated_at": s.At("updated_at"), "sender": s.At("creator"),
		})
	}
	return err
}

// pushes reads what a page of the feed says about branches and tags.
func (r repository) pushes(ctx context.Context, clerk *listing.Clerk, page []event.Value) error {
	after, err := clerk.After(ctx)
	if err != nil {
		return err
	}
	around := slices.Concat(*r.newer, page, after) // entries of one second have no order, and a page may end between them
	*r.newer = page
	for _, item := range page {
		content := item.At("content").Inner()
		if op := item.At("op_type").Text(40); (op == "commit_repo" || op == "push_tag") && content.Object() {
			r.push(clerk, item, content, made(item, around))
		}
	}
	return nil
}

// push reads one push.
func (r repository) push(clerk *listing.Clerk, item, content event.Value, made bool) {
	before, after := compared(content)
	if made {
		before = ""
	}
	p := map[string]any{"ref": item.At("ref_name"), "before": before, "sender": item.At("act_user"), "repository": r.told}
	var commits []any
	for c := range content.At("Commits").Items() {
		commits = append(commits, commit(c))
	}
	p["commits"] = commits
	if head := content.At("HeadCommit"); head.Object() {
		p["head_commit"] = commit(head)
		after = cmp.Or(after, head.At("Sha1").Sha())
	}
	if p["after"] = after; after != "" { // of what is gone the feed does not say where it was
		clerk.Tell("push", p)
	}
}

// compared is from where to where a push went.
func compared(content event.Value) (before, after string) {
	address := content.At("CompareURL").Text(event.MaxURL)
	before, after, _ = strings.Cut(address[strings.LastIndexByte(address, '/')+1:], "...")
	return event.Text(before).Sha(), event.Text(after).Sha()
}

// made reports whether a push made its branch: then there is another entry about the branch, one
// without content, of the same moment. That comes before the push, or on a busy server behind it;
// a push cannot come before the branch is made, so one that does belongs to it.
func made(push event.Value, around []event.Value) bool {
	of := slices.DeleteFunc(slices.Clone(around), func(e event.Value) bool { return e.At("ref_name").Name() != push.At("ref_name").Name() })
	slices.SortFunc(of, func(a, b event.Value) int { return cmp.Compare(a.At("id").Int(), b.At("id").Int()) })
	i := slices.IndexFunc(of, func(e event.Value) bool { return e.At("id").Int() == push.At("id").Int() })
	at := func(n int) event.Value {
		if n < 0 || n >= len(of) {
			return event.Value{}
		}
		return of[n]
	}
	if i < 0 {
		return false
	}
	if begins(at(i+1), push) {
		return true
	}
	return begins(at(i-1), push) && !(pushes(at(i-2)) && begins(at(i-1), at(i-2)))
}

// pushes reports whether an entry of the feed says what was pushed.
func pushes(e event.Value) bool {
	return e.At("op_type").Text(40) == "commit_repo" && e.At("content").Inner().Object()
}

// begins reports whether an entry says that a branch was made, at the moment of a push.
func begins(e, push event.Value) bool {
	const moment = 10_000_000 // microseconds: a busy server writes the two some seconds apart
	apart := push.At("created").Moment() - e.At("created").Moment()
	return e.At("op_type").Text(40) == "commit_repo" && !e.At("content").Inner().Object() && max(apart, -apart) <= moment
}

// commit is one as webhooks tell it.
func commit(c event.Value) map[string]any {
	return map[string]any{
		"id": c.At("Sha1"), "message": c.At("Message"), "timestamp": c.At("Timestamp"),
		"author":    map[string]any{"name": c.At("AuthorName"), "email": c.At("AuthorEmail")},
		"committer": map[string]any{"name": c.At("CommitterName"), "email": c.At("CommitterEmail")},
	}
}

func (r repository) issue(_ context.Context, clerk *listing.Clerk, item event.Value) error {
	r.tell(clerk, "issues", map[string]any{"action": clerk.Action(item.At("updated_at")), "issue": item})
	return nil
}

func (r repository) release(_ context.Context, clerk *listing.Clerk, item event.Value) error {
	r.tell(clerk, "release", map[string]any{"action": clerk.Action(item.At("published_at")), "release": item})
	return nil
}

// run reads a run of Gitea Actions with its jobs, of servers that list them.
func (r repository) run(ctx context.Context, clerk *listing.Clerk, item event.Value) error {
	r.tell(clerk, "workflow_run", map[string]any{"workflow_run": item})
	jobs, err := clerk.All(ctx, r.path+"/actions/runs/"+strconv.FormatInt(item.At("id").Int(), 10)+"/jobs", "jobs")
	for _, job := range jobs {
		r.tell(clerk, "workflow_job", map[string]any{"workflow_job": job})
	}
	return err
}

// protection reads a rule, in GitHub's words. No webhook tells of them.
func (r repository) protection(_ context.Context, clerk *listing.Clerk, rule event.Value) error {
	r.tell(clerk, "branch_protection_rule", map[string]any{"rule": map[string]any{
		"name": event.First(rule.At("rule_name"), rule.At("branch_name")), "updated_at": rule.At("updated_at"),
		"required_approving_review_count":          rule.At("required_approvals"),
		"dismiss_stale_reviews_on_push":            rule.At("dismiss_stale_approvals"),
		"admin_enforced":                           rule.At("block_admin_merge_override"),
		"required_status_checks_enforcement_level": level(rule.At("enable_status_check")),
		"allow_force_pushes_enforcement_level":     level(rule.At("enable_force_push")),
	}})
	return nil
}

// level is how GitHub says that a rule is in force.
func level(on event.Value) string {
	if on.Bool() {
		return "everyone"
	}
	return "off"
}
