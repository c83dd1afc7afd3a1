package pagerduty_test

import (
	"testing"

	"github.com/stemma-dev/stemma/ingest/event/eventtest"
	"github.com/stemma-dev/stemma/ingest/event/pagerduty"
)

func TestDeliveriesBecomeRecords(t *testing.T) {
	eventtest.Golden(t, pagerduty.Read, "testdata/deliveries.txtar")
}

func FuzzRead(f *testing.F) {
	eventtest.Fuzz(f, pagerduty.Read, []string{""}, nil...)
}
