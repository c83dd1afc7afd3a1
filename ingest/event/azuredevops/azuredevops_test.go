package azuredevops_test

import (
	"testing"

	"github.com/stemma-dev/stemma/ingest/event/azuredevops"
	"github.com/stemma-dev/stemma/ingest/event/eventtest"
)

func TestDeliveriesBecomeRecords(t *testing.T) {
	eventtest.Golden(t, azuredevops.Read, "testdata/deliveries.txtar")
}

func TestPublishedSamplesAreRead(t *testing.T) {
	var all eventtest.Tally
	for _, s := range eventtest.Samples(t, eventtest.Playground, "testdata/azuredevops") {
		all.Add(t, azuredevops.Read, "", s)
	}
	t.Logf("read %d, with problems %d, skipped %d, refused %v", all.Read, all.Problems, all.Skipped, all.Refused)
	if all.Read != 5 || all.Problems != 0 || len(all.Refused) != 0 {
		t.Errorf("%+v", all)
	}
}

func FuzzRead(f *testing.F) {
	eventtest.Fuzz(f, azuredevops.Read, []string{""}, nil...)
}
