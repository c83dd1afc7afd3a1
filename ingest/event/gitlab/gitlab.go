// Package gitlab reads the webhooks and system hooks of GitLab.
//
// The body says what it is by its object_kind. GitLab binds an approval to the merge
// request and not to a commit, and a person has one; it is stated with the commit that
// the merge request showed when it was given. Pipelines and jobs are named by their
// ids, see [pipeline.AttemptRef]: a job that is tried again is another job.
package gitlab

import (
	"regexp"
	"strings"
	"sync"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/pipeline"
	"github.com/stemma-dev/stemma/review"
)

// system is the name of GitLab's pipelines in refs.
const system = "gitlab-ci"

// kinds are those that are read.
var kinds = map[string]func(*delivery){
	"push":          (*delivery).push,
	"tag_push":      (*delivery).push,
	"merge_request": (*delivery).mergeRequest,
	"note":          (*delivery).note,
	"issue":         (*delivery).issue,
	"work_item":     (*delivery).issue,
	"pipeline":      (*delivery).pipeline,
	"build":         (*delivery).job,
	"deployment":    (*delivery).deployment,
	"release":       (*delivery).release,
	"vulnerability": (*delivery).vulnerability,
}

// A delivery is one that is being read.
type delivery struct {
	*event.Forge
	body event.Value
	of   event.Value   // object_attributes, or the body where the kind has none
	at   stemma.Moment // when it was received
}

// Read reads one delivery.
func Read(d event.Delivery, who func(event.Account) stemma.Ref) (*event.Reading, error) {
	body, err := event.Parse(d.Body)
	if err != nil {
		return nil, err
	}
	kind := event.First(body.At("object_kind"), body.At("event_name")).Name()
	read, ok := kinds[kind]
	if !ok {
		return event.Skip("no room keeps what the event %.60q tells", kind), nil
	}
	of := body.At("object_attributes")
	if !of.Object() {
		of = body
	}
	r := event.New(who)
	project, repository := body.At("project"), body.At("repository")
	forge, ok := r.Forge(change.GitLab, project.At("web_url"), project.At("git_http_url"), repository.At("homepage"), repository.At("git_http_url"))
	if !ok {
		forge, ok = found(r, of.At("url"))
	}
	if !ok {
		return event.Skip("it is about no project"), nil
	}
	read(&delivery{Forge: forge, body: body, of: of, at: d.Received})
	return r, nil
}

// found finds the project in the address of something that is in it.
func found(r *event.Reading, address event.Value) (*event.Forge, bool) {
	project, _, ok := strings.Cut(address.URL(), "/-/")
	if !ok {
		return nil, false
	}
	return r.Forge(change.GitLab, event.Text(project))
}

// account is a user as bodies show it. An address that GitLab hides is none.
func (d *delivery) account(user event.Value) stemma.Ref {
	mail := user.At("email").Name()
	if !strings.Contains(mail, "@") {
		mail = ""
	}
	return d.Account(event.Account{
		Host: d.Host, ID: user.At("id").Name(), Login: user.At("username").Name(), Name: user.At("name").Name(), Mail: mail,
		Bot: bot(user.At("username").Name()),
	})
}

// byID is a user of whom only the id is told.
func (d *delivery) byID(id event.Value) stemma.Ref {
	if id.Int() == 0 {
		return ""
	}
	return d.Account(event.Account{Host: d.Host, ID: id.Name()})
}

// bot recognises the users that GitLab makes for access tokens of projects and groups:
// project_7_bot_5f2c.
func bot(username string) bool {
	return botName().MatchString(username)
}

var botName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:project|group)_\d+_bot(?:_[0-9a-f]+|\d*)$`) })

// mergeSteps is the order of what happens to a merge request within one second.
const mergeSteps = "open update approved unapproved close reopen merge"

func (d *delivery) mergeRequest() {
	action := d.of.At("action").Name()
	c := d.change(d.of)
	if c.Number == 0 {
		d.Problem("object_attributes.iid", "it is missing, so nobody can tell which merge request this is")
		return
	}
	asOf := event.Order(d.of.At("updated_at").Moment(), event.Step(action, mergeSteps))
	if action == "merge" {
		c.Merged, c.MergedBy = d.of.At("updated_at").Moment(), d.account(d.body.At("user"))
	}
	if action == "close" {
		c.Closed = d.of.At("updated_at").Moment()
	}
	if old := change.ShaRef(d.of.At("oldrev").Sha()); old != "" {
		c.Heads = stemma.AddEdge(c.Heads, stemma.Edge{To: old, Method: "head"})
	}
	d.State(c, asOf)
	switch action {
	case "approved", "approval":
		d.approval(c, false, asOf)
	case "unapproved", "unapproval":
		d.approval(c, true, asOf)
	}
}

// change is a merge request as far as its object tells.
func (d *delivery) change(mr event.Value) change.Change {
	c := change.Change{
		Repository: d.Repository, Number: mr.At("iid").Count(), Title: mr.At("title").Title(), Platform: d.Platform,
		Branch: mr.At("source_branch").Name(), Target: mr.At("target_branch").Name(), URL: mr.At("url").URL(),
		Opened: mr.At("created_at").Moment(), Author: d.byID(mr.At("author_id")), Head: change.ShaRef(mr.At("last_commit", "id").Sha()),
		CommitCount: mr.At("commits_count").Count(), // which what is fetched tells
	}
	from := mr.At("source", "path_with_namespace").Name()
	if source, target := mr.At("source_project_id").Int(), mr.At("target_project_id").Int(); from != "" && source != target {
		c.Branch = from + ":" + c.Branch
	}
	if c.Head != "" {
		c.Heads = []stemma.Edge{{To: c.Head, Method: "head"}}
	}
	switch mr.At("state").Text(20) {
	case "opened", "locked":
		c.State = "open"
	case "closed":
		c.State = "closed"
	case "merged":
		c.State = "merged"
		// Who was fast-forwarded was neither merged nor squashed: the head is on the branch.
		merged := event.First(mr.At("merge_commit_sha"), mr.At("squash_commit_sha"), mr.At("last_commit", "id"))
		if c.MergeCommit = change.ShaRef(merged.Sha()); c.MergeCommit != "" {
			c.Commits = []stemma.Ref{c.MergeCommit}
		}
	}
	c.Implements, c.Satisfies = d.Mentions(c.Title+"\n\n"+mr.At("description").Long(), mr.At("source_branch").Name(), 0)
	return c
}

// approval states what one person thinks of a merge request: there is one of each.
func (d *delivery) approval(c change.Change, withdrawn bool, asOf stemma.Moment) {
	user := d.body.At("user")
	key := event.First(user.At("id"), user.At("username")).Name()
	if key == "" {
		d.Problem("user.id", "it is missing, so nobody can tell whose approval this is")
		return
	}
	d.State(review.Review{
		ID: review.Ref(d.Host, d.Key(c.Ref(), "approval", key)), Change: c.Ref(), Reviewer: d.account(user),
		Verdict: "approved", Head: c.Head, Dismissed: withdrawn, Submitted: d.of.At("updated_at").Moment(), URL: c.URL, Method: "event",
	}, asOf)
}

// Key spells what belongs to a merge request.
func (d *delivery) Key(c stemma.Ref, parts ...string) string {
	_, name := c.Split()
	return name + "/" + strings.Join(parts, "/")
}

// note states a remark on a merge request; those that GitLab writes itself are none.
func (d *delivery) note() {
	mr := d.body.At("merge_request")
	if !mr.Object() || d.of.At("system").Bool() {
		d.Skipped = "it is no remark on a merge request"
		return
	}
	id, c := d.of.At("id").Name(), d.change(mr)
	if id == "" || c.Number == 0 {
		d.Problem("object_attributes.id", "it or the number of the merge request is missing")
		return
	}
	d.State(c, mr.At("updated_at").Moment())
	saw := change.ShaRef(event.First(d.of.At("position", "head_sha"), d.of.At("commit_id")).Sha())
	if saw == "" {
		saw = c.Head
	}
	d.State(review.Review{
		ID: review.Ref(d.Host, d.Key(c.Ref(), "note-"+id)), Change: c.Ref(), Reviewer: d.account(d.body.At("user")), Verdict: "commented",
		Head: saw, Submitted: d.of.At("created_at").Moment(), URL: d.of.At("url").URL(), Comments: 1, Method: "event",
	}, d.of.At("updated_at").Moment())
}

func (d *delivery) push() {
	name := d.body.At("ref").Name()
	commits := d.body.At("commits")
	p := change.Push{
		Repository: d.Repository, Name: name, Before: d.body.At("before").Sha(), After: d.body.At("after").Sha(),
		Count: d.body.At("total_commits_count").Count(),
		By: d.Account(event.Account{
			Host: d.Host, ID: d.body.At("user_id").Name(), Login: d.body.At("user_username").Name(), Name: d.body.At("user_name").Name(),
			Bot: bot(d.body.At("user_username").Name()),
		}),
	}
	if main := d.body.At("project", "default_branch").Name(); main != "" {
		p.OnDefault = new(name == "refs/heads/"+main)
	}
	for c := range commits.Items() {
		d.Commit(commitOf(c))
		if ref := change.ShaRef(c.At("id").Sha()); ref != "" {
			p.Brought = append(p.Brought, ref)
		}
		p.Pushed = max(p.Pushed, c.At("timestamp").Moment()) // it was not before: GitLab tells no more
	}
	if p.Ref() == "" {
		d.Problem("ref", "it, or what it pointed at, is missing")
		return
	}
	at := p.Pushed
	if at == 0 {
		at = d.body.At("pushed_at").Moment() // which what is fetched tells
	}
	if at == 0 { // nothing tells when
		at = d.at
	}
	d.State(p, at)
	d.tag(name, p, at)
}

// tag states the tag that a push made, moved or deleted.
func (d *delivery) tag(name string, p change.Push, at stemma.Moment) {
	tag, ok := strings.CutPrefix(name, "refs/tags/")
	if !ok {
		return
	}
	gone := p.After == ""
	rel := change.Release{Repository: d.Repository, Name: tag, Target: change.ShaRef(d.body.At("checkout_sha").Sha()), Deleted: &gone}
	d.State(rel, at, "annotated")
}

func commitOf(c event.Value) event.Commit {
	return event.Commit{
		SHA: c.At("id").Sha(), Message: c.At("message").Long(),
		Author: c.At("author", "name").Name(), Mail: c.At("author", "email").Name(),
	}
}

// issueSteps is the order of what happens to an issue within one second.
const issueSteps = "open update close reopen"

func (d *delivery) issue() {
	t := d.Ticket(d.of.At("iid").Int())
	if t.Ref() == "" {
		d.Problem("object_attributes.iid", "it is missing")
		return
	}
	action := d.of.At("action").Name()
	t.Title, t.URL, t.Type = d.of.At("title").Title(), d.of.At("url").URL(), d.of.At("type").Name()
	if t.State = d.of.At("state").Name(); t.State == "opened" {
		t.State = "open"
	}
	t.Opened, t.Closed, t.Reporter = d.of.At("created_at").Moment(), d.of.At("closed_at").Moment(), d.byID(d.of.At("author_id"))
	_, t.Refines = d.Mentions(t.Title+"\n\n"+d.of.At("description").Long(), "", 0)
	d.State(t, event.Order(d.of.At("updated_at").Moment(), event.Step(action, issueSteps)))
}

// vulnerability states what a scanner found in one place: one that is dealt with is a
// finding no more.
func (d *delivery) vulnerability() {
	id := d.of.At("id").Name()
	if id == "" {
		d.Problem("object_attributes.id", "it is missing")
		return
	}
	s := pipeline.Scan{
		ID:   pipeline.ScanRef("gitlab-vulnerabilities", d.Forge.Key(id)),
		Tool: d.of.At("report_type").Name(), State: d.of.At("state").Name(), URL: d.of.At("url").URL(), Occurred: d.of.At("created_at").Moment(),
	}
	for i := range d.of.At("identifiers").Items() {
		if s.Rule == "" {
			s.Rule = i.At("external_id").Name()
		}
	}
	if s.State == "detected" || s.State == "confirmed" {
		s.Findings = 1
		event.Severity(&s, d.of.At("severity").Text(20))
	}
	d.State(s, d.of.At("updated_at").Moment())
}
