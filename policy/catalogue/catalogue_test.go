package catalogue_test

import (
	"testing"

	"github.com/stemma-dev/stemma/policy/catalogue"
)

func TestEveryControlHoldsItsCases(t *testing.T) {
	list, err := catalogue.Controls()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		t.Run(c.ID, func(t *testing.T) {
			if err := c.Test(); err != nil {
				t.Error(err)
			}
		})
	}
}
