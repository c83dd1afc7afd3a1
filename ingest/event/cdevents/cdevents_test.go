package cdevents_test

import (
	"testing"

	"github.com/stemma-dev/stemma/ingest/event/cdevents"
	"github.com/stemma-dev/stemma/ingest/event/eventtest"
)

func TestDeliveriesBecomeRecords(t *testing.T) {
	eventtest.Golden(t, cdevents.Read, "testdata/deliveries.txtar")
}

func FuzzRead(f *testing.F) {
	eventtest.Fuzz(f, cdevents.Read, []string{""}, nil...)
}
