package argocd_test

import (
	"testing"

	"github.com/stemma-dev/stemma/ingest/event/argocd"
	"github.com/stemma-dev/stemma/ingest/event/eventtest"
)

func TestDeliveriesBecomeRecords(t *testing.T) {
	eventtest.Golden(t, argocd.Read, "testdata/deliveries.txtar")
}

func FuzzRead(f *testing.F) {
	eventtest.Fuzz(f, argocd.Read, []string{""}, nil...)
}
