package report

import (
	"encoding/xml"
	"io"

	"github.com/stemma-dev/stemma/policy"
)

// JUnit writes a suite a change and a case a control. What does not apply or is waived is
// skipped. Unknown is an error where it holds the change up, else a failure: it is never
// among what passes.
func JUnit(w io.Writer) Handler { return &junit{w: w} }

type junit struct {
	w    io.Writer
	when string
	all  suites
}

type suites struct {
	XMLName xml.Name `xml:"testsuites"`
	Name    string   `xml:"name,attr"`
	counts
	Suites []suite `xml:"testsuite"`
}

type counts struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
}

type suite struct {
	Name string `xml:"name,attr"`
	counts
	Time  string     `xml:"timestamp,attr"`
	Cases []testcase `xml:"testcase"`
}

type testcase struct {
	Class   string `xml:"classname,attr"`
	Name    string `xml:"name,attr"`
	Failure *fault `xml:"failure,omitempty"`
	Error   *fault `xml:"error,omitempty"`
	Skipped *fault `xml:"skipped,omitempty"`
}

type fault struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

func (j *junit) Begin(r Run) error {
	j.all = suites{Name: "stemma " + line(r.Repository, maxTitle)}
	j.when = r.Started.UTC().Format("2006-01-02T15:04:05")
	return nil
}

func (j *junit) Change(c Change) error {
	s := suite{Name: c.name() + " " + line(c.Title, maxTitle), Time: j.when}
	for _, f := range c.Findings {
		s.add(c, f)
	}
	j.all.Tests += s.Tests
	j.all.Failures += s.Failures
	j.all.Errors += s.Errors
	j.all.Skipped += s.Skipped
	j.all.Suites = append(j.all.Suites, s)
	return nil
}

func (s *suite) add(c Change, f policy.Finding) {
	k := testcase{Class: line(c.Ref, maxTitle), Name: f.Control + " " + line(f.Title, maxTitle)}
	said := &fault{Message: string(f.State) + ": " + reason(f), Type: string(f.Mode), Text: line(f.Remedy, maxReason)}
	s.Tests++
	switch {
	case f.State == policy.Pass:
	case f.State == policy.NotApplicable, f.State == policy.Waived:
		k.Skipped = &fault{Message: said.Message}
		s.Skipped++
	case f.State == policy.Unknown && f.Blocks:
		k.Error = said
		s.Errors++
	default:
		k.Failure = said
		s.Failures++
	}
	s.Cases = append(s.Cases, k)
}

func (j *junit) End(Summary) error {
	if _, err := io.WriteString(j.w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(j.w)
	enc.Indent("", "  ")
	if err := enc.Encode(j.all); err != nil {
		return err
	}
	_, err := io.WriteString(j.w, "\n")
	return err
}
