package jenkins_test

import (
	"testing"

	"github.com/stemma-dev/stemma/ingest/event/eventtest"
	"github.com/stemma-dev/stemma/ingest/event/jenkins"
)

func TestDeliveriesBecomeRecords(t *testing.T) {
	eventtest.Golden(t, jenkins.Read, "testdata/deliveries.txtar")
}

func FuzzRead(f *testing.F) {
	eventtest.Fuzz(f, jenkins.Read, []string{""}, nil...)
}
