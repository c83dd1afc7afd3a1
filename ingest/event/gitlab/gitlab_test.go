package gitlab_test

import (
	"testing"

	"github.com/stemma-dev/stemma/ingest/event/eventtest"
	"github.com/stemma-dev/stemma/ingest/event/gitlab"
)

func TestDeliveriesBecomeRecords(t *testing.T) {
	eventtest.Golden(t, gitlab.Read, "testdata/deliveries.txtar")
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
