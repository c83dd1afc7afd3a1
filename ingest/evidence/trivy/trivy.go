// Package trivy reads the JSON report of Trivy: vulnerabilities, misconfigurations,
// secrets and licences of an image, a file system or a repository. The package does no
// I/O.
//
// A check that passed is no finding. Of a secret the rule, the file and the line are
// taken, never what was matched.
package trivy

import (
	"github.com/stemma-dev/stemma/ingest/evidence"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/pipeline"
)

// Format is what errors of this package, and scans, call the report.
const Format = "trivy"

// Media is the media type of a report.
const Media = "application/json"

// Members are those of the top by which a report is known.
var Members = []string{"SchemaVersion", "ArtifactName"}

// Read returns the one scan of a report.
func Read(b []byte) ([]pipeline.Scan, error) {
	r, err := evidence.JSON(Format, b)
	if err != nil {
		return nil, err
	}
	scan, schema := pipeline.Scan{Format: Format, Tool: Format}, int64(0)
	for name := range r.Object() {
		switch name {
		case "SchemaVersion":
			schema = r.Int()
		case "ArtifactName":
			scan.Target = evidence.Name(r.String())
		case "Trivy":
			for name := range r.Object() {
				if name == "Version" {
					scan.Version = evidence.Name(r.String())
				}
			}
		case "Results":
			for range r.Array() {
				readResult(r, &scan)
			}
		}
	}
	switch err := evidence.End(Format, b, r); {
	case err != nil:
		return nil, err
	case schema != 2:
		return nil, &evidence.Error{Format: Format, Place: "line 1", Why: "it is not of SchemaVersion 2"}
	case scan.Findings > evidence.MaxCounted:
		return nil, &evidence.Error{Format: Format, Why: evidence.TooMany}
	}
	return []pipeline.Scan{scan}, nil
}

// lists are the members of a result that hold findings.
var lists = map[string]bool{"Vulnerabilities": true, "Misconfigurations": true, "Secrets": true, "Licenses": true}

func readResult(r *jsonwalk.Reader, scan *pipeline.Scan) {
	target, first := "", len(scan.Found)
	for name := range r.Object() {
		switch {
		case name == "Target":
			target = evidence.Text(r.String())
		case lists[name]:
			for range r.Array() {
				if found, counts := readFinding(r, name); counts {
					evidence.Found(scan, found)
				}
			}
		}
	}
	for i := first; i < len(scan.Found); i++ { // the target may be told last
		if scan.Found[i].Path == "" {
			scan.Found[i].Path = target
		}
	}
}

func readFinding(r *jsonwalk.Reader, list string) (found pipeline.Finding, counts bool) {
	counts, found.Severity = true, "unknown"
	for name := range r.Object() {
		switch name {
		case "VulnerabilityID", "RuleID":
			found.Rule = evidence.Name(r.String())
		case "ID":
			if list == "Misconfigurations" {
				found.Rule = evidence.Name(r.String())
			}
		case "Name":
			if list == "Licenses" {
				found.Rule = evidence.Name(r.String())
			}
		case "Severity":
			found.Severity = evidence.Severity(r.String())
		case "Status":
			counts = list != "Misconfigurations" || r.String() != "PASS"
		case "PkgName":
			found.Package = evidence.Name(r.String())
		case "InstalledVersion":
			found.Version = evidence.Name(r.String())
		case "FixedVersion":
			found.FixedIn = evidence.Name(r.String())
		case "PkgPath", "FilePath":
			found.Path = evidence.Text(r.String())
		case "StartLine":
			found.Line = line(r)
		case "CauseMetadata":
			for name := range r.Object() {
				if name == "StartLine" {
					found.Line = line(r)
				}
			}
		}
	}
	return found, counts
}

func line(r *jsonwalk.Reader) int { return int(min(max(r.Int(), 0), 1<<31)) }

// Redacted is the report as it may be kept: without what was matched, and without the
// code around it.
func Redacted(b []byte) []byte { return evidence.Redacted(b, true, "Match", "Code", "Author", "Email") }
