package event

import (
	"strings"

	"github.com/stemma-dev/stemma/pipeline"
)

// Severity counts one finding of a scan under our word for a tool's word.
func Severity(s *pipeline.Scan, word string) {
	switch strings.ToLower(word) {
	case "critical":
		s.Critical++
	case "high", "error":
		s.High++
	case "medium", "moderate", "warning":
		s.Medium++
	case "low", "note", "info":
		s.Low++
	}
}
