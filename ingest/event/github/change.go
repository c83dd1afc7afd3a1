package github

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/review"
)

// The order of what happens to a pull request within one second.
const (
	pullSteps   = "opened edited synchronize synchronized enqueued dequeued closed reopened"
	reviewSteps = "submitted edited dismissed"
)

func (d *delivery) pullRequest() {
	pr := d.body.At("pull_request")
	asOf := event.Order(pr.At("updated_at").Moment(), event.Step(d.action, pullSteps))
	c := d.change(pr)
	if c.Number == 0 {
		d.Problem("pull_request.number", "it is missing, so nobody can tell which pull request this is")
		return
	}
	switch d.action {
	case "enqueued":
		c.Queue = "queued"
	case "dequeued":
		c.Queue = "left"
		if pr.At("merged").Bool() || d.body.At("reason").Text(40) == "MERGE" {
			c.Queue = "merged"
		}
	}
	d.State(c, asOf)
	if d.action == "synchronize" {
		d.outdated(c.Ref())
	}
}

// outdated keeps the head that the pull request had before a push to it: reviews of
// it are stale from now on.
func (d *delivery) outdated(of stemma.Ref) {
	before := change.ShaRef(d.body.At("before").Sha())
	if before == "" {
		return
	}
	d.Once(change.Change{
		Repository: d.Repository, Number: d.body.At("pull_request", "number").Count(),
		Heads: []stemma.Edge{{To: before, Method: "head"}},
	})
}

// change is a pull request as far as its object tells.
func (d *delivery) change(pr event.Value) change.Change {
	head, base := pr.At("head"), pr.At("base")
	c := change.Change{
		Repository: d.Repository, Number: pr.At("number").Count(), Title: pr.At("title").Title(), Platform: d.Forge.Platform,
		Branch: head.At("ref").Name(), Target: base.At("ref").Name(), URL: pr.At("html_url").URL(),
		Opened: pr.At("created_at").Moment(), Author: d.account(pr.At("user")), CommitCount: pr.At("commits").Count(),
		Head: change.ShaRef(head.At("sha").Sha()),
	}
	if from := head.At("repo", "full_name").Name(); from != "" && !strings.EqualFold(from, d.Name) {
		c.Branch = head.At("label").Name() // of a fork, with its owner
	}
	if c.Head != "" {
		c.Heads = []stemma.Edge{{To: c.Head, Method: "head"}}
	}
	if pr.At("changed_files").Has() {
		c.Size = &change.Size{FileCount: pr.At("changed_files").Count(), Added: pr.At("additions").Count(), Deleted: pr.At("deletions").Count()}
	}
	merged := pr.At("merged").Bool() || pr.At("merged_at").Moment() != 0
	switch {
	case merged:
		c.State, c.Merged, c.MergedBy = "merged", pr.At("merged_at").Moment(), d.account(pr.At("merged_by"))
		if c.MergeCommit = change.ShaRef(pr.At("merge_commit_sha").Sha()); c.MergeCommit != "" {
			c.Commits = []stemma.Ref{c.MergeCommit}
		}
	case pr.At("state").Text(20) == "closed":
		c.State, c.Closed = "closed", pr.At("closed_at").Moment()
	case pr.At("state").Text(20) == "open":
		c.State = "open"
	}
	if c.Author.Kind() == stemma.KindBot {
		c.Drivers = d.drivers(pr)
	}
	c.Implements, c.Satisfies = d.Mentions(c.Title+"\n\n"+pr.At("body").Long(), head.At("ref").Name(), c.Number)
	c.PickedFrom = d.backported(c)
	c.Implements = slices.DeleteFunc(c.Implements, func(e stemma.Edge) bool { // a pull request looks like an issue
		return slices.ContainsFunc(c.PickedFrom, func(p stemma.Ref) bool { return p.Key() == e.To.Key() })
	})
	return c
}

// drivers are the people who set a program to work that opened a pull request: those to
// whom it is assigned, and who caused that it was opened.
func (d *delivery) drivers(pr event.Value) []stemma.Edge {
	var people []stemma.Edge
	add := func(who stemma.Ref, method string) {
		if who.Kind() == stemma.KindPerson {
			people = stemma.AddEdge(people, stemma.Edge{To: who, Method: method})
		}
	}
	for a := range pr.At("assignees").Items() {
		add(d.account(a), "assignee")
	}
	if d.action == "opened" {
		add(d.sender(), "sender")
	}
	return people
}

var backport = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(?:back-?port|cherry[- ]?pick)(?:s|ed|ing)?\b[^#\n]{0,40}#(\d{1,9})\b`)
})

// backported are the pull requests of which one says that it brings them to another
// branch.
func (d *delivery) backported(c change.Change) []stemma.Ref {
	var from []stemma.Ref
	for _, m := range backport().FindAllStringSubmatch(c.Title+"\n"+d.body.At("pull_request", "body").Long(), 5) {
		n, _ := strconv.Atoi(m[1])
		if ref := d.Change(n); ref != "" && n != c.Number {
			from = append(from, ref)
		}
	}
	return from
}

// verdicts are the states of a review in our words. A dismissed one had another
// before, of which this delivery says nothing.
var verdicts = map[string]string{"approved": "approved", "changes_requested": "rejected", "commented": "commented", "dismissed": ""}

func (d *delivery) review() {
	pr, rev := d.body.At("pull_request"), d.body.At("review")
	key := rev.At("id").Name()
	if d.Review != nil {
		rev, key = d.Review(d.body)
	}
	asOf := event.Order(event.First(rev.At("updated_at"), pr.At("updated_at"), rev.At("submitted_at")).Moment(), event.Step(d.action, reviewSteps))
	number, state := pr.At("number").Count(), strings.ToLower(rev.At("state").Text(40))
	verdict, known := verdicts[state]
	switch {
	case key == "" || number == 0:
		d.Problem("review.id", "it or the number of the pull request is missing")
		return
	case !known:
		d.Problem("review.state", "%.40q is no verdict that is known", state)
	}
	d.State(review.Review{
		ID: review.Ref(d.Host, d.Name+"#"+strconv.Itoa(number)+"/"+key), Change: d.Change(number), Reviewer: d.account(rev.At("user")),
		Role: role(rev, d.action == "submitted"), Verdict: verdict, Head: change.ShaRef(rev.At("commit_id").Sha()),
		Submitted: rev.At("submitted_at").Moment(), Dismissed: d.action == "dismissed" || state == "dismissed",
		URL: rev.At("html_url").URL(), Method: "event",
	}, asOf)
	d.reviewed(pr, number)
}

// reviewed states the pull request that a review is of, if nothing else does: a review
// may be the first that is heard of it.
func (d *delivery) reviewed(pr event.Value, number int) {
	c := change.Change{
		Repository: d.Repository, Number: number, Title: pr.At("title").Title(), Platform: d.Forge.Platform, URL: pr.At("html_url").URL(),
		Target: pr.At("base", "ref").Name(), Opened: pr.At("created_at").Moment(), Author: d.account(pr.At("user")),
	}
	if c.Head = change.ShaRef(pr.At("head", "sha").Sha()); c.Head != "" {
		c.Heads = []stemma.Edge{{To: c.Head, Method: "head"}}
	}
	d.State(c, pr.At("updated_at").Moment())
}

// role is as what somebody took part, as the forge says it together with what they
// did. Later deliveries say what they are by then, which changes nothing.
func role(of event.Value, given bool) string {
	association := of.At("author_association").Text(40)
	if !given || association == "NONE" {
		return ""
	}
	return strings.ToLower(association)
}

func (d *delivery) reviewComment() {
	pr, comment := d.body.At("pull_request"), d.body.At("comment")
	id, number := comment.At("id").Name(), pr.At("number").Count()
	if id == "" || number == 0 {
		d.Problem("comment.id", "it or the number of the pull request is missing")
		return
	}
	asOf := event.Order(comment.At("updated_at").Moment(), event.Step(d.action, "created edited deleted"))
	d.State(review.Review{
		ID: review.Ref(d.Host, d.Name+"#"+strconv.Itoa(number)+"/comment-"+id), Change: d.Change(number), Reviewer: d.account(comment.At("user")),
		Role: role(comment, d.action == "created"), Verdict: "commented",
		Head:      change.ShaRef(event.First(comment.At("original_commit_id"), comment.At("commit_id")).Sha()),
		Submitted: comment.At("created_at").Moment(), Dismissed: d.action == "deleted", URL: comment.At("html_url").URL(),
		Comments: 1, Method: "event",
	}, asOf)
	d.reviewed(pr, number)
}

// queued is the name of a branch that a merge queue makes.
var queued = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^refs/heads/gh-readonly-queue/(.+)/pr-(\d{1,9})-[0-9a-f]{40,64}$`)
})

// mergeGroup ties the commit that a merge queue tries to the pull request that stands
// last in the group, as its branch says; of those before it nothing is told.
func (d *delivery) mergeGroup() {
	group := d.body.At("merge_group")
	m := queued().FindStringSubmatch(group.At("head_ref").Name())
	head := change.ShaRef(group.At("head_sha").Sha())
	if m == nil || head == "" {
		d.Problem("merge_group.head_ref", "it names no branch of a merge queue")
		return
	}
	n, _ := strconv.Atoi(m[2])
	c := change.Change{
		Repository: d.Repository, Number: n, Platform: d.Forge.Platform, Target: m[1],
		Heads: []stemma.Edge{{To: head, Method: "merge-group"}},
	}
	commit := group.At("head_commit")
	d.Commit(commitOf(commit, group.At("head_sha").Sha(), commit.At("tree_id").Sha()))
	if d.action == "checks_requested" {
		c.Queue = "queued"
	}
	if d.action == "destroyed" {
		c.Queue = "left"
		if d.body.At("reason").Text(40) == "merged" {
			c.Queue = "merged"
		}
	}
	// The group has no time of its own: its commit was made for it.
	d.State(c, event.Order(commit.At("timestamp").Moment(), event.Step(d.action, "checks_requested destroyed")))
}

func commitOf(c event.Value, sha, tree string) event.Commit {
	return event.Commit{
		SHA: sha, Tree: tree, Message: c.At("message").Long(),
		Author: c.At("author", "name").Name(), Mail: c.At("author", "email").Name(), Login: c.At("author", "username").Name(),
		Committer: c.At("committer", "name").Name(), CommitterAt: c.At("committer", "email").Name(),
	}
}

func (d *delivery) push() {
	repo := d.body.At("repository")
	name := d.body.At("ref").Name()
	p := change.Push{
		Repository: d.Repository, Name: name, Before: d.body.At("before").Sha(), After: d.body.At("after").Sha(),
		Count: d.body.At("commits").Len(), Pushed: repo.At("pushed_at").Moment(), By: d.sender(),
	}
	if d.body.At("forced").Has() {
		p.Forced = new(d.body.At("forced").Bool())
	}
	if main := repo.At("default_branch").Name(); main != "" {
		p.OnDefault = new(name == "refs/heads/"+main)
	}
	for c := range d.body.At("commits").Items() {
		d.Commit(commitOf(c, event.First(c.At("id"), c.At("sha")).Sha(), c.At("tree_id").Sha()))
		if ref := change.ShaRef(event.First(c.At("id"), c.At("sha")).Sha()); ref != "" {
			p.Brought = append(p.Brought, ref)
		}
	}
	if p.Ref() == "" {
		d.Problem("ref", "it, or what it pointed at, is missing")
		return
	}
	if p.Pushed == 0 {
		p.Pushed = d.body.At("head_commit", "timestamp").Moment()
	}
	at := p.Pushed
	if at == 0 { // nothing tells when
		at = d.at
	}
	d.State(p, at)
	d.tag(name, at)
}

// tag states the tag that a push moved, made or deleted.
func (d *delivery) tag(name string, at stemma.Moment) {
	tag, ok := strings.CutPrefix(name, "refs/tags/")
	if !ok {
		return
	}
	gone := d.body.At("deleted").Bool()
	head := d.body.At("head_commit", "id").Sha()
	rel := change.Release{Repository: d.Repository, Name: tag, Target: change.ShaRef(head), Deleted: &gone}
	if after := d.body.At("after").Sha(); after != "" && head != "" {
		if rel.Annotated = after != head; rel.Annotated {
			rel.TagObject = after
		}
	}
	d.State(rel, at, unsaid(gone, "annotated")...)
}

func unsaid(is bool, names ...string) []string {
	if is {
		return names
	}
	return nil
}
