// Package gitleaks reads the JSON report of gitleaks, a list of the secrets that it
// found. The package does no I/O.
//
// Taken are the rule, the file and the line. The secret, what stands around it and who
// committed it are stepped over: they are in no record, no error and not in what
// [Redacted] gives back.
package gitleaks

import (
	"github.com/stemma-dev/stemma/ingest/evidence"
	"github.com/stemma-dev/stemma/pipeline"
)

// Format is what errors of this package, and scans, call the report.
const Format = "gitleaks"

// Media is the media type of a report.
const Media = "application/json"

// Read returns the one scan of a report. How bad a secret is gitleaks does not say.
func Read(b []byte) ([]pipeline.Scan, error) {
	r, err := evidence.JSON(Format, b)
	if err != nil {
		return nil, err
	}
	scan := pipeline.Scan{Format: Format, Tool: Format}
	if r.Kind() != '[' {
		r.Skip()
		if err := evidence.End(Format, b, r); err != nil {
			return nil, err
		}
		return nil, &evidence.Error{Format: Format, Place: "line 1", Why: "it is no list of findings"}
	}
	for n := range r.Array() {
		found, named := pipeline.Finding{Severity: "unknown"}, false
		for name := range r.Object() {
			switch name {
			case "RuleID":
				found.Rule, named = evidence.Name(r.String()), true
			case "File":
				found.Path = evidence.Text(r.String())
			case "StartLine":
				found.Line = int(min(max(r.Int(), 0), 1<<31))
			}
		}
		if r.Err() == nil && !named {
			return nil, evidence.Fault(Format, b, r, "a finding has no RuleID")
		}
		if n >= evidence.MaxCounted {
			return nil, &evidence.Error{Format: Format, Why: evidence.TooMany}
		}
		evidence.Found(&scan, found)
	}
	if err := evidence.End(Format, b, r); err != nil {
		return nil, err
	}
	return []pipeline.Scan{scan}, nil
}

// Redacted is the report as it may be kept: what was found is cut from it, wherever it
// stands, and so are the people.
func Redacted(b []byte) []byte {
	return evidence.Redacted(b, true, "Secret", "Match", "Line", "Message", "Author", "Email", "Attributes", "MatchContext")
}
