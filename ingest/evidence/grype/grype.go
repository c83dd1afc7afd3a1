// Package grype reads the JSON report of Grype: the vulnerabilities of the packages of
// an image, a directory or a bill of materials. What it was told to ignore is no
// finding. The package does no I/O.
package grype

import (
	"strings"

	"github.com/stemma-dev/stemma/ingest/evidence"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/pipeline"
)

// Format is what errors of this package, and scans, call the report.
const Format = "grype"

// Media is the media type of a report.
const Media = "application/json"

// Members are those of the top by which a report is known.
var Members = []string{"matches", "descriptor"}

// Read returns the one scan of a report.
func Read(b []byte) ([]pipeline.Scan, error) {
	r, err := evidence.JSON(Format, b)
	if err != nil {
		return nil, err
	}
	scan, known := pipeline.Scan{Format: Format, Tool: Format}, false
	for name := range r.Object() {
		switch name {
		case "matches":
			known = known || r.Kind() == '['
			for range r.Array() {
				evidence.Found(&scan, readMatch(r))
			}
		case "source":
			scan.Target = evidence.Name(readTarget(r))
		case "descriptor":
			for name := range r.Object() {
				if name == "version" {
					scan.Version = evidence.Name(r.String())
				}
			}
		}
	}
	switch err := evidence.End(Format, b, r); {
	case err != nil:
		return nil, err
	case !known:
		return nil, &evidence.Error{Format: Format, Place: "line 1", Why: "there are no matches in it"}
	case scan.Findings > evidence.MaxCounted:
		return nil, &evidence.Error{Format: Format, Why: evidence.TooMany}
	}
	return []pipeline.Scan{scan}, nil
}

func readMatch(r *jsonwalk.Reader) pipeline.Finding {
	found := pipeline.Finding{Severity: "unknown"}
	for name := range r.Object() {
		switch name {
		case "vulnerability":
			for name := range r.Object() {
				switch name {
				case "id":
					found.Rule = evidence.Name(r.String())
				case "severity":
					found.Severity = evidence.Severity(r.String())
				case "fix":
					found.FixedIn = evidence.Name(readFix(r))
				}
			}
		case "artifact":
			readArtifact(r, &found)
		}
	}
	return found
}

func readFix(r *jsonwalk.Reader) string {
	var versions []string
	for name := range r.Object() {
		if name != "versions" {
			continue
		}
		for range r.Array() {
			if v := r.String(); len(versions) < 16 {
				versions = append(versions, v)
			}
		}
	}
	return strings.Join(versions, ", ")
}

func readArtifact(r *jsonwalk.Reader, found *pipeline.Finding) {
	for name := range r.Object() {
		switch name {
		case "name":
			found.Package = evidence.Name(r.String())
		case "version":
			found.Version = evidence.Name(r.String())
		case "locations":
			for i := range r.Array() {
				for name := range r.Object() {
					if i == 0 && name == "path" {
						found.Path = evidence.Text(r.String())
					}
				}
			}
		}
	}
}

// readTarget reads what was scanned: a text of a directory, an object of an image.
func readTarget(r *jsonwalk.Reader) (target string) {
	for name := range r.Object() {
		if name != "target" {
			continue
		}
		if r.Kind() == '"' {
			target = r.String()
			continue
		}
		for name := range r.Object() {
			if name == "userInput" {
				target = r.String()
			}
		}
	}
	return target
}

// Redacted is the report as it may be kept.
func Redacted(b []byte) []byte { return evidence.Redacted(b, true) }
