// Package spdx reads bills of materials in SPDX: the JSON of versions 2.2 and 2.3, and
// the JSON-LD of version 3.0. The package does no I/O.
//
// The components are the packages of the document, without that or those which it is
// about. Files and snippets are none. Suppliers, authors and comments, in which people
// are named, are not read.
package spdx

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/ingest/evidence"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// Format is what errors of this package, and records, call the document.
const Format = "spdx"

// Media is the media type of a document.
const Media = "application/spdx+json"

// Members are those of the top by which a document is known.
var Members = []string{"spdxVersion", "@graph"}

// Read returns what a document lists, and the digests of what it says it is about.
func Read(b []byte) (artifact.Bom, []string, error) {
	r, err := evidence.JSON(Format, b)
	if err != nil {
		return artifact.Bom{}, nil, err
	}
	d := document{Bom: artifact.Bom{Format: Format}}
	d.read(r)
	switch err := evidence.End(Format, b, r); {
	case err != nil:
		return artifact.Bom{}, nil, err
	case d.Version == "":
		return artifact.Bom{}, nil, &evidence.Error{Format: Format, Place: "line 1", Why: "it names no version of SPDX"}
	case !strings.HasPrefix(d.Version, "2.") && !strings.HasPrefix(d.Version, "3."):
		return artifact.Bom{}, nil, &evidence.Error{Format: Format, Place: "line 1", Why: "it is of a version that is not read here"}
	case len(d.packages) > evidence.MaxCounted:
		return artifact.Bom{}, nil, &evidence.Error{Format: Format, Why: evidence.TooMany}
	}
	bom, subjects := d.bom()
	return bom, subjects, nil
}

// A document is one while it is read.
type document struct {
	artifact.Bom
	packages  []pack
	described []string // the names of what it is about
}

// A pack is one package of it.
type pack struct {
	id, name, version, purl, license string
	digests                          []string
}

func (d *document) read(r *jsonwalk.Reader) {
	for name := range r.Object() {
		switch name {
		case "spdxVersion":
			d.Version = evidence.Name(strings.TrimPrefix(r.String(), "SPDX-"))
		case "name":
			d.Name = evidence.Name(r.String())
		case "documentNamespace":
			d.Serial = evidence.Name(r.String())
		case "creationInfo":
			d.creation(r)
		case "packages":
			for range r.Array() {
				d.add(readPackage(r))
			}
		case "documentDescribes":
			d.described = append(d.described, texts(r)...)
		case "relationships":
			for range r.Array() {
				d.relation(r)
			}
		case "@graph":
			for range r.Array() {
				d.element(r)
			}
		}
	}
}

// add keeps a package; of too many one more, by which that is seen.
func (d *document) add(p pack) {
	if len(d.packages) <= evidence.MaxCounted {
		d.packages = append(d.packages, p)
	}
}

func texts(r *jsonwalk.Reader) (list []string) {
	if r.Kind() == '"' {
		return []string{r.String()}
	}
	for range r.Array() {
		if s := r.String(); s != "" && len(list) < evidence.MaxListed {
			list = append(list, s)
		}
	}
	return list
}

// creation reads which tool made the document, not who.
func (d *document) creation(r *jsonwalk.Reader) {
	for name := range r.Object() {
		if name != "creators" {
			continue
		}
		for _, creator := range texts(r) {
			if tool, ok := strings.CutPrefix(creator, "Tool:"); ok && d.Tool == "" {
				d.Tool = evidence.Name(tool)
			}
		}
	}
}

// relation reads what the document is about, where a relation says it.
func (d *document) relation(r *jsonwalk.Reader) {
	from, kind, to := "", "", ""
	for name := range r.Object() {
		switch name {
		case "spdxElementId":
			from = r.String()
		case "relationshipType":
			kind = r.String()
		case "relatedSpdxElement":
			to = r.String()
		}
	}
	switch {
	case len(d.described) >= evidence.MaxListed:
	case kind == "DESCRIBES" && from == "SPDXRef-DOCUMENT":
		d.described = append(d.described, to)
	case kind == "DESCRIBED_BY" && to == "SPDXRef-DOCUMENT":
		d.described = append(d.described, from)
	}
}

func readPackage(r *jsonwalk.Reader) (p pack) {
	concluded, declared := "", ""
	for name := range r.Object() {
		switch name {
		case "SPDXID":
			p.id = r.String()
		case "name":
			p.name = r.String()
		case "versionInfo":
			p.version = r.String()
		case "licenseConcluded":
			concluded = license(r.String())
		case "licenseDeclared":
			declared = license(r.String())
		case "checksums":
			for range r.Array() {
				p.hash(r, "algorithm", "checksumValue")
			}
		case "externalRefs":
			for range r.Array() {
				p.identify(r, "referenceType", "referenceLocator")
			}
		}
	}
	p.license = cmp.Or(concluded, declared)
	return p
}

func license(s string) string {
	if s == "NOASSERTION" {
		return ""
	}
	return s
}

func (p *pack) hash(r *jsonwalk.Reader, algorithmMember, valueMember string) {
	algorithm, value := "", ""
	for name := range r.Object() {
		switch name {
		case algorithmMember:
			algorithm = r.String()
		case valueMember:
			value = r.String()
		}
	}
	if d := evidence.Digest(algorithm, value); d != "" && len(p.digests) < 16 {
		p.digests = append(p.digests, d)
	}
}

// identify reads a package URL, which versions 2 and 3 give other names.
func (p *pack) identify(r *jsonwalk.Reader, kindMember, valueMember string) {
	kind, value := "", ""
	for name := range r.Object() {
		switch name {
		case kindMember:
			kind = r.String()
		case valueMember:
			value = r.String()
		}
	}
	if p.purl == "" && (kind == "purl" || kind == "packageUrl" || kind == "packageURL") {
		p.purl = value
	}
}

// element reads one of version 3.
func (d *document) element(r *jsonwalk.Reader) {
	kind, p, roots, tool := "", pack{}, []string(nil), ""
	for name := range r.Object() {
		switch name {
		case "type", "@type":
			kind = r.String()
		case "spdxId", "@id":
			p.id = r.String()
		case "name":
			p.name = r.String()
		case "specVersion":
			d.Version = cmp.Or(d.Version, evidence.Name(r.String()))
		case "software_packageVersion":
			p.version = r.String()
		case "software_packageUrl":
			p.purl = r.String()
		case "verifiedUsing":
			for range r.Array() {
				p.hash(r, "algorithm", "hashValue")
			}
		case "externalIdentifier":
			for range r.Array() {
				p.identify(r, "externalIdentifierType", "identifier")
			}
		case "rootElement":
			roots = texts(r)
		}
	}
	switch kind {
	case "software_Package":
		d.add(p)
	case "SpdxDocument":
		d.Name, d.Serial = evidence.Name(p.name), evidence.Name(p.id)
	case "Tool":
		tool = p.name
	}
	d.Tool = cmp.Or(d.Tool, evidence.Name(tool))
	if kind == "SpdxDocument" || kind == "software_Sbom" {
		d.described = append(d.described, roots...)
	}
}

// bom puts the document together: which packages it is about may be told last.
func (d *document) bom() (artifact.Bom, []string) {
	var subjects []string
	for _, p := range d.packages {
		if slices.Contains(d.described, p.id) {
			subjects = append(subjects, p.digests...)
			if d := evidence.DigestIn(p.version); d != "" { // as Syft calls an image
				subjects = append(subjects, d)
			}
			continue
		}
		evidence.Listed(&d.Bom, artifact.Component{Name: p.name, Version: p.version, PURL: p.purl, License: p.license})
	}
	slices.Sort(subjects)
	return d.Bom, slices.Compact(subjects)
}

// Redacted is the document as it may be kept: without the people that it names.
func Redacted(b []byte) []byte {
	return evidence.Redacted(b, true, "supplier", "originator", "annotations", "comment", "creators", "copyrightText", "originatedBy", "suppliedBy", "createdBy")
}
