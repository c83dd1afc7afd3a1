package incidentio_test

import (
	"testing"

	"github.com/stemma-dev/stemma/ingest/event/eventtest"
	"github.com/stemma-dev/stemma/ingest/event/incidentio"
)

func TestDeliveriesBecomeRecords(t *testing.T) {
	eventtest.Golden(t, incidentio.Read, "testdata/deliveries.txtar")
}

func FuzzRead(f *testing.F) {
	eventtest.Fuzz(f, incidentio.Read, []string{""}, nil...)
}
