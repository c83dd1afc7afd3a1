package buildkite_test

import (
	"testing"

	"github.com/stemma-dev/stemma/ingest/event/buildkite"
	"github.com/stemma-dev/stemma/ingest/event/eventtest"
)

func TestDeliveriesBecomeRecords(t *testing.T) {
	eventtest.Golden(t, buildkite.Read, "testdata/deliveries.txtar")
}

func FuzzRead(f *testing.F) {
	eventtest.Fuzz(f, buildkite.Read, []string{""}, nil...)
}
