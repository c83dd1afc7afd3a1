// Package gitea reads the webhooks of Gitea and Forgejo, which speak like GitHub but
// for some words.
//
// A review comes as an event of its verdict, without an id and without the commit: it
// is named by who judged and by the head that the pull request had then, as their
// interface shows them.
package gitea

import (
	"encoding/json"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/ingest/event"
	"github.com/stemma-dev/stemma/ingest/event/github"
)

var dialect = github.Dialect{
	Platform: change.Gitea, Actions: "gitea-actions", Checks: "gitea-checks", Review: reviewOf, Mails: true,
}

// renamed are events under GitHub's names.
var renamed = map[string]string{
	"pull_request_sync": "pull_request", "pull_request_assign": "pull_request", "pull_request_label": "pull_request",
	"pull_request_milestone": "pull_request", "pull_request_review_request": "pull_request",
	"pull_request_approved": "pull_request_review", "pull_request_rejected": "pull_request_review", "pull_request_comment": "pull_request_review",
	"pull_request_review_approved": "pull_request_review", "pull_request_review_rejected": "pull_request_review",
	"pull_request_review_comment": "pull_request_review",
	"issue_assign":                "issues", "issue_label": "issues", "issue_milestone": "issues",
}

// ours are the events of Gitea that are read, under GitHub's names.
var ours = map[string]bool{
	"pull_request": true, "pull_request_review": true, "push": true, "issues": true, "release": true, "workflow_run": true, "workflow_job": true,
	"status": true, "branch_protection_rule": true,
}

// Read reads one delivery. One without a name for its event is told by its members.
func Read(d event.Delivery, who func(event.Account) stemma.Ref) (*event.Reading, error) {
	name := d.Event
	if to := renamed[name]; to != "" {
		name = to
	}
	body, err := event.Parse(d.Body)
	if err != nil {
		return nil, err
	}
	if name == "pull_request" && strings.HasPrefix(body.At("review", "type").Text(60), "pull_request") {
		name = "pull_request_review"
	}
	switch {
	case !ours[name]:
		return event.Skip("no room keeps what the event %.60q tells", d.Event), nil
	case name == "pull_request_review" && !body.At("review").Object():
		return event.Skip("it is no review of a pull request"), nil
	}
	d.Event = name
	return dialect.Read(d, who)
}

// verdicts are Gitea's words for that of a review, in GitHub's.
var verdicts = map[string]string{
	"pull_request_review_approved": "approved", "pull_request_approved": "approved",
	"pull_request_review_rejected": "changes_requested", "pull_request_rejected": "changes_requested",
	"pull_request_review_comment": "commented", "pull_request_comment": "commented",
}

// reviewOf makes of a delivery the review that GitHub would have told.
func reviewOf(body event.Value) (review event.Value, key string) {
	pr, sender := body.At("pull_request"), body.At("sender")
	head := event.First(body.At("commit_id"), pr.At("head", "sha")).Sha()
	user := event.First(sender.At("id"), sender.At("login")).Name()
	text, err := json.Marshal(map[string]any{
		"state": verdicts[body.At("review", "type").Text(60)], "commit_id": head,
		"submitted_at": pr.At("updated_at").Text(60), "html_url": pr.At("html_url").URL(),
		"user": map[string]any{
			"id": sender.At("id").Name(), "login": sender.At("login").Name(), "full_name": sender.At("full_name").Name(), "email": sender.At("email").Name(),
		},
	})
	if err != nil || head == "" || user == "" {
		return event.Value{}, ""
	}
	made, err := event.Parse(text)
	if err != nil {
		return event.Value{}, ""
	}
	return made, user + "@" + head
}
