// Package evidence is what the readers of reports share, each of which is a package
// below: reports of tests, of scanners, bills of materials, lists of what runs. Bytes
// go in, records of the rooms come out.
//
// What all of them promise:
//
//   - A report is read whole or not at all. An [Error] says of which format it is,
//     where in it the fault lies and why, and quotes nothing of it.
//   - Everything is counted, what is kept one by one is bounded ([MaxListed],
//     [MaxComponents]), and so are the size of a report ([MaxFile]) and how deep it is nested.
//   - A member that stands twice counts twice: what one parser sees and another does
//     not is how a report would be made to say less.
//   - Text is one line of valid UTF-8, with secrets cut out of it. What a scanner shows
//     of a secret that it found is not read at all.
//
// The package does no I/O and reads no clock.
package evidence

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/redact"
)

const (
	// MaxFile is how many bytes a report may have.
	MaxFile = 64 << 20
	// MaxListed is how much of what a report lists is kept one by one: suites, failures,
	// findings. The rest is counted.
	MaxListed = 1000
	// MaxComponents is how many components of a bill of materials are.
	MaxComponents = 10_000
	// MaxCounted is how much a report may list at all.
	MaxCounted = 1 << 20

	maxLine = 500 // bytes of one text
)

// An Error says why a report is not read.
type Error struct {
	Format string // "junit"
	Place  string // "line 3"
	Why    string
}

func (e *Error) Error() string {
	if e.Place == "" {
		return e.Format + ": " + e.Why
	}
	return e.Format + ": " + e.Place + ": " + e.Why
}

// Check refuses what no report of any format is: nothing at all, or too much.
func Check(format string, b []byte) error {
	switch {
	case len(bytes.TrimSpace(b)) == 0:
		return &Error{format, "", "it is empty"}
	case len(b) > MaxFile:
		return &Error{format, "", fmt.Sprintf("it has %d bytes, more than %d", len(b), MaxFile)}
	}
	return nil
}

// Line is the place of a byte of b.
func Line(b []byte, offset int) string {
	offset = min(max(offset, 0), len(b))
	return fmt.Sprintf("line %d", 1+bytes.Count(b[:offset], []byte("\n")))
}

// JSON stands before the one value of a report.
func JSON(format string, b []byte) (*jsonwalk.Reader, error) {
	if err := Check(format, b); err != nil {
		return nil, err
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")) // editors of one system put it there
	return jsonwalk.New(b), nil
}

// End checks that a report was read to its end.
func End(format string, b []byte, r *jsonwalk.Reader) error {
	if err := r.End(); err != nil {
		why := "it is not whole, or not JSON"
		if r.Offset() > 0 && strings.Contains(err.Error(), "nested") {
			why = fmt.Sprintf("it is nested deeper than %d", jsonwalk.MaxDepth)
		}
		return &Error{format, Line(b, r.Offset()), why}
	}
	return nil
}

// Fault is an error where a reader stands.
func Fault(format string, b []byte, r *jsonwalk.Reader, why string) error {
	return &Error{format, Line(b, r.Offset()), why}
}

// TooMany is the fault of a report that lists more than [MaxCounted].
const TooMany = "it lists more than 1048576 things"

var secrets = redact.New(redact.Options{})

// Text makes a text of a report fit for a record: one line, without secrets, bounded.
func Text(s string) string {
	if s == "" {
		return ""
	}
	if len(s) > 4*maxLine {
		cut := 4 * maxLine
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	clean, _ := secrets.Text([]byte(s))
	return jsonwalk.Clean(string(clean), maxLine)
}

// Name makes a short text of a report fit for a record that is looked up by it.
func Name(s string) string { return jsonwalk.Clean(Text(s), maxNamed) }

// maxNamed is the longest text by which a record is looked up, in bytes.
const maxNamed = 300
