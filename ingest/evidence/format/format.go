// Package format knows a report by what it says, and has the reader of its format read
// it. The name of a file is never asked. The package does no I/O.
package format

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/ingest/evidence"
	"github.com/stemma-dev/stemma/ingest/evidence/cyclonedx"
	"github.com/stemma-dev/stemma/ingest/evidence/digests"
	"github.com/stemma-dev/stemma/ingest/evidence/gitleaks"
	"github.com/stemma-dev/stemma/ingest/evidence/grype"
	"github.com/stemma-dev/stemma/ingest/evidence/inspect"
	"github.com/stemma-dev/stemma/ingest/evidence/kubernetes"
	"github.com/stemma-dev/stemma/ingest/evidence/sarif"
	"github.com/stemma-dev/stemma/ingest/evidence/spdx"
	"github.com/stemma-dev/stemma/ingest/evidence/trivy"
	"github.com/stemma-dev/stemma/pipeline"
)

// A scanner is a format of scanners.
type scanner struct {
	name     string
	media    string
	members  []string // of the top, by which it is known
	read     func([]byte) ([]pipeline.Scan, error)
	redacted func([]byte) []byte
}

var scanners = []scanner{
	{sarif.Format, sarif.Media, sarif.Members, sarif.Read, sarif.Redacted},
	{trivy.Format, trivy.Media, trivy.Members, trivy.Read, trivy.Redacted},
	{grype.Format, grype.Media, grype.Members, grype.Read, grype.Redacted},
	{gitleaks.Format, gitleaks.Media, nil, gitleaks.Read, gitleaks.Redacted},
}

// Scanners are the names of the formats of scanners.
func Scanners() (names []string) {
	for _, s := range scanners {
		names = append(names, s.name)
	}
	return names
}

// A Kept is a report as it may be kept; without Bytes if nothing of it may.
type Kept struct {
	Media string
	Bytes []byte
}

// Scans reads a scanner's report of the named format, or of the one that it is known
// by if none is named.
func Scans(name string, b []byte) ([]pipeline.Scan, Kept, error) {
	s, err := scannerOf(name, b)
	if err != nil {
		return nil, Kept{}, err
	}
	scans, err := s.read(b)
	if err != nil {
		return nil, Kept{}, err
	}
	return scans, Kept{s.media, s.redacted(b)}, nil
}

func scannerOf(name string, b []byte) (scanner, error) {
	if name != "" {
		if i := slices.IndexFunc(scanners, func(s scanner) bool { return s.name == name }); i >= 0 {
			return scanners[i], nil
		}
		return scanner{}, &evidence.Error{Format: "scan", Why: fmt.Sprintf("%.40q is no format: there are %s", name, strings.Join(Scanners(), ", "))}
	}
	if err := evidence.Check("scan", b); err != nil {
		return scanner{}, err
	}
	switch start(b) {
	case '[':
		return scanners[len(scanners)-1], nil
	case '{':
		has, err := members("scan", b)
		if err != nil {
			return scanner{}, err
		}
		for _, s := range scanners {
			if slices.ContainsFunc(s.members, func(m string) bool { return has[m] }) {
				return s, nil
			}
		}
	}
	return scanner{}, &evidence.Error{Format: "scan", Place: "line 1", Why: "it is no report of " + strings.Join(Scanners(), ", ")}
}

// start is the first byte that says something.
func start(b []byte) byte {
	b = bytes.TrimLeft(b, " \t\r\n\xef\xbb\xbf")
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

// members are the names of the members of the top of a JSON text.
func members(format string, b []byte) (map[string]bool, error) {
	r, err := evidence.JSON(format, b)
	if err != nil {
		return nil, err
	}
	has := map[string]bool{}
	for name := range r.Object() {
		if len(has) < 100 {
			has[name] = true
		}
	}
	return has, evidence.End(format, b, r)
}

// Bom reads a bill of materials, whatever its format, and returns with it the digests
// of what it says it is about.
func Bom(b []byte) (artifact.Bom, []string, Kept, error) {
	if err := evidence.Check("bom", b); err != nil {
		return artifact.Bom{}, nil, Kept{}, err
	}
	read, redacted, media := spdx.Read, spdx.Redacted, spdx.Media
	switch start(b) {
	case '<':
		read, redacted, media = cyclonedx.Read, cyclonedx.Redacted, cyclonedx.MediaXML
		if !cyclonedx.IsXML(b) {
			return artifact.Bom{}, nil, Kept{}, noBom()
		}
	case '{':
		has, err := members("bom", b)
		if err != nil {
			return artifact.Bom{}, nil, Kept{}, err
		}
		in := func(m string) bool { return has[m] }
		switch {
		case slices.ContainsFunc(cyclonedx.Members, in):
			read, redacted, media = cyclonedx.Read, cyclonedx.Redacted, cyclonedx.Media
		case !slices.ContainsFunc(spdx.Members, in):
			return artifact.Bom{}, nil, Kept{}, noBom()
		}
	default:
		return artifact.Bom{}, nil, Kept{}, noBom()
	}
	bom, subjects, err := read(b)
	if err != nil {
		return artifact.Bom{}, nil, Kept{}, err
	}
	return bom, subjects, Kept{media, redacted(b)}, nil
}

func noBom() error {
	return &evidence.Error{Format: "bom", Place: "line 1", Why: "it is neither SPDX in JSON nor CycloneDX in JSON or XML"}
}

// Running reads what runs, whatever the format of the list, and names that.
func Running(b []byte) (s evidence.Sight, format string, err error) {
	if err := evidence.Check("snapshot", b); err != nil {
		return s, "", err
	}
	switch text := bytes.TrimSpace(b); {
	case start(b) == '[':
		s, err = inspect.Read(b)
		return s, inspect.Format, err
	case start(b) == '{' || hasKind(text):
		s, err = kubernetes.Read(b)
		return s, kubernetes.Format, err
	}
	s, err = digests.Read(b)
	return s, digests.Format, err
}

// hasKind reports whether a line of YAML gives an object its kind.
func hasKind(b []byte) bool {
	return bytes.HasPrefix(b, []byte("kind:")) || bytes.Contains(b, []byte("\nkind:")) || bytes.HasPrefix(b, []byte("---")) || bytes.HasPrefix(b, []byte("apiVersion:"))
}
