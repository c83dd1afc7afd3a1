package bitbucket_test

import (
	"testing"

	"github.com/stemma-dev/stemma/ingest/event/bitbucket"
	"github.com/stemma-dev/stemma/ingest/event/eventtest"
)

func TestDeliveriesBecomeRecords(t *testing.T) {
	eventtest.Golden(t, bitbucket.Read, "testdata/deliveries.txtar")
}

var cloud = map[string]string{
	"pull-request-created.json": "pullrequest:created", "pull-request-updated.json": "pullrequest:updated", "pull-request-merged.json": "pullrequest:fulfilled",
	"pull-request-declined.json": "pullrequest:rejected", "pull-request-approved.json": "pullrequest:approved", "pull-request-approval-removed.json": "pullrequest:unapproved",
	"pull-request-comment-created.json": "pullrequest:comment_created", "pull-request-comment-updated.json": "pullrequest:comment_updated",
	"pull-request-comment-deleted.json": "pullrequest:comment_deleted", "repo-push.json": "repo:push", "repo-commit-status-created.json": "repo:commit_status_created",
	"repo-commit-status-updated.json": "repo:commit_status_updated",
}

func TestPublishedSamplesAreRead(t *testing.T) {
	for dir, want := range map[string][2]int{"testdata/bitbucket": {12, 6}, "testdata/bitbucket-server": {12, 6}} {
		var all eventtest.Tally
		for _, s := range eventtest.Samples(t, eventtest.Playground, dir) {
			all.Add(t, bitbucket.Read, cloud[s.File], s)
		}
		t.Logf("%s: read %d, with problems %d, skipped %d, refused %v", dir, all.Read, all.Problems, all.Skipped, all.Refused)
		if [2]int{all.Read, all.Skipped} != want || all.Problems != 0 || len(all.Refused) != 0 {
			t.Errorf("%s: %+v", dir, all)
		}
	}
}

func FuzzRead(f *testing.F) {
	eventtest.Fuzz(f, bitbucket.Read, []string{"pullrequest:created", "pullrequest:approved", "pullrequest:comment_created", "repo:push", "repo:commit_status_created", ""}, nil...)
}
