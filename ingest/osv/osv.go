// Package osv reads records of vulnerabilities and of malicious packages in the form of OSV
// (https://ossf.github.io/osv-schema/): which versions of which packages are concerned.
//
// A record is read whole or not at all. One that names no package that a bill of materials
// could name, only commits for example, gives no advisory. The package does no I/O but on
// the files that it is given.
package osv

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact/purl"
	"github.com/stemma-dev/stemma/governance"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// Bounds of a record.
const (
	maxID      = 200
	maxVersion = 200
	maxTitle   = 500
	maxURL     = 1000
	maxRows    = 20_000 // packages, steps and versions, and other lists
)

// ErrNoPackage means that a record names no package that a bill of materials could name.
var ErrNoPackage = errors.New("it names no package that a bill of materials could name")

// Parse reads one record, or an array of them. Of each it gives an advisory of a source or
// says why there is none; the error says that the text as a whole cannot be read.
func Parse(source string, body []byte, take func(governance.Advisory, error) error) error {
	r := jsonwalk.New(body)
	one := func() error {
		start := r.Offset()
		x := read(r)
		if r.Err() != nil {
			return nil // told at the end
		}
		a, err := x.advisory(source)
		if err != nil {
			err = fmt.Errorf("record %q at byte %d: %w", jsonwalk.Clean(x.id, maxID), start, err)
		}
		return take(a, err)
	}
	switch r.Kind() {
	case '{':
		if err := one(); err != nil {
			return err
		}
	case '[':
		for range r.Array() {
			if r.Kind() != '{' {
				return errors.New("it is no record of OSV, and no array of them")
			}
			if err := one(); err != nil {
				return err
			}
		}
	default:
		return errors.New("it is no record of OSV, and no array of them")
	}
	if err := r.End(); err != nil {
		return fmt.Errorf("it is not whole, or not JSON: %w", err)
	}
	return nil
}

// A record is one while it is read.
type record struct {
	id, summary, details, url, rating string
	aliases                           []string
	modified, published, withdrawn    time.Time
	vectors                           []string
	affected                          []affected
	rows                              int
}

// An affected is what a record says of one package.
type affected struct {
	ecosystem, name, purl string
	ranges                []span
	versions              []string
}

// A span is a range of versions: its steps, in any order.
type span struct {
	kind   string // SEMVER, ECOSYSTEM, GIT
	events []event
}

type event struct{ name, version string }

func read(r *jsonwalk.Reader) (x record) {
	for name := range r.Object() {
		switch name {
		case "id":
			x.id = r.String()
		case "summary":
			x.summary = r.Text(maxTitle)
		case "details":
			x.details, _, _ = strings.Cut(strings.TrimSpace(r.String()), "\n")
		case "modified":
			x.modified = r.Time()
		case "published":
			x.published = r.Time()
		case "withdrawn":
			x.withdrawn = r.Time()
		case "aliases":
			for range r.Array() {
				if x.more(r) {
					x.aliases = append(x.aliases, r.Text(maxID))
				}
			}
		case "severity":
			x.severities(r)
		case "references":
			x.references(r)
		case "database_specific":
			for name := range r.Object() {
				if name == "severity" {
					x.rating = r.Text(maxID)
				}
			}
		case "affected":
			for range r.Array() {
				if x.more(r) {
					x.affected = append(x.affected, x.readAffected(r))
				}
			}
		}
	}
	return x
}

// more counts one more of what is listed, and skips it where there is too much.
func (x *record) more(r *jsonwalk.Reader) bool {
	if x.rows++; x.rows > maxRows {
		r.Skip()
		return false
	}
	return true
}

func (x *record) severities(r *jsonwalk.Reader) {
	for range r.Array() {
		if !x.more(r) {
			continue
		}
		for name := range r.Object() {
			if name == "score" {
				x.vectors = append(x.vectors, r.Text(maxURL))
			}
		}
	}
}

// references reads where to read on: an advisory rather than anything else.
func (x *record) references(r *jsonwalk.Reader) {
	for range r.Array() {
		kind, url := "", ""
		for name := range r.Object() {
			switch name {
			case "type":
				kind = r.Text(maxID)
			case "url":
				url = r.Text(maxURL)
			}
		}
		if strings.HasPrefix(url, "https://") && (x.url == "" || kind == "ADVISORY") {
			x.url = url
		}
	}
}

func (x *record) readAffected(r *jsonwalk.Reader) (a affected) {
	for name := range r.Object() {
		switch name {
		case "package":
			for name := range r.Object() {
				switch name {
				case "ecosystem":
					a.ecosystem = r.Text(maxID)
				case "name":
					a.name = r.Text(purl.MaxLength)
				case "purl":
					a.purl = r.Text(purl.MaxLength)
				}
			}
		case "ranges":
			for range r.Array() {
				if x.more(r) {
					a.ranges = append(a.ranges, x.readRange(r))
				}
			}
		case "versions":
			for range r.Array() {
				if x.more(r) {
					a.versions = append(a.versions, r.String())
				}
			}
		case "severity":
			x.severities(r)
		}
	}
	return a
}

func (x *record) readRange(r *jsonwalk.Reader) (s span) {
	for name := range r.Object() {
		switch name {
		case "type":
			s.kind = r.Text(maxID)
		case "events":
			for range r.Array() {
				for name := range r.Object() {
					if slices.Contains([]string{"introduced", "fixed", "last_affected"}, name) && x.more(r) {
						s.events = append(s.events, event{strings.ReplaceAll(name, "_", "-"), r.String()})
					}
				}
			}
		}
	}
	return s
}

// advisory is what a record comes to.
func (x *record) advisory(source string) (governance.Advisory, error) {
	id := jsonwalk.Clean(x.id, maxID+1)
	switch {
	case id == "" || len(id) > maxID || strings.ContainsAny(id, " "):
		return governance.Advisory{}, errors.New("id is missing, or none")
	case x.modified.IsZero():
		return governance.Advisory{}, errors.New("modified is missing, or no time")
	case x.rows > maxRows:
		return governance.Advisory{}, fmt.Errorf("it lists more than %d packages, versions and others", maxRows)
	}
	a := governance.Advisory{
		ID: governance.AdvisoryRef(source, id), Title: stemma.CleanText(cmp.Or(x.summary, x.details, id), maxTitle), Severity: x.severity(), URL: x.url,
		Published: stemma.At(x.published), Modified: stemma.At(x.modified), Withdrawn: stemma.At(x.withdrawn), Standing: "open",
		Malicious: slices.ContainsFunc(append(x.aliases, id), func(id string) bool { return strings.HasPrefix(id, "MAL-") }),
	}
	if x.published.IsZero() {
		a.Published = a.Modified
	}
	if !x.withdrawn.IsZero() {
		a.Standing = "withdrawn"
	}
	ranges := 0
	for _, of := range x.affected {
		rows, err := of.rows(&ranges)
		if err != nil {
			return governance.Advisory{}, err
		}
		a.Affects = append(a.Affects, rows...)
	}
	if len(a.Affects) == 0 {
		return governance.Advisory{}, ErrNoPackage
	}
	_, err := a.Fact(source, stemma.GradeD)
	return a, err
}

// rows are those of a package under each name that is given for it.
func (a affected) rows(ranges *int) (rows []governance.Affected, err error) {
	names := []string{purl.Of(a.ecosystem, a.name)}
	if p, ok := purl.Parse(a.purl); ok && p.Name != names[0] {
		names = append(names, p.Name)
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		some, fault := a.named(name, ranges)
		rows, err = append(rows, some...), cmp.Or(err, fault)
	}
	return rows, err
}

// named are the steps of the ranges and the versions that are named. Where a range, or all of
// it, tells nothing by which a version could be looked up, that nobody knows is a row of its
// own.
func (a affected) named(name string, ranges *int) (rows []governance.Affected, err error) {
	add := func(ecosystem string, n int, event, version string) {
		if version == "" || len(version) > maxVersion || jsonwalk.Clean(version, maxVersion) != version {
			err = errors.New("a version of it is none")
		}
		rows = append(rows, governance.Affected{Package: name, Ecosystem: ecosystem, Range: n, Event: event, Version: version})
	}
	untold := false
	for _, s := range a.ranges {
		ecosystem := a.ecosystem
		switch {
		case s.kind == "GIT":
			continue // of commits
		case s.kind != "SEMVER" && s.kind != "ECOSYSTEM" || len(s.events) == 0:
			untold = true
			continue
		case s.kind == "SEMVER" && !purl.Ordered(ecosystem):
			ecosystem = purl.SemVer
		}
		*ranges++
		for _, e := range s.events {
			add(ecosystem, *ranges, e.name, e.version)
		}
	}
	for _, v := range a.versions {
		add(a.ecosystem, 0, "version", v)
	}
	if untold || len(rows) == 0 {
		rows = append(rows, governance.Affected{Package: name, Ecosystem: a.ecosystem, Event: "unknown"})
	}
	return rows, err
}
