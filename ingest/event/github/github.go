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

// Names of systems in refs.
const (
	actions = "github-actions"
	checks  = "github-checks"
)

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
	"deployment":                  (*delivery).deployment,
	"deployment_status":           (*delivery).deployment,
	"issues":                      (*delivery).issue,
	"release":                     (*delivery).release,
	"merge_group":                 (*delivery).mergeGroup,
	"code_scanning_alert":         (*delivery).codeScanningAlert,
	"branch_protection_rule":      (*delivery).branchProtectionRule,
	"repository":                  (*delivery).repository,
}

// A delivery is one that is being read.
type delivery struct {
	*event.Forge
	body   event.Value
	action string
}

// Read reads one delivery.
func Read(d event.Delivery, who func(event.Account) stemma.Ref) (*event.Reading, error) {
	body, err := event.Parse(d.Body)
	if err != nil {
		return nil, err
	}
	read, ok := events[d.Event]
	if !ok {
		return event.Skip("no room keeps what the event %.60q tells", d.Event), nil
	}
	r := event.New(who)
	repo := body.At("repository")
	forge, ok := r.Forge(change.GitHub, repo.At("html_url"), repo.At("clone_url"), repo.At("ssh_url"))
	if !ok {
		return event.Skip("it is about no repository"), nil
	}
	read(&delivery{Forge: forge, body: body, action: body.At("action").Name()})
	return r, nil
}

// account is a user as bodies show it.
func (d *delivery) account(user event.Value) stemma.Ref {
	return d.Account(event.Account{
		Host: d.Host, ID: user.At("id").Name(), Login: user.At("login").Name(),
		Bot: user.At("type").Text(20) == "Bot",
	})
}

// sender is whoever did what the delivery tells of.
func (d *delivery) sender() stemma.Ref { return d.account(d.body.At("sender")) }

// step is the place of a word in a list that begins with what comes first; a word
// that is not in it comes before all.
func step(word string, order string) int {
	for i, w := range strings.Fields(order) {
		if w == word {
			return i + 1
		}
	}
	return 0
}

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
