// Package github reads the webhooks of GitHub and GitHub Enterprise, and those of the
// forges that speak like it.
//
// Each event is read by the function of its name. Its body always names the
// repository; what it tells is stated about things that a scan of the repository
// names in the same way: changes by number, commits by hash, releases by tag. Runs
// are named by their id and attempt, see [pipeline.AttemptRef]; a check run of GitHub
// Actions is a job and has its id.
package github

import (
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest/event"
)

// A Dialect is how a forge that speaks like GitHub differs from it.
type Dialect struct {
	Platform string // a word of package change
	Actions  string // the name of its pipelines in refs
	Checks   string // the name of what other programs check in refs
	// Review tells which review a delivery is of, where reviews have no id.
	Review func(body event.Value) (review event.Value, key string)
	// Mails says that accounts come with addresses.
	Mails bool
}

var itself = Dialect{Platform: change.GitHub, Actions: "github-actions", Checks: "github-checks"}

// events are those that are read.
var events = map[string]func(*delivery){
	"pull_request":                (*delivery).pullRequest,
	"pull_request_review":         (*delivery).review,
	"pull_request_review_comment": (*delivery).reviewComment,
	"push":                        (*delivery).push,
	"check_run":                   (*delivery).checkRun,
	"check_suite":                 (*delivery).checkSuite,
	"workflow_run":                (*delivery).workflowRun,
	"workflow_job":                (*delivery).workflowJob,
	"status":                      (*delivery).status,
	"deployment":                  (*delivery).deployment,
	"deployment_status":           (*delivery).deployment,
	"issues":                      (*delivery).issue,
	"release":                     (*delivery).release,
	"merge_group":                 (*delivery).mergeGroup,
	"code_scanning_alert":         (*delivery).codeScanningAlert,
	"branch_protection_rule":      (*delivery).branchProtectionRule,
	"repository":                  (*delivery).repository,
	"member":                      (*delivery).member,
}

// A delivery is one that is being read.
type delivery struct {
	Dialect
	*event.Forge
	body   event.Value
	action string
	at     stemma.Moment // when it was received
}

// Read reads one delivery of GitHub.
func Read(d event.Delivery, who func(event.Account) stemma.Ref) (*event.Reading, error) {
	return itself.Read(d, who)
}

// Read reads one delivery of a forge that speaks like GitHub.
func (x Dialect) Read(d event.Delivery, who func(event.Account) stemma.Ref) (*event.Reading, error) {
	body, err := event.Parse(d.Body)
	if err != nil {
		return nil, err
	}
	r := event.New(who)
	if d.Event == "membership" {
		return x.membership(body, d.Received, r), nil
	}
	read, ok := events[d.Event]
	if !ok {
		return event.Skip("no room keeps what the event %.60q tells", d.Event), nil
	}
	repo := body.At("repository")
	forge, ok := r.Forge(x.Platform, repo.At("html_url"), repo.At("clone_url"), repo.At("ssh_url"))
	if !ok {
		return event.Skip("it is about no repository"), nil
	}
	read(&delivery{Dialect: x, Forge: forge, body: body, action: body.At("action").Name(), at: d.Received})
	return r, nil
}

// account is a user as bodies show it.
func (d *delivery) account(user event.Value) stemma.Ref {
	a := event.Account{Host: d.Host, ID: user.At("id").Name(), Login: user.At("login").Name(), Bot: user.At("type").Text(20) == "Bot"}
	if d.Mails {
		a.Name, a.Mail = user.At("full_name").Name(), user.At("email").Name()
	}
	return d.Account(a)
}

// sender is whoever did what the delivery tells of.
func (d *delivery) sender() stemma.Ref { return d.account(d.body.At("sender")) }

// repository tells that a repository has got another name: both stay names of it.
func (d *delivery) repository() {
	from := d.body.At("changes")
	owner := event.First(from.At("owner", "from", "user", "login"), from.At("owner", "from", "organization", "login")).Name()
	short := from.At("repository", "name", "from").Name()
	nowOwner, nowShort, _ := strings.Cut(d.Name, "/")
	if owner == "" && short == "" || strings.ContainsAny(owner+short, "/") {
		d.Skipped = "it tells nothing about the name of the repository"
		return
	}
	old := change.RepositoryRef(d.Host, or(owner, nowOwner)+"/"+or(short, nowShort))
	d.State(change.Repository{ID: old, Aliases: []stemma.Edge{{To: d.Repository, Method: "renamed"}}},
		d.body.At("repository", "updated_at").Moment(), "shallow", "partial", "bare")
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
