// Package lineage is where the rooms meet: the list of them, the doors between
// them, and the walk from any thing to what it rests on and what rests on it.
//
// A [Trace] follows the causal doors from a start, up from an incident to
// requirements or down from a requirement to incidents, and says of every node
// and edge which evidence it rests on and how good that is, and of every stage
// on the way whether anything was found. A [Path] is the shortest way between
// two things. [Find] understands what a person types.
//
// The package keeps nothing: it reads the graph, never writes, reads no clock.
package lineage

import (
	"slices"
	"sync"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/attribution"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/graph/shape"
	"github.com/stemma-dev/stemma/identity"
	"github.com/stemma-dev/stemma/incident"
	"github.com/stemma-dev/stemma/intent"
	"github.com/stemma-dev/stemma/pipeline"
	"github.com/stemma-dev/stemma/review"
	"github.com/stemma-dev/stemma/session"
)

// Rooms are all rooms, in the order in which work passes through them. A new
// room is one line here.
var Rooms = []stemma.Room{
	identity.Room,
	intent.Room,
	session.Room,
	attribution.Room,
	change.Room,
	review.Room,
	pipeline.Room,
	artifact.Room,
	deployment.Room,
	incident.Room,
	governance.Room,
}

// Specs returns the shapes of all kinds: those of the rooms and the gap, which
// belongs to none.
func Specs() []stemma.KindSpec {
	var specs []stemma.KindSpec
	for _, r := range Rooms {
		specs = append(specs, r.Kinds...)
	}
	return append(specs, stemma.GapSpec)
}

// Spec returns the shape of one kind.
func Spec(kind stemma.Kind) (stemma.KindSpec, bool) {
	specs := Specs()
	i := slices.IndexFunc(specs, func(s stemma.KindSpec) bool { return s.Kind == kind })
	if i < 0 {
		return stemma.KindSpec{}, false
	}
	return specs[i], true
}

// checker is made once; it is immutable.
var checker = sync.OnceValues(func() (*shape.Checker, error) { return shape.NewChecker(Specs()) })

// Check returns an *InvalidError if no room declares what f says: its kind, an
// attribute or list of it, one of its doors or where that door leads, or if a
// value does not fit its column. It may be called concurrently.
func Check(f stemma.Fact) error {
	c, err := checker()
	if err != nil {
		return err
	}
	return c.Check(f)
}
