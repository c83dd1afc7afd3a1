package evidencetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/deployment"
	"github.com/stemma-dev/stemma/ingest/evidence"
)

// Sight checks what holds of every reading of what runs: it can be stated.
func Sight(tb testing.TB, s evidence.Sight) {
	tb.Helper()
	for _, r := range s.Running {
		Text(tb, r.Name, r.Image)
	}
	shot := deployment.Snapshot{ID: deployment.SnapshotRef("test", "1"), Environment: "environment:test", Running: s.Running}
	if _, err := shot.Fact("test", stemma.GradeD); err != nil {
		tb.Errorf("%+v: %v", s.Running, err)
	}
	for _, a := range s.Artifacts {
		if _, err := a.Fact("test", stemma.GradeD); err != nil {
			tb.Errorf("%+v: %v", a, err)
		}
	}
}

// SightSummary is what runs, and which digests are of one thing, in a line each.
func SightSummary(s evidence.Sight) string {
	var b strings.Builder
	for _, r := range s.Running {
		fmt.Fprintf(&b, "%s %s %s\n", r.Name, r.Image, short(string(r.Artifact)))
	}
	for _, a := range s.Artifacts {
		for _, e := range a.Same {
			fmt.Fprintf(&b, "  %s is %s by %s\n", short(a.Digest), short(string(e.To)), e.Method)
		}
	}
	return b.String()
}

// short is the end of a digest.
func short(s string) string {
	if len(s) < 64 {
		return s
	}
	return strings.TrimLeft(s[len(s)-64:], "0")
}

// Hex is a SHA-256 that ends in some digits.
func Hex(end string) string { return strings.Repeat("0", 64-len(end)) + end }

// FuzzSight tries a reader of what runs with any input.
func FuzzSight(f *testing.F, read func([]byte) (evidence.Sight, error), samples ...string) {
	for _, text := range samples {
		f.Add([]byte(text))
	}
	for _, text := range Hostile {
		if len(text) < 1000 {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := read(b)
		if Fault(t, err) {
			Sight(t, s)
		}
	})
}
