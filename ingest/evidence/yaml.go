package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// MaxYAML is how many bytes a document in YAML may have: reading it takes far more
// memory than reading JSON.
const MaxYAML = 8 << 20

// YAML returns the documents of a file in YAML, each as JSON. References to what stands
// elsewhere are followed only as far as they do not make a document much larger.
func YAML(format string, b []byte) (documents [][]byte, err error) {
	if err := Check(format, b); err != nil {
		return nil, err
	}
	if len(b) > MaxYAML {
		return nil, &Error{format, "", fmt.Sprintf("it has %d bytes, more than %d, in YAML: write it as JSON", len(b), MaxYAML)}
	}
	if deepYAML(b) {
		return nil, &Error{format, "", fmt.Sprintf("it is nested deeper than %d", MaxDepth)}
	}
	size := 0
	for d := yaml.NewDecoder(bytes.NewReader(b)); ; {
		var document any
		err := d.Decode(&document)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, &Error{format, fmt.Sprintf("document %d", len(documents)+1), "it is not YAML that can be read here"}
		}
		if document == nil {
			continue // a separator with nothing behind it
		}
		text, err := json.Marshal(document)
		if err != nil {
			return nil, &Error{format, fmt.Sprintf("document %d", len(documents)+1), "it has names or numbers that JSON does not have"}
		}
		if size += len(text); size > MaxFile {
			return nil, &Error{format, fmt.Sprintf("document %d", len(documents)+1), "its references make it too large"}
		}
		documents = append(documents, text)
	}
}

// deepYAML reports whether brackets are open so deep that the parser would suffer:
// what a person writes is not.
func deepYAML(b []byte) bool {
	depth := 0
	for _, c := range b {
		switch c {
		case '[', '{':
			if depth++; depth > 10*MaxDepth {
				return true
			}
		case ']', '}':
			depth = max(depth-1, 0)
		}
	}
	return false
}
