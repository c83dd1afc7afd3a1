package figure

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/dashboard/reading"
	"github.com/stemma-dev/stemma/dashboard/verdicts"
	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/catalogue"
	"github.com/stemma-dev/stemma/policy/tally"
)

// A Book is what pages about controls are made of: how changes stand, and what controls and
// frameworks say. It may be used concurrently.
type Book struct {
	Verdicts *verdicts.Reader
	Now      func() time.Time
	names    *reading.Reader
	controls map[string]*policy.Control
	packs    []*policy.Pack // by their ids
	policy   policy.Policy
}

// NewBook makes the book of what readers read. The set is what changes are judged by; nil if
// that is only known from the verdicts.
func NewBook(v *verdicts.Reader, names *reading.Reader, set *policy.Set, now func() time.Time) (*Book, error) {
	controls, err := catalogue.Controls()
	if err != nil {
		return nil, err
	}
	packs, err := catalogue.Packs()
	if err != nil {
		return nil, err
	}
	b := &Book{Verdicts: v, Now: now, names: names, controls: map[string]*policy.Control{}}
	byID := map[string]*policy.Pack{}
	if set != nil {
		b.policy = set.Policy
		controls, packs = slices.Concat(controls, set.Controls), slices.Concat(packs, set.Packs)
	}
	for _, c := range controls {
		b.controls[c.ID] = c
	}
	for _, k := range packs {
		byID[k.ID] = k
	}
	for _, k := range byID {
		b.packs = append(b.packs, k)
	}
	slices.SortFunc(b.packs, func(x, y *policy.Pack) int { return strings.Compare(x.ID, y.ID) })
	return b, nil
}

// Pack finds a framework; without it the error is stemma.ErrNotFound.
func (b *Book) Pack(id string) (*policy.Pack, error) {
	i := slices.IndexFunc(b.packs, func(k *policy.Pack) bool { return k.ID == id })
	if i < 0 {
		return nil, stemma.ErrNotFound
	}
	return b.packs[i], nil
}

// Packs are all, by their ids.
func (b *Book) Packs() []*policy.Pack { return b.packs }

// Frameworks are the packs that have requirements.
func (b *Book) Frameworks() []*policy.Pack {
	return slices.DeleteFunc(slices.Clone(b.packs), func(k *policy.Pack) bool { return len(k.Requirements) == 0 })
}

// Says is a control; nil if only its name is known here.
func (b *Book) Says(control string) *policy.Control { return b.controls[control] }

// Title is what a control says, as far as that is known here.
func (b *Book) Title(control string) string {
	if c := b.controls[control]; c != nil {
		return c.Title
	}
	return ""
}

// Severity is how grave it is if a control fails, as far as that is known here.
func (b *Book) Severity(control string) string {
	if c := b.controls[control]; c != nil {
		return string(c.Severity)
	}
	return ""
}

// Called gives the names of things.
func (b *Book) Called(ctx context.Context, refs ...stemma.Ref) (map[stemma.Ref]string, error) {
	return b.names.Names(ctx, refs...)
}

// ByControl are the counts of each control.
func ByControl(board tally.Board) map[string]tally.Count {
	counted := map[string]tally.Count{}
	for at, c := range board.Cells {
		counted[at.Control] = counted[at.Control].Plus(c)
	}
	return counted
}

// SumOf adds up the counts of some controls.
func SumOf(counted map[string]tally.Count, controls []string) (sum tally.Count) {
	for _, id := range controls {
		sum = sum.Plus(counted[id])
	}
	return sum
}

// PopulationControls say whether the record has everything that it should.
var PopulationControls = []string{"POP-01", "CAP-03", "CAP-08", "DEP-02", "INT-01", "INT-03"}
