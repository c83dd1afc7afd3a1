package shape_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/graph/shape"
)

func ref(n int) stemma.Ref { return stemma.Ref(fmt.Sprintf("person:%02d", n)) }

func TestWhatAPersonKeepsApartIsJoinedByNoEvidence(t *testing.T) {
	bond := func(one, other int, grade stemma.Grade) shape.Bond {
		return shape.Bond{One: ref(one), Other: ref(other), Grade: grade}
	}
	apart := shape.Bond{One: ref(1), Other: ref(3), Apart: true, Firm: true, Grade: stemma.GradeD}
	firm := shape.Bond{One: ref(2), Other: ref(3), Firm: true, Grade: stemma.GradeD}
	for _, c := range []struct {
		name  string
		bonds []shape.Bond
		want  map[stemma.Ref]stemma.Ref
	}{
		{"evidence joins, also by a third", []shape.Bond{bond(1, 2, "A"), bond(2, 3, "D")}, map[stemma.Ref]stemma.Ref{ref(1): ref(1), ref(2): ref(1), ref(3): ref(1)}},
		{"of two ways the worse is left out", []shape.Bond{bond(1, 2, "D"), bond(2, 3, "A"), apart}, map[stemma.Ref]stemma.Ref{ref(2): ref(2), ref(3): ref(2)}},
		{"what a person joins goes first", []shape.Bond{bond(1, 2, "A"), firm, apart}, map[stemma.Ref]stemma.Ref{ref(2): ref(2), ref(3): ref(2)}},
		{"what is only apart is alone", []shape.Bond{apart}, map[stemma.Ref]stemma.Ref{}},
	} {
		if diff := cmp.Diff(c.want, shape.Join(c.bonds)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestWhatIsOneDoesNotDependOnTheOrderOfBonds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var bonds []shape.Bond
		for range 2 + r.IntN(30) {
			bonds = append(bonds, shape.Bond{
				One: ref(r.IntN(12)), Other: ref(r.IntN(12)), Apart: r.IntN(4) == 0, Firm: r.IntN(4) == 0,
				Grade: []stemma.Grade{"A", "B", "C", "D"}[r.IntN(4)],
			})
		}
		want := shape.Join(bonds)
		for _, b := range bonds {
			one, known := want[b.One]
			if other, also := want[b.Other]; b.Apart && b.One != b.Other && known && also && one == other {
				t.Fatalf("%v: %s and %s are one although they are kept apart", bonds, b.One, b.Other)
			}
		}
		r.Shuffle(len(bonds), func(i, j int) { bonds[i], bonds[j] = bonds[j], bonds[i] })
		if diff := cmp.Diff(want, shape.Join(bonds)); diff != "" {
			t.Fatalf("%v in another order (-want +got):\n%s", bonds, diff)
		}
	}
}
