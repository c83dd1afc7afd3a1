// Package cyclonedx reads bills of materials in CycloneDX, from version 1.2 on, as JSON
// and as XML. The package does no I/O.
//
// The components are those of the document and those inside of them; not what
// somebody descends from, the tools that made the document, and that which the document
// is about, nor files and operating systems that have no package URL. People and
// organisations are not read.
package cyclonedx

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/ingest/evidence"
	"github.com/stemma-dev/stemma/ingest/jsonwalk"
)

// Format is what errors of this package, and records, call the document.
const Format = "cyclonedx"

// Media are the media types of a document.
const (
	Media    = "application/vnd.cyclonedx+json"
	MediaXML = "application/vnd.cyclonedx+xml"
)

// Members are those of the top by which a document is known.
var Members = []string{"bomFormat", "specVersion"}

// IsXML reports whether b looks like a document in XML.
func IsXML(b []byte) bool {
	head := b[:min(len(b), 4096)]
	return bytes.Contains(head, []byte("http://cyclonedx.org/schema/bom"))
}

// Read returns what a document lists, and the digests of what it says it is about.
func Read(b []byte) (artifact.Bom, []string, error) {
	if IsXML(b) && !bytes.HasPrefix(bytes.TrimSpace(b), []byte("{")) {
		return readXML(b)
	}
	r, err := evidence.JSON(Format, b)
	if err != nil {
		return artifact.Bom{}, nil, err
	}
	d := document{Bom: artifact.Bom{Format: Format}}
	format := ""
	for name := range r.Object() {
		switch name {
		case "bomFormat":
			format = r.String()
		case "specVersion":
			d.Version = evidence.Name(r.String())
		case "serialNumber":
			d.Serial = evidence.Name(r.String())
		case "metadata":
			d.metadata(r)
		case "components":
			d.components(r)
		}
	}
	switch err := evidence.End(Format, b, r); {
	case err != nil:
		return artifact.Bom{}, nil, err
	case format != "CycloneDX" || d.Version == "":
		return artifact.Bom{}, nil, &evidence.Error{Format: Format, Place: "line 1", Why: "it does not say that it is CycloneDX, of which version"}
	}
	return d.finish()
}

// A document is one while it is read.
type document struct {
	artifact.Bom
	subjects []string
}

// A part is a component while it is read.
type part struct {
	kind, group, name, version, purl, license string
	digests                                   []string
}

// title is what people call it: with its group, where there is one.
func (p part) title() string {
	if p.group == "" {
		return p.name
	}
	return p.group + "/" + p.name
}

// add keeps a component, unless it is none of which a package is made: scanners of images
// list files, and the distribution as a whole.
func (d *document) add(p part) {
	if d.Count > evidence.MaxCounted || p.purl == "" && (p.kind == "file" || p.kind == "operating-system") {
		return
	}
	evidence.Listed(&d.Bom, artifact.Component{Name: p.title(), Version: p.version, PURL: p.purl, License: p.license})
}

// about takes what the document is about.
func (d *document) about(p part) {
	d.Name = evidence.Name(strings.TrimSpace(p.title() + " " + p.version))
	d.subjects = append(d.subjects, p.digests...)
	if digest := evidence.DigestIn(p.version); digest != "" { // as Syft calls an image
		d.subjects = append(d.subjects, digest)
	}
}

func (d *document) finish() (artifact.Bom, []string, error) {
	if d.Count > evidence.MaxCounted {
		return artifact.Bom{}, nil, &evidence.Error{Format: Format, Why: evidence.TooMany}
	}
	slices.Sort(d.subjects)
	return d.Bom, slices.Compact(d.subjects), nil
}

func (d *document) metadata(r *jsonwalk.Reader) {
	for name := range r.Object() {
		switch name {
		case "component":
			p := d.component(r)
			d.about(p)
		case "tools":
			d.tools(r)
		}
	}
}

// tools reads the first tool, in the form of before version 1.5 or of since.
func (d *document) tools(r *jsonwalk.Reader) {
	first := func() {
		for range r.Array() {
			name, version := "", ""
			for member := range r.Object() {
				switch member {
				case "name":
					name = r.String()
				case "version":
					version = r.String()
				}
			}
			d.Tool = cmp.Or(d.Tool, evidence.Name(strings.TrimSpace(name+" "+version)))
		}
	}
	if r.Kind() == '[' {
		first()
		return
	}
	for name := range r.Object() {
		if name == "components" {
			first()
		}
	}
}

// components reads a list of components with those inside of them.
func (d *document) components(r *jsonwalk.Reader) {
	for range r.Array() {
		if r.Kind() != '{' {
			r.Skip()
			continue
		}
		d.add(d.component(r))
	}
}

func (d *document) component(r *jsonwalk.Reader) (p part) {
	for name := range r.Object() {
		switch name {
		case "type":
			p.kind = r.String()
		case "group":
			p.group = r.String()
		case "name":
			p.name = r.String()
		case "version":
			p.version = r.String()
		case "purl":
			p.purl = r.String()
		case "hashes":
			for range r.Array() {
				p.hash(r)
			}
		case "licenses":
			p.licenses(r)
		case "components":
			d.components(r)
		}
	}
	return p
}

func (p *part) hash(r *jsonwalk.Reader) {
	algorithm, value := "", ""
	for name := range r.Object() {
		switch name {
		case "alg":
			algorithm = r.String()
		case "content":
			value = r.String()
		}
	}
	p.digest(algorithm, value)
}

func (p *part) digest(algorithm, value string) {
	if d := evidence.Digest(algorithm, value); d != "" && len(p.digests) < 16 {
		p.digests = append(p.digests, d)
	}
}

// also adds a licence to those of the part.
func (p *part) also(license string) {
	if license != "" && len(p.license) < 300 {
		p.license = strings.TrimPrefix(p.license+", "+license, ", ")
	}
}

func (p *part) licenses(r *jsonwalk.Reader) {
	for range r.Array() {
		for name := range r.Object() {
			switch name {
			case "expression":
				p.also(r.String())
			case "license":
				id, title := "", ""
				for name := range r.Object() {
					switch name {
					case "id":
						id = r.String()
					case "name":
						title = r.String()
					}
				}
				p.also(cmp.Or(id, title))
			}
		}
	}
}

// Redacted is the document as it may be kept: without the people that it names, and
// what it quotes.
func Redacted(b []byte) []byte {
	if IsXML(b) {
		return evidence.Redacted(b, false)
	}
	return evidence.Redacted(b, true, "author", "authors", "supplier", "manufacture", "manufacturer", "publisher", "contact", "copyright", "annotations", "individual", "content_text")
}
