package gitea_test

import (
	"slices"
	"testing"

	"github.com/stemma-dev/stemma/ingest/event/eventtest"
	"github.com/stemma-dev/stemma/ingest/event/gitea"
)

func TestDeliveriesBecomeRecords(t *testing.T) {
	eventtest.Golden(t, gitea.Read, "testdata/deliveries.txtar")
}

var published = map[string]string{
	"issue-assign-event.json": "issue_assign", "issue-label-event.json": "issue_label", "issue-milestone-event.json": "issue_milestone", "issues-event.json": "issues",
	"issue-comment-event.json": "issue_comment", "pull-request-assign-event.json": "pull_request_assign", "pull-request-comment-event.json": "issue_comment",
	"pull-request-event.json": "pull_request", "pull-request-label-event.json": "pull_request_label", "pull-request-milestone-event.json": "pull_request_milestone",
	"pull-request-review-event.json": "pull_request_comment", "push-event.json": "push", "release-event.json": "release", "repository-event.json": "repository",
}

func TestPublishedSamplesAreRead(t *testing.T) {
	var all eventtest.Tally
	for _, s := range eventtest.Samples(t, eventtest.Playground, "testdata/gitea") {
		all.Add(t, gitea.Read, published[s.File], s)
	}
	t.Logf("read %d, with problems %d, skipped %d, refused %v", all.Read, all.Problems, all.Skipped, all.Refused)
	if all.Read != 11 || all.Skipped != 6 || all.Problems != 0 || len(all.Refused) != 0 {
		t.Errorf("%+v", all)
	}
}

func FuzzRead(f *testing.F) {
	var seeds [][]byte
	for _, s := range eventtest.Samples(f, eventtest.Playground, "testdata/gitea") {
		seeds = append(seeds, s.Body)
	}
	events := []string{"pull_request", "pull_request_approved", "push", "issues", "release", "workflow_run", "workflow_job"}
	slices.Sort(events)
	eventtest.Fuzz(f, gitea.Read, events, seeds...)
}
