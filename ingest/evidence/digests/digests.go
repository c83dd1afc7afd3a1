// Package digests reads plain lists of what runs: a line for each thing, in one of the
// forms
//
//	registry.example.com/pay@sha256:HEX
//	sha256:HEX  name
//	HEX  name            as sha256sum writes it
//
// Empty lines and those that begin with # are passed over; any other line is an error.
// The package does no I/O.
package digests

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/stemma-dev/stemma/ingest/evidence"
)

// Format is what errors of this package, and snapshots, call the list.
const Format = "digests"

// Read returns what runs.
func Read(b []byte) (evidence.Sight, error) {
	var s evidence.Sight
	if err := evidence.Check(Format, b); err != nil {
		return s, err
	}
	n := 0
	for line := range bytes.Lines(b) {
		n++
		text := strings.TrimSpace(strings.ToValidUTF8(string(line), "\uFFFD"))
		if text == "" || text[0] == '#' {
			continue
		}
		name, digest := parse(text)
		switch {
		case digest == "":
			return evidence.Sight{}, &evidence.Error{Format: Format, Place: fmt.Sprintf("line %d", n), Why: "there is no SHA-256 in it"}
		case len(s.Running) == evidence.MaxRunning:
			return evidence.Sight{}, &evidence.Error{Format: Format, Why: "it lists more than 20000 things"}
		}
		s.See(name, name, []string{digest}, Format)
	}
	if len(s.Running) == 0 {
		return s, &evidence.Error{Format: Format, Why: "there is no digest in it"}
	}
	return s, nil
}

func parse(line string) (name, digest string) {
	first, rest, _ := strings.Cut(line, " ")
	if name, hex, ok := strings.Cut(first, "@sha256:"); ok {
		return name, evidence.Digest("sha256", hex)
	}
	digest = evidence.Digest("sha256", strings.TrimPrefix(first, "sha256:"))
	return strings.TrimPrefix(strings.TrimSpace(rest), "*"), digest
}
