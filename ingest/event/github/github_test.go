package github_test

import (
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/stemma-dev/stemma/ingest/event/eventtest"
	"github.com/stemma-dev/stemma/ingest/event/github"
)

func TestDeliveriesBecomeRecords(t *testing.T) {
	eventtest.Golden(t, github.Read, "testdata/deliveries.txtar")
}

// published are the events of which all samples must be read.
var published = []string{
	"branch_protection_rule", "check_run", "check_suite", "code_scanning_alert", "deployment", "deployment_status", "issues", "merge_group",
	"pull_request", "pull_request_review", "pull_request_review_comment", "push", "release", "status", "workflow_job", "workflow_run",
}

func TestPublishedSamplesAreRead(t *testing.T) {
	examples := eventtest.Octokit(t)
	var all, others eventtest.Tally
	for _, name := range slices.Sorted(maps.Keys(examples)) {
		tally := &others
		if slices.Contains(published, name) {
			tally = &all
		}
		for i, body := range examples[name] {
			tally.Add(t, github.Read, name, eventtest.Sample{File: name + " " + strconv.Itoa(i), Body: body})
		}
	}
	t.Logf("read %d, with problems %d, skipped %d, refused %v; of other events: read %d, skipped %d", all.Read, all.Problems, all.Skipped, all.Refused, others.Read, others.Skipped)
	if all.Read != 142 || all.Problems != 0 || all.Skipped != 1 || len(all.Refused) != 0 || others.Read != 4 || others.Skipped != 182 || others.Problems != 0 || len(others.Refused) != 0 {
		t.Errorf("read %+v, of other events %+v", all, others)
	}
}

var playground = map[string]string{
	"check-run.json": "check_run", "check-suite.json": "check_suite", "code_scanning_alert.json": "code_scanning_alert", "deployment.json": "deployment",
	"deployment-status.json": "deployment_status", "issues.json": "issues", "pull-request.json": "pull_request", "pull-request-review.json": "pull_request_review",
	"pull-request-review-comment.json": "pull_request_review_comment", "push.json": "push", "release.json": "release", "workflow_job.json": "workflow_job",
	"workflow_run.json": "workflow_run", "repository.json": "repository",
}

func TestSamplesOfPlaygroundAreRead(t *testing.T) {
	var all eventtest.Tally
	for _, s := range eventtest.Samples(t, eventtest.Playground, "testdata/github") {
		name, ok := playground[s.File]
		if !ok {
			name = "unknown"
		}
		all.Add(t, github.Read, name, s)
	}
	t.Logf("read %d, with problems %d, skipped %d, refused %v", all.Read, all.Problems, all.Skipped, all.Refused)
	if all.Read != 13 || all.Skipped != 35 || all.Problems != 0 || len(all.Refused) != 0 {
		t.Errorf("%+v", all)
	}
}

func FuzzRead(f *testing.F) {
	var seeds [][]byte
	for _, s := range eventtest.Samples(f, eventtest.Playground, "testdata/github") {
		seeds = append(seeds, s.Body)
	}
	eventtest.Fuzz(f, github.Read, append(published, "repository"), seeds...)
}
