package evidencetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
)

// A ReadBom reads a bill of materials and the digests of what it is about.
type ReadBom func([]byte) (artifact.Bom, []string, error)

// Bom checks what holds of every reading of a bill of materials: it can be stated.
func Bom(tb testing.TB, b artifact.Bom, subjects []string) {
	tb.Helper()
	if b.Unresolved > b.Count || len(b.Components) > b.Count {
		tb.Errorf("%d components, of which %d are kept and %d unresolved", b.Count, len(b.Components), b.Unresolved)
	}
	for _, s := range subjects {
		if artifact.Ref(s) == "" {
			tb.Errorf("%q is no digest", s)
		}
	}
	Text(tb, b.Name, b.Serial, b.Tool, b.Version)
	b.ID = artifact.BomRef(stemma.Sum(nil))
	if _, err := b.Fact("test", stemma.GradeD); err != nil {
		tb.Errorf("%+v: %v", b, err)
	}
}

// BomSummary is a bill of materials in a few words, and its parts in a line each.
func BomSummary(b artifact.Bom, subjects []string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s %s %q by %q: %d, %d unresolved; of %v\n", b.Format, b.Version, b.Name, b.Tool, b.Count, b.Unresolved, subjects)
	for _, c := range b.Components {
		fmt.Fprintf(&out, "  %s %s %s %s\n", c.Name, c.Version, c.PURL, c.License)
	}
	return out.String()
}

// FuzzBom tries a reader of bills of materials with any input.
func FuzzBom(f *testing.F, read ReadBom, samples map[string][]byte) {
	for _, b := range samples {
		f.Add(b)
	}
	for _, text := range Hostile {
		if len(text) < 1000 {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		bom, subjects, err := read(b)
		if Fault(t, err) {
			Bom(t, bom, subjects)
		}
	})
}
