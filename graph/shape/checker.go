package shape

import (
	"encoding/json"
	"strings"

	"github.com/stemma-dev/stemma"
)

// A Checker tells beforehand what has no place in a graph. It may be used
// concurrently.
type Checker struct{ shape *Shape }

// NewChecker returns the Checker of a graph of those specs.
func NewChecker(specs []stemma.KindSpec) (*Checker, error) {
	s, err := New(specs)
	if err != nil {
		return nil, err
	}
	return &Checker{s}, nil
}

// Check returns an *InvalidError if the graph has no place for some part of f:
// an undeclared kind, attribute, list or door, a door to a kind it may not lead
// to, a value that its column cannot hold. The graph would leave that part out and
// say so in the same words in graph_skip.
func (c *Checker) Check(f stemma.Fact) error {
	if len(f.Attrs) > 0 && !json.Valid(f.Attrs) {
		return &stemma.InvalidError{Ref: f.Subject, Field: "attributes", Why: "not valid JSON"}
	}
	b := NewBatch(c.shape)
	b.Add(0, f)
	if len(b.Skips) == 0 {
		return nil
	}
	field, why, _ := strings.Cut(b.Skips[0].Reason, ": ")
	return &stemma.InvalidError{Ref: f.Subject, Field: field, Why: why}
}
