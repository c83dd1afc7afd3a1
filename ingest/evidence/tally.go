package evidence

import (
	"strings"

	"github.com/stemma-dev/stemma/pipeline"
)

// Severity is the word of the rooms for one of a scanner's.
func Severity(word string) string {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "critical":
		return "critical"
	case "high", "important", "error":
		return "high"
	case "medium", "moderate", "warning":
		return "medium"
	case "low", "minor", "negligible", "note", "info", "informational":
		return "low"
	case "none", "pass":
		return "none"
	}
	return "unknown"
}

// Score is the word for a CVSS score in tenths: 9.8 is 98.
func Score(tenths int) string {
	switch {
	case tenths >= 90:
		return "critical"
	case tenths >= 70:
		return "high"
	case tenths >= 40:
		return "medium"
	case tenths > 0:
		return "low"
	}
	return "none"
}

// Found counts a finding in a scan and keeps it, if it is among the first.
func Found(s *pipeline.Scan, f pipeline.Finding) {
	s.Findings++
	switch f.Severity {
	case "critical":
		s.Critical++
	case "high":
		s.High++
	case "medium":
		s.Medium++
	case "low":
		s.Low++
	}
	if f.Rule == "" {
		f.Rule = "unnamed"
	}
	if len(s.Found) < MaxListed {
		s.Found = append(s.Found, f)
	}
}
