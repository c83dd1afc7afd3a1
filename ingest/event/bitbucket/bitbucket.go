// Package bitbucket reads the webhooks of Bitbucket Cloud and of Bitbucket Data Center,
// which tell the same in different words.
//
// An approval belongs to a person and a pull request: there is one of each. Cloud
// shortens the hashes of commits in pull requests; a shortened hash names nothing, so
// there a pull request has no head and no merge commit until a scan or a comparison
// with the forge tells them.
package bitbucket

import (
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/review"
)

// A delivery is one that is being read.
type delivery struct {
	*event.Forge
	body  event.Value
	event string
	at    stemma.Moment // when it was received
}

// events are those that are read, of both.
var events = map[string]func(*delivery){
	"pullrequest:created": (*delivery).cloudPull, "pullrequest:updated": (*delivery).cloudPull, "pullrequest:fulfilled": (*delivery).cloudPull,
	"pullrequest:rejected": (*delivery).cloudPull, "pullrequest:approved": (*delivery).cloudReview, "pullrequest:unapproved": (*delivery).cloudReview,
	"pullrequest:changes_request_created": (*delivery).cloudReview, "pullrequest:changes_request_removed": (*delivery).cloudReview,
	"pullrequest:comment_created": (*delivery).cloudComment, "pullrequest:comment_updated": (*delivery).cloudComment,
	"pullrequest:comment_deleted": (*delivery).cloudComment, "repo:push": (*delivery).cloudPush,
	"repo:commit_status_created": (*delivery).cloudStatus, "repo:commit_status_updated": (*delivery).cloudStatus,

	"pr:opened": (*delivery).pull, "pr:modified": (*delivery).pull, "pr:from_ref_updated": (*delivery).pull, "pr:merged": (*delivery).pull,
	"pr:declined": (*delivery).pull, "pr:deleted": (*delivery).pull, "pr:reviewer:approved": (*delivery).review,
	"pr:reviewer:unapproved": (*delivery).review, "pr:reviewer:needs_work": (*delivery).review, "pr:comment:added": (*delivery).comment,
	"pr:comment:edited": (*delivery).comment, "pr:comment:deleted": (*delivery).comment, "repo:refs_changed": (*delivery).push,
}

// Read reads one delivery.
func Read(d event.Delivery, who func(event.Account) stemma.Ref) (*event.Reading, error) {
	body, err := event.Parse(d.Body)
	if err != nil {
		return nil, err
	}
	name := d.Event
	if key := body.At("eventKey").Name(); key != "" {
		name = key
	}
	read, ok := events[name]
	if !ok {
		return event.Skip("no room keeps what the event %.60q tells", name), nil
	}
	r := event.New(who)
	var forge *event.Forge
	if body.At("eventKey").Has() {
		forge, ok = dataCenter(r, event.First(body.At("repository"), body.At("pullRequest", "toRef", "repository")))
	} else {
		forge, ok = r.Forge(change.BitbucketCloud, body.At("repository", "links", "html", "href"))
	}
	if !ok {
		return event.Skip("it is about no repository"), nil
	}
	read(&delivery{forge, body, name, d.Received})
	return r, nil
}

// dataCenter finds a repository of a Data Center. Its addresses differ: over SSH the
// path is PROJECT/NAME, over HTTP scm/PROJECT/NAME. The first is its name, the other
// one that it goes by.
func dataCenter(r *event.Reading, repo event.Value) (*event.Forge, bool) {
	links := map[string]event.Value{}
	for l := range repo.At("links", "clone").Items() {
		links[l.At("name").Text(10)] = l.At("href")
	}
	self := ""
	for l := range repo.At("links", "self").Items() {
		self = l.At("href").URL()
	}
	host, _, _ := change.ParseRemote(self)
	if ssh, _, _ := change.ParseRemote(links["ssh"].Text(event.MaxURL)); host == "" {
		host = ssh
	}
	project, slug := repo.At("project", "key").Name(), repo.At("slug").Name()
	if host == "" || project == "" || slug == "" || strings.Contains(project+slug, "/") {
		return nil, false
	}
	name := strings.ToLower(project) + "/" + slug
	f, ok := r.Forge(change.BitbucketServer, event.Text("https://"+host+"/"+name))
	if ok {
		r.State(change.Repository{
			ID: f.Repository, Aliases: []stemma.Edge{{To: change.RepositoryRef(host, "scm/"+name), Method: "clone-address"}},
		}, 0, "shallow", "partial", "bare")
	}
	return f, ok
}

func (d *delivery) cloudAccount(user event.Value) stemma.Ref {
	return d.Account(event.Account{
		Host: d.Host, ID: strings.Trim(user.At("uuid").Name(), "{}"), Login: user.At("nickname").Name(), Name: user.At("display_name").Name(),
		Bot: user.At("type").Text(20) == "app_user",
	})
}

func (d *delivery) account(user event.Value) stemma.Ref {
	return d.Account(event.Account{
		Host: d.Host, ID: user.At("id").Name(), Login: user.At("name").Name(), Name: user.At("displayName").Name(),
		Mail: user.At("emailAddress").Name(), Bot: user.At("type").Text(20) == "SERVICE",
	})
}

// steps is the order of what happens to a pull request at one time.
const steps = "pullrequest:created pr:opened pullrequest:updated pr:modified pr:from_ref_updated pullrequest:rejected pr:declined pr:deleted pullrequest:fulfilled pr:merged"

// stated states a pull request, if it has a number.
func (d *delivery) stated(c change.Change, asOf stemma.Moment) bool {
	if c.Number == 0 {
		d.Problem("pullrequest.id", "it is missing, so nobody can tell which pull request this is")
		return false
	}
	if c.Head != "" {
		c.Heads = append(c.Heads, stemma.Edge{To: c.Head, Method: "head"})
	}
	if c.MergeCommit != "" {
		c.Commits = []stemma.Ref{c.MergeCommit}
	}
	d.State(c, event.Order(asOf, event.Step(d.event, steps)))
	return true
}

func (d *delivery) cloudChange() (change.Change, stemma.Moment) {
	pr := d.body.At("pullrequest")
	source := pr.At("source")
	c := change.Change{
		Repository: d.Repository, Number: pr.At("id").Count(), Title: pr.At("title").Title(), Platform: d.Platform,
		Branch: source.At("branch", "name").Name(), Target: pr.At("destination", "branch", "name").Name(), URL: pr.At("links", "html", "href").URL(),
		Opened: pr.At("created_on").Moment(), Author: d.cloudAccount(pr.At("author")), Head: change.ShaRef(source.At("commit", "hash").Sha()),
	}
	if from := source.At("repository", "full_name").Name(); from != "" && !strings.EqualFold(from, d.body.At("repository", "full_name").Name()) {
		c.Branch = from + ":" + c.Branch
	}
	closed := event.First(pr.At("closed_on"), pr.At("updated_on")).Moment()
	switch pr.At("state").Text(20) {
	case "OPEN":
		c.State = "open"
	case "MERGED":
		c.State, c.Merged, c.MergedBy = "merged", closed, d.cloudAccount(pr.At("closed_by"))
		c.MergeCommit = change.ShaRef(pr.At("merge_commit", "hash").Sha())
	case "DECLINED", "SUPERSEDED":
		c.State, c.Closed = "closed", closed
	}
	c.Implements, c.Satisfies = d.Mentions(c.Title+"\n\n"+pr.At("description").Long(), source.At("branch", "name").Name(), c.Number)
	return c, pr.At("updated_on").Moment()
}

func (d *delivery) cloudPull() {
	c, asOf := d.cloudChange()
	d.stated(c, asOf)
}

// cloudReview states what one person thinks of a pull request.
func (d *delivery) cloudReview() {
	c, asOf := d.cloudChange()
	if !d.stated(c, asOf) {
		return
	}
	told := event.First(d.body.At("approval"), d.body.At("changes_request"))
	user := event.First(told.At("user"), d.body.At("actor"))
	verdict := "approved"
	if strings.Contains(d.event, "changes_request") {
		verdict = "rejected"
	}
	when := event.First(told.At("date"), d.body.At("pullrequest", "updated_on")).Moment()
	d.judged(c, d.cloudAccount(user), event.First(user.At("uuid"), user.At("nickname")).Name(), verdict,
		strings.HasSuffix(d.event, "unapproved") || strings.HasSuffix(d.event, "removed"), c.Head, when)
}

// judged states a review; key names the person within the pull request.
func (d *delivery) judged(c change.Change, by stemma.Ref, key, verdict string, withdrawn bool, saw stemma.Ref, at stemma.Moment) {
	if key == "" {
		d.Problem("user", "it is missing, so nobody can tell whose verdict this is")
		return
	}
	step := 0
	if withdrawn {
		step = 1
	}
	d.State(review.Review{
		ID: review.Ref(d.Host, d.Name+"#"+strconv.Itoa(c.Number)+"/"+strings.Trim(key, "{}")), Change: c.Ref(), Reviewer: by, Verdict: verdict,
		Dismissed: withdrawn, Head: saw, Submitted: at, URL: c.URL, Method: "event",
	}, event.Order(at, step))
}

// remark states a comment on a pull request.
func (d *delivery) remark(c change.Change, by stemma.Ref, comment event.Value, created, updated stemma.Moment, gone bool) {
	id := comment.At("id").Name()
	if id == "" {
		d.Problem("comment.id", "it is missing")
		return
	}
	step := 0
	if gone {
		step = 1
	}
	d.State(review.Review{
		ID: review.Ref(d.Host, d.Name+"#"+strconv.Itoa(c.Number)+"/comment-"+id), Change: c.Ref(), Reviewer: by, Verdict: "commented", Dismissed: gone,
		Head: c.Head, Submitted: created, URL: comment.At("links", "html", "href").URL(), Comments: 1, Method: "event",
	}, event.Order(updated, step))
}

func (d *delivery) cloudComment() {
	c, asOf := d.cloudChange()
	if d.stated(c, asOf) {
		comment := d.body.At("comment")
		d.remark(c, d.cloudAccount(event.First(comment.At("user"), d.body.At("actor"))), comment, comment.At("created_on").Moment(),
			event.First(comment.At("updated_on"), comment.At("created_on")).Moment(), strings.HasSuffix(d.event, "deleted"))
	}
}

func (d *delivery) change() (change.Change, stemma.Moment) {
	pr := d.body.At("pullRequest")
	from := pr.At("fromRef")
	c := change.Change{
		Repository: d.Repository, Number: pr.At("id").Count(), Title: pr.At("title").Title(), Platform: d.Platform,
		Branch: from.At("displayId").Name(), Target: pr.At("toRef", "displayId").Name(), Opened: pr.At("createdDate").Moment(),
		Author: d.account(pr.At("author", "user")), Head: change.ShaRef(from.At("latestCommit").Sha()),
	}
	for l := range pr.At("links", "self").Items() {
		c.URL = l.At("href").URL()
	}
	if a, b := from.At("repository", "id").Int(), pr.At("toRef", "repository", "id").Int(); a != b {
		c.Branch = from.At("repository", "project", "key").Name() + "/" + from.At("repository", "slug").Name() + ":" + c.Branch
	}
	switch pr.At("state").Text(20) {
	case "OPEN":
		c.State = "open"
	case "MERGED":
		c.State, c.Merged, c.MergeCommit = "merged", pr.At("closedDate").Moment(), change.ShaRef(pr.At("properties", "mergeCommit", "id").Sha())
		if d.event == "pr:merged" {
			c.MergedBy = d.account(d.body.At("actor"))
		}
	case "DECLINED":
		c.State, c.Closed = "closed", pr.At("closedDate").Moment()
	}
	if before := change.ShaRef(d.body.At("previousFromHash").Sha()); before != "" {
		c.Heads = []stemma.Edge{{To: before, Method: "head"}}
	}
	c.Implements, c.Satisfies = d.Mentions(c.Title+"\n\n"+pr.At("description").Long(), from.At("displayId").Name(), c.Number)
	return c, max(pr.At("updatedDate").Moment(), d.body.At("date").Moment())
}

func (d *delivery) pull() {
	c, asOf := d.change()
	d.stated(c, asOf)
}

func (d *delivery) review() {
	c, asOf := d.change()
	if !d.stated(c, asOf) {
		return
	}
	p := d.body.At("participant")
	verdict := "approved"
	if d.event == "pr:reviewer:needs_work" {
		verdict = "rejected"
	}
	saw := change.ShaRef(p.At("lastReviewedCommit").Sha())
	if saw == "" {
		saw = c.Head
	}
	d.judged(c, d.account(p.At("user")), event.First(p.At("user", "id"), p.At("user", "name")).Name(), verdict,
		d.event == "pr:reviewer:unapproved", saw, d.body.At("date").Moment())
}

func (d *delivery) comment() {
	c, asOf := d.change()
	if d.stated(c, asOf) {
		comment := d.body.At("comment")
		d.remark(c, d.account(comment.At("author")), comment, comment.At("createdDate").Moment(),
			event.First(comment.At("updatedDate"), d.body.At("date")).Moment(), d.event == "pr:comment:deleted")
	}
}
