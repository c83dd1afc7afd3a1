package stemma

import "strings"

// A Grade says how good a piece of evidence is; A is best.
type Grade string

// The grades.
const (
	GradeA Grade = "A" // observed by the platform, or a platform's signature verified
	GradeB Grade = "B" // signed by a pipeline's own identity
	GradeC Grade = "C" // captured on a device by a hook
	GradeD Grade = "D" // declared or inferred
)

// Valid reports whether g is one of the four.
func (g Grade) Valid() bool { return g == GradeA || g == GradeB || g == GradeC || g == GradeD }

// Least returns the weaker of g and h: a chain is as good as its worst link.
func (g Grade) Least(h Grade) Grade { return max(g, h) }

// A Basis says how a line's origin is known.
type Basis string

// The bases. A recovered one carries its method: "recovered-patch-id".
const (
	BasisObservedHook   Basis = "observed-hook"
	BasisObservedEditor Basis = "observed-editor"
	BasisReplayed       Basis = "replayed-transcript"
	BasisImported       Basis = "imported"
	BasisDeclared       Basis = "declared"
	BasisRecovered      Basis = "recovered-" // followed by the method
	BasisUnknown        Basis = "unknown"
)

// Valid reports whether b is one of the bases.
func (b Basis) Valid() bool {
	switch b {
	case BasisObservedHook, BasisObservedEditor, BasisReplayed, BasisImported, BasisDeclared, BasisUnknown:
		return true
	}
	return strings.HasPrefix(string(b), string(BasisRecovered)) && len(b) > len(BasisRecovered)
}

// An Origin is who wrote a line, as far as evidence goes.
type Origin string

// The origins. Unknown is a value of its own: never shown as human, never
// counted as AI.
const (
	OriginAI      Origin = "ai"
	OriginHuman   Origin = "human"
	OriginUnknown Origin = "unknown"
)
