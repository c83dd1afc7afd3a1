package cyclonedx

import (
	"encoding/xml"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/ingest/evidence"
)

// An xmlReader is in the middle of a document in XML: in which elements, and in which
// components.
type xmlReader struct {
	document
	in    []string   // the names of the open elements
	parts []openPart // the open components, and those of tools
	alg   string     // of the hash that is read
	text  strings.Builder
}

// An openPart is a component that began, and how many elements were open then.
type openPart struct {
	*part
	depth int
}

// maxValue is how much of the text of an element is looked at.
const maxValue = 4096

func readXML(b []byte) (artifact.Bom, []string, error) {
	x, err := evidence.NewXML(Format, b)
	if err != nil {
		return artifact.Bom{}, nil, err
	}
	r := xmlReader{document: document{Bom: artifact.Bom{Format: Format}}}
	for {
		token, err := x.Next()
		if err != nil {
			return artifact.Bom{}, nil, err
		}
		switch t := token.(type) {
		case nil:
			if r.Version == "" {
				return artifact.Bom{}, nil, &evidence.Error{Format: Format, Place: "line 1", Why: "its root is no bom of a version"}
			}
			return r.finish()
		case xml.StartElement:
			r.begin(t)
		case xml.EndElement:
			r.end()
		case xml.CharData:
			if r.text.Len() < maxValue {
				r.text.Write(t[:min(len(t), maxValue)])
			}
		}
	}
}

func (r *xmlReader) begin(e xml.StartElement) {
	name := e.Name.Local
	r.in = append(r.in, name)
	r.text.Reset()
	switch {
	case len(r.in) == 1 && name == "bom":
		at := strings.TrimPrefix(e.Name.Space, "http://cyclonedx.org/schema/bom/")
		if at != e.Name.Space {
			r.Version = evidence.Name(at)
		}
		r.Serial = evidence.Name(evidence.Attr(e, "serialNumber"))
	case r.isPart():
		r.parts = append(r.parts, openPart{&part{kind: evidence.Attr(e, "type")}, len(r.in)})
	case name == "hash":
		r.alg = evidence.Attr(e, "alg")
	}
}

// isPart reports whether the innermost element is a component or a tool that is read.
func (r *xmlReader) isPart() bool {
	n := len(r.in)
	switch r.in[n-1] {
	case "tool":
		return slices.Equal(r.in, []string{"bom", "metadata", "tools", "tool"})
	case "component":
		return slices.Equal(r.in, []string{"bom", "metadata", "component"}) || slices.Equal(r.in, []string{"bom", "metadata", "tools", "components", "component"}) || r.listed()
	}
	return false
}

// listed reports whether all that is open are components in lists of components.
func (r *xmlReader) listed() bool {
	in := r.in[1:]
	if len(in) > 1 && in[0] == "metadata" && in[1] == "component" {
		in = in[2:]
	}
	for i, name := range in {
		if want := []string{"components", "component"}[i%2]; name != want {
			return false
		}
	}
	return len(in) > 0 && len(in)%2 == 0
}

// end takes what the element that ends says.
func (r *xmlReader) end() {
	value := strings.TrimSpace(r.text.String())
	r.text.Reset()
	if r.isPart() {
		p := r.parts[len(r.parts)-1]
		r.parts = r.parts[:len(r.parts)-1]
		r.take(*p.part)
	} else if len(r.parts) > 0 {
		r.property(r.parts[len(r.parts)-1], value)
	}
	r.in = r.in[:len(r.in)-1]
}

func (r *xmlReader) take(p part) {
	switch {
	case slices.Contains(r.in, "tools"):
		if r.Tool == "" {
			r.Tool = evidence.Name(strings.TrimSpace(p.name + " " + p.version))
		}
	case slices.Equal(r.in, []string{"bom", "metadata", "component"}):
		r.about(p)
	default:
		r.add(p)
	}
}

// property sets what an element right inside of a component says, or one of its lists.
func (r *xmlReader) property(p openPart, value string) {
	switch strings.Join(r.in[p.depth:], "/") {
	case "group":
		p.group = value
	case "name":
		p.name = value
	case "version":
		p.version = value
	case "purl":
		p.purl = value
	case "hashes/hash":
		p.digest(r.alg, value)
	case "licenses/expression", "licenses/license/id", "licenses/license/name":
		p.also(value)
	}
}
