// Package note has the one form to which every foreign record of line origin is
// lowered, [Claims]: which runs of lines of which file a record says were
// written by whom. [Combine] makes one set of several records about a commit,
// and [Convert] turns the claims about a commit into records of the rooms
// attribution and session. Three rules hold, whatever the format:
//
//   - a key that leads to no record, an unnamed model, a contradiction is
//     unknown with its reason, and never AI;
//   - a claimed line that the commit did not add is counted as misplaced and
//     is not attributed;
//   - what cannot be read is a [Problem] with its place, never dropped silently.
//
// Large formats have packages of their own, such as ingest/gitai. Here are the
// small ones: whogitit notes, Agent Trace records, and the marks of origin in a
// commit's trailers and identities ([Declare]). Bytes go in, small structs come
// out; the package runs no git, opens no file and reads no clock.
//
// Everything read here was writable by anyone who may push: grade D, basis
// imported or declared.
package note

import (
	"fmt"
	"strings"

	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// MaxRecord is the longest note or record that is read, in bytes.
const MaxRecord = 64 << 20

// MaxLine is the highest line number that a record may claim.
const MaxLine = 1<<31 - 1

// A Problem is something that could not be read: the first place where it
// occurred, why, and how many times.
type Problem struct {
	Place  string
	Reason string
	Count  int
}

// Problems counts by reason, so that a hostile record makes few of them.
type Problems []Problem

// Add counts a problem; the format tells the place of the first of its reason.
func (p *Problems) Add(reason, format string, args ...any) {
	for i := range *p {
		if (*p)[i].Reason == reason {
			(*p)[i].Count++
			return
		}
	}
	*p = append(*p, Problem{Place: jsonwalk.Clean(fmt.Sprintf(format, args...), 200), Reason: reason, Count: 1})
}

// IsHex reports whether s is lower-case hexadecimal digits, as object ids and
// many keys of records are.
func IsHex(s string) bool { return s != "" && strings.Trim(s, "0123456789abcdef") == "" }
