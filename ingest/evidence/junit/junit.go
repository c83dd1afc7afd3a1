// Package junit reads results of tests in the XML that began with JUnit and that
// every test runner writes in its own way: with a root of many suites or one, suites
// inside of suites, with or without counts. The package does no I/O.
//
// Counted are the test cases that stand in the report. The counts that a suite states
// are taken where it shows no case at all: some runners write only these. A case that
// failed and was run again until it passed (flakyFailure, rerunFailure of Surefire)
// passed; one with an error failed.
package junit

import (
	"cmp"
	"encoding/xml"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma/ingest/evidence"
	"github.com/stemma-dev/stemma/pipeline"
)

// Format is what errors of this package call the report.
const Format = "junit"

// Media is the media type of a report.
const Media = "application/xml"

// Is reports whether b looks like a report of this format.
func Is(b []byte) bool {
	head := string(b[:min(len(b), 4096)])
	return strings.Contains(head, "<testsuite") || strings.Contains(head, "<testcase")
}

// maxMessage is how much of a failure's text is looked at.
const maxMessage = 2000

// Read returns the suites that have cases or counts of their own, in their order.
func Read(b []byte) ([]pipeline.Test, error) {
	x, err := evidence.NewXML(Format, b)
	if err != nil {
		return nil, err
	}
	r := reader{x: x}
	for {
		token, err := x.Next()
		if err != nil {
			return nil, err
		}
		if token == nil {
			break
		}
		r.take(token)
	}
	for _, s := range r.open { // cases that no suite is around
		r.close(s)
	}
	if !r.known {
		return nil, &evidence.Error{Format: Format, Place: "line 1", Why: "there is no testsuite in it"}
	}
	return r.suites, nil
}

// A suite is one that is open.
type suite struct {
	pipeline.Test
	stated counts
	cases  int
	inner  bool // it has suites inside
}

type counts struct{ tests, failed, skipped int }

// A reader is in the middle of a report.
type reader struct {
	x      *evidence.XML
	known  bool // an element of the format was seen
	listed int  // failures of all suites
	open   []*suite
	suites []pipeline.Test

	cased   bool // inside of a case
	failure pipeline.Failure
	failed  bool
	skipped bool
	telling bool // inside of a failure's text
	text    strings.Builder
}

func (r *reader) take(token xml.Token) {
	switch t := token.(type) {
	case xml.StartElement:
		r.begin(t)
	case xml.EndElement:
		r.end(t.Name.Local)
	case xml.CharData:
		if r.telling && r.text.Len() < maxMessage {
			r.text.Write(t[:min(len(t), maxMessage)])
		}
	}
}

func (r *reader) begin(e xml.StartElement) {
	switch e.Name.Local {
	case "testsuites":
		r.known = true
	case "testsuite":
		r.known = true
		if len(r.open) > 0 {
			r.open[len(r.open)-1].inner = true
		}
		r.open = append(r.open, open(e))
	case "testcase":
		r.known = true
		if len(r.open) == 0 { // a root of cases alone
			r.open = append(r.open, &suite{})
		}
		r.cased, r.failed, r.skipped = true, false, false
		r.failure = pipeline.Failure{Name: evidence.Name(evidence.Attr(e, "name")), Class: evidence.Name(evidence.Attr(e, "classname"))}
		if status := evidence.Attr(e, "status"); status == "notrun" || status == "skipped" || evidence.Attr(e, "result") == "suppressed" {
			r.skipped = true // Google Test says it so
		}
	case "failure", "error":
		if r.cased {
			r.fail(e)
		}
	case "skipped":
		r.skipped = r.skipped || r.cased
	}
}

func (r *reader) fail(e xml.StartElement) {
	if !r.failed {
		r.failure.Message = evidence.Text(cmp.Or(evidence.Attr(e, "message"), evidence.Attr(e, "type")))
		r.telling = r.failure.Message == ""
		r.text.Reset()
	}
	r.failed = true
}

func open(e xml.StartElement) *suite {
	number := func(names ...string) int {
		for _, name := range names {
			if n, err := strconv.Atoi(strings.TrimSpace(evidence.Attr(e, name))); err == nil && n >= 0 && n <= evidence.MaxCounted {
				return n
			}
		}
		return 0
	}
	return &suite{
		Test: pipeline.Test{Suite: evidence.Name(cmp.Or(evidence.Attr(e, "name"), evidence.Attr(e, "package")))},
		stated: counts{
			tests: number("tests"), failed: number("failures") + number("errors"), skipped: number("skipped", "skips", "disabled"),
		},
	}
}

func (r *reader) end(name string) {
	switch name {
	case "failure", "error":
		if r.telling {
			r.telling, r.failure.Message = false, evidence.Text(r.text.String())
		}
	case "testcase":
		if r.cased && len(r.open) > 0 {
			r.count(r.open[len(r.open)-1])
		}
		r.cased = false
	case "testsuite":
		if len(r.open) > 0 {
			last := r.open[len(r.open)-1]
			r.open = r.open[:len(r.open)-1]
			r.close(last)
		}
	}
}

// count counts the case that ends.
func (r *reader) count(s *suite) {
	s.cases++
	switch {
	case r.failed:
		s.Failed++
		if r.failure.Name == "" {
			r.failure.Name = "unnamed"
		}
		if r.listed++; r.listed <= evidence.MaxListed {
			s.Failures = append(s.Failures, r.failure)
		}
	case r.skipped:
		s.Skipped++
	default:
		s.Passed++
	}
}

// more is the suite in which those are added up that are not kept one by one.
const more = "(more suites)"

// close keeps a suite that says something.
func (r *reader) close(s *suite) {
	if s.cases == 0 && s.inner {
		return // all it has is inside, and kept
	}
	if s.cases == 0 {
		s.Failed = s.stated.failed
		s.Skipped = s.stated.skipped
		s.Passed = max(s.stated.tests-s.Failed-s.Skipped, 0)
	}
	if n := len(r.suites); n == evidence.MaxListed {
		last := &r.suites[n-1]
		last.Suite, last.Failures = more, nil
		last.Failed, last.Passed, last.Skipped = last.Failed+s.Failed, last.Passed+s.Passed, last.Skipped+s.Skipped
		last.Status = Status(*last)
		return
	}
	s.Status = Status(s.Test)
	r.suites = append(r.suites, s.Test)
}

// Status is the word for counts: what failed, failed; of what nothing was run, nothing
// is known.
func Status(t pipeline.Test) string {
	switch {
	case t.Failed > 0:
		return "failed"
	case t.Passed > 0:
		return "passed"
	case t.Skipped > 0:
		return "skipped"
	}
	return "unknown"
}

// Redacted is the report as it may be kept.
func Redacted(b []byte) []byte { return evidence.Redacted(b, false) }
