package jira_test

import (
	"testing"

	"github.com/stemma-dev/stemma/ingest/event/eventtest"
	"github.com/stemma-dev/stemma/ingest/event/jira"
)

func TestDeliveriesBecomeRecords(t *testing.T) {
	eventtest.Golden(t, jira.Read, "testdata/deliveries.txtar")
}

func FuzzRead(f *testing.F) {
	eventtest.Fuzz(f, jira.Read, []string{""}, nil...)
}
