package gitlab_test

import (
	"strings"
	"testing"

	"github.com/stemma-dev/stemma/ingest/event/eventtest"
	"github.com/stemma-dev/stemma/ingest/event/gitlab"
)

func TestDeliveriesBecomeRecords(t *testing.T) {
	eventtest.Golden(t, gitlab.Read, "testdata/deliveries.txtar")
}

// The documents are those of a fast-forward, but for the hashes that other ways to merge
// tell.
func TestCommitThatAMergePutOnTheBranchIsFound(t *testing.T) {
	head, squash, merge := strings.Repeat("a", 40), strings.Repeat("b", 40), strings.Repeat("c", 40)
	for _, c := range []struct{ about, state, squash, merge, want string }{
		{"a fast-forward", "merged", "null", "null", head},
		{"a squash that was fast-forwarded", "merged", `"` + squash + `"`, "null", squash},
		{"a merge", "merged", "null", `"` + merge + `"`, merge},
		{"one that is open", "opened", "null", "null", ""},
	} {
		lines := eventtest.Lines(t, eventtest.Read(t, gitlab.Read, "", `{"object_kind":"merge_request","user":{"id":2,"username":"bo"},
			"project":{"web_url":"https://gitlab.example/acme/pay"},"object_attributes":{"iid":3,"state":"`+c.state+`","action":"merge","updated_at":"2026-03-01T12:00:00Z",
			"last_commit":{"id":"`+head+`"},"squash_commit_sha":`+c.squash+`,"merge_commit_sha":`+c.merge+`}}`))
		for _, sha := range []string{head, squash, merge} {
			if got := strings.Contains(lines, "carries -> commit:sha1/"+sha); got != (sha == c.want) {
				t.Errorf("%s carries %s: %t\n%s", c.about, sha, got, lines)
			}
		}
	}
}

func TestPublishedSamplesAreRead(t *testing.T) {
	for _, from := range []struct {
		module, dir             string
		read, skipped, problems int
	}{
		{eventtest.GitLab, "testdata/webhooks", 12, 19, 1},
		{eventtest.Playground, "testdata/gitlab", 14, 25, 0},
	} {
		var all eventtest.Tally
		for _, s := range eventtest.Samples(t, from.module, from.dir) {
			all.Add(t, gitlab.Read, "", s)
		}
		t.Logf("%s: read %d, with problems %d, skipped %d, refused %v", from.module, all.Read, all.Problems, all.Skipped, all.Refused)
		if all.Read != from.read || all.Skipped != from.skipped || all.Problems != from.problems || len(all.Refused) != 0 {
			t.Errorf("%s: %+v", from.module, all)
		}
	}
}

func FuzzRead(f *testing.F) {
	var seeds [][]byte
	for _, s := range eventtest.Samples(f, eventtest.Playground, "testdata/gitlab") {
		seeds = append(seeds, s.Body)
	}
	eventtest.Fuzz(f, gitlab.Read, []string{""}, seeds...)
}
