package linear_test

import (
	"testing"

	"github.com/stemma-dev/stemma/ingest/event/eventtest"
	"github.com/stemma-dev/stemma/ingest/event/linear"
)

func TestDeliveriesBecomeRecords(t *testing.T) {
	eventtest.Golden(t, linear.Read, "testdata/deliveries.txtar")
}

func FuzzRead(f *testing.F) {
	eventtest.Fuzz(f, linear.Read, []string{""}, nil...)
}
