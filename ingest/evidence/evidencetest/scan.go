package evidencetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/pipeline"
)

// Scans checks what holds of every reading of a scanner's report: it can be stated, and
// its counts do not exceed each other.
func Scans(tb testing.TB, scans []pipeline.Scan) {
	tb.Helper()
	for _, s := range scans {
		if sum := s.Critical + s.High + s.Medium + s.Low; sum > s.Findings || len(s.Found) > s.Findings {
			tb.Errorf("%d findings, of which %d have a word and %d are kept", s.Findings, sum, len(s.Found))
		}
		Text(tb, s.Tool, s.Version, s.Target)
		for _, f := range s.Found {
			Text(tb, f.Rule, f.Path, f.Package, f.Version, f.FixedIn)
		}
		s.ID = pipeline.ScanRef("test", "1")
		if _, err := s.Fact("test", stemma.GradeD); err != nil {
			tb.Errorf("%+v: %v", s, err)
		}
	}
}

// Summary is scans in a few words, and what they found in a line each.
func Summary(scans []pipeline.Scan) string {
	var b strings.Builder
	for _, s := range scans {
		fmt.Fprintf(&b, "%s %s of %q: %d findings, %d %d %d %d\n", s.Tool, s.Version, s.Target, s.Findings, s.Critical, s.High, s.Medium, s.Low)
		for _, f := range s.Found {
			fmt.Fprintf(&b, "  %s %s %s:%d %s %s -> %s\n", f.Severity, f.Rule, f.Path, f.Line, f.Package, f.Version, f.FixedIn)
		}
	}
	return b.String()
}

// FuzzScans tries a reader of scans with any input.
func FuzzScans(f *testing.F, read func([]byte) ([]pipeline.Scan, error), redacted func([]byte) []byte, samples map[string][]byte) {
	for _, b := range samples {
		f.Add(b)
	}
	for _, text := range Hostile {
		if len(text) < 1000 {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		scans, err := read(b)
		if Fault(t, err) {
			Scans(t, scans)
		}
		if kept := redacted(b); kept != nil {
			if again, err := read(kept); err == nil && len(again) != len(scans) {
				t.Errorf("%d scans, %d in what is kept of the report", len(scans), len(again))
			}
		}
	})
}

// RefuseHostile reads what every reader must refuse.
func RefuseHostile(t *testing.T, read func([]byte) error) {
	t.Helper()
	for name, text := range Hostile {
		if Fault(t, read([]byte(text))) {
			t.Errorf("%s is not refused", name)
		}
	}
}
