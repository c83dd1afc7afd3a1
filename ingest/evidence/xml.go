package evidence

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

// MaxDepth is how many elements may be open at once.
const MaxDepth = 200

// An XML reader walks through the elements of a report. No entity is known but the
// five of XML itself, so that nothing expands and nothing is fetched.
type XML struct {
	format string
	b      []byte
	d      *xml.Decoder
	depth  int
	seen   int
}

// NewXML stands before the first element. Characters that XML forbids, which the
// output of tests is full of, are taken for marks; the bytes keep their lines.
func NewXML(format string, b []byte) (*XML, error) {
	if err := Check(format, b); err != nil {
		return nil, err
	}
	b = lawful(b)
	d := xml.NewDecoder(bytes.NewReader(b))
	d.CharsetReader = latin
	return &XML{format: format, b: b, d: d}, nil
}

// latin reads the encodings whose bytes are the first characters of Unicode; what is
// not valid UTF-8 was made so before, so that only their name is left to be known.
func latin(charset string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(charset) {
	case "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252", "iso-8859-15":
		return in, nil
	}
	return nil, errors.New("an encoding that is not read here: write it as UTF-8")
}

var forbidden = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`&#(?:[xX]0*([0-9a-fA-F]{1,6})|0*([0-9]{1,7}));`) })

// lawful puts a mark in the place of what XML does not allow.
func lawful(b []byte) []byte {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(b) {
		b = bytes.ToValidUTF8(b, []byte("\uFFFD"))
	}
	if bytes.ContainsFunc(b, unlawful) {
		b = bytes.Map(func(r rune) rune {
			if unlawful(r) {
				return '\uFFFD'
			}
			return r
		}, b)
	}
	return forbidden().ReplaceAllFunc(b, func(ref []byte) []byte {
		var r rune
		form := "%d"
		digits := bytes.Trim(ref, "&#;")
		if digits[0] == 'x' || digits[0] == 'X' {
			form, digits = "%x", digits[1:]
		}
		if _, err := fmt.Sscanf(string(digits), form, &r); err != nil || unlawful(r) {
			return []byte("\uFFFD")
		}
		return ref
	})
}

func unlawful(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF || r > utf8.MaxRune || 0xD800 <= r && r < 0xE000
}

// Next is the next beginning or end of an element, or text; nil at the end of a report
// that is whole.
func (x *XML) Next() (xml.Token, error) {
	for {
		token, err := x.d.Token()
		switch {
		case errors.Is(err, io.EOF) && x.seen > 0:
			return nil, nil
		case errors.Is(err, io.EOF):
			return nil, x.Fault("there is no element in it")
		case err != nil:
			return nil, x.Fault("it is not whole, or not XML that can be read here")
		}
		switch token.(type) {
		case xml.StartElement:
			x.seen++
			if x.depth++; x.depth > MaxDepth {
				return nil, x.Fault(fmt.Sprintf("it is nested deeper than %d", MaxDepth))
			}
			if x.seen > 8*MaxCounted {
				return nil, x.Fault(TooMany)
			}
			return token, nil
		case xml.EndElement:
			x.depth--
			return token, nil
		case xml.CharData:
			return token, nil
		}
	}
}

// Fault is an error where the reader stands.
func (x *XML) Fault(why string) error {
	return &Error{x.format, Line(x.b, int(x.d.InputOffset())), why}
}

// Attr is an attribute of an element, "" if it has none of that name.
func Attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
