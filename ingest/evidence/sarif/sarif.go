// Package sarif reads SARIF 2.1, in which analysers of code tell what they found. The
// package does no I/O.
//
// Each run of a tool in the report is a scan. Its findings are the results that say
// that something failed, as results do unless they say otherwise; not those that are
// suppressed, or gone since the baseline. How bad one is tells the score that GitHub
// reads (security-severity of its rule), else its level, else that of its rule: error
// is high, warning medium, note low.
//
// Texts of the code and messages are not read: they may show a secret that was found.
package sarif

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma/ingest/evidence"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/pipeline"
)

// Format is what errors of this package, and scans, call the report.
const Format = "sarif"

// Media is the media type of a report.
const Media = "application/sarif+json"

// Members are those of the top by which a report is known.
var Members = []string{"runs"}

// Read returns the scans of a report.
func Read(b []byte) ([]pipeline.Scan, error) {
	r, err := evidence.JSON(Format, b)
	if err != nil {
		return nil, err
	}
	var scans []pipeline.Scan
	version, known, many, listed := "", false, false, 0
	for name := range r.Object() {
		switch name {
		case "version":
			version = r.String()
		case "runs":
			known = known || r.Kind() == '['
			for range r.Array() {
				var of run
				of.read(r)
				many = many || len(of.results) > evidence.MaxCounted || len(scans) >= evidence.MaxListed
				if !many {
					s := of.scan()
					s.Found = s.Found[:min(len(s.Found), evidence.MaxListed-listed)]
					listed += len(s.Found)
					scans = append(scans, s)
				}
			}
		}
	}
	switch err := evidence.End(Format, b, r); {
	case err != nil:
		return nil, err
	case !known:
		return nil, &evidence.Error{Format: Format, Place: "line 1", Why: "there are no runs in it"}
	case !strings.HasPrefix(version, "2."):
		return nil, &evidence.Error{Format: Format, Place: "line 1", Why: "it is not of version 2"}
	case many:
		return nil, &evidence.Error{Format: Format, Why: evidence.TooMany}
	}
	return scans, nil
}

// A rule is what results refer to, by its name or its place in a list.
type rule struct {
	id, level, score string
}

// A result is one that counts as a finding.
type result struct {
	rule  string
	index int // of the rule among those of its tool; -1 if it is not told
	part  int // whose rules are meant: -1 of the driver, else an extension's
	level string
	path  string
	line  int
}

// A run is one run of a tool while it is read.
type run struct {
	tool, version, target string
	driver                []rule
	parts                 [][]rule
	results               []result
}

func (x *run) read(r *jsonwalk.Reader) {
	for name := range r.Object() {
		switch name {
		case "tool":
			for name := range r.Object() {
				switch name {
				case "driver":
					x.driver = x.component(r, true)
				case "extensions":
					for range r.Array() {
						x.parts = append(x.parts, x.component(r, false))
					}
				}
			}
		case "automationDetails":
			for name := range r.Object() {
				if name == "id" {
					x.target = r.String()
				}
			}
		case "results":
			for range r.Array() {
				if of, counts := readResult(r); counts && len(x.results) <= evidence.MaxCounted {
					x.results = append(x.results, of)
				}
			}
		}
	}
}

// component reads a tool's driver or one of its extensions.
func (x *run) component(r *jsonwalk.Reader, driver bool) (rules []rule) {
	name, version, semantic := "", "", ""
	for member := range r.Object() {
		switch member {
		case "name":
			name = r.String()
		case "version":
			version = r.String()
		case "semanticVersion":
			semantic = r.String()
		case "rules":
			for range r.Array() {
				rules = append(rules, readRule(r))
			}
		}
	}
	if driver {
		x.tool, x.version = name, cmp.Or(semantic, version)
	}
	return rules
}

func readRule(r *jsonwalk.Reader) (of rule) {
	for name := range r.Object() {
		switch name {
		case "id":
			of.id = r.String()
		case "defaultConfiguration":
			for name := range r.Object() {
				if name == "level" {
					of.level = r.String()
				}
			}
		case "properties":
			for name := range r.Object() {
				if name == "security-severity" {
					of.score = score(r)
				}
			}
		}
	}
	return of
}

// score reads what is a text in one tool and a number in another.
func score(r *jsonwalk.Reader) string {
	if r.Kind() == '"' {
		return r.String()
	}
	return string(r.Raw())
}

// readResult reads a result and reports whether it is a finding.
func readResult(r *jsonwalk.Reader) (of result, counts bool) {
	of.index, of.part, counts = -1, -1, true
	for name := range r.Object() {
		switch name {
		case "ruleId":
			of.rule = r.String()
		case "ruleIndex":
			of.index = int(r.Int())
		case "rule":
			of.refer(r)
		case "level":
			of.level = r.String()
		case "kind":
			kind := r.String()
			counts = counts && (kind == "" || kind == "fail" || kind == "open" || kind == "review")
		case "baselineState":
			counts = r.String() != "absent" && counts
		case "suppressions":
			counts = !suppressed(r) && counts
		case "locations":
			for i := range r.Array() {
				if i == 0 {
					of.place(r)
				}
			}
		}
	}
	return of, counts
}

// refer reads the reference of a result to its rule.
func (of *result) refer(r *jsonwalk.Reader) {
	for name := range r.Object() {
		switch name {
		case "id":
			of.rule = cmp.Or(of.rule, r.String())
		case "index":
			of.index = int(r.Int())
		case "toolComponent":
			for name := range r.Object() {
				if name == "index" {
					of.part = int(r.Int())
				}
			}
		}
	}
}

// suppressed reports whether one of the suppressions is in force.
func suppressed(r *jsonwalk.Reader) (is bool) {
	for range r.Array() {
		status := ""
		for name := range r.Object() {
			if name == "status" {
				status = r.String()
			}
		}
		is = is || status == "" || status == "accepted"
	}
	return is
}

func (of *result) place(r *jsonwalk.Reader) {
	for name := range r.Object() {
		if name != "physicalLocation" {
			continue
		}
		for name := range r.Object() {
			for inner := range r.Object() {
				switch name + "/" + inner {
				case "artifactLocation/uri":
					of.path = r.String()
				case "region/startLine":
					of.line = int(max(r.Int(), 0))
				}
			}
		}
	}
}

// scan is the run as a record.
func (x *run) scan() pipeline.Scan {
	s := pipeline.Scan{Format: Format, Tool: evidence.Name(x.tool), Version: evidence.Name(x.version), Target: evidence.Name(x.target)}
	byID := map[string]rule{}
	for _, list := range append(x.parts, x.driver) {
		for _, of := range list {
			byID[of.id] = of
		}
	}
	for _, found := range x.results {
		of := x.ruleOf(found, byID)
		evidence.Found(&s, pipeline.Finding{
			Rule: evidence.Name(cmp.Or(found.rule, of.id)), Severity: severity(found, of),
			Path: evidence.Text(found.path), Line: min(found.line, 1<<31),
		})
	}
	return s
}

// ruleOf finds the rule of a result: by its place, which is exact, or by its name.
func (x *run) ruleOf(found result, byID map[string]rule) rule {
	list := x.driver
	if found.part >= 0 && found.part < len(x.parts) {
		list = x.parts[found.part]
	}
	if found.index >= 0 && found.index < len(list) {
		return list[found.index]
	}
	if of, known := byID[found.rule]; known {
		return of
	}
	parent := found.rule // a result may be of a part of a rule
	for n := strings.LastIndexByte(parent, '/'); n > 0; n = strings.LastIndexByte(parent, '/') {
		parent = parent[:n]
		if of, known := byID[parent]; known {
			return of
		}
	}
	return rule{}
}

func severity(found result, of rule) string {
	if score, err := strconv.ParseFloat(strings.TrimSpace(of.score), 64); err == nil && score >= 0 && score <= 10 {
		return evidence.Score(int(score*10 + 0.5))
	}
	return evidence.Severity(cmp.Or(found.level, of.level, "warning"))
}

// Redacted is the report as it may be kept: without the code that it shows, and without
// its messages.
func Redacted(b []byte) []byte {
	return evidence.Redacted(b, true, "snippet", "contextRegion", "contents", "message", "insertedContent", "webRequests", "webResponses", "codeFlows")
}
